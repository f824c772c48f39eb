"""The tables of sending: the vault, postbacks and their deliveries. Beside ``schema``, whose conventions hold here too.

``deliveries`` is the queue as well. ``due_at`` is when a delivery is tried next; while a worker has it, when its lease
lapses; null when nothing more is to be tried. Its index has no account first: a worker serves all of them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ringback.store.schema import Document, Id, Moment, Uuid, metadata

_IS_DUE = text("due_at IS NOT NULL")

installation = Table(
    "installation",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

vault = Table(
    "vault",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("host", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("account_id", "name_key"),
)

postbacks = Table(
    "postbacks",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("uuid", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("owner", String(16), nullable=False),
    Column("owner_id", BigInteger),
    Column("trigger", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("definition", Document, nullable=False),
    Column("paused", String(16)),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("account_id", "name_key"),
)

postback_versions = Table(
    "postback_versions",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("postback_id", BigInteger, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("definition", Document, nullable=False),
    Column("saved_at", Moment, nullable=False),
    Column("user_id", Id),
    ForeignKeyConstraint(["account_id", "postback_id"], ["postbacks.account_id", "postbacks.id"], ondelete="CASCADE"),
)

signing_secrets = Table(
    "signing_secrets",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("postback_id", BigInteger, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    ForeignKeyConstraint(["account_id", "postback_id"], ["postbacks.account_id", "postbacks.id"], ondelete="CASCADE"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("postback_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("trigger", String(32), nullable=False),
    Column("call_uuid", Uuid, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("receipt_id", Uuid),
    Column("host", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", String(32), nullable=False, server_default=""),
    Column("details", Document, nullable=False, server_default="{}"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("earlier_attempts", Integer, nullable=False, server_default="0"),
    Column("holds", Integer, nullable=False, server_default="0"),
    Column("hops", Integer, nullable=False, server_default="0"),
    Column("differs", Boolean, nullable=False, server_default="0"),
    Column("is_test", Boolean, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False),
    Column("first_attempt_at", Moment),
    Column("ended_at", Moment),
    Column("due_at", Moment),
    Column("claim_id", Uuid),
    Index(None, "due_at", postgresql_where=_IS_DUE, sqlite_where=_IS_DUE),
    Index(None, "account_id", "state", "id"),
    Index(None, "account_id", "call_uuid", "id"),
    Index(None, "account_id", "postback_id", "call_uuid", "id"),
    Index(None, "account_id", "postback_id", "id"),
    Index(None, "account_id", "host", "id"),
    Index(
        "ix_deliveries_differs",
        "account_id",
        "id",
        postgresql_where=text("differs"),
        sqlite_where=text("differs = 1"),
    ),
)

delivery_requests = Table(
    "delivery_requests",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("delivery_id", Uuid, primary_key=True),
    Column("method", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("headers", Document, nullable=False),
    Column("body", LargeBinary),
    Column("trace", Document, nullable=False),
)

former_requests = Table(
    "former_requests",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("delivery_id", Uuid, primary_key=True),
    Column("attempts", Integer, primary_key=True, autoincrement=False),
    Column("method", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("headers", Document, nullable=False),
    Column("body", LargeBinary),
    Column("trace", Document, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("delivery_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", String(32), nullable=False),
    Column("details", Document, nullable=False),
    Column("credential", Text),
    Column("address", Text),
    Column("status", Integer),
    Column("headers", Document, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("truncated", Boolean, nullable=False),
    Column("problem", Text, nullable=False),
    Column("milliseconds", Document, nullable=False),
)
