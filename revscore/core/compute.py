"""Finish: how sums of facts become numbers, the same way for all metrics.

`compute` is the one door: it takes the coded extract, a card, a `View`, the dimensions to split by, and gives a tidy frame. Sums of parts can be
added (`sums.sums`, `sums.add`, `finish`), so the same functions run over parts by any map.

The tidy frame has one row per metric, measure, period and group:
    metric · measure · period · start · end · <dimensions> · value · numerator · denominator · n · low · high · flag · maturity
`low`, `high` are the Wilson 95 % interval; `flag` is "suppress", "low_n" or "ok" (METRICS C12); `n` counts all members (of a rate of
amounts, which has no interval, the records it is taken over), `denominator` those
that the rate is taken over; `maturity` is "mature", "partial" or "immature" where these differ in principle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.internals import create_dataframe_from_blocks

from revscore.core import statistics
from revscore.core.calendars import Calendar, Grain
from revscore.core.coded import Coded
from revscore.core.metric import Kind, Measure, Metric
from revscore.core.sums import Columns, Spread, Sums, add, keep, level_instants, sums
from revscore.core.view import View

COLUMNS = ("metric", "measure", "period", "start", "end", "value", "numerator", "denominator", "n", "low", "high", "flag", "maturity")
_NUMBERS = ("value", "numerator", "denominator", "n", "low", "high")
_QUANTILES = {"median": 0.5, "p25": 0.25, "p75": 0.75, "p90": 0.9, "t25": 0.25, "t50": 0.5, "max": 1.0}


def compute(x: Coded, card: Metric, view: View = View(), by: str | Sequence[str] = (), grain: Grain | None = None, *,
            only: str | Sequence[str] = (), **params: Any) -> pd.DataFrame:
    """The numbers of `card` under `view`, split `by` dimensions and, with `grain`, by period; `only` those of its measures that are named. See the
    module's head for the columns.

    A metric without data gives no row when it is split, and one row with a missing value (a total: 0) when it is not.

    Raises KeyError for a dimension that the metric does not have.
    """
    by = (by,) if isinstance(by, str) else tuple(by)
    if card.headline.kind in (Kind.DERIVED, Kind.STUDY):
        return _shape(card.build(x, view=view, by=by, grain=grain, **params), card, by)
    facts = x.facts(card, view.where, **params)
    if only:
        card = replace(card, measures=tuple(card.measure(name) for name in ((only,) if isinstance(only, str) else only)))
    return finish(card, sums(x, card, facts, view, by, grain), x, by, grain)


# -- finish --------------------------------------------------------------------------------------------------------------------------------

_FLAGS, _MATURITIES = (("suppress", "low_n", "ok"), ("immature", "partial", "mature"))


def finish(card: Metric, added: Sums, x: Coded, by: Sequence[str] = (), grain: Grain | None = None) -> pd.DataFrame:
    """Numbers from sums: divide, take quantiles, add intervals and flags, name the periods."""
    whole, by = not by and grain is None, tuple(dict.fromkeys(by))
    blocks = [_FINISH[measure.kind](added.tables[measure.name], measure, added.groups, x, whole) for measure in card.measures]
    sizes = [len(block["value"]) for block in blocks]
    size = sum(sizes)

    def column(name: str, missing: int) -> np.ndarray:
        return np.concatenate([block[name] if name in block else np.full(n, missing) for block, n in zip(blocks, sizes, strict=True)])

    def words(name: str, values: tuple[str, ...]) -> Any:
        return _words(values).take(column(name, -1)) if any(name in block for block in blocks) else np.full((1, size), None, dtype=object)

    names = [stat_name(measure, stat) for measure in card.measures for stat in measure.stats] if any(measure.stats for measure in card.measures) else []
    names = tuple(dict.fromkeys((*names, *(measure.name for measure in card.measures))))
    measure = _constant(names[0], size) if len(names) == 1 else _words(names).take(np.concatenate(
        [np.tile(np.array([names.index(name) for name in block["names"]], dtype=np.intp), n // len(block["names"])) for block, n in zip(blocks, sizes, strict=True)]))
    parts: dict[tuple[str, ...], Any] = {("metric",): _constant(card.id, size), ("measure",): measure}
    if grain is None:
        parts["period", "start", "end"] = np.full((3, size), np.nan)
    else:
        code = column("period", 0).astype("int64")
        low, high = (int(code.min()) // 64 * 64, int(code.max()) // 64 * 64 + 64) if len(code) else (0, 0)
        labels, starts = _periods(x.terms.calendar, grain, low, high)
        code -= low
        parts |= {("period",): labels.take(code), ("start", "end"): starts[np.stack((code, code + 1))]}
    numbers, end = np.full((len(_NUMBERS), size), np.nan), 0
    for block, n in zip(blocks, sizes, strict=True):
        for row, name in zip(numbers, _NUMBERS, strict=True):
            if name in block:
                row[end:end + n] = block[name]
        end += n
    parts |= {(name,): added.words[name].take(column(name, 0)) for name in by} | {_NUMBERS: numbers, ("flag",): words("flag", _FLAGS), ("maturity",): words("maturity", _MATURITIES)}
    index, places = _layout((*COLUMNS[:5], *by, *COLUMNS[5:]), tuple(parts))
    return create_dataframe_from_blocks(list(zip(parts.values(), places, strict=True)), pd.RangeIndex(size), index.view())  # every column was made here: nothing to infer


@lru_cache(maxsize=512)
def _layout(columns: tuple[str, ...], parts: tuple[tuple[str, ...], ...]) -> tuple[pd.Index, list[np.ndarray]]:
    """The columns as an index, and where in it those of each part stand."""
    return pd.Index(columns), [np.array([columns.index(name) for name in part], dtype=np.intp) for part in parts]


@lru_cache(maxsize=512)
def _words(values: tuple[str, ...]) -> Any:
    """A text array; code −1 is missing."""
    return pd.array([*values, None], dtype="str")


def _constant(word: str, size: int) -> Any:
    """A text column of one word: a piece of a longer one that is remembered."""
    return _long(word, max(1 << 10, 1 << size.bit_length()))[:size]


@lru_cache(maxsize=512)
def _long(word: str, size: int) -> Any:
    return _words((word,)).take(np.zeros(size, dtype=np.intp))


@lru_cache(maxsize=64)
def _periods(calendar: Calendar, grain: Grain, low: int, high: int) -> tuple[Any, np.ndarray]:
    """Labels and first days of the periods from number `low` to `high`."""
    return pd.array([calendar.label(code, grain) for code in range(low, high)], dtype="str"), np.array([calendar.start(code, grain) for code in range(low, high + 1)], dtype="int64")


def _groups_of(sums: Columns, groups: tuple[str, ...]) -> Columns:
    return {name: sums[name] for name in groups}


def _finish_total(sums: Columns, measure: Measure, groups: tuple[str, ...], x: Coded, whole: bool) -> Columns:
    if whole and not len(sums["num"]):
        sums = {"num": np.zeros(1), "hit": np.zeros(1)}
    return {**_groups_of(sums, groups), "names": (measure.name,), "value": sums["num"], "numerator": sums["num"], "n": sums["hit"]}


def _finish_rate(sums: Columns, measure: Measure, groups: tuple[str, ...], x: Coded, whole: bool) -> Columns:
    if whole and not len(sums["num"]):
        sums = {name: np.zeros(1) for name in ("num", "den", "base", "hit")}
    num, den, base = sums["num"], sums["den"], sums["base"]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(den != 0, num / den, np.nan)
    out = {**_groups_of(sums, groups), "names": (measure.name,), "value": value, "numerator": num, "denominator": den, "n": base}
    records = sums["hit"] if measure.records else den
    out["flag"] = (records >= x.terms.stats.min_n_show).astype(np.intp) + (records >= max(x.terms.stats.min_n_normal, x.terms.stats.min_n_show))
    if measure.records:
        out["n"] = records  # amounts have no Wilson interval: it is one of counts
    else:
        out["low"], out["high"] = statistics.wilson(num, den)
    if measure.base != measure.den:
        out["maturity"] = np.where(den == 0, 0, np.where(den == base, 2, 1))
    return out


def _finish_values(spread: Spread, measure: Measure, groups: tuple[str, ...], x: Coded, whole: bool) -> Columns:
    """Quantiles and means of distributions, quantiles of survival curves: one row per group and statistic."""
    if whole and not len(spread):
        spread = replace(spread, first=np.zeros(2, dtype="int64"))
    n = np.diff(spread.first).astype(float)
    if measure.kind is Kind.DISTRIBUTION:
        values = np.stack([_means(spread, n) if stat == "mean" else _quantiles(spread, n, _QUANTILES[stat]) for stat in measure.stats], axis=1)
        numerator = np.full(len(n), np.nan)
    else:
        shares = tuple(_QUANTILES[stat] for stat in measure.stats)
        pieces = [slice(a, b) for a, b in zip(spread.first[:-1], spread.first[1:], strict=True)]
        values = np.array([statistics.survival_quantiles(spread.at[piece], spread.ended[piece], shares) for piece in pieces]).reshape(len(n), len(shares))
        numerator = np.array([np.count_nonzero(spread.ended[piece]) for piece in pieces], dtype=float)
    repeated = {name: np.repeat(column, len(measure.stats)) for name, column in {**_groups_of(spread.groups, groups), "numerator": numerator, "denominator": n, "n": n}.items()}
    return {**repeated, "names": tuple(stat_name(measure, stat) for stat in measure.stats), "value": values.ravel()}


def _means(spread: Spread, n: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.add.reduceat(spread.at, spread.first[:-1]) / n if len(spread.at) else n * np.nan


def _quantiles(spread: Spread, n: np.ndarray, p: float) -> np.ndarray:
    """Type-7 quantile of every group (METRICS C9); NaN of nothing."""
    if not len(spread.at):
        return n * np.nan
    h = (n - 1) * p
    low, high = (spread.at[spread.first[:-1] + edge(h).astype("int64")] for edge in (np.floor, np.ceil))
    return low + (high - low) * (h - np.floor(h))


_FINISH = {Kind.TOTAL: _finish_total, Kind.LEVEL: _finish_total, Kind.RATE: _finish_rate, Kind.DISTRIBUTION: _finish_values, Kind.SURVIVAL: _finish_values}


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


def curve_of(counts: Columns) -> statistics.Survival:
    """Kaplan–Meier curve of counts per duration (`at`, `count`, `events`)."""
    at = np.repeat(counts["at"].astype(float), 2)
    events = counts["events"].astype("int64")
    weights = np.column_stack([events, counts["count"].astype("int64") - events]).ravel()
    event = np.tile([True, False], len(events))
    there = weights > 0
    return statistics.kaplan_meier(at[there], event[there], weights[there])


def curve(x: Coded, card: Metric, view: View = View(), measure: str = "", **params: Any) -> statistics.Survival:
    """The survival curve of a card under `view`: times, numbers at risk, events, S(t)."""
    found = card.measure(measure)
    spread = sums(x, replace(card, measures=(found,)), x.facts(card, **params), view).tables[found.name]
    return statistics.kaplan_meier(spread.at, spread.ended)


def _shape(frame: pd.DataFrame, card: Metric, by: Sequence[str]) -> pd.DataFrame:
    """A derived number or study as a tidy frame: the columns in their order, its own ones after them."""
    known = ["metric", "measure", "period", "start", "end", *by, *COLUMNS[5:]]
    return frame.assign(metric=card.id).reindex(columns=known + [c for c in frame.columns if c not in known]).reset_index(drop=True)


__all__ = ["COLUMNS", "add", "compute", "curve", "curve_of", "finish", "keep", "level_instants", "quantile", "stat_name", "sums"]
