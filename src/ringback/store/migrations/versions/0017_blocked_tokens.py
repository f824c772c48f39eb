"""Access tokens of others that an account has blocked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UUID = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "blocked_tokens",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("token_id", UUID, nullable=False),
        sa.Column("blocked_at", sa.BigInteger(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "token_id", name="pk_blocked_tokens"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_blocked_tokens_accounts"),
        sa.ForeignKeyConstraint(["token_id"], ["access_tokens.id"], name="fk_blocked_tokens_access_tokens"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_blocked_tokens_users"),
    )
