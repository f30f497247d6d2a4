"""When an extract was made: as somebody or its config says, else its latest event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from revscore.core import schema
from revscore.intake.dates import INSTANT, is_zone, read_dates
from revscore.intake.desk import Desk
from revscore.intake.sheet import Unusable

_TS = schema.DTYPES["ts"]


def zone_of(config: Mapping[str, Any], usual: str) -> str:
    """The reporting zone: the config's, else the usual one. Raises Unusable when there is no such zone."""
    name = str(config.get("reporting_tz", usual))
    if not is_zone(name):
        raise Unusable(f"reporting_tz: {name!r} is no time zone; write one such as Europe/Berlin")
    return name


def said(given: pd.Timestamp | None, config: Mapping[str, Any], answers: Mapping[str, str], zone: str) -> pd.Timestamp | None:
    """The instant named by the caller, an answer or the config. Raises Unusable when the text is no date."""
    if given is not None:
        return given if given.tzinfo else given.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    text = answers.get("as_of") or config.get("as_of")
    if text is None:
        return None
    if not INSTANT.fullmatch(str(text).strip()):
        raise Unusable(f"as_of: {text!r} is no instant; write one such as 2026-11-16T13:00:00Z")
    read = read_dates(pd.Series([str(text)], dtype="str"), "ts", zone)
    if read.bad.any() or read.values.isna().any():
        raise Unusable(f"as_of: {text!r} is no instant; write one such as 2026-11-16T13:00:00Z")
    return read.values.iloc[0]


def believed(as_of: pd.Timestamp, columns: list[pd.Series], now: pd.Timestamp) -> None:
    """Raises Unusable when the instant is more than a year after today and after all that the extract tells of: a slip of the keyboard, from which no later extract
    could free the numbers."""
    newest = max([now, *(last for last in (column[column < as_of].max() for column in columns) if pd.notna(last))])
    if as_of > newest + pd.Timedelta(days=366):
        raise Unusable(f"as_of: {as_of:%Y-%m-%d} is more than a year after today and after the newest date in the extract; write when the extract was made")


def stamps(frame: pd.DataFrame) -> list[pd.Series]:
    """All instants of a frame that are events: plans (due and start times) and close dates are none."""
    return [frame[c] for c in frame.columns if str(frame[c].dtype) == _TS and c not in ("due_at", "starts_at", "closed_at")]


def events(name: str, frame: pd.DataFrame) -> list[pd.Series]:
    """The instants of a table of records."""
    names = [c.name for c in schema.TABLES[name].columns if c.type == "ts" and c.name in frame.columns]
    return [frame[c] for c in names] if schema.TABLES[name].role == "records" else []


def latest(columns: list[pd.Series], desk: Desk) -> pd.Timestamp:
    """The latest instant that is not in the future, said; a day without a time counts to its end. Now, when there is none."""
    past = [last for last in (c[c <= desk.now].max() for c in columns) if pd.notna(last)]
    if not past:
        if any(len(match.sheet.frame) for match in desk.matches if match.subject):
            desk.say("no date in the extract tells when it was made; it is taken as of now; give another instant if it was made earlier")
        return desk.now.floor("s")
    last = max(past)
    local = last.tz_convert(desk.zone)
    if local == local.normalize():
        last = min((local + pd.Timedelta(hours=23, minutes=59, seconds=59)).tz_convert("UTC"), desk.now.floor("s"))
    desk.say(f"the extract is taken as of {last:%d %b %Y %H:%M} UTC, its latest event; give another instant if it was made later")
    return last
