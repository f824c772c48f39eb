"""What has to be done now and then: giving up what waited too long, forgetting old keys and sessions, adding up."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from ringback.store import figures, idempotency, people, recounts, rollups, share_links, waiting


def tidy(tx: Connection, now: datetime) -> dict[str, int]:
    """Expire waiting updates, and forget keys, sessions and links whose time is over.

    Returns:
        How many were forgotten of each kind.
    """
    waiting.expire(tx, now)
    return {
        "sessions": people.forget(tx, now) + share_links.forget(tx, now),
        "keys": idempotency.forget(tx, now),
    }


def try_tidy(tx: Connection, now: datetime) -> dict[str, int]:
    """How much :func:`tidy` would forget; nothing is."""
    savepoint = tx.begin_nested()
    try:
        return tidy(tx, now)
    finally:
        savepoint.rollback()


def add_up(tx: Connection) -> bool:
    """Add some of the newest changes to the figures; returns whether there may be more of them."""
    return rollups.add_up(tx)


def recount(tx: Connection, account_id: int, day: datetime) -> bool:
    """Make the figures of a day (UTC) anew from its calls and receipts; returns whether they were others."""
    spans = [(day, day + timedelta(days=1))]
    before = figures.sum_calls(tx, account_id, spans), figures.count_updates(tx, account_id, spans)
    recounts.recount(tx, account_id, day)
    return before != (figures.sum_calls(tx, account_id, spans), figures.count_updates(tx, account_id, spans))
