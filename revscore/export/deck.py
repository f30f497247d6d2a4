"""What slides are made of: a page with its boxes, charts that PowerPoint can edit, room for text, the typeface and colours of the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from lxml import etree
from pptx.chart.chart import Chart
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_LEGEND_POSITION, XL_MARKER_STYLE, XL_TICK_LABEL_POSITION, XL_TICK_MARK
from pptx.enum.dml import MSO_LINE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.slide import Slide
from pptx.util import Emu, Inches, Pt

from revscore.core import units
from revscore.core.calendars import written
from revscore.core.figures import running
from revscore.core.metric import Kind
from revscore.core.review import Line
from revscore.export.look import FONT, LIGHT
from revscore.export.safe import neutral
from revscore.rhythm.minutes import Minutes

WIDTH, HEIGHT, SIDE, TOP, FOOT = 13.333, 7.5, 0.6, 1.75, 6.95  # inches: the slide, its margins, where the body begins and the foot stands
BODY = FOOT - TOP - 0.15
TITLES, TEXT, SMALL = (28, 24, 20), 16, 12  # points: the largest of several that fits
_BARS = (Kind.TOTAL, Kind.LEVEL)
_WIDE = 0.54  # mean width of a letter of the typeface, in its size
_MONEY = '[>=1000000]"{0}"0.0,,"M";[>=1000]"{0}"0,"k";"{0}"0'


class Page:
    """A slide with its title, rule, foot and number; boxes are placed in inches."""

    def __init__(self, deck: Any, held: Minutes, title: str) -> None:
        self.slide: Slide = deck.slides.add_slide(deck.slide_layouts[5])
        head = self.slide.shapes.title
        head.left, head.top, head.width, head.height = (Inches(one) for one in (SIDE, 0.5, WIDTH - 2 * SIDE, 1.1))
        write(head.text_frame, [(title, fits(title, WIDTH - 2 * SIDE, 1.1, TITLES), True, LIGHT["ink"])], MSO_ANCHOR.MIDDLE)
        self.text(SIDE, FOOT, WIDTH - 2 * SIDE - 1.2, 0.35, [(held.foot, SMALL, False, LIGHT["soft"])])
        self.text(WIDTH - SIDE - 1.0, FOOT, 1.0, 0.35, [(str(len(deck.slides)), SMALL, False, LIGHT["soft"])], PP_ALIGN.RIGHT)

    def text(self, left: float, top: float, width: float, height: float, paragraphs: Sequence[tuple[str, float, bool, str]], align: Any = None) -> None:
        """Paragraphs of (text, points, bold, colour) in a box."""
        box = self.slide.shapes.add_textbox(*(Inches(one) for one in (left, top, width, height)))
        write(box.text_frame, paragraphs, None, align)
        box.text_frame.margin_left = Emu(0)

    def note(self, text: str) -> None:
        self.slide.notes_slide.notes_text_frame.text = clean(text)


# -- charts --------------------------------------------------------------------------------------------------------------------------------

def has_series(line: Line) -> bool:
    """Whether a number has two periods or more to be drawn."""
    return len(line.series) > 1 and bool((line.series["value"].notna() & ~line.series["flag"].eq("suppress")).sum() > 1)


def trend(page: Page, line: Line, place: tuple[float, float, float, float]) -> None:
    """A number over its periods: columns for amounts and counts, a line for all else; with its target, a line and a dashed one. A rate of too few is a gap."""
    series, unit = line.series, line.measure.unit
    few = series["flag"].eq("suppress")
    values = [None if pd.isna(value) or small else float(value) for value, small in zip(series["value"], few, strict=True)]
    target = series["target"].tolist() if "target" in series else [line.target] * len(series)
    aims = [None if pd.isna(value) else float(value) for value in target]
    bars = line.measure.kind in _BARS and not any(one is not None for one in aims)
    data = CategoryChartData(number_format=units.spreadsheet(unit, line.currency))
    data.categories = [_plain(written(str(period)) + (" (running)" if running_ else "")) for period, running_ in zip(series["period"], series.get("running", pd.Series(False, index=series.index)), strict=True)]
    data.add_series(_plain(line.label), values)
    if any(one is not None for one in aims):
        data.add_series("Target", aims)
    kind = XL_CHART_TYPE.COLUMN_CLUSTERED if bars else XL_CHART_TYPE.LINE_MARKERS
    chart = _chart(page, kind, data, place, line.label, f"{line.label} by period: {line.text} at the end{', ' + line.verdict if line.verdict else ''}", _axis_format(line), legend=len(aims) > 0 and any(one is not None for one in aims))
    chart.value_axis.minimum_scale = 0 if min((one for one in values if one is not None), default=0) >= 0 else None
    own = chart.plots[0].series[0]
    if bars:
        own.format.fill.solid()
        own.format.fill.fore_color.rgb = rgb(LIGHT["main"])
        chart.plots[0].gap_width = 45
    else:
        _stroke(own, LIGHT["main"], 3)
        own.marker.style, own.marker.size = XL_MARKER_STYLE.CIRCLE, 8
        own.marker.format.fill.solid()
        own.marker.format.fill.fore_color.rgb = rgb(LIGHT["main"])
        own.marker.format.line.color.rgb = rgb(LIGHT["paper"])
    if len(chart.plots[0].series) > 1:
        aim = chart.plots[0].series[1]
        _stroke(aim, LIGHT["ink"], 2)
        aim.format.line.dash_style, aim.marker.style = MSO_LINE.DASH, XL_MARKER_STYLE.NONE
    last = max((k for k, value in enumerate(values) if value is not None), default=None)
    if last is not None:  # the one value to remember is written out
        label = own.points[last].data_label
        label.has_text_frame = False
        _font(label.font, 16, True, LIGHT["ink"])
        label.position = XL_LABEL_POSITION.OUTSIDE_END if bars else XL_LABEL_POSITION.ABOVE
        _label_shows_value(label, _axis_format(line, precise=True))


def bridge(page: Page, legs: pd.DataFrame, currency: str, place: tuple[float, float, float, float], alt: str) -> None:
    """A waterfall as stacked columns: an unseen foot, then totals, what came in, what left; every value can be edited."""
    steps = running(legs)
    low, size, kind = steps[["from", "to"]].min(axis=1), (steps["to"] - steps["from"]).abs(), steps["kind"]
    data = CategoryChartData(number_format=units.spreadsheet(units.CURRENCY, currency))
    data.categories = [_plain(leg) for leg in legs["leg"]]
    data.add_series("Foot", low.tolist())
    parts = (("Open", kind.isin(("start", "end")), LIGHT["total"]), ("Came in or won", kind.isin(("up", "won")), LIGHT["main"]), ("Left", kind.eq("down"), LIGHT["warn"]))
    for name, rows, _ in parts:
        data.add_series(name, [float(value) if row else None for value, row in zip(size, rows, strict=True)])
    chart = _chart(page, XL_CHART_TYPE.COLUMN_STACKED, data, place, "", alt, _MONEY.format(units.symbol(currency)), legend=False)
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 40, 100
    plot.series[0].format.fill.background()
    for series, (_, _, colour) in zip(list(plot.series)[1:], parts, strict=True):
        series.format.fill.solid()
        series.format.fill.fore_color.rgb = rgb(colour)
        labels = series.data_labels
        labels.show_value, labels.number_format, labels.number_format_is_linked, labels.position = True, _MONEY.format(units.symbol(currency)), False, XL_LABEL_POSITION.CENTER
        _font(labels.font, 14, True, LIGHT["paper"])


def _chart(page: Page, kind: Any, data: CategoryChartData, place: tuple[float, float, float, float], title: str, alt: str, form: str, legend: bool) -> Chart:
    frame = page.slide.shapes.add_chart(kind, *(Inches(one) for one in place), data)
    frame._element.nvGraphicFramePr.cNvPr.set("descr", clean(alt))
    chart = frame.chart
    chart.has_title, chart.has_legend = bool(title), legend
    if title:
        write(chart.chart_title.text_frame, [(title, TEXT, True, LIGHT["ink"])])
        chart.chart_title.include_in_layout = False
    if legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
        _font(chart.legend.font, 14, False, LIGHT["ink"])
    for axis in (chart.category_axis, chart.value_axis):
        _font(axis.tick_labels.font, 14, False, LIGHT["soft"])
        axis.format.line.fill.background()
        axis.major_tick_mark = XL_TICK_MARK.NONE
    chart.category_axis.has_major_gridlines, chart.category_axis.tick_label_position = False, XL_TICK_LABEL_POSITION.LOW
    chart.value_axis.major_gridlines.format.line.color.rgb = rgb(LIGHT["grid"])
    chart.value_axis.tick_labels.number_format, chart.value_axis.tick_labels.number_format_is_linked = form, False
    return chart


def _axis_format(line: Line, precise: bool = False) -> str:
    """The number format on a slide: short amounts, units on everything."""
    unit = line.measure.unit
    if unit.is_money:
        return _MONEY.format(units.symbol(line.currency))
    if unit.kind == "ratio" and not precise:
        return "0%"
    return {"ratio": "0.0%", "days": '#,##0.0" d"', "minutes": '#,##0" min"'}.get(unit.kind, units.spreadsheet(unit, line.currency))


def _label_shows_value(label: Any, form: str) -> None:
    """The value of a point with its number format: python-pptx offers both for all labels of a series only."""
    space = "http://schemas.openxmlformats.org/drawingml/2006/chart"
    one = label._dLbl
    for name in ("showLegendKey", "showVal", "showCatName", "showSerName", "showPercent", "showBubbleSize"):
        found = one.find(f"{{{space}}}{name}")
        if found is not None:
            found.set("val", "1" if name == "showVal" else "0")
    before = next((child for child in one if child.tag in {f"{{{space}}}{name}" for name in ("spPr", "txPr", "dLblPos", "showLegendKey")}), None)
    number = etree.Element(f"{{{space}}}numFmt", formatCode=form, sourceLinked="0")
    if before is not None:
        before.addprevious(number)


# -- words, fonts, colours -----------------------------------------------------------------------------------------------------------------

def own_theme(deck: Any) -> None:
    """The typeface and colours of the file itself, so that what is added later by hand looks alike."""
    part = deck.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    space = {"a": "http://schemas.openxmlformats.org/drawingml/2006/main"}
    root = etree.fromstring(part.blob)
    for latin in root.findall(".//a:fontScheme//a:latin", space):
        latin.set("typeface", FONT)
    for name, colour in (("dk1", "ink"), ("lt1", "paper"), ("dk2", "soft"), ("lt2", "grid"), ("accent1", "main"), ("accent2", "warn"), ("accent3", "total"), ("accent4", "line"), ("accent5", "rest"),
                         ("accent6", "soft"), ("hlink", "main"), ("folHlink", "total")):
        slot = root.find(f".//a:clrScheme/a:{name}", space)
        for child in list(slot):
            slot.remove(child)
        etree.SubElement(slot, f"{{{space['a']}}}srgbClr", val=LIGHT[colour].lstrip("#"))
    part._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def own_size(deck: Any) -> None:
    """Layouts as wide as the slides, for what is added later by hand; and no picture of somebody else's first slide as the file's icon."""
    scale = WIDTH / 10
    for page in (deck.slide_master, *deck.slide_layouts):
        for shape in page.placeholders:
            if shape._element.spPr.xfrm is not None:
                shape.left, shape.width = Emu(int(shape.left * scale)), Emu(int(shape.width * scale))
    package = deck.part.package
    for key in [key for key, one in package._rels.items() if one.reltype.endswith("/thumbnail")]:
        package._rels.pop(key)


def write(frame: Any, paragraphs: Sequence[tuple[str, float, bool, str]], anchor: Any = None, align: Any = None) -> None:
    """Paragraphs of (text, points, bold, colour) into a frame."""
    frame.word_wrap = True
    if anchor is not None:
        frame.vertical_anchor = anchor
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = Emu(0)
    for place, (text, size, bold, colour) in enumerate(paragraphs):
        paragraph = frame.paragraphs[0] if not place else frame.add_paragraph()
        paragraph.alignment = align or PP_ALIGN.LEFT
        run = paragraph.add_run()
        run.text = clean(text)
        _font(run.font, size, bold, colour)


def _font(font: Any, size: float, bold: bool, colour: str) -> None:
    font.name, font.size, font.bold = FONT, Pt(size), bold
    font.color.rgb = rgb(colour)


def _stroke(series: Any, colour: str, width: float) -> None:
    series.smooth = False
    series.format.line.width = Pt(width)
    series.format.line.color.rgb = rgb(colour)


def rgb(text: str) -> RGBColor:
    """ "#0F172A" as slides take it."""
    return RGBColor.from_string(text.lstrip("#"))


def clean(text: str) -> str:
    """Text that XML can hold, on one line."""
    return " ".join("".join(letter if letter >= " " else " " for letter in str(text) if letter not in "\ufffe\uffff").split())


def _plain(text: str) -> str:
    """A name in the workbook behind a chart: never a formula."""
    return neutral(pd.Series([clean(text)], dtype="str")).iloc[0]


def lines_of(text: str, width: float, size: float) -> int:
    """How many lines text takes in a width in inches: whole words, letters of mean width."""
    room, used, lines = max(int(width * 72 / (size * _WIDE)), 1), 0, 1
    for word in text.split():
        long = len(word) + (used > 0)
        if used + long > room and used:
            lines, used, long = lines + 1, 0, len(word)
        lines, used = lines + (used + long) // (room + 1), (used + long) % (room + 1)
    return lines


def tall_of(paragraphs: Sequence[tuple[str, float, bool, str]], width: float) -> float:
    """Height in inches of a box with these paragraphs, its margins included."""
    return sum(lines_of(text, width - 0.2, size) * size * 1.2 / 72 for text, size, _, _ in paragraphs) + 0.1


def fits(text: str, width: float, height: float, sizes: Sequence[int]) -> int:
    """The largest of `sizes` (points) at which text fits; the smallest where none does."""
    return next((size for size in sizes if lines_of(text, width, size * 1.04) * size * 1.2 / 72 <= height), sizes[-1])


