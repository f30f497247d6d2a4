"""Stages of deals and the slipping of their close dates: `opp.*` and `slippage.*`. METRICS section 6."""

from __future__ import annotations

import numpy as np

from revscore.core.calendars import NEVER, NO_DAY, Period, midnight
from revscore.core.coded import Coded
from revscore.core.facts import Facts
from revscore.core.metric import Better, metric, rate, total
from revscore.core.metrics.common import DEAL_CHANGES, DEAL_DRILL, words
from revscore.core.metrics.pipeline import within
from revscore.core.units import CURRENCY, DEALS, PUSHES

FATES = ("slipped", "won", "lost", "open_in_period", "overdue", "other")


@metric("opp.stage_conversion", "Opportunity stage conversion", "At which stage do we lose deals?",
        rate("rate_resolved", "advanced", "resolved", "reached", label="Advanced (of resolved)"), rate("stage_win_rate", "won", "decided", label="Won, of decided"),
        total("reached", DEALS), total("advanced", DEALS), total("lost_here", DEALS), total("open_here", DEALS),
        owners=("sales",), meetings=("WPR", "MRC"), needs=DEAL_CHANGES, by=("stage",), drill=DEAL_DRILL, population="O1 that reached the stage", settles_after="until the open deals are decided")
def stage_conversion(x: Coded) -> Facts:
    """Of the deals that reached a stage: advanced (reached the next), lost here (lost, and this was the furthest), open here. Headline: advanced ÷
    (advanced + lost here). The truth lies between advanced ÷ reached and (advanced + open here) ÷ reached. A skipped stage counts as reached.
    """
    opps = x.opps
    stages = opps.open_stages
    stage, opp = np.nonzero((opps.reached[:stages] != NEVER) & opps.in_o1)
    advanced = opps.reached[stage + 1, opp] != NEVER
    lost_here = ~advanced & opps.lost[opp]
    values = {"reached": np.ones(len(opp)), "advanced": advanced, "lost_here": lost_here, "open_here": ~advanced & ~lost_here, "resolved": advanced | lost_here,
              "won": opps.won[opp], "decided": opps.won[opp] | opps.lost[opp]}
    return x.make_facts("opp", opp, x.days(opps.reached[stage, opp]), {name: column.astype(float) for name, column in values.items()},
                        own={"stage": (stage + 1, words("stage", x.terms.opp_stages))}, why=~(advanced | lost_here), whys=("", "still open in this stage"),
                        detail={"reached_at": opps.reached[stage, opp], "skipped": opps.skipped[stage, opp]}, left_out=opps.left_out)


@metric("opp.movement", "Skips, regressions, re-opened deals", "Which deals did not move one stage at a time?", total("count", DEALS, label="Events"),
        better=Better.DOWN, owners=("revops",), meetings=("WTR",), needs=DEAL_CHANGES, by=("move", "stage"), drill=DEAL_DRILL, population="O1")
def movement(x: Coded) -> Facts:
    """Stages reached only by a later one (skipped), moves from an open stage to a lower open one (regressed), moves from closed to open (re-opened)."""
    opps, events = x.opps, x.opps.events
    stage, opp = np.nonzero(opps.skipped[: opps.open_stages] & (opps.reached[: opps.open_stages] != NEVER))
    rows = np.flatnonzero(events.opp[1:] == events.opp[:-1]) + 1 if len(events) else np.zeros(0, dtype="int64")
    was, now = events.rank[rows - 1], events.rank[rows]
    back = rows[opps.is_open(was) & opps.is_open(now) & (now < was)]
    again = rows[opps.is_closed(was) & opps.is_open(now)]
    move = np.repeat([1, 2, 3], [len(opp), len(back), len(again)])
    who = np.concatenate([opp, events.opp[back], events.opp[again]])
    at = np.concatenate([opps.reached[stage, opp], events.at[back], events.at[again]])
    rank = np.concatenate([stage, events.rank[back], events.rank[again]])
    ok = opps.in_o1[who]
    return x.make_facts("opp", who[ok], x.days(at[ok]), {"count": np.ones(int(ok.sum()))}, detail={"moved_at": at[ok]}, left_out=opps.left_out,
                        own={"move": (move[ok], words("move", ("skipped", "regressed", "reopened"), ("Skipped a stage", "Moved back", "Re-opened"))),
                             "stage": (rank[ok] + 1, words("stage", x.terms.opp_stages))})


@metric("slippage.push_count", "Pushes", "How often are close dates pushed out?", total("any_later", PUSHES, label="Pushes to any later date"),
        total("later_month", PUSHES, label="Pushes to a later month"), total("days", PUSHES, "days_pushed", label="Days pushed"), better=Better.DOWN, owners=("sales",),
        meetings=("WPR",), needs=(*DEAL_CHANGES, "opp_history.close_date"), drill=DEAL_DRILL, population="O1, open before and after the change")
def push_count(x: Coded) -> Facts:
    """Changes of the close date to a later one while the deal is open before and after: to any later date, and to a later calendar month (as a CRM
    counts them). Pulling a date in does not take a push back.
    """
    opps, events = x.opps, x.opps.events
    rows = np.flatnonzero(events.opp[1:] == events.opp[:-1]) + 1 if len(events) else np.zeros(0, dtype="int64")
    is_open = opps.is_open(events.rank)
    was, now = events.close_day[rows - 1], events.close_day[rows]
    pushed = is_open[rows] & is_open[rows - 1] & (now > was) & (now != NO_DAY) & opps.in_o1[events.opp[rows]]
    rows, was, now = rows[pushed], was[pushed], now[pushed]
    month = x.terms.calendar.codes(now, "month") > x.terms.calendar.codes(was, "month")
    return x.make_facts("opp", events.opp[rows], x.days(events.at[rows]), {"any_later": np.ones(len(rows)), "later_month": month.astype(float),
                                                                           "days_pushed": (now - was).astype(float)},
                        detail={"pushed_at": events.at[rows], "from_day": was, "to_day": now}, left_out=opps.left_out)


@metric("slippage.rate", "Slippage", "How much of what was to close in the period slipped out of it?",
        rate("slippage_rate", "slipped", "n", label="Slippage by count"), rate("slippage_value_rate", "slipped_value", "value", label="Slippage by value", records="n"),
        total("count", DEALS, label="Deals"), total("value", CURRENCY, "value", label="Amount at the start"), better=Better.DOWN, owners=("sales",), meetings=("WPR",),
        needs=(*DEAL_CHANGES, "opp_history.amount", "opp_history.close_date"), by=("fate",), drill=DEAL_DRILL, population="O1 eligible at the period's start, close date in the period")
def slippage(x: Coded, period: Period | None = None) -> Facts:
    """Of the deals that were in pipeline when the period began and were to close in it, those still in pipeline at its end (or as-of) with a close date
    after it. The others: won, lost, open in the period, overdue, other. By count and by the amount at the start. Default: the current quarter.
    """
    opps, tz = x.opps, x.terms.reporting_tz
    period = period or x.terms.calendar.holding(x.as_of_day, "quarter")
    t1 = min(x.as_of, midnight(period.end, tz))
    before, after = opps.at(midnight(period.start, tz)), opps.at(t1)
    opp = np.flatnonzero(before.eligible & within(before.close_day, period) & opps.in_o1)
    end, close = after.rank[opp], after.close_day[opp]
    today = min(x.as_of_day, period.end)
    fate = np.select([after.eligible[opp] & (close >= period.end), end == opps.open_stages, end == opps.open_stages + 1,
                      after.eligible[opp] & (close >= today), after.eligible[opp]], [0, 1, 2, 3, 4], 5)
    amount = before.amount[opp]
    return x.make_facts("opp", opp, np.full(len(opp), x.days(np.array([t1]))[0]), {"n": np.ones(len(opp)), "count": np.ones(len(opp)), "value": amount,
                                                                                   "slipped": (fate == 0).astype(float), "slipped_value": np.where(fate == 0, amount, 0.0)},
                        own={"fate": (fate + 1, words("fate", FATES, ("Slipped", "Won", "Lost", "Open in the period", "Overdue", "Other")))},
                        detail={"close_start_day": before.close_day[opp], "close_now_day": close}, left_out=opps.left_out)
