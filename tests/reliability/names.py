"""Hostile names everywhere: the sample company with every free word of its extract, and everything that people wrote down, made into Markdown, HTML, links, beacons and
formulas; and a walk through the app in a real browser that looks for any of it alive.

    python -m tests.reliability.names [--nightly]

prints what was walked and what was alive, and as its control what a page shows that writes the same names without escaping. --nightly walks both themes and meetings.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from html import unescape
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from revscore import company
from revscore.cli import main as main_of_cli
from revscore.core import schema
from revscore.core.data import CrmData
from revscore.core.receipt import receipt
from revscore.core.view import View
from revscore.core.written import view_as_json
from revscore.governance import changes
from revscore.governance.changes import Change
from revscore.governance.publishing import publish
from revscore.people import Actor
from revscore.rhythm import actions, backlog, decisions, disputes, meetings
from revscore.rhythm.actions import Action
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.backlog import Idea
from revscore.rhythm.decisions import Decision
from revscore.rhythm.meetings import Frozen
from revscore.rhythm.reviews import numbers
from revscore.store import SAMPLE, LoadFile, Store
from revscore.ui.menu import PAGES
from tests.people import whole

HOST = "evil.example"
PAYLOADS = (
    f"![zq](http://{HOST}/a.png)", f"[zqlink](http://{HOST}/b)", f"http://{HOST}/c", f"www.{HOST}/d", f"<img src=http://{HOST}/e.png onerror=window.zq=1>", "<script>window.zq=2</script>",
    f"[zqlink](javascript:window.zq=3)", "**zqbold** _zqitalic_ ~~zqgone~~", "`zqcode`", "$zq^2$", ":red[zqred] :material/bug_report: :zap:", f"<a href='http://{HOST}/f'>zqlink</a>",
    f"<http://{HOST}/g>", f"mail@{HOST}", "# zqhead", "> zqquote", "| zq | zq |", "&lt;img src=x&gt;", "</style><style>body{display:none}</style>", f"<iframe src=http://{HOST}/h></iframe>", "{{zq}} ${zq} %(zq)s {zq}",
)
FORMULAS = ("=1+1", f'=HYPERLINK("http://{HOST}","zq")', "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\uff1d1+1")
_MEANT = {  # words that revscore reads: changed they would mean something else
    "metric_id", "period", "source", "currency", "tz", "open", "close", "unit", "sla_type", "clock", "stage", "forecast_category", "object", "field", "kind", "status", "arm", "owner_function", "calendar_id", "type",
    "function", "result", "direction", "pacing", "profile_id", "event_id", "activity_id", "touch_id", "experiment_id", "series_id",
}
ALIVE = """host => ({
  links: [...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href')).filter(h => h.includes(host) || /^\\s*javascript:/i.test(h)),
  fetched: [...document.querySelectorAll('img[src], iframe[src], video[src], source[src], link[href], object[data]')].map(e => e.src || e.href || e.data).filter(s => s && s.includes(host)),
  formatted: [...document.querySelectorAll('strong, b, em, i, del, code, h1, h2, blockquote, .katex, span[style*=color]')].map(e => e.textContent.trim())
    .filter(t => ['zqbold', 'zqitalic', 'zqgone', 'zqcode', 'zqhead', 'zqquote', 'zqred', 'zq2'].includes(t)),
  scripts: window.zq === undefined ? [] : [`window.zq = ${window.zq}`],
  hidden: getComputedStyle(document.body).display === 'none' ? ['body'] : []})"""


def hostile(value: str, formula: bool = False) -> str:
    """`value` with a payload; the same value always with the same, so that what belongs together stays so."""
    place = int.from_bytes(hashlib.sha256(value.encode()).digest()[:4])
    return f"{FORMULAS[place % len(FORMULAS)]} {value}" if formula and place % 3 == 0 else f"{value} {PAYLOADS[place % len(PAYLOADS)]}"


def hostile_data(data: CrmData) -> CrmData:
    """An extract whose free words are hostile: names, segments, regions, sources, reasons, ids."""
    users = data.table("users")
    managers = users["user_id"].iloc[[place % 2 for place in range(len(users))]].to_numpy()  # two in each function, so that its teams are called by them
    return replace(data, tables={name: _hostile(name, frame.assign(manager_id=managers) if name == "users" else frame) for name, frame in data.tables.items()})


def _hostile(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    free = [column for column in schema.TABLES[table].columns if column.name in frame and column.type in ("id", "text", "enum") and not column.words and column.name not in _MEANT]
    out = {}
    for column in free:
        words = frame[column.name].dropna().unique()
        out[column.name] = frame[column.name].map({word: hostile(str(word), column.type == "text") for word in words}).astype("str")
    return frame.assign(**out)


def hostile_store(store: Store, data: CrmData, config: Mapping[str, Any]) -> None:
    """A company of hostile words, and of hostile people who have written down everything that can be written down."""
    ann, bob = (whole(hostile(name)) for name in ("Ann", "Bob"))
    rows = sum(map(len, data.tables.values()))
    sheets = pd.DataFrame({"file": [PAYLOADS[0]], "sheet": [PAYLOADS[1]], "table": ["leads"], "read": [rows], "kept": [rows], "mended": [0], "quarantined": [0], "footer": [0]})
    findings = pd.DataFrame({"file": PAYLOADS, "sheet": PAYLOADS[::-1], "row": range(len(PAYLOADS)), "column": PAYLOADS, "text": PAYLOADS, "action": "note", "code": "N_X", "reason": PAYLOADS})
    store.save_load(company.COMPANY, hostile_data(data), sheets, findings, files=[LoadFile(PAYLOADS[0], "0" * 64), LoadFile(PAYLOADS[4], "1" * 64)], rows_read=rows, rows_kept=rows, rows_quarantined=0, by=ann.name)
    store.save_terms(company.COMPANY, config, ann.name, PAYLOADS[0])
    _written(store, ann, bob)


def _written(store: Store, ann: Actor, bob: Actor) -> None:
    name = company.COMPANY
    for place, text in enumerate((*PAYLOADS, *FORMULAS)):
        decisions.raise_decision(store, name, Decision(f"q{place}", f"{text} ?", kind="weekly"), ann)
        decisions.decide(store, name, Decision(f"d{place}", text, f"{text} it is", kind="monthly"), ann)
        actions.raise_action(store, name, Action(f"a{place}", text, text, "sales", "2026-11-10", note=text), ann, draft=True)
        backlog.propose(store, name, Idea(f"i{place}", text, problem=text), ann)
    for place, new in enumerate((40, 50, 60)):
        one = changes.propose(store, name, Change(f"c{place}", "hygiene.stale_days", new=new, metric="dq.exception_rate", why=PAYLOADS[place]), ann)
        if place < 2:
            (changes.approve if place else changes.reject)(store, name, one, bob, PAYLOADS[4])


@dataclass
class Walked:
    """What a walk saw: pages and surfaces looked at, and what was alive there."""

    looks: int = 0
    opened: int = 0
    alive: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not self.alive and not self.asked


class Walk:
    """A walk through the app in one browser context. `most`: folds, tabs and lists that are opened of each kind on a page."""

    def __init__(self, context, address: str, most: int = 40) -> None:
        self.context, self.address, self.found, self.most = context, address, Walked(), most
        context.add_init_script("window.alert = window.confirm = window.prompt = () => { window.zq = 'dialog' }")
        context.route("**/*", self._route)
        self.page = context.new_page()
        self.page.set_default_timeout(30_000)

    def _route(self, route) -> None:
        host = urlsplit(route.request.url).hostname
        if host in ("127.0.0.1", "localhost", None):
            return route.continue_()
        self.found.asked.append(route.request.url)
        route.abort()

    def look(self, where: str) -> None:
        self.found.looks += 1
        for kind, what in self.page.evaluate(ALIVE, HOST).items():
            self.found.alive += [f"{where}: {kind} {one}" for one in what]

    def stand(self) -> None:
        self.page.wait_for_function("""() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]') && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')""", timeout=90_000)

    def open(self, path: str) -> None:
        """A page, with every fold and every tab of it, and the first number and the first row opened to its drawer."""
        self.page.goto(f"{self.address}/{path}")
        self.stand()
        self.look(path)
        self._folds(path)
        for tab in self.page.locator("[data-testid=stMain] [role=tab]:not([aria-selected=true])").all()[:self.most]:
            if self._click(tab):
                self.look(f"{path}, tab {tab.inner_text()[:20]!r}")
        self._away()
        for button in self.page.locator("[data-testid=stMain] [class*=st-key-open-] button, [data-testid=stMain] [class*=st-key-rows-] button").all()[:1]:
            if self._click(button):
                self.page.get_by_role("dialog").wait_for(timeout=10_000)
                self.stand()
                self.look(f"{path}, drawer")
                for tab in self.page.get_by_role("dialog").locator("[role=tab]:not([aria-selected=true])").all()[:self.most]:
                    if self._click(tab):
                        self.look(f"{path}, drawer, tab {tab.inner_text()[:20]!r}")

    def _folds(self, where: str) -> None:
        for fold in self.page.locator("[data-testid=stMain] details:not([open]) > summary").all()[:self.most]:
            self._click(fold)
        self.look(f"{where}, folds open")

    def uploads(self, folder: Path) -> None:
        """What is shown of a file before it is stored, and of a sheet of targets before it is taken over; every name, heading, word and cell in them is hostile."""
        extract, targets = hostile_files(folder)
        self.page.goto(f"{self.address}/data")
        self.stand()
        self.page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(extract)
        self.page.locator(".st-key-confirm-bar").wait_for(timeout=120_000)
        self.stand()
        self.look("an upload before it is stored")
        self._folds("an upload before it is stored")
        self.page.goto(f"{self.address}/targets")
        self.stand()
        self._click(self.page.get_by_role("tab", name="Take over a workbook"))
        self.page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(targets)
        self.page.get_by_text("Nothing is taken over").wait_for(timeout=120_000)
        self.stand()
        self.look("a sheet of targets")

    def forms(self) -> None:
        """The form of a person, and that of a dispute; and what is disputed."""
        for path, opens in (("people", (".st-key-person-add button",)), ("", ("[class*=st-key-open-] button", ".st-key-drawer-dispute button"))):
            self.page.goto(f"{self.address}/{path}")
            self.stand()
            for button in opens:
                self._click(self.page.locator(button).first)
                self.page.get_by_role("dialog").wait_for()
                self.stand()
            self.look(f"{path}, the form")
            for box in self.page.get_by_role("dialog").locator("[data-testid=stSelectbox] input").all()[:self.most]:
                if self._click(box):
                    self.look(f"{path}, the form, a list of choices")
                    self.page.keyboard.press("Escape")

    def menus(self, path: str) -> None:
        """Every choice of the filters, opened."""
        self.page.goto(f"{self.address}/{path}")
        self.stand()
        for box in self.page.locator("[data-testid=stSelectbox] input, [data-testid=stMultiSelect] input").all()[:self.most]:
            if self._click(box):
                self.look(f"{path}, a list of choices")
                self.page.keyboard.press("Escape")
                self.page.wait_for_timeout(300)

    def meeting(self, kind: str) -> None:
        """A meeting from its start through all its screens."""
        self.page.goto(f"{self.address}/{kind}")
        self.stand()
        self.page.locator(".st-key-start-meeting button, .st-key-join-meeting button").first.click()
        self.page.locator(".st-key-stage-foot").wait_for()
        for step in range(12):
            self.stand()
            self.look(f"{kind} meeting, step {step}")
            self.page.keyboard.press("ArrowRight")
            self.page.wait_for_timeout(400)

    def _away(self) -> None:
        """Close what lies over the page."""
        if self.page.get_by_role("dialog").count():
            self.page.keyboard.press("Escape")
            self.page.get_by_role("dialog").first.wait_for(state="detached")

    def _click(self, thing) -> bool:
        if not thing.is_visible() or not thing.is_enabled():
            return False
        thing.click()
        self.page.wait_for_timeout(150)
        self.stand()
        self.found.opened += 1
        return True


def pages() -> tuple[str, ...]:
    """The address of every page below that of the app; the first is its home."""
    return tuple("" if file == "scorecard" else file for group in PAGES.values() for file, _, _ in group)


CONTROL = '''import streamlit as st
from tests.reliability.names import PAYLOADS, FORMULAS
st.markdown("\\n\\n".join(PAYLOADS)); st.metric(PAYLOADS[0], PAYLOADS[1]); st.caption(PAYLOADS[7]); st.table({"name": [PAYLOADS[0], PAYLOADS[8]]})
'''


def hold(store: Store, kind: str) -> str:
    """A meeting of hostile people with hostile notes, held and closed; its id."""
    ann, x, agenda = whole(hostile("Ann")), company.coded(store, company.COMPANY), AGENDAS[kind]
    view, stand = View.of(x.terms.calendar.holding(x.as_of_day, "quarter")), x.data.stand
    frozen = Frozen(stand.loads, x.data.as_of.isoformat(), stand.definitions or 0, x.terms.digest, view_as_json(view), PAYLOADS[0])
    held = meetings.start(store, company.COMPANY, kind, f"{agenda.title} {PAYLOADS[4]}", frozen, agenda.ids, ann)
    for screen, text in zip(agenda.ids, PAYLOADS, strict=False):
        held = meetings.note(store, company.COMPANY, meetings.show(store, company.COMPANY, held, screen, ann), screen, text, ann)
        decisions.decide(store, company.COMPANY, Decision(f"{held.id}{screen}", text, FORMULAS[0], kind=kind, meeting=held.id, screen=screen), ann)
    meetings.attend(store, company.COMPANY, held, {text: "sales" for text in (*PAYLOADS, *FORMULAS)}, ann)
    publish(store, x, numbers(x, view, kind), kind, held.title, view, ann)
    for text, number in zip((*PAYLOADS, *FORMULAS), cycle(numbers(x, view, kind)[:3]), strict=False):
        disputes.dispute(store, company.COMPANY, replace(number, label=text), receipt(x, number), text, ann)
    return meetings.close(store, company.COMPANY, held, ann, PAYLOADS[1]).id


def hostile_files(folder: Path) -> tuple[Path, Path]:
    """A file of deals and a sheet of targets: names, headings, words and cells of them are hostile, as far as a file may be called so."""
    extract, targets = folder / "_zqitalic_ ~~zqgone~~ $zq^2$.csv", folder / "`zqcode` targets.csv"
    words = [text for text in PAYLOADS if "|" not in text]
    deals = [["Opportunity ID", "Opportunity Name", "Stage", "Amount", "Close Date", "Created Date", "Type", *words]]
    deals += [[f"006{place:06}", text, text, "1000", "2026-10-01", "2026-09-01" if place % 3 else text, text, *words] for place, text in enumerate((*PAYLOADS, *FORMULAS))]
    aims = [["Metric", "Segment", "Owner", "Period", "Value"], *([text, text, text, text, text] for text in (*PAYLOADS, *FORMULAS))]
    for path, rows in ((extract, deals), (targets, aims)):
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return extract, targets


def exported(place: Path, folder: Path, every: bool = False) -> tuple[list[Path], list[str]]:
    """Every kind of file that leaves the house, written by the command line: the files, and what is alive in them. `every`: also of all numbers."""
    folder.mkdir(exist_ok=True)
    more = (("export", str(folder / "monthly.xlsx"), "--review", "monthly"), ("export", str(folder / "all.xlsx"), "--id", "*")) if every else ()
    for words in (("export", str(folder / "weekly.xlsx"), "--review", "weekly"), ("calendar", "--out", str(folder / "rhythm.ics")), ("pack", "--meeting", "last", "--to", str(folder)), *more):
        assert main_of_cli([words[0], "--store", str(place), *words[1:]]) == 0, words
    for by, name in (("owner", "owners.csv"), ("campaign", "campaigns.csv"), ("segment", "segments.csv")):
        with (folder / name).open("w", encoding="utf-8", newline="") as out, redirect_stdout(out):
            main_of_cli(["metrics", "--store", str(place), "--id", "pipeline.*", "--id", "attribution.*", "--by", by, "--format", "csv"])
    files = sorted(folder.iterdir())
    return files, [f"{path.name}: {what}" for path in files for what in alive(path)]


def alive(path: Path) -> Iterator[str]:
    """Cells of a workbook or a CSV file that a spreadsheet program would work out, and links that it would follow."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as packed:
            for name in packed.namelist():
                part = packed.read(name).decode("utf-8") if name.endswith((".xml", ".rels")) and "/theme/" not in name else ""
                yield from (f"{name}: {found}" for found in re.findall(r"<f[ >].{0,60}|<hyperlink.{0,60}|TargetMode=.External.{0,60}", part))
                yield from (f"{name}: {text!r}" for text in map(unescape, re.findall(r"<t(?: [^>]*)?>([^<]+)<", part)) if _works(text))
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from (f"line {line}: {cell!r}" for line, row in enumerate(csv.reader(file), 1) for cell in row if _works(cell))
    if path.suffix == ".pptx":
        with zipfile.ZipFile(path) as packed:
            yield from (f"{name} links to {HOST}" for name in packed.namelist() if name.endswith(".rels") and HOST.encode() in packed.read(name))


def _works(text: str) -> bool:
    """Whether a program would take the text of a cell for a formula; a number is none."""
    return bool(re.match(r"[=@\t\r\uff1d\uff0b\uff0d\uff20]|[+-](?![\d.,\s]*%?$)", text))


@contextmanager
def hostile_company(folder: Path) -> Iterator[Path]:
    """The file of a store that holds the hostile company, made from the sample company."""
    path = folder / "hostile.sqlite"
    store = Store(path)
    try:
        company.ensure_sample(store)
        hostile_store(store, store.data(SAMPLE), store.terms(SAMPLE)[0])
        hold(store, "weekly")
    finally:
        store.close()
    yield path


def walked(context, address: str, held: tuple[str, ...] = (), most: int = 40) -> Walked:
    """What a walk through all pages, forms and uploads and these meetings found."""
    walk = Walk(context, address, most)
    for path in pages():
        walk.open(path)
    walk.menus("")
    walk.forms()
    with TemporaryDirectory() as folder:
        walk.uploads(Path(folder))
    for kind in held:
        walk.meeting(kind)
    walk.page.close()
    return walk.found


def control(context, folder: Path, serve: Callable) -> Walked:
    """The same words on a page that does not escape them."""
    app = folder / "control.py"
    app.write_text(CONTROL, encoding="utf-8")
    with serve(app) as address:
        walk = Walk(context, address)
        walk.page.goto(address)
        walk.stand()
        walk.page.wait_for_timeout(500)
        walk.look("control")
        walk.page.close()
    return walk.found


@contextmanager
def served(app: Path) -> Iterator[str]:
    """The address of any Streamlit script."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(port), "--server.headless", "true"], cwd=root,
                               env={**os.environ, "PYTHONPATH": str(root)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nightly", action="store_true", help="both themes, and both meetings")
    args = parser.parse_args()
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS, WIDE, serve

    with TemporaryDirectory() as folder, sync_playwright() as playwright, hostile_company(Path(folder)) as store:
        browser = playwright.chromium.launch(executable_path=os.environ.get("REVSCORE_BROWSER", "/usr/bin/chromium"), args=ARGUMENTS)
        with serve(store) as address:
            for theme in ("light", "dark") if args.nightly else ("light",):
                context = browser.new_context(viewport=WIDE, color_scheme=theme)
                found = walked(context, address, ("weekly", "monthly") if args.nightly else ())
                context.close()
                print(f"{theme}: {len(pages())} pages, {found.looks} looks, {found.opened} folds, tabs and drawers opened: {len(found.alive)} alive, {len(found.asked)} requests to another host")
                print("\n".join(sorted(set(found.alive + found.asked))[:40]))
        files, live = exported(store, Path(folder) / "exports", every=True)
        print(f"exports: {len(files)} files ({', '.join(path.name.rpartition('.')[2] for path in files)}): {len(live)} live cells or links")
        print("\n".join(live[:20]))
        context = browser.new_context(viewport=WIDE)
        found = control(context, Path(folder), served)
        print(f"control (the same words without escaping): {len(found.alive)} alive, {len(found.asked)} requests to another host")
        browser.close()


if __name__ == "__main__":
    main()
