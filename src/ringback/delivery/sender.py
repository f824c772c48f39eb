"""Sends one request, and tells what came of it, whatever the receiver does."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache

from ringback import __version__
from ringback.delivery.answers import BadAnswerError
from ringback.delivery.connection import LateError, NoAnswerError
from ringback.delivery.connections import Connections, NotConnectedError
from ringback.delivery.guard import DNS_SECONDS, Guard, RefusedError
from ringback.delivery.journeys import Journey
from ringback.delivery.lookups import Lookup, SystemLookup
from ringback.domain.addresses import Allowed
from ringback.domain.exchanges import Exchange, Outgoing
from ringback.domain.hosts import Objection, Target, UrlError, read_target

_HEADERS = (("User-Agent", f"Ringback/{__version__}"), ("Accept", "*/*"), ("Accept-Encoding", "identity"))
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods of which a server wants to know that no body comes, if none does (RFC 9110, 8.6)."""


class Sender:
    """Sends requests over connections that it keeps."""

    def __init__(self, connections: Connections, allowed: Allowed) -> None:
        self._connections = connections
        self._objection = lru_cache(maxsize=1024)(allowed.objection_to)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        allowed: Allowed,
        *,
        tls: ssl.SSLContext | None = None,
        lookup: Lookup | None = None,
        dns_seconds: float = DNS_SECONDS,
    ) -> AsyncIterator[Sender]:
        """A sender that works until its context is left.

        Args:
            allowed: what the operator allows beyond ordinary addresses and https.
            tls: whose certificates are believed; the system's authorities by default.
            lookup: who tells the addresses of names; the system by default.
            dns_seconds: how long that may take.
        """
        system = SystemLookup()
        guard = Guard(allowed, lookup or system, dns_seconds)
        connections = Connections(guard, tls or ssl.create_default_context())
        try:
            yield cls(connections, allowed)
        finally:
            await connections.close()
            await guard.close()
            system.close()

    async def send(self, outgoing: Outgoing) -> Exchange:
        """Send a request once; never raises for what it is or what the receiver does."""
        journey = Journey()
        try:
            target = read_target(outgoing.url)
        except UrlError as error:
            return journey.end(error.objection)
        if objection := outgoing.objection or self._objection(target.host, plain=target.is_plain):
            return journey.end(objection)
        request, until = _written(outgoing, target), journey.now() + outgoing.timeout
        try:
            connection = await self._connections.take(target, journey, until)
            journey.address = connection.address
            try:
                await connection.exchange(outgoing.method, request, journey.answer, until)
            finally:
                self._connections.put_back(target, connection)
        except LateError:
            return journey.end(journey.timed_out(outgoing.timeout))
        except (NotConnectedError, NoAnswerError, BadAnswerError, OSError) as error:
            return journey.end(_failure(error))
        return journey.end()


def _written(outgoing: Outgoing, target: Target) -> bytes:
    """A request as it goes over the wire. Its target is ASCII, and its headers were looked at."""
    body = outgoing.body or b""
    head = f"{outgoing.method} {target.path} HTTP/1.1\r\nHost: {target.authority}\r\n"
    for name, value in outgoing.headers:
        head += f"{name}: {value}\r\n"
    head += _added(tuple([name for name, _ in outgoing.headers]))
    if body or outgoing.method in _WITH_BODY:
        head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


@lru_cache(maxsize=1024)
def _added(names: tuple[str, ...]) -> str:
    """The lines of our own, but for those that are given."""
    given = {name.lower() for name in names}
    return "".join(f"{name}: {value}\r\n" for name, value in _HEADERS if name.lower() not in given)


def _failure(error: Exception) -> Objection:
    """The problem that an exception tells of, in words in which nothing stands of what was sent."""
    if isinstance(error, RefusedError):
        return error.objection
    if isinstance(error, NotConnectedError):
        return _not_connected(error)
    if isinstance(error, NoAnswerError):
        return Objection("no_answer", "")
    if isinstance(error, OSError):
        return Objection("reset", _said(error))
    return Objection("bad_answer", str(error))


def _not_connected(error: NotConnectedError) -> Objection:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Objection("tls_failed", cause.verify_message)
    code = "tls_failed" if isinstance(cause, ssl.SSLError) else error.code
    return Objection(code, _said(cause) if isinstance(cause, OSError) else "")


def _said(error: OSError) -> str:
    return error.strerror or str(error)
