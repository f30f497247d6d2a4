"""Keep, bucket, sum, add: what can be put together over parts of the data, from one map or many.

A period is a slice of the facts (they are in date order), a chosen value a comparison of small codes, a group one cached number a row, a sum one
`bincount`. Columns of yes and no are counted together: their pattern is part of the row's number. Sums are plain columns (name -> array), one
row a group; a data frame is made only once, when the numbers are finished (`compute`).
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
from revscore.core.view import View, Where

Columns = dict[str, np.ndarray]
Rows = slice | np.ndarray
_FEW = 4  # so many values are compared one by one, more by a table of 256
_DENSE = 1 << 16  # a grid of so many cells is always counted whole


@dataclass(frozen=True)
class Spread:
    """The values of every group, ascending, ended before not ended: rows `first[g]` to `first[g + 1]` are group g's. They are added by merging."""

    groups: Columns
    first: np.ndarray
    at: np.ndarray
    ended: np.ndarray  # bool; all True for a distribution

    def __len__(self) -> int:
        return len(self.first) - 1


@dataclass(frozen=True)
class Sums:
    """What can be added: per measure the groups and the sums (or the values) of each. Groups are codes: of periods, or places in `words`."""

    groups: tuple[str, ...]
    tables: dict[str, Columns | Spread]
    words: dict[str, Any]


# -- keep ----------------------------------------------------------------------------------------------------------------------------------

def keep(facts: Facts | LeftOut, view: View, dims: dict[str, Dimension], own: dict[str, Dimension] | None = None, period: bool = True) -> np.ndarray:
    """Positions of the facts that `view` selects, in order. A dimension that the facts do not have selects nothing away."""
    if isinstance(facts, Facts):
        rows = _rows(facts, view, dims, period)
        return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
    mask = (facts.day >= view.period.start) & (facts.day < view.period.end) if view.period and period else np.ones(len(facts.record), dtype=bool)
    for name, chosen in view.where:
        if name in facts.codes:
            mask &= _holds(facts.codes[name], (own or {}).get(name) or dims[name], chosen)
    return np.flatnonzero(mask)


def _rows(facts: Facts, view: View, dims: dict[str, Dimension], period: bool = True, dated: bool = False) -> Rows:
    """What `view` selects: a slice where it chooses no values, else positions; `dated`: only rows that have a date."""
    window = facts.slice_of(view.period.start, view.period.end) if view.period and period else slice(0, len(facts))
    if dated and window.stop and facts.day[window.stop - 1] == NO_DAY:
        window = slice(window.start, max(window.start, facts.dated))
    mask = None
    for name, chosen in view.where:
        if name in facts.codes:
            one = _holds(facts.codes[name][window], facts.own.get(name) or dims[name], chosen)
            mask = one if mask is None else mask & one
    return window if mask is None else np.flatnonzero(mask) + window.start


def _holds(codes: np.ndarray, dimension: Dimension, chosen: tuple[str, ...]) -> np.ndarray:
    """Which codes are among the chosen values."""
    wanted = dimension.codes_of(chosen)
    if 0 < len(wanted) <= _FEW:
        mask = codes == wanted[0]
        for code in wanted[1:]:
            mask |= codes == code
        return mask
    allowed = np.zeros(max(len(dimension), 256), dtype=bool)
    allowed[wanted] = True
    if codes.dtype == np.uint8:
        return np.frombuffer(codes.tobytes().translate(allowed[:256].tobytes()), dtype=bool)
    return allowed[codes]


def holding(x: Coded, entity: str, where: Where) -> np.ndarray | None:
    """Which records of an entity hold the chosen values of shared dimensions; None without any. The metric's own dimensions choose facts, not records."""
    codes = x.codes[entity] if where else {}
    masks = [_holds(codes[name], x.dims[name], chosen) for name, chosen in where if name in codes]
    return np.logical_and.reduce(masks) if masks else None


# -- bucket --------------------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Key:
    """A group number for every fact, and how to read it back."""

    code: np.ndarray  # int32 where it fits, one a fact
    sizes: tuple[int, ...]
    low: int  # number of the first period
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        return int(np.prod(self.sizes)) if self.sizes else 1

    def columns(self, codes: np.ndarray) -> Columns:
        parts = dict(zip(self.names, np.unravel_index(codes, self.sizes), strict=True)) if self.names else {}
        return {name: part + self.low if name == "period" else part for name, part in parts.items()}


def _key(x: Coded, facts: Facts, by: tuple[str, ...], grain: Grain | None) -> _Key:
    return facts.recent(("key", by, grain), lambda: _make_key(x, facts, by, grain))


def _make_key(x: Coded, facts: Facts, by: tuple[str, ...], grain: Grain | None) -> _Key:
    sizes, low, names, code = [], 0, (), np.zeros(len(facts), dtype="int32")
    if grain is not None:
        dated = facts.dated
        of_day = np.zeros(1, dtype="int64")
        if dated:
            of_day = x.terms.calendar.codes(np.arange(facts.day[0], facts.day[dated - 1] + 1), grain)
            low = int(of_day[0])
            code[:dated] = (of_day - low).astype("int32")[facts.day[:dated] - facts.day[0]]
        sizes.append(int(of_day[-1]) - low + 1)
        names = ("period",)
    for name in by:
        if name not in facts.codes:
            raise KeyError(f"this metric cannot be split by “{name}”; it has {', '.join(sorted(facts.codes))}")
        sizes.append(len(facts.own.get(name) or x.dims[name]))
        code = (code if np.prod(sizes, dtype=float) < 2**31 else code.astype("int64")) * sizes[-1] + facts.codes[name]
    return _Key(code, tuple(sizes), low, (*names, *by))


@dataclass(frozen=True)
class _Pattern:
    """Which of some columns are not 0: the place in `bits` of every fact's combination."""

    code: np.ndarray
    bits: np.ndarray  # [pattern, column] 0 or 1
    columns: tuple[str, ...]


def _pattern(facts: Facts, columns: tuple[str, ...]) -> _Pattern:
    combined = np.zeros(len(facts), dtype="uint16" if len(columns) <= 16 else "int64")
    for bit, name in enumerate(columns):
        column = facts.values[name]
        combined |= (column if column.dtype == bool else column != 0).astype(combined.dtype) << bit
    seen, code = np.unique(combined, return_inverse=True) if len(columns) > 16 else _seen(combined)
    bits = (seen[:, None].astype("int64") >> np.arange(len(columns))) & 1
    return _Pattern(code, bits, columns)


def _seen(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What `np.unique(codes, return_inverse=True)` gives, for 16-bit codes."""
    seen = np.flatnonzero(np.bincount(codes, minlength=1))
    place = np.zeros(int(seen[-1]) + 1 if len(seen) else 1, dtype="uint16")
    place[seen] = np.arange(len(seen))
    return seen, place[codes]


# -- sum -----------------------------------------------------------------------------------------------------------------------------------

def sums(x: Coded, card: Metric, facts: Facts, view: View, by: Sequence[str] = (), grain: Grain | None = None) -> Sums:
    """The addable part of `compute`: what `add` can put together over parts of the data."""
    by = tuple(by)
    level = any(measure.kind is Kind.LEVEL for measure in card.measures)
    rows = _rows(facts, view, x.dims, period=not level, dated=grain is not None)
    key = _key(x, facts, by, None if level else grain)
    tables: dict[str, Columns | Spread] = {}
    counted = tuple(measure for measure in card.measures if measure.kind in (Kind.TOTAL, Kind.RATE))
    if counted:
        tables |= _sum_counted(facts, rows, key, counted)
    for measure in card.measures:
        if measure.kind is Kind.LEVEL:
            tables[measure.name] = _level(x, facts, rows, key, view, grain, measure)
        elif measure not in counted:
            tables[measure.name] = _spread(facts, rows, key, (by, None if level else grain), measure)
    words = {name: (facts.own.get(name) or x.dims[name]).words for name in by}
    return Sums((*(("period",) if grain else ()), *by), {measure.name: tables[measure.name] for measure in card.measures}, words)


def _inputs(measure: Measure) -> dict[str, str]:
    """What a total or rate sums: name of the sum -> column."""
    rate = {"num": measure.num, "den": measure.den, "base": measure.base or measure.den, **({"hit": measure.records} if measure.records else {})}
    return {"num": measure.num} if measure.kind is Kind.TOTAL else rate


def _sum_counted(facts: Facts, rows: Rows, key: _Key, measures: tuple[Measure, ...]) -> dict[str, Columns]:
    """Totals and rates. One count over (group, pattern) gives every sum of yes and no, and how many of a total's values are not 0."""
    needed = dict.fromkeys(column for measure in measures for column in _inputs(measure).values())
    flags = tuple(name for name in needed if facts.values[name].dtype == bool)
    seen = tuple(dict.fromkeys((*flags, *(measure.num for measure in measures if measure.kind is Kind.TOTAL))))
    pattern: _Pattern = facts.recent(("pattern", seen), lambda: _pattern(facts, seen))
    width = len(pattern.bits)
    number = facts.recent(("cell", key.names, key.sizes, key.low, seen), lambda: _numbered(key, pattern, width))[rows].astype(np.intp, copy=False)
    size, cells = key.size, None
    if size * width > max(_DENSE, 4 * len(number)):  # a wide grid with few rows: only the cells that are there
        cells, place = np.unique(number // width, return_inverse=True)
        number, size = place * width + number % width, len(cells)

    def grid(weights: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(number, weights=weights, minlength=size * width).reshape(size, width)

    counts = grid()
    there = np.flatnonzero(counts.any(axis=1))
    hits = dict(zip(seen, (counts[there] @ pattern.bits).T.astype(float), strict=True))
    total = {name: hits[name] if name in flags else grid(facts.values[name][rows].astype(float, copy=False))[there].sum(axis=1) for name in needed}
    groups = key.columns(there if cells is None else cells[there])
    return {measure.name: {**groups, **{name: total[column] for name, column in _inputs(measure).items()},
                           **({"hit": hits[measure.num]} if measure.kind is Kind.TOTAL else {})} for measure in measures}


def _numbered(key: _Key, pattern: _Pattern, width: int) -> np.ndarray:
    number = key.code.astype(np.intp)  # as wide as `bincount` wants it: narrower ones would be copied at every question
    number *= width
    number += pattern.code
    return number


@dataclass(frozen=True)
class _Order:
    """The facts of a measure with a value, by (group, value, ended before not ended)."""

    row: np.ndarray
    at: np.ndarray
    ended: np.ndarray
    start: np.ndarray  # where each group begins
    cell: np.ndarray  # its number


def _order(facts: Facts, key: _Key, measure: Measure) -> _Order:
    value = facts.values[measure.num].astype(float)
    ended = facts.values[measure.den].astype(bool) if measure.den else np.ones(len(value), dtype=bool)
    known = np.flatnonzero(~np.isnan(value))
    row = known[np.lexsort((~ended[known], value[known], key.code[known]))].astype("int32")
    cell = key.code[row]
    start = firsts_of(cell)
    return _Order(row, value[row], ended[row], start, cell[start])


def _spread(facts: Facts, rows: Rows, key: _Key, split: tuple[Any, ...], measure: Measure) -> Spread:
    order: _Order = facts.recent(("order", measure.num, measure.den, *split), lambda: _order(facts, key, measure))
    if isinstance(rows, slice) and rows.start == 0 and rows.stop == len(facts):
        return Spread(key.columns(order.cell), np.append(order.start, len(order.row)), order.at, order.ended)
    mask = np.zeros(len(facts), dtype=bool)
    mask[rows] = True
    chosen = np.flatnonzero(mask[order.row])
    first = np.append(np.searchsorted(chosen, order.start), len(chosen))
    some = np.flatnonzero(np.diff(first))
    return Spread(key.columns(order.cell[some]), np.append(first[some], len(chosen)), order.at[chosen], order.ended[chosen])


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


def _level(x: Coded, facts: Facts, rows: Rows, key: _Key, view: View, grain: Grain | None, measure: Measure) -> Columns:
    """Σ of what holds at each reading: it is added at its start and taken away at its end, then summed along time."""
    first = int(facts.day[0]) if len(facts) and facts.day[0] != NO_DAY else x.as_of_day
    codes, when = level_instants(x, view, grain, first)
    value = facts.values[measure.num][rows].astype(float)
    begin = np.searchsorted(when, facts.values["start"][rows], side="left")
    end = np.searchsorted(when, facts.values["end"][rows], side="left")
    width, lives = len(when) + 1, begin < end
    cell = key.code[rows][lives].astype("int64") * width

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
    """The sums of a whole from the sums of its parts. Parts may have seen different values of a dimension."""
    names = parts[0].words
    every = {name: list(dict.fromkeys(value for part in parts for value in part.words[name].tolist())) for name in names}
    place = [{name: pd.Index(every[name]).get_indexer(part.words[name]) for name in names} for part in parts]
    tables: dict[str, Columns | Spread] = {}
    for measure, first in parts[0].tables.items():
        found = [part.tables[measure] for part in parts]
        coded = [{name: where[name][column] if name in names else column for name, column in (t.groups if isinstance(t, Spread) else t).items()}
                 for t, where in zip(found, place, strict=True)]
        if isinstance(first, Spread):
            tables[measure] = _merged(found, coded, parts[0].groups)  # type: ignore[arg-type]
            continue
        frame = pd.concat([pd.DataFrame(columns) for columns in coded], ignore_index=True)
        by = [column for column in frame.columns if column in parts[0].groups]
        added = frame.groupby(by, sort=True, as_index=False).sum() if by else frame.sum().to_frame().T
        tables[measure] = {column: added[column].to_numpy() for column in frame.columns}
    return Sums(parts[0].groups, tables, {name: pd.array(values, dtype="str") for name, values in every.items()})


def _merged(found: Sequence[Spread], coded: Sequence[Columns], names: tuple[str, ...]) -> Spread:
    rows = {name: np.concatenate([np.repeat(groups[name], np.diff(spread.first)) for spread, groups in zip(found, coded, strict=True)]) for name in names}
    at, ended = np.concatenate([spread.at for spread in found]), np.concatenate([spread.ended for spread in found])
    order = np.lexsort((~ended, at, *(rows[name] for name in names[::-1])))
    rows = {name: column[order] for name, column in rows.items()}
    start = firsts_of(*rows.values()) if names else np.zeros(min(1, len(at)), dtype="int64")
    return Spread({name: column[start] for name, column in rows.items()}, np.append(start, len(at)), at[order], ended[order])
