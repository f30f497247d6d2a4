"""Brings a store to the schema of this revscore, when it is opened, in one transaction. One file per step in `versions/`."""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from revscore.store.engine import StoreError, reading, where, writing

VERSION_TABLE = "revscore_schema"
WITH_AUDIT = "0005"  # the first schema with an audit log
_one_at_a_time = threading.Lock()  # Alembic keeps its context in the module


def upgrade(engine: Engine) -> None:
    """Make or upgrade the tables of the store.

    Raises
    ------
    StoreError
        when the store was made by a newer revscore, or is the database of another program.
    """
    config = _config()
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    with reading(engine) as connection:
        if revision(connection) == head:
            return
    with _one_at_a_time, writing(engine) as connection:
        found = revision(connection)  # once more: another one may have upgraded it meanwhile
        if found is None and engine.dialect.name == "sqlite" and inspect(connection).get_table_names():
            raise StoreError(f"{where(engine)} is the database of another program; name another file for the store.")
        if found is not None and found not in known():
            raise StoreError(f"The store {where(engine)} was written by a newer revscore (schema {found}; this one knows up to {head}); "
                             "upgrade revscore to open it.")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def revision(connection: Connection) -> str | None:
    """The schema of a store; None where there is none."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def known() -> frozenset[str]:
    """The schemas that this revscore can open."""
    return frozenset(step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
