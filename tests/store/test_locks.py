"""Calls kept from others until the transaction ends: what only PostgreSQL, with its many writers, has to do."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from ringback import entropy
from ringback.domain.calls import Call
from ringback.domain.decisions import CallRef, RefKind
from ringback.store import calls
from ringback.store.calls import Asked, LockedError
from ringback.store.engine import LOCK_MILLISECONDS
from ringback.store.failures import ContendedError
from tests.world import World

PATIENCE = 20.0


def by_uuid(call: Call) -> Asked:
    return call.account_id, CallRef(RefKind.UUID, call.uuid)


def by_number(call: Call) -> Asked:
    return call.account_id, CallRef(RefKind.NUMBER, str(call.number))


def hurry(world: World, wanted: Asked) -> set[Asked]:
    """Lock a call without waiting for it as long as the program does."""
    with world.database.write() as tx:
        tx.execute(text("SET LOCAL lock_timeout = 50"))
        return set(calls.lock(tx, [wanted]))


@contextmanager
def held(world: World, wanted: Asked, then: Call | None = None) -> Iterator[None]:
    """Another transaction holds a call during the block, and then records one."""
    is_held, may_go = Event(), Event()

    def hold() -> None:
        with world.database.write() as tx:
            calls.lock(tx, [wanted])
            is_held.set()
            may_go.wait(PATIENCE)
            if then is not None:
                calls.add(tx, then)

    thread = Thread(target=hold)
    thread.start()
    assert is_held.wait(PATIENCE)
    try:
        yield
    finally:
        may_go.set()
        thread.join(PATIENCE)


def test_a_call_that_another_holds_is_told_at_once(postgres_world: World) -> None:
    free, taken = postgres_world.call(), postgres_world.call()
    with held(postgres_world, by_uuid(taken)), postgres_world.database.write() as tx:
        with pytest.raises(LockedError) as caught:
            calls.lock(tx, [by_uuid(free), by_uuid(taken), by_number(taken)], waits=False)
        assert caught.value.asked == {by_uuid(taken), by_number(taken)}
        assert calls.lock(tx, [by_uuid(free)], waits=False).keys() == {by_uuid(free)}


def test_or_it_is_waited_for_as_long_as_the_database_waits(postgres_world: World) -> None:
    taken = postgres_world.call()
    with held(postgres_world, by_uuid(taken)), pytest.raises(ContendedError):
        hurry(postgres_world, by_uuid(taken))
    with postgres_world.database.write() as tx:
        assert calls.lock(tx, [by_uuid(taken)]).keys() == {by_uuid(taken)}
        assert tx.execute(text("SHOW lock_timeout")).scalar_one() == f"{LOCK_MILLISECONDS // 1000}s"


def test_reading_needs_no_lock(postgres_world: World) -> None:
    taken = postgres_world.call()
    with held(postgres_world, by_uuid(taken)), postgres_world.database.read() as tx:
        found = calls.find(tx, *by_uuid(taken))
    assert found is not None


def test_a_call_that_is_not_there_is_kept_from_being_recorded(postgres_world: World) -> None:
    absent = (postgres_world.acme, CallRef(RefKind.UUID, entropy.new_call_uuid()))
    elsewhere = (postgres_world.zeta, absent[1])
    with held(postgres_world, absent):
        assert hurry(postgres_world, elsewhere) == set()
        with pytest.raises(ContendedError):
            hurry(postgres_world, absent)


def test_a_call_that_was_recorded_while_it_was_waited_for_is_found(postgres_world: World) -> None:
    coming = replace(postgres_world.call(), uuid=entropy.new_call_uuid())

    def wait() -> set[Asked]:
        with postgres_world.database.write() as tx:
            return set(calls.lock(tx, [by_uuid(coming)]))

    with ThreadPoolExecutor(1) as pool:
        with held(postgres_world, by_uuid(coming), then=coming):
            waiting = pool.submit(wait)
        assert waiting.result(PATIENCE) == {by_uuid(coming)}


def test_or_it_is_told_at_once_that_somebody_keeps_it(postgres_world: World) -> None:
    there = postgres_world.call()
    absent = (postgres_world.acme, CallRef(RefKind.UUID, entropy.new_call_uuid()))
    other = (postgres_world.acme, CallRef(RefKind.UUID, entropy.new_call_uuid()))
    with held(postgres_world, absent), postgres_world.database.write() as tx:
        with pytest.raises(LockedError) as caught:
            calls.lock(tx, [by_uuid(there), absent, other], waits=False)
        assert caught.value.asked == {absent}
        assert calls.lock(tx, [by_uuid(there), other], waits=False).keys() == {by_uuid(there)}


def test_in_whatever_order_they_are_asked_for_two_never_wait_for_each_other(postgres_world: World) -> None:
    there = [by_uuid(postgres_world.call()) for _ in range(6)]
    absent = [(postgres_world.acme, CallRef(RefKind.UUID, entropy.new_call_uuid())) for _ in range(6)]

    def take(seed: int) -> int:
        asked = random.Random(seed).sample([*there, *absent], 8)  # noqa: S311 - an order, not a secret
        with postgres_world.database.write() as tx:
            return len(calls.lock(tx, asked))

    with ThreadPoolExecutor(4) as pool:
        assert all(2 <= taken <= 6 for taken in pool.map(take, range(40)))
