"""Exact splits of a change: what a difference of two numbers is made of, so that nothing is left unexplained.

Pure functions of arrays: which records, groups or inputs, with what weight before and after. Every split adds up to the difference by
construction; `left_over` says what floating point leaves of it. Where a side does not exist (no record below the line), there is no
difference to split, and the result says so with NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Step:
    """One step from one ratio to another: what it is called, what it adds, and the records (positions) that it changes."""

    id: str
    label: str
    effect: float
    records: np.ndarray


@dataclass(frozen=True)
class Path:
    """A way from the ratio `start` to the ratio `end`: Σ effect = end − start."""

    start: float
    end: float
    steps: tuple[Step, ...]

    @property
    def known(self) -> bool:
        return bool(np.isfinite(self.start) and np.isfinite(self.end))

    @property
    def left_over(self) -> float:
        """What the steps leave unexplained: 0 but for floating point."""
        return self.end - self.start - sum(step.effect for step in self.steps)


Weights = tuple[np.ndarray, np.ndarray]  # numerator and denominator of every record


def path(before: Weights, after: Weights, group: np.ndarray, steps: Sequence[tuple[str, str]]) -> Path:
    """From the ratio Σnum ÷ Σden of `before` to that of `after`, over the same records, one group of records at a time.

    before, after : (numerator, denominator) of every record, same length; 0 for a record that a ratio does not hold
    group : of every record, the step at which it changes: an index into `steps`
    steps : (id, label) in the order in which they are taken

    R_k is the ratio once k groups have changed; the effect of step k is R_k − R_{k−1}, so the sum is R_end − R_start exactly. The order is part of the
    answer: as given, but groups that bring more below the line come before those that take away, so that the ratio never runs empty on the way.
    Steps that change no record stay away. Denominators are not negative.
    """
    (n0, d0), (n1, d1) = ((np.asarray(column, dtype=float) for column in side) for side in (before, after))
    changed = (n0 != n1) | (d0 != d1)
    start, end = _ratio(float(n0.sum()), float(d0.sum())), _ratio(float(n1.sum()), float(d1.sum()))
    if not (np.isfinite(start) and np.isfinite(end)):
        return Path(start, end, ())
    moved = [(k, np.flatnonzero(changed & (group == k))) for k in range(len(steps))]
    moved = sorted(((k, records, float((d1 - d0)[records].sum())) for k, records in moved if len(records)), key=lambda one: one[2] < 0)
    top, bottom, reached, out = float(n0.sum()), float(d0.sum()), start, []
    for place, (k, records, more) in enumerate(moved):
        top, bottom = top + float((n1 - n0)[records].sum()), bottom + more
        value = end if place == len(moved) - 1 else top / bottom
        out.append(Step(*steps[k], value - reached, records))
        reached = value
    return Path(start, end, tuple(out))


def join(first: Path, second: Path) -> Path:
    """Two ways, one after the other: the first ends where the second starts."""
    return Path(first.start, second.end, (*first.steps, *second.steps))


@dataclass(frozen=True)
class RatioSplit:
    """The change of a ratio over the groups of a dimension.

    groups : one row a group: n0, d0, n1, d1, rate0, rate1, mix, rate, total (the last three in the ratio's own unit)
    Σ mix + Σ rate = after − before, and for the numerator: volume + mix_top + rate_top = its change.
    """

    groups: pd.DataFrame
    before: float
    after: float
    mix: float
    rate: float
    change_top: float
    volume: float
    mix_top: float
    rate_top: float

    @property
    def known(self) -> bool:
        return bool(np.isfinite(self.before) and np.isfinite(self.after))

    @property
    def left_over(self) -> float:
        return self.after - self.before - self.mix - self.rate

    @property
    def left_over_top(self) -> float:
        return self.change_top - self.volume - self.mix_top - self.rate_top


def ratio_split(groups: Sequence[str], n0: np.ndarray, d0: np.ndarray, n1: np.ndarray, d1: np.ndarray) -> RatioSplit:
    """The change of R = Σn ÷ Σd from period 0 to 1, split over `groups` into mix and rate; and that of Σn into volume, mix and rate.

    With shares s_g = d_g ÷ Σd, rates r_g = n_g ÷ d_g, and R̄ the mean of R_0 and R_1 (the midpoint form of Oaxaca and Marshall–Edgeworth: it favours
    neither period and leaves no interaction over):
        rate_g = ½(s_g0 + s_g1) · (r_g1 − r_g0)          a group that converts better or worse
        mix_g  = (s_g1 − s_g0) · (½(r_g0 + r_g1) − R̄)    more or less of a group that is better or worse than the whole
        Σ_g (mix_g + rate_g) = R_1 − R_0
    A group that appears or vanishes has no second rate: all of its effect is mix. The volume effect on a ratio is 0; on its numerator N = D·R it is not:
        N_1 − N_0 = (D_1 − D_0)·R̄ + D̄·Σmix + D̄·Σrate   with D̄ the mean of D_0 and D_1
    With nothing below the line on one side, the whole change of the numerator is volume and the ratio has none (NaN).
    """
    n0, d0, n1, d1 = (np.asarray(column, dtype=float) for column in (n0, d0, n1, d1))
    N0, D0, N1, D1 = (float(column.sum()) for column in (n0, d0, n1, d1))
    before, after = _ratio(N0, D0), _ratio(N1, D1)
    with np.errstate(divide="ignore", invalid="ignore"):
        r0, r1 = np.where(d0 != 0, n0 / d0, np.nan), np.where(d1 != 0, n1 / d1, np.nan)
    frame = pd.DataFrame({"group": list(groups), "n0": n0, "d0": d0, "n1": n1, "d1": d1, "rate0": r0, "rate1": r1})
    if not (np.isfinite(before) and np.isfinite(after)):
        return RatioSplit(frame.assign(mix=np.nan, rate=np.nan, total=np.nan), before, after, np.nan, np.nan, N1 - N0, N1 - N0, 0.0, 0.0)
    middle, s0, s1 = (before + after) / 2, d0 / D0, d1 / D1
    total = n1 / D1 - n0 / D0 - (s1 - s0) * middle
    rate = np.where(np.isnan(r0) | np.isnan(r1), 0.0, (s0 + s1) / 2 * (np.nan_to_num(r1) - np.nan_to_num(r0)))
    mix, size = total - rate, (D0 + D1) / 2
    return RatioSplit(frame.assign(mix=mix, rate=rate, total=total), before, after, float(mix.sum()), float(rate.sum()),
                      N1 - N0, (D1 - D0) * middle, size * float(mix.sum()), size * float(rate.sum()))


def shapley(before: Mapping[str, float], after: Mapping[str, float], value: Callable[[Mapping[str, float]], float]) -> dict[str, float]:
    """The change of value(inputs) split over its inputs, free of any order: the mean effect of each over all orders of changing them.

    For input i of n, with S the inputs changed before it (Shapley 1953; Shorrocks 2013):
        effect_i = Σ_S |S|! (n − |S| − 1)! ÷ n! · [value(S ∪ i) − value(S)]
    The effects add up to value(after) − value(before). 2^n evaluations; NaN for all where one of them has no value.
    """
    names = list(before)
    worth: dict[frozenset[str], float] = {}
    for size in range(len(names) + 1):
        for changed in combinations(names, size):
            worth[frozenset(changed)] = value({name: after[name] if name in changed else before[name] for name in names})
    if not all(np.isfinite(found) for found in worth.values()):
        return dict.fromkeys(names, float("nan"))
    n, out = len(names), {}
    for name in names:
        rest = [other for other in names if other != name]
        out[name] = sum(factorial(size) * factorial(n - size - 1) / factorial(n) * (worth[frozenset(some) | {name}] - worth[frozenset(some)])
                        for size in range(n) for some in combinations(rest, size))
    return out


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom else float("nan")
