"""Warehouse tables as sheets: exact text, read-only, never cut without a word."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from revscore.intake import warehouse
from revscore.intake.warehouse import read_warehouse


@pytest.fixture
def url(tmp_path: Path) -> str:
    path = tmp_path / "ware house#1.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript("""
            create table leads (id text primary key, name text, created datetime, amount numeric(12, 2), closed date, "Odd ""name" real);
            insert into leads values ('b', 'None', '2026-03-01T09:30:00.000Z', 10.5, '01.03.2026', 1e-7),
                                     ('a', null, '2026-03-01 09:30:00', 123, null, 2.0);
            create table empty_one (id text);
            create view open_leads as select id from leads where amount > 100;
        """)
    connection.close()
    return f"sqlite:///{path}"


def test_cells_are_the_text_of_the_table_in_the_order_of_its_key(url):
    (sheet,), problems = read_warehouse(url, ["leads"])
    assert not problems and (sheet.file, sheet.name) == ("warehouse", "leads")
    assert sheet.frame.to_dict("list") == {
        "id": ["a", "b"], "name": ["", "None"], "amount": ["123", "10.5"], 'Odd "name': ["2", "0.0000001"],
        "created": ["2026-03-01 09:30:00", "2026-03-01T09:30:00.000Z"],  # not: a ValueError on a date in another spelling
        "closed": ["", "01.03.2026"]} and list(sheet.rows) == [1, 2]
    assert set(map(str, sheet.frame.dtypes)) == {"str"}


def test_views_and_empty_tables_are_sheets_and_all_are_read_when_none_is_named(url):
    sheets, problems = read_warehouse(url)
    assert not problems and [(sheet.name, sheet.frame.shape) for sheet in sheets] == [("empty_one", (0, 1)), ("leads", (2, 6)), ("open_leads", (1, 1))]
    assert "no primary key" in sheets[2].notes[0]


def test_several_pieces_join_to_the_whole_table(url, monkeypatch):
    monkeypatch.setattr(warehouse, "_CHUNK", 1)
    seen = []
    (sheet,), _ = read_warehouse(url, ["leads"], progress=lambda *told: seen.append(told))
    assert list(sheet.frame["id"]) == ["a", "b"] and seen[-1] == ("read", 1.0, "leads: 2 of 2 rows")


def test_a_table_beyond_the_cap_is_refused_with_both_counts_and_not_cut(url):
    sheets, (problem,) = read_warehouse(url, ["leads"], row_cap=1)
    assert not sheets and problem.code == "E_ROWS" and "2 rows (at most 1" in problem.text


def test_an_unknown_table_names_what_is_there_and_the_others_are_still_read(url):
    sheets, (problem,) = read_warehouse(url, ["lead", "leads"])
    assert [sheet.name for sheet in sheets] == ["leads"] and problem.code == "E_TABLE" and "leads" in problem.text


def test_the_connection_cannot_write_and_a_missing_file_is_not_made(url, tmp_path):
    engine = warehouse._engine(warehouse.make_url(url))
    with engine.connect() as connection, pytest.raises(OperationalError):
        connection.execute(text("delete from leads"))
    engine.dispose()
    _, (problem,) = read_warehouse(f"sqlite:///{tmp_path}/absent.sqlite", ["leads"])
    assert problem.code == "E_CONNECT" and not (tmp_path / "absent.sqlite").exists()


@pytest.mark.parametrize(("address", "code"), [("no url", "E_URL"), ("nosuchdb://u:secret@h/d", "E_DRIVER")])
def test_a_wrong_address_is_a_sentence_without_the_password(address, code):
    _, (problem,) = read_warehouse(address, ["leads"])
    assert problem.code == code and "secret" not in str(problem)
