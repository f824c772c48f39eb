"""Deliveries of Acme's: a postback, who receives it, and what becomes of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ringback import clock, entropy
from ringback.domain.calls import Call
from ringback.domain.deliveries import State
from ringback.domain.postbacks import Definition, Postback, Trigger
from ringback.services import postbacks
from ringback.services.postbacks import PostbackForm
from ringback.store import deliveries as queue
from ringback.store import delivery_search
from ringback.store.deliveries import NewDelivery, Request
from ringback.store.delivery_search import Listed, Wanted
from tests.delivery.receiver import Receiver, answer, read_request, receiving
from tests.live import Live
from tests.services.acting import actor

PATIENCE_SECONDS = 20
TAKEN = answer("200 OK", "Content-Type: application/json", body=b'{"status":"ok"}')


@dataclass
class Partner:
    """A platform that is told of calls; what it answers can be changed."""

    answer: bytes = TAKEN
    receiver: Receiver = field(default_factory=Receiver)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://partner.localhost:{self.receiver.port}"

    @contextmanager
    def running(self) -> Iterator[Partner]:
        """The platform at work, until the context is left."""
        ready, loop = threading.Event(), asyncio.new_event_loop()
        over = asyncio.Event()

        async def behave(receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await read_request(receiver, reader)
                writer.write(self.answer)
                await writer.drain()

        async def work() -> None:
            async with receiving(behave) as self.receiver:
                ready.set()
                await over.wait()

        thread = threading.Thread(target=lambda: loop.run_until_complete(work()), daemon=True)
        thread.start()
        assert ready.wait(PATIENCE_SECONDS)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join(PATIENCE_SECONDS)
            loop.close()


def refusing(status: str, body: str = "") -> bytes:
    """An answer of JSON."""
    return answer(status, "Content-Type: application/json", body=body.encode())


def make_postback(live: Live, url: str, **changes: Any) -> Postback:  # noqa: ANN401
    """A postback of Acme's that tells of conversions."""
    name = changes.pop("name", "Tell the platform")
    body = '{"call": "[call_uuid]", "revenue": "[revenue]"}'
    definition = Definition("POST", f"{url}/calls/[call_uuid]?from=acme", **{"body": body, **changes})
    with live.world.database.write() as tx:
        form = PostbackForm(name, Trigger.BUYER_CONVERTED.value, definition)
        return postbacks.create(tx, actor(tx, live.world.acme, live.world.ada), form)


def convert(live: Live, call: Call, revenue: str = "42") -> None:
    """The buyer pays for a call."""
    body = {"buyer_converted": "1", "revenue": revenue}
    assert live.update(call.uuid, body, auth=live.world.ada_token.authorization).status == 200


def put(live: Live, rule: Postback, count: int, *, state: State = State.FAILED, **values: Any) -> list[str]:  # noqa: ANN401
    """Deliveries that stand so already."""
    call = values.pop("call", None) or live.world.call(buyer_converted=True, revenue=Decimal(42))
    url = rule.definition.url.replace("[call_uuid]", call.uuid)
    made = [
        NewDelivery(
            **{
                "account_id": rule.account_id,
                "id": entropy.new_id(),
                "postback_id": rule.id,
                "version": 1,
                "trigger": rule.trigger.value,
                "call_uuid": call.uuid,
                "seq": number,
                "receipt_id": None,
                "host": "partner.localhost",
                "hops": 0,
                "created_at": clock.now(),
                "due_at": None,
                "state": state,
                "code": "request_refused" if state is State.FAILED else "",
                "request": Request("POST", url, (), b"{}"),
                **values,
            }
        )
        for number in range(count)
    ]
    with live.world.database.write() as tx:
        queue.add(tx, made)
    return [each.id for each in made]


def sent(live: Live, wanted: Wanted | None = None) -> list[Listed]:
    """Acme's deliveries, newest first."""
    with live.world.database.read() as tx:
        return list(delivery_search.list_page(tx, live.world.acme, wanted or Wanted(), limit=1_000).lines)


def eventually(found: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def settled(live: Live, state: State) -> Listed:
    """The newest delivery, as soon as it stands so."""
    eventually(lambda: [each.state for each in sent(live)[:1]] == [state])
    return sent(live)[0]
