"""The worker under mistakes: of ours, of the database, of receivers. Nothing is lost, and nothing is sent for ever."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import select

from ringback import clock
from ringback.delivery.hosts import Hosts
from ringback.delivery.sender import Sender
from ringback.domain.addresses import Allowed
from ringback.domain.postbacks import Pause, Postback
from ringback.services import postbacks
from ringback.store import postbacks as kept_postbacks
from ringback.store.sending_schema import attempts
from tests.delivery.desk import Desk
from tests.delivery.receiver import answer, answering, hanging, receiving
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
    assert b'ringback_deliveries_total{code="try_again_later",state="retrying"} 1.0' in desk.metrics.written()


def test_a_mistake_of_ours_is_on_record_and_tried_again(desk: Desk) -> None:
    async def scenario() -> None:
        async with Sender.open(Allowed.parse("*.localhost")) as closed:
            pass
        async with desk.working(closed):
            desk.enqueue(desk.delivery(desk.postback()))
            await desk.stands(("retrying", "our_mistake"))

    asyncio.run(scenario())
    assert tried(desk) == [(1, "retrying", "our_mistake")]


def refuse(desk: Desk, condition: str) -> None:
    """Have the database refuse attempts of which something is so."""
    with desk.world.database.write() as tx:
        if desk.world.database.is_sqlite:
            tx.exec_driver_sql(
                f"CREATE TRIGGER refusing BEFORE INSERT ON attempts WHEN {condition} "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        else:
            tx.exec_driver_sql(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql "
                "AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$"
            )
            tx.exec_driver_sql(
                f"CREATE TRIGGER refusing BEFORE INSERT ON attempts FOR EACH ROW WHEN ({condition}) "
                "EXECUTE FUNCTION refuse()"
            )


def test_an_answer_that_the_database_refuses_holds_up_no_other_and_leaves_its_status(desk: Desk) -> None:
    refuse(desk, "NEW.truncated")
    good, poisoned = answer("200 OK"), answer("200 OK", body=bytes(70_000))

    async def scenario() -> None:
        async with receiving(answering(good, poisoned, good, good, good)) as receiver:
            rule = desk.postback()
            desk.enqueue(*(desk.delivery(rule, receiver.port) for _ in range(5)))
            async with desk.working():
                await desk.stands(*[("delivered", "delivered")] * 5)

    asyncio.run(scenario())
    with desk.world.database.read() as tx:
        found = tx.execute(select(attempts.c.status, attempts.c.body)).all()
    assert [tuple(each) for each in found] == [(200, b"")] * 5


def test_what_can_t_be_kept_at_all_holds_up_no_other(desk: Desk) -> None:
    refuse(desk, "NEW.status = 201")

    async def scenario() -> None:
        async with receiving(answering(answer("201 Created"), OK, OK)) as receiver:
            rule = desk.postback()
            desk.enqueue(*(desk.delivery(rule, receiver.port) for _ in range(3)))
            async with desk.working():
                await desk.until(lambda: sorted(desk.stand())[:2] == [("delivered", "delivered")] * 2)

    asyncio.run(scenario())
    assert sorted(row.state for row in desk.rows()) == ["delivered", "delivered", "sending"]


def test_a_host_that_is_busy_is_left_in_peace_as_long_as_it_asks_and_others_are_not(desk: Desk) -> None:
    busy = answer("429 Too Many Requests", "Retry-After: 3600")

    async def scenario() -> int:
        async with receiving(answering(busy)) as receiver, receiving(answering(OK)) as well, desk.working():
            rule = desk.postback()
            desk.enqueue(desk.delivery(rule, receiver.port))
            await desk.stands(("retrying", "try_again_later"))
            desk.enqueue(*(desk.delivery(rule, receiver.port) for _ in range(10)))
            desk.enqueue(desk.delivery(rule, well.port, host="well.localhost"))
            await desk.until(lambda: desk.stand()[-1] == ("delivered", "delivered"))
            return len(receiver.requests)

    assert asyncio.run(scenario()) == 1
    assert desk.stand()[1:11] == [("pending", "")] * 10


def test_a_host_that_is_down_is_probed_when_its_pause_ends_and_gets_the_rest(desk: Desk) -> None:
    async def scenario() -> None:
        rule = desk.postback()
        async with receiving(answering(OK)) as receiver:
            port = receiver.port
        desk.enqueue(*(desk.delivery(rule, port) for _ in range(30)))
        async with desk.working(hosts=Hosts(lambda: 10 * time.monotonic())):
            await desk.until(lambda: sum(row.state == "retrying" for row in desk.rows()) >= 5)
            async with receiving(answering(OK), port=port):
                desk.hurry(clock.now())
                await desk.stands(*[("delivered", "delivered")] * 30)

    asyncio.run(scenario())


def test_a_receiver_that_is_gone_for_good_pauses_the_postback(desk: Desk) -> None:
    async def scenario() -> Postback:
        async with receiving(answering(answer("410 Gone"))) as receiver, desk.working():
            rule = desk.postback()
            desk.enqueue(desk.delivery(rule, receiver.port))
            await desk.stands(("failed", "gone"))
            desk.enqueue(desk.delivery(rule, receiver.port))
            await desk.stands(("failed", "gone"), ("pending", "paused"))
            assert len(receiver.requests) == 1
        return rule

    rule = asyncio.run(scenario())
    with desk.world.database.read() as tx:
        kept = kept_postbacks.find(tx, rule.account_id, rule.id)
    assert kept is not None
    assert kept.paused is Pause.GONE


def test_a_postback_may_be_deleted_while_its_deliveries_are_under_way(desk: Desk) -> None:
    async def scenario() -> None:
        async with receiving(hanging) as silent, receiving(answering(OK)) as well, desk.working():
            rule, other = desk.postback(timeout=1), desk.postback("other")
            desk.enqueue(*(desk.delivery(rule, silent.port) for _ in range(5)))
            await desk.until(lambda: len(silent.requests) == 5)
            with desk.world.database.write() as tx:
                postbacks.remove(tx, desk.actor, rule)
            desk.enqueue(desk.delivery(other, well.port, host="well.localhost"))
            await desk.stands(*[("cancelled", "postback_deleted")] * 5, ("delivered", "delivered"))

    asyncio.run(scenario())
    assert {code for _, _, code in tried(desk)} == {"timeout", "delivered"}


@pytest.mark.parametrize("order", ["held", "delivered"])
def test_no_older_value_goes_out_over_a_newer_one(desk: Desk, order: str) -> None:
    """The first is held; the second is sent at once, and is held or delivered. The first is never sent again."""
    second = answer("403 Forbidden") if order == "held" else OK

    async def scenario() -> list[bytes]:
        async with receiving(answering(answer("403 Forbidden"), second, OK)) as receiver, desk.working():
            rule, call = desk.postback(), desk.world.call().uuid
            desk.enqueue(
                *(
                    desk.delivery(rule, receiver.port, call_uuid=call, seq=1, body=f"{number}".encode())
                    for number in range(2)
                )
            )
            await desk.until(lambda: len(receiver.requests) == 2)
            await desk.until(lambda: desk.stand()[1][0] == order)
            desk.hurry(clock.now())
            await desk.stands(("cancelled", "superseded"), ("delivered", "delivered"))
            return [request[-1:] for request in receiver.requests]

    assert asyncio.run(scenario()) == ([b"0", b"1", b"1"] if order == "held" else [b"0", b"1"])
