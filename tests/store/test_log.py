"""The log: entries are only ever added, a version has one winner, several are there together or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from revscore.store import Entry, Overtaken, Store


def test_entries_come_back_in_their_order_with_who_and_when(store: Store) -> None:
    first, second = store.append("company", Entry("action", "a", "raised", {"title": "Ring them"}, "ada"), Entry("action", "a", "done", by="bob"))
    assert (first.version, second.version) == (1, 2) and first.at == second.at and first.at.tz is not None
    store.append("company", Entry("decision", "d", "raised", by="ada"))
    assert [(one.record, one.verb, one.by) for one in store.entries("company")] == [("a", "raised", "ada"), ("a", "done", "bob"), ("d", "raised", "ada")]
    assert [one.fields for one in store.entries("company", "action")] == [{"title": "Ring them"}, {}]
    assert store.entries("company", "action", "b") == () and store.entries("sample") == ()
    assert store.last_entry("company") == store.entries("company")[-1].id and store.last_entry("company", "action") == second.id and store.last_entry("sample") == 0


def test_a_version_that_another_has_written_is_refused_with_all_that_came_with_it(store: Store) -> None:
    store.append("company", Entry("action", "a", "raised", by="ada", version=1))
    with pytest.raises(Overtaken, match="ada has changed this"):
        store.append("company", Entry("decision", "d", "raised", by="bob", version=1), Entry("action", "a", "raised", by="bob", version=1))
    assert [one.record for one in store.entries("company")] == ["a"]


def test_of_many_who_write_the_same_version_at_once_one_wins(store: Store) -> None:
    def write(number: int) -> bool:
        try:
            return bool(store.append("company", Entry("action", "a", "done", {"by": number}, f"user {number}", 1)))
        except Overtaken:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(16))) == 1
    assert len(store.entries("company")) == 1


def test_the_database_refuses_to_change_the_log(store: Store) -> None:
    store.append("company", Entry("action", "a", "raised", by="ada"))
    own = {"sqlite": "INSERT OR REPLACE INTO entries SELECT * FROM entries", "postgresql": "TRUNCATE entries"}[store._engine.dialect.name]
    again = "INSERT INTO entries SELECT * FROM entries WHERE true ON CONFLICT (id) DO UPDATE SET verb = 'x'"
    for statement in ("UPDATE entries SET verb = 'x'", "DELETE FROM entries", again, own):
        with pytest.raises(Exception, match="never changed or removed"), store._engine.begin() as connection:
            connection.execute(text(statement))
    assert [one.verb for one in store.entries("company")] == ["raised"]


def test_many_who_write_records_of_their_own_at_once_all_get_through_in_one_order(store: Store) -> None:
    def write(number: int) -> None:
        for step in range(3):
            store.append("company", Entry("action", f"a{number}", f"step {step}"), Entry("decision", "all", f"of {number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    log = store.entries("company")
    assert len(log) == 48 and [one.at for one in log] == sorted(one.at for one in log)
    assert [one.version for one in log if one.record == "all"] == list(range(1, 25))
    assert all([one.verb for one in log if one.record == f"a{number}"] == ["step 0", "step 1", "step 2"] for number in range(8))
    assert all(first.record != "all" and second.record == "all" and first.at == second.at for first, second in zip(log[::2], log[1::2], strict=True)), "an append is never torn"


def test_a_record_is_named_after_ids_of_any_length_and_script(store: Store) -> None:
    records = ["required_missing|opportunity|5f0c6f0e-1c1e-4a70-9d52-3d8c1f0b9f3a|close_date", "owner|lead|" + "日本🏢" * 100]
    for record in records:
        store.append("company", Entry("exception", record, "assigned", {"note": "a\0b \u2028 \"x\""}, "ada", 1))
    assert [(one.record, one.fields) for one in store.entries("company")] == [(record, {"note": "a\0b \u2028 \"x\""}) for record in records]
    assert len(store.entries("company", "exception", records[1])) == 1
