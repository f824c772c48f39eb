"""A server that is told to stop answers what it has accepted, and accepts no more."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from tests.api.rows import ledger_sum
from tests.crash.arena import Arena, arena
from tests.crash.servers import Server
from tests.crash.traffic import Line
from tests.reliability.clients import wait_until
from tests.reliability.gates import shut

SENT = 20


@pytest.fixture
def place(database_url: str) -> Iterator[Arena]:
    with arena(database_url) as made:
        yield made


def is_refused(port: int) -> bool:
    """Whether a new connection is refused."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


async def happening(condition: Callable[[], object]) -> None:
    """Wait for something that is bound to happen, while the clients go on."""
    await asyncio.to_thread(wait_until, condition)


def test_what_was_accepted_is_answered_and_nothing_more_is_accepted(place: Arena) -> None:
    call = place.world.call()

    async def run(server: Server) -> list[int]:
        lines = [Line(server.port, place.world.bob_token.authorization) for _ in range(SENT)]
        with shut(place.world.database):
            tasks = [
                asyncio.create_task(line.post(call.uuid, {"add_revenue": f"{n}.00"})) for n, line in enumerate(lines)
            ]
            await happening(lambda: all(line.has_sent for line in lines))
            # Two answers to others: in between the server has looked at every connection.
            for _ in range(2):
                assert await asyncio.to_thread(server.get, "/healthz") == 200
            server.signal(signal.SIGTERM)
            await happening(lambda: is_refused(server.port))
            assert not any(task.done() for task in tasks)
        replies = await asyncio.gather(*tasks)
        for line in lines:
            line.hang_up()
        return [reply.status for reply in replies]

    with Server(place.url) as server:
        assert asyncio.run(run(server)) == [200] * SENT
        assert server.wait() == 0
    total = Decimal(sum(range(SENT)))
    assert place.world.state(call)["revenue"] == total
    assert ledger_sum(place.world.database, call)["revenue"] == total


def test_under_load_everything_recorded_was_answered(place: Arena) -> None:
    async def run(server: Server) -> None:
        async with traffic.flowing():
            await traffic.until(200)
            server.signal(signal.SIGTERM)
            await traffic.until(traffic.clients, "not reached")
            traffic.give_up()

    with Server(place.url) as server:
        traffic = place.traffic(server)
        asyncio.run(run(server))
        assert server.wait() == 0
    findings = place.audit(traffic)
    assert not findings
    assert findings.untold == []
