"""Mended rows complete the load that held them back: the same file, read whole again but for what is still held back.

The rows are cleaned by the definitions, answers and mapping of that load, and join its tables; its ledger says what became of each of them. The result is a
load of its own, a correction for the same instant: the one before stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from revscore.core import schema
from revscore.core.data import CrmData
from revscore.intake import SUBJECTS, Intake, Ledger, Unusable
from revscore.intake.desk import NO_DEALS
from revscore.intake.ledger import FINDINGS, TO_MEND
from revscore.intake.records import name_key
from revscore.store import LoadInfo, NothingLoaded, Store

COMPLETES = "completes"  # in the mapping of a load: the load that it completes
_PLACE = ["file", "sheet", "row"]
_NAMED = {"accounts": ("account_id", ("account_id",)), "users": ("user_id", ("owner_id", "user_id", "manager_id")),
          "campaigns": ("campaign_id", ("campaign_id", "source_campaign_id", "primary_campaign_id"))}
_MOVE = ["opp_id", "changed_at", "stage"]
_HISTORY = {"opp_history": "opp_id", "lead_stage_history": "lead_id"}


@dataclass(frozen=True)
class Base:
    """The load that is completed: its account, its tables, what is in quarantine (findings with their `raw` rows)."""

    info: LoadInfo
    data: CrmData
    sheets: pd.DataFrame
    findings: pd.DataFrame

    @property
    def mapping(self) -> dict[str, Any]:
        """How its files were read, to read their mended rows the same way: dates and decimal marks as they were decided for the whole column."""
        kept = self.info.mapping
        decided = {key: form for key, why in kept.get("forms", {}).items() if (form := str(why).partition(":")[0]) in ("mdy", "dmy", "ymd", ".", ",")}
        return {"version": 1, "sheets": list(kept.get("sheets", ())), "stages": kept.get("stages", {}), "answers": {**decided, **kept.get("answers", {})}}

    @property
    def deals(self) -> pd.DataFrame:
        """Its opportunities (opp_id, name): moves that come alone may be theirs."""
        found = self.data.tables["opportunities"] if self.data.has("opportunities") else NO_DEALS
        return found.reindex(columns=list(NO_DEALS.columns)).astype("str")

    def as_of(self, mended: CrmData) -> pd.Timestamp:
        """The instant of the whole: that of the load; a mended row may be later where only the rows tell when the extract was made."""
        told = any(isinstance(frame[name].dtype, pd.DatetimeTZDtype) and frame[name].notna().any() for frame in mended.tables.values() for name in frame.columns)
        return max(self.info.as_of, mended.as_of) if told and not self.info.mapping.get("dated", True) else self.info.as_of


def mark(info: LoadInfo) -> str:
    """What rows to mend say of their load."""
    return f"{info.id}-{info.content_sha256[:12]}"


def begin(store: Store, dataset: str, intake: Intake) -> Base:
    """The load that mended rows say they are of, as it was completed last.

    Raises Unusable with a sentence when there is none, or when other files came with them.
    """
    marks = sorted({match.sheet.mends for match in intake.recognition.matches if match.sheet.mends})
    other = next((match.sheet for match in intake.recognition.matches if not match.sheet.mends and len(match.sheet.frame)), None)
    if other is not None:
        raise Unusable(f"{other.place} is no file of rows to mend: load the mended rows by themselves, and the other files before or afterwards.")
    if len(marks) > 1:
        raise Unusable("the mended rows are of several loads: load those of one load at a time.")
    every = store.loads(dataset)
    found = next((info for info in every if mark(info) == marks[0]), None)
    if found is None:
        raise Unusable("the load that these rows were held back from is not in this store: load the whole extract again.")
    while (later := max((info for info in every if info.corrects == found.id), key=lambda info: info.id, default=None)) is not None:
        if later.mapping.get(COMPLETES) != found.id:
            raise Unusable(f"load {found.id} was replaced by load {later.id} since: take the rows to mend of load {later.id}.")
        found = later
    try:
        return Base(found, store.data_of(dataset, [found.id]), *store.ledger(found.id))
    except NothingLoaded as gone:
        raise Unusable(str(gone)) from gone


def merged(base: Base, intake: Intake) -> Intake:
    """`intake` of the mended rows, as the whole load with them in it."""
    main = {table for match in intake.recognition.used for table in SUBJECTS[match.subject].tables}
    data = _data(base, intake.data, main)
    mapping = {**base.info.mapping, COMPLETES: base.info.id}
    return replace(intake, data=data, questions=intake.blocking,  # what the load took for granted holds for its mended rows
                   ledger=_ledger(base, intake), terms_hints=base.info.terms_hints, mapping=mapping, config={})


def _data(load: Base, new: CrmData, main: set[str]) -> CrmData:
    base = load.data
    tables, derived = dict(base.tables), dict(base.derived)
    found = _by_name(base.tables, {name: frame for name, frame in new.tables.items() if len(frame)})
    alone = _alone(base, found)
    for name, frame in found.items():
        old, parent = tables.get(name), _HISTORY.get(name, "")
        if name == "opp_history" and len(alone):
            tables[name], frame = _woven(old, alone, f"+{load.info.id}"), frame[~frame["opp_id"].isin(alone["opp_id"])]
            old = tables[name]
        if old is None:
            tables[name] = frame
            derived |= {key: text for key, text in new.derived.items() if key.partition(".")[0] == name}
            continue
        if parent and name in base.derived:
            old = old[~old[parent].isin(frame[parent])]
        elif parent and name in new.derived:
            frame = frame[~frame[parent].isin(old[parent])]
        key = list(schema.TABLES[name].key)
        here, there = (pd.MultiIndex.from_frame(part[key]) for part in (frame, old))
        if name in main:
            old = old[~there.isin(here)]
        else:                                                # only named in these rows: what the load knows of them stays
            frame = frame[~here.isin(there)]
        tables[name] = schema.conform(name, pd.concat([old, frame], ignore_index=True))
    return replace(base, tables=tables, derived=derived, as_of=new.as_of)


def _alone(base: CrmData, new: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Moves without their opportunity, which is in the load."""
    moves, mine = new.get("opp_history"), new.get("opportunities")
    if moves is None or not base.has("opp_history"):
        return pd.DataFrame()
    known = base.tables["opp_history"]["opp_id"]
    return moves[moves["opp_id"].isin(known) & ~moves["opp_id"].isin([] if mine is None else mine["opp_id"])]


def _woven(old: pd.DataFrame, alone: pd.DataFrame, mark: str) -> pd.DataFrame:
    """A history with moves that come alone: each under an id of its own (by `mark`) where ids were made by counting, and with what it does not tell (the amount, say) as
    it stood before it. What stood for a move that was missing goes."""
    alone = alone[~pd.MultiIndex.from_frame(alone[_MOVE]).isin(pd.MultiIndex.from_frame(old[_MOVE]))]        # loaded once more
    made = alone["event_id"].isin(old["event_id"]) & alone["event_id"].str.startswith(tuple(alone["opp_id"].unique() + ":"))
    alone = alone.assign(event_id=alone["event_id"].mask(made, alone["event_id"] + mark))
    last = alone.sort_values("changed_at").drop_duplicates("opp_id", keep="last")
    stands_for = pd.MultiIndex.from_arrays([last["opp_id"] + ":now", last["stage"]])
    old = old[~old["event_id"].isin(alone["event_id"]) & ~pd.MultiIndex.from_frame(old[["event_id", "stage"]]).isin(stands_for)]
    both = pd.concat([old, alone], ignore_index=True).sort_values(["opp_id", "changed_at"], kind="stable")
    untold = [name for name in ("amount", "close_date", "forecast_category") if name in both.columns]
    filled = both.groupby("opp_id")[untold].ffill()
    new = both["event_id"].isin(alone["event_id"])
    both[untold] = both[untold].where(both[untold].notna() | ~new.to_numpy()[:, None], filled)
    return schema.conform("opp_history", both.sort_index())


def _by_name(base: Mapping[str, pd.DataFrame], new: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`new`, its accounts, people and campaigns that are only named there found among those of the load."""
    for table, (key, pointers) in _NAMED.items():
        mine, theirs = new.get(table), base.get(table)
        if mine is None or theirs is None or "name" not in mine or "name" not in theirs:
            continue
        known = pd.Series(theirs[key].to_numpy(), index=name_key(theirs["name"]))
        known = known[known.index.notna() & ~known.index.duplicated()]
        lone = mine[~mine[key].isin(theirs[key])]
        ids = pd.Series(name_key(lone["name"]).map(known).to_numpy(), index=lone[key]).dropna()
        if len(ids):
            new[table] = mine[~mine[key].isin(ids.index)]
            for name, frame in new.items():
                new[name] = frame.assign(**{c: frame[c].map(ids).fillna(frame[c]).astype("str") for c in pointers if c in frame.columns and name != table})
    return new


def _ledger(base: Base, intake: Intake) -> Ledger:
    """The account of the load with its mended rows: as many rows read as before, and those of them that can be used now are kept."""
    held = base.findings[base.findings["raw"] != ""] if "raw" in base.findings.columns else base.findings.iloc[:0].assign(raw="")
    before = pd.MultiIndex.from_frame(held[_PLACE].astype({"row": "int64"}))
    back = pd.MultiIndex.from_tuples([(m.sheet.file, m.sheet.name, int(row)) for m in intake.recognition.matches for row in m.sheet.rows], names=_PLACE)
    still_mended = pd.MultiIndex.from_frame(intake.ledger.to_mend[_PLACE])
    good = before.intersection(back.difference(still_mended)) if len(back) else before[:0]
    bad = before.intersection(still_mended)

    reasons = held.set_index(_PLACE).loc[good].reset_index() if len(good) else held.iloc[:0]
    by_hand = reasons.assign(action="mended", code="M_BY_HAND", text="", raw="", reason="mended by hand and loaded again; it was held back because: " + reasons["reason"].astype("str"))
    news = intake.ledger.findings.assign(raw="")
    place = pd.MultiIndex.from_frame(news[_PLACE])
    added = ~pd.MultiIndex.from_frame(news[["file", "sheet"]]).isin(pd.MultiIndex.from_frame(base.sheets[["file", "sheet"]]))
    raw = intake.ledger.to_mend.set_index(_PLACE)["raw"]
    wrong = news[(place.isin(bad) | added) & news["action"].eq("quarantined")]
    wrong = wrong.assign(raw=raw.reindex(pd.MultiIndex.from_frame(wrong[_PLACE])).to_numpy())
    noted = news[(place.isin(good) | added) & news["action"].ne("quarantined")]
    old = base.findings.assign(raw=base.findings.get("raw", ""))
    place_old = pd.MultiIndex.from_frame(old[_PLACE].astype({"row": "int64"}))
    old = old[~(old["action"].eq("quarantined") & (place_old.isin(good) | place_old.isin(bad)))]
    findings = pd.concat([old, by_hand[old.columns], wrong[old.columns], noted[old.columns]], ignore_index=True).sort_values(_PLACE, kind="stable", ignore_index=True)

    now = pd.Series(1, index=good).groupby(level=["file", "sheet"]).sum() if len(good) else pd.Series(dtype="int64")
    sheets = base.sheets.copy()
    more = pd.Series([int(now.get((file, sheet), 0)) for file, sheet in zip(sheets["file"], sheets["sheet"], strict=True)], index=sheets.index, dtype="int64")
    sheets = sheets.assign(kept=sheets["kept"] + more, mended=sheets["mended"] + more, quarantined=sheets["quarantined"] - more)
    mine = intake.ledger.sheets
    mine = mine[~pd.MultiIndex.from_frame(mine[["file", "sheet"]]).isin(pd.MultiIndex.from_frame(sheets[["file", "sheet"]])) & mine["read"].gt(0)]
    to_mend = findings.loc[findings["raw"] != "", list(TO_MEND)].reset_index(drop=True)
    return Ledger(pd.concat([sheets, mine], ignore_index=True), findings[list(FINDINGS)].astype(FINDINGS), to_mend.astype(TO_MEND))
