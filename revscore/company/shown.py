"""What is shown: the store, the data set, its definitions, the coded extract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pandas as pd

from revscore import core
from revscore.company.loading import Progress, load
from revscore.core.ask import AskError
from revscore.core.calendars import local_day
from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.metrics import CARDS
from revscore.core.review import needed
from revscore.core.terms import Terms
from revscore.intake import Source
from revscore.intake.dates import INSTANT
from revscore.people import LOCAL
from revscore.rhythm.log import TARGET
from revscore.rhythm.logged import KINDS, with_log
from revscore.rhythm.target_setting import set_targets
from revscore.store import SAMPLE, NothingLoaded, Store, StoreError, code_version, default_url, sha256_of

Result = TypeVar("Result")
_BESIDE = ThreadPoolExecutor(1, "beside")  # one more thread: what it holds meanwhile is memory
REVSCORE = replace(LOCAL, name="revscore")  # who brings the sample company
COMPANY = "company"  # the data set of the user's own company
_CALLED = {SAMPLE: "Sample company", COMPANY: "My company"}
SAMPLE_FILE = Path(__file__).resolve().parents[2] / "sample_data" / "plain" / "northlight.xlsx"


def open_store(url: str | Path | None = None) -> Store:
    """The store at `url` (a file or a SQLAlchemy URL); by default the one of REVSCORE_DB, else data/revscore.sqlite."""
    return Store(url)


def existing_store(url: str | Path | None = None) -> Store:
    """The store at `url`, which is there already: what only reads or checks a store makes none. Raises StoreError, a sentence."""
    file = _file(str(url or default_url()))
    if file is not None and not file.exists():
        raise StoreError(f"There is no store at {file}; check the name, or load an extract first.")
    return open_store(url)


@contextmanager
def checking_store(url: str | Path | None = None) -> Iterator[Store]:
    """The store at `url`; where its SQLite file does not exist yet, an empty one that is gone afterwards, so that checking makes no file."""
    file = _file(str(url or default_url()))
    with TemporaryDirectory() as folder:
        store = open_store(url if file is None or file.exists() else Path(folder) / "empty.sqlite")
        try:
            yield store
        finally:
            store.close()


def _file(url: str) -> Path | None:
    """The file of a SQLite store; None for a server."""
    scheme, sign, rest = url.partition("://")
    if not sign:
        return Path(url).expanduser()
    return Path(rest.partition("?")[0].removeprefix("/")) if scheme.startswith("sqlite") and "uri=" not in rest else None


def has_load(store: Store, dataset: str) -> bool:
    return bool(store.loads(dataset))


def called(dataset: str) -> str:
    """What readers call a data set."""
    return _CALLED.get(dataset, dataset)


def current(store: Store, asked: str = "") -> str:
    """The data set to show: the one asked for when it has a load, else the own company when it has one, else the sample."""
    return next((name for name in (asked, COMPANY) if name and has_load(store, name)), SAMPLE)


def ensure_sample(store: Store, progress: Progress | None = None) -> None:
    """Load the sample company unless the store has it in its present form. Raises FileNotFoundError in an installation without the file."""
    digest = sha256_of(SAMPLE_FILE)
    if not any(file.sha256 == digest for load in store.loads(SAMPLE) for file in load.files):
        load(store, SAMPLE, [Source(SAMPLE_FILE.name, SAMPLE_FILE)], by=REVSCORE, progress=progress)


def terms_of(store: Store, dataset: str) -> Terms:
    """The definitions in force, the defaults where none were saved."""
    return Terms.from_config(store.terms(dataset)[0])


def coded(store: Store, dataset: str, as_of: pd.Timestamp | None = None, load_id: int | None = None) -> Coded:
    """The coded extract of `dataset`: now, as of a date, or pinned to a load, with the decisions and actions of the team's log. Build it once per
    `state_of(store, dataset)` and share it.

    Raises NothingLoaded, a StoreError whose message is a sentence, when there is nothing to show.
    """
    return with_log(store, encoded(store, dataset, as_of, load_id))


def encoded(store: Store, dataset: str, as_of: pd.Timestamp | None = None, load_id: int | None = None) -> Coded:
    """The same without the log: what takes time to encode. An entry of the log changes nothing of it.

    A date before the first extract is answered from that extract's history, cut at the date, unless the history had to be derived.

    All of it is of one state of the store: what is loaded while it is read has it read again.

    Raises NothingLoaded, a StoreError whose message is a sentence, when there is nothing to show.
    """
    return settled(store, dataset, lambda version: unmoved(store, dataset, version.partition("+")[0], lambda: _encoded(store, dataset, as_of, load_id)))


class Moved(Exception):
    """The data set was loaded into, or its definitions or targets changed, while it was read."""


def unmoved(store: Store, dataset: str, version: str, make: Callable[[], Result]) -> Result:
    """What `make` reads, all of it at `version` of the data set: its `state_of`, or what of that stands before the "+". Raises Moved when the store has moved on:
    versions never come back, so one that is there before and after was there in between."""
    made, now = make(), state_of(store, dataset)
    if version not in (now, now.partition("+")[0]):
        raise Moved(f"{dataset} moved on from {version} to {now}")
    return made


def settled(store: Store, dataset: str, make: Callable[[str], Result]) -> Result:
    """What `make` gives for the version (`state_of`) at which the data set stands, made anew as long as it raises Moved."""
    while True:
        try:
            return make(state_of(store, dataset))
        except Moved:
            continue


def _encoded(store: Store, dataset: str, as_of: pd.Timestamp | None, load_id: int | None) -> Coded:
    config, version = store.terms(dataset)
    data = _known(store, dataset, as_of, load_id)
    data = replace(data, stand=replace(data.stand, definitions=version))
    terms = Terms.from_config(config).with_tables(data)
    keeper = store.kept(store.version(dataset), repr(data.stand), data.as_of.isoformat(), replace(terms, targets=()).digest, _code())  # no part or fact hangs on targets
    return Coded(data, _with_targets(store, dataset, terms, data), keeper, _BESIDE)


def state_of(store: Store, dataset: str) -> str:
    """A short key for caches: changes if and only if a load, the terms, or the targets that were set for `dataset` change; and behind a "+" when a
    decision or an action does, so that what stands before it is the key of `encoded`."""
    last, logged = store.last_entry(dataset, TARGET), store.last_entry(dataset, *KINDS)
    return store.version(dataset) + (f".{last}" if last else "") + (f"+{logged}" if logged else "")


def _with_targets(store: Store, dataset: str, terms: Terms, data: CrmData) -> Terms:
    """`terms` with the targets that the team has set and that hold at the extract's as-of."""
    return set_targets(store, dataset, terms, local_day(int(data.as_of.asm8.astype("datetime64[us]").astype("int64")), terms.reporting_tz))


@cache
def _code() -> str:
    return code_version(Path(core.__file__).parent)


def _known(store: Store, dataset: str, as_of: pd.Timestamp | None, load_id: int | None) -> CrmData:
    try:
        return store.data(dataset, as_of, load_id, whole=False)
    except NothingLoaded:
        loads = store.loads(dataset)
        if as_of is None or load_id is not None or not loads or loads[-1].derived:
            raise
        first = store.data(dataset, loads[-1].as_of, whole=False)
        return replace(first, as_of=as_of)


def instant(text: str, zone: str) -> pd.Timestamp:
    """An ISO date (its last second, in `zone`) or instant (without a zone: in `zone`) as UTC; other forms are not guessed. Raises AskError
    with a sentence."""
    try:
        if not INSTANT.fullmatch(text.strip()):
            raise ValueError
        at = pd.Timestamp(text.strip())
        if len(text.strip()) <= 10:
            at = at.normalize() + pd.Timedelta(days=1) - pd.Timedelta(seconds=1)
        return (at.tz_localize(zone) if at.tz is None else at).tz_convert("UTC").as_unit("us")
    except ValueError as error:
        raise AskError(f"“{text}” is no date: write 2026-11-16 or 2026-11-16T13:00:00Z") from error


def lacking(x: Coded) -> pd.DataFrame:
    """The metrics that the extract cannot give: metric, label, needs (sentence)."""
    rows = [(card.id, card.label, f"needs {needed(lacks)}") for card in CARDS.values() if (lacks := x.data.missing(card.needs))]
    return pd.DataFrame(rows, columns=["metric", "label", "needs"])
