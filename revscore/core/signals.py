"""Signals: whether a number's weekly series has really changed, for every line of a review (METRICS X4, X5, X7).

The series shown are the last 26 complete weeks up to the end of the view's period, by the number's own anchor date. The first 12 of its points
(or as many as the definitions in force say) are the baseline: they set centre and limits. Rates get a p-chart of numerator and denominator, all else (counts, amounts, durations, levels) an
XmR chart. No point are: the week that is still running, cohorts that are not mature, weeks of fewer than five (of a rate or a duration), weeks before
the first record.

A signal speaks while it is news: a point outside the limits in the last four points, or a run (of eight and more, unless the
definitions say otherwise) that still lasts into them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from revscore.core.calendars import NO_DAY, Period, date_of, midnight
from revscore.core.coded import Coded
from revscore.core.compute import compute, sums
from revscore.core.control import Chart, p_chart, xmr
from revscore.core.metric import Kind, Measure, Metric
from revscore.core.view import View

WEEKS = 26  # complete weeks of a chart; more where the definitions have so long a baseline that fewer than 14 would follow it
NEWS = 4  # a signal in the last so many points is news
_AFTER = 14  # weeks after the baseline that a chart has at the least
_OLDER = 26  # further weeks to look through where cohorts have to mature
_SECOND = 1_000_000

State = Literal["up", "down", "none", "few", ""]


@dataclass(frozen=True)
class Control:
    """The control chart of a line and what it says. One value a point, oldest first.

    state : "up", "down": a signal that is news; "none": no change; "few": too few points to say; "": the number has no weekly series
    rule, week, last, length : which rule fired ("outside" or "run"), the first day of its (first) week and of its last, and how many points it holds
    n : records in the signal
    starts : first day of each week; values, numerator, denominator, n_of as the chart's points; chart : None where there is no series
    """

    state: State = ""
    rule: str = ""
    week: int = 0
    last: int = 0
    length: int = 0
    n: float = 0.0
    starts: np.ndarray | None = None
    numerator: np.ndarray | None = None
    n_of: np.ndarray | None = None
    chart: Chart | None = None

    @property
    def fired(self) -> bool:
        return self.state in ("up", "down")

    @property
    def text(self) -> str:
        """What the chart says, in words: "signal up: week of 9 Nov above limits", "no change", "too few weeks to say"; "" without a chart."""
        if self.fired:
            side = "above" if self.state == "up" else "below"
            return (f"signal {self.state}: week of {_day(self.week)} {side} limits" if self.rule == "outside"
                    else f"signal {self.state}: {self.length} weeks {side} the mean")
        return {"none": "no change", "few": "too few weeks to say"}.get(self.state, "")

    def frame(self) -> pd.DataFrame:
        """The points for a drawing or a table: start, period, value, n, numerator, centre, lower, upper, baseline, approximate, signal ("outside"; "run": completes a
        run or belongs to the one that is news; or "")."""
        if self.chart is None or self.starts is None:
            return pd.DataFrame()
        rule = np.full(len(self.starts), "", dtype=object)
        for one in self.chart.signals:
            rule[one.at] = "outside" if "outside" in (one.rule, rule[one.at]) else one.rule
        if self.rule == "run":
            rule[(rule != "outside") & (self.starts >= self.week) & (self.starts <= self.last)] = "run"
        return pd.DataFrame({"start": self.starts, "period": [date_of(day).isoformat() for day in self.starts], "value": self.chart.values, "n": self.n_of,
                             "numerator": self.numerator, "centre": self.chart.centre, "lower": self.chart.lower, "upper": self.chart.upper,
                             "baseline": np.arange(len(self.starts)) < self.chart.baseline, "approximate": self.chart.approximate, "signal": rule})


def control(x: Coded, card: Metric, view: View, stat: str, **params: Any) -> Control:
    """The control chart of one statistic of `card` under `view` (its period only says where the weeks end)."""
    measure = card.measure(stat)
    if Kind.STUDY in (card.headline.kind, measure.kind) or measure.kind is Kind.SURVIVAL or (measure.kind is Kind.RATE and not measure.tested):
        return Control()  # young weeks reach a median only when they were quick; amounts below the line do not say how many records a week has
    starts, values, top, n = points(x, card, measure, view, stat, **params)
    by_rate, baseline = measure.kind is Kind.RATE, x.terms.stats.spc_baseline_points
    least = x.terms.stats.min_n_show if measure.kind in (Kind.RATE, Kind.DISTRIBUTION) else 0
    keep = np.flatnonzero(~np.isnan(values) & (n >= least))[-_weeks(x):]
    starts, values, top, n = starts[keep], values[keep], top[keep], n[keep]
    chart = p_chart(top, n, x.terms.stats) if by_rate else xmr(values, x.terms.stats)
    made = Control("few", starts=starts, numerator=top if by_rate else np.full(len(keep), np.nan), n_of=n, chart=chart)
    if len(keep) < baseline + NEWS or n[:baseline].sum() < baseline:  # less than a record a week is no baseline
        return made if len(keep) else Control()  # a state of today has no weeks
    return read(made)


def _weeks(x: Coded) -> int:
    return max(WEEKS, x.terms.stats.spc_baseline_points + _AFTER)


def read(made: Control) -> Control:
    """What a chart with enough points says now."""
    chart, starts, n = made.chart, made.starts, made.n_of
    assert chart is not None and starts is not None and n is not None
    for one in reversed(chart.signals):
        first, last = (one.at, one.at) if one.rule == "outside" else _run(chart, one.at, one.side)
        if last >= len(starts) - NEWS:
            return replace(made, state="up" if one.side == "above" else "down", rule=one.rule, week=int(starts[first]), last=int(starts[last]),
                           length=last - first + 1, n=float(n[first:last + 1].sum()))
    return replace(made, state="none")


def _run(chart: Chart, at: int, side: str) -> tuple[int, int]:
    """First and last point of the run that holds `at`; points on the line belong to it."""
    with np.errstate(invalid="ignore"):
        apart = np.flatnonzero(chart.values < chart.centre if side == "above" else chart.values > chart.centre)
    before, after = apart[apart < at], apart[apart > at]
    return (int(before[-1]) + 1 if len(before) else 0), (int(after[0]) - 1 if len(after) else len(chart.values) - 1)


def points(x: Coded, card: Metric, measure: Measure, view: View, stat: str, weeks_back: int = 0, **params: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Complete weeks up to the end of the view's period, oldest first, `weeks_back` of them or as many as a chart has: first day, value, numerator, n (records;
    of a rate those below the line)."""
    calendar, matures = x.terms.calendar, measure.kind is Kind.RATE and measure.base != measure.den
    last_day = min(view.period.last, x.as_of_day) if view.period else x.as_of_day
    last = int(calendar.codes(np.array([last_day + 1]), "week")[0]) - 1  # the last week that ends by then
    while midnight(calendar.start(last + 1, "week"), calendar.tz) - x.as_of > _SECOND:
        last -= 1
    first = last - (weeks_back or _weeks(x)) - (_OLDER if matures else 0) + 1
    window = view.during(Period(calendar.start(first, "week"), calendar.start(last + 1, "week")))
    weeks = np.arange(first, last + 1)
    starts = np.array([calendar.start(int(code), "week") for code in weeks])
    value, top, n = np.full(len(weeks), np.nan), np.full(len(weeks), np.nan), np.zeros(len(weeks))
    if measure.kind in (Kind.TOTAL, Kind.LEVEL, Kind.RATE):
        facts = x.facts(card, **params)
        table = sums(x, replace(card, measures=(measure,)), facts, window, (), "week").tables[measure.name]
        at = np.asarray(table["period"], dtype="int64") - first
        if measure.kind is Kind.RATE:
            mature = table["den"] == table["base"] if matures else np.ones(len(at), dtype=bool)
            at, num, den = at[mature], table["num"][mature], table["den"][mature]
            with np.errstate(divide="ignore", invalid="ignore"):
                value[at], top[at], n[at] = np.where(den != 0, num / den, np.nan), num, den
        else:
            begun = calendar.codes(facts.day[:1], "week")[0] if len(facts) and facts.day[0] != NO_DAY else last + 1
            value[weeks >= begun] = 0.0
            value[at], top[at], n[at] = table["num"], table["num"], table["hit"]
        return starts, value, top, n
    found = compute(x, card, window, (), "week", only="" if card.headline.kind is Kind.DERIVED else measure.name, **params)
    found = found[(found["measure"] == stat) & found["start"].isin(starts)]  # a number without periods, or with some of its own, has no weeks
    found = found[~found["start"].duplicated(keep=False)]
    at = calendar.codes(found["start"].to_numpy(dtype="int64"), "week") - first
    value[at], n[at] = found["value"].to_numpy(dtype=float), np.nan_to_num(found["n"].to_numpy(dtype=float))
    return starts, value, top, n


def _day(day: int) -> str:
    found = date_of(day)
    return f"{found.day} {found:%b}"
