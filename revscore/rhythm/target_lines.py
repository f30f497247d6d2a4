"""Target lines: what the target of a number was in each period of its trend, a step where it changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd

from revscore.core.coded import Coded
from revscore.core.metric import Kind, Measure, Metric
from revscore.core.metrics import CARDS
from revscore.core.metrics.targets import expected_share, resolve
from revscore.core.review import Line
from revscore.core.terms import Target
from revscore.core.view import View

SHARE = "Dashed: the target; of a quarter's or a year's target the share that its pacing puts into the period, of the running period what is expected by now."
IN_FORCE = "Dashed: the target in force at the end of each period."


@cache
def number_key(metric_id: str) -> str:
    """One key for every way to write a metric: "bookings.won.value" and "bookings.won_value" are one."""
    found = resolve(metric_id, CARDS)
    if found is None:
        return metric_id
    card, stat, own = found
    return f"{card.id}:{stat or card.headline.name}:{sorted(own.items())}" if (stat or not card.headline.stats) else f"{card.id}:{card.headline.stats[0]}:{sorted(own.items())}"


def measure_of(metric_id: str) -> tuple[Metric, Measure] | None:
    found = resolve(metric_id, CARDS)
    return None if found is None else (found[0], found[0].measure(found[1]))


def target_line(x: Coded, view: View, line: Line) -> pd.DataFrame:
    """The target in every period of a line's trend: start, end (day numbers), target (NaN where there was none). See `targets_over`."""
    if not len(line.series):
        return pd.DataFrame({"start": [], "end": [], "target": []})
    start, end = line.series["start"].to_numpy(dtype="int64"), line.series["end"].to_numpy(dtype="int64")
    return pd.DataFrame({"start": start, "end": end, "target": targets_over(x, view, line.card.id, line.stat, dict(line.own), start, end)})


def caption(line: Line) -> str:
    """What the dashed line of a trend is."""
    return SHARE if line.measure.kind is Kind.TOTAL else IN_FORCE


def targets_over(x: Coded, view: View, card: str, stat: str, own: dict[str, str], start: Sequence[int] | np.ndarray, end: Sequence[int] | np.ndarray) -> np.ndarray:
    """The target in each of the periods [start, end), by every target of the number for the segment of `view` (with any other filter there is none).

    A rate, a duration: the target whose period holds the last day of the period, the shortest of several, at the value that held on that day.
    A total: what the targets put into the period by their own pacing, so that line and bars can be compared at any grain; only where targets cover the
    whole period; of the period that is running what is expected by as-of. A total without pacing has a target in exactly its own period.
    """
    out = np.full(len(start), np.nan)
    segments, others = view.chosen.get("segment", ("",)), [name for name, _ in view.where if name != "segment"]
    if others or len(segments) != 1:
        return out
    wanted = f"{card}:{stat}:{sorted(own.items())}"
    found = [one for one in x.terms.targets if one.segment == segments[0] and number_key(one.metric_id) == wanted]
    if not found:
        return out
    wholes: dict[tuple[int, int], Target] = {}
    for one in found:  # of several functions' targets of one period the one that most of them own: the whole
        wholes.setdefault((one.start, one.end), one)
    adds_up = measure_of(found[0].metric_id)[1].kind is Kind.TOTAL  # type: ignore[index]
    make = _added if adds_up else _held
    return np.array([make(x, tuple(wholes.values()), int(a), int(b)) for a, b in zip(start, end, strict=True)], dtype=float)


def value_on(target: Target, day: int) -> float:
    """The value that a target had on a day; NaN before it was set."""
    if not target.steps:
        return target.value
    known = [value for since, value in target.steps if since <= day]
    return known[-1] if known else float("nan")


def _held(x: Coded, targets: Sequence[Target], start: int, end: int) -> float:
    day = end - 1
    holding = [one for one in targets if one.start <= day < one.end]
    return value_on(min(holding, key=lambda one: one.end - one.start), day) if holding else float("nan")


def _added(x: Coded, targets: Sequence[Target], start: int, end: int) -> float:
    until = min(end, x.as_of_day + 1) if start <= x.as_of_day else end
    same = next((one for one in targets if (one.start, one.end) == (start, end)), None)
    if same is not None:
        share = 1.0 if until == end else float("nan") if same.pacing in ("", "none") else expected_share(x.terms, same, until - 1)
        return value_on(same, until - 1) * share
    paced = [one for one in targets if one.pacing not in ("", "none") and one.start < until and start < one.end]
    days, total = 0, 0.0
    for one in paced:  # of a quarter's and a month's target the month's: what overlaps a shorter one is not counted twice
        if any(other.start < one.end and one.start < other.end for other in paced if other.end - other.start < one.end - one.start):
            continue
        first, last = max(start, one.start), min(until, one.end)
        days += last - first
        before = expected_share(x.terms, one, first - 1) if first > one.start else 0.0
        total += value_on(one, last - 1) * (expected_share(x.terms, one, last - 1) - before)
    return total if days == until - start else float("nan")
