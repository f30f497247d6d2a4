"""The targets of a period: attained, on which pace by which profile, where it leads, what it takes."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from revscore.core import units
from revscore.core.metrics.targets import EARLY_SHARE
from revscore.core.units import DAYS, MULTIPLE, RATIO
from revscore.rhythm import goals
from revscore.rhythm.asks import made
from revscore.rhythm.goals import Standing
from revscore.ui import charts, drill, stage, tables
from revscore.ui.session import Now
from revscore.ui.words import md, owners


def targets(now: Now) -> None:
    """One row a target of exactly this period and selection; a row opens to the rows of its number."""
    found = now.ask(goals.standings)
    if not found:
        return charts.absent("Are we where we said we would be?", "No target is set for exactly this period and selection.", "targets")
    with st.container(border=True, key="chart-targets"):
        charts.heading(goals.course(found)[0] or "No target can be judged yet", "targets")
        opened = tables.table(pd.DataFrame([row(one) for one in found]), now.x, key="targets", labels=LABELS, opens=True,
                              board=("name", "state", "actual", "target", "attained", "expected", "projected", "owner"))
        if not stage.on_board():
            st.caption(md(f"Expected by now and projected follow the pacing profile that each target names; nothing is projected before {EARLY_SHARE:.0%} of a target is expected. Rates and durations are "
                      "compared directly. Choose a row for the rows of its number."))
    if opened is not None:
        drill.opened(now, now.ask(made, (found[opened].ask,))[0])


LABELS = {"name": "Target", "state": "State", "actual": "Now", "target": "Of", "attained": "Attained", "expected": "Expected by now", "pace": "Pace index", "projected": "Projected",
           "needed": "Needed a business day", "profile": "Pacing profile", "owner": "Owners"}


def row(one: Standing) -> dict[str, str]:
    """A target as a row of a table: what it is about, its state in words, where it stands."""
    unit, currency = one.line.measure.unit, one.line.currency
    paced, known = one.profile != "", one.line.known

    def said(value: float) -> str:
        return units.text(round(value) if unit.kind == "count" and value == value else value, unit, currency)

    state = "no pace" if one.note and known else "too few to say" if known and one.line.thin else "not known" if one.good is None else ("on pace" if one.good else "behind") if paced else ("kept" if one.good else "missed")
    sample = f" ({one.line.sample})" if unit.kind in (RATIO.kind, DAYS.kind, "minutes") and one.line.sample else ""
    return {"name": one.line.label, "state": state, "actual": f"{one.line.text}{sample}", "target": ("at most " if one.target.direction == "down" else "") + said(one.target.value),
            "attained": units.text(one.attainment, RATIO), "expected": units.MISSING if one.note else f"{said(one.expected)} ({units.text(one.expected_share, RATIO)})" if paced else "", "pace": units.text(one.pace_index, MULTIPLE) if paced else "",
            "projected": "" if not paced else "too early to project" if one.early else said(one.projected) if known else units.MISSING,
            "needed": "" if not paced or one.needed != one.needed else f"{units.text(one.needed, unit, currency)} × {one.days_left:,.0f} days", "profile": one.note or one.profile or "compared directly",
            "owner": owners(tuple(one.target.owner_function.split("+")))}
