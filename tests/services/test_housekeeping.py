"""Housekeeping: what waited too long is given up, what need not be remembered is forgotten."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from ringback import entropy
from ringback.services.housekeeping import tidy
from ringback.store import waiting
from ringback.store.schema import idempotency_keys
from tests.services.requests import NOW, apply, request, worth
from tests.statements import asked
from tests.world import World


def remains(world: World, after: timedelta) -> tuple[int, int]:
    """How many updates wait and how many keys are remembered, once it was tidied up."""
    with world.database.write() as tx:
        tidy(tx, NOW + after)
        keys = tx.execute(select(func.count()).select_from(idempotency_keys)).scalar_one()
        return len(waiting.list_waiting(tx, world.acme)), keys


def test_everything_goes_in_its_time_and_not_before(world: World) -> None:
    call = world.call()
    apply(world, request(world, call, {"revenue": "1", "event_id": "e"}), request(world, call, {"add_revenue": "1"}))
    apply(world, request(world, entropy.new_call_uuid(), {"revenue": "1"}))
    world.grant([])
    apply(world, request(world, call, {"revenue": "1"}))
    assert remains(world, timedelta()) == (2, 2)
    assert remains(world, timedelta(seconds=60)) == (2, 1)
    assert remains(world, timedelta(hours=24)) == (2, 0)
    assert remains(world, timedelta(hours=72)) == (1, 0)
    assert remains(world, timedelta(days=90)) == (0, 0)
    assert worth(world, call) == 2


def test_it_takes_as_many_statements_however_much_there_is(world: World) -> None:
    counts = []
    for size in (0, 20):
        apply(world, *(request(world, entropy.new_call_uuid(), {"revenue": "1"}) for _ in range(size)))
        with asked(world.database) as statements, world.database.write() as tx:
            tidy(tx, NOW + timedelta(days=1000))
        counts.append(len(statements))
    assert counts[0] == counts[1] > 1
