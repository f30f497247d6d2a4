"""Ids of records as long as they need be: those of exceptions hold the id of the CRM's record, and PostgreSQL refuses what is too long."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("entries", "record", type_=sa.Text, existing_type=sa.String(64), existing_nullable=False)
        return
    # SQLite cannot change the type of a column: the log moves, as it is, into a new table
    op.create_table(
        "entries_moved",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("dataset_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("verb", sa.String(30), nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("by", sa.String(320), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_entries_dataset_id_datasets"),
        sa.UniqueConstraint("dataset_id", "kind", "record", "version", name="uq_entries_dataset_id"),
        sa.CheckConstraint("version >= 1", name="ck_entries_version"),
    )
    names = 'id, dataset_id, kind, record, version, verb, fields, "by", at'
    op.execute(f"INSERT INTO entries_moved ({names}) SELECT {names} FROM entries ORDER BY id")
    op.execute("DROP TABLE entries")  # with its triggers
    op.rename_table("entries_moved", "entries")
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER entries_no_{verb.lower()} BEFORE {verb} ON entries BEGIN SELECT RAISE(ABORT, 'entries: the log is never changed or removed'); END")
    # INSERT OR REPLACE removes the row that is in its way without asking the trigger on DELETE
    taken = "id = NEW.id OR (dataset_id = NEW.dataset_id AND kind = NEW.kind AND record = NEW.record AND version = NEW.version)"
    op.execute(f"CREATE TRIGGER entries_no_replace BEFORE INSERT ON entries WHEN EXISTS (SELECT 1 FROM entries WHERE {taken}) "
               "BEGIN SELECT RAISE(ABORT, 'entries: the log is never changed or removed'); END")
