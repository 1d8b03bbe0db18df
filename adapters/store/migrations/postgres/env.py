"""Alembic's environment for PostgreSQL: everything is in a schema of our own."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,
    version_table_schema="yibao",
)
context.run_migrations()
