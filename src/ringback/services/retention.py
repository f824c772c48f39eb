"""Removing what has been kept long enough; what calls are worth, and the ledger of it, always stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain.retention import Kind, Retention
from ringback.store import accounts
from ringback.store import retention as store

AT_ONCE = 500
"""How many rows are removed in one transaction, so that nobody's updates wait long for it."""


@dataclass(frozen=True, slots=True)
class Due:
    """What of an account is to go: everything of a kind that came before a time."""

    account_id: int
    kind: Kind
    end: datetime


def list_due(tx: Connection, retention: Retention, now: datetime) -> list[Due]:
    """What is to go, account by account."""
    ends = retention.ends(now)
    return [Due(account.id, kind, end) for account in accounts.list_accounts(tx) for kind, end in ends.items()]


def count(tx: Connection, due: Due) -> int:
    """How much of it there is."""
    return store.count(tx, due.account_id, due.kind, due.end)


def drop(tx: Connection, due: Due) -> int:
    """Remove the oldest of it, ``AT_ONCE`` rows at most; returns how many rows that were."""
    return store.drop(tx, due.account_id, due.kind, due.end, limit=AT_ONCE)
