"""The arena: a database with calls in it that clients fight over, and what came of a fight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ringback.store.engine import Database
from ringback.store.migrate import migrate
from tests.crash.books import Findings, audit
from tests.crash.servers import Server
from tests.crash.traffic import CLIENTS, Traffic
from tests.world import World, build_world

CALLS = 40
"""Calls that the updates are about; the first of them is hot."""

EXPECTED = ("applied", "cut off", "not reached", "busy", "unconfirmed")
"""What clients may meet with while servers and databases come and go."""


@dataclass(frozen=True)
class Arena:
    """A database with the cast in it, and the calls that are fought over."""

    url: str
    world: World
    uuids: Sequence[str]

    def traffic(self, *servers: Server, clients: int = CLIENTS, first: int = 1) -> Traffic:
        """Clients of these servers."""
        ports = [server.port for server in servers]
        return Traffic(ports, self.world.bob_token.authorization, self.uuids, clients, first)

    def audit(self, *traffic: Traffic) -> Findings:
        """Compare what was told with what is recorded."""
        self.world.database.close()  # of its connections none may have outlived the fight; it opens new ones
        sent = [update for each in traffic for update in each.sent]
        return audit(self.world.database, self.world.acme, self.uuids, sent)


@contextmanager
def arena(url: str) -> Iterator[Arena]:
    """Migrate an empty database and put calls into it."""
    database = Database(url)
    migrate(database)
    world = build_world(database)
    yield Arena(url, world, [world.call().uuid for _ in range(CALLS)])
    database.close()


@dataclass(frozen=True)
class Told:
    """What came of a fight."""

    traffic: Traffic
    findings: Findings

    @property
    def unexpected(self) -> int:
        """How many answers nobody should have got."""
        codes = self.traffic.codes
        return codes.total() - sum(codes[code] for code in EXPECTED)

    @property
    def row(self) -> dict[str, int]:
        """The figures of the report."""
        sent, codes = self.traffic.sent, self.traffic.codes
        return {
            "sent": len(sent),
            "answered 200": sum(each.answer is not None for each in sent),
            "of these replays": sum(each.replayed for each in sent),
            "cut off": codes["cut off"],
            "busy": codes["busy"],
            "unconfirmed": codes["unconfirmed"],
            "other answers": self.unexpected,
            **self.findings.counts,
        }
