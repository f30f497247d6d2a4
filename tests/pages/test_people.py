"""People: admins list and change who may come in, everybody else reads whom to ask; what a reader may not do is disabled and says why."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from revscore.people import LOCAL, Actor, accounts
from revscore.store import Person, Store
from tests.pages.test_actions import HOSTILE, STANDS, mine, seeded  # noqa: F401
from tests.pages.test_pages import said

MAIL = "ada@x.example"
FORM = "from revscore.ui.blocks import people\npeople._person.__wrapped__(now, '{}')"


def listed(path: Path) -> tuple[Person, ...]:
    store = Store(path)
    try:
        return accounts.people(store)
    finally:
        store.close()


def form(path: Path, monkeypatch: pytest.MonkeyPatch, email: str = "") -> AppTest:
    st.cache_resource.clear()
    monkeypatch.setenv("REVSCORE_DB", str(path))
    return AppTest.from_string(STANDS + FORM.format(email), default_timeout=60).run()


def press(test: AppTest, key: str) -> AppTest:
    return next(one for one in test.button if one.key == key).click().run()


def test_the_list_says_who_may_come_in_and_the_table_what_each_role_may(app, mine):
    path = seeded(mine, lambda store: accounts.add(store, MAIL, LOCAL, roles=["admin", "revops"], name=HOSTILE), lambda store: accounts.add(store, "bo@x.example", LOCAL, roles=["viewer"], owner="U1", sees="own rows"))
    test = app(path, "people")
    assert not test.exception and "2 people are on the list" in said(test) and "Nobody signs in here" in said(test)
    people, roles = (frame.value for frame in test.dataframe[:2])
    assert people["who"].tolist() == [f"{HOSTILE} ({MAIL})", "bo@x.example"] and people["owner"].tolist() == ["", "Bo Chen"] and people["sees"].tolist() == ["the team", "own rows only"]
    assert roles.set_index("what").loc["Load extracts", ["revops", "admin"]].tolist() == ["✓", ""]


def test_who_is_no_admin_reads_whom_to_ask(app, mine, monkeypatch):
    by = Actor("eve@x.example", frozenset({"editor"}))
    monkeypatch.setattr("revscore.ui.session.actor", lambda: by)
    test = app(seeded(mine, lambda store: accounts.add(store, MAIL, LOCAL, roles=["admin"])), "people")
    assert not test.exception and "that takes the role Admin; ask an admin for it" in said(test)
    assert MAIL not in said(test) and not any(MAIL in frame.value.to_string() for frame in test.dataframe) and not [one for one in test.button if str(one.key).startswith("person-")]


def test_a_person_is_added_changed_and_taken_off_the_list(mine, monkeypatch):
    test = form(mine, monkeypatch)
    test.text_input(key="person-email").set_value("ada")
    assert "is no e-mail address" in press(test, "person-save").error[0].value and listed(mine) == ()
    test.text_input(key="person-email").set_value(MAIL)
    press(test, "person-save")
    assert [(one.email, one.roles, one.by) for one in listed(mine)] == [(MAIL, ("viewer",), "local")]
    test = form(mine, monkeypatch, MAIL)
    test.selectbox(key=f"person-owner-{MAIL}").set_value("U1")
    test.button_group(key=f"person-sees-{MAIL}").set_value("own rows")
    press(test, "person-save")
    assert [(one.owner, one.sees) for one in listed(mine)] == [("U1", "own rows")]
    press(form(mine, monkeypatch, MAIL), "person-remove")
    assert [one.active for one in listed(mine)] == [False]


def test_the_last_admin_stays_and_the_form_says_so(mine, monkeypatch):
    seeded(mine, lambda store: accounts.add(store, MAIL, LOCAL, roles=["admin"]))
    test = press(form(mine, monkeypatch, MAIL), "person-remove")
    assert "is the last admin" in test.error[0].value and listed(mine)[0].active


def test_who_was_overtaken_is_told(mine, monkeypatch):
    seeded(mine, lambda store: accounts.add(store, MAIL, LOCAL, roles=["viewer"]))
    test = form(mine, monkeypatch, MAIL)
    seeded(mine, lambda store: accounts.change(store, MAIL, LOCAL, roles=["editor"]))
    test.text_input(key=f"person-name-{MAIL}").set_value("Ada")
    assert "in the meantime" in press(test, "person-save").error[0].value and listed(mine)[0].roles == ("editor",)


def test_reading_files_takes_the_right_to_load(app, mine, monkeypatch):
    by = Actor("eve@x.example", frozenset({"viewer"}))
    monkeypatch.setattr("revscore.ui.session.actor", lambda: by)
    test = app(mine, "data")
    assert not test.exception and "that takes the role RevOps; ask an admin for it" in said(test) and not test.get("file_uploader")
