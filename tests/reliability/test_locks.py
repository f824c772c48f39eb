"""Calls that another transaction holds, and transactions that stand in each other's way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from msgspec.structs import replace
from psycopg import sql
from sqlalchemy import text

from ringback import entropy
from ringback.domain.decisions import CallRef, RefKind
from ringback.store import calls
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from tests.api.rows import ledger_sum
from tests.live import Live
from tests.reliability.clients import wait_until
from tests.reliability.desk import make_update, open_intake
from tests.reliability.others import (
    another,
    count_deadlocks,
    hold_call,
    hold_table,
    wait_for_waiting,
)
from tests.world import World, build_world

CROWD = 300
"""More updates than one batch has room for."""


@pytest.fixture
def postgres_world(postgresql_url: str) -> Iterator[World]:
    database = Database(postgresql_url)
    migrate(database)
    yield build_world(database)
    database.close()


def test_a_locked_call_delays_nobody_else_and_gets_its_updates_in_order(
    postgres_world: World, postgresql_url: str
) -> None:
    world = postgres_world
    held, free = world.call(), world.call()

    async def run() -> None:
        async with open_intake(world) as intake:
            with another(postgresql_url) as other:
                hold_call(other, held.uuid)
                waiting = [
                    asyncio.create_task(intake.submit(make_update(world, held, {"payout": f"{number}.00"})))
                    for number in range(CROWD)
                ]
                for number in range(1, 4):
                    outcome = await intake.submit(make_update(world, free, {"payout": f"{number}.00"}))
                    assert outcome.code == "applied"
                assert not any(task.done() for task in waiting)
                late = asyncio.create_task(intake.submit(make_update(world, held, {"payout": "999.00"})))
                other.commit()
                codes = {outcome.code for outcome in await asyncio.gather(*waiting, late)}
                assert codes == {"applied"}

    asyncio.run(run())
    with world.database.read() as tx:
        rows = tx.execute(
            text("SELECT after FROM call_changes WHERE call_uuid = :uuid ORDER BY seq"), {"uuid": held.uuid}
        )
        assert [after for (after,) in rows] == [f'"{number}.00"' for number in (*range(CROWD), 999)]


def test_a_call_that_is_just_being_recorded_delays_nobody_else(postgres_world: World) -> None:
    world = postgres_world
    free, coming = world.call(), replace(world.call(), uuid=entropy.new_call_uuid())

    async def run() -> None:
        async with open_intake(world) as intake:
            with world.database.write() as tx:
                calls.lock(tx, [(world.acme, CallRef(RefKind.UUID, coming.uuid))])
                early = asyncio.create_task(intake.submit(make_update(world, coming, {"revenue": "1.00"})))
                # In one batch with it, and after it.
                beside = [intake.submit(make_update(world, free, {"payout": f"{number}.00"})) for number in range(3)]
                assert [outcome.code for outcome in await asyncio.gather(*beside)] == ["applied"] * 3
                assert (await intake.submit(make_update(world, free, {"payout": "9.00"}))).code == "applied"
                assert not early.done()
                calls.add(tx, replace(coming, number=0))
            assert (await early).code == "applied"

    asyncio.run(run())
    assert world.state(coming)["revenue"] == Decimal(1)


def test_whose_call_stays_locked_is_told_to_come_again(live_on_postgresql: Live, postgresql_url: str) -> None:
    live = live_on_postgresql
    held, free = live.world.call(), live.world.call()
    auth = live.world.bob_token.authorization
    with another(postgresql_url) as other:
        hold_call(other, held.uuid)
        reply = live.update(held.uuid, {"add_revenue": "1.00"}, auth=auth)
        assert (reply.status, reply.json["code"], reply.headers["retry-after"]) == (503, "busy", "1")
        assert live.update(free.uuid, {"add_revenue": "1.00"}, auth=auth).status == 200
    assert live.update(held.uuid, {"add_revenue": "1.00"}, auth=auth).status == 200
    assert live.world.state(held)["revenue"] == Decimal(1)


def test_a_file_that_another_process_writes_is_waited_for_and_not_for_ever(live_on_sqlite: Live) -> None:
    live = live_on_sqlite
    call = live.world.call()
    auth = live.world.bob_token.authorization
    with ThreadPoolExecutor() as threads:
        with live.world.database.write():
            reply = live.update(call.uuid, {"add_revenue": "1.00"}, auth=auth)
            assert (reply.status, reply.json["code"], reply.headers["retry-after"]) == (503, "busy", "1")
            second = threads.submit(live.update, call.uuid, {"add_revenue": "2.00"}, auth=auth)
            wait_until(second.running)
        assert second.result().status == 200
    assert live.world.state(call)["revenue"] == Decimal(2)


def test_a_deadlock_is_resolved_without_doubling(live_on_postgresql: Live, postgresql_url: str) -> None:
    live = live_on_postgresql
    call = live.world.call()
    token = live.world.bob_token
    with another(postgresql_url) as other, another(postgresql_url) as third, ThreadPoolExecutor() as threads:
        # The server is to find a deadlock that it is in, and at once; the other isn't.
        change = "ALTER DATABASE {} SET deadlock_timeout = 1"
        third.execute(sql.SQL(change).format(sql.Identifier(third.info.dbname)))
        third.commit()
        live.app.database.close()  # what it connects from now on has that setting
        other.execute("SET deadlock_timeout = '60s'")
        other.execute("SELECT 1 FROM access_tokens WHERE id = %s FOR UPDATE", [token.id])
        hold_table(third, "idempotency_keys")
        update = threads.submit(live.update, call.uuid, {"add_revenue": "1.00"}, auth=token.authorization)
        wait_for_waiting(third)  # the server has locked the call
        theirs = threads.submit(hold_call, other, call.uuid)
        wait_for_waiting(third, "SELECT 1 FROM calls%")
        third.commit()  # now the server goes on, and wants the token
        theirs.result()
        wait_until(lambda: count_deadlocks(third))
        assert not update.done()
        other.commit()
        assert update.result().json["changed"] == {"revenue": {"from": None, "to": "1.00"}}
    assert live.world.state(call)["revenue"] == Decimal(1)
    assert ledger_sum(live.world.database, call)["revenue"] == Decimal(1)
