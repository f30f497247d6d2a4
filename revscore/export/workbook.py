"""A review as a workbook: its lines, their series, the rows behind every number, the definitions, and the receipt."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from revscore.core import units
from revscore.core.calendars import date_of
from revscore.core.coded import Coded
from revscore.core.drill import open_number
from revscore.core.made import Given, Number
from revscore.core.metric import Kind
from revscore.core.receipt import Receipt, receipt_for
from revscore.core.review import Line
from revscore.core.view import View
from revscore.export.safe import neutral_text
from revscore.rhythm.behind import Behind, Columns, before, of_series

ROW_CAP = 200_000  # rows of the sheet Rows; what does not fit is said on the receipt, never cut in silence
_BOLD, _HEAD, _WRAP = Font(bold=True), PatternFill("solid", fgColor="FFE2E8F0"), Alignment(wrap_text=True, vertical="top")
_PARTS = (("counted", "counted"), ("not_counted", "not counted"), ("outside", "waiting"), ("left_out", "left out"))
_LINE_COLUMNS = (("Number", 38), ("Value", 14), ("Shown as", 16), ("Stands on", 18), ("Before", 14), ("Compared with", 30), ("Change", 14), ("Target", 14),
                 ("n", 9), ("Low 95 %", 11), ("High 95 %", 11), ("Sample", 11), ("Maturity", 12), ("Owners", 22), ("Remarks", 70), ("Metric", 30), ("Measure", 20), ("Receipt", 16), ("Receipt of before", 20), ("Receipt of target", 20))

_RECEIPT_COLUMNS = (("Number", 44), ("Value", 16), ("Shown as", 16), ("Unit", 14), ("Numerator", 14), ("Denominator", 14), ("n", 9), ("Metric", 30), ("Measure", 20),
                    ("Period", 36), ("Filters", 40), ("Not applied", 30), ("Parameters", 30), ("As of (UTC)", 22), ("Data set", 12), ("Loads", 10), ("Definitions", 30), ("Formula or source", 40),
                    ("Counted", 10), ("Not counted", 12), ("Waiting", 10), ("Left out", 10), ("SHA-256", 68))


@dataclass(frozen=True)
class Sheet:
    """A further sheet: `columns` are (heading, width), `rows` hold plain values or (value, number format)."""

    title: str
    columns: Sequence[tuple[str, float]]
    rows: Sequence[Sequence[Any]]


def review_workbook(title: str, lines: Sequence[Line], x: Coded, receipt: Mapping[str, Any], view: View = View(),
                    tables: Mapping[str, pd.DataFrame] | None = None, numbers: Sequence[tuple[Number, str]] | None = None,
                    first: Sequence[Sheet] = (), cells: Mapping[str, Columns] | None = None) -> bytes:
    """The bytes of an .xlsx with the sheets `title`, Series, the further `tables` (name -> frame), Rows, Definitions, Receipts (one row a number, and one
    for each of the numbers that a derived one is made of), More receipts (those of what the lines are compared with, of series and tables), Receipt (of the whole).
    Every row of numbers names the sheet and row of its receipts.

    lines   : the lines of a review, in order; the rows behind them are opened from `x` under `view` with each line's own period
    receipt : what the numbers stand on (company, load, as-of, filters …): name -> text or number, written as two columns
    numbers : those that the sheet Receipts holds, each as it is shown ("" = as its unit is); those of the lines by default
    cells   : what is behind the columns of numbers of `tables`
    first   : sheets that stand before all these, such as those of a meeting

    Numbers are numbers with the format of their unit; ratios are fractions shown in per cent. Text can never be run as a formula.
    """
    book = Workbook(write_only=True)
    shown = {"as of": f"{x.data.as_of:%Y-%m-%d %H:%M} UTC", **receipt}
    for sheet in first:
        _write(book.create_sheet(_sheet_name(sheet.title)), [width for _, width in sheet.columns], [name for name, _ in sheet.columns], sheet.rows)
    numbers = [(Number.behind(line, view), line.text) for line in lines if not line.lacks] if numbers is None else numbers
    kept, place = Kept(x, numbers), iter(numbers)
    _write(book.create_sheet(_sheet_name(title)), [width for _, width in _LINE_COLUMNS], [name for name, _ in _LINE_COLUMNS],
           ([*_line_cells(line), kept.key("" if line.lacks else next(place)[0]), kept.key(before(line, view)), kept.key(_target(line))] for line in lines), above=[title, " · ".join(str(shown[k]) for k in ("company", "as of", "period", "filters") if shown.get(k))])
    _write(book.create_sheet("Series"), [38, 14, 13, 13, 14, 12, 12, 10, 10, 30, 20, 20],
           ["Number", "Period", "First day", "Last day", "Value", "Numerator", "Denominator", "n", "Running", "Metric", "Measure", "Receipt"],
           ([*row, kept.key(number)] for line in lines if len(line.series) for row, number in zip(_series_cells(line), of_series(line, view), strict=True)))
    for name, frame in (tables or {}).items():
        behind = (cells or {}).get(name, {})
        keys = [[kept.key(one) for one in column] for column in behind.values()]
        _write(book.create_sheet(_sheet_name(name)), [18] * (len(frame.columns) + len(keys)), [*map(_heading, frame.columns), *(f"Receipt of {_heading(column).lower()}" for column in behind)],
               (list(row) for row in zip(*(_formed(frame[column].tolist(), behind.get(column), x.terms.corporate_currency) for column in frame.columns), *keys, strict=True)))
    rows, unwritten = _rows(lines, x, view)
    _write(book.create_sheet("Rows"), [34, 12, *[18] * max(len(rows.columns) - 2, 0)], [_heading(name) for name in rows.columns],
           rows.itertuples(index=False, name=None))
    _write(book.create_sheet("Definitions"), [30, 34, 60, 100, 22, 14, 14, 50, 40], ["Metric", "Label", "Question", "Definition", "Owners", "Unit", "Better",
           "Needs", "Population"], (_definition_cells(line) for line in {line.card.id: line for line in lines}.values()))
    for name, receipts in kept.sheets.items():
        _write(book.create_sheet(name), [width for _, width in _RECEIPT_COLUMNS], [name for name, _ in _RECEIPT_COLUMNS], receipts)
    stand = x.data.stand
    facts = [*shown.items(), ("loads", ", ".join(map(str, stand.loads)) or "not from a store"), ("definitions", x.terms.digest),
             ("definitions version", "not from a store" if stand.definitions is None else str(stand.definitions)), ("reporting zone", x.terms.reporting_tz), ("currency", x.terms.corporate_currency),
             *(("derived", f"{table}: {text}") for table, text in x.data.derived.items()), *(("rows left out of this workbook", text) for text in unwritten)]
    _write(book.create_sheet("Receipt"), [34, 110], ["What", "Value"], facts)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class Kept:
    """The receipts of a workbook by sheet, each made once: "Receipts" has those of `numbers`, "More receipts" all that are asked for beyond them."""

    def __init__(self, x: Coded, numbers: Sequence[tuple[Number, str]]) -> None:
        self._x, self._keys = x, {}
        self.sheets: dict[str, list[list[Any]]] = {"Receipts": [], "More receipts": []}
        for number, text in numbers:
            self._keys[_same(number)] = self._add("Receipts", receipt_for(x, number, text))

    def key(self, one: Behind | str | None) -> str:
        """Sheet and row of a receipt: "Receipts 12"; "" for nothing."""
        if not one or isinstance(one, str):
            return ""
        if _same(one) not in self._keys:
            self._keys[_same(one)] = self._add("More receipts", receipt_for(self._x, one))
        return self._keys[_same(one)]

    def _add(self, sheet: str, found: Receipt) -> str:
        rows = self.sheets[sheet]
        at = len(rows) + 2  # below the heading
        rows += receipt_rows(found)
        return f"{sheet} {at}"


def _same(one: Behind) -> Any:
    """What tells two numbers apart: the question, not how it is called."""
    return (one.card.id, one.row_name, one.view, one.params, one.place) if isinstance(one, Number) else (one.label, one.source, one.amount) if isinstance(one, Given) else (type(one).__name__, one.label)


def _target(line: Line) -> Given | None:
    return Given(f"Target: {line.label}", line.target, line.measure.unit, "targets") if line.target == line.target else None


def receipt_rows(found: Receipt, above: str = "") -> Iterable[list[Any]]:
    """A receipt as a row of the sheet Receipts, then those of its parts."""
    words = found.as_rows()
    label = f"{above} › {found.label}" if above else found.label
    yield [label, found.value, found.shown, found.unit, found.numerator, found.denominator, found.n, found.metric, found.measure, words.get("Period", ""), words.get("Filters", ""),
           words.get("Not applied", ""), words.get("Parameters", ""), found.as_of, found.dataset, words["Loads"], words["Definitions"], found.made, found.counted, found.not_counted, found.waiting, found.left_out,
           found.sha256]
    for part in found.parts:
        yield from receipt_rows(part, label)


def _sheet_name(title: str) -> str:
    return "".join(" " if c in "[]:*?/\\'" else c for c in title).strip()[:31] or "Review"


def _heading(name: str) -> str:
    return str(name).replace("_", " ").capitalize()


def _write(sheet: Worksheet, widths: Sequence[float], headings: Sequence[str], rows: Iterable[Sequence[Any]], above: Sequence[str] = ()) -> None:
    """One table with a bold, frozen heading; `rows` hold plain values or (value, number format)."""
    for number, width in enumerate(widths):
        sheet.column_dimensions[_letter(number)].width = width
    sheet.freeze_panes = f"A{len(above) + 2 + bool(above)}"
    for text in above:
        cell = _cell(sheet, text)
        cell.font = _BOLD
        sheet.append([cell])
    if above:
        sheet.append([])
    heads = [_cell(sheet, heading) for heading in headings]
    for cell in heads:
        cell.font, cell.fill = _BOLD, _HEAD
    sheet.append(heads)
    for row in rows:
        sheet.append([_quick(sheet, value) for value in row])


def _letter(number: int) -> str:
    return (chr(64 + number // 26) if number >= 26 else "") + chr(65 + number % 26)


def _quick(sheet: Worksheet, value: Any) -> WriteOnlyCell | str | float | int | None:
    """`_cell`; what needs no format and cannot be taken for anything else is given as it is, which is four times as fast."""
    plain = type(value) is int or type(value) is float and math.isfinite(value) or type(value) is str and len(value) <= 60 and value[:1].isalpha() and value.isprintable()
    return value if plain else _cell(sheet, value)


def _cell(sheet: Worksheet, value: Any) -> WriteOnlyCell | None:
    """A cell with a number, an instant or text; a missing value is an empty cell, text is always text."""
    form = None
    if isinstance(value, tuple):
        value, form = value
    if hasattr(value, "item") and not isinstance(value, pd.Timestamp):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, pd.Timestamp):
        cell = WriteOnlyCell(sheet, value.to_pydatetime())
        cell.number_format = "yyyy-mm-dd" if value == value.normalize() else "yyyy-mm-dd hh:mm"
        return cell
    if isinstance(value, str):
        text = "".join(c for c in value if c >= " " or c in "\t\n\r")[:32_000]
        cell = WriteOnlyCell(sheet, neutral_text(text))
        cell.data_type = "s"
        if len(text) > 60:
            cell.alignment = _WRAP
        return cell
    cell = WriteOnlyCell(sheet, value if isinstance(value, (bool, int, float)) or hasattr(value, "year") else str(value))
    if form:
        cell.number_format = form
    return cell


def _formed(values: list[Any], behind: Sequence[Behind | None] | None, currency: str) -> list[Any]:
    """The cells of a column of a table, each with the number format of what is behind it."""
    if behind is None:
        return values
    kinds = [None if one is None else one.card.measure(one.stat).unit if isinstance(one, Number) else one.unit for one in behind]
    return [value if kind is None else (value, units.spreadsheet(kind, currency)) for value, kind in zip(values, kinds, strict=True)]


def _line_cells(line: Line) -> list[Any]:
    form = units.spreadsheet(line.measure.unit, line.currency)
    before = line.before_period
    return [line.label, (line.value, form), line.text, line.sample, (line.before, form), f"{before.label} ({before.dates()})" if before and before.label else
            before.dates() if before else "", line.change, (line.target, form), line.n, (line.low, form), (line.high, form), line.flag.replace("_", " "),
            line.maturity, ", ".join(line.card.owners), " ".join(part for part in (line.sentence, *line.notes) if part), line.card.id, line.stat]


def _series_cells(line: Line) -> Iterable[list[Any]]:
    form = units.spreadsheet(line.measure.unit, line.currency)
    for row in line.series.to_dict("records"):
        yield [line.label, row["period"], date_of(int(row["start"])), date_of(int(row["end"]) - 1), (row["value"], form), row.get("numerator"),
               row.get("denominator"), row.get("n"), "yes" if row.get("running") else "", line.card.id, line.stat]


def _definition_cells(line: Line) -> list[Any]:
    card = line.card
    return [card.id, card.label, card.question, card.definition, ", ".join(card.owners), card.headline.unit.name, card.better.value, ", ".join(card.needs),
            card.population]


def _rows(lines: Sequence[Line], x: Coded, view: View) -> tuple[pd.DataFrame, list[str]]:
    """The rows behind every line that can be opened, one frame over all, and sentences for those that did not fit."""
    frames, unwritten, used = [], [], 0
    for line in lines:
        if line.lacks or line.measure.kind in (Kind.DERIVED, Kind.STUDY):
            continue
        own = dict(line.own)
        opened = open_number(x, line.card, view.during(line.period).narrowed(**own) if own else view.during(line.period), line.stat, **dict(line.params))
        parts = [getattr(opened, name).assign(part=word) for name, word in _PARTS]
        size = sum(map(len, parts))
        if used + size > ROW_CAP:
            unwritten.append(f"{line.label}: {size:,} rows (at most {ROW_CAP:,} in all); open the number in revscore to have them")
            continue
        used += size
        frames += [part.assign(number=line.label) for part in parts if len(part)]
    if not frames:
        return pd.DataFrame(columns=["number", "part"]), unwritten
    whole = pd.concat([frame.astype(object) for frame in frames], ignore_index=True)
    first = [c for c in ("number", "part", "lead_id", "opp_id", "contribution", "base", "why") if c in whole.columns]
    return whole[first + [c for c in whole.columns if c not in first]], unwritten
