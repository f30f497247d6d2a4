"""Dates: the order is decided for the column; doubt is said, never guessed."""

from __future__ import annotations

import pandas as pd
import pytest

from revscore.intake.dates import evidence, read_dates


def texts(*values: str) -> pd.Series:
    return pd.Series(values, dtype="str")


def instants(*values: str, **options: object) -> list[str]:
    return [t.strftime("%Y-%m-%dT%H:%M:%SZ") if t == t else "" for t in read_dates(texts(*values), "ts", **options).values]  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "utc"), [
    ("2026-03-01T09:30:00Z", "2026-03-01T09:30:00Z"),
    ("2026-03-01 09:30", "2026-03-01T09:30:00Z"),
    ("2026-03-01T09:30:00.123+0200", "2026-03-01T07:30:00Z"),
    ("2026-03-01 9:30:00.123456 UTC", "2026-03-01T09:30:00Z"),
    ("07/15/2026 02:14:45+0800", "2026-07-14T18:14:45Z"),
    ("07/13/2026 10:14 PM", "2026-07-13T22:14:00Z"),
    ("12/31/26 12:05 AM", "2026-12-31T00:05:00Z"),
    ("31.12.2026 14:05", "2026-12-31T14:05:00Z"),
    ("Mar 3, 2026", "2026-03-03T00:00:00Z"),
    ("12-Mar-26", "2026-03-12T00:00:00Z"),
    ("3. März 2026 10:00", "2026-03-03T10:00:00Z"),
    ("1772357400000", "2026-03-01T09:30:00Z"),
    ("1772357400", "2026-03-01T09:30:00Z"),
    ("46082", "2026-03-01T00:00:00Z"),
    ("46082.5", "2026-03-01T12:00:00Z"),
    ("20260301", "2026-03-01T00:00:00Z"),
])
def test_forms(text: str, utc: str) -> None:
    assert instants(text) == [utc]


def test_a_date_is_local_midnight_and_a_bare_time_belongs_to_the_naive_zone() -> None:
    assert instants("2026-07-01", "2026-07-01 12:00:00", zone="America/New_York", naive="UTC") == ["2026-07-01T04:00:00Z", "2026-07-01T12:00:00Z"]
    assert instants("1/31/2026 12:00", zone="America/New_York") == ["2026-01-31T17:00:00Z"]


def test_one_value_decides_for_the_whole_column() -> None:
    assert instants("01/02/2026", "13/02/2026") == ["2026-02-01T00:00:00Z", "2026-02-13T00:00:00Z"]
    assert instants("01/02/2026", "02/13/2026") == ["2026-01-02T00:00:00Z", "2026-02-13T00:00:00Z"]


def test_doubt_is_said() -> None:
    read = read_dates(texts("01/02/2026", "03/04/2026"), "date")
    assert read.doubt
    assert evidence(texts("01/02/2026"))[0] is None
    assert not read_dates(texts("05/05/2026"), "date").doubt                       # the same either way
    assert read_dates(texts("01.02.2026"), "date").form == "dmy"                   # dots: day first
    assert read_dates(texts("01/02/2026"), "date", order="dmy").values[0] == pd.Timestamp("2026-02-01")


def test_what_is_no_date_is_marked_and_no_end_is_missing() -> None:
    read = read_dates(texts("2026-02-30", "soon", "", "9999-12-31 23:59:59", "2026-02-28"), "date")
    assert read.bad.tolist() == [True, True, False, False, False]
    assert read.values.notna().tolist() == [False, False, False, False, True]


def test_an_instant_in_a_date_column_is_the_local_day() -> None:
    read = read_dates(texts("2026-03-01T02:00:00Z"), "date", "America/New_York")
    assert read.values[0] == pd.Timestamp("2026-02-28")
    assert read_dates(texts("2018-12-19 00:00:00"), "date", "America/New_York").values[0] == pd.Timestamp("2018-12-19")


def test_daylight_saving_gaps_and_doubled_hours_have_a_value() -> None:
    assert instants("2026-03-08 02:30:00", "2026-11-01 01:30:00", zone="America/New_York") == ["2026-03-08T07:00:00Z", "2026-11-01T05:30:00Z"]
