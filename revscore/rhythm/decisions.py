"""Decisions: what was to be decided, what was, by whom, on which state of the numbers; or why nothing was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from revscore.people import Actor
from revscore.rhythm.actions import Incomplete
from revscore.rhythm.log import DECISION, Record, records
from revscore.store import Entry, Store, StoreError


@dataclass(frozen=True)
class Decision:
    """`status`: open (raised, to be decided), decided, none (it was looked at, and nothing was decided: `text` says why), withdrawn. `receipt`: the state
    that it was made on. `version`: what a change must name."""

    id: str
    title: str
    text: str = ""
    status: Literal["open", "decided", "none", "withdrawn"] = "open"
    kind: str = ""  # review that it belongs to: weekly, monthly, triage
    meeting: str = ""
    screen: str = ""
    receipt: Mapping[str, Any] = field(default_factory=dict)
    raised_at: pd.Timestamp = pd.NaT
    raised_by: str = ""
    decided_at: pd.Timestamp = pd.NaT
    decided_by: str = ""
    version: int = 0
    history: tuple[Entry, ...] = ()

    @property
    def settled(self) -> bool:
        return self.status != "open"


def decisions(store: Store, dataset: str) -> tuple[Decision, ...]:
    """All of them, oldest first."""
    return of_entries(store.entries(dataset, DECISION))


def of_entries(entries: Iterable[Entry]) -> tuple[Decision, ...]:
    """The decisions as these entries left them, oldest first."""
    return tuple(_decision(one) for one in records(entries))


def matching(found: tuple[Decision, ...], words: str) -> tuple[Decision, ...]:
    """Those with every one of `words` in their title, text or people, newest first."""
    wanted = words.casefold().split()
    return tuple(one for one in reversed(found) if all(word in " ".join((one.title, one.text, one.kind, one.raised_by, one.decided_by)).casefold() for word in wanted))


def raise_decision(store: Store, dataset: str, decision: Decision, by: Actor) -> Decision:
    """Put a question on the list: what has to be decided. Raises Incomplete without a title."""
    by.demand("decision.raise")
    return _write(store, dataset, raised(decision, by.name))


def decide(store: Store, dataset: str, decision: Decision, by: Actor) -> Decision:
    """Write down what was decided (`text`), or with status "none" why nothing was. A decision that was not raised before is raised with it."""
    by.demand("decision.decide")
    return _write(store, dataset, decided(decision, by.name))


def withdraw(store: Store, dataset: str, decision: Decision, by: Actor, why: str) -> Decision:
    by.demand("decision.withdraw")
    return _write(store, dataset, withdrawn(decision, by.name, why))


def raised(decision: Decision, by: str) -> Entry:
    """The entry that `raise_decision` writes."""
    if not decision.title.strip():
        raise Incomplete("Say what is to be decided.")
    return _entry(decision, "raised", {"status": "open"}, by, 1)


def decided(decision: Decision, by: str) -> Entry:
    """The entry that `decide` writes."""
    if not decision.title.strip():
        raise Incomplete("Say what was decided on.")
    if not decision.text.strip():
        raise Incomplete("Say why nothing was decided." if decision.status == "none" else "Say what was decided.")
    if decision.version and decision.settled and decision.status != "none":
        raise StoreError(f"“{decision.title}” is {decision.status} already.")
    status = "none" if decision.status == "none" else "decided"
    return _entry(decision, "not decided" if status == "none" else "decided", {"status": status}, by, decision.version + 1)


def withdrawn(decision: Decision, by: str, why: str) -> Entry:
    """The entry that `withdraw` writes. Raises Incomplete without a reason."""
    if not why.strip():
        raise Incomplete("Say why it is withdrawn.")
    return Entry(DECISION, decision.id, "withdrawn", {"status": "withdrawn", "text": why}, by, decision.version + 1)


def _entry(decision: Decision, verb: str, fields: Mapping[str, Any], by: str, version: int) -> Entry:
    own = {"title": decision.title, "text": decision.text, "kind": decision.kind, "meeting": decision.meeting, "screen": decision.screen, "receipt": dict(decision.receipt)}
    return Entry(DECISION, decision.id, verb, {**own, **fields}, by, version)


def _write(store: Store, dataset: str, entry: Entry) -> Decision:
    store.append(dataset, entry)
    return _now(store, dataset, entry.record)


def _now(store: Store, dataset: str, id_: str) -> Decision:
    return next(_decision(one) for one in records(store.entries(dataset, DECISION, id_)))


def _decision(record: Record) -> Decision:
    fields, (decided_by, decided_at) = record.fields, record.told("decided", "not decided")
    return Decision(record.id, **{name: fields.get(name, "") for name in ("title", "text", "kind", "meeting", "screen")}, status=fields.get("status", "open"),
                    receipt=fields.get("receipt", {}), raised_at=record.raised_at, raised_by=record.raised_by, decided_at=decided_at,
                    decided_by=decided_by, version=record.version, history=record.entries)
