"""Indexes of the lists of calls: newest first, by who they belong to and who called.

None has a column that an update changes, so that updates go on writing no index on PostgreSQL.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_index("ix_calls_account_id_created_at_number", "calls", ["account_id", "created_at", "number"])
    for column in ("buyer_id", "traffic_source_id", "offer_id", "caller_number"):
        columns = ["account_id", column, "created_at", "number"]
        op.create_index(f"ix_calls_account_id_{column}_created_at_number", "calls", columns)
