"""Periods, fiscal years, zones."""

from __future__ import annotations

import numpy as np
import pytest

from revscore.core.calendars import NEVER, Calendar, Period, day_number, iso, labels, local_days, midnight, written


def one(text: str, calendar: Calendar, grain: str) -> str:
    return calendar.holding(day_number(text), grain).label


@pytest.mark.parametrize(("month", "named", "day", "quarter", "year"), [
    (2, "end", "2025-01-31", "FY25Q4", "FY25"), (2, "end", "2025-02-01", "FY26Q1", "FY26"), (1, "end", "2026-11-16", "FY26Q4", "FY26"),
    (7, "start", "2026-07-01", "FY26Q1", "FY26"), (7, "end", "2026-06-30", "FY26Q4", "FY26"), (12, "end", "2025-12-01", "FY26Q1", "FY26")])
def test_fiscal_labels(month: int, named: str, day: str, quarter: str, year: str) -> None:
    calendar = Calendar(fiscal_start_month=month, fiscal_year_named_by=named)
    assert (one(day, calendar, "quarter"), one(day, calendar, "year")) == (quarter, year)
    assert calendar.parse(quarter) == calendar.holding(day_number(day), "quarter")


@pytest.mark.parametrize("month", range(1, 13))
def test_every_day_is_in_the_period_that_its_label_names(month: int) -> None:
    calendar = Calendar(fiscal_start_month=month)
    for day in range(day_number("2023-12-25"), day_number("2026-02-05"), 3):
        for grain in ("week", "month", "quarter", "year"):
            period = calendar.holding(day, grain)
            assert day in period
            if grain != "week":
                assert calendar.parse(period.label) == period
            assert calendar.shifted(period, 1).start == period.end


def test_weeks_are_named_by_their_first_day() -> None:
    assert one("2026-11-16", Calendar(), "week") == "2026-11-16"
    assert one("2026-11-16", Calendar(week_start="sunday"), "week") == "2026-11-15"


def test_a_local_day_follows_the_zone_through_a_clock_change() -> None:
    at = np.array([midnight(day_number("2026-03-08"), "America/New_York"), midnight(day_number("2026-03-09"), "America/New_York")])
    assert at[1] - at[0] == 23 * 3600 * 10**6, "the day of the change has 23 hours"
    assert local_days(np.append(at, NEVER), "America/New_York")[:2].tolist() == [day_number("2026-03-08"), day_number("2026-03-09")]


def test_midnight_that_does_not_exist_is_the_first_instant_after() -> None:
    assert iso(midnight(day_number("2018-11-04"), "America/Sao_Paulo")) == "2018-11-04T03:00:00Z"


@pytest.mark.parametrize("text", ["", "FY26Q5", "2026-13", "next week", "2026-05-40"])
def test_what_is_no_period_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no period: write FY26Q2"):
        Calendar().parse(text)


def test_a_period_says_its_dates() -> None:
    assert Calendar().parse("FY26Q2").dates() == "1 May – 31 Jul 2025"
    assert Period(day_number("2026-11-01"), day_number("2027-02-01")).dates() == "1 Nov 2026 – 31 Jan 2027"


@pytest.mark.parametrize(("text", "name"), [("FY26Q2", "FY26 Q2"), ("FY26 Q2", "FY26 Q2"), ("FY26", "FY26"), ("2026-10", "Oct 2026"), ("2026-11-09", "9 Nov 2026"),
                                            ("2026-05-01..2026-06-15", "1 May – 15 Jun 2026")])
def test_a_period_has_the_name_that_readers_use(text: str, name: str) -> None:
    assert Calendar().parse(text).name == name


def test_labels_within_words_are_written_for_readers() -> None:
    assert written("same days of FY26Q3") == "same days of FY26 Q3" and written("MQLs of 2026-10") == "MQLs of Oct 2026"
    assert Calendar().holding(day_number("2026-11-12"), "week").name == "week of 9 Nov 2026" and Period(0, 31).name == "1 Jan – 31 Jan 1970"


def test_week_53_belongs_to_period_12() -> None:
    years = (("FY24", day_number("2023-01-29"), 53),)
    frame = labels(np.array([day_number("2024-02-03"), day_number("2024-02-04")]), Calendar(), years)
    assert frame["week_445"].iloc[0] == 53 and frame["period_445"].iloc[0] == 12 and frame["fy_445"].isna().tolist() == [False, True]
