"""The scorecard: at most twelve numbers in volume, quality and speed, and the answer to "are we on course, together?"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from revscore.core import units
from revscore.core.coded import Coded
from revscore.core.metric import Better, Kind
from revscore.core.review import Line
from revscore.core.terms import MQL
from revscore.core.view import View
from revscore.rhythm.asks import Ask, ask, made

GROUPS: tuple[tuple[str, str, tuple[Ask, ...]], ...] = (
    ("Volume", "Is enough coming in?", (
        ask("funnel.entries", label="MQLs", stage=MQL), ask("pipeline.created"), ask("pipeline.open"), ask("bookings.won_value"))),
    ("Quality", "Is it the right kind?", (
        ask("funnel.cohort_conversion", label="MQL → opportunity", pair="mql->opportunity"), ask("sla.acceptance_rate"),
        ask("winrate.closed_in_period"), ask("deal_size"))),
    ("Speed", "Is it moving?", (
        ask("sla.speed_to_lead_minutes"), ask("sla.compliance", label="Speed-to-lead promise kept", sla_type="speed_to_lead"),
        ask("velocity.cycle_time_won"), ask("velocity.sales_velocity"))),
)

Course = Literal["on", "off", "open"]


@dataclass(frozen=True)
class Tile:
    """A line with its verdict: on course, off course, or open (no call), and why."""

    line: Line
    course: Course
    why: str


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
    return Scorecard(tuple((title, question, tuple(judged(x, one) for one in made(x, view, asks))) for title, question, asks in GROUPS))


def judged(x: Coded, line: Line) -> Tile:
    """Against its target where there is one; else against the period before, where the difference is more than chance for a rate."""
    if line.lacks or not line.known or line.suppressed:
        return Tile(line, "open", "no data" if not line.suppressed else "too few to say")
    if not np.isnan(line.target):
        met = line.value >= line.target if line.card.better is not Better.DOWN else line.value <= line.target
        return Tile(line, "on" if met else "off", f"target {units.text(line.target, line.measure.unit, line.currency)}")
    if line.card.better is Better.CONTEXT or np.isnan(line.before):
        return Tile(line, "open", "context" if line.card.better is Better.CONTEXT else "nothing to compare with")
    if line.tone == "neutral":
        return Tile(line, "open", "no change" if line.value == line.before else "small sample")
    if line.measure.kind is Kind.RATE and line.low <= line.before <= line.high:
        return Tile(line, "open", "within chance of the period before")
    return Tile(line, "on" if line.tone == "good" else "off", "better than before" if line.tone == "good" else "worse than before")


