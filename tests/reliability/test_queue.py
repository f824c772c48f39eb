from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import NoReturn

import pytest
import structlog

from ringback import clock
from ringback.domain.receipts import Outcome, Update
from ringback.intake import Intake
from tests.reliability.clients import PATIENCE
from tests.reliability.desk import make_update
from tests.world import World


def fail(*_: object) -> NoReturn:
    raise ArithmeticError


@pytest.fixture
def broken_log() -> Iterator[None]:
    """A log that fails whenever something is said."""
    before = structlog.get_config()
    structlog.configure(processors=[fail])
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("broken_log")
def test_nobody_waits_for_ever_whatever_goes_wrong(world: World) -> None:
    call = world.call()

    async def run() -> None:
        intake = Intake(world.database, fail, limit=10)  # it can't tell the time, and not even say so
        async with asyncio.timeout(PATIENCE):
            for _ in range(2):
                with pytest.raises(ArithmeticError):
                    await intake.submit(make_update(world, call, {"add_revenue": "1.00"}))
        await intake.close()

    asyncio.run(run())
    assert world.state(call)["revenue"] is None


def test_what_is_read_while_a_batch_gathers_comes_with_it(world: World) -> None:
    call = world.call()
    batches: list[datetime] = []

    def now() -> datetime:
        batches.append(clock.now())
        return batches[-1]

    async def read_and_submit(intake: Intake, update: Update, passes: int) -> Outcome:
        for _ in range(passes):
            await asyncio.sleep(0)  # as sockets are read one pass of the loop after the other
        return await intake.submit(update)

    async def run() -> list[Outcome]:
        intake = Intake(world.database, now, limit=10)
        updates = [make_update(world, call, {"revenue": f"{number}.00"}) for number in range(5)]
        reading = (read_and_submit(intake, update, 2 * place) for place, update in enumerate(updates))
        outcomes = await asyncio.gather(*reading)
        await intake.close()
        return outcomes

    assert [outcome.code for outcome in asyncio.run(run())] == ["applied"] * 5
    assert len(batches) == 1
