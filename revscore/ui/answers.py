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
    with st.container(key=f"section-{title.lower().replace(' ', '-')}"):
        st.markdown(f"### {md(title)} &nbsp;:small[:gray[{md(question)}]]")


def course(review: Scorecard) -> None:
    """ "Not yet together: 5 of 9 on course; off course: Win rate and Sales cycle." """
    on, off = review.of("on"), review.of("off")
    if not on and not off:
        return answer("No call yet: nothing here has a target or a comparison with enough behind it.")
    names = listed([tile.line.label.split(",")[0] for tile in off])
    if not off:
        return answer(f"On course, together: all {len(on)}.")
    answer(f"Not yet together: {len(on)} of {len(on) + len(off)} on course; off course: {names}." if on else f"Off course{'' if len(off) == 1 else ' in both' if len(off) == 2 else f' in all {len(off)}'}: {names}.")
