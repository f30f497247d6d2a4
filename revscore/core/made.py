"""Numbers that can be asked for again, and what derived numbers are made of.

A `Number` says how it is had: card, statistic, view, parameters. It opens to its rows (`drill`), or, when its card is derived from others or
a study, to the numbers that it is made of: the card's `made_of` names them, and says how they give it back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from revscore.core.coded import Coded
from revscore.core.compute import compute, stat_name
from revscore.core.metric import Kind, Metric
from revscore.core.units import Unit
from revscore.core.view import View

_KEPT = 16  # frames of studies

if TYPE_CHECKING:
    from revscore.core.review import Line


@dataclass(frozen=True)
class Number:
    """One number: what `compute(x, card, view, **params)` gives for `stat` (a measure's name or a quantile; "" = the headline); of a study with
    several such rows the one at `place`."""

    label: str
    card: Metric
    stat: str = ""
    view: View = View()
    params: tuple[tuple[str, Any], ...] = ()
    place: int = 0

    @classmethod
    def of(cls, card: Metric, view: View = View(), stat: str = "", label: str = "", **params: Any) -> Number:
        return cls(label or _label(card, stat), card, stat, view, tuple(sorted(params.items())))

    @classmethod
    def behind(cls, line: Line, view: View) -> Number:
        """The number that a line of a review under `view` shows: in the line's own period, narrowed to the metric's own dimensions."""
        view = view.during(line.period)
        return cls(line.label, line.card, line.stat, view.narrowed(**dict(line.own)) if line.own else view, line.params)

    @property
    def row_name(self) -> str:
        """The name of its row in the frame of `compute`."""
        measure = self.card.measure(self.stat)
        return self.stat or (stat_name(measure, measure.stats[0]) if measure.stats else measure.name)

    @property
    def is_made(self) -> bool:
        """Whether it is made of other numbers, so that it has no rows of its own."""
        return self.card.headline.kind in (Kind.DERIVED, Kind.STUDY)

    def row(self, x: Coded) -> pd.Series | None:
        """Its row in the frame of `compute`; None without any."""
        only = "" if self.is_made else self.card.measure(self.stat).name
        frame = self._study(x) if self.is_made else compute(x, self.card, self.view, only=only, **dict(self.params))
        found = chosen_rows(x, self.card, self.view, frame[frame["measure"] == self.row_name])
        return found.iloc[self.place] if len(found) > self.place else None

    def _study(self, x: Coded) -> pd.DataFrame:
        """The frame of a derived number or a study; the last few are remembered, since its rows and their parts are asked for one by one."""
        kept: dict[Any, pd.DataFrame] = x.once("frames of studies", dict)
        key = (self.card.id, self.view, self.params)
        frame = kept.get(key)
        if frame is None:
            frame = compute(x, self.card, self.view, **dict(self.params))
            if len(kept) >= _KEPT:
                kept.clear()
            kept[key] = frame
        return frame

    def value(self, x: Coded) -> float:
        """The number; NaN where there is none, or where the extract lacks what it needs."""
        row = None if x.data.missing(self.card.needs) else self.row(x)
        return float("nan") if row is None or pd.isna(row["value"]) else float(row["value"])


@dataclass(frozen=True)
class Given:
    """A part that is no number of the extract's records: a target, a cost, a factor. `source` says where it is written."""

    label: str
    amount: float
    unit: Unit
    source: str


@dataclass(frozen=True)
class Made:
    """What a number is made of. `says` is the formula in words, `value` gives the number back from those of the parts, in their order."""

    parts: tuple[Number | Given | Listed, ...]
    says: str
    value: Callable[..., float]

    def given_back(self, x: Coded) -> float:
        """The number, worked out from its parts; NaN where a part that it needs is missing."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(self.value(*(np.float64(part.amount if isinstance(part, Given) else part.value() if isinstance(part, Listed) else part.value(x)) for part in self.parts)))


@dataclass(frozen=True)
class Listed:
    """A number that is the sum of rows which no card gives (columns record, contribution and, of a rate, base), with what they are."""

    label: str
    unit: Unit
    rows: pd.DataFrame
    source: str

    def value(self) -> float:
        top = float(self.rows["contribution"].sum())
        if "base" not in self.rows:
            return top
        base = float(self.rows["base"].sum())
        return top / base if base else float("nan")


@dataclass(frozen=True)
class Worked:
    """A number that a page or an export works out from others, and that no card gives: a step of a split, what is expected of a target by now."""

    label: str
    unit: Unit
    made: Made


def made_of(x: Coded, number: Number) -> Made | None:
    """The parts of a derived number or a study; None for a number with rows of its own, and where there is no number (a study without a row)."""
    if number.card.made_of is None or x.data.missing(number.card.needs):
        return None
    row = number.row(x)
    return None if row is None else number.card.made_of(x, number.view, number.row_name, row, **dict(number.params))


def chosen_rows(x: Coded, card: Metric, view: View, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a study's frame that `view` chooses by the study's own dimensions, by id or label; of another card all of them."""
    if card.headline.kind not in (Kind.DERIVED, Kind.STUDY):
        return frame
    for name, chosen in view.where:
        if name in card.by and name in frame.columns:
            dimension = x.dims.get(name)
            ids = () if dimension is None else (dimension.values[code] for code in dimension.codes_of(chosen))
            frame = frame[frame[name].isin({*chosen, *ids})]
    return frame


def bearing(x: Coded, number: Number) -> tuple[str, ...]:
    """Those of the dimensions chosen in the number's view that bear on it: its records have them, or one of its parts is narrowed by the same choice.
    All of them where there is no number to say."""
    chosen = number.view.chosen
    if not chosen or x.data.missing(number.card.needs):
        return tuple(chosen)
    if not number.is_made:
        have = x.facts(number.card, **dict(number.params)).codes
        return tuple(name for name in chosen if name in have)
    made = made_of(x, number)
    if made is None:
        return tuple(chosen)
    parts = {name for part in made.parts if isinstance(part, Number) for name in bearing(x, part) if part.view.chosen[name] == chosen.get(name)}
    return tuple(name for name in chosen if name in parts or name in number.card.by)


def reached(x: Coded, number: Number, path: tuple[int, ...]) -> tuple[Number, ...]:
    """`number` and the parts that `path` leads through, as far as they are numbers: (0, 2) is the third part of the first part."""
    out = [number]
    for place in path:
        made = made_of(x, out[-1])
        if made is None or place >= len(made.parts) or isinstance(made.parts[place], Given):
            break
        out.append(made.parts[place])
    return tuple(out)


def _label(card: Metric, stat: str) -> str:
    measure = card.measure(stat)
    return card.label if not stat or measure is card.headline and not measure.stats else measure.label or f"{card.label}, {stat}"
