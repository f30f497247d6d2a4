"""What the user said about headings: per signature of a sheet the newest mapping counts, the older ones stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from revscore.store import audit, datasets
from revscore.store import tables as t
from revscore.store.engine import plain


def newest(connection: Connection, dataset: str) -> dict[str, Mapping[str, Any]]:
    """Signature -> mapping."""
    query = (select(t.mappings.c.signature, t.mappings.c.mapping).join(t.datasets).where(t.datasets.c.name == dataset)
             .order_by(t.mappings.c.id))
    return {row.signature: row.mapping for row in connection.execute(query)}


def save(connection: Connection, dataset: str, signature: str, mapping: Mapping[str, Any], by: str) -> None:
    """Inside a write."""
    if newest(connection, dataset).get(signature) != plain(mapping):
        id_ = connection.execute(insert(t.mappings).values(dataset_id=datasets.ensure(connection, dataset, by).id, signature=signature,
                                                           mapping=plain(mapping), saved_by=by, saved_at=datasets.now())).inserted_primary_key[0]
        audit.act(connection, by, "mapping saved", {"dataset": dataset, "signature": signature}, select(t.mappings).where(t.mappings.c.id == id_))
