"""Data sets: the sample company and the user's own company, which never mix."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Connection, insert, select

from revscore.store import audit
from revscore.store import tables as t
from revscore.store.engine import StoreError

SAMPLE = "sample"


@dataclass(frozen=True)
class Dataset:
    """One company's data. `is_sample`: the made-up one that revscore brings along."""

    id: int
    name: str
    is_sample: bool
    created_at: pd.Timestamp


def now() -> datetime:
    return datetime.now(UTC)


def instant(value: datetime) -> pd.Timestamp:
    return pd.Timestamp(value).tz_convert("UTC").as_unit("us")


def find(connection: Connection, name: str) -> Dataset | None:
    row = connection.execute(select(t.datasets).where(t.datasets.c.name == name)).one_or_none()
    return None if row is None else Dataset(row.id, row.name, row.is_sample, instant(row.created_at))


def ensure(connection: Connection, name: str, by: str = audit.STORE) -> Dataset:
    """The data set `name`, made if need be; inside a write."""
    if not name.strip() or len(name) > 120:
        raise StoreError(f"A data set needs a name of 1 to 120 characters, not {name[:130]!r}.")
    if find(connection, name) is None:
        connection.execute(insert(t.datasets).values(name=name, is_sample=name == SAMPLE, created_at=now()))
        audit.act(connection, by, "data set made", {"name": name}, select(t.datasets).where(t.datasets.c.name == name))
    return find(connection, name)


def every(connection: Connection) -> tuple[Dataset, ...]:
    return tuple(Dataset(row.id, row.name, row.is_sample, instant(row.created_at))
                 for row in connection.execute(select(t.datasets).order_by(t.datasets.c.id)))
