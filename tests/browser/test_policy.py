"""The app behind the headers that docs/running-it.md prints: everything works, nothing is blocked, and what is closed is closed."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.browser.conftest import WIDE, serve
from tests.browser.proxy import printed, proxied
from tests.browser.screen import Screen
from tests.pages.conftest import _store, small_company

STANDS = "[data-testid=stApp][data-test-script-state=notRunning]"


@pytest.fixture
def behind(tmp_path: Path):
    _store(tmp_path / "store.sqlite", small_company())
    with serve(tmp_path / "store.sqlite") as address, proxied(address) as outside:
        yield outside


def test_the_app_works_under_the_printed_policy(behind: str, chromium) -> None:
    headers, closed = printed()
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "img-src 'self' data:;" in policy and "unsafe-eval" not in policy and {"/_stcore/metrics"} <= set(closed)
    for path in closed:
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(behind + path, timeout=10)
    window = chromium.new_context(viewport=WIDE)
    screen = Screen(window.new_page(), behind)

    def opened(path: str, what: str) -> None:  # (waiting by a function would take the `eval` that the policy forbids)
        screen.page.goto(f"{behind}/{path}")
        screen.at(what).first.wait_for()
        screen.at(STANDS).wait_for()

    opened("", "[data-testid=stMetric]")
    screen.at("[class*=st-key-open-] button").first.click()
    screen.page.get_by_role("dialog").get_by_role("button", name="CSV").wait_for()
    opened("data", "[data-testid=stFileUploader]")
    screen.at("input[type=file]").first.set_input_files({"name": "picture.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(range(256))})
    screen.at("[data-testid=stAlert]").filter(has_text="picture.csv").first.wait_for()
    opened("funnel", "[data-testid=stVegaLiteChart] .marks")
    opened("weekly", ".st-key-start-meeting")
    screen.page.get_by_role("button", name="Start meeting").click()
    screen.at(".st-key-stage").wait_for()
    screen.at("[title='Full screen (F)']").first.wait_for()
    screen.at(STANDS).wait_for()
    screen.assert_clean()

    # the control: a beacon in a page would be fetched without the policy, and is not with it
    beacon = screen.page.evaluate("""() => new Promise(done => { const i = new Image(); i.onload = () => done('fetched'); i.onerror = () => done('blocked');
        i.src = location.protocol + '//localhost:' + location.port + '/favicon.png'; })""")
    assert beacon == "blocked" and any("Content Security Policy" in error for error in screen.errors)
    window.close()
