"""What a receiver sends back of our secrets is masked wherever it is kept."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from sqlalchemy import select

from ringback.domain.deliveries import State
from ringback.services import vault
from ringback.services.vault import CredentialForm
from ringback.store.deliveries import Request
from ringback.store.sending_schema import attempts, deliveries
from tests.delivery.desk import HOST, SEAL, Desk
from tests.delivery.receiver import answer, answering, receiving
from tests.world import World

KEY = "top/secret key"
TOLD = {"call": {"contact_fields": {"first_name": KEY}}, "seen": {"X-Key": KEY}}


def test_in_what_differs_as_in_the_answer(world: World) -> None:
    desk = Desk(world)
    with world.database.write() as tx:
        form = CredentialForm("Key", "header", HOST, KEY, "X-Key")
        number = vault.create(tx, desk.actor, SEAL, form)
    rule = desk.postback(credential=str(number))
    echo = answer("200 OK", f"X-Seen: {KEY}", body=json.dumps(TOLD).replace("/", "\\/").encode())

    async def scenario() -> None:
        async with receiving(answering(echo)) as receiver:
            made = desk.delivery(rule, receiver.port)
            assert made.request is not None
            headers = (("Content-Type", "application/json"),)
            sent = Request("POST", made.request.url, headers, b'{"post_call_tokens": {"first_name": "Jane"}}')
            desk.enqueue(replace(made, request=sent))
            async with desk.working():
                await desk.stands((State.DELIVERED, "delivered"))

    asyncio.run(scenario())
    with world.database.read() as tx:
        kept = [*tx.execute(select(deliveries)).mappings(), *tx.execute(select(attempts)).mappings()]
    assert json.loads(kept[0]["details"]) == {"differences": [["contact_fields.first_name", "Jane", "[masked]"]]}
    assert "secret key" not in repr(kept)
