"""Webhooks that Ringback signs, by the specification of Standard Webhooks (standardwebhooks.com)."""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from ringback.client.errors import NotConfigured, SignatureMismatch

TOLERANCE = timedelta(minutes=5)
"""How old a webhook may be, or how far ahead its sender's clock."""

_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)
_SECONDS = re.compile(r"[0-9]{1,11}", re.ASCII)


def verify_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance: timedelta = TOLERANCE,
    now: datetime | None = None,
) -> str:
    """Verify that a webhook came from Ringback, unchanged and just now; returns its id.

    Every try to deliver the same webhook has the same id; what was seen already can be passed over by it.

    Args:
        body: exactly as it came, before anything read it as JSON.
        headers: of the request; the case of their names is of no importance.
        secret: the postback's signing secret (``whsec_…``); several while they are rotated, any of which will do.
        tolerance: how much the sender's time may differ.
        now: the present, if not that of this machine.

    Raises:
        SignatureMismatch: it was not signed with one of the secrets, or not just now.
        NotConfigured: a secret is none.
    """
    keys = [_key(each) for each in ([secret] if isinstance(secret, str) else secret)]
    message_id, seconds, signatures = _signed(headers)
    sent_at = datetime.fromtimestamp(int(seconds), UTC)
    if abs((now or datetime.now(UTC)) - sent_at) > tolerance:
        raise SignatureMismatch("the webhook was signed too long ago, or a clock is wrong")
    content = body.encode() if isinstance(body, str) else body
    ours = [_signature(key, f"{message_id}.{seconds}.".encode() + content) for key in keys]
    given = [each.encode() for each in signatures.split()]
    if not any([hmac.compare_digest(each, other) for each in given for other in ours]):  # noqa: C419 - in constant time
        raise SignatureMismatch(
            "no signature of the webhook fits; is it this postback's secret, and the body as it came?"
        )
    return message_id


def _signed(headers: Mapping[str, str]) -> tuple[str, str, str]:
    """The id, the time in seconds and the signatures that the headers name."""
    by_name = {name.lower(): value for name, value in headers.items()}
    message_id, seconds, signatures = (by_name.get(name, "") for name in (_ID, _TIMESTAMP, _SIGNATURE))
    if not message_id or not signatures or not _SECONDS.fullmatch(seconds):
        raise SignatureMismatch(f"the headers {_ID}, {_TIMESTAMP} and {_SIGNATURE} are not all there")
    return message_id, seconds, signatures


def _key(secret: str) -> bytes:
    try:
        key = b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise NotConfigured(f"a signing secret is {_PREFIX} and base64") from None
    if len(key) not in _KEY_BYTES:
        raise NotConfigured(f"a signing secret has {_KEY_BYTES[0]} to {_KEY_BYTES[-1]} bytes")
    return key


def _signature(key: bytes, content: bytes) -> bytes:
    return b"v1," + b64encode(hmac.digest(key, content, sha256))
