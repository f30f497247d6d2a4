"""Targets and pacing. METRICS section 15."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from revscore.core import compute as engine
from revscore.core.calendars import Period
from revscore.core.coded import Coded
from revscore.core.made import Given, Made, Number
from revscore.core.metric import Metric, derived, metric
from revscore.core.terms import Target, Terms
from revscore.core.units import MULTIPLE, RATIO
from revscore.core.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping

EARLY_SHARE = 0.15  # below this expected share nothing is projected


def open_days(terms: Terms, calendar_id: str, start: int, end: int) -> int:
    """Days in [start, end) on which the calendar opens at all (its weekdays less its holidays)."""
    days = np.arange(start, max(start, end))
    weekdays = {window.weekday for window in terms.windows_of(calendar_id)}
    closed = [day for calendar, day in terms.holidays if calendar == calendar_id]
    return int((np.isin((days + 3) % 7, list(weekdays)) & ~np.isin(days, closed)).sum())


def expected_share(terms: Terms, target: Target, day: int) -> float:
    """Share of a target that is expected by the end of `day`, by its pacing profile: linear, business_day or seasonal; from 0 to 1. After the last
    week of a seasonal profile it is 1. NaN where the profile says nothing: nobody entered it, or its calendar never opens (`no_pace` says which)."""
    elapsed = min(max(day - target.start + 1, 0), target.end - target.start)
    if target.pacing == "business_day":
        whole = open_days(terms, terms.pacing_calendar, target.start, target.end)
        return open_days(terms, terms.pacing_calendar, target.start, target.start + elapsed) / whole if whole else float("nan")
    if target.pacing == "seasonal":
        profile = dict(terms.seasonality).get(target.profile_id, ())
        if not profile:
            return float("nan")
        shares = (0.0, *profile)
        week, rest = divmod(elapsed, 7)
        before, after = (shares[k] if k < len(shares) else 1.0 for k in (week, week + 1))
        return before + (after - before) * rest / 7
    return elapsed / (target.end - target.start)


def no_pace(terms: Terms, target: Target) -> str:
    """Why a cumulative target has no pace, in a sentence; "" when it has one."""
    if not np.isnan(expected_share(terms, target, target.start)):
        return ""
    if target.pacing == "seasonal":
        return f"No pace: the seasonal profile “{target.profile_id}” is not in the pacing profiles."
    return f"No pace: the calendar “{terms.pacing_calendar}” has no open day in the period."


_ALIASES: Mapping[str, tuple[str, str, dict[str, str]]] = {"bookings.won.value": ("bookings.won_value", "value", {}), "bookings.won.count": ("bookings.won_value", "count", {}), "retention.nrr": ("retention", "nrr", {}),
                                                              "winrate.count": ("winrate.closed_in_period", "count_rate", {})}


def resolve(metric_id: str, cards: Mapping[str, Metric]) -> tuple[Metric, str, dict[str, str]] | None:
    """What a target's metric id speaks of: (card, measure or quantile, own dimension values), None when no card answers.

    `pipeline.created.value` is a card and its measure, `funnel.entries.mql` a card and its stage, `sla.speed_to_lead.compliance` a card and its
    type, `velocity.cycle_time_won.median` a card and its quantile.
    """
    card_id, _, tail = metric_id.rpartition(".")
    alias = _ALIASES.get(metric_id)
    if alias:
        card_id, tail, own = alias
        return (cards[card_id], tail, own) if card_id in cards else None
    if metric_id in cards:
        return cards[metric_id], "", {}
    if metric_id.startswith("sla.") and tail in ("compliance", "acceptance_rate") and f"sla.{tail}" in cards:
        return cards[f"sla.{tail}"], "", {"sla_type": card_id.removeprefix("sla.")}
    card = cards.get(card_id)
    if card is None:
        return None
    names = {name for m in card.measures for name in (m.name, *m.stats)}
    if tail in names:
        return card, tail, {}
    if f"{tail}_rate" in names:
        return card, f"{tail}_rate", {}
    return (card, "", {card.by[0]: tail}) if card.by else None


def _period(card: Metric, target: Target) -> Period | None:
    """The period that a target is read in: its own; none for retention, whose card has the period."""
    return None if "period" in card.params else Period(target.start, target.end)


def actual(x: Coded, target: Target, cards: Mapping[str, Metric], view: View = View()) -> float:
    """What has been reached of a target over its own period and segment; NaN where no card answers or the extract lacks its columns."""
    found = resolve(target.metric_id, cards)
    if found is None or x.data.missing(found[0].needs):
        return float("nan")
    card, stat, own = found
    where = dict(view.chosen) | {name: (value,) for name, value in own.items()} | ({"segment": (target.segment,)} if target.segment else {})
    frame = engine.compute(x, card, View.of(_period(card, target), **where))
    measure = card.measure(stat)
    name = stat or (engine.stat_name(measure, measure.stats[0]) if measure.stats else measure.name)
    row = frame.loc[frame["measure"] == name, "value"]
    return float(row.iloc[0]) if len(row) else float("nan")


def actual_number(target: Target, cards: Mapping[str, Metric], view: View = View()) -> Number | None:
    """The number that a target is about, over its own period and segment; None where no card answers."""
    found = resolve(target.metric_id, cards)
    if found is None:
        return None
    card, stat, own = found
    where = dict(view.chosen) | {name: (value,) for name, value in own.items()} | ({"segment": (target.segment,)} if target.segment else {})
    return Number.of(card, View.of(_period(card, target), **where), stat)


def _pace_parts(x: Coded, view: View, stat: str, row: pd.Series, **params: Any) -> Made:
    from revscore.core.metrics import CARDS

    target = next(t for t in x.terms.targets if t.target_id == row["target_id"])
    reached, card = actual_number(target, CARDS), resolve(target.metric_id, CARDS)
    unit = card[0].measure(card[1]).unit if card else RATIO
    goal = Given("Target", target.value, unit, f"targets, {target.target_id}")
    parts = (reached or Given("Actual", float("nan"), unit, "no number of this name"), goal)
    if stat == "attainment":
        down = target.direction == "down"
        return Made(parts, "target ÷ actual" if down else "actual ÷ target",
                    (lambda value, goal: goal / value if value else np.nan) if down else (lambda value, goal: value / goal if goal else np.nan))
    share = Given("Expected by now", expected_share(x.terms, target, x.as_of_day) if target.pacing not in ("", "none") else float("nan"), RATIO, f"pacing {target.pacing}")
    return Made((*parts, share), "actual ÷ (target × share expected by now)", lambda value, goal, part: value / (goal * part) if goal * part else np.nan)


def standing(terms: Terms, t: Target, value: float, today: int) -> dict[str, Any]:
    """Where a target stands at the end of `today` when `value` has been reached: attainment and hit; of a cumulative one also what is expected to date, pace
    index, projection, and what is needed per business day."""
    down = t.direction == "down"
    attained = (value / t.value if t.value else np.nan) if not down else (t.value / value if value else np.nan)
    row: dict[str, Any] = {"target_id": t.target_id, "metric_id": t.metric_id, "segment": t.segment, "owner_function": t.owner_function, "start": t.start, "end": t.end,
                           "direction": t.direction, "pacing": t.pacing, "profile_id": t.profile_id, "actual": value, "target": t.value, "attainment": attained,
                           "hit": None if np.isnan(value) else bool(value <= t.value if down else value >= t.value)}
    if t.pacing in ("", "none"):
        return row
    share = expected_share(terms, t, today)
    left, expected = open_days(terms, terms.pacing_calendar, max(today + 1, t.start), t.end), t.value * share
    return row | {"expected_share": share, "expected_to_date": expected, "pace_index": value / expected if expected else np.nan, "projected": value / share if share else np.nan,
                  "early": bool(share < EARLY_SHARE), "on_pace": None if np.isnan(share) else bool(value <= expected if down else value >= expected), "note": no_pace(terms, t), "business_days_left": left,
                  "required_per_business_day": max(0.0, t.value - value) / left if left else np.nan}


@metric("targets.pacing", "Target pacing", "Are we on pace for the targets?",
        derived("pace_index", MULTIPLE, label="Pace index"), derived("attainment", RATIO, label="Attainment"),
        owners=("marketing", "sales", "cs"), meetings=("WPR", "MRC"), needs=("targets.value",), population="targets whose period holds as-of, or all", made_of=_pace_parts)
def pacing(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: str | None = None, *, running: bool = False,
           metric_ids: tuple[str, ...] = (), segment: str | None = None, target_ids: tuple[str, ...] = (), project_early: bool = False) -> pd.DataFrame:
    """Attainment = actual ÷ target (for "down" targets: target ÷ actual). Cumulative targets: pace index = actual ÷ (target × expected share), by
    the target's own profile: linear, business days, or a seasonal curve; projected = actual ÷ expected share, not before 15 % of the target is
    expected (`project_early` asks for it all the same); required per business day for what is left. A target whose profile is unknown has no pace. `running` keeps the targets whose period holds as-of, `metric_ids`, `segment` and
    `target_ids` those that are named. Rates, durations and retention are compared directly, never extrapolated.
    """
    from revscore.core.metrics import CARDS

    today = x.as_of_day
    wanted = [t for t in x.terms.targets if (not running or t.start <= today < t.end) and (not metric_ids or t.metric_id in metric_ids)
              and (segment is None or t.segment == segment) and (not target_ids or t.target_id in target_ids)]
    rows = [standing(x.terms, t, actual(x, t, CARDS), today) for t in wanted]
    columns = ["target_id", "metric_id", "segment", "owner_function", "start", "end", "direction", "pacing", "profile_id", "actual", "target", "attainment", "hit",
               "expected_share", "expected_to_date", "pace_index", "projected", "early", "on_pace", "business_days_left", "required_per_business_day", "note"]
    frame = pd.DataFrame(rows, columns=columns)
    if not project_early:
        frame["projected"] = frame["projected"].mask(frame["early"].eq(True))
    return pd.concat([frame.assign(measure="pace_index", value=frame["pace_index"]), frame.assign(measure="attainment", value=frame["attainment"])],
                     ignore_index=True)
