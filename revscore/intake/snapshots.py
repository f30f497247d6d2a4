"""Several exports of one list of opportunities, a week apart, in one load: each is a snapshot, dated by its file name; the latest is the present."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from revscore.core import schema
from revscore.intake.desk import Desk
from revscore.intake.match import Match
from revscore.intake.records import column, within, without_doubles
from revscore.intake.stages import LOST, WON
from revscore.intake.words import meaning

_DATED = r"(20[0-9]{2})[-_. ]?([01][0-9])[-_. ]?([0-3][0-9])(?![0-9])"
_STATE = ("opp_id", "stage", "amount", "close_date", "forecast_category", "probability", "_m", "_row")


def weekly(deals: pd.DataFrame, desk: Desk) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(records, states): of exports with the same headings, dates in their file names and records in common the latest row of each record,
    and every row as a state at the end of its day. Other sheets are returned as they are, without states."""
    dates = _dates(desk.matches, deals["_m"].unique())
    if dates.nunique() < 2 or "opp_id" not in deals.columns:
        return deals, deals.iloc[:0]
    day = deals["_m"].map(dates)
    shots = deals[day.notna() & deals["opp_id"].notna()].assign(changed_at=day)
    first = shots[shots["_m"] == dates.idxmin()]
    if not within(shots.loc[shots["_m"] != dates.idxmin(), "opp_id"], first["opp_id"]).any():
        return deals, deals.iloc[:0]
    shots = pd.concat([without_doubles(part.reset_index(drop=True), ["opp_id"], desk) for _, part in shots.groupby("_m")], ignore_index=True)
    at = (shots["changed_at"] + pd.Timedelta(hours=23, minutes=59, seconds=59)).dt.tz_localize(desk.zone).dt.tz_convert("UTC").astype(schema.DTYPES["ts"])
    shots = shots.assign(changed_at=at).sort_values("changed_at", kind="stable")
    latest = shots.drop_duplicates("opp_id", keep="last").drop(columns="changed_at")
    stage = column(shots, "stage")
    if "status" in shots.columns:
        closed = {word: word for word in shots["status"].dropna().unique() if meaning("outcome", str(word)) in (WON, LOST)}
        stage = shots["status"].map(closed).fillna(stage).astype("str")
    states = shots.assign(stage=stage, snapshot=True)
    desk.say(f"{dates.nunique()} exports of opportunities with dates in their names are taken as snapshots; the latest of {dates.max():%Y-%m-%d} is the present")
    rest = deals[day.isna() | deals["opp_id"].isna()]
    return (pd.concat([latest, rest], ignore_index=True) if len(rest) else latest.reset_index(drop=True),
            states[["changed_at", "snapshot", *(name for name in _STATE if name in states.columns)]].reset_index(drop=True))


def _dates(matches: Sequence[Match], used: Sequence[int]) -> pd.Series:
    """Match -> the date in its file's name, of sheets with the headings that most of them have; one sheet a date."""
    named = pd.Series([matches[m].sheet.file for m in used], index=list(used), dtype="str").str.extractall(_DATED).groupby(level=0).last()
    dates = pd.to_datetime(named[0] + named[1] + named[2], format="%Y%m%d", errors="coerce").dropna()
    kinds = pd.Series({m: frozenset(matches[m].columns.values()) for m in dates.index}, dtype=object)
    if len(kinds):
        dates = dates[[kind == kinds.value_counts().index[0] for kind in kinds]]
    return dates[~dates.duplicated(keep=False)]
