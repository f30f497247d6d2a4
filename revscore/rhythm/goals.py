"""Targets beside the numbers of a review: the whole target, what of it is expected by today, and who owns it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.core.coded import Coded
from revscore.core.metric import Metric
from revscore.core.metrics import CARDS
from revscore.core.metrics.targets import EARLY_SHARE, expected_share, resolve, standing
from revscore.core.review import Line, line
from revscore.core.terms import Target
from revscore.core.units import listed
from revscore.core.view import View
from revscore.rhythm.asks import Ask, ask
from revscore.rhythm.funnel import named, stage_name
from revscore.rhythm.speed import SLA_NAMES


@dataclass(frozen=True)
class Goal:
    """A target of a line. `expected`: what should be there by as-of (the target itself when it is not cumulative; NaN when its profile is not known)."""

    target: Target
    expected: float
    cumulative: bool

    def reached(self, value: float) -> bool:
        return value <= self.expected if self.target.direction == "down" else value >= self.expected


def _targets(x: Coded, view: View) -> Iterator[tuple[Target, Metric, str, dict[str, str]]]:
    """The targets of exactly the view's period and segment, each with the card, statistic and own dimensions that it is about. A target of the whole says
    nothing about a part: with any other filter there are none."""
    segments, others = view.chosen.get("segment", ("",)), [name for name, _ in view.where if name != "segment"]
    if view.period is None or others or len(segments) != 1:
        return
    for target in x.terms.targets:
        if (target.start, target.end, target.segment) == (view.period.start, view.period.end, segments[0]) and (found := resolve(target.metric_id, CARDS)) is not None:
            yield target, *found


def goal(x: Coded, view: View, line: Line) -> Goal | None:
    """The target for exactly this number, period and segment; None when there is none."""
    for target, card, stat, own in _targets(x, view):
        if card.id == line.card.id and stat in ("", line.stat) and own == dict(line.own):
            cumulative = target.pacing not in ("", "none")
            share = expected_share(x.terms, target, x.as_of_day) if cumulative else 1.0
            return Goal(target, target.value * share, cumulative)
    return None


def paced(x: Coded, view: View, lines: tuple[Line, ...]) -> pd.DataFrame:
    """Progress of the lines that have a cumulative target: name, value, target, expected, expected_name, thin (too few records to call it behind)."""
    rows = [{"name": line.label, "value": line.value, "target": found.target.value, "expected": found.expected,
             "expected_name": {"linear": "linear", "seasonal": "seasonal", "business_day": "by business days"}.get(found.target.pacing, "expected"), "thin": line.thin}
            for line in lines if (found := goal(x, view, line)) is not None and found.cumulative and not np.isnan(line.value + found.expected)]
    return pd.DataFrame(rows, columns=["name", "value", "target", "expected", "expected_name", "thin"])


PROFILES = {"linear": "linear: every day alike", "business_day": "business days", "seasonal": "seasonal curve"}


@dataclass(frozen=True)
class Standing:
    """A target of the period with the number it is about, and where it stands. NaN where the profile does not give it."""

    target: Target
    ask: Ask  # the number with all that belongs to it
    line: Line  # its value alone
    attainment: float
    good: bool | None  # on pace (cumulative) or kept (compared directly); None where the number is not known or stands on fewer than five records
    profile: str  # the pacing profile by its name; "" when the target is compared directly
    expected: float = float("nan")
    expected_share: float = float("nan")
    pace_index: float = float("nan")
    projected: float = float("nan")  # none before 15 % of the target is expected
    needed: float = float("nan")  # per business day, of what is left
    days_left: float = float("nan")
    note: str = ""  # why there is no pace

    @property
    def early(self) -> bool:
        return self.expected_share < EARLY_SHARE


def standings(x: Coded, view: View) -> tuple[Standing, ...]:
    """All targets of exactly the view's period and segment, cumulative ones first."""
    out = []
    for target, card, stat, own in _targets(x, view):
        one = ask(card.id, stat, name_of(card.label, stat, own), now="period" in card.params, **own)
        number = line(x, card, view.during(None) if one.now else view, stat, label=one.label, own=own, alone=True)
        row = standing(x.terms, target, number.value, x.as_of_day)
        cumulative = target.pacing not in ("", "none")
        share = row.get("expected_share", np.nan)
        out.append(Standing(target, one, number, row["attainment"], None if not number.known or number.thin else row["on_pace"] if cumulative else row["hit"],
                            f"{PROFILES.get(target.pacing, target.pacing)}{f' of {_spaced(x.terms.pacing_calendar)}' if target.pacing == 'business_day' else ''}" if cumulative else "",
                            row.get("expected_to_date", np.nan), share, row.get("pace_index", np.nan), row["projected"] if cumulative and share >= EARLY_SHARE else np.nan,
                            row["required_per_business_day"] if cumulative and target.direction != "down" else np.nan, row.get("business_days_left", np.nan), row.get("note", "")))
    return tuple(sorted(out, key=lambda one: one.profile == ""))


def course(found: Sequence[Standing]) -> tuple[str, list[str]]:
    """ "3 of 5 targets on course; behind: Win rate and Bookings", and the names of those behind; "" where none can be judged."""
    judged = [one for one in found if one.good is not None]
    behind = [one.line.label for one in judged if not one.good]
    return f"{len(judged) - len(behind)} of {len(judged)} targets on course" + (f"; behind: {listed(behind)}" if behind else "") if judged else "", behind


def _spaced(code: str) -> str:
    """ "US_EAST" as readers write it: "US East". """
    return " ".join(part if len(part) < 4 else part.capitalize() for part in code.replace("_", " ").split())


def name_of(label: str, stat: str, own: dict[str, str]) -> str:
    """The name of a target's number: "MQLs", "Speed to lead kept", "Sales cycle, median"."""
    if "stage" in own:
        return f"{stage_name(own['stage'])}s"
    if "sla_type" in own:
        return f"{SLA_NAMES.get(own['sla_type'], own['sla_type'])} kept"
    if "pair" in own:
        return named(own["pair"])
    return f"{label}, {stat}" if stat in ("median", "mean", "p75", "p90") else label
