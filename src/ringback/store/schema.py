"""The tables. Every table of an account has ``account_id`` first in its primary key and its indexes.

Times are UTC microseconds, money is micro-units, JSON documents are text; conversions are in ``store.values``.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from ringback.domain.attributes import ATTRIBUTES, Kind

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

Id = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database gives out (SQLite does that only for INTEGER)."""

Uuid = String(36).with_variant(postgresql.UUID(as_uuid=False), "postgresql")
Moment = BigInteger
Money = BigInteger
Document = Text

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subdomain", String(63), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    Column("currency", String(3), nullable=False, server_default="USD"),
    Column("reads_auth_token", Boolean, nullable=False, server_default="1"),
    Column("keeps_unknown_fields", Boolean, nullable=False, server_default="0"),
    Column("retry_seconds", Integer, nullable=False, server_default="60"),
    Column("created_at", Moment, nullable=False),
    Column("emptied_up_to", Uuid),
)

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("verified", Boolean, nullable=False, server_default="0"),
    Column("password_hash", Text),
    Column("created_at", Moment, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("ip", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("account_id", Id, ForeignKey("accounts.id")),
    Column("user_id", Id, ForeignKey("users.id")),
    Column("subject", Text, nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("mailed", Boolean, nullable=False, server_default="0"),
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("account_id", Id, ForeignKey("accounts.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("handle", String(64), nullable=False, unique=True),
    Column("digest", LargeBinary, nullable=False),
    Column("description", Text, nullable=False),
    Column("access_type", String(16), nullable=False),
    Column("networks", Document, nullable=False, server_default="[]"),
    Column("accounts", Document, nullable=False, server_default="[]"),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
    Column("last_used_ip", Text),
    Index(None, "user_id", "kind", "id"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True, index=True),
    Column("role", String(16), nullable=False),
    Column("pending", Boolean, nullable=False, server_default="0"),
)

numbers = Table(
    "numbers",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("noun", String(32), primary_key=True),
    Column("last", BigInteger, nullable=False),
)


def _partner(name: str, *columns: Column[object] | Index) -> Table:
    return Table(
        name,
        metadata,
        Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
        Column("id", BigInteger, primary_key=True, autoincrement=False),
        Column("uuid", Uuid, nullable=False),
        Column("name", Text, nullable=False),
        Column("name_key", Text, nullable=False),
        *(Column(flag, Boolean, nullable=False, server_default="0") for flag in ("archived", "paused")),
        Column("external_id", Text),
        Column("created_at", Moment, nullable=False),
        *columns,
        UniqueConstraint("account_id", "uuid"),
        UniqueConstraint("account_id", "name_key"),
        Index(f"uq_{name}_external_id", "account_id", "external_id", unique=True),
    )


buyers = _partner("buyers", Column("agreed_revenue", Money), Column("email", Text))
traffic_sources = _partner("traffic_sources")
_BY_TOKEN = Index(None, "account_id", "token", unique=True)
offers = _partner("offers", Column("payout", Text), Column("token", String(64)), _BY_TOKEN)

teams = Table(
    "teams",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("developer_api", Boolean, nullable=False),
    Column("every_buyer", Boolean, nullable=False),
    Column("records_calls", Boolean, nullable=False, server_default="0"),
    Column("rights", Document, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("account_id", "name_key"),
)

team_users = Table(
    "team_users",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("team_id", BigInteger, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True, index=True),
    Column("pending", Boolean, nullable=False, server_default="0"),
    ForeignKeyConstraint(["account_id", "team_id"], ["teams.account_id", "teams.id"], ondelete="CASCADE"),
    Index(None, "account_id", "user_id"),
)

team_buyers = Table(
    "team_buyers",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("team_id", BigInteger, primary_key=True),
    Column("buyer_id", BigInteger, primary_key=True),
    ForeignKeyConstraint(["account_id", "team_id"], ["teams.account_id", "teams.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["account_id", "buyer_id"], ["buyers.account_id", "buyers.id"], ondelete="CASCADE"),
    Index(None, "account_id", "buyer_id"),
)

share_links = Table(
    "share_links",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("buyer_id", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    ForeignKeyConstraint(["account_id", "buyer_id"], ["buyers.account_id", "buyers.id"], ondelete="CASCADE"),
    Index(None, "account_id", "buyer_id", "id"),
)

_ATTRIBUTE_COLUMNS: dict[Kind, tuple[TypeEngine[Any], str | None]] = {
    Kind.BOOLEAN: (Boolean(), "0"),
    Kind.MONEY: (BigInteger(), None),
    Kind.FIELDS: (Text(), "{}"),
}


def _attribute_columns() -> list[Column[object]]:
    columns: list[Column[object]] = []
    for attribute in ATTRIBUTES:
        kind, blank = _ATTRIBUTE_COLUMNS[attribute.kind]
        columns.append(Column(attribute.name, kind, nullable=blank is None, server_default=blank))
    return columns


calls = Table(
    "calls",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("uuid", Uuid, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("caller_number", Text),
    Column("buyer_id", BigInteger),
    Column("traffic_source_id", BigInteger),
    Column("offer_id", BigInteger),
    Column("status", Text),
    *(Column(name, Text) for name in ("hangup_cause", "disposition", "disposition_notes")),
    *(Column(name, Integer) for name in ("total_duration", "answered_duration")),
    Column("changes", Integer, nullable=False, server_default="0"),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("ended_at", Moment),
    *_attribute_columns(),
    UniqueConstraint("account_id", "number"),
    Index(None, "account_id", "created_at", "number"),
    Index(None, "account_id", "buyer_id", "created_at", "number"),
    Index(None, "account_id", "traffic_source_id", "created_at", "number"),
    Index(None, "account_id", "offer_id", "created_at", "number"),
    Index(None, "account_id", "caller_number", "created_at", "number"),
    ForeignKeyConstraint(["account_id", "buyer_id"], ["buyers.account_id", "buyers.id"]),
    ForeignKeyConstraint(["account_id", "offer_id"], ["offers.account_id", "offers.id"]),
    ForeignKeyConstraint(["account_id", "traffic_source_id"], ["traffic_sources.account_id", "traffic_sources.id"]),
)

call_changes = Table(
    "call_changes",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("call_uuid", Uuid, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("attribute", Text, nullable=False),
    Column("field", Text),
    Column("before", Document),
    Column("after", Document),
    Column("origin", String(16), nullable=False),
    Column("receipt_id", Uuid, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("received_at", Moment, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("call_uuid", Uuid),
    Column("call_ref", Text, nullable=False),
    Column("buyer_id", BigInteger),
    Column("user_id", Id, nullable=False),
    Column("token_id", Uuid),
    Column("route", String(16), nullable=False),
    Column("result", String(16), nullable=False),
    Column("code", String(32), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Index(None, "account_id", "call_uuid", "id"),
    Index(None, "account_id", "result", "id"),
    *(Index(None, "account_id", column, "result", "id") for column in ("user_id", "buyer_id", "token_id")),
)

receipt_payloads = Table(
    "receipt_payloads",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("receipt_id", Uuid, primary_key=True),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("ip", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("understood", Document, nullable=False),
    Column("decided", Document, nullable=False),
    Column("changed", Document, nullable=False),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("done_at", Moment, nullable=False),
    Column("user_id", Id),
    Column("action", String(48), nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Document, nullable=False),
    Index(None, "account_id", "user_id", "id"),
    Index(None, "account_id", "action", "id"),
)

waiting_updates = Table(
    "waiting_updates",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("user_id", Id, nullable=False),
    Column("call_uuid", Uuid, nullable=False),
    Column("waiting_key", Text, nullable=False),
    Column("key_name", Text),
    Column("token_id", Uuid),
    Column("kind", String(16), nullable=False),
    Column("code", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attributes", Text, nullable=False, server_default=""),
    Column("patch", Document, nullable=False),
    Column("details", Document, nullable=False, server_default="{}"),
    Column("route", String(16), nullable=False),
    Column("hops", Integer, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False),
    *(Column(time, Moment, nullable=False) for time in ("received_at", "last_received_at", "expires_at")),
    Column("applied_receipt_id", Uuid),
    UniqueConstraint("account_id", "user_id", "call_uuid", "waiting_key"),
    Index(None, "account_id", "call_uuid", "state"),
    Index(None, "account_id", "state", "id"),
)

waiting_runs = Table(
    "waiting_runs",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("user_id", Id, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("cause", Text, nullable=False),
    Column("bundles", Document, nullable=False),
    Column("up_to", Uuid, nullable=False),
    Column("done_received_at", Moment, nullable=False),
    Column("done_id", Uuid, nullable=False),
    Column("total", Integer, nullable=False),
    Column("applied", Integer, nullable=False),
    Column("refused", Document, nullable=False),
    Column("left_out", Document, nullable=False),
    Column("ended_at", Moment),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("user_id", Id, primary_key=True),
    Column("route", String(16), primary_key=True),
    Column("call_ref", Text, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("answer", Document, nullable=False),
    Column("receipt_id", Uuid, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

credential_failures = Table(
    "credential_failures",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("failed_at", Moment, nullable=False),
    Column("code", String(32), nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("ip", Text, nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("call_uuid", Uuid, primary_key=True),
    Column("erased_at", Moment, nullable=False),
)
