"""The weekly pipeline review, in the order of the meeting: pace → coverage → bridge of seven days → progress, aging, slippage → speed to lead."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.review import Line
from revscore.core.view import View
from revscore.rhythm import goals, pipeline
from revscore.rhythm.asks import ask, made

_PACE = (ask("pipeline.created"), ask("bookings.won_value"))
_STANDING = (*_PACE, ask("winrate.closed_in_period"), ask("pipeline.open", "count", "Open deals"))
_SPEED = (ask("sla.speed_to_lead_minutes", label="Speed to lead, median"), ask("sla.compliance", label="Speed to lead kept", sla_type="speed_to_lead"),
          ask("sla.compliance", label="Follow-up kept", sla_type="follow_up"), ask("sla.breach_ageing", label="Open breaches", now=True))


@dataclass(frozen=True)
class Weekly:
    """The numbers of the weekly review; `period` is the quarter (or the period chosen) that pace and coverage are read in."""

    period: Period
    pace: tuple[Line, ...]
    progress: pd.DataFrame
    standing: tuple[Line, ...]  # the numbers of deals beside the period before, where no target says how the pace is
    coverage: pd.Series | None
    bridge: pipeline.Bridge
    moved: pd.DataFrame
    flow: tuple[Line, ...]
    speed: tuple[Line, ...]


def weekly(x: Coded, view: View) -> Weekly:
    """The weekly review under `view`: pace and coverage in its period, the bridge and moves in the last seven days, promises in the period."""
    period = view.period or x.terms.calendar.holding(x.as_of_day, "quarter")
    at = view.during(period)
    pace = made(x, at, _PACE)
    progress = goals.paced(x, at, pace)
    flow = (*made(x, view, (ask("pipeline.progressed", label="Progressed in 7 days", now=True), ask("velocity.aging", label="Aging or stalled", now=True))),
            *made(x, view.during(None), (ask("slippage.rate", label=f"Slipped out of {period.label or 'the period'}", params={"period": period}),)))
    return Weekly(period, pace, progress, () if len(progress) else made(x, at, _STANDING), pipeline.coverage(x, at), pipeline.bridge(x, view, week=True), pipeline.moved(x, view), flow,
                  made(x, at, _SPEED))


