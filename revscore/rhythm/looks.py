"""What a verdict looks at: a number before an action was raised and after it, by its records or by its weeks, under one view or several that share no record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.effects import Step, weekly_step
from revscore.core.made import Number
from revscore.core.metric import Kind
from revscore.core.review import is_state
from revscore.core.signals import points
from revscore.core.statistics import newcombe
from revscore.core.view import View

HISTORY = 26  # weeks whose variation is looked at
_BEFORE = 12  # weeks before, at the least where there are so many
ALL_TIME = 0  # the first day of a baseline without a period: 1 Jan 1970


@dataclass(frozen=True)
class Side:
    """One side of a comparison. Of a rate `x` hits of `n` records (`waiting`: those whose window is not over); of weeks their mean and how many they are."""

    period: Period
    value: float = float("nan")
    x: float = float("nan")
    n: float = 0.0
    waiting: float = 0.0


@dataclass(frozen=True)
class Look:
    """A number, the day on which the action was raised, the last day that counts, and whether that is the check date."""

    x: Coded
    number: Number
    raised: int
    last: int
    due: bool

    @property
    def before(self) -> Period:
        """The baseline's period, up to the day on which the action was raised."""
        period = self.number.view.period
        start, end = (period.start, period.end) if period else (ALL_TIME, self.raised + 1)
        return Period(min(start, self.raised), min(end, self.raised + 1))

    @property
    def after(self) -> Period:
        return Period(self.raised + 1, self.last + 1)

    @cached_property
    def state(self) -> bool:
        """It speaks of as-of alone, so that it has neither records since nor weeks."""
        return is_state(self.x, self.number.card, **dict(self.number.params))

    @property
    def by_records(self) -> bool:
        return self.number.card.measure(self.number.stat).tested and not self.number.is_made and not self.state

    def side(self, period: Period, views: Sequence[View]) -> Side:
        """The number over `period` under each of `views`, which share no record, taken together."""
        top = bottom = waiting = 0.0
        for view in views:
            row = replace(self.number, view=view.during(period), params=self._params(period)).row(self.x)
            if row is not None and row["denominator"] > 0:
                top, bottom = top + float(row["numerator"]), bottom + float(row["denominator"])
            waiting += 0.0 if row is None or pd.isna(row["n"]) or pd.isna(row["denominator"]) else max(float(row["n"] - row["denominator"]), 0.0)
        return Side(period, top / bottom if bottom else math.nan, top, bottom, waiting)

    def _params(self, period: Period) -> tuple[tuple[str, object], ...]:
        return tuple((name, period if isinstance(value, Period) else value) for name, value in self.number.params)

    def records(self, views: Sequence[View]) -> tuple[Side, Side, Step]:
        """Before, after and Newcombe's difference of a rate."""
        before, after = self.side(self.before, views), self.side(self.after, views)
        return before, after, Step(*newcombe(before.x, before.n, after.x, after.n))

    def weeks(self, views: Sequence[View]) -> tuple[Side, Side, Step]:
        """Before, after and their difference by weekly means: before are the weeks of the baseline's period, or the last 12 where it has fewer."""
        starts, values = self.weekly(views)
        past, later = values[starts + 7 <= self.raised + 1], values[starts > self.raised]
        k = max(int((starts[starts + 7 <= self.raised + 1] >= self.before.start).sum()), _BEFORE)
        before, after = past[-min(k, HISTORY):], later
        sides = (Side(self.before, float(before.mean()) if len(before) else math.nan, n=float(len(before))), Side(self.after, float(after.mean()) if len(after) else math.nan, n=float(len(after))))
        return *sides, weekly_step(past[-HISTORY:], before, after)

    def weekly(self, views: Sequence[View]) -> tuple[np.ndarray, np.ndarray]:
        """First days and values of the complete weeks up to the last day: `HISTORY` before the action was raised, and those after."""
        card, stat = self.number.card, self.number.row_name
        measure, total = card.measure(self.number.stat), None
        least = self.x.terms.stats.min_n_show if measure.kind is Kind.DISTRIBUTION else 0
        back = HISTORY + 2 + math.ceil((self.last - self.raised) / 7)
        for view in views:
            starts, values, _, n = points(self.x, card, measure, view.during(Period(ALL_TIME, self.last + 1)), stat, back, **dict(self.number.params))
            values = np.where(n >= least, values, np.nan)
            total = values if total is None else total + values
        known = ~np.isnan(total)
        return starts[known], total[known]

    def untested(self) -> str:
        """Why neither records nor weeks can say anything; "" where they can."""
        measure = self.number.card.measure(self.number.stat)
        if measure.kind is Kind.RATE and measure.ages:
            return "its value goes on changing while its records age, so a young period cannot be set against an older one"
        if measure.kind is Kind.SURVIVAL:
            return "the median of a survival curve has no weeks to compare; choose the share within a target instead"
        if self.state:
            return "it is a state of today without a weekly history"
        if Kind.STUDY in (measure.kind, self.number.card.headline.kind):
            return "it is a study without a weekly history"
        return "" if not self.number.is_made or len(self.weekly((self.number.view,))[0]) else "it has no weekly history"
