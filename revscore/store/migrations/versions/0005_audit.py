"""The audit log, which begins with a digest of every row that is there; and tables that only grow, by triggers on all of them."""

import sqlalchemy as sa
from alembic import op

from revscore.store import append_only, audit

revision = "0005"
down_revision = "0004"

KEPT = ("datasets", "loads", "frames", "frame_parts", "load_frames", "terms", "mappings", "publications", "published_values", "entries", "audit")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(320), nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("prev", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
        sa.UniqueConstraint("hash", name="uq_audit_hash"),
    )
    append_only.guard(op.get_bind(), *KEPT)
    audit.begin(op.get_bind(), {"schema": revision})
