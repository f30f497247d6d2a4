"""What a person does at the screen, in the app's own terms: open a page, choose, read a number, open its rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page

_SETTLED = """() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]') && document.querySelector('h1')
    && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')"""
_WIDER = """() => [...document.querySelectorAll('html, [data-testid=stMain], [data-testid=stSidebarContent]')]
    .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => `${e.dataset.testid || 'page'}: ${e.scrollWidth} > ${e.clientWidth}`)"""


class Screen:
    """One browser window on the app at `address`."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        page.set_default_timeout(30_000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        probe = "/_stcore/" in message.location.get("url", "")  # Streamlit looks for its own base path below the address of a page
        if message.type == "error" and not probe:
            self.errors.append(message.text)

    def _request(self, request) -> None:
        url = urlsplit(request.url)
        if url.scheme in ("http", "https", "ws", "wss") and url.hostname not in ("127.0.0.1", "localhost"):
            self.elsewhere.append(request.url)

    def open(self, path: str = "") -> Screen:
        """Open `path`, or a whole link, and wait until it stands."""
        self.page.goto(path if path.startswith("http") else f"{self.address}/{path}")
        return self.settle()

    def settle(self) -> Screen:
        """Wait until the script has run and nothing on the page is of an earlier run."""
        self.page.wait_for_function(_SETTLED, timeout=60_000)
        return self

    def until(self, text: str | re.Pattern[str], selector: str = "[data-testid=stMain]") -> Screen:
        """Wait until `text` is there, and the page stands."""
        self.page.locator(selector).get_by_text(text).first.wait_for()
        return self.settle()

    def at(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def assert_clean(self) -> None:
        """No request went to another host, no error to the console."""
        assert not self.elsewhere, f"asked of another host: {self.elsewhere}"
        assert not self.errors, f"errors in the console: {self.errors}"

    # -- reading -------------------------------------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        return self.at("h1").first.inner_text()

    @property
    def effect(self) -> str:
        """The sentence that says what the filters left."""
        return self.at(".st-key-page-head [data-testid=stCaptionContainer]").inner_text()

    @property
    def numbers(self) -> dict[str, str]:
        """Label → value of every number on the page."""
        tiles = self.at("[data-testid=stMain] [data-testid=stMetric]").all()
        return {t.locator("[data-testid=stMetricLabel]").inner_text(): t.locator("[data-testid=stMetricValue]").inner_text() for t in tiles}

    @property
    def text(self) -> str:
        return self.at("[data-testid=stMain]").inner_text()

    @property
    def wider(self) -> list[str]:
        """What is wider than its place, so that one would have to scroll sideways."""
        return self.page.evaluate(_WIDER)

    # -- doing ---------------------------------------------------------------------------------------------------------------------------

    def choose(self, dimension: str, label: str) -> None:
        """Choose `label` in the filter `dimension`; the caller waits for what it does."""
        self.at(f".st-key-{dimension} input").fill(label)
        self.page.get_by_role("option", name=label, exact=True).click()

    def rows_of(self, label: str) -> Locator:
        """Open the number `label` to its rows: the drawer."""
        tile = self.at("[class*=st-key-tile-]").filter(has=self.page.get_by_text(label, exact=True))
        tile.locator("[class*=st-key-open-] button").first.click()
        return self.drawer()

    def drawer(self) -> Locator:
        drawer = self.page.get_by_role("dialog")
        drawer.get_by_role("button", name="CSV").wait_for()
        self.settle()
        return drawer


def tabs(drawer: Locator) -> dict[str, int]:
    """Name → rows of the drawer's tabs: "Not counted 1,204" is {"Not counted": 1204}."""
    found = (re.fullmatch(r"(\D+) ([\d,]+)", tab.inner_text().strip()) for tab in drawer.get_by_role("tab").all())
    return {match[1]: int(match[2].replace(",", "")) for match in found if match}
