"""From files to the coded extract: what a load reports, what it keeps, what is learnt from it."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from openpyxl import Workbook

from revscore import company
from revscore.company import learning, shown
from revscore.core.ask import AskError
from revscore.core.compute import compute
from revscore.core.metrics import CARDS
from revscore.intake import Source
from revscore.people import LOCAL
from revscore.store import NothingLoaded
from tests.extracts import DEALS, LEADS, leads, packed, source

AS_OF = pd.Timestamp("2026-03-31T12:00:00Z")


@pytest.fixture
def store(tmp_path):
    store = company.open_store(tmp_path / "store.sqlite")
    yield store
    store.close()


def test_a_load_accounts_for_every_row(store):
    found = company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)
    assert (found.status, found.load_id, found.as_of) == ("loaded", 1, AS_OF)
    by_file = {file.file: file for file in found.files}
    one = by_file["leads.csv"]
    assert (one.rows_read, one.rows_loaded, one.rows_quarantined) == (4, 3, 1)
    assert sum(one.reasons.values()) == 1
    [held] = [m for m in one.messages if m.row == 5]
    assert (held.column, held.cell) == ("created_at", "not a date")
    assert by_file["lead_stage_history.csv"].rows_loaded == 5


def test_the_same_files_again_add_nothing(store):
    first = company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)
    again = company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)
    assert (again.status, again.load_id) == ("already_loaded", first.load_id)
    assert len(store.loads("company")) == 1


def test_a_dry_run_stores_nothing(store):
    found = company.load(store, "company", leads(), as_of=AS_OF, dry_run=True, by=LOCAL)
    assert found.status == "loaded" and found.load_id is None
    assert not store.loads("company")


def test_one_refused_file_refuses_the_load_and_says_so_of_the_others(store):
    found = company.load(store, "company", [*leads(), source("notes.pdf", b"%PDF-1.4 notes")], as_of=AS_OF, by=LOCAL)
    assert found.status == "refused" and not store.loads("company")
    assert {file.status for file in found.files} == {"refused"}
    assert any("another file" in m.text for file in found.files if file.file == "leads.csv" for m in file.messages)


def test_files_without_any_table_of_a_crm_are_refused(store):
    found = company.load(store, "company", [source("menu.csv", "dish,price\nsoup,4\npie,7\n")], by=LOCAL)
    assert found.status == "refused" and "recognised" in found.text


@pytest.mark.parametrize("front", [["dish", "price"], []])
def test_a_hidden_sheet_is_named_where_nothing_else_can_be_read(store, front):
    book = Workbook()
    for row in (front, ["soup", 4] if front else []):
        book.active.append(row)
    deals = book.create_sheet("Deals")
    for line in DEALS.splitlines():
        deals.append(line.split(","))
    deals.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    found = company.load(store, "company", [source("deals.xlsx", out.getvalue())], as_of=AS_OF, by=LOCAL)
    assert found.status == "refused" and "hidden" in found.text and "Deals" in found.text


def test_what_was_decided_while_reading_is_said(store):
    found = company.load(store, "company", leads(LEADS.replace(",", ";")), as_of=AS_OF, dry_run=True, by=LOCAL)
    assert any("columns divided by semicolon" in message.text for file in found.files for message in file.messages)


def test_a_bad_date_of_the_extract_is_a_refusal(store):
    found = company.load(store, "company", leads(), answers={"as_of": "yesterday-ish"}, by=LOCAL)
    assert found.status == "refused" and "as_of" in found.files[0].messages[0].text


@pytest.mark.parametrize("config", ['{"reporting_tz": "Mars/Phobos"}', '{"opp_win_rate": NaN}', "[1]", "[" * 100_000])
def test_definitions_that_cannot_be_used_are_a_refusal(store, config):
    found = company.load(store, "company", [*leads(), source("config.json", config)], as_of=AS_OF, by=LOCAL)
    assert found.status == "refused" and ("config.json" in found.text or "no time zone" in found.text)


@pytest.mark.parametrize("year", [2099, 9999])
def test_an_extract_of_a_far_future_is_a_refusal(store, year):
    """Not: a load from which on every other one is older. An extract whose own dates are as late is taken at its word."""
    late = pd.Timestamp(f"{year}-12-31T23:59:59Z")
    found = company.load(store, "company", leads(), as_of=late, by=LOCAL)
    assert found.status == "refused" and f"{year}-12-31 is more than a year after today" in found.text
    far = LEADS.replace("2026-", "2098-")
    assert company.load(store, "company", leads(far), as_of=pd.Timestamp("2099-01-31T12:00Z"), by=LOCAL).status == "loaded"


def test_a_fault_of_ours_is_no_fault_of_the_files(store, monkeypatch):
    def fault(*_args, **_more):
        raise ValueError("operands could not be broadcast together")

    monkeypatch.setattr("revscore.company.loading.prepare", fault)
    with pytest.raises(ValueError, match="broadcast"):
        company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)


def test_an_archive_is_one_file(store):
    found = company.load(store, "company", [source("export.zip", packed(leads_csv=LEADS))], as_of=AS_OF, by=LOCAL)
    assert [(file.file, file.rows_read) for file in found.files] == [("export.zip", 4)]


def test_a_folder_is_its_extracts(store, tmp_path):
    folder = tmp_path / "monday"
    folder.mkdir()
    (folder / "leads.csv").write_text(LEADS, encoding="utf-8")
    (folder / "notes.txt").write_text("exported on Monday", encoding="utf-8")
    (folder / "config.json").write_text('{"as_of": "2026-03-31T12:00:00Z", "fiscal_start_month": 4}', encoding="utf-8")
    found = company.load(store, "company", [Source("monday", folder)], by=LOCAL)
    assert {file.file: file.status for file in found.files} == {"config.json": "loaded", "leads.csv": "loaded"}
    assert found.as_of == AS_OF and company.terms_of(store, "company").fiscal_start_month == 4


def test_most_rows_held_back_is_asked_about(store):
    rows = "".join(f"L{n},x{n}@x.example,SMB,EMEA,U1,{'soon' if n % 3 else '2026-03-02T09:00:00Z'}\n" for n in range(12))
    text = LEADS.splitlines()[0] + "\n" + rows
    asked = company.load(store, "company", [source("leads.csv", text)], as_of=AS_OF, by=LOCAL)
    assert asked.status == "needs_answer" and [q.key for q in asked.questions if q.default is None] == ["quarantined:leads.csv:"]
    assert company.load(store, "company", [source("leads.csv", text)], as_of=AS_OF, answers={"quarantined:leads.csv:": "no"}, by=LOCAL).status == "refused"
    assert company.load(store, "company", [source("leads.csv", text)], as_of=AS_OF, answers={"quarantined:leads.csv:": "yes"}, by=LOCAL).rows_loaded == 4


def test_the_first_load_gives_the_team_its_own_stages(store):
    found = company.load(store, "company", [source("deals.csv", DEALS)], as_of=AS_OF, by=LOCAL)
    assert found.status == "loaded"
    config, version = store.terms("company")
    assert version == 1 and store.terms_history("company")[0].why == "from the extract"
    assert config["opp_won_stage"] == "Payment Done" and "Negotiation" in config["opp_open_stages"]
    x = company.coded(store, "company")
    assert x.opps.won.sum() == 1 and x.opps.lost.sum() == 1


def test_the_fiscal_year_of_a_crm_begins_in_january_unless_answered(store):
    found = company.load(store, "company", [source("deals.csv", DEALS)], as_of=AS_OF, by=LOCAL)
    [asked] = [q for q in found.questions if q.key == "fiscal_start_month"]
    assert (asked.default, len(asked.options)) == ("1", 12)
    assert company.terms_of(store, "company").fiscal_start_month == 1
    assert any("stages" in m.text and "is taken to begin in January" in m.text for m in found.messages)
    company.load(store, "other", [source("deals.csv", DEALS)], as_of=AS_OF, answers={"fiscal_start_month": "4"}, by=LOCAL)
    assert company.terms_of(store, "other").fiscal_start_month == 4
    later = company.load(store, "other", [source("deals.csv", DEALS)], as_of=AS_OF + pd.Timedelta(days=7), answers={"fiscal_start_month": "7"}, by=LOCAL)
    assert company.terms_of(store, "other").fiscal_start_month == 4 and not [q for q in later.questions if q.key == "fiscal_start_month"]
    assert any("changes nothing" in m.text for m in later.messages)
    company.load(store, "plain", leads(), as_of=AS_OF, by=LOCAL)
    assert company.terms_of(store, "plain").fiscal_start_month == 2


def test_an_answer_that_nothing_asks_for_is_said(store):
    found = company.load(store, "company", [source("deals.csv", DEALS)], as_of=AS_OF, answers={"fiscal_month": "4"}, dry_run=True, by=LOCAL)
    assert any(m.text.startswith("no question has the key “fiscal_month”; the questions are ") and "fiscal_start_month" in m.text for m in found.messages)


def test_no_event_is_named_where_there_is_none(store):
    found = company.load(store, "company", [source("notes.pdf", b"%PDF-1.4 notes")], by=LOCAL)
    assert not any("latest event" in m.text for m in found.messages)


def test_a_stage_that_the_definitions_do_not_know_is_added_and_said(store):
    company.load(store, "company", [source("deals.csv", DEALS)], as_of=AS_OF, by=LOCAL)
    before = store.terms("company")[0]["opp_open_stages"]
    found = company.load(store, "company", [source("deals.csv", DEALS.replace("Dune,Discovery", "Dune,Legal review"))], as_of=AS_OF + pd.Timedelta(days=7), by=LOCAL)
    config, version = store.terms("company")
    assert version == 2 and set(config["opp_open_stages"]) == {*before, "Legal review"}
    assert any("Legal review" in m.text for m in found.messages)


def test_definitions_that_were_edited_stay(store):
    company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)
    config = {**store.terms("company")[0], "fiscal_start_month": 7}
    store.save_terms("company", config, "ada", "our year starts in July")
    company.load(store, "company", leads(LEADS.replace("L4", "L9")), as_of=AS_OF + pd.Timedelta(days=7), by=LOCAL)
    assert company.terms_of(store, "company").fiscal_start_month == 7


def test_a_correction_is_kept_for_files_with_the_same_headings(store):
    text = "Ref,Wann,Woher\nK1,2026-03-02,Messe\nK2,2026-03-03,Web\n"
    draft = company.draft_files(store, "company", [source("kontakte.csv", text)], as_of=AS_OF)
    assert draft.report.status == "refused"
    [match] = draft.intake.recognition.matches
    draft = draft.corrected(match, "lead", {"Ref": "lead_id", "Wann": "created_at"})
    assert company.save(store, draft, by=LOCAL).rows_loaded == 2
    again = company.load(store, "company", [source("kontakte 2.csv", text.replace("K", "M"))], as_of=AS_OF + pd.Timedelta(days=7), by=LOCAL)
    assert again.status == "loaded" and again.rows_loaded == 2
    other = company.draft_files(store, "company", [source("rest.csv", "Ref,Wann\nK1,2026-03-02\n")], as_of=AS_OF)
    assert not other.intake.recognition.used


def test_an_answer_about_a_column_holds_for_next_weeks_file(store):
    text = DEALS.replace("2026-03-20", "03/04/2026").replace("2026-05-29", "04/05/2026").replace("2026-03-11", "02/03/2026").replace("2026-06-30", "01/07/2026")
    for plain in ("2026-01-05", "2026-02-11", "2026-01-19", "2026-03-02", "2026-03-05"):
        text = text.replace(plain, "01/02/2026")
    first = company.draft_files(store, "company", [source("9 March.csv", text)], as_of=AS_OF)
    keys = [q.key for q in first.intake.questions if q.key.startswith("date_order:")]
    assert keys
    assert company.load(store, "company", [source("9 March.csv", text)], as_of=AS_OF, answers={key: "dmy" for key in keys}, by=LOCAL).status == "loaded"
    later = company.draft_files(store, "company", [source("16 March.csv", text)], as_of=AS_OF + pd.Timedelta(days=7))
    assert not [q for q in later.intake.questions if q.key in {key.replace("9 March", "16 March") for key in keys}]


def test_quarantined_rows_can_be_had_from_the_store_and_come_back_mended(store):
    company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)
    _, findings = store.ledger(1)
    [(place, frame)] = company.to_mend(findings).items()
    assert place == "leads.csv" and frame["lead_id"].tolist() == ["L4"] and frame["created_at"].tolist() == ["not a date"]
    mended = frame.drop(columns=["__row__", "__reason__"]).assign(created_at="2026-03-06T09:00:00Z").to_csv(index=False)
    assert company.load(store, "company", [source("mended.csv", mended)], as_of=AS_OF + pd.Timedelta(hours=1), by=LOCAL).rows_loaded == 1


def test_the_own_company_is_shown_once_it_has_a_load(store):
    assert company.current(store) == "sample"
    company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)
    assert company.current(store) == "company"
    assert company.current(store, "sample") == "company"  # the sample has no load here


def test_the_sample_is_loaded_once(store, tmp_path, monkeypatch):
    file = tmp_path / "leads.csv"
    file.write_text(LEADS, encoding="utf-8")
    monkeypatch.setattr(shown, "SAMPLE_FILE", file)
    company.ensure_sample(store)
    company.ensure_sample(store)
    assert len(store.loads("sample")) == 1
    assert company.current(store, "sample") == "sample"


def test_a_date_before_the_first_extract_cuts_its_history(store):
    company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)
    x = company.coded(store, "company", pd.Timestamp("2026-03-02T23:00:00Z"))
    assert compute(x, CARDS["funnel.entries"])["value"].iloc[0] == 2
    with pytest.raises(NothingLoaded):
        company.coded(store, "nobody")


def test_metrics_that_cannot_be_had_say_what_they_need(store):
    company.load(store, "company", leads(), as_of=AS_OF, by=LOCAL)
    lacking = company.lacking(company.coded(store, "company")).set_index("metric")["needs"]
    assert "funnel.entries" not in lacking.index
    assert lacking["bookings.won_value"].startswith("needs opportunities")


@pytest.mark.parametrize(("text", "zone", "utc"), [
    ("2026-03-31", "America/New_York", "2026-04-01T03:59:59Z"), ("2026-03-31T13:00:00Z", "America/New_York", "2026-03-31T13:00:00Z"),
    ("2026-03-31 13:00", "Europe/Berlin", "2026-03-31T11:00:00Z")])
def test_a_date_counts_to_its_end_in_the_teams_zone(text, zone, utc):
    assert company.instant(text, zone) == pd.Timestamp(utc)


@pytest.mark.parametrize("text", ["03/04/2026", "Nov 16, 2026", "20261116", "2026-11", "2026-13-01"])
def test_a_date_that_could_be_read_otherwise_is_refused(text):
    with pytest.raises(AskError, match="2026-11-16"):
        company.instant(text, "UTC")


def test_a_word_is_no_date():
    with pytest.raises(AskError, match="2026-11-16"):
        company.instant("Monday", "UTC")


def test_stages_that_do_not_fit_the_default_definitions_are_usable():
    terms = learning.usable({"opp_open_stages": ["Lead in", "Demo"], "opp_won_stage": "Won", "opp_lost_stage": "Dead"})
    assert (terms.pipeline_entry_stage, terms.hygiene.commit_min_stage) == ("Lead in", "Demo")


def test_headings_without_rows_are_refused(store):
    """An export that came out empty would otherwise replace last week's deals by none."""
    found = company.load(store, "company", [Source("deals.csv", b"Opportunity ID,Opportunity Name,Stage,Amount,Close Date,Created Date\n")], by=LOCAL)
    assert found.status == "refused" and "no row" in found.text and not store.loads("company")
