"""Opportunities, coded: populations, full-state history, the state at any time, entry into pipeline, outcomes (METRICS 2, 6, C5, C7)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from revscore.core.calendars import NEVER, NO_DAY, day_numbers, instants
from revscore.core.encode import ordered, places, texts
from revscore.core.facts import LeftOut, dense, firsts_of

if TYPE_CHECKING:
    from revscore.core.coded import Coded


@dataclass(frozen=True)
class OppEvents:
    """Changes of deals in order; each row is the full state from `at` up to `until` (half-open; NEVER for the last)."""

    opp: np.ndarray
    at: np.ndarray
    until: np.ndarray
    rank: np.ndarray  # index into Terms.opp_stages; −1 for a stage that the terms do not know
    amount: np.ndarray  # corporate currency; 0 where missing
    amount_missing: np.ndarray
    close_day: np.ndarray
    category: np.ndarray  # index into Opportunities.categories, 0 = missing
    eligible: np.ndarray  # open, at or beyond the pipeline entry stage, not omitted (METRICS 2)

    def __len__(self) -> int:
        return len(self.opp)

    @cached_property
    def goes_on(self) -> np.ndarray:
        """The next event is of the same opportunity."""
        return np.append(self.opp[1:] == self.opp[:-1], False) if len(self) else np.zeros(0, dtype=bool)

    def last(self, when: int) -> np.ndarray:
        """Positions of the last event up to an instant of every opportunity that has one (METRICS C5)."""
        there = self.at <= when
        there[:-1] &= ~(there[1:] & self.goes_on[:-1])
        return np.flatnonzero(there)


@dataclass(frozen=True)
class State:
    """State of every opportunity at one time: arrays by opportunity position; `event` is −1 where it did not exist yet."""

    event: np.ndarray
    rank: np.ndarray  # −2 before the first event
    amount: np.ndarray
    close_day: np.ndarray
    eligible: np.ndarray


@dataclass(frozen=True)
class Spans:
    """The states of the deals in O1 in the order of `OppEvents`: they tile each deal's life. For questions about two times, which touch nothing else."""

    event: np.ndarray  # int32 position of the event that begins the state
    at: np.ndarray
    starts: np.ndarray  # the first of its deal
    eligible: np.ndarray
    first: np.ndarray  # int32, one more than there are opportunities: where the states of each begin

    def between(self, t0: int, t1: int, chosen: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Of every deal that was in pipeline at t0 or changed in (t0, t1]: positions of the events that hold at t0 (−1: not there yet) and at t1.
        `chosen`: a mask of opportunities, others are not looked at.
        """
        own = slice(None) if chosen is None else self._of(np.flatnonzero(chosen))
        event, at, starts = self.event[own], self.at[own], self.starts[own]
        early, late = at <= t0, at > t1
        inside = ~(early | late)
        again = inside[1:] & inside[:-1] & ~starts[1:]
        enters, leaves, stays = inside.copy(), inside, early & self.eligible[own]
        enters[1:] ^= again
        leaves[:-1] ^= again
        stays[:-1] &= late[1:] | starts[1:]
        place = np.flatnonzero(enters | stays)
        changed = enters[place]
        after = event[place].astype(np.intp)  # as wide as indices are
        before = after - changed
        after[changed] = event[np.flatnonzero(leaves)]
        before[changed & starts[place]] = -1
        return before, after

    def _of(self, opp: np.ndarray) -> np.ndarray:
        """Positions of the states of these opportunities."""
        start, count = self.first[opp], self.first[opp + 1] - self.first[opp]
        place = np.repeat(start - (np.cumsum(count, dtype="int32") - count), count)
        place += np.arange(len(place), dtype="int32")
        return place


@dataclass(frozen=True)
class Opportunities:
    """All opportunities by position. `in_o0`: every type, excluded loss reasons left out; `in_o1`: pipeline types of these."""

    n: int
    open_stages: int
    created: np.ndarray
    in_o0: np.ndarray
    in_o1: np.ndarray
    events: OppEvents
    categories: tuple[str, ...]
    loss_reason: np.ndarray  # object, "" where blank
    now: State
    won_at: np.ndarray  # first event of the last uninterrupted won spell, if won now
    closed_at: np.ndarray  # the same for closed
    entry: np.ndarray  # position of the event of entry into pipeline (P1), −1 without
    left_out: LeftOut

    @cached_property
    def won(self) -> np.ndarray:
        return self.now.rank == self.open_stages

    @cached_property
    def lost(self) -> np.ndarray:
        return self.now.rank == self.open_stages + 1

    @cached_property
    def entry_at(self) -> np.ndarray:
        return np.where(self.entry >= 0, self.events.at[self.entry], NEVER) if len(self.events) else np.full(self.n, NEVER, dtype="int64")

    @cached_property
    def entry_amount(self) -> np.ndarray:
        """Amount frozen at the entry into pipeline, corporate currency (0 where missing)."""
        return np.where(self.entry >= 0, self.events.amount[self.entry], 0.0) if len(self.events) else np.zeros(self.n)

    @cached_property
    def spans(self) -> Spans:
        events = self.events
        event = np.flatnonzero(self.in_o1[events.opp]).astype("int32")
        opp = events.opp[event]
        starts = np.zeros(len(event), dtype=bool)
        starts[firsts_of(opp)] = True
        return Spans(event, events.at[event], starts, events.eligible[event], np.searchsorted(opp, np.arange(self.n + 1, dtype=opp.dtype)).astype("int32"))

    @cached_property
    def next_open(self) -> np.ndarray:
        """By event: int32 position of the first open event of its deal at or after it, −1 without."""
        n = len(self.events)
        place = np.minimum.accumulate(np.where(self.is_open(self.events.rank), np.arange(n, dtype="int32"), np.int32(n))[::-1])[::-1]
        known = place < n
        known[known] = self.events.opp[place[known]] == self.events.opp[known]
        return np.where(known, place, np.int32(-1))

    @cached_property
    def first_event(self) -> np.ndarray:
        """Position of each opportunity's first event, −1 without."""
        out = np.full(self.n, -1, dtype="int64")
        start = firsts_of(self.events.opp)
        out[self.events.opp[start]] = start
        return out

    @cached_property
    def reached(self) -> np.ndarray:
        """[stage, opportunity] instant of the first event at or beyond the stage, for open stages and won, from the entry stage on
        (METRICS F1, F2 applied to deals); NEVER if not."""
        return self._reach[0]

    @cached_property
    def skipped(self) -> np.ndarray:
        """[stage, opportunity] reached only by a later stage."""
        return self._reach[1]

    @cached_property
    def furthest(self) -> np.ndarray:
        """Highest rank ever reached on the path (won is the highest), −1 without."""
        out = np.full(self.n, -1, dtype="int64")
        path = (self.events.rank >= 0) & (self.events.rank <= self.open_stages)
        np.maximum.at(out, self.events.opp[path], self.events.rank[path])
        return out

    @cached_property
    def _reach(self) -> tuple[np.ndarray, np.ndarray]:
        path = np.flatnonzero((self.events.rank >= 0) & (self.events.rank <= self.open_stages))
        opp, rank, at = self.events.opp[path], self.events.rank[path], self.events.at[path]
        entry = np.full(self.n, -1, dtype="int64")
        entry[opp[firsts_of(opp)]] = rank[firsts_of(opp)]
        reached = np.full((self.open_stages + 1, self.n), NEVER, dtype="int64")
        skipped = np.zeros((self.open_stages + 1, self.n), dtype=bool)
        for stage in range(self.open_stages + 1):
            rows = np.flatnonzero(rank >= stage)
            rows = rows[firsts_of(opp[rows])]
            rows = rows[entry[opp[rows]] <= stage]
            reached[stage, opp[rows]], skipped[stage, opp[rows]] = at[rows], rank[rows] != stage
        return reached, skipped

    def at(self, when: int) -> State:
        """State of every opportunity at an instant: its last event with time ≤ `when` (METRICS C5)."""
        return _state(self.events, self.n, when)

    def is_open(self, rank: np.ndarray) -> np.ndarray:
        return (rank >= 0) & (rank < self.open_stages)

    def is_closed(self, rank: np.ndarray) -> np.ndarray:
        return rank >= self.open_stages


def _state(events: OppEvents, n: int, when: int) -> State:
    rows = events.last(when)
    event = np.full(n, -1, dtype="int64")
    event[events.opp[rows]] = rows
    there = event >= 0
    rank, close_day = np.full(n, -2, dtype="int16"), np.full(n, NO_DAY, dtype="int32")
    amount, eligible = np.zeros(n), np.zeros(n, dtype=bool)
    rank[there], close_day[there] = events.rank[event[there]], events.close_day[event[there]]
    amount[there], eligible[there] = events.amount[event[there]], events.eligible[event[there]]
    return State(event, rank, amount, close_day, eligible)


def encode_opportunities(x: Coded) -> Opportunities:
    frame, terms = x.data.read("opportunities", "created_at", "currency", "loss_reason", "type"), x.terms
    n, open_stages = len(frame), len(terms.opp_open_stages)
    rate = x.corporate_rate(frame["currency"])
    events, categories = _events(x, rate)
    now = _state(events, n, x.as_of)

    start = firsts_of(events.opp)
    closed, won = events.rank >= open_stages, events.rank == open_stages
    closed_at, won_at = _spell_start(events, start, closed, n), _spell_start(events, start, won, n)

    entry = np.full(n, -1, dtype="int64")
    rows = np.flatnonzero((events.rank >= terms.pipeline_entry_rank) & (events.rank <= open_stages))
    rows = rows[firsts_of(events.opp[rows])]
    entry[events.opp[rows]] = rows

    created = instants(frame["created_at"])
    loss = texts(frame["loss_reason"])
    out_reason = frame["loss_reason"].isin(list(terms.excluded_loss_reasons)).to_numpy()
    kind = frame["type"].astype("str").fillna("")
    in_type = kind.isin(list(terms.pipeline_types)).to_numpy() if x.data.has("opportunities.type") else np.ones(n, dtype=bool)
    exists = (created <= x.as_of) | (now.event >= 0)
    in_o0 = exists & ~out_reason
    in_o1 = in_o0 & in_type
    why = np.where(~exists, 1, np.where(out_reason, 2, np.where(~in_type, 3, 0))).astype("uint8")
    whys = ("", "created after the as-of time", f"loss reason left out by definition ({', '.join(terms.excluded_loss_reasons)})",
            f"type is none of {', '.join(terms.pipeline_types)}")
    gone = np.flatnonzero(why)
    left_out = LeftOut(gone.astype("int32"), x.days(created[gone]), x.codes_of("opp", gone), why[gone], whys)
    return Opportunities(n, open_stages, created, in_o0, in_o1, events, categories, loss, now, won_at, closed_at, entry, left_out)


def _spell_start(events: OppEvents, start: np.ndarray, inside: np.ndarray, n: int) -> np.ndarray:
    """First instant of the uninterrupted spell that reaches to the last event of each opportunity; NEVER if the last event is not inside."""
    out = np.full(n, NEVER, dtype="int64")
    if not len(events):
        return out
    stop = np.append(start[1:], len(events)) - 1
    last_outside = np.maximum.reduceat(np.where(inside, -1, np.arange(len(events))), start)
    spell = np.maximum(last_outside + 1, start)
    ok = inside[stop]
    out[events.opp[stop[ok]]] = events.at[spell[ok]]
    return out


def _events(x: Coded, rate: np.ndarray) -> tuple[OppEvents, tuple[str, ...]]:
    frame, terms = x.data.read("opp_history", "opp_id", "changed_at", "stage", "amount", "close_date", "forecast_category"), x.terms
    at = instants(frame["changed_at"], x.as_of)
    opp = places(x.opp_ids, frame["opp_id"])
    rank = places(pd.Series(terms.opp_stages, dtype="str"), frame["stage"])
    keep = np.flatnonzero((at != NEVER) & (opp >= 0))
    order = keep[ordered((opp[keep], at[keep], rank[keep]), lambda: x.data.read("opp_history", "event_id")["event_id"], keep)]
    opp, at, rank = opp[order].astype("int32"), at[order], rank[order].astype("int16")
    until = np.full(len(opp), NEVER, dtype="int64")
    if len(opp):
        follows = opp[1:] == opp[:-1]
        until[:-1] = np.where(follows, at[1:], NEVER)
    raw = frame["amount"].to_numpy(dtype=float)[order] * rate[opp]
    categories = tuple(sorted({str(c) for c in frame["forecast_category"].dropna().unique()} - {""}))
    category = places(pd.Series(categories, dtype="str"), frame["forecast_category"])[order] + 1
    omitted = categories.index(terms.omitted_category) + 1 if terms.omitted_category in categories else -1
    eligible = (rank >= terms.pipeline_entry_rank) & (rank < len(terms.opp_open_stages)) & (category != omitted)
    return OppEvents(opp, at, until, rank, np.nan_to_num(raw), np.isnan(raw), day_numbers(frame["close_date"])[order],
                     dense(category, len(categories) + 1), eligible), ("", *categories)
