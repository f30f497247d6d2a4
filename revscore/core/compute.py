"""Keep, bucket, sum, add, finish: how facts become numbers, the same way for all metrics.

`compute` is the one door: it takes the coded extract, a card, a `View`, the dimensions to split by, and gives a tidy frame. Sums of parts
can be added (`sums`, `add`, `finish`), so the same functions run over parts by any map.

The tidy frame has one row per metric, measure, period and group:
    metric · measure · period · start · end · <dimensions> · value · numerator · denominator · n · low · high · flag · maturity
`low`, `high` are the Wilson 95 % interval; `flag` is "suppress", "low_n" or "ok" (METRICS C12); `n` counts all members, `denominator` those
that the rate is taken over; `maturity` is "mature", "partial" or "immature" where these differ in principle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from revscore.core import statistics
from revscore.core.calendars import NO_DAY, Calendar, Grain, midnight
from revscore.core.coded import Coded
from revscore.core.facts import Dimension, Facts, LeftOut, firsts_of
from revscore.core.metric import Kind, Measure, Metric
from revscore.core.view import View

COLUMNS = ("metric", "measure", "period", "start", "end", "value", "numerator", "denominator", "n", "low", "high", "flag", "maturity")
_SUMS = ("_", "num", "den", "base", "hit", "count", "at", "events")  # columns that only the sums need
_QUANTILES = {"median": 0.5, "p25": 0.25, "p75": 0.75, "p90": 0.9, "t25": 0.25, "t50": 0.5, "max": 1.0}


def compute(x: Coded, card: Metric, view: View = View(), by: str | Sequence[str] = (), grain: Grain | None = None, *, only: str = "",
            **params: Any) -> pd.DataFrame:
    """The numbers of `card` under `view`, split `by` dimensions and, with `grain`, by period; `only` one of its measures if named. See the module's
    head for the columns.

    A metric without data gives no row when it is split, and one row with a missing value (a total: 0) when it is not.

    Raises KeyError for a dimension that the metric does not have.
    """
    by = (by,) if isinstance(by, str) else tuple(by)
    if card.headline.kind in (Kind.DERIVED, Kind.STUDY):
        return _shape(card.build(x, view=view, by=by, grain=grain, **params), card, by)
    facts = x.facts(card, **params)
    if only:
        card = replace(card, measures=(card.measure(only),))
    return finish(card, sums(x, card, facts, view, by, grain), x, by, grain)


# -- keep --------------------------------------------------------------------------------------------------------------------------------

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


# -- bucket and sum ------------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Sums:
    """What can be added: per measure a frame with the group columns and the sums (or counts per value) of each group."""

    groups: tuple[str, ...]
    tables: dict[str, pd.DataFrame]


@dataclass(frozen=True)
class _Key:
    """A group number for every kept row, and how to read it back."""

    code: np.ndarray
    size: int
    sizes: tuple[int, ...]
    readers: tuple[Any, ...]
    names: tuple[str, ...]

    def frame(self, codes: np.ndarray) -> pd.DataFrame:
        columns: dict[str, Any] = {}
        for (name, reader), part in zip(zip(self.names, self.readers, strict=True), np.unravel_index(codes, self.sizes), strict=True):
            columns[name] = reader(part)
        return pd.DataFrame(columns, index=range(len(codes)))


def _key(x: Coded, facts: Facts, rows: np.ndarray, by: Sequence[str], grain: Grain | None, code: np.ndarray | None = None) -> _Key:
    parts, sizes, readers, names = [], [], [], []
    if grain is not None:
        periods = x.terms.calendar.codes(facts.day[rows], grain) if code is None else code
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
        return _Key(np.zeros(len(rows), dtype="int64"), 1, (1,), (lambda part: part,), ("_",))
    return _Key(np.ravel_multi_index(parts, sizes) if len(rows) else np.zeros(0, dtype="int64"), int(np.prod(sizes)), tuple(sizes),
                tuple(readers), tuple(names))


def sums(x: Coded, card: Metric, facts: Facts, view: View, by: Sequence[str] = (), grain: Grain | None = None) -> Sums:
    """The addable part of `compute`: what `add` can put together over parts of the data."""
    tables = {}
    level = any(m.kind is Kind.LEVEL for m in card.measures)
    rows = keep(facts, view, x.dims, period=not level)
    if grain is not None:
        rows = rows[facts.day[rows] != NO_DAY]
    key = None if level else _key(x, facts, rows, by, grain)
    for measure in card.measures:
        if measure.kind is Kind.LEVEL:
            tables[measure.name] = _level(x, facts, rows, view, by, grain, measure)
        else:
            tables[measure.name] = _SUM[measure.kind](facts, rows, key, measure)
    return Sums((*(("period",) if grain else ()), *by), tables)


def _sum_total(facts: Facts, rows: np.ndarray, key: _Key, measure: Measure) -> pd.DataFrame:
    value = facts.values[measure.num][rows]
    counted = np.bincount(key.code, minlength=key.size)
    there = np.flatnonzero(counted)
    total = np.bincount(key.code, weights=value, minlength=key.size)
    hit = np.bincount(key.code, weights=value != 0, minlength=key.size)
    return key.frame(there).assign(num=total[there], hit=hit[there], count=counted[there])


def _sum_rate(facts: Facts, rows: np.ndarray, key: _Key, measure: Measure) -> pd.DataFrame:
    there = np.flatnonzero(np.bincount(key.code, minlength=key.size))
    columns = {name: np.bincount(key.code, weights=facts.values[column][rows], minlength=key.size)[there]
               for name, column in (("num", measure.num), ("den", measure.den), ("base", measure.base or measure.den))}
    return key.frame(there).assign(**columns)


def _sum_values(facts: Facts, rows: np.ndarray, key: _Key, measure: Measure) -> pd.DataFrame:
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
    return key.frame(code[start]).assign(at=value[start], count=count, events=events)


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


def _level(x: Coded, facts: Facts, rows: np.ndarray, view: View, by: Sequence[str], grain: Grain | None, measure: Measure) -> pd.DataFrame:
    """Σ of what holds at each reading: it is added at its start and taken away at its end, then summed along time."""
    first = int(facts.day[0]) if len(facts) and facts.day[0] != NO_DAY else x.as_of_day
    codes, when = level_instants(x, view, grain, first)
    key = _key(x, facts, rows, by, None)
    value = facts.values[measure.num][rows].astype(float)
    begin = np.searchsorted(when, facts.values["start"][rows], side="left")
    end = np.searchsorted(when, facts.values["end"][rows], side="left")
    width, lives = len(when) + 1, begin < end
    cell = key.code[lives] * width
    def along(weights: np.ndarray) -> np.ndarray:
        grid = np.bincount(cell + begin[lives], weights=weights, minlength=key.size * width)
        grid -= np.bincount(cell + end[lives], weights=weights, minlength=key.size * width)
        return grid.reshape(key.size, width).cumsum(axis=1)[:, :-1]

    total, count = along(value[lives]), along(np.ones(int(lives.sum())))
    group, reading = np.nonzero(np.round(count)) if by else np.nonzero(np.ones_like(count))
    frame = key.frame(group)
    if grain is not None:
        frame.insert(0, "period", codes[reading])
    return frame.assign(num=total[group, reading], hit=np.round(count[group, reading]), count=np.round(count[group, reading]))


# -- add -----------------------------------------------------------------------------------------------------------------------------------

def add(parts: Sequence[Sums]) -> Sums:
    """The sums of a whole from the sums of its parts."""
    groups, names = parts[0].groups, parts[0].tables
    tables = {}
    for name in names:
        frame = pd.concat([part.tables[name] for part in parts], ignore_index=True)
        by = [column for column in frame.columns if column in ("_", "at") or column in groups]
        tables[name] = frame.groupby(by, sort=True, as_index=False).sum() if len(frame) else frame
    return Sums(groups, tables)


# -- finish --------------------------------------------------------------------------------------------------------------------------------

def finish(card: Metric, added: Sums, x: Coded, by: Sequence[str] = (), grain: Grain | None = None) -> pd.DataFrame:
    """Numbers from sums: divide, take quantiles, add intervals and flags, name the periods."""
    whole = not by and grain is None
    frames = [_FINISH[measure.kind](added.tables[measure.name], measure, added.groups, x, whole) for measure in card.measures]
    found = [frame for frame in frames if len(frame)]
    frame = pd.concat(found, ignore_index=True) if found else frames[0]
    frame = frame.drop(columns=[name for name in _SUMS if name in frame.columns])
    return _shape(named_periods(frame, x.terms.calendar, grain) if grain else frame, card, by)


def _finish_total(frame: pd.DataFrame, measure: Measure, groups: tuple[str, ...], x: Coded, whole: bool) -> pd.DataFrame:
    if whole and not len(frame):
        frame = pd.DataFrame({"num": [0.0], "hit": [0.0], "count": [0.0]})
    return frame.assign(measure=measure.name, value=frame["num"], numerator=frame["num"], n=frame["hit"])


def _finish_rate(frame: pd.DataFrame, measure: Measure, groups: tuple[str, ...], x: Coded, whole: bool) -> pd.DataFrame:
    if whole and not len(frame):
        frame = pd.DataFrame({"num": [0.0], "den": [0.0], "base": [0.0]})
    num, den, base = (frame[name].to_numpy(dtype=float) for name in ("num", "den", "base"))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(den != 0, num / den, np.nan)
    out = frame.assign(measure=measure.name, value=value, numerator=num, denominator=den, n=base)
    if measure.interval:
        low, high = statistics.wilson(num, den)
        honesty = x.terms.stats
        out = out.assign(low=low, high=high, flag=statistics.display(den, honesty.min_n_show, honesty.min_n_normal))
    if measure.base != measure.den:
        out["maturity"] = np.where(den == base, "mature", np.where(den > 0, "partial", "immature"))
    return out


def _per_group(frame: pd.DataFrame, groups: tuple[str, ...], whole: bool) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    by = [name for name in groups if name in frame.columns]
    if not by:
        return [({}, frame)] if whole or len(frame) else []
    return [(dict(zip(by, key, strict=True)), part) for key, part in frame.groupby(by, sort=True)]


def _finish_distribution(frame: pd.DataFrame, measure: Measure, groups: tuple[str, ...], x: Coded, whole: bool) -> pd.DataFrame:
    rows = []
    for key, part in _per_group(frame, groups, whole):
        value, count = part["at"].to_numpy(dtype=float), part["count"].to_numpy(dtype="int64")
        n = int(count.sum())
        for stat in measure.stats:
            number = weighted_mean(value, count) if stat == "mean" else quantile(value, count, _QUANTILES[stat])
            rows.append({**key, "measure": stat_name(measure, stat), "value": number, "n": n, "denominator": n})
    return pd.DataFrame(rows)


def _finish_survival(frame: pd.DataFrame, measure: Measure, groups: tuple[str, ...], x: Coded, whole: bool) -> pd.DataFrame:
    rows = []
    for key, part in _per_group(frame, groups, whole):
        curve = curve_of(part)
        for stat in measure.stats:
            rows.append({**key, "measure": stat_name(measure, stat), "value": curve.quantile(_QUANTILES[stat]), "n": curve.n,
                         "numerator": int(curve.events.sum()), "denominator": curve.n})
    return pd.DataFrame(rows)


_FINISH = {Kind.TOTAL: _finish_total, Kind.LEVEL: _finish_total, Kind.RATE: _finish_rate, Kind.DISTRIBUTION: _finish_distribution,
           Kind.SURVIVAL: _finish_survival}


def stat_name(measure: Measure, stat: str) -> str:
    """Name of one statistic of a measure: "median" of the headline, "calendar_median" of a further measure called calendar."""
    return stat if measure.name in ("", "days", "minutes", "value") else f"{measure.name}_{stat}"


def quantile(value: np.ndarray, count: np.ndarray, p: float) -> float:
    """Type-7 quantile of values (ascending) that occur `count` times each (METRICS C9); NaN of nothing."""
    n = int(count.sum())
    if not n:
        return float("nan")
    place = np.cumsum(count)
    h = (n - 1) * p
    low, high = int(np.floor(h)), int(np.ceil(h))
    a, b = (float(value[np.searchsorted(place, k, side="right")]) for k in (low, high))
    return a + (b - a) * (h - low)


def weighted_mean(value: np.ndarray, count: np.ndarray) -> float:
    return float(np.dot(value, count) / count.sum()) if count.sum() else float("nan")


def curve_of(counts: pd.DataFrame) -> statistics.Survival:
    """Kaplan–Meier curve of counts per duration (`at`, `count`, `events`)."""
    at = np.repeat(counts["at"].to_numpy(dtype=float), 2)
    events = counts["events"].to_numpy(dtype="int64")
    weights = np.column_stack([events, counts["count"].to_numpy(dtype="int64") - events]).ravel()
    event = np.tile([True, False], len(counts))
    there = weights > 0
    return statistics.kaplan_meier(at[there], event[there], weights[there])


def curve(x: Coded, card: Metric, view: View = View(), measure: str = "", **params: Any) -> statistics.Survival:
    """The survival curve of a card under `view`: times, numbers at risk, events, S(t)."""
    found = card.measure(measure)
    added = sums(x, card, x.facts(card, **params), view)
    return curve_of(added.tables[found.name])


def _shape(frame: pd.DataFrame, card: Metric, by: Sequence[str]) -> pd.DataFrame:
    """The tidy frame in its order of columns (a study's own columns follow)."""
    known = ["metric", "measure", "period", "start", "end", *by, *COLUMNS[5:]]
    return frame.assign(metric=card.id).reindex(columns=known + [c for c in frame.columns if c not in known]).reset_index(drop=True)


def named_periods(frame: pd.DataFrame, calendar: Calendar, grain: Grain) -> pd.DataFrame:
    """`frame` with its period numbers turned into labels and start and end days."""
    if "period" not in frame.columns:
        return frame
    periods = {code: calendar.period(int(code), grain) for code in frame["period"].unique()}
    return frame.assign(start=frame["period"].map({c: p.start for c, p in periods.items()}), end=frame["period"].map({c: p.end for c, p in periods.items()}),
                        period=frame["period"].map({c: p.label for c, p in periods.items()}))
