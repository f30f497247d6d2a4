"""Business time: open hours of a calendar as one table of instants, so that any number of clocks is a few gathers (METRICS S1 to S3).

A calendar's open windows are laid out in its own IANA zone, hence daylight saving moves their UTC hours. `Hours` holds them as half-open
intervals [opening, closing) with the open time before each; open time between two instants is then a subtraction, and "when is so much
open time reached" a search. Instants and amounts are microseconds (int64), days are day numbers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from revscore.core.calendars import NEVER
from revscore.core.facts import firsts_of, paired
from revscore.core.terms import OpenWindow

MINUTE_US = 60_000_000
_LONG_AGO = np.iinfo(np.int64).min // 2
_MOST_WEEKS = 52 * 60  # a target that is not reached within 60 years has no due


@dataclass(frozen=True)
class Hours:
    """Open intervals in time order. The first entry is empty and lies before all time, so that every instant has an interval before it."""

    starts: np.ndarray
    ends: np.ndarray
    before: np.ndarray  # open time before each interval, and the whole at the end
    day: np.ndarray  # position of the interval's day among the open days
    closing: np.ndarray  # closing instant of every open day

    def until(self, at: np.ndarray) -> np.ndarray:
        """Open time from the beginning of the table to each instant; the difference of two is the open time between them."""
        place = np.searchsorted(self.starts, at, side="right") - 1
        return self.before[place] + np.minimum(at, self.ends[place]) - self.starts[place]

    def reaching(self, amount: np.ndarray) -> np.ndarray:
        """Earliest instant at which `until` equals the amount (> 0): at closing time, not the next morning. NEVER beyond the table."""
        place = np.searchsorted(self.before[1:], amount, side="left")
        known = place < len(self.starts)
        place = np.where(known, place, 0)
        return np.where(known, self.starts[place] + (amount - self.before[place]), NEVER)

    def closing_after(self, at: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Closing instant of the `days`-th open day after D0, the day of the first open instant at or after `at`. NEVER beyond the table."""
        place = np.searchsorted(self.ends, at, side="right")
        known = place < len(self.ends)
        day = self.day[np.where(known, place, 0)] + days
        known &= day < len(self.closing)
        return np.where(known, np.append(self.closing, NEVER)[np.where(known, day, -1)], NEVER)


def _instants(day: np.ndarray, minute: int, tz: str, earlier: bool) -> np.ndarray:
    local = pd.DatetimeIndex(((day.astype("int64") * 1440 + minute) * MINUTE_US).astype("datetime64[us]"))
    return local.tz_localize(tz, ambiguous=np.full(len(day), earlier), nonexistent="shift_forward").as_unit("us").asi8


def _close(window: OpenWindow) -> int:
    """Minutes after the opening day's midnight: 00:00 is the end of that day, a closing before the opening is the next morning."""
    return 1440 if window.close == 0 else window.close + (1440 if window.close < window.open else 0)


def open_days(windows: Sequence[OpenWindow], holidays: Collection[int], first: int, last: int) -> np.ndarray:
    """Open days from `first` up to but not including `last`: a weekday with opening hours that is no holiday."""
    days = np.arange(first, last)
    on = np.isin((days + 3) % 7, [w.weekday for w in windows if _close(w) > w.open])
    return days[on & ~np.isin(days, list(holidays))]


def hours(windows: Sequence[OpenWindow], holidays: Collection[int], first: int, last: int) -> Hours:
    """The open intervals of the days from `first` up to but not including `last`.

    Windows are a union: what overlaps counts once. A local time that does not exist (spring) is the instant after the gap; of one that
    occurs twice (autumn) opening is the first and closing the second, so the repeated hour is open both times.
    """
    days = open_days(windows, holidays, first, last)
    parts = [(days[(days + 3) % 7 == w.weekday], w) for w in windows if _close(w) > w.open]
    day = np.concatenate([on for on, _ in parts] or [np.zeros(0)]).astype("int64")
    start = np.concatenate([_instants(on, w.open, w.tz, True) for on, w in parts] or [np.zeros(0, dtype="int64")])
    end = np.concatenate([_instants(on, _close(w), w.tz, False) for on, w in parts] or [np.zeros(0, dtype="int64")])
    order = np.lexsort((end, start))
    day, start, end = day[order], start[order], end[order]
    so_far = np.concatenate([[_LONG_AGO], np.maximum.accumulate(end)[:-1]]) if len(end) else end
    start = np.maximum(start, so_far)
    left = start < end
    day, start, end = day[left], start[left], end[left]
    new_day = firsts_of(day)
    position = np.zeros(len(day), dtype="int64")
    position[new_day[1:]] = 1
    return Hours(np.concatenate([[_LONG_AGO], start]), np.concatenate([[_LONG_AGO], end]),
                 np.concatenate([[0, 0], np.cumsum(end - start)]), np.concatenate([[0], np.cumsum(position)]),
                 end[np.append(new_day[1:], len(day)) - 1] if len(day) else end)


def round_the_clock(tz: str) -> tuple[OpenWindow, ...]:
    """Windows of a calendar that never closes, for policies that count calendar time."""
    return tuple(OpenWindow("24x7", tz, weekday, 0, 1440) for weekday in range(7))


def days_to_hold(windows: Sequence[OpenWindow], holidays: Collection[int], minutes: float, days: float) -> int:
    """Calendar days that surely hold so many open minutes and so many open days, whatever the weekday they begin on."""
    weekly = sum(max(0, _close(w) - w.open) for w in windows)
    weekdays = len({w.weekday for w in windows if _close(w) > w.open})
    if not weekdays:
        return 7
    weeks = max(minutes / weekly if minutes else 0, days / weekdays) * (1 + 1 / 24)  # spring may cost an hour of a day
    return 7 * min(math.ceil(weeks) + len(holidays) + 2, _MOST_WEEKS)


@dataclass(frozen=True)
class Pauses:
    """Merged pauses of every key 0 … n−1: disjoint and in time order within the key. `end` is NEVER while a pause is open."""

    first: np.ndarray  # by key: position of its first pause
    count: np.ndarray  # by key
    start: np.ndarray
    end: np.ndarray

    @property
    def is_open(self) -> np.ndarray:
        """By key: whether a pause is still open (it is the last one)."""
        out = np.zeros(len(self.count), dtype=bool)
        some = np.flatnonzero(self.count)
        out[some] = self.end[self.first[some] + self.count[some] - 1] == NEVER
        return out


def merge_pauses(key: np.ndarray, start: np.ndarray, end: np.ndarray, size: int) -> Pauses:
    """Pauses [start, end) per key, those that overlap or touch merged into one; empty ones are dropped."""
    real = start < end
    key, start, end = key[real], start[real], end[real]
    order = np.lexsort((start, key))
    key, start, end = key[order], start[order], end[order]
    ends, rank = np.unique(end, return_inverse=True)
    width = max(len(ends), 1)
    longest = np.maximum.accumulate(paired(key, rank, width)) % width  # latest end so far within the key
    new = np.ones(len(key), dtype=bool)
    new[1:] = (key[1:] != key[:-1]) | (start[1:] > ends[longest[:-1]])
    last = np.append(np.flatnonzero(new)[1:], len(key)) - 1 if len(key) else np.zeros(0, dtype="int64")
    key, start, end = key[new], start[new], ends[longest[last]] if len(last) else end
    count = np.bincount(key, minlength=size)
    return Pauses(np.cumsum(count) - count, count, start, end)


@dataclass(frozen=True)
class HourTables:
    """Several calendars at once: `which` says which table each row runs on."""

    tables: tuple[Hours, ...]
    which: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> HourTables:
        return HourTables(self.tables, self.which[rows])

    @property
    def day_minutes(self) -> np.ndarray:
        """Open minutes of a business day of each row's calendar: the mean of its open days; NaN where it never opens."""
        each = [float(table.before[-1]) / MINUTE_US / len(table.closing) if len(table.closing) else np.nan for table in self.tables]
        return np.array(each)[self.which]

    def _each(self, method: str, *arguments: np.ndarray) -> np.ndarray:
        out = np.zeros(len(self.which), dtype="int64")
        for number, table in enumerate(self.tables):
            rows = np.flatnonzero(self.which == number)
            out[rows] = getattr(table, method)(*(argument[rows] for argument in arguments))
        return out

    def until(self, at: np.ndarray) -> np.ndarray:
        return self._each("until", at)

    def reaching(self, amount: np.ndarray) -> np.ndarray:
        return self._each("reaching", amount)

    def closing_after(self, at: np.ndarray, days: np.ndarray) -> np.ndarray:
        return self._each("closing_after", at, days)


def run_minutes(time: HourTables, start: np.ndarray, end: np.ndarray, target: np.ndarray, pauses: Pauses, key: np.ndarray,
                as_of: int) -> tuple[np.ndarray, np.ndarray]:
    """Counted time start → end and the due instant of minute targets, one row a clock (METRICS S2, S3).

    Pauses do not count; an open one runs to `as_of`, and due is NEVER (unknown) while it keeps the target from being reached.
    """
    zero = time.until(start)
    stop = time.until(end)
    counted, goal, unknown = stop - zero, zero + target, np.zeros(len(start), dtype=bool)
    for turn in range(int(pauses.count[key].max()) if len(key) else 0):
        rows = np.flatnonzero(pauses.count[key] > turn)
        pause, hour = pauses.first[key[rows]] + turn, time[rows]
        still = pauses.end[pause] == NEVER
        begins = np.maximum(hour.until(pauses.start[pause]), zero[rows])
        ends = np.maximum(hour.until(np.where(still, as_of, pauses.end[pause])), begins)
        counted[rows] -= np.clip(np.minimum(ends, stop[rows]) - begins, 0, None)
        before_due = begins < goal[rows]  # a pause that begins as the target is reached changes nothing
        unknown[rows] |= before_due & still & (pauses.start[pause] <= as_of)
        goal[rows] += np.where(before_due, ends - begins, 0)
    return counted, np.where(unknown, NEVER, time.reaching(goal))
