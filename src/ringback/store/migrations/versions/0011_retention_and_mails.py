"""How far what arrived has been removed, links that were mailed, and the calls whose persons were erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UUID = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("accounts", sa.Column("emptied_up_to", UUID))
    op.add_column("links", sa.Column("mailed", sa.Boolean(), server_default="0", nullable=False))
    op.create_table(
        "erasures",
        sa.Column("account_id", ID, sa.ForeignKey("accounts.id", name="fk_erasures_accounts"), nullable=False),
        sa.Column("call_uuid", UUID, nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "call_uuid", name="pk_erasures"),
    )
