"""What reviews published: values with their receipts and pairs, only ever added. The database refuses to change or remove them.

Somebody with the file in hand can still do both. So every publication has a seal, a SHA-256 over all that is kept of it and over the seal of
the publication before it: whatever is changed, added or removed later breaks the chain, but for the last links, which only a seal that was
noted elsewhere shows (docs/receipts.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, insert, select

from revscore.store import audit, contents, datasets, frames
from revscore.store import tables as t
from revscore.store.engine import StoreError, fitting, plain


@dataclass(frozen=True)
class Publication:
    """One closed review. `view`: the period and filters that it was closed under, as JSON. The store gives `id`, `published_at`, the number of its
    `values`, the seal of the publication `before` it ("" = the first of its data set) and its own `seal`."""

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
    values: int = 0
    before: str = ""
    seal: str = ""


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
    home = datasets.ensure(connection, publication.dataset, publication.published_by)
    packed = [frames.pack_frame(pairs) for _, pairs in values]
    rows = [{"key": value.key, "place": place, "metric": value.metric, "measure": value.measure, "label": fitting(value.label, 300), "params": plain(value.params), "view": plain(value.view),
             "value": value.value, "numerator": value.numerator, "denominator": value.denominator, "n": value.n, "receipt": plain(value.receipt), "frame_sha256": frame.sha256}
            for place, ((value, _), frame) in enumerate(zip(values, packed, strict=True))]
    last = every(connection, publication.dataset)[:1]
    new = replace(publication, title=fitting(publication.title, 200), published_by=fitting(publication.published_by, 320), as_of=publication.as_of.floor("us"), view=plain(publication.view), published_at=datasets.instant(datasets.now()), values=len(rows),
                  before=last[0].seal if last else "")
    seal = sealed(new, rows)
    id_ = connection.execute(insert(t.publications).values(
        dataset_id=home.id, review=new.review, title=new.title, as_of=new.as_of.to_pydatetime(), definitions=new.definitions, digest=new.digest, loads=list(new.loads),
        view=new.view, published_by=new.published_by, published_at=new.published_at.to_pydatetime(), value_count=new.values, before=new.before, seal=seal,
    )).inserted_primary_key[0]
    kept: list[str] = []
    for row, frame in zip(rows, packed, strict=True):
        kept += contents.keep(connection, frame)
        connection.execute(insert(t.published_values).values(publication_id=id_, **row))
    # its seal, which is in its row, stands for its values
    audit.act(connection, new.published_by, "review published", {"dataset": new.dataset, "publication": id_, "seal": seal},
              select(t.publications).where(t.publications.c.id == id_), *contents.written(kept))
    return id_


def sealed(publication: Publication, rows: Iterable[Mapping[str, Any]]) -> str:
    """The seal: SHA-256 over one line of JSON for the publication and one for each of its values, in order."""
    head = {"dataset": publication.dataset, "review": publication.review, "title": publication.title, "as_of": publication.as_of.isoformat(),
            "definitions": publication.definitions, "digest": publication.digest, "loads": list(publication.loads), "view": publication.view,
            "published_by": publication.published_by, "published_at": publication.published_at.isoformat(), "values": publication.values, "before": publication.before}
    lines = [json.dumps(one, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n" for one in (head, *rows)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def broken(connection: Connection, publication: Publication) -> tuple[str, ...]:
    """What does not fit the seal of a publication, in words; nothing when all that is kept of it, and the publication before it, is as it was."""
    rows = [{name: value for name, value in row._mapping.items() if name != "publication_id"} for row in connection.execute(_values(publication.id))]
    out = []
    if len(rows) != publication.values:
        out.append(f"{publication.values:,} values were published, {len(rows):,} are kept")
    if sealed(publication, rows) != publication.seal:
        out.append("what is kept of it does not fit its seal: something was changed, added or removed")
    earlier = next((one.seal for one in every(connection, publication.dataset) if one.id < publication.id), "")
    if publication.before != earlier:
        out.append("the publication before it is gone or was changed")
    return tuple(out)


def every(connection: Connection, dataset: str) -> tuple[Publication, ...]:
    """Newest first."""
    query = select(t.publications).join(t.datasets).where(t.datasets.c.name == dataset).order_by(t.publications.c.id.desc())
    return tuple(Publication(dataset, row.review, row.title, datasets.instant(row.as_of), row.definitions, row.digest, tuple(row.loads), row.view, row.published_by,
                             row.id, datasets.instant(row.published_at), row.value_count, row.before, row.seal) for row in connection.execute(query))


def values(connection: Connection, publication: int) -> tuple[PublishedValue, ...]:
    """In the order of the review."""
    return tuple(PublishedValue(row.key, row.label, row.metric, row.measure, row.params, row.view, row.value, row.numerator, row.denominator, row.n, row.receipt)
                 for row in connection.execute(_values(publication)))


def _values(publication: int) -> Select:
    return select(t.published_values).where(t.published_values.c.publication_id == publication).order_by(t.published_values.c.place)


def pairs(connection: Connection, publication: int, key: str) -> pd.DataFrame:
    """The pairs of one value. Raises StoreError where they are not what was published."""
    query = select(t.published_values.c.frame_sha256).where(t.published_values.c.publication_id == publication, t.published_values.c.key == key)
    address = connection.execute(query).scalar_one_or_none()
    if address is None:
        raise StoreError(f"There is no value {key} in publication {publication}.")
    parts = contents.fetch(connection, {address})[address]
    if frames.address(parts) != address:
        raise StoreError(f"The store is damaged (frame {address[:12]}); restore it from a backup.")
    return frames.unpack_frame(parts)
