"""The post under siege: every change owes a delivery to a mailbox here, whatever is killed meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import select

from ringback import clock, entropy
from ringback.domain.access import Principal, Role
from ringback.domain.deliveries import State
from ringback.domain.postbacks import Definition, Trigger
from ringback.domain.receipts import Result
from ringback.services import postbacks
from ringback.services.audit import Actor
from ringback.services.postbacks import PostbackForm
from ringback.store import claims
from ringback.store.schema import receipts
from ringback.store.sending_schema import deliveries as table
from tests.crash.arena import Arena
from tests.crash.servers import Server
from tests.crash.siege import BETWEEN, Strike, moment

ALLOWED = {"RINGBACK_DELIVERY_ALLOW": "127.0.0.0/8"}
TIMEOUT = 1
"""Seconds that a receiver has; what a killed worker had is sent again soon after."""

PATIENCE = 300.0
"""Seconds after which a delivery that is owed doesn't come any more.

Where two workers meet at a line just as its first ends, the next may be looked at again only after 45 s; and that more
than once.
"""


@dataclass
class Mailbox:
    """A receiver that notes each request by its ``webhook-id``, and when it came; it may keep its answers back."""

    arrived: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Mailbox]:
        """Receive during the block."""
        self.answering.set()
        server = await asyncio.start_server(self._receive, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
        for writer in self._writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                headers = dict(
                    line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:] if ": " in line
                )
                await reader.readexactly(int(headers.get("content-length", 0)))
                self.arrived[headers["webhook-id"]].append(time.monotonic())
                await self.answering.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()


@dataclass(frozen=True)
class Findings:
    """What was owed, and what came.

    Attributes:
        owed: deliveries that changes owe.
        missing: owed, and not enqueued.
        surplus: enqueued, and not owed.
        unsent: that did not arrive, or are not noted as delivered.
        repeated: that came more than once.
        unexcused: repeated, though nothing was killed between.
    """

    owed: int
    missing: int
    surplus: int
    unsent: int
    repeated: int
    unexcused: int

    def __bool__(self) -> bool:
        return bool(self.missing or self.surplus or self.unsent or self.unexcused)


def subscribe(arena: Arena, mailbox: Mailbox) -> int:
    """Have every change of a call told to the mailbox; returns the number of the postback."""
    world = arena.world
    actor = Actor(Principal(world.acme, world.ada, "ada@acme.example", Role.OWNER), clock.now(), entropy.new_id)
    definition = Definition(
        "POST", f"http://127.0.0.1:{mailbox.port}/", body='{"call": "[call_uuid]"}', timeout=TIMEOUT
    )
    with world.database.write() as tx:
        form = PostbackForm("Tell the mailbox", Trigger.CALL_CHANGED.value, definition)
        return postbacks.create(tx, actor, form).id


async def besiege_post(
    arena: Arena, mailbox: Mailbox, number: int, servers: Sequence[Server], strikes: Iterable[Strike]
) -> Findings:
    """Strike after strike under load; then let what is owed arrive, and compare."""
    kills: list[float] = []
    traffic = arena.traffic(*servers)
    async with traffic.flowing():
        for strike in strikes:
            await traffic.until(moment(BETWEEN[1]))
            kills.append(time.monotonic())
            await strike()
            kills.append(time.monotonic())
        await traffic.until(BETWEEN[1])
    await until_sent(arena)
    for server in servers:
        await asyncio.to_thread(server.terminate)
    return compare(arena, mailbox, number, kills)


async def until_sent(arena: Arena) -> None:
    """Return when nothing is left to be sent."""
    async with asyncio.timeout(PATIENCE):
        while await asyncio.to_thread(_is_due, arena):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.2)


def _is_due(arena: Arena) -> bool:
    with arena.world.database.read() as tx:
        return claims.next_due(tx) is not None


def compare(arena: Arena, mailbox: Mailbox, number: int, kills: Sequence[float]) -> Findings:
    """What is recorded as changed, against what was enqueued, sent and received."""
    with arena.world.database.read() as tx:
        changed = select(receipts.c.id).where(
            receipts.c.account_id == arena.world.acme, receipts.c.result == Result.APPLIED.value
        )
        owed = {f"{receipt_id[:-8]}{number:08x}" for receipt_id in tx.execute(changed).scalars()}
        states = {row.id: row.state for row in tx.execute(select(table.c.id, table.c.state))}
    repeated = {each: times for each, times in mailbox.arrived.items() if len(times) > 1}
    return Findings(
        owed=len(owed),
        missing=len(owed - states.keys()),
        surplus=len(states.keys() - owed),
        unsent=sum(
            states[each] != State.DELIVERED.value or each not in mailbox.arrived for each in owed & states.keys()
        ),
        repeated=len(repeated),
        unexcused=sum(not _is_excused(times, kills) for times in repeated.values()),
    )


def _is_excused(times: Sequence[float], kills: Sequence[float]) -> bool:
    """Whether something was killed between each arrival and the next, so that a worker could not know of the first."""
    return all(any(before - 2 * TIMEOUT <= kill <= after for kill in kills) for before, after in pairwise(times))
