"""Reading Excel workbooks with calamine: every cell as exact text, after the guards have passed the file."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from revscore.intake.delimited import Step
from revscore.intake.guards import DAMAGE, Limits, Refused
from revscore.intake.layout import find_header, lay_out
from revscore.intake.patterns import series
from revscore.intake.scan import Scan, check_workbook
from revscore.intake.sheet import HIDDEN, Problem, Sheet

_ROUNDED = 1e15
_NAMED = 10                     # merged areas that a remark names


def read_workbook(file: str, content: bytes, limits: Limits, step: Step) -> tuple[list[Sheet], list[Problem]]:
    """The visible, filled worksheets of an xlsx, each as text; problems of single sheets. Raises `Refused` for the whole file."""
    step(0, "checking the workbook")
    checked = check_workbook(content, limits)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        meta = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    except (CalamineError, *DAMAGE):
        raise Refused("E_WORKBOOK", "the workbook is damaged: open it in Excel, save it as .xlsx, and load that.") from None
    if len({sheet.name.casefold() for sheet in meta}) < len(meta):
        raise Refused("E_WORKBOOK", "two sheets of the workbook have one name, which Excel does not allow: name them apart, save, and load again.")
    hidden = [sheet.name for sheet in meta if sheet.visible != SheetVisibleEnum.Visible]
    visible = [sheet.name for sheet in meta if sheet.visible == SheetVisibleEnum.Visible]
    shared = [f"{HIDDEN}{', '.join(hidden)} (unhide them to load them)."] if hidden else []
    if checked.linked:
        shared.append(f"the workbook links to other workbooks ({', '.join(checked.linked)}), which are not opened; the values stored in it are used.")
    sheets, problems = [], []
    for at, name in enumerate(visible):
        step(at / len(visible), f"sheet {name}")
        scan = checked.scans.get(name, Scan())
        try:
            sheet = _read_sheet(file, name, book, scan, shared, checked.from_1904, limits)
        except Refused as error:
            problems.append(Problem(file, name, error.row, error.column, error.text, error.code))
        except (CalamineError, *DAMAGE):
            problems.append(Problem(file, name, None, None, "the sheet is damaged: open it in Excel, save it as .xlsx, and load that.", "E_SHEET"))
        else:
            sheets += [sheet] if sheet is not None else []
    if not sheets and not problems:
        where = f" that can be seen (hidden: {', '.join(hidden)}; unhide what is meant)" if hidden else ""
        raise Refused("E_EMPTY", f"the workbook holds no records{where}: export it again.")
    return sheets, problems


def _read_sheet(file: str, name: str, book: CalamineWorkbook, scan: Scan, notes: list[str], from_1904: bool, limits: Limits) -> Sheet | None:
    cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    if not cells:
        return None
    if len(cells) > limits.sheet_rows or len(cells[0]) > limits.sheet_columns:
        raise Refused("E_ROWS", f"the sheet has {len(cells):,} rows of {len(cells[0]):,} columns (at most {limits.sheet_rows:,} and {limits.sheet_columns:,}): export as .csv.")
    columns = [list(column) for column in zip(*cells, strict=True)]
    height = len(cells)
    del cells
    for (row, column), text in scan.texts.items():
        if row < height and column < len(columns):
            columns[column][row] = text
    for (row, column), serial in scan.serials.items():
        if row < height and column < len(columns) and isinstance(columns[column][row], (date, time)):
            columns[column][row] = _exact_time(columns[column][row], serial, from_1904)
    rounded, texts = {}, {}
    for at, column in enumerate(columns):
        kinds = set(map(type, column))
        values = set(column) if kinds != {str} else set()
        large = {cell for cell in values if type(cell) is float and abs(cell) >= _ROUNDED and cell.is_integer()}
        rounded[at] = [row for row, cell in enumerate(column) if type(cell) is float and cell in large] if large else []
        texts[at] = series(pa.array(_texts(column, kinds, values), type=pa.large_string()))
        columns[at] = []
    grid = pd.DataFrame(texts, copy=False)
    head = find_header(grid.iloc[:60].to_numpy().tolist())
    for at, rows in rounded.items():
        heading = grid.iat[head, at].strip() if head is not None else ""
        if rows and heading.lower().replace("_", " ").endswith("id"):
            raise Refused("E_ID_ROUNDED", "ids of 16 or more digits are stored as numbers, so Excel has already changed their last digits: "
                                          "export with ids as text, or as .csv.", rows[0] + 1, heading)
    found = list(notes)
    if scan.hidden_rows:
        found.append(f"{scan.hidden_rows:,} hidden rows are read too (a filter may be set).")
    if scan.unsaved:
        found.append(f"{scan.unsaved:,} formulas have no stored value and stand as text: open the workbook in Excel and save it.")
    merged = [area for first, area in sorted(scan.merged) if head is not None and first > head + 1]
    if merged:
        found.append(f"merged cells ({', '.join(merged[:_NAMED])}{f' and {len(merged) - _NAMED:,} more' if len(merged) > _NAMED else ''}) have their value in the first row only: "
                     "unmerge them and write it into each row that it is meant for.")
    return lay_out(file, name, grid, found, head=head)


def _exact_time(seen: date | datetime | time, serial: float, from_1904: bool) -> date | datetime | time:
    """The time of a serial to the microsecond. Calamine rounds to the millisecond, which can carry 23:59:59.9999 into the next day.

    A serial is a double of days (0.6 µs apart today), so within 5 µs of a whole millisecond the rounded time is the one meant.
    """
    exact = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)
    exact += timedelta(microseconds=round(serial * 86_400_000_000))
    if isinstance(seen, time):
        return exact.time() if serial < 1 and _apart(exact) > 5 else seen
    return exact if exact.year > 1900 and _apart(exact) > 5 else seen


def _apart(moment: datetime) -> int:
    rest = moment.microsecond % 1000
    return min(rest, 1000 - rest)


def _texts(cells: list[object], kinds: set[type], values: set[object]) -> list[str]:
    """Cells of one column as text; `kinds`: their types; `values`: the distinct ones. A column of text alone is given back as it is; of one other type every value is written once."""
    if kinds == {str}:
        return cells  # type: ignore[return-value]
    if len(kinds - {str}) > 1:                      # True and 1.0 are one key
        return [cell if type(cell) is str else text_of(cell) for cell in cells]
    known = {cell: cell if type(cell) is str else text_of(cell) for cell in values}
    return [known[cell] for cell in cells]


def text_of(cell: object) -> str:
    """A native value as exact, shortest text: 123.0 is "123", a date ISO, a boolean "true" or "false", nothing ""."""
    if cell is None:
        return ""
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 1e18:
            return str(int(cell))
        text = repr(cell)
        return format(Decimal(text), "f") if "e" in text else text
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, (date, datetime, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(cell)
