"""Governance for a meeting: how fast it decides, whether it does what it decided and that works, whether reports agree."""

from __future__ import annotations

import pandas as pd

from revscore.core.coded import Coded
from revscore.core.drill import open_number
from revscore.core.metrics import CARDS
from revscore.core.view import View
from revscore.rhythm.asks import ask

DECISIONS = (ask("governance.decision_velocity", "median", "Days to decide, median"), ask("governance.decision_time", "median", "The same, open ones counted", now=True),
             ask("governance.actions", "on_time_rate", "Actions done on time", now=True), ask("governance.actions", "effect_rate", "Actions that worked", now=True))
REPORTS = (ask("governance.reporting_consistency", label="Reports that agree", now=True), ask("governance.definition_drift", label="Controlled definition changes", now=True))


def open_decisions(x: Coded, view: View) -> pd.DataFrame:
    """Decisions that are open at as-of, the oldest first: id, title, meeting, raised, age."""
    found = _counted(x, "governance.decision_time", "open")
    return found[["title", "meeting", "raised_at", "age_days"]].sort_values("age_days", ascending=False, kind="stable").reset_index(drop=True) if len(found) else found


def overdue(x: Coded, view: View) -> pd.DataFrame:
    """Actions that are due and open, the oldest first: id, decision, what it is to move, owner, due."""
    found = _counted(x, "governance.actions", "overdue")
    if not len(found):
        return found
    titles = x.data.table("decisions").drop_duplicates("decision_id").set_index("decision_id")["title"]
    return found.assign(decision=found["decision_id"].map(titles).fillna(found["decision_id"])).sort_values(["due_date", "action_id"], kind="stable")[
        ["decision", "metric_id", "owner_function", "due_date"]].reset_index(drop=True)


def inconsistent(x: Coded, view: View) -> pd.DataFrame:
    """Reported values that are off, the furthest first: metric, period, segment, source, value, canonical value, off by."""
    if x.data.missing(CARDS["governance.reporting_consistency"].needs):
        return pd.DataFrame()
    found = open_number(x, CARDS["governance.reporting_consistency"]).not_counted
    found = found.assign(size=found["off_by_share"].abs()).sort_values("size", ascending=False, kind="stable")
    return found[["metric_id", "period", "segment", "source", "value", "canonical", "off_by_share"]].reset_index(drop=True)


def _counted(x: Coded, card: str, measure: str) -> pd.DataFrame:
    return pd.DataFrame() if x.data.missing(CARDS[card].needs) else open_number(x, CARDS[card], measure=measure).counted
