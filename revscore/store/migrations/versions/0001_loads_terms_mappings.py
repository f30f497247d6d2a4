"""Data sets, loads and their frames, versions of the terms, mappings of headings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("is_sample", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sa.UniqueConstraint("name", name="uq_datasets_name"),
    )
    op.create_table(
        "loads",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("dataset_id", sa.Integer, nullable=False),
        sa.Column("as_of", INSTANT, nullable=False),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.Column("loaded_by", sa.String(320), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("rows_read", sa.Integer, nullable=False),
        sa.Column("rows_kept", sa.Integer, nullable=False),
        sa.Column("rows_quarantined", sa.Integer, nullable=False),
        sa.Column("derived", sa.JSON, nullable=False),
        sa.Column("terms_hints", sa.JSON, nullable=False),
        sa.Column("mapping", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_loads"),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_loads_dataset_id_datasets"),
        sa.UniqueConstraint("dataset_id", "as_of", "content_sha256", name="uq_loads_dataset_id"),
        sa.CheckConstraint("rows_read = rows_kept + rows_quarantined", name="ck_loads_balance"),
    )
    op.create_table(
        "frames",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("format", sa.String(20), nullable=False),
        sa.Column("row_count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_frames"),
    )
    op.create_table(
        "frame_parts",
        sa.Column("frame_sha256", sa.String(64), nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("frame_sha256", "part", name="pk_frame_parts"),
        sa.ForeignKeyConstraint(["frame_sha256"], ["frames.sha256"], name="fk_frame_parts_frame_sha256_frames"),
    )
    op.create_table(
        "load_frames",
        sa.Column("load_id", sa.Integer, nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("frame_sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("load_id", "role", "name", name="pk_load_frames"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.id"], name="fk_load_frames_load_id_loads"),
        sa.ForeignKeyConstraint(["frame_sha256"], ["frames.sha256"], name="fk_load_frames_frame_sha256_frames"),
        sa.CheckConstraint("role IN ('table', 'ledger')", name="ck_load_frames_role"),
    )
    op.create_table(
        "terms",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("dataset_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("saved_by", sa.String(320), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_terms"),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_terms_dataset_id_datasets"),
        sa.UniqueConstraint("dataset_id", "version", name="uq_terms_dataset_id"),
    )
    op.create_table(
        "mappings",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("dataset_id", sa.Integer, nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.Column("mapping", sa.JSON, nullable=False),
        sa.Column("saved_by", sa.String(320), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mappings"),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_mappings_dataset_id_datasets"),
    )
    op.create_index("ix_mappings_dataset_id", "mappings", ["dataset_id"])
