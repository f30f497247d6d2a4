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


@pytest.mark.parametrize("statement", ["UPDATE entries SET verb = 'x'", "DELETE FROM entries",
                                       "INSERT OR REPLACE INTO entries SELECT * FROM entries"])
def test_the_database_refuses_to_change_the_log(store: Store, statement: str) -> None:
    store.append("company", Entry("action", "a", "raised", by="ada"))
    if store._engine.dialect.name != "sqlite" and "REPLACE" in statement:
        pytest.skip("INSERT OR REPLACE is of SQLite")
    with pytest.raises(Exception, match="never changed or removed"), store._engine.begin() as connection:
        connection.execute(text(statement))
    assert len(store.entries("company")) == 1
