from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from ringback import clock, entropy
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import Mistake, Refusal
from ringback.domain.waiting import State
from ringback.services import receipts, waiting
from ringback.services.receipts import Listed, Opened
from ringback.store.access import Account
from ringback.store.accounts import find_account
from ringback.store.schema import receipts as table
from tests.services.arriving import post
from tests.services.requests import apply, by_number, credential, request
from tests.world import World

SALE = {"buyer_converted": "true", "revenue": "42.00"}


def acme(world: World) -> Account:
    with world.database.read() as tx:
        account = find_account(tx, "acme")
    assert account is not None
    return account


def listing(world: World, outcome: str | None = None, call: str | None = None, limit: int = 50) -> list[Listed]:
    with world.database.read() as tx:
        return receipts.list_updates(tx, acme(world), outcome=outcome, call_uuid=call, limit=limit)


def opened(world: World, receipt_id: str, subdomain: str | None = None) -> Opened:
    with world.database.read() as tx:
        return receipts.find(tx, receipt_id, subdomain)


def test_receipts_are_listed_newest_first_by_outcome_and_call(world: World) -> None:
    call, other = world.call(), world.call()
    first = post(world, call.uuid, SALE).update.receipt_id
    same = post(world, call.uuid, SALE).update.receipt_id
    third = post(world, other.uuid, {"revenue": "1,25"}).update.receipt_id
    assert [each.id for each in listing(world)] == [third, same, first]
    assert [each.id for each in listing(world, limit=1)] == [third]
    assert [each.id for each in listing(world, call=call.uuid)] == [same, first]
    assert [(each.id, each.outcome, each.code) for each in listing(world, "unchanged")] == [
        (same, "unchanged", "unchanged")
    ]
    assert [each.code for each in listing(world, "refused")] == ["invalid_value"]
    applied = listing(world, "applied")[0]
    assert list(applied.changed) == [["buyer_converted", False, True, "update"], ["revenue", None, "42.00", "update"]]
    assert (applied.user, applied.call_uuid, applied.waiting) == ("bob@bright.example", call.uuid, None)


def test_denied_ones_are_those_that_wait_oldest_first_with_their_tries(world: World) -> None:
    world.grant(["buyer_converted"])
    call, other = world.call(), world.call()
    first = post(world, call.uuid, SALE).update.receipt_id
    post(world, call.uuid, SALE)
    second = post(world, other.uuid, SALE).update.receipt_id
    found = listing(world, "denied")
    assert [(each.id, each.waiting and each.waiting.tries) for each in found] == [(first, 2), (second, 1)]
    assert found[0].missing_permissions == [
        {"attribute": "Buyer Revenue", "right": "update", "team": "Bright Roofing", "grant_at": "/company/teams/1"}
    ]
    assert [each.id for each in listing(world, "denied", call=other.uuid)] == [second]
    assert len(listing(world, "denied", limit=1)) == 1
    assert listing(world, "early") == []


def test_early_ones_are_those_whose_call_is_not_there(world: World) -> None:
    uuid = entropy.new_call_uuid()
    early = post(world, uuid, SALE).update.receipt_id
    assert [(each.id, each.outcome, each.call_uuid) for each in listing(world, "early")] == [(early, "early", uuid)]
    assert listing(world, "denied") == []
    assert opened(world, early).waiting is not None


def test_a_receipt_is_opened_in_whatever_account_it_is(world: World) -> None:
    call = world.call()
    receipt_id = post(world, call.uuid, SALE).update.receipt_id
    found = opened(world, receipt_id.upper())
    assert (found.account.subdomain, found.receipt.call_uuid, found.token) == ("acme", call.uuid, "a test's")
    assert found.payload.ip == "192.0.2.7"
    assert found.waiting is None
    assert opened(world, receipt_id, "acme").receipt == found.receipt


@pytest.mark.parametrize("subdomain", [None, "zeta"])
@pytest.mark.parametrize("receipt_id", ["nonsense", "01a20a9b-0000-7000-8000-000000000000", ""])
def test_a_receipt_that_there_is_not_is_a_mistake(world: World, receipt_id: str, subdomain: str | None) -> None:
    with pytest.raises(Mistake, match=f"there is no update {receipt_id}"):
        opened(world, receipt_id, subdomain)


def test_a_receipt_of_another_account_is_not_there(world: World) -> None:
    receipt_id = post(world, world.call().uuid, SALE).update.receipt_id
    with pytest.raises(Mistake, match="in zeta"):
        opened(world, receipt_id, "zeta")


def test_a_repeat_knows_what_waits_by_its_content(world: World) -> None:
    world.grant([])
    call = world.call()
    first = post(world, call.uuid, SALE).update.receipt_id
    again = post(world, call.uuid, SALE).update.receipt_id
    found = opened(world, again).waiting
    assert found is not None
    assert found.id == first


def test_one_with_a_key_knows_what_waits_by_its_id(world: World) -> None:
    world.grant([])
    call = world.call()
    first = post(world, call.uuid, SALE, key="k").update.receipt_id
    again = post(world, call.uuid, SALE, key="k").update.receipt_id
    assert opened(world, first).waiting is not None
    assert opened(world, again).waiting is None


def test_what_was_applied_late_says_so(world: World) -> None:
    world.grant([])
    denied = post(world, world.call().uuid, SALE).update.receipt_id
    world.grant(["buyer_converted", "revenue"])
    with world.database.write() as tx:
        _, outcome = waiting.apply(tx, world.acme, [denied], now=clock.now(), new_id=entropy.new_id)[0]
    found = opened(world, denied).waiting
    assert found is not None
    assert (found.state, found.applied_receipt_id) == (State.APPLIED, outcome.update.receipt_id)
    assert listing(world, "denied") == []


def test_what_was_denied_to_people_of_a_team(world: World) -> None:
    world.grant(["buyer_converted"])
    by_bob = post(world, world.call().uuid, SALE).update.receipt_id
    post(world, world.call().uuid, SALE, world.charlie_token)
    post(world, entropy.new_call_uuid(), SALE)
    with world.database.read() as tx:
        found = receipts.denied_for(tx, acme(world), "BRIGHT roofing")
        with pytest.raises(Mistake, match="there is no team Zeta"):
            receipts.denied_for(tx, acme(world), "Zeta")
    assert [each.id for each in found] == [by_bob]


def test_each_waits_once_in_the_order_in_which_it_came(world: World) -> None:
    world.grant([])
    ids = [post(world, world.call().uuid, SALE).update.receipt_id for _ in range(3)]
    found = [opened(world, each).waiting for each in (*reversed(ids), ids[0])]
    assert [each.id for each in receipts.in_order(each for each in found if each)] == ids


class TestWhatCouldNotBeRead:
    """A receipt says which call was meant, and so whose it is, also of a request that couldn't be read."""

    def post(self, world: World, ref: CallRef, **changes: Any) -> Mapping[str, Any]:  # noqa: ANN401
        update = request(world, ref, {}, refusal=Refusal("malformed_json", reason="it ends too soon"), **changes)
        apply(world, update)
        with world.database.read() as tx:
            found = tx.execute(select(table).where(table.c.id == update.receipt_id))
            return dict(found.mappings().one())

    def test_by_uuid_it_is_the_calls(self, world: World) -> None:
        call = world.call()
        kept = self.post(world, CallRef(RefKind.UUID, call.uuid))
        assert (kept["call_uuid"], kept["buyer_id"], kept["code"]) == (call.uuid, world.bright, "malformed_json")

    def test_of_no_call_it_is_nobodys(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        kept = self.post(world, CallRef(RefKind.UUID, uuid))
        assert (kept["call_uuid"], kept["buyer_id"]) == (uuid, None)

    def test_by_number_only_if_its_sender_sees_the_call(self, world: World) -> None:
        shown, hidden = world.call(), world.call(buyer=None)
        assert self.post(world, by_number(shown))["call_uuid"] == shown.uuid
        assert self.post(world, by_number(hidden))["call_uuid"] is None
        assert self.post(world, by_number(hidden), sender=credential(world.ada_token))["call_uuid"] == hidden.uuid
