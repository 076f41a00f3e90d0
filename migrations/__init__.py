"""Alembic's environment and revisions; `memory.migrate` runs them."""
