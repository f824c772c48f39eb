"""Receivers that don't answer keep nobody else waiting."""

from __future__ import annotations

import asyncio

from ringback import clock, entropy
from ringback.app import build
from ringback.delivery.worker import working
from ringback.domain.access import Principal, Role
from ringback.domain.addresses import Allowed
from ringback.domain.postbacks import Definition, Trigger
from ringback.services import postbacks
from ringback.services.audit import Actor
from ringback.services.postbacks import PostbackForm
from ringback.settings import read_settings
from ringback.store import deliveries
from ringback.store.deliveries import NewDelivery, Request
from tests.crash.post import Mailbox
from tests.world import World, build_world

RECEIVERS, TO_EACH = 20, 60
PATIENCE_SECONDS = 30
SILENT, DEAD = "r0.localhost", "r1.localhost"
"""One takes requests and doesn't answer, at the other nobody listens."""


def delivery(world: World, postback: int, host: str, port: int) -> NewDelivery:
    now = clock.now()
    return NewDelivery(
        account_id=world.acme,
        id=entropy.new_id(),
        postback_id=postback,
        version=1,
        trigger=Trigger.CALL_CHANGED.value,
        call_uuid=entropy.new_call_uuid(),
        seq=1,
        receipt_id=None,
        host=host,
        hops=0,
        created_at=now,
        due_at=now,
        request=Request("POST", f"http://{host}:{port}/", (), b"{}"),
    )


def test_one_that_is_silent_and_one_that_is_dead_keep_eighteen_others_waiting_for_nothing(database_url: str) -> None:
    app = build(read_settings(database_url=database_url))
    world = build_world(app.database)

    async def run() -> tuple[int, int]:
        well, silent = Mailbox(), Mailbox()
        async with well.open(), silent.open():
            silent.answering.clear()
            places = {SILENT: silent.port, DEAD: 9, **{f"r{n}.localhost": well.port for n in range(2, RECEIVERS)}}
            enqueue(world, places)
            async with working(app.worker_tools, Allowed.parse("*.localhost")):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while len(well.arrived) < TO_EACH * (RECEIVERS - 2):  # noqa: ASYNC110 - nobody tells
                        await asyncio.sleep(0.02)
                told = len(well.arrived), sum(map(len, silent.arrived.values()))
                silent.answering.set()
        return told

    delivered, begun = asyncio.run(run())
    app.database.close()
    assert delivered == TO_EACH * (RECEIVERS - 2)
    assert 0 < begun < TO_EACH


def enqueue(world: World, places: dict[str, int]) -> None:
    """What is for the two in trouble is due first."""
    actor = Actor(Principal(world.acme, world.ada, "ada@acme.example", Role.OWNER), clock.now(), entropy.new_id)
    definition = Definition("POST", "https://there.example/", body="{}", timeout=29)
    with world.database.write() as tx:
        number = postbacks.create(tx, actor, PostbackForm("All", Trigger.CALL_CHANGED.value, definition)).id
        troubled = [delivery(world, number, host, places[host]) for host in (SILENT, DEAD) for _ in range(TO_EACH)]
        others = [
            delivery(world, number, host, port)
            for _ in range(TO_EACH)
            for host, port in places.items()
            if host not in {SILENT, DEAD}
        ]
        deliveries.add(tx, [*troubled, *others])
