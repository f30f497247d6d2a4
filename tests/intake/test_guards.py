"""What a file must pass before it is parsed: every rule with a file that breaks it, and one beside it that may pass."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from revscore.intake.guards import Limits, Refused, open_zip, unpack
from revscore.intake.scan import check_workbook
from tests.intake.test_read import one, packed_as, refused, rewritten, workbook

SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
GOOD = workbook([["Id", "Name"], ["1", "a"], ["2", "b"]])


def added(parts: dict[str, bytes], content: bytes = GOOD) -> bytes:
    """A workbook with more parts, or others."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return packed_as({name: archive.read(name) for name in archive.namelist()} | parts)


def sheet_of(rows: bytes) -> bytes:
    """A workbook whose only worksheet has these rows, as XML."""
    return added({SHEET: b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>' + rows + b"</sheetData></worksheet>"})


ROWS = b'<row r="1"><c r="A1" t="str"><v>Id</v></c><c r="B1" t="str"><v>Name</v></c></row><row r="2"><c r="A2"><v>1</v></c><c r="B2" t="str"><v>a</v></c></row>'
MANY = ROWS + b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c><c r="B%d" t="str"><v>some text</v></c></row>' % (n, n, n) for n in range(3, 70_000))   # beyond 4 MB


def resized(content: bytes, part: str, size: int, checksum: int | None = None) -> bytes:
    """The archive with another size (and checksum) of one part in its directory."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = archive.getinfo(part)
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(part.encode()))
    changed = bytearray(content)
    struct.pack_into("<I", changed, at + 24, size)
    if checksum is not None:
        struct.pack_into("<I", changed, at + 16, checksum)
    assert entry.file_size != size
    return bytes(changed)


def test_a_part_is_as_long_as_its_archive_says():
    """Not: read to the size that is named, while the parser behind reads on."""
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        xml = archive.read(SHEET)
    for size, checksum in ((len(xml) + 1, None), (len(xml) - 9, None), (len(xml) - 9, zlib.crc32(xml[:-9]))):
        assert refused(resized(GOOD, SHEET, size, checksum), "a.xlsx").code in ("E_UNPACKED", "E_ZIP")
    archive = open_zip(resized(GOOD, SHEET, len(xml) - 9, zlib.crc32(xml[:-9])), Limits())
    with pytest.raises(Refused, match="more than its archive says"):
        list(unpack(archive, archive.getinfo(SHEET)))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize("length", [0, 1, 1000, 1024, 5000])
def test_unpacking_is_what_zipfile_does(compression, length):
    content = bytes(n * n % 251 for n in range(length))
    archive = open_zip(packed_as({"a": content, "b": b"x"}, compression), Limits())
    for size in (1, 7, 1024, 10_000):
        assert b"".join(unpack(archive, archive.getinfo("a"), size)) == content == archive.read("a")


@pytest.mark.parametrize("part", ["docProps/app.xml", "customXml/item1.xml", SHEET, "xl/styles.xml", "xl/theme/theme9.xml", "xl/_rels/other.xml.rels"])
def test_document_types_in_any_part(part):
    """Not: found only where the parser looks, nor only in UTF-8."""
    text = '<?xml version="1.0"{}?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    assert refused(added({part: text.format("").encode()}), "a.xlsx").code == "E_XML_DTD"
    for wide in (text.format(' encoding="UTF-16"').encode("utf-16"), text.format("").encode("utf-16-le")):
        assert refused(added({part: wide}), "a.xlsx").code in ("E_XML_DTD", "E_XML_ENCODING")


def test_document_types_in_a_large_part():
    assert refused(sheet_of(MANY + b"<!DOCTYPE a>"), "a.xlsx").code in ("E_XML_DTD", "E_ZIP")
    large = b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + b"<a>" + b" " * (5 << 20) + b"</a>"
    assert refused(added({"docProps/app.xml": large}), "a.xlsx").code == "E_XML_DTD"


def test_nesting_is_limited():
    """In small parts and in large ones, where it is counted in the bytes; comments do not count and hide nothing."""
    def nested(depth: int, inside: bytes = b"") -> bytes:
        return b"<a>" * depth + inside + b"</a>" * depth

    assert one(added({"docProps/app.xml": nested(64)}), "a.xlsx").frame.shape == (2, 2)
    assert refused(added({"docProps/app.xml": nested(65)}), "a.xlsx").code == "E_XML_DEPTH"
    padding = b"<b/>" * (2 << 20)
    assert one(added({"docProps/app.xml": nested(63, padding)}), "a.xlsx").frame.shape == (2, 2)
    assert refused(added({"docProps/app.xml": nested(64, padding)}), "a.xlsx").code == "E_XML_DEPTH"
    assert refused(added({"docProps/app.xml": nested(65, padding + b"<!--" + b"</a>" * 40 + b"-->")}), "a.xlsx").code == "E_XML_DEPTH"
    assert one(added({"docProps/app.xml": nested(30, padding + b"<!--" + b"<a>" * 90 + b"-->")}), "a.xlsx").frame.shape == (2, 2)


def test_xml_that_breaks_off():
    """Not: the rows before the break, as if they were all."""
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        xml = archive.read(SHEET)
    assert refused(added({SHEET: xml[:xml.index(b"</row>") + 6]}), "a.xlsx").code in ("E_ZIP", "E_SHEET")
    large = sheet_of(MANY)
    with zipfile.ZipFile(io.BytesIO(large)) as archive:
        xml = archive.read(SHEET)
    assert refused(added({SHEET: xml[:xml.rindex(b"<row")]}), "a.xlsx").code in ("E_ZIP", "E_SHEET", "E_WORKBOOK")


@pytest.mark.parametrize("second", [b'<sheetData><row r="9"><c r="A9"><v>9</v></c></row></sheetData>', b'<x:sheetData\n xmlns:x="u"/>', b"<sheetData/>"])
def test_a_second_table_of_cells_in_a_sheet(second):
    """Not: the first one alone, or the last."""
    book = rewritten(GOOD, SHEET, lambda xml: xml.replace(b"</sheetData>", b"</sheetData>" + second))
    problem = refused(book, "a.xlsx")
    assert problem.code == "E_SHEET_TWINS" and "two tables" in problem.text


def test_macros_of_excel_4_and_other_namespaces():
    assert refused(added({"xl/macrosheets/sheet1.xml": b"<a/>"}), "a.xlsx").code == "E_MACRO"
    book = rewritten(GOOD, BOOK, lambda xml: xml.replace(b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"http://example.org/other"))
    assert refused(book, "a.xlsx").code == "E_WORKBOOK"


def test_linked_workbooks_are_named_and_not_opened():
    links = (b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="t" TargetMode="External" '
             b'Target="file:///C:/secret/Prices.xlsx"/></Relationships>')
    sheet = one(added({"xl/externalLinks/externalLink1.xml": b"<a/>", "xl/externalLinks/_rels/externalLink1.xml.rels": links}), "a.xlsx")
    assert sheet.notes == ("the workbook links to other workbooks (Prices.xlsx), which are not opened; the values stored in it are used.",)


@pytest.mark.parametrize("cell", [b'<c r="XFD1048576"><v>1</v></c>', b"<c r='XFD1048576'><v>1</v></c>", b'<c s="1" r="XFD1048576"><v>1</v></c>', b'<c\tr="XFD1048576"><v>1</v></c>',
                                  b'<c r="xfd1048576"><v>1</v></c>', b'<c r="XFD1048576" s="1" t="inlineStr"><is><t>x</t></is></c>'])
def test_one_stray_cell_however_it_is_written(cell):
    for rows in (ROWS, MANY):
        with pytest.raises(Refused, match="column XFD") as caught:          # by the guards alone: the parser would abort this process
            check_workbook(sheet_of(rows + b'<row r="1048576">' + cell + b"</row>"), Limits())
        assert caught.value.code == "E_COLUMNS" and caught.value.column == "XFD"


@pytest.mark.parametrize("cell", [b'<c r="XFD1048576" s="1"/>', b'<c r="XFD1048576"></c>', b'<c r="XFD1048576"><v/></c>', b'<c r="XFD1048576"><v></v></c>', b'<c r="XFD1048576">\n</c>'])
def test_a_cell_with_nothing_in_it_is_free(cell):
    assert one(sheet_of(ROWS + b'<row r="1048576">' + cell + b"</row>"), "a.xlsx").frame.to_numpy().tolist() == [["1", "a"]]


def test_rows_and_columns_without_places_are_counted_too():
    """Not: cells that do not say where they are pass every cap."""
    rows = b"".join(b'<row><c t="str"><v>a%d</v></c><c t="str"><v>b</v></c></row>' % n for n in range(30))
    assert len(one(sheet_of(rows), "a.xlsx").frame) == 29
    assert refused(sheet_of(rows), "a.xlsx", sheet_rows=20).code == "E_ROWS"
    texts = {"xl/sharedStrings.xml": b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>' + b"x" * 30_000 + b"</t></si></sst>"}
    used = sheet_of(b'<row><c t="s"><v>0</v></c></row>' * 300)
    with pytest.raises(Refused, match="texts of sheet"):
        check_workbook(added(texts, used), Limits(string_bytes=1 << 20))


def test_texts_are_counted_while_they_are_read():
    texts = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' + b"<si><t>x</t></si><si/>" * 600 + b"</sst>"
    assert refused(added({"xl/sharedStrings.xml": texts}), "a.xlsx", strings=1000).code == "E_STRINGS"
    one(added({"xl/sharedStrings.xml": texts}), "a.xlsx", strings=1300)


@pytest.mark.parametrize(("content", "code"), [(b"BZh91AY&SY", "E_ARCHIVE"), (b"\xfd7zXZ\0\0", "E_ARCHIVE"), (b"\x28\xb5\x2f\xfd1234", "E_ARCHIVE"), (b"\x7fELF\x02\x01", "E_PROGRAM"),
                                               (b"MZ\x90\0\x03", "E_PROGRAM"), (b"GIF89a", "E_PICTURE")])
def test_other_files_under_a_borrowed_name(content, code):
    assert refused(content).code == code
    assert refused(packed_as({"Index/Document.iwa": b"x", "Metadata/a.plist": b"y"}), "deals.xlsx").code == "E_NUMBERS"


def test_a_workbook_that_is_none_and_whole_lines_in_quotation_marks_are_named():
    """Not: words about the encoding of a text, or of a column that nothing is known about."""
    for name, content, said in (("deals.xlsx", bytes(range(256)) * 8, "is called a workbook (.xlsx) and is none"), ("deals.csv", b'"Id,Name,Stage"\n"1,A,Won"\n', "quotation marks stand around whole lines")):
        assert said in refused(content, name).text
