"""A load that replaces or completes another one says which, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("loads", sa.Column("corrects", sa.Integer))
    op.add_column("loads", sa.Column("why", sa.Text))
