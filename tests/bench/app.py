"""How the app itself behaves in a real browser: start, a filter's click to the last chart drawn, bytes per rerun, memory per session.

    python tests/bench/app.py [--sessions 1,5,20] [--browser PATH]

A script that prints, not a test: machines differ. It needs Playwright and a Chromium, as the tests in tests/browser do. The store is filled with
the sample company first; that is not counted. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from revscore import company  # noqa: E402
from tests.browser.conftest import ARGUMENTS, WIDE, running  # noqa: E402
from tests.browser.screen import Screen  # noqa: E402

PAGES = ("", "weekly", "monthly", "funnel", "velocity", "sla", "pipeline", "campaigns")
# The last change of the page's main part, charts' drawings among them, and when it came.
_WATCH = """() => { window.__last = 0; new MutationObserver(() => { window.__last = performance.now() }).observe(
    document.querySelector('[data-testid=stMain]'), {subtree: true, childList: true, attributes: true, characterData: true}); }"""
_PRESS = """word => { const found = [...document.querySelectorAll('[data-testid=stMain] button, [data-testid=stSidebar] button, button')]
    .find(one => one.innerText.trim() === word); window.__from = performance.now(); window.__last = 0; found.click(); }"""
_QUIET = "ms => window.__last > 0 && performance.now() - window.__last > ms"


class Wire:
    """Bytes that the server sent over the page's socket."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._came))

    def _came(self, frame: str | bytes) -> None:
        self.bytes += len(frame)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--sessions", default="1,5,20", help="numbers of sessions at which memory is read")
    arguments.add_argument("--browser", default=shutil.which("chromium"), help="the browser's program")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Path(folder) / "store.sqlite"
        store = company.open_store(place)
        company.ensure_sample(store)
        store.close()
        browser = playwright.chromium.launch(executable_path=chosen.browser, args=ARGUMENTS)
        starts = {name: _start(browser, place) for name in ("first", "again")}
        print("server start to first full page: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in starts.items()))
        with running(place) as (address, process):
            pages = {name or "scorecard": _clicks(browser, address, name) for name in PAGES}
            memory = _memory(browser, address, process.pid, [int(n) for n in chosen.sessions.split(",")])
        browser.close()
    print(json.dumps({"start_s": starts, "pages": pages, "memory_mb": memory}))


def _start(browser: Browser, place: Path) -> float:
    """Seconds from starting the server to its scorecard standing in the browser."""
    page, started = browser.new_page(viewport=WIDE), time.perf_counter()
    with running(place) as (address, _):
        Screen(page, address).open()
        taken = time.perf_counter() - started
        page.close()
    return round(taken, 2)


def _clicks(browser: Browser, address: str, name: str) -> dict[str, float]:
    """Another trend grain three times round: first click to last change in ms, of values new to the server and of values seen; KB per rerun."""
    page = browser.new_page(viewport=WIDE)
    wire, screen = Wire(page), Screen(page, address)
    screen.open(name)
    page.wait_for_timeout(1500)
    page.evaluate(_WATCH)
    new, seen, size = [], [], []
    for number, word in enumerate(("Week", "Quarter", "Month") * 3):
        before = wire.bytes
        page.evaluate(_PRESS, word)
        page.wait_for_function(_QUIET, arg=700)
        screen.settle()
        (new if number < 2 else seen).append(page.evaluate("window.__last - window.__from"))
        size.append((wire.bytes - before) / 1000)
    page.close()
    found = {"new_ms": round(max(new)), "seen_ms": round(median(seen)), "kb": round(median(size), 1)}
    print(f"{name or 'scorecard':<10} click to last chart: new {found['new_ms']} ms, seen {found['seen_ms']} ms; {found['kb']} KB a rerun")
    return found


def _memory(browser: Browser, address: str, process: int, numbers: list[int]) -> dict[str, float]:
    """MB per further session, at each number of sessions; and of the server with one. Linux only: elsewhere nothing is printed."""
    if not Path(f"/proc/{process}/status").exists():
        return {}
    pages, out = [], {}
    start = 0.0
    for number in numbers:
        while len(pages) < number:
            pages.append(Screen(browser.new_context(viewport=WIDE).new_page(), address).open())
            pages[-1].open("weekly")
        now = _resident(process)
        if number == numbers[0]:
            start, out["server"] = now, round(now, 1)
            continue
        out[f"per session at {number}"] = round((now - start) / (number - numbers[0]), 2)
        print(f"{number} sessions: {now:.0f} MB, {out[f'per session at {number}']:.2f} MB for each further one")
    return out


def _resident(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1000


if __name__ == "__main__":
    main()
