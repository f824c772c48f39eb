"""The queue under workers: who has a delivery, and who may say what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from ringback import entropy
from ringback.domain.access import Principal, Role
from ringback.domain.deliveries import State
from ringback.domain.exchanges import Exchange, Milliseconds
from ringback.domain.postbacks import Definition, Trigger
from ringback.services import postbacks
from ringback.services.audit import Actor
from ringback.services.postbacks import PostbackForm
from ringback.store import claims, deliveries
from ringback.store.claims import Claimed, Finished
from ringback.store.deliveries import NewDelivery, Request
from ringback.store.engine import Database
from ringback.store.sending_schema import attempts
from ringback.store.sending_schema import deliveries as table
from tests.world import World, build_world

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MARGIN = timedelta(seconds=10)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def postback(world: World) -> int:
    """A postback of Acme's."""
    actor = Actor(Principal(world.acme, world.ada, "ada@acme.example", Role.OWNER), NOW, entropy.new_id)
    with world.database.write() as tx:
        definition = Definition("POST", "https://there.example/", body="{}")
        return postbacks.create(tx, actor, PostbackForm("Tell them", Trigger.CALL_CHANGED.value, definition)).id


def delivery(world: World, postback: int, **differing: object) -> NewDelivery:
    made = NewDelivery(
        account_id=world.acme,
        id=entropy.new_id(),
        postback_id=postback,
        version=1,
        trigger="call_changed",
        call_uuid=entropy.new_call_uuid(),
        seq=1,
        receipt_id=None,
        host="there.example",
        hops=0,
        created_at=NOW,
        due_at=NOW,
        request=Request("POST", "https://there.example/", (("A", "1"),), b"{}"),
    )
    return replace(made, **differing)  # type: ignore[arg-type] # a test may set what it likes


def enqueue(world: World, *made: NewDelivery) -> None:
    with world.database.write() as tx:
        deliveries.add(tx, made)


def claim(database: Database, claim_id: str, now: datetime) -> list[Claimed]:
    with database.write() as tx:
        return claims.claim(tx, claim_id, claims.look(tx, now, limit=10).due, now=now, margin=MARGIN)


def finish(database: Database, claimed: Claimed, state: State) -> None:
    exchange = Exchange(LATER, Milliseconds(5), status=200, headers=(), body=b"{}")
    with database.write() as tx:
        claims.finish(tx, [Finished(claimed, state, state.value, None, exchange)])


def row(world: World) -> tuple[str, int, str | None]:
    """State, attempts and claim of the only delivery."""
    with world.database.read() as tx:
        found = tx.execute(select(table.c.state, table.c.attempts, table.c.claim_id)).one()
        return found.state, found.attempts, found.claim_id


def test_what_is_claimed_is_not_due_until_the_claim_lapses(world: World, postback: int) -> None:
    enqueue(world, delivery(world, postback))
    mine = entropy.new_id()
    [claimed] = claim(world.database, mine, NOW)
    assert (claimed.attempt, claimed.due.request.body, row(world)) == (1, b"{}", ("sending", 1, mine))
    assert claim(world.database, entropy.new_id(), claimed.lapses_at - timedelta(seconds=1)) == []
    [again] = claim(world.database, entropy.new_id(), claimed.lapses_at)
    assert (again.attempt, again.first_attempt_at) == (2, claimed.first_attempt_at)


def test_a_worker_whose_claim_lapsed_cannot_finish_anothers(world: World, postback: int) -> None:
    enqueue(world, delivery(world, postback))
    [mine] = claim(world.database, entropy.new_id(), NOW)
    others = entropy.new_id()
    [theirs] = claim(world.database, others, LATER)
    finish(world.database, mine, State.FAILED)
    assert row(world) == ("sending", 2, others)
    finish(world.database, theirs, State.DELIVERED)
    assert row(world)[0] == "delivered"
    with world.database.read() as tx:
        told = tx.execute(select(attempts.c.number, attempts.c.state).order_by(attempts.c.number)).all()
    assert [tuple(each) for each in told] == [(1, "failed"), (2, "delivered")]


def test_what_is_given_back_is_as_if_it_had_never_been_claimed(world: World, postback: int) -> None:
    enqueue(world, delivery(world, postback))
    [claimed] = claim(world.database, entropy.new_id(), NOW)
    with world.database.write() as tx:
        claims.give_back(tx, [claimed], NOW)
    assert row(world)[:2] == ("pending", 0)
    [again] = claim(world.database, entropy.new_id(), NOW)
    assert again.attempt == 1


def test_a_worker_whose_claim_lapsed_cannot_give_back_anothers(world: World, postback: int) -> None:
    enqueue(world, delivery(world, postback))
    [mine] = claim(world.database, entropy.new_id(), NOW)
    others = entropy.new_id()
    claim(world.database, others, LATER)
    with world.database.write() as tx:
        claims.give_back(tx, [mine], NOW)
    assert row(world) == ("sending", 2, others)


def test_two_workers_are_given_different_deliveries_at_the_same_time(postgres: Database) -> None:

    world = build_world(postgres)
    actor = Actor(Principal(world.acme, world.ada, "ada@acme.example", Role.OWNER), NOW, entropy.new_id)
    with postgres.write() as tx:
        form = PostbackForm(
            "Tell them", Trigger.CALL_CHANGED.value, Definition("POST", "https://there.example/", body="{}")
        )
        number = postbacks.create(tx, actor, form).id
    enqueue(world, *(delivery(world, number) for _ in range(4)))
    with postgres.write() as one, postgres.write() as two:
        first = {each.id for each in claims.look(one, NOW, limit=2).due}
        second = {each.id for each in claims.look(two, NOW, limit=10).due}
    assert (len(first), len(second)) == (2, 2)
    assert not first & second


def test_the_later_of_a_postback_and_call_is_behind_the_earlier_unless_it_is_a_test(
    world: World, postback: int
) -> None:
    call = entropy.new_call_uuid()
    made = [
        delivery(world, postback, call_uuid=call, seq=1),
        delivery(world, postback, call_uuid=call, seq=2),
        delivery(world, postback, call_uuid=call, seq=3, is_test=True),
        delivery(world, postback, seq=9),
    ]
    enqueue(world, *made)
    with world.database.write() as tx:
        behind = {each.id: each.is_behind for each in claims.look(tx, NOW, limit=10).due}
    assert [behind[each.id] for each in made] == [False, True, False, False]


def test_hosts_without_room_are_left_out(world: World, postback: int) -> None:
    enqueue(world, delivery(world, postback), delivery(world, postback, host="full.example"))
    with world.database.write() as tx:
        found = claims.look(tx, NOW, limit=10, without={"full.example"})
    assert [each.host for each in found.due] == ["there.example"]
