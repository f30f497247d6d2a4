"""SLA: compliance by due and by start date, speed to lead, routing lag, acceptance, open breaches. METRICS section 9."""

from __future__ import annotations

import numpy as np

from revscore.core.calendars import NEVER, instants
from revscore.core.clocks import MINUTE_US
from revscore.core.coded import Coded
from revscore.core.facts import Facts, Gathered
from revscore.core.metric import Better, distribution, metric, rate, survival, total
from revscore.core.metrics.common import LEAD_CHANGES, words
from revscore.core.sla import (BREACHED_CLOSED, BREACHED_OPEN, CANCELLED, MET, OUTCOMES, PAUSED, RECYCLE, RUNNING, SPEED, STATUSES,
                               Timeline)
from revscore.core.terms import SLA_TYPES
from revscore.core.units import CLOCKS, LEADS, MINUTES

_DRILL = ("lead_id", "pass", "sla_type", "segment", "owner", "status", "started_at", "due_at", "ended_at", "elapsed_min", "overdue_min", "pct_of_target")
_SPEED_NEEDS = (*LEAD_CHANGES, "activities.person_id", "activities.occurred_at")
PROMISES = words("sla_type", SLA_TYPES, ("Speed to lead", "Acceptance", "Follow-up", "Meeting set", "Recycled leads touched"))
_STATUS = words("status", STATUSES, ("Met", "Breached, closed", "Breached, open", "Running", "Paused", "Cancelled"))
_WHYS = ("", "running, not yet due", "paused, due unknown", "met, but not yet due", "breached, but not yet due", "cancelled: lead disqualified",
         "cancelled: lead recycled", "cancelled: next pass started")
BUCKETS = ("<=4h", "4-8h", "8-24h", ">24h")


def _detail(x: Coded, rows: np.ndarray) -> Gathered:
    c = x.clocks
    shared = x.once("clock details", lambda: {
        "pass": c.number, "started_at": c.start, "due_at": c.due, "stopped_at": c.stop, "ended_at": c.end, "status": np.array(STATUSES, dtype=object)[c.status],
        "elapsed_min": c.elapsed, "overdue_min": c.overdue, "pct_of_target": c.pct, "clock": np.arange(len(c))})
    return Gathered(shared, rows.astype("int32"))


def _own(x: Coded, rows: np.ndarray) -> dict[str, tuple[np.ndarray, object]]:
    return {"sla_type": (x.clocks.type[rows] + 1, PROMISES), "status": (x.clocks.status[rows] + 1, _STATUS)}


def _why(x: Coded) -> np.ndarray:
    """Why a clock is outside the due-anchored rate, as index into `_WHYS`; 0 = it is inside."""
    c, p = x.clocks, x.passes
    not_due = c.due > x.as_of
    cancelled = np.where(c.type == RECYCLE, 7, np.where(p.recycled[c.in_pass], 6, 5))
    return np.select([c.status == CANCELLED, c.status == RUNNING, c.status == PAUSED, (c.status == MET) & not_due, not_due],
                     [cancelled, 1, 2, 3, 4], 0)


@metric("sla.compliance", "SLA compliance", "Of the promises that came due, how many were kept?",
        rate("compliance", "met", "counted", label="SLA compliance"), total("breaches", CLOCKS, label="Breaches"),
        owners=("sales", "marketing"), meetings=("WPR", "WTR"), needs=LEAD_CHANGES, by=("sla_type", "status"), drill=_DRILL,
        population="clocks of the SLA type: one per pass with an MQL", settles_after="at once: only clocks that are due count")
def compliance(x: Coded) -> Facts:
    """Met ÷ (met + breached) among the clocks whose due lies in the period and has passed.

    Running, paused and cancelled clocks are outside, and so is a clock that was met early until it is due: otherwise recent periods would
    hold all the quick successes and none of the slow ones. Exactly at the target is met. Minutes are business minutes of the lead's
    regional calendar without holidays and pauses; a target of N business days is due at the closing time of the N-th open day after the
    day the clock started on. A segment without a policy of its own runs on the policy for all segments.
    """
    c, why = x.clocks, _why(x)
    counted = why == 0
    met = counted & (c.status == MET)
    rows = np.arange(len(c))
    values = {"counted": counted, "met": met, "breaches": counted & ~met}
    return x.make_facts("lead", c.lead, x.days(c.due), values, own=_own(x, rows), why=why, whys=_WHYS, detail=_detail(x, rows), left_out=c.left_out)


@metric("sla.compliance_by_start", "SLA compliance by start date", "Of the clocks that started then, how did they end?",
        rate("resolved_start_anchored", "met", "resolved", label="Met of the resolved (by start)"),
        total("breached_open", CLOCKS, label="Breached, still open"), total("not_yet_due", CLOCKS, label="Not yet due"),
        total("met_but_not_yet_due", CLOCKS, label="Met, but not yet due"), total("cancelled", CLOCKS, label="Cancelled"),
        total("started", CLOCKS, label="Started"),
        better=Better.CONTEXT, owners=("revops",), meetings=("WTR",), needs=LEAD_CHANGES, by=("sla_type", "status"), drill=_DRILL,
        population="clocks of the SLA type: one per pass with an MQL", settles_after="the target: early successes come first")
def compliance_by_start(x: Coded) -> Facts:
    """Met ÷ (met + breached) of the clocks that *started* in the period, as other tools show it: for reconciliation with the headline, which
    goes by due date. Beside it what became of the rest: breached and still open, not yet due (running or paused), met but not yet due
    (outside the headline), cancelled.
    """
    c = x.clocks
    columns = {"met": c.status == MET, "resolved": c.resolved, "breached_open": c.status == BREACHED_OPEN,
               "not_yet_due": (c.status == RUNNING) | (c.status == PAUSED), "met_but_not_yet_due": (c.status == MET) & (c.due > x.as_of),
               "cancelled": c.status == CANCELLED, "started": np.ones(len(c), dtype=bool)}
    rows = np.arange(len(c))
    why = np.where(c.resolved, 0, _why(x))
    return x.make_facts("lead", c.lead, x.days(c.start), columns, own=_own(x, rows),
                        why=why, whys=_WHYS, detail=_detail(x, rows), left_out=c.left_out)


@metric("sla.speed_to_lead_minutes", "Speed to lead", "How long does a new MQL wait for the first hands-on touch?",
        distribution("minutes", MINUTES, "waited", "median", "p90", label="Minutes to the first touch (responded)"),
        survival("km", MINUTES, "followed", "responded", "median", "p90", label="Minutes to the first touch, those still waiting included"),
        total("instances", CLOCKS, label="Clocks"), total("responded", CLOCKS, label="Responded"),
        total("never_responded_closed", CLOCKS, label="Breached and closed without a response"),
        better=Better.DOWN, owners=("sales", "revops"), meetings=("WPR",), needs=_SPEED_NEEDS, by=("status",), drill=_DRILL,
        population="speed-to-lead clocks", settles_after="the Kaplan–Meier median at once; the plain median once nobody waits any more")
def speed_to_lead_minutes(x: Coded) -> Facts:
    """Business minutes from the first MQL of a pass to the first hands-on touch: a call, mail or meeting by sales or customer success, neither
    automated nor inbound. Median and 90th percentile of those that were responded to, and by Kaplan–Meier with running, open and cancelled
    clocks followed as far as they go. Never read a mean alone.
    """
    c = x.clocks
    rows = np.flatnonzero(c.type == SPEED)
    responded = c.stop[rows] != NEVER
    values = {"instances": np.ones(len(rows)), "responded": responded.astype(float), "followed": c.elapsed[rows],
              "waited": np.where(responded, c.elapsed[rows], np.nan),
              "never_responded_closed": (~responded & (c.status[rows] == BREACHED_CLOSED)).astype(float)}
    return x.make_facts("lead", c.lead[rows], x.days(c.start[rows]), values, own={"status": (c.status[rows] + 1, _STATUS)},
                        why=~responded, whys=("", "no hands-on touch"), detail=_detail(x, rows), left_out=c.left_out_of(SPEED))


@metric("sla.speed_decomposition", "Routing lag and rep response", "Is it the routing or the rep that takes the time?",
        distribution("routing_lag", MINUTES, "routing_lag", "median", "p90", "max", label="MQL → assigned"),
        distribution("rep_response", MINUTES, "rep_response", "median", "p90", "max", label="Assigned → first touch"), total("n", CLOCKS, label="Clocks"),
        better=Better.DOWN, owners=("revops", "sales"), meetings=("WTR",), drill=(*_DRILL[:5], "assigned_at", "stopped_at", "routing_lag_min", "rep_response_min"),
        needs=(*_SPEED_NEEDS, "routing_log.lead_id", "routing_log.attempted_at", "routing_log.result"),
        population="speed-to-lead clocks that were responded to and assigned", settles_after="once nobody waits any more")
def speed_decomposition(x: Coded) -> Facts:
    """Speed to lead taken apart: business minutes from the MQL to the first assignment in the pass (the system's part), and from there to the
    first hands-on touch (the rep's part; 0 when the touch came before the assignment). Pauses are not deducted here.
    """
    c, log = x.clocks, x.data.table("routing_log")
    lead, at = x.lead_index.get_indexer(log["lead_id"]), instants(log["attempted_at"], x.as_of)
    fine = (lead >= 0) & (at != NEVER) & (log["result"] == "assigned").to_numpy(dtype=bool)
    rows = np.flatnonzero((c.type == SPEED) & (c.stop != NEVER))
    assigned = Timeline(lead[fine], at[fine]).first(c.lead[rows], c.start[rows], x.passes.end[c.in_pass[rows]])
    rows, assigned = rows[assigned != NEVER], assigned[assigned != NEVER]
    time = c.time[rows]
    open_at = time.until(assigned)
    lag = (open_at - time.until(c.start[rows])) / MINUTE_US
    response = np.maximum(time.until(c.stop[rows]) - open_at, 0) / MINUTE_US
    return x.make_facts("lead", c.lead[rows], x.days(c.start[rows]), {"n": np.ones(len(rows)), "routing_lag": lag, "rep_response": response},
                        detail={"assigned_at": assigned, "routing_lag_min": lag, "rep_response_min": response, **_detail(x, rows)}, left_out=c.left_out_of(SPEED))


@metric("sla.acceptance_rate", "MQL acceptance", "How many handed-over MQLs does sales accept?",
        rate("acceptance", "accepted", "decided", label="Acceptance rate"), total("mql_handoffs", LEADS, label="MQLs handed over"),
        total("accepted", LEADS, label="Accepted"), total("rejected", LEADS, label="Rejected"), total("pending", LEADS, label="Pending"),
        owners=("marketing", "sales"), meetings=("WPR", "MRC"), needs=LEAD_CHANGES, by=("outcome", "reason"),
        drill=("lead_id", "pass", "segment", "owner", "campaign", "outcome", "reason", "mql_at", "resolved_at"),
        population="passes with an MQL, of F0 leads", settles_after="the acceptance target: pending handoffs are shown beside it")
def acceptance_rate(x: Coded) -> Facts:
    """Accepted ÷ (accepted + rejected) of the handoffs (first MQL of a pass) that started in the period. Accepted: the next decisive event is SAL
    or beyond; rejected: it is an exit. Pending handoffs are shown beside the rate, never in its denominator. A very high rate with low
    SQL conversion means that nobody looks.
    """
    p = x.passes
    pending = p.resolved == NEVER
    columns = {"mql_handoffs": np.ones(len(p.lead), dtype=bool), "accepted": p.accepted, "rejected": p.rejected, "decided": ~pending,
               "pending": pending}
    outcome = np.where(pending, 3, np.where(p.accepted, 1, 2))
    reasons = words("reason", tuple(sorted(set(p.reason.tolist()) - {""})))
    return x.make_facts("lead", p.lead, x.days(p.mql), columns,
                        own={"outcome": (outcome, words("outcome", (*OUTCOMES[1:], "pending"), ("Accepted", "Rejected", "Pending"))),
                             "reason": (x.encode(p.reason, reasons), reasons)},
                        why=pending, whys=("", "pending: neither accepted nor rejected yet"), left_out=x.leads.left_out,
                        detail={"pass": p.number, "mql_at": p.mql, "resolved_at": p.resolved, "reason": p.reason})


@metric("sla.breach_ageing", "Open breaches", "Which broken promises are still open, for how long, and who has to know?",
        total("open_breaches", CLOCKS, label="Open breaches"), total("escalated", CLOCKS, label="Clocks at an escalation level"),
        better=Better.DOWN, owners=("sales", "marketing"), meetings=("WTR",), needs=LEAD_CHANGES, by=("sla_type", "bucket", "level", "status"),
        drill=(*_DRILL, "bucket", "level"), population="open breaches, and running clocks at the first escalation level",
        settles_after="state at as-of")
def breach_ageing(x: Coded) -> Facts:
    """Breached clocks that nobody has closed, as they stand at as-of: business hours overdue (up to 4, 8, 24, more), and the highest escalation level
    whose share of the target is reached. The first level may be reached while the clock still runs; the others only once it is breached.
    """
    c = x.clocks
    rows = np.flatnonzero((c.status == BREACHED_OPEN) | (c.level > 0))
    is_open = c.status[rows] == BREACHED_OPEN
    hours_over = c.overdue[rows] / 60
    bucket = np.where(is_open, np.searchsorted([4 + 1e-9, 8 + 1e-9, 24 + 1e-9], hours_over) + 1, 0)
    levels = sorted({level for level, _, _ in x.terms.escalation_levels})
    level = np.where(c.level[rows] > 0, np.searchsorted(levels, c.level[rows]) + 1, 0)
    notify = {number: who for number, _, who in x.terms.escalation_levels}
    labels = tuple(f"{number}: {notify[number]}" if notify[number] else str(number) for number in levels)
    values = {"open_breaches": is_open.astype(float), "escalated": (level > 0).astype(float)}
    return x.make_facts("lead", c.lead[rows], np.full(len(rows), x.as_of_day), values,
                        own={**_own(x, rows), "bucket": (bucket, words("bucket", BUCKETS, ("up to 4 h", "4 to 8 h", "8 to 24 h", "over 24 h"))),
                             "level": (level, words("level", tuple(map(str, levels)), labels))},
                        why=~is_open, whys=("", "running, first escalation level reached"), left_out=c.left_out,
                        detail={**_detail(x, rows), "bucket": np.array(("", *BUCKETS), dtype=object)[bucket], "level": c.level[rows]})
