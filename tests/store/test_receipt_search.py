"""Receipts as lists want them: what a filter finds, in which order, and by which index."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from ringback import clock, entropy
from ringback.domain.receipts import Result
from ringback.store import partners, receipt_search, receipts
from ringback.store.receipt_search import Wanted
from ringback.store.values import lowest_id, time_of
from tests.services.arriving import post
from tests.world import World

SALE = {"buyer_converted": 1, "revenue": "42.00"}


def ids(world: World, wanted: Wanted, *, before: str | None = None, limit: int = 50) -> list[str]:
    with world.database.read() as tx:
        return list(receipt_search.list_ids(tx, world.acme, wanted, before=before, limit=limit).ids)


class TestWhatIsFound:
    def test_each_filter_finds_its_own_newest_first(self, world: World) -> None:
        first, second = world.call(), world.call()
        applied = post(world, first.uuid, SALE).update.receipt_id
        again = post(world, first.uuid, SALE).update.receipt_id
        of_ada = post(world, second.uuid, {"revenue": "7"}, world.ada_token).update.receipt_id
        assert ids(world, Wanted()) == [of_ada, again, applied]
        assert ids(world, Wanted(result=Result.UNCHANGED)) == [again]
        assert ids(world, Wanted(call_uuid=first.uuid)) == [again, applied]
        assert ids(world, Wanted(user_id=world.ada)) == [of_ada]
        assert ids(world, Wanted(token_id=world.bob_token.id)) == [again, applied]
        assert ids(world, Wanted(code="unchanged", buyer_id=world.bright)) == [again]
        assert ids(world, Wanted(buyer_id=world.bright, user_id=world.bob)) == [again, applied]
        assert ids(world, Wanted(buyer_id=world.bright, token_id=world.ada_token.id)) == [of_ada]
        assert ids(world, Wanted(buyer_id=world.bright, user_id=world.bob, result=Result.APPLIED)) == [applied]
        assert ids(world, Wanted(buyer_id=world.bright + 1)) == []

    def test_pages_follow_each_other_without_gap_or_repeat(self, world: World) -> None:
        made = [post(world, world.call().uuid, SALE).update.receipt_id for _ in range(5)]
        page = ids(world, Wanted(), limit=2)
        assert page + ids(world, Wanted(), before=page[-1], limit=10) == made[::-1]

    def test_days_are_those_in_which_it_was_received(self, world: World) -> None:
        made = post(world, world.call().uuid, SALE).update.receipt_id
        now = time_of(made)
        assert ids(world, Wanted(since=now, until=now + timedelta(seconds=1))) == [made]
        assert ids(world, Wanted(until=now)) == []
        assert ids(world, Wanted(since=now + timedelta(seconds=1))) == []

    def test_the_buyer_is_the_one_of_then_also_when_the_call_gets_another(self, world: World) -> None:
        call = world.call()
        made = post(world, call.uuid, SALE).update.receipt_id
        with world.database.write() as tx:
            other = partners.add(tx, world.acme, "buyer", "Other", entropy.new_id(), clock.now())
            tx.execute(text("UPDATE calls SET buyer_id = :b WHERE uuid = :u"), {"b": other, "u": call.uuid})
        assert ids(world, Wanted(buyer_id=world.bright)) == [made]
        with world.database.read() as tx:
            (line,) = receipt_search.list_by_id(tx, world.acme, [made])
        assert (line.buyer, line.call_buyer_id, line.call_number) == ("Other", other, call.number)

    def test_what_came_before_its_call_is_found_by_its_uuid(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        made = post(world, uuid, SALE).update.receipt_id
        assert ids(world, Wanted(call_uuid=uuid)) == [made]
        with world.database.read() as tx:
            (line,) = receipt_search.list_by_id(tx, world.acme, [made])
        assert (line.call_number, line.result) == (None, Result.EARLY)

    def test_what_is_newer_is_found_up_to_a_most(self, world: World) -> None:
        made = [post(world, world.call().uuid, SALE).update.receipt_id for _ in range(4)]
        with world.database.read() as tx:
            for account, most, count in ((world.acme, 10, 3), (world.acme, 2, 2), (world.zeta, 2, 0)):
                found = receipt_search.list_ids(tx, account, Wanted(), after=made[0], limit=most)
                assert len(found.ids) == count

    def test_requests_are_read_with_their_bodies(self, world: World) -> None:
        call = world.call()
        made = [post(world, call.uuid, {"revenue": str(number)}).update.receipt_id for number in range(3)]
        with world.database.read() as tx:
            found = receipt_search.list_requests(tx, world.acme, made[:2])
            assert [(each.id, each.body) for each in found] == [
                (made[1], b'{"revenue": "1"}'),
                (made[0], b'{"revenue": "0"}'),
            ]
            kept = receipts.find(tx, world.acme, made[0])
        assert kept is not None
        assert found[1].path == kept[1].path


def test_an_id_of_a_time_is_below_all_that_are_made_then() -> None:
    made = entropy.new_id()
    assert lowest_id(time_of(made)) < made < lowest_id(time_of(made) + timedelta(milliseconds=1))
