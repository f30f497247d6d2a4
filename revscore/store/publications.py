"""What reviews published: values with their receipts and pairs, only ever added. The database refuses to change or remove them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, insert, select

from revscore.store import datasets, frames, loads
from revscore.store import tables as t
from revscore.store.engine import StoreError, plain


@dataclass(frozen=True)
class Publication:
    """One closed review. `id` and `published_at` are given by the store. `view`: the period and filters that it was closed under, as JSON."""

    dataset: str
    review: str
    title: str
    as_of: pd.Timestamp
    definitions: int
    digest: str
    loads: tuple[int, ...]
    view: Mapping[str, Any]
    published_by: str
    id: int = 0
    published_at: pd.Timestamp = pd.NaT


@dataclass(frozen=True)
class PublishedValue:
    """One published number: how it was asked for (metric, measure, params, view as JSON) and what it was. `key` tells it apart in its publication."""

    key: str
    label: str
    metric: str
    measure: str
    params: Mapping[str, Any]
    view: Mapping[str, Any]
    value: float | None
    numerator: float | None
    denominator: float | None
    n: float | None
    receipt: Mapping[str, Any]


def save(connection: Connection, publication: Publication, values: Sequence[tuple[PublishedValue, pd.DataFrame]]) -> int:
    """Its id. Each value comes with its pairs. Inside a write."""
    home = datasets.ensure(connection, publication.dataset)
    id_ = connection.execute(insert(t.publications).values(
        dataset_id=home.id, review=publication.review, title=publication.title, as_of=publication.as_of.floor("us").to_pydatetime(), definitions=publication.definitions,
        digest=publication.digest, loads=list(publication.loads), view=plain(publication.view), published_by=publication.published_by, published_at=datasets.now(),
    )).inserted_primary_key[0]
    for place, (value, pairs) in enumerate(values):
        packed = frames.pack_frame(pairs)
        loads.keep(connection, packed)
        connection.execute(insert(t.published_values).values(
            publication_id=id_, key=value.key, place=place, metric=value.metric, measure=value.measure, label=value.label, params=plain(value.params), view=plain(value.view),
            value=value.value, numerator=value.numerator, denominator=value.denominator, n=value.n, receipt=plain(value.receipt), frame_sha256=packed.sha256))
    return id_


def every(connection: Connection, dataset: str) -> tuple[Publication, ...]:
    """Newest first."""
    query = select(t.publications).join(t.datasets).where(t.datasets.c.name == dataset).order_by(t.publications.c.id.desc())
    return tuple(Publication(dataset, row.review, row.title, datasets.instant(row.as_of), row.definitions, row.digest, tuple(row.loads), row.view, row.published_by,
                             row.id, datasets.instant(row.published_at)) for row in connection.execute(query))


def values(connection: Connection, publication: int) -> tuple[PublishedValue, ...]:
    """In the order of the review."""
    query = select(t.published_values).where(t.published_values.c.publication_id == publication).order_by(t.published_values.c.place)
    return tuple(PublishedValue(row.key, row.label, row.metric, row.measure, row.params, row.view, row.value, row.numerator, row.denominator, row.n, row.receipt)
                 for row in connection.execute(query))


def pairs(connection: Connection, publication: int, key: str) -> pd.DataFrame:
    """The pairs of one value. Raises StoreError where they are not what was published."""
    query = select(t.published_values.c.frame_sha256).where(t.published_values.c.publication_id == publication, t.published_values.c.key == key)
    address = connection.execute(query).scalar_one_or_none()
    if address is None:
        raise StoreError(f"There is no value {key} in publication {publication}.")
    return frames.unpack_frame(loads.fetch(connection, {address})[address])
