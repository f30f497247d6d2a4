"""A meeting as slides for those who were not there: the finding as the title, big numbers, charts that PowerPoint can edit, and what all of it stands on."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from pptx import Presentation
from pptx.util import Inches

from revscore.core import units
from revscore.core.calendars import written
from revscore.core.metric import functions
from revscore.core.receipt import Receipt
from revscore.core.review import Line
from revscore.export.deck import BODY, HEIGHT, SIDE, SMALL, TEXT, TOP, WIDTH, Page, bridge, clean, fits, has_series, lines_of, own_size, own_theme, rgb, tall_of, trend, write
from revscore.export.look import LIGHT
from revscore.rhythm.minutes import Item, Minutes, Table, day

BIG = (32, 28)  # points of big numbers


def meeting_slides(held: Minutes, receipts: Sequence[Receipt]) -> bytes:
    """The .pptx: title, a slide for each screen of the agenda (and more where its numbers need it), decisions, actions, what became of those before, receipts."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(WIDTH), Inches(HEIGHT)
    deck.core_properties.title, deck.core_properties.author, deck.core_properties.subject = clean(held.title), "revscore", clean(held.foot)
    own_theme(deck)
    own_size(deck)
    _title(Page(deck, held, held.title), held)
    for item in held.agenda:
        _item(deck, held, item)
    _tables(deck, held, _decided(held), ("Question", "State", "Decided, or why not", "By"), (4.2, 1.5, 4.6, 1.83), ([one.title, one.state, one.text, one.by] for one in held.decisions))
    _tables(deck, held, f"{_count(len(held.actions), 'action')}: who does what until when", ("Action", "Owner", "Due", "It worked if"), (4.3, 2.2, 1.5, 4.13),
            ([one.title, f"{one.owner} ({one.function})" if one.function else one.owner, day(one.due) if one.due else "", one.success] for one in held.actions))
    _tables(deck, held, "What became of the actions before", ("Action", "Owner", "Verdict", "Why"), (4.3, 1.9, 1.7, 4.23), ([one.title, one.owner, one.verdict or one.state, one.sentence] for one in held.last))
    _tables(deck, held, "What the numbers stand on", ("Number", "Shown as", "Stands on", "Period", "SHA-256"), (3.9, 1.9, 2.4, 2.3, 1.63),
            ([one.label, one.shown, _basis(one), written(one.period) or "up to as-of", one.sha256[:12]] for one in receipts), size=SMALL)
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


# -- slides --------------------------------------------------------------------------------------------------------------------------------

def _title(page: Page, held: Minutes) -> None:
    says = [(held.company, 24, True, LIGHT["main"]), (held.held, TEXT, False, LIGHT["soft"])] + [(f"{name}: {text}", TEXT, False, LIGHT["ink"]) for name, text in held.stands.items()]
    says += [(f"Present, {functions((name,))}: {', '.join(who)}", TEXT, False, LIGHT["ink"]) for name, who in held.present.items()]
    says += [(f"Seal of publication {held.publication}: {held.seal}", SMALL, False, LIGHT["soft"])] if held.seal else []
    says += [(f"Anchor of the audit log: {held.anchor}", SMALL, False, LIGHT["soft"])] if held.anchor else []
    tall = min(BODY, tall_of(says, WIDTH - 2 * SIDE) + 0.1)
    page.text(SIDE, TOP, WIDTH - 2 * SIDE, tall, says)
    if held.answer:
        page.text(SIDE, TOP + tall + 0.1, WIDTH - 2 * SIDE, BODY - tall - 0.1, [(held.answer, fits(held.answer, WIDTH - 2 * SIDE, BODY - tall - 0.1, (24, 20, 16)), True, LIGHT["ink"])])


def _item(deck: Any, held: Minutes, item: Item) -> None:
    """A screen: up to four big numbers beside the chart of the first that has one; further numbers on slides of their own."""
    if item.id in ("before", "next") and not item.lines and not item.note:
        return  # what these screens are about stands on the slides of the actions
    if not item.lines and item.table is not None and item.id != "bridge":
        return _shown(deck, held, item, item.table)
    page = Page(deck, held, item.finding or item.title)
    page.text(SIDE, 0.15, 8.0, 0.3, [(item.title, SMALL, True, LIGHT["main"])])
    legs = held.tables.get("Bridge") if item.id == "bridge" else None
    charted = next((line for line in item.lines if has_series(line)), None)
    shown = item.lines[:4] if charted or legs is not None else item.lines[:8]
    if legs is not None and len(legs):
        bridge(page, legs, held.currency, (SIDE, TOP, WIDTH - 2 * SIDE, BODY), item.finding)
    elif charted is not None:
        _numbers(page, shown, 1, SIDE, 3.7)
        trend(page, charted, (SIDE + 4.0, TOP, WIDTH - 2 * SIDE - 4.0, BODY))
    else:
        _numbers(page, shown, 4, SIDE, WIDTH - 2 * SIDE)
    page.note("\n".join(part for part in (item.note, *(f"{line.label}: {line.card.definition}" for line in shown)) if part))
    for rest in _chunks(item.lines[len(shown):], 8):
        more = Page(deck, held, f"{item.title}: further numbers")
        _numbers(more, rest, 4, SIDE, WIDTH - 2 * SIDE)
    if item.table is not None and item.id != "bridge":
        _shown(deck, held, item, item.table)


def _shown(deck: Any, held: Minutes, item: Item, table: Table) -> None:
    """The table of a screen; columns are as wide as what is in them needs, within bounds."""
    needs = [min(max(max(map(len, column)), 9), 48) for column in zip(table.heads, *table.rows, strict=True)]
    _tables(deck, held, item.finding or item.title, table.heads, [(WIDTH - 2 * SIDE) * one / sum(needs) for one in needs], table.rows, above=item.title)


def _numbers(page: Page, lines: Sequence[Line], columns: int, left: float, width: float) -> None:
    """Big numbers in a grid: label, value, what it stands on, the change; bigger where there are few."""
    columns = min(columns, max(len(lines), 1))
    wide, tall, sizes = width / columns, BODY / (max(len(lines), 3) if columns == 1 else 2), BIG if columns == 1 and len(lines) > 1 or columns > 3 else (54, 44, *BIG)
    for place, line in enumerate(lines):
        x, y, w = left + place % columns * wide, TOP + place // columns * tall, wide - 0.2
        colour = {"good": LIGHT["main"], "bad": LIGHT["warn"]}.get(line.tone, LIGHT["ink"])
        change = f"{line.change} on {line.before_period.name}" if line.change != units.MISSING and line.before_period else ""
        says = [(line.label, fits(line.label, w - 0.2, 0.3, (TEXT, 14, SMALL)), True, LIGHT["soft"]), (line.text, fits(line.text, w - 0.2, sizes[0] * 1.3 / 72, sizes), True, colour)]
        for part in (line.sentence, line.sample, change, line.verdict):
            more = [*says, (part, SMALL, False, LIGHT["soft"])]
            says = more if part and tall_of(more, w) <= tall - 0.1 else says
        page.text(x, y, w, tall - 0.1, says)


def _tables(deck: Any, held: Minutes, title: str, headings: Sequence[str], widths: Sequence[float], rows: Any, size: int = 14, above: str = "") -> None:
    """A table over as many slides as its rows need; none without rows."""
    def measured(row: Sequence[str]) -> tuple[list[str], float]:
        cells = [clean(str(cell))[:400] for cell in row]
        return cells, max(lines_of(cell, wide - 0.2, size) for cell, wide in zip(cells, widths, strict=True)) * size * 1.2 / 72 + 0.14

    pages: list[list[tuple[list[str], float]]] = [[]]
    head = measured(headings)
    for cells, tall in map(measured, rows):
        if pages[-1] and sum(one for _, one in pages[-1]) + tall > BODY - head[1] - 0.05:
            pages.append([])
        pages[-1].append((cells, tall))
    for place, page_rows in enumerate(pages):
        if not page_rows:
            continue
        page = Page(deck, held, title)
        if over := ", ".join(part for part in (above, f"{place + 1} of {len(pages)}" if len(pages) > 1 else "") if part):
            page.text(SIDE, 0.15, 8.0, 0.3, [(over, SMALL, True, LIGHT["main"])])
        frame = page.slide.shapes.add_table(len(page_rows) + 1, len(headings), *(Inches(one) for one in (SIDE, TOP, sum(widths), head[1] + sum(tall for _, tall in page_rows))))
        frame._element.nvGraphicFramePr.cNvPr.set("descr", f"{title}: {_count(len(page_rows), 'row')}")
        table = frame.table
        frame._element.graphic.graphicData.tbl.tblPr.find("{http://schemas.openxmlformats.org/drawingml/2006/main}tableStyleId").text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # no style, no grid
        for column, wide in enumerate(widths):
            table.columns[column].width = Inches(wide)
        for number, (cells, tall) in enumerate([head, *page_rows]):
            table.rows[number].height = Inches(tall)
            for column, text in enumerate(cells):
                cell = table.cell(number, column)
                cell.margin_left, cell.margin_right, cell.margin_top, cell.margin_bottom = Inches(0.1), Inches(0.1), Inches(0.05), Inches(0.05)
                cell.fill.solid()
                cell.fill.fore_color.rgb = rgb(LIGHT["grid"] if not number else LIGHT["paper"] if number % 2 else "#F8FAFC")
                write(cell.text_frame, [(text, size, not number, LIGHT["ink"])])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _decided(held: Minutes) -> str:
    decided = sum(one.state == "decided" for one in held.decisions)
    return f"{_count(decided, 'decision')}" + (f", {len(held.decisions) - decided} left open with its reason" if len(held.decisions) > decided else "")


def _basis(one: Receipt) -> str:
    if one.parts:
        return f"made of {_count(len(one.parts), 'number')}"
    if one.numerator == one.numerator and one.denominator == one.denominator:
        return f"{one.numerator:,.0f} of {one.denominator:,.0f}"
    return f"n = {one.n:,.0f}" if one.n == one.n else ""


def _chunks(lines: Sequence[Line], size: int) -> Iterator[Sequence[Line]]:
    for start in range(0, len(lines), size):
        yield lines[start:start + size]
