"""How confidential a conversation is said to be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; earlier conversations were not classified."""
    op.add_column("conversations", sa.Column("classification", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("conversations") as table:
        table.drop_column("classification")
