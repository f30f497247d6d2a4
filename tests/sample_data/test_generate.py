"""The sample company: the same files every time, small enough, of the promised size, consistent, with exactly the faults README lists."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_data"
sys.path.insert(0, str(SAMPLE))

from generator import faults, workbook, write_hubspot, write_salesforce  # noqa: E402
from generator.frames import simulate  # noqa: E402
from generator.ids import salesforce_key  # noqa: E402

from revscore.core.schema import TABLES  # noqa: E402


def sheets(path: Path) -> dict[str, list[list]]:
    book = CalamineWorkbook.from_path(path)
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Cells as text, whole numbers without a point: 3, 3.0 and '3' are the same cell."""
    return frame.map(lambda cell: f"{cell:.10g}" if isinstance(cell, (int, float)) else str(cell))


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return simulate()


@pytest.fixture(scope="module")
def book() -> dict[str, pd.DataFrame]:
    return {name: pd.DataFrame(rows[1:], columns=rows[0]) for name, rows in sheets(SAMPLE / "plain" / "northlight.xlsx").items()}


def test_same_company_every_time(tables):
    again = simulate()
    assert list(again) == list(tables)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, again[name], obj=name)


def test_plain_workbook_is_what_the_generator_makes(tables, book):
    planted, _ = faults.plain(tables)
    assert set(book) == {"config", *planted}
    for name, frame in planted.items():
        assert list(book[name].columns) == list(TABLES[name].names), name
        pd.testing.assert_frame_equal(as_text(book[name]), as_text(frame), check_dtype=False, obj=name)


def test_workbooks_are_the_same_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        workbook.write(tmp_path / name, {"one": [["x", "y"], [1, ""], ["text", 2.5]]})
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_size():
    files = [path for folder in ("plain", "salesforce", "hubspot") for path in (SAMPLE / folder).iterdir()]
    assert len(files) == 6
    assert sum(path.stat().st_size for path in files) < 8_000_000


def test_counts(tables):
    assert {name: len(tables[name]) for name in ("leads", "opportunities", "campaigns", "touches", "activities", "accounts")} == {
        "leads": 6000, "opportunities": 1000, "campaigns": 25, "touches": 30_000, "activities": 20_000, "accounts": 700}
    assert tables["business_calendars"]["tz"].nunique() == 3
    assert tables["arr_ledger"]["account_id"].nunique() >= 150
    assert set(tables["targets"]["pacing"]) == {"linear", "business_day", "seasonal", "none"}
    assert set(tables["opportunities"]["currency"]) == {"USD", "GBP", "EUR", "INR"}


@pytest.mark.parametrize(("table", "column", "other", "key"), [
    ("leads", "account_id", "accounts", "account_id"), ("leads", "owner_id", "users", "user_id"), ("leads", "source_campaign_id", "campaigns", "campaign_id"),
    ("leads", "converted_opportunity_id", "opportunities", "opp_id"), ("leads", "converted_contact_id", "contacts", "contact_id"),
    ("leads", "duplicate_of", "leads", "lead_id"), ("lead_stage_history", "lead_id", "leads", "lead_id"),
    ("opportunities", "account_id", "accounts", "account_id"), ("opportunities", "owner_id", "users", "user_id"),
    ("opp_history", "opp_id", "opportunities", "opp_id"), ("opp_contact_roles", "contact_id", "contacts", "contact_id"),
    ("touches", "campaign_id", "campaigns", "campaign_id"), ("activities", "user_id", "users", "user_id"), ("activities", "opp_id", "opportunities", "opp_id"),
    ("routing_log", "owner_id", "users", "user_id"), ("users", "manager_id", "users", "user_id"), ("actions", "decision_id", "decisions", "decision_id"),
    ("arr_ledger", "account_id", "accounts", "account_id"), ("contacts", "lead_id", "leads", "lead_id")])
def test_references(tables, table, column, other, key):
    assert set(tables[table][column]) - {""} <= set(tables[other][key])


def test_records_are_plausible(tables):
    for name, frame in tables.items():
        key = list(TABLES[name].key)
        assert name == "arr_ledger" or not frame.duplicated(key).any(), name
        for column in TABLES[name].columns:
            if column.type == "ts" and (name, column.name) != ("actions", "measure_at"):
                assert frame[column.name].max() <= "2026-11-16T13:00:00Z", (name, column.name)
            if column.words:
                assert set(frame[column.name]) <= {"", *column.words}, (name, column.name)
    people = set(tables["leads"]["lead_id"]) | set(tables["contacts"]["contact_id"])
    assert set(tables["touches"]["person_id"]) | set(tables["activities"]["person_id"]) <= people
    history = tables["opp_history"].merge(tables["opportunities"], on="opp_id")
    assert (history["changed_at"] >= history["created_at"]).all()
    state = ["opp_id", "stage", "amount", "close_date", "forecast_category"]
    ordered = tables["opp_history"].sort_values(["opp_id", "changed_at", "event_id"])[state].astype(str)
    assert (ordered != ordered.shift()).any(axis=1).all(), "every row of the history is a change"


def test_crm_exports_are_what_the_generator_makes(tables):
    reports, _ = write_salesforce.spoil(write_salesforce.reports(tables))
    for name, rows in sheets(SAMPLE / "salesforce" / "northlight_report.xlsx").items():
        assert rows[4] == list(reports[name].columns)
        assert rows[-1][0].startswith("Confidential Information") and rows[-2][0].startswith("Grand Totals (")
        assert [str(row[0] or "") for row in rows[5:-3]] == list(reports[name].iloc[:, 0].astype(str)), name
    files, _ = write_hubspot.spoil(write_hubspot.exports(tables))
    for name, frame in files.items():
        assert (SAMPLE / "hubspot" / name).read_bytes().startswith(b"\xef\xbb\xbf")
        read = pd.read_csv(SAMPLE / "hubspot" / name, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False)
        pd.testing.assert_frame_equal(read, frame.astype(str), check_dtype=False, obj=name)


def test_readme_lists_every_planted_fault(tables):
    planted = faults.plain(tables)[1]
    rows = [(fault, f"plain/northlight.xlsx: {place}", n) for fault, place, n in planted]
    reports, of_salesforce = write_salesforce.spoil(write_salesforce.reports(tables))
    rows += of_salesforce + [("footer row", f"{write_salesforce.FILE}: {name}", 2) for name in reports] + write_hubspot.spoil(write_hubspot.exports(tables))[1]
    listed = re.findall(r"^\| ([^|]+) \| ((?:plain|salesforce|hubspot)/[^|]+) \| (\d+) \|$", (SAMPLE / "README.md").read_text(encoding="utf-8"), re.M)
    assert sorted((fault, place, int(n)) for fault, place, n in listed) == sorted(rows)


def test_planted_faults_are_there(tables):
    deals = write_salesforce.spoil(write_salesforce.reports(tables))[0]["Opportunities"]
    assert (deals["Stage"].isin(["Verbal OK", "Parked"])).sum() == 3
    assert (deals["Amount"].isin(["n/a", "tbd"])).sum() == 3
    assert deals.astype(str).eq("").all(axis=1).sum() == 2
    real = deals.loc[deals["Opportunity ID"].str.len() == 18, "Opportunity ID"]
    assert real.duplicated().sum() == 3 and len(deals) == 1000 + 3 + 2 + 2


def test_salesforce_key():
    assert salesforce_key("") == "" and len(salesforce_key("O0042")) == 18 and salesforce_key("O0042")[:3] == "006"
    from generator.ids import suffix
    assert suffix("001bm00001ZL8U9") == "AAL"  # a published example
