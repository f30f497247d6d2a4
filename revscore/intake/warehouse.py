"""Reading tables or views of a database by SQLAlchemy URL, in pieces and without ever writing, as sheets of text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, event, func, inspect, select, type_coerce
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.types import NullType

from revscore.intake.sheet import Problem, Sheet
from revscore.intake.workbook import text_of

Progress = Callable[[str, float, str], None]

FILE = "warehouse"
ROW_CAP = 20_000_000
_CHUNK = 50_000


def read_warehouse(url: str, tables: Sequence[str] = (), *, row_cap: int = ROW_CAP,
                   progress: Progress | None = None) -> tuple[list[Sheet], list[Problem]]:
    """Sheets of the named tables or views ("leads", "crm.leads"), all of the default schema when none is named; and problems.

    `Sheet.file` is "warehouse", `Sheet.name` the table as named; rows count from 1 in the order of the primary key, if there is one.
    The connection is read-only. A table of more than `row_cap` rows is refused with both counts, never cut. Passwords in
    `url` never appear in a message.
    """
    try:
        target = make_url(url)
    except ArgumentError:
        return [], [_problem("", "the address of the database is not a SQLAlchemy URL, such as postgresql+psycopg://user@host/database.", "E_URL")]
    try:
        engine = _engine(target)
    except (NoSuchModuleError, ImportError):
        return [], [_problem("", f"the driver for {target.drivername} is not installed: add its package to this environment.", "E_DRIVER")]
    sheets: list[Sheet] = []
    problems: list[Problem] = []
    try:
        with engine.connect() as connection:
            there = _names(connection)
            wanted = tuple(dict.fromkeys(tables)) or there
            if not wanted:
                problems.append(_problem("", "the database has no table or view: name one with its schema (schema.table).", "E_TABLE"))
            for at, name in enumerate(wanted):
                def step(fraction: float, detail: str, at: int = at, name: str = name) -> None:
                    if progress:
                        progress("read", (at + fraction) / len(wanted), f"{name}: {detail}")

                try:
                    found = _read_table(connection, name, there, row_cap, step)
                except SQLAlchemyError as error:
                    connection.rollback()
                    found = _problem(name, f"the table cannot be read ({_cause(error)}): check its name and the rights of the user.", "E_QUERY")
                if isinstance(found, Sheet):
                    sheets.append(found)
                else:
                    problems.append(found)
    except SQLAlchemyError as error:
        where = target.render_as_string(hide_password=True)
        problems.append(_problem("", f"no connection to {where} ({_cause(error)}): check address, user and network.", "E_CONNECT"))
    finally:
        engine.dispose()
    return sheets, problems


def _problem(table: str, text: str, code: str) -> Problem:
    return Problem(FILE, table, None, None, text, code)


def _cause(error: SQLAlchemyError) -> str:
    """The first line of what the driver said; the address and the statement are left out."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return said[0][:200] if said else type(error).__name__


def _engine(url: URL) -> Engine:
    """An engine that cannot write: SQLite refuses by pragma (and a missing file is not made), others by a read-only transaction."""
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:" and "mode=" not in url.database and not url.database.startswith("file:"):
            url = url.set(database=Path(url.database).absolute().as_uri(), query={**url.query, "mode": "ro", "uri": "true"})
        engine = create_engine(url)
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
        return engine
    engine = create_engine(url)
    if url.get_backend_name() == "postgresql":
        return engine.execution_options(postgresql_readonly=True)
    if url.get_backend_name() in ("mysql", "mariadb"):
        event.listen(engine, "connect", lambda connection, _: connection.cursor().execute("SET SESSION TRANSACTION READ ONLY"))
    return engine


def _names(connection: Connection) -> tuple[str, ...]:
    look = inspect(connection)
    return tuple(sorted({*look.get_table_names(), *look.get_view_names()}))


def _read_table(connection: Connection, name: str, there: tuple[str, ...], row_cap: int,
                step: Callable[[float, str], None]) -> Sheet | Problem:
    look = inspect(connection)
    schema, _, bare = name.rpartition(".")
    if name in there or not schema:
        schema, bare = "", name
    if not (look.has_table(bare, schema=schema or None) or bare in look.get_view_names(schema=schema or None)):
        near = get_close_matches(name, there, n=3, cutoff=0.5) or list(there[:5])
        hint = f" (there are: {', '.join(near)})" if near else ""
        return _problem(name, f"there is no table or view of this name{hint}: check the name, and put its schema before it if it has one.", "E_TABLE")
    table = Table(bare, MetaData(), schema=schema or None, autoload_with=connection, resolve_fks=False)
    total = connection.scalar(select(func.count()).select_from(table)) or 0
    if total > row_cap:
        return _problem(name, f"the table has {total:,} rows (at most {row_cap:,} are read): name a view with the rows that are needed.", "E_ROWS")
    # As the driver gives them: SQLAlchemy's own types would fail on dates that SQLite keeps in another spelling.
    query = select(*(type_coerce(column, NullType()).label(column.name) for column in table.columns)).order_by(*table.primary_key.columns)
    labels = [str(column.name) for column in table.columns]
    parts, done = [pd.DataFrame({label: [] for label in labels}, dtype="str")], 0
    with connection.execution_options(stream_results=True, max_row_buffer=_CHUNK).execute(query) as result:
        for rows in result.partitions(_CHUNK):
            columns = zip(*rows, strict=True)
            parts.append(pd.DataFrame({label: pd.Series(np.array([_text(cell) for cell in cells], dtype=object), dtype="str")
                                       for label, cells in zip(labels, columns, strict=True)}))
            done += len(rows)
            step(min(done / max(total, 1), 1.0), f"{done:,} of {total:,} rows")
    frame = pd.concat(parts, ignore_index=True).astype("str")
    notes = () if list(table.primary_key.columns) else ("no primary key: rows are numbered in the order in which the database gave them.",)
    return Sheet(FILE, name, frame, np.arange(1, len(frame) + 1), (), notes)


def _text(cell: object) -> str:
    if type(cell) is str:
        return cell
    if isinstance(cell, (dict, list)):
        return json.dumps(cell, ensure_ascii=False, default=str)
    if isinstance(cell, (bytes, memoryview)):
        return bytes(cell).hex()
    return text_of(cell)
