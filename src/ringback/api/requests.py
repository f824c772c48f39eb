"""Requests as they come off the wire: headers, a bounded body, the credential, masked copies for receipts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ringback.api.places import Scope
from ringback.domain.bodies import BODY_LIMIT, Fields, read_fields
from ringback.domain.credentials import Credential, read_credential
from ringback.domain.errors import Refusal
from ringback.domain.jsontext import Value, write_json
from ringback.domain.masking import mask, mask_text
from ringback.domain.receipts import BODY_KEPT, Arrived
from ringback.domain.updates import Warned

Receive = Callable[[], Awaitable[dict[str, Any]]]
"""The ASGI channel that a request comes in by."""

HEAD_LIMIT = 32 * 1024
"""Bytes that path, query string and headers may have together."""

BODY_DRAINED = 8 * 1024 * 1024
"""Bytes of a body that is too large which are still taken in, so that its sender gets to read the answer."""

BODY_SECONDS = 30
"""How long a body may take to arrive."""

LARGE_BODY = 64 * 1024
"""Bytes; a body that has more is read in a thread, one after the other, so that everybody else gets his turn."""

MASKED_BEYOND = 4 * 1024
"""Bytes of a body beyond those that are kept, so that a secret at the cut is seen whole; none is longer."""

MOST_SECRETS = 4
"""How many of the credentials that were sent are looked for in the rest of the request."""

_READER = ThreadPoolExecutor(1, thread_name_prefix="reader")
_SECRET = re.compile(r"[\w.:+/=-]{8,256}", re.ASCII)
_HOPS = re.compile(rb"[0-9]{1,4}")
_KEY_HEADERS = {b"idempotency-key": "Idempotency-Key", b"webhook-id": "webhook-id"}


class Disconnected(Exception):
    """The sender went away before the request was complete."""


class Headers(Struct):
    """The headers that Ringback looks at."""

    authorization: list[bytes] = []
    keys: dict[str, str] = {}
    content_type: str = ""
    accept: str = ""
    dry_run: str | None = None
    hops: int = 0


class Incoming(Struct, frozen=True):
    """One request, read: its fields and credential, or why they couldn't be read, and what its receipt keeps."""

    headers: Headers
    fields: Fields
    credential: Credential | Refusal
    arrived: Arrived
    refusal: Refusal | None

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What was odd about the credential."""
        codes = self.credential.warnings if isinstance(self.credential, Credential) else ()
        return tuple(Warned(code, {}) for code in codes)


def check_head(scope: Scope) -> None:
    """Check that path, query string and headers are not unreasonably long.

    Raises:
        Refusal: ``head_too_large``.
    """
    size = len(scope["path"]) + len(scope["query_string"])
    if size + sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_LIMIT:
        raise Refusal("head_too_large", limit=str(HEAD_LIMIT // 1024))


def read_headers(scope: Scope) -> Headers:
    """The headers of a request."""
    headers = Headers()
    for name, value in scope["headers"]:
        if name == b"authorization":
            headers.authorization.append(value)
        elif name == b"content-type":
            headers.content_type = value.decode("latin-1")
        elif name == b"accept":
            headers.accept = value.decode("latin-1")
        elif name == b"ringback-dry-run":
            headers.dry_run = value.decode("latin-1")
        elif name == b"ringback-hops":
            headers.hops = int(value) if _HOPS.fullmatch(value) else 0
        elif name in _KEY_HEADERS:
            headers.keys[_KEY_HEADERS[name]] = value.decode("latin-1").strip()
    return headers


async def read_body(scope: Scope, receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """The body of a request.

    Raises:
        Refusal: ``too_large``, ``timeout``.
        Disconnected: the sender went away.
    """
    if scope.get("state", {}).get("arrived"):  # whole, as the server says, so there is nothing to wait for
        return await _gather(receive, limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _gather(receive, limit)
    except TimeoutError as error:
        raise Refusal("timeout", seconds=str(BODY_SECONDS)) from error


async def _gather(receive: Receive, limit: int) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        size += len(message.get("body", b""))
        if size <= limit:
            chunks.append(message.get("body", b""))
        if not message.get("more_body") or size > BODY_DRAINED:
            break
    if size > limit:
        raise Refusal("too_large", limit=str(limit // 1024))
    return b"".join(chunks)


async def read_request(scope: Scope, receive: Receive, ip: str, limit: int = BODY_LIMIT) -> Incoming:
    """Read a request, leniently; what can't be read is kept as a refusal, since a known sender is owed a receipt.

    Raises:
        Disconnected: the sender went away.
    """
    refusal: Refusal | None = None
    body = b""
    try:
        body = await read_body(scope, receive, limit)
    except Refusal as error:
        refusal = error
    if len(body) <= LARGE_BODY:
        return _understand(scope, body, ip, refusal)
    return await asyncio.get_running_loop().run_in_executor(_READER, _understand, scope, body, ip, refusal)


def _understand(scope: Scope, body: bytes, ip: str, refusal: Refusal | None) -> Incoming:
    headers, fields = read_headers(scope), Fields({}, {}, ())
    if refusal is None:
        try:
            fields = read_fields(scope["query_string"], headers.content_type, body)
        except Refusal as error:
            refusal = error
    credential = _credential(headers, fields, scope["query_string"])
    return Incoming(headers, fields, credential, _arrived(scope, headers, body, ip, credential), refusal)


def head_credential(scope: Scope) -> Credential | Refusal:
    """The credential of a request, as far as it is known before its body."""
    return _credential(read_headers(scope), Fields({}, {}, ()), scope["query_string"])


def _credential(headers: Headers, fields: Fields, query: bytes) -> Credential | Refusal:
    """The credential; what the query string names counts also where the body names another, or can't be read."""
    named = [fields.values.get("auth_token")]
    try:
        if query and fields.sources.get("auth_token") != "query":
            named.append(read_fields(query, "", b"").values.get("auth_token"))
        return read_credential(headers.authorization, [str(value) for value in named if value is not None])
    except Refusal as refusal:
        return refusal


def _arrived(scope: Scope, headers: Headers, body: bytes, ip: str, credential: Credential | Refusal) -> Arrived:
    """What a receipt keeps; every secret is masked before anything else is done with it."""
    secrets = _presented(headers, credential)
    path = scope.get("raw_path") or scope["path"].encode()
    if scope["query_string"]:
        path += b"?" + scope["query_string"]
    return Arrived(
        method=scope["method"],
        path=mask(path, secrets).decode("ascii", "backslashreplace"),
        content_type=_masked_type(headers.content_type, secrets),
        body=_kept(body, secrets),
        ip=ip,
    )


def part_of(incoming: Incoming, part: Value) -> Arrived:
    """What the receipt of one part of a JSON body keeps: the request, with only this of its body."""
    body = write_json(part).encode(errors="replace")
    return replace(incoming.arrived, body=_kept(body, _presented(incoming.headers, incoming.credential)))


def _kept(body: bytes, secrets: tuple[str, ...]) -> bytes:
    """What is kept of a body, masked; of one that is cut, the end that may hold half a secret goes too."""
    most = BODY_KEPT + MASKED_BEYOND
    masked = mask(body[:most], secrets)
    return masked[:BODY_KEPT] if len(body) <= most else masked[: min(BODY_KEPT, len(masked) - MASKED_BEYOND)]


@lru_cache(maxsize=256)
def _masked_type(content_type: str, secrets: tuple[str, ...]) -> str:
    return mask_text(content_type, secrets)


def _presented(headers: Headers, credential: Credential | Refusal) -> tuple[str, ...]:
    """What was sent as a credential, to be looked for elsewhere; what was refused may be a real one, misspelt."""
    if isinstance(credential, Credential):
        parts = [credential.secret]
    else:
        parts = [part for value in headers.authorization for part in value.decode("latin-1").split()[1:]]
    return tuple(part for part in parts if _SECRET.fullmatch(part))[:MOST_SECRETS]
