"""The solo test: whether one function alone could bring a joint metric to its target, at its own historical best (METRICS section 14).

A joint metric is a product of inputs, each in the hands of one function. All others are held at the last full period, the inputs of one are raised to
those of its best full period (one period, not the best of each input); if the product then meets the target, the metric is *not shared*. Best of
the past is an assumption, no forecast: it is said with every result, so that the council can move it. The inputs, exact in every period:

    clean-handoff yield = handed over (RevOps) × first touch in time (Sales) × accepted in time (Sales) × became an opportunity (Marketing)
    joint pipeline      = MQLs (Marketing) × joint deals per MQL (Sales) × value of a joint deal (Sales)
    pipeline created    = MQLs (Marketing) × new deals per MQL (Sales) × value of a new deal (Sales)
    bookings            = MQLs (Marketing) × won deals per MQL (Sales) × value of a won deal (Sales)
    MQLs                = MQLs (Marketing): a count that one function makes is never shared
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np
import pandas as pd

from revscore.core import units
from revscore.core.calendars import GRAINS, Grain, Period
from revscore.core.coded import Coded
from revscore.core.made import Given, Made, Number, Worked
from revscore.core.metric import functions
from revscore.core.metrics import CARDS
from revscore.core.metrics.shared import STEPS
from revscore.core.metrics.targets import resolve
from revscore.core.splits import shapley
from revscore.core.terms import MQL, Target
from revscore.core.units import Unit, listed
from revscore.core.view import View
from revscore.rhythm.asks import FEW, frame_of, measured
from revscore.rhythm.target_lines import measure_of, number_key
from revscore.rhythm.target_setting import name

HISTORY = 8  # full periods that a best is looked for in


@dataclass(frozen=True)
class Input:
    """One input of a joint metric: its function, and its value in each full period, oldest first (NaN: too few records)."""

    label: str
    function: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Reach:
    """What one function reaches alone. `best`: its place among the periods; `contribution`: its part of the way from the baseline to all at their best."""

    function: str
    best: int
    reached: float
    meets: bool
    contribution: float


@dataclass(frozen=True)
class Solo:
    """The solo test of one target. `met`: the baseline meets it already, so that it asks for nobody's best; `smallest`: the functions of the smallest set
    that reaches it, () when it is met already or when not even all together do."""

    baseline: float
    met: bool
    together: float  # all at their best
    alone: tuple[Reach, ...]
    smallest: tuple[str, ...]

    @property
    def shared(self) -> bool:
        """No function alone can bring it to target, and it needs more than one."""
        return len(self.alone) > 1 and not self.met and not any(one.meets for one in self.alone)


def solo_test(inputs: Sequence[Input], target: float, direction: str = "up") -> Solo | None:
    """The solo test of a product of inputs; the last value of each is the baseline. None where an input has no baseline.

    `target` NaN: what is reached, met by nobody. Contributions are split by Shapley over the functions: they add up to together − baseline.
    """
    names = tuple(dict.fromkeys(one.function for one in inputs))
    held = {name: np.array([one.values for one in inputs if one.function == name], dtype=float).prod(axis=0) for name in names}
    base = {name: float(values[-1]) for name, values in held.items()}
    if not names or not np.isfinite(list(base.values())).all():
        return None
    places = {name: int(np.nanargmin(values) if direction == "down" else np.nanargmax(values)) for name, values in held.items()}
    best = {name: float(held[name][place]) for name, place in places.items()}

    def reached(raised: Sequence[str]) -> float:
        return prod(best[name] if name in raised else base[name] for name in names)

    def meets(value: float) -> bool:
        return value <= target if direction == "down" else value >= target

    parts = shapley(base, best, lambda values: prod(values.values()))
    met = meets(reached(()))
    smallest = () if met else next((one for size in range(1, len(names) + 1)
                     for one in sorted(combinations(names, size), key=reached, reverse=direction != "down") if meets(reached(one))), ())
    alone = tuple(Reach(name, places[name], reached((name,)), meets(reached((name,))), parts[name]) for name in names)
    return Solo(reached(()), met, reached(names), alone, smallest)


# -- the inputs of joint metrics -----------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Joint:
    """A joint metric with its test. `periods`: the full periods of the inputs, the last being the baseline; `solo` None: `why` says why not."""

    metric_id: str
    label: str
    unit: Unit
    period: Period
    target: Target | None
    periods: tuple[Period, ...] = ()
    inputs: tuple[Input, ...] = ()
    solo: Solo | None = None
    why: str = ""

    def sentence(self, currency: str) -> str:
        """What the test says, in a sentence."""
        def said(value: float) -> str:
            return units.named(value, self.unit, currency)

        if self.solo is None:
            return f"{self.label} is not tested. {self.why}"
        found, base = self.solo, self.periods[-1].name
        first = max(found.alone, key=lambda one: -one.reached if self.target and self.target.direction == "down" else one.reached)
        alone = f"{functions((first.function,))} alone could reach {said(first.reached)} at its best of {self.periods[first.best].name}"
        if self.target is None:
            return f"{self.label} has no target for {self.period.name}, so it is not tested: {alone}."
        if found.met:
            return f"{self.label} asks for nobody's best: {base} already reached {said(found.baseline)}, the target is {said(self.target.value)}."
        if first.meets:
            return f"{self.label} is not shared: {alone}, and the target is {said(self.target.value)}."
        if found.smallest:
            return f"No function alone can bring {self.label} to {said(self.target.value)}; {listed([functions((one,)) for one in found.smallest])} together can."
        return f"No function alone can bring {self.label} to {said(self.target.value)}, nor all at their best together ({said(found.together)})."

    def behind(self, function: str = "") -> Number | Worked:
        """The number of the last full period, or what a function reaches alone and what that is worked out from."""
        card, stat, own = resolve(self.metric_id, CARDS)  # type: ignore[misc]
        base = self.periods[-1]
        held = Number.of(card, View.of(base, **own), stat, f"{self.label}, {base.name}")
        if not function or self.solo is None:
            return held
        best = self.periods[next(one.best for one in self.solo.alone if one.function == function)]
        label = f"{self.label}: {functions((function,))} alone, at its best of {best.name}"
        if self.metric_id == "shared.handoff_yield.yield":
            parts = [Given(f"{one.label}, {(at := best if one.function == function else base).name}", one.values[self.periods.index(at)], self.unit, "share of those that came through the leg before") for one in self.inputs]
            return Worked(label, self.unit, Made(tuple(parts), "the product of the legs", lambda *legs: float(np.prod(legs))))
        marketing = function == "marketing"
        mqls = [Number.of(CARDS["funnel.entries"], View.of(one, stage=MQL), "count", f"MQLs, {one.name}") for one in (best, base)]
        if len(self.inputs) == 1:
            return Worked(label, self.unit, Made((mqls[0],), "the number itself", lambda one: one))
        value = Number.of(card, View(base if marketing else best), stat, f"{self.label}, {(base if marketing else best).name}")
        says = "value × MQLs of its best period ÷ MQLs of the last" if marketing else "value of its best period × MQLs of the last ÷ MQLs of its best period"
        return Worked(label, self.unit, Made((value, *mqls), says, lambda value, best, base: value * best / base if marketing else value * base / best))


_JOINT = ("shared.handoff_yield.yield", "shared.joint_pipeline.value", "pipeline.created.value", "bookings.won.value")  # shared by nature
_TESTED = (*_JOINT, "funnel.entries.mql")  # tested too where several functions own it


def joints(x: Coded, view: View) -> tuple[Joint, ...]:
    """The solo test of every joint metric that has a target of the whole company whose period holds as-of, whatever the filters; the shared ones of section
    14 also without a target. The inputs are those of the full periods of the target's length."""
    out = []
    for metric_id in _TESTED:
        target = next((one for one in x.terms.targets if number_key(one.metric_id) == number_key(metric_id) and not one.segment and one.start <= x.as_of_day < one.end), None)
        owned = target is not None and (metric_id in _JOINT or "+" in target.owner_function)
        if owned or metric_id.startswith("shared."):
            out.append(_joint(x, metric_id, target))
    return tuple(out)


def _joint(x: Coded, metric_id: str, target: Target | None) -> Joint:
    calendar = x.terms.calendar
    grain = _grain(x, target) if target else "quarter"
    period = Period(target.start, target.end, calendar.holding(target.start, grain).label if grain else "") if target else calendar.holding(x.as_of_day, "quarter")
    base = Joint(metric_id, name(metric_id), measure_of(metric_id)[1].unit, period, target)  # type: ignore[index]
    if grain is None:
        return _replace(base, why="Its period is none of the calendar, so there are no full periods like it.")
    periods = full_periods(x, grain)
    if not periods:
        return _replace(base, why=f"No {grain} is over yet.")
    inputs = _inputs(x, metric_id, grain, periods)
    found = solo_test(inputs, target.value if target else float("nan"), target.direction if target else "up") if inputs else None
    return _replace(base, periods=periods, inputs=inputs, solo=found, why="" if found else "Too few records in the last full period to test it.")


def _replace(one: Joint, **new: object) -> Joint:
    return Joint(**{**vars(one), **new})  # type: ignore[arg-type]


def _grain(x: Coded, target: Target) -> Grain | None:
    return next((grain for grain in GRAINS if (lambda one: (one.start, one.end))(x.terms.calendar.holding(target.start, grain)) == (target.start, target.end)), None)


def full_periods(x: Coded, grain: Grain) -> tuple[Period, ...]:
    """The last full periods before as-of, oldest first: those that began after the first MQL of the extract, so that each is whole."""
    calendar, found = x.terms.calendar, measured(frame_of(x, "funnel.entries", View.of(stage=MQL), (), "day"), "count")
    if not len(found):
        return ()
    first, last = int(found["start"].min()), int(calendar.codes(np.array([x.as_of_day]), grain)[0])
    every = (calendar.period(code, grain) for code in range(last - HISTORY, last))
    return tuple(one for one in every if one.start >= first)


def _inputs(x: Coded, metric_id: str, grain: Grain, periods: tuple[Period, ...]) -> tuple[Input, ...]:
    if metric_id == "shared.handoff_yield.yield":
        return _handoff(x, grain, periods)
    mqls = _of(x, "funnel.entries", "count", grain, periods, stage=MQL)
    if metric_id == "funnel.entries.mql":
        return (Input("MQLs", "marketing", _floats(mqls)),)
    card, noun = {"shared.joint_pipeline.value": ("shared.joint_pipeline", "joint"), "pipeline.created.value": ("pipeline.created", "new"), "bookings.won.value": ("bookings.won_value", "won")}[metric_id]
    count, value = (_of(x, card, measure, grain, periods) for measure in ("count", "value"))
    few = (mqls < FEW) | (count < FEW)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (Input("MQLs", "marketing", _floats(mqls)), Input(f"{noun.capitalize()} deals per MQL", "sales", _floats(np.where(few, np.nan, count / mqls))),
                Input(f"value of a {noun} deal".capitalize(), "sales", _floats(np.where(few, np.nan, value / count))))


def _handoff(x: Coded, grain: Grain, periods: tuple[Period, ...]) -> tuple[Input, ...]:
    """The legs of the clean handoff, each a share of those that came through the leg before: their product is the yield."""
    window = View(Period(periods[0].start, periods[-1].end))
    frame = measured(frame_of(x, "shared.handoff_yield", window, ("step",), grain), "yield")
    if not len(frame):
        return ()
    count = {step: _in(frame[frame["step"] == step], "denominator", periods) for step in STEPS}
    left = sum(count.values())
    out = []
    for step, label, function in (("no_handoff", "Handed over", "revops"), ("late_first_touch", "First touch in time", "sales"), ("not_accepted_in_time", "Accepted in time", "sales"),
                                  ("no_opportunity_in_time", "Became an opportunity", "marketing")):
        through = left - count[step]
        with np.errstate(divide="ignore", invalid="ignore"):
            out.append(Input(label, function, _floats(np.where(left >= FEW, through / left, np.nan))))
        left = through
    return tuple(out)


def _of(x: Coded, card: str, measure: str, grain: Grain, periods: tuple[Period, ...], **own: str) -> np.ndarray:
    view = View(Period(periods[0].start, periods[-1].end))
    return _in(measured(frame_of(x, card, view.narrowed(**own) if own else view, (), grain), measure), "value", periods)


def _in(frame: pd.DataFrame, column: str, periods: tuple[Period, ...]) -> np.ndarray:
    """A column by period, 0 where a period has no row."""
    known: Mapping[int, float] = dict(zip(frame["start"], frame[column], strict=True)) if len(frame) else {}
    return np.array([known.get(one.start, 0.0) for one in periods], dtype=float)


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
