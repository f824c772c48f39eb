"""A siege: a server under load is killed again and again, and at the end the books are audited."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as dataclass_field

import psycopg

from ringback.store.engine import Database
from ringback.store.migrate import migrate
from tests.crash.books import Findings, audit
from tests.crash.servers import Server
from tests.crash.traffic import Traffic
from tests.postgres import PostgresServer
from tests.world import World, build_world

CALLS = 40
"""Calls that the updates of a siege are about; one of them is hot."""

ANSWERS = (1, 150)
"""So many updates are answered between two kills: at least, and at most."""

Strike = Callable[[], Awaitable[None]]
"""Kills something, and has it up again if it doesn't come by itself."""


@dataclass(frozen=True)
class Told:
    """What came of a siege."""

    traffic: Traffic
    findings: Findings
    kills: int

    @property
    def row(self) -> dict[str, int]:
        """The figures of the report."""
        sent = self.traffic.sent
        codes = self.traffic.codes
        return {
            "kills": self.kills,
            "updates sent": len(sent),
            "answered 200": sum(each.answer is not None for each in sent),
            "of these a replay": sum(each.replayed for each in sent),
            "answers cut off": codes["cut off"],
            "503": codes["busy"] + codes["unconfirmed"],
            "other answers": codes.total() - sum(codes[code] for code in EXPECTED),
            **self.findings.counts,
        }


EXPECTED = ("applied", "cut off", "not reached", "busy", "unconfirmed")
"""What clients may meet with when servers are killed."""


@dataclass(frozen=True)
class Field:
    """A database with the cast in it, and the calls that are fought over."""

    url: str
    world: World
    uuids: Sequence[str]

    def audit(self, *traffic: Traffic) -> Findings:
        """Compare what was told with what is recorded."""
        self.world.database.close()  # of its connections none may have outlived the siege; it opens new ones
        sent = [update for each in traffic for update in each.sent]
        return audit(self.world.database, self.world.acme, self.uuids, sent)

    def traffic(self, *servers: Server, clients: int = 32, first: int = 1) -> Traffic:
        """Clients of these servers."""
        ports = [server.port for server in servers]
        return Traffic(ports, self.world.bob_token.authorization, self.uuids, clients, first)


@contextmanager
def field(url: str) -> Iterator[Field]:
    """Migrate an empty database and put calls into it."""
    database = Database(url)
    migrate(database)
    world = build_world(database)
    yield Field(url, world, [world.call().uuid for _ in range(CALLS)])
    database.close()


async def besiege(
    place: Field, servers: Sequence[Server], strikes: Sequence[Strike], *, progress: Callable[[int], None] | None = None
) -> Told:
    """Strike after strike under load, each at a random moment; then stop the servers in order and audit."""
    traffic = place.traffic(*servers)
    async with traffic.flowing():
        for number, strike in enumerate(strikes, 1):
            await traffic.until(random.randint(*ANSWERS))
            await asyncio.sleep(random.uniform(0, 0.02))  # so that kills don't come just after an answer only
            await strike()
            if progress:
                progress(number)
        await traffic.until(ANSWERS[1])
    for server in servers:
        await asyncio.to_thread(server.terminate)
    return Told(traffic, place.audit(traffic), len(strikes))


@dataclass(frozen=True)
class Weathered(Told):
    """What came of a siege by an outage: what ``/readyz`` said before, during and after."""

    ready: tuple[int, int, int] = (0, 0, 0)


async def weather(
    place: Field, server: Server, begin: Callable[[], None], end: Callable[[], None], *, seconds: float = 0
) -> Weathered:
    """Take something away under load, have the server refuse updates for a while, and give it back."""
    traffic = place.traffic(server)

    async def ready() -> int:
        return await asyncio.to_thread(server.get, "/readyz")

    async with traffic.flowing():
        await traffic.until(ANSWERS[1])
        before = await ready()
        await asyncio.to_thread(begin)
        await traffic.until(3 * traffic.clients, "busy")
        await asyncio.sleep(seconds)
        during = await ready()
        await asyncio.to_thread(end)
        await traffic.until(ANSWERS[1])
        after = await ready()
    await asyncio.to_thread(server.terminate)
    return Weathered(traffic, place.audit(traffic), 0, (before, during, after))


@dataclass(frozen=True)
class Flooded(Told):
    """What came of a siege by too many clients."""

    peak_memory: int = 0
    afterwards: Counter[str] = dataclass_field(default_factory=Counter)


async def flood(place: Field, server: Server, *, clients: int, answers: int) -> Flooded:
    """Send more than the server can do, until so many updates are answered; then what it can do, which all is done."""
    many = place.traffic(server, clients=clients)
    async with many.flowing():
        await many.until(answers)
    peak = server.peak_memory()
    few = place.traffic(server, first=len(many.sent) + 1)
    async with few.flowing():
        await few.until(ANSWERS[1])
    await asyncio.to_thread(server.terminate)
    return Flooded(many, place.audit(many, few), 0, peak, few.codes)


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
    """Kill the process of PostgreSQL that writes the updates; it then throws out everybody and recovers by itself."""

    async def strike() -> None:
        for pid in await asyncio.to_thread(_backends, url):
            os.kill(pid, signal.SIGKILL)

    return strike


def _backends(url: str) -> list[int]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' ORDER BY state_change DESC LIMIT 1"
        )
        return [pid for (pid,) in found]
