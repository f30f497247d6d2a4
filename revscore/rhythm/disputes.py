"""Disputes: anyone can dispute a number. The dispute carries the number and its receipt, has an owner and a clock, and shows the value then and now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.receipt import Receipt
from revscore.core.receipt import receipt as receipt_of
from revscore.core.written import number_as_json, number_from_json
from revscore.people import Actor
from revscore.rhythm import exceptions
from revscore.rhythm.actions import Incomplete
from revscore.rhythm.log import EXCEPTION, Record, new_id, records
from revscore.rhythm.triage import DISPUTE
from revscore.store import Entry, Store, StoreError

Answer = Literal["explained", "corrected", "definition"]
ANSWERS: Mapping[str, str] = {"explained": "Explained", "corrected": "Corrected by a load", "definition": "Definition changed"}
CLOCK = 5  # business days in which a dispute is to be answered


@dataclass(frozen=True)
class Dispute:
    """`number`, `receipt`: as `core.written` and `Receipt.as_dict` write them. `function`: owns it; `to`: the person who has it in hand, until `due`.
    `answer`: one of `ANSWERS`, "" while it is open; `load`: the one that corrected it."""

    id: str
    number: Mapping[str, Any]
    receipt: Mapping[str, Any]
    why: str
    function: str
    to: str = ""
    due: str = ""
    answer: str = ""
    text: str = ""
    load: int = 0
    raised_at: pd.Timestamp = pd.NaT
    raised_by: str = ""
    answered_at: pd.Timestamp = pd.NaT
    answered_by: str = ""
    version: int = 0
    history: tuple[Entry, ...] = ()

    @property
    def open(self) -> bool:
        return not self.answer

    @property
    def label(self) -> str:
        return str(self.number.get("label", ""))

    @property
    def then(self) -> Receipt:
        return Receipt.from_dict(self.receipt)

    @property
    def answered(self) -> str:
        """The answer in words: "Corrected by load 4"."""
        return f"Corrected by load {self.load}" if self.answer == "corrected" else ANSWERS.get(self.answer, "")


@dataclass(frozen=True)
class Again:
    """A disputed number asked again: what it is now, and whether the value, or only what stands behind it, has changed. `trouble`: why it cannot be asked."""

    shown: str = ""
    changed: bool = False
    behind: bool = False
    trouble: str = ""

    @property
    def text(self) -> str:
        return self.trouble or ("changed" if self.changed else "the same value from other records" if self.behind else "unchanged")


def disputes(store: Store, dataset: str) -> tuple[Dispute, ...]:
    """All of them, oldest first."""
    return tuple(_dispute(one) for one in records(store.entries(dataset, EXCEPTION)) if one.id.startswith(DISPUTE))


def dispute(store: Store, dataset: str, number: Number, receipt: Receipt, why: str, by: Actor, *, id_: str = "", function: str = "") -> Dispute:
    """Dispute a number as its receipt shows it. `id_`: of the form, so that it is written once (`log.new_id()`); `function`: who owns it, by default the function
    that owns the metric, RevOps without one. Raises Incomplete without a reason."""
    by.demand("dispute.raise")
    if not why.strip():
        raise Incomplete("Say what is wrong with the number, or what you expected.")
    id_ = DISPUTE + (id_ or new_id()).removeprefix(DISPUTE)
    fields = {"kind": "dispute", "number": number_as_json(number), "receipt": receipt.as_dict(), "why": why.strip(), "function": function or next(iter(number.card.owners), "revops")}
    store.append(dataset, Entry(EXCEPTION, id_, "disputed", fields, by.name, 1))
    return _now(store, dataset, id_)


def assign(store: Store, dataset: str, one: Dispute, by: Actor, *, function: str = "", to: str = "", due: str = "") -> Dispute:
    """Give a dispute to a function or a person."""
    by.demand("dispute.answer")
    if not (function or to.strip()):
        raise Incomplete("Say who is to look at it.")
    return _write(store, dataset, one, "assigned", {"function": function or one.function, "to": to.strip(), "due": due}, by.name)


def answer(store: Store, dataset: str, one: Dispute, kind: Answer, text: str, by: Actor, load: int = 0) -> Dispute:
    """Answer a dispute: explained, corrected by a load, or the definition was changed; always in words. Raises Incomplete without them."""
    by.demand("dispute.answer")
    if kind not in ANSWERS:
        raise ValueError(f"“{kind}” is none of {', '.join(ANSWERS)}")
    if not text.strip():
        raise Incomplete("Say in a sentence what was found.")
    if kind == "corrected" and load <= 0:
        raise Incomplete("Name the load that corrected it.")
    if not one.open:
        raise StoreError(f"The dispute about “{one.label}” was answered already; dispute the number again if that does not hold.")
    return _write(store, dataset, one, "answered", {"answer": kind, "text": text.strip(), "load": load if kind == "corrected" else 0}, by.name)


def again(x: Coded, one: Dispute) -> Again:
    """The disputed number under today's extract and definitions, beside what it was."""
    then = one.then
    try:
        now = receipt_of(x, number_from_json(one.number))
    except (KeyError, ValueError, LookupError) as error:
        return Again(trouble=f"It cannot be asked again: {error}")
    same = (np.isnan(then.value) and np.isnan(now.value)) or bool(np.isclose(then.value, now.value, rtol=1e-9, atol=1e-9))
    return Again(now.shown, not same, then.sha256 != now.sha256)


def age(x: Coded, one: Dispute, today: pd.Timestamp) -> int:
    """Business days from when it was raised to its answer, or to `today`."""
    ends = today if one.open else one.answered_at
    raised, until = (x.day(at.value // 1000) for at in (one.raised_at, ends))
    return int(exceptions.business_days(x, np.array([raised]), until)[0])


def _write(store: Store, dataset: str, one: Dispute, verb: str, fields: Mapping[str, Any], by: str) -> Dispute:
    store.append(dataset, Entry(EXCEPTION, one.id, verb, fields, by, one.version + 1))
    return _now(store, dataset, one.id)


def _now(store: Store, dataset: str, id_: str) -> Dispute:
    return next(_dispute(one) for one in records(store.entries(dataset, EXCEPTION, id_)))


def _dispute(record: Record) -> Dispute:
    fields, (answered_by, answered_at) = record.fields, record.told("answered")
    return Dispute(record.id, fields["number"], fields["receipt"], fields["why"], **{name: fields.get(name, "") for name in ("function", "to", "due", "answer", "text")},
                   load=fields.get("load", 0), raised_at=record.raised_at, raised_by=record.raised_by, answered_at=answered_at, answered_by=answered_by,
                   version=record.version, history=record.entries)
