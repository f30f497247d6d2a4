"""Blocks of the backlog: ideas from intake over score and decision to what is published as next and why, and whether they worked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from revscore.core.made import Number
from revscore.core.metric import functions
from revscore.core.written import number_as_json
from revscore.rhythm import actions as acting
from revscore.rhythm import backlog
from revscore.rhythm.actions import Action
from revscore.rhythm.backlog import Idea, Place
from revscore.rhythm.log import new_id
from revscore.rhythm.scorecard import scorecard
from revscore.rhythm.verdicts import judged_alone
from revscore.ui import allowed, answers, capture, charts, session, tables
from revscore.ui.session import Now
from revscore.ui.words import listed, md

_IDEA, _SEEN = "idea-id", "idea-seen"
_SURE = {0.25: "a guess (25 %)", 0.5: "as likely as not (50 %)", 0.75: "likely (75 %)", 0.9: "almost sure (90 %)"}
_VERBS = {"proposed": "proposed it", "estimated": "estimated it", "accepted": "accepted it", "declined": "declined it", "withdrawn": "withdrew it", "linked": "linked an action"}


def page(now: Now) -> None:
    """What is next and why; what waits for its decision; what is being done and what came of it; what was turned down."""
    store = session.store()
    every, raised = backlog.ideas(store, now.dataset), acting.actions(store, now.dataset)
    order, (told, entry) = backlog.order(every, raised, _currency(now)), backlog.published(store, now.dataset)
    waiting = backlog.ranked(one for one in every if one.status == "proposed")
    working = [one for one in every if one.status == "accepted" and _alive(one, raised)]
    answers.answer(_answer(every, order, waiting, working))
    if st.button("Propose an idea", icon=":material/lightbulb:", type="primary", key="propose", **allowed.to("backlog.propose")):
        _propose(now)
    if not every:
        with st.container(border=True, key="no-ideas", horizontal_alignment="center", gap="small"):
            st.markdown("### The backlog is empty")
            st.markdown("An idea says which number it is to move, by how much, how sure that is, and what it costs in person-days. Its score ranks it; whoever holds the right decides; what is next is published with the reason.")
        return
    answers.section("Next, and why", "What do we start when somebody is free?")
    _next(now, order, told, entry)
    answers.section("To be decided", "Which idea is worth it, and who decides?")
    _list(now, waiting, raised, "waiting", "No idea waits for a decision.")
    answers.section("Being done, and measured", "Did it move its number?")
    _list(now, working, raised, "working", "Nobody works on an accepted idea yet. Open one and raise an action from it.")
    if aside := [one for one in every if one.status in ("declined", "withdrawn")]:
        with st.expander(f"Declined or withdrawn: {len(aside):,}", key="aside"):
            _list(now, aside, raised, "aside", "")


def _answer(every: Sequence[Idea], order: Sequence[Place], waiting: Sequence[Idea], working: Sequence[Idea]) -> str:
    if not every:
        return "No idea has been proposed yet."
    head = f"Next: {order[0].title}" if order else "Nothing is next: no accepted idea waits for its start"
    return f"{head}; {_many(waiting)} {'wait' if len(waiting) > 1 else 'waits'} for a decision, {_many(working)} {'are' if len(working) > 1 else 'is'} being done."


def _many(some: Sequence[Idea]) -> str:
    return f"{len(some):,}" if some else "none"


def _currency(now: Now) -> str:
    return now.x.terms.corporate_currency


def _alive(one: Idea, raised: Sequence[Action]) -> list[Action]:
    return [found for found in one.linked(raised) if found.status != "cancelled"]


# -- the lists -----------------------------------------------------------------------------------------------------------------------------

def _next(now: Now, order: Sequence[Place], told: Sequence[Place], entry: object) -> None:
    if not order and not told:
        return charts.absent("What is next?", "No idea has been accepted yet. Accept one below, and it stands here in the order of the scores.", "next")
    with st.container(border=True, key="list-next", gap="xsmall"):
        for place, one in enumerate(order, start=1):
            with st.container(key=f"action-row-next-{one.idea}"):
                rank, what, opens = st.columns([1, 18, 1], gap="small", vertical_alignment="center")
                rank.markdown(f"### {place}")
                what.markdown(f"**{md(one.title)}**  \n{md(one.why)}")
                with opens:
                    _open(now, one.idea, "next")
        if not order:
            st.markdown("Nothing is left: every accepted idea is being done.")
        alike = [(one.idea, one.why) for one in order] == [(one.idea, one.why) for one in told]
        with st.container(horizontal=True, vertical_alignment="center"):
            if entry is not None:
                at = entry.at.tz_convert(now.x.terms.reporting_tz)
                st.caption(md(f"Published on {at.day} {at:%b %Y} by {entry.by}" + ("." if alike else f", in another order: {listed([one.title for one in told]) if told else 'nothing was next'}.")))
            else:
                st.caption("This order has not been published yet.")
            if not alike and st.button("Publish this order", icon=":material/campaign:", key="publish-order", **allowed.to("backlog.publish", help="Everybody then sees what is next, and why")) \
                    and capture.saved(lambda: backlog.publish(session.store(), now.dataset, order, session.actor())):
                st.rerun()
        st.caption("Score: the expected move as a share of what the number is today, × how sure that is, ÷ person-days; in hundredths.")


def _list(now: Now, some: Sequence[Idea], raised: Sequence[Action], key: str, empty: str) -> None:
    if not some:
        if empty:
            st.caption(empty)
        return
    with st.container(border=True, key=f"list-{key}", gap="xsmall"):
        for one in some:
            with st.container(key=f"action-row-{key}-{one.id}"):
                score, what, says, opens = st.columns([2, 9, 9, 1], gap="small")
                score.markdown(f"### {_score(one)}")
                what.markdown(f"**{md(one.title)}**  \n:gray[{md(one.problem)}]")
                with says:
                    st.markdown(_says(now, one, raised))
                with opens:
                    _open(now, one.id, key)


def _score(one: Idea) -> str:
    return "–" if np.isnan(one.score) else f"{one.score * 100:.2f}"


def _says(now: Now, one: Idea, raised: Sequence[Action]) -> str:
    if one.status in ("declined", "withdrawn"):
        return f"{one.status.capitalize()}: {md(one.why)}"
    if alive := _alive(one, raised):
        return "  \n".join(f"**{md(judged_alone(now.x, found).word) if found.success else 'No measure'}**: {md(found.title)}, {md(found.owner)}" for found in alive)
    if one.lacks:
        return f":orange[:material/edit_note:] Lacks {md(listed(one.lacks))}."
    rights = backlog.holders(session.store(), now.dataset, one)
    who = f"decided by {listed(rights)}" if rights else f"owned by {functions(one.asked.card.owners)}; nobody is named to decide"
    return f"{md(backlog.because(one, _currency(now)))}  \n:gray[{md(who)}]"


def _open(now: Now, id_: str, key: str) -> None:
    if st.button("", icon=":material/open_in_full:", key=f"open-idea-{key}-{id_}", type="tertiary", help="Open the idea: estimate, decide, raise its action"):
        st.session_state[_SEEN] = _one(now, id_).version
        capture.begun()
        _drawer(now, id_)


def _one(now: Now, id_: str) -> Idea:
    return next(one for one in backlog.ideas(session.store(), now.dataset) if one.id == id_)


# -- intake and estimate -------------------------------------------------------------------------------------------------------------------

def _propose(now: Now) -> None:
    st.session_state[_IDEA] = new_id()
    _intake(now)


@st.dialog("Propose an idea", width="large", position="right")
def _intake(now: Now) -> None:
    id_ = st.session_state.setdefault(_IDEA, new_id())
    found = _estimates(now, Idea(id_, ""), "idea")
    store = session.store()
    if st.button("Propose it", type="primary", icon=":material/check:", key="idea-save", **allowed.to("backlog.propose")) \
            and capture.saved(lambda: backlog.propose(store, now.dataset, found, session.actor()), lambda: any(one.id == id_ for one in backlog.ideas(store, now.dataset))):
        st.toast(md(f"Proposed: {found.title}"), icon=":material/lightbulb:")
        st.rerun()


def _estimates(now: Now, old: Idea, key: str) -> Idea:
    """The idea as the form says it, with its score in words."""
    title = st.text_input("The idea", old.title, key=f"{key}-title", max_chars=300)
    problem = st.text_area("The problem that it solves", old.problem, key=f"{key}-problem", max_chars=2000, height=80)
    known = [tile.line for tile in now.ask(scorecard).tiles if tile.line.known and not tile.line.lacks and tile.line.value]
    fields: dict[str, object] = {"number": old.number, "baseline": old.baseline}
    if old.number:
        number = old.asked
        measure = number.card.measure(number.stat)
        st.caption(md(f"It is to move {number.label}"))
    else:
        place = st.selectbox("The number that it is to move", range(len(known)), index=None, key=f"{key}-number", format_func=lambda place: f"{known[place].label}, now {known[place].text}",
                             placeholder="Not known yet")
        if place is not None:
            line = known[place]
            number = Number.behind(line, now.view)
            fields, measure = {"number": number_as_json(number), "baseline": float(line.value)}, line.measure
    left, middle, right = st.columns(3, gap="small")
    impact = old.impact
    if fields["number"]:
        factor, said, proposed = capture.steps(measure.unit, float(fields["baseline"] or 0.0), _currency(now))
        size = left.number_input(f"Impact: it moves by ({md(said)})", min_value=0.0, value=proposed if old.impact is None else old.impact / factor, key=f"{key}-impact", format="%.0f" if proposed >= 100 else "%.1f", step=100.0 if proposed >= 100 else 1.0)
        impact = size * factor if size else None
    else:
        left.caption("Its impact can be said once its number is chosen.")
    options = sorted({*_SURE, *([old.confidence] if old.confidence else [])})
    confidence = middle.selectbox("Confidence: that is", options, index=options.index(old.confidence) if old.confidence else None, key=f"{key}-confidence", format_func=lambda one: _SURE.get(one, f"{one * 100:.0f} %"),
                                  placeholder="How sure?")
    effort = right.number_input("Effort (person-days)", min_value=0.5, value=old.effort, step=1.0, format="%.1f", key=f"{key}-effort", placeholder="Days")
    found = replace(old, title=title, problem=problem, impact=impact, confidence=confidence, effort=effort, **fields)
    missing = [one for one in found.lacks if one not in ("a title", "a problem")]
    st.markdown(f":material/calculate: {md(backlog.because(replace(found, why=''), _currency(now)))}" if not missing else f":gray[:material/calculate: It has a score once it has {md(listed(missing))}.]")
    return found


# -- one idea ------------------------------------------------------------------------------------------------------------------------------

@st.dialog("Idea", width="large", position="right")
def _drawer(now: Now, id_: str) -> None:
    one, store = _one(now, id_), session.store()
    raised = acting.actions(store, now.dataset)
    st.markdown(f"## {md(one.title)}")
    at = one.proposed_at.tz_convert(now.x.terms.reporting_tz)
    decided = f" · {one.status} by {one.decided_by}" if one.decided_by else f" · {one.status}" if one.status != "proposed" else ""
    st.caption(md(f"Proposed by {one.proposed_by} on {at.day} {at:%b %Y}{decided}"))
    st.markdown(md(one.problem))
    if one.status in ("proposed", "accepted") and not one.lacks:
        st.markdown(f":material/calculate: {md(backlog.because(one, _currency(now)))}")
    _do(now, one)
    for found, verdict in backlog.measured(now.x, one, raised):
        with st.container(border=True):
            st.markdown(f"**{md(found.title)}** &nbsp;:gray[{md(f'{found.owner}, until {capture.day(found.due)}')}]")
            st.markdown(f"**{md(verdict.word)}.** {md(verdict.sentence)}")
    st.markdown("**History**")
    tables.table(_history(now, one), now.x, "idea-history")


def _do(now: Now, one: Idea) -> None:
    options = {"proposed": {"accept": "Accept", "decline": "Decline", "estimate": "Change the estimate", "withdraw": "Withdraw"}, "accepted": {"act": "Raise its action"}}.get(one.status, {})
    what = st.segmented_control("What", list(options), key=f"idea-do-{one.id}", format_func=options.get, label_visibility="collapsed") if options else None
    if what is None:
        return
    store, seen = session.store(), replace(one, version=st.session_state.get(_SEEN, one.version))
    if what == "act":
        held, screen = capture.here()
        if capture.action_form(now, [one.asked], held, screen, one.title, decision=one.id):
            st.rerun()
        return
    if what == "estimate":
        new = _estimates(now, one, f"estimate-{one.id}")
        fields = {name: getattr(new, name) for name in ("title", "problem", "number", "baseline", "impact", "confidence", "effort") if getattr(new, name) != getattr(one, name)}
        write = lambda: backlog.estimate(store, now.dataset, seen, session.actor(), **fields)  # noqa: E731
    else:
        why = st.text_input(f"{options[what]}: because", key=f"idea-why-{one.id}-{what}", max_chars=1000)
        if rights := (backlog.holders(store, now.dataset, one) if one.number and what != "withdraw" else ()):
            st.caption(md(f"{listed(rights)} {'holds' if len(rights) == 1 else 'hold'} the right to decide this."))
        write = (lambda: backlog.withdraw(store, now.dataset, seen, session.actor(), why)) if what == "withdraw" else \
            (lambda: backlog.decide(store, now.dataset, seen, session.actor(), what == "accept", why, receipt=capture.stands(now)))
    if not st.button("Save", type="primary", icon=":material/check:", key=f"idea-save-{one.id}", **allowed.to("backlog.decide" if what in ("accept", "decline") else "backlog.propose")):
        return
    went = capture.saved(write)
    st.session_state[_SEEN] = one.version
    if went:
        st.toast(md(f"{options[what]}: {one.title}"), icon=":material/task_alt:")
        st.rerun()


def _history(now: Now, one: Idea) -> pd.DataFrame:
    return pd.DataFrame([{"when": f"{entry.at.tz_convert(now.x.terms.reporting_tz):%d %b %Y %H:%M}", "who": entry.by, "what": _VERBS.get(entry.verb, entry.verb), "in words": entry.fields.get("why", "")}
                         for entry in reversed(one.history)])
