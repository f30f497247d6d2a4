"""Reading text tables (csv, tsv, txt): the delimiter is chosen by evidence, cells stay as they are, uneven rows are kept and marked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from revscore.intake.encoding import decode
from revscore.intake.guards import Limits, Refused
from revscore.intake.layout import find_header, lay_out, no_header
from revscore.intake.patterns import series
from revscore.intake.sheet import Sheet

# Rarest in ordinary text first: of two delimiters that both divide every row evenly, the rarer one is meant.
DELIMITERS = "\x1f\x01\t|¬§¦^~!;,"
_NAMES = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "vertical bar", "!": "exclamation mark"}
_CHUNK = 50_000
_BLOCK = 4 << 20                 # characters that are read at a time
_SAMPLE = 200
_LOOK = 1 << 16
_EXCEL_ROWS = 1_048_576
_CONTROLS = re.compile("[\x02-\x08\x0b\x0e-\x1e\x7f-\x84\x86-\x9f\ufffd]")
_DECLARED = re.compile(r'"?sep=(.)"?[ \t]*(?:\r\n|\n|\r)')

Step = Callable[[float, str], None]


def read_text(file: str, content: bytes, limits: Limits, step: Step) -> Sheet:
    """The sheet in the bytes of a text file. Raises `Refused`.

    Rows are counted as a spreadsheet counts them: a cell with line breaks is one row. Surplus empty cells at the end of a row say
    nothing and are ignored; other surplus cells and absent cells are marked (see `Sheet.frame`).
    """
    step(0, "finding the encoding")
    text, note, encodings = decode(content)
    notes = [note] if note else []
    if "\0" in text:
        raise Refused("E_NUL", "the file holds zero bytes, so it is damaged or no text: export it again.", text.count("\n", 0, text.index("\0")) + 1)
    if not text.strip(" \t\r\n,;"):
        raise Refused("E_EMPTY", "the file holds no records: export it again.")
    controls = len(_CONTROLS.findall(text[:_LOOK]))
    if controls > 8 and controls * 50 > min(len(text), _LOOK):
        raise Refused("E_BINARY", "this is no text: most of it cannot be printed, so export the report as .xlsx or .csv.")
    if max(text.count("\n"), text.count("\r")) + (text[-1] not in "\r\n") == _EXCEL_ROWS:
        raise Refused("E_CUT", f"the file has exactly {_EXCEL_ROWS:,} lines, where Excel cuts a file off: export it again, without opening it in Excel.")
    declared = _DECLARED.match(text)
    used = declared and declared[1] in text[declared.end():declared.end() + _LOOK]
    delimiter, doubt = (declared[1], None) if declared and used else choose_delimiter(text[declared.end():] if declared else text)
    if delimiter != "," or doubt:
        notes.append(f"columns divided by {_name(delimiter)}.{doubt or ''}")
    dialects = _dialects(text, delimiter)
    for dialect in dialects:
        try:
            return replace(_read_with(file, text, dialect, notes, limits, step, first=1 if declared else 0), encodings=encodings)
        except csv.Error:
            continue
    raise _unreadable(text, dialects[0])


def _read_with(file: str, text: str, dialect: dict[str, object], notes: list[str], limits: Limits, step: Step, first: int) -> Sheet:
    """The sheet, read with one way of writing quotation marks. Raises `csv.Error` where the text is written in another."""
    sample = _first(text, dialect)
    if "quoting" not in dialect:
        _check_wrapped(sample[first:])
    head = find_header(sample[first:])
    if head is None:
        raise no_header()
    head += first
    named = len(_trim(sample[head]))
    if named > limits.text_columns:
        raise Refused("E_COLUMNS", f"the file has {named:,} columns (at most {limits.text_columns:,}): leave out those that are not needed.", head + 1)
    width = len(sample[head]) if len(sample[head]) <= limits.text_columns else named
    grid, extra, missing = _grid(text, dialect, width, named, step)
    surplus = np.flatnonzero(extra[head + 1:] != "")
    if len(surplus) * 2 > max(len(grid) - head - 1, 1):
        raise Refused("E_UNEVEN", f"most rows have more cells than the {named} headings, so columns cannot be told apart: export the file again.",
                      head + int(surplus[0]) + 2)
    ends, returns = text.count("\n"), text.count("\r")
    if len(grid) < ends or returns not in (0, ends):            # else no cell holds the end of a line
        _check_swallowed(grid, dialect, width)
    sheet = lay_out(file, "", grid, notes, head=head, extra=extra, missing=missing, letters=False)
    if sheet is None:
        raise Refused("E_EMPTY", "the file holds no records: export it again.")
    return sheet


def _check_wrapped(sample: list[list[str]]) -> None:
    """Refuse a text in which quotation marks stand around whole lines, so that each of them is one cell."""
    filled = [record for record in sample if record]
    if len(filled) > 1 and all(len(record) == 1 for record in filled):
        for delimiter in _NAMES:
            counts = {record[0].count(delimiter) for record in filled[:2]}
            if len(counts) == 1 and counts.pop() > 1:
                raise Refused("E_QUOTE", "quotation marks stand around whole lines, so that each line is one cell: take them away, or export again with quotation marks "
                                         "around single cells.", 1)


def choose_delimiter(text: str) -> tuple[str, str | None]:
    """The delimiter that divides the headings and the rows below into the same number of cells, and a sentence when another would too."""
    sample = text[:1 << 18]
    scores = []
    for rank, delimiter in enumerate(DELIMITERS):
        if delimiter not in sample:
            continue
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        try:
            records = [record for record in islice(reader, _SAMPLE) if any(cell.strip() for cell in record)]
        except csv.Error:
            continue
        if len(sample) < len(text) and len(records) > 1 and len(records) < _SAMPLE:
            records.pop()
        head = find_header(records)
        if head is None or (width := len(_trim(records[head]))) < 2:
            continue
        widths = [max(len(_trim(record, width)), 1) for record in records[head:]]
        while widths[-1] == 1:  # the lines of a footer
            widths.pop()
        share = sum(found == width for found in widths) / len(widths)
        scores.append((share == 1, -head, round(share, 1), -rank, width, delimiter))
    if not scores:
        return ",", None
    scores.sort(reverse=True)
    others = [f"{_name(score[-1])} ({score[-2]} columns)" for score in scores[1:] if score[:2] == (True, 0) == scores[0][:2]]
    return scores[0][-1], f" A {others[0]} would also do: check the headings." if others else None


def _name(delimiter: str) -> str:
    return _NAMES.get(delimiter, repr(delimiter))


def _trim(record: list[str], width: int = 0) -> list[str]:
    """The record without empty cells at its end, beyond `width`."""
    end = len(record)
    while end > width and not record[end - 1].strip():
        end -= 1
    return record[:end]


def _dialects(text: str, delimiter: str) -> list[dict[str, object]]:
    """How quotation marks inside a cell may be written: doubled, or with a backslash."""
    if '"' not in text:
        return [{"delimiter": delimiter, "quoting": csv.QUOTE_NONE}]
    doubled: dict[str, object] = {"delimiter": delimiter, "strict": True}
    return [doubled, {**doubled, "escapechar": "\\", "doublequote": False}] if '\\"' in text else [doubled]


def _unreadable(text: str, dialect: dict[str, object]) -> Refused:
    """The sentence for a file whose quotation marks do not fit, with the row where it shows."""
    row, why = 0, ""
    try:
        for row, _ in enumerate(_records(text, dialect), start=1):
            pass
    except csv.Error as error:
        why = str(error)
    if "field larger" in why:
        return Refused("E_CELL", f"a cell is longer than {csv.field_size_limit():,} characters, as when a quotation mark is never closed: "
                                 "mend that row or export the file again.", row + 1)
    if "unexpected end" in why:
        return Refused("E_QUOTE", "a quotation mark is opened in this row and never closed, so the rows after it are lost: mend it or export again.",
                       row + 1)
    return Refused("E_QUOTE", "text follows a closing quotation mark, so cells cannot be told apart: write quotation marks inside a cell "
                              "twice (\"\").", row + 1)


def _records(text: str, dialect: dict[str, object]) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), **dialect)


def _first(text: str, dialect: dict[str, object]) -> list[list[str]]:
    """The first records, of the beginning of the text where that has them."""
    try:
        found = list(islice(_records(text[:_BLOCK], dialect), _SAMPLE))
    except csv.Error:
        found = []
    return found if len(found) == _SAMPLE else list(islice(_records(text, dialect), _SAMPLE))


def _grid(text: str, dialect: dict[str, object], width: int, named: int, step: Step) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """All records as `str` columns of `width` cells; per row the surplus cells, joined, and how many of the `named` cells are absent.

    Arrow reads the stretches in which it cannot but find what the csv module finds, which reads the others. Raises `csv.Error`.
    """
    try:
        return _read_blocks(text, dialect, width, named, step, _BLOCK)
    except csv.Error:       # a stretch may end inside a cell when a quotation mark stands in the middle of one: not so the whole
        return _read_blocks(text, dialect, width, named, step, len(text))


def _read_blocks(text: str, dialect: dict[str, object], width: int, named: int, step: Step, size: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    columns: list[list[pa.Array]] = [[] for _ in range(width)]
    extras, absents, done = [], [], 0
    for start, end in _blocks(text, dialect, size):
        block = text[start:end] if end - start < len(text) else text
        quick = _quick(block, dialect, width)
        for cells, extra, missing in [(quick, *[np.full(len(quick[0]), "", dtype=object)] * 2)] if quick else _slow(block, dialect, width, named):
            for column, more in zip(columns, cells, strict=True):
                column.append(more)
            extras.append(extra)
            absents.append(missing)
            done += len(extra)
        step(end / len(text), f"{done:,} rows")
    joined = {}
    for at in range(width):             # one column after the other, so that only one is there twice
        joined[at] = series(pa.chunked_array(columns[at], type=pa.large_string()))
        columns[at] = []
    return pd.DataFrame(joined, copy=False), np.concatenate(extras), np.concatenate(absents)


def _blocks(text: str, dialect: dict[str, object], size: int) -> Iterator[tuple[int, int]]:
    """Stretches of about `size` characters that end with a row: after an even number of quotation marks."""
    start = 0
    while start < len(text):
        end = _row_end(text, start + size) if "escapechar" not in dialect else len(text)
        if "quoting" not in dialect and text.count('"', start, end) % 2:
            odd = True
            while odd and end < len(text):
                mark = text.find('"', end)
                after = len(text) if mark < 0 else _row_end(text, mark)
                odd = text.count('"', end, after) % 2 == 0
                end = after
        yield start, end
        start = end


def _row_end(text: str, at: int) -> int:
    end = text.find("\n", at) + 1 if at < len(text) else 0
    return end or len(text)


def _quick(block: str, dialect: dict[str, object], width: int) -> list[pa.Array] | None:
    """The columns of a stretch of text, or None where its rows are uneven, its quotation marks irregular, or it needs a closer look."""
    delimiter = str(dialect["delimiter"])
    blank = block.startswith(("\n", "\r\n")) or "\n\n" in block or "\n\r\n" in block          # Arrow makes a full row of an empty line
    if width < 2 or not delimiter.isascii() or delimiter == '"' or "escapechar" in dialect or blank or block.count("\r") != block.count("\r\n"):
        return None
    content = block.encode()
    quoted = '"' in block
    if quoted and not _regular(content, delimiter):
        return None
    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(content), arrow_csv.ReadOptions(use_threads=False, block_size=len(content) + 1, column_names=[str(at) for at in range(width)]),
            arrow_csv.ParseOptions(delimiter=delimiter, quote_char='"' if quoted else False, newlines_in_values=quoted, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(check_utf8=False, column_types={str(at): pa.large_string() for at in range(width)}, strings_can_be_null=False))
    except pa.ArrowInvalid:
        return None
    cells = [column.combine_chunks() for column in table.columns]
    return None if any((pc.max(pc.binary_length(column)).as_py() or 0) > csv.field_size_limit() for column in cells) else cells


def _regular(content: bytes, delimiter: str) -> bool:
    """Whether every quotation mark begins a cell, ends one, or is one of two inside a cell."""
    text = np.frombuffer(content, np.uint8)
    marks = np.flatnonzero(text == ord('"'))
    if len(marks) % 2:
        return False
    edges = np.zeros(256, dtype=bool)
    edges[[ord(delimiter), *b"\r\n"]] = True
    opens, closes = marks[::2], marks[1::2]
    before = (opens == 0) | edges[text[opens - 1]]
    before[1:] |= opens[1:] == closes[:-1] + 1
    after = (closes == len(text) - 1) | edges[text[np.minimum(closes + 1, len(text) - 1)]]
    after[:-1] |= opens[1:] == closes[:-1] + 1
    return bool(before.all() and after.all())


def _slow(block: str, dialect: dict[str, object], width: int, named: int) -> Iterator[tuple[list[pa.Array], np.ndarray, np.ndarray]]:
    reader = _records(block, dialect)
    while records := list(islice(reader, _CHUNK)):
        extra, missing = np.full(len(records), "", dtype=object), np.full(len(records), "", dtype=object)
        if set(map(len, records)) != {width}:
            for at, record in enumerate(records):
                if len(record) > width:
                    extra[at] = str(dialect["delimiter"]).join(_trim(record, width)[width:])
                    records[at] = record[:width]
                elif len(record) < width:
                    missing[at] = str(named - len(record)) if len(record) < named else ""
                    records[at] = record + [""] * (width - len(record))
        yield [pa.array(cells, type=pa.large_string()) for cells in zip(*records, strict=True)], extra, missing


def _check_swallowed(grid: pd.DataFrame, dialect: dict[str, object], width: int) -> None:
    """A cell that holds whole rows means that a quotation mark opened too early or closed too late."""
    if width < 3 or "quoting" in dialect:
        return
    mark = re.escape(str(dialect["delimiter"]))
    row_like = rf"\n(?:[^\n{mark}]*{mark}){{{width - 1}}}"
    for column in grid:
        broken = grid[column].str.contains("\n", regex=False)
        if broken.any():
            inside = grid.loc[broken, column].str.contains(row_like, regex=True)
            if inside.any():
                raise Refused("E_QUOTE", "a cell of this row holds whole rows, as when a quotation mark is left open: mend it or export again.",
                              int(inside.index[inside][0]) + 1)
