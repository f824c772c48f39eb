"""All the sieges of ``make crash``, one after another."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field

from tests.crash import planted
from tests.crash.arena import Arena, Told, arena
from tests.crash.disks import Disk, kinds
from tests.crash.post import ALLOWED, Findings, Mailbox, besiege_post, subscribe
from tests.crash.servers import Server
from tests.crash.siege import Strike, besiege, killing, killing_backend, killing_postgres
from tests.crash.traffic import CLIENTS
from tests.crash.weather import flood, outage
from tests.postgres import PostgresServer

SHORT = 6
"""Kills of servers with a fault in them, and of PostgreSQL that commits asynchronously."""

CROWD = 400
CROWD_ANSWERS = 2_000
QUEUE = 100
"""Updates that may wait in a server that is flooded."""

Row = dict[str, object]
Maker = Callable[[], AbstractContextManager[Arena]]


@dataclass
class Campaign:
    """The sieges, and what came of them.

    Attributes:
        postgres: a server that may be killed.
        say: told how it goes.
        kills: of servers, on each database.
        postgres_kills: of PostgreSQL itself.
        outage: seconds without PostgreSQL.
        worker_kills: of servers that send deliveries, on each database.
        found: the figures of each siege.
        planted: those of servers with a fault.
        post: those of deliveries under siege.
        notes: what else was seen.
        failed: sieges that ended otherwise than they should.
    """

    postgres: PostgresServer
    say: Callable[[str], None]
    kills: int
    postgres_kills: int
    outage: float
    worker_kills: int
    found: dict[str, Row] = field(default_factory=dict)
    planted: dict[str, Row] = field(default_factory=dict)
    post: dict[str, Row] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self) -> None:
        """Run them all."""
        self._kill_servers()
        self._kill_postgres()
        self._stop_postgres()
        for kind in kinds():
            self._fill(kind)
        for name, place in {"SQLite": self._sqlite, "PostgreSQL": self._postgresql}.items():
            self._flood(name, place)
            self._plant(name, place)
        self._plant_asynchronous_commit()
        self._kill_workers()

    def _kill_servers(self) -> None:
        with self._sqlite() as place, Server(place.url) as server:
            self._besiege("SQLite, server killed", place, [server], [killing(server)] * self.kills)
        for name, make in {"SQLite": self._sqlite, "PostgreSQL": self._postgresql}.items():
            with make() as place, Server(place.url) as first, Server(place.url) as second:
                strikes = [killing(first), killing(second)] * (self.kills // 2)
                self._besiege(f"{name}, two servers killed by turns", place, [first, second], strikes)

    def _kill_postgres(self) -> None:
        with self._postgresql() as place, Server(place.url) as first, Server(place.url) as second:
            strikes = [killing_postgres(self.postgres), killing_backend(place.url)] * (self.postgres_kills // 2)
            self._besiege("PostgreSQL itself killed, two servers", place, [first, second], strikes)

    def _stop_postgres(self) -> None:
        with self._postgresql() as place, Server(place.url) as server:
            stop, start = self.postgres.stop, self.postgres.start
            told = asyncio.run(outage(place, server, stop, start, seconds=self.outage))
        self._judge(f"PostgreSQL stopped for {self.outage:.0f} s", told, sound=told.ready == (200, 503, 200))
        self.notes.append(
            f"PostgreSQL stopped: `/readyz` said {told.ready[0]}, then {told.ready[1]}, then {told.ready[2]}"
        )

    def _fill(self, kind: type[Disk]) -> None:
        with kind() as disk:
            file = disk.folder / "ringback.sqlite"
            with arena(f"sqlite:///{file}") as place, Server(place.url) as server:
                told = asyncio.run(outage(place, server, lambda: disk.fill(server), lambda: disk.free(server)))
            with closing(sqlite3.connect(file)) as connection:
                intact = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        self._judge(f"SQLite, disk full ({kind.__name__})", told, sound=intact)

    def _flood(self, name: str, make: Maker) -> None:
        with make() as place, Server(place.url, settings={"RINGBACK_QUEUE_LIMIT": str(QUEUE)}) as server:
            told = asyncio.run(flood(place, server, clients=CROWD, answers=CROWD_ANSWERS))
        self._judge(f"{name}, flooded by {CROWD} clients", told, sound=set(told.afterwards) == {"applied"})
        self.notes.append(
            f"{name} flooded, with room for {QUEUE} in the queue: {told.done:,.0f} updates/s done and "
            f"{told.refused:,.0f}/s refused with 503, at most {told.peak_memory / 2**20:.0f} MB; "
            f"afterwards {told.calm:,.0f}/s by {CLIENTS} clients and none refused"
        )

    def _plant(self, name: str, make: Maker) -> None:
        for fault, kind in {"answers_too_early": "lost", "does_twice": "doubled"}.items():
            with make() as place, Server(place.url, factory=f"{planted.__name__}:{fault}") as server:
                told = asyncio.run(besiege(place, [server], [killing(server)] * SHORT))
            self._expect(f"{name}, a server that {fault.replace('_', ' ')}", told, kind)

    def _plant_asynchronous_commit(self) -> None:
        """PostgreSQL itself answers before the commit is on the disk, if it is told to."""
        with (
            PostgresServer(settings={"synchronous_commit": "off"}) as postgres,
            arena(postgres.create_database("asynchronous")) as place,
            Server(place.url) as server,
        ):
            told = asyncio.run(besiege(place, [server], [killing_postgres(postgres)] * SHORT))
        self._expect("PostgreSQL with synchronous_commit=off, itself killed", told, "lost")

    def _kill_workers(self) -> None:
        with self._sqlite() as place, ExitStack() as stack:
            self._besiege_post("SQLite, one server with its worker", place, stack, 1)
        for name, make in {"SQLite": self._sqlite, "PostgreSQL": self._postgresql}.items():
            with make() as place, ExitStack() as stack:
                self._besiege_post(f"{name}, two servers with a worker each", place, stack, 2)

    def _besiege_post(self, name: str, place: Arena, stack: ExitStack, count: int) -> None:
        async def siege() -> Findings:
            async with Mailbox().open() as mailbox:
                number = subscribe(place, mailbox)
                servers = [stack.enter_context(Server(place.url, settings=ALLOWED)) for _ in range(count)]
                strikes = [killing(each) for each in servers] * (self.worker_kills // count)
                return await besiege_post(place, mailbox, number, servers, self._counted(name, strikes))

        found = asyncio.run(siege())
        self.post[name] = {"kills": self.worker_kills, **asdict(found)}
        self.say(f"{'FAIL' if found else 'ok  '} {name}: {found}")
        if found:
            self.failed.append(name)

    def _besiege(self, name: str, place: Arena, servers: Sequence[Server], strikes: Sequence[Strike]) -> None:
        told = asyncio.run(besiege(place, servers, self._counted(name, strikes)))
        self._judge(name, told, kills=len(strikes))

    def _counted(self, name: str, strikes: Sequence[Strike]) -> Iterator[Strike]:
        for number, strike in enumerate(strikes, 1):
            yield strike
            if number % 10 == 0:
                self.say(f"     {name}: {number} of {len(strikes)}")

    def _judge(self, name: str, told: Told, *, sound: bool = True, kills: int | str = "") -> None:
        self.found[name] = {"kills": kills, **told.row}
        self._conclude(name, told, is_well=sound and not told.findings and not told.unexpected)

    def _expect(self, name: str, told: Told, kind: str) -> None:
        self.planted[name] = {"kills": SHORT, **told.row}
        self._conclude(name, told, is_well=told.findings.counts[kind] > 0)

    def _conclude(self, name: str, told: Told, *, is_well: bool) -> None:
        found = ", ".join(f"{count} {kind}" for kind, count in told.findings.counts.items() if count)
        self.say(f"{'ok  ' if is_well else 'FAIL'} {name}: {told.row['sent']} sent, found {found or 'nothing'}")
        if not is_well:
            self.failed.append(name)
            self.say(f"     {told.findings}; answers: {dict(told.traffic.codes)}")

    @contextmanager
    def _sqlite(self) -> Iterator[Arena]:
        folder = tempfile.TemporaryDirectory(prefix="ringback-crash-")
        with folder, arena(f"sqlite:///{folder.name}/ringback.sqlite") as place:
            yield place

    @contextmanager
    def _postgresql(self) -> Iterator[Arena]:
        with arena(self.postgres.create_database(f"arena_{next(self._numbers)}")) as place:
            yield place
