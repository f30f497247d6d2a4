"""A meeting on the screen: frozen, one question at a time, with what is decided on it. The address carries it (`?meeting=…`), so that others join by the link."""

from __future__ import annotations

import streamlit as st

from revscore.core.written import view_as_json, view_from_json
from revscore.rhythm import meetings
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.log import new_id
from revscore.rhythm.meetings import Frozen, Meeting
from revscore.store import StoreError
from revscore.ui import screens, session, stage
from revscore.ui.session import Now
from revscore.ui.state import Choice
from revscore.ui.words import md

KEY = "meeting"
_FOLLOWS, _HERE = "meeting-follows", "meeting-screen"


# -- into a meeting and out of it ----------------------------------------------------------------------------------------------------------

def asked() -> str:
    """The id of the meeting in the address, "" without one."""
    return str(st.query_params.get(KEY, ""))


def bar(now: Now, kind: str) -> None:
    """Start a meeting on what the page shows, or join the one that is running."""
    running = next((one for one in meetings.running(session.store(), now.dataset) if one.kind == kind), None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="meeting-bar", width="content"):
        if running:
            st.markdown(f":material/radio_button_checked: Running since {running.started_at.tz_convert(now.x.terms.reporting_tz):%H:%M}, started by {md(running.started_by)}", width="content")
            st.button("Join", type="primary", icon=":material/login:", key="join-meeting", on_click=_enter, args=(running.id, False))
        else:
            st.button("Start meeting", type="primary", icon=":material/slideshow:", key="start-meeting", on_click=_start, args=(now, kind),
                      help="Freezes data, filters and definitions for everyone in the meeting")


def _start(now: Now, kind: str) -> None:
    agenda, stand, id_ = AGENDAS[kind], now.x.data.stand, new_id()
    frozen = Frozen(stand.loads, now.x.data.as_of.isoformat(), stand.definitions or 0, now.x.terms.digest, view_as_json(now.view), now.choice.period_name)
    try:
        held = meetings.start(session.store(), now.dataset, kind, agenda.title, frozen, agenda.ids, session.who(), id_)
    except StoreError as error:
        st.toast(md(str(error)), icon=":material/error:")
        return
    session.pin(now.dataset, held, now.x)
    _enter(held.id, True)


def _enter(id_: str, presents: bool) -> None:
    st.query_params[KEY] = id_
    st.session_state[_FOLLOWS] = not presents
    st.session_state.pop(_HERE, None)


def leave() -> None:
    """Back to the pages; the meeting goes on for the others."""
    st.query_params.pop(KEY, None)
    stage.leave()


# -- the stage -----------------------------------------------------------------------------------------------------------------------------

def run() -> None:
    """One run of the app inside a meeting."""
    try:
        dataset, held = session.meeting(asked())
        now = frozen(dataset, held)
    except StoreError as error:
        stage.leave()
        st.title("This meeting cannot be shown", anchor=False)
        st.markdown(md(str(error)))
        st.button("Back", on_click=leave, key="leave-meeting")
        return
    stage.enter()
    with st.container(key="stage"):
        screen = _screen(held)
        _head(now, held, screen)
        _question(now, held, screen)
        with st.container(key="stage-body"):
            screens.draw(now, held.kind, screen)
        _foot(now, held, screen)


def frozen(dataset: str, held: Meeting) -> Now:
    """What everyone in the meeting looks at."""
    x = session.frozen(dataset, held)
    return Now(dataset, f"meeting {held.id}", x, Choice(view_from_json(held.frozen.view), held.frozen.period_name))


def _screen(held: Meeting) -> str:
    """The screen of this viewer: that of the presenter while following, else one's own."""
    if st.session_state.get(_FOLLOWS, True) or st.session_state.get(_HERE) not in held.agenda:
        st.session_state[_HERE] = held.screen
    return st.session_state[_HERE]


def _step(dataset: str, held: Meeting, screen: str, by: int) -> None:
    place = held.agenda.index(screen) + by
    place = max(0, min(place, len(held.agenda) - 1))
    if held.agenda[place] == screen:
        return
    st.session_state[_HERE] = held.agenda[place]
    if st.session_state.get(_FOLLOWS, True):
        st.session_state[_FOLLOWS] = False  # who steps by oneself looks around; the presenter's steps are the meeting's
        st.session_state["meeting-looks"] = True
    elif held.running and not st.session_state.get("meeting-looks"):
        meetings.show(session.store(), dataset, held, held.agenda[place], session.who())


def _head(now: Now, held: Meeting, screen: str) -> None:
    agenda, place = AGENDAS[held.kind], held.agenda.index(screen)
    used, planned = held.minutes(session.instant()), agenda.screen(screen)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="stage-head"):
        st.markdown(md(f"{held.title} · {now.choice.period_text} · data as of {now.x.data.as_of.tz_convert(now.x.terms.reporting_tz):%d %b %Y}, frozen"), width="content")
        st.markdown(f"**{place + 1} of {len(held.agenda)}** &nbsp; {md(planned.title)} &nbsp; :material/timer: {used.get(screen, 0):.0f} of {planned.minutes} min &nbsp; "
                    f"{sum(used.values()):.0f} of {agenda.minutes} min", width="content")


def _question(now: Now, held: Meeting, screen: str) -> None:
    found, planned = screens.said(now, held.kind).get(screen), AGENDAS[held.kind].screen(screen)
    with st.container(key="stage-question", gap="xsmall"):
        st.markdown(f":gray[{md(planned.question)}]" if found else "&nbsp;")
        st.title(md(found.text if found else planned.question), anchor=False)


def _foot(now: Now, held: Meeting, screen: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="stage-foot"):
        place = held.agenda.index(screen)
        st.button("", icon=":material/arrow_back:", key="step-back", help="Back (←)", disabled=place == 0, on_click=_step, args=(now.dataset, held, screen, -1))
        st.button("", icon=":material/arrow_forward:", key="step-on", help="Next (→)", disabled=place == len(held.agenda) - 1, on_click=_step, args=(now.dataset, held, screen, 1))
        if steps := stage.controls():
            _step(now.dataset, held, screen, steps)
            st.rerun()
        st.button("Leave", icon=":material/logout:", key="leave-meeting", type="tertiary", on_click=leave, help="The meeting goes on for the others")
