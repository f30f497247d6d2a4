"""The forms of targets: a new one, what changes of one from a day on, its withdrawal, all that was ever said of it, and a workbook that is taken over."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.calendars import Period, date_of, day_number
from revscore.core.metric import FUNCTIONS, functions
from revscore.export.table import workbook
from revscore.intake import Source
from revscore.intake.apart import read_apart
from revscore.intake.target_sheet import read_targets
from revscore.rhythm import target_import
from revscore.rhythm import target_setting as setting
from revscore.rhythm.log import TARGET
from revscore.rhythm.target_setting import Aim, Setting
from revscore.store import StoreError
from revscore.ui import allowed, capture, session, tables
from revscore.ui.session import Now
from revscore.ui.words import md

WHOLE = "Whole company"
_PACINGS = {"business_day": "by business days", "linear": "linear: every day alike", "seasonal": "by a seasonal curve", "none": "none: compared directly"}
_DIRECTIONS = {"up": "at least", "down": "at most"}
_NEW = "A new target"


def named(now: Now, start: int, end: int) -> Period:
    """A period under its name in the calendar."""
    for grain in ("month", "quarter", "year", "week"):
        one = now.x.terms.calendar.holding(start, grain)
        if (one.start, one.end) == (start, end):
            return one
    return Period(start, end)


def full(one: Period) -> str:
    """ "FY26 Q4 (1 Nov 2025 – 31 Jan 2026)". """
    return f"{one.name} ({one.dates()})" if one.name != one.dates() else one.dates()


def day(day: int) -> str:
    """A day number as readers write it."""
    return f"{date_of(day).day} {date_of(day):%b %Y}"


def log(now: Now) -> tuple[Aim, ...]:
    """The targets that the team has set."""
    return setting.aims(session.store().entries(now.dataset, TARGET))


# -- setting -------------------------------------------------------------------------------------------------------------------------------

def _aims(now: Now, period: Period | None) -> list[Aim]:
    """The targets of a period, of the log and of the extract, those of the whole company first."""
    own = {one.record: one for one in (*map(setting.aim_of, setting.extract_targets(now.x)), *log(now))}
    return sorted((one for one in own.values() if period is not None and (one.start, one.end) == (period.start, period.end)), key=lambda one: (one.segment, setting.name(one.metric_id)))


def _title(now: Now, one: Aim) -> str:
    gone = " (withdrawn)" if one.settings and one.settings[-1].withdrawn else ""
    return f"{setting.name(one.metric_id)} · {one.segment or WHOLE} · {functions(tuple(one.owner.split('+')))}{gone}"


def editor(now: Now, period: Period | None) -> None:
    """The form: a new target, or what changes of one from a day on."""
    known = {one.record: one for one in _aims(now, period)}
    left, right = st.columns(2)
    picked = left.selectbox("Which target?", ["", *known], key=f"target-which-{period.start if period else 0}-{period.end if period else 0}", format_func=lambda id_: _title(now, known[id_]) if id_ else _NEW)
    aim = known.get(picked)
    if aim is None:
        names = target_import.offered(now.x)
        metric_id = right.selectbox("Number", list(names), key="target-metric", format_func=names.__getitem__)
        aim, fresh = Aim(metric_id, "", "", 0, 0), True
    else:
        fresh = False
    _form(now, aim, fresh)
    if waiting := st.session_state.get("target-unsure"):
        st.warning(md(f"{waiting[0]} Is that what you mean?"), icon=":material/help:")
        with st.container(horizontal=True):
            if st.button("Yes, set it so", key="target-sure", **allowed.to("target")):
                _set(now, *waiting[1:], confirmed=True)
            if st.button("No", key="target-not-sure"):
                del st.session_state["target-unsure"]
                st.rerun()
    if not fresh and aim.settings and not aim.settings[-1].withdrawn:
        _withdraw(now, aim)


def _form(now: Now, aim: Aim, fresh: bool) -> None:
    x, today = now.x, now.x.as_of_day
    measure = setting.measure_of(aim.metric_id)[1]  # type: ignore[index]
    direction, pacing = target_import.usual(aim.metric_id)
    holds = aim.on(today) or next((Setting(one.value, one.direction, one.pacing, one.profile_id) for one in setting.extract_targets(x) if setting.aim_of(one).record == aim.record), None)
    times, sign = (100.0, "%") if measure.unit.kind == "ratio" else (1.0, {"currency": x.terms.corporate_currency, "days": "days", "minutes": "business minutes"}.get(measure.unit.kind, measure.unit.noun))
    key = "new-" + aim.metric_id if fresh else f"{aim.record}-{aim.version}"
    with st.form(f"target-{key}", border=False, enter_to_submit=False):
        segment, owner, period = aim.segment, aim.owner, Period(aim.start, aim.end)
        if fresh:
            first, second, third = st.columns(3)
            segment = first.selectbox("Segment", ["", *(value for value in x.dims["segment"].values if value)], format_func=lambda value: value or WHOLE, key=f"segment-{key}")
            owner = "+".join(second.multiselect("Owned by", FUNCTIONS, format_func=lambda value: functions((value,)), key=f"owner-{key}", placeholder="Marketing, Sales …"))
            period = third.selectbox("Period", _open(now), format_func=full, key=f"period-{key}")
        else:
            st.caption(md(f"{_title(now, aim)}, {full(named(now, aim.start, aim.end))}. What holds so far stays in the history."))
        first, second, third, fourth = st.columns(4)
        value = first.number_input(f"Target, in {md(sign)}" if sign else "Target", value=None if holds is None else holds.value * times, min_value=0.0, key=f"value-{key}", format="%.10g" if measure.unit.kind != "ratio" else "%.1f")
        directions, pacings = list(_DIRECTIONS), list(_PACINGS) if measure.kind.value == "total" else ["none"]
        direction = second.selectbox("It is kept when the number is", directions, index=directions.index(holds.direction or "up" if holds else direction), format_func=lambda value: f"{_DIRECTIONS[value]} this", key=f"direction-{key}")
        pace = holds.pacing if holds and holds.pacing in pacings else pacing
        pacing = third.selectbox("Pacing", pacings, index=pacings.index(pace), format_func=_PACINGS.__getitem__, key=f"pacing-{key}")
        profiles = ["", *(profile for profile, _ in x.terms.seasonality)]
        profile = fourth.selectbox("Seasonal curve", profiles, index=profiles.index(holds.profile_id) if holds and holds.profile_id in profiles else 0, format_func=lambda name: name or "–", key=f"profile-{key}",
                                   help="Only for a pacing by a seasonal curve.", disabled=len(profiles) == 1)
        first, second = st.columns([1, 3])
        since = first.date_input("Holds from", value=date_of(setting.first_day(aim, today, holds is not None)) if not fresh else None, key=f"since-{key}", format="YYYY-MM-DD",
                                 help="Empty: a new target holds for its whole period. What held before stays in the history and in the target line.")
        why = second.text_input("Why", key=f"why-{key}", placeholder="Board plan of 12 October" if fresh else "What has changed?")
        if st.form_submit_button("Set the target" if fresh else "Change the target", type="primary", icon=":material/flag:", **allowed.to("target")):
            made_ = Aim(aim.metric_id, segment, owner, period.start, period.end) if fresh else aim
            if fresh:
                made_ = next((one for one in log(now) if one.record == made_.record), made_)
            first_day = day_number(since) if isinstance(since, dt.date) else setting.first_day(made_, today, not fresh)
            _set(now, made_, Setting(float("nan") if value is None else value / times, direction, pacing, profile if pacing == "seasonal" else "", first_day, why.strip()))


def _open(now: Now) -> list[Period]:
    """The periods that a target can be set for: the running and the next quarters, the years, the months."""
    calendar, today = now.x.terms.calendar, now.x.as_of_day
    out = []
    for grain, count in (("quarter", 5), ("year", 2), ("month", 6)):
        one = calendar.holding(today, grain)
        for _ in range(count):
            out.append(one)
            one = calendar.shifted(one, 1)
    return out


def _set(now: Now, aim: Aim, new: Setting, confirmed: bool = False) -> None:
    st.session_state.pop("target-unsure", None)
    try:
        setting.set_target(session.store(), now.dataset, now.x, aim, new, session.actor(), confirmed=confirmed)
    except setting.Unconfirmed as error:
        st.session_state["target-unsure"] = (str(error), aim, new)
        st.rerun()
    except StoreError as error:
        st.error(md(str(error)), icon=":material/block:")
        return
    st.session_state["target-said"] = f"{setting.name(aim.metric_id)}, {aim.segment or WHOLE}: the target holds from {day(new.valid_from)}."
    st.rerun()


def _withdraw(now: Now, aim: Aim) -> None:
    with st.expander("Withdraw this target"), st.form(f"withdraw-{aim.record}-{aim.version}", border=False):
        why = st.text_input("Why is it withdrawn?", key=f"withdraw-why-{aim.record}-{aim.version}")
        if st.form_submit_button("Withdraw", icon=":material/undo:", **allowed.to("target")):
            if capture.saved(lambda: setting.withdraw(session.store(), now.dataset, aim, session.actor(), why, max(now.x.as_of_day, aim.settings[-1].valid_from))):
                st.session_state["target-said"] = f"{_title(now, aim)}: withdrawn."
                st.rerun()


def past(now: Now, period: Period | None) -> None:
    """All that was ever said of one target."""
    known = {one.record: one for one in _aims(now, period)}
    if not known:
        st.markdown("No target is set for this period.")
        return
    last = max(known, key=lambda id_: known[id_].settings[-1].at.value if known[id_].settings else 0)
    picked = st.selectbox("Target", list(known), index=list(known).index(last), key=f"target-past-{period.start}-{period.end}-{last}-{known[last].version}", format_func=lambda id_: _title(now, known[id_]))
    aim = known[picked or last]
    unit = setting.measure_of(aim.metric_id)[1].unit  # type: ignore[index]
    frame = setting.history(aim, setting.extract_targets(now.x))
    shown = frame.assign(valid_from=pd.to_datetime(frame["valid_from"]), direction=frame["direction"].map(_DIRECTIONS).fillna("at least"), pacing=frame["pacing"].map(_PACINGS), by=frame["by"].replace("", "the extract"))
    tables.table(shown[["valid_from", "said", "direction", "value", "pacing", "why", "by", "at"]], now.x, key="target-history", formats={"value": unit},
                 labels={"valid_from": "Holds from", "said": "What happened", "direction": "Kept when", "value": "Target", "pacing": "Pacing", "why": "Why", "by": "By", "at": "Written (UTC)"})
    st.caption("Entries are only added. What holds on a day is the entry with the latest first day by then; before that a target of the extract holds.")


# -- import --------------------------------------------------------------------------------------------------------------------------------

def importer(now: Now) -> None:
    """Template → file → preview with every fault → all or nothing."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    file = left.file_uploader("Targets as .xlsx or .csv", type=["xlsx", "csv"], key=f"target-file-{st.session_state.get('target-round', 0)}")
    right.download_button("Template with today's targets", lambda: workbook(target_import.template(now.x), {"Data set": now.dataset, "As of": str(now.x.data.as_of)}), "targets.xlsx", on_click="ignore", icon=":material/download:",
                          mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", key="target-template")
    if file is None:
        st.caption("One row a target: Metric, Segment (empty: whole company), Owner, Period (FY27 Q1) or Period start and Period end, Value; if need be Direction, Pacing, Profile, Valid from, Why.")
        return
    sheets, unread = read_apart([Source(file.name, file.getvalue())])
    sheet = next((one for one in sheets if one.name in ("Targets", "")), sheets[0] if sheets else None)
    if sheet is None:
        st.error(md(" ".join(map(str, unread)) or "The file holds no table."), icon=":material/block:")
        return
    frame, faults = read_targets(sheet, now.x.terms.calendar)
    found = target_import.preview(now.x, frame, log(now))
    wrong = pd.concat([pd.DataFrame([{"row": one.row, "column": one.column or "", "sentence": one.text} for one in (*unread, *faults)], columns=["row", "column", "sentence"]), found.problems], ignore_index=True)
    if len(wrong):
        st.error(f"Nothing is taken over: {len(wrong)} {'cell is' if len(wrong) == 1 else 'cells are'} to be put right. Correct the file and take it over again.", icon=":material/block:")
        tables.table(wrong.sort_values("row", kind="stable"), now.x, key="target-problems", labels={"sentence": "What is wrong, and what to do"})
        return
    if not found.new:
        st.info(f"All {found.same} rows say what holds already: there is nothing to take over." if found.same else "The sheet has no rows.", icon=":material/content_copy:")
        return
    st.markdown(f"**{len(found.new)} {'target' if len(found.new) == 1 else 'targets'} would be set or changed**" + (f"; {found.same} rows say what holds already." if found.same else "."))
    tables.table(pd.DataFrame([_preview(now, aim, new) for aim, new in found.new]), now.x, key="target-preview", labels={"target": "Target", "holds": "Holds from", "was": "So far", "new": "New target"})
    sure = True
    if len(found.questions):
        tables.table(found.questions, now.x, key="target-questions", labels={"sentence": "Is this meant so?"})
        sure = st.checkbox("Yes, these directions are meant so", key="target-import-sure")
    if st.button(f"Take over {len(found.new)} targets" if len(found.new) > 1 else "Take over 1 target", type="primary", key="target-take", icon=":material/flag:", **allowed.to("target", disabled=not sure)):
        if capture.saved(lambda: setting.set_all(session.store(), now.dataset, now.x, found.new, session.actor(), confirmed=True)):
            st.session_state["target-round"] = st.session_state.get("target-round", 0) + 1
            st.session_state["target-said"] = f"{len(found.new)} targets are taken over."
            st.rerun()


def _preview(now: Now, aim: Aim, new: Setting) -> dict[str, str]:
    unit, currency = setting.measure_of(aim.metric_id)[1].unit, now.x.terms.corporate_currency  # type: ignore[index]
    was = next((one.value for one in now.x.terms.targets if setting.aim_of(one).record == aim.record), None)
    return {"target": setting.name(aim.metric_id), "segment": aim.segment or WHOLE, "owner": functions(tuple(aim.owner.split("+"))), "period": named(now, aim.start, aim.end).name, "was": units.named(was, unit, currency),
            "new": f"{_DIRECTIONS[new.direction]} {units.named(new.value, unit, currency)}", "pacing": _PACINGS[new.pacing], "holds": day(new.valid_from), "why": new.why}
