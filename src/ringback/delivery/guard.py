"""Where connections go: every address is vetted when its name is resolved, and again as its socket is made.

Names are resolved here and nowhere else, so a connection goes to exactly what was vetted, whatever the name means a
moment later. A connection that is kept open goes where it went.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from ipaddress import ip_address
from ssl import SSLContext
from typing import TypeAlias

from aiohttp import AddrInfoType, ClientRequest, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from ringback.delivery.journeys import JOURNEY
from ringback.domain.addresses import LOOPBACK, Address, Allowed
from ringback.domain.hosts import Objection, Target, is_localhost

Lookup: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""What tells the addresses of a name, or raises ``OSError``."""

DNS_SECONDS = 5.0
"""How long a name may take to resolve."""

DNS_THREADS = 16
"""How many names can be asked for at once."""


IDLE_SECONDS = 4.0
"""How long an unused connection is kept: less than most servers keep theirs, lest both close and send at once."""

TARGET: ContextVar[Target] = ContextVar("target")
"""Where the present task sends to; aiohttp doesn't tell all of it."""


class RefusedError(OSError):
    """Nothing is sent there; as an ``OSError`` aiohttp takes it for a connection that can't be made."""

    def __init__(self, objection: Objection) -> None:
        super().__init__(objection.reason)
        self.objection = objection


class SystemLookup:
    """Asks the system, in threads of its own: what waits for a dead name server keeps nothing else waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(DNS_THREADS, thread_name_prefix="dns")

    async def __call__(self, name: str) -> Sequence[str]:
        """The addresses of a name."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _ask, name)

    def close(self) -> None:
        """Ask nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _ask(name: str) -> Sequence[str]:
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Guard(AbstractResolver):
    """Tells of a name those addresses that may be connected to."""

    def __init__(self, allowed: Allowed, lookup: Lookup, seconds: float = DNS_SECONDS) -> None:
        self.allowed = allowed
        self._lookup = lookup
        self._seconds = seconds
        self._under_way: dict[str, asyncio.Future[Sequence[str]]] = {}

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - aiohttp's words; any family will do
    ) -> list[ResolveResult]:
        """The vetted addresses of a name.

        Raises:
            RefusedError: it has addresses, none of which may be connected to.
            OSError: it has none, or none could be learnt in time.
        """
        JOURNEY.get().mark("resolving")
        vetted, objections = [], []
        for address in LOOPBACK if is_localhost(host) else await self._addresses(host):
            objection = self.allowed.objection(host, address, plain=TARGET.get().is_plain)
            if objection is None:
                vetted.append(_result(host, address, port))
            else:
                objections.append(objection)
        if objections and not vetted:
            raise RefusedError(objections[0])
        JOURNEY.get().mark("resolved")
        return vetted

    async def close(self) -> None:
        """Wait for no answer any more."""
        for lookup in self._under_way.values():
            lookup.cancel()

    async def _addresses(self, host: str) -> list[Address]:
        """Ask; whoever asks for the same name meanwhile waits for the same answer, so that none takes two threads."""
        lookup = self._under_way.get(host)
        if lookup is None:
            lookup = self._under_way[host] = asyncio.ensure_future(self._lookup(host))
            lookup.add_done_callback(lambda done: self._answered(host, done))
        try:
            async with asyncio.timeout(self._seconds):
                found = await asyncio.shield(lookup)
        except TimeoutError:
            raise OSError(f"no name server answered within {self._seconds:g} s") from None
        if not found:
            raise OSError("the name has no address")
        return [ip_address(address) for address in found]

    def _answered(self, host: str, lookup: asyncio.Future[Sequence[str]]) -> None:
        del self._under_way[host]
        if not lookup.cancelled():
            lookup.exception()  # known, even if nobody waits for it any more


def _result(host: str, address: Address, port: int) -> ResolveResult:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - the version of IP
    return ResolveResult(hostname=host, host=str(address), port=port, family=family, proto=0, flags=_NUMERIC)


_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class GuardedConnector(TCPConnector):
    """Connects to nothing but what may be connected to, and tells the journey when it did and where it went.

    How many connections a host has at a time is up to who sends.
    """

    def __init__(self, guard: Guard, tls: SSLContext) -> None:
        super().__init__(
            resolver=guard,
            use_dns_cache=False,
            ssl=tls,
            limit=0,
            keepalive_timeout=IDLE_SECONDS,
            socket_factory=self._socket,
        )
        self._allowed = guard.allowed

    def _socket(self, info: AddrInfoType) -> socket.socket:
        """A socket to connect to an address with: the last place to refuse one, and the only for one in a URL."""
        address, target = ip_address(info[4][0]), TARGET.get()
        if objection := self._allowed.objection(target.host, address, plain=target.is_plain):
            raise RefusedError(objection)
        JOURNEY.get().mark("connecting")
        return socket.socket(*info[:3])

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:  # noqa: ASYNC109
        """A connection, from the pool or a new one."""
        connection = await super().connect(req, traces, timeout)
        JOURNEY.get().arrive(connection.transport)
        return connection
