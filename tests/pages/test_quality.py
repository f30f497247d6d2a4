"""Data quality, forecast hygiene and the shared metrics on their pages: what they say with everything, without what they need, and how marks open."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from revscore.core.data import CrmData
from revscore.intake import load_folder
from revscore.store import Store
from tests.pages.test_pages import drawer, said

GOLDEN = Path(__file__).parents[1] / "golden" / "data"


def _store(path: Path, data: CrmData, config: dict) -> Path:
    store = Store(path)
    rows = sum(len(frame) for frame in data.tables.values())
    store.save_terms("company", {key: value for key, value in config.items() if key != "report"}, "test", "the definitions of the folder")
    ledger = pd.DataFrame({"file": ["golden"], "read": [rows], "kept": [rows]})
    store.save_load("company", data, ledger, ledger.iloc[:0], files=(), rows_read=rows, rows_kept=rows, rows_quarantined=0, by="test")
    store.close()
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company with everything that the quality of data is judged by."""
    data, _, config = load_folder(GOLDEN)
    return _store(tmp_path_factory.mktemp("whole") / "store.sqlite", data, config)


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same company without required fields, routing log, contact roles, categories, next steps, owners' kinds, and with activities that name no deal."""
    data, _, config = load_folder(GOLDEN)
    gone = {"leads": ["owner_type"], "opportunities": ["next_step", "account_id"], "opp_history": ["forecast_category"], "activities": ["opp_id"]}
    tables = {name: frame.drop(columns=gone.get(name, [])) for name, frame in data.tables.items() if name not in ("required_fields", "routing_log", "opp_contact_roles")}
    return _store(tmp_path_factory.mktemp("lacking") / "store.sqlite", CrmData(tables, data.as_of), config)


def picked(test, key: str, **mark: str):
    """The page after a click on a mark of a drawing."""
    test.session_state[f"drawing-{key}"] = {"selection": {"pick": [mark]}}
    test.run()
    assert not test.exception
    return drawer(test)[0]


def test_the_page_leads_with_the_exception_rate(app, whole):
    test = app(whole, "quality")
    assert not test.exception
    assert "15 of 28 open records need someone to put something right" in said(test)
    assert [metric.label for metric in test.metric][:4] == ["Exception rate", "Deals that break a forecast rule", "Complete leads", "Complete deals"]
    assert {metric.label for metric in test.metric} >= {"Routing failures", "Unassigned leads", "Duplicate leads", "Orphans"}
    assert "Phone is missing most" in said(test)


def test_a_kind_of_exception_opens_to_its_records(app, whole):
    rows = picked(app(whole, "quality"), "exceptions", group="Promise broken and open")
    assert sorted(rows["record_id"]) == ["L10", "L19", "L32", "L34", "L37"]
    assert rows["kind"].eq("Lead").all() and rows["exceptions"].str.contains("Promise broken and open").all()


def test_the_rate_opens_to_leads_and_deals_with_what_is_wrong(app, whole):
    test = app(whole, "quality")
    test.button(key="open-summary-dq-exception-rate-rate").click().run()
    assert not test.exception
    rows = drawer(test)[0]
    assert len(rows) == 15 and set(rows["kind"]) == {"Lead", "Deal"}
    assert "Nobody owns it" in rows.set_index("record_id").loc["L37", "exceptions"]


def test_a_cell_opens_to_what_is_missing(app, whole):
    rows = picked(app(whole, "quality"), "missing-leads", cohort="SAL", column="Phone")
    assert set(rows["lead_id"]) <= {"L10", "L33"} and len(rows)


def test_a_rule_opens_to_its_deals(app, whole):
    for page in ("weekly", "pipeline"):
        rows = picked(app(whole, page), "hygiene", group="Close date has passed")
        assert sorted(rows["opp_id"]) == ["O22", "O23"]
        assert rows["broken"].str.contains("Close date has passed").all()


def test_a_category_opens_to_its_deals(app, whole):
    rows = picked(app(whole, "weekly"), "categories", group="Commit")
    assert len(rows) == 4 and rows["contribution"].sum() == pytest.approx(350_000)


def test_the_weakest_link_leads_the_monthly_review_and_its_legs_open(app, whole):
    test = app(whole, "monthly")
    assert not test.exception
    labels = [metric.label for metric in test.metric]
    assert labels.index("Weakest link") < labels.index("Joint pipeline created") < next(k for k, label in enumerate(labels) if label.startswith("MQL → SAL"))
    assert "Customer Success is the weakest link" in said(test)
    test.session_state["drawing-legs"] = {"selection": {"pick": [{"group": "Sales: Bookings"}]}}
    test.run()
    assert not test.exception and drawer(test)[0]["contribution"].sum() == pytest.approx(178_000)


def test_what_the_extract_lacks_costs_its_numbers_a_sentence(app, lacking):
    test = app(lacking, "quality")
    assert not test.exception
    assert "Not judged: who owns a lead, the routing log, required fields, contact roles, accounts of deals" in said(test).replace("\\", "")
    assert said(test).count("Needs required fields, which this extract lacks") == 1  # once, with all that it costs
    assert "Complete leads · Complete deals · Is what leads need filled in? · Is what deals need filled in?" in said(test).replace("\\", "")
    assert not [one for one in test.markdown if "### Completeness" in one.value]  # a part of the page without anything in it is away
    weekly = app(lacking, "weekly")
    assert not weekly.exception
    assert "No activity names its deal" in said(weekly) and "no next step" in said(weekly)


def test_a_segment_without_open_records_says_so(app, filled):
    test = app(filled, "quality", segment="SMB", owner="Cy Duarte")
    assert not test.exception
    assert "Nothing is left" not in said(test)


def test_owners_are_listed_with_what_is_theirs(app, whole):
    test = app(whole, "quality")
    frame = next(one.value for one in test.dataframe if "to_mend" in one.value.columns)
    assert frame["to_mend"].sum() == 15 and frame["open_records"].ge(frame["to_mend"]).all()
    assert (frame["leads"] + frame["deals"]).eq(frame["to_mend"]).all()
