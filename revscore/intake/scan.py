"""What a workbook must pass before it is parsed, part by part: no macros, safe XML (`intake.xml_parts`), no size beyond the caps.

The scan of a worksheet also finds its real extent, whatever it declares, and what the parser would lose: error cells, formulas without a stored value, leading
zeros that a format shows, and times finer than a millisecond.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from xml.etree import ElementTree

import numpy as np

from revscore.intake.guards import DAMAGE, SAVE, Limits, Refused, member, open_zip
from revscore.intake.sheet import FORMULA, column_name
from revscore.intake.xml_parts import pieces

_TRANSITIONAL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_WIDEST = 1 << 15               # more columns than three letters can name


@dataclass
class Scan:
    """What the bytes of one worksheet say before it is parsed: its real extent, the cells that the parser would alter, and which cells of several rows are merged
    (the first row, and the range as a spreadsheet writes it)."""

    rows: int = 0
    columns: int = 0
    cells: int = 0
    hidden_rows: int = 0
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    serials: dict[tuple[int, int], float] = field(default_factory=dict)
    unsaved: int = 0
    merged: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Workbook:
    """A workbook that passed: a `Scan` per worksheet name, whether its dates count from 1904, and the names of files that it links to."""

    scans: dict[str, Scan]
    from_1904: bool
    linked: tuple[str, ...]


# Positions in the sheet XML. A blank styled cell (`<c r="A1" s="3"/>`) is no value.
_CELL = re.compile(rb'\sr=["\']([A-Za-z]{1,3})(\d{1,7})["\'](?:[^>]*[^/>])?>(?!\s*(?:<(?:\w+:)?v(?:\s*/>|></(?:\w+:)?v>)\s*)?</)')  # with something in it
_ANY_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_ERROR = re.compile(rb'\sr=["\']([A-Z]{1,3})(\d{1,7})["\'][^>]*\st=["\']e["\'][^>]*>(?:<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>))?'
                    rb'\s*<(?:\w+:)?v>([^<]+)<')
_UNSAVED = re.compile(rb'\sr=["\']([A-Z]{1,3})(\d{1,7})["\']((?:(?!\st=["\']str)[^>])*)>\s*<(?:\w+:)?f\b[^>]*>([^<]*)</(?:\w+:)?f>\s*'
                      rb'(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</')
_SERIAL = re.compile(rb'\sr=["\']([A-Z]{1,3})(\d{1,7})["\'][^>]*>(?:<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>))?\s*'
                     rb'<(?:\w+:)?v>(\d{1,7}\.\d{6,})<')
_PADDED = re.compile(rb'\sr=["\']([A-Z]{1,3})(\d{1,7})["\']\ss=["\'](\d{1,5})["\'](?:\st=["\']n["\'])?>(?:<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>))?\s*'
                     rb'<(?:\w+:)?v>(\d{1,15})<')
_FINE = re.compile(rb"\.\d{6,}<")
_TABLE = re.compile(rb"<(?:\w+:)?sheetData[\s/>]")
_HIDDEN = re.compile(rb'<(?:\w+:)?row\b[^>]*\shidden=["\'](?:1|true)["\']')
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref=["\']([A-Z]{1,3}(\d{1,7}):[A-Z]{1,3}(\d{1,7}))["\']')
_TEXT_END = re.compile(rb"</(?:\w+:)?si>|<(?:\w+:)?si\s*/>")


def check_workbook(content: bytes, limits: Limits) -> Workbook:
    """Hold an xlsx against every rule before it is parsed, and scan its worksheets."""
    archive = open_zip(content, limits)
    names = {entry.filename.lower(): entry for entry in archive.infolist()}
    if not {"[content_types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= set(names):
        raise Refused("E_WORKBOOK", f"this is no complete Excel workbook: {SAVE}.")
    if any(name.endswith("vbaproject.bin") or name.startswith("xl/macrosheets/") for name in names) or b"macroEnabled" in member(archive, names["[content_types].xml"]):
        raise Refused("E_MACRO", "the workbook holds macros (.xlsm): save it as .xlsx without macros.")
    try:
        for name, entry in names.items():
            if name.endswith((".xml", ".rels", ".vml")) and not name.startswith(("xl/worksheets/sheet", "xl/sharedstrings")):
                for _ in pieces(archive, entry, limits):
                    pass
        sheets, from_1904 = _sheet_parts(archive, names)
        lengths, padded = _string_lengths(archive, names, limits), _padded_styles(archive, names)
        scans = {}
        for sheet, part in sheets.items():
            scans[sheet] = _scan(archive, names[part], sheet, limits, padded) if part in names else Scan()
            _check_text(archive, names.get(part), sheet, scans[sheet], lengths, limits)
    except DAMAGE:
        raise Refused("E_ZIP", "the workbook is damaged: download or export it again.") from None
    return Workbook(scans, from_1904, _linked(archive, names))


def _sheet_parts(archive: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo]) -> tuple[dict[str, str], bool]:
    """Worksheet name -> lower-case path of its part; whether dates count from 1904."""
    targets = {}
    for link in ElementTree.fromstring(member(archive, names["xl/_rels/workbook.xml.rels"])):
        target = link.get("Target", "")
        targets[link.get("Id")] = (target.lstrip("/") if target.startswith("/") else f"xl/{target}").lower().replace("xl/./", "xl/")
    root = ElementTree.fromstring(member(archive, names["xl/workbook.xml"]))
    if "/purl.oclc.org/ooxml/" in root.tag:
        raise Refused("E_STRICT", 'this workbook is in the "Strict Open XML" format: save it as an ordinary "Excel Workbook (.xlsx)".')
    if root.tag != f"{_TRANSITIONAL}workbook":
        raise Refused("E_WORKBOOK", f"this is no Excel workbook of the usual format: {SAVE}.")
    sheets, from_1904 = {}, False
    for node in root.iter():
        tag = node.tag.rsplit("}", 1)[-1]
        if tag == "sheet":
            link = next((value for key, value in node.attrib.items() if key.endswith("}id")), None)
            sheets[node.get("name", "")] = targets.get(link, "")
        elif tag == "workbookPr":
            from_1904 = node.get("date1904", "0").lower() in ("1", "true")
    return sheets, from_1904


def _linked(archive: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo]) -> tuple[str, ...]:
    """Names of the files that the workbook takes values from. None of them is ever opened."""
    found = {}
    for name, entry in names.items():
        if name.startswith("xl/externallinks/_rels/"):
            for link in ElementTree.fromstring(member(archive, entry)):
                last = link.get("Target", "").replace("\\", "/").rstrip("/").rpartition("/")[2]
                found["".join(character for character in last if character.isprintable())[:60]] = None
    return tuple(found) or (("another file",) if any(name.startswith("xl/externallinks/") for name in names) else ())


def _padded_styles(archive: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo]) -> dict[bytes, int]:
    """Number of each cell style that shows whole numbers with leading zeros, as ids are kept ("000000") -> how many digits it shows."""
    if "xl/styles.xml" not in names:
        return {}
    root = ElementTree.fromstring(member(archive, names["xl/styles.xml"]))
    formats = {one.get("numFmtId"): one.get("formatCode", "") for one in root.iter(f"{_TRANSITIONAL}numFmt")}
    styles = root.find(f"{_TRANSITIONAL}cellXfs")
    shown = [formats.get(one.get("numFmtId"), "") for one in ([] if styles is None else styles)]
    return {str(at).encode(): len(form) for at, form in enumerate(shown) if len(form) > 1 and not form.strip("0")}


def _scan(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, sheet: str, limits: Limits, padded: dict[bytes, int]) -> Scan:
    scan, last, ordered, tables = Scan(), 0, True, 0
    for data in pieces(archive, entry, limits):
        tables += len(_TABLE.findall(data)) if b"sheetData" in data else 0
        if tables > 1:
            raise Refused("E_SHEET_TWINS", f"sheet {sheet} holds two tables of cells where a workbook has one, so one of them would be lost: {SAVE}.")
        cells, rows, columns, places = _extent(data)
        scan.cells, scan.rows, scan.columns = scan.cells + cells, max(scan.rows, rows), max(scan.columns, columns)
        ordered = ordered and (not len(places) or bool(places[0] > last and (np.diff(places) > 0).all()))
        last = places[-1] if len(places) else last
        if scan.columns > limits.sheet_columns:
            raise Refused("E_COLUMNS", f"sheet {sheet} has a value in column {column_name(scan.columns)}, beyond {limits.sheet_columns:,} columns: delete stray cells "
                                       "right of the table (Ctrl+End shows the last) and save.", column=column_name(scan.columns))
        if scan.rows > limits.sheet_rows:
            raise Refused("E_ROWS", f"sheet {sheet} has a value in row {scan.rows:,}, beyond {limits.sheet_rows:,} rows: delete stray cells "
                                    "below the table (Ctrl+End shows the last), or export as .csv, which has no such limit.", scan.rows)
        scan.hidden_rows += len(_HIDDEN.findall(data)) if b"hidden=" in data else 0
        if padded:
            scan.texts.update({_at(column, row): digits.decode().zfill(padded[style]) for column, row, style, digits in _PADDED.findall(data) if style in padded})
        if b'"e"' in data or b"'e'" in data:
            scan.texts.update({_at(column, row): text.decode() for column, row, text in _ERROR.findall(data)})
        if b"<f" in data or b":f" in data:
            for column, row, _, formula in _UNSAVED.findall(data):
                scan.texts[_at(column, row)] = FORMULA + unescape(formula.decode())
                scan.unsaved += 1
        if b"mergeCell" in data:
            scan.merged += [(int(first), area.decode()) for area, first, last in _MERGED.findall(data) if int(last) > int(first)]
        scan.serials.update(_serials(data))
    if not ordered:
        _check_twins(archive, entry, sheet, limits)
    return scan


def _check_twins(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, sheet: str, limits: Limits) -> None:
    """Refuse two values for one cell: the parser keeps the last and loses the other, which may be a whole row."""
    places = np.sort(np.concatenate([_extent(data)[3] for data in pieces(archive, entry, limits)]))
    twins = places[1:][places[1:] == places[:-1]]
    if len(twins):
        row, column = divmod(int(twins[0]), _WIDEST)
        raise Refused("E_CELL_TWINS", f"cell {column_name(column)}{row} of sheet {sheet} is there twice, so one of its values would be lost: export the report again.",
                      row, column_name(column))


def _serials(data: bytes) -> Iterator[tuple[tuple[int, int], float]]:
    """The cells whose number has six decimals and more: times, maybe."""
    for hit in _FINE.finditer(data):
        start = hit.start()
        for _ in range(8):              # "r=" may stand in a formula between
            start = data.rfind(b"r=", 0, start)
            found = _SERIAL.match(data, start - 1) if start > 0 else None
            if found or start < 0:
                break
        if found:
            yield _at(found[1], found[2]), float(found[3])


def _extent(data: bytes) -> tuple[int, int, int, np.ndarray]:
    """How many cells there are, the last row and column that hold a value, and where each value stands: row × `_WIDEST` + column."""
    text = np.frombuffer(data + b"        \0\0\0\0\0\0\0\0", np.uint8)
    tags = np.flatnonzero(text == ord("<"))
    follows = text[tags + 2]
    cells = tags[(text[tags + 1] == ord("c")) & ((follows == ord(" ")) | (follows == ord(">")) | (follows == ord("/")) | (follows < ord(" ")))]
    usual = cells[(text[cells + 3] == ord("r")) & (text[cells + 4] == ord("=")) & (text[cells + 5] == ord('"')) & (text[cells + 2] == ord(" "))]
    ends = np.flatnonzero(text == ord(">"))
    if len(usual) < len(cells) or b":c " in data or b":c>" in data or len(ends) != len(tags) or b"<v/>" in data or b"<v></v>" in data or b"<v />" in data:
        return _extent_of_any(data)
    if not len(cells):
        return 0, 0, 0, np.zeros(0, np.int64)
    end = ends[np.searchsorted(ends, cells)]
    filled = cells[(text[end - 1] != ord("/")) & ~((text[end + 1] == ord("<")) & (text[end + 2] == ord("/")))]
    if (text[end + 1] <= ord(" ")).any() and len(filled):
        return _extent_of_any(data)
    at, column, row = filled + 6, np.zeros(len(filled), np.int64), np.zeros(len(filled), np.int64)
    for _ in range(3):
        letter = (text[at] >= ord("A")) & (text[at] <= ord("Z"))
        column = np.where(letter, column * 26 + text[at] - 64, column)
        at = at + letter
    for _ in range(7):
        digit = (text[at] >= ord("0")) & (text[at] <= ord("9"))
        row = np.where(digit, row * 10 + text[at] - 48, row)
        at = at + digit
    if (text[at] != ord('"')).any():
        return _extent_of_any(data)
    return len(cells), int(row.max(initial=0)), int(column.max(initial=0)), row * _WIDEST + column


def _extent_of_any(data: bytes) -> tuple[int, int, int, np.ndarray]:
    """The same for XML that is written in another way than Excel's."""
    found = _CELL.findall(data)
    numbers = {column: _number(column.upper()) for column in {column for column, _ in found}}
    places = np.fromiter((int(row) * _WIDEST + numbers[column] for column, row in found), np.int64, len(found))
    return len(_ANY_CELL.findall(data)), int(places.max(initial=0)) // _WIDEST, max(numbers.values(), default=0), places


def _string_lengths(archive: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo], limits: Limits) -> np.ndarray:
    """Bytes of each shared string: every cell that uses one costs that much once it is unpacked."""
    entry = names.get("xl/sharedstrings.xml")
    if entry is None:
        return np.zeros(1, dtype="int64")
    rest, lengths, count = b"", [np.zeros(0, dtype="int64")], 0
    for data in pieces(archive, entry, limits):
        data = rest + data
        parts = _TEXT_END.split(data) if b":si>" in data or b"<si/" in data or b"<si " in data else data.split(b"</si>")
        rest = parts.pop()
        lengths.append(np.fromiter(map(len, parts), dtype="int64", count=len(parts)))
        count += len(parts)
        if count > limits.strings:
            raise Refused("E_STRINGS", f"the workbook holds more than {limits.strings:,} different texts: export it as .csv.")
    return np.concatenate([*lengths, [len(rest)]])


def _check_text(archive: zipfile.ZipFile, entry: zipfile.ZipInfo | None, sheet: str, scan: Scan, lengths: np.ndarray, limits: Limits) -> None:
    if entry is None or int(lengths.max()) * scan.cells <= limits.string_bytes:
        return
    total = 0
    for data in pieces(archive, entry, limits):
        used = np.array(re.findall(rb'\st=["\']s["\'][^>]*>\s*<(?:\w+:)?v>\s*(\d{1,8})\s*<', data), dtype="int64")
        total += int(lengths[used[used < len(lengths)]].sum())
        if total > limits.string_bytes:
            raise Refused("E_STRINGS", f"the texts of sheet {sheet} come to more than {limits.string_bytes >> 20:,} MB: leave out long text columns, or export it as .csv.")


def _number(column: bytes) -> int:
    """Column letters to a number: A = 1, XFD = 16,384."""
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number


def _at(column: bytes, row: bytes) -> tuple[int, int]:
    return int(row) - 1, _number(column) - 1
