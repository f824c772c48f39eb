"""Hops of waiting updates, and what deliveries sent before they were made anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UUID = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("waiting_updates", sa.Column("hops", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "former_requests",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("delivery_id", UUID, nullable=False),
        sa.Column("attempts", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "delivery_id", "attempts", name="pk_former_requests"),
    )
