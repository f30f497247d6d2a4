"""Decisions and actions of the log count in the numbers on governance, as they were at as-of, on the extract that is encoded already."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from revscore import company
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.receipt import receipt
from revscore.core.terms import Terms
from revscore.core.view import View
from revscore.core.written import number_as_json
from revscore.governance import publishing
from revscore.governance.restatement import change, restated
from revscore.governance.verify import verify
from revscore.rhythm import actions, decisions
from revscore.rhythm.actions import Action, Success
from revscore.rhythm.decisions import Decision
from revscore.rhythm.governance import overdue
from revscore.rhythm.logged import with_log
from revscore.store import Store
from tests.governance.company import QUARTER, extract, keep, tables
from tests.people import ADA, ANN

NOW = pd.Timestamp.now("UTC").floor("s")
LATER = NOW + pd.Timedelta(days=40)  # an extract of a time when all that these tests write has been written
OWN = [{"decision_id": "D1", "title": "MQL threshold", "meeting": "monthly_council", "raised_at": "2024-01-05T09:00:00Z", "decided_at": "2024-01-15T09:00:00Z", "status": "decided"}]
DONE = [{"action_id": "A1", "decision_id": "D1", "owner_function": "sales", "created_at": "2024-01-15T10:00:00Z", "due_date": "2024-02-01", "completed_at": "2024-01-30T09:00:00Z",
         "status": "done"}]


def numbers(x: Coded, card: str) -> dict[str, float]:
    return dict(compute(x, CARDS[card])[["measure", "value"]].itertuples(index=False))


def a_success(check: pd.Timestamp, metric: str = "winrate.closed_in_period", stat: str = "count_rate", as_of: pd.Timestamp = NOW) -> Success:
    return Success(number_as_json(Number.of(CARDS[metric], View(QUARTER), stat)), 0.8, 4, 5, "up", 0.1, check.date().isoformat(), {"as_of": as_of.isoformat()})


def an_action(id_: str = "a1", **more: object) -> Action:
    return Action(id_, "Call sooner", "Ada", "sales", (NOW + pd.Timedelta(days=5)).date().isoformat(), **{"success": a_success(NOW + pd.Timedelta(days=20)), **more})


def test_without_a_log_the_extract_is_the_very_same(store):
    keep(store, tables(), LATER)
    x = company.encoded(store, "company")
    assert with_log(store, x) is x and x.data.missing(("decisions", "actions")) == ("decisions", "actions")


def test_decisions_count_beside_those_of_the_extract_and_no_decision_is_none(store):
    keep(store, {**tables(), "decisions": OWN}, LATER)
    before = numbers(company.coded(store, "company"), "governance.decision_time")
    decisions.decide(store, "company", Decision("d1", "Route EMEA leads", "To a queue with an owner", kind="weekly"), ADA)
    decisions.decide(store, "company", Decision("d2", "Pricing", "Waiting for finance", status="none"), ADA)
    question = decisions.raise_decision(store, "company", Decision("d3", "Territories"), ADA)
    decisions.decide(store, "company", replace(question, text="Data is missing", status="none"), ADA)
    gone = decisions.raise_decision(store, "company", Decision("d4", "Another"), ADA)
    decisions.withdraw(store, "company", gone, ADA, "Solved")
    x = company.coded(store, "company")
    assert before["open"] == 0 and numbers(x, "governance.decision_time")["open"] == 1  # the question, not the note
    assert numbers(x, "governance.decision_velocity")["decided"] == 2
    assert set(x.ids("decision")) == {"D1", "d1", "d3", "d4"}


def test_actions_count_and_drafts_are_open(store):
    keep(store, {**tables(), "decisions": OWN, "actions": DONE}, LATER)
    actions.raise_action(store, "company", an_action("a1"), ADA)
    done = actions.complete(store, "company", actions.raise_action(store, "company", an_action("a2"), ADA), ADA)
    actions.raise_action(store, "company", Action("a3", "Look into it"), ADA, draft=True)
    actions.cancel(store, "company", actions.raise_action(store, "company", an_action("a4"), ADA), ADA, "No")
    x = company.coded(store, "company")
    found = numbers(x, "governance.actions")
    assert overdue(x, View())["decision"].tolist() == ["Call sooner"] and overdue(x, View())["metric_id"].tolist() == ["Win rate"]
    assert done.state == "done" and (found["due"], found["overdue"], found["completion_rate"]) == (3, 1, pytest.approx(2 / 3))
    assert x.data.table("actions").set_index("action_id")["status"].to_dict() == {"A1": "done", "a1": "open", "a2": "done", "a3": "open", "a4": "cancelled"}


def test_nothing_that_was_written_down_after_as_of_counts(store):
    keep(store, {**tables(), "actions": DONE}, NOW - pd.Timedelta(days=1))
    actions.raise_action(store, "company", an_action(), ADA)
    x = company.coded(store, "company")
    assert x.data.stand.log == 0 and len(x.data.table("actions")) == 1


def test_an_entry_encodes_nothing_anew(store):
    keep(store, {**tables(), "decisions": OWN}, LATER)
    base = company.encoded(store, "company")
    number = Number.of(CARDS["winrate.closed_in_period"], View(), "won")
    number.value(base)
    first = company.state_of(store, "company")
    actions.raise_action(store, "company", an_action(), ADA)
    second = company.state_of(store, "company")
    assert first != second and first.partition("+")[0] == second.partition("+")[0]
    x = with_log(store, base)
    assert x.opps is base.opps and x.facts(number.card) is base.facts(number.card) and x.dims is base.dims
    assert number.value(x) == number.value(base) and x.journeys() is base.journeys()
    assert compute(x, CARDS["governance.actions"]).shape and base.data.missing(("actions",)) == ("actions",)


def test_every_other_number_is_the_same_beside_the_log(store):
    keep(store, {**tables(), "decisions": OWN}, LATER)
    decisions.decide(store, "company", Decision("d1", "Route EMEA leads", "To a queue with an owner"), ADA)
    base = company.encoded(store, "company")
    x = with_log(store, base)
    assert x is not base
    for card in CARDS.values():
        if not base.data.missing(card.needs) and card.family != "governance":
            pd.testing.assert_frame_equal(compute(x, card), compute(base, card), obj=card.id)
            assert receipt(x, Number.of(card)).sha256 == receipt(base, Number.of(card)).sha256


def test_a_done_action_is_judged_from_the_extract(store):
    """Forty deals were decided before the action was raised, 12 of them won; forty after it, 32 won."""
    rows = tables()
    rows["opportunities"], rows["opp_history"] = [], []
    for k in range(80):
        at = NOW + pd.Timedelta(days=1 + k % 10) if k >= 40 else NOW - pd.Timedelta(days=5 + k % 10)
        won = k % 40 < (12 if k < 40 else 32)
        rows["opportunities"].append({"opp_id": f"D{k}", "name": f"Deal {k}", "type": "new_business", "currency": "USD", "owner_id": "U1", "segment": "SMB",
                                      "created_at": (NOW - pd.Timedelta(days=60)).isoformat(), "region": "EMEA", "lead_source": "Web"})
        for step, (when, stage) in enumerate(((NOW - pd.Timedelta(days=50), "Discovery"), (at, "Closed Won" if won else "Closed Lost"))):
            rows["opp_history"].append({"event_id": f"D{k}-{step}", "opp_id": f"D{k}", "changed_at": when.isoformat(), "stage": stage, "amount": 1000.0,
                                        "close_date": at.date().isoformat(), "forecast_category": "pipeline"})
    keep(store, rows, LATER)
    number = Number.of(CARDS["winrate.closed_in_period"], View(), "count_rate")
    success = replace(a_success(NOW + pd.Timedelta(days=20)), number=number_as_json(number))
    for id_, one in (("a1", success), ("a2", replace(success, direction="down")), ("a3", replace(success, check_on=(LATER + pd.Timedelta(days=9)).date().isoformat()))):
        actions.complete(store, "company", actions.raise_action(store, "company", an_action(id_, success=one), ADA), ADA)
    actions.raise_action(store, "company", an_action("a4", success=success), ADA)  # not done: not counted
    x = company.coded(store, "company")
    row = x.data.table("actions").set_index("action_id").loc["a1"]
    assert row[["baseline_x", "baseline_n", "after_x", "after_n"]].tolist() == [12, 40, 32, 40]
    found = compute(x, CARDS["governance.actions"], View(), ("verdict",))
    assert found[found["measure"] == "due"].set_index("verdict")["value"].to_dict() == {"moved": 1, "moved_wrong_way": 1, "not_yet_measurable": 1, "": 1}
    assert numbers(x, "governance.actions")["effect_rate"] == 0.5


def test_what_was_published_is_verified_by_the_log_of_then(store):
    keep(store, {**tables(), "decisions": OWN, "actions": DONE}, LATER)
    first = actions.raise_action(store, "company", an_action(), ADA)
    x = company.coded(store, "company")
    asked = [Number.of(CARDS["governance.actions"], View(), "completion_rate"), Number.of(CARDS["winrate.closed_in_period"], View(QUARTER), "count_rate")]
    kept = receipt(x, asked[0])
    assert kept.log == x.data.stand.log == store.last_entry("company", "decision", "action") and kept.as_rows()["Log"] == f"up to entry {kept.log}"
    assert (kept.numerator, kept.denominator) == (1, 2)
    publication = publishing.publish(store, x, asked, "monthly", "Monthly", View(), ANN)
    actions.complete(store, "company", first, ADA)
    later = company.coded(store, "company")
    assert asked[0].value(later) == 1
    assert [differences for _, differences in verify(store, publication)] == [(), ()]
    way = change(store, publication)
    found = restated(way, store.published(publication.id)[0])
    assert (found.published, found.today, found.difference, found.unexplained) == (0.5, 1.0, 0.5, 0.0) and found.legs["edited"] == 0.5


def test_a_receipt_without_a_log_is_as_it_was():
    found = receipt(Coded(extract(tables(), NOW), Terms()), Number.of(CARDS["winrate.closed_in_period"], View(QUARTER), "count_rate"))
    assert found.log == 0 and "log" not in found.as_dict() and "Log" not in found.as_rows()
