"""Targets beside the numbers of a review: the whole target, what of it is expected by today, and who owns it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.core.coded import Coded
from revscore.core.metrics import CARDS
from revscore.core.metrics.targets import expected_share, resolve
from revscore.core.review import Line
from revscore.core.terms import Target
from revscore.core.view import View


@dataclass(frozen=True)
class Goal:
    """A target of a line. `expected`: what should be there by as-of (the target itself when it is not cumulative)."""

    target: Target
    expected: float
    cumulative: bool

    def reached(self, value: float) -> bool:
        return value <= self.expected if self.target.direction == "down" else value >= self.expected


def goal(x: Coded, view: View, line: Line) -> Goal | None:
    """The target for exactly this number, period and segment; None when there is none (a target of the whole says nothing about a part)."""
    segments, others = view.chosen.get("segment", ("",)), [name for name, _ in view.where if name != "segment"]
    if view.period is None or others or len(segments) != 1:
        return None
    for target in x.terms.targets:
        if (target.start, target.end, target.segment) != (view.period.start, view.period.end, segments[0]):
            continue
        found = resolve(target.metric_id, CARDS)
        if found and found[0].id == line.card.id and found[1] in ("", line.stat) and found[2] == dict(line.own):
            cumulative = target.pacing not in ("", "none")
            share = expected_share(x.terms, target, x.as_of_day) if cumulative else 1.0
            return Goal(target, target.value * share, cumulative)
    return None


def paced(x: Coded, view: View, lines: tuple[Line, ...]) -> pd.DataFrame:
    """Progress of the lines that have a cumulative target: name, value, target, expected, expected_name."""
    rows = [{"name": line.label, "value": line.value, "target": found.target.value, "expected": found.expected,
             "expected_name": {"linear": "linear", "seasonal": "seasonal", "business_day": "by business days"}.get(found.target.pacing, "expected")}
            for line in lines if (found := goal(x, view, line)) is not None and found.cumulative and not np.isnan(line.value)]
    return pd.DataFrame(rows, columns=["name", "value", "target", "expected", "expected_name"])
