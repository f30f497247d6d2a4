"""Targets of a workbook: what each row would set, with all that is wrong with it; taken over all together or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from revscore.core.calendars import date_of
from revscore.core.coded import Coded
from revscore.core.metric import Better, Kind, functions
from revscore.core.terms import Target
from revscore.rhythm.target_setting import METRICS, Aim, Setting, aim_of, doubts, faults, first_day, measure_of, name, number_key


@dataclass(frozen=True)
class Preview:
    """What a workbook would set. `problems`, `questions`: row, column, sentence; with a problem nothing is taken over, a question needs a yes. `same`: rows
    that say what holds already."""

    new: tuple[tuple[Aim, Setting], ...]
    problems: pd.DataFrame
    questions: pd.DataFrame
    same: int = 0

    @property
    def ready(self) -> bool:
        return bool(len(self.new)) and not len(self.problems)


def offered(x: Coded) -> dict[str, str]:
    """metric id -> name, of the metrics that a target can be set for: the usual ones, and all that have one."""
    keys = {number_key(one): one for one in (*METRICS, *(target.metric_id for target in x.terms.targets)) if measure_of(one) is not None}
    return {one: name(one) for one in keys.values()}


def usual(metric_id: str) -> tuple[str, str]:
    """(direction, pacing) that a target of a metric has where nothing is said."""
    card, measure = measure_of(metric_id)  # type: ignore[misc]
    return "down" if card.better is Better.DOWN else "up", "business_day" if measure.kind is Kind.TOTAL else "none"


def preview(x: Coded, rows: pd.DataFrame, known: Sequence[Aim]) -> Preview:
    """The rows of `intake.target_sheet.read_targets` as targets. `known`: those of the log. Where a row does not say from when it holds, `first_day` does."""
    names = offered(x)
    ids = {alias.casefold(): metric_id for metric_id, label in reversed(names.items()) for alias in (measure_of(metric_id)[0].label, metric_id, label)}
    log = {one.record: one for one in known}
    extract = {aim_of(target).record: target for target in x.terms.targets}
    wrong: list[tuple[int, str, str]] = []
    open_: list[tuple[int, str, str]] = []
    new: dict[str, tuple[Aim, Setting]] = {}
    first_row: dict[str, int] = {}
    same = 0
    read: list[tuple[int, Aim, Setting]] = []
    for one in rows.itertuples():  # a sheet of targets has tens of rows
        metric_id = ids.get(one.metric.casefold(), one.metric)
        if measure_of(metric_id) is None:
            wrong.append((one.row, "Metric", f"There is no metric “{one.metric}”: the template lists the names."))
            continue
        if one.start < 0 or one.value != one.value or not one.owner:
            continue  # said already by who read the sheet
        direction, pacing = usual(metric_id)
        aim = Aim(metric_id, one.segment, one.owner, int(one.start), int(one.end))
        was = log.get(aim.record)
        aim = was or aim
        before = was.on(x.as_of_day) if was else None
        there = before is not None or aim.record in extract
        new_one = Setting(float(one.value), one.direction or direction, one.pacing or pacing, one.profile_id, int(one.valid_from) if one.valid_from >= 0 else first_day(aim, x.as_of_day, there), one.why)
        if aim.record in first_row:
            wrong.append((one.row, "Metric", f"Row {first_row[aim.record]:,} sets the same target: {name(metric_id)}, {_where(aim)}."))
            continue
        first_row[aim.record] = one.row
        if _says(before or extract.get(aim.record)) == _says(new_one):
            same += 1
            continue
        read.append((one.row, aim, new_one))
    others = (*known, *(aim_of(target) for target in x.terms.targets), *(aim for _, aim, _ in read))
    for row, aim, setting in read:
        wrong += [(row, "", sentence) for sentence in faults(x, aim, setting, others)]
        open_ += [(row, "Direction", sentence) for sentence in doubts(aim, setting)]
        new[aim.record] = (aim, setting)
    return Preview(tuple(new.values()), _frame(wrong), _frame(open_), same)


def _says(one: Setting | Target | None) -> tuple[object, ...]:
    return () if one is None else (one.value, one.direction or "up", one.pacing or "none", one.profile_id)


def _where(aim: Aim) -> str:
    return f"{aim.segment or 'whole company'}, {functions(tuple(aim.owner.split('+')))}, {aim.period.dates()}"


def _frame(rows: list[tuple[int, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["row", "column", "sentence"])


def template(x: Coded) -> dict[str, pd.DataFrame]:
    """The sheets of a workbook to fill in: the targets that hold, under the headings that the import reads, and the words that it knows."""
    rows = [{"Metric": name(one.metric_id), "Segment": one.segment, "Owner": functions(tuple(one.owner_function.split("+"))), "Period start": pd.Timestamp(date_of(one.start)), "Period end": pd.Timestamp(date_of(one.end - 1)),
             "Value": one.value, "Direction": "at most" if one.direction == "down" else "at least", "Pacing": (one.pacing or "none").replace("_", " "), "Profile": one.profile_id, "Valid from": pd.NaT, "Why": ""} for one in x.terms.targets]
    columns = ["Metric", "Segment", "Owner", "Period start", "Period end", "Value", "Direction", "Pacing", "Profile", "Valid from", "Why"]
    targets = pd.DataFrame(rows, columns=columns).sort_values(["Period start", "Metric", "Segment"], ascending=[False, True, True], kind="stable").reset_index(drop=True)
    lists = {"Metric": list(offered(x).values()), "Segment": [value for value in x.dims["segment"].values if value], "Owner": ["Marketing", "Sales", "Customer Success", "RevOps", "Marketing + Sales"],
             "Direction": ["at least", "at most"], "Pacing": ["linear", "business day", "seasonal", "none"], "Profile": [profile for profile, _ in x.terms.seasonality]}
    words = pd.DataFrame({heading: pd.Series(values, dtype="str") for heading, values in lists.items()})
    return {"Targets": targets.assign(**{"Valid from": pd.to_datetime(targets["Valid from"])}), "Words": words.fillna("")}
