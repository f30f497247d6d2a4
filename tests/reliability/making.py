"""Files for the tests of reliability, made by code: one clean list of 24 deals, and everything that can be done to it."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta

import openpyxl

Rows = list[list[object]]
HEADINGS = ["Opportunity ID", "Opportunity Name", "Account Name", "Opportunity Owner", "Stage", "Amount", "Currency", "Close Date", "Created Date", "Type"]
# Names that plain readers take for "missing", names with accents, and names that look like totals and formulas.
_NAMES = ["NA", "None", "N/A", "nan", "Zoë & Söhne", "Total Energies", "=1+1 Ltd", "Łódź Spółka", "東京 branch", "O'Neill \"Quote\"", "null", "-"]
_STAGES = ["Prospecting", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost", "Discovery"]
NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def deal_id(n: int) -> str:
    """An id of 15 characters, as Salesforce reports show it: case tells records apart."""
    return f"0061x00000Q{chr(65 + n)}b{n % 10}{'xX'[n % 2]}"


def whole_id(n: int) -> str:
    """The same record's id of 18 characters, worked out with plain arithmetic."""
    short = deal_id(n)
    sums = (sum(1 << i for i, letter in enumerate(short[at:at + 5]) if letter.isupper()) for at in (0, 5, 10))
    return short + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[one] for one in sums)


def rows(count: int = 24) -> Rows:
    """The clean records, dates as dates and amounts as numbers."""
    return [[deal_id(n) if n < 26 else f"D{n:06}", _NAMES[n % len(_NAMES)] + (f" {n}" if n >= len(_NAMES) else ""), f"Account {n % 6}", f"Owner {n % 3}",
             _STAGES[n % 6], 1000.5 + 137.25 * (n % 24), "USD", date(2026, 3, 1) + timedelta(days=3 * (n % 24)), date(2026, 1, 2) + timedelta(days=2 * (n % 24)),
             "New Business"] for n in range(count)]


def column(name: str) -> int:
    return HEADINGS.index(name)


def put(*changes: tuple[int, str, object], count: int = 24) -> Rows:
    """The records with some cells changed: (record from 0, heading, value)."""
    out = rows(count)
    for row, name, value in changes:
        out[row][column(name)] = value
    return out


def every(name: str, change: Callable[[object], object], base: Rows | None = None) -> Rows:
    """The records with each cell of one column changed."""
    out = rows() if base is None else base
    for row in out:
        row[column(name)] = change(row[column(name)])
    return out


def text(records: Rows | None = None, headings: list[str] | None = None, delimiter: str = ",", end: str = "\r\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([headings or HEADINGS, *(rows() if records is None else records)])
    return stream.getvalue()


def lines(records: Rows | None = None) -> list[str]:
    return text(records, end="\n").splitlines()


def book(records: Rows | None = None, headings: list[str] | None = None, above: Rows = (), below: Rows = (), left: int = 0, title: str = "Report") -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    page = made.active
    page.title = title
    for row in [*above, headings or HEADINGS, *(rows() if records is None else records), *below]:
        page.append([None] * left + list(row))
    return as_text(made)


def as_text(made: openpyxl.Workbook) -> openpyxl.Workbook:
    """Names that begin with "=" are texts, no formulas."""
    for cell in (cell for page in made.worksheets for row in page.iter_rows() for cell in row if cell.data_type == "f"):
        cell.data_type = "s"
    return made


def saved(made: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def workbook(records: Rows | None = None, **options: object) -> bytes:
    return saved(book(records, **options))


def edited(edit: Callable[[openpyxl.Workbook], object], records: Rows | None = None) -> bytes:
    """A workbook after `edit`."""
    made = book(records)
    edit(made)
    return saved(made)


def packed(files: Mapping[str, bytes | str] | Iterable[tuple[str, bytes | str]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", compression) as archive:
        warnings.simplefilter("ignore")                     # two entries of one name are meant
        for name, content in files.items() if isinstance(files, Mapping) else files:
            archive.writestr(name, content)
    return stream.getvalue()


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(part: str, change: Callable[[bytes], bytes], content: bytes | None = None) -> bytes:
    """A workbook with one part changed as bytes: what no spreadsheet program would write."""
    found = parts(workbook() if content is None else content)
    return packed({name: change(data) if name == part else data for name, data in found.items()})


def with_parts(more: Mapping[str, bytes | str], content: bytes | None = None) -> bytes:
    return packed({**parts(workbook() if content is None else content), **more})


def raw_book(sheet: bytes | str, strings: bytes | str = "", name: str = "Report") -> bytes:
    """The smallest workbook around a worksheet's XML."""
    files = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>'
                               '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{_REL}/officeDocument" '
                       'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{NS}" xmlns:r="{_REL}"><sheets><sheet name="{name}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                                      f'<Relationship Id="r1" Type="{_REL}/worksheet" Target="worksheets/sheet1.xml"/>'
                                      + (f'<Relationship Id="r2" Type="{_REL}/sharedStrings" Target="sharedStrings.xml"/>' if strings else "") + "</Relationships>",
        "xl/worksheets/sheet1.xml": sheet}
    return packed({**files, **({"xl/sharedStrings.xml": strings} if strings else {})})


def bomb(megabytes: int) -> bytes:
    """A worksheet that unpacks to so many megabytes of rows."""
    line = '<row>' + '<c t="inlineStr"><is><t>aaaaaaaaaaaaaaaa</t></is></c>' * 8 + "</row>"
    return raw_book(f'<worksheet xmlns="{NS}"><sheetData>' + line * (megabytes * (1 << 20) // len(line)) + "</sheetData></worksheet>")


def one_text_often(cells: int, length: int = 32_000) -> bytes:
    """One long shared string that so many cells use: small on disk, huge once it is read."""
    line = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(1, cells + 1))
    return raw_book(f'<worksheet xmlns="{NS}"><sheetData>{line}</sheetData></worksheet>', f'<sst xmlns="{NS}"><si><t>{"x" * length}</t></si></sst>')


def many_strings(count: int) -> bytes:
    return raw_book(f'<worksheet xmlns="{NS}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData></worksheet>',
                    f'<sst xmlns="{NS}">' + "".join(f"<si><t>{n}</t></si>" for n in range(count)) + "</sst>")


def deep(levels: int) -> bytes:
    return raw_book(f'<worksheet xmlns="{NS}"><sheetData>{"<x>" * levels}{"</x>" * levels}</sheetData></worksheet>')


def lying(content: bytes, name: str, size: int) -> bytes:
    """An archive whose directory and local header give another unpacked size for one entry."""
    out = bytearray(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        at = archive.getinfo(name).header_offset
    out[at + 22:at + 26] = size.to_bytes(4, "little")
    encoded = name.encode()
    for found in re.finditer(b"PK\x01\x02", content):
        if content[found.start() + 46:found.start() + 46 + len(encoded)] == encoded:
            out[found.start() + 24:found.start() + 28] = size.to_bytes(4, "little")
    return bytes(out)


def flagged(content: bytes, flag: int = 0, method: int | None = None) -> bytes:
    """An archive whose first entry says that it is encrypted (flag 1) or packed by another method."""
    out = bytearray(content)
    central = content.index(b"PK\x01\x02")
    for at, flags, kind in ((0, 6, 8), (central, 8, 10)):
        out[at + flags] |= flag
        if method is not None:
            out[at + kind:at + kind + 2] = method.to_bytes(2, "little")
    return bytes(out)


def overlapping() -> bytes:
    """Two entries of the directory that point to the same bytes."""
    out = bytearray(packed({"a.csv": text(), "b.csv": text()}))
    central = out.index(b"PK\x01\x02")
    second = out.index(b"PK\x01\x02", central + 4)
    out[second + 42:second + 46] = (0).to_bytes(4, "little")
    return bytes(out)


def serials(name: str, value: float, row: int = 5) -> bytes:
    """A workbook in which one date is a bare serial with a date format."""
    made = book()
    cell = made.active.cell(row + 2, column(name) + 1)
    cell.value, cell.number_format = value, "yyyy-mm-dd hh:mm:ss"
    return saved(made)


def moment(serial: float) -> str:
    """What a serial says, to the microsecond."""
    days = int(serial)
    return str(datetime(1899, 12, 30) + timedelta(days=days, microseconds=round((serial - days) * 86_400_000_000)))


def us(value: object) -> str:
    return f"{value.month}/{value.day}/{value.year}" if isinstance(value, date) else str(value)


def european(value: object) -> str:
    return f"{value.day:02}/{value.month:02}/{value.year}" if isinstance(value, date) else str(value)


def comma(value: object) -> str:
    """1137.75 as 1.137,75."""
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def at_noon(value: object) -> datetime:
    return datetime(value.year, value.month, value.day, 12)
