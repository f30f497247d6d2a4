"""Verify: every published value worked out again from the kept loads and the definitions of then, and the seals of publications checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from revscore.core.calendars import local_day
from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.receipt import sum_of
from revscore.core.terms import Terms, TermsError
from revscore.governance.publishing import number_of, published
from revscore.rhythm.log import TARGET
from revscore.rhythm.logged import with_log
from revscore.rhythm.meetings import Meeting
from revscore.rhythm.target_setting import set_targets
from revscore.store import Publication, PublishedValue, Store, StoreError

_NUMBERS = ("value", "numerator", "denominator", "n")
_WORDS = ("parts", "made")  # of a receipt, below: how parts are called may read differently later, their numbers may not; the seal holds the words too


@dataclass(frozen=True)
class Difference:
    """A published value that is not what it should be: `what` in words."""

    publication: Publication
    label: str
    what: str


def extract_of(store: Store, publication: Publication) -> Coded:
    """The extract that a publication was made from: the loads, the as-of, the definitions, the targets and the log of then."""
    config, _ = store.terms(publication.dataset, publication.definitions)
    data = stood(store.data_of(publication.dataset, publication.loads), publication, publication.definitions)
    x = Coded(data, targets_of_then(store, publication, Terms.from_config(config).with_tables(data)))
    return with_log(store, x, max((int(value.receipt.get("log", 0)) for value in store.published(publication.id)), default=0))


def frozen(store: Store, dataset: str, held: Meeting) -> Coded:
    """What a meeting was started on, made again: its loads under its definitions, the targets and the log of then. Raises StoreError where it was not held
    on an extract in the store."""
    then = held.frozen
    if not then.loads:
        raise StoreError(f"{held.title} was not held on an extract in the store.")
    stands = Publication(dataset, held.kind, held.title, pd.Timestamp(then.as_of), then.definitions, then.digest, then.loads, then.view, held.started_by, published_at=held.started_at)
    return with_log(store, extract_of(store, stands), then.log)


def with_targets(store: Store, publication: Publication, terms: Terms, until: pd.Timestamp | None = None) -> Terms:
    """`terms` with the targets that the team had set `until` then (by now) for the as-of of a publication."""
    at = int(publication.as_of.asm8.astype("datetime64[us]").astype("int64"))
    return set_targets(store, publication.dataset, terms, local_day(at, terms.reporting_tz), until)


def targets_of_then(store: Store, publication: Publication, terms: Terms) -> Terms:
    """`terms` with the targets that a publication stood on: those that were set when it was published; of a review that was frozen before the last of them was
    set, those with which its definitions have their digest."""
    at = publication.published_at
    earlier = (entry.at - pd.Timedelta(microseconds=1) for entry in reversed(store.entries(publication.dataset, TARGET)) if entry.at <= at)
    found = with_targets(store, publication, terms, at)
    if found.digest == publication.digest:
        return found
    return next((one for until in earlier if (one := with_targets(store, publication, terms, until)).digest == publication.digest), found)


def stood(data: CrmData, publication: Publication, definitions: int) -> CrmData:
    """`data` as of a publication's as-of."""
    return replace(data, as_of=publication.as_of, stand=replace(data.stand, definitions=definitions))


def verify(store: Store, publication: Publication, *, seal: bool = True) -> Iterator[tuple[PublishedValue | None, tuple[Difference, ...]]]:
    """Each value of a publication with its differences, none when all is as it was; (None, …) where its seal is broken, or nothing of it can be
    worked out again. `seal`: whether its seal is looked at, which `Store.checked` does for all of them."""
    if seal and (broken := store.broken_seal(publication)):
        yield None, tuple(Difference(publication, publication.title, what) for what in broken)
    try:
        x, values = extract_of(store, publication), store.published(publication.id)
    except (StoreError, TermsError, KeyError, TypeError, ValueError) as error:
        yield None, (Difference(publication, publication.title, f"it cannot be worked out again: {error}"),)
        return
    for value in values:
        yield value, tuple(Difference(publication, value.label, what) for what in _differences(store, publication, x, value))


def _differences(store: Store, publication: Publication, x: Coded, value: PublishedValue) -> Iterator[str]:
    receipt = value.receipt
    for name in _NUMBERS:
        if not _same(getattr(value, name), receipt.get(name)):
            yield f"{name} {_plain(getattr(value, name))} is kept, its receipt says {_plain(receipt.get(name))}"
    try:
        kept = store.published_pairs(publication.id, value.key)
        again, pairs = published(x, number_of(value))
    except StoreError as error:
        yield str(error)
        return
    except (KeyError, TypeError, ValueError):
        yield "what is kept of how it was asked for is no question any more, so it cannot be worked out again"
        return
    for name in _NUMBERS:
        if not _same(getattr(value, name), getattr(again, name)):
            yield f"{name} {_plain(getattr(value, name))} is published, {_plain(getattr(again, name))} is worked out"
    yield from _apart(receipt, again.receipt, _NUMBERS)
    if _sums(kept) != _sums(pairs):
        yield "the rows that are kept with it are not those that it is worked out from"


def _apart(kept: Mapping[str, Any], again: Mapping[str, Any], known: Sequence[str] = (), part: str = "") -> Iterator[str]:
    """What two receipts of a number do not share, those of its parts included."""
    for name in again:
        if name not in known and name not in _WORDS and not (part and name == "label") and not _same(kept.get(name), again[name]):
            yield f"{part}its receipt says {name} {_plain(kept.get(name))}, {_plain(again[name])} is worked out"
    parts = kept.get("parts", [])
    if len(parts) != len(again["parts"]):
        yield f"{part}its receipt has {len(parts)} parts, {len(again['parts'])} are worked out"
    for one, other in zip(parts, again["parts"], strict=False):
        yield from _apart(one, other, part=f"{part}{other['label']}: ")


def _sums(pairs: pd.DataFrame) -> list[str]:
    """The sums of the parts, whatever these are called."""
    return sorted(sum_of(part) for _, part in pairs.groupby("part"))


def _same(a: Any, b: Any) -> bool:
    return a == b or (isinstance(a, float) and isinstance(b, float) and bool(np.isclose(a, b, rtol=1e-9, atol=1e-9)))


def _plain(value: Any) -> str:
    if isinstance(value, (str, list, dict)):
        return str(value or "nothing")
    return "nothing" if value is None or pd.isna(value) else f"{value:,.6f}".rstrip("0").rstrip(".")
