"""Dates of a column: which order and form it is written in is decided for the whole column, with evidence, never row by row.

Forms: ISO, day/month/year in either order (slash, dot, dash; two or four digits of year), month names, epoch seconds and milliseconds,
Excel serials, yyyymmdd and yyyymmddHHMM; with times, AM/PM, fractions, zones and offsets. A time without a zone belongs to `naive`; a date without a time is
local midnight of the reporting zone (METRICS C1, C3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from revscore.intake.patterns import extract, strip

Order = Literal["ymd", "mdy", "dmy"]
ORDERS: tuple[str, ...] = ("mdy", "dmy")
EARLIEST, LATEST = 1970, 2100          # years outside are not dates of a CRM, save the "no end" of connectors, which is read as missing

_MONTHS = ("jan|januar|january|januari|jän|jänner|janv|janvier|ene|enero|gen|gennaio|janeiro", "feb|febr|februar|february|februari|fev|fevr|fevrier|fév|févr|février|febrero|febbraio|fevereiro",
           "mar|march|maerz|märz|mär|mrz|mars|marzo|maart|mrt|março|marco", "apr|april|avr|avril|abr|abril|aprile", "may|mai|mayo|mag|maggio|mei|maj|maio",
           "jun|june|juni|juin|junio|giu|giugno|junho", "jul|july|juli|juil|juillet|julio|lug|luglio|julho", "aug|august|augusti|aout|août|ago|agosto|augustus",
           "sep|sept|september|septembre|septiembre|set|settembre|setembro", "oct|october|okt|oktober|octobre|octubre|ottobre|ott|out|outubro",
           "nov|november|novembre|noviembre|novembro", "dec|december|dez|dezember|decembre|déc|décembre|dic|diciembre|dicembre|dezembro")
_MONTH = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split("|")}
_TIME = (r"(?:[T,]?\s*(?P<hh>[0-9]{1,2})(?::(?P<mi>[0-9]{2})(?::(?P<ss>[0-9]{2})(?:[.,](?P<frac>[0-9]{1,9}))?)?)?\s*(?P<ap>[AaPp]\.?[Mm]\.?)?)?"
         r"\s*(?P<zone>Z|UTC|GMT|(?:UTC|GMT)?[+-][0-9]{1,2}:?(?:[0-5][0-9])?)?")
_YMD = rf"^(?P<y>[0-9]{{4}})[-/.](?P<a>[0-9]{{1,2}})[-/.](?P<b>[0-9]{{1,2}}){_TIME}$"
_NUMERIC = rf"^(?P<a>[0-9]{{1,2}})(?P<sep>[-/.])\s?(?P<b>[0-9]{{1,2}})[-/.]\s?(?P<y>[0-9]{{4}}|[0-9]{{2}}){_TIME}$"
_DAY_NAME = rf"^(?:[^\W\d]+\.?,\s*)?(?P<a>[0-9]{{1,2}})(?:st|nd|rd|th|\.)?[ /-](?:de )?(?P<name>[^\W\d]+)\.?,?[ /-](?:de )?(?P<y>[0-9]{{4}}|[0-9]{{2}}){_TIME}$"
_NAME_DAY = rf"^(?:[^\W\d]+\.?,\s*)?(?P<name>[^\W\d]+)\.? (?P<a>[0-9]{{1,2}})(?:st|nd|rd|th)?,? (?P<y>[0-9]{{4}}){_TIME}$"
_ISO_LIKE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-](?:(?:0[0-9]|1[0-3]):?[0-5][0-9]|14:?00))?)?$"
_COMPACT = r"^(?P<y>19[7-9][0-9]|20[0-9]{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12][0-9]|3[01])(?P<hh>[01][0-9]|2[0-3])(?P<mi>[0-5][0-9])(?P<ss>[0-5][0-9])?(?:\.0)?$"
_FARTHEST = 14 * 3600e6                # microseconds: no zone is farther from UTC

_FEW = 20                              # of two orders in one column the rarer is a slip when it is twenty times as rare
INSTANT = re.compile(_ISO_LIKE)        # what is accepted where a single date leaves no column to decide by


@dataclass(frozen=True)
class Dates:
    """A read column. `values`: UTC instants for kind ts, midnights for kind date; `bad` marks filled cells that are no date.

    form : "ymd", "mdy", "dmy", "epoch", "serial" or "" (no cell filled); `evidence` says by what it was decided
    unread: the bad ones that are written in no form of a date; the others are days that do not exist
    doubt: True when month and day could be either way round and nothing in the column decides
    mixed: True when some times name their zone and others do not
    """

    values: pd.Series
    bad: np.ndarray
    form: str
    evidence: str
    doubt: bool = False
    mixed: bool = False
    unread: np.ndarray | None = None


@dataclass(frozen=True)
class _Parts:
    """Wall-clock parts of the distinct texts of a column; `form` is 0 none, 1 ymd, 2 numeric (day and month open), 3 instant."""

    form: np.ndarray
    year: np.ndarray
    first: np.ndarray
    second: np.ndarray
    wall: np.ndarray            # microseconds since midnight
    offset: np.ndarray          # microseconds east of UTC, NaN without a zone
    timed: np.ndarray
    dotted: np.ndarray
    half: np.ndarray            # written with AM or PM
    instant: np.ndarray         # microseconds since 1970 for epoch and serial
    zoned: np.ndarray           # instant is UTC already
    short: np.ndarray           # of the numeric ones: all three numbers have at most two digits


def is_zone(name: str) -> bool:
    """Whether there is such a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def evidence(text: pd.Series) -> tuple[str | None, str]:
    """(order, why) of a column of texts, `(None, …)` when it is in doubt; order "" when no cell leaves it open."""
    days = pd.Series(text.str.slice(0, 10).unique(), dtype="str").str.extract(r"^([0-9]{1,2}[-/.]\s?[0-9]{1,2}[-/.]\s?[0-9]{2,4})")[0].dropna()
    return _order(_parts(pd.Series(days.unique(), dtype="str"))) if len(days) else ("", "written year first or with the month's name")


def read_dates(text: pd.Series, kind: Literal["ts", "date"], zone: str = "UTC", naive: str | None = None, order: str | None = None,
               swapped: bool = False) -> Dates:
    """Read the texts of one column.

    zone : reporting zone (IANA); midnight of a date without a time, and the calendar date of an instant in a `date` column
    naive: zone of a time that names none (default: `zone`)
    order: "mdy" or "dmy" when known from elsewhere; the column's own evidence goes before it. "ymd": two digits of year stand first
    swapped: day and month of what is written year first have changed places (a spreadsheet has read them in the wrong order)
    """
    text = strip(text)
    filled = (text != "").to_numpy()
    codes, distinct = pd.factorize(text)
    words = pd.Series(distinct, dtype="str")
    named = (words != "").to_numpy()
    if not swapped and named.any() and words[named].str.match(_ISO_LIKE).all():
        fast = _fast_iso(words, named, kind, zone, naive or zone)
        if fast is not None:
            return replace(fast, values=fast.values.take(codes).set_axis(text.index).where(codes >= 0), bad=np.zeros(len(text), bool), unread=np.zeros(len(text), bool))
    parts = _parts(words)
    found, why = _order(parts)
    doubt = found is None and order is None
    use = order if order == "ymd" else found or order or "mdy"
    if swapped:
        turned = (parts.form == 1) & (parts.second <= 12) & words.str.match(_YMD).to_numpy(dtype=bool)
        parts = replace(parts, first=np.where(turned, parts.second, parts.first), second=np.where(turned, parts.first, parts.second))
    values = _assemble(parts, use, kind, zone, naive or zone)
    never = (parts.year >= 2999) | (parts.instant > 32472144000000000)     # "9999-12-31": no end
    out = values.take(codes).set_axis(text.index).where(codes >= 0)
    bad = filled & out.isna().to_numpy() & ~never[codes]
    form = "" if not filled.any() else ("epoch" if (parts.form == 3).any() and not (parts.form == 2).any()
                                        else "ymd" if not (parts.form == 2).any() else use)
    return Dates(out, bad, form, why if found is not None else f"taken from elsewhere: {order}" if order else why, doubt,
                 bool((parts.timed & ~np.isnan(parts.offset) & (parts.form > 0)).any() and (parts.timed & np.isnan(parts.offset) & ~parts.zoned & (parts.form > 0)).any()),
                 bad & (parts.form == 0)[codes])


def _fast_iso(text: pd.Series, filled: np.ndarray, kind: str, zone: str, naive: str) -> Dates | None:
    """The common case in one pass: everything ISO. None when a year is out of range or a date does not exist."""
    long = text.str.len().to_numpy()
    stamp = pd.to_datetime(text.where(filled), format="ISO8601", utc=True, errors="coerce").dt.as_unit("us")
    if (stamp.isna().to_numpy() != ~filled).any() or not stamp.dt.year.dropna().between(EARLIEST, LATEST).all():
        return None
    day = long == 10
    zoned = text.str[10:].str.contains(r"[Z+-]", regex=True).to_numpy()
    wall = stamp.dt.tz_localize(None)
    if kind == "date":
        local = stamp.dt.tz_convert(zone).dt.tz_localize(None)
        return Dates(wall.where(~zoned, local).dt.normalize(), np.zeros(len(text), bool), "ymd", "written year first")
    out = stamp
    for mask, where in ((day, zone), (filled & ~day & ~zoned, naive)):
        if mask.any() and where != "UTC":
            out = out.where(~mask, _localize(wall, where))
    return Dates(out, np.zeros(len(text), bool), "ymd", "written year first", mixed=bool(zoned.any() and (filled & ~day & ~zoned).any()))


def _localize(wall: pd.Series, zone: str) -> pd.Series:
    """Wall-clock times of `zone` as UTC; the first of two equal hours in autumn, the next valid one in spring."""
    return wall.dt.tz_localize(zone, ambiguous=np.ones(len(wall), bool), nonexistent="shift_forward").dt.tz_convert("UTC")


def _parts(words: pd.Series) -> _Parts:
    n = len(words)
    form, instant = np.zeros(n, np.int8), np.zeros(n)
    year, first, second = (np.zeros(n, np.int64) for _ in range(3))
    wall, offset = np.zeros(n), np.full(n, np.nan)
    timed, dotted, half, zoned, short = (np.zeros(n, bool) for _ in range(5))
    for pattern, kind in ((_YMD, 1), (_NUMERIC, 2), (_DAY_NAME, 1), (_NAME_DAY, 1)):
        rest = np.flatnonzero(form == 0)
        if not len(rest):
            break
        got = extract(words.iloc[rest], pattern) if pattern in (_YMD, _NUMERIC) else words.iloc[rest].str.extract(pattern)   # names of months are not ASCII
        hit = got["y"].notna().to_numpy()
        if "name" in got:
            month = got["name"].str.lower().map(_MONTH)
            hit = hit & month.notna().to_numpy()
        at, got = rest[hit], got[hit]
        if not len(at):
            continue
        form[at] = kind
        y = _int(got["y"])
        year[at] = np.where(got["y"].str.len() == 2, np.where(y < 70, 2000 + y, 1900 + y), y)
        first[at] = month[hit].astype("int64") if "name" in got else _int(got["a"])
        second[at] = _int(got["a"]) if "name" in got else _int(got["b"])
        hour, clock = _int(got["hh"]), got["ap"].str[:1].str.lower()
        hour = np.where((clock == "p") & (hour < 12), hour + 12, np.where((clock == "a") & (hour == 12), 0, hour))
        micro = _int(got["frac"].str.ljust(6, "0").str[:6])
        wall[at] = ((hour * 60 + _int(got["mi"])) * 60 + _int(got["ss"])) * 1e6 + micro
        timed[at], half[at] = got["hh"].notna(), clock.notna()
        late = (clock == "a").to_numpy(dtype=bool) & (hour > 12)                                     # "13:00 AM"
        bare = got["hh"].notna() & got["mi"].isna() & clock.isna()
        offset[at] = _offset(got["zone"])
        form[at[(hour > 23) | late | (_int(got["mi"]) > 59) | (_int(got["ss"]) > 59) | bare.to_numpy() | (np.abs(offset[at]) > _FARTHEST)]] = 0
        if "sep" in got:
            dotted[at], short[at] = got["sep"] == ".", got["y"].str.len() == 2
    rest = np.flatnonzero(form == 0)
    digits = words.iloc[rest].str.fullmatch(r"(?:19|20)(?:[0-9]{10}|[0-9]{12})(?:\.0)?").to_numpy(dtype=bool)     # never the milliseconds of 1976
    if digits.any():
        got = extract(words.iloc[rest[digits]], _COMPACT)
        at, got = rest[digits][got["y"].notna().to_numpy()], got[got["y"].notna()]
        form[at], timed[at], year[at], first[at], second[at] = 1, True, _int(got["y"]), _int(got["m"]), _int(got["d"])
        wall[at] = ((_int(got["hh"]) * 60 + _int(got["mi"])) * 60 + _int(got["ss"])) * 1e6
        rest = rest[~digits]
    number = pd.to_numeric(words.iloc[rest].where(words.iloc[rest].str.fullmatch(r"[0-9]+(?:\.[0-9]+)?")), errors="coerce").to_numpy(float)
    # (from, to, microseconds per unit, days to 1970, a UTC instant): epoch milliseconds, epoch seconds, Excel serial day
    for low, high, unit, shift, utc in ((1e11, 4.2e12, 1e3, 0, True), (3e8, 4.2e9, 1e6, 0, True), (18264, 73051, 86400e6, 25569, False)):
        hit = (number >= low) & (number < high)
        at = rest[hit]
        form[at], zoned[at], instant[at] = 3, utc, np.round((number[hit] - shift) * unit)
        timed[at] = utc | (number[hit] % 1 != 0)
    compact = (number >= 19700101) & (number < 21000101) & words.iloc[rest].str.fullmatch(r"[0-9]{8}").to_numpy(dtype=bool)
    at = rest[compact]
    form[at], year[at] = 1, number[compact].astype("int64") // 10000
    first[at], second[at] = number[compact].astype("int64") // 100 % 100, number[compact].astype("int64") % 100
    return _Parts(form, year, first, second, wall, offset, timed, dotted, half, instant, zoned, short)


def _int(text: pd.Series) -> np.ndarray:
    return pd.to_numeric(text, errors="coerce").fillna(0).astype("int64").to_numpy()


def _offset(zone: pd.Series) -> np.ndarray:
    """Microseconds east of UTC of "+0200", "-03:00", "GMT+1", "Z"."""
    split = zone.str.extract(r"(?P<sign>[+-])(?P<h>[0-9]{1,2}):?(?P<m>[0-9]{2})?$")
    east = (_int(split["h"]) * 3600 + _int(split["m"]) * 60) * 1e6 * np.where(split["sign"] == "-", -1, 1)
    return np.where(zone.isna(), np.nan, east)


def _order(parts: _Parts) -> tuple[str | None, str]:
    """Which of day and month comes first; None when the column leaves it open."""
    open_ = parts.form == 2
    if not open_.any():
        return "", "written year first or with the month's name"
    a, b = parts.first[open_], parts.second[open_]
    dmy, mdy = int(((a > 12) & (b <= 12)).sum()), int(((b > 12) & (a <= 12)).sum())
    few, many = sorted((dmy, mdy))
    if few * _FEW > many:
        return None, f"{dmy} distinct values can only be day first, {mdy} only month first"
    if dmy > mdy:
        return "dmy", f"{dmy} distinct values have a first number above 12"
    if mdy:
        return "mdy", f"{mdy} distinct values have a second number above 12"
    if (a == b).all():
        return "", "day and month are the same in every value"
    if parts.dotted[open_].all():
        return "dmy", "dots between the numbers: day first"
    return None, "no value has a number above 12" + (", the times are written with AM and PM" if parts.half[open_].any() else "")


def _assemble(parts: _Parts, order: str, kind: str, zone: str, naive: str) -> pd.Series:
    """UTC instants (kind ts) or midnights (kind date) of the parts; what is no date becomes NaT."""
    if order == "ymd":                                                     # of the numeric ones only those of two digits of year can be meant
        led = (parts.form == 2) & parts.short
        parts = replace(parts, form=np.where(led, 1, np.where(parts.form == 2, 0, parts.form)), year=np.where(led, 2000 + parts.first, parts.year),
                        first=np.where(led, parts.second, parts.first), second=np.where(led, parts.year % 100, parts.second))
    swap = (parts.form == 2) & (order == "dmy")
    month, day = np.where(swap, parts.second, parts.first), np.where(swap, parts.first, parts.second)
    good = ((parts.form == 1) | (parts.form == 2)) & (month >= 1) & (month <= 12) & (day >= 1) & (parts.year >= EARLIEST) & (parts.year <= LATEST)
    y, m, d = np.where(good, parts.year, 1970), np.where(good, month, 1), np.where(good, day, 1)
    start = (y - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (m - 1)
    good &= d <= ((start + 1).astype("datetime64[D]") - start.astype("datetime64[D]")).astype(int)
    wall = start.astype("datetime64[D]").astype("datetime64[us]") + (d - 1) * np.timedelta64(86400000000, "us")
    wall = wall + np.where(good, parts.wall, 0).astype("timedelta64[us]")
    number = parts.form == 3
    wall = np.where(number, parts.instant.astype("int64").astype("datetime64[us]"), wall)
    wall[~(good | number)] = np.datetime64("NaT")
    out = pd.Series(wall, dtype="datetime64[us]")
    zoned = ~np.isnan(parts.offset) & parts.timed | parts.zoned
    utc = out.where(~zoned, out - pd.Series(np.nan_to_num(parts.offset).astype("timedelta64[us]"), dtype="timedelta64[us]"))
    if kind == "date":
        local = utc.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
        return out.where(~zoned | ~parts.timed, local).dt.normalize()
    instant = utc.dt.tz_localize("UTC")
    for mask, where in ((~zoned & ~parts.timed, zone), (~zoned & parts.timed, naive)):
        if mask.any() and where != "UTC":
            instant = instant.where(~mask, _localize(out, where))
    return instant
