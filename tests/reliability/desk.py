"""Updates handed to the intake without HTTP, so that a test says what is in one batch and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from ringback import clock, entropy
from ringback.domain.bodies import Value
from ringback.domain.calls import Call
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.receipts import Member, Outcome, Update
from ringback.domain.updates import Reading
from ringback.intake import Intake
from tests.domain.samples import understood
from tests.world import World

Result = Outcome | BaseException
"""What became of an update."""


def make_update(world: World, call: Call, asked: Mapping[str, Value] | Reading) -> Update:
    """An update of Bob's."""
    return Update(
        receipt_id=entropy.new_id(),
        received_at=clock.now(),
        route="update_call",
        account="acme",
        sender=Member(world.acme, world.bob),
        ref=CallRef(RefKind.UUID, call.uuid),
        reading=asked if isinstance(asked, Reading) else understood(asked),
    )


@asynccontextmanager
async def open_intake(world: World) -> AsyncIterator[Intake]:
    """An intake on the world's database."""
    intake = Intake(world.database, clock.now, limit=2000)
    try:
        yield intake
    finally:
        await intake.close()


def submit_together(world: World, updates: Sequence[Update]) -> list[Result]:
    """Have updates recorded as one batch, and return what became of each."""

    async def submit() -> list[Result]:
        async with open_intake(world) as intake:
            # The intake starts to write when the loop turns; by then every one of these is in its queue.
            return await asyncio.gather(*(intake.submit(update) for update in updates), return_exceptions=True)

    return asyncio.run(submit())
