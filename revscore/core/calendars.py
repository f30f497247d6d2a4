"""Dates and periods: grains, half-open periods, fiscal and 4-4-5 years, zones. (Business time is in `clocks`.)

Dates are day numbers, days since 1970-01-01 (int32); instants are microseconds since 1970-01-01 UTC (int64). Periods start inclusively and
end exclusively. METRICS sections 0 (C3, C6) and 17.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from revscore.core.pieces import slices

Grain = Literal["day", "week", "month", "quarter", "year"]
GRAINS: tuple[Grain, ...] = ("week", "month", "quarter", "year")
DAY_US = 86_400_000_000
NEVER = np.iinfo(np.int64).max  # the instant of what has not happened
NO_DAY = np.iinfo(np.int32).max  # the day of what has no date
_EPOCH = dt.date(1970, 1, 1)


def day_number(day: dt.date | str) -> int:
    """Day number of a date or of ISO text."""
    return ((dt.date.fromisoformat(day) if isinstance(day, str) else day) - _EPOCH).days


def date_of(day: int) -> dt.date:
    return _EPOCH + dt.timedelta(days=int(day))


def instants(series: pd.Series, as_of: int = NEVER) -> np.ndarray:
    """Instants of a timestamp column (a date column counts from midnight UTC); NEVER where missing or after `as_of` (METRICS C2)."""
    at = series.astype("datetime64[us, UTC]") if getattr(series.dtype, "tz", None) is None else series if series.dtype.unit == "us" else series.dt.as_unit("us")
    out = np.array(at.array.asi8)
    out[(out == np.iinfo("int64").min) | (out > as_of)] = NEVER  # what is not a time is the smallest number
    return out


def day_numbers(series: pd.Series) -> np.ndarray:
    """Day numbers of a date column; NO_DAY where missing."""
    days = series.to_numpy(dtype="datetime64[D]").astype("int64")
    return np.where(series.isna().to_numpy(), NO_DAY, days).astype("int32")


def local_days(at: np.ndarray, tz: str) -> np.ndarray:
    """Local day numbers of instants in zone `tz` (METRICS C3); NO_DAY where the instant is NEVER."""
    out = np.full(len(at), NO_DAY, dtype="int32")
    for piece in slices(len(at)):
        known = at[piece] != NEVER
        local = pd.DatetimeIndex(at[piece][known].astype("datetime64[us]"), tz="UTC").tz_convert(tz).tz_localize(None)
        out[piece][known] = np.floor_divide(local.as_unit("us").asi8, DAY_US)
    return out


def local_day(at: int, tz: str) -> int:
    """Local day number of one instant in zone `tz`; the clock of the standard library is quicker for one."""
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=int(at))
    return moment.astimezone(ZoneInfo(tz)).toordinal() - _EPOCH.toordinal()


def midnight(day: int, tz: str) -> int:
    """The instant at which the local day begins (where midnight does not exist that day: the first instant after it)."""
    moment = dt.datetime.combine(date_of(day), dt.time(), tzinfo=ZoneInfo(tz)).astimezone(dt.UTC)
    return int((moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) / dt.timedelta(microseconds=1))


def iso(at: int | np.integer | None) -> str | None:
    """An instant as ISO text in UTC, `2025-05-01T04:00:00Z`; None for NEVER."""
    if at is None or at == NEVER:
        return None
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=int(at))
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


_DAY = r"\d{4}-\d\d-\d\d"


def written(label: str) -> str:
    """A label of `Calendar.label`, alone or in words, as readers write it: FY26Q3 is "FY26 Q3", 2026-10 "Oct 2026", 2026-11-09 "9 Nov 2026"."""
    label = re.sub(_DAY, lambda day: f"{int(day[0][-2:])} {dt.date.fromisoformat(day[0]):%b %Y}", label)
    label = re.sub(r"\b\d{4}-(?:0[1-9]|1[0-2])\b(?!-)", lambda month: f"{dt.date.fromisoformat(month[0] + '-01'):%b %Y}", label)
    return re.sub(r"\b(FY\d\d)(Q[1-4])\b", r"\1 \2", label)


@dataclass(frozen=True)
class Period:
    """Days from `start` up to but not including `end`."""

    start: int
    end: int
    label: str = ""

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a period cannot end ({date_of(self.end)}) before it starts ({date_of(self.start)})")

    def __contains__(self, day: int) -> bool:
        return self.start <= day < self.end

    @property
    def days(self) -> int:
        return self.end - self.start

    @property
    def last(self) -> int:
        return self.end - 1

    @property
    def name(self) -> str:
        """The period as readers write it: "FY26 Q3", "Oct 2026", "week of 9 Nov 2026", "same days of FY26 Q3"; in dates where it has no name."""
        return self.dates() if not self.label or ".." in self.label else f"week of {written(self.label)}" if self.days == 7 and re.fullmatch(_DAY, self.label) else written(self.label)

    def dates(self) -> str:
        """The period in dates, never by its name alone: "1 Nov 2026 – 31 Jan 2027"."""
        first, last = date_of(self.start), date_of(self.last)
        tail = f"{last.day} {last:%b %Y}"
        if first == last:
            return tail
        return f"{first.day} {first:%b} – {tail}" if first.year == last.year else f"{first.day} {first:%b %Y} – {tail}"


@dataclass(frozen=True)
class Calendar:
    """The team's calendar: reporting zone, fiscal year, first day of the week."""

    tz: str = "UTC"
    fiscal_start_month: int = 2
    fiscal_year_named_by: Literal["start", "end"] = "end"
    week_start: Literal["monday", "sunday"] = "monday"

    def codes(self, days: np.ndarray, grain: Grain) -> np.ndarray:
        """Number of the period that holds each day; consecutive periods have consecutive numbers. NO_DAY stays NO_DAY."""
        days = np.asarray(days, dtype="int64")
        if grain == "day":
            codes = days
        elif grain == "week":
            codes = (days + (3 if self.week_start == "monday" else 4)) // 7
        else:
            months = np.where(days == NO_DAY, 0, days).astype("datetime64[D]").astype("datetime64[M]").astype("int64")
            codes = months if grain == "month" else (months - (self.fiscal_start_month - 1)) // (3 if grain == "quarter" else 12)
        return np.where(days == NO_DAY, NO_DAY, codes)

    def start(self, code: int, grain: Grain) -> int:
        """First day of the period with number `code`."""
        if grain == "day":
            return int(code)
        if grain == "week":
            return int(code) * 7 - (3 if self.week_start == "monday" else 4)
        months = int(code) * {"month": 1, "quarter": 3, "year": 12}[grain] + (0 if grain == "month" else self.fiscal_start_month - 1)
        return int(np.datetime64(months, "M").astype("datetime64[D]").astype("int64"))

    def label(self, code: int, grain: Grain) -> str:
        """`2025-05`, `FY26Q2`, `FY26`; a week is named by the date of its first day (METRICS 17)."""
        if grain in ("day", "week"):
            return date_of(self.start(code, grain)).isoformat()
        if grain == "month":
            return str(np.datetime64(int(code), "M"))
        year, quarter = (int(code), None) if grain == "year" else divmod(int(code), 4)
        name = 1970 + year + (self.fiscal_year_named_by == "end" and self.fiscal_start_month > 1)
        return f"FY{name % 100:02d}" + ("" if quarter is None else f"Q{quarter + 1}")

    def period(self, code: int, grain: Grain) -> Period:
        return Period(self.start(code, grain), self.start(code + 1, grain), self.label(code, grain))

    def holding(self, day: int, grain: Grain) -> Period:
        """The period of `grain` that holds `day`."""
        return self.period(int(self.codes(np.array([day]), grain)[0]), grain)

    def shifted(self, period: Period, steps: int = -1) -> Period:
        """The period `steps` before or after: of the same grain when it is a calendar period, else of the same length."""
        for grain in ("month", "quarter", "year", "week"):
            if self.holding(period.start, grain) == Period(period.start, period.end, self.holding(period.start, grain).label):
                return self.period(int(self.codes(np.array([period.start]), grain)[0]) + steps, grain)
        return Period(period.start + steps * period.days, period.end + steps * period.days)

    def parse(self, text: str) -> Period:
        """`FY26Q2`, `FY26`, `2025-05`, `2025-05-12` (one day) or `2025-05-01..2025-06-15` (both days included).

        Raises ValueError with a sentence when the text is none of these.
        """
        text = text.strip()
        if match := re.fullmatch(r"FY(\d{2})(?: ?Q([1-4]))?", text, re.IGNORECASE):
            year = 2000 + int(match[1]) - 1970 - (self.fiscal_year_named_by == "end" and self.fiscal_start_month > 1)
            return self.period(year * 4 + int(match[2]) - 1, "quarter") if match[2] else self.period(year, "year")
        try:
            if re.fullmatch(r"\d{4}-\d{2}", text):
                return self.period(int(np.datetime64(text, "M").astype("int64")), "month")
            first, _, last = text.partition("..")
            start = day_number(first.strip())
            return Period(start, (day_number(last.strip()) if last else start) + 1, text)
        except ValueError as error:
            raise ValueError(f"“{text}” is no period: write FY26Q2, FY26, 2026-05, or 2026-05-01..2026-06-15") from error


_WEEKS_445 = np.array([4, 8, 13, 17, 21, 26, 30, 34, 39, 43, 47, 53])


def labels(days: np.ndarray, calendar: Calendar, years_445: tuple[tuple[str, int, int], ...] = ()) -> pd.DataFrame:
    """Every name of each day, one row a day (METRICS `calendar.cases`).

    Columns: date, fiscal_year, fiscal_quarter, fiscal_month, iso_week, week_start_monday, week_start_sunday, fy_445, week_445, period_445,
    quarter_445 (missing outside the table of year starts `(fy, start day, weeks)`; week 53 belongs to period 12).
    """
    days = np.asarray(days, dtype="int64")
    dates = pd.DatetimeIndex(days.astype("datetime64[D]"))
    isocal = dates.isocalendar()
    frame = pd.DataFrame({
        "date": dates.strftime("%Y-%m-%d"),
        "fiscal_year": [calendar.label(code, "year") for code in calendar.codes(days, "year")],
        "fiscal_quarter": calendar.codes(days, "quarter") % 4 + 1,
        "fiscal_month": (dates.month.to_numpy() - calendar.fiscal_start_month) % 12 + 1,
        "iso_week": isocal["year"].astype("str").to_numpy() + "-W" + isocal["week"].astype("str").str.zfill(2).to_numpy(),
        "week_start_monday": (days - (days + 3) % 7).astype("datetime64[D]").astype(str),
        "week_start_sunday": (days - (days + 4) % 7).astype("datetime64[D]").astype(str),
    })
    fy, week = np.full(len(days), None, dtype=object), np.zeros(len(days), dtype="int64")
    for name, start, weeks in years_445:
        inside = (days >= start) & (days < start + 7 * weeks)
        fy[inside], week[inside] = name, (days[inside] - start) // 7 + 1
    period = np.searchsorted(_WEEKS_445, week) + 1
    known = pd.Series(week > 0)
    return frame.assign(fy_445=fy, week_445=pd.Series(week).where(known), period_445=pd.Series(period).where(known),
                        quarter_445=pd.Series((period + 2) // 3).where(known))
