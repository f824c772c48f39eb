"""What can be asked of Ringback: each request as a value, with how its answer is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

from ringback.client.answers import Call, Document, Me, Updated
from ringback.client.errors import Refused, refused
from ringback.client.values import BulkChanges, Changes, Recording, wire_changes

Result = TypeVar("Result")
CallId = str | int | UUID

_KEY = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that was a yes."""

    document: Document
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Request(Generic[Result]):
    """One request; sending it twice does no more than sending it once: it only reads, or it has a key."""

    method: str
    path: str
    read: Callable[[Reply], Result]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    key: str | None = None
    dry_run: bool = False

    @property
    def sent(self) -> dict[str, Any]:
        """The request as the HTTP library takes it."""
        headers = {} if self.key is None else {"Idempotency-Key": self.key}
        if self.dry_run:
            headers["Ringback-Dry-Run"] = "true"
        return {
            "method": self.method,
            "url": self.path,
            "params": self.query,
            "headers": headers,
            "json": self.body,
        }


def update_call(uuid: CallId, changes: Changes, *, dry_run: bool, key: str | None) -> Request[Updated]:
    """Update a call by its UUID."""
    return _post(f"/api/v1/calls/update_call/{_segment(uuid)}", wire_changes(changes), dry_run=dry_run, key=key)


def update_by_caller_id(
    caller_id: str, offer_token: str, call_timeframe: int | None, changes: Changes, *, dry_run: bool, key: str | None
) -> Request[Updated]:
    """Update the newest call of a caller."""
    names = {"offer_token": offer_token} | ({} if call_timeframe is None else {"call_timeframe": call_timeframe})
    path = f"/api/v1/calls/update_by_caller_id/{_segment(caller_id)}"
    return _post(path, names | wire_changes(changes), dry_run=dry_run, key=key)


def bulk_update(updates: Iterable[BulkChanges], *, dry_run: bool, key: str | None) -> Request[list[Updated | Refused]]:
    """Update many calls; each update has a key of its own, if no other then the whole's with its place in it."""
    whole = new_key() if key is None else checked_key(key)
    sent = [
        {"idempotency_key": f"{whole} {place}", **wire_changes(each, BulkChanges)}
        for place, each in enumerate(updates, 1)
    ]
    keys = [checked_key(each["idempotency_key"]) for each in sent]

    def read(reply: Reply) -> list[Updated | Refused]:
        return [_result(document, key) for document, key in zip(reply.document["results"], keys, strict=True)]

    return Request("POST", "/api/v1/calls/bulk_update", read, body={"updates": sent}, key=whole, dry_run=dry_run)


def record_call(caller_number: str, recording: Recording, *, dry_run: bool, key: str | None) -> Request[Updated]:
    """Record a call."""
    body = {"caller_number": caller_number, **wire_changes(recording, Recording)}
    return _post("/api/v1/calls", body, dry_run=dry_run, key=key)


def call(which: CallId) -> Request[Call]:
    """Read a call by its UUID or number."""
    return Request("GET", f"/api/v1/calls/{_segment(which)}", lambda reply: Call.of(reply.document["call"]))


def me() -> Request[Me]:
    """Ask who the credential is."""
    return Request("GET", "/api/v1/me", lambda reply: Me.of(reply.document["me"]))


def new_key() -> str:
    """A key of an update that nobody named."""
    return str(uuid4())


def checked_key(key: object) -> str:
    """A key that a header can carry.

    Raises:
        ValueError: it can't.
    """
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ValueError("an idempotency key is 1 to 255 characters of ASCII, without spaces around them")
    return key


def _post(path: str, body: Mapping[str, object], *, dry_run: bool, key: str | None) -> Request[Updated]:
    sent_key = new_key() if key is None else checked_key(key)
    return Request("POST", path, _updated, body=body, key=sent_key, dry_run=dry_run)


def _result(document: Document, key: str) -> Updated | Refused:
    if document["success"]:
        return Updated.of(document, is_replay=bool(document.get("replayed")))
    error = refused(document["status"], document)
    error.idempotency_key = key
    return error


def _updated(reply: Reply) -> Updated:
    return Updated.of(reply.document, is_replay=reply.is_replay)


def _segment(which: Any) -> str:  # noqa: ANN401 - whatever it is, it becomes one segment of a path
    text = str(which).strip()
    if not text.strip("."):  # one or two dots would be taken for a way up
        raise ValueError("the call is empty; name its UUID, or its caller")
    return quote(text, safe="")
