"""Requests that a command sends: to one address, followed nowhere; ``*.localhost`` is this machine, without DNS."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from ringback import __version__
from ringback.domain.errors import RingbackError

SECONDS = 30
LARGEST_ANSWER = 1024 * 1024


class HttpError(RingbackError):
    """A request that got no answer, or not the one that was needed."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class Resolver(AbstractResolver):
    """Names under ``localhost`` are this machine (RFC 6761), whatever the C library says; others are looked up."""

    def __init__(self) -> None:
        self._others = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name."""
        if not is_local(host):
            return await self._others.resolve(host, port, family)
        loopback = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
        return [
            ResolveResult(hostname=host, host=ip, port=port, family=each, proto=0, flags=socket.AI_NUMERICHOST)
            for each, ip in loopback
        ]

    async def close(self) -> None:
        """Nothing is held."""
        await self._others.close()


def is_local(host: str) -> bool:
    """Whether a name is this machine's own."""
    return host == "localhost" or host.endswith(".localhost")


def get(url: str) -> Answer:
    """Ask for what is at a URL.

    Raises:
        HttpError: there is no answer.
    """
    return send(Request("GET", url))


def send(request: Request) -> Answer:
    """Send a request and read its answer.

    Raises:
        HttpError: there is no answer.
    """
    return asyncio.run(exchange(request))


async def exchange(request: Request) -> Answer:
    """The same, beside others.

    Raises:
        HttpError: there is no answer.
    """
    parts = checked(request.url)
    host, where = parts.hostname or "", _where(parts)
    connector = aiohttp.TCPConnector(resolver=Resolver())
    limits = aiohttp.ClientTimeout(total=SECONDS)
    headers = {"User-Agent": f"ringback/{__version__}", **request.headers}
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=limits, trust_env=not is_local(host)) as session,
            session.request(
                request.method,
                request.url,
                headers=headers,
                data=request.body or None,
                allow_redirects=False,
            ) as answer,
        ):
            return Answer(answer.status, answer.reason or "", dict(answer.headers), await _read(answer))
    except aiohttp.ClientConnectorError as error:
        reason = os.strerror(error.os_error.errno) if error.os_error.errno else error.os_error
        raise HttpError(f"can't reach {where}: {reason}") from error
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise HttpError(f"no answer from {where}: {str(error) or 'it took too long'}") from error


def checked(url: str) -> SplitResult:
    """The parts of a URL that can be asked.

    Raises:
        HttpError: it is none.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise HttpError(f"{url} is not a URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise HttpError(f"{url} is not a URL: it must begin with http:// or https:// and a host")
    return parts


def _where(parts: SplitResult) -> str:
    """Host and port of a URL."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in answer.content.iter_chunked(65536):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            break
    return body[:LARGEST_ANSWER]
