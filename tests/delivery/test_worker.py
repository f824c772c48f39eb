"""The worker under mistakes: of ours, of the database, of receivers. Nothing is lost, and nothing is sent for ever."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from ringback.delivery.sender import Sender
from ringback.domain.addresses import Allowed
from ringback.store.sending_schema import attempts
from tests.delivery.desk import Desk
from tests.delivery.receiver import answer, answering, receiving
from tests.world import World

OK = answer("200 OK", body=b"{}")


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def tried(desk: Desk) -> list[tuple[int, str, str]]:
    """The attempts on record: number, state and code."""
    columns = attempts.c
    with desk.world.database.read() as tx:
        found = tx.execute(select(columns.number, columns.state, columns.code).order_by(columns.number))
        return [tuple(each) for each in found]


def test_an_odd_wish_to_wait_is_no_wish(desk: Desk) -> None:
    odd = answer("503 Busy", "Retry-After: Thu, 01 Jan 99999999999999999999 00:00:00 GMT")

    async def scenario() -> None:
        async with receiving(answering(odd)) as receiver, desk.working():
            desk.enqueue(desk.delivery(desk.postback(), receiver.port))
            await desk.stands(("retrying", "try_again_later"))

    asyncio.run(scenario())
    assert tried(desk) == [(1, "retrying", "try_again_later")]


def test_a_mistake_of_ours_is_on_record_and_tried_again(desk: Desk) -> None:
    async def scenario() -> None:
        async with Sender.open(Allowed.parse("*.localhost")) as closed:
            pass
        async with desk.working(closed):
            desk.enqueue(desk.delivery(desk.postback()))
            await desk.stands(("retrying", "our_mistake"))

    asyncio.run(scenario())
    assert tried(desk) == [(1, "retrying", "our_mistake")]
