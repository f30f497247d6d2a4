"""Cases about cells, rows and records: dates, numbers, ids, names, duplicates, orphans, histories."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from tests.reliability import making
from tests.reliability.case_files import CASES, case, xlsx
from tests.reliability.making import HEADINGS, column, comma, deal_id, edited, european, every, put, rows, serials, text, us, whole_id, workbook
from tests.reliability.outcome import Asked, Files, Held, Refused, Same

__all__ = ["CASES"]


def with_text(name: str, value: str, row: int = 7) -> Callable[[], str]:
    """A csv in which one cell has another text."""
    return lambda: text(put((row, name, value)))


# --- cells of a spreadsheet --------------------------------------------------------------------------------------------------------------

for _error in ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"):
    xlsx(f"{_error} for an amount", lambda error=_error: edited(lambda made: made.active.__setitem__("F6", error)), Held({"R_ERROR_CELL": 1}))
xlsx("#N/A for a name", lambda: edited(lambda made: made.active.__setitem__("B6", "#N/A")), Held({"R_ERROR_CELL": 1}))
xlsx("#REF! for an id", lambda: edited(lambda made: made.active.__setitem__("A6", "#REF!")), Held({"R_ERROR_CELL": 1}))
case("#N/A as text in a csv", with_text("Amount", "#N/A"), Held({"R_ERROR_CELL": 1}))
for _column, _what in (("F", "amount"), ("B", "name"), ("I", "date")):
    xlsx(f"a formula without a stored value for the {_what}", lambda at=_column: edited(lambda made: made.active.__setitem__(f"{at}6", "=B9*2")), Held({"R_FORMULA": 1}))
xlsx("#N/A and a formula without a value", lambda: edited(lambda made: (made.active.__setitem__("F6", "#N/A"), made.active.__setitem__("F9", "=A1"))), Held({"R_ERROR_CELL": 1, "R_FORMULA": 1}))
_LATE = float(f"{(date(2026, 1, 12) - date(1899, 12, 30)).days + 86399.99996 / 86400:.16g}")           # as a spreadsheet writes it
xlsx("23:59:59.99996 stays on its day", lambda: serials("Created Date", _LATE), Same(), clean=lambda: [("deals.csv", text(put((5, "Created Date", making.moment(_LATE)))).encode())])
for _serial in (60, 0, -5, 2958466, 0.5, 1e10):
    xlsx(f"the serial {_serial} for a date", lambda serial=_serial: serials("Created Date", serial), Held({"R_DATE": 1}))
xlsx("dates as text in a workbook", lambda: workbook(every("Created Date", str)), Same())
xlsx("dates as bare serials", lambda: workbook(every("Created Date", lambda day: (day - date(1899, 12, 30)).days)), Same())
xlsx("amounts as text in a workbook", lambda: workbook(every("Amount", str)), Same())
xlsx("amounts with a currency format", lambda: edited(lambda made: [setattr(made.active.cell(n, 6), "number_format", '"€"#,##0.00') for n in range(2, 26)]), Same())
xlsx("ids of 17 digits as numbers", lambda: workbook(every("Opportunity ID", lambda id_: 12345678901234567 + ord(id_[-4]))), Refused("E_ID_ROUNDED", 2))
xlsx("ids of 19 digits as numbers", lambda: workbook(every("Opportunity ID", lambda id_: 1234567890123456789 + ord(id_[-4]))), Refused("E_ID_ROUNDED", 2))
xlsx("one id of 16 digits as a number", lambda: workbook(put((4, "Opportunity ID", 1234567890123456))), Refused("E_ID_ROUNDED", 6))
xlsx("TRUE for an amount", lambda: workbook(put((4, "Amount", True))), Held({"R_AMOUNT": 1}))
xlsx("a date for an amount", lambda: workbook(put((4, "Amount", datetime(2026, 1, 5)))), Held({"R_AMOUNT": 1}))
xlsx("a time alone for a date", lambda: workbook(put((4, "Created Date", datetime(2026, 1, 5, 9).time()))), Held({"R_DATE": 1}))
xlsx("dates that count from 1904", lambda: edited(lambda made: setattr(made, "epoch", __import__("openpyxl").utils.datetime.CALENDAR_MAC_1904)), Same())
xlsx("a cell of many blanks", lambda: workbook(put((4, "Account Name", "   Account 4   "))), Same())

# --- ids ---------------------------------------------------------------------------------------------------------------------------------


def numbered(make: Callable[[int], str]) -> making.Rows:
    return [[make(n), *row[1:]] for n, row in enumerate(rows())]


def as_clean(make: Callable[[int], str]) -> Callable[[], Files]:
    return lambda: [("deals.csv", text(numbered(make), quoting=1).encode())]


def rounded(n: int) -> str:
    """As a spreadsheet writes an id of 19 digits."""
    return f"{512345000000123 + n}0000"


case("ids of 18 characters are those of 15", lambda: text(numbered(whole_id)), Same())
case("ids of 15 and 18 characters mixed", lambda: text(numbered(lambda n: whole_id(n) if n % 2 else deal_id(n))), Same())
case("the same record with 15 and 18 characters", lambda: text([*rows(), [whole_id(3), *rows()[3][1:]]]), Held({"R_DUPLICATE": 1}))
case("two ids that differ in case only", lambda: text([*rows(), [deal_id(3).swapcase().replace("0061X", "0061x"), *rows()[5][1:]]]), Same(),
     clean=lambda: [("deals.csv", text([*rows(), [deal_id(3).swapcase().replace("0061X", "0061x"), *rows()[5][1:]]]).encode())])
case("an id whose last three letters are wrong", lambda: text([[whole_id(n) if n != 5 else deal_id(n) + "AAA", *row[1:]] for n, row in enumerate(rows())]), Held({"R_ID": 1}))
case("an id whose case was lost", lambda: text([[whole_id(n) if n != 5 else whole_id(n).upper(), *row[1:]] for n, row in enumerate(rows())]), Held({"R_ID": 1}))
case("ids of 19 digits", lambda: text(numbered(lambda n: str(1234567890123456789 + n))), Same(), clean=as_clean(lambda n: str(1234567890123456789 + n)))
xlsx("ids of 19 digits as text in a workbook", lambda: workbook(numbered(deal_id)), Same())
case("ids with leading zeros", lambda: text(numbered(lambda n: f"{n:08}")), Same(), clean=as_clean(lambda n: f"{n:08}"))
case("ids with and without leading zeros are two", lambda: text([*numbered(lambda n: f"{n:08}"), ["7", *rows()[8][1:]]]), Same(),
     clean=lambda: [("deals.csv", text([*numbered(lambda n: f"{n:08}"), ["7", *rows()[8][1:]]], quoting=1).encode())])
case("an id that a spreadsheet rounded", with_text("Opportunity ID", "1.23457E+17"), Held({"R_ID": 1}))
case("all ids rounded by a spreadsheet", lambda: text(numbered(lambda n: f"1.2345{n % 10}E+17")), Held({"R_ID": 24}))
case("ids of whole numbers written as decimals", lambda: text(numbered(lambda n: f"{9000 + n}.0")), Same(), clean=as_clean(lambda n: str(9000 + n)))
case("some ids of whole numbers written as decimals", lambda: text(numbered(lambda n: f"{9000 + n}.0" if n % 7 == 2 else f"{9000 + n}")), Same("as decimals"), clean=as_clean(lambda n: str(9000 + n)))
case("ids with marks of thousands", lambda: text(numbered(lambda n: f"{9000 + n:,}" if n % 7 == 2 else f"{9000 + n}")), Same("marks of thousands"), clean=as_clean(lambda n: str(9000 + n)))
case("ids with an apostrophe in front", lambda: text(numbered(lambda n: f"'{n:08}" if n % 2 else f"{n:08}")), Same("apostrophe"), clean=as_clean(lambda n: f"{n:08}"))
case("ids of 19 digits that a spreadsheet has rounded", lambda: text(numbered(rounded)), Asked("rounded:"))
case("ids of 19 digits that end in zeros, as answered", lambda: text(numbered(rounded)), Same(), clean=lambda: [("deals.csv", text(numbered(rounded), quoting=1).encode())],
     **{"rounded:deals.csv:Opportunity ID": "right"})
case("ids of 19 digits that were rounded, as answered", lambda: text(numbered(rounded)), Held({"R_ID": 24}), **{"rounded:deals.csv:Opportunity ID": "rounded"})
case("ids as formulas that keep them text", lambda: text(numbered(lambda n: f'="{9000 + n:06}"')), Same(), clean=as_clean(lambda n: f"{9000 + n:06}"))
xlsx("ids as numbers that a format shows with leading zeros", lambda: edited(lambda made: [(setattr(made.active[f"A{n}"], "value", n), setattr(made.active[f"A{n}"], "number_format", "000000"))
                                                                                           for n in range(2, 26)]), Same(), clean=as_clean(lambda n: f"{n + 2:06}"))
case("no id in a row", with_text("Opportunity ID", ""), Held({"R_NO_ID": 1}))
case("blanks around ids", lambda: text(numbered(lambda n: f" {deal_id(n)}  ")), Same())
for _name, _mark in (("a zero-width space", "\u200b"), ("a mark of direction", "\u202e"), ("a control character", "\x07"), ("a soft hyphen", "\u00ad"), ("a byte-order mark", "\ufeff")):
    case(f"{_name} in an id", with_text("Opportunity ID", deal_id(7)[:9] + _mark + deal_id(7)[9:]), Held({"R_ID": 1}))
case("a Cyrillic letter in an id", with_text("Opportunity ID", deal_id(7).replace("x", "\u0445", 1)), Held({"R_ID": 1}))
case("an id of 5,000 characters", with_text("Opportunity ID", "9" * 5000), Held({"R_ID": 1}))

# --- names and words ---------------------------------------------------------------------------------------------------------------------

for _name, _mark in (("a bell", "\x07"), ("an escape", "\x1b[31m"), ("a delete", "\x7f"), ("a right-to-left override", "\u202e"), ("an isolate", "\u2066"), ("a C1 control", "\u0085x\u009b")):
    case(f"{_name} in a name", with_text("Opportunity Name", f"Acme{_mark} Ltd"), Held({"R_TEXT": 1}))
    if _name in ("a bell", "a right-to-left override"):
        case(f"{_name} in an account's name", with_text("Account Name", f"Acme{_mark} Ltd"), Held({"R_TEXT": 1}))
for _name in ("<script>alert(1)</script>", "=HYPERLINK(\"http://x.example\",\"x\")", "![](http://x.example/a.png)", "'; DROP TABLE loads; --", "👩‍👩‍👧 Ltd", "مرحبا", "שלום", "{{7*7}}", "a" * 2000, "@SUM(A1)", "%00", "\\N"):
    case(f"the name {_name[:40]} is a name", with_text("Opportunity Name", _name), Same(), clean=lambda name=_name: [("deals.csv", text(put((7, "Opportunity Name", name)), quoting=1).encode())])
case("NA as a region", lambda: text([[*row, "NA" if n % 2 else "EMEA"] for n, row in enumerate(rows())], headings=[*HEADINGS, "Region"]), Same(),
     clean=lambda: [("deals.xlsx", workbook([[*row, "NA" if n % 2 else "EMEA"] for n, row in enumerate(rows())], headings=[*HEADINGS, "Region"]))])
case("a stage of two words nobody knows is taken as open, and asked", with_text("Stage", "Parked somewhere"), Asked("stage:", waits=False))

# --- numbers -----------------------------------------------------------------------------------------------------------------------------

for _bad in ("1_000", "١٢٣٤", "1e999", "1e5", "nan", "inf", "-inf", "NaN", "0x1F", "１２３", "1,2,3", "12..5", "1.234.5", "abc", "1 2 3 4,5,6", "5 apples", "TRUE", "1-2", "--5", "½", "∞", "12 %  34", "50%", "1.5k", "2 Mio", "₿ 5", "$", "=5*2"):
    case(f"the amount {_bad}", with_text("Amount", _bad), Held({"R_AMOUNT": 1}))
for _bad in ("-500", "(500.00)", "−500", "-0.01", "$-500", "USD -500", "500-"):
    case(f"the negative amount {_bad}", with_text("Amount", _bad), Held({"R_NEGATIVE" if _bad != "500-" else "R_AMOUNT": 1}))
xlsx("a negative amount in a workbook", lambda: workbook(put((7, "Amount", -500))), Held({"R_NEGATIVE": 1}))
case("an amount of zero", with_text("Amount", "0"), Same(), clean=lambda: [("deals.xlsx", workbook(put((7, "Amount", 0))))])
case("an amount larger than all money", with_text("Amount", "9" * 30), Held({"R_AMOUNT": 1}))
case("decimal commas and points of thousands", lambda: text(every("Amount", comma), delimiter=";"), Same())
case("decimal commas", lambda: text(every("Amount", lambda value: f"{value:.2f}".replace(".", ",")), delimiter=";"), Same())


def _lakh(value: float) -> str:
    """ "1,23,45,678.00". """
    whole, cents = f"{value:.2f}".split(".")
    head, tail = whole[:-3], whole[-3:]
    pairs = [head[max(0, at - 2):at] for at in range(len(head), 0, -2)][::-1]
    return ",".join([*pairs, tail]) + "." + cents


case("commas of thousands", lambda: text(every("Amount", lambda value: f"{value:,.2f}")), Same())
case("blanks of thousands", lambda: text(every("Amount", lambda value: f"{value:,.2f}".replace(",", "\u202f"))), Same())
case("apostrophes of thousands", lambda: text(every("Amount", lambda value: f"{value:,.2f}".replace(",", "'"))), Same())
case("amounts with their currency", lambda: text(every("Amount", lambda value: f"USD {value:,.2f}")), Same())
case("amounts with a sign", lambda: text(every("Amount", lambda value: f"${value:,.2f}")), Same())
case("1.234 for every amount: which mark is asked", lambda: text(every("Amount", lambda value: f"1.{int(value) % 1000:03}")), Asked("decimal_mark:"))
case("1,234 for every amount: which mark is asked", lambda: text(every("Amount", lambda value: f"1,{int(value) % 1000:03}")), Asked("decimal_mark:", waits=False))
case("decimal marks that contradict each other", lambda: text([[*row[:5], comma(row[5]) if n % 2 else f"{row[5]:,.2f}", *row[6:]] for n, row in enumerate(rows())]), Asked("decimal_mark:"))
case("dinars of three decimals", lambda: text(every("Amount", lambda value: f"KWD {value:.3f}", every("Currency", lambda _: "KWD", put((7, "Amount", 12.5))))), Same(),
     clean=lambda: [("deals.csv", text(every("Currency", lambda _: "KWD", put((7, "Amount", 12.5)))).encode())])
case("dinars that can be read both ways", lambda: text(every("Amount", lambda value: f"KWD {int(value) % 999 + 1}.500", every("Currency", lambda _: "KWD"))), Asked("decimal_mark:"))
case("a mark of thousands that is the decimal mark of the others", lambda: text(every("Amount", lambda value: f"USD {value:.2f}", put((7, "Amount", 12.5)))).replace("USD 12.50", "USD 12.500"),
     Held({"R_AMOUNT": 1}))
for _bad in ("1000\n2000", "1000 2000", "12 34", "1'00", "1 000 00", "12'34'567"):
    case(f"two amounts in a cell: {_bad!r}", with_text("Amount", _bad), Held({"R_AMOUNT": 1}))
case("rupees in lakh and crore", lambda: text(every("Amount", lambda value: f"₹{_lakh(value * 10_000)}", every("Currency", lambda _: "INR"))), Same(),
     clean=lambda: [("deals.csv", text(every("Amount", lambda value: value * 10_000, every("Currency", lambda _: "INR"))).encode())])
case("a column in lakh", lambda: text(every("Amount", lambda value: _lakh(value * 10_000))), Same(),
     clean=lambda: [("deals.csv", text(every("Amount", lambda value: value * 10_000)).encode())])
case("one amount in lakh among millions", lambda: text(every("Amount", lambda value: f"{value * 10_000:,.2f}")).replace('"10,005,000.00"', '"1,00,05,000.00"'), Held({"R_AMOUNT": 1}),
     clean=lambda: [("deals.csv", text(every("Amount", lambda value: value * 10_000)).encode())])
for _bad in ("ZZZ", "XXX", "Bitcoin", "U$D", "EURO$", "123"):
    case(f"the currency {_bad}", with_text("Currency", _bad), Held({"R_CURRENCY": 1}))
case("an amount in a currency of its own that nobody knows", with_text("Amount", "ZZZ 500"), Held({"R_AMOUNT": 1}))
for _amount in ("EUR 500", "€500.00"):
    case(f"the amount {_amount} in a row of USD", with_text("Amount", _amount), Held({"R_CURRENCY": 1}))
case("a currency in lower case", with_text("Currency", "usd"), Same())
case("no currency column", lambda: text([[*row[:6], *row[7:]] for row in rows()], headings=[*HEADINGS[:6], *HEADINGS[7:]]), Same())
case("a rarer currency", with_text("Currency", "BHD"), Same(), clean=lambda: [("deals.xlsx", workbook(put((7, "Currency", "BHD"))))])

# --- dates -------------------------------------------------------------------------------------------------------------------------------

for _bad in ("2026-02-30", "31/31/2026", "2026-13-01", "0000-00-00", "yesterday", "2608-01-01", "1899-12-31", "26-1", "Feb", "2026", "12:30", "1e5", "2026-01-05 25:00", "2026-01-05T10:61:00", "٢٠٢٦-٠١-٠٥", "3.5"):
    case(f"the creation date {_bad}", with_text("Created Date", _bad), Held({"R_DATE": 1}))
for _bad in ("2026-02-30", "2608-01-01", "soon"):
    case(f"the close date {_bad}", with_text("Close Date", _bad), Held({"R_DATE": 1}))
case("created a year after the extract", with_text("Created Date", "2027-06-30"), Held({"R_FUTURE": 1}))
case("created in 2099", with_text("Created Date", "2099-01-01"), Held({"R_FUTURE": 1}))
case("created in the zone ahead of the extract", with_text("Created Date", "2026-07-01"), Same(), clean=lambda: [("deals.xlsx", workbook(put((7, "Created Date", datetime(2026, 7, 1)))))])
case("closes in ten years", with_text("Close Date", "2036-01-01", row=1), Same(), clean=lambda: [("deals.xlsx", workbook(put((1, "Close Date", date(2036, 1, 1)))))])
case("closed before it was created is said", with_text("Close Date", "2025-12-01", row=3), Same("before the creation date"), clean=lambda: [("deals.xlsx", workbook(put((3, "Close Date", date(2025, 12, 1)))))])
_BOTH = ("Close Date", "Created Date")


def dated(form: Callable[[object], str], first: int = 1) -> making.Rows:
    """The records with both dates written in one form."""
    return every(_BOTH[0], form, every(_BOTH[1], form))


def early(form: Callable[[object], str]) -> making.Rows:
    """The same with days that are never above 12."""
    base = [[*row[:7], date(2026, 3 + n % 9, 1 + n % 12), date(2026, 1 + n % 2, 1 + n % 12), row[9]] for n, row in enumerate(rows())]
    return every(_BOTH[0], form, every(_BOTH[1], form, base))


case("dates month first", lambda: text(dated(us)), Same())
case("dates day first", lambda: text(dated(european)), Same())
case("dates with dots", lambda: text(dated(lambda day: f"{day:%d.%m.%Y}")), Same())
case("dates with the month's name", lambda: text(dated(lambda day: f"{day:%d-%b-%Y}")), Same())
case("dates with the year in two digits", lambda: text(dated(lambda day: f"{day:%m/%d/%y}")), Same())
case("dates without marks", lambda: text(dated(lambda day: f"{day:%Y%m%d}")), Same())
case("dates as epoch seconds", lambda: text(every("Created Date", lambda day: (day - date(1970, 1, 1)).days * 86400)), Same())
case("dates as epoch milliseconds", lambda: text(every("Created Date", lambda day: (day - date(1970, 1, 1)).days * 86400_000)), Same())
case("dates with a zone", lambda: text(every("Created Date", lambda day: f"{day}T02:00:00+02:00")), Same())
case("dates with mixed zones", lambda: text([[*row[:8], f"{row[8]}T02:00:00+0200" if n % 2 else f"{row[8]}T00:00:00Z", row[9]] for n, row in enumerate(rows())]), Same())
for _bad in ("202613051230", "2026-01-05T10:00:00+99:00", "2026-01-05 10:00:00+15:00", "2026-01-05 13:00 AM"):
    case(f"the creation time {_bad}", with_text("Created Date", _bad), Held({"R_DATE": 1}))
case("a time in a zone that there is not, among times without one", lambda: text(every("Created Date", lambda day: f"{day} 09:30", put((7, "Created Date", "2026-01-05")))).replace(
    "2026-01-05 09:30", "2026-01-05 09:30+99:00"), Held({"R_DATE": 1}), clean=lambda: [("deals.csv", text(every("Created Date", lambda day: f"{day} 09:30")).encode())])
case("times without marks", lambda: text(every("Created Date", lambda day: f"{day:%Y%m%d}0930")), Same(),
     clean=lambda: [("deals.csv", text(every("Created Date", lambda day: f"{day} 09:30")).encode())])
for _language, _names in (("Italian", "gen feb mar apr mag giu lug ago set ott nov dic"), ("Spanish", "ene feb mar abr may jun jul ago sept oct nov dic"), ("Dutch", "jan feb mrt apr mei juni juli aug sep okt nov dec"),
                          ("French", "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."), ("Portuguese", "jan fev março abr maio junho julho ago set out nov dez")):
    case(f"dates with the month's name in {_language}", lambda names=_names.split(): text(dated(lambda day: f"{day:%d} {names[day.month - 1]} {day:%Y}")), Same())
case("dates with the month's name between strokes", lambda: text(dated(lambda day: f"{day:%d/%b/%Y}")), Same())
case("a date in a form that is not read", with_text("Created Date", "the 5th day of May"), Held({"R_DATE": 1}))


def converted(written: str, read: str) -> making.Rows:
    """The records with creation dates that a spreadsheet has half converted: those that it could read in its own order are true dates now, the others still texts."""
    def cell(day: object) -> object:
        try:
            return datetime.strptime(f"{day:{written}}", read)
        except ValueError:
            return f"{day:{written}}"
    return every("Created Date", cell)


_TURNED = {"dates_converted:deals.xlsx:Created Date": "day and month have changed places"}
for _read, _written in (("%m/%d/%Y", "%d/%m/%Y"), ("%d/%m/%Y", "%m/%d/%Y")):
    xlsx(f"dates {_written} that Excel has half converted", lambda written=_written, read=_read: workbook(converted(written, read)), Asked("dates_converted:"))
    case(f"dates {_written} that Excel has half converted, answered", lambda written=_written, read=_read: workbook(converted(written, read)), Same(), "deals.xlsx", **_TURNED)
case("half converted dates of a csv", lambda: text(converted("%d/%m/%Y", "%m/%d/%Y")), Asked("dates_converted:"))
case("true dates beside texts", lambda: text([[*row[:8], row[8] if n % 2 else european(row[8]), row[9]] for n, row in enumerate(rows())]), Same())
case("dates that begin with two digits of the year", lambda: text(dated(lambda day: f"{day:%y-%m-%d}")), Asked("date_order:"))
case("dates that begin with two digits of the year, answered", lambda: text(dated(lambda day: f"{day:%y-%m-%d}")), Same(), **{"date_order:deals.csv:Close Date": "ymd"})
case("dates day first that end with two digits of the year", lambda: text(dated(lambda day: f"{day:%d-%m-%y}")), Same())
case("days and months that could change places", lambda: text(early(us)), Asked("date_order:"))
case("days and months that could change places, day first answered", lambda: text(early(european)), Same(), clean=lambda: [("deals.csv", text(early(str)).encode())],
     **{"date_order:deals.csv:Close Date": "dmy"})
case("days and months that could change places, month first answered", lambda: text(early(us)), Same(), clean=lambda: [("deals.csv", text(early(str)).encode())],
     **{"date_order:deals.csv:Close Date": "mdy"})
case("one column tells the order, the other leaves it open", lambda: text([[*row[:7], us(row[7]), us(date(2026, 1 + n % 2, 1 + n % 12)), row[9]] for n, row in enumerate(rows())]), Same(),
     clean=lambda: [("deals.csv", text([[*row[:8], date(2026, 1 + n % 2, 1 + n % 12), row[9]] for n, row in enumerate(rows())]).encode())])
case("day first and month first in one column", lambda: text([[*row[:8], (us if n % 2 else european)(row[8]), row[9]] for n, row in enumerate(rows())]), Asked("date_order:"))
case("one date the other way round", lambda: text([[*row[:8], us(row[8]) if n != 7 else "25/01/2026", row[9]] for n, row in enumerate(rows())]), Asked("date_order:"))
case("the hour that a clock change skips", with_text("Created Date", "2026-03-29 02:30"), Same(), clean=lambda: [("deals.xlsx", workbook(put((7, "Created Date", datetime(2026, 3, 29, 2, 30)))))])
case("a time to the second before midnight", with_text("Created Date", "2026-01-16T23:59:59.99996"), Same(),
     clean=lambda: [("deals.csv", text(put((7, "Created Date", "2026-01-16 23:59:59.999960"))).encode())])

# --- records among themselves ------------------------------------------------------------------------------------------------------------

case("a record twice", lambda: text([*rows(), rows()[4]]), Held({"R_DUPLICATE": 1}))
case("a record of the same id with another amount", lambda: text([*rows(), [*rows()[4][:5], 1, *rows()[4][6:]]]), Held({"R_CONFLICT": 1}))
case("a record three times", lambda: text([*rows(), rows()[4], rows()[4]]), Held({"R_DUPLICATE": 2}))
case("three faults in one row count once, the first is kept", lambda: text(put((7, "Opportunity ID", ""), (7, "Amount", "abc"), (7, "Created Date", "never ever"))), Held({"R_AMOUNT": 1}))
case("five rows with five faults", lambda: text(put((1, "Amount", "abc"), (2, "Created Date", "2026-02-30"), (3, "Opportunity ID", ""), (4, "Currency", "ZZZ"), (5, "Amount", "-1"))),
     Held({"R_AMOUNT": 1, "R_DATE": 1, "R_NO_ID": 1, "R_CURRENCY": 1, "R_NEGATIVE": 1}))

# --- histories ---------------------------------------------------------------------------------------------------------------------------

_MOVES = ["Opportunity ID", "Opportunity Name", "From Stage", "To Stage", "Last Modified"]


def moves(count: int = 24) -> making.Rows:
    """Three moves of every deal, the last into the stage in which it stands."""
    out = []
    for row in rows(count):
        way = ["Prospecting", "Discovery", "Proposal/Price Quote", row[4]] if row[4] not in ("Prospecting", "Discovery", "Proposal/Price Quote") else ["Negotiation/Review", "Prospecting", "Discovery", row[4]]
        for step in range(3):
            if way[step] != way[step + 1]:
                out.append([row[0], row[1], way[step], way[step + 1], datetime.combine(row[8], datetime.min.time()) + timedelta(days=5 * (step + 1), hours=9)])
    return out


def history(change: Callable[[making.Rows], making.Rows] = lambda given: given, records: making.Rows | None = None) -> Files:
    return [("deals.csv", text(records).encode()), ("opportunity_history.csv", text(change(moves()), headings=_MOVES).encode())]


def clean_history() -> Files:
    return history()


def _of(deal: int) -> list[int]:
    return [at for at, move in enumerate(moves()) if move[0] == deal_id(deal)]


def dropping(deal: int, step: int) -> Callable[[making.Rows], making.Rows]:
    return lambda given: [move for at, move in enumerate(given) if at != _of(deal)[step]]


def altered(deal: int, step: int, place: int, value: object) -> Callable[[making.Rows], making.Rows]:
    def change(given: making.Rows) -> making.Rows:
        given[_of(deal)[step]][place] = value
        return given
    return change


def chain(name: str, change: Callable[[making.Rows], making.Rows], held: dict[str, int], records: making.Rows | None = None) -> None:
    case(name, lambda: history(change, records), Held(held) if held else Same(), clean=clean_history)


chain("a history as it should be", lambda given: given, {})
chain("moves in another order", lambda given: given[::-1], {})
chain("a move missing in the middle holds the whole deal", dropping(3, 1), {"R_CHAIN": 3})
chain("a move without a readable date holds the whole deal", altered(3, 1, 4, "2026-02-31 10:00"), {"R_DATE": 1, "R_CHAIN": 3})
chain("a move without a time holds the whole deal", altered(3, 2, 4, ""), {"R_NO_DATE": 1, "R_CHAIN": 3})
chain("a move from another stage holds the whole deal", altered(3, 1, 2, "Negotiation/Review"), {"R_CHAIN": 4})
chain("a move of a deal that is not there", lambda given: [*given, ["0061x00000ZZZzZ9", "Ghost", "Prospecting", "Discovery", datetime(2026, 2, 2)]], {"R_ORPHAN": 1})
chain("a move twice counts once", lambda given: [*given, given[_of(3)[1]]], {"R_DUPLICATE": 1})
case("a deal that is held back takes its moves with it", lambda: history(records=put((3, "Amount", "abc"))), Held({"R_AMOUNT": 1, "R_CHAIN": 3}), clean=clean_history)

# --- leads -------------------------------------------------------------------------------------------------------------------------------

_LEAD = ["Lead ID", "Email", "Company", "Lead Status", "Lead Owner", "Created Date", "MQL Date"]


def leads(**changes: object) -> str:
    records = [[f"L{n:03}", f"p{n}@x.example", f"Company {n}", "New", "Ada", date(2026, 1, 2) + timedelta(days=n), date(2026, 1, 20) + timedelta(days=n)] for n in range(20)]
    for name, value in changes.items():
        records[4][_LEAD.index(name.replace("_", " "))] = value
    return text(records, headings=_LEAD)


def clean_leads() -> Files:
    return [("leads.csv", leads().encode())]


for _name, _changes, _held in (("a lead without an id", {"Lead_ID": ""}, {"R_NO_ID": 1}), ("a lead created on no day", {"Created_Date": "2026-02-31"}, {"R_DATE": 1}),
                               ("a lead created in the future", {"Created_Date": "2099-01-01"}, {"R_FUTURE": 1}), ("a lead with a bell in its company", {"Company": "A\x07"}, {"R_TEXT": 1}),
                               ("a lead twice with other values", {"Lead_ID": "L003"}, {"R_CONFLICT": 1})):
    case(_name, lambda changes=_changes: leads(**changes), Held(_held), "leads.csv", clean=clean_leads)
