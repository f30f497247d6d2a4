"""Every number that an export prints has a receipt, and that is the receipt of this very number."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest
from openpyxl import load_workbook

from revscore.core.coded import Coded
from revscore.core.view import View
from revscore.export.workbook import review_workbook
from revscore.intake import load_folder
from revscore.rhythm.behind import of_tables
from revscore.rhythm.reviews import REVIEWS, content

ON_THE_RECEIPT = {"N", "Cost is budget", "Age days", "Low", "High"}  # how many, a mark, the age of a campaign in days up to as-of, intervals (worked out from the counts of the receipt)


@pytest.fixture(scope="module")
def golden() -> Coded:
    data, terms, _ = load_folder(Path(__file__).parents[1] / "golden/data")
    return Coded(data, terms)


def same(a: object, b: object) -> bool:
    missing = [value is None or isinstance(value, float) and math.isnan(value) for value in (a, b)]
    return all(missing) or not any(missing) and math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("name", list(REVIEWS))
def test_every_number_of_an_export_names_a_receipt_of_its_own_value(golden, name):
    view = View(golden.terms.calendar.holding(golden.as_of_day, "quarter"))
    review = REVIEWS[name](golden, view)
    lines, tables = content(review)
    book = load_workbook(io.BytesIO(review_workbook("Review", lines, golden, {}, view, tables, cells=of_tables(golden, review, view))))
    wrong, seen = [], 0

    def holds(key: str | None, value: object, *where: object) -> None:
        nonlocal seen
        if value is None or isinstance(value, str):
            return
        seen += 1
        sheet, _, row = (key or "").rpartition(" ")
        stood = [cell.value for cell in book[sheet][int(row)]] if key else []
        if not stood or not same(stood[1], value) or len(stood[-1]) != 64:
            wrong.append((where, key, stood[:2], value))

    for row in book["Review"].iter_rows(min_row=4, values_only=True):
        if row and row[0]:
            for number, key in ((1, 17), (4, 18), (7, 19)):
                holds(row[key], row[number], row[0], number)
    for row in book["Series"].iter_rows(min_row=2, values_only=True):
        holds(row[11], row[4], *row[:2])
    for table in tables:
        head, *rows = book[table].iter_rows(values_only=True)
        for column, heading in enumerate(head):
            if heading in ON_THE_RECEIPT or heading.startswith("Receipt of") or all(isinstance(row[column], (str, bool, type(None))) for row in rows):
                continue
            key = f"Receipt of {heading.lower()}"
            for row in rows:
                holds(row[head.index(key)] if key in head else None, row[column], table, heading, row[0])
    assert wrong == [] and seen > 50
