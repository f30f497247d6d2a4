"""Verify: every published value worked out again from the kept loads and the definitions of then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from revscore.core.coded import Coded
from revscore.core.data import CrmData
from revscore.core.receipt import sum_of
from revscore.core.terms import Terms, TermsError
from revscore.governance.publishing import number_of, published
from revscore.store import Publication, PublishedValue, Store, StoreError

_NUMBERS = ("value", "numerator", "denominator", "n")


@dataclass(frozen=True)
class Difference:
    """A published value that is not what it should be: `what` in words."""

    publication: Publication
    label: str
    what: str


def extract_of(store: Store, publication: Publication) -> Coded:
    """The extract that a publication was made from: the loads, the as-of and the definitions of then."""
    config, _ = store.terms(publication.dataset, publication.definitions)
    data = stood(store.data_of(publication.dataset, publication.loads), publication, publication.definitions)
    return Coded(data, Terms.from_config(config).with_tables(data))


def stood(data: CrmData, publication: Publication, definitions: int) -> CrmData:
    """`data` as of a publication's as-of."""
    return replace(data, as_of=publication.as_of, stand=replace(data.stand, definitions=definitions))


def verify(store: Store, publication: Publication) -> Iterator[tuple[PublishedValue | None, tuple[Difference, ...]]]:
    """Each value of a publication with its differences, none when all is as it was; (None, …) where nothing of it can be worked out again."""
    try:
        x, values = extract_of(store, publication), store.published(publication.id)
    except (StoreError, TermsError) as error:
        yield None, (Difference(publication, publication.title, f"it cannot be worked out again: {error}"),)
        return
    if not values:
        yield None, (Difference(publication, publication.title, "it has no values any more"),)
    for value in values:
        yield value, tuple(Difference(publication, value.label, what) for what in _differences(store, publication, x, value))


def _differences(store: Store, publication: Publication, x: Coded, value: PublishedValue) -> Iterator[str]:
    receipt = value.receipt
    for name in _NUMBERS:
        if not _same(getattr(value, name), receipt[name]):
            yield f"{name} {_plain(getattr(value, name))} is kept, its receipt says {_plain(receipt[name])}"
    try:
        kept = store.published_pairs(publication.id, value.key)
        again, pairs = published(x, number_of(value))
    except StoreError as error:
        yield str(error)
        return
    for name in _NUMBERS:
        if not _same(getattr(value, name), getattr(again, name)):
            yield f"{name} {_plain(getattr(value, name))} is published, {_plain(getattr(again, name))} is worked out"
    if receipt["sha256"] != again.receipt["sha256"]:
        yield f"SHA-256 {receipt['sha256'][:12]}… is published, {again.receipt['sha256'][:12]}… is worked out"
    if _sums(kept) != _sums(pairs):
        yield "the rows that are kept with it are not those that it is worked out from"


def _sums(pairs: pd.DataFrame) -> list[str]:
    """The sums of the parts, whatever these are called."""
    return sorted(sum_of(part) for _, part in pairs.groupby("part"))


def _same(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and bool(np.isclose(a, b, rtol=1e-9, atol=1e-9)))


def _plain(value: float | None) -> str:
    return "nothing" if value is None or pd.isna(value) else f"{value:,.6f}".rstrip("0").rstrip(".")
