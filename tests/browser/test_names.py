"""Names from data are text and nothing else: no script, no request to another host, no live link and no format on any page, in any drawer, on the stage, in any file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.browser.conftest import WIDE, serve
from tests.reliability import names
from tests.reliability.names import FORMULAS, PAYLOADS, Walk


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with names.hostile_company(tmp_path_factory.mktemp("hostile")) as path:
        yield path


def test_every_page_and_the_stage_show_hostile_names_as_text(chromium, place):
    context = chromium.new_context(viewport=WIDE)
    with serve(place) as address:
        found = names.walked(context, address, ("weekly",), most=2)
    context.close()
    assert found.clean, found.alive + found.asked
    assert found.looks > 3 * len(names.pages()), "folds, tabs and drawers were opened"


def test_files_that_leave_the_house_hold_nothing_alive(chromium, place, tmp_path):
    files, live = names.exported(place, tmp_path / "files")
    assert live == [] and {path.suffix for path in files} == {".xlsx", ".csv", ".html", ".pptx", ".ics"}
    said = b"".join(path.read_bytes() for path in files if path.suffix == ".csv").decode("utf-8")
    assert PAYLOADS[0] in said, "the names are there"
    context = chromium.new_context(viewport=WIDE)
    walk = Walk(context, "")
    walk.page.goto(next(path for path in files if path.suffix == ".html").as_uri())
    walk.page.wait_for_selector("html[data-drawn=yes]")
    walk.look("the HTML file")
    context.close()
    assert walk.found.clean, walk.found.alive + walk.found.asked


def test_the_same_names_without_escaping_are_alive(chromium, tmp_path):
    context = chromium.new_context(viewport=WIDE)
    found = names.control(context, tmp_path, names.served)
    context.close()
    assert found.asked and any("links" in one for one in found.alive) and any("formatted" in one for one in found.alive)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_that_would_be_worked_out_is_seen(tmp_path, text):
    table, book = tmp_path / "a.csv", tmp_path / "a.xlsx"
    table.write_text(f'name\r\n"{text.replace(chr(34), chr(34) * 2)}"\r\n', encoding="utf-8")
    with zipfile.ZipFile(book, "w") as packed:
        packed.writestr("xl/sharedStrings.xml", f"<sst><si><t>{text.replace('<', '&lt;')}</t></si></sst>")
        packed.writestr("xl/worksheets/sheet1.xml", '<c r="A1"><f>1+1</f></c>')
    assert len(list(names.alive(table))) == 1 and len(list(names.alive(book))) == 2
