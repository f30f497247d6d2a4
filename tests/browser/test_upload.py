"""Monday: from the sample company to the weekly page of one's own upload."""

from __future__ import annotations

import re
import time
import urllib.request
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.browser.conftest import serve
from tests.extracts import DEALS

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


def held(address: str) -> int:
    """Bytes of uploads in the server's memory."""
    with urllib.request.urlopen(f"{address}/_stcore/metrics", timeout=10) as answer:
        found = re.search(r'UploadedFileManager",cache=""\} (\d+)', answer.read().decode())
    return int(found[1]) if found else 0


def gone(address: str, seconds: float = 10) -> bool:
    """Whether no upload is left in the server's memory, now or soon."""
    end = time.monotonic() + seconds
    while held(address) and time.monotonic() < end:
        time.sleep(0.2)
    return held(address) == 0


def test_held_back_rows_come_back_mended_and_nothing_of_the_files_stays(screen, own, tmp_path):
    file, back = tmp_path / "deals.csv", tmp_path / "back.xlsx"
    file.write_text(DEALS.replace("2026-05-29", "soon").replace("006B,Bolt seats", "006B,=1+1"), encoding="utf-8")
    shown = screen(own).open("data")
    upload(shown, file)
    shown.until("5 rows read: 4 kept and 1 held back")
    assert held(own) == file.stat().st_size
    shown.at(".st-key-store-load button").click()
    shown.until("Loaded as load")
    assert gone(own)
    with shown.page.expect_download() as download:
        shown.page.get_by_role("button", name="1 row to mend · Excel").click()
    download.value.save_as(back)
    book = load_workbook(back)
    headings = [cell.value for cell in book.active[1]]
    row = book.active[2]
    assert row[headings.index("Opportunity Name")].value == "'=1+1" and {cell.data_type for cell in row} <= {"s", "n"}
    row[headings.index("Close Date")].value = "2026-05-29"
    book.save(back)
    upload(shown, back)
    shown.until(re.compile(r"Completes load \d+\. 5 rows read: 5 kept"))
    shown.at(".st-key-store-load button").click()
    shown.until("Loaded as load")

    other = tmp_path / "deals again.csv"
    other.write_text(DEALS.replace("2500", "2600").replace("006B,Bolt seats", "006B,=1+1"), encoding="utf-8")
    upload(shown, other)
    shown.until("There is another extract for this day")
    assert shown.at(".st-key-store-load button:enabled").count() == 0 and "what would be new, gone or changed" in shown.text
    shown.page.get_by_text("Yes, count this one instead").click()
    shown.page.get_by_label("Why?").fill("an amount was wrong")
    shown.page.keyboard.press("Enter")
    shown.settle()
    shown.at(".st-key-store-load button:enabled").dblclick()
    shown.until("Loaded as load")
    assert "Already" not in shown.text and gone(own)

    program = tmp_path / "setup.exe"
    program.write_bytes(b"MZ" + bytes(300))
    upload(shown, program)
    shown.until("files of this type (.exe) are not read")
    assert shown.at("[data-testid=stException]").count() == 0
    shown.at("[data-testid=stSidebarNav]").get_by_role("link", name="Glossary").click()
    shown.until("Glossary")
    assert gone(own)
