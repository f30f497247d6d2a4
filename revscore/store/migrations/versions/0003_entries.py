"""The log of what the team decides: entries, which the database itself refuses to change or remove."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "entries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("dataset_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("record", sa.String(64), nullable=False),
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
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER entries_no_{verb.lower()} BEFORE {verb} ON entries BEGIN SELECT RAISE(ABORT, 'entries: the log is never changed or removed'); END")
        # INSERT OR REPLACE removes the row that is in its way without asking the trigger on DELETE
        taken = "id = NEW.id OR (dataset_id = NEW.dataset_id AND kind = NEW.kind AND record = NEW.record AND version = NEW.version)"
        op.execute(f"CREATE TRIGGER entries_no_replace BEFORE INSERT ON entries WHEN EXISTS (SELECT 1 FROM entries WHERE {taken}) "
                   "BEGIN SELECT RAISE(ABORT, 'entries: the log is never changed or removed'); END")
        return
    op.execute("CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION revscore_append_only()")
