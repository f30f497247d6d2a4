"""A load is there whole or not at all, once, and readable as of its date."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from revscore.core import schema
from revscore.core.data import CrmData
from revscore.store import LoadFile, NothingLoaded, Store, StoreError, frames, tables

from .conftest import crm, load, same, utc

ACCOUNTS = {"account_id": ["001A", "001B", "0019"], "name": ["Ärzte & Söhne", "日本 🏢", None], "segment": ["SMB", None, "SMB"]}
DEALS = {"opp_id": ["O1", "O2"], "created_at": ["2026-01-05T10:00:00.123456Z", "2026-02-01"], "account_id": ["001A", "001B"]}


def every_type(rows: int = 40) -> CrmData:
    """Every canonical table with every column, a third of the cells missing."""
    random, tables = np.random.default_rng(7), {}
    for name, spec in schema.TABLES.items():
        columns = {}
        for column in spec.columns:
            key = column.name in spec.key
            values = {"ts": pd.Series(utc("2026-01-01") + pd.to_timedelta(random.permutation(rows) * 86_400_000_001, "us")),
                      "date": pd.Series(pd.Timestamp("2026-01-01") + pd.to_timedelta(random.permutation(rows), "D")),
                      "num": pd.Series(random.permutation(rows) / 7 - 2), "bool": pd.Series(random.integers(0, 2, rows) == 1, dtype="boolean"),
                      }.get(column.type, pd.Series([f"{n:03}, “ü”\n'NA'" for n in random.permutation(rows)], dtype="str"))
            columns[column.name] = values if key else values.mask(random.random(rows) < 0.33)
        tables[name] = schema.conform(name, pd.DataFrame(columns))
    return CrmData(tables, utc("2026-03-02T13:00:00.000001"), {"lead_stage_history": "from current stages"})


def shuffled(data: CrmData) -> CrmData:
    return CrmData({name: frame.sample(frac=1, random_state=3).reset_index(drop=True) for name, frame in data.tables.items()}, data.as_of)


def test_every_type_and_every_missing_cell_comes_back(store):
    data = every_type()
    load(store, data)
    back = store.data("company")
    same(back, data)
    assert (back.as_of, back.derived) == (data.as_of, data.derived)


def test_numbers_come_back_bit_by_bit(store):
    data = crm("2026-03-02", campaigns={"campaign_id": list("abcde"), "budget": [0.1 + 0.2, -0.0, 1e308, 5e-324, float("inf")]})
    load(store, data)
    assert store.data("company").tables["campaigns"]["budget"].to_numpy().tobytes() == data.tables["campaigns"]["budget"].to_numpy().tobytes()


def test_absent_column_and_empty_table_stay_what_they_are(store):
    data = crm("2026-03-02", accounts=ACCOUNTS, touches={"touch_id": [], "person_id": [], "campaign_id": [], "occurred_at": []})
    load(store, data)
    back = store.data("company")
    same(back, data)
    assert back.has("touches") and not back.has("accounts.domain") and not back.has("leads")


def test_many_parts_come_back_as_one(store, monkeypatch):
    monkeypatch.setattr(frames, "PART_ROWS", 7)
    data = every_type()
    load(store, data)
    same(store.data("company"), data)


def test_same_rows_again_add_nothing(store):
    data = every_type()
    first = load(store, data)
    again = load(store, shuffled(data), files=[LoadFile("the same.xlsx", "1" * 64)])
    assert (first.status, again.status) == ("loaded", "already_loaded")
    assert again.load_id == first.load_id and f"load {first.load_id}" in again.message and "ann" in again.message
    assert len(store.loads("company")) == 1


@pytest.mark.parametrize("change", [
    {"name": ["Ärzte & Söhne", "日本 🏢", ""]}, {"name": ["Ärzte & Söhn", "e日本 🏢", None]}, {"segment": ["SMB", None, "smb"]},
    {"domain": [None, None, None]}, {"account_id": ["001A", "001B", "0018"]},
])
def test_any_difference_is_another_load(store, change):
    load(store, crm("2026-03-02", accounts=ACCOUNTS))
    assert load(store, crm("2026-03-02", accounts={**ACCOUNTS, **change})).status == "loaded"
    assert len(store.loads("company")) == 2


def test_same_rows_a_week_later_are_a_load_that_shares_its_rows(place, store):
    first, second = load(store, crm("2026-03-02", accounts=ACCOUNTS)), load(store, crm("2026-03-09", accounts=ACCOUNTS))
    assert second.status == "loaded"
    newest, oldest = store.loads("company")
    assert (newest.id, oldest.id) == (second.load_id, first.load_id) and newest.content_sha256 == oldest.content_sha256
    if not str(place).startswith("postgresql"):
        with sqlite3.connect(place) as raw:
            assert raw.execute("SELECT count(*) FROM frames JOIN load_frames ON frame_sha256 = sha256 WHERE name = 'accounts'").fetchone() == (2,)
            assert raw.execute("SELECT count(*) FROM frames").fetchone() == (2,)  # accounts once, the empty ledger once
        raw.close()


def test_the_address_of_rows_is_fixed():
    """Loads written by an earlier revscore must be recognised by a later one: this number never changes."""
    data = crm("2026-03-02", opportunities=DEALS, campaigns={"campaign_id": ["c", "a"], "budget": [1.5, None], "start_date": ["2026-01-01", None]},
               users={"user_id": ["u2", "u1", "u3"], "name": ["Zoë", None, ""], "is_active": [True, None, False]})
    packed = {name: frames.pack_table(name, frame) for name, frame in data.tables.items()}
    assert frames.content_sha256(packed) == "a71217d4f54bacb09d8558650015380582125ecd16fbacd060ea910f5a6ab14b"


def test_what_a_load_says_about_itself(store):
    sheets = pd.DataFrame({"file": ["a.xlsx"], "read": [5], "kept": [3], "quarantined": [2]})
    findings = pd.DataFrame({"row": pd.array([4, None], dtype="Int64"), "text": ["1.2.26", None], "reason": ["day or month first?", "orphan"]})
    result = load(store, crm("2026-03-02", {"opportunities": "note"}, accounts=ACCOUNTS, opportunities=DEALS), sheets=sheets, findings=findings,
                  rows_read=5, rows_kept=3, rows_quarantined=2, files=[LoadFile("a.xlsx", "a" * 64), LoadFile("b.csv", "b" * 64)],
                  terms_hints={"opp_stages": ["Offen", "Gewonnen"]}, mapping={"sig": {"Betrag": "opp_history.amount"}})
    (info,) = store.loads("company")
    assert info.id == result.load_id and info.dataset == "company" and info.state == "loaded" and info.loaded_by == "ann"
    assert info.as_of == utc("2026-03-02") and abs(info.loaded_at - pd.Timestamp.now("UTC")) < pd.Timedelta("1min")
    assert info.files == (LoadFile("a.xlsx", "a" * 64), LoadFile("b.csv", "b" * 64))
    assert info.table_rows == {"accounts": 3, "opportunities": 2} and (info.rows_read, info.rows_kept, info.rows_quarantined) == (5, 3, 2)
    assert info.derived == {"opportunities": "note"} and info.terms_hints == {"opp_stages": ["Offen", "Gewonnen"]}
    assert info.mapping == {"sig": {"Betrag": "opp_history.amount"}}
    assert "3 accounts, 2 opportunities" in result.message and "2 of 5 rows" in result.message
    back = store.ledger(result.load_id)
    pd.testing.assert_frame_equal(back[0], sheets)
    pd.testing.assert_frame_equal(back[1], findings)
    with pytest.raises(NothingLoaded, match="no load 99"):
        store.ledger(99)


def test_each_table_comes_from_the_newest_load_that_delivered_it(store):
    monday = crm("2026-03-02", {"accounts": "guessed"}, accounts=ACCOUNTS, opportunities=DEALS)
    deals = crm("2026-03-09", opportunities={**DEALS, "opp_id": ["O1", "O3"]})
    load(store, monday)
    load(store, deals)
    now = store.data("company")
    same(now, monday.with_tables(**deals.tables))
    assert now.as_of == utc("2026-03-09") and now.derived == {"accounts": "guessed"}
    before = store.data("company", as_of=utc("2026-03-08T23:59:59"))
    same(before, monday)
    assert before.as_of == utc("2026-03-02")


def test_an_older_extract_that_comes_late_does_not_replace_a_newer_one(store):
    new, old = crm("2026-03-09", accounts=ACCOUNTS), crm("2026-03-02", accounts={"account_id": ["X"]}, opportunities=DEALS)
    first = load(store, new)
    late = load(store, old)
    same(store.data("company"), new.with_tables(opportunities=old.tables["opportunities"]))
    same(store.data("company", load_id=first.load_id), new)
    same(store.data("company", load_id=late.load_id), old)
    assert [info.id for info in store.loads("company")] == [first.load_id, late.load_id]


def test_a_correction_for_the_same_date_counts_and_the_first_stays_readable(store):
    wrong, right = crm("2026-03-02", accounts=ACCOUNTS), crm("2026-03-02", accounts={"account_id": ["001A"]})
    first = load(store, wrong)
    load(store, right)
    same(store.data("company"), right)
    same(store.data("company", load_id=first.load_id), wrong)


def test_datasets_never_mix(store):
    load(store, crm("2026-03-02", accounts=ACCOUNTS), "sample")
    ours = load(store, crm("2026-03-02", accounts=ACCOUNTS))
    assert ours.status == "loaded" and len(store.loads("sample")) == len(store.loads("company")) == 1
    assert [(one.name, one.is_sample) for one in store.datasets()] == [("sample", True), ("company", False)]
    with pytest.raises(NothingLoaded, match=f"no load {ours.load_id} in the data set sample"):
        store.data("sample", load_id=ours.load_id)
    assert store.dataset("company", create=False) == store.dataset("company")
    with pytest.raises(StoreError, match="no data set other"):
        store.dataset("other", create=False)


def test_nothing_loaded_is_a_sentence(store):
    assert store.loads("company") == ()
    with pytest.raises(NothingLoaded, match="Nothing is loaded into the data set company yet"):
        store.data("company")
    load(store, crm("2026-03-02", accounts=ACCOUNTS))
    with pytest.raises(NothingLoaded, match="first extract of company is as of 2026-03-02"):
        store.data("company", as_of=utc("2026-03-01"))
    with pytest.raises(StoreError, match="no table was recognised"):
        load(store, crm("2026-03-02"))


def test_an_id_twice_is_refused_and_nothing_is_saved(store):
    with pytest.raises(StoreError, match=r"Accounts: 1 rows have an id that another row has \(account_id A\)"):
        load(store, crm("2026-03-02", opportunities=DEALS, accounts={"account_id": ["A", "B", "A"]}))
    assert store.loads("company") == () and store.datasets() == ()


def test_rows_that_do_not_fit_save_nothing(store):
    data = crm("2026-03-02", opportunities=DEALS)
    data = data.with_tables(campaigns=pd.DataFrame({"campaign_id": ["C1"], "budget": ["a lot"]}))
    with pytest.raises(ValueError, match="a lot"):
        load(store, data)
    assert store.loads("company") == ()


def test_rows_must_balance(store):
    with pytest.raises(ValueError, match=r"rows read \(7\)"):
        load(store, crm("2026-03-02", accounts=ACCOUNTS), rows_read=7)
    load(store, crm("2026-03-02", accounts=ACCOUNTS))
    with pytest.raises(IntegrityError, match="balance"), store._engine.begin() as connection:
        row = connection.execute(select(tables.loads)).mappings().one()
        connection.execute(insert(tables.loads).values({**row, "id": 9, "content_sha256": "x", "rows_kept": row["rows_kept"] - 1}))


def test_a_failure_half_way_leaves_nothing(tmp_path):
    """The disk's refusal is played by a trigger of the file: the load, its accounts and its first ledger frame are written by then."""
    store = Store(tmp_path / "store.sqlite")
    load(store, crm("2026-03-02", accounts=ACCOUNTS))
    before = store.version("company")
    with sqlite3.connect(tmp_path / "store.sqlite") as raw:
        raw.execute("CREATE TRIGGER fail BEFORE INSERT ON load_frames WHEN NEW.name = 'findings' BEGIN SELECT RAISE(ABORT, 'no'); END")
        counts = [raw.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("loads", "frames", "frame_parts", "load_frames")]
    with pytest.raises(IntegrityError):
        load(store, every_type())
    with sqlite3.connect(tmp_path / "store.sqlite") as raw:
        assert counts == [raw.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("loads", "frames", "frame_parts", "load_frames")]
        raw.execute("DROP TRIGGER fail")
    raw.close()
    assert store.version("company") == before
    assert load(store, every_type()).status == "loaded"
    store.close()


def test_of_many_who_load_the_same_exactly_one_loads(place):
    stores, data, together = [Store(place) for _ in range(2)], every_type(), Barrier(8)

    def one(number: int) -> str:
        together.wait()
        return load(stores[number % 2], shuffled(data) if number % 3 else data, by=f"user {number}").status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(one, range(8)))
    assert sorted(statuses) == ["already_loaded"] * 7 + ["loaded"]
    assert len(stores[0].loads("company")) == 1
    for store in stores:
        store.close()


def test_readers_never_see_half_a_load(place):
    """While loads come in, every state that is read is one of them: accounts and deals of the same Monday."""
    store = Store(place)
    mondays = [crm(f"2026-03-{day:02}", accounts={"account_id": [f"A{day}"]}, opportunities={"opp_id": [f"A{day}"], "created_at": ["2026-01-01"]})
               for day in range(1, 21)]
    load(store, mondays[0])

    def look(_: int) -> bool:
        state = store.data("company")
        return state.tables["accounts"]["account_id"].tolist() == state.tables["opportunities"]["opp_id"].tolist() == [f"A{state.as_of.day}"]

    with ThreadPoolExecutor(4) as pool:
        looks = pool.map(look, range(60))
        for monday in mondays[1:]:
            load(store, monday)
        assert all(looks)
    store.close()


def test_damage_is_named(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    load(store, crm("2026-03-02", accounts=ACCOUNTS))
    with sqlite3.connect(tmp_path / "store.sqlite") as raw:
        raw.execute("DROP TRIGGER frame_parts_no_update")
        raw.execute("UPDATE frame_parts SET content = CAST(content || x'00' AS BLOB)")
    raw.close()
    with pytest.raises(StoreError, match="damaged .* restore it from a backup"):
        store.data("company")
    store.close()
