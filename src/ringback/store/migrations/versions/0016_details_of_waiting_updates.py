"""What a waiting update says of a call beside its worth."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("waiting_updates", sa.Column("details", sa.Text(), server_default="{}", nullable=False))
