"""Chart cards: the finding as a sentence, the drawing under it, and what it stands on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from revscore.charts.drawing import Drawing
from revscore.charts.scale import scaled
from revscore.core import units
from revscore.core.made import Worked
from revscore.core.metrics import CARDS
from revscore.core.statistics import Survival
from revscore.core.units import Unit
from revscore.core.view import View
from revscore.rhythm.asks import Ask, made, missing
from revscore.ui import drill, picks, stage, tables
from revscore.ui import lacking as lacks
from revscore.ui.session import Now
from revscore.ui.theme import theme
from revscore.ui.words import md

Behind = tuple[Ask, View] | Worked  # what a mark or a cell opens to: a number under a view, or what it is worked out from
Cell = Callable[[int, str], Behind | None]  # row and column of a table -> what is behind the cell; None: no number
Mark = Callable[[dict[str, Any]], tuple[Ask, View] | None]  # the fields of a mark -> what it asks, under which view; None: no single number


def card(now: Now, finding: str, drawing: Drawing, key: str, foot: str = "", opens: Ask | None = None, mark: Mark | None = None,
         shows: Callable[[dict[str, Any]], None] | None = None, rows: Callable[[], None] | None = None) -> None:
    """A chart whose title says what was found. `finding` and `foot` are plain text: made from data, escaped here. `opens`: the number whose
    rows stand behind the chart. `mark`: the number behind one mark that is clicked, and the view to open it under. `shows`: shows itself what is behind
    a mark that is no number. `rows`: shows itself the rows behind a chart of what no metric counts."""
    with st.container(border=True, key=f"chart-{key}", height="stretch"):
        heading(finding, key)
        picked = _draw(drawing, f"drawing-{key}", mark is not None or shows is not None)
        if foot := stage.aside(foot):
            st.caption(md(foot))
        if (opens is not None or rows is not None) and st.button("", icon=":material/open_in_full:", key=f"rows-{key}", type="tertiary", help="Open the chart to its rows"):
            rows() if opens is None else drill.opened(now, now.ask(made, (opens,))[0], whole=False)
        elif mark is not None and picked is not None and (found := mark(picked)) is not None:
            one, view = found
            drill.opened(now, now.ask(made, (one,), view=view)[0])
        elif shows is not None and picked is not None:
            shows(picked)


def ages(now: Now, curves: Sequence[tuple[str, Survival]], unit: Unit, come: str, of: Callable[[str], tuple[Ask, View | None]]) -> Callable[[dict[str, Any]], None]:
    """What a point or a count below a curve shows: the records of its curve, under what it says ("converted" by that age, how many are followed so far).
    `of`: the number of the curve by its name, and its view (None: that of the page)."""
    def shows(mark: dict[str, Any]) -> None:
        one, age = dict(curves).get(mark["curve"]), float(mark["t"])
        if one is not None:
            asked, view = of(mark["curve"])
            drill.opened(now, now.ask(made, (asked,), view=view)[0], says=f"At {units.text(age, unit)}: {units.text(1 - one.at(age), units.RATIO)} {come}; "
                         f"{units.of(one.at_risk_at(age), one.n)} are followed for so long")

    return shows


def numbers(now: Now, finding: str, frame: pd.DataFrame, key: str, cell: Cell | None = None, opens: Ask | None = None, foot: str = "", empty: str = "",
            formats: dict[str, Unit] | None = None, labels: dict[str, str] | None = None, height: int | str = "auto", board: Sequence[str] = ()) -> None:
    """A table under what was found. `cell`: each of its cells is a number of its own, which opens. `opens`: its rows are the records of that number. `foot` is plain text.
    `board`: the columns that the stage of a meeting shows (all)."""
    picked = None
    with st.container(border=True, key=f"chart-{key}", height="stretch"):
        heading(finding, key)
        if not len(frame):
            if empty:
                st.markdown(md(empty))
            return
        if cell is None:
            row = tables.table(frame, now.x, key, height, formats, labels, opens=opens is not None, board=board)
            if row is not None:
                return drill.opened(now, now.ask(made, (opens,))[0], record=tables.named(frame.iloc[row]))
        else:
            picked = tables.cells(frame, now.x, key, height, formats, labels, board=board)
        told = "Choose a cell to open its number." if cell else "Choose a row to raise an action about it." if opens else ""
        if foot := stage.aside(" ".join(part for part in (foot, told) if part)):
            st.caption(md(foot))
        if opens is not None and st.button("", icon=":material/open_in_full:", key=f"rows-{key}", type="tertiary", help="Open the list to its number, rows and receipt"):
            return drill.opened(now, now.ask(made, (opens,))[0])
    if picked is not None and cell is not None and (found := cell(*picked)) is not None:
        behind(now, found)


def behind(now: Now, found: Behind) -> None:
    """Show the drawer of what is behind a mark or a cell."""
    if isinstance(found, Worked):
        return drill.worked_out(now, found)
    one, view = found
    drill.opened(now, now.ask(made, (one,), view=view)[0])


def _draw(drawing: Drawing, key: str, clickable: bool) -> dict[str, Any] | None:
    """Draw; with `clickable`, the fields of the mark that was clicked since the run before."""
    height = stage.height(drawing.height)
    drawing = scaled(drawing, stage.letters())
    drawn = {"theme": None, "height": height, "alt": drawing.alt, "key": key}
    if not clickable or "params" not in drawing.spec:
        st.vega_lite_chart(drawing.data, drawing.spec, **drawn)
        return None
    state = st.vega_lite_chart(drawing.data, drawing.spec, on_select=lambda: picks.touched(key), selection_mode="pick", **drawn)
    return picks.clicked(key, list(state["selection"].get("pick", [])))


def group(now: Now, frame: pd.DataFrame, dimension: str, one: Ask) -> Mark:
    """The mark of a drawing of groups: `one` narrowed to the group clicked. `frame` has the group as drawn in `group`, as the data say it in `dimension`
    (missing: a sum of several groups, which does not open)."""
    def opens(mark: dict[str, Any]) -> tuple[Ask, View] | None:
        row = frame[frame["group"] == mark["group"]].iloc[0]
        if pd.isna(row[dimension]):
            return None
        return replace(one, own=(*one.own, (dimension, str(row[dimension]))), label=f"{one.label or CARDS[one.card].label}: {row['group']}"), now.view

    return opens


def heading(finding: str, key: str) -> None:
    """What was found, unless it is the headline of the stage already."""
    if stage.repeats(finding):
        return
    with st.container(key=f"finding-{key}"):
        st.markdown(f"### {md(finding)}")


def lacking(now: Now, question: str, *cards: str) -> bool:
    """Whether the extract lacks what these cards need; the page then says so at its end, with the question that it costs."""
    needs = missing(now.x, *cards)
    if needs:
        lacks.note(needs, question)
    return bool(needs)


def absent(question: str, sentence: str, key: str) -> None:
    """The place of a chart that cannot be drawn, with the reason."""
    with st.container(border=True, key=f"absent-{key}", height="stretch"):
        heading(question, key)
        st.markdown(f":material/hide_source: {md(sentence)}")


__all__ = ["Behind", "absent", "ages", "behind", "card", "heading", "lacking", "numbers", "theme"]
