"""The log of what the team decides: meetings, decisions, actions, exceptions, backlog, targets. Entries are only ever added.

A record is what its entries say, in their order: the first makes it, each further one changes the fields that it names. Who writes a version
that another has written already is told so, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, insert, select

from revscore.store import audit, datasets
from revscore.store import tables as t
from revscore.store.engine import StoreError, fitting, plain


class Overtaken(StoreError):
    """Another one was faster: nothing of this write was kept."""


@dataclass(frozen=True)
class Entry:
    """One thing that happened to a record. `version`: its place among the entries of the record, from 1; 0 = whichever is next. The store gives `id`
    and `at`, the instant of the write."""

    kind: str
    record: str
    verb: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""
    version: int = 0
    at: pd.Timestamp = pd.NaT
    id: int = 0


def append(connection: Connection, dataset: str, new: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries as they are kept, all at one instant. Inside a write. Raises Overtaken when one of their versions is there already."""
    home, at, out = datasets.ensure(connection, dataset, new[0].by if new else audit.STORE), datasets.now(), []
    for entry in new:
        entry = replace(entry, record=fitting(entry.record), by=fitting(entry.by, 320))
        here = (t.entries.c.dataset_id == home.id) & (t.entries.c.kind == entry.kind) & (t.entries.c.record == entry.record)
        last = connection.execute(select(t.entries).where(here).order_by(t.entries.c.version.desc()).limit(1)).one_or_none()
        version = last.version + 1 if last else 1
        if entry.version not in (0, version):
            raise Overtaken(f"{last.by if last else 'Somebody'} has changed this in the meantime, so nothing was saved; look at it as it is now, then try again.")
        fields = plain(entry.fields)
        id_ = connection.execute(insert(t.entries).values(dataset_id=home.id, kind=entry.kind, record=entry.record, version=version, verb=entry.verb, fields=fields,
                                                          by=entry.by, at=at)).inserted_primary_key[0]
        out.append(replace(entry, fields=fields, version=version, at=datasets.instant(at), id=id_))
    if out:
        audit.act(connection, new[0].by, "entries appended", {"dataset": dataset}, select(t.entries).where(t.entries.c.id.in_([entry.id for entry in out])))
    return tuple(out)


def entries(connection: Connection, dataset: str, kind: str = "", record: str = "") -> tuple[Entry, ...]:
    """Those of a kind, or of one record, oldest first."""
    query = select(t.entries).join(t.datasets).where(t.datasets.c.name == dataset).order_by(t.entries.c.id)
    query = query.where(t.entries.c.kind == kind) if kind else query
    query = query.where(t.entries.c.record == record) if record else query
    return tuple(Entry(row.kind, row.record, row.verb, row.fields, row.by, row.version, datasets.instant(row.at), row.id) for row in connection.execute(query))


def last(connection: Connection, dataset: str, kinds: Sequence[str] = ()) -> int:
    """The id of the last entry (of these kinds), 0 without any: a key for caches."""
    query = select(func.max(t.entries.c.id)).join(t.datasets).where(t.datasets.c.name == dataset)
    return connection.execute(query.where(t.entries.c.kind.in_(kinds)) if kinds else query).scalar() or 0
