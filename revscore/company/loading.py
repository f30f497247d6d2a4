"""Files or tables into the store: a draft that can be looked at and corrected, then one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from revscore.company import learning, reports
from revscore.company.reports import ASKS, REFUSED, LoadReport
from revscore.intake import Intake, Match, Source, prepare, prepare_sheets
from revscore.intake.read import EXTENSIONS
from revscore.intake.warehouse import read_warehouse
from revscore.people import LOCAL, Actor
from revscore.store import LoadFile, Store, StoreError

WAREHOUSE = "warehouse"
_IN_FOLDERS = tuple(suffix for suffix in EXTENSIONS if suffix != ".txt")  # as `intake.read`: beside extracts, .txt files are notes
Progress = Callable[[str, float, str], None]


@dataclass(frozen=True)
class Draft:
    """An extract read and checked, and not stored yet. `intake` None: it could not be read at all, `refusal` says why."""

    dataset: str
    files: tuple[LoadFile, ...]
    intake: Intake | None
    answers: Mapping[str, str]
    mapping: Mapping[str, Any]
    as_of: pd.Timestamp | None
    zone: str | None
    defined: bool = False
    refusal: str = ""

    @property
    def mendable(self) -> bool:
        """Whether corrections and answers can help: the files could all be read."""
        return self.intake is not None and not any(reports.refuses(problem) for problem in self.intake.problems)

    def again(self, answers: Mapping[str, str] | None = None, mapping: Mapping[str, Any] | None = None, as_of: pd.Timestamp | None = None,
              progress: Progress | None = None) -> Draft:
        """The same sheets under other answers, another mapping or another date; nothing is read from the files again."""
        if self.intake is None:
            return self
        new = replace(self, answers=self.answers if answers is None else answers, mapping=mapping or self.mapping, as_of=as_of or self.as_of)
        sheets = [match.sheet for match in self.intake.recognition.matches]
        return _checked(new, lambda: prepare_sheets(sheets, new.answers, new.mapping, new.as_of, new.zone, progress, self.intake.config, self.intake.problems,
                                                    new.defined))


    def corrected(self, match: Match, subject: str, columns: Mapping[str, str]) -> Draft:
        """The same with the reader's own word on what the sheet of `match` holds ("" = nothing) and where its headings go."""
        same = subject == match.subject
        entry = learning.correction(match.sheet.headings, subject, columns, match.stamps if same else {}, match.preset if same else "own",
                                   match.spec.key if same and match.spec else "")
        mine = learning.signature(match.sheet.headings)
        others = [one for one in self.mapping.get("sheets", ()) if learning.signature((*one["columns"], *one["stamps"])) != mine]
        return self.again(mapping={**self.mapping, "sheets": [*others, entry]})


def draft_files(store: Store, dataset: str, sources: Sequence[Source], *, answers: Mapping[str, str] | None = None, as_of: pd.Timestamp | None = None,
                progress: Progress | None = None) -> Draft:
    """Read, recognise and check files, with the mappings and answers that were kept for this data set; nothing is stored."""
    new = _begin(store, dataset, tuple(_files(sources)), answers, as_of)
    return _checked(new, lambda: prepare(sources, new.answers, new.mapping, new.as_of, new.zone, progress, new.defined), progress)


def draft_warehouse(store: Store, dataset: str, url: str, tables: Sequence[str] = (), *, answers: Mapping[str, str] | None = None,
                    as_of: pd.Timestamp | None = None, progress: Progress | None = None) -> Draft:
    """The same for tables or views of a database."""
    sheets, problems = read_warehouse(url, tables, progress=progress)
    named = "|".join(f"{sheet.name}:{pd.util.hash_pandas_object(sheet.frame).sum()}" for sheet in sheets)
    new = _begin(store, dataset, (LoadFile(WAREHOUSE, hashlib.sha256(named.encode()).hexdigest()),), answers, as_of)
    return _checked(new, lambda: prepare_sheets(sheets, new.answers, new.mapping, new.as_of, new.zone, progress, problems=problems,
                                                    defined=new.defined), progress)


def _begin(store: Store, dataset: str, files: tuple[LoadFile, ...], answers: Mapping[str, str] | None, as_of: pd.Timestamp | None) -> Draft:
    config, version = store.terms(dataset)
    return Draft(dataset, files, None, dict(answers or {}), learning.kept_mapping(store.mappings(dataset)), as_of,
                 config.get("reporting_tz") if version else None, bool(version))


def _checked(draft: Draft, make: Callable[[], Intake], progress: Progress | None = None) -> Draft:
    try:
        made = replace(draft, intake=make())
    except ValueError as error:  # an instant, a config or a mapping that cannot be read; faults of files and rows are values
        return replace(draft, refusal=str(error))
    repeated = learning.answered_before(made.intake, draft.mapping.get("answers", {}))
    return made.again(answers={**repeated, **draft.answers}, progress=progress) if repeated.keys() - draft.answers.keys() else made


def report(draft: Draft) -> LoadReport:
    """What storing `draft` would say: refused, asks, or the counts of what would be loaded."""
    return reports.describe([file.name for file in draft.files], draft.intake, draft.answers, draft.refusal)


def save(store: Store, draft: Draft, *, by: Actor = LOCAL, progress: Progress | None = None) -> LoadReport:
    """Store `draft` in one transaction, unless it is refused or asks; keep its mapping and, where they are new, its definitions.

    A store that cannot be written refuses the load, with its sentence.
    """
    by.demand("load", "map")
    found = report(draft)
    if found.status in (REFUSED, ASKS):
        return found
    intake = draft.intake
    if progress:
        progress("stored", 0.0, "one transaction")
    try:
        result = store.save_load(draft.dataset, intake.data, intake.ledger.sheets, reports.with_raw(intake.ledger), files=draft.files, by=by.name,
                                 rows_read=found.rows_read, rows_kept=found.rows_loaded, rows_quarantined=found.rows_quarantined,
                                 terms_hints=intake.terms_hints, mapping=intake.mapping)
    except (StoreError, ValueError, TypeError) as error:
        return reports.refused(found, str(error))
    learnt = learning.learn_terms(store, draft.dataset, intake, by)
    for signature, mapping in learning.to_keep(intake, draft.mapping).items():
        store.save_mapping(draft.dataset, signature, mapping, by.name)
    if progress:
        progress("stored", 1.0, f"load {result.load_id}")
    return reports.stored(found, result, learnt)


def load(store: Store, dataset: str, sources: Sequence[Source], *, answers: Mapping[str, str] | None = None, as_of: pd.Timestamp | None = None,
         by: Actor = LOCAL, dry_run: bool = False, progress: Progress | None = None) -> LoadReport:
    """Read, check and store files as one load of `dataset`: all of it, or nothing. `dry_run` stops before storing.

    The same rows as of the same instant again add nothing (`already_loaded`).
    """
    draft = draft_files(store, dataset, sources, answers=answers, as_of=as_of, progress=progress)
    return report(draft) if dry_run else save(store, draft, by=by, progress=progress)


def _files(sources: Sequence[Source]) -> list[LoadFile]:
    """Every file, folders opened, with its sum."""
    out = []
    for source in sources:
        if isinstance(source.content, Path) and source.content.is_dir():
            out += [LoadFile(path.name, sha256_of(path)) for path in sorted(source.content.iterdir())
                    if path.is_file() and (path.suffix.lower() in _IN_FOLDERS or path.name.lower() == "config.json")]
        else:
            name = source.name.replace("\\", "/").rstrip("/").rpartition("/")[2]
            out.append(LoadFile(name, sha256_of(source.content)))
    return out


def sha256_of(content: bytes | Path) -> str:
    if isinstance(content, Path):
        with content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(content).hexdigest()
