"""Whole deals: an opportunity is read with all of its moves, or held back with all of them. Half a history tells a story that never happened.

A deal is broken when one of its moves was held back for a fault, or when a move begins in another stage than the one before it ended in. Moves of a deal
that is held back, and of one that neither the extract nor the load that it completes has, are held back too.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from revscore.intake.desk import Desk
from revscore.intake.ids import spelled
from revscore.intake.records import column, within, without_rows
from revscore.intake.words import folded

_MOVES = {"deal_state", "deal_change", "opp_history"}
_DEALS = {"deal", "opportunities"}
_NO_FAULT = {"R_DUPLICATE", "R_DELETED", "R_CONFLICT", "R_NO_ID"}      # the record itself, or another of its id, is there


def whole_deals(deals: pd.DataFrame, moves: list[pd.DataFrame], desk: Desk) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """`deals` and their `moves` (one frame for each kind), without those that are not whole; rows that go are held back."""
    broken = pd.concat([_held(_MOVES, _NO_FAULT, desk), *(_torn(frame) for frame in moves)], ignore_index=True)
    gone = _held(_DEALS, _NO_FAULT | {"R_OTHER_TABLE"}, desk)
    gone = gone[~within(gone, column(deals, "opp_id"))]
    deals = without_rows(deals, within(column(deals, "opp_id"), broken), "opp_id", "R_CHAIN", "a move of this opportunity is missing or cannot be read, so all of it is held back", desk)
    out = []
    for frame in moves:
        opp = column(frame, "opp_id")
        frame = without_rows(frame, within(opp, broken), "opp_id", "R_CHAIN", "another move of this opportunity is missing or cannot be read, so all of it is held back", desk)
        frame = without_rows(frame, within(column(frame, "opp_id"), gone), "opp_id", "R_CHAIN", "its opportunity is held back", desk)
        if len(deals) or len(gone) or len(desk.loaded):
            known = pd.concat([column(deals, "opp_id"), desk.loaded["opp_id"]], ignore_index=True)
            frame = without_rows(frame, ~within(column(frame, "opp_id"), known), "opp_id", "R_ORPHAN", "the extract does not have its opportunity", desk)
        out.append(frame)
    return deals, out


def _held(subjects: set[str], no_fault: set[str], desk: Desk) -> pd.Series:
    """Ids of opportunities of which a row was held back for a fault; a row that names none tells nothing."""
    parts = [pd.Series(dtype="str")]
    for action, m, rows, _, code, _ in desk.entries:
        match = desk.matches[m]
        heading = match.heading("opp_id")
        if action == "quarantine" and code not in no_fault and match.subject in subjects and heading:
            parts.append(spelled(match.sheet.frame[heading].iloc[rows], bool(match.spec and match.spec.salesforce_ids)))
    ids = pd.concat(parts, ignore_index=True)
    return ids[ids != ""].drop_duplicates(ignore_index=True)


def _torn(moves: pd.DataFrame) -> pd.Series:
    """Ids whose moves between stages do not hang together: one begins where the one before it did not end."""
    if not len(moves) or "old" not in moves.columns or "what" not in moves.columns:
        return pd.Series(dtype="str")
    steps = moves[(moves["what"] == "stage").to_numpy(dtype=bool)].sort_values(["opp_id", "changed_at"], kind="stable")
    new, old = folded(steps["new"]), folded(steps["old"])
    before = new.shift().where(steps["opp_id"] == steps["opp_id"].shift())
    alone = ~steps.duplicated(["opp_id", "changed_at"], keep=False)         # of moves at one instant the order is not known
    alone &= alone.shift(fill_value=True)
    torn = before.notna() & old.notna() & (old != "") & (before != "") & (old != before) & alone
    return steps.loc[np.asarray(torn, dtype=bool), "opp_id"].drop_duplicates()
