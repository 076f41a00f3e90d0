"""Persons known by tokens of an OpenID provider; when a principal was here last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and the columns for the list of users; nobody was seen yet."""
    op.create_table(
        "identities",
        sa.Column("blind", sa.LargeBinary(32), nullable=False),
        sa.Column("principal_id", sa.Text(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("mac", sa.LargeBinary(32), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("blind", name="pk_identities"),
        sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], name="fk_identities_principal_id_principals"),
        sqlite_with_rowid=False,
    )
    op.add_column("principals", sa.Column("seen_day", sa.Integer(), nullable=True))
    op.add_column("principals", sa.Column("seen_role", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop them; whoever signed in by token is not recognised by an older release, and stays without a way in."""
    op.drop_column("principals", "seen_role")
    op.drop_column("principals", "seen_day")
    op.drop_table("identities")
