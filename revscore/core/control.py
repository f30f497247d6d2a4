"""Control charts: whether a weekly series has really changed. Pure functions: arrays in, a frozen `Chart` out. METRICS X4, X5.

The first complete periods of a series are its baseline; they set a centre and limits which stay until the chart is re-baselined on purpose.
A point outside its limits is a signal, and so are so many points in a row on one side of the centre (points on the line are passed over).
How many points a baseline and a run have, the definitions in force say (`Honesty`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from revscore.core.policies import Honesty

LARGE = 1000  # mean records of a point from which a rate is charted by Laney's p′ (docs/decisions.md)
_EXPECTED = 5  # below so many expected hits or misses the limits of a rate are approximate
_XMR, _RANGE, _D2 = 2.66, 3.268, 1.128  # Wheeler's constants for moving ranges of two points
_SAME = 1e-12  # relative difference that is rounding


@dataclass(frozen=True)
class Signal:
    """A point that says something changed: its position, the rule that fired and on which side. A run is told at the point that completes it."""

    at: int
    rule: Literal["outside", "run"]
    side: Literal["above", "below"]


@dataclass(frozen=True)
class Chart:
    """A control chart. Arrays have one value a point; a point without a value (n = 0) has NaN and no limits.

    baseline    : how many points set the centre and the limits (fewer than asked for where the series is short)
    approximate : points whose limits are approximate, because fewer than 5 hits or misses are expected
    widened     : by how much the limits of rates are wider than chance alone makes them
    mean_range, range_limit : mean moving range and its upper limit (values only, NaN for rates)
    """

    values: np.ndarray
    centre: float
    lower: np.ndarray
    upper: np.ndarray
    signals: tuple[Signal, ...]
    approximate: np.ndarray
    baseline: int
    mean_range: float = float("nan")
    range_limit: float = float("nan")
    widened: float = 1.0

    def outside(self) -> tuple[int, ...]:
        """Positions outside the limits."""
        return tuple(s.at for s in self.signals if s.rule == "outside")

    def runs(self) -> tuple[tuple[int, str], ...]:
        """Position at which each run is complete, and its side."""
        return tuple((s.at, s.side) for s in self.signals if s.rule == "run")


def p_chart(x: np.ndarray, n: np.ndarray, rules: Honesty = Honesty()) -> Chart:
    """Chart of rates x / n in time order: p̄ = Σx / Σn of the baseline, limits p̄ ± 3 √(p̄(1 − p̄) / n) clipped to [0, 1] (METRICS X4).

    Where the points of the baseline hold `LARGE` records and more on average, chance alone makes the limits so narrow that everything is a signal: they
    are then widened by the spread that the baseline shows beyond chance (Laney 2002, p′), σz = mean moving range of its z-scores ÷ 1.128, never below 1.
    """
    x, n = np.asarray(x, dtype=float), np.asarray(n, dtype=float)
    used = min(rules.spc_baseline_points, len(n))
    total = n[:used].sum()
    centre = float(x[:used].sum() / total) if total > 0 else float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(n > 0, x / n, np.nan)
        sigma = np.where(n > 0, np.sqrt(centre * (1 - centre) / n), np.nan)
        z = ((values - centre) / sigma)[:used]
        z = z[np.isfinite(z)]
        widened = max(1.0, float(np.abs(np.diff(z)).mean()) / _D2) if len(z) > 1 and total >= LARGE * used else 1.0
        sigma = sigma * widened
        approximate = (n * centre < _EXPECTED) | (n * (1 - centre) < _EXPECTED)
    lower, upper = np.clip(centre - 3 * sigma, 0, 1), np.clip(centre + 3 * sigma, 0, 1)
    return Chart(values, centre, lower, upper, _signals(values, centre, lower, upper, rules.spc_run_length), approximate, used, widened=widened)


def xmr(values: np.ndarray, rules: Honesty = Honesty()) -> Chart:
    """Chart of counts, amounts or durations in time order: X̄ ± 2.66 mR̄ of the baseline, ranges up to 3.268 mR̄ (METRICS X5)."""
    values = np.asarray(values, dtype=float)
    used = min(rules.spc_baseline_points, len(values))
    first = values[:used][~np.isnan(values[:used])]
    centre = float(first.mean()) if len(first) else float("nan")
    spread = float(np.abs(np.diff(first)).mean()) if len(first) > 1 else float("nan")
    known = ~np.isnan(values)
    lower, upper = np.where(known, centre - _XMR * spread, np.nan), np.where(known, centre + _XMR * spread, np.nan)
    return Chart(values, centre, lower, upper, _signals(values, centre, lower, upper, rules.spc_run_length), np.zeros(len(values), dtype=bool), used, spread, _RANGE * spread)


def _signals(values: np.ndarray, centre: float, lower: np.ndarray, upper: np.ndarray, run: int) -> tuple[Signal, ...]:
    """What the two rules say, in time order."""
    slack = _SAME * max(abs(centre), 1e-300)
    with np.errstate(invalid="ignore"):
        side = np.where(values > centre + slack, 1, np.where(values < centre - slack, -1, 0))
        beyond = (values > upper + slack).astype(int) - (values < lower - slack)
    found = [Signal(int(at), "outside", _SIDES[int(beyond[at])]) for at in np.flatnonzero(beyond)]
    at = np.flatnonzero(side)
    if len(at):
        begins = np.flatnonzero(np.concatenate([[True], side[at][1:] != side[at][:-1]]))
        lengths = np.diff(np.append(begins, len(at)))
        found += [Signal(int(at[b + run - 1]), "run", _SIDES[int(side[at[b]])]) for b, length in zip(begins, lengths, strict=True) if length >= run]
    return tuple(sorted(found, key=lambda s: (s.at, s.rule)))


_SIDES: dict[int, Literal["above", "below"]] = {1: "above", -1: "below"}
