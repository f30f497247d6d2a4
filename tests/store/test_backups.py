"""Backups: made under writes, whole, checked; restored only when whole and when nobody uses the store; the old store stays."""

from __future__ import annotations

import json
import sqlite3
import stat
import sys
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import create_engine, text

from revscore.cli import main
from revscore.store import Anchor, Entry, Store, StoreError, backups, migrations, postgres
from revscore.store.checked import content
from tests.reliability.tampering import filled

from .conftest import crm, load, same


def held(store: Store) -> str:
    with store._engine.connect() as connection:
        return content(connection)


@pytest.fixture
def target(place, tmp_path) -> Path:
    """Where the backup of the store at `place` goes."""
    return tmp_path / ("backup.sqlite" if isinstance(place, Path) else "backup.dump")


def test_a_backup_that_is_made_under_writes_is_a_state_of_the_store_and_comes_back_as_it_was(place, target):
    store, stopped, done = filled(place), Event(), []

    def write() -> None:
        while not stopped.is_set() or not done:
            store.append("company", Entry("action", f"w{len(done)}", "raised", {}, "eve"), Entry("decision", f"w{len(done)}", "raised", {}, "eve"))
            done.append(store.anchor())

    writer = Thread(target=write)
    writer.start()
    try:
        _, made = store.backup(target, "ann")
    finally:
        stopped.set()
        writer.join()
    anchor = Anchor.of(made.anchor)
    assert made.schema == max(migrations.known()) and made.made_by == "ann" and store.tampering([anchor]) == () and anchor.seq <= store.anchor().seq
    assert backups.check(target) == made
    last, before = store.anchor(), store.data("company")
    store.close()
    again, old = backups.restore(target, place, "bob", [anchor])
    assert again == made and old
    store = Store(place)
    assert held(store) == made.content_sha256 and store.tampering([anchor]) == () and store.anchor().seq == anchor.seq + 1
    same(store.data("company"), before)
    told = {one.kind for one in store.tampering([last])}
    assert told <= {"end cut off", "chain rewritten"} and (told or last.seq == anchor.seq), "what came after the backup is not in it, and its anchor tells"
    actions = [entry for entry in store.entries("company") if entry.record.startswith("w")]
    assert len(actions) % 2 == 0, "an append is in a backup whole or not at all"
    assert load(store, crm("2026-05-04", accounts={"account_id": ["Z"]})).status == "loaded" and store.tampering() == ()
    store.close()


def test_a_restore_is_refused_while_the_store_is_in_use_and_leaves_it_as_it_is(place, target):
    store = filled(place)
    store.backup(target, "ann")
    before = store.anchor()
    with pytest.raises(StoreError, match="in use by revscore"):
        backups.restore(target, place, "ann")
    assert store.anchor() == before and store.tampering([before]) == ()
    store.close()


def test_a_restore_is_refused_while_another_program_writes(tmp_path):
    store = filled(tmp_path / "store.sqlite")
    file, _ = store.backup(by="ann")
    store.close()
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="in use by another program"):
        backups.restore(file, tmp_path / "store.sqlite", "ann")
    other.execute("ROLLBACK")
    other.close()
    backups.restore(file, tmp_path / "store.sqlite", "ann")
    assert not list(tmp_path.glob("*.restoring"))


def test_a_store_that_is_being_restored_does_not_open(tmp_path):
    from revscore.store import in_use

    with in_use.alone(tmp_path / "store.sqlite"), pytest.raises(StoreError, match="being restored from a backup just now"):
        Store(tmp_path / "store.sqlite")
    Store(tmp_path / "store.sqlite").close()


def test_a_backup_takes_the_place_of_a_damaged_or_missing_store(tmp_path):
    store = filled(tmp_path / "store.sqlite")
    file, made = store.backup(tmp_path / "safe" / "monday.sqlite", "ann")
    store.close()
    (tmp_path / "store.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    (tmp_path / "store.sqlite-journal").write_bytes(b"what an interrupted write left")
    _, old = backups.restore(file, tmp_path / "store.sqlite", "ann")
    assert Path(old).read_bytes().endswith(b"\xff") and not (tmp_path / "store.sqlite-journal").exists() or (tmp_path / "store.sqlite-journal").stat().st_size == 0
    for name in ("store.sqlite", "new.sqlite"):
        _, old = backups.restore(file, tmp_path / name, "ann")
        store = Store(tmp_path / name)
        assert held(store) == made.content_sha256 and store.tampering() == () and bool(old) == (name == "store.sqlite")
        store.close()


@pytest.mark.parametrize("damage", ["a bit", "its end", "no manifest", "no JSON", "another file", "newer"])
def test_a_backup_that_is_not_what_was_made_is_refused(tmp_path, damage):
    store = filled(tmp_path / "store.sqlite")
    file, made = store.backup(by="ann")
    store.close()
    manifest, whole = backups.manifest_of(file), file.read_bytes()
    before = (tmp_path / "store.sqlite").read_bytes()
    match damage:
        case "a bit":
            file.write_bytes(whole[:70_000] + bytes([whole[70_000] ^ 1]) + whole[70_001:])
        case "its end":
            file.write_bytes(whole[:-4096])
        case "no manifest":
            manifest.unlink()
        case "no JSON":
            manifest.write_text("{", encoding="utf-8")
        case "another file":
            Store(tmp_path / "other.sqlite").close()
            file.write_bytes((tmp_path / "other.sqlite").read_bytes())
        case "newer":
            manifest.write_text(json.dumps({**json.loads(manifest.read_text(encoding="utf-8")), "schema": "9999"}), encoding="utf-8")
    with pytest.raises(StoreError, match="another sum|no manifest|manifest .* cannot be read|newer revscore"):
        backups.restore(file, tmp_path / "store.sqlite", "ann")
    assert (tmp_path / "store.sqlite").read_bytes() == before


def test_a_backup_with_a_manifest_made_to_fit_is_refused_by_its_audit_log(tmp_path):
    store = filled(tmp_path / "store.sqlite")
    file, made = store.backup(by="ann")
    store.close()
    with sqlite3.connect(file) as other:
        other.execute("DROP TRIGGER entries_no_update")
        other.execute("UPDATE entries SET verb = 'x' WHERE id = 1")
    other.close()
    manifest = backups.manifest_of(file)
    _, _, _, found = backups._looked_at(file)
    told = {**json.loads(manifest.read_text(encoding="utf-8")), "sha256": backups.sha256_of(file), "content_sha256": backups._looked_at(file)[0]}
    manifest.write_text(json.dumps(told), encoding="utf-8")
    assert {one.kind for one in found} == {"row changed", "guard dropped"}
    with pytest.raises(StoreError, match="not as its audit log says"):
        backups.restore(file, tmp_path / "store.sqlite", "ann")
    backups.restore(file, tmp_path / "store.sqlite", "ann", as_it_is=True)


def test_a_store_that_was_tampered_with_is_backed_up_only_when_asked_to(tmp_path):
    store = filled(tmp_path / "store.sqlite")
    with sqlite3.connect(tmp_path / "store.sqlite") as other:
        other.execute("DROP TRIGGER entries_no_delete")
    other.close()
    with pytest.raises(StoreError, match="python -m revscore verify lists it"):
        store.backup(tmp_path / "b.sqlite", "ann")
    assert not list(tmp_path.glob("b.sqlite*"))
    assert store.backup(tmp_path / "b.sqlite", "ann", as_it_is=True)[1].bytes
    store.close()


def test_an_earlier_schema_is_restored_and_brought_up(tmp_path):
    from .test_migrations import made_earlier

    full = filled(tmp_path / "full.sqlite")
    made_earlier(tmp_path / "old.sqlite", "0004", full)
    full.close()
    from revscore.store.engine import open_engine

    engine = open_engine(tmp_path / "old.sqlite", 1)
    made = backups.make(engine, tmp_path / "b.sqlite", "ann")
    engine.dispose()
    assert (made.schema, made.anchor) == ("0004", "")
    backups.restore(tmp_path / "b.sqlite", tmp_path / "new.sqlite", "ann")
    store = Store(tmp_path / "new.sqlite")
    assert store.tampering() == () and store.anchor().seq == 2 and len(store.loads("company")) == 3
    store.close()


def test_fourteen_daily_and_eight_weekly_backups_stay(tmp_path):
    newest = datetime(2026, 11, 22, 7)
    for day in range(120):
        for hour in (0, 5):
            name = f"revscore-{newest - timedelta(days=day, hours=hour):%Y%m%d-%H%M%S}.sqlite"
            (tmp_path / name).touch()
            (tmp_path / f"{name}.json").touch()
    (tmp_path / "monday.sqlite").touch()
    backups.keep(tmp_path)
    left = sorted(path.name for path in tmp_path.glob("revscore-*.sqlite"))
    days = {name[9:17] for name in left}
    assert (tmp_path / "monday.sqlite").exists() and len(left) == len(days) == len(list(tmp_path.glob("*.json")))
    assert days >= {f"{newest - timedelta(days=day):%Y%m%d}" for day in range(14)} and len(left) == 14 + 6, "two of the eight weeks are among the fourteen days"
    assert all(name.endswith("-070000.sqlite") for name in left), "the newest of a day"
    assert min(days) == "20261004", "the Sunday of the eighth week"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_only_its_owner_can_read_a_backup(tmp_path):
    store = filled(tmp_path / "store.sqlite")
    file, _ = store.backup(by="ann")
    store.close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_commands(tmp_path, capsys):
    place = str(tmp_path / "store.sqlite")
    filled(place).close()
    assert main(["backup", "--store", place, "--keep"]) == 0
    told = capsys.readouterr().out
    [file] = (tmp_path / "backups").glob("*.sqlite")
    anchor = told.splitlines()[-1].partition(": ")[2]
    assert str(file) in told and main(["restore", "--store", place, str(file), "--check", "--anchor", anchor]) == 0
    assert main(["verify", "--store", place, "--anchor", anchor]) == 4 and "all of the store is what they wrote" in (told := capsys.readouterr().out) and "no question any more" in told
    assert main(["restore", "--store", place, str(file)]) == 0 and "is now" in capsys.readouterr().err
    assert main(["restore", "--store", place, str(file), "--anchor", f"99:{'0' * 64}"]) == 2 and "end was cut off" in capsys.readouterr().err
    assert main(["backup", "--store", place, str(file)]) == 2 and "there already" in capsys.readouterr().err
    assert main(["backup", "--store", place, "--keep", "many"]) == 2
    assert main(["restore", "--store", place, str(tmp_path / "none.sqlite")]) == 2 and "There is no file" in capsys.readouterr().err


def test_a_dump_of_postgresql_that_does_not_hold_what_it_should_leaves_the_schema_as_it_was(server, tmp_path):
    store = filled(server)
    file, _ = store.backup(tmp_path / "b.dump", "ann")
    manifest = backups.manifest_of(file)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text(encoding="utf-8")), "content_sha256": "0" * 64}), encoding="utf-8")
    before = store.anchor()
    store.close()
    with pytest.raises(StoreError, match="does not hold what its manifest says"):
        backups.restore(file, server, "ann")
    store = Store(server)
    assert store.anchor() == before and store.tampering([before]) == ()
    store.close()


def test_without_the_programs_of_postgresql_a_sentence_says_which(server, tmp_path, monkeypatch):
    store = Store(server)
    monkeypatch.setattr(postgres.shutil, "which", lambda _: None)
    monkeypatch.setattr(postgres, "Path", lambda *_: tmp_path)
    with pytest.raises(StoreError, match=r"with pg_dump of PostgreSQL \d+ or newer, which is not on the PATH: install it"):
        store.backup(tmp_path / "b.dump", "ann")
    assert not (tmp_path / "b.dump").exists()
    store.close()


def test_a_schema_on_postgresql_with_tables_of_another_program_is_not_touched(server, tmp_path):
    store = filled(server)
    file, _ = store.backup(tmp_path / "b.dump", "ann")
    store.close()
    other = create_engine(server)
    with other.begin() as connection:
        connection.execute(text("CREATE TABLE recipes (id INTEGER)"))
    other.dispose()
    with pytest.raises(StoreError, match=r"tables of another program \(recipes\)"):
        backups.restore(file, server, "ann")
