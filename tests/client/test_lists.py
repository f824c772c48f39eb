"""Lists that are walked page by page, and updates that come many at once or by caller, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ringback.client import (
    AsyncClient,
    Client,
    Conflict,
    InvalidValue,
    NotFound,
    PermissionDenied,
    Unauthorized,
    Updated,
)
from tests.client.conftest import Make
from tests.client.scripted import CALL, acting, answer
from tests.live import Live

UNKNOWN = "11111111-2222-4333-8444-555555555555"


class TestLists:
    def test_every_call_comes_once_newest_first(self, live: Live, bob: Any) -> None:  # noqa: ANN401
        recorded = [live.world.call().uuid for _ in range(7)]
        live.world.call(buyer=None)  # which Bob may not see
        assert [call.uuid for call in bob.calls(page_size=3)] == recorded[::-1]
        assert [call.uuid for call in bob.calls(page_size=7)] == recorded[::-1]
        assert [call.uuid for call in bob.calls(order_dir="asc")] == recorded

    def test_calls_that_are_recorded_meanwhile_move_no_others(self, live: Live, ada: Any) -> None:  # noqa: ANN401
        recorded = [live.world.call().uuid for _ in range(4)]
        walk = iter(ada.calls(page_size=2))
        seen = [next(walk).uuid]
        live.world.call()
        assert [*seen, *(call.uuid for call in walk)] == recorded[::-1]

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ({"buyer_converted": True}, ["sold"]),
            ({"buyer_converted": False}, ["plain"]),
            ({"buyer_converted": None}, ["plain", "sold"]),
            ({"fulltext": "+17195550123"}, ["sold"]),
            ({"created_at_from": datetime(2020, 5, 1, 8, 34, tzinfo=UTC)}, ["plain", "sold"]),
            ({"created_at_to": datetime(2020, 5, 1, 8, 34, tzinfo=UTC)}, []),
            ({"created_at_to": datetime(2020, 5, 1, tzinfo=UTC).date()}, []),
        ],
        ids=str,
    )
    def test_calls_are_filtered(self, live: Live, bob: Any, filters: dict[str, Any], found: list[str]) -> None:  # noqa: ANN401
        sold = live.world.call(buyer_converted=True, revenue=Decimal(7), caller_number="+17195550123").uuid
        named = {sold: "sold", live.world.call().uuid: "plain"}
        assert [named[call.uuid] for call in bob.calls(**filters)] == found

    def test_a_filter_that_there_is_not_is_no_filter_forgotten(self, live: Live, bob: Any) -> None:  # noqa: ANN401
        live.world.call()
        for name in ("calls", "buyers", "traffic_sources", "offers"):
            with pytest.raises(TypeError, match=f"{name} can't be filtered by buyerid, colour"):
                getattr(bob, name)(colour="red", buyerid=3)
        with pytest.raises(TypeError, match="cursor, page can't be chosen: every row comes"):
            list(bob.calls(page=3, cursor=7))
        with pytest.raises(InvalidValue, match="buyer_converted must be true or false"):
            list(bob.calls(buyer_converted="perhaps"))

    @pytest.mark.parametrize("kind", [Client, AsyncClient])
    def test_it_is_told_before_anybody_looks_at_the_rows(self, kind: Any) -> None:  # noqa: ANN401
        client = kind("http://127.0.0.1:1", token="x")
        with pytest.raises(TypeError, match="calls can't be filtered by colour"):
            client.calls(colour="red")

    def test_one_that_an_older_server_lacks_is_told_with_its_answer(self, make: Make) -> None:
        metadata = {"root": "calls", "next_cursor": 0, "ignored": ["either_converted"]}
        with acting(answer(200, {"success": True, "calls": [CALL], "metadata": metadata})) as server:
            client = make(server.url, token="x")
            with pytest.raises(TypeError, match="calls can't be filtered by either_converted"):
                list(client.calls(either_converted=True))

    def test_partners(self, live: Live, ada: Any, bob: Any) -> None:  # noqa: ANN401
        assert [(each.id, each.name) for each in ada.buyers()] == [(live.world.bright, "Bright Roofing")]
        assert [(each.name, bool(each.offer_token)) for each in ada.offers(page_size=1)] == [("Roofing", True)]
        assert list(ada.traffic_sources()) == []
        assert [each.name for each in bob.buyers()] == ["Bright Roofing"]
        with pytest.raises(PermissionDenied):
            list(bob.offers())

    def test_pages_may_be_empty_before_the_last(self, make: Make) -> None:
        def page(rows: list[object], following: int) -> Callable[..., None]:
            metadata = {"root": "calls", "next_cursor": following}
            return answer(200, {"success": True, "calls": rows, "metadata": metadata})

        with acting(page([CALL], 17), page([], 23), page([CALL], 0)) as server:
            assert len(list(make(server.url, token="x").calls(status="sold & done"))) == 2
        assert [seen.path.partition("?")[2] for seen in server.seen] == [
            f"status=sold+%26+done&per_page=250&cursor={cursor}" for cursor in (-1, 17, 23)
        ]


class TestByCaller:
    def test_the_newest_call_is_meant(self, live: Live, ada: Any) -> None:  # noqa: ANN401
        (offer,) = ada.offers()
        older, newest = (live.world.call(caller_number="+17195550123") for _ in range(2))
        update = ada.update_by_caller_id("+17195550123", offer_token=offer.offer_token, add_revenue="5")
        assert update.call.uuid == newest.uuid
        assert live.world.state(older)["revenue"] is None
        with pytest.raises(InvalidValue, match="call_timeframe"):
            ada.update_by_caller_id("+17195550123", offer_token=offer.offer_token, call_timeframe=0, revenue=1)

    def test_an_unknown_caller(self, ada: Any) -> None:  # noqa: ANN401
        (offer,) = ada.offers()
        asked = {"offer_token": offer.offer_token, "call_timeframe": 60, "revenue": 1}
        with pytest.raises(NotFound):
            ada.update_by_caller_id("+17195559999", **asked, dry_run=True)


class TestMany:
    def test_each_has_its_own_answer(self, live: Live, bob: Any) -> None:  # noqa: ANN401
        world = live.world
        calls = [world.call() for _ in range(3)]
        updates: list[dict[str, Any]] = [
            {"uuid": calls[0].uuid, "buyer_converted": True, "revenue": Decimal("42.50")},
            {"id": calls[1].number, "add_revenue": 5, "idempotency_key": "mine"},
            {"uuid": calls[2].uuid, "revenue": "1,25"},
            {"uuid": UNKNOWN, "revenue": 7, "idempotency_key": "early"},
        ]
        first, second, third, fourth = bob.bulk_update(updates)
        assert (first.code, first.call.revenue, second.code) == ("applied", Decimal("42.50"), "applied")
        assert isinstance(third, InvalidValue)
        assert third.errors.keys() == {"revenue"}
        assert isinstance(fourth, NotFound)
        assert (fourth.idempotency_key, bool(fourth.held_until)) == ("early", True)
        again = bob.bulk_update(updates[1:2])
        assert [(each.is_replay, each.receipt_id) for each in again] == [(True, second.receipt_id)]
        (other,) = bob.bulk_update([{**updates[1], "add_revenue": 6}])
        assert isinstance(other, Conflict)
        assert world.state(calls[1])["revenue"] == 5

    def test_a_dry_run_changes_nothing(self, live: Live, bob: Any) -> None:  # noqa: ANN401
        call = live.world.call()
        (result,) = bob.bulk_update(iter([{"uuid": call.uuid, "revenue": 7}]), dry_run=True)
        assert (result.dry_run, result.changed["revenue"].after) == (True, 7)
        assert live.world.state(call)["revenue"] is None

    def test_what_is_wrong_with_all_of_them_is_an_error(self, live: Live, make: Make, bob: Any) -> None:  # noqa: ANN401
        stranger = make(f"http://127.0.0.1:{live.port}/a/acme", token="rbtok_nobody")
        with pytest.raises(Unauthorized):
            stranger.bulk_update([{"uuid": UNKNOWN, "revenue": 7}])
        with pytest.raises(InvalidValue, match="1,000"):
            bob.bulk_update({"uuid": UNKNOWN, "revenue": 7} for _ in range(1001))
        with pytest.raises(TypeError, match="no first_name to name"):
            bob.bulk_update([{"uuid": UNKNOWN, "first_name": "Jane"}])
        with pytest.raises(ValueError, match="an idempotency key is"):
            bob.bulk_update([{"uuid": UNKNOWN, "idempotency_key": ""}])
        assert bob.bulk_update([]) == []

    def test_all_of_them_are_sent_again_with_their_keys(self, make: Make) -> None:
        results = [{"status": 200, "success": True, "code": "applied"}] * 2
        busy = {"code": "busy", "message": "Later."}
        with acting(answer(503, busy), answer(200, {"success": True, "results": results})) as server:
            told = make(server.url, token="x").bulk_update([{"uuid": UNKNOWN, "add_revenue": 1}] * 2)
        assert [type(each) for each in told] == [Updated, Updated]
        once, twice = (seen.json["updates"] for seen in server.seen)
        assert once == twice
        assert len({each["idempotency_key"] for each in once}) == 2

    def test_one_key_for_all_of_them_counts_each_once(self, live: Live, bob: Any) -> None:  # noqa: ANN401
        call = live.world.call()
        updates = [{"uuid": call.uuid, "add_revenue": 5}, {"uuid": call.uuid, "add_revenue": 5}]
        first, again = (bob.bulk_update(updates, idempotency_key="import 7") for _ in range(2))
        assert [each.is_replay for each in (*first, *again)] == [False, False, True, True]
        assert live.world.state(call)["revenue"] == 10
