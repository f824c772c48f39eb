"""One request as it goes out, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from ringback.domain.hosts import Objection

BODY_KEPT = 64 * 1024
"""Bytes of an answer that are read."""

LONGEST_WAIT = timedelta(hours=24)
"""What is made of a receiver's wish to wait longer."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NOT_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
OF_CONNECTION = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect"}
    | {"proxy-authorization", "proxy-connection", "accept-encoding"}
)
"""Headers of a connection and of how a request is framed, in small letters."""

_METHOD = re.compile(r"[A-Z]{1,16}")
_SECONDS = re.compile(r"([0-9]{1,9})(?:\.[0-9]*)?")


class Meaning(NamedTuple):
    """What a code says, as two sentences: what happened, and what to do about it."""

    title: str
    hint: str


PROBLEMS: Mapping[str, Meaning] = MappingProxyType(
    {
        "bad_url": Meaning(
            "The URL can't be sent to.",
            "Correct the URL of the postback: https://, a host, a path, and no user name or password in it.",
        ),
        "bad_header": Meaning(
            "A header can't be sent.",
            "Correct the headers of the postback: names of letters and hyphens, values on one line, "
            "and none of those that belong to the connection, such as Host or Content-Length.",
        ),
        "scheme_refused": Meaning(
            "The URL is not an https one.",
            "Use https. A receiver without it, in your own network, must be allowed by the operator of this server "
            "(RINGBACK_DELIVERY_ALLOW).",
        ),
        "address_refused": Meaning(
            "The host leads to an address that nothing is sent to.",
            "Check the host. If it is meant to be in your own network, the operator of this server must allow it "
            "(RINGBACK_DELIVERY_ALLOW).",
        ),
        "dns_failed": Meaning(
            "The host's name can't be resolved.",
            "Check the spelling of the host. If it is right, its name server doesn't answer or doesn't know it.",
        ),
        "connect_failed": Meaning(
            "The host can't be reached.",
            "The receiver's server is down, or a firewall is in the way; ask the receiver.",
        ),
        "tls_failed": Meaning(
            "No secure connection could be made.",
            "The receiver's certificate is expired, made for another host or not signed by a known authority; "
            "ask the receiver to renew it.",
        ),
        "timeout": Meaning(
            "There was no answer in time.",
            "Ask the receiver why it is slow, or give the postback a longer timeout. "
            "The request may have been recorded there all the same.",
        ),
        "reset": Meaning(
            "The connection broke off.",
            "Usually this passes. If not, ask the receiver what its log says at this time.",
        ),
        "no_answer": Meaning(
            "The connection was closed without an answer.",
            "Usually this passes. If not, ask the receiver what its log says at this time.",
        ),
        "bad_answer": Meaning(
            "The answer is not HTTP.",
            "Check host and port: something else than a web server may listen there.",
        ),
        "our_mistake": Meaning(
            "Ringback itself made a mistake in sending this.",
            "It is tried again. If it stays so, report it with what the server's log says of this delivery.",
        ),
    }
)
"""Why there is no status: code to sentences."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request to be sent; ``timeout`` is in seconds and covers everything."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)
    timeout: float = 10.0

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return _first(self.headers, name)

    @property
    def objection(self) -> Objection | None:
        """Why its headers can't be sent: a line break in one would begin another, or a second request."""
        if not _METHOD.fullmatch(self.method):
            return Objection("bad_header", "the method is not a word of capital letters")
        for name, value in self.headers:
            if objection := _objection_to_header(name):
                return objection
            if _NOT_IN_VALUE.search(value):
                return _with_bad_character(name)
        return None


@dataclass(frozen=True, slots=True)
class Milliseconds:
    """How long things took; None where they did not happen: a connection that was there needs no DNS.

    ``first_byte`` is counted from the start, as ``total`` is, and means the head of the answer.
    """

    total: int
    dns: int | None = None
    connect: int | None = None
    first_byte: int | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came of a request: an answer's status, or the problem why there is none.

    Attributes:
        body: at most ``BODY_KEPT`` bytes, as they came.
        truncated: whether there was or would have been more of it.
        problem: a code of ``PROBLEMS``, if there is no status.
        detail: the particulars, free of what was sent.
        address: where it went.
    """

    started_at: datetime
    took: Milliseconds
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    truncated: bool = False
    problem: str | None = None
    detail: str = ""
    address: str | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return _first(self.headers, name)


def bare(exchange: Exchange | None, now: datetime) -> Exchange:
    """What is left of an exchange that we can't make sense of: its status if there is one, else that we failed."""
    if exchange is None or exchange.status is None:
        return Exchange(now, Milliseconds(0), problem="our_mistake")
    return Exchange(exchange.started_at, exchange.took, status=exchange.status, address=exchange.address)


def retry_after(text: str | None, now: datetime) -> timedelta:
    """How long a receiver asks to wait: seconds or a date (RFC 9110), a day at most; what can't be read is no wish."""
    if not text:
        return timedelta(0)
    text = text.strip()
    seconds = _SECONDS.fullmatch(text)
    if seconds:
        return min(timedelta(seconds=int(seconds[1])), LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return timedelta(0)
    wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


@lru_cache(maxsize=1024)
def _objection_to_header(name: str) -> Objection | None:
    if not _HEADER_NAME.fullmatch(name):
        return _with_bad_character(name)
    if name.lower() in OF_CONNECTION:
        return Objection("bad_header", f"the header {name[:80]} is set by Ringback itself")
    return None


def _with_bad_character(name: str) -> Objection:
    return Objection("bad_header", f"the header {name[:80]!a} has a character that none may have")


def _first(headers: tuple[tuple[str, str], ...], name: str) -> str | None:
    name = name.lower()
    for each, value in headers:
        if each.lower() == name:
            return value
    return None
