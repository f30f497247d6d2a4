"""Meetings: frozen when they start, stepped from screen to screen, closed with decisions and complete actions, or with the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from revscore.core.units import listed
from revscore.rhythm.actions import Action, Incomplete, actions
from revscore.rhythm.decisions import Decision, decisions
from revscore.rhythm.log import MEETING, Record, new_id, records
from revscore.store import Entry, Overtaken, Store, StoreError


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
    found = records(store.entries(dataset, MEETING, id_))
    if not found:
        raise StoreError("There is no such meeting; open the weekly or monthly review to start one.")
    return _meeting(found[0])


def running(store: Store, dataset: str) -> tuple[Meeting, ...]:
    return tuple(one for one in meetings(store, dataset) if one.running)


def start(store: Store, dataset: str, kind: str, title: str, frozen: Frozen, agenda: tuple[str, ...], by: str, id_: str = "", presenter: str = "") -> Meeting:
    """Raises StoreError while a meeting of that kind is running: join it, or close it first. `presenter`: the seat that presents."""
    other = next((one for one in running(store, dataset) if one.kind == kind), None)
    if other:
        raise StoreError(f"{other.title} has been running since {other.started_at:%d %b %H:%M} UTC, started by {other.started_by}: join it, or close it first.")
    id_ = id_ or new_id()
    store.append(dataset, Entry(MEETING, id_, "started", {"kind": kind, "title": title, "frozen": asdict(frozen), "agenda": list(agenda), "presenter": presenter}, by, 1),
                 Entry(MEETING, id_, "shown", {"screen": agenda[0]}, by))
    return meeting(store, dataset, id_)


def show(store: Store, dataset: str, held: Meeting, screen: str, by: str) -> Meeting:
    """The presenter steps to a screen."""
    if screen not in held.agenda:
        raise ValueError(f"{screen} is not on the agenda")
    _open(store, dataset, held)
    store.append(dataset, Entry(MEETING, held.id, "shown", {"screen": screen}, by))
    return meeting(store, dataset, held.id)


def present(store: Store, dataset: str, held: Meeting, presenter: str, by: str) -> Meeting:
    """Another seat presents from now on: the others follow its steps."""
    _open(store, dataset, held)
    store.append(dataset, Entry(MEETING, held.id, "presents", {"presenter": presenter}, by))
    return meeting(store, dataset, held.id)


def attend(store: Store, dataset: str, held: Meeting, present: Mapping[str, str], by: str) -> Meeting:
    """Who is there, each with the function. What differs from `held` is written: whom others have put down since then stays there."""
    stands = meeting(store, dataset, held.id).present
    kept = {name: function for name, function in stands.items() if name in present or name not in held.present}
    new = {name: function for name, function in present.items() if held.present.get(name) != function}
    store.append(dataset, Entry(MEETING, held.id, "attended", {"present": {**kept, **new}}, by))
    return meeting(store, dataset, held.id)


def note(store: Store, dataset: str, held: Meeting, screen: str, text: str, by: str) -> Meeting:
    """The presenter's note on a screen."""
    store.append(dataset, Entry(MEETING, held.id, "noted", {"screen": screen, "text": text}, by))
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
    return Taken(tuple(one for one in decisions(store, dataset) if one.meeting == held.id), tuple(one for one in actions(store, dataset) if one.meeting == held.id))


def open_ends(found: Taken, reason: str = "") -> tuple[str, ...]:
    """Why a meeting cannot be closed yet, in sentences; nothing when it can."""
    out = [f"The action “{one.title}” lacks {listed(one.lacks)}." for one in found.actions if one.state == "draft"]
    if not found.decisions and not [one for one in found.actions if one.status != "cancelled"] and not reason.strip():
        out.append("Nothing was decided and no action was raised: say why, or decide something.")
    return tuple(out)


def close(store: Store, dataset: str, held: Meeting, by: str, reason: str = "", publication: int = 0, abandoned: bool = False) -> Meeting:
    """End a meeting. Raises Incomplete with what is still open, or when it is abandoned without a `reason`; StoreError when another has closed it already."""
    if abandoned and not reason.strip():
        raise Incomplete("Say why the meeting is abandoned.")
    while True:
        held = _open(store, dataset, held)
        if not abandoned and (ends := open_ends(taken(store, dataset, held), reason)):
            raise Incomplete(" ".join(ends))
        try:
            store.append(dataset, Entry(MEETING, held.id, "closed", {"reason": reason, "publication": publication, "abandoned": abandoned}, by, held.version + 1))
        except Overtaken:
            continue  # somebody stepped on, or closed it, in this moment: look again
        return meeting(store, dataset, held.id)


def _open(store: Store, dataset: str, held: Meeting) -> Meeting:
    now = meeting(store, dataset, held.id)
    if not now.running:
        raise StoreError(f"{now.title} was closed at {now.closed_at:%H:%M} UTC by {now.closed_by}.")
    return now


def _meeting(record: Record) -> Meeting:
    fields, ended = record.fields, record.last("closed")
    notes = {one.fields["screen"]: one.fields["text"] for one in record.entries if one.verb == "noted"}
    frozen = Frozen(**{**fields["frozen"], "loads": tuple(fields["frozen"]["loads"])})
    found = Meeting(record.id, fields["kind"], fields["title"], frozen, tuple(fields["agenda"]), record.raised_at, record.raised_by, fields.get("present", {}),
                    tuple((one.fields["screen"], one.at) for one in record.entries if one.verb == "shown"), notes, presenter=fields.get("presenter", ""), version=record.version)
    return found if ended is None else replace(found, closed_at=ended.at, closed_by=ended.by, reason=fields.get("reason", ""), abandoned=fields.get("abandoned", False),
                                               publication=fields.get("publication", 0))
