"""A meeting on the pages: start, step, refuse to close, close with its numbers published; two seats; frozen whatever comes."""

from __future__ import annotations

import pandas as pd
import pytest
import streamlit as st

from revscore.core.compute import compute
from revscore.core.metrics import CARDS
from revscore.core.written import view_from_json
from revscore.governance.verify import frozen
from revscore.rhythm import actions, decisions, meetings
from revscore.rhythm.actions import Action
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.decisions import Decision
from revscore.store import Store
from revscore.ui import room, stage, tables
from revscore.ui.blocks import campaigns
from tests.pages.conftest import AS_OF, _store, small_company
from tests.people import ADA, BO


@pytest.fixture
def held(app, tmp_path):
    """`held(kind)`: the page of a company of its own, in its meeting."""

    def begin(kind: str = "weekly"):
        place = tmp_path / "store.sqlite"
        if not place.exists():
            _store(place, small_company())
        test = app(place, kind, everything="false")
        test.button(key="start-meeting").click().run()
        assert not test.exception
        return test, Store(place)

    return begin


def keys(test) -> set[str]:
    return {one.key for one in test.button}


def to_the_end(test, kind: str = "weekly") -> None:
    test.button(key="go-next").click().run()
    assert not test.exception


@pytest.mark.parametrize("kind", ["weekly", "monthly"])
def test_every_screen_is_stepped_to_by_the_button(held, kind: str) -> None:
    test, store = held(kind)
    for place, screen in enumerate(AGENDAS[kind].ids):
        assert not test.exception, screen
        assert len(test.title) == 1
        assert test.button(key="step-back").disabled == (place == 0)
        assert test.button(key="step-on").disabled == (screen == "next")
        if screen != "next":
            test.button(key="step-on").click().run()
    (one,) = meetings.running(store, "company")
    assert [screen for screen, _ in one.shown] == list(AGENDAS[kind].ids)


def test_a_meeting_without_outcome_says_why_and_is_published(held) -> None:
    test, store = held()
    to_the_end(test)
    test.button(key="close-meeting-now").click().run()
    assert "say why" in test.error[0].value
    assert meetings.running(store, "company") and not store.publications("company")
    test.text_area(key="close-reason").input("The numbers speak for themselves").run()
    test.button(key="close-meeting-now").click().run()
    assert not test.exception and not test.error
    (over,) = meetings.meetings(store, "company")
    (published,) = store.publications("company")
    assert (over.publication, over.reason, published.loads) == (published.id, "The numbers speak for themselves", over.frozen.loads)
    assert "stage-controls" not in keys(test) and test.title[0].value.startswith("Weekly review of")
    test.button(key="leave-meeting").click().run()
    assert not test.exception and "start-meeting" in keys(test)


def test_a_draft_keeps_the_meeting_open(held) -> None:
    test, store = held()
    (one,) = meetings.running(store, "company")
    actions.raise_action(store, "company", Action("a", "Answer leads sooner", meeting=one.id, screen="pace"), ADA, draft=True)
    to_the_end(test)
    test.button(key="close-meeting-now").click().run()
    assert any("Answer leads sooner" in error.value and "an owner" in error.value for error in test.error)
    assert meetings.running(store, "company")
    actions.cancel(store, "company", actions.actions(store, "company")[0], ADA, "Nobody has the time")
    decisions.decide(store, "company", Decision("d", "Pace", "We keep the target", "decided", meeting=one.id, screen="pace"), ADA)
    test.run()
    test.button(key="close-meeting-now").click().run()
    assert not test.error and not meetings.running(store, "company") and store.publications("company")


def test_abandoned_needs_a_reason_and_publishes_nothing(held) -> None:
    test, store = held()
    to_the_end(test)
    test.button(key="abandon").click().run()
    test.button(key="abandon-now").click().run()
    assert meetings.running(store, "company")
    (one,) = meetings.running(store, "company")
    meetings.close(store, "company", one, ADA, "Fire alarm", abandoned=True)
    test.run()
    assert not test.exception and not store.publications("company")
    assert any("Fire alarm" in one.value for one in test.markdown)


def test_who_is_late_to_close_is_told_so(held) -> None:
    test, store = held()
    to_the_end(test)
    (one,) = meetings.running(store, "company")
    test.text_area(key="close-reason").input("Nothing new").run()
    meetings.close(store, "company", one, BO, "Nothing at all")
    test.button(key="close-meeting-now").click().run()
    assert not test.exception
    assert not store.publications("company"), "the other one's close stands"
    assert any("Nothing at all" in line.value for line in test.markdown)


def test_the_second_seat_follows_looks_around_and_takes_over(held, app, tmp_path) -> None:
    first, store = held()
    (one,) = meetings.running(store, "company")
    second = app(tmp_path / "store.sqlite", meeting=one.id)
    assert "present" in keys(second) and "present" not in keys(first)
    first.button(key="step-on").click().run()
    second.run()
    assert second.session_state["meeting-screen"] == "pace"
    second.button(key="step-on").click().run()
    assert second.session_state["meeting-screen"] == "coverage" and "follow-again" in keys(second)
    assert meetings.meeting(store, "company", one.id).screen == "pace", "looking around moves nobody"
    second.button(key="follow-again").click().run()
    assert second.session_state["meeting-screen"] == "pace"
    second.button(key="present").click().run()
    second.button(key="go-bridge").click().run()
    first.run()
    assert first.session_state["meeting-screen"] == "bridge" and "present" in keys(first)


def test_the_presenter_keeps_the_seat_over_a_reload_and_a_restart(held, app, tmp_path) -> None:
    first, store = held()
    (one,) = meetings.running(store, "company")
    seat = first.query_params["seat"]
    again = app(tmp_path / "store.sqlite", meeting=one.id, seat=seat)  # a new session of a server that was started again
    assert "present" not in keys(again)
    again.button(key="step-on").click().run()
    assert meetings.meeting(store, "company", one.id).screen == "pace", "the others are taken along"
    other = app(tmp_path / "store.sqlite", meeting=one.id)
    assert "present" in keys(other) and "seat" not in other.query_params
    other.button(key="present").click().run()
    again.run()
    assert "present" in keys(again) and "seat" not in again.query_params and other.query_params["seat"] != seat


def test_what_arrives_meanwhile_changes_nothing_but_a_line(held, tmp_path) -> None:
    test, store = held()
    test.button(key="go-promises").click().run()
    before = [(one.label, one.value) for one in test.metric]
    assert before
    later = small_company()
    later = type(later)({**later.tables, "leads": later.tables["leads"].iloc[:30].reset_index(drop=True)}, later.as_of)
    _store(tmp_path / "store.sqlite", later)
    test.run()
    assert [(one.label, one.value) for one in test.metric] == before
    assert any("A newer extract" in one.value for one in test.markdown)
    st.cache_resource.clear()  # the server is started again: the extract is made from its loads
    test.run()
    assert not test.exception
    assert [(one.label, one.value) for one in test.metric] == before


def test_frozen_numbers_come_out_the_same_made_again(held) -> None:
    test, store = held()
    (one,) = meetings.running(store, "company")
    x, view = frozen(store, "company", one), view_from_json(one.frozen.view)
    assert x.data.stand.loads == one.frozen.loads and x.terms.digest == one.frozen.digest
    assert x.data.as_of == AS_OF
    shown = compute(x, CARDS["winrate.closed_in_period"], view)
    actions.raise_action(store, "company", Action("z", "Later than the start"), ADA, draft=True)
    again = frozen(store, "company", meetings.meeting(store, "company", one.id))
    assert again.data.stand.log == x.data.stand.log
    assert compute(again, CARDS["winrate.closed_in_period"], view).equals(shown)


def test_past_meetings_are_listed(held) -> None:
    test, store = held()
    to_the_end(test)
    test.text_area(key="close-reason").input("Nothing new").run()
    test.button(key="close-meeting-now").click().run()
    test.button(key="leave-meeting").click().run()
    assert any(one.label == "1 past meeting" for one in test.expander)


def test_the_clock_says_what_is_over_time() -> None:
    assert room._time(2.9, 5) == "2 of 5 min"
    assert room._time(7.2, 5) == ":orange[**7 of 5 min, 2 over**]"


def test_a_headline_has_two_lines() -> None:
    text = "; ".join(["Win rate 26.9 % (21 of 78), −2.1 pp on the same days of FY26 Q3"] * 4)
    said = stage.headline(text)
    assert text.startswith(said) and len(said) <= stage.LINES * stage.LINE and said.count(";") == 1
    assert stage.headline("x" * 300) == "x" * 300, "a clause is never cut"


def test_a_foot_on_the_stage_tells_nobody_to_click() -> None:
    foot = "Every deal once. Unexplained: 0.00. Click a leg for its deals."
    assert stage.aside(foot) == foot
    with stage.board("What changed"):
        assert stage.aside(foot) == "Every deal once. Unexplained: 0.00."
        assert stage.repeats("what changed") and not stage.repeats("What changed the pipeline")
        with stage.drawer():
            assert not stage.on_board()


def test_an_action_that_was_given_up_is_no_promise_on_the_last_screen(held) -> None:
    test, store = held()
    (one,) = meetings.running(store, "company")
    raised = actions.raise_action(store, "company", Action("a1", "Call them all", meeting=one.id, screen="pace"), ADA, draft=True)
    actions.cancel(store, "company", raised, ADA, "Done by the vendor")
    to_the_end(test)
    (said,) = [found.value for found in test.markdown if "Call them all" in found.value]
    assert "Given up" in said and "Done by the vendor" in said and "task_alt" not in said and "until" not in said


def test_the_wall_is_filled_with_what_is_to_be_funded_fixed_and_retired() -> None:
    frame = pd.DataFrame({"proposal": ["Fund"] + ["Fix"] * 10 + ["Retire"] * 2 + ["Wait"] * 7, "name": range(20)})
    assert campaigns.fitting(frame, 11)["proposal"].value_counts().to_dict() == {"Fix": 8, "Retire": 2, "Fund": 1}
    assert campaigns.fitting(frame, 15)["proposal"].tolist() == ["Fund"] + ["Fix"] * 10 + ["Retire"] * 2 + ["Wait"] * 2
    assert campaigns.fitting(frame, 20) is frame


def test_letters_are_large_only_where_no_sentence_is_cut() -> None:
    with stage.tall(700):
        assert tables.large(pd.DataFrame({"Campaign": ["Webinar"], "Because": ["12 days old"]}))
        assert not tables.large(pd.DataFrame({"Record speaks for": ["Fix"], "Campaign": ["Partner event in the north of Europe"], "Because": ["$120k to $456k won for $189k: it depends on the model"], "Cost": ["$189k"], "Won": ["12 deals"]}))
