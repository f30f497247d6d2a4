"""Cases about whole files: what they really are, how large they become, how a text file or a workbook is built."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import json
import pickle
import re
import zipfile
from collections.abc import Callable

import openpyxl

from tests.reliability import making
from tests.reliability.making import HEADINGS, book, column, edited, lines, packed, rewritten, rows, saved, text, with_parts, workbook
from tests.reliability.outcome import Asked, Case, Files, Held, NotUsed, Outcome, Refused, Same, deals

CASES: list[Case] = []
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def case(name: str, make: Callable[..., object] | bytes | str, expected: Outcome, file: str = "deals.csv", clean: Callable[[], Files] = deals,
         **answers: str) -> None:
    """Enter a case: `make` is the content of `file`, or gives it (with `full` when it takes an argument), or gives all files."""
    def files(full: bool) -> Files:
        made = make
        if callable(made):
            made = made(full) if made.__code__.co_varnames[:1] == ("full",) else made()
        if isinstance(made, list):
            return [(label, content.encode() if isinstance(content, str) else content) for label, content in made]
        return [(file, made.encode() if isinstance(made, str) else made)]
    CASES.append(Case(name, files, expected, clean, answers))


def xlsx(name: str, make: Callable[..., object] | bytes, expected: Outcome, clean: Callable[[], Files] = deals) -> None:
    case(name, make, expected, "deals.xlsx", clean)


# --- impostors: what the bytes are, whatever the name says -------------------------------------------------------------------------------

_HTML = "<html><body><table><tr><th>Opportunity ID</th><th>Stage</th></tr><tr><td>1</td><td>Won</td></tr></table></body></html>"
_XML2003 = '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"></Workbook>'


def _encrypted() -> bytes:
    return _OLE + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 200 + "EncryptionInfo".encode("utf-16-le")


for _name, _content, _code in (
        ("nothing at all", b"", "E_EMPTY"), ("only blanks and a mark", b"\xef\xbb\xbf \r\n\r\n", "E_EMPTY"), ("only delimiters", b",,,\n,,,\n", "E_EMPTY"),
        ("a web page", _HTML, "E_HTML"), ("a web page under a blank line", "\n\n <!DOCTYPE html>" + _HTML, "E_HTML"),
        ("XML Spreadsheet 2003", _XML2003, "E_XML"), ("an old .xls", _OLE + b"\0" * 2048, "E_XLS"), ("a workbook with a password", _encrypted, "E_PASSWORD"),
        ("a PDF", b"%PDF-1.7\n1 0 obj", "E_PDF"), ("a Parquet file", b"PAR1" + b"\0" * 64 + b"PAR1", "E_PARQUET"), ("a gzip file", gzip.compress(b"a,b\n1,2\n"), "E_GZIP"),
        ("a pickle", pickle.dumps({"a": [1, 2]}, protocol=4), "E_PICKLE"), ("a pickle of protocol 2", pickle.dumps({"a": [1, 2]}, protocol=2), "E_PICKLE"),
        ("JSON records", json.dumps([{"id": 1}, {"id": 2}]), "E_JSON"), ("JSON lines", '{"id": 1}\n{"id": 2}\n', "E_JSON"), ("a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "E_PICTURE"),
        ("a broken zip", b"PK\x03\x04 broken", "E_ZIP"), ("random bytes", bytes(range(256)) * 8, "E_NUL|E_ENCODING|E_BINARY"),
        ("an Arrow file", b"ARROW1\0\0" + b"\0" * 64, "E_ARROW|E_PARQUET"), ("a SQLite file", b"SQLite format 3\0" + b"\0" * 64, "E_SQLITE|E_DATABASE"),
        ("a program", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + b"\0" * 64, "E_NUL|E_ENCODING|E_BINARY|E_PROGRAM"),
        ("a 7z archive", b"7z\xbc\xaf\x27\x1c\0\x04" + b"\0" * 64, "E_NUL|E_7Z|E_ARCHIVE|E_BINARY"), ("a bzip2 file", bz2.compress(text().encode()), "E_ENCODING|E_GZIP|E_ARCHIVE|E_BINARY|E_HEADER"),
        ("rich text", r"{\rtf1\ansi Opportunity ID, Stage}", "E_RTF|E_DOCUMENT|E_JSON")):
    case(f"impostor: {_name}, as .csv", _content, Refused(_code))
    if _code in ("E_HTML", "E_XML", "E_XLS", "E_PASSWORD", "E_PDF", "E_PARQUET", "E_GZIP", "E_PICKLE", "E_JSON", "E_ZIP", "E_EMPTY"):
        xlsx(f"impostor: {_name}, as .xlsx", _content, Refused(_code))
case("impostor: an old .xls under its own name", _OLE + b"\0" * 2048, Refused("E_TYPE|E_XLS"), "deals.xls")
case("impostor: a web page as .xls", _HTML, Refused("E_TYPE|E_HTML"), "deals.xls")
case("impostor: a csv as .xls", text, Refused("E_TYPE"), "deals.xls")
case("a workbook named .csv is a workbook", workbook, Same())
case("a csv named .xlsx is a csv", text, Same(), "deals.xlsx")
case("a program's ending", text, Refused("E_TYPE"), "deals.exe")
case("no ending", text, Refused("E_TYPE"), "deals")
case("a path for a name", text, Same(), "../../etc/passwd/deals.csv")
case("a name with control and bidi characters", text, Same(), "deals\u202ecsv.\x07exe.csv")
case("a name of 3,000 characters", text, Same(), "n" * 3000 + ".csv")

# --- zip: directory, bombs, lies ---------------------------------------------------------------------------------------------------------

xlsx("bomb: a sheet that unpacks to 1 GB", lambda full: making.bomb(1024 if full else 30), Refused("E_ZIP_RATIO|E_UNPACKED"))
xlsx("bomb: 3 million shared strings", lambda full: making.many_strings(3_000_000 if full else 2_100_000), Refused("E_STRINGS|E_ZIP_RATIO|E_UNPACKED"))
xlsx("bomb: one text of 32 kB in 40,000 cells", lambda full: making.one_text_often(40_000 if full else 8_000), Refused("E_STRINGS"))
xlsx("bomb: XML nested 100,000 levels deep", lambda: making.deep(100_000), Refused("E_XML_DEPTH|E_ZIP|E_WORKBOOK|E_SHEET|E_EMPTY"))
xlsx("bomb: XML nested 200 levels deep", lambda: making.deep(200), Refused("E_XML_DEPTH|E_ZIP|E_WORKBOOK|E_SHEET|E_EMPTY"))
case("bomb: an archive of zeros", lambda full: packed({"deals.csv": b"0" * ((200 if full else 12) << 20)}), Refused("E_ZIP_RATIO|E_UNPACKED"), "export.zip")
case("bomb: an archive in an archive", lambda: packed({"inner.zip": packed({"a.csv": "a,b\n1,2\n"})}), Refused("E_NESTED"), "export.zip")
case("an archive of 3,000 files", lambda: packed({f"{n}.csv": "a\n" for n in range(3000)}), Refused("E_ZIP_ENTRIES"), "export.zip")
case("an archive with two files of one name", lambda: packed([("a.csv", text()), ("A.CSV", text())]), Refused("E_ZIP_TWINS"), "export.zip")
xlsx("a workbook with a part twice", lambda: packed([*making.parts(workbook()).items(), ("xl/worksheets/sheet1.xml", b"<x/>")]), Refused("E_ZIP_TWINS"))
for _path in ("../deals.csv", "/etc/deals.csv", "C:deals.csv", "a/../../b.csv", "a\\b.csv"):
    def _unsafe(path: str = _path) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            entry = zipfile.ZipInfo("x")
            entry.filename = path
            archive.writestr(entry, text())
        return stream.getvalue()
    case(f"an archive with the path {_path}", lambda unsafe=_unsafe: unsafe(), Refused("E_ZIP_PATH"), "export.zip")
case("an archive with a password", lambda: making.flagged(packed({"deals.csv": text()}), flag=1), Refused("E_PASSWORD"), "export.zip")
xlsx("a workbook with encrypted parts", lambda: making.flagged(workbook(), flag=1), Refused("E_PASSWORD"))
case("an archive packed by bzip2", lambda: packed({"deals.csv": text()}, zipfile.ZIP_BZIP2), Refused("E_ZIP_METHOD"), "export.zip")
xlsx("a workbook packed by lzma", lambda: packed(making.parts(workbook()), zipfile.ZIP_LZMA), Refused("E_ZIP_METHOD"))
case("an archive packed by method 99", lambda: making.flagged(packed({"deals.csv": text()}), method=99), Refused("E_ZIP_METHOD|E_ZIP"), "export.zip")
case("entries that overlap", making.overlapping, Refused("E_ZIP_OVERLAP|E_ZIP"), "export.zip")
xlsx("a part that says it is smaller", lambda: making.lying(workbook(), "xl/worksheets/sheet1.xml", 100), Refused("E_UNPACKED|E_ZIP_SIZE|E_ZIP"))
xlsx("a part that says it is larger", lambda: making.lying(workbook(), "xl/worksheets/sheet1.xml", 5_000_000), Refused("E_ZIP|E_ZIP_SIZE|E_ZIP_RATIO|E_WORKBOOK"))
case("a file in an archive that says it is smaller", lambda: making.lying(packed({"deals.csv": text()}), "deals.csv", 60), Refused("E_UNPACKED|E_ZIP_SIZE|E_ZIP"), "export.zip")
def _wrong_sum() -> bytes:
    content = bytearray(packed({"deals.csv": text()}, zipfile.ZIP_STORED))
    content[content.index(b"Account 3")] = ord("X")
    return bytes(content)


case("a file in an archive whose checksum is wrong", _wrong_sum, Refused("E_ZIP"), "export.zip")
xlsx("a workbook cut in half", lambda: workbook()[:len(workbook()) // 2], Refused("E_ZIP"))
xlsx("a workbook without its last byte", lambda: workbook()[:-1], Refused("E_ZIP|E_WORKBOOK"))
case("an archive with nothing in it", lambda: packed({}), Refused("E_EMPTY"), "export.zip")
case("an archive beside which Finder left its notes", lambda: packed({"deals.csv": text(), "__MACOSX/._deals.csv": b"\0\5", ".DS_Store": b"\0"}), Same(), "export.zip")
case("an archive of one csv", lambda: packed({"crm/deals.csv": text()}), Same(), "export.zip")
case("a csv and a bad file in an archive", lambda: packed({"bad.csv": b"%PDF-1.4"}), Refused("E_PDF"), "export.zip")

# --- what the parts of a workbook hold ---------------------------------------------------------------------------------------------------

_DTD = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def _with_dtd(xml: bytes, dtd: bytes = _DTD) -> bytes:
    head = re.match(rb"\s*<\?xml[^>]*\?>", xml)
    return xml[:head.end()] + dtd + xml[head.end():] if head else dtd + xml


for _part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml", "_rels/.rels", "xl/_rels/workbook.xml.rels",
              "docProps/core.xml", "docProps/app.xml", "xl/theme/theme1.xml"):
    xlsx(f"a document type in {_part}", lambda part=_part: rewritten(part, _with_dtd), Refused("E_XML_DTD"))
xlsx("a document type in the shared strings", lambda: making.raw_book(f'<worksheet xmlns="{making.NS}"/>', _DTD + f'<sst xmlns="{making.NS}"/>'.encode()), Refused("E_XML_DTD"))
xlsx("an external document type", lambda: rewritten("xl/workbook.xml", lambda xml: _with_dtd(xml, b'<!DOCTYPE x SYSTEM "http://example.com/x.dtd">')), Refused("E_XML_DTD"))
xlsx("an entity that reads a file", lambda: rewritten("xl/worksheets/sheet1.xml", lambda xml: _with_dtd(xml, b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>')), Refused("E_XML_DTD"))
for _encoding in ("utf-16", "utf-16-be"):
    xlsx(f"a document type hidden in {_encoding}", lambda encoding=_encoding: rewritten("xl/worksheets/sheet1.xml", lambda xml: (
        (b"\xfe\xff" if encoding == "utf-16-be" else b"") + re.sub(r'encoding="[^"]*"', 'encoding="UTF-16"', _with_dtd(xml).decode()).encode(encoding))), Refused("E_XML_ENCODING|E_XML_DTD"))
xlsx("a document type in a part nobody reads", lambda: with_parts({"xl/extra.xml": _DTD + b"<x/>"}), Refused("E_XML_DTD"))
xlsx("an unknown encoding", lambda: rewritten("xl/worksheets/sheet1.xml", lambda xml: b'<?xml version="1.0" encoding="no-such-encoding"?>' + re.sub(rb"<\?xml[^>]*\?>", b"", xml)),
     Refused("E_XML_ENCODING|E_ZIP|E_WORKBOOK|E_SHEET"))
xlsx("XML that breaks off", lambda: rewritten("xl/worksheets/sheet1.xml", lambda xml: xml[:len(xml) // 2]), Refused("E_ZIP|E_SHEET|E_WORKBOOK|E_XML_BROKEN"))
xlsx("a workbook part that breaks off", lambda: rewritten("xl/workbook.xml", lambda xml: xml[:60]), Refused("E_ZIP|E_WORKBOOK"))
xlsx("no worksheet in it", lambda: packed({k: v for k, v in making.parts(workbook()).items() if "worksheets" not in k}), Refused("E_WORKBOOK|E_EMPTY|E_SHEET|E_ZIP"))
xlsx("no workbook part", lambda: packed({k: v for k, v in making.parts(workbook()).items() if k != "xl/workbook.xml"}), Refused("E_WORKBOOK|E_ZIP"))
xlsx("Strict Open XML", lambda: packed({name: data.replace(making.NS.encode(), b"http://purl.oclc.org/ooxml/spreadsheetml/main").replace(
    b"http://schemas.openxmlformats.org/officeDocument/2006/relationships", b"http://purl.oclc.org/ooxml/officeDocument/relationships")
    for name, data in making.parts(workbook()).items()}), Refused("E_STRICT"))
xlsx("macros in it", lambda: with_parts({"xl/vbaProject.bin": _OLE}), Refused("E_MACRO"))
xlsx("macros by its content type", lambda: rewritten("[Content_Types].xml", lambda xml: xml.replace(b"spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main")), Refused("E_MACRO"))
case("macros under their own ending", lambda: with_parts({"xl/vbaProject.bin": _OLE}), Refused("E_MACRO|E_TYPE"), "deals.xlsm")
xlsx("a binary workbook (.xlsb)", lambda: packed({"[Content_Types].xml": "<Types/>", "xl/workbook.bin": b"\x83\x01\0"}), Refused("E_XLSB"))
xlsx("an OpenDocument spreadsheet", lambda: packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"}), Refused("E_ODS"))
case("an OpenDocument spreadsheet under its own ending", lambda: packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"}), Refused("E_ODS|E_TYPE"), "deals.ods")
xlsx("a Word document", lambda: packed({"[Content_Types].xml": "<Types/>", "word/document.xml": "<x/>"}), Refused("E_DOCUMENT"))
xlsx("a chart sheet only", lambda: edited(lambda made: (made.create_chartsheet("Chart"), made.remove(made["Report"]))), Refused("E_EMPTY|E_WORKBOOK|E_ZIP"))
def _linked() -> bytes:
    return with_parts({"xl/externalLinks/externalLink1.xml": f'<externalLink xmlns="{making.NS}"/>'})


xlsx("links to another workbook are not followed, and named", _linked, Same("links to other workbooks"))

# --- sheets: extent, hidden things, titles -----------------------------------------------------------------------------------------------

for _cell, _code in (("XFD1048576", "E_COLUMNS"), ("A1048576", "E_ROWS"), ("IW2", "E_COLUMNS"), ("B200002", "E_ROWS")):
    xlsx(f"one stray value in {_cell}", lambda cell=_cell: edited(lambda made: made.active.__setitem__(cell, "x")), Refused(_code))
xlsx("the last cell formatted, and empty", lambda: edited(lambda made: setattr(made.active["XFD1048576"], "number_format", "0.00")), Same())
xlsx("a declared extent that is too small", lambda: rewritten("xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B3"', xml)), Same())
xlsx("a declared extent that is too large", lambda: rewritten("xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"', xml)), Same())
xlsx("no declared extent", lambda: rewritten("xl/worksheets/sheet1.xml", lambda xml: re.sub(rb"<dimension [^>]*/>", b"", xml)), Same())
xlsx("cells without references", lambda: rewritten("xl/worksheets/sheet1.xml", lambda xml: re.sub(rb' r="[A-Z]+\d+"', b"", xml), workbook(making.every("Type", lambda _: "New Business"))), Same())
xlsx("prefixed XML, as Dynamics writes it", lambda: rewritten("xl/worksheets/sheet1.xml", lambda xml: re.sub(rb"<(/?)(\w)", rb"<\1x:\2", xml).replace(b"xmlns=", b"xmlns:x=").replace(b"<x:?xml", b"<?xml")), Same())
def _hidden_first() -> bytes:
    made = book()
    page = made.create_sheet("Lookup", 0)
    page.append(["code", "word"])
    page.sheet_state = "hidden"
    return saved(made)


def _very_hidden() -> bytes:
    made = book()
    made.create_sheet("Cache").append(["a", "b"])
    made["Cache"].sheet_state = "veryHidden"
    return saved(made)


def _hide_rows(made: openpyxl.Workbook) -> None:
    for row in (4, 5, 9):
        made.active.row_dimensions[row].hidden = True


def _two_sheets(copy: bool = False) -> bytes:
    made = book(rows()[:12], title="Deals A")
    page = made.create_sheet("Deals B")
    for row in [HEADINGS, *(rows()[:12] if copy else rows()[12:])]:
        page.append(row)
    return saved(making.as_text(made))


def _notes_too() -> bytes:
    made = book()
    for row in (["Read me"], ["This report was made on Monday."], ["Ask Jane."]):
        made.create_sheet("Notes") if "Notes" not in made.sheetnames else None
        made["Notes"].append(row)
    return saved(made)


xlsx("a hidden sheet before the report", _hidden_first, Same("hidden sheets are not read"))
xlsx("a very hidden sheet", _very_hidden, Same("hidden sheets are not read"))
xlsx("all sheets hidden", lambda: edited(lambda made: (made.create_sheet("Front"), setattr(made["Report"], "sheet_state", "hidden"))), Refused("E_EMPTY"))
xlsx("hidden rows are read, and said", lambda: edited(_hide_rows), Same("hidden rows"))
xlsx("a hidden column is read", lambda: edited(lambda made: setattr(made.active.column_dimensions["F"], "hidden", True)), Same())
xlsx("a filter is set", lambda: edited(lambda made: setattr(made.active.auto_filter, "ref", "A1:J25")), Same())
xlsx("two sheets with deals", _two_sheets, Asked("sheets:"))
xlsx("two sheets with the same deals", lambda: _two_sheets(copy=True), Asked("sheets:"))
case("two sheets with deals, both wanted", lambda: [("deals.xlsx", _two_sheets())], Same(), **{"sheets:deals.xlsx:deal": "all"})
case("two sheets with deals, one wanted", lambda: [("deals.xlsx", _two_sheets())], Same("not used"),
     clean=lambda: [("deals.csv", text(rows()[:12]).encode())], **{"sheets:deals.xlsx:deal": "Deals A"})
xlsx("a sheet of notes beside the report", _notes_too, Same())
xlsx("three title rows", lambda: workbook(above=[["Open pipeline"], ["As of 2026-06-30 12:00"], []]), Same())
xlsx("a report that begins in column B under titles", lambda: workbook(above=[[], ["Open pipeline"], ["Filtered by", "me"], []], left=1), Same())
xlsx("25 title rows", lambda: workbook(above=[[f"Title {n}"] for n in range(25)]), Same())
xlsx("a table that begins in row 80", lambda: workbook(above=[[]] * 79), Refused("E_HEADER"))
xlsx("no headings", lambda: saved(_headless()), Refused("E_HEADER|E_HEADING|E_HEADER_DATA"))
xlsx("merged title cells", lambda: edited(lambda made: (made.active.insert_rows(1, 2), made.active.__setitem__("A1", "Pipeline"), made.active.merge_cells("A1:J1"))), Same())
xlsx("a line break in a heading", lambda: workbook(headings=[h.replace(" ", "\n") for h in HEADINGS]), Same())
xlsx("headings in capitals with blanks around", lambda: workbook(headings=[f"  {h.upper()} " for h in HEADINGS]), Same())
xlsx("headings with arrows of a sort", lambda: workbook(headings=[h + ("  ↑" if h == "Close Date" else "") for h in HEADINGS]), Same())


def _headless() -> openpyxl.Workbook:
    made = book()
    made.active.delete_rows(1)
    return made


# --- footers and totals ------------------------------------------------------------------------------------------------------------------

_SUM = sum(float(row[column("Amount")]) for row in rows())
_FOOTER = [[], ["Confidential Information - Do Not Distribute"], ["Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."]]


def _with_lines(*more: str) -> str:
    return "\n".join([*lines(), *more]) + "\n"


case("the footer of a report", _with_lines("", '"Open pipeline"', '"Copyright (c) 2000-2026 salesforce.com, inc."', '"Confidential Information - Do Not Distribute"', '"Generated By: Jane 6/30/2026"', '"salesforce.com"'), Same("report footer"))
xlsx("the footer of a workbook", lambda: workbook(below=_FOOTER), Same("report footer"))
case("a grand total that counts the rows read", _with_lines(f'"Grand Totals (24 records)",,,,,{_SUM},,,,'), Same("Grand Totals"))
case("a grand total that counts more rows", _with_lines(f'"Grand Totals (25 records)",,,,,{_SUM},,,,'), Refused("E_RECORD_COUNT", 26))
case("a grand total that counts fewer rows", _with_lines('"Grand Totals (23 records)",,,,,1,,,,'), Refused("E_RECORD_COUNT", 26))
xlsx("a grand total in a workbook that counts other rows", lambda: workbook(below=[["Grand Totals (2,400 records)"]]), Refused("E_RECORD_COUNT", 26))
case("a total without a count", _with_lines(f'Total,,,,,"{_SUM:,.2f}",,,,'), Same("total"))
case("subtotals between the records", lambda: "\n".join([*lines()[:13], "Subtotal,,,,,1,,,,", *lines()[13:], "Subtotal,,,,,2,,,,", "Grand Total,,,,,3,,,,"]), Same("total"))
for _line in ("Totale,", "Totaal,", "Totales:,", "Итого,", "合計,", "Total Amount,", "Total pipeline,", "Sum of Amount,", "Grand Total,24 deals"):
    case(f"a total in other words: {_line}", lambda line=_line: _with_lines(f"{line},,,,{_SUM},,,,"), Same("total"))
for _line in ("Rows: 24", "24 deals", "Count of deals: 24", "Report run by Jo on 2026-06-30"):
    case(f"a last line without figures: {_line}", lambda line=_line: _with_lines(f"{line},,,,,,,,,"), Same("report footer"))
for _line in ("TOTAL EUR", "Eindsumme", "Skupaj vse", "Pipeline of Ada 2026"):
    case(f"a total in words that nobody knows: {_line}", lambda line=_line: _with_lines(f"{line},,,,,{_SUM},,,,"), Held({"R_FOOTER": 1}))
case("a total in words that nobody knows, above the records", lambda: "\n".join([lines()[0], f"Skupaj,,,,,{_SUM},,,,", *lines()[1:]]), Held({"R_FOOTER": 1}))
case("a total of deals without ids in words that nobody knows", lambda: text([*_unnumbered(), ["Skupaj", "", "", "", _SUM, "", "", "", ""]], headings=HEADINGS[1:]), Held({"R_FOOTER": 1}),
     clean=lambda: [("deals.csv", text(_unnumbered(), headings=HEADINGS[1:]).encode())])
case("a table of ids, stages and amounts, some of them alone", lambda: _sparse(text), Same("the stage is missing"), clean=lambda: [("deals.xlsx", _sparse(workbook))])
case("a total that is another sum is said", _with_lines("Total,,,,,999999.00,,,,"), Same("the total line says 999,999.00"))


def _unnumbered(given: making.Rows | None = None) -> making.Rows:
    """The records without their ids."""
    return [row[1:] for row in given or rows()]


def _sparse(make: Callable[..., object]) -> object:
    return make([[row[0], "" if n % 5 == 1 else row[4], row[5]] for n, row in enumerate(rows())], headings=["Opportunity ID", "Stage", "Amount"])


def _name_first(*last: str) -> making.Rows:
    """The records with their names as first column; `last`: those of the last ones."""
    return [[name, row[0], *row[2:]] for row, name in zip(rows(), [*(row[1] for row in rows()[:24 - len(last)]), *last], strict=True)]


def _sorted(name: str, *changes: tuple[int, str, object]) -> str:
    """A report sorted by a column, which an arrow in its heading says, above a total."""
    return text(making.put(*changes), headings=[heading + (" ↓" if heading == name else "") for heading in HEADINGS]) + "Total,,,,,,,,,\n"


for _name in ("Amount", "Opportunity Name", "Close Date", "Opportunity Owner", "Stage"):
    case(f"an arrow of a sort fills nothing in: {_name}", lambda name=_name: _sorted(name, (3, name, ""), (4, name, "")), Same(),
         clean=lambda name=_name: [("deals.csv", text(making.put((3, name, ""), (4, name, ""))).encode())])
case("an arrow of a sort above the first column, which is of names", lambda: text(_name_first("", ""), headings=["Opportunity Name ↑", HEADINGS[0], *HEADINGS[2:]]) + "Total,,,,,,,,,\n", Same(),
     clean=lambda: [("deals.csv", text(making.put((22, "Opportunity Name", ""), (23, "Opportunity Name", ""))).encode())])
case("an arrow of a sort above the first column, which is of amounts", lambda: text([[row[5], *row[:5], *row[6:]] for row in making.put((3, "Amount", ""), (4, "Amount", ""))],
                                                                                    headings=["Amount ↓", *HEADINGS[:5], *HEADINGS[6:]]) + "Total,,,,,,,,,\n", Same(),
     clean=lambda: [("deals.csv", text(making.put((3, "Amount", ""), (4, "Amount", ""))).encode())])
case("headings repeated between the records", lambda: "\n".join([*lines()[:13], lines()[0], *lines()[13:]]), Same("repeated headings"))
case("blank rows between the records", lambda: "\n".join([*lines()[:13], "", ",,,,,,,,,", *lines()[13:], ",,,,,,,,,"]), Same("blank row"))
case("the same export glued below itself", lambda: "\n".join([*lines(), *lines()]), Held({"R_DUPLICATE": 24}))
case("another export glued below", lambda: "\n".join([*lines(), "Lead ID,Email,Company,Lead Status,Created Date,MQL Date,Country,Title,Phone,Rating", *(f"L{n},a@b.example,B,New,2026-01-05,,US,CEO,1,Hot" for n in range(5))]),
     Held({"R_OTHER_TABLE": 6}))
case("exactly 2,000 rows are said", lambda: text(rows(2000)), Same("2,000"), clean=lambda: [("deals.csv", text(rows(2000)).encode())])
case("1,048,576 lines, as Excel cuts them", lambda full: _tall(1_048_576), Refused("E_CUT|E_ROWS"))
def _tall(count: int) -> bytes:
    return b"Opportunity ID,Stage,Amount,Close Date,Created Date\n" + b"".join(b"D%d,Won,1,2026-01-05,2026-01-02\n" % n for n in range(count - 1))


# --- text files: encodings ---------------------------------------------------------------------------------------------------------------

_ACCENTS = making.put((0, "Account Name", "Müller"), (6, "Account Name", "Müller"), (1, "Opportunity Name", "Crédit “Général” – 5 €"), (7, "Opportunity Name", "Café"), (8, "Opportunity Name", "Bjørn"))
_LATIN = [[("Straße " + str(n) if i == 1 else cell) for i, cell in enumerate(row)] for n, row in enumerate(_ACCENTS)]


def _latin() -> Files:
    return [("deals.csv", text(_LATIN).encode())]


for _encoding, _mark in (("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE), ("utf-32-le", codecs.BOM_UTF32_LE)):
    case(f"{_encoding} with its mark", lambda encoding=_encoding, mark=_mark: mark + text().encode(encoding), Same())
case("a mark twice", lambda: b"\xef\xbb\xbf" * 2 + text().encode(), Same())
case("a quoted first heading behind the mark", lambda: b"\xef\xbb\xbf" + text(quoting=csv.QUOTE_ALL).encode(), Same())
case("utf-16 without a mark is told by its bytes", lambda: text().encode("utf-16-le"), Same("UTF-16"))
for _encoding in ("cp1252", "latin-1", "mac_roman", "cp1250"):
    case(f"{_encoding}: which letters are meant is asked", lambda encoding=_encoding: text(_LATIN if encoding != "cp1250" else making.every("Opportunity Name", lambda _: "Łódź Spółka")).replace("“", "").replace("”", "").replace("–", "-").replace(" €", "").encode(encoding, "replace"), Asked("encoding:"))
case("cp1252, answered", lambda: text(_LATIN).encode("cp1252"), Same(), clean=_latin, **{"encoding:deals.csv": "cp1252"})
case("utf-8 with one stray byte of cp1252", lambda: text(_LATIN).encode().replace("Café".encode(), b"Caf\xe9", 1).replace("Straße 3".encode(), b"Stra\xdfe 3", 1), Asked("encoding:"))
case("utf-16 that breaks off", lambda: codecs.BOM_UTF16_LE + text().encode("utf-16-le")[:-1], Refused("E_ENCODING"))
case("lone surrogates in utf-16", lambda: codecs.BOM_UTF16_LE + text().encode("utf-16-le").replace("Account 1".encode("utf-16-le"), b"A\0\x00\xd8t\0", 1), Refused("E_ENCODING"))
case("names already broken (Ã¼) are kept as they are", lambda: text(making.every("Account Name", lambda _: "MÃ¼ller")), Same(), clean=lambda: [("deals.csv", text(making.every("Account Name", lambda _: "MÃ¼ller")).encode())])

# --- text files: delimiters, quotes, ragged rows -----------------------------------------------------------------------------------------

for _delimiter in ";\t|^~":
    case(f"divided by {_delimiter!r}", lambda delimiter=_delimiter: text(delimiter=delimiter), Same())
case("a declared delimiter", lambda: "sep=;\r\n" + text(delimiter=";"), Same())
case("a declared delimiter that is not used", lambda: "sep=;\r\n" + text(), Same())
for _end in ("\n", "\r"):
    case(f"rows that end in {_end!r}", lambda end=_end: text(end=end), Same())
case("ends of rows mixed", lambda: text(end="\n").replace("\n", "\r\n", 10), Same())
case("every cell quoted", lambda: text(quoting=csv.QUOTE_ALL), Same())
case("quotes written with a backslash", lambda: "\n".join(line.replace('""', '\\"') for line in lines()) + "\n", Same())
case("one extra comma at the end of every row", lambda: "\n".join([lines()[0], *(line + "," for line in lines()[1:])]), Same())
case("one extra comma at the end of headings and rows", lambda: "\n".join(line + "," for line in lines()), Same())
case("two extra commas at the end of some rows", lambda: "\n".join(line + ",," * (n % 3 == 1) for n, line in enumerate(lines())), Same())
case("a row with a cell too many", lambda: "\n".join([*lines()[:5], lines()[5] + ",extra", *lines()[6:]]), Held({"R_CELLS": 1}))
case("a row with a comma that is not quoted", lambda: "\n".join([*lines()[:6], lines()[6].replace("Account 5", "Acme, Inc"), *lines()[7:]]), Held({"R_CELLS": 1}))
case("a row that breaks off", lambda: "\n".join([*lines()[:9], lines()[9][:40], *lines()[10:]]), Held({"R_CELLS": 1}))
case("the last row breaks off", lambda: "\n".join([*lines()[:-1], lines()[-1][:50]]), Held({"R_CELLS": 1}))
case("most rows have a cell too many", lambda: "\n".join([lines()[0], *(line + ",x" for line in lines()[1:])]), Refused("E_UNEVEN"))
case("a note with a line break inside", lambda: text(making.put((2, "Opportunity Name", "two\nlines"))), Same(), clean=lambda: [("deals.csv", text(making.put((2, "Opportunity Name", "two\nlines")), quoting=csv.QUOTE_ALL).encode())])
case("a quote that swallows rows", lambda: "\n".join([*lines()[:4], lines()[4].replace("Account 3", '"Account 3'), *lines()[5:9], lines()[9].replace("Account 2", 'Account 2"'), *lines()[10:]]), Refused("E_QUOTE", 5))
case("a quote that is never closed", lambda: "\n".join([*lines()[:7], lines()[7].replace("Account 0", '"Account 0'), *lines()[8:]]), Refused("E_QUOTE", 8))
case("text behind a closing quote", lambda: "\n".join([*lines()[:7], lines()[7].replace("Account 0", '"Account" 0'), *lines()[8:]]), Refused("E_QUOTE", 8))
case("NUL bytes in a cell", lambda: text().encode().replace(b"Account 3", b"Acc\0unt 3", 1), Refused("E_NUL", 5))
case("NUL bytes at the end", lambda: text().encode() + b"\0" * 512, Refused("E_NUL"))
case("a cell of 200,000 characters", lambda: text(making.put((3, "Opportunity Name", "x" * 200_000))), Refused("E_CELL", 5))
case("a line of 3 MB", lambda: text() + "x" * 3_000_000 + "\n", Refused("E_CELL|E_LINE"))
case("a line of 3 MB in quotes", lambda: text() + '"' + "x," * 1_500_000 + '"\n', Refused("E_CELL|E_LINE"))
case("a first line of 3 MB", lambda: "x" * 3_000_000 + "\n" + text(), Refused("E_CELL|E_LINE"))
case("a row of 400,000 cells", lambda: text() + "x," * 400_000 + "\n", Held({"R_CELLS": 1}))
case("100,000 columns", lambda: ",".join(f"c{n}" for n in range(100_000)) + "\n" + "1," * 99_999 + "1\n", Refused("E_COLUMNS|E_LINE", 1))
case("1,000,000 columns", lambda full: ",".join(f"c{n}" for n in range(1_000_000 if full else 300_000)) + "\n", Refused("E_COLUMNS|E_LINE", 1))
case("a table of 1,990 columns, most of them of no use", lambda full: "\n".join(line + "," + ",".join((f"Extra {n}" if at == 0 else str(n)) for n in range(1980 if full else 190))
                                                                           for at, line in enumerate(lines())), Same())
case("a column without a heading", lambda: "\n".join(line.replace(",", ",," if not n else ",x,", 1) for n, line in enumerate(lines())), Same("no heading above"))

# --- headings ----------------------------------------------------------------------------------------------------------------------------


def _twice(other: Callable[[list[object]], object]) -> str:
    return text([[*row, other(row)] for row in rows()], headings=[*HEADINGS, "Amount"])


case("a heading twice, with other values below", lambda: _twice(lambda row: float(row[column("Amount")]) * 2), Asked("heading:"))
case("a heading twice, the second is meant", lambda: text([[*row[:5], 7, *row[6:], row[5]] for row in rows()], headings=[*HEADINGS, "Amount"]), Same(), **{"heading:deals.csv:Amount": "Amount (2)"})
case("a heading twice, with the same values", lambda: _twice(lambda row: row[column("Amount")]), Same("doubled headings"))
case("a heading twice, the second empty", lambda: _twice(lambda row: ""), Same())
case("a Cyrillic letter in a heading", lambda: text(headings=[h.replace("Amount", "\u0410mount") for h in HEADINGS]), Refused("E_LOOKALIKE", 1))
case("a Greek letter in a heading", lambda: text(headings=[h.replace("Close", "Cl\u03bfse") for h in HEADINGS]), Refused("E_LOOKALIKE", 1))
case("invisible characters in a heading", lambda: text(headings=[h.replace("Amount", "Am\u200bount\ufeff") for h in HEADINGS]), Same())
case("full-width letters in a heading", lambda: text(headings=[h.replace("Stage", "Ｓｔａｇｅ") for h in HEADINGS]), Same())
case("hard blanks in headings", lambda: text(headings=[h.replace(" ", "\u00a0") for h in HEADINGS]), Same())
case("headings of nothing known", lambda: "Colour,Size,Price\nred,3,4\nblue,4,5\n", NotUsed())
case("no headings, only records", lambda: "\n".join(lines()[1:]), Refused("E_HEADER|E_HEADING|E_HEADER_DATA"))
case("headings in another order", lambda: text([row[::-1] for row in rows()], headings=HEADINGS[::-1]), Same())
case("rows in another order", lambda: text(rows()[::-1]), Same())
case("a column nobody knows", lambda: text([[*row, "x"] for row in rows()], headings=[*HEADINGS, "Favourite colour"]), Same())
case("a hostile heading", lambda: text([[*row, "x"] for row in rows()], headings=[*HEADINGS, "<img src=x onerror=alert(1)>"]), Same())
case("the same file twice", lambda: [("deals.csv", text().encode()), ("copy.csv", text().encode())], Same("byte for byte"))
case("the same records as xlsx and csv", lambda: [("deals.csv", text().encode()), ("deals.xlsx", workbook())], Same("the same records"))

for _line in ("Total: 25 rows", "Total records: 25", "Number of records: 25", "Total (25 records)"):
    case(f"a last line that counts other rows: {_line}", lambda line=_line: _with_lines("", f'"{line}"'), Refused("E_RECORD_COUNT"))
case("a last line that counts the rows", lambda: _with_lines("", '"Total records: 24"'), Same())
case("a heading in two spellings, with other values below", lambda: text([[*row, 5] for row in rows()], headings=[*HEADINGS, "AMOUNT"]), Asked("heading:"))
case("cp1252 only where nobody looks", lambda: "\n".join(line + "," + ("Notiz" if not n else "Müller") for n, line in enumerate(lines(making.every("Opportunity Name", lambda _: "A")))).encode("cp1252"), Same(),
     clean=lambda: [("deals.csv", text(making.every("Opportunity Name", lambda _: "A")).encode())])
case("a quotation mark around every line", lambda: "\n".join('"' + line.replace('"', '""') + '"' for line in lines()), Refused("E_QUOTE", 1))
xlsx("impostor: random bytes, as .xlsx", bytes(range(256)) * 8, Refused("E_NUL|E_ENCODING|E_BINARY"))
xlsx("merged cells between the records are said", lambda: edited(lambda made: (made.active.merge_cells("E2:E3"), made.active.merge_cells("F2:F3"))), Same("merged cells (E2:E3, F2:F3)"),
     clean=lambda: [("deals.csv", text(making.put((1, "Stage", ""), (1, "Amount", ""))).encode())])
case("deals of one name without ids, in another order", lambda: text(_unnumbered(_of_one_name())[::-1], headings=HEADINGS[1:]), Same(),
     clean=lambda: [("deals.csv", text(_unnumbered(_of_one_name()), headings=HEADINGS[1:]).encode())])


def _of_one_name() -> making.Rows:
    return making.put((3, "Opportunity Name", "Renewal"), (9, "Opportunity Name", "Renewal"), (10, "Opportunity Name", "Renewal"))


xlsx("two sheets of one name", lambda: rewritten("xl/workbook.xml", lambda xml: xml.replace(b"Deals B", b"Deals A"), _two_sheets()), Refused("E_WORKBOOK"))
xlsx("a cell twice, with two values", lambda: rewritten("xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'(<c r="F6".*?</c>)', rb'\1<c r="F6"><v>7</v></c>', xml)), Refused("E_CELL_TWINS", 6))
xlsx("two rows of one number", lambda: rewritten("xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'="([A-J]?)7"', rb'="\g<1>6"', xml)), Refused("E_CELL_TWINS", 6))
xlsx("rows in another order than their numbers", lambda: rewritten("xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'(<row r="6".*?</row>)(<row r="7".*?</row>)', rb"\2\1", xml)), Same())
