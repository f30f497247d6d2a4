"""What the metrics themselves call an exception, case by case: routing, owners, duplicates, orphans, required fields, forecast rules, broken promises.

Which records have it is read from the facts of the metric that counts it; only since when is worked out here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from revscore.core.calendars import DAY_US, NEVER, NO_DAY, instants
from revscore.core.coded import Coded
from revscore.core.metrics import CARDS
from revscore.core.metrics.forecast import RULES, forecast_deals, last_sign_of_life
from revscore.core.metrics.quality import LEAD_EXCEPTIONS, lead_exceptions, leads_at_work, routing_attempts
from revscore.core.metrics.sla import PROMISES
from revscore.core.requirements import Cells, deal_cells, lead_cells
from revscore.core.sla import BREACHED_CLOSED, BREACHED_OPEN

_NONE = np.zeros(0, dtype="int64")


@dataclass(frozen=True)
class Found:
    """Cases of one kind about one entity (lead, opp, touch; "" for what is no record, which brings its own `ids`, `names` and `owners`).

    record: position · at: since when · what: details in words · is_open: still so · level: of escalation · part: tells apart several cases of one
    record · windowed: only taken up while it is recent
    """

    entity: str
    record: np.ndarray
    at: np.ndarray
    what: np.ndarray
    is_open: np.ndarray | bool = True
    level: np.ndarray | int = 0
    part: np.ndarray = field(default_factory=lambda: _NONE)
    windowed: np.ndarray | bool = False
    ids: np.ndarray = field(default_factory=lambda: _NONE)
    names: np.ndarray = field(default_factory=lambda: _NONE)
    owners: np.ndarray = field(default_factory=lambda: _NONE)


def plain(count: int) -> np.ndarray:
    """No details."""
    return np.full(count, "", dtype=object)


def flagged(x: Coded, card: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the records, and places in the facts, of what a card counts under a measure."""
    facts = x.facts(CARDS[card])
    rows = np.flatnonzero(facts.values[measure] > 0)
    return facts.record[rows].astype("int64"), rows


def lead_since(x: Coded, lead: np.ndarray) -> np.ndarray:
    """Since when leads stand in their stage; those without events since they were created."""
    last = x.leads.last_event[lead]
    return np.where(last >= 0, np.append(x.leads.events.at, NEVER)[last], x.leads.created[lead])


def deal_since(x: Coded, deal: np.ndarray) -> np.ndarray:
    """The last change of deals; those without one, when they were created."""
    event = x.opps.now.event[deal]
    return np.where(event >= 0, np.append(x.opps.events.at, NEVER)[event], x.opps.created[deal])


def routing(x: Coded) -> list[Found]:
    """Failed attempts; open the last one of a lead at work whose routing still counts as failed (`dq.exception_rate`)."""
    lead, at, result = routing_attempts(x)
    rows = np.flatnonzero((result != "assigned") & x.leads.in_f0[lead])
    rows = rows[np.lexsort((at[rows], lead[rows]))]
    lead, at, result = lead[rows], at[rows], result[rows]
    at_work, flags = lead_exceptions(x)
    still = at_work[flags[LEAD_EXCEPTIONS.index("routing_failed")]]
    last = np.append(lead[1:] != lead[:-1], True) if len(lead) else np.zeros(0, dtype=bool)
    what = np.where(result == "fallback_queue", "fell into the fallback queue", "the routing failed").astype(object)
    return [Found("lead", lead, at, what, np.isin(lead, still) & last)]


def unassigned(x: Coded) -> list[Found]:
    lead, rows = flagged(x, "dq.unassigned", "unassigned")
    facts = x.facts(CARDS["dq.unassigned"])
    status = facts.own["status"].values
    return [Found("lead", lead, lead_since(x, lead), np.array([word.upper() for word in status], dtype=object)[facts.codes["status"][rows]])]


def duplicates(x: Coded) -> list[Found]:
    lead, rows = flagged(x, "dq.duplicates", "duplicate")
    return [Found("lead", lead, x.leads.created[lead], x.facts(CARDS["dq.duplicates"]).detail["keep"][rows])]


def without_account(x: Coded) -> list[Found]:
    deal, _ = flagged(x, "dq.orphans", "opps_without_account")
    return [Found("opp", deal, x.opps.created[deal], plain(len(deal)))]


def without_role(x: Coded) -> list[Found]:
    deal, _ = flagged(x, "dq.orphans", "open_opps_without_contact_role")
    return [Found("opp", deal, x.opps.created[deal], plain(len(deal)))]


def touches(x: Coded) -> list[Found]:
    facts = x.facts(CARDS["dq.orphans"])
    rows = np.flatnonzero((facts.record >= x.opps.n) & (facts.values["orphans"] > 0))
    touch = facts.record[rows].astype("int64") - x.opps.n
    return [Found("touch", touch, instants(x.data.table("touches")["occurred_at"], x.as_of)[touch], facts.detail["without"][rows])]


def missing(x: Coded) -> list[Found]:
    """Leads at work and deals in the forecast that are not complete, since they reached the first stage that needs what is missing."""
    found = []
    for card, entity, cells, stages, open_now, since in (("dq.complete_leads", "lead", lead_cells, x.terms.lead_stages, leads_at_work, lead_since),
                                                         ("dq.complete_deals", "opp", deal_cells, x.terms.opp_stages, forecast_deals, deal_since)):
        if not x.data.missing(CARDS[card].needs):
            record, rows = flagged(x, card, "incomplete")
            here = np.isin(record, open_now(x))
            record, rows = record[here], rows[here]
            part = x.leads if entity == "lead" else x.opps
            needed = _needed_since(cells(x), stages, part.reached, part.n)[record]
            found.append(Found(entity, record, np.where(needed == NEVER, since(x, record), needed), x.facts(CARDS[card]).detail["missing"][rows]))
    return found


def _needed_since(cells: Cells, stages: tuple[str, ...], reached: np.ndarray, n: int) -> np.ndarray:
    out = np.full(n, NEVER, dtype="int64")
    empty = np.flatnonzero(~cells.filled)
    rank = np.array([stages.index(name) if name in stages and stages.index(name) < len(reached) else -1 for name in cells.stages] or [-1])[cells.stage[empty]]
    empty, rank = empty[rank >= 0], rank[rank >= 0]
    np.minimum.at(out, cells.record[empty], reached[rank, cells.record[empty]])
    return out


def hygiene(x: Coded) -> list[Found]:
    """Since the close date has passed, or since the deal has stood still for too long; else since its last change."""
    facts = x.facts(CARDS["forecast.hygiene"])
    deal, rows = flagged(x, "forecast.hygiene", "violates")
    close = x.opps.now.close_day[deal]
    past, stale = (facts.values[RULES[place]][rows] > 0 for place in (0, 5))
    passed = np.where(past & (close != NO_DAY), (close.astype("int64") + 1) * DAY_US, NEVER)
    still = np.where(stale, last_sign_of_life(x)[deal] + int(x.terms.hygiene.stale_days * DAY_US), NEVER)
    first = np.minimum(passed, still)
    return [Found("opp", deal, np.minimum(np.where(first == NEVER, deal_since(x, deal), first), x.as_of), facts.detail["broken"][rows])]


def breaches(x: Coded) -> list[Found]:
    """Promises that are broken, open ones with their escalation level, since they were due; those that were closed too late are known for their recurrence."""
    c = x.clocks
    rows = np.flatnonzero((c.status == BREACHED_OPEN) | (c.status == BREACHED_CLOSED))
    at = np.where(c.due[rows] == NEVER, c.start[rows], c.due[rows])
    part = np.array(PROMISES.values[1:], dtype=object)[c.type[rows]] + pd.Series(c.number[rows]).map(" {}".format).to_numpy(dtype=object)
    return [Found("lead", c.lead[rows].astype("int64"), at, np.array(PROMISES.labels[1:], dtype=object)[c.type[rows]], c.status[rows] == BREACHED_OPEN, c.level[rows].astype("int64"), part)]
