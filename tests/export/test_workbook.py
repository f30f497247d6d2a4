"""Exports: numbers stay numbers with their format, text from data is never a formula."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from openpyxl import load_workbook

from revscore import company
from revscore.core.metrics import CARDS
from revscore.core.review import line
from revscore.core.view import View
from revscore.export.safe import csv_bytes, neutral
from revscore.export.workbook import review_workbook
from revscore.people import LOCAL
from tests.extracts import DEALS, source


@pytest.mark.parametrize("text", ["=1+1", "+cmd|x", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", " =1"])
def test_live_text_is_made_neutral(text):
    assert neutral(pd.Series([text], dtype="str")).iloc[0] == "'" + text


@pytest.mark.parametrize("text", ["-5.00", "+3", "Acme", "1,200.50", "", "a=b", "-12%"])
def test_other_text_stays(text):
    assert neutral(pd.Series([text], dtype="str")).iloc[0] == text


def test_a_csv_is_neutral_in_cells_and_headings_and_keeps_missing_cells_empty():
    frame = pd.DataFrame({"=name": pd.Series(["=1+1", None], dtype="str"), "n": [1.5, None]})
    assert csv_bytes(frame).decode("utf-8-sig") == "'=name,n\r\n'=1+1,1.5\r\n,\r\n"


@pytest.fixture
def book(tmp_path):
    store = company.open_store(tmp_path / "store.sqlite")
    company.load(store, "company", [source("deals.csv", DEALS.replace("Acme renewal", "=HYPERLINK(0)"))], as_of=pd.Timestamp("2026-03-31T12:00:00Z"), by=LOCAL)
    x = company.coded(store, "company")
    period = x.terms.calendar.parse("2026-03")
    lines = [line(x, CARDS[name], View.of(period), stat) for name, stat in (("bookings.won_value", ""), ("winrate.closed_in_period", "count_rate"), ("funnel.entries", ""))]
    return load_workbook(io.BytesIO(review_workbook("Monday / March", lines, x, {"company": "Acme"}, View.of(period))))


def test_numbers_have_the_format_of_their_unit(book):
    sheet = book["Monday   March"]
    rows = {row[0].value: row for row in sheet.iter_rows(min_row=5)}
    won, rate = rows["Bookings"][1], next(cells[1] for cells in rows.values() if cells[15].value == "winrate.closed_in_period")
    assert won.value == 1200 and won.number_format == '"$"#,##0.00'
    assert rate.value == 0.5 and rate.number_format == "0.0%"


def test_a_number_without_its_data_says_what_it_needs(book):
    row = next(row for row in book["Monday   March"].iter_rows(min_row=5, values_only=True) if row[15] == "funnel.entries")
    assert row[1] is None and row[14].startswith("Needs leads")


def test_the_rows_add_up_to_the_number_and_no_cell_is_a_formula(book):
    rows = list(book["Rows"].iter_rows(values_only=True))
    heads = rows[0]
    counted = [row[heads.index("Contribution")] for row in rows[1:] if row[0] == "Bookings" and row[1] == "counted"]
    assert sum(counted) == 1200
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    assert any(cell == "'=HYPERLINK(0)" for row in rows for cell in row)


def test_the_receipt_names_company_definitions_and_as_of(book):
    receipt = {row[0]: row[1] for row in book["Receipt"].iter_rows(min_row=2, values_only=True)}
    assert receipt["company"] == "Acme" and receipt["as of"] == "2026-03-31 12:00 UTC" and len(receipt["definitions"]) == 16
