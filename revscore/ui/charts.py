"""Chart cards: the finding as a sentence, the drawing under it, and what it stands on."""

from __future__ import annotations

import streamlit as st

from revscore.charts.drawing import Drawing
from revscore.charts.theme import Theme
from revscore.rhythm.asks import Ask, made
from revscore.ui import drill
from revscore.ui.session import Now
from revscore.ui.words import md


def theme() -> Theme:
    """The reader's theme."""
    return "dark" if st.context.theme.type == "dark" else "light"


def card(now: Now, finding: str, drawing: Drawing, key: str, foot: str = "", opens: Ask | None = None) -> None:
    """A chart whose title says what was found. `finding` and `foot` are plain text: made from data, escaped here. `opens`: the number whose
    rows stand behind the chart."""
    with st.container(border=True, key=f"chart-{key}", height="stretch"):
        heading(finding, key)
        st.vega_lite_chart(drawing.data, drawing.spec, theme=None, height=drawing.height, alt=drawing.alt, key=f"drawing-{key}")
        if foot:
            st.caption(md(foot))
        if opens is not None and st.button("", icon=":material/open_in_full:", key=f"rows-{key}", type="tertiary", help="Open the chart to its rows"):
            drill.opened(now, now.ask(made, (opens,))[0], whole=False)


def heading(finding: str, key: str) -> None:
    with st.container(key=f"finding-{key}"):
        st.markdown(f"### {md(finding)}")


def absent(question: str, sentence: str, key: str) -> None:
    """The place of a chart that cannot be drawn, with the reason."""
    with st.container(border=True, key=f"absent-{key}", height="stretch"):
        heading(question, key)
        st.markdown(f":material/hide_source: {md(sentence)}")
