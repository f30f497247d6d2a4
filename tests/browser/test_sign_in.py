"""Sign-in with a real provider, in a real browser: who is let in, who is not, and how it ends."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from revscore.people import LOCAL, accounts
from revscore.store import Store
from tests.browser.conftest import WIDE, serve
from tests.browser.provider import Provider, providing
from tests.browser.screen import Screen
from tests.pages.conftest import _store, small_company
from tests.reliability.server import secrets_file


def _claims(name: str, **more: object) -> dict:
    return {"sub": f"sub-{name}", "email": f"{name}@northlight.example", "email_verified": True, "name": name.title(), **more}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing({name: _claims(name) for name in ("ada", "vera", "stranger", "eve", "max")}) as found:
        found.people["eve"]["email_verified"] = False
        yield found


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a small company, on whose list are Ada, who runs it, and Vera, Eve and Max, who may look."""
    path = tmp_path_factory.mktemp("team") / "store.sqlite"
    _store(path, small_company())
    store = Store(path)
    for name, roles in {"ada": ("admin", "revops"), "vera": ("viewer",), "eve": ("viewer",), "max": ("viewer",)}.items():
        accounts.add(store, f"{name}@northlight.example", LOCAL, roles=roles)
    store.close()
    return path


@pytest.fixture(scope="module")
def team(listing: Path, provider: Provider) -> Iterator[str]:
    """The address of an app with sign-in."""
    auth = secrets_file(listing.parent, **provider.secrets("http://127.0.0.1:{port}/oauth2callback", secrets.token_hex(32)))
    with serve(listing, "--secrets.files", str(auth)) as address:
        yield address


@pytest.fixture
def window(chromium) -> Iterator:
    """`window(address)`: a browser of one's own, signed in nowhere."""
    made = []

    def new(address: str, theme: str = "light") -> Screen:
        made.append(context := chromium.new_context(viewport=WIDE, color_scheme=theme))
        return Screen(context.new_page(), address)

    yield new
    for context in made:
        context.close()


def door(screen: Screen) -> str:
    """What the door says."""
    card = screen.at(".st-key-door-card")
    card.get_by_role("button").or_(card.locator("[data-testid=stText]")).first.wait_for()
    screen.page.wait_for_function("() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')")
    assert not screen.at("[data-testid=stSidebarNav], [data-testid=stMetric], [data-testid=stDataFrame], h1").count(), "nothing else is there"
    return card.inner_text()


def come_in(screen: Screen, name: str, path: str = "glossary") -> Screen:
    screen.page.goto(f"{screen.address}/{path}")
    assert "Sign in" in door(screen)
    screen.page.get_by_role("button", name="Sign in").click()
    screen.page.get_by_role("link", name=name, exact=True).click()
    screen.page.wait_for_url(f"{screen.address}/**")
    return screen


def test_who_is_let_in_and_who_is_not(team: str, provider: Provider, listing: Path, window) -> None:
    # an admin, by a link to a page with choices: they are still there after the sign-in
    ada = come_in(window(team), "ada", "funnel?segment=SMB&owner=Bo+Chen&owner=Cy+Duarte")
    ada.page.wait_for_url(f"{team}/funnel?*segment=SMB*")
    ada.settle()
    assert ada.title == "Funnel" and "SMB" in ada.effect and ada.page.url.count("owner=") == 2 and "2 of 3 owners" in ada.effect
    assert "ada@northlight.example" in ada.at("[data-testid=stSidebar]").inner_text()
    cookie = next(one for one in ada.page.context.cookies() if one["name"] == "_streamlit_user")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"

    # a cookie that was changed, or signed by someone else, is none
    mallory = window(team)
    for forged in (cookie["value"][:-3] + ("AAA" if cookie["value"][-3:] != "AAA" else "BBB"), "eyJzdWIiOiAic3ViLWFkYSJ9.Z.x"):
        mallory.page.context.add_cookies([cookie | {"value": forged}])
        mallory.page.goto(f"{team}/funnel")
        assert "Sign in" in door(mallory)

    # a viewer, by the link to a meeting; taken off the list, out at the next click
    ada.open("weekly").page.get_by_role("button", name="Start meeting").click()
    ada.page.wait_for_url("**meeting=*")
    ada.at(".st-key-stage h1, .st-key-stage h2, .st-key-stage h3").first.wait_for()
    link = urlsplit(ada.page.url)
    meeting = parse_qs(link.query)["meeting"][0]
    vera = come_in(window(team), "vera", f"{link.path.lstrip('/')}?meeting={meeting}")
    vera.at(".st-key-stage").wait_for()
    assert f"meeting={meeting}" in vera.page.url
    vera.open("glossary")
    store = Store(listing)
    accounts.remove(store, "vera@northlight.example", LOCAL)
    store.close()
    vera.page.get_by_role("link", name="Definitions").click()
    assert "vera@northlight.example" in (said := door(vera)) and "Ask ada@northlight.example" in said

    # known to the provider, not to us; and an address that nobody has verified
    guest = come_in(window(team), "stranger")
    assert "Ask ada@northlight.example to let you in" in door(guest)
    guest.page.get_by_role("button", name="Sign in as someone else").click()
    guest.page.get_by_role("button", name="Sign in", exact=True).wait_for()
    come_in(guest, "eve")
    assert "not verified" in door(guest)

    # the way out: here and at the provider
    ada.open("glossary").page.get_by_role("button", name="Sign out").click()
    assert "Sign in" in door(ada)
    ada.page.goto(f"{team}/funnel")
    assert "Sign in" in door(ada)
    assert provider.went.count("signed out") == 2 and not [one for one in provider.went if one.startswith("refused")]
    assert not any(one.elsewhere for one in (ada, vera, guest))


def test_a_sign_in_that_runs_out_ends_where_it_was(team: str, provider: Provider, window) -> None:
    provider.seconds = 15
    screen = come_in(window(team, "dark"), "max").settle()
    assert screen.title == "Glossary"
    time.sleep(15)
    screen.page.get_by_role("link", name="Decisions").click()
    assert "Your sign-in has run out" in door(screen)
    provider.seconds = 3600
    screen.page.get_by_role("button", name="Sign in").click()
    screen.page.get_by_role("link", name="max", exact=True).click()
    screen.page.wait_for_url(f"{team}/decisions*")
    assert screen.settle().title == "Decisions"
