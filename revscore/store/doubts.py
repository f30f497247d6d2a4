"""What speaks against a load, by the loads that are there: it is older than a newer one, another one for the same day, or much smaller than the last.

Asked inside the write that would make the load, by counts and addresses alone: no row is read. Whoever confirms a doubt names the load that it is about, so
that a load that came in between is asked about anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection

from revscore.core.schema import TABLES
from revscore.store import loads
from revscore.store.loads import LoadInfo, NewLoad

SMALL = 0.6  # of the rows of the last load
OLDER, OTHER, SMALLER = "older", "other", "smaller"


@dataclass(frozen=True)
class Doubt:
    """`kind`: older, other (for the same day) or smaller; `load`: the load that it is about; `tables`: those in question, with their rows there and here."""

    kind: str
    load: LoadInfo
    tables: Mapping[str, tuple[int, int]]

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.load.id}"

    @property
    def text(self) -> str:
        """What is the matter, and what would happen: for people who never heard of loads."""
        there = f"load {self.load.id}, as of {_day(self.load.as_of)}, loaded by {self.load.loaded_by}"
        if self.kind == OLDER:
            return (f"This extract is older than one that is loaded already ({there}). What the newer one brings goes on counting today; what is shown for "
                    f"the days before {self.load.as_of:%d %b %Y} would change.")
        if self.kind == OTHER:
            return (f"There is another extract for the same day already ({there}), and its rows are not the same. This one would count in its place, as a correction; "
                    "the other one is kept and can still be looked at.")
        counts = "; ".join(f"{TABLES[name].title}: {now:,} rows, before {before:,}" for name, (before, now) in self.tables.items())
        return f"Much less than last time ({there}). {counts}. Was the export filtered or cut off?"

    def confirmed(self, words: frozenset[str]) -> bool:
        """Whether one of `words` answers it: "older" in general, "older:3" for that load."""
        return self.kind in words or self.key in words


def of(connection: Connection, dataset: str, new: NewLoad, zone: str) -> tuple[Doubt, ...]:
    """The doubts about a load that is not there yet. A load that completes another one, and says so, is none of another kind."""
    before = loads.infos(connection, dataset)
    addresses = {(frame.load_id, frame.name): frame.frame_sha256 for frame in loads.frames_of(connection, dataset)}
    main = set(new.main or new.tables) & set(new.tables)

    def shared(load: LoadInfo) -> list[str]:
        return [name for name in new.tables if name in main and name in load.table_rows and name in load.mapping.get("main", new.tables)]

    def day(instant: pd.Timestamp) -> pd.Timestamp:
        return instant.tz_convert(zone).normalize()

    found: list[Doubt] = []
    counted = [load for load in before if shared(load)]
    today = [load for load in counted if day(load.as_of) == day(new.as_of)]
    same_day = max(today, key=lambda load: (load.as_of, load.id), default=None)
    newer = next((load for load in counted if day(load.as_of) > day(new.as_of)), None)
    if newer is not None and new.corrects is None:
        found.append(Doubt(OLDER, newer, _rows(newer, new, shared(newer))))
    if same_day is not None and new.corrects is None and any(addresses[same_day.id, name] != new.tables[name].sha256 for name in shared(same_day)):
        found.append(Doubt(OTHER, same_day, _rows(same_day, new, shared(same_day))))
    small: dict[int, dict[str, tuple[int, int]]] = {}
    for name in (name for name in new.tables if name in main and name not in new.derived):  # what is rebuilt follows from the rest
        earlier = [load for load in counted if name in shared(load) and day(load.as_of) <= day(new.as_of)]
        last = max(earlier, key=lambda load: (load.as_of, load.id), default=None)
        if last is not None and new.tables[name].rows < SMALL * last.table_rows[name]:
            small.setdefault(last.id, {})[name] = (last.table_rows[name], new.tables[name].rows)
    found += [Doubt(SMALLER, load, small[load.id]) for load in before if load.id in small]
    return tuple(found)


def _rows(load: LoadInfo, new: NewLoad, names: list[str]) -> dict[str, tuple[int, int]]:
    return {name: (load.table_rows[name], new.tables[name].rows) for name in names}


def _day(instant: pd.Timestamp) -> str:
    return f"{instant:%d %b %Y %H:%M} UTC"
