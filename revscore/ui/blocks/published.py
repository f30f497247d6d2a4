"""Closing a review and what became of its numbers: published values beside the same question today, each difference split over its causes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from revscore import company
from revscore.core import units
from revscore.core.receipt import Receipt
from revscore.core.receipt import receipt as receipt_of
from revscore.core.units import Unit
from revscore.governance.publishing import publish
from revscore.governance.restatement import CAUSES, LABELS, Change, Restated, behind, change, restated
from revscore.governance.verify import verify
from revscore.people import LOCAL
from revscore.rhythm import meetings
from revscore.rhythm.reviews import TITLES, numbers
from revscore.store import Publication, StoreError
from revscore.ui import allowed, answers, drill, picks, session, tables
from revscore.ui.session import Now
from revscore.ui.words import listed, md

_WHY = {"definitions": "The same records under today's definitions.", "vanished": "Records that today's extracts no longer have.",
        "edited": "Records of then that read differently today, or lost an event.", "re_owned": "Records whose owner, segment, region or other group changed, so that they moved in or out.",
        "late_dated": "Events dated before as-of that only came with a later extract.", "new": "Records that were not in the extracts of then, dated before as-of."}


# -- closing a review ----------------------------------------------------------------------------------------------------------------------

def close(now: Now, name: str) -> None:
    """The end of a review: close it and publish its numbers."""
    last = next((one for one in session.store().publications(now.dataset) if one.review == name), None)
    held = any(one.kind == name for one in meetings.running(session.store(), now.dataset))
    with st.container(horizontal=True, vertical_alignment="center", key="close-review"):
        if st.button("Close and publish", icon=":material/verified:", key="close-and-publish",
                     **allowed.to("publish", disabled=held, help="Keep the numbers of this review as they are now, without a meeting")):
            _closing(now, name)
        published = f"Published last as of {_day(last.as_of)}, by {last.published_by}." if last else "Not published yet: closing keeps the numbers as they were said."
        st.caption(md(f"{published} {'The meeting that is running publishes when it is closed.' if held else 'A meeting publishes at its close; without one, do it here.'}"))


@st.dialog("Close and publish", width="medium")
def _closing(now: Now, name: str) -> None:
    found = now.ask(numbers, name)
    stand = now.x.data.stand
    filters = "; ".join(f"{dimension} = {', '.join(chosen)}" for dimension, chosen in now.view.where)
    st.markdown(f"**{len(found)} numbers** of the {md(TITLES[name].lower())} are kept as they are now, with their rows and receipts. They are never changed or removed; "
                "*Published numbers* later shows each beside the same question then.")
    rows = {"As of": _day(now.x.data.as_of), "Period": now.choice.period_text, "Filters": filters or "none", "Loads": ", ".join(map(str, stand.loads)),
            "Definitions": f"version {stand.definitions}"}
    st.markdown("  \n".join(f"**{what}**: {md(value)}" for what, value in rows.items()))
    with st.expander(f"The {len(found)} numbers"):
        st.markdown("  \n".join(md(one.label) for one in found))
    by = session.actor()
    if by == LOCAL:  # nobody signs in here, so whoever closes it says who that is
        by = replace(by, name=st.text_input("Closed by", by.name, max_chars=300, key="closed-by").strip())
    if not st.button("Publish", type="primary", icon=":material/verified:", key="publish", **allowed.to("publish", disabled=not by.name)):
        return
    try:
        with session.one_at_a_time():
            done = publish(session.store(), now.x, found, name, TITLES[name], now.view, by)
    except StoreError as error:
        st.error(md(error))
        return
    st.toast(md(f"Published: {done.title}, as of {_day(done.as_of)}."), icon=":material/verified:")
    st.rerun()


# -- what was published --------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Found:
    """A publication and its values today; `trouble` where that cannot be worked out."""

    way: Change | None
    values: tuple[Restated, ...]
    trouble: str = ""


@st.cache_resource(max_entries=2, show_spinner="Working the published numbers out again …")
def _found(dataset: str, version: str, _publication: Publication, id_: int) -> Found:
    def found() -> Found:
        try:
            way = change(session.store(), _publication)
            return Found(way, tuple(restated(way, value) for value in session.store().published(id_)))
        except StoreError as error:
            return Found(None, (), str(error))

    return company.unmoved(session.store(), dataset, version, found)


def _today(now: Now, chosen: Publication) -> Found:
    return company.settled(session.store(), now.dataset, lambda version: _found(now.dataset, version.partition("+")[0], chosen, chosen.id))


def choose(now: Now) -> Publication | None:
    """The publication to look at: the newest, or the one that is picked; None, and a sentence, when there is none."""
    there = {one.id: one for one in session.store().publications(now.dataset)}
    if not there:
        with st.container(border=True, key="nothing-published", horizontal_alignment="center"):
            st.markdown("### Nothing is published yet")
            st.markdown("Close a weekly or monthly review with *Close and publish*: its numbers are kept, and shown here beside what the same question gives later.")
            left, right = st.columns(2)
            left.page_link("pages/weekly.py", label="Weekly review", icon=":material/event_repeat:")
            right.page_link("pages/monthly.py", label="Monthly review", icon=":material/calendar_month:")
        return None
    names = {id_: f"{one.title} as of {_day(one.as_of)}, published {_day(one.published_at)} by {one.published_by} (no. {id_})" for id_, one in there.items()}
    picked = st.selectbox("Publication", list(names.values()), key="publication", bind="query-params", label_visibility="collapsed")
    return next((there[id_] for id_, name in names.items() if name == picked), next(iter(there.values())))


def answer(now: Now, chosen: Publication) -> None:
    """How many numbers read differently, and what moved the first of them."""
    found = _today(now, chosen)
    if found.trouble:
        return answers.answer(f"This publication cannot be worked out again: {found.trouble}")
    moved = [one for one in found.values if one.changed]
    if not moved:
        return answers.answer(f"Nothing was restated: all {len(found.values)} numbers read today as they were published.")
    first = ", ".join(f"{one.number.label} {_step(one.difference, _unit(one), _currency(found))}" for one in moved[:3])
    causes = [LABELS[cause].lower() for cause in CAUSES if any(_there(one.legs[cause]) for one in moved)]
    answers.answer(f"{len(moved)} of {len(found.values)} published numbers read differently today ({first}{', …' if len(moved) > 3 else ''}). Causes: {listed(causes)}.")


def values(now: Now, chosen: Publication) -> None:
    """All values: as published, today, the difference and its legs; a row opens to the records behind each leg."""
    found = _today(now, chosen)
    if found.way is None:
        return
    shown = [one for one in found.values if one.changed]
    if len(shown) < len(found.values) and (not shown or st.toggle(f"All {len(found.values)} numbers, also those that did not change", key="all-published")):
        shown = list(found.values)
    frame = _table(found, shown, chosen)
    config = {name: st.column_config.TextColumn(name, alignment="left" if name in ("Number", "Under") else "right") for name in frame.columns}
    with st.container(border=True, key="chart-published", gap="small"):
        state = st.dataframe(frame, hide_index=True, column_config=config, key="published-values", on_select="rerun", selection_mode="single-row", row_height=40,
                             height=min(680, 40 * (len(frame) + 1) + 6), placeholder="–")
        st.caption(md(f"Same period, filters and as-of ({_day(chosen.as_of)}), today's loads and definitions. The legs add up to the difference: what they leave unexplained is shown. "
                      "Choose a row to open it to its records."))
    picked = picks.clicked("published-values", [row for row in state["selection"]["rows"] if row < len(frame)])
    if picked is not None:
        _opened(now, chosen, shown[picked].value.key)


def _table(found: Found, shown: list[Restated], chosen: Publication) -> pd.DataFrame:
    """One row a value, in words."""
    causes = [cause for cause in CAUSES if any(_there(one.legs[cause]) for one in shown)]
    rows, currency = [], _currency(found)
    for one in shown:
        unit, split = _unit(one), one.split
        row = {"Number": one.number.label, "Under": _under(one, found, chosen), "As published": _said(one.value.receipt, one.published, unit, currency),
               "Today": units.text(one.today, unit, currency), "Difference": _step(one.difference, unit, currency) if one.changed else "±0"}
        row |= {LABELS[cause]: _step(one.legs[cause], unit, currency) if split and _there(one.legs[cause]) else "" for cause in causes}
        row["Unexplained"] = (_step(round(one.unexplained, 6), unit, currency) if round(one.unexplained, 6) else "0") if split else "not split" if one.changed else "0"
        rows.append(row)
    return pd.DataFrame(rows)


@st.dialog("As published, and today", width="large", position="right")
def _opened(now: Now, chosen: Publication, key: str) -> None:
    found = _today(now, chosen)
    one = next(value for value in found.values if value.value.key == key)
    unit, currency = _unit(one), _currency(found)
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"### {md(one.number.label)}")
        for place, (label, text) in zip(st.columns(3), (("As published", _said(one.value.receipt, one.published, unit, currency)), ("Today", units.text(one.today, unit, currency)),
                                                         ("Difference", _step(one.difference, unit, currency) if one.changed else "±0")), strict=True):
            place.metric(label, md(text))
        st.caption(md(f"{_under(one, found, chosen)} · published {_day(chosen.published_at)} by {chosen.published_by}"))
    if one.split:
        legs = [f"{LABELS[cause]} {_step(one.legs[cause], unit, currency)}" for cause in CAUSES if _there(one.legs[cause])]
        st.markdown(md(f"{listed(legs)}; unexplained {round(one.unexplained, 6):g}.") if legs else "It reads as it was published.")
    elif one.changed:
        st.markdown("Its difference cannot be split: on the way from then to now there was no such number for a while. The records that changed are below.")
    lists = {cause: frame for cause in CAUSES if len(frame := behind(found.way, one.number, cause))}
    sheets = {LABELS[cause]: frame for cause, frame in lists.items()}
    *places, last = st.tabs([*(f"{LABELS[cause]} {len(frame):,}" for cause, frame in lists.items()), ":material/receipt_long: Receipts"])
    for (cause, frame), place in zip(lists.items(), places, strict=True):
        with place:
            st.caption(_WHY[cause])
            tables.table(frame.assign(id=frame["record"])[["id", *frame.columns]], now.x, key=f"leg-{cause}", height=min(440, 40 * (len(frame) + 1) + 6))
    with last:
        left, right = st.columns(2)
        with left:
            st.markdown("**As published**")
            drill.receipt(Receipt.from_dict(one.value.receipt))
        with right:
            st.markdown("**Today**")
            drill.receipt(receipt_of(found.way.today, one.number))
    about = {"Number": one.number.label, "As published": one.published, "Today": one.today, **{LABELS[cause]: one.legs[cause] for cause in CAUSES},
             "Unexplained": one.unexplained, "Publication": chosen.id, "Published by": chosen.published_by}
    if sheets:
        drill.downloads(sheets, now, about, f"restated-{one.number.card.id}", "CSV of the first list")


def checked(now: Now, chosen: Publication) -> None:
    """Verify: work every value out again from the loads and definitions of then."""
    with st.container(horizontal=True, vertical_alignment="center", key="verify"):
        if not st.button("Verify", icon=":material/fact_check:", key="verify-now", help="Work every value out again from the kept loads and the definitions of then"):
            st.caption(md(f"Works every value out again from the kept loads and the definitions of then, and compares. Seal: {chosen.seal}"))
            return
        with st.spinner("Working every value out again …"):
            done = list(verify(session.store(), chosen))
        wrong = [one for _, some in done for one in some]
        if wrong:
            st.error("  \n".join(md(f"{one.label}: {one.what}") for one in wrong), icon=":material/error:")
        else:
            st.success(f"All {len(done)} values were worked out again from the kept loads: all are what was published.", icon=":material/check_circle:")


# -- words ---------------------------------------------------------------------------------------------------------------------------------

def _day(at: pd.Timestamp) -> str:
    return f"{at.day} {at:%b %Y}"


def _unit(one: Restated) -> Unit:
    return one.number.card.measure(one.number.stat).unit


def _currency(found: Found) -> str:
    return found.way.today.terms.corporate_currency


def _there(leg: float) -> bool:
    return bool(np.isnan(leg)) is False and abs(leg) > 1e-9


def _step(value: float, unit: Unit, currency: str) -> str:
    """A signed step in its own unit: "+$3.50k", "−2.1 pp"."""
    if np.isnan(value):
        return units.MISSING
    size = f"{abs(value) * 100:.1f} pp" if unit.kind == "ratio" else units.text(abs(value), unit, currency)
    sign = "≈" if value and not any(digit in size for digit in "123456789") else "+" if value > 0 else "−" if value < 0 else "±"
    return f"{sign}{size}"


def _said(receipt: dict, value: float, unit: Unit, currency: str) -> str:
    return str(receipt.get("shown") or units.text(value, unit, currency))


def _under(one: Restated, found: Found, chosen: Publication) -> str:
    """Period and filters in words; a metric's own dimensions are in its label."""
    view, dims = one.number.view, found.way.today.dims
    parts = [view.period.label or view.period.dates()] if view.period else [f"as of {_day(chosen.as_of)}"]
    labels = {one["dimension"]: one["labels"] for one in one.value.receipt["filters"]}
    return " · ".join([*parts, *(f"{name} {', '.join(labels[name])}" for name, _ in view.where if name in dims and name in labels)])


__all__ = ["answer", "checked", "choose", "close", "values"]
