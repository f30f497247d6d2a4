"""Passes: the rounds of a lead through the funnel, from its first event, or the first after an exit, to the next such one (METRICS F5, S5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from revscore.core.calendars import NEVER
from revscore.core.facts import firsts_of
from revscore.core.terms import MQL, RECYCLED, SAL, SQL

if TYPE_CHECKING:
    from revscore.core.coded import Coded


@dataclass(frozen=True)
class Passes:
    """One row per pass with an MQL event, of leads in F0, by lead and pass (METRICS F5, S5). Instants are NEVER where there is none.

    A conversion counts as an event at or beyond every stage; one that follows an exit ends the pass, as the next on-path event does.
    """

    lead: np.ndarray
    number: np.ndarray
    mql: np.ndarray  # first mql of the pass: the handoff
    resolved: np.ndarray  # first later event at or beyond sal, or exit
    accepted: np.ndarray  # bool, the handoff was resolved by going on
    reason: np.ndarray  # object, reason of the exit that rejected it, "" otherwise
    sal: np.ndarray  # first event at or beyond sal
    sql: np.ndarray  # first event at or beyond sql after the mql
    exit: np.ndarray  # first exit
    recycled: np.ndarray  # bool, the first exit is "recycled"
    end: np.ndarray  # first event of the next pass

    @property
    def rejected(self) -> np.ndarray:
        return ~self.accepted & (self.resolved != NEVER)


def encode_passes(x: Coded) -> Passes:
    """The passes of F0 leads that hold an MQL event."""
    events, stages = x.leads.events, x.terms.lead_stages
    n = len(events)
    head = firsts_of(events.lead, events.pass_no)
    group = np.repeat(np.arange(len(head), dtype="int32"), np.diff(np.append(head, n)))
    at = np.append(events.at, NEVER)

    def first(mask: np.ndarray) -> np.ndarray:
        """Position of the first event of each pass under `mask`; −1, the position of NEVER, without."""
        rows = np.flatnonzero(mask)
        rows = rows[firsts_of(group[rows])]
        out = np.full(len(head), -1, dtype="int32")
        out[group[rows]] = rows
        return out

    path = ~events.is_exit
    mql = first(events.rank == stages.index(MQL))
    since = mql[group]
    after = (since >= 0) & (np.arange(n, dtype="int32") > since)
    sal = first(path & (events.rank >= stages.index(SAL)))
    later = first(after & (events.is_exit | (events.rank >= stages.index(SAL))))
    sql = first(after & path & (events.rank >= stages.index(SQL)))
    exit_ = first(events.is_exit)
    del group, since, after, path
    follows = np.append(events.lead[head][1:] == events.lead[head][:-1], False) if len(head) else np.zeros(0, dtype=bool)
    end = np.where(follows, np.append(at[head][1:], NEVER), NEVER) if len(head) else at[:0]

    keep = np.flatnonzero((mql >= 0) & x.leads.in_f0[events.lead[head]])
    lead, mql, sal, later, sql, exit_, end = events.lead[head][keep], mql[keep], sal[keep], later[keep], sql[keep], exit_[keep], end[keep]
    recycled = (exit_ >= 0) & (events.rank[exit_] == _rank_of_exit(x, RECYCLED)) if n else exit_ >= 0
    converted = x.leads.converted[lead]
    here = (converted >= at[head][keep]) & (converted < end)
    end = np.where(here & (converted > at[exit_]), converted, end)
    converted = np.where(here & (converted <= at[exit_]), converted, NEVER)
    converted_after = np.where(converted >= at[mql], converted, NEVER)
    resolved = np.minimum(at[later], converted_after)
    rejects = np.append(events.is_exit, False)[later] & (at[later] < converted_after)
    reason = np.where(rejects, np.append(events.reason, "")[later], "") if n else np.zeros(0, dtype=object)
    return Passes(lead, events.pass_no[head][keep], at[mql], resolved, (resolved != NEVER) & ~rejects, reason, np.minimum(at[sal], converted),
                  np.minimum(at[sql], converted_after), at[exit_], recycled, end)


def _rank_of_exit(x: Coded, stage: str) -> int:
    exits = x.terms.lead_exit_stages
    return len(x.terms.lead_stages) + exits.index(stage) if stage in exits else -1
