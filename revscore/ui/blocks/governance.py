"""Blocks about governance: what is decided and not, what is overdue, where reports disagree."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.view import View
from revscore.rhythm import governance
from revscore.rhythm.asks import ask
from revscore.ui import charts, stage, tables
from revscore.ui.session import Now
from revscore.ui.words import md

_WORDS = {"age_days": "Open for", "metric_id": "To move", "owner_function": "Owner"}
_REPORT_WORDS = {"metric_id": "Metric", "value": "It says", "canonical": "Canonical", "off_by_share": "Off by"}


def waiting(now: Now) -> None:
    """Open decisions beside overdue actions; nothing where an extract has neither."""
    decisions, late = now.ask(governance.open_decisions), now.ask(governance.overdue)
    if not len(decisions) and not len(late):
        return
    left, right = st.columns(2, gap="small")
    with left:
        oldest = f"{units.named(len(decisions), units.DECISIONS).capitalize()} open, the oldest for {units.text(decisions['age_days'].iloc[0], units.DAYS)}" if len(decisions) else "No decision is open"
        charts.numbers(now, oldest, decisions, "decisions", board=("title", "meeting", "age_days"), opens=ask("governance.decision_time", "open", "Open decisions", now=True), formats={"age_days": units.DAYS}, labels=_WORDS)
    with right:
        charts.numbers(now, f"{units.named(len(late), units.ACTIONS).capitalize()} overdue" if len(late) else "No action is overdue", late, "overdue", board=("decision", "owner_function", "due_date"),
                       opens=ask("governance.actions", "overdue", "Actions overdue", now=True), labels=_WORDS)


def reports(now: Now) -> None:
    """Reported values that differ from the canonical ones by more than the tolerance."""
    frame = now.ask(governance.inconsistent)
    if len(frame):
        worst = frame.iloc[0]

        def cell(row: int, column: str) -> charts.Behind:
            told = frame.iloc[row]
            label = f"{str(told['source']).capitalize()} agrees: {told['metric_id']} of {told['period']}"
            return ask("governance.reporting_consistency", label=label, reported_metric=told["id"], source=told["by"]), now.view.during(_period(now, told["period"]))

        charts.numbers(now, f"{worst['source'].capitalize()} is furthest off: {worst['metric_id']} of {worst['period']}, {worst['value']} for {worst['canonical']}",
                       frame.drop(columns=["id", "by"]), "reports", cell, formats={"off_by_share": units.RATIO}, labels=_REPORT_WORDS)


def definition_changes(now: Now, frame: pd.DataFrame) -> None:
    """The changes of definitions, what is not under control or not yet in effect first; a row opens to the change as it is written."""
    if not len(frame):
        return
    with st.container(border=True, key="chart-changes"):
        charts.heading(governance.changes_said(frame), "changes")
        opened = tables.table(frame[["metric", "effective_from", "state", "lacks"]], now.x, "changes", labels={"metric": "Definition", "effective_from": "Effective from"}, opens=True)
        if foot := stage.aside("Under control: with its rationale, approver, dashboards and training. Pending: not in effect by the date of the data, or not approved. Choose a row for the change as it is written."):
            st.caption(foot)
    if opened is not None:
        _change(now, str(frame["change_id"].iloc[opened]), str(frame["metric"].iloc[opened]))


@st.dialog("Definition change", width="large", position="right")
def _change(now: Now, change: str, metric: str) -> None:
    """One change as the extract has it."""
    with stage.drawer():
        st.markdown(f"### {md(metric)}")
        rows = now.x.data.table("definition_changes")
        tables.table(rows[rows["change_id"] == change], now.x, "change", labels={"metric_id": "Metric", "dashboards_updated_at": "Dashboards updated", "training_at": "Training"})


def _period(now: Now, label: str) -> Period | None:
    """The period that a report names; None for a word that is none."""
    try:
        return now.x.terms.calendar.parse(label)
    except ValueError:
        return None


def tests(now: Now) -> None:
    """Controlled tests with their verdicts."""
    question = "Which controlled tests made a difference?"
    if charts.lacking(now, question, "stats.experiments"):
        return
    frame = now.ask(governance.tests)
    if not len(frame):
        return charts.absent(question, "No test with a control arm and another one has been recorded.", "tests")
    said, hints = frame[frame["verdict"].isin(("lift", "drop"))], frame["verdict"].str.startswith(("lift", "drop"))
    if len(said):
        first = said.iloc[0]
        finding = f"{first['name']}: {units.text(first['control'], units.RATIO)} without, {units.text(first['treated'], units.RATIO)} with it"
    else:
        finding = "A test of several arms hints at a difference: confirm it with two" if hints.any() else "No controlled test has made a difference yet"
    interval = [f"{units.change(low, 0.0, units.RATIO)} to {units.change(high, 0.0, units.RATIO)}" if low == low else units.MISSING for low, high in zip(frame["low"], frame["high"], strict=True)]
    shown = frame.assign(interval=interval, difference=[units.change(value, 0.0, units.RATIO) for value in frame["difference"]])

    def cell(row: int, column: str) -> charts.Behind:
        one = frame.iloc[row]
        return ask("stats.experiments", label=f"{one['name']}: {one['arm']} against control", experiment_id=str(one["id"]), arm=str(one["arm"])), View()

    charts.numbers(now, finding, shown[["name", "arm", "people", "control", "treated", "difference", "interval", "verdict"]], "tests", cell,
                   formats={"control": units.RATIO, "treated": units.RATIO, "people": units.PEOPLE},
                   labels={"name": "Test", "control": "Control", "treated": "This arm", "interval": "95 % interval"})
