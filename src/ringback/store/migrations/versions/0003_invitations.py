"""A buyer's e-mail address, who sees a buyer, and memberships that wait until the account's own link is opened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("buyers", sa.Column("email", sa.Text()))
    for table in ("memberships", "team_users"):
        op.add_column(table, sa.Column("pending", sa.Boolean(), server_default="0", nullable=False))
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])
    op.create_index("ix_team_buyers_account_id_buyer_id", "team_buyers", ["account_id", "buyer_id"])
