"""The ledger balances by construction, keeps first reasons, and gives back the quarantined rows as they stood in the file."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from revscore.intake.ledger import FINDINGS, SHEETS, TO_MEND, Book
from revscore.intake.sheet import DroppedRow, Sheet


@pytest.fixture
def sheet() -> Sheet:
    frame = pd.DataFrame({"Id": ["1", "", "3", "4"], "Amount": ["10", "x", "1.000,00", "ü \"q\""]}, dtype="str")
    return Sheet("deals.xlsx", "Deals", frame, np.array([5, 6, 8, 9]), (DroppedRow(7, "", "blank row"), DroppedRow(10, "Total", "total")))


def test_every_row_is_kept_or_quarantined_and_mended_rows_are_kept_rows(sheet):
    book = Book()
    book.open(sheet, ["opportunities", "opp_history"])
    book.mend(sheet, sheet.frame["Amount"].str.contains(",").to_numpy(dtype=bool), "Amount", "M_NUMBER", "decimal comma read as such")
    book.mend(sheet, np.array([1]), "Amount", "M_NUMBER", "mended, then held: not among the mended")
    book.quarantine(sheet, np.array([1, 3]), "Id", "Q_ID", ["no id", "odd id"])
    book.quarantine(sheet, np.array([3]), "Amount", "Q_NUMBER", "not a number")  # not: a second reason, or the row counted twice
    ledger = book.close()
    assert ledger.sheets.to_dict("records") == [{"file": "deals.xlsx", "sheet": "Deals", "table": "opportunities, opp_history", "read": 4,
                                                 "kept": 2, "mended": 1, "quarantined": 2, "footer": 2}]
    held = ledger.findings[ledger.findings["action"] == "quarantined"]
    assert held[["row", "column", "text", "code", "reason"]].to_numpy().tolist() == [
        [6, "Id", "", "Q_ID", "no id"], [9, "Id", "4", "Q_ID", "odd id"]]
    assert ledger.to_mend["row"].tolist() == [6, 9]  # not: positions in the frame, 1 and 3
    assert [json.loads(raw) for raw in ledger.to_mend["raw"]] == [{"Id": "", "Amount": "x"}, {"Id": "4", "Amount": "ü \"q\""}]
    assert list(book.held(sheet)) == [False, True, False, True]


def test_notes_change_nothing_and_reasons_are_counted(sheet):
    book = Book()
    book.open(sheet, ["leads"])
    book.note(sheet, None, "", "N_SHEET", "a remark on the sheet")
    book.note(sheet, np.array([True, True, False, False]), "Id", "N_ROW", "a remark on a row")
    ledger = book.close()
    assert (ledger.read, ledger.kept, ledger.quarantined) == (4, 4, 0)
    assert ledger.reasons()[["code", "rows"]].to_numpy().tolist() == [["N_ROW", 2], ["N_SHEET", 1]]


def test_an_empty_book_has_the_columns_and_types_of_a_full_one():
    ledger = Book().close()
    for frame, dtypes in ((ledger.sheets, SHEETS), (ledger.findings, FINDINGS), (ledger.to_mend, TO_MEND)):
        assert frame.dtypes.astype(str).to_dict() == dtypes and not len(frame)


def test_an_account_that_does_not_balance_is_refused(sheet):
    book = Book()
    book.open(sheet, ["leads"])
    ledger = book.close()
    for change in ({"kept": 3}, {"mended": 5}, {"kept": 3, "quarantined": 1}):
        with pytest.raises(AssertionError):
            dataclasses.replace(ledger, sheets=ledger.sheets.assign(**change))


def test_a_sheet_is_entered_once_and_masks_must_fit(sheet):
    book = Book()
    book.open(sheet, ["leads"])
    with pytest.raises(ValueError, match="twice"):
        book.open(sheet, ["leads"])
    with pytest.raises(ValueError, match="mask"):
        book.quarantine(sheet, np.array([True]), "", "Q", "too short")
