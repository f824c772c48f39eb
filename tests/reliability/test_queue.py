from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NoReturn

import pytest
import structlog

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
