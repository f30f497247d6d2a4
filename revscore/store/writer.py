"""One write transaction of the store, for what belongs together: all of it is kept, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from revscore.store import log, publications, terms
from revscore.store.log import Entry
from revscore.store.publications import Publication, PublishedValue


@dataclass(frozen=True)
class Writer:
    """`Store.together()` gives it. What it reads is what holds until the end of the transaction: nobody else writes meanwhile."""

    _connection: Connection

    def entries(self, dataset: str, kind: str = "", record: str = "") -> tuple[Entry, ...]:
        """The log of `dataset`, of a kind or of one record, oldest first."""
        return log.entries(self._connection, dataset, kind, record)

    def append(self, dataset: str, *entries: Entry) -> tuple[Entry, ...]:
        """Add entries to the log: as they are kept. Raises Overtaken when another has written one of their versions."""
        return log.append(self._connection, dataset, entries)

    def terms(self, dataset: str) -> tuple[Mapping[str, Any], int]:
        """(config, version) in force; ({}, 0) when none was saved yet."""
        versions = terms.history(self._connection, dataset)
        return (versions[0].config, versions[0].version) if versions else ({}, 0)

    def save_terms(self, dataset: str, config: Mapping[str, Any], by: str, why: str) -> int:
        """The number of the version that now holds. Versions are never overwritten; the same terms again are no new version."""
        return terms.save(self._connection, dataset, config, by, why)

    def publish(self, publication: Publication, values: Sequence[tuple[PublishedValue, pd.DataFrame]]) -> int:
        """Keep what a review published: its id. Each value comes with its pairs."""
        return publications.save(self._connection, publication, values)
