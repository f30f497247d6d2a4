"""Business time: cases by hand, and every answer against a count of single minutes."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revscore.core.calendars import NEVER, day_number
from revscore.core.clocks import MINUTE_US, HourTables, days_to_hold, hours, merge_pauses, open_days, round_the_clock, run_minutes
from revscore.core.terms import OpenWindow


def at(text: str) -> int:
    return int(dt.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) * 1_000_000


def office(tz: str, *spans: tuple[str, str], weekdays: range = range(5)) -> tuple[OpenWindow, ...]:
    def minute(text: str) -> int:
        return int(text[:2]) * 60 + int(text[3:])

    return tuple(OpenWindow("X", tz, weekday, minute(a), minute(b)) for weekday in weekdays for a, b in spans or (("09:00", "17:00"),))


US, UK = office("America/New_York"), office("Europe/London", ("09:00", "17:30"))
US_HOLIDAYS = [day_number(d) for d in ("2025-05-26", "2025-06-19", "2025-07-04")]
UK_HOLIDAYS = [day_number(d) for d in ("2025-04-18", "2025-04-21", "2025-05-05", "2025-05-26")]
FIRST, LAST = day_number("2025-01-01"), day_number("2025-12-31")


def minutes(windows: tuple[OpenWindow, ...], start: str, end: str, holidays: list[int] | None = None) -> float:
    table = hours(windows, holidays or [], FIRST, LAST)
    return float(np.diff(table.until(np.array([at(start), at(end)])))[0] / MINUTE_US)


@pytest.mark.parametrize(("windows", "start", "end", "holidays", "expected"), [
    (US, "2025-03-04T21:30Z", "2025-03-05T14:45Z", [], 75),  # over night
    (US, "2025-03-07T21:00Z", "2025-03-10T15:00Z", [], 180),  # over the weekend on which New York changes to summer time
    (UK, "2025-03-28T17:00Z", "2025-03-31T08:20Z", [], 50),  # London changes; hours fixed in UTC would give 30
    (UK, "2025-05-02T16:00Z", "2025-05-06T11:00Z", UK_HOLIDAYS, 210),  # over the bank holiday
    (US, "2025-05-23T19:00Z", "2025-05-27T13:15Z", US_HOLIDAYS, 135),  # Memorial Day
    (UK, "2025-06-19T08:00Z", "2025-06-19T11:00Z", UK_HOLIDAYS, 180),  # Juneteenth is a working day in London
    (US, "2025-05-01T02:30Z", "2025-05-01T14:30Z", [], 90),  # begins while closed
    (office("Asia/Kolkata", ("09:30", "18:00")), "2025-03-03T04:00Z", "2025-03-03T04:40Z", [], 40),  # 09:30 is 04:00 UTC
    (office("Europe/Paris", ("09:00", "12:00"), ("13:30", "17:00")), "2025-03-03T10:30Z", "2025-03-03T13:00Z", [], 60),  # lunch break
    (office("Europe/Paris", ("09:00", "13:00"), ("12:00", "17:00")), "2025-03-03T10:30Z", "2025-03-03T13:00Z", [], 150),  # windows overlap
    (office("America/New_York", ("22:00", "02:00")), "2025-03-04T03:00Z", "2025-03-04T12:00Z", [], 240),  # night shift
    (round_the_clock("America/New_York"), "2025-03-08T12:00Z", "2025-03-10T12:00Z", [], 2880),
    (round_the_clock("America/New_York"), "2025-11-01T12:00Z", "2025-11-03T12:00Z", [], 2880),
])
def test_open_minutes(windows: tuple[OpenWindow, ...], start: str, end: str, holidays: list[int], expected: float) -> None:
    assert minutes(windows, start, end, holidays) == expected


def one_clock(windows: tuple[OpenWindow, ...], start: str, end: str, target: int, holidays: list[int] | None = None,
              pauses: tuple[tuple[str, str | None], ...] = (), as_of: str = "2025-12-01T00:00Z") -> tuple[float, int]:
    merged = merge_pauses(np.zeros(len(pauses), dtype="int64"), np.array([at(a) for a, _ in pauses], dtype="int64"),
                          np.array([at(b) if b else NEVER for _, b in pauses], dtype="int64"), 1)
    time = HourTables((hours(windows, holidays or [], FIRST, LAST),), np.zeros(1, dtype="int64"))
    counted, due = run_minutes(time, np.array([at(start)]), np.array([at(end)]), np.array([target * MINUTE_US]), merged, np.zeros(1, dtype="int64"), at(as_of))
    return counted[0] / MINUTE_US, int(due[0])


def test_target_reached_at_closing_time_is_due_at_closing_time() -> None:
    assert one_clock(US, "2025-05-23T19:00Z", "2025-05-23T19:30Z", 120)[1] == at("2025-05-23T21:00Z")


def test_holiday_and_pause_do_not_count() -> None:
    counted, due = one_clock(US, "2025-06-18T19:00Z", "2025-06-20T15:40Z", 240, US_HOLIDAYS, (("2025-06-20T13:00Z", "2025-06-20T15:00Z"),))
    assert (counted, due) == (160, at("2025-06-20T17:00Z"))


def test_pause_outside_business_hours_changes_nothing() -> None:
    counted, due = one_clock(UK, "2025-05-02T16:00Z", "2025-05-06T11:00Z", 240, UK_HOLIDAYS, (("2025-05-03T09:00Z", "2025-05-04T09:00Z"),))
    assert (counted, due) == (210, at("2025-05-06T11:30Z"))


def test_overlapping_pauses_count_once() -> None:
    counted, due = one_clock(US, "2025-03-03T15:00Z", "2025-03-03T18:00Z", 120, pauses=(
        ("2025-03-03T15:30Z", "2025-03-03T16:30Z"), ("2025-03-03T16:00Z", "2025-03-03T17:00Z"), ("2025-03-03T15:45Z", "2025-03-03T16:15Z")))
    assert (counted, due) == (90, at("2025-03-03T18:30Z"))


def test_open_pause_hides_due_only_while_it_prevents_it() -> None:
    assert one_clock(US, "2025-06-25T14:00Z", "2025-06-27T16:00Z", 60, pauses=(("2025-06-25T14:30Z", None),), as_of="2025-06-27T16:00Z") == (30, NEVER)
    at_target = one_clock(US, "2025-06-25T14:00Z", "2025-06-27T16:00Z", 60, pauses=(("2025-06-25T15:00Z", None),), as_of="2025-06-27T16:00Z")
    assert at_target == (60, at("2025-06-25T15:00Z"))


@pytest.mark.parametrize(("windows", "holidays", "start", "days", "expected"), [
    (UK, UK_HOLIDAYS, "2025-04-14T08:30Z", 5, "2025-04-23T16:30Z"),  # Good Friday and Easter Monday are skipped
    (US, US_HOLIDAYS, "2025-05-20T14:00Z", 5, "2025-05-28T21:00Z"),
    (US, [], "2025-03-08T12:00Z", 1, "2025-03-11T21:00Z"),  # on a Saturday D0 is Monday
    (US, [], "2025-03-03T22:00Z", 1, "2025-03-05T22:00Z"),  # at closing time D0 is the next open day
    (office("Europe/Paris", ("09:00", "12:00"), ("13:30", "17:00")), [], "2025-03-03T11:30Z", 1, "2025-03-04T16:00Z"),  # in the lunch break
])
def test_due_of_business_days(windows: tuple[OpenWindow, ...], holidays: list[int], start: str, days: int, expected: str) -> None:
    table = hours(windows, holidays, FIRST, LAST)
    assert table.closing_after(np.array([at(start)]), np.array([days]))[0] == at(expected)


def test_a_calendar_that_never_opens_has_no_time_and_no_due() -> None:
    never = office("Europe/Paris", ("09:00", "09:00"))
    table = hours(never, [], FIRST, LAST)
    assert table.until(np.array([at("2025-06-01T00:00Z")]))[0] == 0
    assert table.reaching(np.array([60]))[0] == NEVER and table.closing_after(np.array([0]), np.array([1]))[0] == NEVER
    assert len(open_days(never, [], FIRST, LAST)) == 0 and days_to_hold(never, [], 60, 1) == 7


def test_merged_pauses_keep_keys_apart() -> None:
    merged = merge_pauses(np.array([2, 0, 2, 0]), np.array([5, 1, 1, 3]), np.array([NEVER, 2, 5, 3]), 3)
    assert merged.count.tolist() == [1, 0, 1] and merged.is_open.tolist() == [False, False, True]
    assert merged.start.tolist() == [1, 1] and merged.end.tolist() == [2, NEVER]


# -- against a count of single minutes -------------------------------------------------------------------------------------------------

ZONES = ("America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "UTC")
DAYS = 24


@st.composite
def calendars(draw: st.DrawFn) -> tuple[tuple[OpenWindow, ...], list[int], int]:
    """Some windows (away from the hours in which clocks change), some holidays, and a first day near a change of clocks."""
    tz = draw(st.sampled_from(ZONES))
    spans = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(240, 1425), st.integers(5, 600)), min_size=1, max_size=8))
    windows = tuple(OpenWindow("X", tz, weekday, start, min(start + length, 1440)) for weekday, start, length in spans)
    first = day_number(draw(st.sampled_from(("2025-03-01", "2025-03-25", "2025-10-20", "2025-10-28"))))
    return windows, [first + d for d in draw(st.lists(st.integers(0, DAYS), max_size=4))], first


def grid(windows: tuple[OpenWindow, ...], holidays: list[int], first: int) -> np.ndarray:
    """Whether each minute of the days from `first` (UTC) on is open, by the definition."""
    clock = pd.DatetimeIndex((np.arange(first * 1440, (first + DAYS) * 1440) * MINUTE_US).astype("datetime64[us]"), tz="UTC").tz_convert(windows[0].tz)
    minute, weekday = clock.hour * 60 + clock.minute, clock.day_of_week
    day = clock.tz_localize(None).as_unit("us").asi8 // (1440 * MINUTE_US)
    inside = np.zeros(len(clock), dtype=bool)
    for w in windows:
        inside |= (weekday == w.weekday) & (minute >= w.open) & (minute < w.close)
    return inside & ~np.isin(day, holidays)


@settings(max_examples=60, deadline=None)
@given(calendars(), st.lists(st.tuples(st.integers(0, DAYS * 1440 - 1), st.integers(0, 4000), st.integers(1, 900)), min_size=1, max_size=6),
       st.lists(st.tuples(st.integers(0, DAYS * 1440), st.integers(0, 2000)), max_size=4), st.booleans())
def test_every_answer_equals_the_count_of_minutes(calendar: tuple[tuple[OpenWindow, ...], list[int], int], clocks: list[tuple[int, int, int]],
                                                  pauses: list[tuple[int, int]], still_paused: bool) -> None:
    windows, holidays, first = calendar
    open_minute, origin, whole = grid(windows, holidays, first), first * 1440, DAYS * 1440
    table = hours(windows, holidays, first - 2, first + DAYS + 2)
    begin, length, target = (np.array(column) for column in zip(*clocks, strict=True))
    end = np.minimum(begin + length, whole)
    spans = [(a, whole if still_paused and k == 0 else min(a + b, whole)) for k, (a, b) in enumerate(pauses)]
    paused = np.zeros(whole, dtype=bool)
    for a, b in spans:
        paused[a:b] = True
    n = len(begin)
    opens = [NEVER if still_paused and k == 0 and a < whole else (origin + b) * MINUTE_US for k, (a, b) in enumerate(spans)]
    merged = merge_pauses(np.zeros(len(spans), dtype="int64"), np.array([(origin + a) * MINUTE_US for a, _ in spans], dtype="int64"),
                          np.array(opens, dtype="int64"), 1)
    counted, due = run_minutes(HourTables((table,), np.zeros(n, dtype="int64")), (origin + begin) * MINUTE_US, (origin + end) * MINUTE_US,
                               target * MINUTE_US, merged, np.zeros(n, dtype="int64"), (origin + whole) * MINUTE_US)
    counts = open_minute & ~paused
    for k in range(n):
        assert counted[k] == counts[begin[k]:end[k]].sum() * MINUTE_US
        reached = np.flatnonzero(counts[begin[k]:].cumsum() == target[k])
        if len(reached):
            assert due[k] == (origin + begin[k] + reached[0] + 1) * MINUTE_US
        else:
            assert due[k] >= (origin + whole) * MINUTE_US
