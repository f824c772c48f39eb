"""Indexes of the lists of access tokens and of the audit log."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_index("ix_access_tokens_user_id_kind_id", "access_tokens", ["user_id", "kind", "id"])
    op.drop_index("ix_access_tokens_user_id", "access_tokens")
    for column in ("user_id", "action"):
        op.create_index(f"ix_audit_log_account_id_{column}_id", "audit_log", ["account_id", column, "id"])
