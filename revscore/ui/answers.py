"""Answers: the sentences that stand before the charts."""

from __future__ import annotations

import streamlit as st

from revscore.rhythm.scorecard import Scorecard
from revscore.ui.words import listed, md


def answer(text: str) -> None:
    """The answer of a page, in plain text."""
    with st.container(key="answer"):
        st.markdown(md(text))


def section(title: str, question: str) -> None:
    """The head of a section: one question."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"section-{title.lower().replace(' ', '-')}"):
        st.markdown(f"### {md(title)}", width="content")
        st.caption(md(question), width="content")


def course(review: Scorecard) -> None:
    """ "Not on course together: 5 of 9 are on course. Off course: Win rate and Sales cycle. No call on 3." """
    on, off, still = review.of("on"), review.of("off"), review.of("open")
    if not on and not off:
        return answer("No call yet: nothing here has a target or a comparison with enough behind it.")
    head = "On course, together" if not off else "Not on course together" if on else "Off course"
    said = f"{head}: {len(on)} of {len(on) + len(off)} are on course."
    if off:
        said += f" Off course: {listed([tile.line.label for tile in off])}."
    answer(said + (f" No call on {len(still)}." if still else ""))
