"""The HTML file of a meeting in a real browser without a network: it asks for nothing, breaks none of its own rules, draws every chart, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from revscore import company
from revscore.charts.pictures import of_meeting
from revscore.export.html import meeting_html
from revscore.rhythm.figures import figures
from revscore.rhythm.minutes import Minutes, minutes
from tests.export.held import weekly_meetings

WHAT = """() => ({
  plots: [...document.querySelectorAll('.plot')].filter(one => one.querySelector('svg')).length, all: document.querySelectorAll('.plot').length,
  seen: [...document.querySelectorAll('.plot')].filter(one => one.offsetParent !== null).map(one => one.id.split('-')[1]),
  wide: document.documentElement.scrollWidth - innerWidth, images: document.querySelectorAll('img').length, ground: getComputedStyle(document.body).backgroundColor,
  numbers: [...document.querySelectorAll('#numbers tbody tr')].map(row => row.cells[1].textContent)})"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Minutes]]:
    folder = tmp_path_factory.mktemp("page")
    store = company.open_store(folder / "store.sqlite")
    held, x, view = weekly_meetings(store)
    said = minutes(store, company.SAMPLE, held, x)
    path = folder / "meeting.html"
    path.write_bytes(meeting_html(said, of_meeting(said.by_screen, said.tables["Bridge"], said.currency, said.finding("bridge"), figures(x, view, said.review)), ()))
    yield path, said
    store.close()


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(11, 18, 32)")])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_file_opens_offline_and_shows_the_meeting(chromium, page_file, scheme: str, ground: str, width: int) -> None:
    path, said = page_file
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 844}, offline=True)
    try:
        page = context.new_page()
        told, asked = [], []
        page.on("console", lambda message: told.append(message.text) if message.type == "error" or "Content Security" in message.text else None)
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("dialog", lambda dialog: told.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-drawn=yes]", timeout=60_000)
        found = page.evaluate(WHAT)
        assert told == [] and [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        assert found["plots"] == found["all"] > 0 and set(found["seen"]) == {scheme} and found["ground"] == ground
        assert found["wide"] <= 0 and found["images"] == 0 and found["numbers"] == [line.text for line in said.lines]
        page.emulate_media(media="print")
        assert set(page.evaluate(WHAT)["seen"]) == {"light"}  # on paper
    finally:
        context.close()
