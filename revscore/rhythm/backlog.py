"""The backlog: ideas with what they are expected to move, decided by whoever holds the right, published in their order with the reason, and measured.

An idea that waits for its decision is an open decision of the log; deciding on it settles that, so that decision velocity counts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.written import number_from_json
from revscore.people import Actor
from revscore.rhythm import decisions
from revscore.rhythm.actions import Action, Incomplete, listed
from revscore.rhythm.decisions import Decision
from revscore.rhythm.log import IDEA, Record, records
from revscore.rhythm.verdicts import Verdict, judge
from revscore.store import Entry, Store, StoreError

NEXT = "next"  # the record of the published orders
KIND = "backlog"  # of its decisions
_ESTIMATES = ("title", "problem", "number", "baseline", "impact", "confidence", "effort")


class NotYours(StoreError):
    """Somebody else holds the right to decide this; the message says who."""


@dataclass(frozen=True)
class Idea:
    """`number`: what it is to move (as `core.written.number_as_json` writes it), `baseline` its value. `impact`: the expected move in the number's unit, as
    a size; `confidence`: 0 to 1; `effort`: person-days. `why`: it was accepted, declined or withdrawn. `actions`: ids that were linked to it by hand."""

    id: str
    title: str
    problem: str = ""
    number: Mapping[str, Any] | None = None
    baseline: float | None = None
    impact: float | None = None
    confidence: float | None = None
    effort: float | None = None
    status: Literal["proposed", "accepted", "declined", "withdrawn"] = "proposed"
    why: str = ""
    actions: tuple[str, ...] = ()
    proposed_by: str = ""
    proposed_at: pd.Timestamp = pd.NaT
    decided_by: str = ""
    decided_at: pd.Timestamp = pd.NaT
    version: int = 0
    history: tuple[Entry, ...] = ()

    @property
    def asked(self) -> Number:
        """Raises ValueError for a metric that this revscore does not have."""
        return number_from_json(self.number or {"metric": ""})

    @property
    def share(self) -> float:
        """The expected move as a share of the number's value: what makes ideas for different numbers comparable; NaN where either is not known or it is 0."""
        return abs(self.impact / self.baseline) if self.impact is not None and self.baseline else float("nan")

    @property
    def score(self) -> float:
        """Impact (as a share) × confidence ÷ effort, per person-day; NaN while something is missing."""
        return self.share * self.confidence / self.effort if self.confidence is not None and self.effort else float("nan")

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it needs before it can be decided on."""
        found = ["a title"] * (not self.title.strip()) + ["a problem"] * (not self.problem.strip()) + ["the number that it is to move"] * (not self.number)
        found += ["the number's value today"] * (not self.baseline) + ["an expected move"] * (not self.impact)
        found += ["a confidence between 0 and 1"] * (self.confidence is None or not 0 < self.confidence <= 1)
        return (*found, *["an effort in person-days"] * (self.effort is None or not self.effort > 0))

    def linked(self, found: Iterable[Action]) -> tuple[Action, ...]:
        """The actions that carry it out: raised from its decision, or linked to it."""
        return tuple(one for one in found if one.decision == self.id or one.id in self.actions)


@dataclass(frozen=True)
class Place:
    """One place of a published order, as it was published."""

    idea: str
    title: str
    score: float
    why: str


def ideas(store: Store, dataset: str) -> tuple[Idea, ...]:
    """All of them, oldest first."""
    return tuple(_idea(one) for one in records(store.entries(dataset, IDEA)) if one.id != NEXT)


def propose(store: Store, dataset: str, idea: Idea, by: Actor) -> Idea:
    """Write a new idea down, and the question whether to do it. What is not known yet may be estimated later. Raises Incomplete without title or problem."""
    by.demand("backlog.propose")
    if not idea.title.strip() or not idea.problem.strip():
        raise Incomplete("An idea needs a title, and the problem that it solves.")
    _checked(idea)
    return _write(store, dataset, idea.id, Entry(IDEA, idea.id, "proposed", {name: getattr(idea, name) for name in _ESTIMATES}, by.name, 1),
                  decisions.raised(Decision(idea.id, f"Backlog: {idea.title}", kind=KIND), by.name))


def estimate(store: Store, dataset: str, idea: Idea, by: Actor, **fields: Any) -> Idea:
    """Change title, problem, number, baseline, impact, confidence or effort of an idea that is not decided."""
    by.demand("backlog.propose")
    _open(idea)
    if strange := set(fields).difference(_ESTIMATES):
        raise TypeError(f"an idea has no estimate {', '.join(sorted(strange))}")
    _checked(replace(idea, **fields))
    return _write(store, dataset, idea.id, Entry(IDEA, idea.id, "estimated", fields, by.name, idea.version + 1))


def holders(store: Store, dataset: str, idea: Idea) -> tuple[str, ...]:
    """Who holds the right to decide: `decision_rights` of the definitions (function -> one or more people) for the functions that own the number; nobody
    named: anybody may."""
    rights = store.terms(dataset)[0].get("decision_rights") or {}
    found = [rights.get(function, ()) for function in idea.asked.card.owners]
    return tuple(dict.fromkeys(one for names in found for one in ((names,) if isinstance(names, str) else names)))


def decide(store: Store, dataset: str, idea: Idea, by: Actor, accept: bool, why: str, *, meeting: str = "", screen: str = "", receipt: Mapping[str, Any] | None = None) -> Idea:
    """Accept or decline, in the backlog and in the log of decisions, both or neither. Raises Incomplete without a reason or an estimate, NotYours for who
    does not hold the right."""
    by.demand("backlog.decide")
    _open(idea)
    if accept and idea.lacks:
        raise Incomplete(f"The idea “{idea.title}” lacks {listed(idea.lacks)}.")
    if not why.strip():
        raise Incomplete(f"Say why the idea is {'accepted' if accept else 'declined'}.")
    rights = holders(store, dataset, idea) if idea.number else ()
    if rights and by.name not in rights:
        raise NotYours(f"On numbers of {listed(idea.asked.card.owners)} {listed(rights)} decide{'s' if len(rights) == 1 else ''}; ask there, or change the decision rights.")
    status, note = "accepted" if accept else "declined", "" if rights else " (nobody is named to hold this right)"
    question = _question(store, dataset, idea)
    text = replace(question, text=f"{status.capitalize()}: {why}{note}", meeting=meeting, screen=screen, receipt=receipt or {})
    return _write(store, dataset, idea.id, Entry(IDEA, idea.id, status, {"status": status, "why": why}, by.name, idea.version + 1), decisions.decided(text, by.name))


def withdraw(store: Store, dataset: str, idea: Idea, by: Actor, why: str) -> Idea:
    """Take an idea back that is not decided."""
    by.demand("backlog.propose")
    _open(idea)
    return _write(store, dataset, idea.id, Entry(IDEA, idea.id, "withdrawn", {"status": "withdrawn", "why": why}, by.name, idea.version + 1),
                  decisions.withdrawn(_question(store, dataset, idea), by.name, why))


def link(store: Store, dataset: str, idea: Idea, action: str, by: Actor) -> Idea:
    """An action that carries it out, though it was not raised from its decision."""
    by.demand("backlog.propose")
    return _write(store, dataset, idea.id, Entry(IDEA, idea.id, "linked", {"actions": [*dict.fromkeys((*idea.actions, action))]}, by.name, idea.version + 1))


def ranked(found: Iterable[Idea]) -> tuple[Idea, ...]:
    """By score, highest first; of equal ones the older first, those without a score last."""
    return tuple(sorted(found, key=lambda one: (-one.score if one.score == one.score else float("inf"), one.history[0].id)))


def order(found: Iterable[Idea], actions: Sequence[Action] = (), currency: str = "USD") -> tuple[Place, ...]:
    """What is next, and why: the accepted ideas on which nobody works yet, by score."""
    waiting = [one for one in found if one.status == "accepted" and not [a for a in one.linked(actions) if a.status != "cancelled"]]
    return tuple(Place(one.id, one.title, one.score, because(one, currency)) for one in ranked(waiting))


def because(idea: Idea, currency: str = "USD") -> str:
    """The sentence that says why an idea stands where it stands."""
    unit = idea.asked.card.measure(idea.asked.stat).unit
    size = f"{abs(idea.impact) * 100:.1f} points" if unit.kind == "ratio" else units.named(abs(idea.impact), unit, currency)
    return (f"{idea.asked.label}: {size} expected ({idea.share * 100:.0f} % of what it is), {idea.confidence * 100:.0f} % sure, {idea.effort:g} person-day{'' if idea.effort == 1 else 's'}: "
            f"score {idea.score * 100:.2f}. {idea.why}").strip()


def publish(store: Store, dataset: str, places: Sequence[Place], by: Actor) -> tuple[Place, ...]:
    """Keep the order as it is told to everybody."""
    by.demand("backlog.publish")
    store.append(dataset, Entry(IDEA, NEXT, "published", {"order": [{"idea": one.idea, "title": one.title, "score": one.score, "why": one.why} for one in places]}, by.name))
    return tuple(places)


def published(store: Store, dataset: str) -> tuple[tuple[Place, ...], Entry | None]:
    """The order that was published last, with the entry that says when and by whom."""
    last = (store.entries(dataset, IDEA, NEXT) or (None,))[-1]
    return (tuple(Place(**one) for one in last.fields["order"]), last) if last else ((), None)


def measured(x: Coded, idea: Idea, actions: Sequence[Action]) -> tuple[tuple[Action, Verdict], ...]:
    """What became of it: the verdicts on the actions that carry it out."""
    return tuple((one, judge(x, one, actions)) for one in idea.linked(actions))


def _open(idea: Idea) -> None:
    if idea.status != "proposed":
        raise StoreError(f"The idea “{idea.title}” is {idea.status} already.")


def _checked(idea: Idea) -> None:
    """Raises Incomplete for an estimate that cannot be, whatever is still missing."""
    if idea.confidence is not None and not 0 < idea.confidence <= 1:
        raise Incomplete("Confidence is a share: more than 0, at most 1.")
    if idea.effort is not None and not idea.effort > 0:
        raise Incomplete("Effort is in person-days, more than 0.")


def _question(store: Store, dataset: str, idea: Idea) -> Decision:
    return next(one for one in decisions.decisions(store, dataset) if one.id == idea.id)


def _write(store: Store, dataset: str, id_: str, *entries: Entry) -> Idea:
    store.append(dataset, *entries)
    return _idea(records(store.entries(dataset, IDEA, id_))[0])


def _idea(record: Record) -> Idea:
    fields, (decided_by, decided_at) = record.fields, record.told("accepted", "declined")
    return Idea(record.id, **{name: fields.get(name) for name in _ESTIMATES}, status=fields.get("status", "proposed"), why=fields.get("why", ""), actions=tuple(fields.get("actions", ())),
                proposed_by=record.raised_by, proposed_at=record.raised_at, decided_by=decided_by, decided_at=decided_at,
                version=record.version, history=record.entries)
