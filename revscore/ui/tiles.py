"""Tiles: a number with its unit and sample, what it was before, its trend, target, maturity and owners; it opens to its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.metric import Kind
from revscore.core.review import Line, listed
from revscore.rhythm.scorecard import Tile
from revscore.ui import drill, words
from revscore.ui.session import Now
from revscore.ui.words import md, owners

_TONES = {"good": "green", "bad": "red", "neutral": "gray"}
_CALLED = {"on": "green", "off": "red"}  # the tone of a tile that has a course: its badge, trend and chip say one thing
_COURSES = {"on": ":green-badge[:material/check: on course]", "off": ":orange-badge[:material/priority_high: off course]", "open": ":gray-badge[no call]"}


def row(now: Now, lines: Sequence[Line | Tile], columns: int = 4, key: str = "") -> None:
    """Tiles side by side, `columns` to a row. Numbers that the extract cannot give follow the others, in one line."""
    there = [one for one in lines if not _line(one).lacks]
    for first in range(0, len(there), columns):
        some = there[first:first + columns]
        for place, one in zip(st.columns(columns if first else max(len(some), 2), gap="small"), some, strict=False):
            with place:
                tile(now, one, key)
    if len(there) < len(lines):
        _absent([_line(one) for one in lines if _line(one).lacks], key)


def _line(one: Line | Tile) -> Line:
    return one.line if isinstance(one, Tile) else one


def _absent(lines: Sequence[Line], key: str) -> None:
    """The numbers that cannot be had, by what they need: "MQLs and MQL acceptance  Needs leads and lead stage history". """
    by_needs: dict[tuple[str, ...], list[str]] = {}
    for line in lines:
        by_needs.setdefault(line.lacks, []).append(line.label)
    with st.container(border=True, key=f"lacking-{key_of(lines[0], key)}", gap="xxsmall"):
        for needs, labels in by_needs.items():
            st.markdown(f":material/hide_source: {md(words.listed(labels))} &nbsp;:small[:gray[Needs {md(listed(needs))}]]")


def tile(now: Now, one: Line | Tile, key: str = "") -> None:
    """One number of a review."""
    line = _line(one)
    name = key_of(line, key)
    tone = _TONES[line.tone] if not isinstance(one, Tile) else _CALLED.get(one.course, _TONES[line.tone])
    with st.container(border=True, key=f"tile-{name}", gap="xxsmall", height="stretch"):
        st.metric(md(line.label), md(line.text if line.denominator != 0 else units.MISSING), None if line.change == units.MISSING else line.change,
                  delta_color=tone, delta_arrow=arrow(line.change), delta_description=_compared(line), chart_data=_trend(line), chart_type="area")
        if line.verdict and not line.lacks:
            st.markdown(said(line))
        st.caption(" · ".join(_foot(one, line)))
        if isinstance(one, Tile):
            with st.container(key=f"course-{name}"):
                st.markdown(_COURSES[one.course])
        if st.button("", icon=":material/open_in_full:", key=f"open-{name}", type="tertiary", help=f"Open {md(line.label)} to its rows"):
            drill.opened(now, line)


def said(line: Line) -> str:
    """What the tests say of a line, in words with a sign: "↗ Signal up: week of 9 Nov above the limits", "No change"."""
    text, icon = line.verdict[:1].upper() + line.verdict[1:], {"up": "trending_up", "down": "trending_down", "few": "hourglass_empty"}.get(
        line.signal.state, "difference" if line.moved else "drag_handle")
    return f":material/{icon}: **{md(text)}**" if line.moved else f":gray[:material/{icon}: {md(text)}]"


def unchanged(now: Now, lines: Sequence[Line], key: str) -> None:
    """The numbers that did not move, on one line; each still opens."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"unchanged-{key_of(lines[0], key)}"):
        st.markdown(":material/drag_handle: **No change in**", width="content")
        for line in lines:
            if st.button(f"{md(line.label)} &nbsp;{md(line.text)}", key=f"open-{key_of(line, key)}", type="tertiary", help=f"{md(line.sample)}; opens to its rows" if line.sample else "Opens to its rows"):
                drill.opened(now, line)


def key_of(line: Line, prefix: str = "") -> str:
    """A key for widgets that stays the same from run to run."""
    own = "-".join(str(value) for _, value in (*line.own, *line.params))
    return re.sub(r"[^a-z0-9]+", "-", f"{prefix} {line.card.id} {line.stat} {own}".lower()).strip("-")


def arrow(change: str) -> str:
    """The arrow of a written step."""
    return "off" if change.startswith("±") else "up" if change.startswith("+") else "down"


def _compared(line: Line) -> str | None:
    period = line.before_period
    if period is None or line.change == units.MISSING:
        return None
    was, name = units.text(line.before, line.measure.unit, line.currency), period.label or period.dates()
    return md(f"vs {was}, {name.removeprefix('same days of ')} to date" if name.startswith("same days of") else f"vs {was}, {name}")


def _trend(line: Line) -> list[float] | None:
    """The series without its gaps and without what may still change: cohorts that are not settled; of a total, the period that is still running."""
    if not len(line.series):
        return None
    kept = line.series[~line.series["running"]] if line.measure.kind is Kind.TOTAL else line.series
    kept = kept[~kept["maturity"].isin(("partial", "immature"))] if "maturity" in kept else kept
    values = pd.to_numeric(kept["value"]).dropna()
    return values.tolist() if len(values) > 2 and values.nunique() > 1 else None


def _foot(one: Line | Tile, line: Line) -> list[str]:
    parts = [md(one.why)] if isinstance(one, Tile) and one.why else []
    counts_itself = line.measure.kind is Kind.TOTAL and line.n == line.value
    parts += [md(f"{line.sample}{f' ({line.interval})' if line.interval else ''}")] if line.sample and (not line.suppressed or line.measure.records) and line.denominator != 0 and not counts_itself else []
    parts += ["not settled"] if line.maturity in ("partial", "immature") else []
    return [*parts, md(owners(line.card.owners))]
