"""Deliveries of one postback and call: the order in which they are sent, and what a later one makes of earlier ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from ringback import entropy
from ringback.domain.deliveries import State
from ringback.services import postbacks
from ringback.store import claims, deliveries, lines
from ringback.store import postbacks as kept_postbacks
from ringback.store.claims import Claimed, Look
from ringback.store.deliveries import PAUSED
from ringback.store.engine import Database
from ringback.store.lines import BEHIND
from ringback.store.sending_schema import deliveries as table
from ringback.store.sending_schema import delivery_requests
from ringback.store.values import to_moment
from tests.delivery.desk import Desk
from tests.store.test_claims import LATER, NOW, claim, delivery, enqueue, finish
from tests.world import World, build_world


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.fixture
def postback(desk: Desk) -> int:
    return desk.postback().id


def row_of(world: World, delivery_id: str) -> tuple[str, str]:
    """State and code of a delivery."""
    with world.database.read() as tx:
        found = tx.execute(select(table.c.state, table.c.code).where(table.c.id == delivery_id)).one()
        return found.state, found.code


def set_row(world: World, delivery_id: str, **values: object) -> None:
    with world.database.write() as tx:
        tx.execute(update(table).where(table.c.id == delivery_id).values(**values))


def look(world: World) -> Look:
    with world.database.write() as tx:
        return claims.look(tx, NOW, limit=10)


def remove(desk: Desk, number: int) -> int:
    with desk.world.database.write() as tx:
        rule = kept_postbacks.find(tx, desk.world.acme, number)
        assert rule is not None
        return postbacks.remove(tx, desk.actor, rule)


def let_next(world: World, claimed: Claimed) -> None:
    with world.database.write() as tx:
        lines.let_next(tx, {claimed.due.line}, NOW)


def test_what_changed_nothing_of_the_ledger_is_in_the_order_in_which_it_came(world: World, postback: int) -> None:
    call = entropy.new_call_uuid()
    made = [delivery(world, postback, call_uuid=call, seq=4) for _ in range(3)]
    enqueue(world, *made[::-1])
    behind = {each.id: each.is_behind for each in look(world).due}
    assert [behind[each.id] for each in made] == [False, True, True]


@pytest.mark.parametrize("later", [State.PENDING, State.RETRYING, State.SENDING, State.HELD, State.DELIVERED])
@pytest.mark.parametrize("seq", [1, 2])
def test_what_is_held_is_given_up_when_it_is_due_and_a_later_one_tells_more(
    world: World, postback: int, later: State, seq: int
) -> None:
    call = entropy.new_call_uuid()
    held = delivery(world, postback, call_uuid=call, state=State.HELD, code="not_permitted")
    enqueue(world, held, delivery(world, postback, call_uuid=call, seq=seq, state=later, due_at=None))
    assert look(world).over == [(world.acme, held.id, "superseded")]


@pytest.mark.parametrize("differing", [{"state": State.FAILED}, {"state": State.CANCELLED}, {"is_test": True}])
def test_what_tells_nothing_gives_nothing_up(world: World, postback: int, differing: dict[str, object]) -> None:
    call = entropy.new_call_uuid()
    held = delivery(world, postback, call_uuid=call, state=State.HELD)
    enqueue(world, held, delivery(world, postback, call_uuid=call, seq=2, **{"due_at": None, **differing}))
    found = look(world)
    assert ([each.id for each in found.due], found.over) == ([held.id], [])


def test_what_becomes_held_is_given_up_for_a_later_one_which_is_due_at_once(world: World, postback: int) -> None:
    call = entropy.new_call_uuid()
    first, second = (delivery(world, postback, call_uuid=call, seq=seq) for seq in (1, 2))
    enqueue(world, first)
    [claimed] = claim(world.database, entropy.new_id(), NOW)
    enqueue(world, second)
    set_row(world, second.id, code=BEHIND, due_at=to_moment(LATER))
    finish(world.database, claimed, State.HELD)
    let_next(world, claimed)
    assert row_of(world, first.id) == ("cancelled", "superseded")
    assert [each.id for each in look(world).due] == [second.id]


def test_what_is_held_already_is_given_up_when_a_later_one_is_delivered(world: World, postback: int) -> None:
    call = entropy.new_call_uuid()
    first = delivery(world, postback, call_uuid=call, state=State.HELD, due_at=None)
    test = delivery(world, postback, call_uuid=call, state=State.HELD, due_at=None, is_test=True)
    elsewhere = delivery(world, postback, state=State.HELD, due_at=None)
    enqueue(world, first, test, elsewhere, delivery(world, postback, call_uuid=call, seq=2))
    [claimed] = claim(world.database, entropy.new_id(), NOW)
    finish(world.database, claimed, State.DELIVERED)
    let_next(world, claimed)
    assert [row_of(world, each.id)[0] for each in (first, test, elsewhere)] == ["cancelled", "held", "held"]


@pytest.mark.parametrize("code", [BEHIND, PAUSED])
def test_nothing_shortens_the_lease_of_what_a_worker_has(world: World, postback: int, code: str) -> None:
    made = delivery(world, postback, code=code)
    enqueue(world, made)
    [claimed] = claim(world.database, entropy.new_id(), NOW)
    assert row_of(world, made.id) == ("sending", "")
    set_row(world, made.id, code=code)  # as an earlier version left it
    let_next(world, claimed)
    with world.database.write() as tx:
        deliveries.resume(tx, world.acme, postback, NOW)
    assert look(world).count == 0


def test_what_is_held_keeps_its_reason_while_its_postback_is_paused(world: World, postback: int) -> None:
    held, pending = delivery(world, postback, state=State.HELD, code="not_permitted"), delivery(world, postback)
    older = delivery(world, postback, state=State.HELD, code=PAUSED, due_at=LATER)
    enqueue(world, held, pending, older)
    with world.database.write() as tx:
        claims.put_off(tx, claims.look(tx, NOW, limit=10).due, PAUSED, LATER)
    assert (row_of(world, held.id), row_of(world, pending.id)) == (("held", "not_permitted"), ("pending", PAUSED))
    with world.database.write() as tx:
        deliveries.resume(tx, world.acme, postback, NOW)
    assert {each.id for each in look(world).due} == {pending.id, older.id}


def test_what_is_given_back_stands_as_it_stood(world: World, postback: int) -> None:
    held = delivery(world, postback, state=State.HELD, code="not_permitted")
    enqueue(world, held, delivery(world, postback))
    claimed = claim(world.database, entropy.new_id(), NOW)
    with world.database.write() as tx:
        claims.give_back(tx, claimed, NOW)
    stood = {each.id: (each.state, each.code) for each in look(world).due}
    assert stood.pop(held.id) == (State.HELD, "not_permitted")
    assert list(stood.values()) == [(State.PENDING, "")]


@pytest.mark.parametrize("state", [State.RETRYING, State.HELD])
def test_what_was_under_way_when_its_postback_was_deleted_is_given_up_afterwards(desk: Desk, state: State) -> None:
    world, postback = desk.world, desk.postback().id
    ended, left = delivery(world, postback), delivery(world, postback)
    enqueue(world, ended, left)
    claimed = {each.due.id: each for each in claim(world.database, entropy.new_id(), NOW)}
    assert remove(desk, postback) == 0
    finish(world.database, claimed[ended.id], state)
    with world.database.write() as tx:
        claims.give_back(tx, [claimed[left.id]], NOW)
    assert {row_of(world, each.id) for each in (ended, left)} == {("cancelled", "postback_deleted")}
    with world.database.read() as tx:
        assert claims.next_due(tx) is None


def test_what_was_delivered_stays_so_without_its_postback(desk: Desk) -> None:
    world, postback = desk.world, desk.postback().id
    enqueue(world, made := delivery(world, postback))
    [claimed] = claim(world.database, entropy.new_id(), NOW)
    remove(desk, postback)
    finish(world.database, claimed, State.DELIVERED)
    assert row_of(world, made.id)[0] == "delivered"


def test_what_is_due_without_postback_or_request_is_over(desk: Desk) -> None:
    world, postback = desk.world, desk.postback().id
    without, orphan = delivery(world, postback), delivery(world, 99)
    enqueue(world, without, orphan, sound := delivery(world, postback))
    with world.database.write() as tx:
        tx.execute(delivery_requests.delete().where(delivery_requests.c.delivery_id == without.id))
    found = look(world)
    assert sorted(found.over) == sorted(
        [(world.acme, without.id, "no_request"), (world.acme, orphan.id, "postback_deleted")]
    )
    assert [each.id for each in found.due] == [sound.id]
    assert found.count == 3


def test_when_the_next_is_due_may_be_asked_beyond_what_is_due_already(world: World, postback: int) -> None:
    enqueue(world, delivery(world, postback), delivery(world, postback, due_at=LATER))
    with world.database.read() as tx:
        assert (claims.next_due(tx), claims.next_due(tx, after=NOW)) == (NOW, LATER)
        assert claims.next_due(tx, after=LATER + timedelta(seconds=1)) is None


def test_a_long_line_is_gone_through_once_for_each_that_ends(migrated_sqlite_url: str) -> None:
    world = build_world(Database(migrated_sqlite_url))
    postback = Desk(world).postback().id

    def steps(count: int) -> int:
        """What SQLite has to do for the next of so many, in thousands of its instructions."""
        call = entropy.new_call_uuid()
        made = [delivery(world, postback, call_uuid=call, seq=seq, code=BEHIND) for seq in range(count)]
        enqueue(world, *made)
        taken: list[int] = []
        with world.database.write() as tx:
            driver: Any = tx.connection.driver_connection
            driver.set_progress_handler(lambda: taken.append(1), 1_000)
            lines.let_next(tx, {(world.acme, postback, call)}, NOW)
            driver.set_progress_handler(None, 0)
        return len(taken)

    assert 0 < steps(2_000) < 3 * steps(1_000)
    world.database.close()
