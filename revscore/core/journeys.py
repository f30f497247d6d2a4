"""Journeys: the people of every deal, their eligible campaign touches in order, and the anchors that credit hangs on. METRICS 13, A2 to A5.

A journey is one deal's run of touches, sorted by time and touch id; all journeys of a mode lie one after the other in flat arrays, with the
first row of each deal in `first`. The create span is a prefix of the close span, so one sort serves both. Built once per mode and kept on
the coded extract: `x.journeys("hybrid")`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from revscore.core.calendars import DAY_US, NEVER
from revscore.core.encode import ordered
from revscore.core.facts import firsts_of
from revscore.core.pieces import slices
from revscore.core.terms import Attribution

if TYPE_CHECKING:
    from revscore.core.coded import Coded

Span = Literal["create", "close"]
MODES = ("explicit", "account", "hybrid")
ANCHORS = ("FT", "LC", "OC", "CW")
_ONE_ANCHOR = {"first_touch": "FT", "lead_create": "LC", "last_touch": "OC", "last_touch_close": "CW"}
_CLOSE_MODELS = ("last_touch_close", "full_path")
_BY_BASIS = ("linear", "time_decay")


def span_of(model: str, basis: str) -> Span:
    """The span that a model reads: linear and time decay follow what is credited (created pipeline: create, won: close)."""
    return "close" if model in _CLOSE_MODELS or (model in _BY_BASIS and basis == "won") else "create"


def matches(keys: np.ndarray, grouped: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All (position in `keys`, position in `grouped`) with equal values; `grouped` is ascending."""
    by = np.argsort(keys)  # neighbours are found near each other
    first, count = np.empty(len(keys), dtype="int32"), np.empty(len(keys), dtype="int32")
    first[by] = np.searchsorted(grouped, keys[by], "left")
    count[by] = np.searchsorted(grouped, keys[by], "right")
    count -= first
    place = np.repeat(np.arange(len(keys), dtype="int32"), count)
    kind = "int32" if len(place) < 2**31 else "int64"
    item = np.repeat(first - (np.cumsum(count, dtype=kind) - count), count)
    item += np.arange(len(place), dtype=kind)
    return place, item


@dataclass(frozen=True)
class Journeys:
    """Journeys of the O1 deals under one mode; deals of other populations have none.

    deal, person              : who belongs to which deal, by (opportunity position, canonical person)
    has_roles                 : by opportunity: at least one contact role of a known person (A2)
    start, create_end, close_end : by opportunity: first and last instants that count, inclusive (A3)
    opp, touch, at, campaign  : one entry an eligible touch, by (opportunity, time, touch id); `touch` points into `People.touches`
    first                     : by opportunity, its first entry; length n + 1
    cut                       : by opportunity, how many of its entries lie in the create span
    is_source                 : by entry, whether it is a touch of the source person early enough to be LC (A4)
    """

    mode: str
    rules: Attribution
    deal: np.ndarray
    person: np.ndarray
    has_roles: np.ndarray
    start: np.ndarray
    create_end: np.ndarray
    close_end: np.ndarray
    opp: np.ndarray
    touch: np.ndarray
    at: np.ndarray
    campaign: np.ndarray
    first: np.ndarray
    cut: np.ndarray
    is_source: np.ndarray

    def __len__(self) -> int:
        return len(self.opp)

    @property
    def n(self) -> int:
        return len(self.cut)

    def count(self, span: Span) -> np.ndarray:
        """Eligible touches of every opportunity in a span."""
        return self.cut if span == "create" else np.diff(self.first)

    def inside(self, span: Span) -> np.ndarray:
        """By entry: whether the touch lies in the span."""
        if span == "close":
            return np.ones(len(self), dtype=bool)
        return np.arange(len(self)) < (self.first[:-1] + self.cut)[self.opp]

    def of(self, opp: int) -> Journeys:
        """The journey of one opportunity, as opportunity 0."""
        rows, pair, one = slice(*self.first[opp:opp + 2]), slice(*np.searchsorted(self.deal, [opp, opp + 1])), slice(opp, opp + 1)
        entries = self.touch[rows]
        return Journeys(self.mode, self.rules, self.deal[pair] * 0, self.person[pair], self.has_roles[one], self.start[one], self.create_end[one],
                        self.close_end[one], self.opp[rows] * 0, entries, self.at[rows], self.campaign[rows], np.array([0, len(entries)]),
                        self.cut[one], self.is_source[rows])

    def within(self, person: np.ndarray, at: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(opportunity, item) of all items of the deals' people with start ≤ time ≤ end of the deal; items are grouped by ascending `person`."""
        opps, items = [np.zeros(0, dtype=self.deal.dtype)], [np.zeros(0, dtype="int32")]
        for piece in slices(len(self.person)):
            pair, item = matches(self.person[piece], person)
            opp, when = self.deal[piece][pair], at[item]
            ok = (when >= start[opp]) & (when <= end[opp])
            opps.append(opp[ok])
            items.append(item[ok])
        return np.concatenate(opps), np.concatenate(items)

    # -- anchors and credit ----------------------------------------------------------------------------------------------------------------

    def anchor(self, name: str, span: Span) -> np.ndarray:
        """By opportunity: the entry that is its FT, LC, OC or CW among the touches of the span, −1 where there is none (A4)."""
        if name == "LC":
            out = np.full(self.n, -1, dtype="int64")
            rows = np.flatnonzero(self.is_source & self.inside(span))
            out[self.opp[rows]] = rows  # entries are in time order: the last one stays
            return out
        count = self.cut if name == "OC" else self.count(span)
        return np.where(count > 0, self.first[:-1] if name == "FT" else self.first[:-1] + count - 1, -1)

    def weights(self, model: str, span: Span) -> np.ndarray:
        """By entry: the share of its deal that a model credits to it (A5); 1 in total for every deal with a touch in the span.

        Components without a touch are dropped and the rest is scaled to 1; a deal that has touches but none of the model's anchors gives
        everything to FT (as `lead_create` does without LC).
        """
        inside = self.inside(span)
        if model == "linear":
            raw = inside.astype(float)
        elif model == "time_decay":  # measured from the last touch: the distance from there to the span's end cancels
            last = self.at[self.anchor("CW", span)[self.opp]]
            raw = np.where(inside, np.exp2(-np.maximum(last - self.at, 0) / (self.rules.half_life_days * DAY_US)), 0.0)
        else:
            raw = self._anchored({_ONE_ANCHOR[model]: 1.0} if model in _ONE_ANCHOR else dict(dict(self.rules.weights)[model]), span, inside)
        total = np.bincount(self.opp, weights=raw, minlength=self.n)
        return np.divide(raw, total[self.opp], out=np.zeros(len(self)), where=raw > 0)

    def _anchored(self, parts: dict[str, float], span: Span, inside: np.ndarray) -> np.ndarray:
        raw, free = np.zeros(len(self)), inside.copy()
        for name, weight in parts.items():
            if name == "MID" or not weight:
                continue
            rows = self.anchor(name, span)
            rows = rows[rows >= 0]
            raw[rows] += weight
            free[rows] = False
        if middle := parts.get("MID", 0.0):
            raw[free] += middle / np.bincount(self.opp[free], minlength=self.n)[self.opp[free]]
        bare = (np.bincount(self.opp, weights=raw, minlength=self.n) <= 0) & (self.count(span) > 0)
        raw[self.first[:-1][bare]] = 1.0
        return raw

    # -- by deal and campaign ----------------------------------------------------------------------------------------------------------------

    @cached_property
    def _groups(self) -> tuple[np.ndarray, np.ndarray]:
        order = ordered((self.opp, self.campaign))
        return order, firsts_of(self.opp[order], self.campaign[order]).astype("int32")

    @property
    def sizes(self) -> np.ndarray:
        """Entries per pair of `reach`."""
        order, start = self._groups
        return np.diff(start, append=len(order))

    @cached_property
    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        """(opportunity, campaign position), once for every campaign that touched the deal in the close span."""
        order, start = self._groups
        return self.opp[order[start]], self.campaign[order[start]]

    def by_campaign(self, values: np.ndarray) -> np.ndarray:
        """Sums of `values` (one an entry) per pair of `reach`."""
        order, start = self._groups
        return np.add.reduceat(values[order].astype(float, copy=False), start) if len(start) else np.zeros(0)


# -- building ------------------------------------------------------------------------------------------------------------------------------

def begin_journeys(x: Coded) -> None:
    """Journeys hang on people, deals and leads alone: once these are there they can be encoded beside what else does."""
    mode = x.terms.attribution.person_mode
    for part in ("leads", "opps", "people"):
        getattr(x, part)  # here: the other thread must not wait for a part that this one holds
    x.begin(("journeys", mode), lambda: _encoded(x, mode))


def build_journeys(x: Coded, mode: str) -> Journeys:
    """Journeys of all O1 deals. Raises KeyError for a mode that is none of `MODES`."""
    if mode not in MODES:
        raise KeyError(f"person mode “{mode}” is none of {', '.join(MODES)}")
    return x.begun(("journeys", mode), lambda: _encoded(x, mode))


def _encoded(x: Coded, mode: str) -> Journeys:
    people, opps, rules = x.people, x.opps, x.terms.attribution
    deal, person, has_roles = _people(x, mode)

    # a deal without creation date counts from its first event; nothing after the close ever counts, also when the deal was entered later
    created = opps.created.copy()
    bare = np.flatnonzero((created == NEVER) & (opps.first_event >= 0))
    created[bare] = opps.events.at[opps.first_event[bare]]
    close_end = np.where(opps.closed_at == NEVER, x.as_of, opps.closed_at)
    start, create_end = created - int(rules.lookback_days * DAY_US), np.minimum(created, close_end)

    clean = np.flatnonzero(people.touches.clean).astype("int32")
    base = Journeys(mode, rules, deal, person, has_roles, start, create_end, close_end, *(np.zeros(0, dtype="int64"),) * 7)
    opp, item = base.within(people.touches.person[clean], people.touches.at[clean], start, close_end)
    touch = clean[item]
    del clean, item
    order = ordered((opp, people.touches.at[touch]), lambda: x.data.pieces("touches", "touch_id"), people.touches.row[touch])
    opp, touch = opp[order], touch[order]
    del order
    at = people.touches.at[touch]
    first = np.searchsorted(opp, np.arange(opps.n + 1))
    cut = np.bincount(opp[at <= create_end[opp]], minlength=opps.n)
    source, limit = _source(x, deal, person)
    is_source = (people.touches.person[touch] == source[opp]) & (at <= limit[opp])
    return Journeys(mode, rules, deal, person, has_roles, start, create_end, close_end, opp, touch, at, people.touches.campaign[touch], first, cut, is_source)


def _people(x: Coded, mode: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(deal, person) sorted and once each, and by opportunity whether it has roles (A2). Roles count whenever they were added; a role of a
    contact that the extract does not hold, or of a test lead, is no role."""
    people, opps = x.people, x.opps
    known = (people.role_opp >= 0) & (people.role_person >= 0)
    opp, person = people.role_opp[known], people.canonical[people.role_person[known]]
    real = opps.in_o1[opp] & ~people.is_test[person]
    opp, person = opp[real], person[real]
    has_roles = np.zeros(opps.n, dtype=bool)
    has_roles[opp] = True
    if mode != "explicit":
        by_account = np.flatnonzero(opps.in_o1 & (~has_roles if mode == "hybrid" else True))
        named = x.data.read("opportunities", "account_id")["account_id"].iloc[by_account]
        account = np.where((named == "").fillna(False).to_numpy(dtype=bool), -1, people.account_index.get_indexer(named))
        by_account, account = by_account[account >= 0], account[account >= 0]
        # contacts and the leads that are still persons of their own
        there = np.append(np.ones(people.contacts, dtype=bool), x.leads.exists)
        own = np.flatnonzero((people.canonical == np.arange(len(people.canonical))) & (people.account >= 0) & ~people.is_test & there)
        own = own[np.argsort(people.account[own], kind="stable")]
        place, item = matches(account, people.account[own])
        more_opp, more_person = by_account[place], own[item]
        opp, person = (more_opp, more_person) if mode == "account" else (np.concatenate([opp, more_opp]), np.concatenate([person, more_person]))
    order = np.lexsort((person, opp))
    order = order[firsts_of(opp[order], person[order])]
    return opp[order], person[order], has_roles


def _source(x: Coded, deal: np.ndarray, person: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By opportunity: the source person (−1 without) and the last instant of its LC touch (A4): the earliest created lead that converted into
    the deal; without one, the earliest created of the deal's people. Ties by id."""
    people, leads = x.people, x.leads
    source, created = np.full(x.opps.n, -1, dtype="int64"), np.full(x.opps.n, NEVER, dtype="int64")
    order = ordered((deal, people.created[person]), people.names.pieces, person)
    order = order[firsts_of(deal[order])]
    source[deal[order]], created[deal[order]] = person[order], people.created[person[order]]
    lead = np.flatnonzero((leads.opp >= 0) & (leads.why_out != 1))
    lead = lead[ordered((leads.opp[lead], leads.created[lead]), lambda: x.data.pieces("leads", "lead_id"), lead)]
    lead = lead[firsts_of(leads.opp[lead])]
    source[leads.opp[lead]], created[leads.opp[lead]] = people.of_lead[lead], leads.created[lead]
    tolerance = int(x.terms.attribution.lc_tolerance_minutes * 60_000_000)
    return source, np.where(created == NEVER, np.iinfo(np.int64).min, np.minimum(created, NEVER - tolerance) + tolerance)
