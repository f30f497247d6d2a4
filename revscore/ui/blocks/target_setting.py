"""The page of targets: what has been promised, whether the parts add up, and how a target is set, changed, imported, withdrawn."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.calendars import Period, date_of, day_number
from revscore.core.metric import FUNCTIONS, functions
from revscore.core.units import RATIO
from revscore.core.view import View
from revscore.export.table import workbook
from revscore.intake import Source
from revscore.intake.apart import read_apart
from revscore.intake.target_sheet import read_targets
from revscore.rhythm import goals, target_import
from revscore.rhythm import target_setting as setting
from revscore.rhythm.asks import made
from revscore.rhythm.goals import Standing
from revscore.rhythm.log import TARGET
from revscore.rhythm.target_setting import Aim, Setting, Sum
from revscore.store import StoreError
from revscore.ui import allowed, capture, charts, drill, session, tables
from revscore.ui.answers import answer
from revscore.ui.blocks.targets import LABELS, row
from revscore.ui.session import Now
from revscore.ui.words import listed, md

WHOLE = "Whole company"
_PACINGS = {"business_day": "by business days", "linear": "linear: every day alike", "seasonal": "by a seasonal curve", "none": "none: compared directly"}
_DIRECTIONS = {"up": "at least", "down": "at most"}
_NEW = "A new target"


def choose(now: Now) -> Period | None:
    """The period that the reader looks at: of those with targets the running one that has most, else the newest. None where nothing is promised yet."""
    periods = _periods(now)
    if not periods:
        return None
    running = [one for one in periods if now.x.as_of_day in one]
    default = max(running, key=lambda one: (_count(now, one), one.days)) if running else periods[0]
    return st.selectbox("Period", periods, index=periods.index(default), key="target-period", format_func=_full, width=420)


def _periods(now: Now) -> list[Period]:
    """The periods with targets, the newest first and the longest of them first."""
    found = {(one.start, one.end) for one in now.x.terms.targets}
    return [_named(now, *one) for one in sorted(found, key=lambda one: (-one[1], one[0]))]


def _named(now: Now, start: int, end: int) -> Period:
    """A period under its name in the calendar."""
    for grain in ("month", "quarter", "year", "week"):
        one = now.x.terms.calendar.holding(start, grain)
        if (one.start, one.end) == (start, end):
            return one
    return Period(start, end)


def _full(one: Period) -> str:
    return f"{one.name} ({one.dates()})" if one.name != one.dates() else one.dates()


def _count(now: Now, period: Period) -> int:
    return sum((one.start, one.end) == (period.start, period.end) for one in now.x.terms.targets)


def page(now: Now) -> None:
    """The whole page."""
    if said := st.session_state.pop("target-said", ""):
        st.toast(md(said), icon=":material/check_circle:")
    period = choose(now)
    if period is None:
        answer("Nothing has been promised yet.")
        with st.container(border=True, key="no-targets"):
            st.markdown("Set the first target below, or take over the sheet that the team plans in. From then on every number says whether it is on course, and every trend has its target line.")
    else:
        found, parts = board(now, period), [one for one in now.ask(_sums) if (one.period.start, one.period.end) == (period.start, period.end)]
        answer(_answer(now, period, found, parts))
        promised(now, period, found)
        added(now, period, parts)
    change, history, take = st.tabs(["**Set or change a target**", "**History of a target**", "**Take over a workbook**"])
    with change:
        editor(now, period)
    with history:
        past(now, period)
    with take:
        importer(now)


def _sums(x, view: View) -> tuple[Sum, ...]:
    return setting.sums(x)


def board(now: Now, period: Period) -> list[Standing]:
    """The targets of a period with where they stand: those of the whole company first, then segment by segment."""
    segments = {one.segment for one in now.x.terms.targets if (one.start, one.end) == (period.start, period.end)}
    return [one for segment in sorted(segments) for one in now.ask(goals.standings, view=View.of(period, segment=segment) if segment else View(period))]


def _judged(now: Now, found: list[Standing]) -> list[Standing]:
    return [one for one in found if one.good is not None and setting.part_of(now.x, one.target) is None]


def _answer(now: Now, period: Period, found: list[Standing], parts: list[Sum]) -> str:
    """ "22 targets for FY26 Q4, 6 of 20 on course. The parts do not add up: …" """
    if period.start > now.x.as_of_day:
        first = f"{len(found)} targets are set for {period.name}, which has not begun."
    else:
        judged, whole = _judged(now, found), [one for one in _judged(now, found) if not one.target.segment]
        behind = listed([one.line.label for one in whole if one.good is False])
        over = "kept" if period.last <= now.x.as_of_day else "on course"
        first = f"{len(found)} {'target is' if len(found) == 1 else 'targets are'} set for {period.name}: {sum(bool(one.good) for one in judged)} of {len(judged)} {over}"
        first += f"; for the whole company {'missed' if over == 'kept' else 'behind'}: {behind}." if behind else "."
    off = [one for one in parts if not one.fits]
    if not parts:
        return f"{first} No target is split into parts."
    if not off:
        return f"{first} The parts add up to their wholes."
    return f"{first} The parts do not add up in {listed([f'{setting.name(one.metric_id)} (by {one.kind[:-1]})' for one in off])}."


def promised(now: Now, period: Period, found: list[Standing]) -> None:
    """Targets by number and segment with where they stand; a row opens to the rows of its number."""
    rows = []
    for one in found:
        whole, told = setting.part_of(now.x, one.target), row(one)
        if period.start > now.x.as_of_day:
            told |= {"state": "not begun", "actual": "", "attained": "", "expected": "", "pace": ""}
        elif whole is not None:
            told |= {name: "" for name in ("actual", "attained", "expected", "pace")} | {"state": "part of a whole"}
        rows.append({"name": told["name"], "segment": one.target.segment or WHOLE, "owner": told["owner"], **{name: told[name] for name in ("state", "actual", "target", "attained", "expected", "pace")},
                     "profile": told["profile"], "set_by": _source(now, one)})
    finding = f"What we have promised for {period.name}"
    with st.container(border=True, key="chart-promised"):
        charts.heading(finding, "promised")
        opened = tables.table(pd.DataFrame(rows), now.x, key="promised", height=min(len(rows), 20) * 40 + 42, labels={**LABELS, "segment": "Segment", "set_by": "Set by"}, opens=True)
        st.caption("Expected by now and pace follow the pacing profile of each target; rates and durations are compared directly. A function's part of a joint target has no number of its own. Choose a row for the rows of its number.")
    if opened is not None:
        one = found[opened]
        drill.opened(now, now.ask(made, (one.ask,), view=View.of(period, now.view.grain, segment=one.target.segment) if one.target.segment else View(period, now.view.grain))[0])


def _source(now: Now, one: Standing) -> str:
    found = next((aim for aim in _log(now) if aim.record == setting.aim_of(one.target).record), None)
    now_ = found.on(now.x.as_of_day) if found else None
    return f"{now_.by}, {_day(now_.valid_from)}" if now_ else "the extract"


def added(now: Now, period: Period, parts: list[Sum]) -> None:
    """Whether the targets of segments and functions add up to those of their wholes."""
    if not parts:
        return
    currency = now.x.terms.corporate_currency
    off = [one for one in parts if not one.fits]

    def said(one: Sum, value: float) -> str:
        return units.named(value, setting.measure_of(one.metric_id)[1].unit, currency)  # type: ignore[index]

    with st.container(border=True, key="chart-added"):
        charts.heading("The parts add up to their wholes" if not off else f"{len(off)} of {len(parts)} {'is' if len(off) == 1 else 'are'} not the sum of {'its' if len(off) == 1 else 'their'} parts", "added")
        for one in off:
            st.markdown(f":material/warning: {md(one.sentence(currency))}")
        frame = pd.DataFrame([{"target": setting.name(one.metric_id), "of": one.whole.segment or WHOLE, "parts": f"{len(one.parts)} {one.kind}", "whole": said(one, one.whole.value), "added": said(one, one.added),
                               "difference": ("+" if one.difference > 0 else "−" if one.difference < 0 else "±") + said(one, abs(one.difference)), "share": units.change(one.share, 0.0, RATIO).replace(" pp", " %"),
                               "without": listed(one.missing)} for one in parts])
        tables.table(frame, now.x, key="added", labels={"target": "Target", "of": "Of", "parts": "Parts", "whole": "Promised for the whole", "added": "Parts together", "difference": "Difference", "share": "In per cent",
                                                       "without": "Without a target"})
        st.caption(f"Only what adds up is compared: counts and amounts, not rates and durations. A difference of {units.text(setting.SAME, RATIO)} or less is rounding. Nothing is stopped by this: a gap may be meant as a reserve.")


# -- setting -------------------------------------------------------------------------------------------------------------------------------

def _log(now: Now) -> tuple[Aim, ...]:
    return setting.aims(session.store().entries(now.dataset, TARGET))


def _aims(now: Now, period: Period | None) -> list[Aim]:
    """The targets of a period, of the log and of the extract, those of the whole company first."""
    own = {one.record: one for one in (*map(setting.aim_of, setting.extract_targets(now.x)), *_log(now))}
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
            period = third.selectbox("Period", _open(now), format_func=_full, key=f"period-{key}")
        else:
            st.caption(md(f"{_title(now, aim)}, {_full(_named(now, aim.start, aim.end))}. What holds so far stays in the history."))
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
                made_ = next((one for one in _log(now) if one.record == made_.record), made_)
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
    st.session_state["target-said"] = f"{setting.name(aim.metric_id)}, {aim.segment or WHOLE}: the target holds from {_day(new.valid_from)}."
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


def _day(day: int) -> str:
    return f"{date_of(day).day} {date_of(day):%b %Y}"


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
    found = target_import.preview(now.x, frame, _log(now))
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
    return {"target": setting.name(aim.metric_id), "segment": aim.segment or WHOLE, "owner": functions(tuple(aim.owner.split("+"))), "period": _named(now, aim.start, aim.end).name, "was": units.named(was, unit, currency),
            "new": f"{_DIRECTIONS[new.direction]} {units.named(new.value, unit, currency)}", "pacing": _PACINGS[new.pacing], "holds": _day(new.valid_from), "why": new.why}
