"""The table of access tokens that an account has blocked. Beside ``schema``, whose conventions hold here too."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table

from ringback.store.schema import Id, Moment, Uuid, metadata

blocked_tokens = Table(
    "blocked_tokens",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("token_id", Uuid, ForeignKey("access_tokens.id"), primary_key=True),
    Column("blocked_at", Moment, nullable=False),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
)
