"""The five filters, and the five questions as revscore answers them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from revscore.core.calendars import DAY_US, Period, day_number
from revscore.core.coded import Coded
from revscore.core.compute import compute
from revscore.core.metrics import CARDS
from revscore.core.view import View
from tests.bench import company

MODELS = ("first_touch", "linear", "time_decay")
QUESTIONS = ("funnel", "duration", "sla", "attribution", "bridge")


@dataclass(frozen=True)
class Filter:
    """A period (day numbers, half-open) and chosen values."""

    name: str
    period: tuple[int, int] | None = None
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def view(self) -> View:
        return View(Period(*self.period) if self.period else None, where=self.where)

    def times(self, turn: int) -> tuple[int, int]:
        """The two times of the bridge, other ones at every turn: a bridge that was asked before is no measure."""
        start, end = self.period or (day_number("2024-03-01"), day_number("2025-11-30"))
        shift = turn * len(FILTERS) + FILTERS.index(self)
        return (start - shift) * DAY_US, (end - shift) * DAY_US


_YEAR, _QUARTER = (day_number("2025-01-01"), day_number("2026-01-01")), (day_number("2025-07-01"), day_number("2025-10-01"))
FILTERS = (Filter("none"), Filter("region, source, a year", _YEAR, (("region", ("Region 2",)), ("source", ("Source 03",)))),
           Filter("a segment, a year", _YEAR, (("segment", ("SMB",)),)), Filter("three owners", None, (("owner", company.OWNERS[10:13]),)),
           Filter("twenty campaigns, a quarter", _QUARTER, (("campaign", company.CAMPAIGNS[20:40]),)))


def ask(x: Coded, question: str, chosen: Filter, turn: int = 0) -> pd.DataFrame:
    """One question through revscore's public functions."""
    if question == "funnel":
        return compute(x, CARDS["funnel.cohort_conversion"], chosen.view, ("pair", "segment"), "month")
    if question == "duration":
        return compute(x, CARDS["velocity.opp_stage_first_visit_km"], chosen.view, "stage")
    if question == "sla":
        return compute(x, CARDS["sla.compliance"], chosen.view, "region", "week")
    if question == "attribution":
        return compute(x, CARDS["attribution.totals_fytd"], chosen.view, ("basis", "campaign"), only=MODELS)
    t0, t1 = chosen.times(turn)
    return compute(x, CARDS["pipeline.bridge"], View(where=chosen.where), "leg", t0=t0, t1=t1)
