"""Actions: from a number to a written action in two clicks, refused while it is incomplete, followed until its number has moved or not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from revscore import company
from revscore.core.made import Number
from revscore.core.metrics import CARDS
from revscore.core.receipt import receipt
from revscore.core.view import View
from revscore.core.written import number_as_json
from revscore.rhythm import actions
from revscore.rhythm.actions import Action, Success
from revscore.store import Store
from tests.pages.test_pages import drawer, said
from tests.people import ADA, EVE

HOSTILE = "![x](http://x.example/a.png) *bold* <b>"


@pytest.fixture
def mine(filled: Path, tmp_path: Path) -> Path:
    """The small company in a store that a test may write to."""
    return Path(shutil.copy(filled, tmp_path / "store.sqlite"))


def written(path: Path) -> tuple[Action, ...]:
    store = Store(path)
    try:
        return actions.actions(store, "company")
    finally:
        store.close()


def seeded(path: Path, *made: Callable[[Store], object]) -> Path:
    store = Store(path)
    for write in made:
        write(store)
    store.close()
    return path


def success(path: Path, check: str, size: float = 0.05) -> Success:
    """Deals won of those decided, measured on 15 April."""
    store = Store(path)
    x = company.coded(store, "company", pd.Timestamp("2026-04-15T12:00:00Z"))
    number = Number.of(CARDS["winrate.closed_in_period"], View.of(x.terms.calendar.parse("2026-03")))
    found = receipt(x, number)
    store.close()
    return Success(number_as_json(number), 0.5, 5, 10, "up", size, check, found.as_dict())


STANDS = """
from revscore import company
from revscore.rhythm.asks import ask, made
from revscore.ui import drill, picks, session, state
from revscore.ui.blocks import actions, backlog, decisions
from revscore.ui.session import Now

picks.began()
version = company.state_of(session.store(), "company")
x = session.coded("company", version)
now = Now("company", version, x, state.make_view(x))
"""
TILE = "drill._drawer.__wrapped__(now, now.ask(made, (ask('winrate.closed_in_period'),))[0], True, '')"


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch):
    """`standing(store, body)`: what a drawer draws, kept open from click to click as a browser keeps it."""
    def run(path: Path, body: str) -> AppTest:
        st.cache_resource.clear()
        monkeypatch.setenv("REVSCORE_DB", str(path))
        return AppTest.from_string(STANDS + body, default_timeout=60).run()

    yield run
    st.cache_resource.clear()


def opened(standing, path: Path) -> AppTest:
    """The form of an action in the drawer of a number."""
    test = standing(path, TILE).button(key="drawer-action").click().run()
    assert not test.exception
    return test


def test_a_tile_opens_to_what_can_be_written_about_it(app, mine):
    test = app(mine, "wins", period="2026-05")
    test.button(key="open-rates-winrate-closed-in-period-count-rate").click().run()
    assert not test.exception and drawer(test)
    assert test.button(key="drawer-action").label == "Raise an action" and test.button(key="drawer-dispute")


def test_two_clicks_from_a_tile_to_a_filled_in_action_that_is_written(app, standing, mine):
    test = opened(standing, mine)
    test.text_input(key="capture-title").set_value(HOSTILE)
    test.selectbox(key="capture-owner").set_value("Bo Chen")
    test.selectbox(key="capture-function").set_value("sales")
    test.button(key="capture-save").click().run()
    assert not test.exception
    one, = written(mine)
    assert (one.title, one.owner, one.function, one.state) == (HOSTILE, "Bo Chen", "sales", "open")
    assert one.success.number["label"] == "Win rate" and one.success.baseline is not None and one.success.receipt["sha256"] and one.success.check_on == "2026-07-13"
    page = app(mine, "actions")
    assert "1 open, none overdue; none has been judged yet" in said(page) and "7 days left" in said(page)
    assert "![x]" not in said(page) and "\\!\\[x\\]" in said(page) and "15 Jun 2026, the date of the data" in said(page)


def test_an_incomplete_action_is_refused_with_its_sentence_and_keeps_what_was_typed(standing, mine):
    test = opened(standing, mine)
    test.text_input(key="capture-title").set_value("Call them")
    test.button(key="capture-save").click().run()
    assert "lacks an owner and a function" in test.error[0].value and written(mine) == ()
    assert test.text_input(key="capture-title").value == "Call them"
    test.selectbox(key="capture-owner").set_value("Bo Chen")
    test.selectbox(key="capture-function").set_value("sales")
    test.button(key="capture-save").click().run()
    assert [one.title for one in written(mine)] == ["Call them"]


def test_the_drawer_goes_back_to_the_rows_and_disputes(standing, mine):
    test = opened(standing, mine)
    assert not [frame for frame in test.dataframe if frame.key == "rows-Counted"]
    test.button(key="drawer-back").click().run()
    assert [frame for frame in test.dataframe if frame.key == "rows-Counted"]
    test.button(key="drawer-dispute").click().run()
    assert not test.exception and any("What is wrong" in area.label for area in test.text_area)


def test_a_row_that_was_chosen_is_what_its_action_is_about(standing, mine):
    test = standing(mine, TILE)
    row = next(frame.value for frame in test.dataframe if frame.key == "rows-Counted").iloc[0]
    test.session_state["rows-Counted"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    test.run()
    assert not test.exception and "about" in said(test)
    test.button(key="drawer-action").click().run()
    assert test.text_input(key="capture-title").value == f"{row['name']} ({row['opp_id']}): "


def test_a_verdict_is_shown_after_the_check_date_and_an_early_one_says_so(app, standing, mine):
    late, early = success(mine, "2026-06-01"), success(mine, "2026-07-30")
    seeded(mine, lambda store: actions.complete(store, "company", actions.raise_action(store, "company", Action("a1", "Ask for the budget", "Bo Chen", "sales", "2026-05-01", late), ADA), ADA),
           lambda store: actions.raise_action(store, "company", Action("a2", "Write it down", "Cy Duarte", "revops", "2026-06-10", early), ADA))
    test = app(mine, "actions", show="All")
    assert not test.exception
    text = said(test).replace("\\", "")
    assert "1 open, 1 overdue" in text and "overdue by 5 days" in text and "Win rate" in text
    assert "went from" in text or "cannot be judged" in text
    assert "Checked on 30 Jul 2026; so far" in text
    test = standing(mine, "actions._drawer.__wrapped__(now, 'a1')")
    assert not test.exception
    text = said(test).replace("\\", "")
    assert "It has worked when" in text and "History" in text and "evidence, not proof" in text
    history = next(frame.value for frame in test.dataframe if "who" in frame.value.columns)
    assert history["what"].tolist() == ["said it is done", "raised it"]


def test_an_action_is_done_given_up_with_a_reason_and_opened_again(standing, mine):
    path = seeded(mine, lambda store: actions.raise_action(store, "company", Action("a1", "Ask", "Bo Chen", "sales", "2026-06-30", success(mine, "2026-07-30")), ADA))
    test = standing(path, "actions._drawer.__wrapped__(now, 'a1')")
    test.segmented_control(key="do-a1").set_value("cancel").run()
    test.button(key="do-save-a1").click().run()
    assert "Say why the action is given up" in test.error[0].value and written(path)[0].state == "open"
    test.text_input(key="do-text-a1-cancel").set_value("No budget")
    test.button(key="do-save-a1").click().run()
    assert not test.exception and (written(path)[0].state, written(path)[0].why) == ("cancelled", "No budget")


def test_who_was_overtaken_is_told_and_keeps_what_was_typed(standing, mine):
    path = seeded(mine, lambda store: actions.raise_action(store, "company", Action("a1", "Ask", "Bo Chen", "sales", "2026-06-30", success(mine, "2026-07-30")), ADA))
    test = standing(path, "actions._drawer.__wrapped__(now, 'a1')")
    test.segmented_control(key="do-a1").set_value("change").run()
    seeded(path, lambda store: actions.change(store, "company", actions.actions(store, "company")[0], EVE, due="2026-07-01"))
    test.text_input(key="change-a1-title").set_value("Ask earlier")
    test.button(key="change-a1-save").click().run()
    assert "eve has changed this in the meantime" in test.error[0].value
    assert test.text_input(key="change-a1-title").value == "Ask earlier"
    test.button(key="change-a1-save").click().run()
    assert not test.exception and written(path)[0].title == "Ask earlier"


def test_mine_is_a_name_in_the_address_and_empty_states_say_what_to_do(app, mine):
    empty = app(mine, "actions")
    assert "No action has been raised yet" in said(empty) and "Raise an action" in said(empty)
    seeded(mine, lambda store: actions.raise_action(store, "company", Action("a1", "Ask", "Bo Chen", "sales", "2026-06-30", success(mine, "2026-07-30")), ADA),
           lambda store: actions.raise_action(store, "company", Action("a2", "Look into it", meeting="m1"), ADA, draft=True))
    own = app(mine, "actions", show="Mine", whose="Bo Chen")
    assert "**Ask**" in said(own) and "Look into it" not in said(own)
    assert "Whose actions?" in said(app(mine, "actions", show="Mine"))
    drafts = app(mine, "actions", show="Not complete")
    assert "Lacks an owner" in said(drafts) and "**Ask**" not in said(drafts)
    assert "No action is overdue" in said(app(mine, "actions", show="Overdue"))
    assert "Sales" in said(app(mine, "actions", show="By function"))


def test_the_weekly_meeting_begins_with_what_became_of_the_last_actions(app, mine):
    assert "No action of an earlier meeting is open" in said(app(mine, "weekly"))
    seeded(mine, lambda store: actions.raise_action(store, "company", Action("a1", "Ask", "Bo Chen", "sales", "2026-06-01", success(mine, "2026-07-30")), ADA))
    test = app(mine, "weekly")
    assert not test.exception and "1 of 1 action is overdue" in said(test) and "overdue by 14 days" in said(test)
