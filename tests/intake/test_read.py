"""Reading: what stands in the file is what is read. Each test names the wrong reading that it excludes."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date, datetime
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revscore.intake.guards import Limits
from revscore.intake.read import read
from revscore.intake.sheet import EXTRA, MISSING, Problem, Sheet, Source


def one(content: bytes | str, name: str = "deals.csv", **limits: int) -> Sheet:
    sheets, problems = read([Source(name, content.encode() if isinstance(content, str) else content)], limits=Limits(**limits))
    assert not problems, [str(problem) for problem in problems]
    assert len(sheets) == 1
    return sheets[0]


def refused(content: bytes | str, name: str = "deals.csv", **limits: int) -> Problem:
    sheets, problems = read([Source(name, content.encode() if isinstance(content, str) else content)], limits=Limits(**limits))
    assert not sheets and len(problems) == 1
    assert problems[0].text.endswith(".") and len(problems[0].text) > 20
    return problems[0]


def cells(sheet: Sheet) -> list[list[str]]:
    assert set(map(str, sheet.frame.dtypes)) <= {"str"} and not sheet.frame.isna().any().any()
    assert len(sheet.rows) == len(sheet.frame)
    return [list(sheet.frame.columns), *sheet.frame.to_numpy().tolist()]


def workbook(*sheets: list[list[object]], **titles: str) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, start=1):
        page = book.create_sheet(f"Sheet{number}")
        for row in rows:
            page.append(row)
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def packed(**files: bytes | str) -> bytes:
    return packed_as(files)


def packed_as(files: dict[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def rewritten(content: bytes, part: str, change) -> bytes:
    """A workbook with one part changed as bytes: what openpyxl would not write."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return packed_as({name: change(archive.read(name)) if name == part else archive.read(name) for name in archive.namelist()})


# --- text tables -------------------------------------------------------------------------------------------------------------------------


def test_words_that_look_like_nothing_stay_words():
    """Not: an account named NA or None read as missing."""
    assert cells(one("id,name\n1,NA\n2,None\n3,null\n4,n/a\n5,\n")) == [
        ["id", "name"], ["1", "NA"], ["2", "None"], ["3", "null"], ["4", "n/a"], ["5", ""]]


def test_cells_are_not_trimmed_or_turned_into_numbers():
    """Not: leading zeros, long ids or blanks lost."""
    assert cells(one("id,zip, note \n0012,1234567890123456789, x \n"))[1:] == [["0012", "1234567890123456789", " x "]]
    assert one("id, note \n1,x\n").headings == ("id", "note")


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8-sig", b""), ("utf-16", b""), ("utf-16-le", b""), ("utf-16-be", b""), ("utf-8", b""),
                                                ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-32", b"")])
def test_unicode_with_and_without_a_mark(encoding, mark):
    """Not: the mark glued to the first heading, or zero bytes between letters."""
    sheet = one(mark + "Id,Name\n1,Zoë Müller\n2,Łódź\n3,東京\n".encode(encoding))
    assert cells(sheet) == [["Id", "Name"], ["1", "Zoë Müller"], ["2", "Łódź"], ["3", "東京"]]
    assert bool(sheet.notes) == (encoding in ("utf-16-le", "utf-16-be") and not mark)


@pytest.mark.parametrize(("encoding", "name"), [
    ("cp1252", "Müller & Söhne"), ("cp1252", "Société “Générale” – 5 €"), ("cp1252", "Åse Bjørnsson"), ("cp1252", "Peña"), ("latin-1", "Straße"),
    ("cp1250", "Łódź Spółka"), ("cp1250", "Žďár nad Sázavou"), ("cp1254", "Şişecam İğdır"), ("cp1251", "Москва Иванов"),
    ("mac_roman", "Müller Société"), ("cp932", "株式会社トヨタ"), ("gb18030", "北京有限公司上海客户"), ("euc_kr", "삼성전자 주식회사")])
def test_older_encodings_are_found_and_reported(encoding, name):
    """Not: mojibake (é as Ã©, Ł as £), and not a decision that nobody hears of."""
    rows = "".join(f"{number},{name},Won\n" for number in range(20))
    sheet = one(("Id,Name,Stage\n" + rows).encode(encoding))
    assert sheet.frame["Name"].unique().tolist() == [name] and "read as" in sheet.notes[0]


def test_a_stray_byte_does_not_turn_all_of_utf8_into_mojibake():
    rows = "".join(f"{number},Müller\n" for number in range(40)).encode()
    sheet = one(b"Id,Name\n" + rows + b"99,Caf\xe9\n")
    assert set(sheet.frame["Name"]) == {"Müller", "Café"} and "1 bytes" in sheet.notes[0]


@pytest.mark.parametrize("delimiter", list(",;\t|!^~"))
def test_delimiters_are_found_by_evidence(delimiter):
    """Not: the delimiter that occurs most often (commas stand in every cell here)."""
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(
        [["Id", "Name, first", "Amount"], ["1", "Doe, Jane, Dr.", "1,5"], ["2", 'He said "hi"', "2,5"]])
    assert cells(one(stream.getvalue())) == [["Id", "Name, first", "Amount"], ["1", "Doe, Jane, Dr.", "1,5"], ["2", 'He said "hi"', "2,5"]]


def test_when_two_delimiters_fit_the_rarer_is_taken_and_the_other_named():
    """Not: split at the comma inside the cells."""
    sheet = one("column1,column2!some,column3\ncol11,col12!somev1,col13\ncol21,col22!somev2,col23\n")
    assert cells(sheet)[:2] == [["column1,column2", "some,column3"], ["col11,col12", "somev1,col13"]]
    assert "comma (3 columns)" in sheet.notes[0]


def test_lists_inside_cells_and_decimal_commas_do_not_win():
    assert one("Id,Tags\n1,a;b\n2,c;d\n").headings == ("Id", "Tags")
    assert cells(one("Betrag;Datum\n1,50;01.02.2026\n2,50;02.02.2026\n"))[1] == ["1,50", "01.02.2026"]


def test_a_declared_delimiter_is_believed():
    sheet = one("sep=,\nA,B;c\n1,2;3\n")
    assert cells(sheet) == [["A", "B;c"], ["1", "2;3"]] and sheet.rows.tolist() == [3]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_quotes_and_line_breaks_inside_cells(end):
    """Not: a cell with a line break as two rows; row numbers count rows as a spreadsheet does."""
    sheet = one(f'Id,Note{end}1,"a{end}b"{end}{end}2,"say ""x"", y"{end}')
    assert cells(sheet)[1:] == [["1", f"a{end}b"], ["2", 'say "x", y']] and sheet.rows.tolist() == [2, 4]
    assert [(row.row, row.why) for row in sheet.dropped] == [(3, "blank row")]


def test_quotes_escaped_with_a_backslash():
    assert cells(one('Id,Note,X\n1,"say \\"x\\", y",z\n'))[1] == ["1", 'say "x", y', "z"]


def test_one_extra_delimiter_at_the_end_of_rows_shifts_nothing():
    """Not: every value under its neighbour's heading."""
    sheet = one("id,name,amount\n1,A,5,\n2,B,6,\n3,C,7\n")
    assert cells(sheet) == [["id", "name", "amount"], ["1", "A", "5"], ["2", "B", "6"], ["3", "C", "7"]] and not sheet.uneven.any()
    assert cells(one("id,name,\n1,A\n2,B,\n")) == [["id", "name"], ["1", "A"], ["2", "B"]]
    assert cells(one("id,name,\n1,A,x\n2,B,\n")) == [["id", "name", "Column 3"], ["1", "A", "x"], ["2", "B", ""]]


def test_uneven_rows_are_kept_and_marked():
    """Not: lost, cut, or filled as if nothing had happened."""
    sheet = one("id,name,amount,stage\n1,A,5,Won\n2,Smith, Jane,5,Won\n3,C\n4,D,1,Won\n5,E,1,Won\n")
    assert cells(sheet) == [["id", "name", "amount", "stage", EXTRA, MISSING], ["1", "A", "5", "Won", "", ""], ["2", "Smith", " Jane", "5", "Won", ""],
                            ["3", "C", "", "", "", "2"], ["4", "D", "1", "Won", "", ""], ["5", "E", "1", "Won", "", ""]]
    assert sheet.uneven.tolist() == [False, True, True, False, False] and sheet.headings == ("id", "name", "amount", "stage")


def test_a_file_of_uneven_rows_is_refused_with_the_first_row():
    problem = refused("id,name\n1,a,b\n2,c,d\n3,e,f\n")
    assert (problem.code, problem.row) == ("E_UNEVEN", 2)


def test_an_open_quote_is_refused_and_swallows_nothing():
    """Not: all rows after it read as one cell."""
    assert refused('id,name,x\n1,"A,2\n2,B,3\n').code == "E_QUOTE"
    problem = refused('id,name,x\n0,y,z\n1,"A,2\n2,B,3\n3,C",4\n')
    assert (problem.code, problem.row) == ("E_QUOTE", 3)
    assert refused('id,name\n1,"A" B\n').row == 2


@pytest.mark.parametrize("footer", [
    ["Grand Totals (2 records)", "", "15", ""], ["Subtotal (7 records)", "", "", ""], ["Gesamtsummen", "", "15", ""], ["Gesamtsummen (2 Datensätze)", "", "15", ""],
    ["2 records", "", "", ""], ["2 rows exported", "", "", ""], ["Total", "", "15", ""], ["Sub-total:", "", "$15.00", ""], ["", "Total", "15", ""],
    ["Confidential Information - Do Not Distribute", "", "", ""], ["Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved.", "", "", ""]])
def test_totals_and_footers_are_listed_not_read(footer):
    """Not: a deal named "Grand Totals" with the sum of all deals as its amount."""
    stream = io.StringIO()
    csv.writer(stream).writerows([["Name", "Id", "Amount", "Stage"], ["A", "1", "5", "Won"], ["B", "2", "10", "Lost"], footer])
    sheet = one(stream.getvalue())
    assert sheet.frame["Name"].tolist() == ["A", "B"]
    assert [row.row for row in sheet.dropped] == [4] and sheet.dropped[0].text == " | ".join(cell for cell in footer if cell)


def test_the_footer_of_a_report_goes_whole():
    sheet = one('"Name","Id","Amount"\n"A","1","5"\n"B","","7"\n\n"Pipeline report"\n"Copyright (c) 2000-2026 salesforce.com, inc."\n'
                '"Confidential Information - Do Not Distribute"\n"Generated By:  Jane Doe 3/1/2026 10:00"\n"salesforce.com"\n')
    assert sheet.frame["Name"].tolist() == ["A", "B"] and not sheet.uneven.any()
    assert [row.row for row in sheet.dropped] == [4, 5, 6, 7, 8, 9]


def test_accounts_with_such_names_are_records():
    """Not: a customer taken for a total line."""
    text = ("Name,Id,Stage,Amount\nTotal,1,Won,5\nTotal Energies,,Won,5\nGrand Total Fitness,3,Won,9\nAcme Total,,,5\nAverage Joe,2,Lost,1\n"
            "Summit,4,Won,8\nCopyright (c) Agency,5,Won,8\nLast,6,Won,1\n")
    assert len(one(text).frame) == 8


def test_an_account_whose_name_begins_like_a_footer_is_a_record():
    text = "Id,Name,Owner,Amount,Stage\n1,Acme,Ann,5,Won\n,12 records Ltd,,,Won\n12 records Ltd,,,,Won\n12 records Ltd,,,,\n4,Bolt,Ben,7,Won\n"
    assert len(one(text).frame) == 5


def test_subtotals_with_several_figures_go():
    """Not: a record without an id, as soon as a report adds up more columns than half of them."""
    sheet = one("Stage,Name,Amount,Weighted,Count\nWon,A,5,4,1\nWon,B,6,5,1\nSubtotal (2 records),,11,9,2\n" + "Lost,C,1,1,1\n" * 9 + "Gesamtsummen (11 Datensätze),,20,18,11\n")
    assert len(sheet.frame) == 11 and [row.row for row in sheet.dropped] == [4, 14]


def test_group_subtotals_and_repeated_headings_go():
    sheet = one("Stage,Name,Amount\nWon,A,5\nWon,B,6\nWon Total,,11\nStage,Name,Amount\nLost,C,1\nLost Total,,1\nGrand Total,,12\n")
    assert sheet.frame["Name"].tolist() == ["A", "B", "C"] and [row.row for row in sheet.dropped] == [4, 5, 7, 8]


def test_a_total_that_counts_other_rows_means_a_cut_extract():
    problem = refused("Name,Id,Amount\nA,1,5\nB,2,6\nGrand Totals (3 records),,11\n")
    assert problem.code == "E_RECORD_COUNT" and "3 records, but 2 rows" in problem.text


def test_runs_of_blank_rows_are_one_entry():
    sheet = one("a,b\n1,2\n" + ",\n" * 1000 + "3,4\n")
    assert cells(sheet)[1:] == [["1", "2"], ["3", "4"]] and sheet.rows.tolist() == [2, 1003]
    assert [(row.row, row.why) for row in sheet.dropped] == [(3, "blank rows to row 1,002")]


def test_doubled_and_empty_headings_get_a_number():
    sheet = one("Amount,Amount (2),Amount,,id\n1,2,3,4,5\n")
    assert sheet.headings == ("Amount", "Amount (2)", "Amount (3)", "Column 4", "id") and len(sheet.notes) == 2


def test_a_file_with_headings_only_is_an_empty_sheet():
    assert cells(one("id,name\n")) == [["id", "name"]]


@pytest.mark.parametrize(("content", "code"), [
    (b"", "E_EMPTY"), (b"\xef\xbb\xbf \r\n", "E_EMPTY"), (b",,,\n,,,\n", "E_EMPTY"), (b"id,name\n1,a\0b\n", "E_NUL"),
    (b"%PDF-1.7 ...", "E_PDF"), (b"PAR1....PAR1", "E_PARQUET"), (b"\x1f\x8b\x08...", "E_GZIP"), (b"\x80\x04\x95...", "E_PICKLE"),
    (b'[{"id": 1}]', "E_JSON"), (b'{"id": 1}', "E_JSON"), (b"<html><table><tr><td>Id", "E_HTML"), (b"\n <!DOCTYPE html><p>", "E_HTML"),
    (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "E_XML"), (b"PK\x03\x04 broken", "E_ZIP"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "E_XLS"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "E_PASSWORD"),
    (",".join(f"c{number}" for number in range(2001)).encode(), "E_COLUMNS"), (b'id,note\n1,"' + b"x" * 200_000 + b'"\n', "E_CELL")])
@pytest.mark.parametrize("name", ["deals.csv", "deals.xls", "deals.xlsx"])
def test_impostors_get_their_own_sentence(content, code, name):
    """Not: "file is not a zip file", and not a table of binary rubbish. What the bytes are counts, whatever the name says."""
    problem = refused(content, name)
    assert problem.code in ((code, "E_TYPE") if name.endswith(".xls") else (code,))


def test_types_and_sizes():
    assert refused("id\n1\n", "run.exe").code == "E_TYPE"
    assert refused("id\n1\n", text=3).code == "E_SIZE"
    assert refused(workbook([["id"], [1]]), "a.xlsx", workbook=100).code == "E_SIZE"


# --- workbooks ---------------------------------------------------------------------------------------------------------------------------


def test_excel_values_are_exact_text():
    """Not: 123.0, 1e-07, 45000, TRUE, or an id that lost its last digits."""
    sheet = one(workbook([["a", "b", "c", "d"],
                          ["0012", 123.0, 0.1, True], ["006A0000001AbCdEAK", 1e-7, -1234.5, False], ["1234567890123456789", 1e15, 100, None],
                          [date(2026, 3, 1), datetime(2026, 3, 1, 9, 30), "2026-03-01", "NA"]]), "a.xlsx")
    assert cells(sheet)[1:] == [["0012", "123", "0.1", "true"], ["006A0000001AbCdEAK", "0.0000001", "-1234.5", "false"],
                                ["1234567890123456789", "1000000000000000", "100", ""], ["2026-03-01", "2026-03-01T09:30:00", "2026-03-01", "NA"]]
    assert sheet.rows.tolist() == [2, 3, 4, 5]


def test_a_table_far_down_is_not_lost_without_a_word():
    rows: list[list[object]] = [[None]] * 70
    assert refused(workbook([*rows, ["id", "n"], ["1", 5]]), "a.xlsx").code == "E_HEADER"
    assert refused("\n" * 70 + "id,n\n1,5\n").code == "E_HEADER"


def test_title_lines_with_commas_are_no_headings():
    sheet = one("Pipeline report\nAs of 1 March, 2026\n\nId,Name,Amount\n1,A,5\n2,B,6\n")
    assert cells(sheet) == [["Id", "Name", "Amount"], ["1", "A", "5"], ["2", "B", "6"]] and sheet.rows.tolist() == [5, 6]
    sheet = one("Bericht, Stand 1. März\nId;Name;Betrag\n1;A;5,5\n2;B;6,5\n")
    assert cells(sheet)[:2] == [["Id", "Name", "Betrag"], ["1", "A", "5,5"]]


def test_percent_and_currency_are_numbers():
    book = openpyxl.Workbook()
    page = book.active
    page.append(["p", "m"])
    page.append([0.25, 1234.5])
    page["A2"].number_format, page["B2"].number_format = "0%", '"€"#,##0.00'
    assert cells(one(saved(book), "a.xlsx"))[1] == ["0.25", "1234.5"]


@pytest.mark.parametrize("epoch", [1900, 1904])
def test_times_keep_their_day_and_their_microseconds(epoch):
    """Not: 23:59:59.99996 read as midnight of the next day, and not 09:30:15 as 09:30:14.999999."""
    book = openpyxl.Workbook()
    if epoch == 1904:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    page = book.active
    page.append(["at", "n"])
    shift = 0 if epoch == 1900 else 1462
    for serial in (46000.9999999995, 46082.396006944444, 46082.39600837333, 46082.396008373, 46000.5):
        page.append([serial - shift, serial])
        page.cell(page.max_row, 1).number_format = "yyyy-mm-dd hh:mm:ss"
    sheet = one(saved(book), "a.xlsx")
    got = sheet.frame["at"].tolist()
    assert got[0].startswith("2025-12-09T23:59:59.99995") and got[1] == "2026-03-01T09:30:15" and got[4] == "2025-12-09T12:00:00"
    assert got[2] == "2026-03-01T09:30:15.123456" and got[3].startswith("2026-03-01T09:30:15.1234")
    assert sheet.frame["n"].tolist()[1] == "46082.396006944444"[:len(sheet.frame["n"].tolist()[1])]  # a number of that size stays a number


def test_error_cells_and_formulas_without_a_value_stand_as_text():
    """Not: read as missing, as if the cell were blank."""
    book = openpyxl.Workbook()
    page = book.active
    for row in [["id", "amount", "x"], ["1", "#N/A", "#DIV/0!"], ["2", "=B9*2", 3], ["3", 5, '=A1&"<"']]:
        page.append(row)
    sheet = one(saved(book), "a.xlsx")
    assert cells(sheet)[1:] == [["1", "#N/A", "#DIV/0!"], ["2", "#FORMULA! =B9*2", "3"], ["3", "5", '#FORMULA! =A1&"<"']] and "2 formulas" in sheet.notes[0]


def test_ids_that_excel_has_rounded_are_refused():
    """Not: two deals merged because their last digits became zeros."""
    problem = refused(workbook([["Deal Id", "Amount"], [12345678901234567, 5]]), "a.xlsx")
    assert (problem.code, problem.row, problem.column, problem.sheet) == ("E_ID_ROUNDED", 2, "Deal Id", "Sheet1")
    assert cells(one(workbook([["Deal Id", "Amount"], ["12345678901234567", 1e16]]), "a.xlsx"))[1] == ["12345678901234567", "10000000000000000"]


def test_a_report_that_starts_in_column_b_under_title_rows():
    """Not: the report's name as a heading, or an empty first column."""
    content = workbook([[], [None, "Open pipeline"], [None, "As of 2026-03-01 10:00", "Generated by Jane"], [None, "Filtered By"], [],
                        [None, "Opportunity Name  ↑", None, "Amount", "Close Date"],
                        [None, "A", None, 5, date(2026, 3, 1)], [None, "B", None, 6, None], [None, "C", None, None, None],
                        [None, "Total", None, 11, None], [], [None, "Confidential Information - Do Not Distribute"]])
    sheet = one(content, "report.xlsx")
    assert cells(sheet) == [["Opportunity Name", "Amount", "Close Date"], ["A", "5", "2026-03-01"], ["B", "6", ""], ["C", "", ""]]
    assert sheet.rows.tolist() == [7, 8, 9]
    assert {row.row for row in sheet.dropped} == {1, 2, 3, 4, 5, 10, 11, 12}


def test_several_sheets_are_all_read_and_hidden_ones_named():
    """Not: the first sheet only, and not a hidden one in place of the visible."""
    book = openpyxl.Workbook()
    book.active.title = "Lookup"
    book.active.append(["secret", "x"])
    book.active.sheet_state = "hidden"
    for name in ("Deals", "Leads", "Blank"):
        book.create_sheet(name)
    book["Deals"].append(["id", "amount"])
    book["Deals"].append(["1", 5])
    book["Leads"].append(["id", "email"])
    book["Leads"].append(["1", "a@b.c"])
    book["Leads"].append(["2", "d@e.f"])
    book["Leads"].row_dimensions[3].hidden = True
    book.active = 1
    sheets, problems = read([Source("crm.xlsx", saved(book))])
    assert [(sheet.file, sheet.name, len(sheet.frame)) for sheet in sheets] == [("crm.xlsx", "Deals", 1), ("crm.xlsx", "Leads", 2)] and not problems
    assert "Lookup" in sheets[0].notes[0] and any("1 hidden rows" in note for note in sheets[1].notes)


@pytest.mark.parametrize(("cell", "code"), [("XFD1048576", "E_COLUMNS"), ("A1048576", "E_ROWS"), ("IW2", "E_COLUMNS")])
def test_one_stray_cell_far_away_is_refused_before_it_is_parsed(cell, code):
    """Not: the whole process aborted for want of memory."""
    book = openpyxl.Workbook()
    book.active.append(["id", "amount"])
    book.active[cell] = "x"
    assert refused(saved(book), "a.xlsx").code == code


def test_formatting_far_away_is_no_value():
    """Not: a million blank rows, and not a refusal because of a colour."""
    book = openpyxl.Workbook()
    for row in [["id", "amount"], ["1", 5]]:
        book.active.append(row)
    book.active["XFD1048576"].number_format = "0.00"
    assert cells(one(saved(book), "a.xlsx")) == [["id", "amount"], ["1", "5"]]


@pytest.mark.parametrize("empty", [b'<c r="XFD9" s="1"/>', b'<c r="XFD9" s="1"></c>', b'<c r="XFD9" s="1"><v/></c>', b'<c r="XFD9" s="1"><v></v></c>'])
def test_a_cell_with_nothing_in_it_is_no_value_however_it_is_written(empty):
    content = rewritten(workbook([["id", "n"], ["1", 5]]), "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</sheetData>", b'<row r="9">' + empty + b"</row></sheetData>"))
    assert cells(one(content, "a.xlsx")) == [["id", "n"], ["1", "5"]]


def test_the_declared_extent_is_not_believed():
    """Not: three rows of twenty-five, silently."""
    content = workbook([["id", "n"], *[[str(number), number] for number in range(25)]])
    lied = rewritten(content, "xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B3"', xml))
    assert len(one(lied, "a.xlsx").frame) == 25


def test_prefixed_xml_as_dynamics_writes_it():
    content = workbook([["id", "n"], ["1", 5]])

    def prefix(xml: bytes) -> bytes:
        return re.sub(rb"<(/?)(\w)", rb"<\1x:\2", xml).replace(b"xmlns=", b"xmlns:x=").replace(b"<x:?xml", b"<?xml")

    assert cells(one(rewritten(content, "xl/worksheets/sheet1.xml", prefix), "a.xlsx")) == [["id", "n"], ["1", "5"]]


@pytest.mark.parametrize(("part", "change", "code"), [
    ("xl/worksheets/sheet1.xml", lambda xml: b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml, "E_XML_DTD"),
    ("xl/workbook.xml", lambda xml: b"<!DOCTYPE x>" + xml, "E_XML_DTD"),
    ("docProps/core.xml", lambda xml: b"<!DOCTYPE x>" + xml, "E_XML_DTD"),
    ("xl/worksheets/sheet1.xml", lambda xml: xml.decode().encode("utf-16"), "E_XML_ENCODING"),
    ("xl/workbook.xml", lambda xml: xml.replace(b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                                                b"http://purl.oclc.org/ooxml/spreadsheetml/main"), "E_STRICT"),
    ("[Content_Types].xml", lambda xml: xml.replace(b"spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main"), "E_MACRO"),
    ("xl/workbook.xml", lambda xml: xml[:50], "E_ZIP")])
def test_workbooks_that_no_export_writes_are_refused(part, change, code):
    assert refused(rewritten(workbook([["id", "n"], ["1", 5]]), part, change), "a.xlsx").code == code


def test_long_texts_used_often_are_refused_before_they_are_unpacked():
    book = openpyxl.Workbook()
    for _ in range(400):
        book.active.append(["x" * 30_000])
    assert refused(saved(book), "a.xlsx", string_bytes=10 << 20).code in ("E_STRINGS", "E_ZIP_RATIO")


def test_damaged_bytes_are_a_sentence_never_an_exception():
    content = workbook([["id", "n"], *[[str(number), number] for number in range(50)]])
    generator = np.random.default_rng(7)
    for _ in range(150):
        broken = bytearray(content)
        for at in generator.integers(0, len(content), 4):
            broken[at] = generator.integers(0, 256)
        read([Source("a.xlsx", bytes(broken[:generator.integers(50, len(content) + 1)]))])


# --- archives, folders, several files ----------------------------------------------------------------------------------------------------


def test_an_archive_gives_its_files_and_ignores_what_finder_adds():
    content = packed_as({"crm/leads.csv": "id,name\n1,a\n", "deals.xlsx": workbook([["id", "n"], ["1", 5]]), "__MACOSX/crm/._leads.csv": b"\0\5",
                         ".DS_Store": b"\0", "notes.md": "# hi"})
    sheets, problems = read([Source("export.zip", content)])
    assert [(sheet.file, sheet.name) for sheet in sheets] == [("export.zip/leads.csv", ""), ("export.zip/deals.xlsx", "Sheet1")]
    assert [(problem.file, problem.code) for problem in problems] == [("export.zip/notes.md", "E_ASIDE")]


@pytest.mark.parametrize(("name", "content"), [("chart.png", b"\x89PNG\r\n\x1a\n"), ("about.json", b'{"made": "today"}'), ("readme.txt", b'Made "today", for you'), ("logo", b"GIF89a")])
def test_what_lies_beside_the_extracts_of_an_archive_is_set_aside_and_named(name, content):
    sheets, problems = read([Source("export.zip", packed_as({"leads.csv": "id,name\n1,a\n", name: content}))])
    assert [sheet.file for sheet in sheets] == ["export.zip/leads.csv"]
    assert [(problem.file, problem.code) for problem in problems] == [(f"export.zip/{name}", "E_ASIDE")] and "set aside" in problems[0].text


@pytest.mark.parametrize(("name", "content", "code"), [("more.zip", packed(a="x"), "E_NESTED"), ("more", packed(a="x"), "E_NESTED"), ("run.exe", b"MZ\x90\0" * 9, "E_PROGRAM"),
                                                       ("run.png", b"\x7fELF" * 9, "E_PROGRAM"), ("deals.parquet", b"PAR1" * 9, "E_PARQUET"), ("more.txt", b"\x1f\x8b" * 9, "E_GZIP")])
def test_archives_programs_and_other_data_inside_an_archive_are_refused(name, content, code):
    _, problems = read([Source("export.zip", packed_as({"leads.csv": "id,name\n1,a\n", name: content}))])
    assert [problem.code for problem in problems] == [code]


def test_an_archive_of_notes_holds_no_extract():
    assert [problem.code for problem in read([Source("export.zip", packed_as({"readme.md": "# hi", "chart.png": b"\x89PNG"}))])[1]] == ["E_ASIDE", "E_ASIDE", "E_EMPTY"]
    assert read([Source("export.zip", packed_as({"leads.txt": "id\tname\n1\ta\n"}))])[0][0].file == "export.zip/leads.txt"


def test_files_of_one_name_in_two_folders_of_an_archive_are_told_apart():
    sheets, _ = read([Source("export.zip", packed_as({"emea/leads.csv": "id,name\n1,a\n", "apac/leads.csv": "id,name\n2,b\n"}))])
    assert [sheet.file for sheet in sheets] == ["export.zip/leads.csv", "export.zip/leads (2).csv"]


@pytest.mark.parametrize(("files", "limits", "code"), [
    ({"../up.csv": "a,b\n1,2\n"}, {}, "E_ZIP_PATH"), ({"/etc/x.csv": "a,b\n1,2\n"}, {}, "E_ZIP_PATH"), ({"C:x.csv": "a,b\n"}, {}, "E_ZIP_PATH"),
    ({"big.csv": b"0" * (12 << 20)}, {}, "E_ZIP_RATIO"), ({"big.csv": "a,b\n" * 99}, {"part": 100}, "E_UNPACKED"),
    ({"A.csv": "a,b\n1,2\n", "a.csv": "a,b\n1,2\n"}, {}, "E_ZIP_TWINS"), ({f"{n}.csv": "a\n" for n in range(5)}, {"entries": 4}, "E_ZIP_ENTRIES"),
    ({"inner.zip": packed(a="x")}, {}, "E_NESTED"), ({}, {}, "E_EMPTY")])
def test_archives_that_are_not_opened(files, limits, code):
    assert refused(packed_as(files), "export.zip", **limits).code == code


def test_an_archive_member_that_fails_its_checksum_is_refused():
    content = bytearray(packed_as({"a.csv": "id,name\n1,a\n"}, zipfile.ZIP_STORED))
    content[content.index(b"1,a")] = ord("9")
    assert refused(bytes(content), "export.zip").code == "E_ZIP"


def test_several_files_at_once_and_one_bad_file_does_not_stop_the_others(tmp_path: Path):
    (tmp_path / "leads.csv").write_text("id,name\n1,a\n", encoding="utf-8")
    told = []
    sheets, problems = read([Source("leads.csv", tmp_path / "leads.csv"), Source("bad.csv", b""), Source("x/leads.csv", b"id,name\n2,b\n"),
                             Source("copy.csv", b"id,name\n1,a\n"), Source("gone.csv", tmp_path / "gone.csv")], progress=lambda *step: told.append(step))
    assert [sheet.file for sheet in sheets] == ["leads.csv", "leads (2).csv"]  # not: two sheets that the ledger cannot tell apart
    assert [(problem.file, problem.code) for problem in problems] == [("bad.csv", "E_EMPTY"), ("copy.csv", "E_TWICE"), ("gone.csv", "E_OPEN")]
    fractions = [fraction for _, fraction, _ in told]
    assert fractions == sorted(fractions) and told[-1] == ("read", 1.0, "2 sheets, 2 rows")


def test_a_folder_is_its_extracts(tmp_path: Path):
    for name, content in {"b.csv": "id,x\n1,2\n", "a.tsv": "id\tx\n1\t2\n", "config.json": "{}", "notes.txt": "hello"}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    sheets, problems = read([Source("golden", tmp_path)])
    assert [sheet.file for sheet in sheets] == ["a.tsv", "b.csv"] and not problems
    (tmp_path / "empty").mkdir()
    assert read([Source("empty", tmp_path / "empty")])[1][0].code == "E_FOLDER"


def test_names_are_labels_never_paths():
    sheets, _ = read([Source("..\\..\\C:\\x\\" + "n" * 300 + ".csv\n", b"id,name\n1,a\n")])
    assert len(sheets[0].file) == 120 and sheets[0].file.endswith("n.csv") and "\\" not in sheets[0].file


# --- laws --------------------------------------------------------------------------------------------------------------------------------

CELL = st.text(alphabet=st.sampled_from(list('abcXYZ019 ,;|"\n\t.!€üЖ')), max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=3, max_size=12), st.sampled_from([",", ";", "\t", "|"]))
def test_whatever_is_written_is_read_back(rows, delimiter):
    """Any cells, quoted as the csv module quotes them, come back unchanged: none shifted, lost or trimmed."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    numbered = [(f"k{number}", "full", *row) for number, row in enumerate(rows)]
    writer.writerows([("Key", "Mark", "First", "Second", "Third"), *numbered])
    sheets, problems = read([Source("a.csv", stream.getvalue().encode())])
    if problems:  # a cell that looks like whole rows is refused, never misread
        assert problems[0].code == "E_QUOTE"
    else:
        assert sheets[0].frame.to_numpy().tolist() == [list(row) for row in numbered]
