"""From the extract of then to the extract of today in steps, each taking over one kind of change: vanished, edited, re-owned, late-dated, new.

Rows are matched by their key; events first by what they say, so that an event whose made-up id moved is still the same event. What lies after
as-of counts on neither side (METRICS C2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from revscore.core import schema
from revscore.core.data import CrmData

STEPS = ("vanished", "edited", "re_owned", "late_dated", "new")
# by what a record is owned and filtered; a change of these moves it from one group to another
_GROUPED_BY: Mapping[str, tuple[str, ...]] = {
    "leads": ("owner_id", "owner_type", "segment", "region", "lead_source", "source_campaign_id", "account_id"),
    "opportunities": ("owner_id", "segment", "region", "type", "lead_source", "primary_campaign_id", "account_id"),
    "accounts": ("owner_id", "segment", "region"), "contacts": ("account_id",), "arr_ledger": ("segment",),
}
# events, with the columns that name their record (the first one filled) and the time at which they happened
_EVENTS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "lead_stage_history": (("lead_id",), "entered_at"), "opp_history": (("opp_id",), "changed_at"), "opp_contact_roles": (("opp_id",), "added_at"),
    "activities": (("person_id", "opp_id"), "occurred_at"), "touches": (("person_id",), "occurred_at"), "routing_log": (("lead_id",), "attempted_at"),
    "sla_pauses": (("lead_id",), "paused_at"), "arr_ledger": (("account_id",), "effective_date"),
}
_CUT = ("lead_stage_history", "opp_history", "activities", "touches", "routing_log", "sla_pauses")


def cut(data: CrmData) -> CrmData:
    """`data` without the events that are dated after as-of: they change nothing, and are no difference. Records stay (roles, for one, have no history)."""
    tables = {}
    for name, frame in data.tables.items():
        if name in _CUT and _EVENTS[name][1] in frame.columns:
            later = (frame[_EVENTS[name][1]] > data.as_of).to_numpy()
            frame = frame[~later].reset_index(drop=True) if later.any() else frame
        tables[name] = frame
    return replace(data, tables=tables)


def under_terms_of(then: CrmData, today: CrmData) -> CrmData:
    """The records of `then` with the tables of terms (targets, policies, calendars, rates) of `today`."""
    records = {name: frame for name, frame in then.tables.items() if schema.TABLES[name].role != "terms"}
    return replace(then, tables=records | {name: frame for name, frame in today.tables.items() if schema.TABLES[name].role == "terms"})


def between(then: CrmData, today: CrmData) -> tuple[CrmData, ...]:
    """The extract after each of `STEPS`; the last is `today`. An extract in which nothing changed is the very one before it."""
    known, present = _records(then), _records(today)
    changes = {}
    for name in (name for name in then.tables if name in today.tables and schema.TABLES[name].role != "terms"):
        change = _Change.of(name, then.tables[name], today.tables[name], known, present)
        if change is not None:
            changes[name] = change
    out, before = [], then
    for step in STEPS[:-1]:
        tables = {name: getattr(change, step) for name, change in changes.items() if change.differs(step)}
        before = replace(before, tables={**before.tables, **tables}) if tables else before
        out.append(before)
    same = not changes and set(then.tables) == set(today.tables) and then.derived == today.derived
    return (*out, before if same or not _differs(before, today) else today)


def _differs(a: CrmData, b: CrmData) -> bool:
    return a.derived != b.derived or set(a.tables) != set(b.tables) or any(len(a.tables[name]) != len(b.tables[name]) or list(a.tables[name].columns) != list(b.tables[name].columns)
                                                                          for name in b.tables)


def _records(data: CrmData) -> dict[str, pd.Index]:
    """The ids of the records that events belong to, by the column that names them in the events."""
    def ids(table: str, column: str) -> pd.Index:
        return pd.Index(data.table(table)[column].dropna().unique())

    leads, deals = ids("leads", "lead_id"), ids("opportunities", "opp_id")
    accounts = ids("accounts", "account_id").union(ids("arr_ledger", "account_id"))
    return {"lead_id": leads, "opp_id": deals, "person_id": leads.union(ids("contacts", "contact_id")), "account_id": accounts}


@dataclass(frozen=True)
class _Change:
    """One table after each step. `sizes`: how many rows each step takes over."""

    vanished: pd.DataFrame
    edited: pd.DataFrame
    re_owned: pd.DataFrame
    late_dated: pd.DataFrame
    sizes: Mapping[str, int]

    def differs(self, step: str) -> bool:
        return self.sizes[step] > 0

    @classmethod
    def of(cls, name: str, then: pd.DataFrame, today: pd.DataFrame, known: Mapping[str, pd.Index], present: Mapping[str, pd.Index]) -> _Change | None:
        """None where the table did not change."""
        a, b = _matched(name, then, today)
        gone, added = np.setdiff1d(np.arange(len(then)), a), np.setdiff1d(np.arange(len(today)), b)
        left = gone if name not in _EVENTS else gone[~_belongs(name, then.iloc[gone], present)]
        came = added[:0] if name not in _EVENTS else added[_belongs(name, today.iloc[added], known)]
        grouped = [column for column in _GROUPED_BY.get(name, ()) if column in then.columns and column in today.columns]
        was, now = then.iloc[a].reset_index(drop=True), today.iloc[b].reset_index(drop=True)
        half = now.assign(**{column: was[column] for column in grouped})  # edited, and grouped as before
        moved = _unequal(half, now, grouped)
        edits = _unequal(was, half, [column for column in now.columns if column in was.columns and column not in grouped])
        news = set(was.columns) != set(now.columns)
        sizes = {"vanished": len(left), "edited": len(gone) - len(left) + int(edits.sum()) + news, "re_owned": int(moved.sum()), "late_dated": len(came), "new": len(added) - len(came)}
        if not any(sizes.values()):
            return None
        late = pd.concat([now, today.iloc[came]], ignore_index=True) if len(came) else now
        return cls(then.drop(index=then.index[left]).reset_index(drop=True), half, now, late, sizes)


def _belongs(name: str, rows: pd.DataFrame, records: Mapping[str, pd.Index]) -> np.ndarray:
    """Which events are of a record that there is."""
    out = np.zeros(len(rows), dtype=bool)
    for column in _EVENTS[name][0]:
        if column in rows.columns:
            out |= rows[column].isin(records[column]).to_numpy()
    return out


def _matched(name: str, then: pd.DataFrame, today: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the same rows on both sides."""
    key = [column for column in schema.TABLES[name].key if column in then.columns and column in today.columns]
    both = [column for column in then.columns if column in today.columns]
    a = b = np.zeros(0, dtype="int64")
    if name in _EVENTS:
        says = [column for column in both if column not in key or len(key) > 1]
        a, b = _pairs_of(_numbered(then, says), _numbered(today, says))
    if len(key) == len(schema.TABLES[name].key):
        rest_a, rest_b = np.setdiff1d(np.arange(len(then)), a), np.setdiff1d(np.arange(len(today)), b)
        more_a, more_b = _pairs_of(_numbered(then.iloc[rest_a], key), _numbered(today.iloc[rest_b], key))
        a, b = np.concatenate([a, rest_a[more_a]]), np.concatenate([b, rest_b[more_b]])
    order = np.argsort(a, kind="stable")
    return a[order], b[order]


def _numbered(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Rows by what stands in `columns`, the first, second … of equal ones told apart."""
    words = pd.DataFrame({column: frame[column].astype("object").where(frame[column].notna(), None) if str(frame[column].dtype) == "boolean" else frame[column]
                          for column in columns}).reset_index(drop=True)
    code = pd.util.hash_pandas_object(words, index=False).to_numpy()
    return pd.DataFrame({"code": code, "copy": pd.Series(code).groupby(code).cumcount().to_numpy()})


def _pairs_of(left: pd.DataFrame, right: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    found = left.assign(a=np.arange(len(left))).merge(right.assign(b=np.arange(len(right))), on=["code", "copy"])
    return found["a"].to_numpy(dtype="int64"), found["b"].to_numpy(dtype="int64")


def _unequal(a: pd.DataFrame, b: pd.DataFrame, columns: list[str]) -> np.ndarray:
    out = np.zeros(len(a), dtype=bool)
    for column in columns:
        differs = (a[column] != b[column]).fillna(True).to_numpy(dtype=bool)
        out |= differs & ~(a[column].isna() & b[column].isna()).to_numpy(dtype=bool)
    return out
