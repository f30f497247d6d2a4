"""The store's front door. Gives and takes frozen values and frames; no SQLAlchemy object leaves."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from revscore.core.data import CrmData
from revscore.store import audit, backups, checked, datasets, in_use, loads, log, mappings, migrations, people, publications, states, terms
from revscore.store.audit import Anchor
from revscore.store.backups import Manifest
from revscore.store.checked import Tampering
from revscore.store.datasets import Dataset
from revscore.store.doubts import Doubt
from revscore.store.engine import StoreError, default_url, open_engine, reading, writing
from revscore.store.kept import Kept, folder_beside
from revscore.store.loads import LoadFile, LoadInfo, LoadResult, NewLoad
from revscore.store.log import Entry
from revscore.store.people import Person
from revscore.store.publications import Publication, PublishedValue
from revscore.store.terms import TermsVersion
from revscore.store.writer import Writer

_log = logging.getLogger("revscore")


class Store:
    """A store in a file (SQLite) or on a server (PostgreSQL). Safe to share between threads; open one per process.

    url : a file path, or a SQLAlchemy URL such as postgresql://user@host/database; default: `default_url()`
    wait: seconds that a write waits for another one before it gives up

    Raises `StoreError`, whose message is a sentence for the user, when the store cannot be opened, read or written.
    """

    def __init__(self, url: str | Path | None = None, *, wait: float = 15.0) -> None:
        self._url = str(default_url() if url is None else url)
        self._engine = open_engine(self._url if url is None else url, wait)
        in_file = self._engine.dialect.name == "sqlite" and "uri" not in self._engine.url.query
        self._leave = weakref.finalize(self, in_use.leave, self._claimed(Path(self._engine.url.database)) if in_file else None)
        try:
            migrations.upgrade(self._engine)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _claimed(file: Path) -> int | None:
        in_use.own(file)
        if others := in_use.open_to_others(file):
            _log.warning("Other users of this machine may %s the store %s; unless that is meant: chmod 600 %s", " and ".join(others), file, file)
        return in_use.claim(file)

    def close(self) -> None:
        self._engine.dispose()
        self._leave()

    def backup(self, file: Path | None = None, by: str = "", *, as_it_is: bool = False) -> tuple[Path, Manifest]:
        """Write a checked backup while others work on: its file and its manifest. Raises StoreError; see `backups.make`."""
        place = (file or backups.default_name(self._engine)).absolute()
        return place, backups.make(self._engine, place, by, as_it_is=as_it_is)

    def dataset(self, name: str, create: bool = True) -> Dataset:
        """The data set `name` ("sample", "company"); made if it is not there, unless `create` is false: then StoreError."""
        with reading(self._engine) as connection:
            found = datasets.find(connection, name)
        if found is None and create:
            with writing(self._engine) as connection:
                found = datasets.ensure(connection, name)
        if found is None:
            raise StoreError(f"There is no data set {name}.")
        return found

    def datasets(self) -> tuple[Dataset, ...]:
        with reading(self._engine) as connection:
            return datasets.every(connection)

    def save_load(self, dataset: str, data: CrmData, ledger_sheets: pd.DataFrame, ledger_findings: pd.DataFrame, *,
                  files: Sequence[LoadFile], rows_read: int, rows_kept: int, rows_quarantined: int, by: str,
                  terms_hints: Mapping[str, Any] | None = None, mapping: Mapping[str, Any] | None = None) -> LoadResult:
        """Store an extract in one transaction. The same rows as of the same instant again add nothing: `already_loaded`.

        Raises
        ------
        StoreError
            when nothing was saved because of the rows (an id twice) or of the store.
        ValueError, TypeError
            when the rows do not balance or do not fit their types.
        """
        new = loads.pack(data, ledger_sheets, ledger_findings, files=files, rows_read=rows_read, rows_kept=rows_kept, rows_quarantined=rows_quarantined,
                         terms_hints=terms_hints or {}, mapping=mapping or {})
        with self.together() as one:
            return one.save_load(dataset, new, by)

    def against(self, dataset: str, new: NewLoad, zone: str) -> tuple[LoadResult | None, tuple[Doubt, ...]]:
        """The load that has these rows already, else what speaks against loading them; as it stands now, nothing is written."""
        with reading(self._engine) as connection:
            one = Writer(connection)
            same = one.already(dataset, new)
            return same, () if same else one.doubts(dataset, new, zone)

    def loads(self, dataset: str) -> tuple[LoadInfo, ...]:
        """Every load of `dataset`, newest as-of first."""
        with reading(self._engine) as connection:
            return loads.infos(connection, dataset)

    def load(self, load_id: int) -> LoadInfo:
        """One load. Raises `NothingLoaded` when there is none of that number."""
        with reading(self._engine) as connection:
            return loads.info(connection, load_id)

    def data(self, dataset: str, as_of: pd.Timestamp | None = None, load_id: int | None = None, *, whole: bool = True) -> CrmData:
        """The state as of a date: each table from the newest load with as-of <= `as_of` that delivered it.

        `load_id` pins what was known: only loads up to that one count, so the answer never changes again; without `as_of` the state is as
        of that load. Not `whole`: a table is read when it is first asked for. Raises `NothingLoaded` when no load counts.
        """
        return states.data(self._engine, dataset, as_of, load_id, whole=whole)

    def kept(self, *key: str) -> Kept | None:
        """Where parts of a coded extract are kept, those that all of `key` stands behind; None where there is no place for them."""
        folder = folder_beside(self._url)
        return None if folder is None else Kept(folder, key)

    def data_of(self, dataset: str, only: Sequence[int]) -> CrmData:
        """The state that exactly these loads make: what an extract's `stand` names. Raises `NothingLoaded` when one of them is not there."""
        return states.data(self._engine, dataset, None, None, only)

    def ledger(self, load_id: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The ledger of a load: (sheets, findings). Raises `NothingLoaded` when there is no such load."""
        return loads.ledger(self._engine, load_id)

    def version(self, dataset: str) -> str:
        """A short key for caches: changes if and only if a load or the terms of `dataset` change."""
        with reading(self._engine) as connection:
            return loads.version(connection, dataset)

    def terms(self, dataset: str, version: int | None = None) -> tuple[Mapping[str, Any], int]:
        """(config, version) in force, or of `version`; ({}, 0) when none was saved yet."""
        for one in self.terms_history(dataset):
            if version in (None, one.version):
                return one.config, one.version
        if version:
            raise StoreError(f"The data set {dataset} has no version {version} of its terms.")
        return {}, 0

    def terms_history(self, dataset: str) -> tuple[TermsVersion, ...]:
        """Every version of the terms, newest first."""
        with reading(self._engine) as connection:
            return terms.history(connection, dataset)

    @contextmanager
    def together(self) -> Iterator[Writer]:
        """Writes that are there all or none: what is read in between stays true until they are, and an exception takes all of them back."""
        with writing(self._engine) as connection:
            yield Writer(connection)

    def save_terms(self, dataset: str, config: Mapping[str, Any], by: str, why: str) -> int:
        """`Writer.save_terms`, alone."""
        with self.together() as one:
            return one.save_terms(dataset, config, by, why)

    def publish(self, publication: Publication, values: Sequence[tuple[PublishedValue, pd.DataFrame]]) -> int:
        """`Writer.publish`, alone."""
        with self.together() as one:
            return one.publish(publication, values)

    def publications(self, dataset: str) -> tuple[Publication, ...]:
        """Every publication of `dataset`, newest first."""
        with reading(self._engine) as connection:
            return publications.every(connection, dataset)

    def broken_seal(self, publication: Publication) -> tuple[str, ...]:
        """What does not fit the seal of a publication, in words; nothing when all is as it was."""
        with reading(self._engine) as connection:
            return publications.broken(connection, publication)

    def published(self, publication: int) -> tuple[PublishedValue, ...]:
        """The values of a publication, in the order of the review."""
        with reading(self._engine) as connection:
            return publications.values(connection, publication)

    def published_pairs(self, publication: int, key: str) -> pd.DataFrame:
        """The pairs of a published value. Raises StoreError when they are damaged."""
        with reading(self._engine) as connection:
            return publications.pairs(connection, publication, key)

    def append(self, dataset: str, *entries: Entry) -> tuple[Entry, ...]:
        """`Writer.append`, alone."""
        with self.together() as one:
            return one.append(dataset, *entries)

    def entries(self, dataset: str, kind: str = "", record: str = "") -> tuple[Entry, ...]:
        """The log of `dataset`, of a kind or of one record, oldest first."""
        with reading(self._engine) as connection:
            return log.entries(connection, dataset, kind, record)

    def last_entry(self, dataset: str, *kinds: str) -> int:
        """The id of the last entry of the log (of these kinds), 0 without any: a key for caches."""
        with reading(self._engine) as connection:
            return log.last(connection, dataset, kinds)

    def people(self) -> tuple[Person, ...]:
        """Every version of everybody who is or was let in, oldest first. They are written `together()`."""
        with reading(self._engine) as connection:
            return people.everyone(connection)

    def anchor(self) -> Anchor:
        """The last act of the audit log: noted elsewhere, it shows a log that was cut off or written anew."""
        with reading(self._engine) as connection:
            return audit.anchor(connection)

    def tampering(self, anchors: Sequence[Anchor] = ()) -> tuple[Tampering, ...]:
        """All that is not as the audit log says; `anchors` that were noted elsewhere must be in it."""
        with reading(self._engine) as connection:
            return tuple(checked.tampering(connection, anchors))

    def checked(self, anchors: Sequence[Anchor] = ()) -> tuple[tuple[Tampering, ...], int, Anchor | None]:
        """`tampering`, the number of acts, and the last of them, whatever was made of it."""
        with reading(self._engine) as connection:
            acts = checked.every_act(connection)
            return tuple(checked.tampering(connection, anchors)), len(acts), Anchor(acts[-1].seq, str(acts[-1].hash)) if acts else None

    def mappings(self, dataset: str) -> dict[str, Mapping[str, Any]]:
        """Signature of a sheet's headings -> the newest mapping the user made for it."""
        with reading(self._engine) as connection:
            return mappings.newest(connection, dataset)

    def save_mapping(self, dataset: str, signature: str, mapping: Mapping[str, Any], by: str) -> None:
        with writing(self._engine) as connection:
            mappings.save(connection, dataset, signature, mapping, by)
