"""The door: what of a sign-in is looked at, on every page and at every reach for the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from revscore.people import LOCAL, NotAllowed, accounts
from revscore.store import Store
from revscore.ui import door, session, startup
from tests.pages.conftest import ROOT, _store, small_company

NOW = 1_800_000_000.0
CLAIMS = {"iss": "https://id.example", "sub": "7", "email": "ada@northlight.example", "email_verified": True, "iat": NOW - 600, "exp": NOW + 3000}
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


def test_a_sign_in_that_holds() -> None:
    assert door.identity(CLAIMS, NOW) == door.Identity("https://id.example", "7", "ada@northlight.example")
    assert door.identity(CLAIMS | {"email_verified": "true"}, NOW), "as Cognito writes it"
    assert door.identity(CLAIMS | {"iat": NOW + 60}, NOW), "a clock that is a minute ahead"


@pytest.mark.parametrize(("claims", "now", "over", "words"), [
    ({}, NOW + 3000, True, "has run out"),
    ({"exp": NOW + 10**6}, NOW + 12 * 3600, True, "has run out"),
    ({"exp": float("nan")}, NOW, True, "has run out"), ({"iat": float("nan")}, NOW, True, "has run out"), ({"exp": True}, NOW, True, "has run out"),
    ({"exp": None}, NOW, False, "how long"), ({"exp": "2100-01-01"}, NOW, False, "how long"), ({"iat": None}, NOW, False, "how long"),
    ({"iat": NOW + 600}, NOW, False, "clock"),
    ({"email_verified": False}, NOW, False, "not verified"), ({"email_verified": None}, NOW, False, "not verified"), ({"email_verified": "yes"}, NOW, False, "not verified"),
    ({"email_verified": 1.5}, NOW, False, "not verified"),
    ({"email": ""}, NOW, False, "who you are"), ({"sub": None}, NOW, False, "who you are"), ({"iss": 5}, NOW, False, "who you are"), ({"email": ["ada@northlight.example"]}, NOW, False, "who you are"),
])
def test_a_sign_in_that_does_not(claims: dict, now: float, over: bool, words: str) -> None:
    with pytest.raises(door.Barred, match=words) as barred:
        door.identity(CLAIMS | claims, now)
    assert barred.value.over is over


# -- the app with sign-in, run without a server ------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("listing") / "store.sqlite"
    _store(path, small_company())
    store = Store(path)
    accounts.add(store, "ada@northlight.example", LOCAL, roles=["admin"])
    store.close()
    return path


@pytest.fixture
def team(listing: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("REVSCORE_DB", str(listing))
    monkeypatch.setattr(startup, "signs_in", lambda: "oidc")
    monkeypatch.setattr(startup, "refusals", tuple)
    monkeypatch.setattr(startup, "auth", lambda: {"client_id": "revscore", "client_secret": "s", "server_metadata_url": "https://id.example"})
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def run(script: str, **claims: object) -> AppTest:
    test = AppTest.from_file(str(ROOT / script), default_timeout=60)
    now = int(time.time())
    test.user = {"is_logged_in": True, **CLAIMS, "iat": now, "exp": now + 3600, **claims} if claims else {"is_logged_in": False}
    return test.run()


def closed(test: AppTest) -> bool:
    return not test.title and not test.metric and not test.dataframe and not test.multiselect and not test.exception and [one.value for one in test.subheader] != []


@pytest.mark.parametrize("script", ["app.py", *(f"pages/{page}.py" for page in PAGES)])
def test_no_page_can_be_had_without_sign_in(team, script: str) -> None:
    """Also by its own address, before anyone has opened the home page."""
    test = run(script)
    assert closed(test) and test.subheader[0].value == "Sign in" and [one.label for one in test.button] == ["Sign in"]


def test_who_is_on_the_list_is_inside_and_nobody_else(team) -> None:
    assert run("app.py", name="Ada").title[0].value == "Scorecard"
    for claims in ({"email": "stranger@northlight.example", "sub": "8"}, {"email_verified": False}, {"exp": 5}, {"iat": 5}):
        assert closed(run("app.py", **claims)), claims
    assert closed(run("app.py", sub="9")), "the address of someone who has signed in with another account"


def test_a_store_that_cannot_be_asked_lets_nobody_in(team, tmp_path, monkeypatch) -> None:
    (tmp_path / "other.sqlite").write_bytes(b"this is no store at all, whatever its name" * 40)
    monkeypatch.setenv("REVSCORE_DB", str(tmp_path / "other.sqlite"))
    test = run("app.py", name="Ada")
    assert closed(test) and test.subheader[0].value == "The scorecard cannot be opened now"


def test_a_sign_in_that_runs_out_ends_in_an_open_window(team, monkeypatch) -> None:
    test = run("app.py", name="Ada")
    monkeypatch.setattr(time, "time", lambda at=time.time: at() + 13 * 3600)
    with pytest.raises(NotAllowed):  # no run, no person
        door.actor()
    assert closed(test.run())


def test_who_was_taken_off_the_list_is_out_in_a_part_that_runs_by_itself_too(team, monkeypatch) -> None:
    """A drawer runs past the start of the page: who is let in no more is sent to it, where the door is."""
    class Over(Exception):
        """The run starts over."""

    def over() -> None:
        raise Over

    def nobody() -> None:
        raise NotAllowed("nobody has given this address a role")

    monkeypatch.setattr(door, "actor", nobody)
    monkeypatch.setattr(door, "_who", lambda: door.Identity("https://id.example", "ada", "ada@northlight.example"))
    monkeypatch.setattr(st, "rerun", over)
    for parts, ends in ((["part"], True), (None, False)):
        monkeypatch.setattr(door, "get_script_run_ctx", lambda parts=parts: SimpleNamespace(fragment_ids_this_run=parts))
        with pytest.raises(Over) if ends else nullcontext():
            door.holds()
    with pytest.raises(NotAllowed):  # no run
        session.actor()
    monkeypatch.setattr(session, "get_script_run_ctx", lambda: SimpleNamespace())
    with pytest.raises(Over):
        session.actor()


def test_on_this_machine_alone_everybody_is_the_local_user() -> None:
    assert door.actor() == LOCAL and door.standing() == door.Standing("inside")
