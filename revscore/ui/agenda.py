"""The page that prepares a meeting: every screen of its agenda on one line, with its answer; a line opens to what the meeting will look at."""

from __future__ import annotations

import streamlit as st

from revscore.rhythm import answers as sentences
from revscore.rhythm.agenda import AGENDAS, Screen
from revscore.rhythm.answers import Answer
from revscore.ui import answers, closing, meeting, screens, state
from revscore.ui.blocks import published
from revscore.ui.session import Now
from revscore.ui.words import md


def page(now: Now, kind: str) -> None:
    agenda, said = AGENDAS[kind], screens.said(now, kind)
    answers.answer(sentences.whole(said, agenda))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="agenda-bar"):
        with st.container(horizontal=True, vertical_alignment="center", gap="medium", width="content"):
            meeting.bar(now, kind)
            st.caption(md(f"{len(agenda.screens)} questions, {agenda.minutes} minutes. Open a line for what the meeting looks at."), width="content")
        everything = st.toggle("Open all", key="everything", bind=state.BOUND, help="All screens under each other")
    for place, screen in enumerate(agenda.screens, start=1):
        if everything:
            answers.section(screen.title, said[screen.id].text if screen.id in said else screen.question)
            screens.draw(now, kind, screen.id)
            continue
        line = st.expander(_line(place, screen, said.get(screen.id)), key=f"screen-{kind}-{screen.id}", on_change="rerun")
        if line.open:
            with line:
                screens.draw(now, kind, screen.id)
    published.close(now, kind)
    closing.past(now, kind, meeting.enter)


def _line(place: int, screen: Screen, found: Answer | None) -> str:
    """ "3 ! Coverage  Not enough pipeline: …". """
    sign = ":orange[:material/priority_high:]" if found and found.talk else ":gray[:material/remove:]" if found is None or not found.known else ":blue[:material/check:]"
    return f"{sign} &nbsp;{place} &nbsp; **{md(screen.title)}** &nbsp; {md(found.text if found else screen.question)}"
