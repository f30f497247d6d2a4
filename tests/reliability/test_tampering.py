"""The quick form of `tampering`: each kind once, on both engines; and what the audit log says of a store in use."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from revscore.store import Anchor, Store, StoreError, tables
from revscore.store.checked import KINDS
from tests.reliability.tampering import ONLY_WITH_ANCHOR, TAMPERED, filled, run
from tests.store.conftest import place, server, store  # noqa: F401


def test_each_kind_is_named_and_only_two_need_the_anchor(place):  # noqa: F811
    store = filled(place)
    assert run(store, rounds=1) == {kind: (1, int(kind not in ONLY_WITH_ANCHOR)) for kind in TAMPERED}
    store.close()
    assert {name for name, _ in TAMPERED.values()} == set(KINDS), "every kind is tried"


def test_every_act_is_noted_with_who_did_it_and_in_order(store: Store):  # noqa: F811
    store.save_terms("company", {"a": 1}, "ann", "x")
    store.save_terms("company", {"a": 1}, "bob", "the same again is no act")
    with store._engine.connect() as connection:
        acts = connection.execute(text("SELECT seq, actor, action FROM audit ORDER BY seq")).all()
    assert [tuple(act) for act in acts] == [(1, "revscore", "chain begun"), (2, "ann", "data set made"), (3, "ann", "terms saved")]
    assert store.anchor().seq == 3 and store.tampering([store.anchor(), Anchor.of(str(store.anchor()))]) == ()


def test_an_act_that_fails_leaves_no_trace(store: Store):  # noqa: F811
    before = store.anchor()
    with pytest.raises(ZeroDivisionError), store.together() as one:
        one.save_terms("company", {"a": 1}, "ann", "x")
        1 / 0
    assert store.anchor() == before and store.tampering([before]) == ()


@pytest.mark.parametrize("table", sorted(tables.metadata.tables))
def test_no_table_of_a_file_takes_a_change(table, filled_once):
    column = next(column.name for column in tables.metadata.tables[table].columns)
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"):
        with pytest.raises(DatabaseError, match="never changed or removed"), filled_once._engine.begin() as connection:
            connection.execute(text(statement))


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory):
    store = filled(tmp_path_factory.mktemp("filled") / "store.sqlite")
    yield store
    store.close()


def test_no_table_on_postgresql_takes_a_change(server):  # noqa: F811
    store = filled(server)
    for table in tables.metadata.tables:
        column = next(column.name for column in tables.metadata.tables[table].columns)
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(DatabaseError, match="never changed or removed"), store._engine.begin() as connection:
                connection.execute(text(statement))
    store.close()


@pytest.mark.parametrize("text", ["", "7", "7:abc", "x:" + "0" * 64, "7:" + "g" * 64, "²:" + "0" * 64, "9" * 40 + ":" + "0" * 64])
def test_what_is_no_anchor_is_refused_in_a_sentence(text):
    with pytest.raises(StoreError, match="is no anchor"):
        Anchor.of(text)
