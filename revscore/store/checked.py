"""Is the store as its acts say? Names every kind of tampering with the audit log, the rows, their content and the guards, and stops at none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, LargeBinary, MetaData, Table, Text, cast, select
from sqlalchemy.exc import DatabaseError

from revscore.store import append_only, audit, publications
from revscore.store import tables as t
from revscore.store.audit import Anchor

KINDS = ("act changed", "act removed", "act inserted", "acts reordered", "end cut off", "chain rewritten", "row changed", "row removed", "row added", "content changed",
         "publication changed", "guard dropped")
_NEAR = 64  # acts that were renumbered are looked for this far away


@dataclass(frozen=True)
class Tampering:
    """Something that does not fit: one of `KINDS`, and what exactly, in a sentence."""

    kind: str
    what: str


def tampering(connection: Connection, anchors: Sequence[Anchor] = ()) -> Iterator[Tampering]:
    """All that does not fit in a store; `anchors` that were noted elsewhere must be acts of its chain. Works on every schema that has an audit log."""
    acts = every_act(connection)
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in t.metadata.tables)
    yield from chain(acts)
    yield from held(acts, anchors)
    yield from rows(connection, acts, {name: table for name, table in found.tables.items() if name not in (t.audit.name, *audit.SEALED)})
    yield from _contents(connection)
    yield from _publications(connection)
    for table in found.tables:
        for name in append_only.missing(connection, table):
            yield Tampering("guard dropped", f"the guard {name} of the table {table} is gone, was changed or is switched off: rows could be changed unseen by the database")
        for name in append_only.foreign(connection, table):
            yield Tampering("guard dropped", f"the trigger {name} of the table {table} is none of revscore's: it can change what is written")


@dataclass(frozen=True)
class Act:
    """An act as it is kept now, whatever was made of it."""

    seq: int
    at: str
    actor: Any
    action: Any
    body: Any
    prev: Any
    hash: Any


def every_act(connection: Connection) -> list[Act]:
    """The chain in the order of its numbers. A body or an instant that is none any more is taken as the text that it is."""
    if connection.dialect.name == "sqlite":  # which takes anything for anything: bytes that are no text as well
        columns = [cast(t.audit.c[name], LargeBinary) for name in ("at", "actor", "action", "body", "prev", "hash")]
    else:
        columns = [t.audit.c.at, t.audit.c.actor, t.audit.c.action, cast(t.audit.c.body, Text), t.audit.c.prev, t.audit.c.hash]
    found = ([one.decode(errors="replace") if isinstance(one, bytes) else one for one in row] for row in connection.execute(select(t.audit.c.seq, *columns).order_by(t.audit.c.seq)))
    return [Act(seq, _instant(at), actor, action, _parsed(body), prev, hash_) for seq, at, actor, action, body, prev, hash_ in found]


def _instant(at: Any) -> str:
    try:
        return audit.moment(at if isinstance(at, datetime) else datetime.fromisoformat(at))
    except (TypeError, ValueError):
        return str(at)


def _parsed(body: Any) -> Any:
    try:
        return json.loads(body)
    except (TypeError, ValueError):
        return body


def content(connection: Connection) -> str:
    """One hash of all rows of all tables but the audit log, which grows by itself: equal on every engine for equal content."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in t.metadata.tables and name != t.audit.name)
    lines = sorted(f"{name} {key} {digest}\n" for table in found.sorted_tables for name, key, digest in audit.digests(connection, table))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def chain(acts: Sequence[Act]) -> Iterator[Tampering]:
    """What does not fit in the chain itself."""
    if not acts:
        yield Tampering("act removed", "there is no act at all: the audit log was emptied")
        return
    by_hash = {act.hash: act.seq for act in acts}
    shift = {act.seq: moved for act in acts if (moved := _shift(act)) != 0}  # by how much an act was renumbered; None: its hash fits under no number
    inserted = set()
    runs = [(by, [seq for seq, _ in run]) for by, run in groupby(shift.items(), key=lambda one: one[1]) if by is not None]
    if any(by > 0 for by, _ in runs) and any(by < 0 for by, _ in runs):
        yield Tampering("acts reordered", f"acts {_list([seq for _, run in runs for seq in run])} are not in the order in which they happened")
    else:
        for by, run in runs:
            if by > 0:
                inserted |= set(range(run[0] - by, run[0]))
                yield Tampering("act inserted", f"{'acts' if by > 1 else 'act'} {_list(range(run[0] - by, run[0]))} came in later: the acts from {run[0]} on had lower numbers")
            else:
                yield Tampering("act removed", f"{-by:,} of the acts before act {run[0]} {'are' if by < -1 else 'is'} gone: the acts from there on had higher numbers")
    for act in acts:
        if shift.get(act.seq, 0) is None and act.seq not in inserted:
            yield Tampering("act changed", f"act {act.seq} ({act.action}, {act.at}, by {act.actor}) is not what was noted: its hash does not fit")
    last, prev = 0, ""
    for act in acts:
        if act.seq != last + 1:
            yield Tampering("act removed", f"acts {_list(range(last + 1, act.seq))} are gone" if act.seq > last else f"act {act.seq} has a number that no act has")
        elif act.prev != prev and not {act.seq, act.seq - 1} & (shift.keys() | inserted):
            if by_hash.get(act.prev) == act.seq - 2 or (act.seq == 2 and act.prev == ""):
                yield Tampering("act inserted", f"act {act.seq - 1} came in later: act {act.seq} follows the one before it")
            elif act.prev in by_hash:
                yield Tampering("acts reordered", f"act {act.seq} follows act {by_hash[act.prev]}, not act {act.seq - 1}")
            else:
                yield Tampering("act changed", f"act {act.seq} does not follow act {act.seq - 1}: that one was changed and its hash made anew, or what was between them is gone")
        last, prev = act.seq, act.hash


def held(acts: Sequence[Act], anchors: Sequence[Anchor]) -> Iterator[Tampering]:
    """Anchors that are no acts of the chain any more."""
    hashes = {act.seq: act.hash for act in acts}
    for anchor in anchors:
        if anchor.seq > max(hashes, default=0):
            yield Tampering("end cut off", f"the chain ends with act {max(hashes, default=0)}, but act {anchor.seq} was noted: its end was cut off, or an older store was put in its place")
        elif hashes.get(anchor.seq) != anchor.hash:
            yield Tampering("chain rewritten", f"act {anchor.seq} has another hash than was noted: the chain was written anew, or the anchor is of another store")


def rows(connection: Connection, acts: Sequence[Act], tables: Mapping[str, Table]) -> Iterator[Tampering]:
    """Rows that are not as the act that wrote them says."""
    noted: dict[tuple[str, str], tuple[str, int]] = {}
    for act in acts:
        for table, key, digest in _named(act.body):
            if noted.setdefault((table, key), (digest, act.seq))[0] != digest:
                yield Tampering("row changed", f"{_row(table, key)}: act {act.seq} says other than act {noted[table, key][1]}, which wrote it")
    for table in tables.values():
        try:
            for name, key, digest in audit.digests(connection, table):
                said, seq = noted.pop((name, key), ("", 0))
                if not said:
                    yield Tampering("row added", f"{_row(name, key)}: no act wrote it")
                elif said != digest:
                    yield Tampering("row changed", f"{_row(name, key)}: it is not what act {seq} wrote")
        except (TypeError, ValueError, DatabaseError) as error:  # a date that is none, JSON that is none, text that is none
            noted = {one: said for one, said in noted.items() if one[0] != table.name}
            yield Tampering("row changed", f"{table.name}: a row cannot be read any more, so the rows from it on were not looked at ({str(error).splitlines()[0][:120]})")
    for (name, key), (_, seq) in noted.items():
        yield Tampering("row removed", f"{_row(name, key)}: it is gone; act {seq} wrote it")


def _named(body: Any) -> Iterator[tuple[str, str, str]]:
    """(table, key, digest) of the rows that an act names."""
    found = body.get("rows") if isinstance(body, dict) else None
    for table, some in found.items() if isinstance(found, dict) else ():
        for key, digest in some.items() if isinstance(some, dict) else ():
            yield table, key, digest


def _contents(connection: Connection) -> Iterator[Tampering]:
    query = select(t.frame_parts.c.frame_sha256, t.frame_parts.c.part, t.frame_parts.c.sha256, cast(t.frame_parts.c.content, LargeBinary).label("content"))
    for row in connection.execute(query.execution_options(yield_per=1)):
        if hashlib.sha256(row.content or b"").hexdigest() != row.sha256:
            yield Tampering("content changed", f"frame {row.frame_sha256[:12]}, part {row.part}: its bytes are not those that were written")


def _publications(connection: Connection) -> Iterator[Tampering]:
    for (dataset,) in connection.execute(select(t.datasets.c.name)).all():
        try:
            for one in publications.every(connection, dataset):
                for what in publications.broken(connection, one):
                    yield Tampering("publication changed", f"publication {one.id} ({one.title}): {what}")
        except (TypeError, ValueError, DatabaseError) as error:
            yield Tampering("publication changed", f"the publications of {dataset} cannot be read any more ({str(error).splitlines()[0][:120]})")


def _shift(act: Act) -> int | None:
    """By how much the number of an act differs from the one that its hash was made with; None where no number near makes it fit."""
    for by in sorted(range(-_NEAR, _NEAR + 1), key=abs):
        if audit.chained(act.seq - by, act.at, act.actor, act.action, act.body, act.prev) == act.hash:
            return by
    return None


def _row(table: str, key: str) -> str:
    return f"{table} {key[1:-1]}"


def _list(numbers: Sequence[int] | range) -> str:
    return f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1 else ", ".join(map(str, numbers))
