"""Blocks of actions: who does what until when, and whether it moved its number; one action with its history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.calendars import date_of
from revscore.core.coded import Coded
from revscore.core.metric import functions
from revscore.core.review import Line, line
from revscore.core.view import View
from revscore.core.written import number_from_json
from revscore.rhythm import actions, decisions, followed, governance, meetings
from revscore.rhythm.actions import FUNCTIONS, Action
from revscore.rhythm.followed import Followed
from revscore.rhythm.log import ACTION
from revscore.rhythm.scorecard import scorecard
from revscore.rhythm.verdicts import Verdict, judge, judged_alone
from revscore.ui import allowed, answers, capture, charts, session, state, tables
from revscore.ui.evidence import evidence
from revscore.ui.session import Now
from revscore.ui.words import md

SHOWN = 25  # rows before the rest is asked for
_SEEN = "action-seen"  # id -> the version that the reader looks at
_WIDE = [9, 4, 4, 8, 1]
_HEADS = ("Action, and what shows that it has worked", "Owner", "Deadline", "Has it moved its number?")
_BADGES = {"overdue": (":orange-badge", "Overdue", "schedule"), "moved": (":green-badge", "Moved as meant", "trending_up"), "moved_wrong_way": (":red-badge", "Moved the wrong way", "trending_down"),
           "inconclusive": (":gray-badge", "Inconclusive", "drag_handle"), "insufficient_n": (":gray-badge", "Too few to tell", "hourglass_empty"),
           "not_yet_measurable": (":gray-badge", "Done, not judged yet", "hourglass_top"), "open": (":blue-badge", "Open", "play_arrow"), "draft": (":orange-badge", "Not complete", "edit_note"),
           "cancelled": (":gray-badge", "Given up", "cancel")}
_SHOW = {"open": "Open", "mine": "Mine", "function": "By function", "overdue": "Overdue", "draft": "Not complete", "judged": "Judged", "all": "All"}
_VERBS = {"raised": "raised it", "changed": "changed it", "done": "said it is done", "cancelled": "gave it up", "reopened": "opened it again"}
_FIELDS = {"title": "title", "owner": "owner", "function": "function", "due": "deadline", "success": "measure of success", "note": "note", "why": "because", "status": ""}


# -- what there is -------------------------------------------------------------------------------------------------------------------------

def found(now: Now) -> tuple[Followed, ...]:
    """The actions beside the day of the data, worst first."""
    return followed.follow(now.x, actions.actions(session.store(), now.dataset), lambda one: _verdict(now, one))


def _verdict(now: Now, one: Action) -> Verdict:
    """Remembered while its number stays as it is: an entry of the log changes no number but those on the log itself."""
    kept = now if one.success.number["metric"].startswith("governance.") else replace(now, version=" ".join([now.version.partition("+")[0], *now.version.split(" ")[1:]]))
    return kept.ask(_judged, now.dataset, one.id, one.version)


def _judged(x: Coded, view: View, dataset: str, id_: str, version: int) -> Verdict:
    return judged_alone(x, _one(dataset, id_))


def _judged_beside(x: Coded, view: View, dataset: str, id_: str, last: int) -> Verdict:
    return judge(x, _one(dataset, id_), actions.actions(session.store(), dataset))


def _one(dataset: str, id_: str) -> Action:
    return actions.of_entries(session.store().entries(dataset, ACTION, id_))[0]


def _raised_in(now: Now) -> dict[str, str]:
    """Meeting id -> "Weekly review of 9 Nov 2026"."""
    zone = now.x.terms.reporting_tz
    return {one.id: f"{one.title} of {one.started_at.tz_convert(zone).day} {one.started_at.tz_convert(zone):%b %Y}" for one in meetings.meetings(session.store(), now.dataset)}


# -- the page ------------------------------------------------------------------------------------------------------------------------------

def page(now: Now) -> None:
    """The answer, then the actions that the reader chose to see, then those of the extract."""
    every = found(now)
    answers.answer(followed.answer(every))
    with st.container(horizontal=True, vertical_alignment="center", key="actions-bar"):
        show = st.segmented_control("Show", list(_SHOW), default="open", required=True, key="show", bind=state.BOUND, format_func=_SHOW.get, label_visibility="collapsed")
        owners = sorted({one.action.owner for one in every if one.action.owner})
        whose = st.selectbox("Whose", owners, index=owners.index(session.actor().name) if session.actor().name in owners else None, key="whose", bind=state.BOUND, placeholder="Whose actions?", label_visibility="collapsed",
                             width=260) if show == "mine" and owners else None
        st.button("Raise an action", icon=":material/add_task:", type="primary", key="raise-action", on_click=lambda: st.session_state.update({"raise-now": True}), **allowed.to("action.raise"))
    if st.session_state.pop("raise-now", False):
        capture.action(now, [tile.line for tile in now.ask(scorecard).tiles])
    today = date_of(now.x.as_of_day)
    st.caption(md(f"Deadlines and check dates are compared with {today.day} {today:%b %Y}, the date of the data."))
    picked = _picked(every, show, whose)
    if show == "function":
        for name in (*FUNCTIONS, ""):
            if own := [one for one in picked if (one.action.function if one.action.function in FUNCTIONS else "") == name]:
                late = sum(one.overdue for one in own)
                answers.section(functions([name]) if name else "No function", f"{len(own)} open{f', {late} overdue' if late else ''}")
                rows(now, own, f"function-{name}")
    elif picked:
        rows(now, picked, "actions")
    else:
        _none(every, show, whose)
    from_extract(now)


def _picked(every: Sequence[Followed], show: str, whose: str | None) -> list[Followed]:
    if show == "mine":
        return [one for one in every if whose and one.action.owner == whose and one.action.status == "open"]
    return {"open": [one for one in every if one.action.status == "open"], "function": [one for one in every if one.action.status == "open"], "overdue": [one for one in every if one.overdue],
            "draft": [one for one in every if one.action.state == "draft"], "judged": [one for one in every if one.judged], "all": list(every)}[show]


def _none(every: Sequence[Followed], show: str, whose: str | None) -> None:
    with st.container(border=True, key="no-actions", horizontal_alignment="center", gap="small"):
        if not every:
            st.markdown("### No action has been raised yet")
            st.markdown("Open any number, row or chart and press **Raise an action**: the number, the filters and today's value are filled in. Or raise one here.")
        elif show == "mine" and not whose:
            st.markdown("### Whose actions?")
            st.markdown("Choose a name above; the address then keeps it.")
        else:
            st.markdown({"open": "### No action is open", "mine": f"### {md(whose or '')} has no open action", "overdue": "### No action is overdue", "draft": "### Every action is complete",
                         "judged": "### No action has been judged yet"}.get(show, "### None"))
            if show == "judged":
                st.markdown("An action is judged once it is done and its check date is over.")


def rows(now: Now, some: Sequence[Followed], key: str, most: int = SHOWN) -> None:
    """One row an action, each with a button that opens it."""
    raised_in = _raised_in(now)
    with st.container(border=True, key=f"list-{key}", gap="xsmall"):
        for name, place in zip(_HEADS, st.columns(_WIDE, gap="small")[:4], strict=True):
            place.caption(name)
        everything = len(some) <= most or st.session_state.get(f"all-{key}", False)
        for one in some if everything else some[:most]:
            _row(now, one, raised_in)
        if len(some) > most:
            st.toggle(f"Show all {len(some):,}", key=f"all-{key}")


def _row(now: Now, one: Followed, raised_in: dict[str, str]) -> None:
    of, currency = one.action, now.x.terms.corporate_currency
    with st.container(key=f"action-row-{of.id}"):
        what, who, due, verdict, opens = st.columns(_WIDE, gap="small", vertical_alignment="top")
        with what, st.container(gap="xxsmall"):
            st.markdown(f"**{md(of.title)}**")
            st.caption(md(" · ".join(part for part in (capture.said_of(of.success, currency) if of.success else "No measure of success", raised_in.get(of.meeting, "")) if part)))
        with who:
            st.markdown(f"{md(of.owner or 'Nobody')}  \n:gray[{md(functions([of.function]) if of.function in FUNCTIONS else 'no function')}]")
        with due:
            words = md(one.deadline)
            st.markdown((f":orange[:material/schedule: **{words}**]" if one.overdue else words) + (f"  \n:gray[{md(capture.day(of.due))}]" if of.due else ""))
        with verdict, st.container(gap="xxsmall"):
            st.markdown(badge(one))
            if said := _says(one):
                st.caption(md(said))
        with opens:
            if st.button("", icon=":material/open_in_full:", key=f"open-action-{of.id}", type="tertiary", help="Open the action: history, verdict, its number"):
                opened(now, of.id)


def badge(one: Followed) -> str:
    """The state in a word, with colour and sign."""
    colour, word, icon = _BADGES[one.state]
    text = f"{colour}[:material/{icon}: {word}]"
    return text if one.state != "overdue" or one.verdict is None or not one.verdict.due else f"{text} :gray-badge[{md(one.verdict.word)}]"


def _says(one: Followed) -> str:
    if one.action.state == "draft":
        return f"Lacks {actions.listed(one.action.lacks)}."
    if one.action.status == "cancelled":
        return one.action.why
    return one.verdict.sentence if one.verdict else ""


def from_extract(now: Now) -> None:
    """The actions that the extract itself brings, to be read only."""
    frame = now.ask(governance.from_extract, tuple(one.id for one in actions.actions(session.store(), now.dataset)))
    if len(frame):
        late = int((frame["state"] == "overdue").sum())
        with st.container(border=True, key="chart-extract-actions"):
            charts.heading(f"From the extract: {units.named(len(frame), units.ACTIONS)}{f', {late:,} overdue' if late else ''}", "extract-actions")
            tables.table(frame, now.x, "extract-actions", 40 * (min(len(frame), 8) + 1) + 4, labels={"metric_id": "To move", "owner_function": "Owner", "due_date": "Deadline", "completed_at": "Done on"})
            st.caption("They are kept in the system that the extract comes from, and can only be read here.")


# -- one action ----------------------------------------------------------------------------------------------------------------------------

def opened(now: Now, id_: str) -> None:
    """The drawer of an action."""
    st.session_state[_SEEN] = _one(now.dataset, id_).version
    capture.begun()
    _drawer(now, id_)


@st.dialog("Action", width="large", position="right")
def _drawer(now: Now, id_: str) -> None:
    of = _one(now.dataset, id_)
    one = followed.follow(now.x, (of,), lambda action: now.ask(_judged_beside, now.dataset, id_, session.store().last_entry(now.dataset, ACTION)))[0]
    st.markdown(f"## {md(of.title)}")
    asked = next((found.title for found in decisions.decisions(session.store(), now.dataset) if found.id == of.decision), "") if of.decision else ""
    st.caption(md(" · ".join(part for part in (f"{of.owner or 'nobody'}, {functions([of.function]) if of.function in FUNCTIONS else 'no function'}", one.deadline + (f" ({capture.day(of.due)})" if of.due else ""),
                                               f"raised by {of.raised_by} on {_instant(now, of.raised_at)}", _raised_in(now).get(of.meeting, ""), f"decided: {asked}" if asked else "") if part)))
    st.markdown(badge(one))
    if of.note:
        st.markdown(md(of.note))
    _do(now, of)
    if of.success:
        st.markdown(f"**It has worked when** {md(capture.said_of(of.success, now.x.terms.corporate_currency))}.")
        if one.verdict:
            _verdict_of(now, of, one.verdict)
        _number(now, of)
    elif of.lacks:
        st.markdown(f":orange[:material/edit_note:] Lacks {md(actions.listed(of.lacks))}.")
    st.markdown("**History**")
    tables.table(_history(now, of), now.x, "action-history")


def _verdict_of(now: Now, of: Action, found: Verdict) -> None:
    """Before beside after, what the rest of the company did, and how far the number tends to come back by itself."""
    unit, currency = of.success.asked.card.measure(of.success.asked.stat).unit, now.x.terms.corporate_currency
    with st.container(border=True, key="action-verdict", gap="xsmall"):
        st.markdown(f"**{md(found.word)}.** {md(found.sentence)}")
        if found.before is not None and found.after is not None:
            for place, name, side in zip(st.columns(2, gap="small"), ("Before", "After"), (found.before, found.after), strict=True):
                said = f"mean of {side.n:,.0f} weeks" if found.by_weeks else units.of(side.x, side.n) if side.x == side.x else ""
                place.metric(name, md(units.text(side.value, unit, currency)))
                place.caption(md(" · ".join(part for part in (said, side.period.dates()) if part)))
        if found.rest is not None or found.alone:
            st.markdown(f":material/groups: {md(found.rest.sentence if found.rest is not None else found.alone)}")
        if found.warning:
            st.markdown(f":orange[:material/warning:] {md(found.warning)}")
        st.caption("A before and after is evidence, not proof: a controlled test is better.")


def _number(now: Now, of: Action) -> None:
    """The trend of its number, as of the data shown."""
    try:
        drawn = now.ask(_line, json.dumps(dict(of.success.number), sort_keys=True))
    except ValueError:
        return
    if not drawn.lacks:
        said = f' &nbsp;:gray[{md(drawn.sample)}]' if drawn.sample else ''
        st.markdown(f'**{md(drawn.label)}** &nbsp;{md(drawn.text)} now{said}')
        evidence(now, drawn)


def _line(x: Coded, view: View, written: str) -> Line:
    number = number_from_json(json.loads(written))
    return line(x, number.card, number.view, number.stat, label=number.label, **dict(number.params))


def _history(now: Now, of: Action) -> pd.DataFrame:
    def said(fields: dict) -> str:
        parts = []
        for name, value in fields.items():
            word = _FIELDS.get(name, "")
            if not word or value in ("", None):
                continue
            parts.append(f"{word}: {capture.day(value) if name == 'due' else functions([value]) if name == 'function' else value}" if name != "success" else f"{word} agreed")
        return "; ".join(parts)

    return pd.DataFrame([{"when": _instant(now, entry.at, True), "who": entry.by, "what": _VERBS.get(entry.verb, entry.verb), "in words": said(dict(entry.fields)) if entry.verb != "raised" else ""}
                         for entry in reversed(of.history)])


def _instant(now: Now, at: pd.Timestamp, time: bool = False) -> str:
    local = at.tz_convert(now.x.terms.reporting_tz)
    return f"{local.day} {local:%b %Y}{f' {local:%H:%M}' if time else ''}"


def _do(now: Now, of: Action) -> None:
    """Done, change, give up, open again: one form at a time."""
    options = {"reopen": "Open again"} if of.status != "open" else {"change": "Complete it", "cancel": "Give up"} if of.lacks else {"done": "Done", "change": "Change", "cancel": "Give up"}
    what = st.segmented_control("What", list(options), key=f"do-{of.id}", format_func=options.get, label_visibility="collapsed")
    if what == "change":
        if capture.action_form(now, [tile.line for tile in now.ask(scorecard).tiles], old=of, key=f"change-{of.id}"):
            st.rerun()
        return
    if what is None:
        return
    text = st.text_input({"done": "How it went (optional)", "cancel": "It is given up because", "reopen": "It is opened again because"}[what], key=f"do-text-{of.id}-{what}", max_chars=1000)
    if not st.button("Save", type="primary", icon=":material/check:", key=f"do-save-{of.id}", **allowed.to("action.change")):
        return
    do = {"done": actions.complete, "cancel": actions.cancel, "reopen": actions.reopen}[what]
    went = capture.saved(lambda: do(session.store(), now.dataset, replace(of, version=st.session_state.get(_SEEN, of.version)), session.actor(), text))
    st.session_state[_SEEN] = of.version
    if went:
        st.toast(md(f"{options[what]}: {of.title}"), icon=":material/task_alt:")
        st.rerun()
