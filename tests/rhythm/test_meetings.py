"""Meetings end with owners, deadlines and measures of success, or say why not; nothing that was written down is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from revscore.rhythm import actions, decisions, meetings
from revscore.rhythm.actions import Action, Incomplete, Success
from revscore.rhythm.decisions import Decision
from revscore.rhythm.meetings import Frozen
from revscore.store import Overtaken, Store, StoreError

from tests.people import ADA, BOB

FROZEN = Frozen((1, 2), "2026-11-16T13:00:00+00:00", 1, "abc", {"period": None, "grain": "month", "where": {}}, "This quarter")
SUCCESS = Success({"metric": "sla.compliance", "measure": "compliance", "label": "Speed to lead kept", "view": FROZEN.view, "params": {}}, 0.72, 13, 18, "up", 0.1, "2026-12-14", {})
WHOLE = Action("a1", "Route EMEA leads to a queue with an owner", "Ada", "sales", "2026-11-30", SUCCESS)


def started(store: Store) -> meetings.Meeting:
    return meetings.start(store, "sample", "weekly", "Weekly review", FROZEN, ("actions", "pace", "close"), ADA)


@pytest.mark.parametrize(("field", "word"), [("owner", "an owner"), ("due", "a deadline"), ("success", "a measure of success"), ("function", "a function")])
def test_an_action_says_what_it_lacks_and_is_not_written(store: Store, field: str, word: str) -> None:
    action = replace(WHOLE, **{field: None if field == "success" else ""})
    with pytest.raises(Incomplete, match=word):
        actions.raise_action(store, "sample", action, ADA)
    assert actions.actions(store, "sample") == ()


@pytest.mark.parametrize(("field", "value", "word"), [("baseline", None, "a baseline"), ("direction", "", "a direction"), ("size", 0, "smallest change"), ("check_on", "soon", "a check date")])
def test_a_measure_of_success_is_whole(field: str, value: object, word: str) -> None:
    assert any(word in one for one in replace(WHOLE, success=replace(SUCCESS, **{field: value})).lacks)


def test_an_action_is_checked_after_its_baseline(store: Store) -> None:
    made = replace(SUCCESS, receipt={"as_of": "2026-11-16T13:00:00+00:00"})
    for day in ("2026-11-16", "1999-01-01"):
        with pytest.raises(StoreError, match=f"cannot be checked on {day}: its baseline is of 2026-11-16"):
            actions.raise_action(store, "sample", replace(WHOLE, success=replace(made, check_on=day)), ADA)
    raised = actions.raise_action(store, "sample", replace(WHOLE, success=replace(made, check_on="2026-11-17")), ADA)
    with pytest.raises(StoreError, match="choose a later day"):
        actions.change(store, "sample", raised, ADA, success=replace(made, check_on="2026-11-01"))


def test_an_action_goes_through_its_states_and_keeps_its_history(store: Store) -> None:
    raised = actions.raise_action(store, "sample", WHOLE, ADA)
    assert raised.state == "open" and raised.success == SUCCESS and raised.overdue(date(2026, 12, 1)) and not raised.overdue(date(2026, 11, 30))
    done = actions.complete(store, "sample", actions.change(store, "sample", raised, BOB, owner="Bob"), BOB)
    assert (done.state, done.owner, done.done_at.tz is not None) == ("done", "Bob", True)
    with pytest.raises(StoreError, match="done already"):
        actions.complete(store, "sample", done, ADA)
    again = actions.reopen(store, "sample", done, ADA, "The queue has no owner again")
    assert again.state == "open" and actions.cancel(store, "sample", again, ADA, "The region was closed").state == "cancelled"
    assert [one.verb for one in actions.actions(store, "sample")[0].history] == ["raised", "changed", "done", "reopened", "cancelled"]


def test_a_complete_action_stays_complete_and_has_one_winner(store: Store) -> None:
    raised = actions.raise_action(store, "sample", WHOLE, ADA)
    with pytest.raises(Incomplete, match="would lack an owner"):
        actions.change(store, "sample", raised, ADA, owner="")
    actions.change(store, "sample", raised, ADA, due="2026-12-07")
    with pytest.raises(Overtaken, match="ada has changed this"):
        actions.change(store, "sample", raised, BOB, due="2026-12-08")
    with pytest.raises(Overtaken):
        actions.raise_action(store, "sample", WHOLE, ADA)  # the same form sent twice


def test_a_meeting_cannot_be_closed_with_an_action_that_lacks_something(store: Store) -> None:
    held = started(store)
    draft = actions.raise_action(store, "sample", Action("a2", "Look into aging deals", meeting=held.id, screen="pace"), ADA, draft=True)
    with pytest.raises(Incomplete, match="“Look into aging deals” lacks an owner, a function, a deadline and a measure of success"):
        meetings.close(store, "sample", held, ADA)
    with pytest.raises(Incomplete, match="lacks an owner.*complete it first"):
        actions.complete(store, "sample", draft, ADA)  # nor is it out of the way by being called done
    with pytest.raises(Incomplete):
        meetings.close(store, "sample", held, ADA)
    actions.change(store, "sample", draft, ADA, owner="Bob", function="sales", due="2026-11-30", success=SUCCESS)
    closed = meetings.close(store, "sample", held, ADA)
    assert not closed.running and closed.closed_by == "ada"
    with pytest.raises(StoreError, match="was closed"):
        meetings.close(store, "sample", held, BOB)


def test_a_meeting_cannot_be_closed_with_nothing_decided_and_no_reason(store: Store) -> None:
    held = started(store)
    with pytest.raises(Incomplete, match="Nothing was decided"):
        meetings.close(store, "sample", held, ADA)
    assert meetings.close(store, "sample", held, ADA, reason="Half of the room was ill").reason == "Half of the room was ill"


def test_no_decision_because_is_written_down_where_it_belongs(store: Store) -> None:
    held = started(store)
    said = Decision("d1", "Move the pipeline stage?", "The data of EMEA are missing", "none", "weekly", held.id, "pace")
    with pytest.raises(Incomplete, match="why nothing was decided"):
        decisions.decide(store, "sample", replace(said, text=""), ADA)
    assert decisions.decide(store, "sample", said, ADA).status == "none"
    assert meetings.close(store, "sample", held, ADA).reason == ""
    assert [one.screen for one in meetings.taken(store, "sample", held).decisions] == ["pace"]


def test_a_decision_is_raised_then_decided_once_and_can_be_found(store: Store) -> None:
    raised = decisions.raise_decision(store, "sample", Decision("d1", "Fund the webinar again?", kind="monthly"), ADA)
    assert raised.status == "open"
    decided = decisions.decide(store, "sample", replace(raised, text="Yes, for one quarter"), BOB)
    assert decided.status == "decided" and decided.raised_at < decided.decided_at and decided.decided_by == "bob"
    with pytest.raises(StoreError, match="decided already"):
        decisions.decide(store, "sample", replace(decided, text="No"), ADA)
    found = decisions.decisions(store, "sample")
    assert decisions.matching(found, "WEBINAR quarter") == found and decisions.matching(found, "webinar year") == ()


def test_one_meeting_of_a_kind_runs_at_a_time_and_says_who_runs_it(store: Store) -> None:
    held = started(store)
    with pytest.raises(StoreError, match="started by ada: join it"):
        started(store)
    stepped = meetings.show(store, "sample", held, "pace", ADA)
    assert stepped.screen == "pace" and [screen for screen, _ in stepped.shown] == ["actions", "pace"] and set(stepped.minutes()) == {"actions", "pace", "close"}
    present = meetings.attend(store, "sample", held, {"Ada": "sales", "Bob": "marketing"}, ADA).present
    assert present == {"Ada": "sales", "Bob": "marketing"}
    seen = meetings.meeting(store, "sample", held.id)  # two open the list at once: one puts Cy down, the other takes Bob off and moves Ada
    meetings.attend(store, "sample", seen, {**seen.present, "Cy": "cs"}, BOB)
    assert meetings.attend(store, "sample", seen, {"Ada": "revops"}, ADA).present == {"Ada": "revops", "Cy": "cs"}
    assert meetings.note(store, "sample", held, "pace", "Ask Bob about EMEA", ADA).notes == {"pace": "Ask Bob about EMEA"}
    assert meetings.meetings(store, "sample")[0].frozen == FROZEN
