"""Lists of calls, compared with what plain Python says of the same calls, on each kind of database, through HTTP."""

from __future__ import annotations

import csv
import io
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.domain.attributes import ATTRIBUTES
from ringback.services import listed_calls
from ringback.store import call_search, walks
from tests.api.filtering import asked, may_read, together
from tests.api.listing import Stock, alone, expected, ids
from tests.live import Live

ORDERS = (
    *("created_at", "updated_at", "end_time", "caller_number", "status", "total_duration", "answered_duration"),
    *("buyer_id", "traffic_source_id", "offer_id", "buyer_converted", "offer_converted", "revenue", "payout"),
)
ELSEWHERE = ("hold_duration", "lead_id", "direction", "outgoing_webhooks_count")
NULL = ("hold_duration", "recording_url", "agent_id")
COLUMNS = (
    *("id", "uuid", "created_at", "caller_number", "status", "total_duration", "buyer", "buyer_id", "user_buyer_id"),
    *("revenue", "buyer_revenue", "traffic_source_payout", "buyer_converted", "traffic_source_converted"),
    *("nothing", *NULL),
)

EXAMPLES = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


class TestAgainstPlainPython:
    @EXAMPLES
    @given(data=st.data())
    def test_filters_orders_and_pages(self, stock: Stock, data: st.DataObject) -> None:
        filters = data.draw(together(stock))
        reader = data.draw(st.sampled_from([stock.owner, stock.member]))
        order, ascending = data.draw(st.sampled_from((*ORDERS, *ELSEWHERE))), data.draw(st.booleans())
        per_page = data.draw(st.sampled_from([7, 25, 100]))
        told = frozenset().union(*(each.attributes for each in filters), {order} & {each.name for each in ATTRIBUTES})
        query = {**asked(filters), "order": order, "order_dir": "asc" if ascending else "DESC"}
        if not may_read(reader, told):
            reply = stock.get("/calls", reader, **query)
            assert (reply.status, reply.json["code"]) == (403, "may_not_read")
            return
        wanted = expected(stock, reader, filters, order, ascending=ascending)
        for page in range(1, len(wanted) // per_page + 3):
            reply = stock.get("/calls", reader, **query, page=page, per_page=per_page)
            assert reply.status == 200, reply.body
            assert ids(reply.json["calls"]) == wanted[(page - 1) * per_page : page * per_page]
            assert reply.json["metadata"]["total_count"] == len(wanted)
            assert "ignored" not in reply.json["metadata"]

    @EXAMPLES
    @given(data=st.data())
    def test_cursors_bring_each_call_once(self, stock: Stock, data: st.DataObject) -> None:
        filters = data.draw(together(stock))
        reader = data.draw(st.sampled_from([stock.owner, stock.member]))
        if not may_read(reader, frozenset().union(*(each.attributes for each in filters))):
            return
        ascending, per_page = data.draw(st.booleans()), data.draw(st.sampled_from([3, 30, 100]))
        found = stock.cursor_pages(
            "/calls", reader, **asked(filters), order_dir="asc" if ascending else None, per_page=per_page
        )
        assert [number for page in found for number in ids(page)] == expected(
            stock, reader, filters, ascending=ascending
        )

    @EXAMPLES
    @given(data=st.data())
    def test_columns_and_formats(self, stock: Stock, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from([stock.owner, stock.member]))
        columns = data.draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=6, unique=True))
        text = data.draw(st.sampled_from([",", ", ", " ,"])).join(columns)
        shown = stock.get("/calls", reader, per_page=100).json["calls"]
        kept = [name for name in columns if name not in {"nothing", *NULL}]
        assert stock.get("/calls", reader, per_page=100, columns=text, root="false").json == [
            {name: row.get(name) for name in columns if name in row or name in NULL} for row in shown
        ]
        reply = stock.get("/calls.csv", reader, per_page=100, columns=text)
        assert reply.headers["content-type"] == "text/csv; charset=utf-8"
        header, *lines = csv.reader(io.StringIO(reply.body.decode()))
        readable = {name for row in shown for name in row}
        assert header == [name for name in columns if name in readable or name in NULL]
        for line, row in zip(lines, shown, strict=True):
            cells = dict(zip(header, line, strict=True))
            assert {name: cells[name] for name in kept if name in readable} == {
                name: "" if row.get(name) is None else str(row[name]) for name in kept if name in readable
            }


class TestGivingUp:
    @pytest.fixture(autouse=True)
    def soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (walks, call_search, listed_calls):
            monkeypatch.setattr(module, "LOOKED_AT", 20)
        monkeypatch.setattr(walks, "_FIRST", 6)
        monkeypatch.setattr(walks, "_NEXT", 7)

    @EXAMPLES
    @given(data=st.data())
    def test_cursors_go_on_from_where_it_was_given_up(self, stock: Stock, data: st.DataObject) -> None:
        filters, ascending = data.draw(together(stock)), data.draw(st.booleans())
        pages = stock.cursor_pages("/calls", stock.owner, **asked(filters), order_dir="asc" if ascending else "desc")
        wanted = expected(stock, stock.owner, filters, ascending=ascending)
        assert [number for page in pages for number in ids(page)] == wanted

    @pytest.mark.parametrize(
        "query", [{"page": 3}, {"order": "revenue"}, {"status": "finished"}, {"token_key": "nothing"}]
    )
    def test_pages_that_need_too_long_a_look_are_refused_plainly(self, stock: Stock, query: dict[str, Any]) -> None:
        reply = stock.get("/calls", stock.owner, **query)
        assert (reply.status, reply.json["code"]) == (422, "too_many_calls")
        assert "cursor" in reply.json["hint"]

    def test_what_is_too_much_to_count_isn_t_counted(self, stock: Stock) -> None:
        assert stock.get("/calls", stock.owner).status == 422
        reply = stock.get("/calls", stock.owner, token_key="zip", per_page=1)
        assert reply.json["metadata"]["total_count"] is None
        by_time = stock.get("/calls", stock.owner, created_at_from="2026-03-07 00:07:03 +0000", per_page=1)
        since = datetime(2026, 3, 7, 0, 7, 3, tzinfo=UTC)
        assert by_time.json["metadata"]["total_count"] == sum(call.created_at >= since for call in stock.calls)


class TestWhileCallsAreRecorded:
    @pytest.mark.parametrize("order_dir", ["desc", "asc"])
    @pytest.mark.parametrize("filters", [{}, {"buyer_converted": "false"}, {"buyer_id": "Bright Roofing"}])
    def test_cursors_neither_miss_nor_repeat(self, live: Live, order_dir: str, filters: dict[str, str]) -> None:
        world = live.world
        before = [world.call().number for _ in range(30)]
        stock = alone(live)
        is_over = threading.Event()

        def insert() -> None:
            while not is_over.is_set():
                world.call()

        thread = threading.Thread(target=insert)
        thread.start()
        found: list[int] = []
        try:
            pages = stock.cursor_pages("/calls", stock.owner, order_dir=order_dir, per_page=2, **filters)
            for page in pages:
                found += ids(page)
                if {*before} <= {*found}:
                    break
        finally:
            is_over.set()
            thread.join()
        assert len(found) == len(set(found))
        assert found == sorted(found, reverse=order_dir == "desc")
        assert {*before} <= {*found}
