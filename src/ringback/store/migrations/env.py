"""Run by Alembic with the connection that ``store.migrate`` gives it."""

from __future__ import annotations

from alembic import context

from ringback.store import blocking_schema, figure_schema, sending_schema  # noqa: F401 - their tables belong to the metadata
from ringback.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
