"""Meetings: frozen when they start, stepped from screen to screen, closed with decisions and complete actions, or with the reason why there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from revscore.core.units import listed
from revscore.people import Actor
from revscore.rhythm.actions import Action, Incomplete, actions
from revscore.rhythm.actions import of_entries as raised
from revscore.rhythm.decisions import Decision, decisions
from revscore.rhythm.decisions import of_entries as decided
from revscore.rhythm.log import ACTION, DECISION, MEETING, Record, new_id, records
from revscore.store import Entry, Store, StoreError, Writer


@dataclass(frozen=True)
class Frozen:
    """What everyone in a meeting looks at, whatever is loaded meanwhile: exactly these loads under this version of the definitions, and one view.

    as_of: ISO instant; view: as `core.written.view_as_json` writes it; period_name: as the reader chose it; log: the last entry of the team's log that counted
    """

    loads: tuple[int, ...]
    as_of: str
    definitions: int
    digest: str
    view: Mapping[str, Any]
    period_name: str
    log: int = 0


@dataclass(frozen=True)
class Meeting:
    """`kind`: weekly, monthly or triage. `agenda`: ids of its screens. `present`: name -> function. `shown`: (screen, instant) in order. `notes`: of the
    presenter, by screen. `presenter`: the seat whose steps the others follow. `reason`: why nothing was decided, or why it was abandoned. `publication`: what
    closing it published."""

    id: str
    kind: str
    title: str
    frozen: Frozen
    agenda: tuple[str, ...]
    started_at: pd.Timestamp
    started_by: str
    present: Mapping[str, str]
    shown: tuple[tuple[str, pd.Timestamp], ...]
    notes: Mapping[str, str]
    closed_at: pd.Timestamp = pd.NaT
    closed_by: str = ""
    reason: str = ""
    abandoned: bool = False
    publication: int = 0
    presenter: str = ""
    version: int = 0

    @property
    def running(self) -> bool:
        return pd.isna(self.closed_at)

    @property
    def screen(self) -> str:
        """What is being shown."""
        return self.shown[-1][0] if self.shown else self.agenda[0]

    def minutes(self, until: pd.Timestamp | None = None) -> dict[str, float]:
        """Minutes that each screen has been shown, up to `until` or the end of the meeting."""
        end = until if self.running else self.closed_at
        ends = [at for _, at in self.shown[1:]] + [end or (self.shown[-1][1] if self.shown else self.started_at)]
        out = dict.fromkeys(self.agenda, 0.0)
        for (screen, at), after in zip(self.shown, ends, strict=False):
            out[screen] = out.get(screen, 0.0) + max((after - at) / pd.Timedelta(minutes=1), 0.0)
        return out


def meetings(store: Store, dataset: str) -> tuple[Meeting, ...]:
    """All of them, newest first."""
    return tuple(_meeting(one) for one in reversed(records(store.entries(dataset, MEETING))))


def meeting(store: Store, dataset: str, id_: str) -> Meeting:
    """Raises StoreError when there is none."""
    return _found(store.entries(dataset, MEETING, id_))


def running(store: Store, dataset: str) -> tuple[Meeting, ...]:
    return tuple(one for one in meetings(store, dataset) if one.running)


def start(store: Store, dataset: str, kind: str, title: str, frozen: Frozen, agenda: tuple[str, ...], by: Actor, id_: str = "", presenter: str = "") -> Meeting:
    """Raises StoreError while a meeting of that kind is running: join it, or close it first. `presenter`: the seat that presents."""
    by.demand("meeting.start")
    id_ = id_ or new_id()
    with store.together() as one:  # of two who start at once, one does
        other = next((held for record in records(one.entries(dataset, MEETING)) if (held := _meeting(record)).running and held.kind == kind), None)
        if other:
            raise StoreError(f"{other.title} has been running since {other.started_at:%d %b %H:%M} UTC, started by {other.started_by}: join it, or close it first.")
        one.append(dataset, Entry(MEETING, id_, "started", {"kind": kind, "title": title, "frozen": asdict(frozen), "agenda": list(agenda), "presenter": presenter}, by.name, 1),
                   Entry(MEETING, id_, "shown", {"screen": agenda[0]}, by.name))
    return meeting(store, dataset, id_)


def show(store: Store, dataset: str, held: Meeting, screen: str, by: Actor) -> Meeting:
    """The presenter steps to a screen."""
    by.demand("meeting.run")
    if screen not in held.agenda:
        raise ValueError(f"{screen} is not on the agenda")
    return _step(store, dataset, held, "shown", {"screen": screen}, by.name)


def present(store: Store, dataset: str, held: Meeting, presenter: str, by: Actor) -> Meeting:
    """Another seat presents from now on: the others follow its steps."""
    by.demand("meeting.run")
    return _step(store, dataset, held, "presents", {"presenter": presenter}, by.name)


def attend(store: Store, dataset: str, held: Meeting, present: Mapping[str, str], by: Actor) -> Meeting:
    """Who is there, each with the function. What differs from `held` is written: whom others have put down since then stays there."""
    by.demand("meeting.attend")
    with store.together() as one:
        stands = _found(one.entries(dataset, MEETING, held.id)).present
        kept = {name: function for name, function in stands.items() if name in present or name not in held.present}
        new = {name: function for name, function in present.items() if held.present.get(name) != function}
        one.append(dataset, Entry(MEETING, held.id, "attended", {"present": {**kept, **new}}, by.name))
    return meeting(store, dataset, held.id)


def note(store: Store, dataset: str, held: Meeting, screen: str, text: str, by: Actor) -> Meeting:
    """The presenter's note on a screen."""
    by.demand("meeting.note")
    store.append(dataset, Entry(MEETING, held.id, "noted", {"screen": screen, "text": text}, by.name))
    return meeting(store, dataset, held.id)


@dataclass(frozen=True)
class Taken:
    """What came out of a meeting."""

    decisions: tuple[Decision, ...]
    actions: tuple[Action, ...]

    @property
    def decided(self) -> tuple[Decision, ...]:
        return tuple(one for one in self.decisions if one.status == "decided")


def taken(store: Store, dataset: str, held: Meeting) -> Taken:
    return _taken(decisions(store, dataset), actions(store, dataset), held)


def _taken(decisions: Iterable[Decision], actions: Iterable[Action], held: Meeting) -> Taken:
    return Taken(tuple(one for one in decisions if one.meeting == held.id), tuple(one for one in actions if one.meeting == held.id))


def open_ends(found: Taken, reason: str = "") -> tuple[str, ...]:
    """Why a meeting cannot be closed yet, in sentences; nothing when it can."""
    out = [f"The action “{one.title}” lacks {listed(one.lacks)}." for one in found.actions if one.state == "draft"]
    if not found.decisions and not [one for one in found.actions if one.status != "cancelled"] and not reason.strip():
        out.append("Nothing was decided and no action was raised: say why, or decide something.")
    return tuple(out)


def must_run(store: Store, dataset: str, held: Meeting) -> None:
    """Raises StoreError when somebody has closed it already: to be told before what takes time is done. `close` looks again, inside its write."""
    _open(store.entries(dataset, MEETING, held.id))


def close(store: Store, dataset: str, held: Meeting, by: Actor, reason: str = "", abandoned: bool = False, publish: Callable[[Writer], int] | None = None) -> Meeting:
    """End a meeting, in one write with what it publishes (`publish` gives the publication's id): both are there, or neither.

    Raises Incomplete with what is still open, or when it is abandoned without a `reason`; StoreError when another has closed it already.
    """
    by.demand("meeting.close")
    if abandoned and not reason.strip():
        raise Incomplete("Say why the meeting is abandoned.")
    with store.together() as one:
        _open(one.entries(dataset, MEETING, held.id))
        found = _taken(decided(one.entries(dataset, DECISION)), raised(one.entries(dataset, ACTION)), held)
        if not abandoned and (ends := open_ends(found, reason)):
            raise Incomplete(" ".join(ends))
        publication = publish(one) if publish else 0
        one.append(dataset, Entry(MEETING, held.id, "closed", {"reason": reason, "publication": publication, "abandoned": abandoned}, by.name))
    return meeting(store, dataset, held.id)


def _step(store: Store, dataset: str, held: Meeting, verb: str, fields: Mapping[str, Any], by: str) -> Meeting:
    """What only happens while it runs."""
    with store.together() as one:
        _open(one.entries(dataset, MEETING, held.id))
        one.append(dataset, Entry(MEETING, held.id, verb, fields, by))
    return meeting(store, dataset, held.id)


def _open(entries: Sequence[Entry]) -> None:
    now = _found(entries)
    if not now.running:
        raise StoreError(f"{now.title} was closed at {now.closed_at:%H:%M} UTC by {now.closed_by}.")


def _found(entries: Sequence[Entry]) -> Meeting:
    if not entries:
        raise StoreError("There is no such meeting; open the weekly or monthly review to start one.")
    return _meeting(records(entries)[0])


def _meeting(record: Record) -> Meeting:
    fields, ended = record.fields, record.last("closed")
    notes = {one.fields["screen"]: one.fields["text"] for one in record.entries if one.verb == "noted"}
    frozen = Frozen(**{**fields["frozen"], "loads": tuple(fields["frozen"]["loads"])})
    found = Meeting(record.id, fields["kind"], fields["title"], frozen, tuple(fields["agenda"]), record.raised_at, record.raised_by, fields.get("present", {}),
                    tuple((one.fields["screen"], one.at) for one in record.entries if one.verb == "shown"), notes, presenter=fields.get("presenter", ""), version=record.version)
    return found if ended is None else replace(found, closed_at=ended.at, closed_by=ended.by, reason=fields.get("reason", ""), abandoned=fields.get("abandoned", False),
                                               publication=fields.get("publication", 0))
