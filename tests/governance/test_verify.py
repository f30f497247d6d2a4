"""Publishing keeps what was said; verify finds whatever was changed since; nothing published can be changed through the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from revscore import company
from revscore.cli import main
from revscore.core.coded import Coded
from revscore.core.metrics import CARDS
from revscore.core.receipt import sum_of
from revscore.core.view import View
from revscore.governance import publishing
from revscore.governance.verify import Difference, verify
from revscore.store import Store, StoreError
from tests.people import ANN
from tests.store.conftest import place, server, store as kept  # noqa: F401

from .company import AS_OF, LATER, QUARTER, extract, keep, numbers, one, opened, publish, tables


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path / "store.sqlite")
    yield store
    store.close()


def differences(store: Store) -> list[Difference]:
    """Of the values; the seals are asked for by `seals`."""
    return [found for publication in store.publications("company") for value, some in verify(store, publication) for found in some if value]


def seals(store: Store) -> list[str]:
    return [found.what for publication in store.publications("company") for value, some in verify(store, publication) for found in some if value is None]


def tampered(store: Store, *commands: str) -> None:
    """What somebody with the file in hand can do."""
    with sqlite3.connect(store._engine.url.database) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for command in commands:
            connection.execute(command)


def test_what_is_published_is_kept_as_it_was_said(store):
    publication = publish(store, View.of(QUARTER, owner="Person 1"))
    assert (publication.loads, publication.definitions, publication.as_of, publication.published_by) == ((1,), 0, AS_OF, "ann")
    assert publication.view["where"] == {"owner": ["U1"]}
    values = {value.metric: value for value in store.published(publication.id)}
    won = values["bookings.won_value"]
    assert (won.value, won.receipt["counted"], won.receipt["filters"]) == (1000, 1, [{"dimension": "owner", "ids": ["U1"], "labels": ["Person 1"]}])
    pairs = store.published_pairs(publication.id, won.key)
    assert pairs[["record", "contribution", "day", "owner"]].values.tolist() == [["D0", 1000.0, "2026-03-10", "U1"]]
    assert sum_of(pairs) == won.receipt["sha256"]


def test_later_loads_and_definitions_leave_it_verified(store):
    publish(store)
    rows = tables()
    one(rows["opp_history"], event_id="D2-2")["amount"] = 3500.0
    keep(store, rows, LATER)
    keep(store, rows, AS_OF)
    store.save_terms("company", {"pipeline_entry_stage": "Proposal"}, "ann", "later")
    publish(store)
    assert len(store.publications("company")) == 2 and differences(store) == []


def test_a_review_of_an_earlier_day_is_verified_too(store):
    keep(store, tables(), LATER)
    early = company.coded(store, "company", pd.Timestamp("2026-03-15T00:00:00Z"))
    publication = publish(store, x=early)
    assert publication.loads == (1,) and publication.as_of == early.data.as_of and differences(store) == []


def test_a_changed_value_is_found(store):
    publish(store)
    tampered(store, "UPDATE published_values SET value = value + 1 WHERE metric = 'bookings.won_value'")
    assert {found.label for found in differences(store)} == {"Bookings"} and "is kept, its receipt says" in differences(store)[0].what


def test_a_changed_value_with_a_changed_receipt_is_found(store):
    publish(store)
    tampered(store, "UPDATE published_values SET value = 12345.0, receipt = json_set(receipt, '$.value', 12345.0) WHERE metric = 'bookings.won_value'")
    assert [found.what for found in differences(store)] == ["value 12,345 is published, 10,000 is worked out"] and len(seals(store)) == 1


@pytest.mark.parametrize("content", ["x'00'", "substr(content, 1, length(content) - 5) || x'0001020304'"])  # the second makes text of it that is no text
def test_a_changed_frame_is_found(store, content):
    publication = publish(store)
    won = next(value for value in store.published(publication.id) if value.metric == "bookings.won_value")
    address = f"(SELECT frame_sha256 FROM published_values WHERE key = '{won.key}')"
    tampered(store, f"UPDATE frame_parts SET content = {content} WHERE frame_sha256 = {address}")
    assert "Bookings" in {found.label for found in differences(store)} and "damaged" in differences(store)[0].what


def test_a_frame_that_was_exchanged_is_found(store):
    publication = publish(store)
    tampered(store, "UPDATE published_values SET frame_sha256 = (SELECT frame_sha256 FROM published_values WHERE metric = 'pipeline.open') WHERE metric = 'bookings.won_value'")
    assert [found.what for found in differences(store)] == ["the rows that are kept with it are not those that it is worked out from"]
    assert publication.id == 1


def test_a_load_that_was_changed_is_found(store):
    publish(store)
    keep(store, {**tables(), "opp_history": [{**row, "amount": 1.0} for row in tables()["opp_history"]]}, LATER)
    tampered(store, "UPDATE load_frames SET frame_sha256 = (SELECT frame_sha256 FROM load_frames WHERE load_id = 2 AND name = 'opp_history') WHERE load_id = 1 AND name = 'opp_history'")
    assert "Bookings" in {found.label for found in differences(store)}


def test_a_load_that_is_gone_is_found(store):
    publish(store)
    tampered(store, "UPDATE loads SET id = 77")
    assert differences(store) == [] and any("cannot be worked out again" in what for what in seals(store))


def test_only_extracts_of_the_store_and_numbers_that_there_are_can_be_published(store):
    x = company.coded(store, "company")
    with pytest.raises(StoreError, match="extract in the store"):
        publishing.publish(store, Coded(extract(tables(), AS_OF), x.terms), numbers(), "weekly", "Weekly", View(), ANN)
    from revscore.core.made import Number

    with pytest.raises(StoreError, match="nothing to publish"):
        publishing.publish(store, x, [Number.of(CARDS["attribution.totals_fytd"])], "weekly", "Weekly", View(), ANN)


def test_the_database_refuses_to_change_or_remove_what_is_published(kept):  # noqa: F811
    keep(kept, tables(), AS_OF)
    publish(kept)
    for command in ("UPDATE publications SET title = 'x'", "DELETE FROM publications", "UPDATE published_values SET value = 0", "DELETE FROM published_values"):
        with pytest.raises(DatabaseError, match="never changed or removed"), kept._engine.begin() as connection:
            connection.execute(text(command))
    assert len(kept.published(1)) == len(numbers())


def test_a_file_refuses_to_replace_what_is_published(store):
    """INSERT OR REPLACE: by the key, by the row's number, and of a whole publication."""
    publish(store)
    with sqlite3.connect(store._engine.url.database) as connection:
        for table, columns in (("published_values", ("publication_id", "key")), ("published_values", ("rowid",)), ("publications", ("id",))):
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            own = ", ".join(name if name not in ("publication_id", "key") or name in columns else "'other' || key" if name == "key" else name for name in names)
            into = ("rowid, " if "rowid" in columns else "")
            with pytest.raises(sqlite3.DatabaseError, match="never changed or removed"):
                connection.execute(f"INSERT OR REPLACE INTO {table} ({into}{', '.join(names)}) SELECT {into}{own} FROM {table} LIMIT 1")
            with pytest.raises(sqlite3.DatabaseError, match="never changed or removed"):
                connection.execute(f"REPLACE INTO {table} ({into}{', '.join(names)}) SELECT {into}{own} FROM {table} LIMIT 1")
    assert len(store.published(1)) == len(numbers()) and differences(store) == []


WON = "WHERE metric = 'bookings.won_value' AND publication_id = 1"
TAMPERED = {
    "a value is gone": f"DELETE FROM published_values {WON}",
    "a publication is gone": "DELETE FROM published_values WHERE publication_id = 1; DELETE FROM publications WHERE id = 1",
    "the label of a value": f"UPDATE published_values SET label = 'Pipeline' {WON}",
    "what was shown": f"UPDATE published_values SET receipt = json_set(receipt, '$.shown', '$99k') {WON}",
    "how many counted": f"UPDATE published_values SET receipt = json_set(receipt, '$.counted', 99) {WON}",
    "the loads of a receipt": f"UPDATE published_values SET receipt = json_set(receipt, '$.loads', json('[7]')) {WON}",
    "the definitions of a receipt": f"UPDATE published_values SET receipt = json_set(receipt, '$.digest', 'x') {WON}",
    "a part of a derived number": "UPDATE published_values SET receipt = json_set(receipt, '$.parts[0].value', 1e6) WHERE metric = 'velocity.sales_velocity' AND publication_id = 1",
    "the order of values": f"UPDATE published_values SET place = 99 {WON}",
    "who published": "UPDATE publications SET published_by = 'bob' WHERE id = 1",
    "when it was published": "UPDATE publications SET published_at = '2020-01-01 00:00:00.000000' WHERE id = 1",
    "the definitions of a publication": "UPDATE publications SET digest = 'x' WHERE id = 1",
    "the title of a publication": "UPDATE publications SET title = 'Board' WHERE id = 1",
    "the seal": "UPDATE publications SET seal = 'x' WHERE id = 1",
}


@pytest.mark.parametrize("what", TAMPERED)
def test_whatever_is_changed_in_the_file_is_found(store, what):
    publish(store)
    publish(store)
    assert seals(store) == [] and differences(store) == []
    tampered(store, *TAMPERED[what].split("; "))
    assert seals(store)
    assert main(["verify", "--store", str(store._engine.url.database)]) == 4


def test_receipts_are_compared_whole_also_under_a_seal_that_was_made_anew(store):
    """Values are worked out again: who can also make seals cannot change what is said of the records."""
    publish(store)
    for name, path in (("shown", "$.shown"), ("counted", "$.counted"), ("digest", "$.digest"), ("loads", "$.loads"), ("label", "$.label")):
        tampered(store, f"UPDATE published_values SET receipt = json_set(receipt, '{path}', 'x') {WON}")
        assert any(f"its receipt says {name} x" in found.what for found in differences(store)), name
    tampered(store, "UPDATE published_values SET receipt = json_set(receipt, '$.parts[0].value', 1e6) WHERE metric = 'velocity.sales_velocity'")
    assert any("says value 1,000,000" in found.what for found in differences(store))


def test_a_seal_that_was_noted_shows_that_the_last_publication_is_gone(store, capsys):
    publish(store)
    last, file = publish(store).seal, str(store._engine.url.database)
    assert main(["verify", "--store", file, "--seal", last]) == 0
    tampered(store, "DELETE FROM published_values WHERE publication_id = 2", "DELETE FROM publications WHERE id = 2")
    assert main(["verify", "--store", file, "--publication", "1"]) == 0, "a chain of seals that lost its end is whole"
    assert main(["verify", "--store", file]) == 4 and "row removed: publications 2" in capsys.readouterr().out, "but an act of the log tells"
    assert main(["verify", "--store", file, "--seal", last]) == 4 and f"seal {last}: there is no publication with it" in capsys.readouterr().out


@pytest.mark.parametrize("review", ["weekly", "monthly"])
def test_an_export_has_a_receipt_of_everything_that_its_review_publishes(store, review, tmp_path):
    file = str(store._engine.url.database)
    assert main(["publish", "--store", file, "--review", review]) == 0
    assert main(["export", "--store", file, "--review", review, str(tmp_path / "book.xlsx")]) == 0
    book = load_workbook(tmp_path / "book.xlsx")
    head, *rows = book["Receipts"].iter_rows(values_only=True)
    exported = {(row[head.index("Metric")], row[head.index("Measure")], row[head.index("Number")], row[head.index("SHA-256")]) for row in rows}
    published = {(value.metric, value.measure, value.label, value.receipt["sha256"]) for value in store.published(1)}
    assert published <= exported and (review == "monthly" or any("Pipeline, seven days" in label for _, _, label, _ in published))
    facts = dict(book["Receipt"].iter_rows(min_row=2, values_only=True))
    assert facts["loads"] == "1" and facts["definitions version"] == "0" and store.publications("company")[0].seal in facts["last publication"]
