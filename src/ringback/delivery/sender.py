"""Sends one request, and tells what came of it, whatever the receiver does."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
)
from yarl import URL

from ringback import __version__
from ringback.delivery.guard import DNS_SECONDS, TARGET, Guard, GuardedConnector, Lookup, RefusedError, SystemLookup
from ringback.delivery.journeys import JOURNEY, Journey
from ringback.domain.addresses import Allowed
from ringback.domain.exchanges import Exchange, Outgoing
from ringback.domain.hosts import Objection, Target, UrlError, read_target

_HEADERS = (("User-Agent", f"Ringback/{__version__}"), ("Accept", "*/*"), ("Accept-Encoding", "identity"))
_NO_LIMIT = ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


class Sender:
    """Sends requests over connections that it keeps."""

    def __init__(self, session: ClientSession, allowed: Allowed) -> None:
        self._session = session
        self._allowed = allowed

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
        connector = GuardedConnector(guard, tls or ssl.create_default_context())
        session = ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            timeout=_NO_LIMIT,
            middlewares=(_once,),
            skip_auto_headers=("Content-Type",),
        )
        try:
            async with session:
                yield cls(session, allowed)
        finally:
            await guard.close()
            system.close()

    async def send(self, outgoing: Outgoing) -> Exchange:
        """Send a request once; never raises for what it is or what the receiver does."""
        journey = Journey()
        try:
            target = read_target(outgoing.url)
        except UrlError as error:
            return journey.end(error.objection)
        if objection := outgoing.objection or self._allowed.objection_to(target):
            return journey.end(objection)
        try:
            async with asyncio.timeout(outgoing.timeout):
                await self._exchange(target, outgoing, journey)
        except TimeoutError:
            return journey.end(journey.timed_out(outgoing.timeout))
        except (_BrokenError, ClientError, OSError, ValueError) as error:
            return journey.end(_failure(error.__cause__ if isinstance(error, _BrokenError) else error))
        return journey.end()

    async def _exchange(self, target: Target, outgoing: Outgoing, journey: Journey) -> None:
        JOURNEY.set(journey)
        TARGET.set(target)
        headers = [*outgoing.headers, *(each for each in _HEADERS if outgoing.header(each[0]) is None)]
        response = await self._session.request(
            outgoing.method,
            URL(target.url, encoded=True),
            headers=headers,
            data=outgoing.body,
            allow_redirects=False,
        )
        try:
            await journey.read(response)
        finally:
            response.close()


class _BrokenError(Exception):
    """The connection was not made or broke off; the cause says how."""


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from sending a second time by itself what is idempotent: each attempt is one, and in the log."""
    try:
        return await handler(request)
    except (ClientOSError, ServerDisconnectedError) as error:
        raise _BrokenError from error


_CODES: tuple[tuple[type[BaseException], str], ...] = (
    (ClientConnectorDNSError, "dns_failed"),
    (ClientConnectorCertificateError, "tls_failed"),
    (ClientSSLError, "tls_failed"),
    (ClientConnectorError, "connect_failed"),
    (ServerDisconnectedError, "no_answer"),
    (OSError, "reset"),
)
"""By exception, the first that fits; everything else is an answer that can't be read."""


def _failure(error: BaseException | None) -> Objection:
    """The problem that an exception tells of. Its own words are not used where the URL stands in them."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "bad_answer")
    if isinstance(error, ClientConnectorCertificateError):
        return Objection(code, str(getattr(error.certificate_error, "verify_message", "")))
    if isinstance(error, ClientConnectorError):
        refused = error.os_error
        return refused.objection if isinstance(refused, RefusedError) else Objection(code, _said(refused))
    if isinstance(error, ClientResponseError):
        return Objection(code, error.message)
    return Objection(code, _said(error) if isinstance(error, OSError) else "")


def _said(error: OSError) -> str:
    return error.strerror or str(error)
