"""Funnel: entries, cohort conversion, time to conversion, movement. METRICS section 3."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from revscore.core import compute as engine
from revscore.core import statistics
from revscore.core.calendars import DAY_US, NEVER, Period
from revscore.core.coded import Coded
from revscore.core.facts import Facts, Gathered, paired
from revscore.core.made import Made, Number
from revscore.core.metric import Better, distribution, metric, rate, study, survival, total
from revscore.core.metrics.common import LEAD_CHANGES, LEAD_DRILL, LEAD_NEEDS, LEAD_PASSES, words
from revscore.core.terms import MQL, OPPORTUNITY, RECYCLED
from revscore.core.units import DAYS, EVENTS, LEADS, RATIO
from revscore.core.view import View

def pair_of(x: Coded, pair: str) -> tuple[int, int]:
    """Ranks of "mql->sql". Raises KeyError for a stage that the terms do not have."""
    first, _, last = pair.partition("->")
    try:
        return x.terms.lead_stages.index(first), x.terms.lead_stages.index(last)
    except ValueError as error:
        raise KeyError(f"“{pair}” names a stage that is none of {', '.join(x.terms.lead_stages)}") from error


def _reaching(x: Coded, stage: int) -> np.ndarray:
    """Positions of the F0 leads that reached a stage."""
    return np.flatnonzero((x.leads.reached[stage] != NEVER) & x.leads.in_f0).astype("int32")


def terminal(x: Coded) -> np.ndarray:
    """By lead: its status is an exit, or its opportunity is Closed Lost (METRICS `funnel.cohort_conversion`)."""
    out = (x.leads.status >= len(x.terms.lead_stages)) & ~x.leads.taken_up
    known = x.leads.opp >= 0
    out[known] |= x.opps.lost[x.leads.opp[known]]
    return out


@metric("funnel.entries", "Stage entries", "How many leads reached each stage?",
        total("count", LEADS, label="Entries"), total("imputed", LEADS, label="of these imputed"),
        owners=("marketing", "sales"), meetings=("CSU", "MRC"), needs=LEAD_NEEDS, by=("stage",), drill=LEAD_DRILL, population="F0 leads")
def entries(x: Coded) -> Facts:
    """Leads that reached a stage in the period: each lead once per stage, at the time of its first event at or beyond the stage.

    A skipped stage is reached at the time of the later one and counted as imputed. Stages before a lead's entry stage are never imputed.
    Re-entries do not count again. *opportunity* is the conversion, *won* is the later of conversion and win of its deal. Test and merged
    leads are left out.
    """
    reached, stage = x.leads.reached, np.arange(len(x.terms.lead_stages))
    there = (reached != NEVER) & x.leads.in_f0
    stage, lead = np.nonzero(there)
    dimension = words("stage", x.terms.lead_stages)
    return x.make_facts("lead", lead, x.days(reached[stage, lead]), {"count": np.ones(len(lead), dtype=bool), "imputed": x.leads.imputed[stage, lead]},
                        own={"stage": (stage + 1, dimension)}, detail={"reached_at": reached[stage, lead]}, left_out=x.leads.left_out)


def _cohort(x: Coded, pair: str) -> dict[str, np.ndarray]:
    first, last = pair_of(x, pair)
    lead = _reaching(x, first)
    start, goal = x.leads.reached[first, lead], x.leads.reached[last, lead]
    window = int(x.terms.window(pair) * DAY_US)
    elapsed = x.as_of - start >= window
    converted = (goal != NEVER) & (goal - start <= window)
    still_open = ~converted & ~elapsed & ~terminal(x)[lead]
    return {"lead": lead, "day": x.days(start), "converted": converted, "mature": elapsed, "still_open": still_open}


@metric("funnel.cohort_conversion", "Stage conversion", "Of the leads that reached a stage, how many went on within the window?",
        rate("rate_mature", "converted_mature", "mature", "n", label="Conversion (mature)"),
        rate("rate_to_date", "converted", "n", label="Converted so far (lower bound)", ages=True),
        rate("still_open_share", "still_open", "n", label="Still open", ages=True),
        owners=("marketing", "sales"), meetings=("WPR", "MRC"), needs=LEAD_CHANGES, by=("pair",), drill=LEAD_DRILL, settles_after="the pair's window",
        population="F0 leads that reached the first stage")
def cohort_conversion(x: Coded) -> Facts:
    """Of the leads that reached the first stage in the period, the share that reached the second within the window.

    Only *mature* leads count: those whose whole window has passed. Early converters of a young cohort wait with their peers, since counting
    them alone would bias the rate up. A lead that converts after the window is not converted here; it appears in the conversion curve.
    Still open = not converted, window still running, no exit and no lost deal.
    """
    pairs = tuple(pair for pair, _ in x.terms.conversion_window_days)
    parts = [_cohort(x, pair) for pair in pairs]
    code = np.repeat(np.arange(1, len(pairs) + 1, dtype="int32"), [len(part["lead"]) for part in parts])

    def joined(name: str) -> np.ndarray:
        return np.concatenate([part.pop(name) for part in parts])

    lead, day, mature, converted = joined("lead"), joined("day"), joined("mature"), joined("converted")
    values = {"n": np.ones(len(lead), dtype=bool), "converted": converted, "mature": mature, "converted_mature": converted & mature, "still_open": joined("still_open")}
    return x.make_facts("lead", lead, day, values,
                        own={"pair": (code, words("pair", pairs))}, why=~mature, whys=("", "window not over yet"),
                        detail=_reached_at(x, pairs, lead, code - 1), left_out=x.leads.left_out)


class _Instants:
    """When leads reached a stage of their pair, by pair * leads + lead."""

    def __init__(self, reached: np.ndarray, stages: list[int]) -> None:
        self._reached, self._stages = reached, np.array(stages)

    def __getitem__(self, place: np.ndarray) -> np.ndarray:
        pair, lead = np.divmod(place, self._reached.shape[1])
        return self._reached[self._stages[pair], lead]


def _reached_at(x: Coded, pairs: tuple[str, ...], lead: np.ndarray, pair: np.ndarray) -> Gathered:
    first, last = zip(*(pair_of(x, name) for name in pairs), strict=True)
    place = pair.astype("int32" if x.leads.n * len(pairs) < 2**31 else "int64", copy=False) * x.leads.n + lead
    return Gathered({"reached_at": _Instants(x.leads.reached, first), "converted_at": _Instants(x.leads.reached, last)}, place)


@metric("funnel.km_conversion", "Time to conversion", "How long does it take to convert, counting those who have not yet?",
        survival("days", DAYS, "days", "event", "t25", "t50", label="Days until a share has converted"),
        better=Better.DOWN, owners=("marketing", "sales"), meetings=("MRC",), needs=LEAD_CHANGES, drill=LEAD_DRILL, population="F0 leads that reached the first stage")
def km_conversion(x: Coded, pair: str = "mql->opportunity") -> Facts:
    """Kaplan–Meier curve of the time from the first to the second stage; everyone who has not converted is followed up to as-of,
    exits included, so that 1 − S(t) estimates the share that has converted by age t (cumulative incidence under administrative censoring).
    """
    first, last = pair_of(x, pair)
    lead = _reaching(x, first)
    start, goal = x.leads.reached[first, lead], x.leads.reached[last, lead]
    event = goal != NEVER
    days = (np.where(event, goal, x.as_of) - start) / DAY_US
    return x.make_facts("lead", lead, x.days(start), {"days": days, "event": event.astype(float), "start": start},
                        detail={"reached_at": start, "converted_at": goal}, left_out=x.leads.left_out)


def _cohorts(x: Coded, older: Period | None, younger: Period | None) -> tuple[Period, Period]:
    """The two cohorts that are compared: by default the month before the running one, and the month before that."""
    calendar = x.terms.calendar
    younger = younger or calendar.shifted(calendar.holding(x.as_of_day, "month"), -1)
    return older or calendar.shifted(younger, -1), younger


def _at_one_age(x: Coded, view: View, stat: str, row: pd.Series, *, pair: str = "mql->opportunity", older: Period | None = None, younger: Period | None = None) -> Made:
    def build(x: Coded, pair: str, age: float) -> Facts:
        facts = x.facts(km_conversion, pair=pair)
        in_time = (facts.values["event"] > 0) & (facts.values["days"] <= age + 1e-12)
        return replace(facts, values={"converted": in_time.astype(float), "n": np.ones(len(facts))})

    age = 0.0 if pd.isna(row["age_days"]) else float(row["age_days"])
    card = replace(km_conversion, id="funnel.converted_at_age", label="Converted at the same age", build=build, measures=(rate("rate", "converted", "n"),))
    first, second = _cohorts(x, older, younger)
    parts = tuple(Number.of(card, view.during(period), "rate", f"Converted within {age:g} days, {period.label or period.dates()}", pair=pair, age=age) for period in (first, second))
    return Made(parts, "younger − older", lambda before, after: after - before)


@metric("funnel.equal_age_comparison", "Same-age comparison", "Is the younger cohort really different, at the same age?",
        study("difference", RATIO, label="Difference in conversion"), owners=("marketing", "sales"), meetings=("MRC",), needs=LEAD_CHANGES,
        made_of=_at_one_age)
def equal_age_comparison(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: str | None = None, *, pair: str = "mql->opportunity",
                         older: Period | None = None, younger: Period | None = None) -> pd.DataFrame:
    """Two cohorts at the same age a = min(window, whole days from the latest entry in either to as-of): conversions within a days in both,
    the difference (younger − older) with its Newcombe 95 % interval; *different* when the interval excludes 0.
    """
    older, younger = _cohorts(x, older, younger)
    facts = x.facts(km_conversion, pair=pair)
    cohorts = [facts.take(engine.keep(facts, view.during(period), x.dims)) for period in (older, younger)]
    starts = [cohort.values["start"] for cohort in cohorts]
    latest = max((int(start.max()) for start in starts if len(start)), default=None)
    age = None if latest is None else min(x.terms.window(pair), (x.as_of - latest) // DAY_US)
    counts = [(int(((c.values["event"] > 0) & (c.values["days"] <= (age or 0) + 1e-12)).sum()), len(c)) for c in cohorts]
    d, low, high = statistics.newcombe(*counts[0], *counts[1])
    return pd.DataFrame([{"measure": "difference", "pair": pair, "age_days": age, "older": older.label, "younger": younger.label, "older_x": counts[0][0],
                          "older_n": counts[0][1], "younger_x": counts[1][0], "younger_n": counts[1][1], "value": d, "low": low, "high": high,
                          "n": counts[0][1] + counts[1][1], "different": None if np.isnan(d) else bool(low > 0 or high < 0)}])


def _flows(x: Coded, view: View, stat: str, row: pd.Series) -> Made:
    first, last = row["pair"].split("->")
    view = View.of(view.period, view.grain, **{name: chosen for name, chosen in view.where if name != "pair"})
    return Made(tuple(Number.of(entries, view.narrowed(stage=stage), "count", f"Entries, {stage}") for stage in (last, first)), "entries of the later ÷ entries of the earlier stage",
                lambda later, earlier: later / earlier if earlier > 0 else np.nan)


@metric("funnel.period_ratio", "Flow ratio", "Entries to the next stage per entry to this one, in the same period",
        study("ratio", RATIO, label="Flow ratio"), better=Better.CONTEXT, owners=("revops",), meetings=("MRC",), needs=LEAD_CHANGES, by=("pair",), made_of=_flows)
def period_ratio(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: str | None = None) -> pd.DataFrame:
    """Entries to a stage in the period ÷ entries to the stage before it in the same period. It mixes cohorts and can pass 100 %: a *flow
    ratio*, for reconciliation with other tools, never a conversion rate.
    """
    by = tuple(name for name in by if name != "pair")
    counts = engine.compute(x, entries, view, ("stage", *by), grain)
    counts = counts[counts["measure"] == "count"]
    stages = x.terms.lead_stages
    following = counts.assign(stage=counts["stage"].map(dict(zip(stages[1:], stages[:-1], strict=True)))).dropna(subset=["stage"])
    keys = ["stage", *by, *(["period", "start", "end"] if grain else [])]
    grid = counts[keys + ["value"]].merge(following[keys + ["value"]], on=keys, how="outer", suffixes=("_from", "_to"))
    if not by and grain is None:
        grid = grid.merge(pd.DataFrame({"stage": stages[:-1]}), on="stage", how="right")
    grid = grid[grid["stage"] != stages[-1]].fillna({"value_from": 0.0, "value_to": 0.0})
    pair = grid["stage"] + "->" + grid["stage"].map(dict(zip(stages[:-1], stages[1:], strict=True)))
    return grid.assign(measure="ratio", pair=pair, numerator=grid["value_to"], denominator=grid["value_from"], n=grid["value_from"],
                       value=(grid["value_to"] / grid["value_from"]).where(grid["value_from"] > 0)).drop(columns=["stage", "value_from", "value_to"])


_MOVES = ("skipped", "regression", "recycled", "re_mql", "re_entered", "entered_above")
_MOVE_LABELS = ("Skipped a stage", "Moved back", "Recycled", "MQL again", "Came back after an exit", "Entered above the first stage")


@metric("funnel.movement", "Skips, regressions, re-entries", "Which leads did not move one stage at a time?",
        total("count", EVENTS, label="Events"), better=Better.DOWN, owners=("revops",), meetings=("WTR",), needs=LEAD_PASSES, by=("move", "stage"), drill=LEAD_DRILL)
def movement(x: Coded) -> Facts:
    """Stages reached by skipping them, events back to a lower stage within a pass, leads ever recycled (at their first recycle), passes after the
    first that hold an MQL event (at that event), leads that came back after an exit (at their second pass, or conversion), and leads that entered above the
    first stage.
    """
    leads, events, stages = x.leads, x.leads.events, x.terms.lead_stages
    parts: list[tuple[int, np.ndarray, np.ndarray, np.ndarray]] = []  # move, lead, at, stage rank
    stage, lead = np.nonzero(leads.imputed & (leads.reached != NEVER))
    parts.append((1, lead, leads.reached[stage, lead], stage))
    back = np.flatnonzero(events.regressed)
    parts.append((2, events.lead[back], events.at[back], events.rank[back]))
    recycled = np.flatnonzero(events.rank == len(stages) + x.terms.lead_exit_stages.index(RECYCLED)) if RECYCLED in x.terms.lead_exit_stages else back[:0]
    first = recycled[np.unique(events.lead[recycled], return_index=True)[1]]
    parts.append((3, events.lead[first], events.at[first], np.full(len(first), -1)))
    again = np.flatnonzero((events.rank == stages.index(MQL)) & (events.pass_no > 1))
    again = again[np.unique(paired(events.lead[again], events.pass_no[again], 1 << 15), return_index=True)[1]]
    parts.append((4, events.lead[again], events.at[again], events.rank[again]))
    above = np.flatnonzero(leads.entry > 0)
    second = np.flatnonzero(events.pass_no > 1)
    second = second[np.unique(events.lead[second], return_index=True)[1]]
    taken_up = np.setdiff1d(np.flatnonzero(leads.taken_up), events.lead[second])
    parts.append((5, events.lead[second], events.at[second], np.full(len(second), -1)))
    parts.append((5, taken_up, leads.converted[taken_up], np.full(len(taken_up), -1)))
    parts.append((6, above, leads.reached[leads.entry[above], above], leads.entry[above]))
    move = np.repeat([p[0] for p in parts], [len(p[1]) for p in parts])
    lead, at, rank = (np.concatenate([p[k] for p in parts]).astype("int64") for k in (1, 2, 3))
    ok = leads.in_f0[lead]
    return x.make_facts("lead", lead[ok], x.days(at[ok]), {"count": np.ones(int(ok.sum()))}, detail={"at": at[ok]}, left_out=leads.left_out,
                        own={"move": (move[ok], words("move", _MOVES, _MOVE_LABELS)),
                             "stage": (rank[ok] + 1, words("stage", stages))})


@metric("funnel.recycle_recovery", "Recycled-lead recovery", "How many recycled leads came back?",
        rate("re_mql_rate", "re_mql", "n", label="Came back as MQL"), rate("to_opportunity_rate", "to_opportunity", "n", label="Became an opportunity"),
        owners=("marketing",), meetings=("MRC",), needs=LEAD_PASSES, drill=LEAD_DRILL, settles_after="months: read it with the age of the recycled leads")
def recycle_recovery(x: Coded) -> Facts:
    """Leads ever recycled, by their first recycle: the share with a later MQL event, and the share that later became an opportunity."""
    leads, events, stages = x.leads, x.leads.events, x.terms.lead_stages
    code = len(stages) + x.terms.lead_exit_stages.index(RECYCLED) if RECYCLED in x.terms.lead_exit_stages else -1
    rows = np.flatnonzero((events.rank == code) & leads.in_f0[events.lead])
    lead, first = np.unique(events.lead[rows], return_index=True)
    at = events.at[rows[first]]
    since = np.full(leads.n, NEVER, dtype="int64")
    since[lead] = at
    mql = np.flatnonzero((events.rank == stages.index(MQL)) & (events.at > since[events.lead]))
    came_back = np.isin(lead, events.lead[mql])
    goal = leads.reached[stages.index(OPPORTUNITY), lead]
    return x.make_facts("lead", lead, x.days(at), {"n": np.ones(len(lead)), "re_mql": came_back.astype(float),
                                                   "to_opportunity": ((goal != NEVER) & (goal > at)).astype(float)},
                        detail={"recycled_at": at, "age_days": (x.as_of - at) / DAY_US}, left_out=leads.left_out)


@metric("velocity.lead_transition_days", "Stage transition time", "How long do leads take from stage to stage?",
        distribution("days", DAYS, "days", "median", "p75", "p90"), better=Better.DOWN, owners=("marketing", "sales"), meetings=("WPR",), needs=LEAD_CHANGES,
        by=("pair",), drill=LEAD_DRILL, settles_after="completed moves only: recent periods look better than they are")
def lead_transition_days(x: Coded, pairs: tuple[str, ...] = ()) -> Facts:
    """Days from one stage to the other, of leads with both stages observed (not imputed), by the date of the second. Completed moves only,
    hence optimistic for recent cohorts: read it beside the conversion curve. The pairs are neighbouring stages and MQL to opportunity, unless others
    are asked for.
    """
    stages, leads = x.terms.lead_stages, x.leads
    pairs = pairs or tuple(dict.fromkeys([*(f"{a}->{b}" for a, b in zip(stages[:-2], stages[1:-1], strict=True)), f"{MQL}->{OPPORTUNITY}"]))
    parts = []
    for pair in pairs:
        first, last = pair_of(x, pair)
        ok = (leads.reached[[first, last]] != NEVER).all(axis=0) & ~leads.imputed[first] & ~leads.imputed[last] & leads.in_f0
        parts.append(np.flatnonzero(ok))
    lead = np.concatenate(parts)
    code = np.repeat(np.arange(len(pairs)), [len(p) for p in parts])
    ranks = np.array([pair_of(x, pair) for pair in pairs])
    start, goal = leads.reached[ranks[code, 0], lead], leads.reached[ranks[code, 1], lead]
    return x.make_facts("lead", lead, x.days(goal), {"days": (goal - start) / DAY_US}, own={"pair": (code + 1, words("pair", pairs))},
                        detail={"from_at": start, "to_at": goal}, left_out=leads.left_out)

