"""A siege: something is killed under load again and again, and at the end the books are audited."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence

import psycopg

from tests.crash.arena import Arena, Told
from tests.crash.servers import Server
from tests.postgres import PostgresServer

BETWEEN = (1, 150)
"""So many updates are done between two strikes: at least, and at most."""

MOMENT = 0.02
"""At most so many seconds later comes the strike, so that it doesn't always come just after an answer."""

Strike = Callable[[], Awaitable[None]]
"""Kills something, and has it up again if it doesn't come by itself."""


async def besiege(arena: Arena, servers: Sequence[Server], strikes: Iterable[Strike]) -> Told:
    """Strike after strike under load, each at a random moment; then stop the servers in good order and audit."""
    traffic = arena.traffic(*servers)
    async with traffic.flowing():
        for strike in strikes:
            await traffic.until(moment(BETWEEN[1]))
            await asyncio.sleep(random.uniform(0, MOMENT))  # noqa: S311 - a moment, no secret
            await strike()
        await traffic.until(BETWEEN[1])
    for server in servers:
        await asyncio.to_thread(server.terminate)
    return Told(traffic, arena.audit(traffic))


def moment(most: int) -> int:
    """So many updates until the next strike."""
    return random.randint(BETWEEN[0], most)  # noqa: S311 - a moment, no secret


def killing(server: Server) -> Strike:
    """Kill the server and start it again."""

    async def strike() -> None:
        server.kill9()
        await asyncio.to_thread(server.start)

    return strike


def killing_postgres(postgres: PostgresServer) -> Strike:
    """Kill PostgreSQL with all its processes and start it again."""

    async def strike() -> None:
        await asyncio.to_thread(postgres.kill9)
        await asyncio.to_thread(postgres.start)

    return strike


def killing_backend(url: str) -> Strike:
    """Kill the process of PostgreSQL that wrote last; it then throws out everybody, and recovers by itself."""

    async def strike() -> None:
        os.kill(await asyncio.to_thread(_last_writer, url), signal.SIGKILL)

    return strike


def _last_writer(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' ORDER BY state_change DESC LIMIT 1"
        ).fetchone()
    assert found is not None, "nobody is connected"
    return int(found[0])
