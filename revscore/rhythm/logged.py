"""What the team decided and did, as tables beside those of the extract: decisions, actions and approved changes of definitions of the log as they were at as-of, so that
governance counts them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from revscore.core import schema
from revscore.core.beside import Beside
from revscore.core.coded import Coded
from revscore.rhythm import actions, decisions
from revscore.rhythm.actions import Action
from revscore.rhythm.decisions import Decision
from revscore.rhythm.log import ACTION, DECISION, DEFINITION, Record, records
from revscore.rhythm.verdicts import judged_alone
from revscore.store import Entry, Store

KINDS = (DECISION, ACTION, DEFINITION)
_BESIDE = ("title", "verdict")  # of actions: what the extract's table has no column for


def with_log(store: Store, x: Coded, until: int | None = None) -> Coded:
    """`x` with the decisions, actions and definition changes of its data set's log, up to the entry `until` (all); nothing that was written down after as-of. What `x` has
    encoded is shared, nothing is encoded anew; where the log has nothing, `x` itself."""
    dataset = x.data.stand.dataset
    found = {kind: _counting(store.entries(dataset, kind), x, until) for kind in KINDS} if dataset and until != 0 else {}
    last = max((entry.id for entries in found.values() for entry in entries), default=0)
    if not last:
        return x
    taken, raised = decisions.of_entries(found[DECISION]), actions.of_entries(found[ACTION])
    rows = {"decisions": [row for one in taken if (row := _decision(one))], "actions": [_action(x, one) for one in raised],
            "definition_changes": [_definition(x, one) for one in records(found[DEFINITION]) if one.fields["status"] == "approved"]}
    return Beside(x, {name: _together(x, name, some) for name, some in rows.items() if some or x.data.has(name)}, last)


def _counting(entries: Sequence[Entry], x: Coded, until: int | None) -> list[Entry]:
    return [entry for entry in entries if entry.at <= x.data.as_of and (until is None or entry.id <= until)]


def _decision(one: Decision) -> dict[str, Any] | None:
    """Its row. A note that nothing was decided is none; a question on which nothing was decided is still open."""
    if one.status == "none" and one.history[0].verb != "raised":
        return None
    decided = one.status == "decided"
    return {"decision_id": one.id, "title": one.title, "meeting": one.kind or None, "raised_at": one.raised_at, "decided_at": one.decided_at if decided else pd.NaT,
            "status": one.status if one.status in ("decided", "withdrawn") else "open"}


def _action(x: Coded, one: Action) -> dict[str, Any]:
    row: dict[str, Any] = {"action_id": one.id, "title": one.title, "decision_id": one.decision or None, "owner_function": one.function or None, "created_at": one.raised_at, "due_date": _date(one.due),
                           "completed_at": one.done_at if one.status == "done" else pd.NaT, "status": one.status}
    if one.success is None:
        return row
    row |= {"metric_id": one.success.number["metric"], "direction": one.success.direction or None, "baseline_x": one.success.x, "baseline_n": one.success.n,
            "measure_at": _date(one.success.check_on)}
    if one.status != "done" or pd.isna(row["measure_at"]) or row["measure_at"].date() > pd.Timestamp(x.as_of_day, unit="D").date():
        return row
    found = judged_alone(x, one)
    if found.by_weeks or found.before is None:
        return row | {"verdict": found.verdict}
    return row | {"baseline_x": found.before.x, "baseline_n": found.before.n, "after_x": found.after.x, "after_n": found.after.n} if found.verdict != "not_yet_measurable" else row


def _definition(x: Coded, one: Record) -> dict[str, Any]:
    """The row of an approved request. What shows a number works it out by the definitions in force, so all of it is up to date on that day."""
    approved = one.last("approved")
    day = _date(f"{approved.at.tz_convert(x.terms.reporting_tz):%Y-%m-%d}")
    return {"change_id": one.id, "metric_id": one.fields["metric"], "effective_from": day, "rationale": one.fields["why"], "approved_by": approved.by, "dashboards_updated_at": day,
            "training_at": _date(one.fields.get("training", ""))}


def _together(x: Coded, name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The table of the extract, then the rows of the log."""
    own = pd.DataFrame(rows, columns=[*(column.name for column in schema.TABLES[name].columns), *(_BESIDE if name == "actions" else ())])
    typed = schema.conform(name, own.assign(**{column.name: pd.to_datetime(own[column.name], utc=column.type == "ts").astype(schema.DTYPES[column.type])
                                               for column in schema.TABLES[name].columns if column.type in ("ts", "date")}))
    frame = pd.concat([x.data.table(name), typed], ignore_index=True) if len(x.data.table(name)) else typed
    before = len(frame) - len(own)
    return frame if name != "actions" else frame.assign(**{column: pd.Series([None] * before + own[column].tolist(), dtype="str") for column in _BESIDE})


def _date(text: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(date.fromisoformat(text))
    except ValueError:
        return pd.NaT
