from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import pytest

from ringback.intake import LARGEST_BATCH
from tests.api.rows import ledger_sum
from tests.crash.arena import Arena, arena
from tests.crash.servers import Server
from tests.crash.traffic import Line, Reply
from tests.crash.weather import flood
from tests.reliability.gates import shut

LIMIT = 50
SENT = 400
MEMORY = 250 * 2**20
"""Bytes that a server may have under load (QUALITY)."""


@pytest.fixture
def place(database_url: str) -> Iterator[Arena]:
    with arena(database_url) as made:
        yield made


def test_what_is_too_much_is_refused_at_once_and_the_rest_is_done(place: Arena) -> None:
    call = place.world.call()

    async def run(server: Server) -> list[Reply]:
        lines = [Line(server.port, place.world.bob_token.authorization) for _ in range(SENT)]
        with shut(place.world.database):
            tasks = [
                asyncio.create_task(line.post(call.uuid, {"add_revenue": "1.00"}, f"key {n}"))
                for n, line in enumerate(lines)
            ]
            refused = SENT - LIMIT - LARGEST_BATCH  # at the least: a batch may be on its way besides those that wait
            while sum(task.done() for task in tasks) < refused:
                await asyncio.wait([task for task in tasks if not task.done()], return_when=asyncio.FIRST_COMPLETED)
        replies = await asyncio.gather(*tasks)
        for line in lines:
            line.hang_up()
        return replies

    with Server(place.url, settings={"RINGBACK_QUEUE_LIMIT": str(LIMIT)}) as server:
        replies = asyncio.run(run(server))
        statuses = Counter(reply.status for reply in replies)
        assert set(statuses) == {200, 503}
        assert statuses[503] >= SENT - LIMIT - LARGEST_BATCH
        assert "can't be written" not in server.log  # they were refused for want of room, not of patience
        assert {(r.json["code"], r.headers["retry-after"]) for r in replies if r.status == 503} == {("busy", "1")}
        assert place.world.state(call)["revenue"] == Decimal(statuses[200])
        assert ledger_sum(place.world.database, call)["revenue"] == Decimal(statuses[200])


def test_a_flood_is_refused_in_part_and_memory_stays_bounded(place: Arena) -> None:
    with Server(place.url, settings={"RINGBACK_QUEUE_LIMIT": str(LIMIT)}) as server:
        told = asyncio.run(flood(place, server, clients=SENT, answers=300))
    assert not told.findings
    assert told.unexpected == 0
    assert told.traffic.codes["busy"] > 0
    assert told.peak_memory < MEMORY
    assert set(told.afterwards) == {"applied"}
