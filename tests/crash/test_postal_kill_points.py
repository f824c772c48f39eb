"""A delivery arrives wherever its worker dies; twice only where the first was under way, and under the same id."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ringback import clock
from ringback.domain.deliveries import State
from ringback.store.sending_schema import deliveries
from ringback.store.values import to_moment
from tests.crash import deadly
from tests.crash.arena import Arena, arena
from tests.crash.post import ALLOWED, Mailbox, subscribe, until_sent
from tests.crash.servers import Server
from tests.crash.traffic import Line

TWICE = {"before_the_end_is_committed"}
PATIENCE_SECONDS = 30


@pytest.fixture
def place(database_url: str) -> Iterator[Arena]:
    with arena(database_url) as made:
        yield made


async def convert(place: Arena, server: Server) -> None:
    line = Line(server.port, place.world.bob_token.authorization)
    try:
        assert (await line.post(place.uuids[0], {"revenue": "1.00"}, "a key")).status == 200
    finally:
        line.hang_up()


def lapse(place: Arena) -> None:
    """Let the claim of a dead worker lapse."""
    past = to_moment(clock.now() - timedelta(minutes=1))
    with place.world.database.write() as tx:
        tx.execute(update(deliveries).where(deliveries.c.due_at.is_not(None)).values(due_at=past))


def state(place: Arena) -> State:
    with place.world.database.read() as tx:
        return State(tx.execute(select(deliveries.c.state)).scalar_one())


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not happened():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("point", deadly.POSTAL_POINTS)
def test_a_delivery_arrives_wherever_its_worker_dies(place: Arena, point: str) -> None:
    async def run() -> Mailbox:
        async with Mailbox().open() as mailbox:
            subscribe(place, mailbox)
            with Server(place.url, factory="ringback.app:create_without_worker") as receiving:
                await convert(place, receiving)
            with Server(place.url, factory=f"{deadly.__name__}:{point}", settings=ALLOWED) as dying:
                assert await asyncio.to_thread(dying.wait) == -signal.SIGKILL
            lapse(place)
            with Server(place.url, settings=ALLOWED):
                await until_sent(place)
        return mailbox

    assert [len(times) for times in asyncio.run(run()).arrived.values()] == [2 if point in TWICE else 1]
    assert state(place) is State.DELIVERED


def test_a_delivery_arrives_again_whose_worker_dies_while_the_receiver_has_it(place: Arena) -> None:
    async def run() -> Mailbox:
        async with Mailbox().open() as mailbox:
            subscribe(place, mailbox)
            mailbox.answering.clear()
            with Server(place.url, settings=ALLOWED) as server:
                await convert(place, server)
                await until(lambda: bool(mailbox.arrived))
                server.kill9()
            assert state(place) is State.SENDING
            mailbox.answering.set()
            lapse(place)
            with Server(place.url, settings=ALLOWED):
                await until_sent(place)
        return mailbox

    assert [len(times) for times in asyncio.run(run()).arrived.values()] == [2]
    assert state(place) is State.DELIVERED
