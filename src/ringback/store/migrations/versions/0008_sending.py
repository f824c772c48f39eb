"""Sending: the vault, postbacks with their versions, deliveries with their requests and attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UUID = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")
IS_DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Bring the schema to this revision."""
    _make_vault()
    _make_postbacks()
    _make_deliveries()
    _make_attempts()


def _make_vault() -> None:
    op.create_table(
        "installation",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_installation"),
    )
    op.create_table(
        "vault",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_vault_accounts"),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_vault"),
        sa.UniqueConstraint("account_id", "name_key", name="uq_vault_account_id_name_key"),
    )


def _make_postbacks() -> None:
    op.create_table(
        "postbacks",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uuid", UUID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=16), nullable=False),
        sa.Column("owner_id", sa.BigInteger()),
        sa.Column("trigger", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("paused", sa.String(length=16)),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_postbacks_accounts"),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_postbacks"),
        sa.UniqueConstraint("account_id", "name_key", name="uq_postbacks_account_id_name_key"),
    )
    op.create_table(
        "postback_versions",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("postback_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("user_id", ID),
        sa.ForeignKeyConstraint(
            ["account_id", "postback_id"],
            ["postbacks.account_id", "postbacks.id"],
            name="fk_postback_versions_postbacks",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "postback_id", "version", name="pk_postback_versions"),
    )
    op.create_table(
        "signing_secrets",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("postback_id", sa.BigInteger(), nullable=False),
        sa.Column("id", UUID, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["account_id", "postback_id"],
            ["postbacks.account_id", "postbacks.id"],
            name="fk_signing_secrets_postbacks",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "postback_id", "id", name="pk_signing_secrets"),
    )


def _make_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("id", UUID, nullable=False),
        sa.Column("postback_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(length=32), nullable=False),
        sa.Column("call_uuid", UUID, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("receipt_id", UUID),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=32), server_default="", nullable=False),
        sa.Column("details", sa.Text(), server_default="{}", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("earlier_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("holds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("hops", sa.Integer(), server_default="0", nullable=False),
        sa.Column("differs", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("is_test", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("first_attempt_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("claim_id", UUID),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_account_id_call_uuid_id", "deliveries", ["account_id", "call_uuid", "id"])
    op.create_index("ix_deliveries_account_id_host_id", "deliveries", ["account_id", "host", "id"])
    op.create_index(
        "ix_deliveries_account_id_postback_id_call_uuid_id",
        "deliveries",
        ["account_id", "postback_id", "call_uuid", "id"],
    )
    op.create_index("ix_deliveries_account_id_postback_id_id", "deliveries", ["account_id", "postback_id", "id"])
    op.create_index("ix_deliveries_account_id_state_id", "deliveries", ["account_id", "state", "id"])
    op.create_index(
        "ix_deliveries_differs",
        "deliveries",
        ["account_id", "id"],
        postgresql_where=sa.text("differs"),
        sqlite_where=sa.text("differs = 1"),
    )
    op.create_index("ix_deliveries_due_at", "deliveries", ["due_at"], postgresql_where=IS_DUE, sqlite_where=IS_DUE)


def _make_attempts() -> None:
    op.create_table(
        "delivery_requests",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("delivery_id", UUID, nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "delivery_id", name="pk_delivery_requests"),
    )
    op.create_table(
        "attempts",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("delivery_id", UUID, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("status", sa.Integer()),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("truncated", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("milliseconds", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "delivery_id", "number", name="pk_attempts"),
    )
