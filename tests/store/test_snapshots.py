"""Successive extracts without history become one."""

from __future__ import annotations

import pytest

from revscore.core.data import CrmData

from .conftest import crm, load, utc

NOTE = {"opp_history": "Stage dates come from current stages."}


def extract(day: str, derived: bool = True, **deals: tuple) -> CrmData:
    """An extract as of `day`, one history row a deal: name = (dated, stage, amount)."""
    return crm(day, NOTE if derived else {}, opp_history={
        "event_id": [f"H{n}" for n in range(len(deals))], "opp_id": list(deals), "changed_at": [deal[0] for deal in deals.values()],
        "stage": [deal[1] for deal in deals.values()], "amount": [deal[2] for deal in deals.values()]})


def events(data: CrmData, deal: str) -> list[tuple]:
    frame = data.tables["opp_history"]
    frame = frame[frame["opp_id"] == deal].sort_values("changed_at")
    return [(f"{row.changed_at:%m-%d}", row.stage, row.amount) for row in frame.itertuples()]


@pytest.fixture
def three(store):
    load(store, extract("2026-03-02", A=("2026-02-01", "Proposal", 10.0), B=("2026-02-02", "Proposal", None), C=("2026-02-03", "Lost", 5.0)))
    load(store, extract("2026-03-09", A=("2026-02-01", "Proposal", 20.0), B=("2026-02-02", "Proposal", None), D=("2026-03-05", "New", 1.0)))
    load(store, extract("2026-03-16", A=("2026-03-12", "Won", 20.0), B=("2026-02-02", "Commit", None), C=("2026-02-03", "Lost", 5.0),
                        D=("2026-03-05", "New", 1.0)))
    return store


def test_a_change_is_dated_by_the_row_between_or_else_by_the_extract(three):
    data = three.data("company")
    assert events(data, "A") == [("02-01", "Proposal", 10.0), ("03-09", "Proposal", 20.0), ("03-12", "Won", 20.0)]
    assert [event[:2] for event in events(data, "B")] == [("02-02", "Proposal"), ("03-16", "Commit")]
    assert events(data, "C") == [("02-03", "Lost", 5.0)], "gone for a week and back, unchanged"
    assert events(data, "D") == [("03-05", "New", 1.0)]
    assert data.tables["opp_history"]["event_id"].is_unique
    assert "3 successive extracts (2026-03-02 00:00 UTC to 2026-03-16 00:00 UTC)" in data.derived["opp_history.changed_at"]


def test_each_monday_stays_what_it_was(three):
    data = three.data("company", as_of=utc("2026-03-10"))
    assert events(data, "A") == [("02-01", "Proposal", 10.0), ("03-09", "Proposal", 20.0)]
    assert events(data, "C") == [], "the extract of that day does not have it"
    assert three.data("company", as_of=utc("2026-03-02")).derived == NOTE


def test_a_correction_of_the_same_day_replaces_that_extract(three):
    load(three, extract("2026-03-16", A=("2026-03-13", "Lost", 20.0)))
    assert events(three.data("company"), "A") == [("02-01", "Proposal", 10.0), ("03-09", "Proposal", 20.0), ("03-13", "Lost", 20.0)]


def test_a_real_history_is_taken_as_it_is_and_continued(three):
    load(three, extract("2026-03-23", derived=False, A=("2026-03-11", "Won", 21.0)))
    data = three.data("company")
    assert events(data, "A") == [("03-11", "Won", 21.0)] and data.derived == {}
    load(three, extract("2026-03-30", A=("2026-03-11", "Won", 22.0)))
    data = three.data("company")
    assert events(data, "A") == [("03-11", "Won", 21.0), ("03-30", "Won", 22.0)] and "2 successive" in data.derived["opp_history.changed_at"]


def test_a_column_that_an_extract_lacks_is_no_change(store):
    first = extract("2026-03-02", A=("2026-02-01", "Proposal", 10.0))
    load(store, CrmData({"opp_history": first.tables["opp_history"].drop(columns="amount")}, first.as_of, NOTE))
    load(store, extract("2026-03-09", A=("2026-02-01", "Proposal", 10.0)))
    assert len(store.data("company").tables["opp_history"]) == 1
