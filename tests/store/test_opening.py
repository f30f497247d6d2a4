"""Opening a store: made, upgraded or refused with a sentence; from any folder; and what SQLite is told."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, make_url

import revscore.store.engine as engine
from revscore.store import Store, StoreError, default_url, tables
from revscore.store.migrations import VERSION_TABLE
from revscore.ui.startup import store_refused

from .conftest import crm, load

ACCOUNTS = {"account_id": ["A"]}


def test_migrations_make_the_tables_of_tables_py(store):
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_a_store_opens_again_with_all_it_has(place):
    for _ in range(2):
        store = Store(place)
        result = load(store, crm("2026-03-02", accounts=ACCOUNTS))
        store.close()
    assert result.status == "already_loaded"


def test_many_may_open_a_new_store_at_once(place):
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda _: Store(place), range(6)))
    for store in stores:
        assert store.datasets() == ()
        store.close()


def test_a_store_opens_from_any_folder(tmp_path):
    (tmp_path / "100% elsewhere").mkdir()
    script = "from revscore.store import Store; s = Store('new.sqlite'); print(s.dataset('company').name)"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path / "100% elsewhere", capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(Path(engine.__file__).parents[2])})
    assert done.stdout.split() == ["company"] and (tmp_path / "100% elsewhere" / "new.sqlite").exists()


def test_where_the_store_is_when_nobody_says(monkeypatch, tmp_path):
    monkeypatch.setenv("REVSCORE_DB", str(tmp_path / "named.sqlite"))
    Store().close()
    assert (tmp_path / "named.sqlite").exists()
    monkeypatch.delenv("REVSCORE_DB")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "__file__", str(tmp_path / "lib" / "revscore" / "store" / "engine.py"))
    assert Path(default_url()) == tmp_path / "data" / "revscore.sqlite" and (tmp_path / "data").is_dir()


def test_a_store_of_a_newer_revscore_is_refused(place):
    store = Store(place)
    with store._engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    store.close()
    with pytest.raises(StoreError, match=r"newer revscore \(schema 9999; this one knows up to \d+\); upgrade revscore"):
        Store(place)


def test_a_store_that_says_it_is_older_than_its_tables_is_refused(tmp_path):
    Store(tmp_path / "store.sqlite").close()
    with sqlite3.connect(tmp_path / "store.sqlite") as altered:
        altered.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0003'")
    altered.close()
    with pytest.raises(StoreError, match=r"not as revscore made them \(table .* already exists\); restore it from a backup"):
        Store(tmp_path / "store.sqlite")


def test_places_that_are_no_store_are_refused(tmp_path):
    with pytest.raises(StoreError, match="folder .*nowhere for the store does not exist"):
        Store(tmp_path / "nowhere" / "store.sqlite")
    with pytest.raises(StoreError, match="is a folder"):
        Store(tmp_path)
    (tmp_path / "notes.txt").write_text("not a database, " * 100, encoding="utf-8")
    with pytest.raises(StoreError, match="not a SQLite database"):
        Store(tmp_path / "notes.txt")
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE recipes (id INTEGER)")
    other.close()
    with pytest.raises(StoreError, match="database of another program"):
        Store(tmp_path / "other.sqlite")
    with pytest.raises(StoreError, match="in memory"):
        Store("sqlite://")
    with pytest.raises(StoreError, match="no address of a store"):
        Store("oraclemysql://host/db")
    with pytest.raises(StoreError, match="not in mysql"):
        Store("mysql+pymysql://host/db")


def test_a_server_that_is_not_there_is_a_sentence_without_the_password():
    with pytest.raises(StoreError) as refused:
        Store("postgresql://ann:secret@127.0.0.1:1/none")
    assert "secret" not in str(refused.value) and "\n" not in str(refused.value)


def test_a_locked_store_says_so_and_works_again(tmp_path):
    store = Store(tmp_path / "store.sqlite", wait=0.1)
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="in use by another program, so nothing was saved"):
        load(store, crm("2026-03-02", accounts=ACCOUNTS))
    assert store.loads("company") == ()
    other.execute("ROLLBACK")
    other.close()
    assert load(store, crm("2026-03-02", accounts=ACCOUNTS)).status == "loaded"
    store.close()


def test_a_read_only_store_can_be_read_and_says_why_it_cannot_be_written(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    load(store, crm("2026-03-02", accounts=ACCOUNTS))
    store.close()
    store = Store(f"sqlite:///file:{(tmp_path / 'store.sqlite').as_posix()}?mode=ro&uri=true")
    assert store.data("company").tables["accounts"]["account_id"].tolist() == ["A"]
    with pytest.raises(StoreError, match="read-only, so nothing was saved"):
        load(store, crm("2026-03-09", accounts=ACCOUNTS))
    store.close()


def told(server: str, setting: str) -> str:
    """The address with one more setting of the session."""
    url = make_url(server)
    return url.update_query_dict({"options": f"{url.query['options']} -c{setting}"}).render_as_string(hide_password=False)


def test_a_write_waits_for_another_one_on_postgresql_too_and_not_forever(server):
    store, hasty = Store(server), Store(server, wait=0.1)
    with engine.writing(store._engine), pytest.raises(StoreError, match="in use by another program, so nothing was saved"):
        hasty.dataset("company")
    assert hasty.dataset("company") == store.dataset("company")
    for one in (store, hasty):
        one.close()


@pytest.mark.parametrize(("setting", "sentence"), [("default_transaction_read_only=on", "read-only, so nothing was saved"),
                                                   ("role=pg_read_all_data", r"lacks a right there, so nothing was saved \(permission denied for table")])
def test_a_store_on_postgresql_that_may_only_be_read_is_read_and_says_why_it_cannot_be_written(server, setting, sentence):
    store = Store(server)
    load(store, crm("2026-03-02", accounts=ACCOUNTS))
    seen = Store(told(server, setting))
    assert seen.data("company").tables["accounts"]["account_id"].tolist() == ["A"]
    with pytest.raises(StoreError, match=sentence):
        load(seen, crm("2026-03-09", accounts=ACCOUNTS))
    assert len(store.loads("company")) == 1
    for one in (store, seen):
        one.close()


def test_places_on_postgresql_where_no_store_can_be_made_are_refused(server):
    with pytest.raises(StoreError, match=r"lacks a right there, so nothing was saved \(permission denied for schema"):
        Store(told(server, "role=pg_read_all_data"))
    with pytest.raises(StoreError, match="has no schema to make tables in"):
        Store(told(server, "search_path=nowhere"))
    other = create_engine(server)
    with other.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE terms (id INTEGER)")
    other.dispose()
    with pytest.raises(StoreError, match=r'database of another program \(relation "terms" already exists\)'):
        Store(server)


def test_a_full_disk_says_so_and_the_store_works_again(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    big = crm("2026-03-02", accounts={"account_id": [f"{n * 7919 % 100_003:x}" for n in range(50_000)]})
    with store._engine.connect() as connection:  # the file may not grow: what SQLite does when the disk is full
        size = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {size + 5}")
    with pytest.raises(StoreError, match="disk is full, so nothing was saved"):
        load(store, big)
    assert store.loads("company") == ()
    with store._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert load(store, big).status == "loaded"
    store.close()


def test_sqlite_is_told_to_be_safe(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    with store._engine.connect() as connection:
        told = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "trusted_schema", "mmap_size")}
    assert told == {"journal_mode": "wal" if sqlite3.sqlite_version_info >= (3, 51, 3) else "truncate", "synchronous": 2, "foreign_keys": 1,
                    "busy_timeout": 15_000, "trusted_schema": 0, "mmap_size": 0}
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_a_new_store_is_for_its_owner_alone_and_one_that_others_may_use_says_so(tmp_path, caplog):
    file = tmp_path / "store.sqlite"
    Store(file).close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and not caplog.records
    file.chmod(0o646)
    Store(file).close()
    assert f"Other users of this machine may read and write the store {file}" in caplog.text and "chmod 600" in caplog.text
    assert "every user of this machine may write the store" in store_refused(str(file))[0]
    file.chmod(0o640)
    assert store_refused(str(file)) == store_refused("postgresql://ann@host/db") == store_refused(str(tmp_path / "none")) == ()
