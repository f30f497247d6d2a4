"""The backlog: scored, decided by whoever holds the right, published in its order, measured; every decision in the log of decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.view import View
from revscore.core.written import number_as_json
from revscore.rhythm import actions, backlog, decisions
from revscore.rhythm.actions import Action, Incomplete
from revscore.rhythm.backlog import Idea, NotYours
from revscore.store import Overtaken, Store, StoreError

from tests.people import ADA, BOB, CLEO

RATE = number_as_json(Number.of(CARDS["winrate.closed_in_period"], View(), "count_rate"))
WHOLE = Idea("i1", "Call sooner", "Leads wait for a day", RATE, 0.25, 0.05, 0.8, 4)


def test_the_score_is_impact_times_confidence_by_effort():
    assert (WHOLE.share, WHOLE.score) == (pytest.approx(0.2), pytest.approx(0.2 * 0.8 / 4)) and not WHOLE.lacks
    bare = Idea("i2", "Later", "Somehow")
    assert bare.score != bare.score and len(bare.lacks) == 5
    assert replace(WHOLE, baseline=0.0).score != replace(WHOLE, baseline=0.0).score


def test_an_idea_is_an_open_decision_until_it_is_decided(store):
    idea = backlog.propose(store, "company", WHOLE, ADA)
    assert (idea.proposed_by, idea.status) == ("ada", "proposed") and replace(idea, proposed_by="", proposed_at=WHOLE.proposed_at, version=0, history=()) == WHOLE
    assert [(one.title, one.status, one.kind) for one in decisions.decisions(store, "company")] == [("Backlog: Call sooner", "open", "backlog")]
    done = backlog.decide(store, "company", idea, BOB, True, "It is quick")
    assert (done.status, done.why, done.decided_by) == ("accepted", "It is quick", "bob")
    [one] = decisions.decisions(store, "company")
    assert (one.status, one.text, one.decided_by) == ("decided", "Accepted: It is quick (nobody is named to hold this right)", "bob") and one.raised_at == idea.proposed_at
    with pytest.raises(StoreError, match="accepted already"):
        backlog.decide(store, "company", done, BOB, False, "No")


def test_only_the_holder_of_the_right_decides(store):
    store.save_terms("company", {"decision_rights": {"sales": ["cleo", "dan"]}}, "ada", "rights")
    idea = backlog.propose(store, "company", WHOLE, ADA)
    with pytest.raises(NotYours, match="On numbers of sales cleo and dan decide"):
        backlog.decide(store, "company", idea, BOB, True, "It is quick")
    assert backlog.ideas(store, "company") == (idea,)
    assert backlog.decide(store, "company", idea, CLEO, False, "Too dear").status == "declined"
    assert decisions.decisions(store, "company")[0].text == "Declined: Too dear"


def test_what_is_missing_is_said_and_can_be_estimated_later(store):
    with pytest.raises(Incomplete, match="the problem"):
        backlog.propose(store, "company", replace(WHOLE, problem=" "), ADA)
    with pytest.raises(Incomplete, match="Confidence"):
        backlog.propose(store, "company", replace(WHOLE, confidence=80), ADA)
    idea = backlog.propose(store, "company", replace(WHOLE, effort=None), ADA)
    with pytest.raises(Incomplete, match="lacks an effort in person-days"):
        backlog.decide(store, "company", idea, BOB, True, "It is quick")
    with pytest.raises(Incomplete, match="Say why"):
        backlog.decide(store, "company", idea, BOB, False, "")
    better = backlog.estimate(store, "company", idea, BOB, effort=2.0)
    assert better.score == pytest.approx(0.08)
    with pytest.raises(Overtaken, match="bob has changed"):
        backlog.decide(store, "company", replace(idea, effort=3.0), ADA, True, "Late")
    assert decisions.decisions(store, "company")[0].status == "open"  # both or neither


def test_the_order_is_by_score_ties_by_age_and_published_as_it_was(store):
    made = [backlog.propose(store, "company", replace(WHOLE, id=f"i{k}", title=f"Idea {k}", effort=effort), ADA) for k, effort in enumerate((4.0, 1.0, 4.0, 2.0, 1.0))]
    found = [backlog.decide(store, "company", one, BOB, k != 4, "Because") for k, one in enumerate(made)]
    working = Action("a1", "Do it", decision="i3")
    places = backlog.order(found, [working])
    assert [one.idea for one in places] == ["i1", "i0", "i2"]  # the fourth is worked on, the fifth declined
    assert places[0].why == "Win rate: 5.0 points expected (20 % of what it is), 80 % sure, 1 person-day: score 16.00. Because"
    backlog.publish(store, "company", places, ADA)
    backlog.propose(store, "company", replace(WHOLE, id="i9"), ADA)
    kept, entry = backlog.published(store, "company")
    assert kept == places and entry.by == "ada" and len(backlog.ideas(store, "company")) == 6


def test_it_is_measured_by_the_verdicts_of_its_actions(store):
    idea = backlog.decide(store, "company", backlog.propose(store, "company", WHOLE, ADA), BOB, True, "It is quick")
    idea = backlog.link(store, "company", idea, "a2", BOB)
    for one in (Action("a1", "From the decision", decision="i1"), Action("a2", "Linked"), Action("a3", "Another")):
        actions.raise_action(store, "company", one, ADA, draft=True)
    found = backlog.measured(None, idea, actions.actions(store, "company"))
    assert [(one.id, verdict.verdict) for one, verdict in found] == [("a1", "not_yet_measurable"), ("a2", "not_yet_measurable")]


def test_an_idea_can_be_taken_back(store):
    gone = backlog.withdraw(store, "company", backlog.propose(store, "company", WHOLE, ADA), ADA, "Solved")
    assert gone.status == "withdrawn" and decisions.decisions(store, "company")[0].status == "withdrawn"
    assert backlog.order([gone]) == ()
