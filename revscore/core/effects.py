"""Whether a number moved after something was done: differences of rates and of weekly values, less what the rest did, and what would have come
back by itself. Pure functions; METRICS section 16 (X2, X5) and `governance.actions`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from revscore.core.statistics import Z95

_D2 = 1.128  # Wheeler's constant for moving ranges of two points
_FREE = 0.62  # degrees of freedom that a moving range brings, as a share of those of a standard deviation
_STICKY = 0.9  # the largest correlation of a week with the one before that is allowed for
EXTREME = 1.0  # standard deviations from its own history from which a baseline counts as picked at an unusual moment
LEAST = 4  # points of history below which nothing is said of what is usual


@dataclass(frozen=True)
class Step:
    """A difference with its 95 % interval."""

    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")

    def way(self, direction: str) -> int:
        """1: it excludes 0 in the direction meant, −1: in the other, 0: it holds 0 or there is none."""
        side = 1 if self.low > 0 else -1 if self.high < 0 else 0
        return -side if direction == "down" else side


def net(own: Step, rest: Step) -> Step:
    """`own` less `rest`, with the interval that follows from theirs (square-and-add: Zou and Donner 2008, as Newcombe's of two rates)."""
    d = own.value - rest.value
    return Step(d, d - float(np.hypot(own.value - own.low, rest.high - rest.value)), d + float(np.hypot(own.high - own.value, rest.value - rest.low)))


def weekly_step(history: np.ndarray, before: np.ndarray, after: np.ndarray) -> Step:
    """Mean of the weeks `after` less the mean of the weeks `before`, with an interval from the natural variation of `history` (which ends with
    `before`): σ = mean moving range ÷ 1.128 (METRICS X5), scaled for the number of weeks on both sides. Weeks that resemble the one before
    (correlation r) carry less news: σ² is larger by 1 ÷ (1 − r), and the means vary by (1 + r) ÷ (1 − r) more. NaN of fewer than two weeks.
    """
    if len(history) < 2 or not len(before) or not len(after):
        return Step()
    deviations = history - history.mean()
    spread = float((deviations ** 2).sum())
    r = float((deviations[1:] * deviations[:-1]).sum()) / spread if spread > 0 else 0.0
    r = float(np.clip(r + 1 / len(history), 0.0, _STICKY))  # of few weeks the estimate is too low by about 1 ÷ their number
    usual = float(np.abs(np.diff(history)).mean())
    ranges = max(usual, float(np.abs(np.concatenate([np.diff(history), np.diff(after)])).mean()))  # one large deal after it is no shift
    sigma = ranges / _D2 / np.sqrt(1 - r)
    error = sigma * np.sqrt((1 + r) / (1 - r) * (1 / len(before) + 1 / len(after)))
    d, half = float(after.mean() - before.mean()), _t95(_FREE * (len(history) - 1)) * error
    return Step(d, d - half, d + half)


def _t95(df: float) -> float:
    """The 97.5 % point of Student's t, by its expansion about the normal (Abramowitz and Stegun 26.7.5)."""
    z, v = Z95, max(df, 2.0)
    return z + (z ** 3 + z) / (4 * v) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * v ** 2)


@dataclass(frozen=True)
class Usual:
    """A baseline beside its own history. `mean`: of the history; `z`: standard deviations that the baseline lies from it; `back`: how far it tends to
    come back by itself (signed). `points`: of history; NaN and 0 where there is too little."""

    mean: float = float("nan")
    z: float = float("nan")
    back: float = float("nan")
    points: int = 0

    def flatters(self, direction: str) -> bool:
        """The baseline was unusual on the side from which coming back looks like success."""
        return bool(self.z <= -EXTREME if direction == "up" else self.z >= EXTREME)


def usual_rate(x: np.ndarray, n: np.ndarray, x0: float, n0: float) -> Usual:
    """A rate x0 of n0 beside earlier ones: what differs between these beyond chance (DerSimonian and Laird's moment estimate) is taken to stay, the
    rest of the distance to their mean is expected to go (empirical Bayes)."""
    x, n = x[n > 0], n[n > 0]
    if len(n) < LEAST or not n0:
        return Usual()
    mean = float(x.sum() / n.sum())
    chance = mean * (1 - mean)
    beyond = float((n * (x / n - mean) ** 2).sum()) - (len(n) - 1) * chance
    real = max(beyond / float(n.sum() - (n ** 2).sum() / n.sum()), 0.0)
    spread = np.sqrt(chance / n0 + real)
    if not spread > 0:
        return Usual(mean, float("nan"), 0.0, len(n))
    away = x0 / n0 - mean
    return Usual(mean, float(away / spread), float(-away * (chance / n0) / spread ** 2), len(n))


def usual_weeks(history: np.ndarray, before: np.ndarray) -> Usual:
    """The mean of the weeks `before` beside those of `history`, which lie before them; all of the distance is expected to go."""
    if len(history) < LEAST or not len(before):
        return Usual()
    mean, sigma = float(history.mean()), float(np.abs(np.diff(history)).mean()) / _D2
    away = float(before.mean()) - mean
    return Usual(mean, float(away / (sigma / np.sqrt(len(before)))) if sigma > 0 else float("nan"), -away, len(history))
