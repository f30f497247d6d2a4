"""Tables as a workbook: text that a spreadsheet would run neutralised, a receipt of what the rows stand on."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pandas as pd

from revscore.export.safe import neutral_frame


def workbook(sheets: Mapping[str, pd.DataFrame], receipt: Mapping[str, object]) -> bytes:
    """A workbook of `sheets` (name → frame) and a sheet *Receipt* that says what the rows stand on."""
    stands = pd.DataFrame({"What": list(receipt), "Value": [str(value) for value in receipt.values()]})
    out = io.BytesIO()
    with pd.ExcelWriter(out, engine="openpyxl", datetime_format="yyyy-mm-dd hh:mm", date_format="yyyy-mm-dd") as writer:
        for name, frame in {**sheets, "Receipt": stands}.items():
            shown = neutral_frame(frame)
            for column in shown.columns:
                if isinstance(shown[column].dtype, pd.DatetimeTZDtype):
                    shown[column] = shown[column].dt.tz_localize(None)
            shown.to_excel(writer, sheet_name=sheet_name(name), index=False)
            sheet = writer.sheets[sheet_name(name)]
            sheet.freeze_panes = "A2"
            for place, column in enumerate(shown.columns, start=1):
                longest = max([len(str(column)), *(len(str(value)) for value in shown[column].head(200))])
                sheet.column_dimensions[sheet.cell(row=1, column=place).column_letter].width = min(48, longest + 2)
    return out.getvalue()


def sheet_name(name: str) -> str:
    """`name` as a workbook takes it."""
    return "".join("-" if letter in "[]:*?/\\" else letter for letter in name)[:31] or "Sheet"
