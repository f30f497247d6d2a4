"""What a file must pass before any parser sees it: what it really is, how large it would become, and whether it can be trusted.

Each rule raises `Refused` with one sentence that says what to do and a stable code. The xlsx scan also finds what the parser
would lose: error cells, formulas without a stored value, and times finer than a millisecond.
"""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from html import unescape
from pathlib import PurePosixPath
from xml.etree import ElementTree

import numpy as np


@dataclass(frozen=True)
class Limits:
    """Caps on what is read; sizes in bytes. An honest workbook of 100,000 rows unpacks to 6.4 times its size.

    The process that reads a file (`intake.apart`) may take `memory` + `memory_per_byte` × its size, and `seconds` + `seconds_per_mb` × its size on the clock.
    Another value is given in the environment: `REVSCORE_LIMITS="sheet_rows=300000 seconds=120"`.
    """

    workbook: int = 50 << 20
    text: int = 1 << 30
    entries: int = 2_000
    unpacked: int = 400 << 20
    part: int = 256 << 20
    ratio: float = 50.0
    ratio_from: int = 10 << 20
    strings: int = 2_000_000
    string_bytes: int = 200 << 20
    sheet_rows: int = 200_000
    sheet_columns: int = 256
    text_columns: int = 2_000
    memory: int = 2 << 30
    memory_per_byte: float = 12.0
    seconds: float = 60.0
    seconds_per_mb: float = 1.0

    @classmethod
    def given(cls) -> Limits:
        """The caps of this installation. Raises ValueError when `REVSCORE_LIMITS` cannot be read."""
        kinds, caps = {one.name: type(one.default) for one in fields(cls)}, {}
        for word in os.environ.get("REVSCORE_LIMITS", "").split():
            name, _, value = word.partition("=")
            try:
                caps[name] = kinds[name](value)
            except (KeyError, ValueError):
                raise ValueError(f"REVSCORE_LIMITS: {word!r} is no cap and its number; there are {', '.join(kinds)}") from None
        return cls(**caps)


class Refused(Exception):
    """A file or sheet is not read; `text` is the sentence for the reader, `code` names the rule."""

    def __init__(self, code: str, text: str, row: int | None = None, column: str | None = None) -> None:
        super().__init__(text)
        self.code, self.text, self.row, self.column = code, text, row, column


# What zipfile, zlib and the XML parser raise on damaged bytes.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, LookupError, NotImplementedError, RuntimeError, struct.error,
          OverflowError, OSError, ElementTree.ParseError)

_SAVE = "open it in Excel and save it as .xlsx, or export it as .csv"


def kind_of(content: bytes) -> str:
    """What the bytes are: "xlsx", "zip" or "text", whatever the name says. Raises `Refused` for everything else."""
    head = content[:4096].lstrip(b"\xef\xbb\xbf\x00 \t\r\n")
    low = head[:1024].lower()
    if not head:
        raise Refused("E_EMPTY", "the file is empty: export it again.")
    if content[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return _kind_of_zip(content)
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise Refused("E_PASSWORD", "the workbook is protected by a password: remove it in Excel (File > Info > Protect Workbook) and save.")
        raise Refused("E_XLS", f"this is an old .xls workbook: {_SAVE}.")
    if low.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta", b"<style", b"<div")):
        raise Refused("E_HTML", f"this is a web page with the name of a spreadsheet, as some CRMs export it: {_SAVE}.")
    if low.startswith((b"<?xml", b"<workbook", b"<ss:")):
        if b"<html" in low:
            raise Refused("E_HTML", f"this is a web page with the name of a spreadsheet, as some CRMs export it: {_SAVE}.")
        raise Refused("E_XML", f"this is an XML file (such as Excel's \"XML Spreadsheet 2003\"): {_SAVE}.")
    for start, name, code, remedy in _FOREIGN:
        if content.startswith(start):
            raise Refused(code, f"this is {name}: {remedy}.")
    if head[:1] in b"{[" and content.rstrip()[-1:] in b"}]" and re.match(rb'[\[{]\s*(["{\[\]}]|$)', head):
        raise Refused("E_JSON", "this is a JSON file: export the records as .csv or .xlsx.")
    return "text"


_FOREIGN = (
    (b"%PDF", "a PDF", "E_PDF", "export the report as .xlsx or .csv instead"),
    (b"PAR1", "a Parquet file", "E_PARQUET", "export the table as .csv, or connect to the warehouse"),
    (b"ARROW1", "an Arrow file", "E_PARQUET", "export the table as .csv, or connect to the warehouse"),
    (b"\x1f\x8b", "a gzip archive", "E_GZIP", "unpack it and load the file inside"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "E_ARCHIVE", "unpack it, or pack the files as .zip"),
    (b"Rar!", "a RAR archive", "E_ARCHIVE", "unpack it, or pack the files as .zip"),
    (b"SQLite format 3\0", "a SQLite database", "E_DATABASE", "connect to it as a warehouse instead"),
    (b"\x80\x02", "a Python pickle", "E_PICKLE", "export the table as .csv"),
    (b"\x80\x03", "a Python pickle", "E_PICKLE", "export the table as .csv"),
    (b"\x80\x04", "a Python pickle", "E_PICKLE", "export the table as .csv"),
    (b"\x80\x05", "a Python pickle", "E_PICKLE", "export the table as .csv"),
    (b"{\\rtf", "a text document (RTF)", "E_DOCUMENT", "export the report as .xlsx or .csv instead"),
    (b"\x89PNG", "a picture", "E_PICTURE", "export the report as .xlsx or .csv instead"),
    (b"\xff\xd8\xff", "a picture", "E_PICTURE", "export the report as .xlsx or .csv instead"),
)


def _kind_of_zip(content: bytes) -> str:
    try:
        names = {name.lower() for name in zipfile.ZipFile(io.BytesIO(content)).namelist()}
    except DAMAGE:
        raise Refused("E_ZIP", "the file is damaged (its zip directory cannot be read): download or export it again.") from None
    if "xl/workbook.bin" in names:
        raise Refused("E_XLSB", f"this is a binary workbook (.xlsb): {_SAVE}.")
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise Refused("E_DOCUMENT", "this is a Word or PowerPoint document: export the report as .xlsx or .csv instead.")
    if "content.xml" in names and "mimetype" in names:
        raise Refused("E_ODS", "this is an OpenDocument spreadsheet: save it as .xlsx.")
    return "xlsx" if "[content_types].xml" in names or "xl/workbook.xml" in names else "zip"


def open_zip(content: bytes, limits: Limits) -> zipfile.ZipFile:
    """The archive, once its directory has passed: count, names, overlap, packing, sizes and ratio."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except DAMAGE:
        raise Refused("E_ZIP", "the file is damaged (its zip directory cannot be read): download or export it again.") from None
    entries = archive.infolist()
    if len(entries) > limits.entries:
        raise Refused("E_ZIP_ENTRIES", f"the archive holds {len(entries):,} entries (at most {limits.entries:,}): pack only the extracts.")
    names = [entry.filename.lower() for entry in entries]
    if len(set(names)) < len(names):
        raise Refused("E_ZIP_TWINS", "the archive holds two entries of one name: pack it again with each file once.")
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.orig_filename or ":" in entry.filename or "\0" in entry.orig_filename:
            raise Refused("E_ZIP_PATH", f"the archive holds an entry with an unsafe path ({entry.filename[:60]!r}): pack the files again.")
        if entry.flag_bits & 1:
            raise Refused("E_PASSWORD", "the archive is protected by a password: pack it without one.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused("E_ZIP_METHOD", "the archive is packed in an unusual way: pack it as an ordinary .zip.")
        if entry.header_offset < end:
            raise Refused("E_ZIP_OVERLAP", "entries of the archive overlap: pack the files again.")
        end = entry.header_offset + entry.compress_size
        if entry.file_size > limits.part:
            raise Refused("E_UNPACKED", f"{entry.filename} would unpack to {entry.file_size >> 20:,} MB (at most {limits.part >> 20:,} MB): "
                                        "load fewer rows at a time, or load .csv files.")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.unpacked:
        raise Refused("E_UNPACKED", f"the file would unpack to {unpacked >> 20:,} MB (at most {limits.unpacked >> 20:,} MB): "
                                    "load fewer rows at a time, or load .csv files.")
    packed = max(sum(entry.compress_size for entry in entries), 1)
    if unpacked > limits.ratio_from and unpacked / packed > limits.ratio:
        raise Refused("E_ZIP_RATIO", f"the file unpacks to {unpacked / packed:,.0f} times its size, which no export does: export it again.")
    return archive


def member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo | str) -> bytes:
    """The bytes of one entry, its checksum verified. Raises `Refused` when they are damaged."""
    try:
        return archive.read(entry)
    except DAMAGE:
        name = entry if isinstance(entry, str) else entry.filename
        raise Refused("E_ZIP", f"the file is damaged ({name} cannot be unpacked): download or export it again.") from None


@dataclass
class Scan:
    """What the bytes of one worksheet say before it is parsed: its real extent and the cells that the parser would alter."""

    rows: int = 0
    columns: int = 0
    cells: int = 0
    hidden_rows: int = 0
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    serials: dict[tuple[int, int], float] = field(default_factory=dict)
    unsaved: int = 0


@dataclass(frozen=True)
class Workbook:
    """A workbook that passed: a `Scan` per worksheet name, whether its dates count from 1904, and whether it links to other files."""

    scans: dict[str, Scan]
    from_1904: bool
    linked: bool


# Positions in the sheet XML. A blank styled cell (`<c r="A1" s="3"/>`) is no value.
_CELL = re.compile(rb'\sr=["\']([A-Z]{1,3})(\d{1,7})["\'][^>]*[^/]>(?!\s*(?:<(?:\w+:)?v(?:\s*/>|></(?:\w+:)?v>)\s*)?</)')  # with something in it
_ERROR = re.compile(rb'\sr=["\']([A-Z]{1,3})(\d{1,7})["\'][^>]*\st=["\']e["\'][^>]*>(?:<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>))?'
                    rb'\s*<(?:\w+:)?v>([^<]+)<')
_UNSAVED = re.compile(rb'\sr=["\']([A-Z]{1,3})(\d{1,7})["\']((?:(?!\st=["\']str)[^>])*)>\s*<(?:\w+:)?f\b[^>]*>([^<]*)</(?:\w+:)?f>\s*'
                      rb'(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</')
_SERIAL = re.compile(rb'\sr=["\']([A-Z]{1,3})(\d{1,7})["\'][^>]*>(?:<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>))?\s*'
                     rb'<(?:\w+:)?v>(\d{1,7}\.\d{6,})<')
_HIDDEN = re.compile(rb'<(?:\w+:)?row\b[^>]*\shidden=["\'](?:1|true)["\']')
_ENCODING = re.compile(rb'^\s*<\?xml[^>]*encoding=["\']([^"\']+)["\']')


def check_workbook(content: bytes, limits: Limits) -> Workbook:
    """Hold an xlsx against every rule before it is parsed, and scan its worksheets."""
    archive = open_zip(content, limits)
    names = {entry.filename.lower(): entry for entry in archive.infolist()}
    if not {"[content_types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= set(names):
        raise Refused("E_WORKBOOK", f"this is no complete Excel workbook: {_SAVE}.")
    if any(name.endswith("vbaproject.bin") for name in names) or b"macroEnabled" in member(archive, names["[content_types].xml"]):
        raise Refused("E_MACRO", "the workbook holds macros (.xlsm): save it as .xlsx without macros.")
    try:
        book = member(archive, names["xl/workbook.xml"])
        if b"http://purl.oclc.org/ooxml/" in book:
            raise Refused("E_STRICT", 'this workbook is in the "Strict Open XML" format: save it as an ordinary "Excel Workbook (.xlsx)".')
        lengths = _string_lengths(archive, names, limits)
        sheets, from_1904 = _sheet_parts(archive, names, book)
        scans = {}
        for sheet, part in sheets.items():
            scans[sheet] = _scan(archive, names[part], sheet, limits) if part in names else Scan()
            _check_text(archive, names.get(part), scans[sheet], lengths, limits)
        for name, entry in names.items():
            if name.endswith((".xml", ".rels")) and name not in sheets.values():
                for _ in _chunks(archive, entry):
                    pass
    except DAMAGE:
        raise Refused("E_ZIP", "the workbook is damaged: download or export it again.") from None
    return Workbook(scans, from_1904, any(name.startswith("xl/externallinks/") for name in names))


def _sheet_parts(archive: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo], book: bytes) -> tuple[dict[str, str], bool]:
    """Worksheet name -> lower-case path of its part; whether dates count from 1904."""
    for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        for _ in _chunks(archive, names[part]):
            pass
    targets = {}
    for link in ElementTree.fromstring(member(archive, names["xl/_rels/workbook.xml.rels"])):
        target = link.get("Target", "")
        targets[link.get("Id")] = (target.lstrip("/") if target.startswith("/") else f"xl/{target}").lower().replace("xl/./", "xl/")
    root = ElementTree.fromstring(book)
    sheets, from_1904 = {}, False
    for node in root.iter():
        tag = node.tag.rsplit("}", 1)[-1]
        if tag == "sheet":
            link = next((value for key, value in node.attrib.items() if key.endswith("}id")), None)
            sheets[node.get("name", "")] = targets.get(link, "")
        elif tag == "workbookPr":
            from_1904 = node.get("date1904", "0").lower() in ("1", "true")
    return sheets, from_1904


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, size: int = 8 << 20) -> Iterator[bytes]:
    """The XML of a part in pieces that end between rows; entities, document types and other encodings are refused on the way."""
    rest, first = b"", True
    with archive.open(entry) as part:
        while True:
            piece = part.read(size)
            if first:
                found = _ENCODING.match(piece[:300].removeprefix(b"\xef\xbb\xbf"))
                if piece[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in piece[:64] or (
                        found and found[1].lower() not in (b"utf-8", b"us-ascii", b"ascii")):
                    raise Refused("E_XML_ENCODING", f"the workbook is written in an unusual encoding ({entry.filename}): {_SAVE}.")
                first = False
            data = rest + piece
            if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
                raise Refused("E_XML_DTD", f"the workbook holds XML definitions that no export writes ({entry.filename}): {_SAVE}.")
            cut = data.rfind(b"row>") + 4 if piece else len(data)
            cut = cut if cut > 3 else 0
            if cut:
                yield data[:cut]
            rest = data[cut:]
            if not piece:
                return


def _scan(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, sheet: str, limits: Limits) -> Scan:
    scan = Scan()
    columns: set[bytes] = set()
    for data in _chunks(archive, entry):
        cells = _CELL.findall(data)
        scan.cells += len(cells)
        columns.update(column for column, _ in cells)
        scan.rows = max(scan.rows, max((int(row) for _, row in cells), default=0))
        scan.hidden_rows += len(_HIDDEN.findall(data)) if b"hidden=" in data else 0
        if b'"e"' in data or b"'e'" in data:
            scan.texts.update({_at(column, row): text.decode() for column, row, text in _ERROR.findall(data)})
        if b"<f" in data or b":f" in data:
            for column, row, _, formula in _UNSAVED.findall(data):
                scan.texts[_at(column, row)] = "=" + unescape(formula.decode())
                scan.unsaved += 1
        scan.serials.update({_at(column, row): float(serial) for column, row, serial in _SERIAL.findall(data)})
    scan.columns = max((_number(column) for column in columns), default=0)
    if scan.columns > limits.sheet_columns:
        raise Refused("E_COLUMNS", f"sheet {sheet} has a value in column {max(columns, key=_number).decode()}, beyond "
                                   f"{limits.sheet_columns:,} columns: delete stray cells right of the table (Ctrl+End shows the last) and save.")
    if scan.rows > limits.sheet_rows:
        raise Refused("E_ROWS", f"sheet {sheet} has a value in row {scan.rows:,}, beyond {limits.sheet_rows:,} rows: delete stray cells "
                                "below the table (Ctrl+End shows the last), or export as .csv, which has no such limit.")
    return scan


def _string_lengths(archive: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo], limits: Limits) -> np.ndarray:
    """Bytes of each shared string: every cell that uses one costs that much once it is unpacked."""
    entry = names.get("xl/sharedstrings.xml")
    if entry is None:
        return np.zeros(1, dtype="int64")
    for _ in _chunks(archive, entry):
        pass
    lengths = np.fromiter(map(len, re.split(rb"</(?:\w+:)?si>", member(archive, entry))), dtype="int64")
    if len(lengths) > limits.strings:
        raise Refused("E_STRINGS", f"the workbook holds {len(lengths):,} different texts (at most {limits.strings:,}): export it as .csv.")
    return lengths


def _check_text(archive: zipfile.ZipFile, entry: zipfile.ZipInfo | None, scan: Scan, lengths: np.ndarray, limits: Limits) -> None:
    if entry is None or int(lengths.max()) * scan.cells <= limits.string_bytes:
        return
    total = 0
    for data in _chunks(archive, entry):
        used = np.array(re.findall(rb'\st=["\']s["\'][^>]*>\s*<(?:\w+:)?v>(\d{1,8})<', data), dtype="int64")
        total += int(lengths[used[used < len(lengths)]].sum())
    if total > limits.string_bytes:
        raise Refused("E_STRINGS", f"the texts of one sheet come to {total >> 20:,} MB (at most {limits.string_bytes >> 20:,} MB): "
                                   "leave out long text columns, or export it as .csv.")


def _number(column: bytes) -> int:
    """Column letters to a number: A = 1, XFD = 16,384."""
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number


def _at(column: bytes, row: bytes) -> tuple[int, int]:
    return int(row) - 1, _number(column) - 1
