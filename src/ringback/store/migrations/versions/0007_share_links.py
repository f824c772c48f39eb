"""Links that show a buyer's posting instructions to whoever has them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UUID = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "share_links",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("id", UUID, nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_share_links"),
        sa.UniqueConstraint("digest", name="uq_share_links_digest"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_share_links_users"),
        sa.ForeignKeyConstraint(
            ["account_id", "buyer_id"],
            ["buyers.account_id", "buyers.id"],
            name="fk_share_links_buyers",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_share_links_account_id_buyer_id_id", "share_links", ["account_id", "buyer_id", "id"])
