"""Run by Alembic inside the transaction that `migrations.upgrade` has begun: all steps together, or none."""

from alembic import context

from revscore.store.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
