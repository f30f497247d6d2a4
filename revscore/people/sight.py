"""Whose records somebody sees. Numbers are the team's for everybody; of the rows behind them a person may be kept to the own ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from revscore.core.coded import Coded
from revscore.core.entities import ENTITIES
from revscore.people.rights import Actor

# column that names a record -> what it may be; the first one that a frame has says whose a row is
RECORDS: Mapping[str, tuple[str, ...]] = {"opp_id": ("opp",), "lead_id": ("lead",), "account_id": ("account",), "contact_id": ("contact",), "touch_id": ("touch",),
                                          "person_id": ("lead", "contact"), "record_id": ("lead", "opp", "account", "contact", "touch"), "record": ("lead", "opp", "account", "contact", "touch")}


def shown(x: Coded, frame: pd.DataFrame, reader: Actor) -> np.ndarray:
    """Positions of the rows that an actor sees: all, or of a frame of records those that the actor owns. A record that nobody is known to own is nobody's own; where an id
    names records of several kinds, all of them have to be."""
    column = next((name for name in RECORDS if name in frame.columns), None) if reader.own_rows else None
    if column is None:
        return np.arange(len(frame))
    own = np.zeros(len(frame), dtype=bool)
    others = np.zeros(len(frame), dtype=bool)
    for kind in RECORDS[column]:
        mine, rest = _owned(x, kind, reader.owner)
        own |= frame[column].isin(mine).to_numpy()
        others |= frame[column].isin(rest).to_numpy()
    return np.flatnonzero(own & ~others)


def seen(x: Coded, frame: pd.DataFrame, reader: Actor) -> pd.DataFrame:
    """The rows that an actor sees."""
    return frame.iloc[shown(x, frame, reader)]


def _owned(x: Coded, kind: str, owner: str) -> tuple[pd.Index, pd.Index]:
    """(ids of the records of a kind that an owner has, ids of all others)."""
    return x.once(("owned", kind, owner), lambda: _split(x, kind, owner))


def _split(x: Coded, kind: str, owner: str) -> tuple[pd.Index, pd.Index]:
    if kind == "touch":
        touches = x.data.table("touches")[["touch_id", "person_id"]].dropna(subset=["touch_id"])
        mine = touches["person_id"].isin(_owned(x, "lead", owner)[0]) | touches["person_id"].isin(_owned(x, "contact", owner)[0])
        ids = touches["touch_id"]
    elif kind == "contact":
        contacts = x.data.table("contacts")[["contact_id", "account_id"]].dropna(subset=["contact_id"])
        ids, mine = contacts["contact_id"], contacts["account_id"].isin(_owned(x, "account", owner)[0])
    else:
        values = x.dims["owner"].values
        code = values.index(owner) if owner and owner in values else -1
        ids, mine = pd.Series(ENTITIES[kind].ids(x), dtype="str"), pd.Series(x.codes[kind]["owner"] == code)
    of = mine.to_numpy(dtype=bool)
    return pd.Index(ids[of]), pd.Index(ids[~of])
