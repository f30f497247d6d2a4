"""What the extract lacks for a page: gathered while the page is drawn, said once at its end with the questions that it costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st

from revscore.core.review import needed
from revscore.ui.words import md

_page: ContextVar[dict[tuple[str, ...], list[str]] | None] = ContextVar("lacking", default=None)


@contextmanager
def gathered() -> Iterator[None]:
    """Around a page: what it lacks stands in one box at its end."""
    token = _page.set({})
    try:
        yield
        _box(_page.get() or {})
    finally:
        _page.reset(token)


def note(needs: tuple[str, ...], question: str) -> None:
    """A question, or the label of a number, that cannot be answered for want of `needs` (as `CrmData.missing` gives them)."""
    found = _page.get()
    if found is None:
        return _box({needs: [question]})
    asked = found.setdefault(needs, [])
    if question not in asked:
        asked.append(question)


def _box(found: dict[tuple[str, ...], list[str]]) -> None:
    """ "Needs targets, which this extract lacks: Weakest link · Who is the weakest link?" """
    if not found:
        return
    with st.container(border=True, key="lacking-page", gap="xsmall"):
        st.markdown("**What this extract cannot answer**")
        for needs, questions in found.items():
            st.markdown(f":material/hide_source: Needs {md(needed(needs))}, which this extract lacks &nbsp;:small[:gray[{md(' · '.join(questions))}]]")
