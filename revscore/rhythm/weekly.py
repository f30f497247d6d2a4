"""The weekly pipeline review, in the order of the meeting: pace → coverage → bridge of seven days → what signals → leakage, aging, slippage → promises →
exceptions."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.review import Line
from revscore.core.view import View
from revscore.rhythm import goals, pipeline
from revscore.rhythm.asks import ask, made
from revscore.rhythm.scorecard import scorecard

_PACE = (ask("pipeline.created"), ask("bookings.won_value"))
_STANDING = (*_PACE, ask("winrate.closed_in_period"), ask("pipeline.open", "count", "Open deals"))
_SPEED = (ask("sla.speed_to_lead_minutes", label="Speed to lead, median"), ask("sla.compliance", label="Speed to lead kept", sla_type="speed_to_lead"),
          ask("sla.compliance", label="Follow-up kept", sla_type="follow_up"), ask("sla.breach_ageing", label="Open breaches", now=True))
_ORDER = (ask("dq.exception_rate", label="Open records with an exception", now=True), ask("forecast.hygiene", label="Deals that break a forecast rule", now=True))


@dataclass(frozen=True)
class Weekly:
    """The numbers of the weekly review; `period` is the quarter (or the period chosen) that pace and coverage are read in."""

    period: Period
    pace: tuple[Line, ...]
    progress: pd.DataFrame
    standing: tuple[Line, ...]  # the numbers of deals beside the period before, where no target says how the pace is
    targets: tuple[goals.Standing, ...]  # all of exactly this period and selection, beside the two of the pace
    coverage: pd.Series | None
    bridge: pipeline.Bridge
    moved: pd.DataFrame
    watched: tuple[Line, ...]  # all that may signal: the scorecard and the promises
    flow: tuple[Line, ...]
    speed: tuple[Line, ...]
    order: tuple[Line, ...]

    @property
    def signals(self) -> tuple[Line, ...]:
        """What moved by more than chance."""
        return tuple(line for line in self.watched if line.known and line.moved)

    @property
    def still(self) -> tuple[Line, ...]:
        """What was tested and did not move: "no change in …" (METRICS X7)."""
        return tuple(line for line in self.watched if line.known and line.moved is False)


def weekly(x: Coded, view: View) -> Weekly:
    """The weekly review under `view`: pace and coverage in its period, the bridge and moves in the last seven days, promises in the period."""
    period = view.period or x.terms.calendar.holding(x.as_of_day, "quarter")
    at = view.during(period)
    pace, speed = made(x, at, _PACE), made(x, at, _SPEED)
    progress = goals.paced(x, at, pace)
    flow = (*made(x, view, (ask("pipeline.progressed", label="Progressed in 7 days", now=True), ask("velocity.aging", label="Aging or stalled", now=True))),
            *made(x, view.during(None), (ask("slippage.rate", label=f"Slipped out of {period.name or 'the period'}", params={"period": period}),)),
            *made(x, at, (ask("leakage.leads", label="MQLs that leaked", stage="mql"),)))
    watched = {(line.card.id, line.stat, line.own): line for line in (*(tile.line for tile in scorecard(x, at).tiles), *speed)}
    return Weekly(period, pace, progress, () if len(progress) else made(x, at, _STANDING), goals.standings(x, view), pipeline.coverage(x, at), pipeline.bridge(x, view, week=True), pipeline.moved(x, view),
                  tuple(watched.values()), flow, speed, made(x, view, _ORDER))
