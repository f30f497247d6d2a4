"""A history of opportunities from successive extracts that bring none.

An extract without history tells the state of each deal on its day. The next extract tells it again; what differs has changed in between.
So every further extract adds rows for the deals that it shows changed, and the history grows richer with each Monday.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

STATE = ("stage", "amount", "close_date", "forecast_category")


@dataclass(frozen=True)
class Extract:
    """The opp_history of one load: `history` is derived from that extract alone (for the first of a chain it may be a real one)."""

    load_id: int
    as_of: pd.Timestamp
    history: pd.DataFrame


def history(extracts: Sequence[Extract]) -> pd.DataFrame:
    """One opp_history from `extracts`, oldest first.

    The first extract's rows stay. A deal that a later extract shows for the first time brings that extract's rows. A deal whose stage,
    amount, close date or category differs from the extract before brings those of its rows that are dated between the two extracts, else
    its state, dated at the later extract's as-of. Deals that the last extract no longer has are left out.
    """
    first, *later = extracts
    pieces, seen, before = [first.history], pd.Index(first.history["opp_id"].unique()), _last(first.history)
    for earlier, extract in zip(extracts, later, strict=False):
        rows, now = extract.history, _last(extract.history)
        fresh = rows[~rows["opp_id"].isin(seen)]
        changed = _changed(before, now)
        between = rows[rows["opp_id"].isin(changed) & (rows["changed_at"] > earlier.as_of) & (rows["changed_at"] <= extract.as_of)]
        dated = now.loc[changed.difference(between["opp_id"])].reset_index().assign(changed_at=extract.as_of)
        dated["changed_at"] = dated["changed_at"].astype(rows["changed_at"].dtype)
        added = pd.concat([fresh, between, dated[rows.columns]], ignore_index=True)
        pieces.append(added.assign(event_id=added["opp_id"] + f"@{extract.load_id}." + added.groupby("opp_id").cumcount().astype("str")))
        seen = seen.union(pd.Index(fresh["opp_id"].unique()))
        before = pd.concat([before[~before.index.isin(now.index)], now])
    built = pd.concat(pieces, ignore_index=True)
    return built[built["opp_id"].isin(extracts[-1].history["opp_id"])].reset_index(drop=True)


def _last(history: pd.DataFrame) -> pd.DataFrame:
    """The last row of every deal, by opp_id."""
    return history.sort_values(["changed_at", "event_id"], kind="stable").drop_duplicates("opp_id", keep="last").set_index("opp_id")


def _changed(before: pd.DataFrame, now: pd.DataFrame) -> pd.Index:
    """The deals in both whose state differs, by the columns that both have."""
    both = now.index.intersection(before.index)
    old, new = before.loc[both], now.loc[both]
    differs = pd.Series(False, index=both)
    for column in STATE:
        if column in old and column in new:
            differs |= old[column].ne(new[column]) & ~(old[column].isna() & new[column].isna())
    return both[differs.to_numpy()]
