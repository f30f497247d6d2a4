"""Groups compared: which of several differs from the rest by more than chance, when all of them were looked at. METRICS X2."""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np


def holm(p: np.ndarray) -> np.ndarray:
    """p values adjusted for having made all of the tests (Holm 1979): the k-th smallest of m times m − k + 1, never falling, at most 1. NaN stays
    NaN and is no test."""
    p = np.asarray(p, dtype=float)
    out, known = np.full(len(p), np.nan), np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    out[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * (len(order) - np.arange(len(order)))))
    return out


def against_rest(x: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Two-sided p of each group's rate x / n against that of all the others together: the score test with the common rate, z = (p1 − p2) ÷
    √(p(1 − p)(1/n1 + 1/n2)). NaN where either side is empty; 1 where all or none are hits."""
    x, n = np.asarray(x, dtype=float), np.asarray(n, dtype=float)
    rest_x, rest_n, common = x.sum() - x, n.sum() - n, x.sum() / n.sum() if n.sum() else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(common * (1 - common) * (1 / n + 1 / rest_n))
        z = np.where(spread > 0, (x / n - rest_x / rest_n) / spread, 0.0)
    return np.where((n > 0) & (rest_n > 0), np.array([erfc(abs(one) / sqrt(2)) if not np.isnan(one) else np.nan for one in z]), np.nan)


def apart(x: np.ndarray, n: np.ndarray, level: float = 0.05) -> np.ndarray:
    """Whether each group differs from the rest by more than chance, with Holm's correction for looking at all of them."""
    with np.errstate(invalid="ignore"):
        return holm(against_rest(x, n)) < level
