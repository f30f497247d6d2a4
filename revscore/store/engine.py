"""One engine per store: where it lives, how a connection behaves, one kind of read, one kind of write, and errors as sentences."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DisconnectionError, IntegrityError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

WAL_IS_SAFE = sqlite3.sqlite_version_info >= (3, 51, 3)  # before, two connections that checkpoint at once can corrupt a WAL file
_WRITE_LOCK = 7_238_101  # any number that no other program of the same PostgreSQL database uses for an advisory lock

_SENTENCES = {
    "SQLITE_NOTADB": "{where} is not a revscore store (not a SQLite database); name another file, or remove it to begin anew.",
    "SQLITE_CANTOPEN": "The store {where} cannot be opened; check that its folder exists and that you may read and write there.",
    "SQLITE_READONLY": "The store {where} is read-only, so nothing was saved; allow writing to the file and its folder, then try again.",
    "SQLITE_BUSY": "The store {where} is in use by another program, so nothing was saved; try again when that is done.",
    "SQLITE_LOCKED": "The store {where} is in use by another program, so nothing was saved; try again when that is done.",
    "SQLITE_FULL": "The disk is full, so nothing was saved to the store {where}; free some space, then try again.",
    "SQLITE_CORRUPT": "The store {where} is damaged; restore it from a backup.",
    "SQLITE_IOERR": "The disk failed while the store {where} was used, so nothing was saved; check the disk, then try again.",
    "no such table": "{where} is not the store that was opened ({cause}); put that one back, or start revscore again.",
    "altered": "The tables of the store {where} are not as revscore made them ({cause}); restore it from a backup.",
    # PostgreSQL
    "55P03": "The store {where} is in use by another program, so nothing was saved; try again when that is done.",
    "53100": "The disk of the server is full, so nothing was saved to the store {where}; free some space, then try again.",
    "25006": "The store {where} is read-only, so nothing was saved; name the server that may be written to.",
    "42501": "The user of the store {where} lacks a right there, so nothing was saved ({cause}); let the owner of the database grant it.",
    "3F000": "The store {where} has no schema to make tables in; make one, and let its user make tables there.",
    "42P07": "{where} is the database of another program ({cause}); name another database for the store.",
}
_LASTING = ("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB")  # an open connection keeps these, also when the trouble is over
_ALTERED = ("already exists", "no such column", "has no column named", "duplicate column name")
_turns: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()
_turns_change = threading.Lock()


class StoreError(Exception):
    """Something about the store that a person can mend; the message is one sentence that says what and how."""


def default_url() -> str:
    """Where the store lives when nobody says: REVSCORE_DB, else `data/revscore.sqlite` in the project (in an installed revscore: the
    current folder)."""
    named = os.environ.get("REVSCORE_DB", "").strip()
    if named:
        return named
    project = Path(__file__).resolve().parents[2]
    folder = (project if (project / "app.py").exists() else Path.cwd()) / "data"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {folder} for the store cannot be made; name another place in REVSCORE_DB.") from error
    return str(folder / "revscore.sqlite")


def open_engine(url: str | Path, wait: float) -> Engine:
    """An engine for a file path or a SQLAlchemy URL (sqlite, postgresql). `wait`: seconds a write waits for another one."""
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, connect_args={"timeout": wait, "check_same_thread": False}, pool_size=8, max_overflow=-1,
                               json_serializer=as_json, execution_options={"revscore_wait": wait})
        _behave(engine, wait)
        if "uri" not in parsed.query:
            _hold(engine, Path(parsed.database))
        return engine
    try:
        # a restore asks by this name whether somebody else uses the same schema
        named = f"revscore {hashlib.sha256(str(parsed.query.get('options', '')).encode()).hexdigest()[:8]}"
        return create_engine(parsed, connect_args={"application_name": named}, pool_pre_ping=True, pool_size=8, max_overflow=-1, json_serializer=as_json, execution_options={"revscore_wait": wait})
    except ModuleNotFoundError as missing:
        raise StoreError(f"A PostgreSQL store needs the driver {missing.name}, which is not installed: "
                         "python -m pip install \"psycopg[binary]\"") from missing


def as_json(value: Any) -> str:
    """JSON as it is kept: what is no character (half of one) becomes a question mark, NaN is refused."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode(errors="replace").decode()


def fitting(text: str, length: int | None = None) -> str:
    """`text` as every store can keep it: no NUL, no half characters, and where it is longer than `length`, its beginning and an ellipsis."""
    text = text.replace("\0", "").encode(errors="replace").decode()
    return text if length is None or len(text) <= length else text[:length - 1] + "…"


def plain(value: Any) -> Any:
    """`value` as it comes back from the store: lists for tuples, text for the keys of dicts."""
    return json.loads(as_json(value))


def where(engine: Engine) -> str:
    """The store's place as a person would name it, without a password."""
    return engine.url.database if engine.dialect.name == "sqlite" else engine.url.render_as_string(hide_password=True)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one state of the store from its first look to its last."""
    with friendly(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """The one writer: what is done inside is there whole at the end, or not at all. What is read inside stays true until then."""
    with friendly(engine), _turn(engine), engine.connect().execution_options(revscore_write=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, int(connection.get_execution_options()['revscore_wait'] * 1000))}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")
        yield connection


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Those of one process write in the order in which they come. (SQLite has a writer that finds it busy look again ever more seldom, which is no order.)"""
    with _turns_change:
        turn = _turns.setdefault(engine, threading.Lock())
    if not turn.acquire(timeout=engine.get_execution_options().get("revscore_wait", 15.0)):
        raise StoreError(_SENTENCES["SQLITE_BUSY"].format(where=where(engine)))
    try:
        yield
    finally:
        turn.release()


@contextmanager
def friendly(engine: Engine) -> Iterator[None]:
    """Troubles of disk, file, lock and server become a `StoreError`; our own mistakes stay what they are."""
    try:
        yield
    except IntegrityError:
        raise
    except (DatabaseError, InterfaceError, sqlite3.Error) as error:
        cause = getattr(error, "orig", error)
        name = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
        if name == "SQLITE_ERROR" and str(cause).startswith("no such table"):
            name = "no such table"
        elif name == "SQLITE_ERROR" and any(word in str(cause) for word in _ALTERED):
            name = "altered"
        name = "SQLITE_CORRUPT" if not name and str(cause).startswith("Could not decode to UTF-8") else name
        sentence = next((text for code, text in _SENTENCES.items() if name.startswith(code)), None)
        if sentence is None and not (isinstance(error, (OperationalError, InterfaceError)) and engine.dialect.name == "postgresql"):
            raise
        if name.startswith(_LASTING):
            engine.dispose()
        sentence = sentence or "The store {where} cannot be used: {cause}"
        raise StoreError(sentence.format(where=where(engine), cause=str(cause).strip().splitlines()[0])) from error


def _parse(url: str | Path) -> URL:
    text = str(url)
    if isinstance(url, str) and "://" in url:
        try:
            parsed = make_url(url)
            if parsed.drivername in ("postgres", "postgresql"):
                parsed = parsed.set(drivername="postgresql+psycopg")
            parsed.get_dialect()
        except (ArgumentError, NoSuchModuleError) as error:
            raise StoreError(f"{text.split('://')[0]}://… is no address of a store; give a file, such as data/revscore.sqlite, or "
                             "postgresql://user@host/database.") from error
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise StoreError(f"revscore keeps its store in SQLite or PostgreSQL, not in {parsed.get_backend_name()}.")
    else:
        parsed = URL.create("sqlite", database=str(Path(url).expanduser().absolute()))
    if parsed.get_backend_name() == "sqlite" and "uri" not in parsed.query:
        if parsed.database in (None, "", ":memory:"):
            raise StoreError("The store needs a file, such as data/revscore.sqlite: in memory it would be lost at the end.")
        file = Path(parsed.database).absolute()
        if file.is_dir():
            raise StoreError(f"{file} is a folder; name a file in it, such as {file / 'revscore.sqlite'}.")
        if not file.parent.is_dir():
            raise StoreError(f"The folder {file.parent} for the store does not exist; make it, or name another place.")
        parsed = parsed.set(database=str(file))
    return parsed


def _behave(engine: Engine, wait: float) -> None:
    """SQLite: durable, strict about references, one writer that queues, and transactions that begin when we say so."""

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in (f"busy_timeout={int(wait * 1000)}", f"journal_mode={'WAL' if WAL_IS_SAFE else 'TRUNCATE'}", "synchronous=FULL",
                       "foreign_keys=ON", "trusted_schema=OFF", "cell_size_check=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("revscore_write") else "BEGIN")


def _hold(engine: Engine, file: Path) -> None:
    """SQLite works on in a file that somebody removed, and makes a new one where there is none: what is written there is lost. So a connection is used only while
    its file is where it was; one to a file that has been put in its place is opened anew."""
    opened = False

    def there() -> tuple[int, int, bool] | None:
        """Which file it is, and whether it may be written to: a connection to one that may not stays so."""
        try:
            found = file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino, os.access(file, os.W_OK)

    def gone() -> StoreError:
        return StoreError(f"The store {file} is gone: its file was moved or removed while revscore used it, so nothing was saved; put it back, or start revscore again "
                          "to begin anew.")

    @event.listens_for(engine, "do_connect")
    def before(_dialect, _record, _args, _parameters) -> None:
        if opened and there() is None:
            raise gone()

    @event.listens_for(engine, "connect")
    def connect(_connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        nonlocal opened
        opened = True
        record.info["file"] = there()

    @event.listens_for(engine, "checkout")
    def checkout(_connection: sqlite3.Connection, record: ConnectionPoolEntry, _proxy) -> None:
        now = there()
        if now is None:
            raise gone()
        if now != record.info["file"]:
            raise DisconnectionError("another file is there now, or it may be written to again")
