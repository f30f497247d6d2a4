"""A table as a file: CSV or workbook, cells that a spreadsheet would run as formulas neutralised, a receipt of what it stands on."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pandas as pd

_RUNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def neutral(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with a leading apostrophe on every text (headings too) that a spreadsheet would take for a formula; numbers stay numbers."""
    out = frame.copy()
    for place, dtype in enumerate(frame.dtypes):
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)):
            column = frame.iloc[:, place]
            is_text = column.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)
            text = column.where(is_text, "").astype("str")
            risky = is_text & text.str.lstrip(" \n").str.startswith(_RUNS).to_numpy(dtype=bool)
            if risky.any():
                out.isetitem(place, column.astype(object).where(~risky, "'" + text))
    out.columns = [f"'{name}" if str(name).startswith(_RUNS) else name for name in frame.columns]
    return out


def csv(frame: pd.DataFrame) -> bytes:
    """CSV in UTF-8 with a byte order mark, so that spreadsheets read its letters."""
    return neutral(frame).to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def workbook(sheets: Mapping[str, pd.DataFrame], receipt: Mapping[str, object]) -> bytes:
    """A workbook of `sheets` (name → frame) and a sheet *Receipt* that says what the rows stand on."""
    stands = pd.DataFrame({"What": list(receipt), "Value": [str(value) for value in receipt.values()]})
    out = io.BytesIO()
    with pd.ExcelWriter(out, engine="openpyxl", datetime_format="yyyy-mm-dd hh:mm", date_format="yyyy-mm-dd") as writer:
        for name, frame in {**sheets, "Receipt": stands}.items():
            shown = neutral(frame)
            for column in shown.columns:
                if isinstance(shown[column].dtype, pd.DatetimeTZDtype):
                    shown[column] = shown[column].dt.tz_localize(None)
            shown.to_excel(writer, sheet_name=_sheet_name(name), index=False)
            sheet = writer.sheets[_sheet_name(name)]
            sheet.freeze_panes = "A2"
            for place, column in enumerate(shown.columns, start=1):
                longest = max([len(str(column)), *(len(str(value)) for value in shown[column].head(200))])
                sheet.column_dimensions[sheet.cell(row=1, column=place).column_letter].width = min(48, longest + 2)
    return out.getvalue()


def _sheet_name(name: str) -> str:
    return "".join("-" if letter in "[]:*?/\\" else letter for letter in name)[:31] or "Sheet"
