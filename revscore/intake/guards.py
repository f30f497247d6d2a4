"""What a file must pass before any parser sees it: what it really is, how large it would become, and whether it can be trusted.

Each rule raises `Refused` with one sentence that says what to do and a stable code. `intake.scan` has the rules of workbooks.
"""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

from revscore.intake.sheet import Unusable


@dataclass(frozen=True)
class Limits:
    """Caps on what is read; sizes in bytes. An honest workbook of 100,000 rows unpacks to 6.4 times its size.

    The process that reads a file (`intake.apart`) may take `memory` + `memory_per_byte` × its size, and `seconds` + `seconds_per_mb` × its size of CPU time.
    Another value is given in the environment: `REVSCORE_LIMITS="sheet_rows=300000 seconds=120"`.
    """

    workbook: int = 50 << 20
    text: int = 1 << 30
    entries: int = 2_000
    unpacked: int = 400 << 20
    part: int = 256 << 20
    ratio: float = 50.0
    ratio_from: int = 10 << 20
    strings: int = 1_000_000
    string_bytes: int = 200 << 20
    depth: int = 64
    sheet_rows: int = 200_000
    sheet_columns: int = 256
    text_columns: int = 2_000
    memory: int = 2 << 30
    memory_per_byte: float = 12.0
    seconds: float = 60.0
    seconds_per_mb: float = 1.0

    @classmethod
    def given(cls) -> Limits:
        """The caps of this installation. Raises Unusable when `REVSCORE_LIMITS` cannot be read."""
        kinds, caps = {one.name: type(one.default) for one in fields(cls)}, {}
        for word in os.environ.get("REVSCORE_LIMITS", "").split():
            name, _, value = word.partition("=")
            try:
                caps[name] = kinds[name](value)
            except (KeyError, ValueError):
                raise Unusable(f"REVSCORE_LIMITS: {word!r} is no cap and its number; there are {', '.join(kinds)}") from None
        return cls(**caps)


class Refused(Exception):
    """A file or sheet is not read; `text` is the sentence for the reader, `code` names the rule."""

    def __init__(self, code: str, text: str, row: int | None = None, column: str | None = None) -> None:
        super().__init__(text)
        self.code, self.text, self.row, self.column = code, text, row, column


# What zipfile, zlib and the XML parser raise on damaged bytes.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, LookupError, NotImplementedError, RuntimeError, struct.error,
          OverflowError, OSError, ElementTree.ParseError, ExpatError)

SAVE = "open it in Excel and save it as .xlsx, or export it as .csv"


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
        raise Refused("E_XLS", f"this is an old .xls workbook: {SAVE}.")
    if low.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta", b"<style", b"<div")):
        raise Refused("E_HTML", f"this is a web page with the name of a spreadsheet, as some CRMs export it: {SAVE}.")
    if low.startswith((b"<?xml", b"<workbook", b"<ss:")):
        if b"<html" in low:
            raise Refused("E_HTML", f"this is a web page with the name of a spreadsheet, as some CRMs export it: {SAVE}.")
        raise Refused("E_XML", f"this is an XML file (such as Excel's \"XML Spreadsheet 2003\"): {SAVE}.")
    for start, name, code, remedy in _FOREIGN:
        if content.startswith(start):
            raise Refused(code, f"this is {name}: {remedy}.")
    if head[:1] in b"{[" and content.rstrip()[-1:] in b"}]" and re.match(rb'[\[{]\s*(["{\[\]}]|$)', head):
        raise Refused("E_JSON", "this is a JSON file: export the records as .csv or .xlsx.")
    return "text"


# Beginnings of files of other kinds, what they are, and what to do instead.
_FOREIGN = (
    (b"%PDF", "a PDF", "E_PDF", "export the report as .xlsx or .csv instead"),
    ((b"PAR1", b"ARROW1"), "a Parquet or Arrow file", "E_PARQUET", "export the table as .csv, or connect to the warehouse"),
    (b"\x1f\x8b", "a gzip archive", "E_GZIP", "unpack it and load the file inside"),
    ((b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"), "an archive (bzip2, xz or Zstandard)", "E_ARCHIVE", "unpack it and load the file inside"),
    ((b"7z\xbc\xaf\x27\x1c", b"Rar!"), "an archive (7z or RAR)", "E_ARCHIVE", "unpack it, or pack the files as .zip"),
    (b"SQLite format 3\0", "a SQLite database", "E_DATABASE", "connect to it as a warehouse instead"),
    ((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"), "a Python pickle", "E_PICKLE", "export the table as .csv"),
    (b"{\\rtf", "a text document (RTF)", "E_DOCUMENT", "export the report as .xlsx or .csv instead"),
    ((b"\x89PNG", b"GIF8", b"\xff\xd8\xff"), "a picture", "E_PICTURE", "export the report as .xlsx or .csv instead"),
    ((b"\x7fELF", b"MZ\x90"), "a program", "E_PROGRAM", "export the report as .xlsx or .csv instead"),
)


def _kind_of_zip(content: bytes) -> str:
    try:
        names = {name.lower() for name in zipfile.ZipFile(io.BytesIO(content)).namelist()}
    except DAMAGE:
        raise Refused("E_ZIP", "the file is damaged (its zip directory cannot be read): download or export it again.") from None
    if "xl/workbook.bin" in names:
        raise Refused("E_XLSB", f"this is a binary workbook (.xlsb): {SAVE}.")
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise Refused("E_DOCUMENT", "this is a Word or PowerPoint document: export the report as .xlsx or .csv instead.")
    if "content.xml" in names and "mimetype" in names:
        raise Refused("E_ODS", "this is an OpenDocument spreadsheet: save it as .xlsx.")
    if "index/document.iwa" in names:
        raise Refused("E_NUMBERS", "this is an Apple Numbers document: choose File > Export To > Excel, and load that.")
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


def unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, size: int = 1 << 20) -> Iterator[bytes]:
    """The bytes of one entry in pieces. Raises `Refused` unless they are as many as the directory says, to the last, with its checksum.

    zipfile itself stops at the size that the directory names, whatever follows; the parser behind the guards would read on.
    """
    raw = archive.fp.getbuffer()  # type: ignore[union-attr]
    header = struct.unpack("<4s22xHH", raw[entry.header_offset:entry.header_offset + 30])
    start = entry.header_offset + 30 + header[1] + header[2]
    name = bytes(raw[entry.header_offset + 30:entry.header_offset + 30 + header[1]])
    packed = raw[start:start + entry.compress_size]
    if header[0] != b"PK\x03\x04" or name.decode("utf-8" if entry.flag_bits & 0x800 else "cp437") != entry.orig_filename or len(packed) < entry.compress_size:
        raise _damaged(entry)
    total, checksum = 0, 0
    for piece in _inflated(packed, size) if entry.compress_type == zipfile.ZIP_DEFLATED else (packed[at:at + size] for at in range(0, len(packed), size)):
        total += len(piece)
        checksum = zlib.crc32(piece, checksum)
        if total > entry.file_size:
            raise Refused("E_UNPACKED", f"{entry.filename} unpacks to more than its archive says, which no export does: export the file again.")
        yield bytes(piece)
    if total != entry.file_size or checksum != entry.CRC:
        raise _damaged(entry)


def _inflated(packed: memoryview, size: int) -> Iterator[bytes]:
    """What deflate makes of `packed`, at most `size` bytes at a time. Raises zlib.error when that is not all of it, or more than it."""
    inflate = zlib.decompressobj(-15)
    for at in range(0, len(packed), size):
        feed, piece = bytes(packed[at:at + size]), b"."
        while (feed or len(piece) == size) and not inflate.eof:
            piece = inflate.decompress(feed, size)
            feed = inflate.unconsumed_tail
            yield piece
        if inflate.eof and (inflate.unused_data or at + size < len(packed)):
            raise zlib.error("more than one stream")
    if not inflate.eof:
        raise zlib.error("the stream is cut off")


def _damaged(entry: zipfile.ZipInfo) -> Refused:
    return Refused("E_ZIP", f"the file is damaged ({entry.filename} cannot be unpacked): download or export it again.")


def member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """All bytes of one entry, counted and its checksum verified. Raises `Refused` when they are damaged."""
    try:
        return b"".join(unpack(archive, entry))
    except DAMAGE:
        raise _damaged(entry) from None
