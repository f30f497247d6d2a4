"""Leakage: where leads and deals are lost, and why. METRICS section 4."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.core.calendars import DAY_US, NEVER
from revscore.core.coded import Coded
from revscore.core.facts import Dimension, Facts
from revscore.core.metric import Better, metric, rate, total
from revscore.core.metrics.common import DEAL_NEEDS, LEAD_DRILL, LEAD_NEEDS, words
from revscore.core.terms import OPPORTUNITY
from revscore.core.units import CURRENCY, DEALS, LEADS

MISSING_REASON = "(missing)"
FATES = ("advanced", "disqualified", "recycled", "lost", "stalled", "active")
_LEAKS = ("disqualified", "recycled", "lost")


def reasons(text: np.ndarray) -> tuple[np.ndarray, Dimension]:
    """Codes and dimension of reason texts; blank is "(missing)", an absent reason ("" from None) code 0."""
    values = pd.Series(text, dtype="object")
    known = tuple(sorted({str(v) for v in values.dropna().unique()}))
    return pd.Index(known).get_indexer(values) + 1, words("reason", known)


@metric("leakage.leads", "Lead leakage", "Where do leads leak, and why?",
        rate("leak_rate", "leak", "n", label="Leak rate"), total("count", LEADS, label="Leads"),
        better=Better.DOWN, owners=("marketing", "sales"), meetings=("WPR", "WTR"), by=("stage", "fate", "reason"),
        needs=LEAD_NEEDS, drill=LEAD_DRILL, population="F0 leads that reached the stage")
def lead_leakage(x: Coded) -> Facts:
    """Every lead that reached a stage is exactly one of: advanced (reached the next) · disqualified · recycled · lost (its deal is Closed
    Lost) · stalled (open, no event for longer than the stage's limit) · active. Leak rate = (disqualified + recycled + lost) / reached.

    The furthest stage decides where, the last event decides how; a recycled lead that came back and advanced is *advanced*. Reasons are those
    of the last exit, or the loss reason of the deal.
    """
    leads, stages = x.leads, x.terms.lead_stages
    limits = dict(x.terms.stall_days)
    exits = dict(zip(x.terms.lead_exit_stages, range(len(stages), len(stages) + len(x.terms.lead_exit_stages)), strict=True))
    last = leads.last_event
    last_at = np.where(last >= 0, leads.events.at[last], leads.created) if len(leads.events) else leads.created
    exit_reason = np.where(last >= 0, leads.events.reason[last], "") if len(leads.events) else np.full(leads.n, "", dtype=object)
    lost = np.zeros(leads.n, dtype=bool)
    known = leads.opp >= 0
    lost[known] = x.opps.lost[leads.opp[known]]
    loss_reason = np.full(leads.n, "", dtype=object)
    loss_reason[known] = x.opps.loss_reason[leads.opp[known]]

    parts = []
    for stage, name in enumerate(stages[:-1]):
        lead = np.flatnonzero((leads.reached[stage] != NEVER) & leads.in_f0)
        advanced = leads.reached[stage + 1, lead] != NEVER
        idle = (x.as_of - last_at[lead]) / DAY_US
        fate = np.where(idle > limits.get(name, np.inf), FATES.index("stalled"), FATES.index("active"))
        if name == OPPORTUNITY:
            fate = np.where(lost[lead], FATES.index("lost"), fate)
        else:
            for word, code in exits.items():
                fate = np.where(leads.status[lead] == code, FATES.index(word), fate)
        parts.append((lead, np.full(len(lead), stage), np.where(advanced, 0, fate)))
    lead, stage, fate = (np.concatenate([part[k] for part in parts]) for k in range(3))
    why = np.where(fate == FATES.index("lost"), loss_reason[lead], exit_reason[lead])
    why = np.where(why == "", MISSING_REASON, why)
    leak = np.isin(fate, [FATES.index(word) for word in _LEAKS])
    code, dimension = reasons(np.where(leak, why, None))
    return x.make_facts("lead", lead, x.days(leads.reached[stage, lead]), {"n": np.ones(len(lead)), "count": np.ones(len(lead)), "leak": leak.astype(float)},
                        own={"stage": (stage + 1, words("stage", stages)), "fate": (fate + 1, words("fate", FATES)), "reason": (code, dimension)},
                        detail={"last_event_at": last_at[lead], "idle_days": (x.as_of - last_at[lead]) / DAY_US}, left_out=leads.left_out)


@metric("leakage.opportunities", "Loss analysis", "Which deals did we lose, at which stage, for which reason?",
        total("count", DEALS, label="Lost deals"), total("value", CURRENCY, label="Lost value"),
        rate("reason_coverage", "has_reason", "n", label="Losses with a reason"),
        better=Better.DOWN, owners=("sales",), meetings=("WPR", "MRC"), by=("stage", "reason"),
        needs=DEAL_NEEDS,
        drill=("opp_id", "name", "account", "segment", "owner", "amount", "close_date", "loss_reason"), population="O1, closed lost")
def lost_deals(x: Coded) -> Facts:
    """Deals that are Closed Lost at as-of, by the last open stage before the loss and the loss reason; by the date of the loss. "No decision" is a
    loss. A re-opened deal counts by its last outcome only. Reason coverage = losses with a reason / losses.
    """
    opps, events = x.opps, x.opps.events
    opp = np.flatnonzero(opps.lost & opps.in_o1)
    open_rows = np.flatnonzero(opps.is_open(events.rank))
    last_open = np.full(opps.n, -1, dtype="int64")
    last_open[events.opp[open_rows]] = events.rank[open_rows]  # rows are in time order: the last one stays
    text = np.where(opps.loss_reason[opp] == "", MISSING_REASON, opps.loss_reason[opp])
    code, dimension = reasons(text)
    return x.make_facts("opp", opp, x.days(opps.closed_at[opp]), {"count": np.ones(len(opp)), "n": np.ones(len(opp)), "value": opps.now.amount[opp],
                                                                 "has_reason": (text != MISSING_REASON).astype(float)},
                        own={"stage": (last_open[opp] + 1, words("stage", x.terms.opp_stages)), "reason": (code, dimension)},
                        detail={"lost_at": opps.closed_at[opp]}, left_out=opps.left_out)
