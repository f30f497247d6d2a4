"""Chart cards: the finding as a sentence, the drawing under it, and what it stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from revscore.charts.drawing import Drawing
from revscore.core.metrics import CARDS
from revscore.core.view import View
from revscore.rhythm.asks import Ask, made
from revscore.ui import drill, picks
from revscore.ui.session import Now
from revscore.ui.theme import theme
from revscore.ui.words import md

Mark = Callable[[dict[str, Any]], tuple[Ask, View] | None]  # the fields of a mark -> what it asks, under which view; None: no single number


def card(now: Now, finding: str, drawing: Drawing, key: str, foot: str = "", opens: Ask | None = None, mark: Mark | None = None,
         shows: Callable[[dict[str, Any]], None] | None = None) -> None:
    """A chart whose title says what was found. `finding` and `foot` are plain text: made from data, escaped here. `opens`: the number whose
    rows stand behind the chart. `mark`: the number behind one mark that is clicked, and the view to open it under. `shows`: shows itself what is behind
    a mark that is no number."""
    with st.container(border=True, key=f"chart-{key}", height="stretch"):
        heading(finding, key)
        picked = _draw(drawing, f"drawing-{key}", mark is not None or shows is not None)
        if foot:
            st.caption(md(foot))
        if opens is not None and st.button("", icon=":material/open_in_full:", key=f"rows-{key}", type="tertiary", help="Open the chart to its rows"):
            drill.opened(now, now.ask(made, (opens,))[0], whole=False)
        elif mark is not None and picked is not None and (found := mark(picked)) is not None:
            one, view = found
            drill.opened(now, now.ask(made, (one,), view=view)[0])
        elif shows is not None and picked is not None:
            shows(picked)


def _draw(drawing: Drawing, key: str, clickable: bool) -> dict[str, Any] | None:
    """Draw; with `clickable`, the fields of the mark that was clicked since the run before."""
    drawn = {"theme": None, "height": drawing.height, "alt": drawing.alt, "key": key}
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
    with st.container(key=f"finding-{key}"):
        st.markdown(f"### {md(finding)}")


def absent(question: str, sentence: str, key: str) -> None:
    """The place of a chart that cannot be drawn, with the reason."""
    with st.container(border=True, key=f"absent-{key}", height="stretch"):
        heading(question, key)
        st.markdown(f":material/hide_source: {md(sentence)}")


__all__ = ["absent", "card", "heading", "theme"]
