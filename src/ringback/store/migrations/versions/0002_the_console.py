"""Passwords, sessions, one-time links and the audit log: what the console needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UUID = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("users", sa.Column("password_hash", sa.Text()))
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_users"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "links",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("account_id", ID),
        sa.Column("user_id", ID),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("digest", name="pk_links"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_links_accounts"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_links_users"),
    )
    op.create_table(
        "audit_log",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("id", UUID, nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=False),
        sa.Column("user_id", ID),
        sa.Column("action", sa.String(48), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_audit_log"),
    )
