"""The one home of randomness: ids and secrets."""

from __future__ import annotations

import random
import secrets
import uuid
from datetime import datetime

import uuid_utils

SECRET_BYTES = 24
"""Random bytes in a key: 192 bits."""


_chance = random.Random()  # noqa: S311 - for what nobody gains by guessing


def new_id() -> str:
    """A UUID of version 7 for a row of ours: sortable by the time it was made (RFC 9562)."""
    return str(uuid_utils.uuid7())


def new_call_uuid() -> str:
    """A UUID of version 4 for a call: it can't be guessed from another."""
    return str(uuid.uuid4())


def secret_bytes() -> bytes:
    """Bytes for a new key."""
    return secrets.token_bytes(SECRET_BYTES)


def random_bytes(size: int) -> bytes:
    """Bytes for a key that seals secrets, or for what is used once beside it."""
    return secrets.token_bytes(size)


def fraction() -> float:
    """A number from 0 up to 1, so that what is tried again doesn't come all at once."""
    return _chance.random()


class Dice(random.Random):
    """Chance that falls alike wherever it is begun alike: for samples, never for secrets."""

    def new_id(self, moment: datetime) -> str:
        """An id as :func:`new_id` would have made it at that moment."""
        stamp = int(moment.timestamp() * 1000).to_bytes(6, "big")
        text = str(uuid.UUID(bytes=stamp + self.randbytes(10), version=4))
        return f"{text[:14]}7{text[15:]}"

    def new_call_uuid(self) -> str:
        """A UUID as :func:`new_call_uuid` makes them."""
        return str(uuid.UUID(bytes=self.randbytes(16), version=4))
