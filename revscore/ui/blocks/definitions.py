"""Blocks of definitions: the requests that wait with what they would have done, the form for a new one, what is in force, and every version so far."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.metrics import CARDS
from revscore.core.terms import Terms
from revscore.governance import changes
from revscore.governance.changes import Change, Effect, written
from revscore.rhythm.actions import Incomplete
from revscore.rhythm.log import new_id
from revscore.store import TermsVersion
from revscore.ui import allowed, answers, capture, charts, session, tables
from revscore.ui.session import Now
from revscore.ui.words import listed, md

_FORM = "definition-id"
_REQUESTS, _CHANGES = units.Unit("requests", "count", "requests"), units.Unit("changes", "count", "changes")
_WORDS = {"approved": ("verified", "Approved"), "rejected": ("block", "Rejected"), "withdrawn": ("undo", "Withdrawn"), "proposed": ("hourglass_top", "Waits for an answer")}
_GROUPS = {"Leads and deals": ("lead_", "opp_", "pipeline_", "omitted", "excluded", "hygiene"), "Time": ("reporting_tz", "fiscal", "week", "conversion", "default_", "stall", "rmst", "pacing", "cohort", "benchmark"),
           "Attribution": ("attribution",), "Money and samples": ("corporate", "placeholders", "stats")}


def page(now: Now) -> None:
    """The answer, what waits, the form, what is in force, what changed."""
    store = session.store()
    every, versions = changes.changes(store, now.dataset), store.terms_history(now.dataset)
    waiting = [one for one in every if one.status == "proposed"]
    answers.answer(_answer(now, waiting, versions))
    answers.section("Requests", "What is to change, and what would it have done?")
    _waiting(now, waiting)
    _propose(now)
    answers.section("In force", "What is every number worked out by?")
    _in_force(now)
    answers.section("Changes", "What changed, when, by whom, and why?")
    _settled(now, [one for one in reversed(every) if one.status != "proposed"])
    _versions(now, versions)


def _answer(now: Now, waiting: Sequence[Change], versions: Sequence[TermsVersion]) -> str:
    head = f"{units.named(len(waiting), _REQUESTS).capitalize()} {'waits' if len(waiting) == 1 else 'wait'} for an answer" if waiting else "No change waits for an answer"
    if not versions:
        return f"{head}; nobody has changed a definition yet, the usual ones hold."
    return f"{head}; version {versions[0].version} holds since {_day(now, versions[0].saved_at)}."


def _day(now: Now, at: pd.Timestamp) -> str:
    return capture.day(f"{at.tz_convert(now.x.terms.reporting_tz):%Y-%m-%d}")


def _metric(id_: str) -> str:
    return CARDS[id_].label if id_ in CARDS else id_


# -- what waits ----------------------------------------------------------------------------------------------------------------------------

def _waiting(now: Now, waiting: Sequence[Change]) -> None:
    if not waiting:
        return charts.absent("Which change waits?", "None. A change that is proposed below stands here, with what it would have done, until somebody else approves or rejects it.", "waiting")
    for one in waiting:
        with st.container(border=True, key=f"change-{one.id}", gap="small"):
            st.markdown(f"#### {md(one.name)}: {md(written(one.old))} → {md(written(one.new))}")
            st.markdown(f"{md(one.why)}  \n:gray[{md(f'For {_metric(one.metric)}, proposed by {one.proposed_by} on {_day(now, one.proposed_at)}')}]")
            effects(now, one.definition, one.new, one.id)
            _settle(now, one)


def _settle(now: Now, one: Change) -> None:
    actor, store = session.actor(), session.store()
    said = st.text_input("Answer", key=f"answer-{one.id}", max_chars=1000, placeholder="Why it is approved or rejected; who has to know", label_visibility="collapsed")
    with st.container(horizontal=True):
        for label, icon, right, do, primary in (
                ("Approve", "verified", "definition.approve", lambda: changes.approve(store, now.dataset, one, actor, said), True),
                ("Reject", "block", "definition.approve", lambda: changes.reject(store, now.dataset, one, actor, said), False),
                ("Withdraw", "undo", "definition.propose", lambda: changes.withdraw(store, now.dataset, one, actor, said), False)):
            if st.button(label, icon=f":material/{icon}:", key=f"{label.lower()}-{one.id}", type="primary" if primary else "secondary", **allowed.to(right, disabled=label == "Withdraw" and one.proposed_by != actor.name)) and capture.saved(do):
                st.toast(md(f"{label}: {one.name}"), icon=f":material/{icon}:")
                st.rerun()


def effects(now: Now, definition: str, new: Any, key: str) -> None:
    """What a change would have done to the numbers of the scorecard: this period, and each of the last ones."""
    try:
        with st.spinner("Trying it on the last periods …"):
            found: tuple[Effect, ...] = now.ask(changes.tried, definition, json.dumps(new))
    except Incomplete as error:
        return st.warning(md(error), icon=":material/warning:")
    if not found:
        return st.caption("On the numbers of the scorecard it would have changed nothing, in this period and the periods before.")
    today = found[0].before.period.name if found[0].before.period else "All time"
    st.markdown(f"**It would change {listed([md(one.before.label) for one in found])}** &nbsp;:gray[as it is, and with the change]")
    rows = [{"number": one.before.label, today: f"{one.before.text} → {one.after.text}", **_history(one)} for one in found]
    tables.table(pd.DataFrame(rows).fillna("–"), now.x, f"effects-{key}", "content", labels={today: f"{today}, so far"})


def _history(one: Effect) -> dict[str, str]:
    """Period → "before → after" of those before this one, the latest first."""
    out = {}
    for row in one.periods.iloc[-2::-1].itertuples():
        texts = [units.text(value, one.before.measure.unit, one.before.currency) for value in (row.before, row.after)]
        out[row.period] = texts[0] if texts[0] == texts[1] else " → ".join(texts)
    return out


# -- a new one -----------------------------------------------------------------------------------------------------------------------------

def _propose(now: Now) -> None:
    """The form. Its widgets belong to the id of what it writes, so that it is empty again once that is written."""
    id_ = st.session_state.setdefault(_FORM, new_id())
    if not session.actor().may("definition.propose"):
        return
    known = changes.definitions(now.x.terms.to_config())
    with st.expander("Propose a change", icon=":material/add:", key="propose"):
        left, right = st.columns(2, gap="medium")
        definition = left.selectbox("Definition", sorted(known, key=changes.called), index=None, key=f"definition-{id_}", format_func=changes.called, placeholder="What is to change?")
        metric = right.selectbox("For the number", list(CARDS), index=None, key=f"definition-metric-{id_}", format_func=_metric, placeholder="Which number is it made for?")
        if definition is None:
            return
        with left:
            new = _value(now, definition, known[definition], id_)
        why = right.text_area("Why", key=f"definition-why-{id_}", max_chars=1000, height=120, placeholder="What is wrong today, and what gets better")
        if new is not None and new != known[definition]:
            effects(now, definition, new, id_)
        if st.button("Propose it", type="primary", icon=":material/send:", key=f"definition-save-{id_}"):
            change, store = Change(id_, definition, new=new, metric=metric or "", why=why), session.store()
            if capture.saved(lambda: changes.propose(store, now.dataset, change, session.actor(), now.x), lambda: any(one.id == id_ for one in changes.changes(store, now.dataset))):
                st.session_state[_FORM] = new_id()
                st.toast(md(f"Proposed: {change.name}"), icon=":material/send:")
                st.rerun()


def _value(now: Now, definition: str, old: Any, id_: str) -> Any:
    """A widget for a value like `old`: a switch, a number, a word, words a line each, a table of numbers."""
    key, label = f"value-{definition}-{id_}", f"New value (today {written(old)})"
    if isinstance(old, bool):
        return st.toggle(md(changes.called(definition)), old, key=key)
    if isinstance(old, int):
        return int(st.number_input(md(label), value=old, step=1, key=key))
    if isinstance(old, float):
        return float(st.number_input(md(label), value=old, key=key))
    if isinstance(old, Mapping):
        st.caption("New values")
        edited = st.data_editor(pd.DataFrame({"Name": [str(name).replace("->", " → ") for name in old], "Value": [float(value) for value in old.values()]}), hide_index=True, key=key, num_rows="fixed", disabled=["Name"])
        return {name: (int(value) if float(value).is_integer() else float(value)) for name, value in zip(old, edited["Value"].fillna(0), strict=True)}
    if isinstance(old, list):
        return [line.strip() for line in st.text_area(f"{md(label)}, one a line", "\n".join(old), key=key, height=160).splitlines() if line.strip()]
    if there := changes.existing(now.x, definition):
        return st.selectbox(md(label), list(dict.fromkeys((old, *there))), key=key)
    return st.text_input(md(label), old or "", key=key, max_chars=120).strip()


# -- in force, and what changed ------------------------------------------------------------------------------------------------------------

def _in_force(now: Now) -> None:
    usual, known = changes.definitions(Terms().to_config()), changes.definitions(now.x.terms.to_config())
    for title, place in zip(_GROUPS, st.tabs(list(_GROUPS)), strict=True):
        rows = [{"definition": changes.called(key), "in force": written(value), "usual": "" if value == usual.get(key) else written(usual.get(key))}
                for key, value in known.items() if key.startswith(_GROUPS[title])]
        with place:
            tables.table(pd.DataFrame(rows), now.x, f"in-force-{title}", "content", labels={"usual": "Usual value, where it differs"})


def _settled(now: Now, found: Sequence[Change]) -> None:
    if not found:
        return
    with st.container(border=True, key="list-changes", gap="xsmall"):
        for one in found:
            with st.container(key=f"action-row-{one.id}"):
                when, what, who, do = st.columns([3, 11, 5, 4], gap="small")
                icon, word = _WORDS[one.status]
                when.markdown(md(_day(now, one.settled_at)))
                what.markdown(f":material/{icon}: **{md(one.name)}**: {md(written(one.old))} → {md(written(one.new))}  \n:gray[{md(f'{one.why}. {one.answer}'.strip())}]")
                who.markdown(f"{word} by {md(one.settled_by)}  \n:gray[proposed by {md(one.proposed_by)}]")
                with do:
                    _trained(now, one)


def _trained(now: Now, one: Change) -> None:
    """Whether those who work by it were told: without that a change is not under control."""
    if one.status != "approved":
        return
    if one.training:
        return st.markdown(f":material/school: told on {md(capture.day(one.training))}")
    if st.button("People were told", icon=":material/school:", key=f"trained-{one.id}", **allowed.to("definition.train", help="A change is under control once those who work by it know it")):
        today = session.instant().tz_convert(now.x.terms.reporting_tz)
        if capture.saved(lambda: changes.trained(session.store(), now.dataset, one, session.actor(), f"{today:%Y-%m-%d}")):
            st.rerun()


def _versions(now: Now, versions: Sequence[TermsVersion]) -> None:
    if not versions:
        return charts.absent("Which versions were there?", "None yet: the usual definitions hold. Each change makes a version that stays readable for good.", "versions")
    known = [changes.definitions(Terms.from_config(one.config).to_config()) for one in versions]
    rows = [{"version": one.version, "since": _day(now, one.saved_at), "by": one.saved_by, "why": one.why, "what changed": _apart(newer, older)}
            for one, newer, older in zip(versions, known, [*known[1:], changes.definitions(Terms().to_config())], strict=True)]
    tables.table(pd.DataFrame(rows), now.x, "versions", "content")


def _apart(newer: Mapping[str, Any], older: Mapping[str, Any]) -> str:
    return "; ".join(f"{changes.called(key)}: {written(older.get(key))} → {written(value)}" for key, value in newer.items() if value != older.get(key)) or "nothing that a number stands on"
