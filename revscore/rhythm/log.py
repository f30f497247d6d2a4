"""What the team decided, read out of the store's log: the entries of each record, and the fields that they leave it with."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from revscore.store import Entry

MEETING, DECISION, ACTION, EXCEPTION, IDEA, TARGET, DEFINITION = "meeting", "decision", "action", "exception", "idea", "target", "definition"


@dataclass(frozen=True)
class Record:
    """One record as its entries left it. `fields`: the newest value of each; `entries`: all that happened to it, oldest first."""

    id: str
    fields: Mapping[str, Any]
    entries: tuple[Entry, ...]

    @property
    def version(self) -> int:
        return self.entries[-1].version

    @property
    def raised_at(self) -> pd.Timestamp:
        return self.entries[0].at

    @property
    def raised_by(self) -> str:
        return self.entries[0].by

    def last(self, *verbs: str) -> Entry | None:
        """The newest entry of these verbs."""
        return next((one for one in reversed(self.entries) if one.verb in verbs), None)

    def told(self, *verbs: str) -> tuple[str, pd.Timestamp]:
        """Who wrote the newest entry of these verbs, and when; ("", NaT) where there is none."""
        last = self.last(*verbs)
        return (last.by, last.at) if last else ("", pd.NaT)


def records(entries: Iterable[Entry]) -> tuple[Record, ...]:
    """The records of entries of one kind, in the order in which they were made."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.record, []).append(entry)
    return tuple(Record(id_, {name: value for one in own for name, value in one.fields.items()}, tuple(own)) for id_, own in found.items())


def new_id() -> str:
    """The id of a new record. Make it before it is written: the same form sent twice is then one record."""
    return uuid.uuid4().hex
