"""The history of opportunities: full states after every change, from what an extract has, and rebuilt where it has none.

States (OpportunityHistory, snapshots) are taken as they are; single changes (field histories, change logs, deal stages) are laid side by side
and filled forward; "Date entered …" columns give the stages; else METRICS section 1, "When history is missing".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.core import schema
from revscore.intake.dates import read_dates
from revscore.intake.desk import Desk
from revscore.intake.match import Match
from revscore.intake.numbers import read_numbers
from revscore.intake.patterns import numbered, padded
from revscore.intake.records import column, look_up, stamp, within
from revscore.intake.stages import LOST, OPEN, WON, Stages
from revscore.intake.words import fold, meaning, translate

_TS = schema.DTYPES["ts"]
STATE = ("stage", "amount", "close_date", "forecast_category")
_COLUMNS = ["event_id", "opp_id", "changed_at", *STATE]


def changes(frame: pd.DataFrame, matches: list[Match], desk: Desk) -> pd.DataFrame:
    """Single changes with the field they are of: opp_id, changed_at, what (stage, status, amount, close_date, forecast_category), old, new."""
    if not len(frame):
        return frame.assign(what=pd.Series(dtype="str"), old=pd.Series(dtype="str"), new=pd.Series(dtype="str"))
    what = pd.Series(pd.NA, index=frame.index, dtype="str")
    if "field" in frame.columns:
        known = {w: meaning("field", fold(w).removeprefix("deal").removeprefix("hs")) or meaning("field", w) for w in frame["field"].dropna().unique()}
        what = frame["field"].map(known)
    constant = frame["_m"].map({m: (match.spec.field if match.spec and match.spec.field else
                                    "" if "field" in match.columns.values() else "stage") for m, match in enumerate(matches)})
    what = what.fillna(constant.where(constant != ""))
    new = frame["new_value"] if "new_value" in frame.columns else pd.Series(pd.NA, index=frame.index, dtype="str")
    old = frame["old_value"] if "old_value" in frame.columns else pd.Series(pd.NA, index=frame.index, dtype="str")
    other = what.isna()
    if other.any():
        desk.say(f"{int(other.sum()):,} changes are of other fields than stage, status, amount, close date and forecast category; they are not used")
    return frame.assign(what=what, old=old, new=new)[~other]


def from_changes(rows: pd.DataFrame, deals: pd.DataFrame, stages: Stages, desk: Desk) -> pd.DataFrame:
    """Full states out of single changes: one row per opportunity and instant, every field filled forward; before the first change of a
    field stands its old value, else today's."""
    if not len(rows):
        return pd.DataFrame(columns=[*_COLUMNS])
    rows = rows.sort_values(["opp_id", "changed_at", "_m", "_row"], kind="stable")
    wide = rows.drop_duplicates(["opp_id", "changed_at"])[["opp_id", "changed_at"]].reset_index(drop=True)
    born = deals.dropna(subset=["created_at"])[["opp_id", "created_at"]].rename(columns={"created_at": "changed_at"})
    first_at = wide.groupby("opp_id")["changed_at"].min()
    born = born[born["changed_at"] < look_up(born["opp_id"], first_at)]         # none where nothing changed
    wide = pd.concat([born, wide], ignore_index=True).sort_values(["opp_id", "changed_at"], kind="stable", ignore_index=True)
    now = deals.drop_duplicates("opp_id").set_index("opp_id")
    for what in ("stage", "status", "amount", "close_date", "forecast_category"):
        part = rows[rows["what"] == what]
        last = part.drop_duplicates(["opp_id", "changed_at"], keep="last")
        new, old = (_value(what, last[side], stages, last, desk) for side in ("new", "old"))
        wide = wide.merge(pd.DataFrame({"opp_id": last["opp_id"], "changed_at": last["changed_at"], what: new}), on=["opp_id", "changed_at"], how="left")
        initial = pd.Series(old.to_numpy(), index=last["opp_id"]).groupby(level=0).head(1)
        initial = initial[~initial.index.duplicated()]
        at_first = ~wide["opp_id"].duplicated()
        known = "planned_date" if what == "close_date" and "planned_date" in now.columns else what
        fallback = look_up(wide["opp_id"], now[known]) if known in now.columns and what != "status" else pd.Series(pd.NA, index=wide.index, dtype=object)
        changed = pd.Series(within(wide["opp_id"], last["opp_id"]), index=wide.index)
        start = look_up(wide["opp_id"], initial).where(changed, fallback)
        if what == "stage":                                  # no old value: a change on the first day is the creation itself, else it began at the first stage
            soon = look_up(wide["opp_id"], first_at) - wide["changed_at"] <= pd.Timedelta(days=1)
            start = start.fillna(wide.groupby("opp_id")["stage"].bfill().where(soon, stages.order[0])) if at_first.any() else start
        wide[what] = wide[what].where(wide[what].notna() | ~at_first, start)
        wide[what] = wide.groupby("opp_id")[what].ffill()
        if what in ("amount", "close_date"):
            wide[what] = wide.groupby("opp_id")[what].bfill()
    closed = wide["status"].isin([WON, LOST])
    wide["stage"] = wide["stage"].mask(closed & (wide["status"] == WON), stages.won).mask(closed & (wide["status"] == LOST), stages.lost)
    wide["stage"] = wide["stage"].fillna(look_up(wide["opp_id"], now["stage"]) if "stage" in now else stages.entry).fillna(stages.entry)
    if "planned_date" in now.columns:                       # the date it was really closed, where that stands in a column of its own
        real = look_up(wide["opp_id"], now["close_date"].where(now["close_date"] != now["planned_date"]))
        ended = wide["stage"].isin([stages.won, stages.lost]) & ~wide["opp_id"].duplicated(keep="last")
        wide["close_date"] = wide["close_date"].mask(ended & real.notna(), real)
    early = (wide["forecast_category"] == "closed") & ~wide["stage"].isin([stages.won, stages.lost])
    return _numbered(wide.assign(forecast_category=wide["forecast_category"].where(~early)))


def _value(what: str, text: pd.Series, stages: Stages, rows: pd.DataFrame, desk: Desk) -> pd.Series:
    text = text.astype("str")
    if what == "stage":
        return stages.canonical(text.where(text.notna() & (text != "")))
    if what == "status":
        return text.map({w: _status(w) for w in text.dropna().unique()})
    if what == "forecast_category":
        return forecast(text)
    filled = text.fillna("")
    if what == "amount":
        numbers = read_numbers(filled)
        values, bad = numbers.values, numbers.bad
    else:
        dates = read_dates(filled, "date", desk.zone)
        values, bad = dates.values, dates.bad
    desk.note(rows[bad], "new_value", "N_UNREAD", f"the changed {what.replace('_', ' ')} cannot be read; the change was left out")
    return values


def _status(word: str) -> str:
    known = {"0": OPEN, "1": WON, "2": LOST}.get(word.strip())
    return known or meaning("outcome", word) or OPEN


def forecast(text: pd.Series) -> pd.Series:
    """Forecast categories as METRICS writes them; words of a team's own in lower case with underscores."""
    values, _ = translate("forecast", text)
    own = (values.isna() & text.notna() & (text != "")).to_numpy(dtype=bool)
    return values.mask(own, text[own].str.strip().str.lower().str.replace(r"[\s-]+", "_", regex=True)) if own.any() else values


def from_states(frame: pd.DataFrame, stages: Stages, snapshot: np.ndarray) -> pd.DataFrame:
    """Rows that are full states already; of snapshots only those that differ from the one before."""
    if not len(frame):
        return pd.DataFrame(columns=_COLUMNS)
    out = pd.DataFrame({name: frame[name] if name in frame.columns else pd.Series(pd.NA, index=frame.index) for name in _COLUMNS}, index=frame.index)
    out["stage"] = stages.canonical(frame["stage"])
    out["forecast_category"] = forecast(frame["forecast_category"]) if "forecast_category" in frame.columns else pd.Series(pd.NA, index=out.index, dtype="str")
    out = out.assign(snapshot=snapshot).sort_values(["opp_id", "changed_at"], kind="stable")
    again = out.duplicated("opp_id")
    for name in STATE:
        before = out[name].shift()
        again &= (out[name] == before) | (out[name].isna() & before.isna())
    return out[~(again & out["snapshot"])].drop(columns="snapshot").reset_index(drop=True)


def stamp_changes(deals: pd.DataFrame, stages: Stages) -> pd.DataFrame:
    """Stage entries of "Date entered …" columns as single changes."""
    known = {fold(word): word for word in stages.outcome}
    parts = []
    for name in (c for c in deals.columns if c.startswith("stamp:")):
        word, at = stage_of(name.removeprefix("stamp:"), known), deals[name]
        if word and at.notna().any():
            parts.append(deals.loc[at.notna(), ["opp_id", "_m", "_row"]].assign(changed_at=at[at.notna()], what="stage", new=word))
    if not parts:
        return pd.DataFrame(columns=["opp_id", "_m", "_row", "changed_at", "what", "new"])
    # two stages entered at one instant: the later stage is where it stands
    rank = {word: i for i, word in enumerate((*stages.order, *stages.outcome))}
    out = pd.concat(parts, ignore_index=True)
    return out.assign(_r=out["new"].map(rank)).sort_values(["opp_id", "changed_at", "_r"], kind="stable", ignore_index=True).drop(columns="_r").assign(
        old=pd.Series(None, index=range(len(out)), dtype="str"))


def stamp_words(columns: list[str], known: list[str]) -> list[str]:
    """Stage words of the stamp columns, for the list of stages."""
    table = {fold(word): word for word in known}
    return [stage_of(name.removeprefix("stamp:"), table, add=True) for name in columns if name.startswith("stamp:")]


def stage_of(word: str, known: dict[str, str], add: bool = False) -> str:
    """The stage that a heading names: "Closed Won (Sales Pipeline)" and "closedwon" are the known "Closed Won"."""
    plain = word.strip().strip("\"'").strip()
    bare = plain.rpartition("(")[0].strip().strip("\"'").strip() if plain.endswith(")") else plain
    for candidate in (plain, bare, bare.rpartition("_")[0]):
        if candidate and fold(candidate) in known:
            return known[fold(candidate)]
    return bare if add else known.get(fold(bare), "")


def rebuilt(deals: pd.DataFrame, stages: Stages) -> pd.DataFrame:
    """Two states where there is no history: creation and, when the stage is known to have changed or the deal is closed, the present one.

    deals: opp_id, created_at, stage (canonical), open_stage (last open stage, if known), closed_at, stage_changed_at, amount, close_date,
    forecast_category, planned_date (the close date planned before the real one). METRICS: created at CRM creation; won or lost at the close date, 00:00 local.
    """
    closed = deals["stage"].isin([stages.won, stages.lost])
    at = deals["closed_at"].where(closed, deals["stage_changed_at"])
    at = at.where(at.isna() | (at >= deals["created_at"]), deals["created_at"])
    moved = closed | (at > deals["created_at"])
    state = [name for name in ("amount", "close_date", "forecast_category") if name in deals.columns]
    start = deals[["opp_id", *state]].assign(changed_at=deals["created_at"], stage=deals["stage"].where(~moved, deals["open_stage"].fillna(stages.entry)))
    if "planned_date" in deals.columns and "close_date" in state:
        start["close_date"] = deals["planned_date"]
    if "forecast_category" in state:
        start["forecast_category"] = start["forecast_category"].mask(closed & (start["forecast_category"] == "closed"))
    end = deals.loc[moved, ["opp_id", *state]].assign(changed_at=at.fillna(deals["created_at"])[moved], stage=deals["stage"][moved])
    return _numbered(pd.concat([start, end], ignore_index=True).sort_values(["opp_id", "changed_at"], kind="stable", ignore_index=True))


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """With event ids made of opportunity and count, in the order of the rows."""
    ids = frame["opp_id"] + ":" + padded(numbered(frame["opp_id"]), 3, frame.index)
    return frame.assign(event_id=ids).reindex(columns=_COLUMNS)


def events(deals: pd.DataFrame, states: pd.DataFrame, changed: pd.DataFrame, stages: Stages, desk: Desk) -> pd.DataFrame:
    """Events of the strongest source of each opportunity: states, changes, stage stamps. What has none is rebuilt later (`rebuild`)."""
    snapshot = np.zeros(len(states), bool)
    if len(states):
        shots = {m for m, match in enumerate(desk.matches) if match.spec and match.spec.key == "snapshot"}
        snapshot = (states["_m"].isin(shots) | column(states, "snapshot", "boolean").fillna(False)).to_numpy(dtype=bool)
        if snapshot.any():
            desk.derived["opp_history.changed_at"] = "the history comes from snapshots: changes are known to the snapshot, not to the hour"
    parts = [from_states(states, stages, snapshot)]
    have = parts[0]["opp_id"].astype("str")
    if any(c.startswith("stamp:") for c in deals.columns):
        told = changed.loc[changed["what"] == "stage", "opp_id"].astype("str") if len(changed) else pd.Series(dtype="str")
        stamped = stamp_changes(deals[~within(deals["opp_id"], told)], stages)
        changed = pd.concat([f for f in (changed, stamped) if len(f)], ignore_index=True) if len(changed) or len(stamped) else stamped
        if len(stamped) and not (changed["what"] == "amount").any():
            desk.derived["opp_history.amount"] = (
                "stages and their times are those of the extract's “date entered” columns; amounts and close dates are today's")
    if len(changed):
        known = deals if len(deals) else pd.DataFrame({"opp_id": pd.Series(dtype="str"), "created_at": pd.Series(dtype=_TS), "stage": pd.Series(dtype="str")})
        start = known.assign(stage=column(known, "open_stage").fillna(known["stage"]))
        parts.append(from_changes(changed[~within(changed["opp_id"], have)], start, stages, desk))
    filled = [p for p in parts if len(p)]
    out = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(schema.TABLES["opp_history"].names))
    made = out["opp_id"] + ":" + (out.groupby("opp_id").cumcount() + 1).astype("str").str.zfill(3)
    return out.assign(event_id=out["event_id"].astype("str").fillna(made))


def _with_present(deals: pd.DataFrame, events: pd.DataFrame, stages: Stages, as_of: pd.Timestamp, desk: Desk) -> pd.DataFrame:
    """Histories that end in another stage than the record stands in are taken on to the present: the record is right about today."""
    if not len(events) or not len(deals):
        return events
    rank = {stage: i for i, stage in enumerate((*stages.order, stages.won, stages.lost))}
    last = events.assign(_r=events["stage"].map(rank)).sort_values(["opp_id", "changed_at", "_r"], kind="stable").drop_duplicates("opp_id", keep="last")
    last = last.set_index("opp_id")
    stood, since = look_up(deals["opp_id"], last["stage"].astype("str")), look_up(deals["opp_id"], last["changed_at"])
    other = (stood.notna() & (stood != deals["stage"])).to_numpy(dtype=bool)
    if not other.any():
        return events
    at = deals["closed_at"].fillna(deals["stage_changed_at"]).fillna(stamp(deals, "modified_at"))
    now = deals.assign(changed_at=at.where(at > since, as_of))[other]
    desk.note(now, "stage", "N_STAGE", "the record stands in another stage than its history ends in; the present stage was added to the history")
    names = [c for c in ("opp_id", "changed_at", "stage", "amount", "close_date", "forecast_category") if c in now.columns]
    more = now[names].assign(event_id=now["opp_id"] + ":now")
    return pd.concat([events, more], ignore_index=True)


def rebuild(deals: pd.DataFrame, events: pd.DataFrame, stages: Stages, as_of: pd.Timestamp, desk: Desk) -> pd.DataFrame:
    """`events` with the derived ones of opportunities that have no history (METRICS, "When history is missing")."""
    events = _with_present(deals, events, stages, as_of, desk)
    bare = deals[~within(deals["opp_id"], events["opp_id"])] if len(deals) else deals
    if not len(bare):
        return events
    if len(bare) > len(deals) / 5:
        some = f"{len(bare):,} of {len(deals):,} opportunities have no history; creation, outcome and present state stand for it"
        desk.derived["opp_history" if len(bare) == len(deals) else "opp_history.stage"] = (
            "the extract has no history of opportunities: creation, outcome and present state are known, what happened between is not"
            if len(bare) == len(deals) else some)
    else:
        desk.say(f"{len(bare):,} of {len(deals):,} opportunities have no history; creation, outcome and present state stand for it")
    made = rebuilt(bare, stages)
    return pd.concat([events, made], ignore_index=True) if len(events) else made
