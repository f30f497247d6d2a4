"""Monday: from the sample company to the weekly page of one's own upload."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.conftest import serve

WORKBOOK = Path(__file__).parents[1] / "golden" / "golden_workbook.xlsx"


@pytest.fixture
def own(own_store):
    """An app on the sample company, to be changed."""
    with serve(own_store) as address:
        yield address


def upload(shown, path) -> None:
    shown.at("input[type=file]").set_input_files(path)


def test_an_upload_becomes_the_weekly_page(screen, own):
    shown = screen(own).open("data")
    upload(shown, WORKBOOK)
    shown.until("831 kept")
    shown.at(".st-key-store-load button").click()
    shown.until("Loaded as load")
    shown.at("[data-testid=stSidebarNav]").get_by_role("link", name="Weekly review").click()
    shown.until("data as of 27 Jun 2025")
    assert shown.title == "Weekly review" and "26 deals · 44 leads" in shown.effect
    shown.page.get_by_text("Open all").click()
    shown.until(re.compile("Unexplained"))
    assert "Unexplained: $0.00" in shown.text and shown.numbers["Coverage of what is left"] == "1.64×"

    shown.open("data")
    upload(shown, WORKBOOK)
    shown.until("831 kept")
    shown.at(".st-key-store-load button").click()
    shown.until("Already loaded")

    other = screen(own).open("weekly")
    assert "data as of 27 Jun 2025" in other.effect
    other.at("[data-testid=stSidebar]").get_by_role("radio", name="Sample company").click()
    other.until("data as of 16 Nov 2026")


@pytest.mark.parametrize(("name", "content"), [("broken.xlsx", b"PK\x03\x04 this is no workbook"), ("empty.csv", b""), ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)])
def test_a_broken_file_gets_a_sentence(screen, sample, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    shown = screen(sample).open("data")
    upload(shown, path)
    shown.at("[data-testid=stAlert]").first.wait_for()
    shown.settle()
    assert name in shown.text and "Traceback" not in shown.text
    assert shown.at("[data-testid=stException]").count() == 0 and shown.at(".st-key-store-load button:enabled").count() == 0
