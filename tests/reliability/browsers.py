"""Twenty real browser sessions on one server: all are answered, also while an extract is loaded, and what a session costs in memory.

`python -m tests.reliability.browsers [--sessions 20]`. One Chromium, a context of its own for each session; the sample company. All open a page at the same moment, then all
go on to the next one, while another process loads the user's own extract; a session that asks for it then sees all of it. The control opens an address where nobody answers,
and must fail.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from revscore import company
from revscore.intake.apart import resident
from revscore.store import Store
from revscore.ui.menu import PAGES
from tests.browser.conftest import ARGUMENTS, WIDE, running
from tests.browser.screen import Screen
from tests.reliability import acts

LINKS = {"" if file == "scorecard" else file: title for group in PAGES.values() for file, title, _ in group}


@dataclass
class Figures:
    """`seconds`: until each page stood, by step; `memory`: MB of the server before, with all sessions, and a while after they closed."""

    sessions: int = 0
    seconds: dict[str, list[float]] = field(default_factory=dict)
    memory: tuple[float, float, float] = (0.0, 0.0, 0.0)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        steps = "; ".join(f"{step}: {len(some)} answered, the first after {min(some):.1f} s, the last after {max(some):.1f} s" for step, some in self.seconds.items() if some)
        before, there, _after = self.memory
        return (f"{self.sessions} sessions: {steps}; memory of the server {before:.0f} MB, with all of them {there:.0f} MB: {(there - before) / max(self.sessions, 1):.1f} MB a session, "
                f"the pages' shared parts included; {len(self.faults)} faults")


def open_all(screens: Sequence[Screen], links: Sequence[str], figures: Figures, step: str, seconds: float = 120) -> None:
    """All windows to their pages at the same moment; each must show its page, without an exception."""
    begun, figures.seconds[step] = time.monotonic(), []
    waiting = []
    for screen, link in zip(screens, links, strict=True):
        try:
            screen.page.goto(f"{screen.address}/{link}", wait_until="commit", timeout=seconds * 1000)
            waiting.append((screen, link))
        except Exception as error:
            figures.faults.append(f"{step}, {link or 'scorecard'}: {str(error).splitlines()[0]}")
    for screen, link in waiting:
        title = LINKS[link.partition("?")[0]]
        try:
            screen.at("h1").get_by_text(title, exact=True).first.wait_for(timeout=seconds * 1000)
            screen.page.wait_for_function("() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')", timeout=seconds * 1000)
        except Exception as error:
            figures.faults.append(f"{step}, {title}: {str(error).splitlines()[0]}")
            continue
        figures.seconds[step].append(time.monotonic() - begun)
        if screen.at("[data-testid=stException]").count():
            figures.faults.append(f"{step}, {title}: {screen.at('[data-testid=stException]').first.inner_text()[:300]}")


@contextmanager
def windows(browser: Any, address: str, count: int) -> Iterator[list[Screen]]:
    """As many sessions, each in a context of its own."""
    contexts = [browser.new_context(viewport=WIDE) for _ in range(count)]
    try:
        yield [Screen(one.new_page(), address) for one in contexts]
    finally:
        for one in contexts:
            one.close()


def own_extract(store: Path) -> None:
    """Another process of the team loads the company's first own extract."""
    held = Store(store)
    acts.extract(held, 1)
    held.close()


def sees(screen: Screen, figures: Figures) -> None:
    """Whoever asks for the own company sees that, all of it."""
    screen.page.goto(f"{screen.address}/data?data={company.COMPANY}", wait_until="commit")
    try:
        screen.page.get_by_text("My company").first.wait_for(timeout=60_000)
    except Exception as error:
        figures.faults.append(f"the extract that was loaded meanwhile is not shown: {str(error).splitlines()[0]}")


def run(sessions: int) -> Figures:
    """The whole on a server of one's own."""
    from playwright.sync_api import sync_playwright

    figures, chromium = Figures(sessions), os.environ.get("REVSCORE_BROWSER") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = Path(folder) / "store.sqlite"
        made = Store(store)
        company.ensure_sample(made)
        made.close()
        with running(store) as (address, process):
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            with windows(browser, address, 1) as (first,):
                open_all([first], [""], Figures(), "the first")  # what all sessions share is made
                before = resident(process)
            links = [[*LINKS][n % len(LINKS)] for n in range(sessions)]
            with windows(browser, address, sessions) as screens:
                open_all(screens, links, figures, "all open a page at once")
                own_extract(store)
                open_all(screens, [f"{link}?data={company.SAMPLE}" for link in [*links[1:], links[0]]], figures, "all go on to the next page, after a load")
                there = resident(process)
                sees(screens[0], figures)
                for screen in screens:
                    figures.faults += [f"asked of another host: {url}" for url in screen.elsewhere]
            figures.memory = before / 1e6, there / 1e6, resident(process) / 1e6
            browser.close()
    return figures


def control(sessions: int = 2) -> Figures:
    """Nobody answers: must fail."""
    from playwright.sync_api import sync_playwright

    figures = Figures(sessions)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("REVSCORE_BROWSER") or shutil.which("chromium"), args=ARGUMENTS)
        with windows(browser, "http://127.0.0.1:9", sessions) as screens:
            open_all(screens, [""] * sessions, figures, "nobody answers", seconds=5)
        browser.close()
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--nightly", action="store_true", help="as without: twenty sessions")
    figures, without = run(parser.parse_args().sessions), control()
    print(figures, *figures.faults, sep="\n  ")
    print(f"control (nobody answers): {len(without.faults)} faults of {without.sessions}")
    return 1 if figures.faults or len(without.faults) < without.sessions else 0


if __name__ == "__main__":
    sys.exit(main())
