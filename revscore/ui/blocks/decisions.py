"""Blocks of decisions: what waits for one, how fast they come, the log that is only added to, and one decision with what it stood on and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.receipt import Receipt
from revscore.rhythm import actions, decisions, governance, meetings
from revscore.rhythm.agenda import AGENDAS
from revscore.rhythm.asks import made
from revscore.rhythm.backlog import KIND
from revscore.rhythm.decisions import Decision
from revscore.rhythm.log import DECISION, new_id
from revscore.rhythm.scorecard import scorecard
from revscore.ui import allowed, answers, capture, charts, drill, session, state, tables, tiles
from revscore.ui.blocks import actions as acted
from revscore.ui.session import Now
from revscore.ui.words import listed, md

_QUESTION = "question-id"
_KINDS = {"": "All", **{kind: agenda.title for kind, agenda in AGENDAS.items()}, "triage": "RevOps triage", KIND: "Backlog", "-": "No meeting"}
_WORDS = {"decided": ("gavel", "Decided"), "none": ("do_not_disturb_on", "No decision"), "withdrawn": ("undo", "Withdrawn"), "open": ("help", "To be decided")}
_VERBS = {"raised": "raised the question", "decided": "wrote the decision down", "not decided": "wrote down why nothing was decided", "withdrawn": "withdrew it"}
_WIDE, _HEADS = [3, 12, 5, 1], ("When", "What", "By whom, and where")
SHOWN = 25


def page(now: Now) -> None:
    """The answer, what waits, how fast it goes, then the log."""
    every = decisions.decisions(session.store(), now.dataset)
    waiting = [one for one in every if one.status == "open"]
    settled = [one for one in every if one.settled]
    answers.answer(_answer(waiting, settled, len(_brought(now, every))))
    tiles.row(now, now.ask(made, governance.DECISIONS), key="decisions")
    answers.section("To be decided", "What waits, and for how long?")
    _waiting(now, waiting)
    _ask(now)
    answers.section("Log", "What was decided, on which state of the numbers, and what came of it?")
    _log(now, every)
    _from_extract(now, every)


def _answer(waiting: Sequence[Decision], settled: Sequence[Decision], brought: int) -> str:
    if not waiting and not settled:
        return "Nothing has been decided here yet" + (f"; the extract brings {units.named(brought, units.DECISIONS)}." if brought else ".")
    oldest = max((_age(one) for one in waiting), default=0)
    head = f"{units.named(len(waiting), units.Unit('questions', 'count', 'questions')).capitalize()} {'waits' if len(waiting) == 1 else 'wait'} for a decision, the oldest for {_days(oldest)}" if waiting else "No question waits for a decision"
    decided = sum(one.status == "decided" for one in settled)
    return f"{head}; {decided:,} decided so far{f', {len(settled) - decided:,} looked at without a decision' if len(settled) > decided else ''}."


def _age(one: Decision) -> int:
    """Days since it was raised, on the server's clock."""
    return max(int((session.instant() - one.raised_at) / pd.Timedelta(days=1)), 0)


def _days(n: int) -> str:
    return "less than a day" if n == 0 else "1 day" if n == 1 else f"{n:,} days"


# -- what waits ----------------------------------------------------------------------------------------------------------------------------

def _waiting(now: Now, waiting: Sequence[Decision]) -> None:
    if not waiting:
        return charts.absent("What waits for a decision?", "Nothing. A question that is raised below stands here with its clock until it is decided or withdrawn.", "waiting")
    usual = now.ask(made, governance.DECISIONS[:1])[0]
    with st.container(border=True, key="list-waiting", gap="xsmall"):
        for one in sorted(waiting, key=lambda one: one.raised_at):
            with st.container(key=f"action-row-{one.id}"):
                age, what, do = st.columns([3, 11, 7], gap="small", vertical_alignment="center")
                late = usual.known and _age(one) > usual.value
                age.markdown(f":orange[:material/timer: **{_days(_age(one))}**]" if late else f":material/timer: {_days(_age(one))}")
                what.markdown(f"**{md(one.title)}**  \n:gray[{md(f'{_kind(one)}, raised by {one.raised_by} on {capture.day(str(one.raised_at.date()))}')}]")
                with do, st.container(horizontal=True):
                    if one.kind == KIND:
                        st.caption("Decided on the page of the backlog")
                        continue
                    if st.button("Decide", icon=":material/gavel:", key=f"decide-{one.id}", **allowed.to("decision.decide")):
                        capture.decision(now, lines=[tile.line for tile in now.ask(scorecard).tiles], about=one.id)
                    if st.button("No decision because …", key=f"none-{one.id}", type="tertiary", **allowed.to("decision.decide")):
                        capture.decision(now, none=True, about=one.id)
                    if st.button("Withdraw", key=f"withdraw-{one.id}", type="tertiary", **allowed.to("decision.withdraw")):
                        capture.begun()
                        _withdraw(now, one.id, one.version)
        st.caption(md(f"The clock runs from the day on which it was raised{f'; half of the decisions take up to {usual.text}' if usual.known else ''}."))


@st.dialog("Withdraw a question", position="right")
def _withdraw(now: Now, id_: str, version: int) -> None:
    one = _one(now, id_)
    st.markdown(f"**{md(one.title)}**")
    why = st.text_input("It is withdrawn because", key="withdraw-why", max_chars=1000)
    if st.button("Withdraw", type="primary", key="withdraw-save", **allowed.to("decision.withdraw")) and capture.saved(lambda: decisions.withdraw(session.store(), now.dataset, replace(one, version=version), session.actor(), why)):
        st.rerun()


def _ask(now: Now) -> None:
    """The form for a question that has to be decided. Its widgets belong to the id of what it writes, so that it is empty again once that is written."""
    id_ = st.session_state.setdefault(_QUESTION, new_id())
    with st.expander("Raise a question to be decided", icon=":material/add:", key="ask"):
        left, right = st.columns([3, 1], gap="small")
        title = left.text_input("What has to be decided?", key=f"question-{id_}", max_chars=300)
        kind = right.selectbox("Where", [kind for kind in _KINDS if kind not in ("", KIND, "-")], key=f"question-kind-{id_}", format_func=_KINDS.get)
        if st.button("Raise it", type="primary", key=f"question-save-{id_}", **allowed.to("decision.raise")):
            new, store = Decision(id_, title, kind=kind), session.store()
            if capture.saved(lambda: decisions.raise_decision(store, now.dataset, new, session.actor()), lambda: any(one.id == id_ for one in decisions.decisions(store, now.dataset))):
                st.session_state[_QUESTION] = new_id()
                st.toast(md(f"To be decided: {title}"), icon=":material/task_alt:")
                st.rerun()


# -- the log -------------------------------------------------------------------------------------------------------------------------------

def _log(now: Now, every: Sequence[Decision]) -> None:
    held = {one.id: one for one in meetings.meetings(session.store(), now.dataset)}
    with st.container(horizontal=True, vertical_alignment="center", key="log-bar"):
        words = st.text_input("Search", key="find", bind=state.BOUND, placeholder="Words in title, text or people", label_visibility="collapsed", width=360)
        there = [kind for kind in _KINDS if not kind or any(_is(one, kind) for one in every)]
        kind = st.segmented_control("Kind", there, default="", required=True, key="log-kind", format_func=_KINDS.get, label_visibility="collapsed") if len(there) > 2 else ""
        of = [id_ for id_ in held if any(one.meeting == id_ for one in every)]
        meeting = st.selectbox("Meeting", ["", *of], key="log-meeting", format_func=lambda id_: _meeting(now, held[id_]) if id_ else "All meetings", label_visibility="collapsed", width=300) if of else ""
    log = sorted((one for one in every if one.settled), key=lambda one: one.history[-1].at)
    found = [one for one in decisions.matching(tuple(log), words or "") if (not kind or _is(one, kind)) and (not meeting or one.meeting == meeting)]
    if not found:
        return charts.absent("What was decided?", f"Nothing in the log matches{f' “{words}”' if words else ''}. Search for fewer words, or choose all kinds." if log else
                             "Nothing yet. What is decided in a meeting, or on a question that was raised, stands here for good: entries are only ever added.", "log")
    with st.container(border=True, key="list-log", gap="xsmall"):
        for name, place in zip(_HEADS, st.columns(_WIDE, gap="small")[:3], strict=True):
            place.caption(name)
        for one in found if st.session_state.get("all-log") else found[:SHOWN]:
            _row(now, one, held)
        if len(found) > SHOWN:
            st.toggle(f"Show all {len(found):,}", key="all-log")
        st.caption("Entries are only ever added: what was written down stays as it was.")


def _is(one: Decision, kind: str) -> bool:
    return (not one.kind or one.kind not in _KINDS) if kind == "-" else one.kind == kind


def _kind(one: Decision) -> str:
    return _KINDS[one.kind] if one.kind in _KINDS and one.kind else "No meeting"


def _meeting(now: Now, held: meetings.Meeting) -> str:
    at = held.started_at.tz_convert(now.x.terms.reporting_tz)
    return f"{held.title} of {at.day} {at:%b %Y}"


def _row(now: Now, one: Decision, held: dict[str, meetings.Meeting]) -> None:
    with st.container(key=f"action-row-{one.id}"):
        when, what, who, opens = st.columns(_WIDE, gap="small")
        last, (icon, word) = one.history[-1], _WORDS[one.status]
        when.markdown(md(_instant(now, last.at)))
        what.markdown(f":material/{icon}: **{md(one.title)}**  \n{'' if one.status == 'decided' else f':gray[{word}:] '}{md(one.text)}")
        who.markdown(f"{md(last.by)}  \n:gray[{md(_meeting(now, held[one.meeting]) if one.meeting in held else _kind(one))}]")
        with opens:
            if st.button("", icon=":material/open_in_full:", key=f"open-decision-{one.id}", type="tertiary", help="Open the decision: its receipts, and the actions that came of it"):
                st.session_state["decision-receipt"] = 0
                capture.begun()
                _drawer(now, one.id)


@st.dialog("Decision", width="large", position="right")
def _drawer(now: Now, id_: str) -> None:
    one = _one(now, id_)
    st.markdown(f"## {md(one.title)}")
    took = (one.decided_at - one.raised_at) / pd.Timedelta(days=1) if one.status == "decided" else 0.0
    st.caption(md(" · ".join([_WORDS[one.status][1], _kind(one), f"raised by {one.raised_by} on {_instant(now, one.raised_at)}", *([f"decided after {_days(int(took))}"] if int(took) else [])])))
    st.markdown(md(one.text))
    came = [found for found in actions.actions(session.store(), now.dataset) if found.decision == one.id]
    if st.toggle("Raise an action from it", key=f"from-{id_}") if one.status == "decided" and one.kind != KIND else False:
        held, screen = capture.here()
        if capture.action_form(now, [tile.line for tile in now.ask(scorecard).tiles], held, screen, decision=one.id):
            st.rerun()
        return
    st.markdown(f"**What came of it** &nbsp;:gray[{units.named(len(came), units.ACTIONS) if came else 'no action yet'}]")
    for found in acted.found(now) if came else ():
        if found.action.decision == one.id:
            st.markdown(f"{acted.badge(found)} **{md(found.action.title)}** &nbsp;:gray[{md(f'{found.action.owner}, {found.deadline}')}]")
    _stood_on(one)
    st.markdown("**History**")
    tables.table(pd.DataFrame([{"when": _instant(now, entry.at, True), "who": entry.by, "what": _VERBS.get(entry.verb, entry.verb), "in words": entry.fields.get("text", "")} for entry in reversed(one.history)]),
                 now.x, "decision-history")


def _stood_on(one: Decision) -> None:
    """The state that it was made on, with the receipts of what was looked at."""
    found = one.receipt
    if not found:
        return
    loads = listed([str(load) for load in found.get("loads", ())])
    st.markdown("**It was made on** " + md(" · ".join(part for part in (f"data as of {capture.day(str(found.get('as_of', ''))[:10])}", f"load {loads}" if loads else "", f"definitions {found.get('definitions', '')}") if part)))
    receipts = [Receipt.from_dict(saved) for saved in found.get("receipts", ())]
    if receipts:
        place = st.selectbox("Receipt", range(len(receipts)), key="decision-receipt", format_func=lambda place: f"{receipts[place].label}  {receipts[place].shown}")
        drill.receipt(receipts[place])


def _from_extract(now: Now, every: Sequence[Decision]) -> None:
    """The decisions that the extract itself brings, to be read only."""
    frame = _brought(now, every).sort_values("raised_at", ascending=False, kind="stable")
    if len(frame):
        waits = int(frame["status"].fillna("open").eq("open").sum())
        with st.container(border=True, key="chart-extract-decisions"):
            charts.heading(f"From the extract: {units.named(len(frame), units.DECISIONS)}{f', {waits:,} open' if waits else ''}", "extract-decisions")
            tables.table(frame.assign(meeting=frame["meeting"].str.replace("_", " "))[["decision_id", "title", "meeting", "raised_at", "decided_at", "status"]].reset_index(drop=True), now.x, "extract-decisions",
                         40 * (min(len(frame), 8) + 1) + 4)
            st.caption("They are kept in the system that the extract comes from, and can only be read here.")


def _brought(now: Now, every: Sequence[Decision]) -> pd.DataFrame:
    frame = now.x.data.table("decisions")
    return frame[~frame["decision_id"].isin([one.id for one in every])]


def _one(now: Now, id_: str) -> Decision:
    return decisions.of_entries(session.store().entries(now.dataset, DECISION, id_))[0]


def _instant(now: Now, at: pd.Timestamp, time: bool = False) -> str:
    local = at.tz_convert(now.x.terms.reporting_tz)
    return f"{local.day} {local:%b %Y}{f' {local:%H:%M}' if time else ''}"
