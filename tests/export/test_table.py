"""Tables as a workbook: formulas are neutralised, numbers stay numbers, the receipt travels along."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from revscore.export.table import workbook

DATA = pd.DataFrame({"=name": ["=cmd|'/c calc'!A1", "+x", "@x", "  =1+1", "plain"], "amount": [-1.5, 2, 3, 4, 5],
                     "at": pd.to_datetime(["2026-05-01T09:30:00Z"] * 5, utc=True)})


@pytest.mark.parametrize("name", ["Counted", "a/b:c[d]", "x" * 40])
def test_workbook_has_the_rows_and_the_receipt(name):
    book = pd.read_excel(io.BytesIO(workbook({name: DATA}, {"Metric": "=x", "Rows": 5})), sheet_name=None, engine="openpyxl")
    first = list(book)[0]
    assert list(book)[1] == "Receipt" and len(first) <= 31
    rows = book[first]
    assert rows.iloc[:, 0].tolist() == ["'=cmd|'/c calc'!A1", "'+x", "'@x", "'  =1+1", "plain"]
    assert list(rows.columns)[0] == "'=name" and rows["amount"].iloc[0] == -1.5
    assert book["Receipt"]["Value"].tolist()[0] == "'=x"
