"""Backups of a store in PostgreSQL, with its own programs pg_dump and pg_restore; and back, beside the schema that was there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from revscore.store import tables as t
from revscore.store.engine import StoreError, friendly, reading, where

_SETTINGS = {"host": "PGHOST", "port": "PGPORT", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "passfile": "PGPASSFILE",
             "service": "PGSERVICE", "options": "PGOPTIONS", "connect_timeout": "PGCONNECT_TIMEOUT", "gssencmode": "PGGSSENCMODE", "channel_binding": "PGCHANNELBINDING"}


def dump(engine: Engine, file: Path, look: Callable[[Connection], tuple[Any, ...]]) -> tuple[Any, ...]:
    """Write the schema of the store to `file` as pg_dump -Fc does: what `look` finds in the same state of the store."""
    with reading(engine) as connection:
        program = _program("pg_dump", connection)
        schema, snapshot = _schema(connection), connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        found = look(connection)
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _run([program, "--format=custom", "--no-owner", "--no-privileges", f"--schema={_pattern(schema)}", f"--snapshot={snapshot}", f"--file={file}"], engine)
        _run([_program("pg_restore", connection), f"--file={os.devnull}", str(file)], engine)  # reads all of it
    return found


def restore(engine: Engine, file: Path, whole: Callable[[Connection], None]) -> str:
    """Put a dump into the schema of the store; what was there is renamed, and takes its place again where the dump turns out not to be `whole`. Returns the name of the
    schema that keeps it, "" where there was none."""
    with reading(engine) as connection:
        program = _program("pg_restore", connection)
        schema = _schema(connection)
        others = connection.execute(text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid() "
                                         "AND application_name = current_setting('application_name')")).scalar_one()
        if others:
            raise StoreError(f"The store {where(engine)} is in use by revscore (the app, or a command: {others} connections), so it was left as it is; stop that, then try again.")
        names = set(connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = :schema"), {"schema": schema}).scalars())
    foreign = sorted(names - set(t.metadata.tables) - {"revscore_schema"})
    if foreign:
        raise StoreError(f"The schema {schema} of {where(engine)} also has tables of another program ({foreign[0]}), so it was left as it is; give the store a schema of its own.")
    kept = f"{schema[:40]}_before_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    _admin(engine, f'ALTER SCHEMA "{schema}" RENAME TO "{kept}"', f'CREATE SCHEMA "{schema}"')
    try:
        _run([program, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--schema={schema}", f"--dbname={engine.url.database}", str(file)], engine)
        with reading(engine) as connection:
            whole(connection)
    except BaseException:
        engine.dispose()
        _admin(engine, f'DROP SCHEMA "{schema}" CASCADE', f'ALTER SCHEMA "{kept}" RENAME TO "{schema}"')
        raise
    if not names:
        _admin(engine, f'DROP SCHEMA "{kept}"')
    return f"the schema {kept}" if names else ""


def _admin(engine: Engine, *statements: str) -> None:
    """All of them, or none."""
    with friendly(engine), engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _schema(connection: Connection) -> str:
    found = connection.execute(text("SELECT current_schema()")).scalar_one()
    if not found or '"' in found:
        raise StoreError("The store has no schema that can be backed up; name one in its address.")
    return found


def _pattern(schema: str) -> str:
    """A name as the pattern that pg_dump takes it for: only that one."""
    return '"' + schema + '"'


def _program(name: str, connection: Connection) -> str:
    """Where a program of PostgreSQL is, no older than the server."""
    server = connection.execute(text("SHOW server_version_num")).scalar_one()
    wanted = int(server) // 10_000
    found = [shutil.which(name), *sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), reverse=True)]
    for program in filter(None, found):
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        if (version := re.search(r"(\d+)(\.\d+|devel|beta|rc)", told)) and int(version[1]) >= wanted:
            return program
    raise StoreError(f"A store in PostgreSQL is backed up and restored with {name} of PostgreSQL {wanted} or newer, which is not on the PATH: "
                     f"install it (on Debian: apt-get install postgresql-client), then try again.")


def _run(command: Sequence[str], engine: Engine) -> None:
    """Run a program of PostgreSQL on the store. The password is given in the environment, where other users of the machine do not see it."""
    done = subprocess.run(list(command), env=_environment(engine), capture_output=True, text=True, encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it gave no reason"])[0]
        raise StoreError(f"{Path(command[0]).name} failed on the store {where(engine)}, so nothing was changed: {said}")


def _environment(engine: Engine) -> Mapping[str, str]:
    url = engine.url
    given = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password, "PGDATABASE": url.database}
    given |= {name: url.query[key] for key, name in _SETTINGS.items() if key in url.query}
    return {**os.environ, **{name: str(value) for name, value in given.items() if value}}
