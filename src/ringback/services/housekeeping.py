"""What has to be done now and then: giving up what waited too long, forgetting old keys and sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from ringback.store import idempotency, people, waiting


def tidy(tx: Connection, now: datetime) -> None:
    """Expire waiting updates, and forget keys, sessions and links whose time is over."""
    waiting.expire(tx, now)
    idempotency.forget(tx, now)
    people.forget(tx, now)
