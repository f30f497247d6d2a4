"""Leads, coded: populations, stage events, passes, and the stages each lead reached (METRICS 2, F1 to F5)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from revscore.core.calendars import NEVER, instants
from revscore.core.encode import ordered, places, texts
from revscore.core.facts import LeftOut, firsts_of, paired
from revscore.core.people import begin_people
from revscore.core.terms import OPPORTUNITY

if TYPE_CHECKING:
    from revscore.core.coded import Coded

_WHY = ("", "test lead", "merged into another lead", "created after the as-of time")


@dataclass(frozen=True)
class LeadEvents:
    """Stage events in the order of METRICS C5, one array entry an event. `rank` counts the stages of the path from 0; exits follow them."""

    lead: np.ndarray
    at: np.ndarray
    rank: np.ndarray
    is_exit: np.ndarray
    pass_no: np.ndarray  # 1, 2, … within the lead
    regressed: np.ndarray  # on-path event below the highest rank so far in its pass
    reason: np.ndarray  # object, text or ""

    def __len__(self) -> int:
        return len(self.lead)

    @cached_property
    def first(self) -> np.ndarray:
        """Position of each lead's first event (leads with events only)."""
        return firsts_of(self.lead).astype("int32")

    @cached_property
    def last(self) -> np.ndarray:
        """Position of each lead's last event (same order as `first`)."""
        return np.concatenate([self.first[1:], [len(self.lead)]]).astype("int32") - 1 if len(self.lead) else self.first


@dataclass(frozen=True)
class Leads:
    """All leads of the extract, by position; `in_f0` marks the population (neither test nor merged)."""

    n: int
    created: np.ndarray
    converted: np.ndarray
    opp: np.ndarray  # position of the converted opportunity, −1 without
    why_out: np.ndarray  # 0 = in F0, else index into the reasons
    events: LeadEvents
    reached: np.ndarray  # [stage, lead] instant, NEVER if not
    imputed: np.ndarray  # [stage, lead] reached by a later stage, the stage itself was skipped
    entry: np.ndarray  # rank of the entry stage, −1 without
    left_out: LeftOut

    @property
    def in_f0(self) -> np.ndarray:
        return self.why_out == 0

    @property
    def exists(self) -> np.ndarray:
        """Begun by as-of."""
        return self.why_out != 3

    @cached_property
    def status(self) -> np.ndarray:
        """Rank of the last event (exits above the path), −1 without events (METRICS F4)."""
        out = np.full(self.n, -1, dtype="int16")
        out[self.events.lead[self.events.last]] = self.events.rank[self.events.last]
        return out

    @cached_property
    def last_event(self) -> np.ndarray:
        """Position of the last event, −1 without."""
        out = np.full(self.n, -1, dtype="int64")
        out[self.events.lead[self.events.last]] = self.events.last
        return out

    @cached_property
    def taken_up(self) -> np.ndarray:
        """Converted after the exit that is the lead's last event: sales took it up again without another stage."""
        last = self.events.last
        lead, at = self.events.lead[last], self.events.at[last]
        out = np.zeros(self.n, dtype=bool)
        out[lead] = self.events.is_exit[last] & (self.converted[lead] > at) & (self.converted[lead] != NEVER)
        return out


def named_deals(x: Coded) -> np.ndarray:
    """Position of the opportunity that every lead names as its own, −1 without, whenever it converted."""
    return x.once("named deals", lambda: places(lambda: x.opp_ids, x.data.read("leads", "converted_opportunity_id")["converted_opportunity_id"]))


def encode_leads(x: Coded) -> Leads:
    begin_people(x)
    frame, terms = x.data.read("leads", "created_at", "converted_at", "is_test", "duplicate_of"), x.terms
    n = len(frame)
    created = instants(frame["created_at"])
    converted = instants(frame["converted_at"], x.as_of)
    opp = np.where(converted == NEVER, np.int32(-1), named_deals(x))
    is_test = frame["is_test"].fillna(False).to_numpy(dtype=bool)
    merged = (frame["duplicate_of"].notna() & (frame["duplicate_of"] != "")).to_numpy()
    del frame
    events = _events(x, n)
    later = (created != NEVER) & (created > x.as_of) & (converted == NEVER)  # a record that begins after as-of is not there yet (METRICS C2)
    later[events.lead] = False
    why_out = np.select([is_test, merged, later], [1, 2, 3], 0).astype("uint8")

    # opportunity and won are never lead statuses: they come from the conversion and its deal (METRICS 3)
    won_at = np.full(n, NEVER, dtype="int64")
    known = opp >= 0
    won_at[known] = x.opps.won_at[opp[known]]
    won_at = np.where(won_at == NEVER, NEVER, np.maximum(won_at, converted))
    place = terms.lead_stages.index(OPPORTUNITY)
    on_path = ~events.is_exit
    gone, won = (np.flatnonzero(when != NEVER).astype("int32") for when in (converted, won_at))
    lead = np.concatenate([events.lead[on_path], gone, won])
    at = np.concatenate([events.at[on_path], converted[gone], won_at[won]])
    rank = np.concatenate([events.rank[on_path], np.repeat(np.array([place, place + 1], dtype="int16"), [len(gone), len(won)])])
    order = ordered((lead, at, rank))
    lead = lead[order]  # one after the other: what is replaced makes room
    at = at[order]
    rank = rank[order]
    del order, gone, won, won_at, known, on_path
    entry = np.full(n, -1, dtype="int16")
    start = firsts_of(lead)
    entry[lead[start]] = rank[start]
    stages = len(terms.lead_stages)
    reached, imputed = np.full((stages, n), NEVER, dtype="int64"), np.zeros((stages, n), dtype=bool)
    for stage in range(stages):
        rows = np.flatnonzero(rank >= stage).astype("int32")
        rows = rows[firsts_of(lead[rows])]
        rows = rows[entry[lead[rows]] <= stage]
        reached[stage, lead[rows]] = at[rows]
        imputed[stage, lead[rows]] = rank[rows] != stage
    out = np.flatnonzero(why_out)
    left_out = LeftOut(out.astype("int32"), x.days(created[out]), x.codes_of("lead", out), why_out[out], _WHY)
    return Leads(n, created, converted, opp, why_out, events, reached, imputed, entry, left_out)


def _events(x: Coded, n: int) -> LeadEvents:
    lead = places(lambda: x.lead_ids, x.data.read("lead_stage_history", "lead_id")["lead_id"])
    frame, terms = x.data.read("lead_stage_history", "stage", "entered_at", "reason"), x.terms
    words = (*terms.lead_stages, *terms.lead_exit_stages)
    at = instants(frame["entered_at"], x.as_of)
    rank = places(pd.Series(words, dtype="str"), frame["stage"])
    keep = np.flatnonzero((at != NEVER) & (lead >= 0) & (rank >= 0)).astype("int32")
    order = keep[ordered((lead[keep], at[keep], rank[keep]), lambda: x.data.pieces("lead_stage_history", "event_id"), keep)]
    reason = texts(frame["reason"])[order] if x.data.has("lead_stage_history.reason") else np.broadcast_to(np.array("", dtype=object), len(order))
    lead, at, rank = lead[order], at[order], rank[order].astype("int16")
    del frame, keep, order
    is_exit = rank >= len(terms.lead_stages)
    new_lead = np.zeros(len(lead), dtype=bool)
    new_lead[firsts_of(lead)] = True
    opens = ~is_exit & ~new_lead & np.concatenate([[False], is_exit[:-1]]) if len(lead) else is_exit
    running = np.cumsum(opens, dtype="int32")
    pass_no = (running - np.repeat(running[new_lead], np.diff(np.append(np.flatnonzero(new_lead), len(lead)))) + 1).astype("int16")
    # highest rank so far within (lead, pass): a running maximum that starts anew in each pass
    size = len(words) + 1
    high = np.maximum.accumulate(paired(np.cumsum(new_lead | opens), np.where(is_exit, 0, rank + 1), size)) % size - 1
    return LeadEvents(lead, at, rank, is_exit, pass_no, ~is_exit & (rank < high), reason)
