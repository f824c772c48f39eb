"""People who act in an account, as the services see them."""

from __future__ import annotations

from sqlalchemy import Connection

from ringback import entropy
from ringback.services.audit import Actor
from ringback.store import access
from tests.services.requests import NOW


def actor(tx: Connection, account_id: int, user_id: int) -> Actor:
    """A user of an account, at the time of the tests."""
    principal = access.find_member(tx, account_id, user_id).principal
    assert principal is not None
    return Actor(principal, NOW, entropy.new_id)
