"""A meeting on the wall: every screen fits its window and reads from afar; two people see the same, whatever arrives; what both write down is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from revscore import company
from revscore.rhythm import actions, decisions, meetings
from revscore.rhythm.agenda import AGENDAS
from revscore.store import SAMPLE, Store
from tests.browser.conftest import serve
from tests.browser.screen import Screen
from tests.pages.conftest import AS_OF

SIZES = {"1920": {"width": 1920, "height": 1080}, "1280": {"width": 1280, "height": 720}}
SMALLEST = 16  # px at 1080
_STANDS = """() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]') && document.querySelector('.st-key-stage-foot') && document.querySelector('.st-key-stage h1')
    && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')"""
_FITS = """() => {
  const foot = document.querySelector('.st-key-stage-foot').getBoundingClientRect(), k = Math.min(innerWidth / 1920, innerHeight / 1080);
  const place = document.querySelector('.st-key-stage-body').parentElement.getBoundingClientRect();
  const seen = e => { const box = e.getBoundingClientRect(); return box.width && box.height && getComputedStyle(e).visibility !== 'hidden' && !e.closest('style'); };
  const body = [...document.querySelectorAll('.st-key-stage-body *')].filter(seen), own = [...document.querySelectorAll('.st-key-stage *')].filter(seen);
  const said = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  return {
    foot: innerHeight - foot.bottom, below: Math.max(0, ...body.map(e => e.getBoundingClientRect().bottom)) - foot.top, cut: Math.max(0, ...body.map(e => e.getBoundingClientRect().bottom)) - place.bottom,
    right: Math.max(0, ...body.map(e => e.getBoundingClientRect().right)) - innerWidth,
    small: own.filter(e => said(e) && parseFloat(getComputedStyle(e).fontSize) < SMALLEST * k - .05).map(e => `${getComputedStyle(e).fontSize} ${e.textContent.slice(0, 30)}`),
    headline: parseFloat(getComputedStyle(document.querySelector('.st-key-stage h1')).fontSize) / k,
    values: own.filter(e => e.closest('[data-testid=stMetricValue]') && said(e)).map(e => parseFloat(getComputedStyle(e).fontSize) / k),
    bars: [...document.querySelectorAll('html, body, [data-testid=stApp], [data-testid=stMain], .st-key-stage *')].filter(e => seen(e) && e.tagName !== 'TEXTAREA'
      && ['auto', 'scroll'].includes(getComputedStyle(e).overflowY) && e.scrollHeight > e.clientHeight + 1).map(e => e.dataset.testid || e.className),
    chrome: ['stHeader', 'stSidebar', 'stToolbar', 'stMainMenu'].filter(id => [...document.querySelectorAll(`[data-testid=${id}]`)].some(seen)),
    anchors: [...document.querySelectorAll('.st-key-stage [data-testid=stHeaderActionElements] a')].filter(seen).length,
  };
}""".replace("SMALLEST", str(SMALLEST))


def stand(one: Screen) -> Screen:
    """Wait until the stage stands."""
    one.page.wait_for_function(_STANDS, timeout=60_000)
    return one


def start(one: Screen, kind: str = "weekly") -> str:
    """Start the meeting of a page, or join it; its id."""
    one.open(kind)
    one.at(".st-key-start-meeting button, .st-key-join-meeting button").first.click()
    one.at(".st-key-stage-foot").wait_for()
    stand(one)
    return re.search(r"meeting=(\w+)", one.page.url)[1]


def at(one: Screen, kind: str, screen: str) -> None:
    """Wait until the window shows a screen of the agenda."""
    agenda = AGENDAS[kind]
    one.at(".st-key-stage-clock").get_by_text(f"{agenda.ids.index(screen) + 1} of {len(agenda.ids)}").wait_for()
    stand(one)


@pytest.fixture
def own(own_store: Path):
    with serve(own_store) as address:
        yield address


@pytest.fixture
def window(chromium):
    """`window(address, size, theme)`; in the end nothing may have been asked of another host, and nothing gone wrong."""
    made: list[tuple] = []

    def new(address: str, size: str = "1920", theme: str = "light") -> Screen:
        context = chromium.new_context(viewport=SIZES[size], color_scheme=theme)
        made.append((context, Screen(context.new_page(), address)))
        return made[-1][1]

    yield new
    for context, _ in made:
        context.close()
    for _, one in made:
        one.assert_clean()


@pytest.mark.parametrize("kind", ["weekly", "monthly"])
@pytest.mark.parametrize(("size", "theme"), [("1920", "light"), ("1280", "dark")])
def test_every_screen_fits_its_window_and_reads_from_afar(own, window, kind: str, size: str, theme: str) -> None:
    one = window(own, size, theme)
    start(one, kind)
    one.page.wait_for_timeout(800)  # the first run does not know the window yet
    for screen in AGENDAS[kind].ids:
        at(one, kind, screen)
        one.page.wait_for_timeout(400)
        found = one.page.evaluate(_FITS)
        assert abs(found["foot"]) <= 1, f"{screen}: the foot is not at the bottom of the window"
        assert found["below"] <= 1 and found["cut"] <= 1 and found["right"] <= 1, f"{screen}: {found}"
        assert not found["small"], f"{screen}: too small to read: {found['small']}"
        assert 44 <= found["headline"] <= 48 and all(value >= 52 for value in found["values"]), f"{screen}: {found['headline']}, {found['values']}"
        assert not found["bars"] and not found["chrome"] and not found["anchors"], f"{screen}: {found}"
        one.page.keyboard.press("ArrowRight")


def test_two_people_see_the_same_frozen_meeting(own, own_store, window) -> None:
    ada, bo = window(own), window(own, "1280", "dark")
    id_ = start(ada)
    assert start(bo) == id_
    bo.at(".st-key-present").wait_for()
    for _ in range(5):  # as fast as a clicker is pressed by mistake
        ada.page.keyboard.press("ArrowRight")
    at(ada, "weekly", "stuck")
    at(bo, "weekly", "stuck")  # follows by itself
    store = Store(own_store)
    before = ada.numbers
    assert before and bo.numbers == before

    data = store.data(SAMPLE)
    deals = data.tables["opportunities"].iloc[::2].reset_index(drop=True)
    later = type(data)({**{name: data.tables[name] for name in data.tables}, "opportunities": deals}, data.as_of + (AS_OF - AS_OF.normalize()))
    ledger = later.tables["opportunities"].iloc[:1][[]].assign(file="later.csv", read=1, kept=1)
    store.save_load(SAMPLE, later, ledger, ledger.iloc[:0], files=(), rows_read=1, rows_kept=1, rows_quarantined=0, by="bo")
    assert company.state_of(store, SAMPLE)

    for one in (ada, bo):
        one.at(".st-key-stage-clock").get_by_text("A newer extract").wait_for(timeout=15_000)
        one.page.keyboard.press("ArrowLeft")
        at(one, "weekly", "signals")
        one.page.keyboard.press("PageDown")
        at(one, "weekly", "stuck")
        assert one.numbers == before, "the meeting stays on its extract"

    ada.page.keyboard.press("d")
    ada.page.get_by_role("dialog").get_by_label("What is decided", exact=True).fill("The oldest three are closed out today")
    bo.page.get_by_role("button", name="Action", exact=True).click()
    bo.page.get_by_role("dialog").get_by_label("What is to be done").fill("Call the other sixteen")
    bo.page.get_by_role("dialog").get_by_role("button", name="Keep as a draft").click()
    ada.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    for one in (ada, bo):
        one.page.get_by_role("dialog").wait_for(state="detached")
        stand(one)
    (action,), (decision,) = actions.actions(store, SAMPLE), decisions.decisions(store, SAMPLE)
    assert (action.meeting, action.screen, decision.meeting, decision.screen) == (id_, "stuck", id_, "stuck")
    assert decision.receipt["loads"] == list(meetings.meeting(store, SAMPLE, id_).frozen.loads)
    ada.page.keyboard.press("ArrowLeft")
    at(ada, "weekly", "signals")
    ada.page.keyboard.press("ArrowRight")
    at(ada, "weekly", "stuck")
    for said in ("Call the other sixteen", "The oldest three are closed out today"):
        ada.at(".st-key-stage-chips").get_by_text(said).wait_for()

    for _ in range(3):
        ada.page.keyboard.press("PageDown")
    at(ada, "weekly", "next")
    ada.page.get_by_role("button", name="Close and publish").click()
    ada.page.get_by_text("lacks").first.wait_for()
    assert meetings.meeting(store, SAMPLE, id_).running, "an action lacks its owner"
    store.close()
