"""SLA clocks, coded: one row per clock of each of the five SLA types, with its status at as-of (METRICS 9, S1 to S8)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from revscore.core.calendars import DAY_US, NEVER, instants
from revscore.core.clocks import MINUTE_US, HourTables, Pauses, days_to_hold, hours, merge_pauses, round_the_clock, run_minutes
from revscore.core.encode import ordered, places
from revscore.core.facts import LeftOut, dense, paired
from revscore.core.journeys import begin_journeys
from revscore.core.terms import SLA_TYPES

if TYPE_CHECKING:
    from revscore.core.coded import Coded

STATUSES = ("met", "breached_closed", "breached_open", "running", "paused", "cancelled")
MET, BREACHED_CLOSED, BREACHED_OPEN, RUNNING, PAUSED, CANCELLED = range(len(STATUSES))
SPEED, ACCEPTANCE, FOLLOW_UP, MEETING, RECYCLE = range(len(SLA_TYPES))
OUTCOMES = ("", "accepted", "rejected")
NEEDS = {"speed_to_lead": ("activities",), "acceptance": (), "follow_up": ("activities",), "meeting_set": ("activities",), "recycle": ("touches",)}


class Timeline:
    """Events by key, in time order within a key: the n-th at or after an instant, for many keys and instants at once."""

    def __init__(self, key: np.ndarray, at: np.ndarray) -> None:
        self.times, rank = np.unique(at, return_inverse=True)
        order = paired(key, rank, len(self.times) + 1)
        by = np.argsort(order, kind="stable")
        self.at, self.order = np.append(at[by], NEVER), order[by]

    def _place(self, key: np.ndarray, since: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.order, paired(key, np.searchsorted(self.times, since, side="left"), len(self.times) + 1))

    def first(self, key: np.ndarray, since: np.ndarray, before: np.ndarray, nth: np.ndarray | int = 1) -> np.ndarray:
        """Instant of the `nth` event in [since, before), NEVER without."""
        place = self._place(key, since) + nth - 1
        return self.at[np.where(place < self._place(key, before), place, -1)]

    def count(self, key: np.ndarray, since: np.ndarray, before: np.ndarray) -> np.ndarray:
        return np.maximum(self._place(key, before) - self._place(key, since), 0)


@dataclass(frozen=True)
class Clocks:
    """One row per clock. Instants are NEVER where there is none; minutes are business minutes (METRICS S1 to S4)."""

    in_pass: np.ndarray  # position in `Passes`
    lead: np.ndarray
    number: np.ndarray  # of the pass
    type: np.ndarray  # index into SLA_TYPES
    policy: np.ndarray  # index into Terms.sla_policies
    start: np.ndarray
    due: np.ndarray  # NEVER = unknown
    stop: np.ndarray  # what stopped the clock; NEVER if nothing did, or a cancel event came first
    end: np.ndarray  # stop or cancel event; NEVER while the clock runs
    status: np.ndarray  # index into STATUSES
    elapsed: np.ndarray  # counted minutes to the end, or to as-of
    overdue: np.ndarray  # minutes beyond the target, or after due
    pct: np.ndarray  # elapsed in % of the target, or of the business minutes start → due
    touches: np.ndarray  # hands-on touches in the pass (follow_up), −1 for other types
    outcome: np.ndarray  # index into OUTCOMES (acceptance)
    level: np.ndarray  # escalation level reached, 0 none
    time: HourTables  # the business hours each clock runs on
    calendar: np.ndarray  # object, calendar id
    left_out: LeftOut
    left_out_type: np.ndarray  # index into SLA_TYPES of a clock without policy, −1 of a lead outside F0

    def __len__(self) -> int:
        return len(self.lead)

    def left_out_of(self, kind: int) -> LeftOut:
        """What is left out of one SLA type."""
        out, rows = self.left_out, np.isin(self.left_out_type, [-1, kind])
        return LeftOut(out.record[rows], out.day[rows], {name: column[rows] for name, column in out.codes.items()}, out.why[rows], out.whys)

    @cached_property
    def resolved(self) -> np.ndarray:
        """Met or breached: what a compliance rate is taken over."""
        return self.status <= BREACHED_OPEN

    def frame(self, x: Coded, rows: np.ndarray | slice = slice(None)) -> pd.DataFrame:
        """The clocks (or `rows` of them) as a readable table: ids, words, UTC timestamps (missing where there is none), minutes."""
        def words(values: tuple[str, ...], codes: np.ndarray) -> np.ndarray:
            return np.array(values, dtype=object)[codes]

        def when(at: np.ndarray) -> pd.Series:
            return pd.Series(pd.DatetimeIndex(np.where(at == NEVER, np.datetime64("NaT", "us"), at.astype("datetime64[us]")), tz="UTC"))

        segment = np.array(x.dims["segment"].values, dtype=object)[x.codes["lead"]["segment"]]
        outcome = words((None, *OUTCOMES[1:]), self.outcome)
        return pd.DataFrame({
            "lead_id": x.ids("lead")[self.lead[rows]], "pass": self.number[rows], "sla_type": words(SLA_TYPES, self.type[rows]),
            "segment": segment[self.lead[rows]], "calendar": self.calendar[rows],
            "policy_id": words(tuple(p.policy_id for p in x.terms.sla_policies) or ("",), self.policy[rows]),
            "start": when(self.start[rows]), "due": when(self.due[rows]), "end": when(self.end[rows]), "status": words(STATUSES, self.status[rows]),
            "elapsed_min": self.elapsed[rows], "overdue_min": self.overdue[rows], "pct_of_target": self.pct[rows],
            "touches": self.touches[rows], "outcome": outcome[rows], "level": self.level[rows]})


def types_of(x: Coded) -> tuple[str, ...]:
    """The SLA types whose tables this extract has; the others have no clocks (no activities is "not known", never 0 %)."""
    return tuple(name for name in SLA_TYPES if not x.data.missing(NEEDS[name]))


def encode_clocks(x: Coded) -> Clocks:
    """The clock table: start, stop and cancel event of every clock by its type, then one reckoning for all."""
    p, terms = x.passes, x.terms
    begin_journeys(x)
    (rows, kind, policy, start, stop, cancel, touches), *left_out = _started(x)
    stopped = (stop != NEVER) & (stop <= cancel)
    ended = stopped | (cancel != NEVER)
    until = np.where(stopped, stop, np.where(ended, cancel, x.as_of))
    lead = p.lead[rows]
    time, calendar = _hours(x, lead, policy, start)
    in_days = np.array([q.unit == "business_days" for q in terms.sla_policies] or [False])[policy]
    target = np.array([q.target for q in terms.sla_policies] or [1.0])[policy]
    target_us = np.round(np.minimum(np.where(in_days, 1, target), 1e9) * MINUTE_US).astype("int64")
    opened = time.until(start)
    due_days = time.closing_after(start, np.ceil(np.where(in_days, np.minimum(target, 1e6), 1)).astype("int64"))
    counted, due, waiting = time.until(until) - opened, due_days, np.zeros(len(rows), dtype=bool)
    for number in np.unique(kind[~in_days]):
        mine, paused = np.flatnonzero((kind == number) & ~in_days), _pauses(x, SLA_TYPES[number])
        counted[mine], due[mine] = run_minutes(time[mine], start[mine], until[mine], target_us[mine], paused, lead[mine], x.as_of)
        waiting[mine] = paused.is_open[lead[mine]]
    late = np.where(in_days, until > due, counted > target_us)
    status = np.select([stopped, ended], [np.where(late, BREACHED_CLOSED, MET), np.where(late, BREACHED_CLOSED, CANCELLED)],
                       np.where(late, BREACHED_OPEN, np.where(waiting, PAUSED, RUNNING))).astype("int8")
    # giving up early is no compliance: a lead recycled before its follow-up was done breaks the promise (S7)
    status[(kind == FOLLOW_UP) & ended & ~stopped & p.recycled[rows]] = BREACHED_CLOSED

    until_due = time.until(due) - opened
    overdue = np.where(in_days, np.where(late, counted - until_due, 0), np.maximum(counted - target_us, 0))
    whole = np.where(in_days, np.where(due == NEVER, 0, until_due), target_us)
    pct = np.divide(100 * (counted / MINUTE_US), whole / MINUTE_US, out=np.full(len(rows), np.nan), where=whole > 0)
    outcome = np.where(kind == ACCEPTANCE, np.where(p.accepted[rows], 1, np.where(p.rejected[rows], 2, 0)), 0).astype("uint8")
    return Clocks(rows, lead, p.number[rows], kind, policy, start, due, np.where(stopped, stop, NEVER), np.where(ended, until, NEVER),
                  status, counted / MINUTE_US, overdue / MINUTE_US, pct, touches, outcome, _levels(x, status, pct), time, calendar,
                  *left_out)


def _started(x: Coded) -> tuple[tuple[np.ndarray, ...], LeftOut, np.ndarray]:
    """(pass, type, policy, start, stop, cancel, touches) of every clock, by pass and type; then what is left out, and the types of that."""
    p, terms = x.passes, x.terms
    person = x.people.of_lead[p.lead]
    acts, touched = x.people.activities, x.people.touches
    timelines: dict[str, Timeline] = {}
    for name, mask in (("hands_on", acts.hands_on), ("meeting", acts.is_meeting), ("reply", acts.is_inbound)):
        timelines[name] = Timeline(acts.person[mask], acts.at[mask])

    starts = (p.mql, p.mql, p.mql, p.sal, np.where(p.recycled, p.exit, NEVER))
    parts: list[tuple[np.ndarray, ...]] = []  # pass, type, policy, start, stop, cancel, touches
    without: list[tuple[np.ndarray, ...]] = []  # lead, start, type of clocks that no policy covers
    for kind in (SLA_TYPES.index(name) for name in types_of(x)):
        rows = np.flatnonzero(starts[kind] != NEVER).astype("int32")
        start = starts[kind][rows]
        policy = _policy(x, SLA_TYPES[kind], x.codes["lead"]["segment"][p.lead[rows]], x.days(start))
        without.append((p.lead[rows[policy < 0]], start[policy < 0], np.full((policy < 0).sum(), kind)))
        rows, start, policy = rows[policy >= 0], start[policy >= 0], policy[policy >= 0]
        if not len(rows):
            continue
        who, mql, end, cancel, touches = person[rows], p.mql[rows], p.end[rows], p.exit[rows], np.full(len(rows), -1)
        if kind == SPEED:
            stop = timelines["hands_on"].first(who, mql, end)
        elif kind == ACCEPTANCE:
            stop, cancel = p.resolved[rows], np.full(len(rows), NEVER)
        elif kind == FOLLOW_UP:
            required = np.maximum(np.array([q.touches_required for q in terms.sla_policies] or [1]), 1)[policy]
            stop = np.minimum.reduce([timelines["hands_on"].first(who, mql, end, required), timelines["meeting"].first(who, mql, end),
                                      timelines["reply"].first(who, mql, end), p.sql[rows]])
            touches = timelines["hands_on"].count(who, start, end)
        elif kind == MEETING:
            stop = np.maximum(timelines["meeting"].first(who, mql, end), start)
        else:
            marketing = Timeline(touched.person[touched.is_marketing], touched.at[touched.is_marketing])
            stop, cancel = marketing.first(who, start + 1, end), end
        parts.append((rows, np.full(len(rows), kind, dtype="uint8"), policy, start, stop, cancel, touches))
    kinds = ("int32", "uint8", "int32", "int64", "int64", "int64", "int32")
    columns = [np.concatenate([np.zeros(0, dtype=kind), *(part[k] for part in parts)], dtype=kind) for k, kind in enumerate(kinds)]
    order = ordered((columns[0], columns[1]))
    return tuple(column[order] for column in columns), *_left_out(x, without)


def _policy(x: Coded, sla_type: str, segment: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Policy in force on each start day: the segment's own before the one for every segment, the newer before the older; −1 without."""
    out = np.full(len(day), -1, dtype="int32")
    ours = [(number, q) for number, q in enumerate(x.terms.sla_policies) if q.sla_type == sla_type]
    for number, q in sorted(ours, key=lambda item: (item[1].segment != "", item[1].effective_from)):
        fits = (day >= q.effective_from) & (day <= q.effective_to)
        if q.segment:
            fits &= np.isin(segment, x.dims["segment"].codes_of((q.segment,)))
        out[fits] = number
    return out


def _hours(x: Coded, lead: np.ndarray, policy: np.ndarray, start: np.ndarray) -> tuple[HourTables, np.ndarray]:
    """The hours every clock runs on: its lead's regional calendar, or that calendar's zone around the clock; and the calendar's id."""
    terms = x.terms
    by_region = [terms.calendar_of(region) for region in x.dims["region"].values]
    names = sorted(set(by_region))
    place = np.array([names.index(name) for name in by_region])[x.codes["lead"]["region"][lead]]
    always = np.array([q.clock == "calendar" for q in terms.sla_policies] or [False])[policy]
    used, which = np.unique(place * 2 + always, return_inverse=True)
    used_policies = [terms.sla_policies[number] for number in np.unique(policy)]
    minutes = max((q.target for q in used_policies if q.unit == "business_minutes"), default=0)
    days = max((q.target for q in used_policies if q.unit == "business_days"), default=0)
    first = int(start.min() // DAY_US) - 2 if len(start) else x.as_of_day
    tables = []
    for number in used:
        windows = terms.windows_of(names[number // 2])
        closed = [day for name, day in terms.holidays if name == names[number // 2]]
        if number % 2:
            windows, closed = round_the_clock(windows[0].tz), []
        tables.append(hours(windows, closed, first, x.as_of_day + 2 + days_to_hold(windows, closed, minutes, days)))
    return HourTables(tuple(tables), dense(which, len(used))), np.array(names, dtype=object)[place]


def _pauses(x: Coded, sla_type: str) -> Pauses:
    """Merged pauses by lead: those of the type and those of all types ("*")."""
    frame = x.data.table("sla_pauses")
    start, end = instants(frame["paused_at"], x.as_of), instants(frame["resumed_at"], x.as_of)
    lead = places(lambda: x.lead_ids, frame["lead_id"]).astype("int64")
    ours = np.flatnonzero((lead >= 0) & (start != NEVER) & frame["sla_type"].fillna("*").isin([sla_type, "*", ""]).to_numpy(dtype=bool))
    return merge_pauses(lead[ours], start[ours], end[ours], x.leads.n)


def _levels(x: Coded, status: np.ndarray, pct: np.ndarray) -> np.ndarray:
    """Highest escalation level whose share of the target is reached; the first may fire while the clock runs, the others once it is breached."""
    out = np.zeros(len(status), dtype="int16")
    for place, (level, share, _) in enumerate(sorted(x.terms.escalation_levels)):
        out[(pct >= share - 1e-9) & ((status == BREACHED_OPEN) | ((place == 0) & (status == RUNNING)))] = level
    return out


def _left_out(x: Coded, without: list[tuple[np.ndarray, ...]]) -> tuple[LeftOut, np.ndarray]:
    """Test and merged leads, and the clocks that never started because no policy was in force."""
    known = x.leads.left_out
    lead, start, kind = (np.concatenate([part[k] for part in without] or [np.zeros(0)]).astype("int64") for k in range(3))
    codes = {name: np.concatenate([column, x.codes["lead"][name][lead]]) for name, column in known.codes.items()}
    out = LeftOut(np.concatenate([known.record, lead.astype("int32")]), np.concatenate([known.day, x.days(start)]), codes,
                  np.concatenate([known.why, np.full(len(lead), len(known.whys), dtype="uint8")]), (*known.whys, "no SLA policy in force"))
    return out, np.concatenate([np.full(len(known.record), -1), kind])
