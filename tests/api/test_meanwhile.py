"""What is deleted while a call is recorded is as unknown as if it had never been there."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from ringback import clock, entropy
from ringback.api.desk import Desk
from ringback.domain.errors import Refusal
from ringback.domain.throttle import WrongCredentials
from ringback.store import calls, partners
from ringback.store.failures import RejectedError
from tests.world import World


def test_a_buyer_who_is_deleted_meanwhile_is_not_found_by_the_second_try(postgres_world: World) -> None:
    world, tries = postgres_world, []
    sample = world.call()
    with world.database.write() as tx:
        brief = partners.add(tx, world.acme, "buyer", "Brief", entropy.new_id(), clock.now())

    def record(tx: Connection) -> None:
        tries.append(1)
        buyer = partners.find(tx, world.acme, "buyer", "Brief")
        if buyer is None:
            raise Refusal("not_found", path="Brief")
        with world.database.write() as elsewhere:
            partners.remove(elsewhere, world.acme, "buyer", brief)
        calls.add(tx, replace(sample, buyer=buyer, uuid=entropy.new_call_uuid()))

    desk = Desk(world.database, WrongCredentials(1, lambda: 0.0), clock.now)
    with pytest.raises(Refusal, match="nothing at Brief"):
        asyncio.run(desk.write(record))
    assert len(tries) == 2


def test_what_is_rejected_again_is_a_mistake_of_ours(world: World) -> None:
    tries = []

    def repeat(tx: Connection) -> None:
        tries.append(1)
        partners.add(tx, world.acme, "buyer", "Bright Roofing", entropy.new_id(), clock.now())

    desk = Desk(world.database, WrongCredentials(1, lambda: 0.0), clock.now)
    with pytest.raises(RejectedError):
        asyncio.run(desk.write(repeat))
    assert len(tries) == 2
