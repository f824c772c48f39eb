"""Receipts as lists want them: what a filter finds, in which order, and by which index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from ringback import clock, entropy
from ringback.domain.receipts import Result
from ringback.store import partners, receipt_search, receipts
from ringback.store.receipt_search import Wanted
from ringback.store.values import lowest_id, time_of
from tests.services.arriving import post
from tests.world import World

SALE = {"buyer_converted": 1, "revenue": "42.00"}
BY_ID = ("pk_receipts", "sqlite_autoindex_receipts_1")
FILTERS = {
    "outcome": (Wanted(result=Result.DENIED), ("account_id_result_id",)),
    "buyer": (Wanted(buyer_id=1), ("account_id_buyer_id_id",)),
    "user": (Wanted(user_id=1), ("account_id_user_id_id",)),
    "token": (Wanted(user_id=1, token_id=entropy.new_id()), ("account_id_user_id_id",)),
    "call": (Wanted(call_uuid=entropy.new_call_uuid()), ("account_id_call_uuid_id",)),
    "days": (Wanted(since=clock.now() - timedelta(days=1), until=clock.now()), BY_ID),
    "nothing": (Wanted(), BY_ID),
}


def ids(world: World, wanted: Wanted, *, before: str | None = None, limit: int = 50) -> list[str]:
    with world.database.read() as tx:
        return [each.id for each in receipt_search.list_page(tx, world.acme, wanted, before=before, limit=limit)]


@contextmanager
def plans(world: World) -> Iterator[list[str]]:
    """How each statement of the block that looks for receipts is carried out."""
    told: list[str] = []
    asked: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "FROM receipts" in statement:
            asked.append((statement, parameters))

    event.listen(world.database.engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(world.database.engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if world.database.is_sqlite else "EXPLAIN"
    with world.database.read() as tx:
        if not world.database.is_sqlite:
            tx.execute(text("SET LOCAL enable_seqscan = off"))
            tx.execute(text("SET LOCAL enable_sort = off"))
        for statement, parameters in asked:
            rows = tx.exec_driver_sql(f"{explain} {statement}", parameters)  # type: ignore[arg-type]
            told.extend(str(row) for row in rows)


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
        assert ids(world, Wanted(buyer_id=world.bright, user_id=world.bob)) == [again, applied]
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

    def test_what_is_newer_is_counted_up_to_a_most(self, world: World) -> None:
        made = [post(world, world.call().uuid, SALE).update.receipt_id for _ in range(4)]
        with world.database.read() as tx:
            assert receipt_search.count_since(tx, world.acme, Wanted(), made[0], most=10) == 3
            assert receipt_search.count_since(tx, world.acme, Wanted(), made[0], most=2) == 2
            assert receipt_search.count_since(tx, world.zeta, Wanted(), made[0], most=2) == 0

    def test_requests_are_read_with_their_bodies(self, world: World) -> None:
        call = world.call()
        made = [post(world, call.uuid, {"revenue": str(number)}).update.receipt_id for number in range(3)]
        with world.database.read() as tx:
            found = receipt_search.list_requests(tx, world.acme, Wanted(), before=made[2], limit=5)
            assert [(each.id, each.body) for each in found] == [
                (made[1], b'{"revenue": "1"}'),
                (made[0], b'{"revenue": "0"}'),
            ]
            kept = receipts.find(tx, world.acme, made[0])
        assert kept is not None
        assert found[1].path == kept[1].path


class TestByWhichIndex:
    @pytest.mark.parametrize("name", FILTERS)
    def test_each_filter_is_served_by_its_own(self, world: World, name: str) -> None:
        wanted, indexes = FILTERS[name]
        with plans(world) as told, world.database.read() as tx:
            receipt_search.list_page(tx, world.acme, wanted, before=entropy.new_id(), limit=50)
            if world.database.is_sqlite:  # PostgreSQL knows that the table is empty, and that any index will do
                receipt_search.list_requests(tx, world.acme, wanted, before=None, limit=50)
                receipt_search.count_since(tx, world.acme, wanted, entropy.new_id(), most=99)
        found = [line for line in told if "receipts" in line and "Index Cond" not in line and "payloads" not in line]
        scans = [line for line in found if any(word in line for word in ("SEARCH", "SCAN", "Scan"))]
        assert len(scans) == (3 if world.database.is_sqlite else 1)
        assert all(any(index in line for index in indexes) for line in scans), told
        assert not any("Sort" in line for line in told), told

    def test_an_id_of_a_time_is_below_all_that_are_made_then(self) -> None:
        made = entropy.new_id()
        assert lowest_id(time_of(made)) < made < lowest_id(time_of(made) + timedelta(milliseconds=1))
