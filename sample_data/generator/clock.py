"""Time for the generator: instants are whole seconds since 1970 UTC; a `BusinessClock` walks through the opening hours of a calendar."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable

import numpy as np
import pandas as pd

SEED = 20261132
DAY = 86_400


def seconds(text: str) -> int:
    """'2026-11-16T13:00:00Z' or '2026-11-16' -> whole seconds since 1970 UTC."""
    moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)).timestamp())


def iso(moment: int | None) -> str:
    """Whole seconds -> '2026-11-16T13:00:00Z'; nothing -> ''."""
    return "" if moment is None else dt.datetime.fromtimestamp(int(moment), dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


START, AS_OF = seconds("2025-05-16"), seconds("2026-11-16T13:00:00Z")


def stream(name: str, take: int = 0) -> np.random.Generator:
    """An independent, reproducible random stream per subject: changing one part of the company leaves the others as they are.
    Another `take` draws the subject anew."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode()), take])


def day_of(moment: int) -> dt.date:
    """UTC calendar date of an instant."""
    return dt.datetime.fromtimestamp(int(moment), dt.timezone.utc).date()


def month_end(day: dt.date) -> dt.date:
    return (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)


def quarter_end(day: dt.date) -> dt.date:
    return month_end(day.replace(day=1, month=(day.month - 1) // 3 * 3 + 3))


class BusinessClock:
    """The opening hours of one calendar from 2025 to 2028, as a table of windows in UTC."""

    def __init__(self, tz: str, windows: Iterable[tuple[int, str, str]], holidays: set[str]):
        days = [day for day in pd.date_range("2025-01-01", "2028-12-31") if day.strftime("%Y-%m-%d") not in holidays]
        hours = sorted((day + pd.Timedelta(f"{opens}:00"), day + pd.Timedelta(f"{closes}:00"))
                       for day in days for weekday, opens, closes in windows if day.weekday() == weekday)
        edges = [pd.DatetimeIndex(side).tz_localize(tz).tz_convert("UTC").as_unit("s").asi8 for side in zip(*hours)]
        self.tz, self.opens, self.closes = tz, edges[0], edges[1]
        self.before = np.concatenate([[0], np.cumsum(self.closes - self.opens)])

    def advance(self, moment: int, minutes: float = 0.0) -> int:
        """The instant at which `minutes` of opening time have passed since `moment` (0: the next open instant); the table's end is the limit."""
        moment = min(moment, int(self.opens[-1]))
        i = int(np.searchsorted(self.closes, moment, "right"))
        spent = self.before[i] + max(0, moment - int(self.opens[i])) + int(minutes * 60)
        k = int(np.searchsorted(self.before, spent, "right")) - 1
        if k >= len(self.opens):
            return int(self.closes[-1])
        return int(self.opens[k] + spent - self.before[k])

    def local_date(self, moment: int) -> dt.date:
        return pd.Timestamp(int(moment), unit="s", tz="UTC").tz_convert(self.tz).date()
