"""Backups of a store and the way back: made while it is in use, checked before they are named, checked again before they take the place of a store.

A backup is one file and its manifest beside it (`….json`): SHA-256 of the file, hash of the content, schema, and the anchor of the audit log. Of SQLite it is a store
itself, to be opened like any other; of PostgreSQL an archive of pg_dump (`postgres.py`). No secret is in either: passwords and keys are not in the store.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from revscore.store import audit, checked, in_use, migrations, postgres
from revscore.store.audit import Anchor
from revscore.store.checked import Tampering
from revscore.store.contents import sha256_of
from revscore.store.engine import StoreError, friendly, open_engine, reading, where, writing

DAILY, WEEKLY = 14, 8
_NAME = re.compile(r"revscore-(\d{8}-\d{6})\.(sqlite|dump)")


@dataclass(frozen=True)
class Manifest:
    """What is known of a backup. `content_sha256`: of all rows but the audit log, equal for equal content; `anchor`: of the audit log, SEQ:HASH."""

    file: str
    engine: str
    made_at: str
    made_by: str
    bytes: int
    sha256: str
    content_sha256: str
    schema: str
    anchor: str


def manifest_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def default_name(engine: Engine, at: datetime | None = None) -> Path:
    """Where a backup goes when nobody says: the folder `backups` beside a SQLite store, or in the current folder, under a name with the instant."""
    sqlite = engine.dialect.name == "sqlite"
    folder = (Path(engine.url.database).parent if sqlite else Path.cwd()) / "backups"
    return folder / f"revscore-{at or datetime.now(UTC):%Y%m%d-%H%M%S}.{'sqlite' if sqlite else 'dump'}"


# -- backup --------------------------------------------------------------------------------------------------------------------------------

def make(engine: Engine, file: Path, by: str, *, as_it_is: bool = False) -> Manifest:
    """Write a backup of the store to `file`, which must not be there yet, while others work on. Only a whole one gets its name.

    Raises
    ------
    StoreError
        when the file is there already or cannot be written; when the store is not as its audit log says, unless `as_it_is`; when the copy is damaged.
    """
    if file.exists() or manifest_of(file).exists():
        raise StoreError(f"{file} is there already; name another file for the backup.")
    if not re.fullmatch(r".*\.(sqlite|dump|db|bak|backup)", file.name):
        raise StoreError(f"Name the backup something.{'sqlite' if engine.dialect.name == 'sqlite' else 'dump'}, not {file.name}.")
    making = file.with_name(f"{file.name}.making-{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            if engine.dialect.name == "sqlite":
                _copied(engine, making)
                content, schema, anchor, found = _looked_at(making)
            else:
                content, schema, anchor, found = postgres.dump(engine, making, _told)
            _refuse_tampered(found, as_it_is, f"The store {where(engine)}", "python -m revscore verify lists it; --as-it-is makes the backup nevertheless")
            made = Manifest(file.name, engine.dialect.name, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", by, making.stat().st_size, sha256_of(making), content, schema, str(anchor or ""))
            manifest = manifest_of(making)
            manifest.write_text(json.dumps(asdict(made), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            _synced(manifest)
            os.replace(manifest, manifest_of(file))
            os.replace(making, file)
            _synced(file.parent)
        finally:
            for rest in (making, manifest_of(making), making.with_name(f"{making.name}-journal")):
                rest.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"The backup {file} cannot be written ({error.strerror or error}); name another place, or free some space.") from error
    return made


def keep(folder: Path, daily: int = DAILY, weekly: int = WEEKLY) -> list[Path]:
    """Remove older backups from `folder`: the newest of each of the last `daily` days and of each of the last `weekly` weeks that have one stay. Only files named as
    `default_name` does are looked at. Returns those removed."""
    found = {file: datetime.strptime(named[1], "%Y%m%d-%H%M%S") for file in sorted(folder.iterdir(), reverse=True) if (named := _NAME.fullmatch(file.name))}
    days: dict[object, Path] = {}
    weeks: dict[object, Path] = {}
    for file, at in found.items():  # newest first
        days.setdefault(at.date(), file)
        weeks.setdefault((at.date() - timedelta(days=at.weekday())), file)
    stay = {*list(days.values())[:daily], *list(weeks.values())[:weekly]}
    gone = [file for file in found if file not in stay]
    for file in gone:
        file.unlink()
        manifest_of(file).unlink(missing_ok=True)
    return gone


# -- check ---------------------------------------------------------------------------------------------------------------------------------

def check(file: Path, anchors: Sequence[Anchor] = (), *, as_it_is: bool = False) -> Manifest:
    """The manifest of a backup that is whole: its bytes, its rows, its audit log. Of an archive of PostgreSQL only the bytes; its rows are checked when it is restored.

    Raises
    ------
    StoreError
        when it is not, or was made by a newer revscore.
    """
    try:
        made = Manifest(**json.loads(manifest_of(file).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise StoreError(f"{file} has no manifest beside it: bring {manifest_of(file).name} from where the backup was made." if file.exists() else f"There is no file {file}.") from None
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"The manifest {manifest_of(file)} cannot be read; bring it once more from where the backup was made.") from error
    try:
        sha256 = sha256_of(file)
    except OSError as error:
        raise StoreError(f"The backup {file} cannot be read ({error.strerror}).") from error
    if sha256 != made.sha256:
        raise StoreError(f"The backup {file} is not what was made: its bytes have another sum than its manifest says; take another backup.")
    if made.schema not in migrations.known():
        raise StoreError(f"The backup {file} is of a newer revscore (schema {made.schema}); upgrade revscore to restore it.")
    if made.engine == "sqlite":
        content, _, _, found = _looked_at(file, [*anchors, *([Anchor.of(made.anchor)] if made.anchor else [])])
        _same(content, made, found, as_it_is, file)
    return made


def _same(content: str, made: Manifest, found: Sequence[Tampering], as_it_is: bool, file: Path) -> None:
    if content != made.content_sha256:
        raise StoreError(f"The backup {file} does not hold what its manifest says; take another backup.")
    _refuse_tampered(found, as_it_is, f"The backup {file}", "take another backup, or restore it nevertheless with --as-it-is")


# -- restore -------------------------------------------------------------------------------------------------------------------------------

def restore(file: Path, url: str | Path, by: str, anchors: Sequence[Anchor] = (), *, as_it_is: bool = False) -> tuple[Manifest, str]:
    """Put a backup in the place of the store at `url`, which stays beside it: the manifest, and where the old store is now ("" when there was none). What is put there is
    checked first; the first act of the restored store names the backup.

    Raises
    ------
    StoreError
        when the backup is not whole, is of another engine, or the store is in use; the store is then as it was.
    """
    made, engine = check(file, anchors, as_it_is=as_it_is), open_engine(url, 1)
    try:
        if made.engine != engine.dialect.name:
            raise StoreError(f"{file} is a backup of a {made.engine} store, but {where(engine)} is kept in {engine.dialect.name}.")
        if engine.dialect.name == "sqlite":
            old = _swapped(file, Path(engine.url.database), made)
        else:
            def whole(connection: Connection) -> None:
                content, _, _, found = _told(connection, [*anchors, Anchor.of(made.anchor)])
                _same(content, made, found, as_it_is, file)

            old = postgres.restore(engine, file, whole)
        migrations.upgrade(engine)
        with writing(engine) as connection:
            audit.act(connection, by, "store restored", {"backup": made.file, "made_at": made.made_at, "anchor": made.anchor})
    finally:
        engine.dispose()
    return made, old


def _swapped(file: Path, store: Path, made: Manifest) -> str:
    """The backup in the place of the file of a SQLite store."""
    new, kept = store.with_name(f"{store.name}.restoring"), store.with_name(f"{store.name}.before-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    try:
        with in_use.alone(store):
            try:
                shutil.copyfile(file, new)
                os.chmod(new, 0o600)
                _synced(new)
                if sha256_of(new) != made.sha256:
                    raise StoreError(f"The backup {file} was not copied as it is, so the store was left as it was; check the disk, then try again.")
                there = store.exists()
                if there:
                    _quiet(store)
                    try:
                        os.link(store, kept)  # so that there is a store at every moment
                    except OSError:
                        shutil.copy2(store, kept)
                        _synced(kept)
                os.replace(new, store)
                _synced(store.parent)
            finally:
                new.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"The backup cannot be put in the place of {store} ({error.strerror or error}), so the store was left as it was.") from error
    return str(kept) if there else ""


def _quiet(store: Path) -> None:
    """The file alone holds all: what an interrupted write left beside it is brought to its end, and nobody writes. A file that is no database is left as it is."""
    connection = sqlite3.connect(store, timeout=1, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=TRUNCATE").close()
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if (getattr(error, "sqlite_errorname", "") or "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise StoreError(f"The store {store} is in use by another program, so it was left as it is; stop that, then try again.") from error
    except sqlite3.DatabaseError:
        pass  # damaged: that is why it is replaced
    finally:
        connection.close()
    left = [one for end in ("-journal", "-wal") if (one := store.with_name(store.name + end)).exists() and one.stat().st_size]
    for one in left:  # of a damaged file: what it was beside must not be taken for that of the new one
        one.rename(one.with_name(f"{one.name}.before-{datetime.now(UTC):%Y%m%d-%H%M%S}"))


# -- shared --------------------------------------------------------------------------------------------------------------------------------

Told = tuple[str, str, Anchor | None, tuple[Tampering, ...]]
Look = Callable[[Connection, Sequence[Anchor]], Told]


def _told(connection: Connection, anchors: Sequence[Anchor] = ()) -> Told:
    """(hash of the content, schema, anchor, what is not as the audit log says) of a store."""
    schema = migrations.revision(connection) or ""
    if schema < migrations.WITH_AUDIT:
        return checked.content(connection), schema, None, ()
    return checked.content(connection), schema, audit.anchor(connection), tuple(checked.tampering(connection, anchors))


def _looked_at(file: Path, anchors: Sequence[Anchor] = ()) -> Told:
    """A file of SQLite, opened for reading only."""
    engine = open_engine(f"sqlite:///file:{file.absolute().as_posix().replace('%', '%25').replace('?', '%3f').replace('#', '%23')}?mode=ro&immutable=1&uri=true", 1)
    try:
        with reading(engine) as connection:
            wrong = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check(5)") if row[0] != "ok"]
            wrong += [f"{row[0]} names a row of {row[2]} that is not there" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")]
            if wrong:
                raise StoreError(f"{file} is damaged ({wrong[0]}); take another backup.")
            return _told(connection, anchors)
    finally:
        engine.dispose()


def _copied(engine: Engine, file: Path) -> None:
    with _writable(file), friendly(engine):
        connection = engine.raw_connection()
        try:
            connection.driver_connection.execute("VACUUM INTO ?", (str(file),)).close()
        finally:
            connection.close()
    os.chmod(file, 0o600)
    _synced(file)


@contextmanager
def _writable(file: Path) -> Iterator[None]:
    """The folder takes a file: else SQLite's own words would name the store."""
    with open(file, "xb"):
        pass
    os.chmod(file, 0o600)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            file.unlink()
        raise


def _refuse_tampered(found: Sequence[Tampering], as_it_is: bool, what: str, how: str) -> None:
    if found and not as_it_is:
        raise StoreError(f"{what} is not as its audit log says ({len(found):,} things, the first: {found[0].what}); {how}.")


def _synced(path: Path) -> None:
    """On the disk, not only in its cache. Windows syncs no folders."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
