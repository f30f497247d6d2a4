"""Governance for a meeting: how fast it decides, whether it does what it decided and that works, whether reports agree."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from revscore.core import units
from revscore.core.calendars import day_numbers
from revscore.core.coded import Coded
from revscore.core.drill import open_number
from revscore.core.metric import functions
from revscore.core.metrics import CARDS
from revscore.core.metrics.targets import resolve
from revscore.core.units import Unit
from revscore.core.view import View
from revscore.rhythm.asks import ask, frame_of
from revscore.rhythm.goals import name_of

VERDICTS = {"lift": "lift", "drop": "drop", "inconclusive": "inconclusive", "invalid_srm": "invalid: not split as planned"}
PLAIN = Unit("number", "count")  # of what nothing is known but a number

DECISIONS = (ask("governance.decision_velocity", "median", "Days to decide, median"), ask("governance.decision_time", "median", "The same, open ones counted", now=True),
             ask("governance.actions", "on_time_rate", "Actions done on time", now=True), ask("governance.actions", "effect_rate", "Actions that worked", now=True))
REPORTS = (ask("governance.reporting_consistency", label="Reports that agree", now=True),)
DEFINITIONS = (ask("governance.definition_drift", label="Controlled definition changes", now=True),)


def open_decisions(x: Coded, view: View) -> pd.DataFrame:
    """Decisions that are open at as-of, the oldest first: title, meeting, raised, age."""
    found = _counted(x, "governance.decision_time", "open")
    if not len(found):
        return found
    return found.assign(meeting=_spaced(found["meeting"]))[["title", "meeting", "raised_at", "age_days"]].sort_values("age_days", ascending=False, kind="stable").reset_index(drop=True)


def overdue(x: Coded, view: View) -> pd.DataFrame:
    """Actions that are due and open, the oldest first: decision, what it is to move, owner, due."""
    found = _counted(x, "governance.actions", "overdue")
    if not len(found):
        return found
    titles = x.data.table("decisions").drop_duplicates("decision_id").set_index("decision_id")["title"]
    log = x.data.table("actions").drop_duplicates("action_id").set_index("action_id").get("title", pd.Series(dtype="str"))  # of the team's own actions, which may follow from no decision
    moves = found["metric_id"].map({name: metric(name)[0] for name in found["metric_id"].dropna().unique()})
    return found.assign(decision=found["decision_id"].map(titles).astype("str").fillna(found["action_id"].map(log).astype("str")).fillna(found["decision_id"]), metric_id=moves, owner_function=_owners(found["owner_function"])).sort_values(["due_date", "action_id"], kind="stable")[
        ["decision", "metric_id", "owner_function", "due_date"]].reset_index(drop=True)


def from_extract(x: Coded, view: View, logged: tuple[str, ...] = ()) -> pd.DataFrame:
    """The actions that the extract itself brings (all but the ids `logged`), those overdue first: decision, what it is to move, owner, due, done, state in a word."""
    found = x.data.table("actions")
    found = found[~found["action_id"].isin(logged)]
    if not len(found):
        return pd.DataFrame()
    titles = x.data.table("decisions").drop_duplicates("decision_id").set_index("decision_id")["title"]
    moves = found["metric_id"].map({name: metric(name)[0] for name in found["metric_id"].dropna().unique()})
    status, late = found["status"].fillna("open"), found["due_date"] < pd.Timestamp(x.as_of_day, unit="D")
    state = status.mask(found["completed_at"].notna() & (status != "cancelled"), "done")
    state = state.mask((state == "open") & late, "overdue")
    order = state.map({"overdue": 0, "open": 1, "done": 2, "cancelled": 3})
    return found.assign(decision=found["decision_id"].map(titles).fillna(found["decision_id"]), metric_id=moves, owner_function=_owners(found["owner_function"]), state=state, order=order).sort_values(["order", "due_date", "action_id"], kind="stable")[
        ["action_id", "decision", "metric_id", "owner_function", "due_date", "completed_at", "state"]].reset_index(drop=True)


_TOLD, _DONE = {"rationale": "rationale", "approved_by": "approver"}, {"dashboards_updated_at": "dashboards", "training_at": "training"}  # what puts a change under control


def definition_changes(x: Coded, view: View) -> pd.DataFrame:
    """Every change of a definition, those not under control first, then those pending, the latest first in each: change_id, metric in words, effective_from, state in words,
    lacks (in words; "" under control), in_effect, loose (in effect and not under control), pending (not in effect by as-of, or not approved). What lacks is read as
    `governance.definition_drift` reads it."""
    if x.data.missing(CARDS["governance.definition_drift"].needs):
        return pd.DataFrame()
    found = x.data.table("definition_changes")
    told = {word: (found[name].astype("str").fillna("").str.strip() == "").to_numpy() for name, word in _TOLD.items()}
    done = {word: ~(day_numbers(found[name]) <= x.as_of_day) for name, word in _DONE.items()}
    lacks = pd.DataFrame(told | done, index=found.index)
    known = {name: title if (title := metric(name)[0]) != name else name.rpartition(".")[2].replace("_", " ").capitalize() for name in found["metric_id"].dropna().unique()}
    in_effect = day_numbers(found["effective_from"]) <= x.as_of_day
    loose, pending = in_effect & lacks.any(axis=1).to_numpy(), ~in_effect | told["approver"]
    state = np.select([loose & pending, loose, pending], ["not under control, not approved", "not under control", "pending"], "under control")
    words = (lacks.astype("int64") @ pd.Series([1, 2, 4, 8], index=lacks.columns)).map({code: units.listed([name for place, name in enumerate(lacks.columns) if code >> place & 1]) for code in range(16)})
    return pd.DataFrame({"change_id": found["change_id"], "metric": found["metric_id"].map(known), "effective_from": found["effective_from"], "state": state, "lacks": words,
                         "in_effect": in_effect, "loose": loose, "pending": pending, "order": np.select([loose, pending], [0, 1], 2)}).sort_values(
        ["order", "effective_from"], ascending=[True, False], kind="stable").drop(columns="order").reset_index(drop=True)


def changes_said(found: pd.DataFrame) -> str:
    """How many changes are not under control, in a sentence. `found`: of `definition_changes`, at least one."""
    now, loose, pending = (int(found[name].sum()) for name in ("in_effect", "loose", "pending"))
    waits = f"{pending} {'is' if pending == 1 else 'are'} pending" if pending else ""
    if not now:
        return f"No change of a definition is in effect yet; {waits}"
    head = (f"{loose} of {now} {'change' if now == 1 else 'changes'} {'is' if loose == 1 else 'are'} not under control" if loose else
            f"All {now} changes are under control" if now > 1 else "The one change is under control")
    return f"{head}; {waits}" if waits else head


def inconsistent(x: Coded, view: View) -> pd.DataFrame:
    """Reported values that are off, the furthest first: metric, period, segment, source, value and canonical value as text, off by; id and by: metric and source as
    they are written."""
    if x.data.missing(CARDS["governance.reporting_consistency"].needs):
        return pd.DataFrame()
    found = open_number(x, CARDS["governance.reporting_consistency"]).not_counted
    found = found.assign(size=found["off_by_share"].abs()).sort_values("size", ascending=False, kind="stable")
    known = {name: metric(name) for name in found["metric_id"].unique()}
    for column in ("value", "canonical"):
        found[column] = [units.text(value, known[name][1], x.terms.corporate_currency) for name, value in zip(found["metric_id"], found[column], strict=True)]
    return found.assign(id=found["metric_id"], by=found["source"], metric_id=found["metric_id"].map({name: title for name, (title, _) in known.items()}), source=_spaced(found["source"]))[
        ["metric_id", "period", "segment", "source", "value", "canonical", "off_by_share", "id", "by"]].reset_index(drop=True)


def tests(x: Coded, view: View) -> pd.DataFrame:
    """Controlled tests: id, name, arm, rates of the arm and of the control arm, difference with its interval, verdict in words; those that say something first.
    With more than two arms a verdict is exploratory: no comparison is corrected for the others (METRICS X2)."""
    found = frame_of(x, "stats.experiments", View())
    if not len(found):
        return found
    x1, n1, x0, n0 = (found[name] for name in ("numerator", "denominator", "control_numerator", "control_denominator"))
    out = pd.DataFrame({"id": found["experiment_id"], "name": found["name"].fillna(found["experiment_id"]), "arm": found["arm"], "treated": x1 / n1.where(n1 > 0), "control": x0 / n0.where(n0 > 0), "people": n1 + n0,
                        "difference": found["value"], "low": found["low"], "high": found["high"], "said": found["verdict"].map(list(VERDICTS).index),
                        "verdict": found["verdict"].map(VERDICTS).str.cat(found["note"].map({"": "", "exploratory": ", exploratory: one of several arms"}))})
    return out.sort_values("said", kind="stable").drop(columns="said").reset_index(drop=True)


def metric(metric_id: str) -> tuple[str, Unit]:
    """How a metric id of a report or an action reads, and its unit; an id that no card answers stays as it is."""
    found = resolve(metric_id, CARDS)
    return (name_of(found[0].label, found[1], found[2]), found[0].measure(found[1]).unit) if found else (metric_id, PLAIN)


def _owners(column: pd.Series) -> pd.Series:
    """ "sales, revops" → "Sales + RevOps". """
    return column.map({names: functions(one for one in re.split(r"[,+;\s]+", names) if one) for names in column.dropna().unique()})


def _spaced(words: pd.Series) -> pd.Series:
    """ "weekly_triage" → "weekly triage". """
    return words.str.replace("_", " ")


def _counted(x: Coded, card: str, measure: str) -> pd.DataFrame:
    return pd.DataFrame() if x.data.missing(CARDS[card].needs) else open_number(x, CARDS[card], measure=measure).counted
