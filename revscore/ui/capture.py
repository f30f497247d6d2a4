"""Writing down what is decided where it is seen: an action with its measure of success, a decision, or why there is none."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import streamlit as st

from revscore.core import units
from revscore.core.calendars import date_of
from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.metric import functions
from revscore.core.receipt import Receipt, receipt
from revscore.core.review import Line
from revscore.core.units import Unit
from revscore.core.view import DIMENSIONS, View
from revscore.core.written import number_as_json, number_from_json
from revscore.rhythm import actions, backlog, decisions
from revscore.rhythm.actions import FUNCTIONS, Action, Success, direction_of
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.decisions import Decision
from revscore.rhythm.log import new_id
from revscore.rhythm.meetings import Meeting
from revscore.store import Overtaken, StoreError
from revscore.ui import allowed, session
from revscore.ui.session import Now
from revscore.ui.words import md

_ID, _SHARE, _MATTERS = "capture-id", 0.05, 0.1  # smallest change that matters unless said otherwise: five points of a share, a tenth of all else
DUE_DAYS, CHECK_DAYS = 7, 28
_WAYS = {"up": "rises", "down": "falls"}


def here() -> tuple[Meeting | None, str]:
    """The meeting that this session is in and the screen that it looks at; (None, "") outside of one."""
    id_ = str(st.query_params.get("meeting", ""))
    held = session.meeting(id_)[1] if id_ else None
    return (held, str(st.session_state.get("meeting-screen", ""))) if held and held.running else (None, "")


def begun() -> None:
    """A form was opened: the id of what it writes is made once, so that a form sent twice writes one record."""
    st.session_state[_ID] = new_id()


def saved(write: Callable[[], object], there: Callable[[], bool] = lambda: False) -> bool:
    """Whether `write` went through; its reason why not is shown beside the form, which keeps what was typed. `there`: whether the record is written already, by this form sent twice."""
    try:
        write()
    except StoreError as error:
        if isinstance(error, Overtaken) and there():
            return True
        st.error(md(str(error)), icon=":material/block:")
        return False
    return True


# -- an action -----------------------------------------------------------------------------------------------------------------------------

def action(now: Now, lines: Sequence[Line | Number], held: Meeting | None = None, screen: str = "", title: str = "", decision: str = "") -> None:
    """The dialog for a new action. `lines`: the numbers that it may be measured by, the first one proposed. `decision`: the one that it carries out."""
    begun()
    _action(now, tuple(lines), held, screen, title, decision)


@st.dialog("New action", width="large", position="right")
def _action(now: Now, lines: tuple[Line | Number, ...], held: Meeting | None, screen: str, title: str, decision: str) -> None:
    if action_form(now, lines, held, screen, title, decision=decision):
        st.rerun()


def action_form(now: Now, lines: Sequence[Line | Number], held: Meeting | None = None, screen: str = "", title: str = "", note: str = "", *, decision: str = "",
                old: Action | None = None, key: str = "capture") -> bool:
    """The form of a new action, or of the change of `old`; true once it is written. In a meeting an incomplete one may be kept as a draft, which has to be completed before the close."""
    of = old or Action(_id(), title, note=note)
    seen = st.session_state.setdefault(f"{key}-version", of.version) if old else 0
    with st.container(key=f"{key}-action", gap="small"):
        what = st.text_input("What is to be done", of.title, key=f"{key}-title", max_chars=300)
        people = list(dict.fromkeys([*([of.owner] if of.owner else []), *_people(now, held)]))
        left, middle, right = st.columns(3, gap="small")
        owner = left.selectbox("Owner", people, index=0 if of.owner else None, key=f"{key}-owner", accept_new_options=True, placeholder="A person")
        function = middle.selectbox("Function", FUNCTIONS, index=FUNCTIONS.index(of.function) if of.function in FUNCTIONS else None, key=f"{key}-function",
                                    format_func=lambda name: functions([name]), placeholder="Whose")
        due = right.date_input("Deadline", _date(of.due) or _day(now, DUE_DAYS), key=f"{key}-due", format="YYYY-MM-DD")
        success = _again(now, of.success, key) if of.success else _success(now, lines, key)
        said = st.text_input("Note", of.note, key=f"{key}-note", max_chars=1000)
        with st.container(horizontal=True):
            save = st.button("Save the change" if old else "Save action", type="primary", icon=":material/check:", key=f"{key}-save", **allowed.to("action.change" if old else "action.raise"))
            draft = not old and held is not None and st.button("Keep as a draft", key=f"{key}-draft", **allowed.to("action.raise", help="To be completed before the meeting can be closed"))
    if not save and not draft:
        return False
    store, fields = session.store(), {"title": what, "owner": owner or "", "function": function or "", "due": due.isoformat() if due else "", "success": success, "note": said}
    if old:
        went = saved(lambda: actions.change(store, now.dataset, replace(old, version=seen), session.actor(), **fields))
        st.session_state.pop(f"{key}-version", None)  # who was overtaken has been told so, and may save over what the other wrote
    else:
        new = replace(of, **fields, meeting=held.id if held else "", screen=screen, decision=decision)
        went = saved(lambda: actions.raise_action(store, now.dataset, new, session.actor(), draft=draft), lambda: any(one.id == new.id for one in actions.actions(store, now.dataset)))
    if went:
        st.toast(md(f"{'Changed' if old else 'Action written down'}: {what}"), icon=":material/task_alt:")
    return went


def _success(now: Now, lines: Sequence[Line | Number], key: str) -> Success | None:
    """The measure of success: which number, from where, how far, checked when."""
    known = [line for line in lines if isinstance(line, Number) or (line.known and not line.lacks)]
    st.markdown("**It has worked when**")
    if not known:
        st.caption("No number of this screen can be measured; open a number and raise the action there.")
        return None
    place = 0 if len(known) == 1 else st.selectbox("Number", range(len(known)), key=f"{key}-number", format_func=lambda place: known[place].label)
    line = known[place]
    number = line if isinstance(line, Number) else Number.behind(line, now.view)
    found = receipt_of(now, number, "" if isinstance(line, Number) else line.text)
    st.caption(f":material/straighten: {md(_baseline(found))}")
    of = Success(number_as_json(number), _finite(found.value), _finite(found.numerator), _finite(found.n if np.isnan(found.denominator) else found.denominator), direction_of(number), None,
                 _day(now, CHECK_DAYS).isoformat(), found.as_dict())
    return _again(now, of, key if place == 0 else f"{key}-{place}")


def _again(now: Now, of: Success, key: str) -> Success:
    """A measure of success with the way, size and check date that the form says."""
    number, currency = of.asked, now.x.terms.corporate_currency
    factor, said, proposed = steps(number.card.measure(number.stat).unit, of.baseline or 0.0, currency)
    if of.size is not None:
        st.markdown("**It has worked when**")
        st.caption(f":material/straighten: {md(said_of(of, currency))}")
    left, middle, right = st.columns(3, gap="small")
    way = left.selectbox("the number", list(_WAYS), index=list(_WAYS).index(of.direction) if of.direction in _WAYS else None, key=f"{key}-way", format_func=_WAYS.get, placeholder="Which way")
    start = proposed if of.size is None else round(of.size / factor, 6)
    size = middle.number_input(f"by at least ({md(said)})", min_value=0.0, value=start, step=1.0 if start < 100 else 100.0, format="%.0f" if start >= 100 else "%.1f", key=f"{key}-size")
    check = right.date_input("checked on", _date(of.check_on) or _day(now, CHECK_DAYS), key=f"{key}-check", format="YYYY-MM-DD")
    return replace(of, direction=way or "", size=size * factor if size else None, check_on=check.isoformat() if check else "")


def receipt_of(now: Now, number: Number, shown: str = "") -> Receipt:
    """The receipt of a number under what this run shows, remembered with the extract."""
    return now.ask(_receipt, json.dumps(number_as_json(number), sort_keys=True), shown)


def _receipt(x: Coded, view: View, written: str, shown: str) -> Receipt:
    return receipt(x, number_from_json(json.loads(written)), shown)


def _baseline(found: Receipt) -> str:
    """ "Speed to lead kept: 72 % (13 of 18) · 2026 Q4 (1 Oct 2026 to 31 Dec 2026) · segment SMB · data as of 16 Nov 2026". """
    sample = f" ({units.of(found.numerator, found.denominator)})" if not np.isnan(found.denominator) and found.unit == units.RATIO.name else ""
    where = "; ".join(f"{name.replace('_', ' ')} {' or '.join(labels)}" for name, _, labels in found.filters) or "the whole company"
    span = f"{found.period or 'from'} ({day(found.first_day)} to {day(found.last_day)})" if found.first_day else "everything up to the date of the data"
    return f"{found.label}: {found.shown}{sample} · {span} · {where} · data as of {day(found.as_of[:10])}"


def steps(unit: Unit, value: float, currency: str) -> tuple[float, str, float]:
    """(unit of the input in the number's own unit, its name, the change proposed)."""
    if unit.kind == "ratio":
        return 0.01, "points", _SHARE * 100
    return 1.0, {"currency": currency, "count": unit.name}.get(unit.kind, unit.name), float(f"{abs(value) * _MATTERS:.2g}")


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _day(now: Now, ahead: int) -> date:
    return date_of(now.x.as_of_day) + timedelta(days=ahead)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _people(now: Now, held: Meeting | None) -> list[str]:
    """Who may own an action: those present, then the owners that the extract names."""
    return list(dict.fromkeys([*(held.present if held else ()), *now.x.dims["owner"].labels[1:]]))


def _id() -> str:
    """The id of the form that is open: made when it was opened, so that two clicks write one record."""
    return st.session_state.setdefault(_ID, new_id())


# -- a decision ----------------------------------------------------------------------------------------------------------------------------

def decision(now: Now, held: Meeting | None = None, screen: str = "", lines: Sequence[Line] = (), none: bool = False, about: str = "") -> None:
    """The dialog for a decision, or (`none`) for the reason why there is none. `about`: the id of the open question that it answers."""
    begun()
    _decision(now, held, screen, tuple(lines), none, about)


@st.dialog("Decision", width="medium", position="right")
def _decision(now: Now, held: Meeting | None, screen: str, lines: tuple[Line, ...], none: bool, asked: str) -> None:
    store = session.store()
    raised = [one for one in decisions.decisions(store, now.dataset) if one.status == "open" and one.kind != backlog.KIND]
    if asked:
        about = next((one for one in raised if one.id == asked), None)
        if about is None:
            st.markdown("This question is open no longer.")
            return
        st.markdown(f"**{md(about.title)}**")
    else:
        about = st.selectbox("About", [None, *raised], key="decision-about", format_func=lambda one: "Something new" if one is None else one.title) if raised else None
    question = AGENDAS[held.kind].screen(screen).question if held else ""
    title = about.title if about else st.text_input("What is decided on", question, key="decision-title", max_chars=300)
    text = st.text_area("No decision, because" if none else "What is decided", key="decision-text", max_chars=2000, height=120)
    if not st.button("Save", type="primary", icon=":material/check:", key="decision-save", **allowed.to("decision.decide")):
        return
    new = replace(about or Decision(_id(), title), text=text, status="none" if none else "open", kind=held.kind if held else about.kind if about else "", meeting=held.id if held else "",
                  screen=screen, receipt=stands(now, lines))
    if saved(lambda: decisions.decide(store, now.dataset, new, session.actor()), lambda: any(one.id == new.id and one.text == text for one in decisions.decisions(store, now.dataset))):
        st.rerun()


def stands(now: Now, lines: Sequence[Line] = ()) -> dict[str, object]:
    """The state that a decision is made on: the receipts of what was looked at, as-of, loads and definitions."""
    return {"receipts": [receipt_of(now, Number.behind(line, now.view), line.text).as_dict() for line in lines if line.known and not line.lacks], "as_of": now.x.data.as_of.isoformat(),
            "loads": list(now.x.data.stand.loads), "definitions": now.x.data.stand.definitions}


# -- what was captured ---------------------------------------------------------------------------------------------------------------------

def chips(now: Now, held: Meeting, screen: str) -> None:
    """What was captured on a screen, in a line."""
    store = session.store()
    for one in actions.actions(store, now.dataset):
        if (one.meeting, one.screen) == (held.id, screen):
            lacks = f", lacks {actions.listed(one.lacks)}" if one.state == "draft" else f", {one.owner} until {day(one.due)}"
            st.markdown(f":material/{'edit_note' if one.state == 'draft' else 'task_alt'}: {md(one.title)}:gray[{md(lacks)}]", width="content")
    for one in decisions.decisions(store, now.dataset):
        if (one.meeting, one.screen) == (held.id, screen):
            st.markdown(f":material/{'gavel' if one.status == 'decided' else 'do_not_disturb_on'}: {md(one.text if one.status == 'decided' else f'No decision: {one.text}')}", width="content")


def said_of(success: Success, currency: str = "USD") -> str:
    """ "Speed to lead kept rises by at least 5 points, from 72 % (13 of 18), checked on 14 Dec 2026". """
    try:
        number = success.asked
    except ValueError as error:
        return str(error)
    unit = number.card.measure(number.stat).unit
    factor, said, _ = steps(unit, 0.0, currency)
    sample = f" ({units.of(success.x, success.n)})" if success.x is not None and success.n and unit.kind == "ratio" else ""
    size = "a change that is not agreed yet" if success.size is None else f"at least {success.size / factor:g} {said}" if unit.kind == "ratio" else f"at least {units.text(success.size, unit, currency)}"
    start = units.text(float("nan") if success.baseline is None else success.baseline, unit, currency)
    kept = [f"{one['dimension'].replace('_', ' ')} {' or '.join(one['labels'])}" for one in success.receipt.get("filters", ()) if one["dimension"] in DIMENSIONS]
    where = f" of {' and '.join(kept)}" if kept else ""
    return f"{number.label}{where} {_WAYS.get(success.direction, 'moves')} by {size}, from {start}{sample}{f', checked on {day(success.check_on)}' if success.check_on else ''}"


def day(iso: str) -> str:
    """ "14 Dec 2026" of an ISO date; "" stays "". """
    found = _date(iso)
    return f"{found.day} {found:%b %Y}" if found else iso
