"""Connections to the servers of others: made where the guard allows, used again, closed before the other side does.

How many connections a host has at a time is up to who sends.
"""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict, deque
from collections.abc import Sequence
from ipaddress import ip_address
from ssl import SSLContext
from typing import TypeAlias

from aiohappyeyeballs import AddrInfoType, start_connection

from ringback.delivery.connection import Connection, LateError
from ringback.delivery.guard import Guard, RefusedError
from ringback.delivery.journeys import Journey
from ringback.domain.addresses import Address
from ringback.domain.hosts import Host, Target

IDLE_SECONDS = 4.0
"""How long an unused connection is kept: less than most servers keep theirs, lest both close and send at once."""

NEXT_ADDRESS_SECONDS = 0.25
"""How long an address is waited for before the next one of the same host is tried beside it (RFC 8305)."""

Place: TypeAlias = "tuple[str, Host, int]"
"""Where a connection goes: scheme, host and port."""


class NotConnectedError(Exception):
    """No connection came about; the code says where it failed, the cause why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Connections:
    """All connections of a sender.

    Args:
        guard: says where they may go.
        tls: whose certificates are believed.
        idle_seconds: how long an unused one is kept.
    """

    def __init__(self, guard: Guard, tls: SSLContext, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._guard = guard
        self._tls = tls
        self._idle_seconds = idle_seconds
        self._idle: defaultdict[Place, deque[Connection]] = defaultdict(deque)
        self._all: set[Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def take(self, target: Target, journey: Journey, until: float) -> Connection:
        """A connection there, from those that are kept or a new one.

        Raises:
            LateError: it took longer than until then, in the seconds of the loop.
            RefusedError: nothing is sent there.
            NotConnectedError: none came about.
        """
        if self._is_closed:
            raise RuntimeError("the connections are closed")
        place = target.scheme, target.host, target.port
        if place in self._idle:
            idle = self._idle[place]
            oldest = asyncio.get_running_loop().time() - self._idle_seconds
            while idle:
                connection = idle.pop()
                if connection.can_be_used and connection.idle_since >= oldest:
                    return connection
                connection.close()
        try:
            async with asyncio.timeout_at(until):
                return await self._open(target, journey)
        except TimeoutError:
            raise LateError from None

    def put_back(self, target: Target, connection: Connection) -> None:
        """Keep a connection for the next request, or close it if it is of no use for one."""
        if not connection.can_be_used:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle[target.scheme, target.host, target.port].append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(self._idle_seconds, self._close_idle)

    async def close(self) -> None:
        """Close all of them, for good."""
        self._is_closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in self._all:
            connection.close()
        await asyncio.gather(*(connection.lost for connection in self._all))

    def _close_idle(self) -> None:
        """Close what was not used for long, and look again as long as there is any."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._idle_seconds
        for place, idle in list(self._idle.items()):
            while idle and (idle[0].idle_since <= oldest or not idle[0].can_be_used):
                idle.popleft().close()
            if not idle:
                del self._idle[place]
        self._sweep = loop.call_later(self._idle_seconds, self._close_idle) if self._idle else None

    async def _open(self, target: Target, journey: Journey) -> Connection:
        try:
            addresses = await self._guard.resolve(target, journey)
        except RefusedError:
            raise
        except OSError as error:
            raise NotConnectedError("dns_failed") from error
        return await self._connect(target, addresses, journey)

    async def _connect(self, target: Target, addresses: Sequence[Address], journey: Journey) -> Connection:
        loop = asyncio.get_running_loop()
        tls = None if target.is_plain else self._tls
        name = None if target.is_plain else str(target.host)
        try:
            wire = await start_connection(
                [_info(address, target.port) for address in addresses],
                happy_eyeballs_delay=NEXT_ADDRESS_SECONDS,
                socket_factory=lambda info: self._socket(info, target, journey),
            )
            _, connection = await loop.create_connection(Connection, sock=wire, ssl=tls, server_hostname=name)
        except RefusedError:
            raise
        except (OSError, RuntimeError) as error:  # uvloop raises the latter for some of the former
            raise NotConnectedError("connect_failed") from error
        journey.connected_at = journey.now()
        self._all.add(connection)
        connection.lost.add_done_callback(lambda _: self._all.discard(connection))
        return connection

    def _socket(self, info: AddrInfoType, target: Target, journey: Journey) -> socket.socket:
        """A socket to connect to an address with: the last place to refuse one."""
        self._guard.check(target, ip_address(info[4][0]))
        journey.connecting_at = journey.connecting_at or journey.now()
        return socket.socket(*info[:3])


def _info(address: Address, port: int) -> AddrInfoType:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - the version of IP
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port)
