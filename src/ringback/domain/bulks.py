"""Requests with many updates: which they are, and what makes two of them the same update."""

from __future__ import annotations

from collections.abc import Mapping

from ringback.domain.bodies import Fields, Value
from ringback.domain.errors import Problem

BULK_LIMIT = 4 * 1024 * 1024
"""Bytes of a body with many updates that are read."""

MOST_UPDATES = 1_000
"""Updates that one request may have."""

KEY = "idempotency_key"
"""What an update among many says in place of the header Idempotency-Key."""

_OWN_KEYS = ("event_id", "transaction_id")


def read_updates(fields: Fields) -> tuple[list[Value], list[Problem]]:
    """The updates of a request, and what is wrong with it as a whole."""
    updates = fields.values.get("updates")
    if updates is None:
        return [], [Problem("updates", "missing_value", {"name": "updates"})]
    if not isinstance(updates, list):
        return [], [_unfit("a list of updates")]
    if len(updates) > MOST_UPDATES:
        return [], [_unfit(f"a list of at most {MOST_UPDATES:,} updates")]
    return updates, []


def keys_of(fields: Fields, headers: Mapping[str, str], place: int) -> dict[str, str]:
    """The keys of one update: its own, else those in the headers of the whole request, with its place in it."""
    own = fields.values.get(KEY)
    if isinstance(own, str) and own.strip():
        return {"Idempotency-Key": own.strip()}
    if any(fields.values.get(name) for name in _OWN_KEYS):
        return {}
    return {name: f"{key} {place}" for name, key in headers.items()}


def _unfit(form: str) -> Problem:
    return Problem("updates", "invalid_value", {"reason": f"updates must be {form}"})
