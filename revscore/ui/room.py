"""Around the screen of a meeting: the time that is used, what arrived meanwhile, who is there, the presenter's notes, the agenda."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from revscore.core.metric import functions
from revscore.rhythm import meetings
from revscore.rhythm.actions import FUNCTIONS
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.meetings import Meeting
from revscore.store import StoreError
from revscore.ui import allowed, capture, session
from revscore.ui.session import Now
from revscore.ui.words import listed, md

EVERY = 5  # s between two looks at the clock


@st.fragment(run_every=EVERY)
def clock(now: Now, id_: str, screen: str, follows: bool) -> None:
    """The head of the stage: what is looked at and until when it is true, and the time used. Where the presenter has moved on, or the meeting was closed,
    it says so to the page, which follows unless a form is open."""
    store = session.store()
    held = meetings.meeting(store, now.dataset, id_)
    agenda, place, used = AGENDAS[held.kind], held.agenda.index(screen), held.minutes(session.instant())
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small", key="stage-clock"):
        st.markdown(newer(now, held) or md(f"{held.title} · {now.choice.period_text} · data as of {day(now, now.x.data.as_of)}, frozen"), width="content")
        here = _time(used.get(screen, 0.0), agenda.screen(screen).minutes)
        st.markdown(f"{place + 1} of {len(held.agenda)} &nbsp;**{md(agenda.screen(screen).title)}** &nbsp; :material/timer: {here} &nbsp;·&nbsp; meeting {_time(sum(used.values()), agenda.minutes)}",
                    width="content")
        if not held.running or follows and held.screen != screen:
            with st.container(key="stage-moved-on", width="content"):
                st.markdown(":material/sync:", width="content")


def _time(used: float, planned: int) -> str:
    """ "2 of 5 min"; with a warning "7 of 5 min, 2 over". """
    over = int(used) - planned
    return f":orange[**{int(used)} of {planned} min, {over} over**]" if over > 0 else f"{int(used)} of {planned} min"


def newer(now: Now, held: Meeting) -> str:
    """What arrived since the start and is not shown: a quiet line; "" when nothing did."""
    store, then = session.store(), held.frozen
    came = [one for one in store.loads(now.dataset) if one.loaded_at > held.started_at and one.id not in then.loads]
    if came:
        last = max(came, key=lambda one: one.loaded_at)
        return (f":material/update: A newer extract (as of {md(day(now, last.as_of))}) arrived at {local(now, last.loaded_at):%H:%M}; "
                f"this meeting stays on the one of {md(day(now, now.x.data.as_of))}.")
    if then.definitions and store.terms(now.dataset)[1] != then.definitions:
        return f":material/update: The definitions were changed; this meeting stays on version {then.definitions}."
    return ""


def local(now: Now, at: pd.Timestamp) -> pd.Timestamp:
    return at.tz_convert(now.x.terms.reporting_tz)


def day(now: Now, at: pd.Timestamp) -> str:
    return f"{(there := local(now, at)).day} {there:%b %Y}"


# -- the agenda ----------------------------------------------------------------------------------------------------------------------------

def overview(now: Now, held: Meeting, screen: str, go: Callable[[str, Meeting, str], None]) -> None:
    """All screens, each with its time and what was captured on it; one click goes there."""
    agenda, used, found = AGENDAS[held.kind], held.minutes(session.instant()), meetings.taken(session.store(), now.dataset, held)
    count = pd.Series([one.screen for one in (*found.actions, *found.decisions)], dtype="str").value_counts()
    with st.popover("Agenda", icon=":material/list:", key=f"agenda-{screen}"):
        for place, one in enumerate(agenda.screens, start=1):
            captured = f" · {count[one.id]} captured" if one.id in count.index else ""
            time = f"{used.get(one.id, 0.0):.0f} of {one.minutes} min{captured}"
            st.button(f"{place} &nbsp;{md(one.title)} &nbsp;{time if one.id == screen else f':gray[{time}]'}", key=f"go-{one.id}", type="primary" if one.id == screen else "tertiary", on_click=go, args=(now.dataset, held, one.id))


# -- who is there --------------------------------------------------------------------------------------------------------------------------

def absent(held: Meeting) -> list[str]:
    """The functions that the agenda asks for and that nobody stands for, once somebody is written down."""
    return [functions((name,)) for name in AGENDAS[held.kind].functions if name not in held.present.values()] if held.present else []


def attendance(now: Now, held: Meeting) -> None:
    """Who is there, in a few words; a click opens the list."""
    lacking = absent(held)
    said = "Who is there?" if not held.present else f"{len(held.present)} there" + (f", nobody from {listed(lacking)}" if lacking else "")
    if st.button(md(said), icon=":material/groups:", key="attendance", help="Attendance by function"):
        _attendance(now, held)


@st.dialog("Who is there", width="medium", position="right")
def _attendance(now: Now, held: Meeting) -> None:
    users = now.x.data.table("users") if now.x.data.has("users") else pd.DataFrame({"name": [], "function": []})
    present: dict[str, str] = {}
    for function in FUNCTIONS:
        there = [name for name, own in held.present.items() if own == function]
        names = users.loc[users["function"].eq(function), "name"].dropna().astype(str).sort_values().tolist()
        needed = function in AGENDAS[held.kind].functions
        for name in st.multiselect(f"{functions((function,))}{'' if needed else ' (not needed)'}", list(dict.fromkeys([*there, *names])), default=there, key=f"there-{function}",
                                   accept_new_options=True, placeholder="Names"):
            present[name] = function
    if st.button("Save", type="primary", icon=":material/check:", key="there-save", **allowed.to("meeting.attend")) \
            and capture.saved(lambda: meetings.attend(session.store(), now.dataset, held, present, session.actor())):
        st.rerun()


# -- the presenter's notes -----------------------------------------------------------------------------------------------------------------

def notes(now: Now, held: Meeting, screen: str) -> None:
    """What the presenter may ask the room, and what was noted on this screen; only the presenter sees it."""
    key = f"note-{screen}"
    with st.popover("Notes", icon=":material/sticky_note_2:", key=f"notes-{screen}", help="Only you see them here; the minutes keep what you write"):
        for prompt in AGENDAS[held.kind].screen(screen).prompts:
            st.markdown(f":material/help: {md(prompt)}")
        st.text_area("Own notes on this screen", held.notes.get(screen, ""), key=key, max_chars=2000, height=140, on_change=_note, args=(now.dataset, held, screen, key),
                     **allowed.to("meeting.note"))


def _note(dataset: str, held: Meeting, screen: str, key: str) -> None:
    try:
        meetings.note(session.store(), dataset, held, screen, str(st.session_state[key]), session.actor())
    except StoreError as error:
        st.toast(md(str(error)), icon=":material/error:")
