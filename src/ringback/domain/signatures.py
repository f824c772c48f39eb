"""Signed requests, by the specification of Standard Webhooks (standardwebhooks.com), version 1, symmetric.

The signature covers id, time and body, so that a receiver knows that a request came from here, unchanged and just now.
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from ringback.domain.errors import RingbackError

PREFIX = "whsec_"
SHORTEST_KEY, LONGEST_KEY = 24, 64
"""Bytes of a key."""

TOLERANCE = timedelta(minutes=5)
"""How old a request may be, or how far ahead the sender's clock."""

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"

_VERSION = "v1"
_SECONDS = re.compile(r"[0-9]{1,11}")


class SignatureError(RingbackError):
    """A secret that is none, or a request that wasn't signed with one; the message says why."""


def make_secret(random: bytes) -> str:
    """A secret of 24 to 64 random bytes, as it is shown to the receiver."""
    return PREFIX + b64encode(random).decode()


def read_key(text: str) -> bytes:
    """The key of a secret, with or without its prefix.

    Raises:
        SignatureError: it is none.
    """
    try:
        key = b64decode(text.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError(f"a signing secret is {PREFIX} and base64") from None
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise SignatureError(f"a signing secret has {SHORTEST_KEY} to {LONGEST_KEY} bytes")
    return key


def sign(keys: Sequence[bytes], message_id: str, sent_at: datetime, body: bytes) -> tuple[tuple[str, str], ...]:
    """The headers that sign a request.

    Args:
        keys: the keys that are valid: the newest, and while secrets are rotated the one before.
        message_id: the same for every attempt; without a full stop.
        sent_at: the time of this attempt.
        body: exactly as it is sent.
    """
    seconds = str(int(sent_at.timestamp()))
    signatures = " ".join(_signature(key, message_id, seconds, body) for key in keys)
    return ((ID, message_id), (TIMESTAMP, seconds), (SIGNATURE, signatures))


def verify(
    keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime, tolerance: timedelta = TOLERANCE
) -> str:
    """The id of a request that was signed with one of the keys.

    Args:
        keys: the keys that are valid.
        headers: by names in small letters.
        body: exactly as it came.
        now: the present.
        tolerance: how much the sender's time may differ.

    Raises:
        SignatureError: it wasn't, or not now.
    """
    message_id, seconds, signatures = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not message_id or not signatures or not _SECONDS.fullmatch(seconds):
        raise SignatureError(f"the headers {ID}, {TIMESTAMP} and {SIGNATURE} are not all there")
    if abs(now - datetime.fromtimestamp(int(seconds), UTC)) > tolerance:
        raise SignatureError("the request was signed too long ago, or a clock is wrong")
    given = [each.encode() for each in signatures.split()]
    ours = [_signature(key, message_id, seconds, body).encode() for key in keys]
    if not any([hmac.compare_digest(each, other) for each in given for other in ours]):  # noqa: C419 - in constant time
        raise SignatureError("no signature fits")
    return message_id


def _signature(key: bytes, message_id: str, seconds: str, body: bytes) -> str:
    digest = hmac.digest(key, f"{message_id}.{seconds}.".encode() + body, sha256)
    return f"{_VERSION},{b64encode(digest).decode()}"
