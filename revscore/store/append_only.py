"""Tables that only grow: the database itself refuses to change, replace or remove their rows. The migrations set the guards, `checked.py` looks whether they stand."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, inspect, text

_WORDS = "what is kept is never changed or removed"
_FUNCTION = "revscore_append_only"
_RAISES = f" BEGIN RAISE EXCEPTION '%: {_WORDS}', TG_TABLE_NAME; END "


def guard(connection: Connection, *tables: str) -> None:
    """Set the guards of `tables` anew; inside a migration. Needed again for a table that a migration has made or moved."""
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${_RAISES}$$"))
    for table in tables:
        for name, statement in statements(connection, table).items():
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}" + ("" if connection.dialect.name == "sqlite" else f" ON {table}")))
            connection.execute(text(statement))
            if connection.dialect.name != "sqlite":
                connection.execute(text(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"))


def statements(connection: Connection, table: str) -> Mapping[str, str]:
    """Name of a trigger -> the statement that makes it."""
    if connection.dialect.name != "sqlite":
        return {f"{table}_append_only": f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"}
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table}: {_WORDS}'); END"
    look = inspect(connection)
    unique = [look.get_pk_constraint(table)["constrained_columns"], *sorted(one["column_names"] for one in look.get_unique_constraints(table))]
    # INSERT OR REPLACE removes the row that is in its way without asking the trigger on DELETE
    taken = " OR ".join(["rowid = NEW.rowid", *("(" + " AND ".join(f'"{name}" = NEW."{name}"' for name in names) + ")" for names in unique)])
    return {f"{table}_no_update": f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {refuse}",
            f"{table}_no_delete": f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
            f"{table}_no_replace": f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) {refuse}"}


def foreign(connection: Connection, table: str) -> tuple[str, ...]:
    """Triggers of `table` that are none of revscore's."""
    query = ("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table" if connection.dialect.name == "sqlite" else
             "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND NOT tgisinternal")
    return tuple(sorted({name for (name,) in connection.execute(text(query), {"table": table})} - set(statements(connection, table))))


def missing(connection: Connection, table: str) -> tuple[str, ...]:
    """The guards of `table` that do not stand as they were set: gone, changed or switched off."""
    if connection.dialect.name == "sqlite":
        found = {name: sql for name, sql in connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"), {"table": table})}
        return tuple(name for name, statement in statements(connection, table).items() if found.get(name) != statement)
    query = text("SELECT tgname FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE tgrelid = to_regclass(:table) AND tgenabled = 'A' "
                 "AND tgtype = 58 AND prosrc = :raises")  # 58: before UPDATE, DELETE or TRUNCATE, once for a statement
    found = {name for (name,) in connection.execute(query, {"table": table, "raises": _RAISES})}
    return tuple(name for name in statements(connection, table) if name not in found)
