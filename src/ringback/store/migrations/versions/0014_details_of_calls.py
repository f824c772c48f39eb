"""Why calls ended, and what agents say of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Bring the schema to this revision."""
    for column in ("hangup_cause", "disposition", "disposition_notes"):
        op.add_column("calls", sa.Column(column, sa.Text()))
