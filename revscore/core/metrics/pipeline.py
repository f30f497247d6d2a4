"""Pipeline: what is open, created, progressed, bridged, covered; opportunity stages; slippage. METRICS section 6."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.core import compute as engine
from revscore.core.calendars import DAY_US, NEVER, NO_DAY, Period
from revscore.core.coded import Coded
from revscore.core.deals import OppEvents
from revscore.core.facts import Facts, Gathered
from revscore.core.made import Given, Made, Number
from revscore.core.metric import Better, derived, level, metric, rate, total
from revscore.core.metrics import wins
from revscore.core.metrics.common import DEAL_CHANGES, DEAL_DRILL, DEAL_NEEDS, words
from revscore.core.sums import holding
from revscore.core.units import CURRENCY, DEALS, MULTIPLE
from revscore.core.view import View, Where

_MONEY = (*DEAL_NEEDS, "opp_history.amount")
_DATED = (*_MONEY, "opp_history.close_date")
INFLOWS = ("created", "reopened", "pulled_in", "other_in", "increased")
OUTFLOWS = ("decreased", "won", "lost", "pushed_out", "other_out")
LEGS = ("open_start", *INFLOWS, *OUTFLOWS, "open_end")
LEG_LABELS = ("Open at start", "Created", "Re-opened", "Pulled in", "Back in forecast", "Increased", "Decreased", "Won", "Lost", "Pushed out", "Other out",
              "Open at end")
DIRECTIONS = ("progressed", "regressed", "unchanged", "lost")


def within(day: np.ndarray, window: Period | None) -> np.ndarray:
    """Which days lie in the window; all of them without one."""
    return np.ones(len(day), dtype=bool) if window is None else (day >= window.start) & (day < window.end)


@metric("pipeline.open", "Open pipeline", "How much pipeline is open?", level("value", CURRENCY, "value", label="Open pipeline"),
        level("count", DEALS, "count", label="Open deals"), level("without_amount", DEALS, "without_amount", label="Open deals without an amount"), owners=("marketing", "sales"), meetings=("WPR",), needs=_MONEY, drill=DEAL_DRILL,
        population="O1, eligible")
def open_pipeline(x: Coded, window: Period | None = None) -> Facts:
    """Amount of the deals that are open, at or beyond the pipeline entry stage and not omitted, at the end of the period (at as-of while it runs).
    With a window, only deals whose close date at that time lies in it.
    """
    events = x.opps.events
    rows = np.flatnonzero(events.eligible & x.opps.in_o1[events.opp] & within(events.close_day, window) & (events.until > events.at))
    return x.make_facts("opp", events.opp[rows], x.days(events.at[rows]), {"value": events.amount[rows], "count": np.ones(len(rows)),
                                                                           "without_amount": events.amount_missing[rows].astype(float),
                                                                           "start": events.at[rows], "end": events.until[rows]}, left_out=x.opps.left_out)


@metric("pipeline.created", "Pipeline created", "How much pipeline did we create?", total("value", CURRENCY, label="Pipeline created"),
        total("count", DEALS, label="Deals"), total("without_amount", DEALS, label="Deals without an amount"), owners=("marketing", "sales"),
        meetings=("WPR", "MRC"), needs=_MONEY, drill=DEAL_DRILL,
        population="O1 with entry into pipeline")
def created(x: Coded) -> Facts:
    """Amount, frozen at that moment, of the deals that entered the pipeline in the period: their first event at or beyond the entry stage, not
    their creation in the CRM. Re-opening is no creation, and later changes of the amount do not restate it.
    """
    opps = x.opps
    opp = np.flatnonzero((opps.entry >= 0) & opps.in_o1)
    missing = opps.events.amount_missing[opps.entry[opp]]
    return x.make_facts("opp", opp, x.days(opps.entry_at[opp]), {"value": opps.entry_amount[opp], "count": np.ones(len(opp)), "without_amount": missing.astype(float)},
                        detail={"entered_at": opps.entry_at[opp], "amount_missing": missing}, left_out=opps.left_out)


def week_to_date(x: Coded) -> tuple[int, int]:
    """The seven days up to as-of, as instants."""
    return x.as_of - 7 * DAY_US, x.as_of


def _first_after(x: Coded, wanted: np.ndarray, t0: int, t1: int) -> np.ndarray:
    """Position of each deal's first `wanted` event in (t0, t1], −1 without."""
    events = x.opps.events
    rows = np.flatnonzero(wanted & (events.at > t0) & (events.at <= t1))[::-1]
    out = np.full(x.opps.n, -1, dtype="int64")
    out[events.opp[rows]] = rows  # backwards, so that the first one stays
    return out


@metric("pipeline.progressed", "Pipeline progressed", "Did the pipeline move forward?",
        rate("progression_rate", "progressed", "n", label="Share progressed"), total("count", DEALS, label="Deals"), total("value", CURRENCY, label="Amount"),
        owners=("sales", "marketing"), meetings=("WPR",), needs=(*DEAL_CHANGES, "opp_history.amount"), by=("direction",), drill=DEAL_DRILL, population="O1 in pipeline at the start, entered or re-opened since")
def progressed(x: Coded, t0: int | None = None, t1: int | None = None) -> Facts:
    """Deals in pipeline at the start, or entered or re-opened since: their stage at the end against their stage at the start (at entry, at
    re-opening). Won or higher = progressed, lower = regressed, equal = unchanged, Closed Lost = lost. Net between two times: down and up again is
    unchanged. Amount at the end. Without times: the seven days up to as-of.
    """
    t0, t1 = (week_to_date(x)[0] if t0 is None else t0), (x.as_of if t1 is None else t1)
    opps, events = x.opps, x.opps.events
    before, after = opps.at(t0), opps.at(t1)
    entered = (opps.entry_at > t0) & (opps.entry_at <= t1)
    open_event = _first_after(x, opps.is_open(events.rank), t0, t1)
    reopened = opps.is_closed(before.rank) & (open_event >= 0)
    base = opps.in_o1 & (before.eligible | entered | reopened)
    opp = np.flatnonzero(base)
    if len(events):
        start = np.where(before.eligible, before.rank, np.where(entered, events.rank[opps.entry], events.rank[open_event]))[opp]
    else:
        start = before.rank[opp]
    end = after.rank[opp]
    won, lost = end == opps.open_stages, end == opps.open_stages + 1
    direction = np.where(lost, 3, np.where(won | (end > start), 0, np.where(end < start, 1, 2)))
    return x.make_facts("opp", opp, np.full(len(opp), x.day(t1)), {"n": np.ones(len(opp)), "count": np.ones(len(opp)), "value": after.amount[opp],
                                                                                   "progressed": (direction == 0).astype(float)},
                        own={"direction": (direction + 1, words("direction", DIRECTIONS, ("Progressed", "Regressed", "Unchanged", "Lost")))}, left_out=opps.left_out)


@metric("pipeline.bridge", "Pipeline bridge", "What changed the pipeline between two times?", total("value", CURRENCY, label="Amount"),
        total("count", DEALS, label="Deals"), total("from_later", CURRENCY, label="of these pulled in from later"),
        total("from_earlier", CURRENCY, label="of these slipped in from earlier"), better=Better.CONTEXT, owners=("sales", "marketing"), meetings=("WPR",),
        needs=(*DEAL_CHANGES, "opp_history.amount", "opp_history.close_date"), by=("leg",), drill=DEAL_DRILL, population="O1")
def bridge(x: Coded, t0: int | None = None, t1: int | None = None, window: Period | None = None, where: Where = ()) -> Facts:
    """Open at start + created + re-opened + pulled in + back in forecast + increased − decreased − won − lost − pushed out − other out = open at end,
    exactly, deal by deal. Each deal has at most one entry, one amount and one exit leg. Created is the amount frozen at entry; a deal created and
    closed inside passes through. With a window, only deals whose close date lies in it; without, nothing is pulled in or pushed out. One corporate
    rate at both ends: no exchange-rate leg. Without times: the seven days up to as-of.
    """
    t0, t1 = (week_to_date(x)[0] if t0 is None else t0), (x.as_of if t1 is None else t1)
    opps, events = x.opps, x.opps.events
    before, after = opps.spans.between(t0, t1, holding(x, "opp", where))
    opp, a, b = events.opp[after], _standing(events, before, window), _standing(events, after, window)
    s, e = a.eligible & a.within, b.eligible & b.within
    won, lost = b.rank == opps.open_stages, b.rank == opps.open_stages + 1
    entered, closed = opps.entry_at[opp], np.flatnonzero(opps.is_closed(a.rank))
    entry = np.where(s, np.int8(0), np.where((entered > t0) & (entered <= t1), np.int8(1), np.int8(-1)))  # 0 = was there at the start
    base, new = a.amount.copy(), np.flatnonzero(entry == 1)
    base[new] = opps.entry_amount[opp[new]]
    again = opps.next_open[before[closed]]
    reopened = (again >= 0) & (events.at[again] <= t1) & (entry[closed] < 0)
    entry[closed[reopened]], base[closed[reopened]] = 2, events.amount[again[reopened]]
    entry[(entry < 0) & a.eligible] = 3
    entry[(entry < 0) & opps.is_open(a.rank)] = 4
    through = ~s & ~e & b.within & (entry > 0) & (won | (lost & (entry <= 2)))
    there = s | ((entry > 0) & (e | through))
    step = b.amount - base
    gone = there & ~e
    pushed = b.eligible & (b.close_day >= window.end) if window else np.zeros(len(opp), dtype=bool)

    legs = [(s, a.amount), *((there & (entry == code), base) for code in (1, 2, 3, 4)), (there & (step > 0), step), (there & (step < 0), -step),
            *((gone & how, b.amount) for how in (won, lost, pushed, ~(won | lost | pushed))), (e, b.amount)]  # which deals and how much, in the order of LEGS
    parts = [np.flatnonzero(mask) for mask, _ in legs]
    rows = np.concatenate(parts, dtype="int32", casting="same_kind")
    value = np.concatenate([amount[part] for part, (_, amount) in zip(parts, legs, strict=True)])
    code = np.repeat(np.arange(1, len(LEGS) + 1, dtype="uint8"), [len(part) for part in parts])
    nothing = np.zeros(len(rows), dtype=bool)  # without a window nothing is pulled in
    pulled, later = (code == LEGS.index("pulled_in") + 1, a.close_day[rows] >= window.end) if window else (nothing, nothing)
    return x.make_facts("opp", opp[rows], np.full(len(rows), x.day(t1), dtype="int32"),
                        {"value": value, "count": np.ones(len(rows), dtype=bool), "from_later": np.where(pulled & later, value, 0.0) if window else nothing, "from_earlier": np.where(pulled & ~later, value, 0.0) if window else nothing},
                        own={"leg": (code, words("leg", LEGS, LEG_LABELS))}, detail=Gathered({"amount_start": a.amount, "amount_end": b.amount}, rows), left_out=opps.left_out)


@dataclass(frozen=True)
class _Standing:
    """States that deals are in at one time; `within`: their close date lies in the window (all, without one)."""

    rank: np.ndarray  # −2 before the first event
    amount: np.ndarray
    eligible: np.ndarray
    close_day: np.ndarray
    within: np.ndarray


def _standing(events: OppEvents, event: np.ndarray, window: Period | None) -> _Standing:
    """The states that events begin; −1 stands for not yet there."""
    missing = np.flatnonzero(event < 0)

    def of(column: np.ndarray, nothing: float) -> np.ndarray:
        found = column[event]
        found[missing] = nothing
        return found

    close_day = of(events.close_day, NO_DAY) if window else np.zeros(len(event), dtype="int32")
    return _Standing(of(events.rank, -2), of(events.amount, 0), of(events.eligible, 0), close_day, within(close_day, window))


def unexplained(legs: pd.DataFrame) -> float:
    """What a bridge (rows of `compute(x, bridge, by="leg")`) leaves unexplained: start + ins − outs − end. It is 0 by construction."""
    value = legs[legs["measure"] == "value"].groupby("leg")["value"].sum()
    signed = {"open_start": 1, "open_end": -1, **dict.fromkeys(INFLOWS, 1), **dict.fromkeys(OUTFLOWS, -1)}
    return float(sum(sign * value.get(leg, 0.0) for leg, sign in signed.items()))


def _covering(x: Coded, view: View, stat: str, row: pd.Series, **params: float) -> Made:
    period = view.period or x.terms.calendar.holding(x.as_of_day, "quarter")
    if stat == "required_coverage":
        return Made((Number.of(wins.closed_in_period, view.during(period), "value_rate"),), "1 ÷ win rate by value", lambda rate: 1 / rate if rate > 0 else np.nan)
    window = _timely(x, period) if stat == "coverage_not_overdue" else period
    label = "Open, closing in the period" + (", not overdue" if stat == "coverage_not_overdue" else "")
    parts = (Number.of(open_pipeline, view.during(None), "value", label, window=window), Given("Target", float(row["target"]), CURRENCY, "targets"))
    if stat == "simple_coverage":
        return Made(parts, "open ÷ target", lambda there, goal: there / goal if goal else np.nan)
    return Made((*parts, Number.of(wins.won_value, view.during(period), "value", "Won so far")), "open ÷ (target − won so far)",
                lambda there, goal, won: there / (goal - won) if goal - won > 0 else np.nan)


def _timely(x: Coded, period: Period) -> Period:
    """What of the period has not passed: close dates in it are not overdue."""
    return Period(min(max(period.start, x.as_of_day), period.end), period.end)


@metric("pipeline.coverage", "Pipeline coverage", "Is there enough pipeline to close what is left of the target?",
        derived("coverage", MULTIPLE, label="Coverage of what is left"), derived("coverage_not_overdue", MULTIPLE, label="Without overdue close dates"),
        derived("simple_coverage", MULTIPLE, label="Open ÷ full target"), derived("required_coverage", MULTIPLE, label="Required (1 ÷ win rate by value)"),
        owners=("marketing", "sales"), meetings=("WPR",), needs=(*_DATED, "targets.value"), population="O1 eligible, close date in the period",
        made_of=_covering)
def coverage(x: Coded, view: View = View(), by: tuple[str, ...] = (), grain: str | None = None, *, target: float | None = None) -> pd.DataFrame:
    """Open pipeline that closes in the period ÷ (target − won so far). Missing ("target met") when nothing is left. Beside it: without overdue close
    dates, the simple ratio to the full target, and the coverage that the team's own win rate by value requires. The target is that of bookings
    for exactly this period and the chosen segment. What is required stands on the deals decided in the period: `n` and `flag` say on how many.
    """
    period = view.period or x.terms.calendar.holding(x.as_of_day, "quarter")
    goal = target_value(x, view.during(period)) if target is None else target
    state = view.during(None)

    def value(card, at: View, stat: str, **params) -> float:
        frame = engine.compute(x, card, at, **params)
        return float(frame.loc[frame["measure"] == stat, "value"].iloc[0])

    open_now = value(open_pipeline, state, "value", window=period)
    timely = value(open_pipeline, state, "value", window=_timely(x, period))
    won = value(wins.won_value, view.during(period), "value")
    rated = engine.compute(x, wins.closed_in_period, view.during(period), only="value_rate").iloc[0]
    rate_by_value = float(rated["value"])
    left = goal - won
    numbers = {"coverage": open_now / left if left > 0 else np.nan, "coverage_not_overdue": timely / left if left > 0 else np.nan,
               "simple_coverage": open_now / goal if goal else np.nan, "required_coverage": 1 / rate_by_value if rate_by_value > 0 else np.nan}
    frame = pd.DataFrame([{"measure": name, "value": number, "numerator": open_now, "denominator": left} for name, number in numbers.items()])
    required = frame["measure"] == "required_coverage"
    frame = frame.assign(n=np.where(required, rated["n"], np.nan), flag=pd.Series(rated["flag"], index=frame.index, dtype="str").where(required))
    return frame.assign(target=goal, won_to_date=won, remaining=left, open_in_period=open_now, open_not_overdue=timely, period=period.label, start=period.start, end=period.end)


def target_value(x: Coded, view: View, metric_id: str = "bookings.won.value") -> float:
    """The target for exactly the view's period and its one chosen segment (none chosen: the whole); NaN where there is none."""
    segments = view.chosen.get("segment", ("",))
    others = [name for name, _ in view.where if name != "segment"]
    found = [t.value for t in x.terms.targets if t.metric_id == metric_id and view.period and (t.start, t.end) == (view.period.start, view.period.end)
             and t.segment == segments[0]]
    return found[0] if found and len(segments) == 1 and not others else float("nan")


@metric("pipeline.weighted", "Weighted pipeline", "What is the open pipeline worth at our own stage win rates?", total("value", CURRENCY, label="Weighted pipeline"),
        better=Better.CONTEXT, owners=("sales",), meetings=("WPR",), needs=(*DEAL_CHANGES, "opp_history.amount"), by=("stage",), drill=DEAL_DRILL, population="O1 eligible at as-of")
def weighted(x: Coded) -> Facts:
    """Amount of each eligible deal × won ÷ (won + lost) of the decided deals that reached its stage. Missing when a deal stands in a stage that no
    decided deal ever reached. The win rates are those of the whole company, so that groups add up.
    """
    opps = x.opps
    opp = np.flatnonzero(opps.now.eligible & opps.in_o1)
    reached = (opps.reached != NEVER) & opps.in_o1
    won, decided = (reached & opps.won).sum(axis=1), (reached & (opps.won | opps.lost)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate_of = np.where(decided > 0, won / decided, np.nan)
    stage = opps.now.rank[opp].astype("int64")
    return x.make_facts("opp", opp, np.full(len(opp), x.as_of_day), {"value": opps.now.amount[opp] * rate_of[stage]},
                        own={"stage": (stage + 1, words("stage", x.terms.opp_stages))}, detail={"stage_win_rate": rate_of[stage]}, left_out=opps.left_out)
