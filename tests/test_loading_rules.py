"""Nothing is loaded quietly that would change what is shown; rows held back come back mended, accepted rows come back the same."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from openpyxl import Workbook, load_workbook

from revscore import cli, company
from revscore.core.neutral import neutral, restored
from revscore.export.returns import fits_workbook, workbook_of_text, written
from revscore.intake import Source
from revscore.people import LOCAL
from revscore.store import frames
from tests.extracts import DEALS, HISTORY, LEADS, leads, source
from tests.people import ANN, BOB

AS_OF = pd.Timestamp("2026-03-31T12:00:00Z")
WEEK = pd.Timedelta(days=7)
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def store(tmp_path):
    store = company.open_store(tmp_path / "store.sqlite")
    yield store
    store.close()


def deals(text: str = DEALS, name: str = "deals.csv") -> list[Source]:
    return [source(name, text)]


def rows(text: str, *order: int) -> str:
    lines = text.splitlines()
    return "\n".join([lines[0], *(lines[n] for n in order)]) + "\n"


def workbook(*sheets: tuple[str, str], typed: bool = False) -> bytes:
    """A workbook of CSV texts; `typed`: numbers and dates as a spreadsheet has them, amounts with another format."""
    book = Workbook()
    book.remove(book.active)
    for name, text in sheets:
        sheet = book.create_sheet(name)
        for row in pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False, header=None).itertuples(index=False):
            sheet.append([float(cell) if typed and cell.isdigit() else pd.Timestamp(cell).to_pydatetime() if typed and cell[:2] == "20" and len(cell) == 10 else cell
                          for cell in row])
        for row in sheet.iter_rows(min_row=2):
            for cell in row:
                cell.number_format = "#,##0.00" if isinstance(cell.value, float) else cell.number_format
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# -- the same, older, other, smaller -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("again", [
    rows(DEALS, 5, 2, 4, 1, 3), workbook(("Deals", DEALS)), workbook(("Deals", rows(DEALS, 3, 1, 2, 5, 4)), typed=True), DEALS.replace("\n", "\r\n").encode("utf-16"),
], ids=["row order", "xlsx", "typed xlsx", "utf-16"])
@pytest.mark.parametrize("dated", [True, False])
def test_the_same_rows_in_another_file_are_the_same_load(store, again, dated):
    as_of = AS_OF if dated else None
    company.load(store, "company", deals(), as_of=as_of, by=LOCAL)
    name = "again.xlsx" if isinstance(again, bytes) and again[:2] == b"PK" else "again.csv"
    found = company.load(store, "company", [source(name, again)], as_of=as_of, by=LOCAL)
    assert found.status == "already_loaded" and len(store.loads("company")) == 1


def test_rows_that_only_a_repeated_extract_holds_back_are_said_to_be_kept_nowhere(store):
    company.load(store, "company", deals(BAD), as_of=AS_OF, by=LOCAL)
    assert "not kept" not in company.load(store, "company", deals(BAD), as_of=AS_OF, by=LOCAL).text
    found = company.load(store, "company", deals(BAD + "006Z,Zoo,Zoo,Discovery,lots,2026-06-30,2026-03-05,Ben Orrin,New Business\n"), as_of=AS_OF, by=LOCAL)
    assert found.status == "already_loaded" and "1 of the rows that this extract holds back are not kept" in found.text


def test_sheets_in_another_order_are_the_same_load(store):
    one, two = ("Leads", LEADS), ("Lead history", HISTORY)
    company.load(store, "company", [source("a.xlsx", workbook(one, two))], as_of=AS_OF, by=LOCAL)
    assert company.load(store, "company", [source("b.xlsx", workbook(two, one))], as_of=AS_OF, by=LOCAL).status == "already_loaded"


def test_an_older_extract_is_asked_about_with_what_would_change(store):
    company.load(store, "company", deals(), as_of=AS_OF, by=LOCAL)
    found = company.load(store, "company", deals(rows(DEALS, 1, 2, 3, 4).replace("800", "900")), as_of=AS_OF - WEEK, by=LOCAL)
    assert found.status == "needs_answer" and len(store.loads("company")) == 1
    [asked] = found.asked
    assert asked.doubt.kind == "older" and [q.key for q in found.questions if q.default is None] == ["confirm:older"]
    assert asked.rows.set_index("table").loc["Opportunities", ["before", "now", "new", "vanished", "changed"]].tolist() == [5, 4, 0, 1, 0]
    assert asked.rows.set_index("table").loc["Opportunity history", "changed"] == 1
    figures = asked.figures.set_index("label")
    assert figures.loc["Open pipeline", ["before", "now"]].tolist() == ["$3.30k", "$3.40k"] and figures.loc["Deals", "now"] == "4"
    assert company.load(store, "company", deals(rows(DEALS, 1, 2, 3, 4)), as_of=AS_OF - WEEK, confirmed={"older"}, by=LOCAL).status == "loaded"


def test_another_extract_for_the_day_is_a_correction_that_keeps_its_reason(store):
    company.load(store, "company", deals(), as_of=AS_OF, by=LOCAL)
    other = deals(DEALS.replace("2500", "2600"))
    earlier = AS_OF - pd.Timedelta(hours=3)
    assert company.load(store, "company", other, as_of=earlier, by=LOCAL).asked[0].doubt.kind == "other"
    assert company.load(store, "company", other, as_of=earlier, confirmed={"smaller", "older"}, by=LOCAL).status == "needs_answer"
    found = company.load(store, "company", other, as_of=earlier, confirmed={"other"}, why="one amount was wrong", by=ANN)
    newest = store.loads("company")[0]
    assert found.status == "loaded" and (newest.corrects, newest.why, newest.loaded_by, newest.as_of) == (1, "one amount was wrong", "ann", AS_OF)
    assert 2600 in store.data("company").tables["opp_history"]["amount"].tolist()     # it counts although it was made earlier that day


def test_a_much_smaller_extract_is_asked_about(store):
    company.load(store, "company", deals(), as_of=AS_OF, by=LOCAL)
    few = deals(rows(DEALS, 1, 2))
    found = company.load(store, "company", few, as_of=AS_OF + WEEK, by=LOCAL)
    assert [one.doubt.kind for one in found.asked] == ["smaller"] and "2 rows, before 5" in found.asked[0].doubt.text
    assert company.load(store, "company", few, as_of=AS_OF + WEEK, dry_run=True, by=LOCAL).status == "needs_answer"
    assert company.load(store, "company", few, as_of=AS_OF + WEEK, confirmed={"smaller"}, by=LOCAL).status == "loaded"


def test_tables_that_are_missing_and_sheets_without_rows_are_said(store):
    company.load(store, "company", [*leads(), *deals()], as_of=AS_OF, by=LOCAL)
    empty = source("leads.csv", LEADS.splitlines()[0] + "\n")
    found = company.load(store, "company", [*deals(), empty], as_of=AS_OF + WEEK, dry_run=True, by=LOCAL)
    assert [one.doubt.kind for one in found.asked] == ["smaller"] and "Leads: 0 rows, before 3" in found.asked[0].doubt.text
    assert any("leads.csv has headings but no row" in m for m in found.missing)
    found = company.load(store, "company", deals(), as_of=AS_OF + WEEK, by=LOCAL)
    assert found.status == "loaded" and any(m.startswith("Leads: this extract brings none; those of load 1") for m in found.missing)
    assert store.data("company").has("leads")


def test_a_preview_says_totals_and_columns_that_are_left_out(store):
    text = DEALS.replace("Type\n", "Type,Mood\n").replace("New Business\n", "New Business,fine\n") + "Grand Totals (5 records),,,,5000,,,,,\n"
    [file] = company.load(store, "company", deals(text), as_of=AS_OF, dry_run=True, by=LOCAL).files
    assert (file.rows_read, file.rows_loaded, file.unused) == (5, 5, ("Mood",)) and file.footers == ("Grand Totals (5 records) | 5000",)
    assert company.load(store, "company", deals(text.replace("(5 records)", "(6 records)")), as_of=AS_OF, by=LOCAL).status == "refused"


def test_of_two_who_load_for_one_day_the_second_is_asked(store):
    drafts = [company.draft_files(store, "company", deals(DEALS.replace("2500", amount)), as_of=AS_OF) for amount in ("2501", "2502")]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda one: company.save(store, one[0], by=one[1]), zip(drafts, (ANN, BOB), strict=True)))
    assert sorted(one.status for one in found) == ["loaded", "needs_answer"] and len(store.loads("company")) == 1
    asked = next(one for one in found if one.asked)
    assert store.loads("company")[0].loaded_by in asked.asked[0].doubt.text


def test_of_two_who_load_the_same_one_is_told_by_whom(store):
    draft = company.draft_files(store, "company", deals(), as_of=AS_OF)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda by: company.save(store, draft, by=by), (ANN, BOB)))
    assert sorted(one.status for one in found) == ["already_loaded", "loaded"] and len(store.loads("company")) == 1
    assert f"by {store.loads('company')[0].loaded_by}); nothing was added" in next(one.text for one in found if one.status == "already_loaded")


def test_a_confirmation_is_about_the_load_that_was_seen(store):
    company.load(store, "company", deals(), as_of=AS_OF, by=LOCAL)
    company.load(store, "company", deals(DEALS.replace("2500", "2600")), as_of=AS_OF, confirmed={"other"}, why="a", by=BOB)
    mine = deals(DEALS.replace("2500", "2700"))
    assert company.load(store, "company", mine, as_of=AS_OF, confirmed={"other:1"}, by=LOCAL).status == "needs_answer"
    assert company.load(store, "company", mine, as_of=AS_OF, confirmed={"other:2"}, by=LOCAL).status == "loaded"


def test_definitions_and_mappings_come_with_the_load_or_not_at_all(store, monkeypatch):
    monkeypatch.setattr("revscore.company.learning.to_keep", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        company.load(store, "company", deals(), as_of=AS_OF, by=LOCAL)
    assert store.loads("company") == () and store.terms("company") == ({}, 0)


# -- rows to mend --------------------------------------------------------------------------------------------------------------------------

BAD = DEALS.replace("006B,Bolt seats", "006B,=HYPERLINK(1)").replace("2026-05-29", "soon").replace("2500", "about 2500")


def to_mend(store, load_id: int = 1) -> dict[str, pd.DataFrame]:
    return company.to_mend(store.ledger(load_id)[1], store.load(load_id))


@pytest.mark.parametrize("suffix", [".xlsx", ".csv", ".zip"])
def test_mended_rows_complete_their_load(store, tmp_path, suffix):
    first = company.load(store, "company", deals(BAD), as_of=AS_OF, by=LOCAL)
    assert (first.rows_read, first.rows_loaded, first.rows_quarantined) == (5, 3, 2)
    company.load(store, "company", deals(DEALS.replace("1200", "1300")), as_of=AS_OF + WEEK, by=LOCAL)
    [(place, frame)] = to_mend(store).items()
    frame["Close Date"] = frame["Close Date"].replace("soon", "2026-05-29")
    mended = [Source(f"back{suffix}", written({place: frame}, suffix))]

    half = company.load(store, "company", mended, by=BOB)
    assert (half.status, half.rows_read, half.rows_loaded, half.rows_quarantined) == ("loaded", 5, 4, 1)
    assert half.text.startswith("Loaded as load 3") and (store.load(3).corrects, store.load(3).as_of) == (1, AS_OF)
    [(_, rest)] = to_mend(store, 3).items()
    assert rest["Amount"].tolist() == ["about 2500"] and rest["Opportunity ID"].tolist() == ["006D"]
    whole = company.load(store, "company", [Source("rest.csv", written({place: rest.assign(Amount="2500")}, ".csv"))], by=LOCAL)
    assert (whole.rows_read, whole.rows_loaded, whole.rows_quarantined) == (5, 5, 0) and store.load(4).corrects == 3

    fresh = company.open_store(tmp_path / "fresh.sqlite")
    company.load(fresh, "company", deals(DEALS.replace("006B,Bolt seats", "006B,=HYPERLINK(1)")), as_of=AS_OF, by=LOCAL)
    assert store.load(4).content_sha256 == fresh.load(1).content_sha256            # as if the file had come right at once
    fresh.close()
    assert "=HYPERLINK(1)" in store.data_of("company", [4]).tables["opportunities"]["name"].tolist()
    assert company.load(store, "company", mended, by=LOCAL).status == "already_loaded" or len(store.loads("company")) == 4


def test_rows_to_mend_keep_every_letter_and_run_nowhere(store):
    text = LEADS.replace("L4,d@dune.example", "'=L4,=1+1").replace("L1,", "007,").replace("not a date", "007")
    company.load(store, "company", leads(text), as_of=AS_OF, by=LOCAL)
    [(place, frame)] = to_mend(store).items()
    book = load_workbook(io.BytesIO(written({place: frame}, ".xlsx")))
    cells = {cell.value: cell for row in book.worksheets[0].iter_rows() for cell in row}
    assert {"''=L4", "'=1+1", "007"} <= set(cells) and all(cell.data_type in "sn" and cell.number_format == "@" for cell in cells.values() if cell.value)
    assert b"'=1+1" in written({place: frame}, ".csv")
    back = company.draft_files(store, "company", [Source("back.xlsx", written({place: frame}, ".xlsx"))])
    assert back.intake.recognition.matches[0].sheet.frame.loc[0, ["lead_id", "email", "created_at"]].tolist() == ["'=L4", "=1+1", "007"]


def test_accounts_that_mended_rows_only_name_are_those_of_the_load(store):
    accounts = "Account ID,Account Name,Industry\n001A,Acme,Energy\n001B,Bolt,Trade\n"
    company.load(store, "company", [source("accounts.csv", accounts), *deals(rows(BAD, 1, 2))], as_of=AS_OF, by=LOCAL)
    [(place, frame)] = to_mend(store).items()
    company.load(store, "company", [Source("back.csv", written({place: frame.assign(**{"Close Date": "2026-05-29"})}, ".csv"))], by=LOCAL)
    data = store.data_of("company", [2])
    assert data.tables["opportunities"].set_index("opp_id").loc["006B", "account_id"] == "001B" and len(data.tables["accounts"]) == 2


@pytest.mark.parametrize(("more", "said"), [
    (deals(), "load the mended rows by themselves"), ([source("x.csv", "__reason__,lead_id,created_at,__file__,__sheet__,__row__,__load__\nx,L1,2026-03-01,leads.csv,,5,9-abc\n")], "of several loads")])
def test_what_cannot_complete_a_load_is_refused(store, more, said):
    company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)
    [(place, frame)] = to_mend(store).items()
    found = company.load(store, "company", [Source("back.csv", written({place: frame}, ".csv")), *more], by=LOCAL)
    assert found.status == "refused" and said in found.text


def test_rows_of_a_load_that_was_replaced_or_is_unknown_are_refused(store, tmp_path):
    company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)
    [(place, frame)] = to_mend(store).items()
    back = [Source("back.csv", written({place: frame}, ".csv"))]
    company.load(store, "company", leads(LEADS.replace("SMB", "Mid")), as_of=AS_OF, confirmed={"other"}, why="segments were wrong", by=LOCAL)
    assert "load 1 was replaced by load 2 since" in company.load(store, "company", back, by=LOCAL).text
    fresh = company.open_store(tmp_path / "fresh.sqlite")
    assert "is not in this store" in company.load(fresh, "company", back, by=LOCAL).text
    fresh.close()


def test_a_row_that_somebody_added_is_a_row_of_the_mended_file(store):
    company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)
    [(place, frame)] = to_mend(store).items()
    added = frame.assign(lead_id="L9", created_at="2026-03-07", __row__="", __file__="", __load__="")
    both = pd.concat([frame.assign(created_at="2026-03-06"), added], ignore_index=True)
    found = company.load(store, "company", [Source("back.csv", written({place: both}, ".csv"))], by=LOCAL)
    assert (found.rows_read, found.rows_loaded, found.rows_quarantined) == (10, 10, 0)
    assert set(store.data_of("company", [2]).tables["leads"]["lead_id"]) == {"L1", "L2", "L3", "L4", "L9"}


MOVES = """\
Opportunity ID,Opportunity Name,From Stage,To Stage,Last Modified
006A,Acme renewal,Discovery,Negotiation,2026-01-20 09:00
006A,Acme renewal,Negotiation,Payment Done,2026-03-20 09:00
006B,Bolt seats,Discovery,Legal,2026-02-20 09:00
006B,Bolt seats,Legal,Negotiation,2026-03-02 09:00
006C,Crux pilot,Discovery,Closed Lost,2026-03-11 09:00
"""


def with_moves(text: str, records: str = DEALS) -> list[Source]:
    return [source("deals.csv", records), source("opportunity_history.csv", text)]


def states(store, load_id: int) -> list[list[str]]:
    found = store.data_of("company", [load_id]).tables["opp_history"][["opp_id", "changed_at", "stage", "amount"]]
    return found.astype("str").sort_values(["opp_id", "changed_at", "stage"]).to_numpy().tolist()


@pytest.mark.parametrize(("wrong", "held", "mends"), [
    (("2026-01-20", "2026-02-31"), 3, {"Last Modified": ("2026-02-31 09:00", "2026-01-20 09:00")}),
    (("006A,Acme renewal,Negotiation", "006A,Acme renewal,Legal"), 3, {"From Stage": ("Legal", "Negotiation")}),
    (("006B,Bolt seats,Legal", ",,Legal"), 1, {"Opportunity ID": ("", "006B")}),
    (("006B,Bolt seats,Legal", "006X,Nobody,Legal"), 1, {"Opportunity ID": ("006X", "006B"), "Opportunity Name": ("Nobody", "Bolt seats")}),
    (("006B,Bolt seats,Legal", ",,Legal"), 1, {"Opportunity Name": ("", "Bolt seats")}),
], ids=["a date", "a stage", "no opportunity", "another opportunity", "no opportunity, mended by its name"])
@pytest.mark.parametrize("more", [0, 1], ids=["alone", "with another deal"])
def test_a_mended_row_lets_its_whole_deal_back(store, tmp_path, wrong, held, mends, more):
    """Not: a deal without its moves, moves without their deal, or a history that lost a move that was there."""
    records = DEALS.replace("Dune,Discovery,2500", "Dune,Discovery,many") if more else DEALS
    first = company.load(store, "company", with_moves(MOVES.replace(*wrong), records), as_of=AS_OF, by=LOCAL)
    assert first.rows_quarantined == held + more
    back = {place: frame.replace({"Amount": {"many": "2500"}, **{name: {old: new} for name, (old, new) in mends.items()}}) for place, frame in to_mend(store).items()}
    found = company.load(store, "company", [Source("back.xlsx", written(back, ".xlsx"))], by=LOCAL)
    assert (found.status, found.rows_read, found.rows_quarantined) == ("loaded", 10, 0)
    fresh = company.open_store(tmp_path / "fresh.sqlite")
    company.load(fresh, "company", with_moves(MOVES), as_of=AS_OF, by=LOCAL)
    assert states(store, 2) == states(fresh, 1)
    assert company.load(store, "company", [Source("again.xlsx", written(back, ".xlsx"))], by=LOCAL).status == "already_loaded"
    assert set(store.data_of("company", [2]).tables["opportunities"]["opp_id"]) == {"006A", "006B", "006C", "006D", "006E"}
    fresh.close()


def test_a_move_that_was_missing_can_be_added_to_the_rows_to_mend(store):
    torn = MOVES + "006B,Bolt seats,Discovery,Negotiation,2026-03-10 09:00\n"
    assert company.load(store, "company", with_moves(torn), as_of=AS_OF, by=LOCAL).rows_quarantined == 4
    back = to_mend(store)
    place = next(place for place in back if "history" in place)
    added = back[place].iloc[[0]].assign(**{"From Stage": "Negotiation", "To Stage": "Discovery", "Last Modified": "2026-03-09 09:00", "__row__": ""})
    found = company.load(store, "company", [Source("back.xlsx", written({**back, place: pd.concat([back[place], added], ignore_index=True)}, ".xlsx"))], by=LOCAL)
    assert (found.status, found.rows_quarantined) == ("loaded", 0) and "006B" in set(store.data_of("company", [2]).tables["opportunities"]["opp_id"])


# -- accepted rows -------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("suffix", [".xlsx", ".zip"])
@pytest.mark.parametrize("sources", [[Source("golden.xlsx", GOLDEN / "golden_workbook.xlsx")], deals(BAD.replace("Acme,", "NA,").replace("1200", "0.1"))], ids=["golden", "deals"])
def test_accepted_rows_come_back_the_same(store, tmp_path, sources, suffix):
    company.load(store, "company", sources, by=LOCAL)
    data = store.data_of("company", [1])
    taken = company.accepted(data, store.load(1).terms_hints)
    assert fits_workbook(taken)
    back = [Source(f"accepted{suffix}", written(taken, suffix))]
    assert company.load(store, "company", back, by=LOCAL).status == "already_loaded"
    fresh = company.open_store(tmp_path / "fresh.sqlite")
    company.load(fresh, "company", back, by=LOCAL)
    assert fresh.load(1).content_sha256 == store.load(1).content_sha256 and fresh.load(1).derived == store.load(1).derived
    fresh.close()


@settings(deadline=None, max_examples=60)
@given(some.lists(some.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_come_back_bit_by_bit(values):
    from revscore.company.accepted import _text
    from revscore.intake.plain import typed

    numbers = pd.Series(values, dtype="float64")
    back, bad = typed("num", _text(numbers, "num"), "UTC")
    assert not bad.any() and back.tolist() == [value + 0.0 for value in values]


@settings(deadline=None, max_examples=60)
@given(some.lists(some.text(alphabet="'=+-@1.5 %e\tü＝", max_size=6), min_size=1, max_size=20))
def test_harmless_text_is_restored_letter_for_letter(words):
    text = pd.Series(words, dtype="str")
    safe = neutral(text)
    assert restored(safe).tolist() == words
    again = neutral(safe[safe != text])
    assert (again != safe[safe != text]).all()                                       # a text that looks as if we had written it gets its own apostrophe


def test_text_that_a_workbook_cannot_hold_goes_into_a_zip():
    for cell in ("x" * 40_000, "a\x0bb", "a\rb"):
        one = {"t": pd.DataFrame({"a": [cell]}, dtype="str")}
        assert not fits_workbook(one)
        with pytest.raises(ValueError, match=r"\.zip"):
            written(one, ".xlsx")
    assert workbook_of_text({"Leads": pd.DataFrame({"a": ["1"]}, dtype="str"), "leads": pd.DataFrame({"a": ["2"]}, dtype="str")})


# -- the command line ----------------------------------------------------------------------------------------------------------------------

def test_on_the_command_line_a_flag_confirms_and_files_are_written(tmp_path, capsys):
    (tmp_path / "deals.csv").write_text(BAD, encoding="utf-8")
    (tmp_path / "few.csv").write_text(rows(BAD, 1), encoding="utf-8")

    def run(*words: str) -> tuple[int, str]:
        status = cli.main([*words, "--store", str(tmp_path / "store.sqlite")])
        out = capsys.readouterr()
        return status, out.out + out.err

    day = ("--as-of", "2026-03-31")
    assert run("load", str(tmp_path / "deals.csv"), *day, "--to-mend", str(tmp_path / "mend.xlsx"))[0] == 0
    status, said = run("load", str(tmp_path / "few.csv"), *day)
    assert status == 3 and "--confirm other --why" in said and "--confirm smaller" in said and "vanished" in said
    status, said = run("load", str(tmp_path / "few.csv"), *day, "--format", "json")
    line = json.loads(said)
    assert status == 3 and [one["kind"] for one in line["asked"]] == ["other", "smaller"] and line["asked"][0]["tables"] and line["status"] == "needs_answer"
    assert run("load", str(tmp_path / "mend.xlsx"))[0] == 0                           # nothing mended in it: it says so, and adds nothing
    assert len(run("loads", "--format", "csv")[1].splitlines()) == 2
    assert run("load", str(tmp_path / "few.csv"), *day, "--confirm", "other", "--answer", "confirm:smaller=yes", "--why", "a test")[0] == 0
    assert "a test" in run("loads")[1]
    status, said = run("loads", "2", "--accepted", str(tmp_path / "a.zip"), "--to-mend", str(tmp_path / "m.csv"))
    assert status == 0 and (tmp_path / "a.zip").exists() and "no row is held back" in said
    assert run("loads", "7")[0] == 2 and run("loads", "1", "--to-mend", str(tmp_path / "m.pdf"))[0] == 2


def test_the_address_of_a_table_is_not_of_its_order():
    frame = pd.DataFrame({"campaign_id": ["b", "a"], "name": ["x", "y"]}, dtype="str")
    assert frames.pack_table("campaigns", frame).sha256 == frames.pack_table("campaigns", frame.iloc[::-1]).sha256
