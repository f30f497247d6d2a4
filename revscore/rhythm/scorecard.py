"""The scorecard: at most twelve numbers in volume, quality and speed, and the answer to "are we on course, together?"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.metric import Better
from revscore.core.review import Line
from revscore.core.terms import MQL
from revscore.core.view import View
from revscore.rhythm.asks import Ask, ask, made
from revscore.rhythm.goals import goal

GROUPS: tuple[tuple[str, str, tuple[Ask, ...]], ...] = (
    ("Volume", "Is enough coming in?", (
        ask("funnel.entries", label="MQLs", stage=MQL), ask("pipeline.created"), ask("pipeline.open"), ask("bookings.won_value"))),
    ("Quality", "Is it the right kind?", (
        ask("funnel.cohort_conversion", label="MQL → opportunity", pair="mql->opportunity", settled=True), ask("sla.acceptance_rate"),
        ask("winrate.closed_in_period"), ask("deal_size"))),
    ("Speed", "Is it moving?", (
        ask("sla.speed_to_lead_minutes", label="Speed to lead, median"), ask("sla.compliance", label="Speed to lead kept", sla_type="speed_to_lead"),
        ask("velocity.cycle_time_won", label="Sales cycle, median"), ask("velocity.sales_velocity"))),
)

Course = Literal["on", "off", "open"]


@dataclass(frozen=True)
class Tile:
    """A line with its verdict: on course, off course, or open (no call); `why` where the step from before does not say it. `aimed`: a target makes the call,
    so it alone gives the colour, and what the weeks signal stays words."""

    line: Line
    course: Course
    why: str
    aimed: bool = False


@dataclass(frozen=True)
class Scorecard:
    groups: tuple[tuple[str, str, tuple[Tile, ...]], ...]

    @property
    def tiles(self) -> tuple[Tile, ...]:
        return tuple(tile for _, _, tiles in self.groups for tile in tiles)

    def of(self, course: Course) -> tuple[Tile, ...]:
        return tuple(tile for tile in self.tiles if tile.course == course)


def scorecard(x: Coded, view: View) -> Scorecard:
    """The scorecard under `view`."""
    return Scorecard(tuple((title, question, tuple(judged(x, view, one) for one in made(x, view, asks))) for title, question, asks in GROUPS))


def judged(x: Coded, view: View, line: Line) -> Tile:
    """Against its target (of a running period: what of it is expected by today); without one against the period before, where its weeks
    signal or the difference of a rate is more than chance (METRICS X7). No call on fewer than five records (X3)."""
    if line.lacks or not line.known:
        return Tile(line, "open", _unknown(x, line))
    if line.thin:
        return Tile(line, "open", "too few to say")
    found = goal(x, view.during(line.period), line)
    if found is not None and np.isnan(found.expected):
        return Tile(line, "open", "no pace: profile not known")
    if found is not None:
        due = round(found.expected) if line.measure.unit.kind == "count" else found.expected
        why = f"{units.text(due, line.measure.unit, line.currency)} due" if found.cumulative else f"target {units.text(due, line.measure.unit, line.currency)}"
        return Tile(replace(line, target=found.target.value), "on" if found.reached(line.value) else "off", why, True)
    if line.card.better is Better.CONTEXT:
        return Tile(line, "open", "for context")
    if np.isnan(line.before):
        return Tile(line, "open", "nothing before")
    if line.tone == "neutral":
        return Tile(line, "open", "small sample" if line.few else "" if line.verdict else "amounts are missing" if line.without_amount > 0 else "not tested")
    return Tile(line, "on" if line.tone == "good" else "off", "")


def _unknown(x: Coded, line: Line) -> str:
    """Why there is no number."""
    if line.period is not None and line.period.start > x.as_of_day:
        return f"no data yet: begins {Period(line.period.start, line.period.start + 1).dates()}"
    return "no amount is known" if line.without_amount > 0 else "no data"
