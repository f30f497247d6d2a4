"""Every number opens to its rows, and the rows can be had as a file that a spreadsheet does not run."""

from __future__ import annotations

import io
import zipfile

import pandas as pd
import pytest

from revscore import company
from revscore.intake import Source
from revscore.people import LOCAL
from tests.browser.conftest import serve
from tests.browser.screen import tabs

EVIL = "=HYPERLINK(\"http://evil.example\",\"click\")"
LEADS = "lead_id,created_at,owner_id,lead_source,segment,is_test\n" + "".join(
    f"L{k},2026-03-{k:02}T09:00:00Z,U1,{source},SMB,false\n" for k, source in enumerate(['"=HYPERLINK(""http://evil.example"",""click"")"', "@SUM(A1)", "-Ads", "Web"], 1))
HISTORY = "event_id,lead_id,stage,entered_at\n" + "".join(f"E{k},L{k},mql,2026-03-{k + 1:02}T09:00:00Z\n" for k in range(1, 5))


def test_rows_are_as_many_as_the_number_says(screen, sample):
    shown = screen(sample).open()
    number = shown.numbers["MQLs"]
    drawer = shown.rows_of("MQLs")
    assert number in drawer.inner_text()
    counted = tabs(drawer)
    assert set(counted) == {"Counted", "Not counted", "Waiting", "Left out"} and f"{counted['Counted']:,}" == number
    with shown.page.expect_download() as got:
        drawer.get_by_role("button", name="CSV").click()
    frame = pd.read_csv(got.value.path(), encoding="utf-8-sig")
    assert len(frame) == counted["Counted"] and frame.iloc[:, 0].is_unique
    assert drawer.locator("[role=grid]").first.get_attribute("aria-rowcount") == str(len(frame) + 1)
    with shown.page.expect_download() as got:
        drawer.get_by_role("button", name="Workbook").click()
    sheets = pd.read_excel(got.value.path(), sheet_name=None, engine="calamine")
    assert {name: len(sheets[name]) for name in counted} == counted and "Receipt" in sheets


def test_a_rate_shows_what_it_counts_and_what_it_does_not(screen, sample):
    shown = screen(sample).open("?segment=SMB")
    drawer = shown.rows_of("Win rate")
    counted = tabs(drawer)
    assert f"{counted['Counted']} of {counted['Counted'] + counted['Not counted']}" in drawer.inner_text()


def test_the_drawer_opens_and_closes_by_keyboard(screen, sample):
    shown = screen(sample).open()
    shown.at("[class*=st-key-tile-] [class*=st-key-open-] button").first.focus()
    shown.page.keyboard.press("Enter")
    shown.drawer()
    shown.page.keyboard.press("Escape")
    shown.page.get_by_role("dialog").wait_for(state="detached")


@pytest.fixture
def hostile(tmp_path, chromium):
    """An app on leads whose sources are formulas."""
    place = tmp_path / "hostile.sqlite"
    store = company.open_store(place)
    sources = [Source("leads.csv", LEADS.encode()), Source("lead_stage_history.csv", HISTORY.encode())]
    assert company.load(store, company.COMPANY, sources, as_of=pd.Timestamp("2026-03-31T12:00Z"), by=LOCAL).status == company.LOADED
    store.close()
    with serve(place) as address:
        yield address


def test_formulas_are_text_in_the_file(screen, hostile):
    shown = screen(hostile).open("?period=All+time")
    drawer = shown.rows_of("MQLs")
    with shown.page.expect_download() as got:
        drawer.get_by_role("button", name="CSV").click()
    cells = pd.read_csv(got.value.path(), encoding="utf-8-sig", dtype=str, keep_default_na=False)
    assert {"'" + EVIL, "'@SUM(A1)", "'-Ads", "Web"} <= set(cells.to_numpy().ravel())
    with shown.page.expect_download() as got:
        drawer.get_by_role("button", name="Workbook").click()
    with zipfile.ZipFile(io.BytesIO(got.value.path().read_bytes())) as book:
        assert not any(b"<f>" in book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/"))


def test_a_mark_opens_as_often_as_it_is_clicked(screen, sample):
    shown = screen(sample).open("funnel")
    heat = shown.at(".st-key-chart-heat svg.marks").first
    heat.scroll_into_view_if_needed()
    shown.page.wait_for_timeout(1000)
    heads = []
    for _ in range(3):
        place = heat.bounding_box()
        shown.page.mouse.click(place["x"] + place["width"] * 0.3, place["y"] + place["height"] * 0.35)
        heads.append(shown.drawer().locator("[data-testid=stMetric]").first.inner_text())
        shown.page.keyboard.press("Escape")
        shown.page.get_by_role("dialog").wait_for(state="detached")
    assert "MQL → SAL" in heads[0] and len(set(heads)) == 1


def test_a_derived_number_opens_to_its_parts_and_they_to_their_rows_and_receipts(screen, sample):
    shown = screen(sample).open("velocity")
    drawer = shown.rows_of("Sales velocity")
    part = drawer.locator("[class*=st-key-tile-part-]").filter(has=shown.page.get_by_text("Win rate", exact=True))
    rate = part.locator("[data-testid=stMetricValue]").inner_text()
    part.get_by_role("button").click()
    drawer.get_by_role("tab", name="Not counted").wait_for()
    shown.settle()
    counted = tabs(drawer)
    assert f"{counted['Counted']} of {counted['Counted'] + counted['Not counted']}" in drawer.inner_text() and rate in drawer.inner_text()
    drawer.get_by_role("tab", name="Receipt").click()
    text = drawer.locator("[data-testid=stCode]").inner_text()
    assert "winrate.closed_in_period" in text and f"{counted['Counted']} counted" in text and "SHA-256" in text
    drawer.get_by_role("button", name="Sales velocity").click()
    drawer.get_by_role("tab", name="Made of 4").wait_for()
