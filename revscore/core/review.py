"""A review is plain data: per line the value, what it was before, its trend, target and maturity. Pages, charts and exports draw it; none compute."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from revscore.core import schema, units
from revscore.core.calendars import Grain, Period
from revscore.core.coded import Coded
from revscore.core.compute import compute, stat_name
from revscore.core.made import chosen_rows
from revscore.core.metric import Better, Kind, Measure, Metric
from revscore.core.signals import Control, control
from revscore.core.statistics import display, newcombe
from revscore.core.view import View

Tone = Literal["good", "bad", "neutral"]
TREND_POINTS = 13
AMOUNT_GAP = 0.2  # where more of the deals than this have no amount, a rate by value is not known
FEW = 5  # records below which nothing is coloured (METRICS X3)


@dataclass(frozen=True)
class Line:
    """One number of a review, with all that a reader needs to believe it.

    `series` is the tidy frame of the last periods (columns of `compute`), oldest first; `before` the value of `before_period`: the period
    before, cut to the same number of days while the current one is still running.
    """

    card: Metric
    measure: Measure
    stat: str
    label: str
    currency: str
    period: Period | None
    before_period: Period | None
    value: float = float("nan")
    before: float = float("nan")
    before_x: float = float("nan")  # numerator and denominator of `before`
    before_n: float = float("nan")
    numerator: float = float("nan")
    denominator: float = float("nan")
    n: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    flag: str = ""
    maturity: str = ""
    without_amount: float = 0  # deals that add nothing to an amount because theirs is missing (METRICS C7)
    series: pd.DataFrame = field(default_factory=pd.DataFrame)
    target: float = float("nan")
    lacks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    own: tuple[tuple[str, str], ...] = ()
    params: tuple[tuple[str, Any], ...] = ()
    signal: Control = Control()  # what its weekly control chart says

    @property
    def known(self) -> bool:
        return not np.isnan(self.value)

    @property
    def suppressed(self) -> bool:
        """The sample is too small for a rate: "x of n" stands in its place, without colour (METRICS C12)."""
        return self.flag == "suppress"

    @property
    def thin(self) -> bool:
        """It stands on too few records for green or red (METRICS X3): members of a rate's base, deals of an amount, answers of a median."""
        base = self.denominator if self.measure.kind is Kind.RATE and self.measure.interval else self.n
        return self.suppressed or base < FEW

    @property
    def text(self) -> str:
        """The value as shown on a tile."""
        if self.lacks:
            return units.MISSING
        if self.suppressed and self.measure.kind is Kind.RATE:
            return self.measure.x_of_n(self.numerator, self.denominator, self.currency)
        if self.measure.kind is Kind.SURVIVAL and not self.known and self.n > 0:
            return "not reached"  # fewer than that share have come by now
        return units.text(self.value, self.measure.unit, self.currency)

    @property
    def sample(self) -> str:
        """What the value stands on: "22 of 33", "n = 214"."""
        if self.lacks or np.isnan(self.n):
            return ""
        if self.measure.kind is Kind.RATE and not self.measure.unit.is_money and self.measure.interval:
            return units.of(self.numerator, self.denominator)
        gap = f" · {units.text(self.without_amount, units.DEALS)} without an amount" if self.without_amount > 0 else ""
        if self.measure.kind is Kind.RATE and self.measure.records:
            return f"n = {units.text(self.n, units.LEADS)}{gap}" if self.suppressed else f"{self.measure.x_of_n(self.numerator, self.denominator, self.currency)}, n = {units.text(self.n, units.LEADS)}{gap}"
        return f"n = {units.text(self.n, units.LEADS)}{gap}"

    @property
    def interval(self) -> str:
        """The 95 % interval of a rate, "28–43 %"; "" without one."""
        if np.isnan(self.low) or np.isnan(self.high) or self.suppressed or self.measure.unit.kind != "ratio":
            return ""
        digits = 0 if self.high - self.low >= 0.02 else 1
        return f"{self.low * 100:.{digits}f}–{self.high * 100:.{digits}f} %"

    @property
    def change(self) -> str:
        return units.MISSING if self.suppressed else units.change(self.value, self.before, self.measure.unit, self.currency)

    @property
    def tone(self) -> Tone:
        """Whether the step from before is good or bad news; neutral for context, on a small sample (of an amount or a count: fewer than five records), and where no test says that it moved."""
        if self.card.better is Better.CONTEXT or np.isnan(self.value) or np.isnan(self.before) or self.few or self.thin or not self.moved:
            return "neutral"
        step = self.value - self.before
        if not self.differs and (self.signal.n < FEW or (step > 0) != (self.signal.state == "up")):
            return "neutral"  # the weeks signal, and the step from before does not say the same
        return "neutral" if step == 0 else "good" if (step > 0) == (self.card.better is Better.UP) else "bad"

    @property
    def moved(self) -> bool | None:
        """Whether it has really changed: a signal of its weeks, or a significant difference from before. False: neither, so "no change" (METRICS
        X7). None: no test can say."""
        if self.signal.fired or self.differs:
            return True
        return None if self.signal.state == "few" or (self.signal.state == "" and self.differs is None) else False

    @property
    def differs(self) -> bool | None:
        """Whether a rate differs from the period before by more than chance (Newcombe, METRICS X2); None where that cannot be tested."""
        if not self.measure.tested or np.isnan(self.before_n) or not self.before_n or not self.denominator or self.few:
            return None
        return not self.by_chance

    @property
    def verdict(self) -> str:
        """What the tests say, in words: the signal, a difference from before, "no change", or that the weeks are too few; "" without any."""
        if not self.known or self.suppressed:
            return ""
        if self.signal.fired:
            return self.signal.text
        if self.differs:
            return "no signal by week, but more than chance against before" if self.signal.state == "none" else "more than chance against before"
        return "no change" if self.moved is False else self.signal.text

    @property
    def few(self) -> bool:
        """Too few for a judgement: below the normal sample."""
        return self.flag in ("suppress", "low_n")

    @property
    def by_chance(self) -> bool:
        """Whether the Newcombe interval of a rate's change holds 0 (METRICS X2)."""
        if not self.measure.tested or np.isnan(self.before_n):
            return False
        _, low, high = newcombe(self.before_x, self.before_n, self.numerator, self.denominator)
        return not (low > 0 or high < 0)

    @property
    def sentence(self) -> str:
        """What is missing, when the number cannot be had: "needs *first response*, which this extract lacks"."""
        return f"Needs {needed(self.lacks)}, which this extract lacks." if self.lacks else ""


def needed(needs: tuple[str, ...]) -> str:
    """Missing needs for a sentence: "activities, the column converted at of leads and every change of opportunity history"."""
    names = []
    for need in needs:
        table, _, column = need.rstrip("!").partition(".")
        title = schema.TABLES[table].title.lower()
        names.append(f"every change of {title}" if need.endswith("!") else f"the column {column.replace('_', ' ')} of {title}" if column else title)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def comparison(x: Coded, period: Period | None) -> Period | None:
    """The period to compare with: the one before; while `period` is running, its first days up to as many as have passed."""
    if period is None:
        return None
    before = x.terms.calendar.shifted(period, -1)
    passed = x.as_of_day + 1 - period.start
    if 0 < passed < period.days:
        return Period(before.start, min(before.start + passed, before.end), f"same days of {before.label}" if before.label else "the same days before")
    return before


def line(x: Coded, card: Metric, view: View, stat: str = "", *, label: str = "", grain: Grain | None = None, points: int = TREND_POINTS,
         target: float = float("nan"), own: dict[str, str] | None = None, alone: bool = False, **params: Any) -> Line:
    """A line of a review: `card` under `view`, its `stat` (a measure's name or a quantile; the headline by default), narrowed to `own`
    dimensions of the metric (`own={"stage": "mql"}`), with the period before and a series of `points` periods by `grain` (the view's own by default).
    `alone`: the number itself, without what was before and without series.
    """
    measure = card.measure(stat)
    stat = stat or (stat_name(measure, measure.stats[0]) if measure.stats else measure.name)
    before_period = None if alone else comparison(x, view.period)
    base: dict[str, Any] = {"card": card, "measure": measure, "stat": stat, "label": label or card.label, "currency": x.terms.corporate_currency,
                            "period": view.period, "before_period": before_period, "target": target,
                            "own": tuple(sorted((own or {}).items())), "params": tuple(sorted(params.items()))}
    lacks = x.data.missing(card.needs)
    notes = x.data.notes(card.needs)
    if lacks:
        return Line(**base, lacks=lacks, notes=notes)
    view = view.narrowed(**own) if own else view
    only = measure.name if card.headline.kind not in (Kind.DERIVED, Kind.STUDY) else ""
    now = _row(chosen_rows(x, card, view, compute(x, card, view, only=only, **params)), stat)
    then = {"then": True} if "then" in card.params else {}  # a state of today is, of the period before, the state of that time
    before = _row(chosen_rows(x, card, view, compute(x, card, view.during(before_period), only=only, **params, **then)), stat) if before_period else None
    numbers = {name: _number(now, name) for name in ("value", "numerator", "denominator", "n", "low", "high")}
    without, unknown = _without_amount(x, card, measure, view, params)
    if unknown or (without > 0 and numbers["value"] == 0):
        numbers["value"] = float("nan")  # an amount that nobody entered is unknown, not 0
    return Line(**base, **numbers, without_amount=without,
                before=_number(before, "value"), before_x=_number(before, "numerator"), before_n=_number(before, "denominator"), flag=_flag(x, measure, now), maturity=_word(now, "maturity"), notes=notes,
                **({} if alone else {"series": series(x, card, view, stat, grain or view.grain, points, **params), "signal": control(x, card, view, stat, **params)}))


def series(x: Coded, card: Metric, view: View, stat: str, grain: Grain, points: int = TREND_POINTS, **params: Any) -> pd.DataFrame:
    """The last `points` periods up to the end of the view's period (or as-of): the tidy frame of one measure, oldest first, without gaps. A state as
    of today has none."""
    calendar = x.terms.calendar
    last_day = min(view.period.last, x.as_of_day) if view.period else x.as_of_day
    last = int(calendar.codes(np.array([last_day]), grain)[0])
    window = Period(calendar.start(last - points + 1, grain), calendar.start(last + 1, grain))
    if card.headline.kind is Kind.STUDY or is_state(x, card, **params):
        return pd.DataFrame()
    only = card.measure(stat).name if card.headline.kind is not Kind.DERIVED else ""
    found = compute(x, card, view.during(window), (), grain, only=only, **params)
    found = found[found["measure"] == stat]
    if found["start"].duplicated().any():  # several numbers a period, such as one a target, are no series
        return pd.DataFrame()
    codes = range(last - points + 1, last + 1)
    starts = np.array([calendar.start(code, grain) for code in (*codes, last + 1)])
    out = found.set_index("start").reindex(starts[:-1]).rename_axis("start").reset_index()
    out = out.assign(period=[calendar.label(code, grain) for code in codes], end=starts[1:], running=starts[1:] > x.as_of_day + 1)
    return out.fillna({"value": 0.0, "n": 0.0}) if card.measure(stat).kind is Kind.TOTAL else out


def is_state(x: Coded, card: Metric, **params: Any) -> bool:
    """Whether a card speaks of as-of alone, so that it has no periods: all its facts lie on that day."""
    if card.headline.kind in (Kind.DERIVED, Kind.STUDY):
        return False
    day = x.facts(card, **params).day
    return bool(len(day)) and int(day[0]) == int(day[-1]) == x.as_of_day


def _row(frame: pd.DataFrame, stat: str) -> pd.Series | None:
    found = frame[frame["measure"] == stat]
    return found.iloc[0] if len(found) else None


def _without_amount(x: Coded, card: Metric, measure: Measure, view: View, params: dict[str, Any]) -> tuple[float, bool]:
    """How many of the deals behind an amount, or a rate by value, have none; and whether these are too many for the rate to say anything."""
    by_value = bool(measure.records)
    gap = next((m for m in card.measures if m.name == ("amount_gap" if by_value else "without_amount")), None)
    if gap is None or not (by_value or measure.unit.is_money):
        return 0.0, False
    row = _row(compute(x, card, view, only=gap.name, **params), gap.name)
    return (_number(row, "numerator"), _number(row, "value") > AMOUNT_GAP) if by_value else (_number(row, "value"), False)


def _flag(x: Coded, measure: Measure, row: pd.Series | None) -> str:
    """The display flag of a rate, and by the same limits that of a duration or a size."""
    if measure.kind in (Kind.DISTRIBUTION, Kind.SURVIVAL) and row is not None:
        return str(display(np.array(_number(row, "n")), x.terms.stats.min_n_show, x.terms.stats.min_n_normal))
    return _word(row, "flag")


def _number(row: pd.Series | None, name: str) -> float:
    return float("nan") if row is None or pd.isna(row[name]) else float(row[name])


def _word(row: pd.Series | None, name: str) -> str:
    return "" if row is None or not isinstance(row[name], str) else row[name]
