"""The ids the two CRMs would give: Salesforce's 15 and 18 character keys, HubSpot's record numbers, from the plain ids."""

from __future__ import annotations

import pandas as pd

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX = {"L": "00Q", "O": "006", "A": "001", "K": "003", "C": "701", "U": "005", "V": "00T"}
BASE = {"L": 210_000_000, "K": 230_000_000, "O": 18_400_000_000, "A": 9_100_000_000, "C": 5_500_000}


def suffix(key: str) -> str:
    """The three check characters: one per five characters, a bit for every capital letter (Salesforce's rule)."""
    chunks = (key[i:i + 5] for i in (0, 5, 10))
    return "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[sum(1 << i for i, letter in enumerate(chunk) if letter.isupper())] for chunk in chunks)


def salesforce_key(plain: str) -> str:
    """'O0042' -> an 18 character key, always the same one; '' stays ''."""
    if not plain:
        return ""
    number, tail = int(plain[1:]) * 7919 + 104_729, ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        tail = DIGITS[digit] + tail
    key = PREFIX[plain[0]] + "Hs00000"[:6] + tail
    return key + suffix(key)


def hubspot_key(plain: str) -> str:
    """'O0042' -> a record number as text; '' stays ''."""
    return str(BASE[plain[0]] + int(plain[1:]) * 37 + 11) if plain else ""


def salesforce(column: pd.Series) -> pd.Series:
    return column.map({plain: salesforce_key(plain) for plain in column.unique()})


def hubspot(column: pd.Series) -> pd.Series:
    return column.map({plain: hubspot_key(plain) for plain in column.unique()})


def local(column: pd.Series, form: str) -> pd.Series:
    """ISO texts in UTC -> local texts of New York: 'us' 3/1/2026, 'us time' 3/1/2026 2:05 PM, 'iso' 2026-03-01 14:05; '' stays ''."""
    moment = pd.to_datetime(column, utc=True, format="ISO8601").dt.tz_convert("America/New_York")
    month, day, year, clock = (moment.dt.month.astype("Int64").astype(str), moment.dt.day.astype("Int64").astype(str), moment.dt.strftime("%Y"),
                               moment.dt.strftime("%H:%M"))
    if form == "iso":
        return (moment.dt.strftime("%Y-%m-%d") + " " + clock).fillna("")
    text = month + "/" + day + "/" + year
    if form == "us time":
        hour = moment.dt.hour.astype("Int64")
        text = text + " " + ((hour + 11) % 12 + 1).astype(str) + moment.dt.strftime(":%M ") + (hour >= 12).map({True: "PM", False: "AM"}).astype(object)
    return text.where(moment.notna(), "").astype(object)


def us_date(column: pd.Series) -> pd.Series:
    """'2026-03-01' -> '3/1/2026'; '' stays ''."""
    parts = column.str.extract(r"(\d+)-0?(\d+)-0?(\d+)")
    return (parts[1] + "/" + parts[2] + "/" + parts[0]).fillna("").astype(object)
