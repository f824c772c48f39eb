"""The tokens by which updates name the offer of a call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("offers", sa.Column("token", sa.String(64)))
    op.execute("UPDATE offers SET token = replace(CAST(uuid AS TEXT), '-', '')")
    op.create_index("ix_offers_account_id_token", "offers", ["account_id", "token"], unique=True)
