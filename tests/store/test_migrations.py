"""From every earlier schema, with all that it can hold, to the schema of this revscore: nothing is lost, and all of it works."""

from __future__ import annotations

import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pandas as pd
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import delete, insert, inspect, select, text
from sqlalchemy.exc import DatabaseError

from revscore.store import Entry, Overtaken, Person, Publication, PublishedValue, Store, StoreError, append_only, migrations, tables
from revscore.store.engine import open_engine, writing
from revscore.store.migrations import VERSION_TABLE
from tests.reliability.tampering import off

from .conftest import crm, load, same, utc

CONFIG = Config()
CONFIG.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
CONFIG.set_main_option("path_separator", "os")
HEAD, *EARLIER = [step.revision for step in ScriptDirectory.from_config(CONFIG).walk_revisions()]
PAIRS = pd.DataFrame({"record": ["O1"], "amount": [0.1]})
VALUE = PublishedValue("k1", "Bookings", "bookings.won_value", "value", {}, {"grain": "month"}, 0.1, 0.1, None, 1.0, {"counted": 1})


def publication() -> Publication:
    return Publication("company", "weekly", "Weekly review", utc("2026-03-02"), 1, "d" * 64, (1,), {"where": {}}, "ann")


def fill(store: Store) -> None:
    """All that a store can hold, in two data sets."""
    load(store, crm("2026-03-02", accounts={"account_id": ["A"], "name": ["Ärzte 日本 🏢"]}))
    load(store, crm("2026-03-09", accounts={"account_id": ["A", "B"], "name": ["Ärzte 日本 🏢", None]}))
    load(store, crm("2026-03-09", accounts={"account_id": ["S"]}), dataset="sample")
    store.save_terms("company", {"fiscal_year_start": 2}, "ann", "It begins in February")
    store.save_terms("company", {"fiscal_year_start": 4}, "bob", "In April, since this year")
    store.save_mapping("company", "sig", {"Betrag": "opp_history.amount"}, "ann")
    for _ in range(2):
        store.publish(publication(), [(VALUE, PAIRS)])
    store.append("company", Entry("action", "a", "raised", {"title": "日本 🏢 \\ \"x\"", "size": 0.1}, "ada"), Entry("decision", "d", "raised", {}, "ada"))
    store.append("company", Entry("action", "a", "done", by="bob"))
    with store.together() as one:
        one.save_person(Person("ada@x.example", "Ada 日本", ("viewer", "admin"), "U1", "own rows", issuer="https://id.example", subject="1"), "bob")


def kept(store: Store, names: set[str] | None = None) -> dict[str, list[dict]]:
    """All rows of the tables, in their order."""
    with store._engine.connect() as connection:
        return {table.name: [dict(row._mapping) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
                for table in tables.metadata.sorted_tables if names is None or table.name in names}


@pytest.fixture
def full(tmp_path) -> Store:
    """A store of this revscore that holds everything."""
    store = Store(tmp_path / "full.sqlite")
    fill(store)
    yield store
    store.close()


def made_earlier(place, revision: str, full: Store) -> set[str]:
    """A store of the schema `revision` with those rows of `full` that it has tables for, and the acts that wrote them: the names of the tables."""
    engine = open_engine(place, 15)
    with writing(engine) as connection:
        CONFIG.attributes["connection"] = connection
        command.upgrade(CONFIG, revision)
        names = set(inspect(connection).get_table_names()) - {VERSION_TABLE, "audit"}
        for name, rows in kept(full, names).items():
            columns = {column["name"] for column in inspect(connection).get_columns(name)} - {"id"}  # ids are given in order, as they were then
            for row in rows:
                connection.execute(insert(tables.metadata.tables[name]).values({column: row[column] for column in columns}))
        if inspect(connection).has_table("audit"):
            off(connection, ["audit"])
            connection.execute(delete(tables.audit))
            for act in takewhile(lambda act: names.issuperset(act["body"].get("rows", ())), kept(full, {"audit"})["audit"]):
                connection.execute(insert(tables.audit).values(act))
            append_only.guard(connection, "audit")
    engine.dispose()
    return names


@pytest.mark.parametrize("revision", EARLIER)
def test_a_store_of_an_earlier_revscore_is_brought_up_with_all_it_has(place, full, revision):
    names = made_earlier(place, revision, full)
    store = Store(place)
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert context.get_current_revision() == HEAD and compare_metadata(context, tables.metadata) == []
    now, before = kept(store), kept(full)
    assert {name: now[name] for name in names} == {name: before[name] for name in names}
    assert all(now[name] == [] for name in set(now) - names - {"audit"}) and [row["action"] for row in now["audit"]][:1] == ["chain begun"]
    same(store.data("company"), full.data("company"))
    assert store.tampering() == (), "the audit log begins with what was there, or goes on"
    assert [store.broken_seal(one) for one in store.publications("company")] == [()] * (2 if "publications" in names else 0)
    store.close()


@pytest.mark.parametrize("revision", EARLIER)
def test_a_store_that_was_brought_up_works_as_a_new_one(place, full, revision):
    names = made_earlier(place, revision, full)
    store = Store(place)
    assert load(store, crm("2026-03-09", accounts={"account_id": ["A", "B"], "name": ["Ärzte 日本 🏢", None]})).status == "already_loaded"
    assert load(store, crm("2026-03-16", accounts={"account_id": ["A"]})).status == "loaded" and len(store.loads("company")) == 3
    assert store.save_terms("company", {"fiscal_year_start": 1}, "ann", "As the books") == 3
    newest = store.publish(publication(), [(VALUE, PAIRS)])
    assert newest == (3 if "publications" in names else 1) and [store.broken_seal(one) for one in store.publications("company")] == [()] * newest
    version = 3 if "entries" in names else 1
    (entry,) = store.append("company", Entry("action", "a", "reopened", by="cy", version=version))
    assert entry.version == version and store.last_entry("company") == entry.id == len(store.entries("company"))
    with pytest.raises(Overtaken, match="cy has changed this"):
        store.append("company", Entry("action", "a", "done", by="bob", version=version))
    for table, column in (("entries", "verb"), ("publications", "title"), ("published_values", "label")):
        for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="never changed or removed"), store._engine.begin() as connection:
                connection.execute(text(statement))
    assert store.tampering() == ()
    store.close()


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(place, full, monkeypatch):
    names = made_earlier(place, "0001", full)
    with monkeypatch.context() as patched:
        patched.setattr("alembic.op.create_index", lambda *_: 1 / 0)  # in the middle of a step, after a table was made
        with pytest.raises(ZeroDivisionError):
            Store(place)
    engine = open_engine(place, 15)
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == names | {VERSION_TABLE}
        assert connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one() == "0001"
    engine.dispose()
    store = Store(place)
    assert {name: rows for name, rows in kept(store).items() if name in names} == kept(full, names)
    store.close()


_KILLED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from revscore.store import Store
left = int(sys.argv[2])
@event.listens_for(Engine, "before_cursor_execute")
def before(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
Store(sys.argv[1])
print("whole", left)
"""


@pytest.mark.parametrize("moment", [20, 50, 80])
def test_an_upgrade_that_is_killed_is_whole_or_not_begun(place, full, moment):
    names = made_earlier(place, "0001", full)
    done = subprocess.run([sys.executable, "-c", _KILLED, str(place), str(moment)], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode and "whole" not in done.stdout, done.stdout + done.stderr
    engine = open_engine(place, 15)
    with engine.connect() as connection:
        found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one()
        there = set(inspect(connection).get_table_names()) - {VERSION_TABLE}
    engine.dispose()
    assert (found, there) in (("0001", names), (HEAD, set(tables.metadata.tables)))
    store = Store(place)
    assert kept(store, names) == kept(full, names) and store.tampering() == ()
    store.close()


def test_a_refused_newer_schema_is_left_alone(place, full):
    made_earlier(place, HEAD, full)
    engine = open_engine(place, 15)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    for _ in range(2):
        with pytest.raises(StoreError, match="newer revscore"):
            Store(place)
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one() == "9999"
    engine.dispose()
