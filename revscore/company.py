"""One company's way through revscore: files into the store, the coded extract out of it. Shared by the pages and the command line.

    store = open_store()
    report = load(store, COMPANY, [Source("leads.csv", Path("leads.csv"))])
    x = coded(store, current(store))
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from revscore import landing
from revscore.core.ask import AskError
from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.metrics import CARDS
from revscore.core.review import listed
from revscore.core.terms import Terms
from revscore.intake import Intake, Match, Source, prepare, prepare_sheets
from revscore.intake.warehouse import read_warehouse
from revscore.landing import ALREADY, ASKS, LOADED, REFUSED, FileReport, LoadReport, Message
from revscore.store import SAMPLE, LoadFile, NothingLoaded, Store

COMPANY = "company"  # the data set of the user's own company
SAMPLE_FILE = Path(__file__).resolve().parents[1] / "sample_data" / "plain" / "northlight.xlsx"
WAREHOUSE = "warehouse"

Progress = Callable[[str, float, str], None]

__all__ = ["ALREADY", "ASKS", "COMPANY", "LOADED", "REFUSED", "SAMPLE", "Draft", "FileReport", "LoadReport", "Message", "coded", "current", "draft_files",
           "draft_warehouse", "ensure_sample", "instant", "lacking", "load", "open_store", "report", "save", "terms_of", "to_mend"]


# -- bringing an extract in ----------------------------------------------------------------------------------------------------------------

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
    refusal: str = ""

    def again(self, answers: Mapping[str, str] | None = None, mapping: Mapping[str, Any] | None = None, as_of: pd.Timestamp | None = None,
              progress: Progress | None = None) -> Draft:
        """The same sheets under other answers, another mapping or another date; nothing is read from the files again."""
        if self.intake is None:
            return self
        new = replace(self, answers=self.answers if answers is None else answers, mapping=mapping or self.mapping, as_of=as_of or self.as_of)
        sheets = [match.sheet for match in self.intake.recognition.matches]
        return _checked(new, lambda: prepare_sheets(sheets, new.answers, new.mapping, new.as_of, new.zone, progress, self.intake.config, self.intake.problems))


    def corrected(self, match: Match, subject: str, columns: Mapping[str, str]) -> Draft:
        """The same with the reader's own word on what the sheet of `match` holds ("" = nothing) and where its headings go."""
        same = subject == match.subject
        entry = landing.correction(match.sheet.headings, subject, columns, match.stamps if same else {}, match.preset if same else "own",
                                   match.spec.key if same and match.spec else "")
        mine = landing.signature(match.sheet.headings)
        others = [one for one in self.mapping.get("sheets", ()) if landing.signature((*one["columns"], *one["stamps"])) != mine]
        return self.again(mapping={**self.mapping, "sheets": [*others, entry]})


def draft_files(store: Store, dataset: str, sources: Sequence[Source], *, answers: Mapping[str, str] | None = None, as_of: pd.Timestamp | None = None,
                progress: Progress | None = None) -> Draft:
    """Read, recognise and check files, with the mappings and answers that were kept for this data set; nothing is stored."""
    new = _begin(store, dataset, tuple(_files(sources)), answers, as_of)
    return _checked(new, lambda: prepare(sources, new.answers, new.mapping, new.as_of, new.zone, progress), progress)


def draft_warehouse(store: Store, dataset: str, url: str, tables: Sequence[str] = (), *, answers: Mapping[str, str] | None = None,
                    as_of: pd.Timestamp | None = None, progress: Progress | None = None) -> Draft:
    """The same for tables or views of a database."""
    sheets, problems = read_warehouse(url, tables, progress=progress)
    named = "|".join(f"{sheet.name}:{pd.util.hash_pandas_object(sheet.frame).sum()}" for sheet in sheets)
    new = _begin(store, dataset, (LoadFile(WAREHOUSE, hashlib.sha256(named.encode()).hexdigest()),), answers, as_of)
    return _checked(new, lambda: prepare_sheets(sheets, new.answers, new.mapping, new.as_of, new.zone, progress, problems=problems), progress)


def _begin(store: Store, dataset: str, files: tuple[LoadFile, ...], answers: Mapping[str, str] | None, as_of: pd.Timestamp | None) -> Draft:
    config, version = store.terms(dataset)
    return Draft(dataset, files, None, dict(answers or {}), landing.kept_mapping(store.mappings(dataset)), as_of,
                 config.get("reporting_tz") if version else None)


def _checked(draft: Draft, make: Callable[[], Intake], progress: Progress | None = None) -> Draft:
    try:
        made = replace(draft, intake=make())
    except ValueError as error:  # an instant, a config or a mapping that cannot be read; faults of files and rows are values
        return replace(draft, refusal=str(error))
    repeated = landing.answered_before(made.intake, draft.mapping.get("answers", {}))
    return made.again(answers={**repeated, **draft.answers}, progress=progress) if repeated.keys() - draft.answers.keys() else made


def report(draft: Draft) -> LoadReport:
    """What storing `draft` would say: refused, asks, or the counts of what would be loaded."""
    return landing.describe([file.name for file in draft.files], draft.intake, draft.answers, draft.refusal)


def save(store: Store, draft: Draft, *, by: str = "local", progress: Progress | None = None) -> LoadReport:
    """Store `draft` in one transaction, unless it is refused or asks; keep its mapping and, where they are new, its definitions.

    Raises StoreError when the store cannot be written.
    """
    found = report(draft)
    if found.status in (REFUSED, ASKS):
        return found
    intake = draft.intake
    if progress:
        progress("stored", 0.0, "one transaction")
    try:
        result = store.save_load(draft.dataset, intake.data, intake.ledger.sheets, landing.with_raw(intake.ledger), files=draft.files, by=by,
                                 rows_read=found.rows_read, rows_kept=found.rows_loaded, rows_quarantined=found.rows_quarantined,
                                 terms_hints=intake.terms_hints, mapping=intake.mapping)
    except (ValueError, TypeError) as error:
        return landing.refused(found, str(error))
    learnt = landing.learn_terms(store, draft.dataset, intake, by)
    for signature, mapping in landing.to_keep(intake, draft.mapping).items():
        store.save_mapping(draft.dataset, signature, mapping, by)
    if progress:
        progress("stored", 1.0, f"load {result.load_id}")
    return landing.stored(found, result, learnt)


def load(store: Store, dataset: str, sources: Sequence[Source], *, answers: Mapping[str, str] | None = None, as_of: pd.Timestamp | None = None,
         by: str = "local", dry_run: bool = False, progress: Progress | None = None) -> LoadReport:
    """Read, check and store files as one load of `dataset`: all of it, or nothing. `dry_run` stops before storing.

    The same rows as of the same instant again add nothing (`already_loaded`).
    """
    draft = draft_files(store, dataset, sources, answers=answers, as_of=as_of, progress=progress)
    return report(draft) if dry_run else save(store, draft, by=by, progress=progress)


def to_mend(findings: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Place of a sheet -> its quarantined rows under the headings of the file, from the findings that a load keeps."""
    return landing.to_mend(findings)


def _files(sources: Sequence[Source]) -> list[LoadFile]:
    """Every file, folders opened, with its sum."""
    out = []
    for source in sources:
        if isinstance(source.content, Path) and source.content.is_dir():
            out += [LoadFile(path.name, _sha256(path)) for path in sorted(source.content.iterdir()) if path.is_file()]
        else:
            name = source.name.replace("\\", "/").rstrip("/").rpartition("/")[2]
            out.append(LoadFile(name, _sha256(source.content)))
    return out


def _sha256(content: bytes | Path) -> str:
    if isinstance(content, Path):
        with content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(content).hexdigest()


# -- the store and what is shown -----------------------------------------------------------------------------------------------------------

def open_store(url: str | Path | None = None) -> Store:
    """The store at `url` (a file or a SQLAlchemy URL); by default the one of REVSCORE_DB, else data/revscore.sqlite."""
    return Store(url)


def has_load(store: Store, dataset: str) -> bool:
    return bool(store.loads(dataset))


def current(store: Store, asked: str = "") -> str:
    """The data set to show: the one asked for when it has a load, else the own company when it has one, else the sample."""
    return next((name for name in (asked, COMPANY) if name and has_load(store, name)), SAMPLE)


def ensure_sample(store: Store, progress: Progress | None = None) -> None:
    """Load the sample company unless the store has it in its present form. Raises FileNotFoundError in an installation without the file."""
    sha256 = _sha256(SAMPLE_FILE)
    if not any(file.sha256 == sha256 for load in store.loads(SAMPLE) for file in load.files):
        load(store, SAMPLE, [Source(SAMPLE_FILE.name, SAMPLE_FILE)], by="revscore", progress=progress)


def terms_of(store: Store, dataset: str) -> Terms:
    """The definitions in force, the defaults where none were saved."""
    return Terms.from_config(store.terms(dataset)[0])


def coded(store: Store, dataset: str, as_of: pd.Timestamp | None = None, load_id: int | None = None) -> Coded:
    """The coded extract of `dataset`: now, as of a date, or pinned to a load. Build it once per `store.version(dataset)` and share it.

    A date before the first extract is answered from that extract's history, cut at the date, unless the history had to be derived.

    Raises NothingLoaded, a StoreError whose message is a sentence, when there is nothing to show.
    """
    data = _known(store, dataset, as_of, load_id)
    return Coded(data, terms_of(store, dataset).with_tables(data))


def _known(store: Store, dataset: str, as_of: pd.Timestamp | None, load_id: int | None) -> CrmData:
    try:
        return store.data(dataset, as_of, load_id)
    except NothingLoaded:
        loads = store.loads(dataset)
        if as_of is None or load_id is not None or not loads or loads[-1].derived:
            raise
        first = store.data(dataset, loads[-1].as_of)
        return CrmData(first.tables, as_of, first.derived)


def instant(text: str, zone: str) -> pd.Timestamp:
    """A date (its last second, in `zone`) or an instant (without a zone: in `zone`) as UTC. Raises AskError with a sentence."""
    try:
        at = pd.Timestamp(text.strip())
        if pd.isna(at):
            raise ValueError
        if len(text.strip()) <= 10:
            at = at.normalize() + pd.Timedelta(days=1) - pd.Timedelta(seconds=1)
        return (at.tz_localize(zone) if at.tz is None else at).tz_convert("UTC").as_unit("us")
    except ValueError as error:
        raise AskError(f"“{text}” is no date: write 2026-11-16 or 2026-11-16T13:00:00Z") from error


def lacking(x: Coded) -> pd.DataFrame:
    """The metrics that the extract cannot give: metric, label, needs (sentence)."""
    rows = [(card.id, card.label, f"needs {listed(lacks)}") for card in CARDS.values() if (lacks := x.data.missing(card.needs))]
    return pd.DataFrame(rows, columns=["metric", "label", "needs"])
