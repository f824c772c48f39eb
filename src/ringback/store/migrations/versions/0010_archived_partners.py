"""Buyers, traffic sources and offers that nobody needs any more but that calls belong to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Bring the schema to this revision."""
    for table in ("buyers", "traffic_sources", "offers"):
        op.add_column(table, sa.Column("archived", sa.Boolean(), server_default="0", nullable=False))
