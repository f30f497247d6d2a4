"""The real app on a store of its own, in a real browser: Debian's or any other Chromium (REVSCORE_BROWSER), driven by Playwright.

Without Playwright or a browser these tests are skipped and say so; where REVSCORE_BROWSER is set they must run.
"""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.browser.screen import Screen

ROOT = Path(__file__).parents[2]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
WIDE = {"width": 1920, "height": 1080}


@contextmanager
def serve(store: Path, *flags: str) -> Iterator[str]:
    """The address of `streamlit run app.py` on `store`."""
    with running(store, *flags) as (address, _):
        yield address


@contextmanager
def running(store: Path, *flags: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """Address and process of the app on `store`. Its log must be free of tracebacks: the pages do not show them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = store.with_suffix(".log")
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen([sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true", *flags],
                                   cwd=ROOT, env={**os.environ, "REVSCORE_DB": str(store)}, stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, log)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.terminate()
            process.wait(20)
    said = log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in said, said[-4000:]


def _wait_for(health: str, process: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            return urllib.request.urlopen(health, timeout=2).close()
        except OSError:
            time.sleep(0.1)
    pytest.fail("the app did not start: " + log.read_text(encoding="utf-8", errors="replace")[-2000:])


@pytest.fixture(scope="package")
def chromium() -> Iterator:
    wanted = os.environ.get("REVSCORE_BROWSER")
    found = wanted or shutil.which("chromium")
    lacking = ("no Playwright: pip install playwright" if find_spec("playwright") is None else "" if found and Path(found).exists()
               else f"no browser at {found}" if found else "no Chromium: install it or name it in REVSCORE_BROWSER")
    if lacking:
        (pytest.fail if wanted else pytest.skip)(lacking)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def first_store(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("first") / "store.sqlite"


@pytest.fixture(scope="package")
def first(chromium, first_store) -> Iterator[Screen]:
    """The very first window on an app whose store was empty."""
    with serve(first_store) as address:
        yield Screen(chromium.new_page(viewport=WIDE), address).open()


@pytest.fixture
def sample(first) -> str:
    """The address of the app on the sample company. Tests there read only."""
    return first.address


@pytest.fixture
def own_store(first, first_store, tmp_path) -> Path:
    """A store of one's own with the sample company, to be changed."""
    place = tmp_path / "own.sqlite"
    with closing(sqlite3.connect(first_store)) as source, closing(sqlite3.connect(place)) as target:
        source.backup(target)
    return place


@pytest.fixture(scope="package")
def people(chromium) -> dict:
    """Someone who likes it light and someone who likes it dark. (They keep what the browser has fetched once, which is quick.)"""
    return {theme: chromium.new_context(viewport=WIDE, color_scheme=theme) for theme in ("light", "dark")}


@pytest.fixture
def screen(people) -> Iterator[Callable[..., Screen]]:
    """`screen(address)`: a new window of 1920 × 1080. In the end nothing may have been asked of another host, and nothing gone wrong."""
    made: list[Screen] = []

    def new(address: str, theme: str = "light") -> Screen:
        made.append(Screen(people[theme].new_page(), address))
        return made[-1]

    yield new
    for one in made:
        one.page.close()
    for one in made:
        one.assert_clean()
