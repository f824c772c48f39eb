"""Large requests: they keep nobody from his turn, and what is kept of them is cut without showing half a secret."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from ringback.api.requests import LARGE_BODY, read_request
from ringback.domain.bulks import BULK_LIMIT
from ringback.domain.receipts import BODY_KEPT
from ringback.store import receipts
from tests.live import Live

SCOPE: dict[str, Any] = {"method": "POST", "path": "/", "query_string": b"", "headers": []}
MANY_TURNS = 50
"""More turns than it takes to read a request that came in one piece."""


def count_turns(body: bytes) -> int:
    """How many turns others get while a request is read whose body is there already."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def read() -> int:
        reading = asyncio.create_task(read_request(SCOPE, receive, "", BULK_LIMIT))
        turns = 0
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1
        assert reading.result().refusal is None
        return turns

    return asyncio.run(read())


def test_while_a_large_body_is_read_everybody_else_gets_his_turn() -> None:
    update = b'{"uuid": "3f2b8c1e-0000-4000-8000-000000000000", "post_call_tokens": {"a": "%s"}}' % (b"x" * 4000)
    large = b'{"updates": [%s]}' % b", ".join([update] * 1000)
    assert len(large) <= BULK_LIMIT
    assert count_turns(large) > MANY_TURNS > count_turns(b" " * LARGE_BODY)


@pytest.mark.parametrize("before", [-60, -45, -30, -8, 0, 4000, 4060, 4090, 4096])
@pytest.mark.parametrize("form", ["a key", "a pair", "a header"])
def test_a_secret_at_the_end_of_what_is_kept_of_a_body_is_not_kept_in_part(stage: Live, before: int, form: str) -> None:
    made = stage.world.bob_token
    secret = {"a key": str(made.private_key), "a pair": str(made.basic), "a header": made.authorization}[form]
    start = '{"data": {'
    filling = ",".join(f'"f{number:02}":"{"x" * 3980}"' for number in range(20))
    body = f"{start}{filling}"[: BODY_KEPT + before - 1].rstrip("\\") + secret + "y" * 10_000
    reply = stage.request("POST", "/api/v1/calls/x", body=body, auth=made.authorization)
    with stage.world.database.read() as tx:
        found = receipts.find(tx, stage.world.acme, reply.json["receipt_id"])
    assert found is not None
    kept = found[1].body
    assert BODY_KEPT - 5000 < len(kept) <= BODY_KEPT
    pieces = {secret[at : at + 12] for at in range(12, len(secret) - 12)}
    assert not [piece for piece in pieces if piece.encode() in kept]


def test_of_far_more_than_is_taken_in_the_rest_is_not_waited_for(stage: Live) -> None:
    call = stage.world.call(payout=Decimal(1))
    auth = stage.world.bob_token.authorization
    with suppress(ConnectionError):  # who goes on sending may find the connection closed before he reads the answer
        reply = stage.update(call.uuid, "x" * 12 * 2**20, auth=auth)
        assert (reply.status, reply.json["code"]) == (413, "too_large")
    assert stage.world.state(call)["payout"] == 1
    assert stage.request("GET", "/healthz").status == 200
