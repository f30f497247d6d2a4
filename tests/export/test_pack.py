"""The pack of a meeting: the three files are opened again, and every number in them is that of the review; hostile text stays text; slides hold together."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from html.parser import HTMLParser
from itertools import combinations
from zipfile import ZipFile

import pandas as pd
import pytest
from openpyxl import load_workbook
from pptx import Presentation

from revscore import company
from revscore.charts import pictures
from revscore.charts.theme import PALETTES
from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.view import View
from revscore.export import look, slides
from revscore.export.deck import lines_of
from revscore.export.pack import pack_files, safe_name
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.answers import Answer, answers, whole
from revscore.rhythm.minutes import Minutes, minutes
from revscore.store import Anchor
from tests.export.held import FORMULA, HOSTILE, monthly_meeting, weekly_meetings


@dataclass(frozen=True)
class Judged:
    verdict: str
    sentence: str


@dataclass(frozen=True)
class Pack:
    held: Minutes
    x: Coded
    view: View
    files: dict[str, bytes]

    def file(self, end: str) -> bytes:
        return next(data for name, data in self.files.items() if name.endswith(end))


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    """The pack of the second of two weekly meetings, with the verdict on what the first asked for."""
    store = company.open_store(tmp_path_factory.mktemp("pack") / "store.sqlite")
    held, x, view = weekly_meetings(store)
    said = minutes(store, company.SAMPLE, held, x, verdicts={"a0": Judged("moved", f"It rose by 6 points {HOSTILE}")}, company="Northlight & Söhne <x>")
    drawn = pictures.of_meeting(said.by_screen, said.tables["Bridge"].assign(leg=said.tables["Bridge"]["leg"] + HOSTILE), said.currency, HOSTILE)
    yield Pack(said, x, view, pack_files(said, said.lines, said.tables, drawn, x, view))
    store.close()


# -- minutes -------------------------------------------------------------------------------------------------------------------------------

def test_minutes_say_what_was_held_and_decided(pack):
    held = pack.held
    assert held.stands["Definitions"].startswith("definitions version") and "New_York" in held.stands["As of"] and held.present["marketing"] == ("Bo",)
    assert [one.state for one in held.decisions] == ["decided", "no decision"] and held.decisions[1].text == "The data of EMEA are missing"
    assert held.actions[0].success == "Speed to lead kept from 81.0 % (359 of 443) up by at least 5 points, checked on 14 Dec 2026"
    assert (held.actions[0].due, held.actions[0].function, held.actions[0].screen) == (date(2026, 11, 30), "Sales", "Promises")
    assert [(one.id, one.verdict) for one in held.last] == [("a0", "Moved as meant")]
    assert {item.id for item in held.agenda} == set(AGENDAS["weekly"].ids) and all(item.used >= 0 for item in held.agenda)
    assert len({(one.card.id, one.stat, one.own, one.period, one.params) for one in held.lines}) == len(held.lines)


# -- workbook ------------------------------------------------------------------------------------------------------------------------------

def test_the_workbook_has_the_meeting_before_its_numbers(pack):
    book = load_workbook(io.BytesIO(pack.file(".xlsx")))
    assert book.sheetnames[:4] == ["Minutes", "Decisions", "Actions", "Review"]
    rows = list(book["Actions"].iter_rows())
    heads = [cell.value for cell in rows[0]]
    raised = dict(zip(heads, rows[1], strict=True))
    assert raised["Action"].value == "'" + FORMULA and raised["Action"].data_type == "s"
    assert raised["Due"].value == datetime(2026, 11, 30) and "yy" in raised["Due"].number_format
    assert raised["Baseline"].value == pytest.approx(359 / 443) and raised["Baseline"].number_format == "0.0%" and raised["At least"].value == 0.05
    assert dict(zip(heads, (cell.value for cell in rows[2]), strict=True))["Verdict"] == "Moved as meant"
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_the_workbook_has_the_numbers_of_the_review(pack):
    sheet = load_workbook(io.BytesIO(pack.file(".xlsx")))["Review"]
    found = [(row[0], row[1], row[2]) for row in sheet.iter_rows(min_row=5, values_only=True)]
    assert [(label, shown) for label, _, shown in found] == [(line.label, line.text) for line in pack.held.lines]
    assert all(value is None if math.isnan(line.value) else value == pytest.approx(line.value) for (_, value, _), line in zip(found, pack.held.lines, strict=True))


def test_tables_of_the_workbook_have_the_formats_of_their_units(pack):
    sheet = load_workbook(io.BytesIO(pack.file(".xlsx")))["Bridge"]
    heads = [cell.value for cell in sheet[1]]
    amount, deals = (sheet.cell(2, heads.index(name) + 1) for name in ("Value", "Count"))
    assert amount.number_format == units.spreadsheet(units.CURRENCY, pack.held.currency) and deals.number_format == "#,##0" and isinstance(amount.value, int | float)


# -- html ----------------------------------------------------------------------------------------------------------------------------------

class Reader(HTMLParser):
    """The elements of a page, the exact numbers of its tables, and its scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[tuple[str, dict[str, str | None], str]] = []
        self.rows: list[tuple[str, str, float | None, str]] = []
        self._text, self._row, self._value, self._in_value = "", ("", ""), None, False
        self._open = False

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag in ("script", "style"):
            self.inside.append((tag, found, ""))
            self._open = True
        if tag == "tr" and "data-metric" in found:
            self._row, self._text = (found["data-metric"], found["data-measure"]), "wait"
        if tag == "td" and self._row[0] and "n" in (found.get("class") or "") and self._text == "wait":
            self._value, self._in_value = float(found["data-value"]) if "data-value" in found else None, True

    def handle_endtag(self, tag):
        self._open = False

    def handle_data(self, data):
        if self._open:
            tag, attrs, text = self.inside[-1]
            self.inside[-1] = (tag, attrs, text + data)
        if self._in_value:
            self.rows.append((*self._row, self._value, data))
            self._in_value, self._row, self._text = False, ("", ""), ""


@pytest.fixture(scope="module")
def page(pack):
    reader = Reader()
    reader.feed(pack.file(".html").decode())
    return reader


def test_the_page_asks_no_host_and_runs_nothing_but_its_own_script(page):
    policy = next(attrs["content"] for tag, attrs in page.tags if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy
    for tag, attrs, text in page.inside:
        if attrs.get("type") != "application/json":
            assert f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy, tag
    assert not [(tag, name) for tag, attrs in page.tags for name, value in attrs.items()
                if name in ("src", "srcset", "action", "style") or name.startswith("on") or (name == "href" and value != "data:,")]


def test_hostile_names_stay_text(pack, page):
    text = pack.file(".html").decode()
    assert "<img" not in text[:text.index("<script>")] and not [tag for tag, _ in page.tags if tag in ("img", "iframe", "object", "form", "base")]
    data = next(body for tag, attrs, body in page.inside if attrs.get("id") == "pictures")
    assert "<" not in data and any(HOSTILE in str(row.get("leg")) for one in json.loads(data) for row in one["rows"])
    assert len([1 for tag, _ in page.tags if tag == "script"]) == 3


def test_the_page_has_the_numbers_of_the_review(pack, page):
    assert [(metric, measure, text) for metric, measure, _, text in page.rows] == [(line.card.id, line.stat, line.text) for line in pack.held.lines]
    assert all(value is None if math.isnan(line.value) else value == line.value for (_, _, value, _), line in zip(page.rows, pack.held.lines, strict=True))


def test_the_charts_of_the_page_have_the_series_of_the_review(pack, page):
    drawn = json.loads(next(body for tag, attrs, body in page.inside if attrs.get("id") == "pictures"))
    lines = [line for item in pack.held.agenda for line in item.lines if pictures.drawn(line)]
    shown = {tuple(None if row["value"] is None else round(row["value"], 9) for row in one["rows"]) for one in drawn if "period" in one["rows"][0]}
    assert shown == {tuple(None if pd.isna(value) or flag == "suppress" else round(value, 9) for value, flag in zip(line.series["value"], line.series.get("flag", [""] * 99), strict=False)) for line in lines}
    assert all(set(one["specs"]) == {"light", "dark"} and one["rows"] for one in drawn)


def test_the_tables_of_the_page_are_those_of_the_screens(pack):
    text, legs = pack.file(".html").decode(), pack.held.tables["Bridge"]
    for leg in legs.itertuples():
        assert f"<td>{leg.leg}</td><td>{units.text(leg.value, units.CURRENCY, pack.held.currency)}</td><td>{leg.count:.0f}</td>" in text
    assert [item.id for item in pack.held.agenda if item.table] == ["pace", "bridge"] and [line.text for line in pack.held.by_screen["coverage"]][0] in text


def test_the_look_is_that_of_the_charts():
    for theme, ours in (("light", look.LIGHT), ("dark", look.DARK)):
        assert dict(ours) == {name: getattr(PALETTES[theme], name) for name in ours}


# -- slides --------------------------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def deck(pack):
    return Presentation(io.BytesIO(pack.file(".pptx")))


@pytest.fixture(scope="module")
def monthly(tmp_path_factory):
    store = company.open_store(tmp_path_factory.mktemp("monthly") / "store.sqlite")
    held, x = monthly_meeting(store)
    yield Presentation(io.BytesIO(slides.meeting_slides(minutes(store, company.SAMPLE, held, x), ())))
    store.close()


@pytest.fixture(params=["deck", "monthly"])
def either(request):
    """The slides of a weekly and of a monthly meeting."""
    return request.getfixturevalue(request.param)


def _texts(deck) -> str:
    found = []
    for slide in deck.slides:
        for shape in slide.shapes:
            found += [shape.text_frame.text] if shape.has_text_frame else []
            found += [cell.text for row in shape.table.rows for cell in row.cells] if shape.has_table else []
    return "\n".join(found)


def test_every_file_has_the_anchor_of_the_audit_log(pack, deck):
    assert Anchor.of(pack.held.anchor).seq > 10
    assert pack.held.anchor in pack.file(".html").decode() and pack.held.anchor in _texts(deck)
    book = load_workbook(io.BytesIO(pack.file(".xlsx")), read_only=True)
    for sheet in ("Minutes", "Receipt"):
        assert any(pack.held.anchor in str(cell) for row in book[sheet].iter_rows(values_only=True) for cell in row), sheet


def test_the_minutes_begin_and_end_with_what_was_found_not_with_the_question(pack):
    held, asked = pack.held, {one.question for one in AGENDAS["weekly"].screens}
    assert not asked & {one.finding for one in held.agenda}
    assert held.finding("before") in ("1 of 1 action is overdue", "The one action is not overdue") and held.finding("next") == "1 decision, 1 action and 1 without a decision"
    assert all(held.finding(one) in pack.file(".html").decode("utf-8") for one in ("before", "next"))
    said = answers(pack.x, held.review)
    assert held.answer == whole({"before": Answer(held.finding("before"), "of 1" in held.finding("before"))} | said, AGENDAS["weekly"]), "the page counts the same questions"
    assert held.answer != whole(said, AGENDAS["weekly"])


def test_slides_have_findings_as_titles_and_all_that_was_decided(pack, deck):
    titles = [slide.shapes.title.text for slide in deck.slides]
    for item in pack.held.agenda:
        assert item.id in ("before", "next") or item.finding in titles
    text = _texts(deck)
    assert all(one.success in text for one in (*pack.held.actions, *pack.held.last)) and "The data of EMEA are missing" in text and "Moved as meant" in text
    assert all(pack.held.stands["As of"] in "".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame) for slide in deck.slides)


def test_every_number_of_the_agenda_is_big_on_a_slide(pack, deck):
    big = {run.text for slide in deck.slides for shape in slide.shapes if shape.has_text_frame for p in shape.text_frame.paragraphs for run in p.runs if run.font.size and run.font.size.pt >= 28}
    assert {line.text for item in pack.held.agenda for line in item.lines} <= big


def test_charts_are_native_with_the_values_of_the_lines_units_and_words(pack, deck):
    charts = [shape for slide in deck.slides for shape in slide.shapes if shape.has_chart]
    lines = {line.label: line for item in pack.held.agenda for line in item.lines}
    assert len(charts) >= 4
    for shape in charts:
        assert shape._element.nvGraphicFramePr.cNvPr.get("descr")
        plot = shape.chart.plots[0]
        assert shape.chart.value_axis.tick_labels.number_format != "General"
        line = lines.get(plot.series[0].name)
        if line is None:
            assert plot.series[0].name == "Foot" and [one.name for one in plot.series][1:] == ["Open", "Came in or won", "Left"]
            tops = [sum(part or 0 for part in one) for one in zip(*(series.values for series in list(plot.series)[1:]), strict=True)]
            assert tops == pytest.approx(pack.held.tables["Bridge"]["value"].abs().tolist())
            continue
        expected = [None if pd.isna(value) or flag == "suppress" else value for value, flag in zip(line.series["value"], line.series.get("flag", [""] * 99), strict=False)]
        assert list(plot.series[0].values) == pytest.approx(expected)
        assert units.spreadsheet(line.measure.unit, line.currency) in shape.chart.part._element.xml.replace("&quot;", '"')


def test_nothing_on_a_slide_overlaps_or_leaves_it(either):
    deck = either
    for number, slide in enumerate(deck.slides, start=1):
        boxes = [(shape.left, shape.top, shape.left + shape.width, shape.top + shape.height, shape.name) for shape in slide.shapes]
        assert all(a >= 0 and b >= 0 and c <= deck.slide_width and d <= deck.slide_height for a, b, c, d, _ in boxes), number
        for one, other in combinations(boxes, 2):
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            assert apart, (number, one[4], other[4])


def test_the_file_has_its_own_look_and_size(pack, deck):
    with ZipFile(io.BytesIO(pack.file(".pptx"))) as parts:
        theme = parts.read("ppt/theme/theme1.xml").decode()
        assert "Calibri" not in theme and 'typeface="Arial"' in theme and look.LIGHT["main"].lstrip("#") in theme and not [name for name in parts.namelist() if "thumbnail" in name]
    assert max(shape.left + shape.width for page in (deck.slide_master, *deck.slide_layouts) for shape in page.placeholders) <= deck.slide_width
    order = ("idx", "layout", "tx", "numFmt", "spPr", "txPr", "dLblPos", "showLegendKey")
    for shape in (shape for slide in deck.slides for shape in slide.shapes if shape.has_chart):
        for label in shape.chart.part._element.iter("{http://schemas.openxmlformats.org/drawingml/2006/chart}dLbl"):
            names = [child.tag.partition("}")[2] for child in label]
            assert [name for name in names if name in order] == [name for name in order if name in names]  # the order that PowerPoint insists on


def test_text_fits_its_box(either):
    for slide in either.slides:
        for shape in slide.shapes:
            if shape.has_text_frame and shape.text_frame.text:
                margin = 0 if shape == slide.shapes.title else 0.2
                tall = sum(lines_of(p.text, shape.width / 914400 - margin, p.runs[0].font.size.pt) * p.runs[0].font.size.pt * 1.2 / 72 for p in shape.text_frame.paragraphs if p.runs)
                assert tall + margin / 2 <= shape.height / 914400 + 0.02, shape.text_frame.text
            if shape.has_table:
                for row in shape.table.rows:
                    for cell, column in zip(row.cells, shape.table.columns, strict=True):
                        size = cell.text_frame.paragraphs[0].runs[0].font.size.pt if cell.text else 0
                        assert not cell.text or lines_of(cell.text, column.width / 914400 - 0.2, size) * size * 1.2 / 72 <= row.height / 914400, cell.text


# -- names ---------------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("text", "name"), [("Weekly / review: 3?", "Weekly review 3"), ("con", "_con"), ("LPT1.x", "_LPT1.x"), ("end. ", "end"), ("\x00", "meeting"), ("a<b>|c", "a b c")])
def test_names_of_files_are_safe_on_every_system(text, name):
    assert safe_name(text) == name


def test_the_pack_has_one_name_and_three_files(pack):
    assert [re.sub(r".*(?=\.)", "", name) for name in pack.files] == [".xlsx", ".html", ".pptx"] and len({name.rsplit(".", 1)[0] for name in pack.files}) == 1


def test_a_meeting_without_decisions_or_lines_still_makes_its_files(pack):
    bare = replace(pack.held, decisions=(), actions=(), last=(), lines=(), tables={}, review=None, agenda=tuple(replace(one, lines=(), finding="") for one in pack.held.agenda), reason="Half of the room was ill")
    files = pack_files(bare, (), {}, (), pack.x, pack.view)
    assert "Half of the room was ill" in next(data for name, data in files.items() if name.endswith(".html")).decode()
    assert len(Presentation(io.BytesIO(next(data for name, data in files.items() if name.endswith(".pptx")))).slides) >= 2


