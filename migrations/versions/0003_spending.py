"""What paid backends cost on a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "spending_days",
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("nanos", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("backend", "day", name="pk_spending_days"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop it; what was spent today is forgotten."""
    op.drop_table("spending_days")
