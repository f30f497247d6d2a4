"""Blocks about leads: the cohort funnel, conversion by cohort, time to convert, leakage."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from revscore.charts import cohorts, curves as drawings, groups
from revscore.core import units
from revscore.core.calendars import Period, written
from revscore.core.statistics import newcombe
from revscore.core.view import View
from revscore.rhythm import funnel
from revscore.rhythm.asks import Ask, ask, standout
from revscore.ui import charts, stage
from revscore.ui.session import Now

SUMMARY = funnel.TILES
_ON_STAGE = 7  # cohorts of the heat map


def steps(now: Now) -> None:
    """The cohort from stage to stage, with what is still open."""
    question = "How far does the cohort get?"
    if charts.lacking(now, question, "funnel.cohort_conversion"):
        return
    frame = now.ask(funnel.steps)
    charts.card(now, _weakest(frame) or question, cohorts.steps(frame, theme=charts.theme()), "steps",
                "Rates are those of leads whose whole window has passed; the light part of a bar is still open and may yet convert. Exploratory: the lowest of several, not tested.",
                ask("funnel.cohort_conversion", label="Cohort funnel"), lambda mark: _step(now, frame, mark["stage"]))


def _weakest(frame) -> str:
    if not len(frame):
        return ""
    row = standout(frame, "rate")
    if row is None:
        waiting = frame["still_open"].sum()
        return f"Too early to rate: {waiting:,.0f} leads are still inside their window" if waiting else ""
    following = frame["stage"].iloc[list(frame["stage"]).index(row["stage"]) + 1]
    return f"The narrowest step is {row['stage']} → {following}: {units.text(row['rate'], units.RATIO)} go on"


def _step(now: Now, frame: pd.DataFrame, stage: str) -> tuple[Ask, View]:
    """The leads of one bar: who reached the stage, and who of them went on (of the last stage: who reached it)."""
    row = frame[frame["stage"] == stage].iloc[0]
    one = ask("funnel.cohort_conversion", label=f"Cohort from {stage}", pair=row["pair"]) if row["pair"] else ask("funnel.entries", label=stage, stage=row["id"])
    return one, now.view


def heat(now: Now) -> None:
    """Conversion by cohort and stage pair."""
    question = "Do younger cohorts convert better?"
    if charts.lacking(now, question, "funnel.cohort_conversion"):
        return
    frame = now.ask(funnel.heat)
    if stage.on_board() and len(frame):  # as many cohorts as read from afar
        frame = frame[frame["start"].isin(frame["start"].drop_duplicates().nlargest(_ON_STAGE))]
    drawing = cohorts.heat(frame, label="Conversion", theme=charts.theme())
    charts.card(now, _trend(frame) or question, drawing, "heat", f"Cohorts by {now.view.grain}, of the leads whose window has passed. Click a cell for its leads.",
                mark=lambda mark: _cell(now, frame, mark))


def _cell(now: Now, frame: pd.DataFrame, mark: dict[str, str]) -> tuple[Ask, View]:
    """One cohort and pair of the heat map."""
    row = frame[(frame["cohort"] == mark["cohort"]) & (frame["column"] == mark["column"])].iloc[0]
    cohort = Period(int(row["start"]), int(row["end"]), written(row["cohort"]))
    return ask("funnel.cohort_conversion", label=f"{row['column']}, {cohort.name}", pair=row["pair"]), now.view.during(cohort)


def _trend(frame) -> str:
    """The main pair: the latest three settled cohorts against the three before."""
    if not len(frame):
        return ""
    pair = funnel.named(funnel.MAIN_PAIR)
    rows = frame[(frame["column"] == pair) & (frame["maturity"] == "mature")].tail(6)
    if len(rows) < 6 or not rows["denominator"].iloc[3:].sum() or not rows["denominator"].iloc[:3].sum():
        return ""
    sums = [(part["numerator"].sum(), part["denominator"].sum()) for part in (rows.iloc[:3], rows.iloc[3:])]
    before, now = (x / n for x, n in sums)
    _, low, high = newcombe(*sums[0], *sums[1])
    chance = "" if low > 0 or high < 0 else ": no difference beyond chance"
    return f"{pair}: {units.text(now, units.RATIO)} in the last three settled cohorts, {units.text(before, units.RATIO)} in the three before{chance}"


def curves(now: Now) -> None:
    """Time to convert, counting those who have not yet."""
    question = f"How long does {funnel.named(funnel.MAIN_PAIR)} take?"
    if charts.lacking(now, question, "funnel.km_conversion"):
        return
    found, period = now.ask(funnel.conversion_curves), now.view.period
    drawing = drawings.curve(found, label=funnel.named(funnel.MAIN_PAIR), theme=charts.theme())

    def of(name: str) -> tuple[Ask, View]:
        before = now.x.terms.calendar.shifted(period) if period else None
        return ask("funnel.km_conversion", label=f"{funnel.named(funnel.MAIN_PAIR)}, {name}", params={"pair": funnel.MAIN_PAIR}), now.view.during(before if before and name == before.name else period)

    charts.card(now, now.ask(funnel.equal_age) or question, drawing, "curves",
                "Kaplan–Meier: everyone who has not converted is followed up to the date of the data. A curve ends where fewer than five are followed.",
                ask("funnel.km_conversion", params={"pair": funnel.MAIN_PAIR}), shows=charts.ages(now, found, units.DAYS, "converted", of))


def leakage(now: Now) -> None:
    """Where leads leak, and why."""
    question = "Where do leads leak?"
    if charts.lacking(now, question, "leakage.leads"):
        return
    frame = now.ask(funnel.leakage)
    finding = question
    if (worst := standout(frame, lowest=False)) is not None:
        finding = f"Most leak at {worst['group']}: {units.text(worst['value'], units.RATIO)} of those who reach it"
    left, right = st.columns([3, 2], gap="small")
    with left:
        charts.card(now, finding, groups.rank(frame, label="Leak rate", better="down", theme=charts.theme()), "leakage", "Disqualified, recycled or lost, of all that reached the stage. Exploratory: the highest of several, not tested.",
                    ask("leakage.leads"), charts.group(now, frame, "stage", ask("leakage.leads", label="Leakage")))
    with right:
        given = now.ask(funnel.reasons)

        def cell(row: int, column: str) -> charts.Behind:
            one = given.iloc[row]
            return ask("leakage.leads", "count", f"{one['stage']}, {one['fate']}: {one['reason'] or 'no reason'}", stage=one["id"], fate=one["fate"], reason=one["reason"]), now.view

        charts.numbers(now, "The reasons given", given.drop(columns="id") if len(given) else given, "reasons", cell, empty="No lead leaked in this selection.")
