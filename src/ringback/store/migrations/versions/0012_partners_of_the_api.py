"""Partners that are paused, and the ids that the account's own systems know them by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Bring the schema to this revision."""
    for table in ("buyers", "traffic_sources", "offers"):
        op.add_column(table, sa.Column("paused", sa.Boolean(), server_default="0", nullable=False))
        op.add_column(table, sa.Column("external_id", sa.Text()))
        op.create_index(f"uq_{table}_external_id", table, ["account_id", "external_id"], unique=True)
