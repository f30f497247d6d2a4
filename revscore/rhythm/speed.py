"""Speed in reviews and explorers: SLA promises week by week, breaches, handoffs; how long deals take and where they stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from revscore.core import units
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.compute import curve
from revscore.core.drill import open_number
from revscore.core.figures import walk
from revscore.core.metrics import CARDS
from revscore.core.statistics import Survival
from revscore.core.review import comparison
from revscore.core.splits import shapley
from revscore.core.terms import SLA_TYPES
from revscore.core.units import CURRENCY, CURRENCY_PER_DAY, DAYS, DEALS, RATIO
from revscore.core.view import View
from revscore.rhythm.asks import Ask, ask, frame_of, measured
from revscore.rhythm.target_lines import targets_over

WEEKS = 13
SLA_NAMES = {"speed_to_lead": "Speed to lead", "acceptance": "Acceptance", "follow_up": "Follow-up", "meeting_set": "Meeting set", "recycle": "Recycling"}
SLA_TILES: tuple[Ask, ...] = (
    ask("sla.compliance", label="Speed to lead kept", sla_type="speed_to_lead"), ask("sla.speed_to_lead_minutes", label="Speed to lead, median"),
    ask("sla.compliance", label="Follow-up kept", sla_type="follow_up"), ask("sla.acceptance_rate"))
VELOCITY_TILES: tuple[Ask, ...] = (
    ask("velocity.sales_velocity"), ask("velocity.cycle_time_won", "median", "Sales cycle, median"), ask("velocity.time_to_close_km", "median", "Time to decision, median"),
    ask("velocity.aging", label="Aging or stalled now", now=True))


def weeks(x: Coded, view: View, sla_type: str) -> pd.DataFrame:
    """Thirteen weeks of one SLA up to the end of the period: week, met, breached, rate, n, flag, start, and the target in force at the end of each."""
    calendar = x.terms.calendar
    last_day = min(view.period.last, x.as_of_day) if view.period else x.as_of_day
    last = int(calendar.codes(np.array([last_day]), "week")[0])
    window = Period(calendar.start(last - WEEKS + 1, "week"), calendar.start(last + 1, "week"))
    found = measured(frame_of(x, "sla.compliance", view.during(window).narrowed(sla_type=sla_type), (), "week"), "compliance")
    if not len(found):
        return found
    return found.assign(week=found["period"], met=found["numerator"], breached=found["denominator"] - found["numerator"], rate=found["value"], n=found["denominator"],
                        target=targets_over(x, view, "sla.compliance", "compliance", {"sla_type": sla_type}, found["start"], found["end"]))[["week", "start", "met", "breached", "rate", "n", "low", "high", "flag", "target"]]


def promises(x: Coded, view: View) -> pd.DataFrame:
    """Every SLA in the period: group, value, n and interval."""
    found = measured(frame_of(x, "sla.compliance", view, ("sla_type",)), "compliance")
    return found.assign(group=found["sla_type"].map(SLA_NAMES)) if len(found) else found


def regions(x: Coded, view: View) -> pd.DataFrame:
    """Speed to lead kept, by the lead's region: group, value, n and interval."""
    found = measured(frame_of(x, "sla.compliance", view.narrowed(sla_type="speed_to_lead"), ("region",)), "compliance")
    return found.assign(group=found["region"].replace("", "(missing)")) if len(found) else found


def open_breaches(x: Coded, view: View) -> pd.DataFrame:
    """The clocks that are over their promise and still run, the furthest over it first; `day_min`: the open minutes of a business day of each."""
    card = CARDS["sla.breach_ageing"]
    if x.data.missing(card.needs):
        return pd.DataFrame()
    rows = open_number(x, card, view.during(None), "open_breaches").counted
    rows = rows[rows["contribution"] > 0].sort_values("overdue_min", ascending=False, kind="stable")
    rows = rows.assign(day_min=x.clocks.time[rows["clock"].to_numpy(dtype="int64")].day_minutes) if len(rows) else rows
    return rows.drop(columns=["contribution", "base"], errors="ignore").reset_index(drop=True)


def response_curves(x: Coded, view: View) -> tuple[tuple[str, Survival], ...]:
    """How the share of MQLs with a first hands-on touch grows with business minutes, by region."""
    return _curves(x, view, "sla.speed_to_lead_minutes", "km", "region")


def decision_curves(x: Coded, view: View) -> tuple[tuple[str, Survival], ...]:
    """How the share of decided deals grows with their age, by segment: deals created in the period, open ones followed to as-of."""
    return _curves(x, view, "velocity.time_to_close_km", "", "segment")


def win_curves(x: Coded, view: View) -> tuple[tuple[str, Survival], ...]:
    """The chance that a deal is won by a certain age, by segment."""
    return _curves(x, view, "velocity.win_probability_by_age", "", "segment")


def _curves(x: Coded, view: View, card: str, measure: str, dimension: str) -> tuple[tuple[str, Survival], ...]:
    """One curve for each group of a dimension, the largest first; one for all where there is a single group."""
    found = CARDS[card]
    if x.data.missing(found.needs):
        return ()
    chosen = view.chosen.get(dimension) or x.dims[dimension].labels[1:]
    curves = [(name, curve(x, found, view.narrowed(**{dimension: name}), measure)) for name in chosen]
    curves = sorted(((name, one) for name, one in curves if one.n), key=lambda pair: -pair[1].n)
    return tuple(curves) or ((("all", whole),) if (whole := curve(x, found, view, measure)).n else ())


def stage_days(x: Coded, view: View) -> pd.DataFrame:
    """How long deals stay in each open stage, those still in it followed: stage, n, median, p75, p90."""
    found = frame_of(x, "velocity.opp_stage_first_visit_km", view, ("stage",))
    if not len(found):
        return found
    order = {stage: place for place, stage in enumerate(x.terms.opp_stages)}
    wide = found.pivot_table(index="stage", columns="measure", values="value", sort=False).join(found.groupby("stage", sort=False)["n"].first()).reset_index()
    return wide.sort_values("stage", key=lambda s: s.map(order)).reset_index(drop=True)


def lead_days(x: Coded, view: View) -> pd.DataFrame:
    """How long leads took between stages (completed moves): pair, n, median, p75, p90."""
    found = frame_of(x, "velocity.lead_transition_days", view, ("pair",))
    return found.pivot_table(index="pair", columns="measure", values="value", sort=False).join(found.groupby("pair", sort=False)["n"].first()).reset_index() if len(found) else found


LEVERS = {"open_opportunities": "Open deals", "win_rate": "Win rate", "avg_deal": "Average deal", "cycle_mean_days": "Mean cycle"}
_UNITS = {"open_opportunities": DEALS, "win_rate": RATIO, "avg_deal": CURRENCY, "cycle_mean_days": DAYS}


@dataclass(frozen=True)
class Levers:
    """The four levers of sales velocity in two periods: lever, name, now, before, effect; and the velocities that they make.

    The effects add up to the change exactly (Shapley over the four: free of any order).
    """

    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    now: float = float("nan")
    before: float = float("nan")
    before_period: Period | None = None
    period: Period | None = None
    currency: str = ""

    @property
    def known(self) -> bool:
        return len(self.frame) > 0 and bool(self.frame["effect"].notna().all())

    @property
    def most(self) -> pd.Series:
        """The lever that changed it most."""
        return self.frame.loc[self.frame["effect"].abs().idxmax()]

    @property
    def left_over(self) -> float:
        return self.now - self.before - float(self.frame["effect"].sum())

    @property
    def rows(self) -> pd.DataFrame:
        """The way from before to now, to be drawn: the ends called as their periods are, each lever with its two values."""
        rows = walk(self.before, self.frame.rename(columns={"name": "id", "lever": "label"})[["id", "label", "effect", "now", "before"]], self.now)
        notes = {row.name: f"{units.text(row.before, _UNITS[row.name], self.currency)} → {units.text(row.now, _UNITS[row.name], self.currency)}" for row in self.frame.itertuples(index=False)}
        before = self.before_period.name
        rows.loc[rows.index[[0, -1]], "label"] = [before[:1].upper() + before[1:], self.period.name]
        return rows.assign(note=rows["id"].map(notes).fillna(""))

    @property
    def said(self) -> str:
        """What was found, in a sentence."""
        step, most = self.now - self.before, self.most
        verb, effect = "rose" if step > 0 else "fell" if step < 0 else "stood still", units.text(abs(most["effect"]), CURRENCY_PER_DAY, self.currency)
        return f"Sales velocity {verb} by {units.text(abs(step), CURRENCY_PER_DAY, self.currency)}; most of it: {most['lever'].lower()}, {'+' if most['effect'] > 0 else '−'}{effect}"


def levers(x: Coded, view: View) -> Levers:
    """The four levers of sales velocity, now and in the period before (its same days, while the present one is running; open deals as they stood then)."""
    if view.period is None:
        return Levers()
    before_period = comparison(x, view.period)
    now, before = frame_of(x, "velocity.sales_velocity", view), frame_of(x, "velocity.sales_velocity", view.during(before_period), then=True)
    if not len(now) or not len(before):
        return Levers()
    inputs = [{name: float(frame[name].iloc[0]) for name in LEVERS} for frame in (before, now)]
    effects = shapley(*inputs, _velocity)
    frame = pd.DataFrame([{"lever": label, "name": name, "now": inputs[1][name], "before": inputs[0][name], "effect": effects[name]} for name, label in LEVERS.items()])
    return Levers(frame, _velocity(inputs[1]), _velocity(inputs[0]), before_period, view.period, x.terms.corporate_currency)


def _velocity(inputs: Mapping[str, float]) -> float:
    days = inputs["cycle_mean_days"]
    return inputs["open_opportunities"] * inputs["win_rate"] * inputs["avg_deal"] / days if days > 0 else float("nan")


def sla_types(x: Coded, view: View) -> tuple[str, ...]:
    """The SLA types that have clocks, in the order of the handoffs."""
    found = frame_of(x, "sla.compliance", view.during(None), ("sla_type",))
    return tuple(name for name in SLA_TYPES if len(found) and name in set(found["sla_type"])) or SLA_TYPES[:1]
