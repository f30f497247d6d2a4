"""The state as of a date: each table from the newest load that delivered it, histories that no extract brought rebuilt from successive ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
from sqlalchemy import Connection, Engine, Row

from revscore.core import schema
from revscore.core.data import CrmData, Shelf, Stand
from revscore.store import contents, datasets, frames, snapshots
from revscore.store.engine import reading
from revscore.store.loads import NothingLoaded, day, frames_of, of_dataset


def data(engine: Engine, dataset: str, as_of: pd.Timestamp | None, load_id: int | None, only: Sequence[int] = (), *, whole: bool = True) -> CrmData:
    with reading(engine) as connection:
        rows = _only(connection, dataset, only) if only else _counting(connection, dataset, as_of, load_id)
        chosen = _choose(rows, frames_of(connection, dataset))
        later = {name: chain[0][1] for name, chain in chosen.items() if len(chain) == 1 and not whole}
        columns = {name: frames.columns_of(contents.head(connection, address)) for name, address in later.items()}
        parts = contents.fetch(connection, {sha256 for name, chain in chosen.items() if name not in later for _, sha256 in chain})
    tables, derived = {}, {}
    for name, chain in chosen.items():
        newest = chain[-1][0]
        derived |= {key: text for key, text in newest.derived.items() if key.partition(".")[0] == name}
        if len(chain) == 1:
            if whole:
                tables[name] = frames.unpack_table(name, parts[chain[0][1]])
            continue
        extracts = [snapshots.Extract(row.id, datasets.instant(row.as_of), frames.unpack_table(name, parts[sha256])) for row, sha256 in chain]
        tables[name] = schema.conform(name, snapshots.history(extracts))
        derived.pop(name, None)
        derived[f"{name}.changed_at"] = (f"The history of opportunities is rebuilt from {len(chain)} successive extracts ({day(chain[0][0].as_of)} to "
                         f"{day(newest.as_of)}): a change is dated by the first extract that shows it.")
    used = tuple(sorted({row.id for chain in chosen.values() for row, _ in chain}))

    def read(name: str, wanted: tuple[str, ...] | None) -> pd.DataFrame:
        with reading(engine) as connection:
            return frames.unpack_table(name, contents.fetch(connection, {later[name]})[later[name]], wanted)

    def pieces(name: str, wanted: tuple[str, ...]) -> Iterator[pd.DataFrame]:
        with reading(engine) as connection:
            parts = contents.fetch(connection, {later[name]})[later[name]]
        for part in parts:
            yield frames.unpack_table(name, [part], wanted)

    held = tables if whole else Shelf({name: columns.get(name) or tuple(tables[name].columns) for name in chosen}, read, tables, frames.release, pieces)
    return CrmData(held, datasets.instant(rows[-1].as_of), derived, Stand(dataset, used))


def _counting(connection: Connection, dataset: str, as_of: pd.Timestamp | None, load_id: int | None) -> Sequence[Row]:
    """The loads that make the state: those that had come when `load_id` came, and none after `as_of`."""
    every = [row for row in connection.execute(of_dataset(dataset)) if row.state == "loaded"]
    known = [row for row in every if load_id is None or row.id <= load_id]
    if load_id is not None and (not known or load_id not in {row.id for row in known}):
        raise NothingLoaded(f"There is no load {load_id} in the data set {dataset}.")
    if load_id is not None and as_of is None:
        as_of = datasets.instant(next(row.as_of for row in known if row.id == load_id))
    rows = [row for row in known if as_of is None or datasets.instant(row.as_of) <= as_of]
    if not rows:
        raise NothingLoaded(f"Nothing is loaded into the data set {dataset} yet." if not known else
                            f"The first extract of {dataset} is as of {day(known[0].as_of)}; choose that date or a later one.")
    return rows


def _only(connection: Connection, dataset: str, only: Sequence[int]) -> Sequence[Row]:
    rows = [row for row in connection.execute(of_dataset(dataset)) if row.id in only]
    if len(rows) < len(set(only)):
        missing = sorted(set(only) - {row.id for row in rows})
        raise NothingLoaded(f"The data set {dataset} has no load {', '.join(map(str, missing))}.")
    return rows


def _choose(rows: Sequence[Row], delivered: Sequence[Row]) -> dict[str, list[tuple[Row, str]]]:
    """Table -> the load that delivered it last, with the address of its frame. Derived histories of opportunities: also the loads before,
    back to the first or to a real history; of several for one date the last."""
    address = {(frame.load_id, frame.name): frame.frame_sha256 for frame in delivered}
    chosen: dict[str, list[tuple[Row, str]]] = {}
    for name in schema.TABLES:
        chain: list[tuple[Row, str]] = []
        for row in reversed(rows):
            if (row.id, name) not in address or (chain and chain[-1][0].as_of == row.as_of):
                continue
            chain.append((row, address[row.id, name]))
            if name != "opp_history" or name not in row.derived:
                break
        if chain:
            chosen[name] = chain[::-1]
    return chosen
