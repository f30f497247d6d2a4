"""What reading a file gives: sheets of untouched text, the rows that are no data, and the problems of files that were refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

# Columns that a frame has only when some of its rows do not have as many cells as the headings (see `Sheet.frame`).
EXTRA = "__extra__"
MISSING = "__missing__"
# Stands before a formula of a workbook whose value was not stored: a name may begin with "=" too.
FORMULA = "#FORMULA! ="
# Said where sheets of a workbook are hidden.
HIDDEN = "hidden sheets are not read: "
# Said where a heading stands over several columns.
DOUBLED = "doubled headings were numbered: "


class Unusable(ValueError):
    """What is given with an extract (an instant, definitions, a mapping, rows to mend) cannot be used; the message is a sentence for the reader. Any other
    ValueError is a fault of ours, and never looks like one of the files."""


def column_name(number: int) -> str:
    """A column as spreadsheets call it: 1 is A, 16,384 is XFD."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@dataclass(frozen=True)
class Source:
    """A file to read: `content` is its bytes, or the path of a file or of a folder of files. `name` is what the reader calls it."""

    name: str
    content: bytes | Path


@dataclass(frozen=True)
class DroppedRow:
    """A row that is no record: a title, a footer or total, a repeated heading, blank rows (`blank` of them, from `row` on). `row` counts
    from 1 as a spreadsheet does."""

    row: int
    text: str
    why: str
    blank: int = 0


@dataclass(frozen=True)
class Problem:
    """Why something was refused: place, one sentence with the remedy, and a stable code (one per rule). `sheet` is "" for a whole file."""

    file: str
    sheet: str
    row: int | None
    column: str | None
    text: str
    code: str

    def __str__(self) -> str:
        place = [self.file, f"sheet {self.sheet}" if self.sheet else "", f"row {self.row:,}" if self.row else "",
                 f"column {self.column}" if self.column else ""]
        return f"{', '.join(part for part in place if part)}: {self.text}"


@dataclass(frozen=True)
class Sheet:
    """One table of text as it stands in the file.

    file, name : label of the file ("export.zip/leads.csv" inside an archive) and of the sheet ("" for a csv)
    frame      : every column `str`, every cell the text of the file, a missing cell ""; labels are the stripped headings.
                 A row with too many cells has the surplus, joined by the delimiter, in `EXTRA`; a row with too few has the
                 number of absent cells in `MISSING`. Both columns are "" for sound rows and absent when all rows are sound.
    rows       : row number in the file of each row of the frame, from 1, counted as a spreadsheet counts
    dropped    : rows that are no records, each with its text and why
    notes      : what was decided while reading (encoding, delimiter, hidden rows, doubled headings), as sentences
    sums       : heading -> what the file's own total of all rows says of that column, as text; empty without such a line
    encodings  : what the bytes of the text may be written in, the likeliest first; empty when the file itself says it or there is no doubt
    mends      : the load whose held-back rows these are, mended ("3-0f9a…"); "" for a sheet of an extract
    """

    file: str
    name: str
    frame: pd.DataFrame
    rows: np.ndarray
    dropped: tuple[DroppedRow, ...] = ()
    notes: tuple[str, ...] = ()
    mends: str = ""
    encodings: tuple[str, ...] = ()
    sums: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.file}, sheet {self.name}" if self.name else self.file

    @property
    def headings(self) -> tuple[str, ...]:
        """The columns of the file itself, without the two markers of uneven rows."""
        return tuple(column for column in self.frame.columns if column not in (EXTRA, MISSING))

    @property
    def uneven(self) -> np.ndarray:
        """Which rows have more or fewer cells than there are headings (boolean, one per row)."""
        bad = np.zeros(len(self.frame), dtype=bool)
        for column in (EXTRA, MISSING):
            if column in self.frame.columns:
                bad |= self.frame[column].ne("").to_numpy(dtype=bool)
        return bad
