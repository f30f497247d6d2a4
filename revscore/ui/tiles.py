"""Tiles: a number with its unit and sample, what it was before, its trend, target, maturity and owners; it opens to its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from revscore.charts.drawing import Drawing
from revscore.charts.scale import scaled
from revscore.charts.series import spark
from revscore.core import units
from revscore.core.metric import Better, Kind
from revscore.core.review import Line
from revscore.rhythm.scorecard import Course, Tile, judged
from revscore.rhythm.target_lines import target_line
from revscore.ui import drill, lacking, stage
from revscore.ui.session import Now
from revscore.ui.theme import theme
from revscore.ui.words import md, owners

_COUNTED = {"shared.weakest_link": units.Unit("legs", "count", "legs")}  # what n counts where it is no record
_TONES = {"good": "green", "bad": "red", "neutral": "gray"}
_CALLED = {"on": "green", "off": "red"}  # the tone of a tile that has a course: its badge, trend and chip say one thing
_COURSES = {"on": ":green-badge[:material/check: on course]", "off": ":orange-badge[:material/priority_high: off course]", "open": ":gray-badge[no call]"}


def row(now: Now, lines: Sequence[Line | Tile], columns: int = 4, key: str = "") -> None:
    """Tiles side by side, `columns` to a row. Numbers that the extract cannot give are named at the end of the page."""
    there = [one for one in lines if not _line(one).lacks]
    for first in range(0, len(there), columns):
        some = there[first:first + columns]
        for place, one in zip(st.columns(columns if first else max(len(some), 2), gap="small"), some, strict=False):
            with place:
                tile(now, one, key)
    if len(there) < len(lines):
        for line in (_line(one) for one in lines):
            if line.lacks:
                lacking.note(line.lacks, line.label)


def _line(one: Line | Tile) -> Line:
    return one.line if isinstance(one, Tile) else one


def tile(now: Now, one: Line | Tile, key: str = "") -> None:
    """One number of a review, judged alike on every page: a target gives the colour, else what the tests say of the step from before. Numbers of a scorecard
    (a `Tile`) say so too where there is no call."""
    found = one if isinstance(one, Tile) else judged(now.x, now.view, one)
    line = found.line
    name = key_of(line, key)
    step = None if line.change == units.MISSING else line.change
    chip, beside = (found.why, md(f"{step} on {line.before_period.name.removeprefix('same days of ')}") if step and line.before_period else None) if found.aimed else (step, _compared(line))
    aimed = None if stage.bare() else _aimed(now, line)
    with st.container(border=True, key=f"tile-{name}", gap="xxsmall", height="stretch"):
        st.metric(md(line.label), md(line.text if line.denominator != 0 else units.MISSING), chip, delta_color=_CALLED.get(found.course, _TONES[line.tone]),
                  delta_arrow="off" if found.aimed else arrow(line.change), delta_description=beside, chart_data=None if aimed or stage.bare() else _trend(line), chart_type="area")
        if aimed:
            st.vega_lite_chart(aimed.data, scaled(aimed, stage.scale()).spec, theme=None, height=round(aimed.height * stage.scale()), alt=aimed.alt, key=f"trend-{name}")
        if line.verdict and not line.lacks:
            st.markdown(said(line, found.course if found.aimed else "open"))
        st.caption(" · ".join(_foot(found, isinstance(one, Tile))))
        if isinstance(one, Tile) or found.course != "open":
            with st.container(key=f"course-{name}"):
                st.markdown(_COURSES[found.course])
        if st.button("", icon=":material/open_in_full:", key=f"open-{name}", type="tertiary", help=f"Open {md(line.label)} to its rows"):
            drill.opened(now, line)


def said(line: Line, course: Course = "open") -> str:
    """What the tests say of a line, in words with a sign: "↗ Signal up: week of 9 Nov above the limits", "No change". `course`: what its target says; with a
    signal both are said, "On course, yet signal down: 10 weeks below the mean"."""
    says = line.verdict
    if course != "open" and line.signal.fired:
        alike = (line.signal.state == "up") == ((line.card.better is Better.UP) == (course == "on"))
        says = f"{course} course, {'and' if alike else 'yet'} {says}"
    text, icon = says[:1].upper() + says[1:], {"up": "trending_up", "down": "trending_down", "few": "hourglass_empty"}.get(
        line.signal.state, "difference" if line.moved else "drag_handle")
    return f":material/{icon}: **{md(text)}**" if line.moved else f":gray[:material/{icon}: {md(text)}]"


def unchanged(now: Now, lines: Sequence[Line], key: str) -> None:
    """The numbers that did not move, on one line; each still opens."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"unchanged-{key_of(lines[0], key)}"):
        st.markdown(":material/drag_handle: **No change in**", width="content")
        for line in lines:
            of = f" ({line.sample})" if line.measure.unit.kind == "ratio" and line.sample else ""
            if st.button(f"{md(line.label)} &nbsp;{md(line.text + of)}", key=f"open-{key_of(line, key)}", type="tertiary", help=f"{md(line.sample)}; opens to its rows" if line.sample else "Opens to its rows"):
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
    was, name = units.text(line.before, line.measure.unit, line.currency), period.name
    return md(f"vs {was}, {name.removeprefix('same days of ')} to date" if name.startswith("same days of") else f"vs {was}, {name}")


def _settled(line: Line) -> pd.DataFrame:
    """The series without its gaps and without what may still change: cohorts that are not settled; of a total, the period that is still running."""
    kept = line.series[~line.series["running"]] if line.measure.kind is Kind.TOTAL else line.series
    kept = kept[~kept["maturity"].isin(("partial", "immature"))] if "maturity" in kept else kept
    return kept[pd.to_numeric(kept["value"]).notna()]


def _trend(line: Line) -> list[float] | None:
    if not len(line.series) or not line.known:
        return None
    values = pd.to_numeric(_settled(line)["value"])
    return values.tolist() if len(values) > 2 and values.nunique() > 1 else None


def _aimed(now: Now, line: Line) -> Drawing | None:
    """The trend with its target line; None where there is no trend or there was no target. The tile's own judgement is of the whole period: its last full
    month is not judged beside it."""
    if _trend(line) is None:
        return None
    kept = _settled(line)
    goal = target_line(now.x, now.view, line).set_index("start")["target"].reindex(kept["start"]).to_numpy()
    return None if pd.isna(goal).all() else spark(kept, line.measure.unit, line.currency, label=line.label, target=goal, better="", theme=theme())


def _foot(one: Tile, called: bool) -> list[str]:
    line = one.line
    parts = [md(one.why)] if one.why and not one.aimed and (called or not line.known) else []
    counts_itself = line.measure.kind is Kind.TOTAL and line.n == line.value
    parts += [md(f"{_sample(line)}{f' ({line.interval})' if line.interval else ''}")] if line.sample and (not line.suppressed or line.measure.records) and line.denominator != 0 and not counts_itself else []
    parts += ["not settled"] if line.maturity in ("partial", "immature") else []
    return parts if stage.on_board() and parts else [*parts, md(owners(line.card.owners))]


def _sample(line: Line) -> str:
    """What the value stands on; "4 legs", "none of 1,589 deals has an amount"."""
    if line.card.id in _COUNTED:
        return units.named(line.n, _COUNTED[line.card.id])
    return f"none of {units.named(line.n, units.DEALS)} has an amount" if line.without_amount and line.without_amount == line.n else line.sample
