"""Keep, bucket, sum, add: what can be put together over parts of the data, from one map or many.

Sums are plain columns (name -> array), one row a group; a data frame is made only once, when the numbers are finished (`compute`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from revscore.core.calendars import NO_DAY, Calendar, Grain, midnight
from revscore.core.coded import Coded
from revscore.core.facts import Dimension, Facts, LeftOut, firsts_of
from revscore.core.metric import Kind, Measure, Metric
from revscore.core.view import View

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Sums:
    """What can be added: per measure the group columns and the sums (or counts per value) of each group, rows grouped."""

    groups: tuple[str, ...]
    tables: dict[str, Columns]


def keep(facts: Facts | LeftOut, view: View, dims: dict[str, Dimension], own: dict[str, Dimension] | None = None, period: bool = True) -> np.ndarray:
    """Positions of the facts that `view` selects, in order. A dimension that the facts do not have selects nothing away."""
    if isinstance(facts, Facts):
        own = dict(facts.own)
        window = facts.slice_of(view.period.start, view.period.end) if view.period and period else slice(0, len(facts))
        rows = np.arange(window.start, window.stop)
    else:
        rows = np.arange(len(facts.record))
        if view.period and period:
            rows = rows[(facts.day >= view.period.start) & (facts.day < view.period.end)]
    for name, chosen in view.where:
        if name not in facts.codes:
            continue
        dimension = (own or {}).get(name) or dims[name]
        allowed = np.zeros(len(dimension), dtype=bool)
        allowed[dimension.codes_of(chosen)] = True
        rows = rows[allowed[facts.codes[name][rows]]]
    return rows


# -- bucket --------------------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Key:
    """A group number for every kept row, and how to read it back."""

    code: np.ndarray
    size: int
    sizes: tuple[int, ...]
    readers: tuple[Any, ...]
    names: tuple[str, ...]

    def columns(self, codes: np.ndarray) -> Columns:
        parts = np.unravel_index(codes, self.sizes) if self.names else ()
        return {name: reader(part) for name, reader, part in zip(self.names, self.readers, parts, strict=True)}


def _key(x: Coded, facts: Facts, rows: np.ndarray, by: Sequence[str], grain: Grain | None) -> _Key:
    parts, sizes, readers, names = [], [], [], []
    if grain is not None:
        periods = x.terms.calendar.codes(facts.day[rows], grain)
        low = int(periods.min()) if len(periods) else 0
        parts.append(periods - low)
        sizes.append(int(periods.max()) - low + 1 if len(periods) else 1)
        readers.append(lambda part, low=low: part + low)
        names.append("period")
    for name in by:
        if name not in facts.codes:
            raise KeyError(f"this metric cannot be split by “{name}”; it has {', '.join(sorted(facts.codes))}")
        dimension = facts.own.get(name) or x.dims[name]
        parts.append(facts.codes[name][rows])
        sizes.append(len(dimension))
        readers.append(lambda part, values=np.array(dimension.values, dtype=object): values[part])
        names.append(name)
    if not parts:
        return _Key(np.zeros(len(rows), dtype="int64"), 1, (), (), ())
    return _Key(np.ravel_multi_index(parts, sizes) if len(rows) else np.zeros(0, dtype="int64"), int(np.prod(sizes)), tuple(sizes),
                tuple(readers), tuple(names))


# -- sum -----------------------------------------------------------------------------------------------------------------------------------

def sums(x: Coded, card: Metric, facts: Facts, view: View, by: Sequence[str] = (), grain: Grain | None = None) -> Sums:
    """The addable part of `compute`: what `add` can put together over parts of the data."""
    level = any(measure.kind is Kind.LEVEL for measure in card.measures)
    rows = keep(facts, view, x.dims, period=not level)
    if grain is not None:
        rows = rows[facts.day[rows] != NO_DAY]
    key = _key(x, facts, rows, by, None if level else grain)
    tables = {}
    for measure in card.measures:
        if measure.kind is Kind.LEVEL:
            tables[measure.name] = _level(x, facts, rows, key, view, grain, measure)
        else:
            tables[measure.name] = _SUM[measure.kind](facts, rows, key, measure)
    return Sums((*(("period",) if grain else ()), *by), tables)


def _sum_total(facts: Facts, rows: np.ndarray, key: _Key, measure: Measure) -> Columns:
    value = facts.values[measure.num][rows]
    there = np.flatnonzero(np.bincount(key.code, minlength=key.size))
    total = np.bincount(key.code, weights=value, minlength=key.size)
    hit = np.bincount(key.code, weights=value != 0, minlength=key.size)
    return {**key.columns(there), "num": total[there], "hit": hit[there]}


def _sum_rate(facts: Facts, rows: np.ndarray, key: _Key, measure: Measure) -> Columns:
    there = np.flatnonzero(np.bincount(key.code, minlength=key.size))
    return {**key.columns(there), **{name: np.bincount(key.code, weights=facts.values[column][rows], minlength=key.size)[there]
                                     for name, column in (("num", measure.num), ("den", measure.den), ("base", measure.base or measure.den))}}


def _sum_values(facts: Facts, rows: np.ndarray, key: _Key, measure: Measure) -> Columns:
    """Counts per value: (group, value, count, events), so that quantiles and curves of parts can be put together exactly."""
    value = facts.values[measure.num][rows].astype(float)
    event = facts.values[measure.den][rows].astype(bool) if measure.den else np.ones(len(rows), dtype=bool)
    known = ~np.isnan(value)
    code, value, event = key.code[known], value[known], event[known]
    order = np.lexsort((value, code))
    code, value, event = code[order], value[order], event[order]
    start = firsts_of(code, value)
    count = np.diff(np.append(start, len(code)))
    events = np.add.reduceat(event.astype("int64"), start) if len(start) else count
    return {**key.columns(code[start]), "at": value[start], "count": count, "events": events}


_SUM = {Kind.TOTAL: _sum_total, Kind.RATE: _sum_rate, Kind.DISTRIBUTION: _sum_values, Kind.SURVIVAL: _sum_values}


def level_instants(x: Coded, view: View, grain: Grain | None, first_day: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the periods and the instant at which each level is read: the midnight that ends the period (so that the reading is also the
    start of the next period, as in the bridge), or as-of in the one that is running."""
    calendar: Calendar = x.terms.calendar
    end = min(view.period.end, x.as_of_day + 1) if view.period else x.as_of_day + 1
    if grain is None:
        return np.array([0]), np.array([x.as_of if end > x.as_of_day else midnight(end, calendar.tz)])
    start = view.period.start if view.period else first_day
    codes = np.arange(*(calendar.codes(np.array([start, max(end - 1, start)]), grain) + [0, 1]))
    ends = [min(calendar.start(int(code) + 1, grain), end) for code in codes]
    return codes, np.array([x.as_of if day > x.as_of_day else midnight(day, calendar.tz) for day in ends], dtype="int64")


def _level(x: Coded, facts: Facts, rows: np.ndarray, key: _Key, view: View, grain: Grain | None, measure: Measure) -> Columns:
    """Σ of what holds at each reading: it is added at its start and taken away at its end, then summed along time."""
    first = int(facts.day[0]) if len(facts) and facts.day[0] != NO_DAY else x.as_of_day
    codes, when = level_instants(x, view, grain, first)
    value = facts.values[measure.num][rows].astype(float)
    begin = np.searchsorted(when, facts.values["start"][rows], side="left")
    end = np.searchsorted(when, facts.values["end"][rows], side="left")
    width, lives = len(when) + 1, begin < end
    cell = key.code[lives] * width

    def along(weights: np.ndarray) -> np.ndarray:
        grid = np.bincount(cell + begin[lives], weights=weights, minlength=key.size * width)
        grid -= np.bincount(cell + end[lives], weights=weights, minlength=key.size * width)
        return grid.reshape(key.size, width).cumsum(axis=1)[:, :-1]

    total, count = along(value[lives]), np.round(along(np.ones(int(lives.sum()))))
    group, reading = np.nonzero(count if key.names else np.ones_like(count))
    period = {} if grain is None else {"period": codes[reading]}
    return {**period, **key.columns(group), "num": total[group, reading], "hit": count[group, reading]}


# -- add -----------------------------------------------------------------------------------------------------------------------------------

def add(parts: Sequence[Sums]) -> Sums:
    """The sums of a whole from the sums of its parts."""
    groups, tables = parts[0].groups, {}
    for name in parts[0].tables:
        frame = pd.concat([pd.DataFrame(part.tables[name]) for part in parts], ignore_index=True)
        by = [column for column in frame.columns if column == "at" or column in groups]
        added = frame.groupby(by, sort=True, as_index=False).sum() if by else frame.sum().to_frame().T
        tables[name] = {column: added[column].to_numpy() for column in frame.columns}
    return Sums(groups, tables)
