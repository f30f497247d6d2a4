"""A whole weekly meeting on the sample company, from Monday to the Monday after: prepared, held frozen, closed with an action and its files, and the next one
begins with what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from revscore.core.data import CrmData
from revscore.rhythm import actions, meetings
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.verdicts import WORDS
from revscore.store import SAMPLE, Store
from tests.browser.conftest import WIDE, serve
from tests.browser.screen import Screen
from tests.browser.test_meeting import at, stand, start

MONDAY, NEXT = (pd.Timestamp(f"2026-11-{day:02}T13:00:00Z").as_unit("us") for day in (2, 16))
TITLE = "A person takes every MQL of the queue within the hour"


@pytest.fixture
def sample_data(first_store: Path, first: Screen) -> CrmData:
    store = Store(first_store)
    data = store.data(SAMPLE)
    store.close()
    return data


@pytest.fixture
def definitions(first_store: Path, first: Screen) -> dict:
    store = Store(first_store)
    config = store.terms(SAMPLE)[0]
    store.close()
    return dict(config)


def load(path: Path, data: CrmData, as_of: pd.Timestamp) -> None:
    """The sample company as the extract of a day: what is dated later does not count yet."""
    store = Store(path)
    rows = sum(map(len, data.tables.values()))
    ledger = pd.DataFrame({"file": ["extract.xlsx"], "read": [rows], "kept": [rows]})
    store.save_load("company", replace(data, as_of=as_of), ledger, ledger.iloc[:0], files=(), rows_read=rows, rows_kept=rows, rows_quarantined=0, by="Ada")
    store.close()


@pytest.fixture
def place(tmp_path: Path, sample_data: CrmData, definitions: dict) -> Path:
    path = tmp_path / "meeting.sqlite"
    load(path, sample_data, MONDAY)
    store = Store(path)
    store.save_terms("company", definitions, "Ada", "Those of the sample company")
    store.close()
    return path


@pytest.fixture
def shown(chromium, place: Path) -> Iterator[Screen]:
    with serve(place) as address:
        context = chromium.new_context(viewport=WIDE, color_scheme="light", accept_downloads=True)
        yield Screen(context.new_page(), address)
        context.close()


def test_a_weekly_meeting_ends_with_an_action_and_the_next_begins_with_its_verdict(shown: Screen, place: Path, sample_data: CrmData) -> None:
    # prepared: every question on one line, with its answer
    shown.open("weekly")
    assert "data as of 2 Nov 2026" in shown.effect
    lines = shown.at("[class*=st-key-screen-weekly]").all_inner_texts()
    assert len(lines) == len(AGENDAS["weekly"].ids) and any("due by now" in line for line in lines), lines

    # started, and stepped by keyboard
    id_ = start(shown)
    seen: dict[str, dict[str, str]] = {}
    for screen in AGENDAS["weekly"].ids[:7]:
        at(shown, "weekly", screen)
        seen[screen] = shown.numbers
        if screen != "promises":
            shown.page.keyboard.press("ArrowRight")
    headline = shown.title
    assert seen["promises"], "the screen of promises shows numbers"

    # a new extract arrives, and nothing moves
    load(place, sample_data, NEXT)
    shown.at(".st-key-stage-clock").get_by_text("A newer extract (as of 16 Nov 2026) arrived").wait_for(timeout=20_000)
    shown.page.keyboard.press("ArrowLeft")
    at(shown, "weekly", "stuck")
    assert shown.numbers == seen["stuck"]
    shown.page.keyboard.press("PageDown")
    at(shown, "weekly", "promises")
    assert shown.numbers == seen["promises"] and shown.title == headline

    # an incomplete action is refused, a complete one is written down
    shown.at(".st-key-stage-foot").get_by_role("button", name="Action").first.click()
    form = shown.page.get_by_role("dialog")
    form.get_by_label("What is to be done").fill(TITLE)
    form.get_by_role("button", name="Save action").click()
    form.get_by_text("lacks an owner").wait_for()
    store = Store(place)
    assert actions.actions(store, "company") == ()
    _choose(shown, "capture-number", "Speed to lead kept")
    _choose(shown, "capture-owner", "Ada Byron", new=True)
    _choose(shown, "capture-function", "RevOps")
    _day(shown, "capture-1-check", "2026-11-16")
    form.get_by_role("button", name="Save action").click()
    form.wait_for(state="detached")
    stand(shown)
    (action,) = actions.actions(store, "company")
    assert (action.title, action.state, action.meeting, action.screen) == (TITLE, "open", id_, "promises")
    assert action.success.check_on == "2026-11-16" and action.success.receipt["as_of"].startswith("2026-11-02") and action.success.n > 10
    shown.at(".st-key-stage-chips").get_by_text(TITLE).wait_for()

    # closed, and published as it was frozen
    for _ in range(2):
        shown.page.keyboard.press("ArrowRight")
    at(shown, "weekly", "next")
    shown.page.get_by_role("button", name="Close and publish").click()
    shown.page.get_by_role("button", name="Workbook").wait_for(timeout=60_000)
    held = meetings.meeting(store, "company", id_)
    (publication,) = store.publications("company")
    assert not held.running and held.publication == publication.id and publication.as_of == MONDAY
    published = {value.label: value for value in store.published(publication.id)}

    # the pack: the same numbers as on the screens, and as published
    with shown.page.expect_download(timeout=120_000) as waiting:
        shown.page.get_by_role("button", name="Workbook").click()
    book = load_workbook(BytesIO(Path(waiting.value.path()).read_bytes()))
    assert {"Minutes", "Decisions", "Actions"} <= set(book.sheetnames)
    head, *rows = [row for row in book[next(name for name in book.sheetnames if "review" in name.lower())].iter_rows(values_only=True) if row and row[0] and row[1] is not None or row[:2] == ("Number", "Value")]
    columns = {name: place for place, name in enumerate(head)}
    told = {row[0]: row for row in rows}
    for numbers in seen.values():
        for label, text in numbers.items():
            if label in told:
                assert told[label][columns["Shown as"]] == text, label
    compared = [label for label in told if label in published and told[label][columns["Value"]] is not None]
    assert len(compared) > 10 and all(told[label][columns["Value"]] == pytest.approx(published[label].value) for label in compared)
    assert any(TITLE in str(value) for row in book["Actions"].iter_rows(values_only=True) for value in row)

    # next week's meeting begins with the verdict
    shown.open("weekly")
    assert "data as of 16 Nov 2026" in shown.effect
    start(shown)
    at(shown, "weekly", "before")
    assert TITLE in shown.text
    assert any(word in shown.text for word in WORDS.values() if word != WORDS["not_yet_measurable"]), shown.text
    store.close()
    shown.assert_clean()


def _choose(shown: Screen, key: str, label: str, new: bool = False) -> None:
    """Choose `label` in the select box `key` of the form; `new`: one that it does not offer."""
    box = shown.at(f".st-key-{key} input")
    box.click()
    box.fill(label)
    if new:
        box.press("Enter")
    else:
        shown.page.get_by_role("option", name=label, exact=True).click()
    shown.page.wait_for_timeout(600)


def _day(shown: Screen, key: str, day: str) -> None:
    """Type a day into the date field `key`, part by part."""
    for part, digits in zip(shown.at(f".st-key-{key}").get_by_role("spinbutton").all(), day.split("-"), strict=True):
        part.click()
        part.press_sequentially(digits)
    shown.page.keyboard.press("Tab")
    shown.page.wait_for_timeout(600)
