"""Loads: written whole or not at all, never changed, each readable as of its date."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, Row, Select, insert, select

from revscore.core import schema
from revscore.core.data import CrmData
from revscore.store import audit, contents, datasets, frames
from revscore.store import tables as t
from revscore.store.engine import StoreError, reading

_JUST_AFTER = pd.Timedelta("1ms")  # rows that were corrected and hold again count from just after the instant that they are of


class NothingLoaded(StoreError):
    """The data set has no load yet, or none so early."""


@dataclass(frozen=True)
class LoadFile:
    """A file of an extract: its name and the sha256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a load says of itself. `derived`: table -> how it was rebuilt. `mapping`: as it was used. `corrects`: the load that it replaces or completes, `why` with
    the reason."""

    as_of: pd.Timestamp
    files: tuple[LoadFile, ...]
    rows_read: int
    rows_kept: int
    rows_quarantined: int
    derived: Mapping[str, str]
    terms_hints: Mapping[str, Any]
    mapping: Mapping[str, Any]
    corrects: int | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class LoadInfo(Account):
    """A load without its rows. `table_rows`: canonical table -> rows."""

    id: int
    dataset: str
    loaded_at: pd.Timestamp
    loaded_by: str
    state: str
    content_sha256: str
    table_rows: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class NewLoad(Account):
    """A load as it will be written: all that takes time is done. `dated`: somebody said when the extract was made; else its latest event stands for that.
    `main`: the tables that the files bring themselves, without those that are only named in them (empty: all)."""

    tables: Mapping[str, frames.Packed]
    ledger: Mapping[str, frames.Packed]
    dated: bool = True
    main: tuple[str, ...] = ()

    @property
    def content_sha256(self) -> str:
        return frames.content_sha256(self.tables)


@dataclass(frozen=True)
class LoadResult:
    """`status`: "loaded", or "already_loaded" with the load that it equals."""

    status: str
    load_id: int
    message: str


def pack(data: CrmData, sheets: pd.DataFrame, findings: pd.DataFrame, *, files: Sequence[LoadFile], rows_read: int, rows_kept: int, rows_quarantined: int,
         terms_hints: Mapping[str, Any], mapping: Mapping[str, Any], dated: bool = True, main: Sequence[str] = (), corrects: int | None = None,
         why: str = "") -> NewLoad:
    """The frames of a load, packed and counted, before any lock is taken.

    Raises
    ------
    StoreError
        when there is no table, or a record is there twice.
    ValueError, TypeError
        when the rows do not balance, or do not fit their types.
    """
    if rows_read != rows_kept + rows_quarantined:
        raise ValueError(f"rows read ({rows_read}) are not rows kept ({rows_kept}) + rows quarantined ({rows_quarantined})")
    held = int((findings["action"] == "quarantined").sum()) if "action" in findings.columns else rows_quarantined
    if held != rows_quarantined:
        raise ValueError(f"{rows_quarantined} rows are quarantined, but {held} are kept with their reason")
    if not data.tables:
        raise StoreError("There is nothing to load: no table was recognised in the files.")
    packed = {name: frames.pack_table(name, frame) for name, frame in data.tables.items()}
    ledger = {"sheets": frames.pack_frame(sheets), "findings": frames.pack_frame(findings)}
    return NewLoad(as_of=data.as_of.floor("us"), files=tuple(files), rows_read=rows_read, rows_kept=rows_kept, rows_quarantined=rows_quarantined, derived=dict(data.derived),
                   terms_hints=dict(terms_hints), mapping=dict(mapping), corrects=corrects, why=why, tables=packed, ledger=ledger, dated=dated, main=tuple(main))


def already(connection: Connection, dataset: str, new: NewLoad) -> LoadResult | None:
    """The load that has the same rows for the same instant (for any, where nobody said when the extract was made), unless it was corrected since."""
    rows = connection.execute(of_dataset(dataset).where(t.loads.c.content_sha256 == new.content_sha256)).all()
    same = [row for row in rows if not new.dated or pd.Timedelta(0) <= datasets.instant(row.as_of) - new.as_of < _JUST_AFTER]
    if not same or _corrected(connection, dataset, same[-1], new):
        return None
    found = same[-1]
    return LoadResult("already_loaded", found.id, f"Already loaded: the same rows came with load {found.id} (as of {day(found.as_of)}, "
                      f"loaded {day(found.loaded_at)} by {found.loaded_by}); nothing was added.")


def _corrected(connection: Connection, dataset: str, found: Row, new: NewLoad) -> bool:
    """Whether a later load for the instant of `found` brings one of its tables with other rows."""
    later = {row.id for row in connection.execute(of_dataset(dataset).where(t.loads.c.as_of == found.as_of, t.loads.c.id > found.id))}
    return any(frame.load_id in later and frame.name in new.tables and frame.frame_sha256 != new.tables[frame.name].sha256
               for frame in (frames_of(connection, dataset) if later else ()))


def write(connection: Connection, dataset: str, new: NewLoad, by: str) -> LoadResult:
    """Write a load, inside a write: all of it, counted back, or nothing. The same rows as of the same instant again add nothing."""
    found = already(connection, dataset, new)
    if found is not None:
        return found
    home, as_of = datasets.ensure(connection, dataset, by), new.as_of
    while connection.execute(select(t.loads.c.id).where(t.loads.c.dataset_id == home.id, t.loads.c.as_of == as_of.to_pydatetime(),
                                                        t.loads.c.content_sha256 == new.content_sha256)).one_or_none() is not None:
        as_of += pd.Timedelta("1us")  # rows that were corrected and hold again: just after the correction
    mapping = {**new.mapping, **({"main": list(new.main)} if new.main else {}), **({} if new.dated else {"dated": False})}
    load_id = connection.execute(insert(t.loads).values(
        dataset_id=home.id, as_of=as_of.to_pydatetime(), loaded_at=datasets.now(), loaded_by=by, state="loaded", content_sha256=new.content_sha256,
        files=[{"name": file.name, "sha256": file.sha256} for file in new.files], rows_read=new.rows_read, rows_kept=new.rows_kept,
        rows_quarantined=new.rows_quarantined, derived=dict(new.derived), terms_hints=dict(new.terms_hints), mapping=mapping, corrects=new.corrects, why=new.why or None,
    )).inserted_primary_key[0]
    added = []
    for role, some in (("table", new.tables), ("ledger", new.ledger)):
        for name, frame in some.items():
            added += contents.keep(connection, frame)
            connection.execute(insert(t.load_frames).values(load_id=load_id, role=role, name=name, frame_sha256=frame.sha256))
    _count_back(connection, load_id, new)
    audit.act(connection, by, "load saved", {"dataset": dataset, "load": load_id}, select(t.loads).where(t.loads.c.id == load_id),
              select(t.load_frames).where(t.load_frames.c.load_id == load_id), *contents.written(added))
    counts = ", ".join(f"{frame.rows:,} {schema.TABLES[name].title.lower()}" for name, frame in new.tables.items())
    held = f" {new.rows_quarantined:,} of {new.rows_read:,} rows are in quarantine." if new.rows_quarantined else ""
    return LoadResult("loaded", load_id, f"Loaded as load {load_id}, as of {day(as_of)}: {counts}.{held}")


def _count_back(connection: Connection, load_id: int, new: NewLoad) -> None:
    """Read what the load has now, and count its rows in the bytes themselves: what was meant to be written is there, and nothing else.

    Raises
    ------
    StoreError
        when it is not; the transaction is then taken back.
    """
    query = select(t.load_frames.c.role, t.load_frames.c.name, t.load_frames.c.frame_sha256).where(t.load_frames.c.load_id == load_id)
    there = {(row.role, row.name): row.frame_sha256 for row in connection.execute(query)}
    meant = {**{("table", name): frame for name, frame in new.tables.items()}, **{("ledger", name): frame for name, frame in new.ledger.items()}}
    if there.keys() != meant.keys():
        raise StoreError("The load was not written as it was read, so nothing was saved; try again.")
    for key, address in there.items():
        rows = sum(map(frames.rows_of, contents.fetch(connection, {address})[address]))
        if rows != meant[key].rows:
            raise StoreError(f"{key[1].replace('_', ' ').capitalize()}: {meant[key].rows:,} rows were to be saved and {rows:,} are there, so nothing was saved; try again.")


def infos(connection: Connection, dataset: str) -> tuple[LoadInfo, ...]:
    """Every load, newest as-of first."""
    rows = connection.execute(of_dataset(dataset)).all()
    counts: dict[int, dict[str, int]] = {row.id: {} for row in rows}
    for frame in frames_of(connection, dataset):
        counts[frame.load_id][frame.name] = frame.row_count
    return tuple(LoadInfo(
        as_of=datasets.instant(row.as_of), files=tuple(LoadFile(**file) for file in row.files), rows_read=row.rows_read, rows_kept=row.rows_kept,
        rows_quarantined=row.rows_quarantined, derived=row.derived, terms_hints=row.terms_hints, mapping=row.mapping, corrects=row.corrects, why=row.why or "",
        id=row.id, dataset=dataset, loaded_at=datasets.instant(row.loaded_at), loaded_by=row.loaded_by, state=row.state, content_sha256=row.content_sha256,
        table_rows=counts[row.id]) for row in reversed(rows))


def info(connection: Connection, load_id: int) -> LoadInfo:
    name = connection.execute(select(t.datasets.c.name).join(t.loads).where(t.loads.c.id == load_id)).scalar_one_or_none()
    if name is None:
        raise NothingLoaded(f"There is no load {load_id}.")
    return next(one for one in infos(connection, name) if one.id == load_id)


def ledger(engine: Engine, load_id: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    with reading(engine) as connection:
        query = select(t.load_frames.c.name, t.load_frames.c.frame_sha256).where(t.load_frames.c.load_id == load_id,
                                                                                 t.load_frames.c.role == "ledger")
        addresses = {row.name: row.frame_sha256 for row in connection.execute(query)}
        if not addresses:
            raise NothingLoaded(f"There is no load {load_id}.")
        parts = contents.fetch(connection, set(addresses.values()))
    return frames.unpack_frame(parts[addresses["sheets"]]), frames.unpack_frame(parts[addresses["findings"]])


def version(connection: Connection, dataset: str) -> str:
    """Both are only ever added, so the last of each tells all; the time in it tells stores apart (a restored one from the one before)."""
    parts = [dataset]
    for table, columns in ((t.loads, (t.loads.c.id, t.loads.c.loaded_at)), (t.terms, (t.terms.c.id, t.terms.c.saved_at))):
        query = select(*columns).join(t.datasets).where(t.datasets.c.name == dataset).order_by(table.c.id.desc()).limit(1)
        parts += [f"{number} {at.isoformat()}" for number, at in connection.execute(query)] or ["none"]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def day(instant: Any) -> str:
    return f"{pd.Timestamp(instant).tz_convert('UTC'):%Y-%m-%d %H:%M} UTC"


def of_dataset(dataset: str) -> Select:
    """Loads of a data set in the order in which they count: by as-of, then as they came (a correction comes later)."""
    return select(t.loads).join(t.datasets).where(t.datasets.c.name == dataset).order_by(t.loads.c.as_of, t.loads.c.id)


def frames_of(connection: Connection, dataset: str) -> Sequence[Row]:
    """The tables of every load: load_id, name, frame_sha256, row_count."""
    query = (select(t.load_frames.c.load_id, t.load_frames.c.name, t.load_frames.c.frame_sha256, t.frames.c.row_count)
             .join(t.loads, t.loads.c.id == t.load_frames.c.load_id).join(t.datasets, t.datasets.c.id == t.loads.c.dataset_id)
             .join(t.frames, t.frames.c.sha256 == t.load_frames.c.frame_sha256)
             .where(t.datasets.c.name == dataset, t.load_frames.c.role == "table"))
    return connection.execute(query).all()
