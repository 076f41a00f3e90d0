"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("selector", sa.Text(), nullable=True),
        sa.Column("intent_record_id", sa.Text(), nullable=False),
        sa.Column("completed_record_id", sa.Text(), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("contents", sa.Integer(), nullable=False),
        sa.Column("vault_entries", sa.Integer(), nullable=False),
        sa.Column("blind_indexes", sa.Integer(), nullable=False),
        sa.Column("purged", sa.Boolean(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_state", "erasures", ["state"])
    op.create_table(
        "holds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject_blind", sa.LargeBinary(length=32), nullable=True),
        sa.Column("conversation_id", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("placed", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
    )
    op.create_index("ix_holds_conversation_id", "holds", ["conversation_id"])
    op.create_index("ix_holds_subject_blind", "holds", ["subject_blind"])
    op.create_table(
        "installation",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_installation"),
    )
    op.create_table(
        "persons",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("blind", sa.LargeBinary(length=32), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_persons"),
        sa.UniqueConstraint("blind", name="uq_persons_blind"),
        sa.UniqueConstraint("name", name="uq_persons_name"),
    )
    op.create_table(
        "subjects",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("blind", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subjects"),
        sa.UniqueConstraint("blind", name="uq_subjects_blind"),
    )
    op.create_table(
        "principals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_principals_person_id_persons"),
        sa.PrimaryKeyConstraint("id", name="pk_principals"),
        sa.UniqueConstraint("person_id", "issuer", name="uq_principals_person_id_issuer"),
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("principal_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("secret_mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("grant_mac", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], name="fk_api_keys_principal_id_principals"),
        sa.PrimaryKeyConstraint("key_id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_principal_id", "api_keys", ["principal_id"])
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("principal_ref", sa.Text(), nullable=True),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("epoch", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["principals.id"], name="fk_conversations_owner_id_principals"),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_owner_id", "conversations", ["owner_id"])
    op.create_table(
        "request_windows",
        sa.Column("principal_id", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], name="fk_request_windows_principal_id_principals"),
        sa.PrimaryKeyConstraint("principal_id", name="pk_request_windows"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_days",
        sa.Column("principal_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], name="fk_usage_days_principal_id_principals"),
        sa.PrimaryKeyConstraint("principal_id", "day", name="pk_usage_days"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_usage_days_day", "usage_days", ["day"])
    op.create_table(
        "subject_refs",
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_subject_refs_conversation_id_conversations"
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name="fk_subject_refs_subject_id_subjects"),
        sa.PrimaryKeyConstraint("conversation_id", "subject_id", name="pk_subject_refs"),
        sa.UniqueConstraint("ref", name="uq_subject_refs_ref"),
    )
    op.create_index("ix_subject_refs_subject_id", "subject_refs", ["subject_id"])
    op.create_table(
        "turns",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("principal_id", sa.Text(), nullable=True),
        sa.Column("principal_ref", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("lease_expires", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("idempotency", sa.LargeBinary(length=32), nullable=True),
        sa.Column("request_mac", sa.LargeBinary(length=32), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("epoch", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("degraded", sa.Boolean(), nullable=True),
        sa.Column("released", sa.Integer(), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_turns_conversation_id_conversations"
        ),
        sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], name="fk_turns_principal_id_principals"),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint("conversation_id", "position", name="uq_turns_conversation_id_position"),
        sa.UniqueConstraint("ref", name="uq_turns_ref"),
    )
    op.create_index(
        "ix_turns_idempotency",
        "turns",
        ["principal_id", "idempotency"],
        unique=True,
        sqlite_where=sa.text("idempotency IS NOT NULL"),
        postgresql_where=sa.text("idempotency IS NOT NULL"),
    )
    op.create_index("ix_turns_principal_id_created", "turns", ["principal_id", "created"])
    op.create_index(
        "ix_turns_unclosed",
        "turns",
        ["principal_id"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "blind_indexes",
        sa.Column("blind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_blind_indexes_turn_id_turns"),
        sa.PrimaryKeyConstraint("blind", "turn_id", name="pk_blind_indexes"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_blind_indexes_turn_id", "blind_indexes", ["turn_id"])
    op.create_table(
        "contents",
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_contents_turn_id_turns"),
        sa.PrimaryKeyConstraint("turn_id", "name", name="pk_contents"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "turn_subjects",
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name="fk_turn_subjects_subject_id_subjects"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_turn_subjects_turn_id_turns"),
        sa.PrimaryKeyConstraint("subject_id", "turn_id", name="pk_turn_subjects"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vault_entries",
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("blind", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_vault_entries_conversation_id_conversations"
        ),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_vault_entries_turn_id_turns"),
        sa.PrimaryKeyConstraint("conversation_id", "token", name="pk_vault_entries"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop every table, and with it everything."""
    for table in (
        "vault_entries",
        "turn_subjects",
        "contents",
        "blind_indexes",
        "turns",
        "subject_refs",
        "usage_days",
        "request_windows",
        "conversations",
        "api_keys",
        "principals",
        "subjects",
        "persons",
        "installation",
        "holds",
        "erasures",
    ):
        op.drop_table(table)
