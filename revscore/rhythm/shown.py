"""What each screen of a meeting shows: its numbers, its table, its list, for the minutes and the files that leave the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.review import Line
from revscore.core.units import CURRENCY, RATIO
from revscore.core.view import View
from revscore.rhythm import exceptions, governance, pipeline, triage
from revscore.rhythm.asks import ask, made
from revscore.rhythm.monthly import Monthly
from revscore.rhythm.weekly import Weekly

_STALLED = 10  # deals of the list


@dataclass(frozen=True)
class Table:
    """What a screen shows as a table, as it is written."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def by_screen(review: Any) -> dict[str, tuple[Line, ...]]:
    """Screen id -> the lines of a review that it shows."""
    if isinstance(review, Weekly):
        return {"pace": review.standing or review.pace, "signals": review.signals, "stuck": review.flow, "promises": review.speed, "exceptions": review.order}
    if isinstance(review, Monthly):
        return {"together": review.shared, "targets": tuple(one.line for one in review.targets), "conversion": review.conversion, "wins": review.wins, "velocity": review.velocity,
                "retention": review.retention, "decisions": review.decisions, "reports": review.reports, "definitions": review.definitions}
    return {}


def coverage(x: Coded, view: View, review: Weekly) -> tuple[Line, ...]:
    """The numbers of the screen on coverage as lines: what is covered, and, where a win rate says it, what is required; none without a target."""
    if review.coverage is None or not review.coverage["remaining"] > 0:
        return ()
    required = (ask("pipeline.coverage", "required_coverage", "Required by our win rate"),) if pipeline.enough(review.coverage) is not None else ()
    return made(x, view.during(review.period), (ask("pipeline.coverage", "coverage", "Coverage of what is left"), *required))


def tables_of(review: Any, tables: Mapping[str, pd.DataFrame], currency: str) -> dict[str, Table]:
    """Screen id -> the table of a review that it shows, its numbers as they are written. `tables`: those of the review by name."""
    def said(frame: pd.DataFrame, *columns: tuple[str, str, units.Unit | None]) -> Table:
        cells = [[("" if pd.isna(value) else str(value)) if unit is None else units.text(value, unit, currency) for value in frame[name]] for name, _, unit in columns]
        return Table(tuple(head for _, head, _ in columns), tuple(zip(*cells, strict=True)))

    out: dict[str, Table] = {}
    if isinstance(review, Weekly):
        if len(review.progress):
            of = {line.label: line for line in review.pace}
            out["pace"] = Table(("Number", "Now", "Due by now", "Target"), tuple(
                (row.name, *(units.text(value, of[row.name].measure.unit, currency) for value in (row.value, row.expected, row.target))) for row in review.progress.itertuples(index=False)))
        if len(review.bridge.legs):
            out["bridge"] = said(review.bridge.legs, ("leg", "Step", None), ("value", "Amount", units.CURRENCY), ("count", "Deals", units.DEALS))
    if isinstance(review, Monthly):
        if review.targets:
            out["targets"] = Table(("Number", "Now", "Due by now", "Target", "On course"), tuple(
                (one.line.label, one.line.text, *(units.text(value, one.line.measure.unit, currency) for value in (one.expected, one.target.value)),
                 "too few to say" if one.good is None else "yes" if one.good else "no") for one in review.targets))
        if "Evidence" in tables:
            out["campaigns"] = said(tables["Evidence"], ("proposal", "Proposal", None), ("name", "Campaign", None), ("cost", "Cost", units.CURRENCY), ("why", "Why", None))
        elif len(review.campaigns):
            out["campaigns"] = said(review.campaigns, ("name", "Campaign", None), ("cost", "Cost", units.CURRENCY), ("mqls", "MQLs", units.LEADS),
                                    ("pipeline_attributed_w", "Pipeline, W-shaped", units.CURRENCY), ("won_attributed_full_path", "Won, full path", units.CURRENCY), ("roi", "ROI", units.RATIO))
        if len(review.changes):
            out["definitions"] = said(review.changes.assign(day=[day(at) if pd.notna(at) else "" for at in review.changes["effective_from"]]), ("metric", "Definition", None), ("day", "Effective from", None),
                                      ("state", "State", None), ("lacks", "Lacks", None))
        if len(review.tests):
            out["tests"] = said(review.tests, ("name", "Test", None), ("arm", "Arm", None), ("people", "People", units.PEOPLE), ("control", "Without", units.RATIO), ("treated", "With it", units.RATIO),
                                ("verdict", "Verdict", None))
    return out


def lists(x: Coded, view: View, review: Any) -> dict[str, Table]:
    """Screen id -> the list that it shows beside its numbers: weekly, broken promises that were open at the date of the data, by owner (of one without an escalation level
    the last column is empty), and the first deals that stand still; monthly, what waits for a decision or is overdue, and the reports that say something else."""
    found = ({"promises": _broken(x, view), "stuck": _stalled(x, view)} if isinstance(review, Weekly) else {"decisions": _waiting(x, view), "reports": _off(x, view)} if isinstance(review, Monthly) else {})
    return {id_: table for id_, table in found.items() if table.rows}


def _broken(x: Coded, view: View) -> Table:
    frame = exceptions.current(x, view)
    frame = triage.beside(frame[frame["kind"] == "sla_breach_open"].reset_index(drop=True), x, {}, x.data.as_of.date())
    worst = exceptions.escalation(x, frame).sort_values("level", kind="stable").drop_duplicates("owner", keep="last").set_index("owner")
    return Table(("Owner", "Broken promises", "Oldest, business days", "Highest level", "Told at that level"), tuple(
        (str(row.owner), f"{row.open:,}", f"{row.oldest:,}", f"{worst['level'][row.owner]:.0f}", str(worst["told"][row.owner] or "")) for row in triage.by_team(frame, "owner").itertuples(index=False)))


def _stalled(x: Coded, view: View) -> Table:
    currency = x.terms.corporate_currency
    return Table(("Deal", "Owner", "Stage", "Amount", "In stage", "Over the benchmark"), tuple(
        (str(row.name), str(row.owner), str(row.stage), units.text(row.amount, CURRENCY, currency), units.text(row.age_days, units.DAYS), units.text(row.over_p75_days, units.DAYS))
        for row in pipeline.aging(x, view).head(_STALLED).itertuples(index=False)))


def _waiting(x: Coded, view: View) -> Table:
    open_, late = governance.open_decisions(x, view), governance.overdue(x, view)
    return Table(("What waits", "For", "Where, or with whom", "Raised or due"), (
        *((str(row.title), "a decision", str(row.meeting), day(row.raised_at)) for row in open_.itertuples(index=False)),
        *((str(row.decision), "what was to be done", str(row.owner_function), day(row.due_date)) for row in late.itertuples(index=False))))


def _off(x: Coded, view: View) -> Table:
    return Table(("Metric", "Period", "Source", "It says", "Canonical", "Off by"), tuple(
        (str(row.metric_id), str(row.period), str(row.source), str(row.value), str(row.canonical), units.text(row.off_by_share, RATIO)) for row in governance.inconsistent(x, view).itertuples(index=False)))


def day(when: date) -> str:
    """A day as it is written: "16 Nov 2026"."""
    return f"{when.day} {when:%b %Y}"
