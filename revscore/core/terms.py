"""Terms: the team's definitions as one frozen, validated value: stages, windows, weights, SLA policies, calendars, fiscal year, zone.

A dict in the form of METRICS "Config keys and defaults" becomes Terms by `Terms.from_config`; tables of terms that an extract brings
(SLA policies, business calendars, rates, targets …) are taken over by `with_tables`. Everything is hashable, so that results can be
remembered by it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from revscore.core.calendars import Calendar, day_number
from revscore.core.data import CrmData
from revscore.core.policies import TABLES, Attribution, Hygiene, Honesty, OpenWindow, Rate, SlaPolicy, Target, TermsError

OPPORTUNITY, WON, MQL, SAL, SQL = "opportunity", "won", "mql", "sal", "sql"  # fixed names of lead stages
RECYCLED, DISQUALIFIED = "recycled", "disqualified"
SLA_TYPES = ("speed_to_lead", "acceptance", "follow_up", "meeting_set", "recycle")
MODELS = ("first_touch", "lead_create", "last_touch", "last_touch_close", "linear", "time_decay", "u_shaped", "w_shaped", "full_path")
MODEL_LABELS = ("First touch", "Lead creation", "Last touch before the deal", "Last touch before the close", "Linear", "Time decay", "U-shaped", "W-shaped", "Full path")
_ANCHORS = ("FT", "LC", "OC", "CW", "MID")
_YEARS = 36_500  # days of the longest window: what is larger is no window, and the memory of a computer is no match for it
_BOUNDS: dict[str, tuple[float, float]] = {  # definition -> its least and its largest value
    "default_window_days": (0.0001, _YEARS), "rmst_tau_days": (1, _YEARS), "cohort_win_window_days": (1, _YEARS), "benchmark_min_n": (1, 1_000_000),
    "attribution.lookback_days": (0, _YEARS), "attribution.lc_tolerance_minutes": (0, 1440 * 366), "attribution.half_life_days": (0.0001, _YEARS), "attribution.campaign_influence_days": (0, _YEARS),
    "hygiene.stale_days": (0, _YEARS), "hygiene.push_threshold": (0, 1000), "stats.confidence": (0.5, 0.9999), "stats.min_n_show": (1, 1_000_000), "stats.min_n_normal": (1, 1_000_000),
    "stats.min_n_effect": (1, 1_000_000), "stats.spc_baseline_points": (2, 520), "stats.spc_run_length": (2, 520)}


def _office(calendar_id: str, tz: str) -> tuple[OpenWindow, ...]:
    return tuple(OpenWindow(calendar_id, tz, weekday, 9 * 60, 17 * 60) for weekday in range(5))


_DEFAULT_POLICIES = (
    SlaPolicy("default-speed", "speed_to_lead", "", 120), SlaPolicy("default-acceptance", "acceptance", "", 960),
    SlaPolicy("default-follow-up", "follow_up", "", 5, "business_days", 3), SlaPolicy("default-meeting", "meeting_set", "", 5, "business_days"),
    SlaPolicy("default-recycle", "recycle", "", 5, "business_days"),
)


@dataclass(frozen=True)
class Terms:
    """The definitions in force. Defaults are METRICS' defaults; days are day numbers."""

    reporting_tz: str = "UTC"
    corporate_currency: str = "USD"
    fx_mode: str = "corporate"
    fiscal_start_month: int = 2
    fiscal_year_named_by: str = "end"
    week_start: str = "monday"
    lead_stages: tuple[str, ...] = ("inquiry", MQL, SAL, SQL, OPPORTUNITY, WON)
    lead_exit_stages: tuple[str, ...] = (RECYCLED, DISQUALIFIED)
    opp_open_stages: tuple[str, ...] = ("Prospecting", "Discovery", "Proposal", "Negotiation")
    opp_won_stage: str = "Closed Won"
    opp_lost_stage: str = "Closed Lost"
    pipeline_entry_stage: str = "Discovery"
    pipeline_types: tuple[str, ...] = ("new_business", "expansion")
    omitted_category: str = "omitted"
    excluded_loss_reasons: tuple[str, ...] = ("Duplicate",)
    conversion_window_days: tuple[tuple[str, float], ...] = (
        ("inquiry->mql", 30), ("mql->sal", 14), ("sal->sql", 30), ("sql->opportunity", 30), ("mql->opportunity", 60), ("mql->won", 90))
    default_window_days: float = 60
    stall_days: tuple[tuple[str, float], ...] = (("inquiry", 30), (MQL, 7), (SAL, 14), (SQL, 30))
    rmst_tau_days: float = 90
    pacing_calendar: str = "US_EAST"
    cohort_win_window_days: float = 60
    benchmark_min_n: int = 5
    attribution: Attribution = Attribution()
    hygiene: Hygiene = Hygiene()
    placeholders: tuple[str, ...] = ("unknown", "n/a", "na", "none", "tbd", "-", "null", "test")
    reporting_consistency: tuple[tuple[str, Any], ...] = (("canonical_source", "revscore"), ("rel_tol", 0.005))
    stats: Honesty = Honesty()
    retention_period: tuple[int, int] | None = None  # start, end exclusive
    fiscal_445_year_starts: tuple[tuple[str, int, int], ...] = ()
    sla_policies: tuple[SlaPolicy, ...] = _DEFAULT_POLICIES
    business_calendars: tuple[OpenWindow, ...] = ()
    holidays: tuple[tuple[str, int], ...] = ()
    region_calendars: tuple[tuple[str, str], ...] = ()
    escalation_levels: tuple[tuple[int, float, str], ...] = ((1, 80, "owner"), (2, 100, "manager"), (3, 200, "director"), (4, 400, "revenue council"))
    fx_rates: tuple[Rate, ...] = ()
    targets: tuple[Target, ...] = ()
    seasonality: tuple[tuple[str, tuple[float, ...]], ...] = ()
    required_fields: tuple[tuple[str, str, str], ...] = ()
    default_calendar: str = field(default="OFFICE")  # used by regions without a calendar of their own

    def __post_init__(self) -> None:
        _validate(self)

    # -- reading ---------------------------------------------------------------------------------------------------------------------

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.reporting_tz, self.fiscal_start_month, self.fiscal_year_named_by, self.week_start)  # type: ignore[arg-type]

    @property
    def opp_stages(self) -> tuple[str, ...]:
        """Opportunity stages by rank: the open ones, then won, then lost (METRICS C5)."""
        return (*self.opp_open_stages, self.opp_won_stage, self.opp_lost_stage)

    @property
    def pipeline_entry_rank(self) -> int:
        return self.opp_open_stages.index(self.pipeline_entry_stage)

    def window(self, pair: str) -> float:
        """Conversion window of `"mql->sql"`, in days."""
        return dict(self.conversion_window_days).get(pair, self.default_window_days)

    def windows_of(self, calendar_id: str) -> tuple[OpenWindow, ...]:
        """Opening hours of a calendar; one that nobody defined is Monday to Friday, 9 to 17, in the reporting zone."""
        return tuple(w for w in self.business_calendars if w.calendar_id == calendar_id) or _office(calendar_id, self.reporting_tz)

    def calendar_of(self, region: str) -> str:
        return dict(self.region_calendars).get(region, self.default_calendar)

    @cached_property
    def digest(self) -> str:
        """Short hash of everything: two equal Terms have equal digests, in any process."""
        plain = dataclasses.asdict(self)
        plain["targets"] = [{name: value for name, value in one.items() if name != "steps" or value} for one in plain["targets"]]  # a target that was never changed is what it was
        return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:16]

    # -- making ----------------------------------------------------------------------------------------------------------------------

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Terms:
        """Terms from a config dict; keys that are not terms (`as_of`, `report`, comments) are left to their readers.

        Raises TermsError for a value that cannot be used.
        """
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {}
        for key, value in config.items():
            if key not in known:
                continue
            try:
                values[key] = _READERS.get(key, _frozen)(value)
            except (TypeError, KeyError, ValueError, AttributeError) as error:
                raise TermsError(f"definition “{key}”: {value!r} cannot be read ({error})") from error
        report = config.get("report") or {}
        if "default_window_days" in report:
            values["default_window_days"] = float(report["default_window_days"])
        return cls(**values)

    def to_config(self) -> dict[str, Any]:
        """The scalar definitions as a config dict, ready for JSON; `from_config` reads it back. Tables of terms stay with the extract."""
        out: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name in TABLES:
                continue
            if f.name in ("conversion_window_days", "stall_days", "reporting_consistency"):
                value = dict(value)
            elif f.name == "attribution":
                value = {**dataclasses.asdict(value), "weights": {model: dict(weights) for model, weights in value.weights}}
            elif f.name == "retention_period":
                value = value and {"start": str(np.datetime64(value[0], "D")), "end": str(np.datetime64(value[1] - 1, "D"))}
            elif f.name == "fiscal_445_year_starts":
                value = [{"fy": fy, "start": str(np.datetime64(start, "D")), "weeks": weeks} for fy, start, weeks in value]
            elif dataclasses.is_dataclass(value):
                value = dataclasses.asdict(value)
            out[f.name] = list(value) if isinstance(value, tuple) else value
        return out

    def with_tables(self, data: CrmData) -> Terms:
        """These terms with every table of terms that the extract brings (an empty table counts: it says there is none)."""
        found = {name: TABLES[name][1](data.table(TABLES[name][0])) for name in TABLES if data.has(TABLES[name][0])}
        calendars = {window.calendar_id for window in found.get("business_calendars", self.business_calendars)}
        if calendars and self.default_calendar not in calendars:
            found["default_calendar"] = self.pacing_calendar if self.pacing_calendar in calendars else sorted(calendars)[0]
        return replace(self, **found)


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple((str(key), _frozen(item)) for key, item in value.items())
    return tuple(_frozen(item) for item in value) if isinstance(value, (list, tuple)) else value


def _attribution(value: Mapping[str, Any]) -> Attribution:
    own = dict(Attribution().weights)
    weights = {**own, **{model: tuple((a, float(w)) for a, w in dict(parts).items()) for model, parts in dict(value.get("weights", {})).items()}}
    return Attribution(**{**{k: v for k, v in value.items() if k != "weights"}, "weights": tuple(weights.items())})


_READERS: dict[str, Any] = {
    "attribution": _attribution,
    "hygiene": lambda v: Hygiene(**v),
    "stats": lambda v: Honesty(**v),
    "retention_period": lambda v: v and (day_number(v["start"]), day_number(v["end"]) + 1),
    "fiscal_445_year_starts": lambda v: tuple((r["fy"], day_number(r["start"]), int(r["weeks"])) for r in v),
    "fiscal_start_month": int,
}


# -- validation ------------------------------------------------------------------------------------------------------------------------

def _check(ok: bool, message: str) -> None:
    if not ok:
        raise TermsError(message)


def _validate(t: Terms) -> None:
    for tz in {t.reporting_tz, *(w.tz for w in t.business_calendars)}:
        try:
            ZoneInfo(tz)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise TermsError(f"“{tz}” is no time zone; write one of the IANA names, such as Europe/London") from error
    _check(1 <= t.fiscal_start_month <= 12, f"fiscal_start_month is a month from 1 to 12, not {t.fiscal_start_month}")
    _check(t.fiscal_year_named_by in ("start", "end"), "fiscal_year_named_by is “start” or “end”")
    _check(t.week_start in ("monday", "sunday"), "week_start is “monday” or “sunday”")
    _check(len(set(t.opp_stages)) == len(t.opp_stages), "an opportunity stage is named twice")
    _check(len(t.opp_open_stages) > 0, "opp_open_stages names at least one open stage")
    _check(t.pipeline_entry_stage in t.opp_open_stages, f"pipeline_entry_stage “{t.pipeline_entry_stage}” is none of the open stages")
    for stage in (MQL, SAL, SQL, OPPORTUNITY, WON):
        _check(stage in t.lead_stages, f"lead_stages lacks “{stage}”")
    _check(t.lead_stages[-2:] == (OPPORTUNITY, WON), "lead_stages ends with opportunity, won")
    _check(len({*t.lead_stages, *t.lead_exit_stages}) == len(t.lead_stages) + len(t.lead_exit_stages), "a stage or an exit of a lead is named twice")
    _check(all(str(stage).strip() for stage in (*t.opp_stages, *t.lead_stages, *t.lead_exit_stages)), "a stage has no name")
    for key, (least, most) in _BOUNDS.items():
        value = attrgetter(key)(t)
        _check(isinstance(value, int | float) and least <= value <= most, f"{key} is {value}; it must be a number from {least:,g} to {most:,g}")
    for stage, days in t.stall_days:
        _check(0 <= days <= _YEARS, f"stall_days of “{stage}” is {days:g}; it must be a number from 0 to {_YEARS:,}")
    for pair, days in t.conversion_window_days:
        first, _, last = pair.partition("->")
        _check(first in t.lead_stages and last in t.lead_stages, f"conversion window “{pair}” names a stage that does not exist")
        _check(t.lead_stages.index(first) < t.lead_stages.index(last), f"conversion window “{pair}” does not go forward")
        _check(days > 0, f"conversion window “{pair}” is {days} days; it must be above 0")
        _check(days <= _YEARS, f"conversion window “{pair}” is {days} days; it must be at most {_YEARS:,}")
    _check(t.attribution.person_mode in ("explicit", "account", "hybrid"), "attribution person_mode is explicit, account or hybrid")
    for model, weights in t.attribution.weights:
        _check(all(a in _ANCHORS for a, _ in weights), f"weights of {model}: anchors are {', '.join(_ANCHORS)}")
        _check(all(w >= 0 for _, w in weights), f"weights of {model}: none is below 0")
        _check(abs(sum(w for _, w in weights) - 1) < 1e-6, f"weights of {model} add up to {sum(w for _, w in weights):g}, not 1")
    for policy in t.sla_policies:
        _check(policy.target > 0, f"SLA policy {policy.policy_id}: the target is {policy.target:g}; it must be above 0")
        _check(policy.unit in ("business_minutes", "business_days"), f"SLA policy {policy.policy_id}: unit is business_minutes or business_days")
    for window in t.business_calendars:
        _check(0 <= window.weekday <= 6 and 0 <= window.open < 1440 and window.close <= 1440,
               f"business calendar {window.calendar_id}: weekday 0 (Monday) to 6, times from 00:00 to 24:00")
    for rate in t.fx_rates:
        _check(rate.rate > 0, f"exchange rate of {rate.currency}: {rate.rate:g}; it must be above 0")
