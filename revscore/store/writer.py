"""One write transaction of the store, for what belongs together: all of it is kept, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from revscore.store import doubts, loads, log, mappings, people, publications, terms
from revscore.store.doubts import Doubt
from revscore.store.loads import LoadInfo, LoadResult, NewLoad
from revscore.store.log import Entry
from revscore.store.people import Person
from revscore.store.publications import Publication, PublishedValue
from revscore.store.terms import TermsVersion


@dataclass(frozen=True)
class Writer:
    """`Store.together()` gives it. What it reads is what holds until the end of the transaction: nobody else writes meanwhile."""

    _connection: Connection

    def already(self, dataset: str, new: NewLoad) -> LoadResult | None:
        """The load that has these rows already."""
        return loads.already(self._connection, dataset, new)

    def doubts(self, dataset: str, new: NewLoad, zone: str) -> tuple[Doubt, ...]:
        """What speaks against a load, by the loads that are there; `zone`: where a day begins and ends."""
        return doubts.of(self._connection, dataset, new, zone)

    def save_load(self, dataset: str, new: NewLoad, by: str) -> LoadResult:
        """Write a load. The same rows as of the same instant again add nothing: `already_loaded`. Asks nothing: see `doubts`."""
        return loads.write(self._connection, dataset, new, by)

    def loads(self, dataset: str) -> tuple[LoadInfo, ...]:
        """Every load, newest as-of first."""
        return loads.infos(self._connection, dataset)

    def save_mapping(self, dataset: str, signature: str, mapping: Mapping[str, Any], by: str) -> None:
        """Keep what the user said about the headings of a sheet."""
        mappings.save(self._connection, dataset, signature, mapping, by)

    def entries(self, dataset: str, kind: str = "", record: str = "") -> tuple[Entry, ...]:
        """The log of `dataset`, of a kind or of one record, oldest first."""
        return log.entries(self._connection, dataset, kind, record)

    def append(self, dataset: str, *entries: Entry) -> tuple[Entry, ...]:
        """Add entries to the log: as they are kept. Raises Overtaken when another has written one of their versions."""
        return log.append(self._connection, dataset, entries)

    def terms(self, dataset: str) -> tuple[Mapping[str, Any], int]:
        """(config, version) in force; ({}, 0) when none was saved yet."""
        versions = self.terms_history(dataset)
        return (versions[0].config, versions[0].version) if versions else ({}, 0)

    def terms_history(self, dataset: str) -> tuple[TermsVersion, ...]:
        """Every version of the terms, newest first."""
        return terms.history(self._connection, dataset)

    def save_terms(self, dataset: str, config: Mapping[str, Any], by: str, why: str) -> int:
        """The number of the version that now holds. Versions are never overwritten; the same terms again are no new version."""
        return terms.save(self._connection, dataset, config, by, why)

    def people(self) -> tuple[Person, ...]:
        """Every version of everybody who is or was let in, oldest first."""
        return people.everyone(self._connection)

    def save_person(self, person: Person, by: str) -> Person:
        """Add a version of a person. Raises Overtaken when another has written it already."""
        return people.save(self._connection, person, by)

    def publish(self, publication: Publication, values: Sequence[tuple[PublishedValue, pd.DataFrame]]) -> int:
        """Keep what a review published: its id. Each value comes with its pairs."""
        return publications.save(self._connection, publication, values)
