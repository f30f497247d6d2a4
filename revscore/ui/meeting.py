"""A meeting on the screen: frozen, one question at a time, with what is decided on it. The address carries it (`?meeting=…`), so that others join by the link;
that of the presenter carries the seat too (`&seat=…`), so that a reload, or a restart of the server, leaves nobody without a presenter."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from revscore.core.written import view_as_json, view_from_json
from revscore.rhythm import meetings
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.log import new_id
from revscore.rhythm.meetings import Frozen, Meeting
from revscore.store import StoreError
from revscore.ui import allowed, boards, capture, closing, room, screens, session, stage
from revscore.ui.session import Now
from revscore.ui.state import Choice
from revscore.ui.words import md

KEY, PLACE = "meeting", "seat"
_SEAT, _HERE = "meeting-seat", "meeting-screen"


@dataclass
class Seat:
    """Where one session sits in a meeting: what it looks at, and whether it left the presenter to look around."""

    id: str = field(default_factory=new_id)
    screen: str = ""
    looks: bool = False

    def presents(self, held: Meeting) -> bool:
        return held.running and held.presenter == self.id

    def looks_at(self, held: Meeting) -> str:
        """The screen of this seat: that of the meeting while it follows or presents, else its own."""
        if not self.looks or self.screen not in held.agenda:
            self.screen = held.screen
        return self.screen


def _seat() -> Seat:
    """The seat of this session: after a reload the one that the address names, unless another session sits there (the address was passed on)."""
    if _SEAT not in st.session_state:
        named = str(st.query_params.get(PLACE, ""))
        found = Seat(named) if named and session.sit(named) else Seat()
        session.sit(found.id)
        st.session_state[_SEAT] = found
    return st.session_state[_SEAT]


def _keep(seat: Seat, held: Meeting) -> None:
    """The address of the presenter names the seat, that of nobody else does."""
    if not seat.presents(held):
        st.query_params.pop(PLACE, None)
    elif st.query_params.get(PLACE) != seat.id:
        st.query_params[PLACE] = seat.id


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
            st.button("Join", type="primary", icon=":material/login:", key="join-meeting", on_click=enter, args=(running.id,))
        else:
            st.button("Start meeting", type="primary", icon=":material/slideshow:", key="start-meeting", on_click=_start, args=(now, kind),
                      **allowed.to("meeting.start", help="Freezes data, filters and definitions for everyone in the meeting"))


def _start(now: Now, kind: str) -> None:
    agenda, stand, id_ = AGENDAS[kind], now.x.data.stand, new_id()
    frozen_ = Frozen(stand.loads, now.x.data.as_of.isoformat(), stand.definitions or 0, now.x.terms.digest, view_as_json(now.view), now.choice.period_name, stand.log)
    try:
        held = meetings.start(session.store(), now.dataset, kind, agenda.title, frozen_, agenda.ids, session.actor(), id_, _seat().id)
    except StoreError as error:
        st.toast(md(str(error)), icon=":material/error:")
        return
    session.pin(now.dataset, held, now.x)
    enter(held.id)


def enter(id_: str) -> None:
    """Into a meeting, or to the minutes of one that is closed: whoever does not present follows."""
    st.query_params[KEY] = id_
    _seat().looks = False


def leave() -> None:
    """Back to the pages; the meeting goes on for the others."""
    st.query_params.pop(KEY, None)
    st.query_params.pop(PLACE, None)
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
    if not held.running:
        stage.leave()
        return closing.minutes_of(now, held, leave)
    _on_stage(now, held)


def _on_stage(now: Now, held: Meeting) -> None:
    seat, dataset = _seat(), now.dataset
    stage.enter()
    with st.container(key="stage"):
        head, question, body, chips, foot = (st.container(key=f"stage-{part}", horizontal=part in ("head", "chips", "foot"), vertical_alignment="center" if part != "body" else "top",
                                                          horizontal_alignment="distribute" if part == "head" else "left", gap="small")
                                             for part in ("head", "question", "body", "chips", "foot"))
    with foot:
        steps, key = stage.controls()
    if steps:
        step(dataset, held, steps)
        held = meetings.meeting(session.store(), dataset, held.id)
    _keep(seat, held)
    screen = st.session_state[_HERE] = seat.looks_at(held)
    planned, found = AGENDAS[held.kind].screen(screen), screens.said(now, held.kind).get(screen)
    said = stage.headline(found.text if found else planned.question)
    with head:
        room.clock(now, held.id, screen, follows=not seat.looks and not seat.presents(held))
    with question:
        st.markdown(f":gray[{md(planned.question if found else planned.title)}]")
        st.title(md(said).replace(" %", "\u00a0%"), anchor=False)
    with foot:
        pressed = _foot(now, held, screen, seat)
    with chips:
        st.markdown("&nbsp;", width="content")  # keeps the line
        capture.chips(now, held, screen)
    with body:
        if screen == "next":
            closing.ending(now, held)
        else:
            boards.draw(now, held.kind, screen, said)
    _capture(now, held, screen, key or pressed)


def frozen(dataset: str, held: Meeting) -> Now:
    """What everyone in the meeting looks at."""
    x = session.frozen(dataset, held)
    return Now(dataset, f"meeting {held.id}", x, Choice(view_from_json(held.frozen.view), held.frozen.period_name))


def step(dataset: str, held: Meeting, by: int) -> None:
    """On by some screens, or back."""
    place = held.agenda.index(_seat().looks_at(held)) + by
    go(dataset, held, held.agenda[max(0, min(place, len(held.agenda) - 1))])


def go(dataset: str, held: Meeting, screen: str) -> None:
    """To a screen: the presenter takes the meeting there, anyone else looks around."""
    seat = _seat()
    if screen == seat.looks_at(held):
        return
    if seat.presents(held):
        try:
            meetings.show(session.store(), dataset, held, screen, session.actor())
        except StoreError:
            return  # closed by another in this moment: the run that follows shows so
    else:
        seat.looks = True
    seat.screen = screen


def _follow() -> None:
    _seat().looks = False


def _present(dataset: str, held: Meeting) -> None:
    """Take the presenter's place, on the screen that this seat looks at."""
    seat, store = _seat(), session.store()
    screen = seat.looks_at(held)
    try:
        held = meetings.present(store, dataset, held, seat.id, session.actor())
        if held.screen != screen:
            meetings.show(store, dataset, held, screen, session.actor())
    except StoreError as error:
        st.toast(md(str(error)), icon=":material/error:")
        return
    seat.looks = False


def _foot(now: Now, held: Meeting, screen: str, seat: Seat) -> str:
    """The buttons at the bottom of the window; the key of the capture that was asked for."""
    place, last, dataset = held.agenda.index(screen), len(held.agenda) - 1, now.dataset
    st.button("", icon=":material/arrow_back:", key="step-back", help="Back (←)", disabled=place == 0, on_click=step, args=(dataset, held, -1))
    st.button("", icon=":material/arrow_forward:", key="step-on", help="Next (→)", disabled=place == last, on_click=step, args=(dataset, held, 1))
    room.overview(now, held, screen, go)
    pressed = ""
    for key, label, icon, says, right in (("a", "Action", "add_task", "Raise an action on this screen (A)", "action.raise"), ("d", "Decision", "gavel", "Write a decision down (D)", "decision.decide"),
                                          ("n", "No decision", "do_not_disturb_on", "Say why nothing is decided here (N)", "decision.decide")):
        if st.button(label, icon=f":material/{icon}:", key=f"capture-{key}", **allowed.to(right, help=says)):
            pressed = key
    st.space("stretch")
    room.attendance(now, held)
    if seat.presents(held):
        room.notes(now, held, screen)
    elif seat.looks:
        st.button("Looking around · follow again", icon=":material/visibility:", key="follow-again", on_click=_follow)
    if not seat.presents(held):
        st.button("Present", icon=":material/co_present:", key="present", on_click=_present, args=(dataset, held), **allowed.to("meeting.run", help="Take over: the others follow your steps"))
    st.button("Leave", icon=":material/logout:", key="leave-meeting", type="tertiary", on_click=leave, help="The meeting goes on for the others")
    return pressed


def _capture(now: Now, held: Meeting, screen: str, key: str) -> None:
    """The form that a key or a button asked for."""
    if key not in ("a", "d", "n"):
        return
    lines = screens.lines(now, held.kind, screen)
    if key == "a":
        capture.action(now, lines, held, screen)
    else:
        capture.decision(now, held, screen, lines, none=key == "n")
