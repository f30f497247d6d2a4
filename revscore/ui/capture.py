"""Writing down what is decided where it is seen: an action with its measure of success, a decision, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import streamlit as st

from revscore.core import units
from revscore.core.calendars import date_of
from revscore.core.made import Number
from revscore.core.metric import functions
from revscore.core.receipt import receipt
from revscore.core.review import Line
from revscore.core.units import Unit
from revscore.core.written import number_as_json
from revscore.rhythm import actions, decisions
from revscore.rhythm.actions import FUNCTIONS, Action, Success, direction_of
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.decisions import Decision
from revscore.rhythm.log import new_id
from revscore.rhythm.meetings import Meeting
from revscore.store import StoreError
from revscore.ui import session
from revscore.ui.session import Now
from revscore.ui.words import md

_ID, _SHARE, _MATTERS = "capture-id", 0.05, 0.1  # smallest change that matters unless said otherwise: five points of a share, a tenth of all else
DUE_DAYS, CHECK_DAYS = 7, 28


# -- an action -----------------------------------------------------------------------------------------------------------------------------

def action(now: Now, lines: Sequence[Line], held: Meeting | None = None, screen: str = "", title: str = "") -> None:
    """The dialog for a new action. `lines`: the numbers that it may be measured by, the first one proposed."""
    st.session_state[_ID] = new_id()
    _action(now, tuple(lines), held, screen, title)


@st.dialog("New action", width="large", position="right")
def _action(now: Now, lines: tuple[Line, ...], held: Meeting | None, screen: str, title: str) -> None:
    if action_form(now, lines, held, screen, title):
        st.rerun()


def action_form(now: Now, lines: Sequence[Line], held: Meeting | None = None, screen: str = "", title: str = "") -> bool:
    """The form of a new action; true once it is written. In a meeting an incomplete one may be kept as a draft, which has to be completed before the close."""
    with st.container(key="capture-action", gap="small"):
        what = st.text_input("What is to be done", title, key="capture-title", max_chars=300)
        left, right = st.columns(2, gap="small")
        owner = left.selectbox("Owner", _people(now, held), index=None, key="capture-owner", accept_new_options=True, placeholder="A person")
        function = right.selectbox("Function", FUNCTIONS, index=None, key="capture-function", format_func=lambda name: functions([name]), placeholder="Whose")
        due = left.date_input("Deadline", _day(now, DUE_DAYS), key="capture-due", format="YYYY-MM-DD")
        success = _success(now, lines)
        note = st.text_input("Note", key="capture-note", max_chars=1000)
        with st.container(horizontal=True):
            save = st.button("Save action", type="primary", icon=":material/check:", key="capture-save")
            draft = held is not None and st.button("Keep as a draft", key="capture-draft", help="To be completed before the meeting can be closed")
    if not save and not draft:
        return False
    new = Action(_id(), what, owner or "", function or "", due.isoformat() if due else "", success, held.id if held else "", screen, note=note)
    try:
        actions.raise_action(session.store(), now.dataset, new, session.who(), draft=draft)
    except StoreError as error:
        st.error(md(str(error)), icon=":material/block:")
        return False
    st.session_state.pop(_ID, None)
    st.toast(md(f"Action written down: {what}"), icon=":material/task_alt:")
    return True


def _success(now: Now, lines: Sequence[Line]) -> Success | None:
    """The measure of success: which number, from where, how far, checked when."""
    known = [line for line in lines if line.known and not line.lacks]
    st.markdown("**It has worked when**")
    if not known:
        st.caption("No number of this screen can be measured; open a number and raise the action there.")
        return None
    line = known[0] if len(known) == 1 else st.selectbox("Number", known, key="capture-number", format_func=lambda one: one.label)
    number, unit = Number.behind(line, now.view), line.measure.unit
    segment = "; ".join(f"{name}: {', '.join(chosen)}" for name, chosen in now.view.where)
    st.caption(md(f"{line.label}, now {line.text}{f' ({line.sample})' if line.sample else ''}{f', {segment}' if segment else ', the whole company'}"))
    left, middle, right = st.columns(3, gap="small")
    ways = {"up": "rises", "down": "falls"}
    way = left.selectbox("it", list(ways), index=list(ways).index(direction_of(number)) if direction_of(number) in ways else None, key="capture-way", format_func=ways.get)
    factor, said, proposed = _steps(unit, line.value, line.currency)
    size = middle.number_input(f"by at least ({said})", min_value=0.0, value=proposed, key="capture-size")
    check = right.date_input("checked on", _day(now, CHECK_DAYS), min_value=_day(now, 1), key="capture-check", format="YYYY-MM-DD")
    found = receipt(now.x, number, line.text)
    return Success(number_as_json(number), None if np.isnan(line.value) else float(line.value), _finite(line.numerator), _finite(line.denominator if not np.isnan(line.denominator) else line.n),
                   way or "", size * factor if size else None, check.isoformat() if check else "", found.as_dict())


def _steps(unit: Unit, value: float, currency: str) -> tuple[float, str, float]:
    """(unit of the input in the number's own unit, its name, the change proposed)."""
    if unit.kind == "ratio":
        return 0.01, "points", _SHARE * 100
    return 1.0, {"currency": currency, "count": unit.name}.get(unit.kind, unit.name), float(f"{abs(value) * _MATTERS:.2g}")


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _day(now: Now, ahead: int) -> date:
    return date_of(now.x.as_of_day) + timedelta(days=ahead)


def _people(now: Now, held: Meeting | None) -> list[str]:
    """Who may own an action: those present, then the owners that the extract names."""
    return list(dict.fromkeys([*(held.present if held else ()), *now.x.dims["owner"].labels[1:]]))


def _id() -> str:
    """The id of the form that is open: made when it was opened, so that two clicks write one record."""
    return st.session_state.setdefault(_ID, new_id())


# -- a decision ----------------------------------------------------------------------------------------------------------------------------

def decision(now: Now, held: Meeting | None = None, screen: str = "", lines: Sequence[Line] = (), none: bool = False) -> None:
    """The dialog for a decision, or (`none`) for the reason why there is none."""
    st.session_state[_ID] = new_id()
    _decision(now, held, screen, tuple(lines), none)


@st.dialog("Decision", width="medium", position="right")
def _decision(now: Now, held: Meeting | None, screen: str, lines: tuple[Line, ...], none: bool) -> None:
    raised = [one for one in decisions.decisions(session.store(), now.dataset) if one.status == "open"]
    about = st.selectbox("About", [None, *raised], key="decision-about", format_func=lambda one: "Something new" if one is None else one.title) if raised else None
    question = AGENDAS[held.kind].screen(screen).question if held else ""
    title = about.title if about else st.text_input("What is decided on", question, key="decision-title", max_chars=300)
    text = st.text_area("No decision, because" if none else "What is decided", key="decision-text", max_chars=2000, height=120)
    if not st.button("Save", type="primary", icon=":material/check:", key="decision-save"):
        return
    stands = {"receipts": [receipt(now.x, Number.behind(line, now.view), line.text).as_dict() for line in lines if line.known and not line.lacks], "as_of": now.x.data.as_of.isoformat(),
              "loads": list(now.x.data.stand.loads), "definitions": now.x.data.stand.definitions}
    new = replace(about or Decision(_id(), title), text=text, status="none" if none else "decided", kind=held.kind if held else "", meeting=held.id if held else "", screen=screen, receipt=stands)
    try:
        decisions.decide(session.store(), now.dataset, new, session.who())
    except StoreError as error:
        st.error(md(str(error)), icon=":material/block:")
        return
    st.session_state.pop(_ID, None)
    st.rerun()


# -- what was captured ---------------------------------------------------------------------------------------------------------------------

def chips(now: Now, held: Meeting, screen: str) -> None:
    """What was captured on a screen, in a line."""
    store = session.store()
    for one in actions.actions(store, now.dataset):
        if (one.meeting, one.screen) == (held.id, screen):
            lacks = f", lacks {actions.listed(one.lacks)}" if one.state == "draft" else f", {one.owner} until {one.due}"
            st.markdown(f":material/{'edit_note' if one.state == 'draft' else 'task_alt'}: {md(one.title)}:gray[{md(lacks)}]", width="content")
    for one in decisions.decisions(store, now.dataset):
        if (one.meeting, one.screen) == (held.id, screen):
            st.markdown(f":material/{'gavel' if one.status == 'decided' else 'do_not_disturb_on'}: {md(one.text if one.status == 'decided' else f'No decision: {one.text}')}", width="content")


def said_of(success: Success) -> str:
    """ "Speed to lead kept rises by at least 5 points, from 72 % (13 of 18), checked on 14 Dec 2026". """
    number = success.asked
    unit = number.card.measure(number.stat).unit
    factor, said, _ = _steps(unit, 0.0, "")
    sample = f" ({units.of(success.x, success.n)})" if success.x is not None and success.n and unit.kind == "ratio" else ""
    size = f"{success.size / factor:g} {said}" if unit.kind == "ratio" else units.text(success.size, unit)
    day = date.fromisoformat(success.check_on)
    return f"{number.label} {'rises' if success.direction == 'up' else 'falls'} by at least {size}, from {units.text(success.baseline, unit)}{sample}, checked on {day.day} {day:%b %Y}"
