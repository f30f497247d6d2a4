"""The tables of the store, as SQLAlchemy sees them. `migrations/` makes them; a test holds the two equal.

A load's rows are kept as frames (columnar, compressed, addressed by their content), not as SQL rows: see `frames.py`.
Nothing here is ever updated: a correction is a new load, a new version, a new mapping.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (JSON, Boolean, CheckConstraint, Column, DateTime, Double, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table,
                        Text, TypeDecorator, UniqueConstraint)

from revscore.store.engine import fitting


class Instant(TypeDecorator):
    """A UTC instant to the microsecond. SQLite keeps no zones: written there as UTC text, which sorts as time does."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator):
    """Text of people, such as a name: what a store cannot keep is left out, what is too long is cut, alike on every engine (`engine.fitting`)."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect) -> str | None:
        return value if value is None else fitting(value, self.impl.length)


class Prose(Words):
    """The same, as long as it likes."""

    impl = Text
    cache_ok = True


metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s",
                                       "ck": "ck_%(table_name)s_%(constraint_name)s", "pk": "pk_%(table_name)s",
                                       "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s"})

datasets = Table(
    "datasets", metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("is_sample", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("name"),
)

loads = Table(
    "loads", metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("as_of", Instant, nullable=False),
    Column("loaded_at", Instant, nullable=False),
    Column("loaded_by", Words(320), nullable=False),
    Column("state", String(20), nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("files", JSON, nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("rows_kept", Integer, nullable=False),
    Column("rows_quarantined", Integer, nullable=False),
    Column("derived", JSON, nullable=False),
    Column("terms_hints", JSON, nullable=False),
    Column("mapping", JSON, nullable=False),
    Column("corrects", Integer),
    Column("why", Prose),
    UniqueConstraint("dataset_id", "as_of", "content_sha256"),
    CheckConstraint("rows_read = rows_kept + rows_quarantined", name="balance"),
)

frames = Table(
    "frames", metadata,
    Column("sha256", String(64), primary_key=True),
    Column("format", String(20), nullable=False),
    Column("row_count", Integer, nullable=False),
)

frame_parts = Table(
    "frame_parts", metadata,
    Column("frame_sha256", ForeignKey("frames.sha256"), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

load_frames = Table(
    "load_frames", metadata,
    Column("load_id", ForeignKey("loads.id"), primary_key=True),
    Column("role", String(10), primary_key=True),
    Column("name", String(60), primary_key=True),
    Column("frame_sha256", ForeignKey("frames.sha256"), nullable=False),
    CheckConstraint("role IN ('table', 'ledger')", name="role"),
)

terms = Table(
    "terms", metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("config", JSON, nullable=False),
    Column("saved_by", Words(320), nullable=False),
    Column("saved_at", Instant, nullable=False),
    Column("why", Prose, nullable=False),
    UniqueConstraint("dataset_id", "version"),
)

mappings = Table(
    "mappings", metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("signature", String(64), nullable=False),
    Column("mapping", JSON, nullable=False),
    Column("saved_by", Words(320), nullable=False),
    Column("saved_at", Instant, nullable=False),
    Index(None, "dataset_id"),
)

publications = Table(
    "publications", metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("review", String(60), nullable=False),
    Column("title", Words(200), nullable=False),
    Column("as_of", Instant, nullable=False),
    Column("definitions", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("loads", JSON, nullable=False),
    Column("view", JSON, nullable=False),
    Column("published_by", Words(320), nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("value_count", Integer, nullable=False),
    Column("before", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
    Index(None, "dataset_id"),
)

published_values = Table(
    "published_values", metadata,
    Column("publication_id", ForeignKey("publications.id"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("place", Integer, nullable=False),
    Column("metric", String(120), nullable=False),
    Column("measure", String(120), nullable=False),
    Column("label", Words(300), nullable=False),
    Column("params", JSON, nullable=False),
    Column("view", JSON, nullable=False),
    Column("value", Double),
    Column("numerator", Double),
    Column("denominator", Double),
    Column("n", Double),
    Column("receipt", JSON, nullable=False),
    Column("frame_sha256", ForeignKey("frames.sha256"), nullable=False),
)

entries = Table(
    "entries", metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("record", Prose, nullable=False),
    Column("version", Integer, nullable=False),
    Column("verb", String(30), nullable=False),
    Column("fields", JSON, nullable=False),
    Column("by", Words(320), nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("dataset_id", "kind", "record", "version"),
    CheckConstraint("version >= 1", name="version"),
)

people = Table(
    "people", metadata,
    Column("id", Integer, primary_key=True),
    Column("email", Words(320), nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", Words(200), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("owner", Words(200), nullable=False),
    Column("sees", String(20), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("saved_by", Words(320), nullable=False),
    Column("saved_at", Instant, nullable=False),
    UniqueConstraint("email", "version"),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("sees IN ('team', 'own rows')", name="sees"),
)

audit = Table(
    "audit", metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Words(320), nullable=False),
    Column("action", String(60), nullable=False),
    Column("body", JSON, nullable=False),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("hash"),
)
