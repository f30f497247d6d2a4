"""What Terms are made of: rules, promises, opening hours, rates, targets; and how the tables of an extract become them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from revscore.core.calendars import NO_DAY, day_numbers


class TermsError(ValueError):
    """Definitions that cannot be used; the message says which key and what is expected."""


@dataclass(frozen=True)
class Attribution:
    """Rules of attribution (METRICS 13); `weights` are (model, ((anchor, weight), …))."""

    person_mode: str = "hybrid"
    lookback_days: float = 365
    lc_tolerance_minutes: float = 60
    half_life_days: float = 30
    responses_only: bool = True
    campaign_influence_days: float = 90
    weights: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = (
        ("u_shaped", (("FT", 0.4), ("LC", 0.4), ("MID", 0.2))),
        ("w_shaped", (("FT", 0.3), ("LC", 0.3), ("OC", 0.3), ("MID", 0.1))),
        ("full_path", (("FT", 0.225), ("LC", 0.225), ("OC", 0.225), ("CW", 0.225), ("MID", 0.1))),
    )


@dataclass(frozen=True)
class Hygiene:
    commit_category: str = "commit"
    commit_min_stage: str = "Negotiation"
    stale_days: float = 30
    push_threshold: int = 2


@dataclass(frozen=True)
class Honesty:
    """What a sample must have before it is shown, coloured, ranked (METRICS C12, X3 to X6)."""

    confidence: float = 0.95
    min_n_show: int = 5
    min_n_normal: int = 30
    min_n_effect: int = 10
    spc_baseline_points: int = 12
    spc_run_length: int = 8


@dataclass(frozen=True)
class SlaPolicy:
    """One promise: within `target` business minutes or days; in force on clocks that start from `effective_from` to `effective_to`."""

    policy_id: str
    sla_type: str
    segment: str  # "" = every segment that has no policy of its own
    target: float
    unit: str = "business_minutes"
    touches_required: int = 0
    clock: str = "business"
    effective_from: int = 0
    effective_to: int = NO_DAY


@dataclass(frozen=True)
class OpenWindow:
    """Opening hours on one weekday (0 = Monday), minutes after local midnight, half-open."""

    calendar_id: str
    tz: str
    weekday: int
    open: int
    close: int


@dataclass(frozen=True)
class Target:
    target_id: str
    metric_id: str
    start: int
    end: int  # exclusive
    segment: str
    owner_function: str
    value: float
    direction: str = "up"
    pacing: str = "none"
    profile_id: str = ""
    steps: tuple[tuple[int, float], ...] = ()  # (day from which, value) where it was changed on the way, the last being `value`


@dataclass(frozen=True)
class Rate:
    """Corporate units per one unit of `currency`, from `start` on."""

    currency: str
    kind: str
    start: int
    rate: float


def _text(frame: pd.DataFrame, column: str) -> list[str]:
    return frame[column].fillna("").astype("str").tolist()


def _minutes(frame: pd.DataFrame, column: str) -> list[int]:
    parts = frame[column].fillna("").astype("str").str.extract(r"^(\d{1,2}):(\d{2})")
    if parts.isna().any(axis=None):
        bad = frame.loc[parts.isna().any(axis=1), column].iloc[0]
        raise TermsError(f"business calendar: “{bad}” is no time of day; write 09:00")
    return (parts[0].astype(int) * 60 + parts[1].astype(int)).tolist()


def _policies(frame: pd.DataFrame) -> tuple[SlaPolicy, ...]:
    touches = frame["touches_required"].fillna(0).astype(int).tolist()
    start = np.where(frame["effective_from"].isna(), 0, day_numbers(frame["effective_from"])).tolist()
    clock = ["calendar" if c == "calendar" else "business" for c in _text(frame, "clock")]
    return tuple(map(SlaPolicy, _text(frame, "policy_id"), _text(frame, "sla_type"), _text(frame, "segment"), frame["target"].tolist(),
                     _text(frame, "unit"), touches, clock, start, day_numbers(frame["effective_to"]).tolist()))


def _seasons(frame: pd.DataFrame) -> tuple[tuple[str, tuple[float, ...]], ...]:
    ordered = frame.sort_values(["profile_id", "week"])
    return tuple((str(name), tuple(part["cum_share"].tolist())) for name, part in ordered.groupby("profile_id", sort=True))


# field of Terms -> (canonical table, reader)
TABLES: dict[str, tuple[str, Any]] = {
    "sla_policies": ("sla_policies", _policies),
    "business_calendars": ("business_calendars", lambda f: tuple(map(
        OpenWindow, _text(f, "calendar_id"), _text(f, "tz"), f["weekday"].astype(int).tolist(), _minutes(f, "open"), _minutes(f, "close")))),
    "holidays": ("holidays", lambda f: tuple(zip(_text(f, "calendar_id"), day_numbers(f["date"]).tolist(), strict=True))),
    "region_calendars": ("region_calendars", lambda f: tuple(zip(_text(f, "region"), _text(f, "calendar_id"), strict=True))),
    "escalation_levels": ("sla_escalation_levels", lambda f: tuple(zip(
        f["level"].astype(int).tolist(), f["pct_of_target"].tolist(), _text(f, "notify"), strict=True))),
    "fx_rates": ("fx_rates", lambda f: tuple(map(
        Rate, _text(f, "currency"), _text(f, "kind"), day_numbers(f["start_date"]).tolist(), f["rate_to_corp"].tolist()))),
    "targets": ("targets", lambda f: tuple(map(
        Target, _text(f, "target_id"), _text(f, "metric_id"), day_numbers(f["period_start"]).tolist(),
        (day_numbers(f["period_end"]) + 1).tolist(), _text(f, "segment"), _text(f, "owner_function"), f["value"].tolist(),
        _text(f, "direction"), _text(f, "pacing"), _text(f, "profile_id")))),
    "seasonality": ("seasonality_profiles", _seasons),
    "required_fields": ("required_fields", lambda f: tuple(zip(_text(f, "object"), _text(f, "stage"), _text(f, "field"), strict=True))),
}
