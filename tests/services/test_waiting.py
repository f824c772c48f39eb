"""What waits: kept when it is refused or early, applied late by a person or by its call, never twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ringback import entropy
from ringback.domain.access import AccessType
from ringback.domain.calls import Call, Origin
from ringback.domain.receipts import Outcome
from ringback.domain.waiting import Kind, State, Waiting
from ringback.services import waiting
from ringback.services.updates import apply as apply_updates
from ringback.store import accounts, calls, teams
from ringback.store import waiting as store
from tests.services.requests import NOW, apply, by_number, codes, credential, request, warned, worth
from tests.world import World

MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(hours=5)


def held(world: World, call: Call | str | None = None) -> list[Waiting]:
    """What waits in Acme, or of one call, oldest first."""
    uuid = call.uuid if isinstance(call, Call) else call
    with world.database.read() as tx:
        return store.list_waiting(tx, world.acme, call_uuid=uuid)


def state_of(world: World, one: Waiting) -> State:
    with world.database.read() as tx:
        (found,) = store.list_by_id(tx, world.acme, [one.id])
    return found.state


def apply_late(world: World, *which: Waiting, **more: Any) -> list[Outcome]:  # noqa: ANN401
    with world.database.write() as tx:
        made = waiting.apply(tx, world.acme, [one.id for one in which], now=LATER, new_id=entropy.new_id, **more)
    return [outcome for _, outcome in made]


def deny(world: World, call: Call, *values: dict[str, Any], **more: Any) -> list[Waiting]:  # noqa: ANN401
    """Bob's updates come while he has no right, a minute after each other; then he gets every one."""
    world.grant([])
    for number, each in enumerate(values):
        apply(world, request(world, call, each, received_at=NOW + number * MINUTE, **more))
    world.grant(["buyer_converted", "revenue", "offer_converted", "payout", "contact_fields"])
    return held(world, call)


class TestBeingHeld:
    def test_a_denied_update_waits_once_however_often_it_is_retried(self, world: World) -> None:
        call = world.call()
        world.grant([])
        first, again = apply(world, *(request(world, call, {"revenue": "1"}) for _ in range(2)))
        (third,) = apply(world, request(world, by_number(call), {"revenue": "$1.00"}))
        (one,) = held(world)
        assert {outcome.waits_until for outcome in (first, again, third)} == {NOW + timedelta(days=90)}
        assert (one.id, one.tries, one.kind, one.code) == (first.update.receipt_id, 3, Kind.DENIED, "permission_denied")
        assert (one.user_id, one.token_id, one.call_uuid) == (world.bob, world.bob_token.id, call.uuid)

    def test_other_content_waits_beside_it(self, world: World) -> None:
        call = world.call()
        assert len(deny(world, call, {"revenue": "1"}, {"revenue": "2"}, {"revenue": "1", "payout": "1"})) == 3

    def test_other_content_under_the_same_id_takes_its_place(self, world: World) -> None:
        (one,) = deny(world, world.call(), {"revenue": "1", "event_id": "e"}, {"revenue": "2", "event_id": "e"})
        assert (one.patch[0].value, one.tries, one.key_name) == (2, 2, "event_id")

    def test_an_update_of_a_call_that_is_not_there_waits_three_days(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        (outcome,) = apply(world, request(world, uuid, {"revenue": "1"}))
        assert (outcome.code, outcome.waits_until) == ("call_not_found", NOW + timedelta(hours=72))
        assert [one.kind for one in held(world, uuid)] == [Kind.EARLY]

    def test_an_update_by_who_is_on_no_team_goes_to_quarantine_up_to_100(self, world: World) -> None:
        call, stranger = world.call(), credential(world.charlie_token)
        lot = [request(world, call, {"revenue": str(number)}, sender=stranger) for number in range(102)]
        outcomes = apply(world, *lot)
        assert codes(outcomes) == ["no_team"] * 102
        assert [outcome.waits_until is not None for outcome in outcomes] == [True] * 100 + [False] * 2
        assert {one.kind for one in held(world)} == {Kind.QUARANTINE}
        (another,) = apply(world, request(world, call, {"payout": "1"}, sender=stranger))
        assert another.waits_until is None

    def test_what_was_applied_after_all_waits_no_longer(self, world: World) -> None:
        call = world.call()
        first, second = deny(world, call, {"revenue": "1"}, {"revenue": "2"})
        assert codes(apply(world, request(world, call, {"revenue": "1"}))) == ["applied"]
        assert [state_of(world, one) for one in (first, second)] == [State.SUPERSEDED, State.WAITING]

    def test_also_in_the_same_lot(self, world: World) -> None:
        call = world.call()
        world.grant(["payout"])
        lot = [
            request(world, call, {"revenue": "1", "payout": "1", "event_id": "e"}),
            request(world, call, {"payout": "1", "event_id": "e"}),
        ]
        assert codes(apply(world, *lot)) == ["permission_denied", "applied"]
        assert held(world) == []

    def test_a_dry_run_or_another_user_settles_nothing(self, world: World) -> None:
        call = world.call()
        (one,) = deny(world, call, {"revenue": "1"})
        apply(world, request(world, call, {"revenue": "1", "dry_run": "1"}))
        apply(world, request(world, call, {"revenue": "1"}, sender=credential(world.ada_token)))
        assert state_of(world, one) is State.WAITING


class TestApplyingLate:
    def test_is_in_the_order_in_which_they_were_received(self, world: World) -> None:
        call = world.call()
        first, second = deny(
            world, call, {"add_revenue": "1", "data": {"a": "1"}}, {"revenue": "5", "data": {"a": "2"}}
        )
        outcomes = apply_late(world, second, first)
        assert [outcome.update.received_at for outcome in outcomes] == [NOW, NOW + MINUTE]
        assert (worth(world, call), worth(world, call, "contact_fields")) == (5, {"a": "2"})

    def test_keeps_when_it_was_received_and_when_it_was_applied(self, world: World) -> None:
        call = world.call()
        (one,) = deny(world, call, {"buyer_converted": "1"})
        (outcome,) = apply_late(world, one)
        with world.database.read() as tx:
            entries = calls.list_entries(tx, world.acme, call.uuid)
            (found,) = store.list_by_id(tx, world.acme, [one.id])
        assert [(entry.received_at, entry.changed_at) for entry in entries] == [(NOW, LATER)] * 2
        assert [entry.change.origin for entry in entries] == [Origin.LATE, Origin.EFFECT]
        assert {entry.receipt_id for entry in entries} == {outcome.update.receipt_id}
        assert (found.state, found.applied_receipt_id) == (State.APPLIED, outcome.update.receipt_id)

    def test_decides_anew_with_todays_rights(self, world: World) -> None:
        call = world.call()
        revenue, payout = deny(world, call, {"revenue": "1"}, {"payout": "1"})
        world.grant(["payout"])
        assert codes(apply_late(world, revenue, payout)) == ["permission_denied", "applied"]
        (still,) = held(world)
        assert (still.id, still.tries) == (revenue.id, 1)

    def test_says_why_if_it_is_refused_for_another_reason_now(self, world: World) -> None:
        (one,) = deny(world, world.call(), {"revenue": "1"})
        with world.database.write() as tx:
            teams.set_buyers(tx, world.acme, world.team, [])
        assert codes(apply_late(world, one)) == ["buyer_not_shared"]
        assert [each.code for each in held(world)] == ["buyer_not_shared"]

    def test_passes_over_what_no_longer_waits(self, world: World) -> None:
        call = world.call()
        (one,) = deny(world, call, {"add_revenue": "1"})
        assert codes(apply_late(world, one, one)) == ["applied"]
        assert apply_late(world, one) == []
        assert worth(world, call) == 1

    def test_is_possible_though_the_token_was_revoked(self, world: World) -> None:
        (one,) = deny(world, world.call(), {"revenue": "1"})
        with world.database.write() as tx:
            accounts.change_token(tx, world.bob_token.id, revoked_at=0)
        assert codes(apply_late(world, one)) == ["applied"]

    def test_of_a_reader_s_update_is_by_what_the_person_may(self, world: World) -> None:
        call, reader = world.call(), world.token(world.bob, world.acme, access_type=AccessType.CALLS_READ)
        assert codes(apply(world, request(world, call, {"revenue": "1"}, sender=credential(reader)))) == ["access_type"]
        assert codes(apply_late(world, *held(world))) == ["applied"]

    def test_is_not_of_another_account(self, world: World) -> None:
        (one,) = deny(world, world.call(), {"revenue": "1"})
        with world.database.write() as tx:
            assert waiting.apply(tx, world.zeta, [one.id], now=LATER, new_id=entropy.new_id) == []

    def test_leaves_a_new_later_value_as_it_is_and_says_so(self, world: World) -> None:
        call = world.call()
        (one,) = deny(world, call, {"revenue": "1", "add_payout": "1", "data": {"a": "old", "b": "old"}})
        apply(
            world, request(world, call, {"revenue": "9", "payout": "9", "data": {"a": "new"}}, received_at=NOW + MINUTE)
        )
        (outcome,) = apply_late(world, one)
        assert warned(outcome) == ["later_value_kept"] * 2
        assert waiting.left_out(outcome) == ("revenue", "contact_fields.a")
        assert (worth(world, call), worth(world, call, "payout")) == (9, 10)
        assert worth(world, call, "contact_fields") == {"a": "new", "b": "old"}

    def test_unless_the_person_says_otherwise(self, world: World) -> None:
        call = world.call()
        (one,) = deny(world, call, {"revenue": "1", "data": {"a": "old"}})
        apply(world, request(world, call, {"revenue": "9", "data": {"a": "new"}}, received_at=NOW + MINUTE))
        (outcome,) = apply_late(world, one, overrides_later=True)
        assert warned(outcome) == []
        assert (worth(world, call), worth(world, call, "contact_fields")) == (1, {"a": "old"})

    def test_overwrites_what_came_before_it(self, world: World) -> None:
        call = world.call()
        apply(world, request(world, call, {"revenue": "9"}, received_at=NOW - MINUTE))
        assert codes(apply_late(world, *deny(world, call, {"revenue": "1"}))) == ["applied"]
        assert worth(world, call) == 1

    def test_that_can_not_be_leaves_it_waiting(self, world: World) -> None:
        call = world.call()
        (one,) = deny(world, call, {"add_revenue": "1"})
        apply(world, request(world, call, {"revenue": "999999.50"}))
        assert codes(apply_late(world, one)) == ["amount_out_of_range"]
        assert state_of(world, one) is State.WAITING


class TestRetriesAfterwards:
    @pytest.mark.parametrize(("key", "later"), [({}, timedelta(seconds=59)), ({"event_id": "e"}, timedelta(hours=23))])
    def test_of_what_was_applied_late_add_nothing(self, world: World, key: dict[str, str], later: timedelta) -> None:
        call = world.call()
        apply_late(world, *deny(world, call, {"add_revenue": "1", **key}))
        (again,) = apply(world, request(world, call, {"add_revenue": "1", **key}), now=LATER + later)
        assert again.applied is None or again.applied.changes == ()
        assert worth(world, call) == 1

    def test_without_a_key_are_additions_of_their_own_after_the_time_of_retries(self, world: World) -> None:
        call = world.call()
        apply_late(world, *deny(world, call, {"add_revenue": "1"}))
        (again,) = apply(world, request(world, call, {"add_revenue": "1"}), now=LATER + timedelta(seconds=60))
        assert (again.code, worth(world, call)) == ("applied", 2)

    def test_what_was_applied_under_the_key_meanwhile_is_not_applied_late(self, world: World) -> None:
        call = world.call()
        (one,) = deny(world, call, {"add_revenue": "1", "event_id": "e"})
        apply(world, request(world, call, {"add_revenue": "1", "event_id": "e"}))
        assert apply_late(world, one) == []
        assert worth(world, call) == 1


class TestEarlyOnes:
    @staticmethod
    def come(world: World, uuid: str) -> list[str]:
        """The call has come: apply what waits for it."""
        with world.database.write() as tx:
            return codes(waiting.apply_early(tx, world.acme, uuid, now=LATER, new_id=entropy.new_id))

    def test_are_applied_in_their_order_when_the_call_comes(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        for number in (1, 2):
            apply(world, request(world, uuid, {"revenue": str(number)}, received_at=NOW + number * MINUTE))
        call = world.call(uuid=uuid)
        assert self.come(world, uuid) == ["applied", "applied"]
        assert worth(world, call) == 2
        assert held(world) == []
        assert self.come(world, uuid) == []

    def test_that_are_refused_then_wait_for_a_person(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        apply(world, request(world, uuid, {"revenue": "1"}))
        world.grant([])
        world.call(uuid=uuid)
        assert self.come(world, uuid) == ["permission_denied"]
        (one,) = held(world)
        assert (one.kind, one.code) == (Kind.DENIED, "permission_denied")
        assert self.come(world, uuid) == []

    def test_of_a_call_without_buyer_wait_for_him(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        apply(world, request(world, uuid, {"revenue": "1"}))
        world.call(uuid=uuid, buyer=None)
        assert self.come(world, uuid) == ["buyer_not_shared"]
        assert [one.kind for one in held(world)] == [Kind.EARLY]

    def test_are_not_what_is_denied(self, world: World) -> None:
        call = world.call()
        deny(world, call, {"revenue": "1"})
        assert self.come(world, call.uuid) == []


def test_one_that_was_given_up_waits_anew_if_it_comes_again(world: World) -> None:
    call = world.call()
    world.grant([])
    apply(world, request(world, call, {"revenue": "1"}))
    with world.database.write() as tx:
        store.expire(tx, NOW + timedelta(days=90))
    assert held(world) == []
    with world.database.write() as tx:
        apply_updates(tx, [request(world, call, {"revenue": "1"}, received_at=LATER)], LATER)
    (one,) = held(world)
    assert (one.tries, one.received_at) == (1, LATER)
