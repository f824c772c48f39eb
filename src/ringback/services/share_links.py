"""Share links: a page with a buyer's posting instructions for whoever has the link, and nothing else of the account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ringback.domain.decisions import read_uuid
from ringback.domain.errors import Problem, Refusal
from ringback.services import audit
from ringback.services.audit import Actor
from ringback.services.people import digest
from ringback.store import accounts, share_links
from ringback.store.share_links import Shared

LIFETIME = timedelta(days=30)
MOST_LINKS = 20
"""How many links of a buyer may work at a time."""

SECRET_BYTES = 16
"""Random bytes in a link: 128 bits."""


def make(tx: Connection, actor: Actor, buyer: Mapping[str, Any], random: bytes) -> str:
    """Make a link to a buyer's posting instructions; returns its secret, which is told once and kept as its digest.

    Raises:
        Refusal: ``invalid_value`` under ``form`` if the buyer has as many links as he may have.
    """
    accounts.lock_settings(tx, actor.account_id)
    if share_links.count_of_buyer(tx, actor.account_id, buyer["id"], actor.now) >= MOST_LINKS:
        reason = f"A buyer has at most {MOST_LINKS} links; revoke one first"
        raise Refusal("invalid_value", problems=[Problem("form", "invalid_value", {"reason": reason})])
    secret = random[:SECRET_BYTES].hex()
    expires_at = actor.now + LIFETIME
    share_links.add(
        tx,
        actor.account_id,
        actor.new_id(),
        buyer_id=buyer["id"],
        digest=digest(secret),
        user_id=actor.principal.user_id,
        now=actor.now,
        expires_at=expires_at,
    )
    audit.note(tx, actor, "share_link.made", _subject(buyer), {"works_until": f"{expires_at:%Y-%m-%d %H:%M} UTC"})
    return secret


def revoke(tx: Connection, actor: Actor, buyer: Mapping[str, Any], link_id: str) -> bool:
    """End a link at once; false if it had ended already."""
    known = read_uuid(link_id)
    is_ended = known is not None and share_links.remove(tx, actor.account_id, buyer["id"], known)
    if is_ended:
        audit.note(tx, actor, "share_link.revoked", _subject(buyer))
    return is_ended


def find(tx: Connection, secret: str, now: datetime) -> Shared | None:
    """What a link opens; nothing if there is none, or if it was revoked or has expired."""
    return share_links.find(tx, digest(secret), now)


def _subject(buyer: Mapping[str, Any]) -> str:
    return f"buyer {buyer['name']}"
