"""Alembic's way in. `memory.migrate` hands over a connection in an open transaction; there is no other way to run."""

from __future__ import annotations

from alembic import context

from memory.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction spans all revisions
    render_as_batch=True,
)
context.run_migrations()
