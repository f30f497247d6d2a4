"""Blocks of the meetings: the scorecard, pace and coverage, and rows of tiles under a question."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from revscore.charts import amounts
from revscore.core import units
from revscore.core.review import Line
from revscore.core.view import View
from revscore.rhythm.asks import Ask, ask, asked, made
from revscore.rhythm.monthly import Monthly, monthly
from revscore.rhythm.scorecard import scorecard
from revscore.rhythm.weekly import Weekly, weekly
from revscore.ui import answers, charts, drill, tiles
from revscore.ui.session import Now
from revscore.ui.words import listed, md


def course(now: Now) -> None:
    """The whole scorecard: the answer, then volume, quality and speed."""
    review = now.ask(scorecard)
    answers.course(review)
    for title, question, group in review.groups:
        with st.container(gap="xsmall"):
            answers.section(title, question)
            tiles.row(now, group)


def weekly_review(now: Now) -> Weekly:
    return now.ask(weekly)


def monthly_review(now: Now) -> Monthly:
    return now.ask(monthly)


def section(now: Now, title: str, question: str, lines: Sequence[Line] = (), columns: int = 4, fold: bool = False) -> None:
    """A question with its tiles. `fold`: the numbers that did not move stand together on one line (METRICS X7)."""
    still, moved = [], []
    for line in lines:
        (still if fold and line.known and not line.lacks and line.moved is False else moved).append(line)
    with st.container(gap="xsmall"):
        answers.section(title, question)
        if moved:
            tiles.row(now, moved, columns, title)
        if still:
            tiles.unchanged(now, still, title)


def summary(now: Now, asks: tuple[Ask, ...], key: str = "summary") -> None:
    """The tiles at the head of an explorer, or of a part of it."""
    tiles.row(now, now.ask(made, asks), key=key)


def pace_and_coverage(now: Now, review: Weekly) -> None:
    """Pace beside coverage; where no target says how either is, the numbers of deals beside the period before."""
    if len(review.progress):
        left, right = st.columns(2, gap="small")
        with left:
            pace(now, review)
        with right:
            coverage(now, review)
        return
    tiles.row(now, review.standing, key="standing")
    if review.coverage is not None:
        return coverage(now, review)
    st.caption(md(f"No target is set for {review.period.label or 'this period'} and this selection: pace and coverage need one, these numbers stand without."))


def pace(now: Now, review: Weekly) -> None:
    """Progress to the targets of the period, beside what should be there by today."""
    frame = review.progress
    told = frame[~frame["thin"].astype(bool)]
    behind = told[told["value"] < told["expected"]]["name"].tolist()
    finding = (f"Behind the pace: {listed(behind)}" if behind else "Too few records to say whether we are on pace" if not len(told)
               else "On pace to the targets" if len(told) > 1 else f"{told['name'].iloc[0]} is on pace")
    charts.card(now, finding, amounts.pace(frame, currency=now.x.terms.corporate_currency, theme=charts.theme()), "pace",
                f"{review.period.label or ''} {review.period.dates()}: the bar is what is there, the mark what should be there by today. Click a bar for its rows.", mark=lambda mark: _paced(review, mark["name"], now.view))


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
        if not found["remaining"] > 0:
            return charts.heading(f"The target is met: {money('won_to_date')} won of {money('target')}", "coverage")
        known = not found["unjudged"]
        have, required = units.text(found["coverage"], units.MULTIPLE), units.text(found["required_coverage"], units.MULTIPLE) if known else units.MISSING
        enough = known and found["coverage"] >= found["required_coverage"]
        charts.heading("Enough to close what is left" if enough else f"Not enough pipeline: {have} where our win rate needs {required}" if known
                       else f"{have} of what is left is open", "coverage")
        for place, (stat, label, said) in zip(st.columns(2), (("coverage", "Coverage of what is left", have), ("required_coverage", "Required by our win rate", required)), strict=True):
            with place, st.container(key=f"tile-{stat}"):
                st.metric(label, said)
                if st.button("", icon=":material/open_in_full:", key=f"open-{stat}", type="tertiary", help=f"Open {label.lower()} to its parts"):
                    drill.opened(now, now.ask(made, (ask("pipeline.coverage", stat, label),), view=now.view.during(review.period))[0])
        st.caption(md(f"{found['unjudged']} {money('open_in_period')} open with a close date in the period, {money('remaining')} left of {money('target')}. "
                             f"Without overdue close dates: {units.text(found['coverage_not_overdue'], units.MULTIPLE)}."))


def weekly_answer(review: Weekly) -> None:
    """The answer of the weekly review in one sentence."""
    said = []
    for row in review.progress.itertuples():
        said.append(f"{row.name}: too few to say" if row.thin else f"{row.name} {'on' if row.value >= row.expected else 'behind'} pace")
    moved = sorted((line for line in review.standing if line.known and line.change != units.MISSING), key=lambda line: line.card.id != "bookings.won_value")
    said += [_step(line) for line in moved[:1]]
    if review.coverage is not None and review.coverage["remaining"] > 0:
        have, required = (units.text(review.coverage[name], units.MULTIPLE) for name in ("coverage", "required_coverage"))
        said.append(f"coverage {have}, too little is decided to say what is required" if review.coverage["unjudged"] else f"coverage {have} of {required} required")
    if review.bridge.legs is not None and len(review.bridge.legs):
        step = review.bridge.end - review.bridge.start
        said.append(f"pipeline {'grew' if step > 0 else 'shrank' if step < 0 else 'stood still'} by {units.text(abs(step), units.CURRENCY)} in the last seven days of the data")
    answers.answer(("; ".join(said)[:1].upper() + "; ".join(said)[1:] + ".") if said else "No target is set for this period; here is what moved.")


def _step(line: Line) -> str:
    """ "Bookings $2.07M, −9.4 % on the same days of FY18Q3". """
    before = line.before_period
    name = (before.label or before.dates()).replace("same days", "the same days", 1) if before else "before"
    return f"{line.label} {line.text}, {line.change} on {name.replace('the the', 'the')}"


def monthly_answer(review: Monthly) -> None:
    """The answer of the monthly review: what is better and worse in what all functions share, in conversion and wins."""
    known = [line for line in (*review.shared, *review.conversion, *review.wins) if line.known and not line.lacks and line.change != units.MISSING]
    worse, better = ([line.label.split(",")[0] for line in known if line.tone == tone] for tone in ("bad", "good"))
    parts = [f"better than before: {listed(better)}" if better else "", f"worse: {listed(worse)}" if worse else ""]
    said = "; ".join(part for part in parts if part)
    answers.answer(said[:1].upper() + said[1:] + "." if said else "Nothing moved that is large enough to say so.")


