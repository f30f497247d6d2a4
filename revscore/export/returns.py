"""Rows that a person takes away, mends and brings back: text only, so that ids and leading zeros survive the spreadsheet program; formulas made harmless."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from revscore.export.safe import csv_bytes, neutral_frame
from revscore.export.table import sheet_name

FORMS = (".xlsx", ".zip", ".csv")
CELLS = 400_000  # more than these are a zip of CSV files: a workbook of them takes too long to make and to open
_LONGEST = 32_767  # letters that a cell of a workbook holds
_NO_CELL = r"[\x00-\x08\x0b-\x1f]"  # what XML cannot hold, or does not give back


def written(frames: Mapping[str, pd.DataFrame], suffix: str) -> bytes:
    """`frames` as a file: ".xlsx", ".zip" of CSV files, or ".csv" for one frame. Raises ValueError with a sentence where it cannot be."""
    if suffix == ".xlsx" and not fits_workbook(frames):
        raise ValueError("these rows do not fit a workbook (too many, or text that it cannot hold); name a .zip instead.")
    if suffix == ".csv" and len(frames) > 1:
        raise ValueError("these rows are of several files or tables; name a .xlsx or .zip instead of a .csv.")
    if suffix not in FORMS:
        raise ValueError("rows are written to a file that ends in .xlsx, .zip or .csv.")
    return workbook_of_text(frames) if suffix == ".xlsx" else zip_of_csv(frames) if suffix == ".zip" else csv_bytes(next(iter(frames.values())))


def fits_workbook(frames: Mapping[str, pd.DataFrame]) -> bool:
    """Whether a workbook can hold `frames` without losing a letter, and be made in a few seconds."""
    if sum(frame.size for frame in frames.values()) > CELLS:
        return False
    texts = [frame[name] for frame in frames.values() for name in frame.columns]
    return not any(text.str.len().gt(_LONGEST).any() or text.str.contains(_NO_CELL, regex=True).any() for text in texts)


def workbook_of_text(frames: Mapping[str, pd.DataFrame]) -> bytes:
    """A workbook with a sheet a frame; every cell is text and stays text when it is edited."""
    book, taken = Workbook(write_only=True), set()
    for name, frame in frames.items():
        sheet = book.create_sheet(_unlike(sheet_name(name), taken))
        sheet.freeze_panes = "A2"
        shown = neutral_frame(frame)
        for row in (list(shown.columns), *shown.itertuples(index=False)):
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet, value=value or None)
                cell.number_format = "@"
                if value:
                    cell.data_type = "s"
                cells.append(cell)
            sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def zip_of_csv(frames: Mapping[str, pd.DataFrame]) -> bytes:
    """A zip with a CSV a frame."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, frame in frames.items():
            archive.writestr(f"{file_stem(name)}.csv", csv_bytes(frame))
    return out.getvalue()


def file_stem(name: str) -> str:
    """`name` as a part of a file's name, on every system."""
    return "".join("-" if letter in '<>:"/\\|?*' or not letter.isprintable() else letter for letter in name).strip(" .")[:80] or "rows"


def _unlike(name: str, taken: set[str]) -> str:
    made, number = name, 1
    while made.lower() in taken:
        number += 1
        made = f"{name[:27]} ({number})"
    taken.add(made.lower())
    return made
