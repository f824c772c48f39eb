"""Answers as HTTP: status, headers and JSON, plain or as RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from ringback.domain.answers import refusal_document
from ringback.domain.errors import Refusal

Send = Callable[[dict[str, Any]], Awaitable[None]]
"""The ASGI channel that an answer goes out by."""

RETRY_AFTER_BUSY = "1"
RETRY_AFTER_THROTTLED = "60"
"""Seconds."""

NEWLINE = b"\n"
"""What every answer ends with, so that a terminal's prompt doesn't stick to it."""

_CHALLENGE = b'Basic realm="Ringback", charset="UTF-8"'
_PROBLEM = "application/problem+json"
_encode = msgspec.json.Encoder().encode


async def send_answer(
    send: Send,
    status: int,
    document: Mapping[str, object],
    *,
    accept: str = "",
    replayed: bool = False,
    retry_after: str = "",
    allow: str = "",
) -> None:
    """Send a JSON answer; the headers follow from its status."""
    is_problem = not document.get("success", True) and _PROBLEM in accept
    body = encode(as_problem(document) if is_problem else document) + NEWLINE
    headers = [
        (b"content-type", b"application/problem+json" if is_problem else b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *((name.encode(), value.encode()) for name, value in extra_headers(status).items()),
    ]
    if replayed:
        headers.append((b"idempotent-replayed", b"true"))
    if retry_after:
        headers.append((b"retry-after", retry_after.encode()))
    if allow:
        headers.append((b"allow", allow.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_refusal(send: Send, refusal: Refusal, *, accept: str = "") -> None:
    """Send the answer to a request that can't be done."""
    allow = refusal.details.get("allowed", "")
    await send_answer(send, refusal.code.status, refusal_document(refusal), accept=accept, allow=allow)


def extra_headers(status: int) -> dict[str, str]:
    """The headers that belong to a status: the challenge of a 401, the wait of a 429 or 503."""
    if status == 401:  # noqa: PLR2004 - these are the statuses' own names
        return {"www-authenticate": _CHALLENGE.decode()}
    waits = {429: RETRY_AFTER_THROTTLED, 503: RETRY_AFTER_BUSY}
    return {"retry-after": waits[status]} if status in waits else {}


def as_problem(document: Mapping[str, object]) -> dict[str, object]:
    """A failure as problem details (RFC 9457); what is ours stays as further members."""
    ours = {name: value for name, value in document.items() if name not in {"success", "message"}}
    return {
        "type": f"/api/docs/errors#{document['code']}",
        "title": document["message"],
        "detail": document["hint"],
        **ours,
    }


def encode(document: object) -> bytes:
    """JSON; half characters, which no JSON text may carry, are replaced."""
    try:
        return _encode(document)
    except UnicodeEncodeError:
        return _encode(_whole(document))


def _whole(value: object) -> object:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_whole(key): _whole(each) for key, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, (list, tuple)) else value
