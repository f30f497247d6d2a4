"""Blocks of the meetings: the scorecard, pace and coverage, and rows of tiles under a question."""

from __future__ import annotations

import streamlit as st

from revscore.charts import amounts
from revscore.core import units
from revscore.core.view import View
from revscore.rhythm import figures, pipeline
from revscore.rhythm.asks import Ask, ask, asked, made, missing
from revscore.rhythm.scorecard import scorecard
from revscore.rhythm.weekly import Weekly
from revscore.ui import answers, charts, drill, tiles
from revscore.ui.session import Now
from revscore.ui.words import md


def course(now: Now) -> None:
    """The whole scorecard: the answer, then volume, quality and speed."""
    review = now.ask(scorecard)
    answers.course(review)
    for title, question, group in review.groups:
        with st.container(gap="xsmall"):
            answers.section(title, question)
            tiles.row(now, group)


def section(now: Now, title: str, question: str, *cards: str) -> None:
    """The head of a part of a page; away where the extract lacks what each of its `cards` needs."""
    if not cards or any(not missing(now.x, card) for card in cards):
        answers.section(title, question)


def summary(now: Now, asks: tuple[Ask, ...], key: str = "summary") -> None:
    """The tiles at the head of an explorer, or of a part of it."""
    tiles.row(now, now.ask(made, asks), key=key)


def pace(now: Now, review: Weekly) -> None:
    """Progress to the targets of the period, beside what should be there by today."""
    charts.card(now, figures.pace_said(review.progress), amounts.pace(review.progress, currency=now.x.terms.corporate_currency, theme=charts.theme()), "pace",
                f"{review.period.name}, {review.period.dates()}: the bar is what is there, the mark what should be there by today. Click a bar for its rows.", mark=lambda mark: _paced(review, mark["name"], now.view))


def _paced(review: Weekly, name: str, view: View) -> tuple[Ask, View] | None:
    """The number of one bar, over the period of its target."""
    line = next((line for line in review.pace if line.label == name), None)
    return None if line is None else (asked(line), view.during(review.period))


def coverage(now: Now, review: Weekly) -> None:
    """Coverage of what is left, against what the team's own win rate requires."""
    found, currency = review.coverage, now.x.terms.corporate_currency
    if found is None:
        return charts.absent("Coverage", "Coverage needs a bookings target for exactly this period and selection.", "coverage")

    def money(name: str) -> str:
        return units.text(found[name], units.CURRENCY, currency)

    with st.container(border=True, key="chart-coverage", height="stretch"):
        charts.heading(pipeline.coverage_said(found, currency), "coverage")
        if not found["remaining"] > 0:
            return
        known = pipeline.enough(found) is not None
        for place, stat, label in zip(st.columns(2), ("coverage", "required_coverage"), ("Coverage of what is left", f"Required by our win rate of {review.period.name}"), strict=True):
            with place, st.container(key=f"tile-{stat}"):
                st.metric(label, units.text(found[stat], units.MULTIPLE) if known or stat == "coverage" else units.MISSING)
                if st.button("", icon=":material/open_in_full:", key=f"open-{stat}", type="tertiary", help=f"Open {label.lower()} to its parts"):
                    drill.opened(now, now.ask(made, (ask("pipeline.coverage", stat, label),), view=now.view.during(review.period))[0])
        st.caption(md(f"{found['unjudged']} {money('open_in_period')} open with a close date in the period, {money('remaining')} left of {money('target')}. "
                             f"Without overdue close dates: {units.text(found['coverage_not_overdue'], units.MULTIPLE)}."))
