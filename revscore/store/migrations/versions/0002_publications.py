"""Publications of reviews and their values, which the database itself refuses to change or remove."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INSTANT = sa.DateTime(timezone=True)
KEPT = ("publications", "published_values")


def upgrade() -> None:
    op.create_table(
        "publications",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("dataset_id", sa.Integer, nullable=False),
        sa.Column("review", sa.String(60), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("as_of", INSTANT, nullable=False),
        sa.Column("definitions", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("loads", sa.JSON, nullable=False),
        sa.Column("view", sa.JSON, nullable=False),
        sa.Column("published_by", sa.String(320), nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.Column("value_count", sa.Integer, nullable=False),
        sa.Column("before", sa.String(64), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_publications_dataset_id_datasets"),
    )
    op.create_index("ix_publications_dataset_id", "publications", ["dataset_id"])
    op.create_table(
        "published_values",
        sa.Column("publication_id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("metric", sa.String(120), nullable=False),
        sa.Column("measure", sa.String(120), nullable=False),
        sa.Column("label", sa.String(300), nullable=False),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("view", sa.JSON, nullable=False),
        sa.Column("value", sa.Double, nullable=True),
        sa.Column("numerator", sa.Double, nullable=True),
        sa.Column("denominator", sa.Double, nullable=True),
        sa.Column("n", sa.Double, nullable=True),
        sa.Column("receipt", sa.JSON, nullable=False),
        sa.Column("frame_sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("publication_id", "key", name="pk_published_values"),
        sa.ForeignKeyConstraint(["publication_id"], ["publications.id"], name="fk_published_values_publication_id_publications"),
        sa.ForeignKeyConstraint(["frame_sha256"], ["frames.sha256"], name="fk_published_values_frame_sha256_frames"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for table in KEPT:
            for verb in ("UPDATE", "DELETE"):
                op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                           f"BEGIN SELECT RAISE(ABORT, '{table}: what is published is never changed or removed'); END")
            # INSERT OR REPLACE removes the row that is in its way without asking the trigger on DELETE
            taken = " OR ".join(["rowid = NEW.rowid", *([] if table == "publications" else ["(publication_id = NEW.publication_id AND key = NEW.key)"])])
            op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) "
                       f"BEGIN SELECT RAISE(ABORT, '{table}: what is published is never changed or removed'); END")
        return
    op.execute("CREATE FUNCTION revscore_append_only() RETURNS trigger LANGUAGE plpgsql AS "
               "$$ BEGIN RAISE EXCEPTION '%: what is published is never changed or removed', TG_TABLE_NAME; END $$")
    for table in KEPT:
        op.execute(f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION revscore_append_only()")
