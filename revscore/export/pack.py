"""The pack of a meeting: a workbook, an HTML file and slides, all from the same minutes, lines and receipts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.picture import Picture
from revscore.core.receipt import receipt
from revscore.core.review import Line
from revscore.core.view import View
from revscore.export.html import meeting_html
from revscore.export.minutes_workbook import minutes_sheets
from revscore.export.slides import meeting_slides
from revscore.export.workbook import review_workbook
from revscore.rhythm.behind import of_tables
from revscore.rhythm.minutes import Minutes
from revscore.rhythm.reviews import numbers_of
from revscore.rhythm.shown import lists

MIME = {".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".html": "text/html",
        ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation"}
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{device}{number}" for device in ("COM", "LPT") for number in range(1, 10))}


def pack_files(held: Minutes, lines: Sequence[Line], tables: Mapping[str, pd.DataFrame], pictures: Sequence[Picture], x: Coded, view: View) -> dict[str, bytes]:
    """File name → bytes of the three files. `lines` and `tables` are those of the review (`held.lines`, `held.tables`); `pictures` its drawings; `x` and `view` what the meeting was
    held on."""
    receipts = [receipt(x, Number.behind(line, view), line.text) for line in lines if not line.lacks]
    stands = {"company": held.company, "period": held.stands.get("Period", ""), "filters": held.stands.get("Filters", ""), "meeting": held.held}
    stands |= {"publication": f"no. {held.publication}, seal {held.seal}"} if held.seal else {}
    stands |= {"audit log": f"anchor {held.anchor}"} if held.anchor else {}
    stem = file_stem(held)
    behind = [(Number.behind(line, view), line.text) for line in lines if not line.lacks]
    behind += [(number, "") for number in numbers_of(held.review, view) if number not in {one for one, _ in behind}] if held.review is not None else []
    cells = of_tables(x, held.review, view) if held.review is not None else {}
    return {f"{stem}.xlsx": review_workbook("Review", lines, x, stands, view, tables, behind, minutes_sheets(held), cells), f"{stem}.html": meeting_html(held.with_tables(lists(x, view, held.review)), pictures, receipts),
            f"{stem}.pptx": meeting_slides(held, receipts)}


def file_stem(held: Minutes) -> str:
    """A name that every system takes, of no other meeting: "Weekly review 2026-11-16 0900"."""
    return safe_name(f"{held.title[:80]} {held.started_at.tz_convert(held.zone):%Y-%m-%d %H%M}")


def safe_name(text: str) -> str:
    """`text` as the name of a file on Windows, Mac and Linux: no characters or names that a system keeps for itself, no dot or space at its end."""
    name = re.sub(r"\s+", " ", re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', " ", text)).strip(" .") or "meeting"
    return f"_{name}" if name.split(".")[0].strip().upper() in _RESERVED else name
