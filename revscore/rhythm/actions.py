"""Actions: who does what until when, and the number that shows whether it worked.

An action without owner, deadline or measure of success is a draft: it can be written down in a meeting, which cannot be closed before it is complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Literal

import pandas as pd

from revscore.core.made import Number
from revscore.core.metric import FUNCTIONS, Better
from revscore.core.units import listed
from revscore.core.written import number_from_json
from revscore.people import Actor
from revscore.rhythm.log import ACTION, Record, records
from revscore.store import Entry, Store, StoreError

State = Literal["draft", "open", "done", "cancelled"]


class Incomplete(StoreError):
    """What was written down lacks something; the message says what."""


@dataclass(frozen=True)
class Success:
    """What must move for an action to have worked.

    number   : the number (as `core.written.number_as_json` writes it): metric, segment and the period of the baseline
    baseline : its value when the action was raised, with numerator `x` and denominator or records `n` (None: not known)
    direction: "up" or "down"
    size     : the smallest change that matters, in the number's own unit (a share: 0.05 for five points)
    check_on : ISO date on which it is judged
    receipt  : of the baseline
    """

    number: Mapping[str, Any]
    baseline: float | None
    x: float | None
    n: float | None
    direction: str
    size: float | None
    check_on: str
    receipt: Mapping[str, Any]

    @property
    def asked(self) -> Number:
        """Raises ValueError for a metric that this revscore does not have."""
        return number_from_json(self.number)


@dataclass(frozen=True)
class Action:
    """`due`: ISO date, "" without. `meeting`, `screen`, `decision`: where it comes from, "" without. `version`: what a change must name."""

    id: str
    title: str
    owner: str = ""
    function: str = ""
    due: str = ""
    success: Success | None = None
    meeting: str = ""
    screen: str = ""
    decision: str = ""
    note: str = ""
    status: Literal["open", "done", "cancelled"] = "open"
    done_at: pd.Timestamp = pd.NaT
    why: str = ""  # it was cancelled
    raised_at: pd.Timestamp = pd.NaT
    raised_by: str = ""
    version: int = 0
    history: tuple[Entry, ...] = ()

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it needs to be more than a wish."""
        found = ["a title"] * (not self.title.strip()) + ["an owner"] * (not self.owner.strip()) + ["a function"] * (self.function not in FUNCTIONS)
        found += ["a deadline"] * (not _is_date(self.due))
        if self.success is None:
            return (*found, "a measure of success (which number, from where to where, checked when)")
        one = self.success
        found += ["a baseline"] * (one.baseline is None) + ["a direction"] * (one.direction not in ("up", "down"))
        found += ["the smallest change that matters"] * (not one.size or one.size < 0) + ["a check date"] * (not _is_date(one.check_on))
        return tuple(found)

    @property
    def state(self) -> State:
        return "draft" if self.status == "open" and self.lacks else self.status

    def overdue(self, today: date) -> bool:
        return self.status == "open" and _is_date(self.due) and date.fromisoformat(self.due) < today


def actions(store: Store, dataset: str) -> tuple[Action, ...]:
    """All of them, oldest first."""
    return of_entries(store.entries(dataset, ACTION))


def of_entries(entries: Iterable[Entry]) -> tuple[Action, ...]:
    """The actions as these entries left them, oldest first."""
    return tuple(_action(one) for one in records(entries))


def raise_action(store: Store, dataset: str, action: Action, by: Actor, *, draft: bool = False) -> Action:
    """Write a new action down. Raises Incomplete unless it is complete or a `draft`; Overtaken when it is written already."""
    by.demand("action.raise")
    if not action.title.strip():
        raise Incomplete("An action needs a title: what is to be done.")
    if action.lacks and not draft:
        raise Incomplete(f"The action “{action.title}” lacks {listed(action.lacks)}.")
    _later(action)
    return _write(store, dataset, action, "raised", _fields(action), by.name, 1)


def change(store: Store, dataset: str, action: Action, by: Actor, **fields: Any) -> Action:
    """Change fields of an open action (title, owner, function, due, success, note). A complete one stays complete: raises Incomplete otherwise."""
    by.demand("action.change")
    new = replace(action, **fields)
    if new.lacks and not action.lacks:
        raise Incomplete(f"The action “{action.title}” would lack {listed(new.lacks)}.")
    if action.status != "open":
        raise StoreError(f"The action “{action.title}” is {action.status}; open it again to change it.")
    if new.success != action.success:
        _later(new)
    before = _fields(action)
    return _write(store, dataset, action, "changed", {name: value for name, value in _fields(new).items() if before[name] != value}, by.name, action.version + 1)


def complete(store: Store, dataset: str, action: Action, by: Actor, note: str = "") -> Action:
    """It is done. Raises Incomplete for a draft: what has no measure of success cannot be said to have worked."""
    by.demand("action.change")
    if action.status != "open":
        raise StoreError(f"The action “{action.title}” is {action.status} already.")
    if action.lacks:
        raise Incomplete(f"The action “{action.title}” lacks {listed(action.lacks)}: complete it first, or give it up.")
    return _write(store, dataset, action, "done", {"status": "done", "note": note or action.note}, by.name, action.version + 1)


def cancel(store: Store, dataset: str, action: Action, by: Actor, why: str) -> Action:
    """Raises Incomplete without a reason."""
    by.demand("action.change")
    if not why.strip():
        raise Incomplete("Say why the action is given up.")
    return _write(store, dataset, action, "cancelled", {"status": "cancelled", "why": why}, by.name, action.version + 1)


def reopen(store: Store, dataset: str, action: Action, by: Actor, why: str) -> Action:
    by.demand("action.change")
    if not why.strip():
        raise Incomplete("Say why the action is opened again.")
    return _write(store, dataset, action, "reopened", {"status": "open", "why": why}, by.name, action.version + 1)


def _later(action: Action) -> None:
    """Raises StoreError when it would be checked before anything can have come of it: on the day of its baseline, or earlier."""
    since = str(action.success.receipt.get("as_of", ""))[:10] if action.success else ""
    if since and _is_date(action.success.check_on) and action.success.check_on <= since:
        raise StoreError(f"The action “{action.title}” cannot be checked on {action.success.check_on}: its baseline is of {since}, choose a later day.")


def direction_of(number: Number) -> str:
    """The way that is good for a metric; "" where its card does not say."""
    return {Better.UP: "up", Better.DOWN: "down"}.get(number.card.better, "")


def _write(store: Store, dataset: str, action: Action, verb: str, fields: Mapping[str, Any], by: str, version: int) -> Action:
    store.append(dataset, Entry(ACTION, action.id, verb, fields, by, version))
    return next(_action(one) for one in records(store.entries(dataset, ACTION, action.id)))


def _fields(action: Action) -> dict[str, Any]:
    names = ("title", "owner", "function", "due", "meeting", "screen", "decision", "note")
    return {**{name: getattr(action, name) for name in names}, "success": action.success and asdict(action.success)}


def _action(record: Record) -> Action:
    fields, done = record.fields, record.last("done", "reopened")
    success = fields.get("success")
    return Action(record.id, **{name: fields.get(name, "") for name in ("title", "owner", "function", "due", "meeting", "screen", "decision", "note", "why")},
                  success=Success(**success) if success else None, status=fields.get("status", "open"), done_at=done.at if done and done.verb == "done" else pd.NaT,
                  raised_at=record.raised_at, raised_by=record.raised_by, version=record.version, history=record.entries)


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False
