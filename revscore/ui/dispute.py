"""Disputing a number, and answering a dispute: what it was, what it is now, and whether that changed."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import streamlit as st

from revscore.core.coded import Coded
from revscore.core.made import Number
from revscore.core.receipt import Receipt
from revscore.core.view import View
from revscore.core.written import number_as_json
from revscore.rhythm import disputes
from revscore.rhythm.disputes import ANSWERS, CLOCK, Again, Dispute
from revscore.rhythm.exceptions import FUNCTION_NAMES
from revscore.rhythm.log import new_id
from revscore.ui import allowed, capture, charts, session, tables
from revscore.ui.session import Now
from revscore.ui.words import md

_ID = "dispute-id-"
_GIVE, _ANSWERED = "give", "disputes-answered"


def dispute_form(now: Now, number: Number, receipt: Receipt) -> None:
    """The form that disputes `number` as `receipt` shows it; once sent, it says who owns the dispute."""
    key = hashlib.sha256(json.dumps([number_as_json(number), receipt.sha256], sort_keys=True, default=str).encode()).hexdigest()[:12]
    owner = next(iter(number.card.owners), "revops")
    with st.form(f"dispute-{key}", border=False):
        why = st.text_area("What is wrong with it, or what did you expect?", key=f"dispute-why-{key}", height=100)
        functions = list(FUNCTION_NAMES)
        function = st.selectbox("Who is to look at it", functions, index=functions.index(owner) if owner in functions else functions.index("revops"), format_func=FUNCTION_NAMES.get,
                                key=f"dispute-owner-{key}")
        sent = st.form_submit_button("Dispute this number", icon=":material/flag:", type="primary", key=f"dispute-send-{key}", **allowed.to("dispute.raise"))
    if not sent:
        return
    id_ = st.session_state.setdefault(f"{_ID}{key} {why}", new_id())  # the same words sent twice are one dispute
    if capture.saved(lambda: disputes.dispute(session.store(), now.dataset, number, receipt, why, session.actor(), id_=id_, function=function), lambda: True):  # the first of two clicks wrote it
        st.success(md(f"Disputed: {number.label} {receipt.shown}. {FUNCTION_NAMES.get(function, function)} has {CLOCK} business days to answer; it stands in the RevOps triage."), icon=":material/flag:")


def disputed(now: Now) -> None:
    """The disputed numbers, open ones first: then, now, why, whose, since when, answered how."""
    every = sorted(disputes.disputes(session.store(), now.dataset), key=lambda one: (not one.open, one.raised_at))
    if not every:
        return charts.absent("Which numbers are disputed?", "None. Any number can be disputed where it opens to its rows.", "disputes")
    today, waiting = pd.Timestamp.now("UTC"), [one for one in every if one.open]
    late = sum(disputes.age(now.x, one, today) > CLOCK for one in waiting)
    with st.container(border=True, key="chart-disputes"):
        charts.heading(f"{len(waiting):,} of {len(every):,} disputed numbers {'waits' if len(waiting) == 1 else 'wait'} for an answer{f', {late:,} for more than {CLOCK} business days' if late else ''}"
                       if waiting else f"All {len(every):,} disputed numbers are answered" if len(every) > 1 else "The disputed number is answered", "disputes")
        rows = []
        for one in every:
            # what a dispute asks again is remembered with the extract, and with the version of the dispute
            found: Again = now.ask(_again, now.dataset, one.id)
            rows.append({"number": one.label, "then": one.then.shown, "now": found.shown, "is it": found.text, "why": one.why, "by": one.raised_by,
                         "owner": one.to or FUNCTION_NAMES.get(one.function, one.function), "age": disputes.age(now.x, one, today), "answer": one.answered or "Open", "in words": one.text})
        picked = tables.several(pd.DataFrame(rows), now.x, f"disputes-{count}" if (count := st.session_state.get(_ANSWERED, 0)) else "disputes", labels={"age": "Age (days)", "is it": "The value is"})
        st.caption("Choose one to answer it, or to give it to somebody.")
        for place in picked[:1]:
            _answer(now, every[place])


def _again(x: Coded, view: View, dataset: str, id_: str) -> Again:
    one = next(one for one in disputes.disputes(session.store(), dataset) if one.id == id_)
    return disputes.again(x, one)


def _answer(now: Now, one: Dispute) -> None:
    """The dispute in full, its receipt, and the form that answers it."""
    key = one.id[-12:]
    with st.container(border=True, key=f"dispute-{key}"):
        st.markdown(f"**{md(one.label)}** &nbsp;{md(one.then.shown)} &nbsp;:gray[{md(f'disputed on {one.raised_at.day} {one.raised_at:%b %Y}')}]")
        st.markdown(md(one.why))
        with st.expander("Receipt", icon=":material/receipt_long:"):
            st.code("\n".join(f"{what}  {value}" for what, value in one.then.as_rows().items()), language=None, wrap_lines=True)
        if not one.open:
            st.markdown(f":material/task_alt: **{md(one.answered)}**: {md(one.text)}")
            return
        how = st.segmented_control("Answer", [*ANSWERS, _GIVE], default="explained", required=True, key=f"how-{key}", format_func=lambda name: ANSWERS.get(name, "Give it to somebody"))
        with st.form(f"answer-{key}", border=False):
            load, function = 0, one.function
            if how == "corrected":
                load = st.selectbox("Corrected by load", [found.id for found in session.store().loads(now.dataset)], key=f"load-{key}")
            if how == _GIVE:
                functions = list(FUNCTION_NAMES)
                function = st.selectbox("Function", functions, index=functions.index(one.function) if one.function in functions else 0, format_func=FUNCTION_NAMES.get, key=f"function-{key}")
            text = st.text_input("Person (optional)" if how == _GIVE else "In a sentence", key=f"answer-text-{key}-{how}")
            sent = st.form_submit_button("Give" if how == _GIVE else "Answer", type="primary", key=f"answer-send-{key}", **allowed.to("dispute.answer"))
        store, by = session.store(), session.actor()
        if sent and capture.saved(lambda: disputes.assign(store, now.dataset, one, by, function=function, to=text) if how == _GIVE else
                                  disputes.answer(store, now.dataset, one, how, text, by, load or 0)):
            st.session_state[_ANSWERED] = st.session_state.get(_ANSWERED, 0) + 1  # the rows are in another order now, and none of them is chosen
            st.rerun()
