"""What can happen to a file: bytes, lines, cells, headings, encodings, zip parts and XML changed at random, from a seed that brings the same file again."""

from __future__ import annotations

import io
import random
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable

Random = random.Random

# What is put in the place of bytes, cells and attributes.
_BYTES = [b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b'"', b"\n", b"\r", b",", b";", b"\t", b"\x1a", b"\xe9", b"\xc3", b"\xe2\x80\xae", b"<", b"&", b"PK\x03\x04", b"=1+1"]
_CELLS = ["", " ", "0", "-1", "1e999", "nan", "1_000", "١٢", "1.234", "1,234", "9" * 400, "#N/A", "#REF!", "=1+1", "NA", "None", "null", "TRUE", "2026-02-30", "31/12/2026", "12/31/2026", "1/2/3",
          "9999-12-31", "0000-00-00", "2026-01-05T25:00:00Z", "2026-03-29 02:30", "1767225600", "46000", "60", "-5", "'", '"', '""', 'a"b', "a\nb", "a\r\nb", "a,b", "a;b", "\u202eabc", "\x07", "\x00",
          "\ud800", "👩‍👩‍👧", "Ö", "\ufeff", "x" * 5000, "Grand Totals (3 records)", "Total", "Confidential Information", "ZZZ", "USD", "€ 5", "(5)", "5-", "%", "true", "won", "Closed Won", "{}", "[1]", "<b>x</b>", "\\", "\\N"]
_ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1", "cp1251", "cp932", "mac_roman", "utf-7", "cp037"]
_ATTRIBUTES = [b"", b"-1", b"0", b"1", b"99999999999", b"1e308", b"nan", b"XFD1048576", b"A0", b"A1:XFD1048576", b"s", b"e", b"b", b"d", b"inlineStr", b"str", b"&lt;", b"true", b"veryHidden", b"../x.xml", b"rId99", b"/xl/x.xml"]


def mutated(content: bytes, name: str, random_: Random) -> bytes:
    """`content` after one to three changes that fit its kind."""
    for _ in range(random_.choice((1, 1, 1, 2, 3))):
        if name.endswith(".xlsx") and content[:2] == b"PK":
            change = random_.choice((_zip_bytes, _zip_part, _zip_part, _zip_part, _zip_entries, _bytes))
        else:
            change = random_.choice((_bytes, _lines, _cells, _cells, _cells, _headings, _encoding, _delimiter))
        try:
            content = change(content, random_)
        except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError, LookupError, OSError, OverflowError):
            content = _bytes(content, random_)                # an earlier change broke the archive: bytes can always be changed
    return content


def _bytes(content: bytes, random_: Random) -> bytes:
    """Bytes changed, put in, taken out, doubled or cut off."""
    out = bytearray(content)
    for _ in range(random_.choice((1, 1, 2, 8, 40))):
        at, kind = random_.randrange(len(out) + 1), random_.randrange(6)
        if kind == 0 and out:
            out[min(at, len(out) - 1)] = random_.randrange(256)
        elif kind == 1:
            out[at:at] = random_.choice(_BYTES)
        elif kind == 2:
            del out[at:at + random_.choice((1, 2, 10, 200))]
        elif kind == 3:
            out[at:at] = out[at:at + random_.choice((1, 20, 500))]
        elif kind == 4 and out:
            out[min(at, len(out) - 1)] ^= 1 << random_.randrange(8)
        elif kind == 5 and random_.random() < 0.1:
            del out[at:]
    return bytes(out)


def _rows(content: bytes) -> list[str]:
    return content.decode("utf-8", "surrogateescape").split("\n")


def _joined(rows: list[str]) -> bytes:
    return "\n".join(rows).encode("utf-8", "surrogatepass" if any("\ud800" in row for row in rows) else "surrogateescape")


def _lines(content: bytes, random_: Random) -> bytes:
    """Lines taken out, doubled, moved, cut, or ended in another way."""
    rows = _rows(content)
    at, other = random_.randrange(len(rows)), random_.randrange(len(rows))
    match random_.randrange(8):
        case 0: del rows[at]
        case 1: rows.insert(other, rows[at])
        case 2: rows[at], rows[other] = rows[other], rows[at]
        case 3: rows[at] = rows[at][:random_.randrange(len(rows[at]) + 1)]
        case 4: rows[at] += random_.choice((",", ",,,", ";", '"', ",x", "\r", "\r\r", "\0"))
        case 5: rows = [row.rstrip("\r") + random_.choice(("", "\r", "\r\r")) for row in rows]
        case 6: rows[at:at] = [random_.choice(("", ",,,", "Grand Totals (7 records)", "Copyright (c) 2026", "sep=;", "Title", "x" * 3000, "a,b,c,d,e,f,g,h,i,j,k,l"))] * random_.choice((1, 3, 40))
        case _: rows = rows + rows[at:]
    return _joined(rows)


def _cells(content: bytes, random_: Random) -> bytes:
    """Single cells, or all of one column, changed."""
    rows = _rows(content)
    mark = max(",;\t|", key=rows[0].count)
    whole, column, value = random_.random() < 0.25, random_.randrange(rows[0].count(mark) + 1), random_.choice(_CELLS)
    for at in range(1, len(rows)) if whole else random_.sample(range(len(rows)), min(len(rows), random_.choice((1, 1, 3)))):
        cells = rows[at].split(mark)
        if column < len(cells):
            cells[column] = value if not random_.randrange(20) or whole else random_.choice(_CELLS)
            rows[at] = mark.join(cells)
    return _joined(rows)


def _headings(content: bytes, random_: Random) -> bytes:
    """Headings renamed, doubled, emptied, changed about or given letters that look alike."""
    rows = _rows(content)
    mark = max(",;\t|", key=rows[0].count)
    cells = rows[0].split(mark)
    at, other = random_.randrange(len(cells)), random_.randrange(len(cells))
    match random_.randrange(7):
        case 0: cells[at] = cells[other]
        case 1: cells[at] = ""
        case 2: cells[at], cells[other] = cells[other], cells[at]
        case 3: cells[at] = cells[at].translate(str.maketrans("aeoAEO", "аеоАЕО"))
        case 4: cells[at] = random_.choice(("Stage", "Amount", "Id", "Created Date", "Email", "__extra__", "__missing__", "_m", "_row", "__row__", "__file__", "x" * 400, "key", "value", "=1+1"))
        case 5: del cells[at]
        case _: cells = [cell.upper() for cell in cells]
    rows[0] = mark.join(cells)
    return _joined(rows)


def _encoding(content: bytes, random_: Random) -> bytes:
    return content.decode("utf-8", "replace").encode(random_.choice(_ENCODINGS), "replace")


def _delimiter(content: bytes, random_: Random) -> bytes:
    return content.replace(random_.choice((b",", b";", b"\t", b"|")), random_.choice((b",", b";", b"\t", b"|", b"\x01", b" ", b", ", b"")))


def _zip_bytes(content: bytes, random_: Random) -> bytes:
    """A field of the directory or of a local header changed."""
    out = bytearray(content)
    starts = [found.start() for found in re.finditer(rb"PK(?:\x01\x02|\x03\x04|\x05\x06)", content)]
    at = random_.choice(starts) + random_.randrange(4, 46) if starts else random_.randrange(len(out))
    if at < len(out):
        out[at] = random_.choice((0, 1, 8, 99, 127, 255, random_.randrange(256)))
    return bytes(out)


def _zip_part(content: bytes, random_: Random) -> bytes:
    """The XML of one part changed, the archive sound."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    sheets = [name for name in parts if "sheet" in name.lower() or "workbook" in name]
    name = random_.choice(sheets if sheets and random_.random() < 0.8 else list(parts))
    parts[name] = random_.choice(_XML)(parts[name], random_)
    return _zipped(parts.items())


def _attribute(xml: bytes, random_: Random) -> bytes:
    found = list(re.finditer(rb'="([^"]*)"', xml[:200_000]))
    if not found:
        return _bytes(xml, random_)
    one = random_.choice(found)
    return xml[:one.start(1)] + random_.choice(_ATTRIBUTES) + xml[one.end(1):]


def _value(xml: bytes, random_: Random) -> bytes:
    found = list(re.finditer(rb">([^<]+)<", xml[:200_000]))
    if not found:
        return _bytes(xml, random_)
    one = random_.choice(found)
    value = random_.choice(_CELLS).replace("&", "&amp;").replace("<", "&lt;").encode("utf-8", "replace")
    return xml[:one.start(1)] + value + xml[one.end(1):]


def _tag(xml: bytes, random_: Random) -> bytes:
    """A tag taken out, doubled, renamed or put in."""
    found = list(re.finditer(rb"<[^>]+>", xml[:200_000]))
    if not found:
        return _bytes(xml, random_)
    one = random_.choice(found)
    put = random_.choice((b"", one[0] * 2, b"<x>", b"</x>", b"<v/>", b"<f>A1</f>", b"<is><t>x</t></is>", b"<c/>", b"<row/>", b"<!-- -->", b"<![CDATA[<]]>", b"<?pi?>", b"<!DOCTYPE x>", b"&amp;", b"&a;"))
    return xml[:one.start()] + put + xml[one.end():]


_XML: tuple[Callable[[bytes, Random], bytes], ...] = (_bytes, _attribute, _attribute, _value, _value, _tag, lambda xml, random_: xml[:random_.randrange(len(xml) + 1)],
                                                      lambda xml, random_: xml.decode("utf-8", "replace").encode(random_.choice(_ENCODINGS), "replace"))


def _zip_entries(content: bytes, random_: Random) -> bytes:
    """Entries taken out, doubled, renamed, emptied or added."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    at = random_.randrange(len(parts))
    match random_.randrange(6):
        case 0: del parts[at]
        case 1: parts.append(parts[at])
        case 2: parts[at] = (random_.choice(("../x", "/x", "xl/vbaProject.bin", "xl/workbook.bin", parts[at][0].upper(), "x" * 300, "mimetype")), parts[at][1])
        case 3: parts[at] = (parts[at][0], b"")
        case 4: parts[at] = (parts[at][0], parts[random_.randrange(len(parts))][1])
        case _: parts.append((random_.choice(("xl/worksheets/sheet99.xml", "xl/externalLinks/externalLink1.xml", "a.csv", "word/document.xml", "content.xml")), b"<x/>"))
    return _zipped(parts)


def _zipped(parts: Iterable[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        warnings.simplefilter("ignore")                     # two entries of one name are meant
        for name, data in parts:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def steady(content: bytes) -> bytes:
    """A workbook without the time at which it was written: the same bytes in every run, so that a seed brings the same mutant."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return _zipped([(name, re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2026-01-01T00:00:00Z", archive.read(name))) for name in archive.namelist()])
