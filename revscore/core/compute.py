"""Finish: how sums of facts become numbers, the same way for all metrics.

`compute` is the one door: it takes the coded extract, a card, a `View`, the dimensions to split by, and gives a tidy frame. Sums of parts can be
added (`sums.sums`, `sums.add`, `finish`), so the same functions run over parts by any map.

The tidy frame has one row per metric, measure, period and group:
    metric · measure · period · start · end · <dimensions> · value · numerator · denominator · n · low · high · flag · maturity
`low`, `high` are the Wilson 95 % interval; `flag` is "suppress", "low_n" or "ok" (METRICS C12); `n` counts all members, `denominator` those
that the rate is taken over; `maturity` is "mature", "partial" or "immature" where these differ in principle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from revscore.core import statistics
from revscore.core.calendars import Grain
from revscore.core.coded import Coded
from revscore.core.facts import firsts_of
from revscore.core.metric import Kind, Measure, Metric
from revscore.core.sums import Columns, Sums, add, keep, level_instants, sums
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
    facts = x.facts(card, **params)
    if only:
        card = replace(card, measures=tuple(card.measure(name) for name in ((only,) if isinstance(only, str) else only)))
    return finish(card, sums(x, card, facts, view, by, grain), x, by, grain)


# -- finish --------------------------------------------------------------------------------------------------------------------------------

def finish(card: Metric, added: Sums, x: Coded, by: Sequence[str] = (), grain: Grain | None = None) -> pd.DataFrame:
    """Numbers from sums: divide, take quantiles, add intervals and flags, name the periods."""
    whole = not by and grain is None
    blocks = [_FINISH[measure.kind](added.tables[measure.name], measure, added.groups, x, whole) for measure in card.measures]
    sizes = [len(block["value"]) for block in blocks]

    def column(name: str, missing: Any) -> np.ndarray:
        if not any(name in block for block in blocks):
            return np.full(sum(sizes), missing)
        return np.concatenate([block[name] if name in block else np.full(size, missing) for block, size in zip(blocks, sizes, strict=True)])

    period: dict[str, Any] = dict.fromkeys(("period", "start", "end"), np.nan)
    if grain is not None:
        code = column("period", 0)
        periods = {int(c): x.terms.calendar.period(int(c), grain) for c in np.unique(code)}
        of_row = [periods[int(c)] for c in code]
        period = {"period": np.array([p.label for p in of_row], dtype=object), "start": np.array([p.start for p in of_row]), "end": np.array([p.end for p in of_row])}
    return pd.DataFrame({"metric": card.id, "measure": column("measure", ""), **period, **{name: column(name, "") for name in by},
                         **{name: column(name, np.nan).astype(float) for name in _NUMBERS}, "flag": column("flag", None), "maturity": column("maturity", None)},
                        index=range(sum(sizes)))


def _named(measure: Measure, size: int) -> np.ndarray:
    return np.full(size, measure.name, dtype=object)


def _groups_of(sums: Columns, groups: tuple[str, ...]) -> Columns:
    return {name: sums[name] for name in groups}


def _finish_total(sums: Columns, measure: Measure, groups: tuple[str, ...], x: Coded, whole: bool) -> Columns:
    if whole and not len(sums["num"]):
        sums = {"num": np.zeros(1), "hit": np.zeros(1)}
    return {**_groups_of(sums, groups), "measure": _named(measure, len(sums["num"])), "value": sums["num"], "numerator": sums["num"], "n": sums["hit"]}


def _finish_rate(sums: Columns, measure: Measure, groups: tuple[str, ...], x: Coded, whole: bool) -> Columns:
    if whole and not len(sums["num"]):
        sums = {name: np.zeros(1) for name in ("num", "den", "base")}
    num, den, base = sums["num"], sums["den"], sums["base"]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(den != 0, num / den, np.nan)
    out = {**_groups_of(sums, groups), "measure": _named(measure, len(num)), "value": value, "numerator": num, "denominator": den, "n": base}
    if measure.interval:
        out["low"], out["high"] = statistics.wilson(num, den)
        out["flag"] = statistics.display(den, x.terms.stats.min_n_show, x.terms.stats.min_n_normal).astype(object)
    if measure.base != measure.den:
        out["maturity"] = np.where(den == 0, "immature", np.where(den == base, "mature", "partial")).astype(object)
    return out


def _finish_values(sums: Columns, measure: Measure, groups: tuple[str, ...], x: Coded, whole: bool) -> Columns:
    """Quantiles and means of distributions, quantiles of survival curves: one row per group and statistic."""
    start = firsts_of(*(sums[name] for name in groups)) if groups else np.zeros(min(1, len(sums["at"]) + whole), dtype="int64")
    stop = np.append(start[1:], len(sums["at"]))[: len(start)]
    of = _distribution_of if measure.kind is Kind.DISTRIBUTION else _survival_of
    numbers = [of({name: sums[name][a:b] for name in ("at", "count", "events")}, measure.stats) for a, b in zip(start, stop, strict=True)]
    stats = len(measure.stats)
    flat = np.array(numbers, dtype=float).reshape(len(start), 4, stats).transpose(0, 2, 1).reshape(-1, 4)
    return {**{name: np.repeat(sums[name][start], stats) for name in groups}, "measure": np.array([stat_name(measure, s) for s in measure.stats] * len(start), dtype=object),
            **dict(zip(("value", "numerator", "denominator", "n"), flat.T, strict=True))}


def _distribution_of(counts: Columns, stats: tuple[str, ...]) -> list[list[float]]:
    """value, numerator, denominator, n: each a list over `stats`."""
    value, count = counts["at"], counts["count"].astype("int64")
    n = float(count.sum())
    numbers = [(float(np.dot(value, count) / n) if n else np.nan) if stat == "mean" else quantile(value, count, _QUANTILES[stat]) for stat in stats]
    return [numbers, [np.nan] * len(stats), [n] * len(stats), [n] * len(stats)]


def _survival_of(counts: Columns, stats: tuple[str, ...]) -> list[list[float]]:
    found = curve_of(counts)
    n = [float(found.n)] * len(stats)
    return [[found.quantile(_QUANTILES[stat]) for stat in stats], [float(found.events.sum())] * len(stats), n, n]


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
    return curve_of(sums(x, replace(card, measures=(found,)), x.facts(card, **params), view).tables[found.name])


def _shape(frame: pd.DataFrame, card: Metric, by: Sequence[str]) -> pd.DataFrame:
    """A derived number or study as a tidy frame: the columns in their order, its own ones after them."""
    known = ["metric", "measure", "period", "start", "end", *by, *COLUMNS[5:]]
    return frame.assign(metric=card.id).reindex(columns=known + [c for c in frame.columns if c not in known]).reset_index(drop=True)


__all__ = ["COLUMNS", "add", "compute", "curve", "curve_of", "finish", "keep", "level_instants", "quantile", "stat_name", "sums"]
