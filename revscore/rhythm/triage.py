"""Triage: what the team does about exceptions. Assigned to somebody until a day, put right with a note, or accepted with the reason; nothing is hidden.

An exception is its detector's finding beside what the log says of the same key. Found again in a later load after it was put right, it is open
again by itself, and counts how often it came back. What is an event of one moment (a skipped stage) comes back only when it happens again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd

from revscore.core.coded import Coded
from revscore.core.control import xmr
from revscore.core.signals import NEWS, WEEKS, Control, read
from revscore.core.view import View
from revscore.people import Actor
from revscore.rhythm import exceptions
from revscore.rhythm.actions import Incomplete
from revscore.rhythm.log import EXCEPTION, Record, records
from revscore.store import Entry, Store

Status = Literal["new", "assigned", "back", "resolved", "accepted"]
OPEN: tuple[Status, ...] = ("new", "assigned", "back")
DISPUTE = "dispute|"  # the record ids of disputed numbers begin with this: they are exceptions of their own kind (`rhythm.disputes`)


@dataclass(frozen=True)
class Handled:
    """What the log says of one exception. `load`: the newest load behind what was resolved or accepted; `since`, `what`: how it stood then; `times`: how
    often it was put right."""

    key: str
    name: str
    kind: str
    status: Status
    to: str = ""
    due: str = ""
    note: str = ""
    by: str = ""
    at: pd.Timestamp = pd.NaT
    load: int = 0
    since: str = ""
    what: str = ""
    times: int = 0
    version: int = 0
    history: tuple[Entry, ...] = ()


def handled(store: Store, dataset: str) -> dict[str, Handled]:
    """By key, every exception that somebody has done something about."""
    return {one.id: _handled(one) for one in records(store.entries(dataset, EXCEPTION)) if not one.id.startswith(DISPUTE)}


def triaged(x: Coded, view: View, log: Mapping[str, Handled], today: date) -> pd.DataFrame:
    """The exceptions to be taken up, and older ones that somebody has in hand, with what the log says: status, to, due, overdue, note, by, came_back (how often
    it was found again after it was put right), version; beside the columns of `exceptions.every`."""
    found = exceptions.every(x)
    keep = found["listed"]
    if in_hand := [key for key, one in log.items() if one.status == "assigned"]:
        keep = keep | (found["key"].isin(in_hand) & found["newest"] & found["is_open"])
    return beside(exceptions.chosen(x, found[keep], view).reset_index(drop=True), x, log, today)


def beside(found: pd.DataFrame, x: Coded, log: Mapping[str, Handled], today: date) -> pd.DataFrame:
    """Rows of `exceptions.every` with the columns that `triaged` adds."""
    if not log:
        return found.assign(status="new", to="", due="", overdue=False, note="", by="", came_back=0, version=0)
    known = pd.DataFrame([(one.status, one.to, one.due, one.note, one.by, one.load, one.since, one.what, one.times, one.version) for one in log.values()], index=list(log),
                         columns=["status", "to", "due", "note", "by", "load", "before", "was", "times", "version"])
    said = known.reindex(found["key"]).reset_index(drop=True)
    done = said["status"].isin(("resolved", "accepted")).to_numpy()
    happens = found["kind"].map({kind.id: kind.happens for kind in exceptions.KINDS}).to_numpy(dtype=bool)
    anew = found["since"].dt.strftime(_INSTANT) > said["before"].fillna("")
    later = max(x.data.stand.loads, default=0) > said["load"].fillna(0)
    still = np.where(said["status"] == "resolved", later, found["what"] != said["was"])
    back = done & np.where(happens, anew, still)
    status = np.where(back, "back", said["status"].fillna("new"))
    waiting = status == "resolved"
    out = found.assign(status=status, **{name: said[name].fillna("") for name in ("to", "due", "note", "by")}, version=said["version"].fillna(0).astype("int64"),
                       came_back=np.maximum(said["times"].fillna(0).astype("int64") - waiting, 0))
    return out.assign(overdue=(out["status"] == "assigned") & (out["due"] != "") & (out["due"] < today.isoformat()))


_INSTANT = "%Y-%m-%dT%H:%M:%S"


def put_right(x: Coded, log: Mapping[str, Handled]) -> tuple[Handled, ...]:
    """What somebody had in hand and no detector finds any more: done, without another word."""
    found = set(exceptions.every(x)["key"][exceptions.every(x)["is_open"]].tolist())
    return tuple(one for one in log.values() if one.status == "assigned" and one.key not in found)


def control(x: Coded, view: View, team: str) -> Control:
    """The control chart of the weekly counts of one team ("" all)."""
    frame = exceptions.weekly(x, view)
    frame = frame[frame["team"] == team] if team else frame
    if not len(frame):
        return Control()
    last = int(x.terms.calendar.codes(np.array([x.as_of_day]), "week")[0]) - 1
    weeks = np.arange(max(int(frame["week"].min()), last - WEEKS + 1), last + 1)
    if not len(weeks):
        return Control()
    values = frame.groupby("week")["value"].sum().reindex(weeks, fill_value=0).to_numpy(dtype=float)
    seen = Control("few", starts=np.array([x.terms.calendar.start(int(code), "week") for code in weeks]), numerator=np.full(len(weeks), np.nan), n_of=values, chart=xmr(values, x.terms.stats))
    return seen if len(weeks) < x.terms.stats.spc_baseline_points + NEWS else read(seen)


# -- what is done about them ---------------------------------------------------------------------------------------------------------------

def assign(store: Store, dataset: str, x: Coded, rows: pd.DataFrame, to: str, due: str, by: Actor, note: str = "") -> None:
    """Give exceptions (rows of `triaged`) to somebody until an ISO date. Raises Incomplete without either, Overtaken when another one was faster."""
    by.demand("triage")
    if not to.strip():
        raise Incomplete("Say who is to put it right.")
    try:
        date.fromisoformat(due)
    except ValueError as error:
        raise Incomplete("Say by which day it is to be put right.") from error
    _write(store, dataset, x, rows, "assigned", {"status": "assigned", "to": to.strip(), "due": due, "note": note.strip()}, by.name)


def resolve(store: Store, dataset: str, x: Coded, rows: pd.DataFrame, note: str, by: Actor) -> None:
    """Put right: with a note on what was done. The next load shows whether it holds."""
    by.demand("triage")
    if not note.strip():
        raise Incomplete("Say what was done about it.")
    _write(store, dataset, x, rows, "resolved", {"status": "resolved", "note": note.strip()}, by.name)


def accept(store: Store, dataset: str, x: Coded, rows: pd.DataFrame, why: str, by: Actor) -> None:
    """Fine as it is, because …: it stays on the list of what was accepted, with the reason."""
    by.demand("triage")
    if not why.strip():
        raise Incomplete("Say why it is fine as it is.")
    _write(store, dataset, x, rows, "accepted", {"status": "accepted", "note": why.strip()}, by.name)


def reopen(store: Store, dataset: str, x: Coded, rows: pd.DataFrame, by: Actor, why: str = "") -> None:
    """Take back that it was put right or accepted."""
    by.demand("triage")
    _write(store, dataset, x, rows, "reopened", {"status": "new", "note": why.strip()}, by.name)


def _write(store: Store, dataset: str, x: Coded, rows: pd.DataFrame, verb: str, fields: Mapping[str, Any], by: str) -> None:
    if not len(rows):
        raise Incomplete("Choose at least one exception.")
    load, since = max(x.data.stand.loads, default=0), rows["since"].dt.strftime(_INSTANT).fillna("")
    columns = (rows[name] for name in ("key", "kind", "type", "id", "name", "what", "version"))
    store.append(dataset, *(Entry(EXCEPTION, key, verb, {**fields, "kind": kind, "type": type_, "id": id_, "name": name, "what": what, "since": when, "load": load}, by, version + 1)
                            for key, kind, type_, id_, name, what, version, when in zip(*columns, since, strict=True)))


def _handled(record: Record) -> Handled:
    fields, last = record.fields, record.entries[-1]
    return Handled(record.id, **{name: fields.get(name, "") for name in ("name", "kind", "to", "due", "note", "since", "what")}, status=fields.get("status", "new"), by=last.by, at=last.at,
                   load=fields.get("load", 0), times=sum(one.verb == "resolved" for one in record.entries), version=record.version, history=record.entries)


# -- what they add up to -------------------------------------------------------------------------------------------------------------------

def by_kind(frame: pd.DataFrame) -> pd.DataFrame:
    """Open exceptions by kind, in the order of the triage: kind, label, open, old (more than `OLD` business days), oldest, in_hand, overdue, back, most (the function with most)."""
    still = frame[frame["status"].isin(OPEN)]
    rows = []
    for kind in exceptions.KINDS:
        own = still[still["kind"] == kind.id]
        if len(own):
            rows.append({"kind": kind.id, "label": kind.label, **_counts(own), "most": exceptions.FUNCTION_NAMES.get(own["function"].mode().iloc[0], own["function"].mode().iloc[0])})
    return pd.DataFrame(rows, columns=["kind", "label", *_COUNTS, "most"])


def by_team(frame: pd.DataFrame, column: str = "team") -> pd.DataFrame:
    """Open exceptions by team (or another column), most first: team, and the counts of `by_kind`."""
    still = frame[frame["status"].isin(OPEN)]
    rows = [{column: name, **_counts(own)} for name, own in still.groupby(column, sort=True)]
    return pd.DataFrame(rows, columns=[column, *_COUNTS]).sort_values(["open", column], ascending=[False, True], kind="stable").reset_index(drop=True)


_COUNTS = ("open", "old", "oldest", "in_hand", "overdue", "back")


def _counts(own: pd.DataFrame) -> dict[str, int]:
    return {"open": len(own), "old": int((own["age"] > exceptions.OLD).sum()), "oldest": int(own["age"].max()), "in_hand": int((own["status"] == "assigned").sum()),
            "overdue": int(own["overdue"].sum()), "back": int((own["status"] == "back").sum() + ((own["status"] == "assigned") & (own["came_back"] > 0)).sum())}
