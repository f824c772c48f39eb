"""The one home of randomness: ids and secrets."""

from __future__ import annotations

import secrets
import uuid

import uuid_utils

SECRET_BYTES = 24
"""Random bytes in a key: 192 bits."""


def new_id() -> str:
    """A UUID of version 7 for a row of ours: sortable by the time it was made (RFC 9562)."""
    return str(uuid_utils.uuid7())


def new_call_uuid() -> str:
    """A UUID of version 4 for a call: it can't be guessed from another."""
    return str(uuid.uuid4())


def secret_bytes() -> bytes:
    """Bytes for a new key."""
    return secrets.token_bytes(SECRET_BYTES)
