"""The page about recurring revenue, and what the monthly review says of it: with a ledger, without, under a filter that empties it."""

from __future__ import annotations

from pathlib import Path

import pytest

from revscore.core.data import CrmData
from tests.pages.conftest import AS_OF, _frame, _store, small_company
from tests.pages.test_pages import said


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The company with a ledger of six accounts, decisions, actions and reported values; one account name would be Markdown."""
    path = tmp_path_factory.mktemp("kept") / "store.sqlite"
    start = [("A1", "SMB", 100.0), ("A2", "SMB", 200.0), ("A3", "Enterprise", 1000.0), ("A4", "Enterprise", 500.0), ("A5", "SMB", 50.0), ("A6", "Enterprise", 150.0)]
    moves = [("A1", "SMB", "churn", -100.0), ("A3", "Enterprise", "expansion", 400.0), ("A4", "Enterprise", "contraction", -100.0), ("A7", "SMB", "new", 900.0)]
    rows = [{"account_id": a, "segment": s, "effective_date": "2024-01-01", "movement": "new", "amount": v, "currency": "USD"} for a, s, v in start]
    rows += [{"account_id": a, "segment": s, "effective_date": "2026-01-10", "movement": m, "amount": v, "currency": "USD"} for a, s, m, v in moves]
    later = {"account_id": "A2", "segment": "SMB", "effective_date": "2026-06-20", "movement": "churn", "amount": -200.0, "currency": "USD"}
    decisions = [{"decision_id": "D1", "title": "![x](http://x.example/1)", "raised_at": "2026-05-01T10:00:00Z", "decided_at": None, "status": "open"},
                 {"decision_id": "D2", "title": "Routing", "raised_at": "2026-06-01T10:00:00Z", "decided_at": "2026-06-05T10:00:00Z", "status": "decided"}]
    actions = [{"action_id": "X1", "decision_id": "D2", "due_date": "2026-06-10", "completed_at": None, "status": "open"}]
    reported = [{"metric_id": "funnel.entries.mql", "period": "2026-05", "segment": None, "source": source, "value": value} for source, value in (("revscore", 10.0), ("dash", 12.0))]
    accounts = [{"account_id": f"A{k}", "name": f"*Account* {k}", "segment": "SMB", "owner_id": "U0"} for k in range(1, 8)]
    tests = [{"experiment_id": "E1", "name": "*Call* back", "arm": arm, "planned_share": 0.5, "n": 200.0, "successes": hits} for arm, hits in (("control", 20.0), ("called", 50.0))]
    tables = {"experiments": tests, "arr_ledger": [*rows, later], "decisions": decisions, "actions": actions, "reported_values": reported, "accounts": accounts}
    _store(path, CrmData({**small_company().tables, **{name: _frame(name, found) for name, found in tables.items()}}, AS_OF))
    return path


def test_retention_says_what_is_left(app, kept):
    test = app(kept, "retention")
    assert not test.exception
    # 2000 before; A1 left, A3 grew by 400, A4 shrank by 100; what happens after the date of the data does not count
    values = {m.label: m.value for m in test.metric}
    assert values["Net revenue retention"] == "110.0 %" and values["Gross revenue retention"] == "90.0 %" and values["Accounts kept"] == "83.3 %"
    assert "we kept 110.0 % of \\$2.00k" in said(test).replace("  ", " ")
    assert "\\*Account\\* 1" in said(test)


def test_retention_of_a_segment(app, kept):
    values = {m.label: m.value for m in app(kept, "retention", segment="Enterprise").metric}
    assert values["Net revenue retention"] == "\\$1.95k of \\$1.65k"  # fewer than five accounts are no rate


def test_retention_without_a_ledger_says_what_it_needs(app, filled):
    test = app(filled, "retention")
    assert not test.exception and "Needs recurring revenue ledger, which this extract lacks" in said(test)


def test_retention_of_accounts_that_a_filter_leaves_out(app, kept):
    test = app(kept, "retention", owner="Cy Duarte")
    assert not test.exception
    assert "so there is nothing to retain" in said(test)


def test_a_period_before_the_first_balance_has_nothing_to_retain(app, kept):
    test = app(kept, "retention", period="2020-05")
    assert not test.exception and "so there is nothing to retain" in said(test)


def test_the_monthly_review_reads_retention_decisions_and_reports_in_its_order(app, kept):
    test = app(kept, "monthly")
    assert not test.exception
    text = said(test)
    places = [text.index(word) for word in ("### Win rate", "### Retention", "### Campaigns", "### Decisions", "### Reports")]
    assert places == sorted(places)
    assert "1 decision open, the oldest for" in text and "1 action overdue" in text and "Dash is furthest off" in text and "MQLs of 2026-05, 12 for 10" in text


def test_the_monthly_review_without_these_tables_says_so(app, filled):
    test = app(filled, "monthly")
    assert not test.exception and "Needs decisions" in said(test)


def test_controlled_tests_stand_with_the_campaigns(app, kept, filled):
    with_one, without = app(kept, "campaigns"), app(filled, "campaigns")
    assert not with_one.exception and not without.exception
    assert "\\*Call\\* back" in said(with_one) and "10.0 % without, 25.0 % with it" in said(with_one)
    assert "Needs controlled tests, which this extract lacks" in said(without)
