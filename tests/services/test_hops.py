"""However late an update is applied, it still counts how many postbacks in a row led to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ringback import entropy
from ringback.domain.calls import Call
from ringback.domain.postbacks import MOST_HOPS, Definition, Trigger
from ringback.domain.receipts import Outcome
from ringback.services import overrides, postbacks, waiting
from ringback.services.postbacks import PostbackForm
from ringback.store import delivery_search, receipts
from ringback.store import waiting as store
from ringback.store.delivery_search import Wanted
from tests.services.acting import actor
from tests.services.requests import NOW, apply, request, warned
from tests.world import EVERY_RIGHT, World

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def call(world: World) -> Call:
    """A call whose changes are told."""
    with world.database.write() as tx:
        form = PostbackForm("Tell", Trigger.CALL_CHANGED.value, Definition("POST", "https://there.example/", body="{}"))
        postbacks.create(tx, actor(tx, world.acme, world.ada), form)
    return world.call()


def send(world: World, call: Call, values: dict[str, Any], **more: Any) -> Outcome:  # noqa: ANN401
    return apply(world, request(world, call, values, hops=MOST_HOPS, **more))[0]


def apply_waiting(world: World, call: Call) -> Outcome:
    with world.database.write() as tx:
        ids = [each.id for each in store.list_waiting(tx, world.acme, call_uuid=call.uuid)]
        ((_, outcome),) = waiting.apply(tx, world.acme, ids, now=LATER, new_id=entropy.new_id)
    return outcome


def override(world: World, receipt_id: str, deed: Any) -> Outcome:  # noqa: ANN401
    with world.database.write() as tx:
        found = receipts.find(tx, world.acme, receipt_id)
        assert found is not None
        outcome: Outcome = deed(tx, actor(tx, world.acme, world.ada), *found)
    return outcome


def told(world: World) -> int:
    with world.database.read() as tx:
        return len(delivery_search.list_page(tx, world.acme, Wanted(), limit=10).lines)


def test_applied_after_the_right_was_granted_and_over_what_came_meanwhile(world: World, call: Call) -> None:
    world.grant([])
    send(world, call, {"revenue": "5", "payout": "1"})
    world.grant(EVERY_RIGHT)
    send(world, call, {"revenue": "6"}, received_at=NOW + timedelta(minutes=1))
    late = apply_waiting(world, call)
    assert warned(late) == ["too_many_hops", "later_value_kept"]
    over = override(world, late.update.receipt_id, overrides.overwrite)
    assert (over.code, warned(over)) == ("applied", ["too_many_hops"])
    assert told(world) == 0


def test_added_after_it_was_taken_for_a_retry(world: World, call: Call) -> None:
    world.grant(EVERY_RIGHT)
    send(world, call, {"add_revenue": "5"})
    again = send(world, call, {"add_revenue": "5"})
    added = override(world, again.update.receipt_id, overrides.add_after_all)
    assert (added.code, warned(added)) == ("applied", ["too_many_hops"])
    assert told(world) == 0
