"""Metric: the card that a number is known by, and `@metric`, which puts a function on one.

The function says which records count, when, and for how much; everything a reader sees of the number follows from the card. The
function's docstring *is* the definition that readers are shown.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from revscore.core import units
from revscore.core.units import RATIO, Unit


FUNCTIONS = ("marketing", "sales", "cs", "revops")
_FUNCTIONS = {"revops": "RevOps", "cs": "Customer Success", "council": "Revenue council"}


def functions(names: Iterable[str]) -> str:
    """Functions of the company as readers call them: "Marketing + Customer Success"."""
    return " + ".join(_FUNCTIONS.get(name, name.capitalize()) for name in names)


class Kind(StrEnum):
    """How the values of facts become a number."""

    TOTAL = "total"  # Σ value
    RATE = "rate"  # Σ hit / Σ base; missing when the base is 0
    DISTRIBUTION = "distribution"  # quantiles (type 7) and mean
    SURVIVAL = "survival"  # Kaplan–Meier quantiles from durations and events
    LEVEL = "level"  # Σ of what holds at a time: entries less exits
    DERIVED = "derived"  # a function of finished values of other cards
    STUDY = "study"  # a named frame that is no sum


class Better(StrEnum):
    UP = "up"
    DOWN = "down"
    CONTEXT = "context"


@dataclass(frozen=True)
class Measure:
    """One number of a metric. `num`, `den`, `base` name columns of the facts' values.

    RATE: Σnum / Σden, `base` the wider population it was taken from. SURVIVAL: `num` durations, `den` whether the event came.
    LEVEL: `num` the amount, held from `facts.values["start"]` up to `["end"]`. DISTRIBUTION: `num` the values, one `stats` row each.
    """

    name: str
    kind: Kind
    unit: Unit
    num: str = ""
    den: str = ""
    base: str = ""
    label: str = ""
    stats: tuple[str, ...] = ()
    records: str = ""  # of a rate of amounts: the values that count its records, for n and the flag
    ages: bool = False  # a rate that goes on changing while its records age: young ones are not tested against old ones

    @property
    def interval(self) -> bool:
        """A Wilson interval makes sense: for counts, not for amounts."""
        return not self.records

    @property
    def tested(self) -> bool:
        """Two periods of this rate can be tested against each other, and its weeks charted."""
        return self.kind is Kind.RATE and self.interval and not self.ages

    def x_of_n(self, numerator: float, denominator: float, currency: str) -> str:
        """A rate of too few to be one: "3 of 4", of amounts "$35k of $40k"."""
        if self.interval:
            return units.of(numerator, denominator)
        return " of ".join(units.text(value, units.CURRENCY, currency) for value in (numerator, denominator))


@dataclass(frozen=True)
class Metric:
    """A card. `measures[0]` is the headline."""

    id: str
    label: str
    question: str
    measures: tuple[Measure, ...]
    better: Better
    owners: tuple[str, ...]
    meetings: tuple[str, ...]
    needs: tuple[str, ...]
    drill: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    settles_after: str = ""  # how long a value may still change, in words
    population: str = ""
    build: Callable[..., Any] = field(default=lambda x: None, compare=False)
    params: tuple[str, ...] = ()
    narrows: bool = False  # can make only the facts of records that hold chosen values: `build` takes `where`
    made_of: Callable[..., Any] | None = field(default=None, compare=False)  # of a derived number or a study: its parts (see `made`)

    @property
    def family(self) -> str:
        return self.id.split(".")[0]

    @property
    def headline(self) -> Measure:
        return self.measures[0]

    @property
    def definition(self) -> str:
        return inspect.cleandoc(self.build.__doc__ or "")

    def measure(self, name: str) -> Measure:
        """The measure called `name` ("" = the headline); quantiles are found by their own name ("median", of a further measure "km_median")."""
        for measure in self.measures:
            if not name or measure.name == name or name in measure.stats or name in {f"{measure.name}_{stat}" for stat in measure.stats}:
                return measure
        raise KeyError(f"{self.id} has no measure “{name}”; it has {', '.join(m.name for m in self.measures)}")


def metric(id: str, label: str, question: str, *measures: Measure, better: Better = Better.UP, owners: tuple[str, ...],
           meetings: tuple[str, ...] = (), needs: tuple[str, ...] = (), drill: tuple[str, ...] = (), by: tuple[str, ...] = (),
           settles_after: str = "", population: str = "", made_of: Callable[..., Any] | None = None) -> Callable[[Callable[..., Any]], Metric]:
    """Put a function on a card. Its arguments after the coded extract are the metric's parameters, but for `where`
    (see `narrows`). A derived number or a study also gives
    `made_of(x, view, stat, row, **params) -> core.made.Made`: the numbers behind `row`, the row of its frame that is opened."""

    def card(build: Callable[..., Any]) -> Metric:
        params = list(inspect.signature(build).parameters)[1:]
        return Metric(id, label, question, measures, better, owners, meetings, needs, drill, by, settles_after, population, build,
                      tuple(name for name in params if name != "where"), "where" in params, made_of)

    return card


def total(name: str, unit: Unit, num: str = "", label: str = "") -> Measure:
    return Measure(name, Kind.TOTAL, unit, num or name, label=label)


def rate(name: str, num: str, den: str, base: str = "", label: str = "", unit: Unit | None = None, records: str = "", ages: bool = False) -> Measure:
    return Measure(name, Kind.RATE, unit or RATIO, num, den, base or den, label, records=records, ages=ages)


def distribution(name: str, unit: Unit, num: str, *stats: str, label: str = "") -> Measure:
    return Measure(name, Kind.DISTRIBUTION, unit, num, label=label, stats=stats or ("median", "p75", "p90", "mean"))


def survival(name: str, unit: Unit, duration: str, event: str, *stats: str, label: str = "") -> Measure:
    return Measure(name, Kind.SURVIVAL, unit, duration, event, label=label, stats=stats or ("median", "p75", "p90"))


def level(name: str, unit: Unit, num: str = "", label: str = "") -> Measure:
    return Measure(name, Kind.LEVEL, unit, num or name, label=label)


def derived(name: str, unit: Unit, label: str = "") -> Measure:
    return Measure(name, Kind.DERIVED, unit, name, label=label)


def study(name: str, unit: Unit, label: str = "") -> Measure:
    return Measure(name, Kind.STUDY, unit, name, label=label)
