"""Small pure functions of statistics: intervals, survival curves, control charts, differences. METRICS section 16 and C9 to C12."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054
TIE = 1e-9  # tolerance of S(t) <= 1 - p (METRICS C10)


def wilson(x: np.ndarray | float, n: np.ndarray | float, z: float = Z95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson score interval of x hits in n, clipped to [0, 1]; NaN where n is 0. Source: Newcombe 1998, method 3 (METRICS X1)."""
    x, n = np.asarray(x, dtype=float), np.asarray(n, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = x / n
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low = np.where(n > 0, np.clip(centre - half, 0, 1), np.nan)
        high = np.where(n > 0, np.clip(centre + half, 0, 1), np.nan)
    return np.where(x == 0, np.where(n > 0, 0.0, np.nan), low), np.where(x == n, np.where(n > 0, 1.0, np.nan), high)


def newcombe(x0: float, n0: float, x1: float, n1: float) -> tuple[float, float, float]:
    """Difference p1 − p0 with its 95 % hybrid score interval (Newcombe 1998, method 10; METRICS X2); NaN when either n is 0."""
    if not n0 or not n1:
        return (np.nan, np.nan, np.nan)
    p0, p1 = x0 / n0, x1 / n1
    (l0, u0), (l1, u1) = wilson(x0, n0), wilson(x1, n1)
    d = p1 - p0
    return d, d - float(np.hypot(p1 - l1, u0 - p0)), d + float(np.hypot(u1 - p1, p0 - l0))


def relative_lift(x0: float, n0: float, x1: float, n1: float) -> tuple[float, float, float]:
    """Relative lift p1 / p0 − 1 with its 95 % log interval (Katz 1978; METRICS X6); NaN where it does not exist (no hits in an arm)."""
    if not n0 or not n1 or not x0:
        return (np.nan, np.nan, np.nan)
    ratio = (x1 / n1) / (x0 / n0)
    if not x1:
        return -1.0, np.nan, np.nan
    half = Z95 * math.sqrt(1 / x1 - 1 / n1 + 1 / x0 - 1 / n0)
    return ratio - 1, ratio * math.exp(-half) - 1, ratio * math.exp(half) - 1


def chi_square_tail(x: float, df: int) -> float:
    """P(χ² ≥ x) with `df` ≥ 1 degrees of freedom, exactly: erfc for 1, exp for 2, and Q(k + 2) = Q(k) + (x/2)^(k/2) e^(−x/2) / Γ(k/2 + 1)."""
    k = 1 if df % 2 else 2
    tail = math.erfc(math.sqrt(x / 2)) if k == 1 else math.exp(-x / 2)
    while k < df:
        tail += math.exp(k / 2 * math.log(x / 2) - x / 2 - math.lgamma(k / 2 + 1)) if x > 0 else 0.0
        k += 2
    return tail


def sample_ratio(n: np.ndarray, planned: np.ndarray) -> tuple[float, float]:
    """χ² of the arms' sizes against their planned shares, and its tail probability (METRICS X6); NaN for fewer than two planned arms or nobody."""
    n, planned = np.asarray(n, dtype=float), np.asarray(planned, dtype=float)
    if len(n) < 2 or not n.sum() > 0 or not (planned > 0).all():
        return (np.nan, np.nan)
    expected = planned / planned.sum() * n.sum()
    chi = float(((n - expected) ** 2 / expected).sum())
    return chi, chi_square_tail(chi, len(n) - 1)


def display(n: np.ndarray, show: int = 5, normal: int = 30) -> np.ndarray:
    """Display flag of a rate by its sample: "suppress" below `show`, "low_n" below `normal`, else "ok" (METRICS C12)."""
    n = np.asarray(n)
    return np.where(n < show, "suppress", np.where(n < normal, "low_n", "ok"))


@dataclass(frozen=True)
class Survival:
    """A Kaplan–Meier curve: at each time with an event, the number at risk just before, the events, and S after it.

    times : sorted distinct durations with at least one event; at_risk, events, survival : same length
    n : all durations; last : the longest follow-up (event or censored), NaN when there is none
    """

    times: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    survival: np.ndarray
    n: int
    last: float
    durations: np.ndarray  # sorted, to answer at_risk_at

    def at(self, t: float) -> float:
        """S(t); 1 before the first event, carried flat after the last; NaN when nothing was followed."""
        if not self.n:
            return float("nan")
        k = int(np.searchsorted(self.times, t, side="right"))
        return 1.0 if k == 0 else float(self.survival[k - 1])

    def at_risk_at(self, t: float) -> int:
        """How many were followed for at least t."""
        return int(self.n - np.searchsorted(self.durations, t, side="left"))

    def quantile(self, p: float) -> float:
        """Smallest t with S(t) ≤ 1 − p within 1e-9 (METRICS C10); NaN when the curve does not come so low."""
        k = np.flatnonzero(self.survival <= 1 - p + TIE)
        return float(self.times[k[0]]) if len(k) else float("nan")

    def restricted_mean(self, tau: float) -> float:
        """Area under S from 0 to tau (RMST, METRICS C11); S is carried flat after the last observation."""
        if not self.n:
            return float("nan")
        inside = self.times < tau
        edges = np.concatenate([[0.0], self.times[inside], [tau]])
        return float(np.sum(np.diff(edges) * np.concatenate([[1.0], self.survival[inside]])))


def survival_quantiles(durations: np.ndarray, event: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """`kaplan_meier(durations, event).quantile(p)` for each p, of durations in ascending order with events before censorings at ties.

    If everyone had an event, S after the i-th of n would be (n − i) / n. One who is censored while r are at risk takes no part in that fall: from
    there on S is larger by r / (r − 1). So only the censored are multiplied, and between two of them S is a straight line.
    """
    n = len(durations)
    censored = np.flatnonzero(~event)
    factor = np.concatenate([[1.0], np.cumprod((n - censored) / np.maximum(n - censored - 1, 1))])
    stop = np.append(censored, n)  # each straight piece ends before it
    low = (n - stop) / max(n, 1) * factor  # S at the end of each piece
    if len(censored) and censored[-1] == n - 1:
        low[-1] = low[-2]  # nobody is left after the last one
    out = []
    for p in shares:
        goal = 1 - p + TIE
        reached = np.flatnonzero(low <= goal) if n else censored[:0]
        if not len(reached):
            out.append(float("nan"))
            continue
        piece = int(reached[0])
        begin = int(stop[piece - 1]) + 1 if piece else 0
        row = max(begin, int(n - 1 - goal * n / factor[piece]) - 1)
        while row < stop[piece] - 1 and (n - row - 1) / n * factor[piece] > goal:
            row += 1
        out.append(float(durations[min(row, n - 1)]))
    return out


def kaplan_meier(durations: np.ndarray, event: np.ndarray, weights: np.ndarray | None = None) -> Survival:
    """Kaplan–Meier estimate; events come before censorings at ties (METRICS C10). `weights` are counts of equal records."""
    durations, event = np.asarray(durations, dtype=float), np.asarray(event, dtype=bool)
    order = np.argsort(durations, kind="stable")
    durations, event = durations[order], event[order]
    count = np.ones(len(durations), dtype="int64") if weights is None else np.asarray(weights, dtype="int64")[order]
    total = int(count.sum())
    times, first = np.unique(durations, return_index=True)
    d = np.add.reduceat(np.where(event, count, 0), first) if len(times) else np.zeros(0, dtype="int64")
    left = total - np.concatenate([[0], np.cumsum(count)])[first] if len(times) else np.zeros(0, dtype="int64")
    seen = d > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - d[seen] / left[seen])
    spread = durations if weights is None else np.repeat(durations, count)
    return Survival(times[seen], left[seen], d[seen], survival, total, float(durations[-1]) if total else float("nan"), spread)
