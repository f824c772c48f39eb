"""What is told of a call, from the update to the receiver: in order, only what is still so, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import select

from ringback import clock
from ringback.domain.access import AccessType
from ringback.domain.deliveries import sentence
from ringback.domain.postbacks import Postback, Trigger
from ringback.domain.presets import PRESETS
from ringback.services import vault
from ringback.services.vault import CredentialForm
from ringback.store import delivery_search
from ringback.store.delivery_search import Wanted
from ringback.store.sending_schema import attempts
from tests.delivery.desk import SEAL, Desk
from tests.delivery.receiver import Receiver, answer, answering, receiving
from tests.services.arriving import post
from tests.world import World

OK = answer("200 OK", body=b"{}")
REFUSED = answer("403 Forbidden")


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.fixture
def update(world: World) -> Callable[..., str]:
    """Ada updates a call; returns the code of the answer."""
    token = world.token(world.ada, world.acme, access_type=AccessType.EVERYTHING)
    return lambda call, **body: post(world, call.uuid, body, token).code


def telling(desk: Desk, receiver: Receiver, body: str, trigger: Trigger = Trigger.CALL_CHANGED) -> Postback:
    """A postback to this machine, without anything but a body."""
    url = f"http://there.localhost:{receiver.port}/"
    return desk.postback(trigger=trigger, url=url, body=body, body_kind="text")


def bodies(receiver: Receiver) -> list[bytes]:
    return [request.partition(b"\r\n\r\n")[2] for request in receiver.requests]


def test_details_are_told_in_the_order_in_which_they_changed(desk: Desk, update: Callable[..., str]) -> None:
    async def scenario() -> list[bytes]:
        async with receiving(answering(answer("503 Busy"), OK)) as receiver:
            telling(desk, receiver, "[status]")
            call = desk.world.call()
            for status in ("ringing", "answered", "ended"):
                assert update(call, status=status) == "applied"
            async with desk.working():
                await desk.until(lambda: desk.rows()[0].state == "retrying")
                desk.hurry(clock.now())
                await desk.stands(*[("delivered", "delivered")] * 3)
        return bodies(receiver)

    assert asyncio.run(scenario()) == [b"ringing", b"ringing", b"answered", b"ended"]


@pytest.mark.parametrize("made_anew", [True, False])
def test_a_conversion_that_was_taken_back_is_not_told_any_more(
    desk: Desk, update: Callable[..., str], *, made_anew: bool
) -> None:
    """Neither when it waited for a value that comes later, nor when the receiver did not permit it at first."""

    async def scenario() -> list[bytes]:
        answers = (OK,) if made_anew else (REFUSED, OK)
        async with receiving(answering(*answers)) as receiver, desk.working():
            telling(desk, receiver, "[payout]" if made_anew else "converted", Trigger.BUYER_CONVERTED)
            call = desk.world.call(buyer=None)
            update(call, buyer_converted="true")
            await desk.stands(("held", "hole" if made_anew else "not_permitted"))
            update(call, buyer_converted="false")
            await desk.stands(("cancelled", "no_longer_so"))
            update(call, payout="0.00")
            update(call, buyer_converted="true")
            await desk.stands(("cancelled", "no_longer_so"), ("delivered", "delivered"))
        return bodies(receiver)

    assert asyncio.run(scenario()) == ([b"0.00"] if made_anew else [b"converted", b"converted"])


def test_what_waits_for_a_value_is_not_told_once_its_conditions_hold_no_more(
    desk: Desk, update: Callable[..., str]
) -> None:
    desk.postback(
        body="[payout]", body_kind="text", conditions=(("revenue", "<", "10"),), trigger=Trigger.BUYER_CONVERTED
    )
    call = desk.world.call(buyer=None)
    update(call, buyer_converted="true", revenue="5")
    assert desk.stand() == [("held", "hole")]
    update(call, revenue="50")
    update(call, payout="1")
    assert desk.stand() == [("cancelled", "no_longer_so")]


HOSTILE = [
    "evil.example/",
    "evil.example#",
    "evil.example?",
    "evil.example\\",
    "a@evil.example",
    "127.0.0.1:80/",
    "a.b",
    "..",
    "%2e%2e",
    "a\r\nX-Injected: 1",
    "a b",
    "\uff41",
    "-a",
    "a" * 64,
]


def test_a_value_that_would_lead_elsewhere_is_held_and_no_secret_leaves(desk: Desk, update: Callable[..., str]) -> None:
    """Only what is for the host that the credential is bound to is sent, though all were due before it."""

    async def scenario() -> list[bytes]:
        async with receiving(answering(OK)) as receiver, desk.working():
            there = f"there.localhost:{receiver.port}"
            preset = PRESETS[0].definition.url.replace("https://", "http://")
            with desk.world.database.write() as tx:
                vault.create(tx, desk.actor, SEAL, CredentialForm("a", "basic", "*.localhost", "public:private"))
            url = preset.replace("trackdrive.com", there)
            desk.postback(
                trigger=Trigger.BUYER_CONVERTED, url=url, allowed_hosts=("*.localhost",), credential="by host"
            )
            for value in (*HOSTILE, "north"):
                came_with = {"trackdrive_subdomain": value, "trackdrive_call_uuid": value}
                assert update(desk.world.call(contact_fields=came_with), buyer_converted="true") == "applied"
            await desk.stands(*[("held", "unfit_host")] * len(HOSTILE), ("delivered", "delivered"))
        return receiver.requests

    [request] = asyncio.run(scenario())
    assert request.startswith(b"POST /api/v1/calls/update_call/north HTTP/1.1\r\nHost: north.there.localhost:")
    assert b"\r\nAuthorization: Basic " in request
    with desk.world.database.read() as tx:
        lines = delivery_search.list_page(tx, desk.world.acme, Wanted(), limit=100).lines[1:]
        tried = tx.execute(select(attempts.c.number)).all()
    assert ({line.due_at for line in lines}, len(tried)) == ({None}, 1)
    (told,) = {sentence(line.code, line.details) for line in lines}
    assert told.startswith("[trackdrive_subdomain] can't be a part of the host name: that is 1 to 63 small letters")
