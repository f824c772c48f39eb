"""A desk for tests of the worker: postbacks of Acme's, deliveries that are due, and a worker that sends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from ringback import clock, entropy, logs
from ringback.delivery.sender import Sender
from ringback.delivery.worker import Tools, Worker
from ringback.domain.access import Principal, Role
from ringback.domain.addresses import Allowed
from ringback.domain.postbacks import Definition, Postback, Trigger
from ringback.metrics import Metrics
from ringback.sealing import Seal
from ringback.services import postbacks
from ringback.services.audit import Actor
from ringback.services.postbacks import PostbackForm
from ringback.store import deliveries
from ringback.store.deliveries import NewDelivery, Request
from ringback.store.sending_schema import deliveries as table
from ringback.store.values import to_moment
from tests.world import World

PATIENCE_SECONDS = 20
HOST = "there.localhost"
SEAL = Seal(bytes(32))


@dataclass
class Desk:
    """Acme's queue, and what sends it."""

    world: World
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def actor(self) -> Actor:
        """Ada, now."""
        principal = Principal(self.world.acme, self.world.ada, "ada@acme.example", Role.OWNER)
        return Actor(principal, clock.now(), entropy.new_id)

    @property
    def tools(self) -> Tools:
        """What a worker needs; chance lets nothing be tried later than it is due."""
        return Tools(self.world.database, lambda: SEAL, clock.now, entropy.new_id, lambda: 0.0, self.metrics)

    def postback(self, name: str = "Tell them", trigger: Trigger = Trigger.CALL_CHANGED, **parts: Any) -> Postback:  # noqa: ANN401
        """Make a postback."""
        definition = Definition(**{"method": "POST", "url": "https://there.example/", "body": "{}", **parts})
        with self.world.database.write() as tx:
            return postbacks.create(tx, self.actor, PostbackForm(name, trigger.value, definition))

    def delivery(self, rule: Postback, port: int = 9, *, host: str = HOST, **differing: Any) -> NewDelivery:  # noqa: ANN401
        """A delivery that is due, to a port of this machine under a name of it."""
        now = clock.now()
        body = differing.pop("body", b"{}")
        made = NewDelivery(
            account_id=rule.account_id,
            id=entropy.new_id(),
            postback_id=rule.id,
            version=1,
            trigger=rule.trigger.value,
            call_uuid=entropy.new_call_uuid(),
            seq=1,
            receipt_id=None,
            host=host,
            hops=0,
            created_at=now,
            due_at=now,
            request=Request("POST", f"http://{host}:{port}/", (), body),
        )
        return replace(made, **differing)

    def enqueue(self, *made: NewDelivery) -> None:
        """Put deliveries into the queue."""
        with self.world.database.write() as tx:
            deliveries.add(tx, made)

    def rows(self) -> list[Row[Any]]:
        """Every delivery as it stands, in the order of their ids."""
        with self.world.database.read() as tx:
            return list(tx.execute(select(table).order_by(table.c.id)))

    def stand(self) -> list[tuple[str, str]]:
        """State and code of each."""
        return [(row.state, row.code) for row in self.rows()]

    def hurry(self, now: datetime) -> None:
        """Let everything be due now that is due some time; what is sent just now keeps its lease."""
        with self.world.database.write() as tx:
            tx.execute(
                update(table)
                .where(table.c.due_at.is_not(None), table.c.state != "sending")
                .values(due_at=to_moment(now))
            )

    @asynccontextmanager
    async def working(self, sender: Sender | None = None, **options: Any) -> AsyncIterator[Worker]:  # noqa: ANN401
        """A worker at work, by a sender of the test's or one to this machine."""
        logs.configure("json")
        async with Sender.open(Allowed.parse("*.localhost")) as own:
            worker = Worker(self.tools, sender or own, **options)
            task = asyncio.create_task(worker.run())
            try:
                yield worker
            finally:
                worker.stop()
                await task

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not happened():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)

    async def stands(self, *wanted: tuple[str, str]) -> None:
        """Wait until the deliveries stand so."""
        try:
            await self.until(lambda: self.stand() == list(wanted))
        except TimeoutError:
            raise AssertionError(self.stand()) from None
