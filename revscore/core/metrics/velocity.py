"""Velocity of deals: cycle, time to decision, stage duration, aging, sales velocity. METRICS section 5."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.core import compute as engine
from revscore.core.calendars import DAY_US, NEVER
from revscore.core.coded import Coded
from revscore.core.facts import Facts, firsts_of, paired
from revscore.core.made import Made, Number
from revscore.core.metric import Better, Metric, derived, distribution, metric, rate, survival, total
from revscore.core.metrics import pipeline, wins
from revscore.core.metrics.common import DEAL_CHANGES, DEAL_DRILL, DEAL_NEEDS, words
from revscore.core.units import CURRENCY, CURRENCY_PER_DAY, DAYS, DEALS
from revscore.core.view import View

_BENCHMARK_DAYS = 365
AGE_FLAGS = ("on_pace", "aging", "stalled", "no_benchmark")


@metric("velocity.cycle_time_won", "Sales cycle", "How long did the deals take that we won?",
        distribution("days", DAYS, "days", "median", "mean", "p75", "p90"), better=Better.DOWN, owners=("sales",), meetings=("MRC",),
        needs=(*DEAL_NEEDS, "opp_history.close_date"), drill=DEAL_DRILL, population="O1, won",
        settles_after="wins only: while the pipeline grows, short cycles come first")
def cycle_time_won(x: Coded) -> Facts:
    """Days from the creation of a deal to its win (the first event of its last won spell), of deals won with their close date in the period.
    A re-opened deal counts from its original creation.
    """
    opp = np.flatnonzero(x.opps.won & x.opps.in_o1)
    days = (x.opps.won_at[opp] - x.opps.created[opp]) / DAY_US
    return x.make_facts("opp", opp, x.opps.now.close_day[opp], {"days": days}, detail={"won_at": x.opps.won_at[opp], "cycle_days": days},
                        left_out=x.opps.left_out)


def _until(x: Coded, opp: np.ndarray, when: np.ndarray) -> dict[str, np.ndarray]:
    event = when[opp] != NEVER
    return {"days": (np.where(event, when[opp], x.as_of) - x.opps.created[opp]) / DAY_US, "event": event.astype(float)}


@metric("velocity.time_to_close_km", "Time to decision", "How long until a deal is decided, counting the open ones?",
        survival("days", DAYS, "days", "event", "median", "p75", "p90"), better=Better.DOWN, owners=("sales",), meetings=("MRC",), needs=DEAL_NEEDS, drill=DEAL_DRILL,
        population="O1, by creation")
def time_to_close_km(x: Coded) -> Facts:
    """Kaplan–Meier time from creation to the close, won or lost; open deals are followed up to as-of. "Not reached" where fewer than the share
    have been decided.
    """
    opp = np.flatnonzero(x.opps.in_o1 & (x.opps.created <= x.as_of))
    return x.make_facts("opp", opp, x.days(x.opps.created[opp]), _until(x, opp, x.opps.closed_at), detail={"closed_at": x.opps.closed_at[opp]},
                        left_out=x.opps.left_out)


@metric("velocity.win_probability_by_age", "Win probability by age", "What is the chance that a deal is won by the time it is so old?",
        survival("days", DAYS, "days", "event", "p25", "median"), owners=("sales",), meetings=("MRC",), needs=DEAL_NEEDS, drill=DEAL_DRILL, population="O1, by creation")
def win_probability_by_age(x: Coded) -> Facts:
    """1 − S(t) of the time from creation to the win, with lost and open deals followed up to as-of: to treat a loss as the end of follow-up
    would over-state the chance.
    """
    opp = np.flatnonzero(x.opps.in_o1 & (x.opps.created <= x.as_of))
    return x.make_facts("opp", opp, x.days(x.opps.created[opp]), _until(x, opp, x.opps.won_at), detail={"won_at": x.opps.won_at[opp]},
                        left_out=x.opps.left_out)


@dataclass(frozen=True)
class Visits:
    """Visits of deals to stages: consecutive events in one stage are one visit. `end` is NEVER while it lasts."""

    opp: np.ndarray
    rank: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def days(self, as_of: int) -> np.ndarray:
        return (np.where(self.end == NEVER, as_of, self.end) - self.start) / DAY_US


def visits(x: Coded) -> Visits:
    events = x.opps.events
    first = firsts_of(events.opp, events.rank)
    opp = events.opp[first]
    end = np.full(len(first), NEVER, dtype="int64")
    if len(first):
        end[:-1] = np.where(opp[1:] == opp[:-1], events.at[first[1:]], NEVER)
    return Visits(opp, events.rank[first], events.at[first], end)


@metric("velocity.opp_stage_first_visit_km", "Stage duration", "How long do deals stay in a stage, counting those still in it?",
        survival("days", DAYS, "days", "event", "median", "p75", "p90"), better=Better.DOWN, owners=("sales",), meetings=("WPR",), needs=DEAL_CHANGES, by=("stage",),
        drill=DEAL_DRILL, population="O1 with a visit to the stage")
def stage_first_visit_km(x: Coded) -> Facts:
    """Kaplan–Meier time of the first visit to each open stage; it ends when the deal leaves the stage for any other. Deals still in it are
    followed up to as-of, so that the stuck ones weigh in.
    """
    v = visits(x)
    rows = np.flatnonzero(x.opps.in_o1[v.opp] & x.opps.is_open(v.rank))
    order = rows[np.lexsort((v.start[rows], v.rank[rows], v.opp[rows]))]
    rows = order[firsts_of(v.opp[order], v.rank[order])]
    return x.make_facts("opp", v.opp[rows], x.days(v.start[rows]), {"days": v.days(x.as_of)[rows], "event": v.end[rows] != NEVER},
                        own={"stage": (v.rank[rows] + 1, words("stage", x.terms.opp_stages))}, detail={"entered_at": v.start[rows], "left_at": v.end[rows]},
                        left_out=x.opps.left_out)


def _stage_days(x: Coded) -> np.ndarray:
    """[stage, opportunity] days in each stage over all visits; NaN without a visit."""
    v = visits(x)
    inside = v.rank >= 0
    cell = paired(v.rank[inside], v.opp[inside], x.opps.n)
    size = len(x.terms.opp_stages) * x.opps.n
    days = np.bincount(cell, weights=v.days(x.as_of)[inside], minlength=size)
    return np.where(np.bincount(cell, minlength=size) > 0, days, np.nan).reshape(len(x.terms.opp_stages), x.opps.n)


@metric("velocity.stage_days_won", "Stage days of won deals", "How long did recent wins spend in each stage?",
        distribution("days", DAYS, "days", "median", "p75", "p90"), better=Better.CONTEXT, owners=("sales",), meetings=("WPR",), needs=DEAL_CHANGES, by=("stage",),
        drill=DEAL_DRILL, population="O1 won in the last 365 days")
def stage_days_won(x: Coded) -> Facts:
    """Days in a stage over all visits, of deals won in the last 365 days that visited it: the benchmark that aging is measured against."""
    recent = x.opps.won & x.opps.in_o1 & (x.opps.won_at >= x.as_of - _BENCHMARK_DAYS * DAY_US)
    days = _stage_days(x)[: x.opps.open_stages]
    stage, opp = np.nonzero(~np.isnan(days) & recent)
    return x.make_facts("opp", opp, x.days(x.opps.won_at[opp]), {"days": days[stage, opp]}, own={"stage": (stage + 1, words("stage", x.terms.opp_stages))},
                        detail={"stage_days": days[stage, opp]}, left_out=x.opps.left_out)


@metric("velocity.aging", "Aging deals", "Which open deals stay longer in their stage than deals we win?",
        rate("flagged_share", "flagged", "n", label="Aging or stalled"), total("count", DEALS, label="Deals"), total("value", CURRENCY, label="Open value"),
        better=Better.DOWN, owners=("sales",), meetings=("WPR",), needs=DEAL_CHANGES, by=("aging", "stage"), drill=DEAL_DRILL, population="eligible deals at as-of")
def aging(x: Coded) -> Facts:
    """Each eligible deal's days in its current stage, over all visits, against won deals of the last 365 days: above their p90 *stalled*, above
    p75 *aging*, else *on pace*. The benchmark is the segment's own when it has enough wins, else that of all; with too few, *no benchmark*.
    Changes of amount or date do not reset the age.
    """
    opps, honest = x.opps, x.terms.benchmark_min_n
    opp = np.flatnonzero(opps.now.eligible & opps.in_o1)
    stage, segment = opps.now.rank[opp].astype("int64"), x.codes["opp"]["segment"][opp].astype("int64")
    age = _stage_days(x)[stage, opp] if len(opp) else np.zeros(0)
    won = x.facts(stage_days_won)
    won_stage, won_segment = won.codes["stage"].astype("int64") - 1, won.codes["segment"].astype("int64")
    stages, segments = opps.open_stages, len(x.dims["segment"])
    own = _benchmarks(won.values["days"], won_stage * segments + won_segment, stages * segments)
    whole = _benchmarks(won.values["days"], won_stage, stages)
    cell = stage * segments + segment
    use_own = own[0][cell] >= honest
    n, p75, p90 = (np.where(use_own, a[cell], b[stage]) for a, b in zip(own, whole, strict=True))
    flag = np.where(n < honest, AGE_FLAGS.index("no_benchmark"), np.where(age > p90, AGE_FLAGS.index("stalled"),
                                                                         np.where(age > p75, AGE_FLAGS.index("aging"), AGE_FLAGS.index("on_pace"))))
    flagged = np.isin(flag, (AGE_FLAGS.index("aging"), AGE_FLAGS.index("stalled")))
    return x.make_facts("opp", opp, np.full(len(opp), x.as_of_day), {"n": (n >= honest).astype(float), "flagged": flagged.astype(float), "count": np.ones(len(opp)),
                                                                     "value": opps.now.amount[opp]},
                        own={"aging": (flag + 1, words("aging", AGE_FLAGS, ("On pace", "Aging", "Stalled", "No benchmark"))),
                             "stage": (stage + 1, words("stage", x.terms.opp_stages))},
                        why=n < honest, whys=("", f"fewer than {honest} won deals to compare with"),
                        detail={"age_days": age, "over_p75_days": age - p75, "total_age_days": (x.as_of - opps.created[opp]) / DAY_US}, left_out=opps.left_out)


def _benchmarks(days: np.ndarray, cell: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n, p75 and p90 (type 7) per cell; NaN where a cell is empty."""
    order = np.lexsort((days, cell))
    days, cell = days[order], cell[order]
    n = np.bincount(cell, minlength=size)
    start = np.concatenate([[0], np.cumsum(n)[:-1]])
    def at(p: float) -> np.ndarray:
        if not len(days):
            return np.full(size, np.nan)
        h = np.maximum(n - 1, 0) * p
        low = np.minimum(start + np.floor(h).astype("int64"), len(days) - 1)
        high = np.minimum(start + np.ceil(h).astype("int64"), len(days) - 1)
        return np.where(n > 0, days[low] + (days[high] - days[low]) * (h - np.floor(h)), np.nan)

    return n, at(0.75), at(0.9)


def _levers(x: Coded, view: View, stat: str, row: pd.Series, *, then: bool = False) -> Made:
    days = "median" if stat == "per_day_median_cycle" else "mean"
    parts = (Number.of(pipeline.open_pipeline, view if then else view.during(None), "count"), Number.of(wins.closed_in_period, view, "count_rate"),
             Number.of(wins.deal_size, view, "mean", "Average deal"), Number.of(cycle_time_won, view, days, f"Sales cycle, {days}"))
    return Made(parts, "open deals × win rate × average deal ÷ days of the cycle", lambda deals, rate, deal, cycle: deals * rate * deal / cycle if cycle > 0 else np.nan)


@metric("velocity.sales_velocity", "Sales velocity", "How much revenue do we win per day?",
        derived("per_day", CURRENCY_PER_DAY, label="Per day"), derived("per_day_median_cycle", CURRENCY_PER_DAY, label="Per day, with the median cycle"),
        owners=("marketing", "sales"), meetings=("MRC",), needs=(*DEAL_NEEDS, "opp_history.amount", "opp_history.close_date"), population="O1", made_of=_levers)
def sales_velocity(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: str | None = None, *, then: bool = False) -> pd.DataFrame:
    """Eligible open deals at as-of × win rate by count × mean won deal ÷ mean cycle of the wins, the last three over the period's close dates.
    Undefined when the period has no win. A rise from more open deals alone is no progress; a blended value hides a shift in mix. `then` counts the
    deals that were open at the end of the period: what a period of the past is compared by.
    """
    keys = [*by, *(("period", "start", "end") if grain else ())]

    def numbers(card: Metric, stat: str, at: View, only: str, column: str = "value") -> dict[tuple, float]:
        frame = engine.compute(x, card, at, by, grain, only=only)
        found = frame["measure"] == stat
        groups = zip(*(frame.loc[found, name] for name in keys), strict=True) if keys else [()] * int(found.sum())
        return dict(zip(groups, frame.loc[found, column], strict=True))

    parts = {"open_opportunities": numbers(pipeline.open_pipeline, "count", view if grain or then else view.during(None), "count"),
             "win_rate": numbers(wins.closed_in_period, "count_rate", view, "count_rate"), "avg_deal": numbers(wins.deal_size, "mean", view, "value"),
             "cycle_mean_days": numbers(cycle_time_won, "mean", view, "days"), "cycle_median_days": numbers(cycle_time_won, "median", view, "days")}
    decided = numbers(wins.closed_in_period, "count_rate", view, "count_rate", "n")
    groups = list(parts["open_opportunities"])
    grid = {name: np.array([found.get(group, np.nan) for group in groups], dtype=float) for name, found in parts.items()}
    top = grid["open_opportunities"] * grid["win_rate"] * grid["avg_deal"]
    frames = []
    for name, days in (("per_day", grid["cycle_mean_days"]), ("per_day_median_cycle", grid["cycle_median_days"])):
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(days > 0, top / days, np.nan)
        frames.append(pd.DataFrame({**{key: [group[k] for group in groups] for k, key in enumerate(keys)}, "measure": name, "value": value, "numerator": top,
                                    "denominator": days, "n": [decided.get(group, np.nan) for group in groups], **grid}))
    return pd.concat(frames, ignore_index=True)
