"""Opening a number: the exact rows behind it, counted, not counted, outside the rate and left out of the population, with reasons (C13).

The rows come from the same facts and the same `keep` as the number, so they add up to it by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from revscore.core import compute as engine
from revscore.core.calendars import NEVER, NO_DAY
from revscore.core.coded import Coded
from revscore.core.entities import ENTITIES
from revscore.core.facts import Facts, LeftOut
from revscore.core.metric import Kind, Metric
from revscore.core.view import View


@dataclass(frozen=True)
class Opened:
    """The rows of one number. Each frame has the record's id first, then its description, then `contribution` (what it adds above the line)
    and, for rates, `base` (what it adds below)."""

    counted: pd.DataFrame
    not_counted: pd.DataFrame
    outside: pd.DataFrame  # members that the rate waits for, with `why`
    left_out: pd.DataFrame  # outside the population, with `why`

    @property
    def contribution(self) -> float:
        return float(self.counted["contribution"].sum())


def open_number(x: Coded, card: Metric, view: View = View(), measure: str = "", **params: Any) -> Opened:
    """The rows behind the number that `compute(x, card, view, **params)` gives for `measure` (the headline by default).

    Raises ValueError for a derived number or a study: these are opened through the numbers they are made of.
    """
    found = card.measure(measure)
    if found.kind in (Kind.DERIVED, Kind.STUDY):
        raise ValueError(f"{card.label} is made of other numbers; open those")
    parts = sorted_out(x, card, view, measure, **params)
    facts = parts.facts
    frames = [describe(x, facts, rows, card).assign(contribution=value, **({"base": base} if found.kind is Kind.RATE else {}))
              for rows, value, base in (parts.counted, parts.not_counted, parts.outside)]
    if facts.why is not None:
        frames[2]["why"] = np.array(facts.whys, dtype=object)[facts.why[parts.outside[0]]]
    return Opened(*frames, _left_out(x, facts, view))


Rows = tuple[np.ndarray, np.ndarray, np.ndarray]  # positions in the facts, what each adds above the line, what each adds below


@dataclass(frozen=True)
class SortedOut:
    """The facts that a number stands on, as `Opened` sorts them."""

    facts: Facts
    counted: Rows
    not_counted: Rows
    outside: Rows


def sorted_out(x: Coded, card: Metric, view: View = View(), measure: str = "", **params: Any) -> SortedOut:
    """The positions of the facts behind a number with rows of its own: counted, not counted, outside."""
    found = card.measure(measure)
    facts = x.facts(card, **params)
    rows = engine.keep(facts, view, x.dims, period=found.kind is not Kind.LEVEL)
    value = facts.values[found.num][rows].astype(float)
    base = facts.values[found.den][rows].astype(float) if found.den else np.ones(len(rows))
    if found.kind is Kind.RATE:
        groups = ((base != 0) & (value != 0), (base != 0) & (value == 0), base == 0)
    elif found.kind is Kind.SURVIVAL:
        groups = (base != 0, base == 0, np.zeros(len(rows), dtype=bool))
    elif found.kind is Kind.LEVEL:
        _, when = engine.level_instants(x, view, None, 0)
        holds = (facts.values["start"][rows] <= when[0]) & (facts.values["end"][rows] > when[0])
        groups = (holds, np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool))
    else:
        # a total counts every member, also one that adds 0 (an amount that is missing); a further total only what adds to it
        known = ~np.isnan(value)
        aside = (value == 0) & (facts.why[rows] != 0) if facts.why is not None else np.zeros(len(rows), dtype=bool)
        counts = known & (value != 0) if found is not card.headline and found.kind is Kind.TOTAL else known & ~aside
        groups = (counts, known & ~counts & ~aside, ~known | aside)
    return SortedOut(facts, *((rows[group], value[group], base[group]) for group in groups))


def _left_out(x: Coded, facts: Facts, view: View) -> pd.DataFrame:
    out = facts.left_out
    if out is None:
        return records(x, facts.entity, np.zeros(0, dtype="int64")).assign(why="")
    rows = engine.keep(out, view, x.dims, dict(facts.own))
    return records(x, facts.entity, out.record[rows]).assign(why=np.array(out.whys, dtype=object)[out.why[rows]])


def describe(x: Coded, facts: Facts, rows: np.ndarray, card: Metric) -> pd.DataFrame:
    """`rows` of `facts` as a table: the record, the metric's own dimensions, its details (instants in the reporting zone)."""
    frame = records(x, facts.entity, facts.record[rows])
    if card.drill:
        frame = frame[[column for column in frame.columns if column in card.drill or column == frame.columns[0]]]
    for name, dimension in facts.own.items():
        frame[name] = np.array(dimension.labels, dtype=object)[facts.codes[name][rows]]
    for name, column in facts.detail.items():
        frame[name] = readable(x, name, column[rows])
    return frame


def readable(x: Coded, name: str, column: np.ndarray) -> Any:
    """A detail column for reading: `…_at` are instants (shown in the reporting zone), `…_day` day numbers, all else as it is."""
    if name.endswith("_at"):
        shown = pd.Series(np.where(column == NEVER, np.iinfo("int64").min, column).astype("datetime64[us]"))
        return shown.dt.tz_localize("UTC").dt.tz_convert(x.terms.reporting_tz).dt.tz_localize(None).to_numpy()
    if name.endswith("_day"):
        return np.where(column == NO_DAY, np.datetime64("NaT"), np.where(column == NO_DAY, 0, column).astype("datetime64[D]")).astype("datetime64[us]")
    return column


def records(x: Coded, entity: str, record: np.ndarray) -> pd.DataFrame:
    """The records at these positions, for reading: id, name, dimensions by label, dates, current state."""
    return x.once(("records", entity), lambda: ENTITIES[entity].reading(x)).iloc[record].reset_index(drop=True)


__all__ = ["LeftOut", "Opened", "SortedOut", "describe", "open_number", "readable", "records", "sorted_out"]
