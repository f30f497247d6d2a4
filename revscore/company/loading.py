"""Files or tables into the store: a draft that can be looked at and corrected, then one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from revscore.company import completing, learning, reports, standing
from revscore.company.completing import Base
from revscore.company.reports import ALREADY, ASKS, REFUSED, LoadReport
from revscore.intake import SUBJECTS, Intake, Match, Source, Unusable, prepare, prepare_sheets
from revscore.intake.guards import Limits
from revscore.intake.read import extracts_in, label
from revscore.intake.warehouse import read_warehouse
from revscore.people import Actor
from revscore.store import OTHER, Doubt, LoadFile, LoadResult, NewLoad, Store, StoreError, pack, sha256_of

WAREHOUSE = "warehouse"
_BY_HAND = "rows that were held back, mended by hand"
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
    base: Base | None = None  # the load that mended rows complete

    @property
    def mendable(self) -> bool:
        """Whether corrections and answers can help: the files could all be read."""
        return self.intake is not None and not self.refusal and not any(reports.refuses(problem) for problem in self.intake.problems)

    @property
    def reporting_zone(self) -> str:
        """Where a day begins and ends."""
        return self.zone or str(self.intake.config.get("reporting_tz", "UTC") if self.intake else "UTC")

    @property
    def dated(self) -> bool:
        """Whether somebody said when the extract was made; else its latest event stands for that."""
        if self.base is not None:
            return bool(self.base.info.mapping.get("dated", True))
        return self.as_of is not None or "as_of" in self.answers or "as_of" in (self.intake.config if self.intake else {})

    @property
    def main(self) -> tuple[str, ...]:
        """The tables that the files bring themselves, without those that are only named in them."""
        if self.base is not None:
            return tuple(self.base.info.mapping.get("main", self.base.info.table_rows))
        brought = {table for match in self.intake.recognition.used for table in SUBJECTS[match.subject].tables}
        return tuple(name for name in self.intake.data.tables if name in brought)

    @cached_property
    def report(self) -> LoadReport:
        """What storing it would say by itself: refused, asks, or the counts of what would be loaded. `against` adds what is loaded."""
        answers = {**self.base.info.mapping.get("answers", {}), **self.answers} if self.base else self.answers
        completed = f"Completes load {self.base.info.id}. " if self.base else ""
        return reports.describe([file.name for file in self.files], self.intake, answers, self.refusal, completed)

    @cached_property
    def packed(self) -> NewLoad:
        """The load as it would be written. Raises StoreError with a sentence where it cannot be."""
        found = self.report
        return pack(self.intake.data, self.intake.ledger.sheets, reports.with_raw(self.intake.ledger), files=self.files, rows_read=found.rows_read,
                    rows_kept=found.rows_loaded, rows_quarantined=found.rows_quarantined, terms_hints=self.intake.terms_hints, mapping=self.intake.mapping,
                    dated=self.dated, main=self.main, corrects=self.base.info.id if self.base else None, why=_BY_HAND if self.base else "")

    def again(self, answers: Mapping[str, str] | None = None, mapping: Mapping[str, Any] | None = None, as_of: pd.Timestamp | None = None,
              progress: Progress | None = None) -> Draft:
        """The same sheets under other answers, another mapping or another date; nothing is read from the files again."""
        if self.intake is None:
            return self
        new = replace(self, answers=self.answers if answers is None else answers, mapping=mapping or self.mapping, as_of=as_of or self.as_of, refusal="")
        sheets = [match.sheet for match in self.intake.recognition.matches]
        more = {"loaded": self.base.deals} if self.base else {}
        return _checked(new, lambda: prepare_sheets(sheets, new.answers, new.mapping, new.as_of, new.zone, progress, self.intake.config, self.intake.problems,
                                                    new.defined, **more))

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
    made = _checked(new, lambda: prepare(sources, new.answers, new.mapping, new.as_of, new.zone, progress, new.defined), progress)
    return _completing(store, made, progress) if made.intake and any(match.sheet.mends for match in made.intake.recognition.matches) else made


def _completing(store: Store, draft: Draft, progress: Progress | None) -> Draft:
    """The draft of mended rows, as the whole load that they complete."""
    try:
        base = completing.begin(store, draft.dataset, draft.intake)
    except Unusable as error:
        return replace(draft, refusal=str(error))
    known = tuple(file for file in base.info.files if file not in draft.files)
    return replace(draft, files=(*known, *draft.files), base=base).again(mapping=base.mapping, as_of=base.as_of(draft.intake.data), progress=progress)


def draft_warehouse(store: Store, dataset: str, url: str, tables: Sequence[str] = (), *, answers: Mapping[str, str] | None = None,
                    as_of: pd.Timestamp | None = None, progress: Progress | None = None) -> Draft:
    """The same for tables or views of a database."""
    sheets, problems = read_warehouse(url, tables, progress=progress)
    named = "|".join(f"{sheet.name}:{pd.util.hash_pandas_object(sheet.frame).sum()}" for sheet in sheets)
    new = _begin(store, dataset, (LoadFile(WAREHOUSE, sha256_of(named.encode())),), answers, as_of)
    return _checked(new, lambda: prepare_sheets(sheets, new.answers, new.mapping, new.as_of, new.zone, progress, problems=problems,
                                                    defined=new.defined), progress)


def _begin(store: Store, dataset: str, files: tuple[LoadFile, ...], answers: Mapping[str, str] | None, as_of: pd.Timestamp | None) -> Draft:
    config, version = store.terms(dataset)
    return Draft(dataset, files, None, dict(answers or {}), learning.kept_mapping(store.mappings(dataset)), as_of,
                 config.get("reporting_tz") if version else None, bool(version))


def _checked(draft: Draft, make: Callable[[], Intake], progress: Progress | None = None) -> Draft:
    try:
        intake = make()
        made = replace(draft, intake=completing.merged(draft.base, intake) if draft.base else intake)
    except Unusable as error:  # faults of files and rows are values; any other exception is ours
        return replace(draft, refusal=str(error))
    repeated = learning.answered_before(made.intake, draft.mapping.get("answers", {}))
    return made.again(answers={**repeated, **draft.answers}, progress=progress) if repeated.keys() - draft.answers.keys() else made


def against(store: Store, draft: Draft, confirmed: Iterable[str] = ()) -> LoadReport:
    """What storing `draft` would say: also whether its rows are loaded already, what speaks against them, with what would change, and which tables that
    earlier extracts brought are missing. Nothing is stored."""
    found = draft.report
    if found.status in (REFUSED, ASKS):
        return found
    try:
        same, doubts = store.against(draft.dataset, draft.packed, draft.reporting_zone)
        if same:
            return _stored(store, draft, found, same)
        open_ = [doubt for doubt in doubts if not doubt.confirmed(frozenset(confirmed))]
        return reports.asking(_remarked(store, draft, found), standing.asked(store, draft.dataset, draft.intake.data, draft.intake.terms_hints, open_))
    except StoreError as error:
        return reports.refused(found, str(error))


def save(store: Store, draft: Draft, *, by: Actor, progress: Progress | None = None, confirmed: Iterable[str] = (), why: str = "") -> LoadReport:
    """Store `draft` in one transaction, unless it is refused or asks; with it its mapping and, where they are new, its definitions.

    What speaks against it (`Doubt`) is looked up inside that transaction, so of two who load for one day the second is asked. `confirmed`: the doubts that were
    answered, "older" or, about one load only, "older:3"; `why`: the reason of a correction, kept with the load. A store that cannot be written refuses, with its
    sentence.
    """
    by.demand("load", "map")
    found = draft.report
    if found.status in (REFUSED, ASKS):
        return found
    if progress:
        progress("stored", 0.0, "one transaction")
    learnt: list[str] = []
    try:
        new = draft.packed
        with store.together() as one:
            result = one.already(draft.dataset, new)
            found = found if result else _remarked(store, draft, found)
            doubts = () if result else one.doubts(draft.dataset, new, draft.reporting_zone)
            open_ = [doubt for doubt in doubts if not doubt.confirmed(frozenset(confirmed))]
            if result is None and not open_:
                result = one.save_load(draft.dataset, _correcting(new, doubts, why), by.name)
                learnt = learning.learn_terms(one, draft.dataset, draft.intake, by)
                for signature, mapping in ({} if draft.base else learning.to_keep(draft.intake, draft.mapping)).items():
                    one.save_mapping(draft.dataset, signature, mapping, by.name)
        if open_:
            return reports.asking(found, standing.asked(store, draft.dataset, draft.intake.data, draft.intake.terms_hints, open_))
    except StoreError as error:
        return reports.refused(found, str(error))
    if progress:
        progress("stored", 1.0, f"load {result.load_id}")
    return _stored(store, draft, found, result, learnt)


def _stored(store: Store, draft: Draft, found: LoadReport, result: LoadResult, learnt: Sequence[str] = ()) -> LoadReport:
    """The report once the store has answered. Of an extract whose accepted rows were loaded before nothing is kept, not even what it holds back."""
    found = reports.stored(found, result, learnt)
    if result.status != ALREADY or not found.rows_quarantined:
        return found
    kept = store.ledger(result.load_id)[1]
    lost = len(set(draft.intake.ledger.to_mend["raw"]) - set(kept.get("raw", ())))
    return replace(found, text=f"{found.text} {lost:,} of the rows that this extract holds back are not kept: write them to a file of rows to mend now.") if lost else found


def _remarked(store: Store, draft: Draft, found: LoadReport) -> LoadReport:
    """`found`, with what is not there: tables that earlier extracts brought, sheets without a row."""
    if draft.base:
        return found
    empty = [f"{match.sheet.place} has headings but no row" for match in draft.intake.recognition.used if not len(match.sheet.frame)]
    return reports.remarked(found, [*standing.absent(store.loads(draft.dataset), draft.intake.data.tables, draft.intake.data.as_of), *empty])


def _correcting(new: NewLoad, doubts: Sequence[Doubt], why: str) -> NewLoad:
    """A load for a day that has another one corrects that: it counts from the same instant, or later."""
    other = next((doubt.load for doubt in doubts if doubt.kind == OTHER), None)
    if other is None:
        return replace(new, why=why.strip() or new.why)
    return replace(new, as_of=max(new.as_of, other.as_of), corrects=other.id, why=why.strip())


def load(store: Store, dataset: str, sources: Sequence[Source], *, answers: Mapping[str, str] | None = None, as_of: pd.Timestamp | None = None,
         by: Actor, dry_run: bool = False, progress: Progress | None = None, confirmed: Iterable[str] = (), why: str = "") -> LoadReport:
    """Read, check and store files as one load of `dataset`: all of it, or nothing. `dry_run` stops before storing; `confirmed`, `why`: as in `save`.

    The same rows as of the same instant again add nothing (`already_loaded`).
    """
    by.demand("load", "map")
    draft = draft_files(store, dataset, sources, answers=answers, as_of=as_of, progress=progress)
    return against(store, draft, confirmed) if dry_run else save(store, draft, by=by, progress=progress, confirmed=confirmed, why=why)


def _files(sources: Sequence[Source]) -> list[LoadFile]:
    """Every file, folders opened, with its sum."""
    out = []
    for source in sources:
        if isinstance(source.content, Path) and source.content.is_dir():
            out += [LoadFile(label(path.name), _sum(path)) for path in (*extracts_in(source.content), source.content / "config.json") if path.is_file()]
        else:
            out.append(LoadFile(label(source.name), _sum(source.content)))
    return out


def _sum(content: bytes | Path) -> str:
    """The sum of a file, "" for one that the reader refuses for its size or cannot open: it would be read to its end for nothing."""
    try:
        large = isinstance(content, Path) and content.stat().st_size > Limits.given().text
        return "" if large else sha256_of(content)
    except OSError:
        return ""
