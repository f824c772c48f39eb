"""Receipts by buyer, waiting updates by the attributes they name, and runs that apply many of them."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UUID = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")

_waiting = sa.table(
    "waiting_updates",
    sa.column("account_id", ID),
    sa.column("id", UUID),
    sa.column("patch", sa.Text()),
    sa.column("attributes", sa.Text()),
)


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("receipts", sa.Column("buyer_id", sa.BigInteger()))
    op.create_index("ix_receipts_account_id_buyer_id_id", "receipts", ["account_id", "buyer_id", "id"])
    op.add_column("waiting_updates", sa.Column("attributes", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "waiting_runs",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("id", UUID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("bundles", sa.Text(), nullable=False),
        sa.Column("up_to", UUID, nullable=False),
        sa.Column("done_received_at", sa.BigInteger(), nullable=False),
        sa.Column("done_id", UUID, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("applied", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=False),
        sa.Column("left_out", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_waiting_runs"),
    )
    _note_attributes(op.get_bind())


def _note_attributes(connection: sa.Connection) -> None:
    """Write beside the updates that wait already which attributes they name."""
    rows = connection.execute(sa.select(_waiting.c.account_id, _waiting.c.id, _waiting.c.patch)).all()
    for account_id, waiting_id, patch in rows:
        named = ",".join(attribute for attribute, _, _ in json.loads(patch))
        mine = (_waiting.c.account_id == account_id, _waiting.c.id == waiting_id)
        connection.execute(_waiting.update().where(*mine).values(attributes=named))
