"""The team's terms: versions that are only ever added, each with who, when and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, insert, select

from revscore.store import audit, datasets
from revscore.store import tables as t
from revscore.store.engine import plain


@dataclass(frozen=True)
class TermsVersion:
    """One version of a data set's terms. `config` has the keys of `core.terms.Terms.to_config`."""

    version: int
    config: Mapping[str, Any]
    saved_by: str
    saved_at: pd.Timestamp
    why: str


def history(connection: Connection, dataset: str) -> tuple[TermsVersion, ...]:
    """Every version, newest first."""
    query = (select(t.terms).join(t.datasets).where(t.datasets.c.name == dataset).order_by(t.terms.c.version.desc()))
    return tuple(TermsVersion(row.version, row.config, row.saved_by, datasets.instant(row.saved_at), row.why)
                 for row in connection.execute(query))


def save(connection: Connection, dataset: str, config: Mapping[str, Any], by: str, why: str) -> int:
    """The number of the version that now holds; the same terms again are no new version. Inside a write."""
    home, versions, config = datasets.ensure(connection, dataset, by), history(connection, dataset), plain(config)
    if versions and versions[0].config == config:
        return versions[0].version
    version = versions[0].version + 1 if versions else 1
    connection.execute(insert(t.terms).values(dataset_id=home.id, version=version, config=config, saved_by=by,
                                              saved_at=datasets.now(), why=why))
    audit.act(connection, by, "terms saved", {"dataset": dataset, "version": version},
              select(t.terms).where(t.terms.c.dataset_id == home.id, t.terms.c.version == version))
    return version
