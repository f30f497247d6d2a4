"""The page of targets: what has been promised, where it stands, and whether the parts add up; below, the forms that set targets."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.units import RATIO
from revscore.core.view import View
from revscore.rhythm import goals
from revscore.rhythm import target_setting as setting
from revscore.rhythm.asks import made
from revscore.rhythm.goals import Standing
from revscore.rhythm.target_sums import SAME, Sum, part_of, sums
from revscore.ui import charts, drill, tables
from revscore.ui.answers import answer
from revscore.ui.blocks import target_form as form
from revscore.ui.blocks.targets import LABELS, row
from revscore.ui.session import Now
from revscore.ui.words import listed, md


def choose(now: Now) -> Period | None:
    """The period that the reader looks at: of those with targets the running one that has most, else the newest. None where nothing is promised yet."""
    periods = _periods(now)
    if not periods:
        return None
    running = [one for one in periods if now.x.as_of_day in one]
    default = max(running, key=lambda one: (_count(now, one), one.days)) if running else periods[0]
    return st.selectbox("Period", periods, index=periods.index(default), key="target-period", format_func=form.full, width=420)


def _periods(now: Now) -> list[Period]:
    """The periods with targets, the newest first and the longest of them first."""
    found = {(one.start, one.end) for one in now.x.terms.targets}
    return [form.named(now, *one) for one in sorted(found, key=lambda one: (-one[1], one[0]))]


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
        form.editor(now, period)
    with history:
        form.past(now, period)
    with take:
        form.importer(now)


def _sums(x, view: View) -> tuple[Sum, ...]:
    return sums(x)


def board(now: Now, period: Period) -> list[Standing]:
    """The targets of a period with where they stand: those of the whole company first, then segment by segment."""
    segments = {one.segment for one in now.x.terms.targets if (one.start, one.end) == (period.start, period.end)}
    return [one for segment in sorted(segments) for one in now.ask(goals.standings, view=View.of(period, segment=segment) if segment else View(period))]


def _judged(now: Now, found: list[Standing]) -> list[Standing]:
    return [one for one in found if one.good is not None and part_of(now.x, one.target) is None]


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
        whole, told = part_of(now.x, one.target), row(one)
        if period.start > now.x.as_of_day:
            told |= {"state": "not begun", "actual": "", "attained": "", "expected": "", "pace": ""}
        elif whole is not None:
            told |= {name: "" for name in ("actual", "attained", "expected", "pace")} | {"state": "part of a whole"}
        rows.append({"name": told["name"], "segment": one.target.segment or form.WHOLE, "owner": told["owner"], **{name: told[name] for name in ("state", "actual", "target", "attained", "expected", "pace")},
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
    found = next((aim for aim in form.log(now) if aim.record == setting.aim_of(one.target).record), None)
    now_ = found.on(now.x.as_of_day) if found else None
    return f"{now_.by}, {form.day(now_.valid_from)}" if now_ else "the extract"


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
        frame = pd.DataFrame([{"target": setting.name(one.metric_id), "of": one.whole.segment or form.WHOLE, "parts": f"{len(one.parts)} {one.kind}", "whole": said(one, one.whole.value), "added": said(one, one.added),
                               "difference": ("+" if one.difference > 0 else "−" if one.difference < 0 else "±") + said(one, abs(one.difference)), "share": units.change(one.share, 0.0, RATIO).replace(" pp", " %"),
                               "without": listed(one.missing)} for one in parts])
        tables.table(frame, now.x, key="added", labels={"target": "Target", "of": "Of", "parts": "Parts", "whole": "Promised for the whole", "added": "Parts together", "difference": "Difference", "share": "In per cent",
                                                       "without": "Without a target"})
        st.caption(f"Only what adds up is compared: counts and amounts, not rates and durations. A difference of {units.text(SAME, RATIO)} or less is rounding. Nothing is stopped by this: a gap may be meant as a reserve.")
