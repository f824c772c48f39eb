"""Lists of calls, compared with what plain Python says of the same calls, on each kind of database, through HTTP."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback import clock
from ringback.api.call_queries import FILTERS, ORDERING
from ringback.api.lists import LISTING
from ringback.domain.access import EVERY_ATTRIBUTE
from ringback.domain.answers import call_columns
from ringback.domain.attributes import ATTRIBUTES
from ringback.domain.calls import Call
from ringback.domain.columns import OFFICIAL
from ringback.services import listed_calls
from ringback.services.listed_calls import NOT_KEPT, ORDERS
from ringback.store import call_search, walks
from tests.api.filtering import LABELS, MAKES, ZONES, asked, is_live, may_read, together
from tests.api.listing import UNORDERED, Filter, Reader, Stock, alone, expected, ids
from tests.api.showing import COLUMNS, NULL, SENT, may_be_shown, shown
from tests.live import Live

EXAMPLES = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
ATTRIBUTE_NAMES = frozenset(each.name for each in ATTRIBUTES)


def told_by(filters: Sequence[Filter], *orders: str) -> frozenset[str]:
    """The attributes that a list tells something of."""
    return frozenset().union(*(each.attributes for each in filters), ATTRIBUTE_NAMES & {*orders})


class TestNothingIsLeftOut:
    """What the tests below draw is all that there is."""

    def test_of_filters(self) -> None:
        assert MAKES.keys() == FILTERS.keys()
        assert LABELS.keys() == {*FILTERS["created_at_label"][1]["enum"]}

    def test_of_orders(self) -> None:
        assert {*ORDERS, *UNORDERED} == {*ORDERING["order"][1]["enum"]}
        assert UNORDERED == NOT_KEPT

    def test_of_columns(self) -> None:
        assert {*OFFICIAL} <= {*COLUMNS, *NULL, SENT}
        assert {*COLUMNS} == {*call_columns(EVERY_ATTRIBUTE)}

    def test_of_paging_and_formats(self) -> None:
        assert {*LISTING} == {"page", "per_page", "cursor", "columns", "root", "serializer"}


class TestAgainstPlainPython:
    @EXAMPLES
    @given(data=st.data())
    def test_filters_orders_and_pages(self, stock: Stock, data: st.DataObject) -> None:
        filters = data.draw(together(stock))
        reader = data.draw(st.sampled_from([stock.owner, stock.member]))
        order = data.draw(st.sampled_from(sorted({*ORDERS, *NOT_KEPT})))
        ascending = data.draw(st.booleans())
        query = {**asked(filters), "order": order, "order_dir": "asc" if ascending else "DESC"}
        if not may_read(reader, told_by(filters, order)):
            reply = stock.get("/calls", reader, **query)
            assert (reply.status, reply.json["code"]) == (403, "may_not_read")
            return
        per_page = data.draw(st.sampled_from([7, 25, 200]))
        wanted = expected(stock, reader, filters, order, ascending=ascending)
        for page in range(1, len(wanted) // per_page + 3):
            reply = stock.get("/calls", reader, **query, page=page, per_page=per_page)
            assert reply.status == 200, reply.body
            assert ids(reply.json["calls"]) == wanted[(page - 1) * per_page : page * per_page]
            assert reply.json["metadata"]["total_count"] == len(wanted)
            assert "ignored" not in reply.json["metadata"]

    @pytest.mark.parametrize("name", FILTERS)
    @settings(EXAMPLES, max_examples=8)
    @given(data=st.data())
    def test_each_filter(self, stock: Stock, name: str, data: st.DataObject) -> None:
        zone = data.draw(st.sampled_from([*ZONES.values()]))
        filters = [data.draw(MAKES[each](stock, zone)) for each in dict.fromkeys(("time_zone", name))]
        reply = stock.get("/calls", stock.owner, **asked(filters), per_page=200)
        assert ids(reply.json["calls"]) == expected(stock, stock.owner, filters)

    @pytest.mark.parametrize("ascending", [False, True])
    @pytest.mark.parametrize("order", sorted({*ORDERS, *NOT_KEPT}))
    def test_each_order(self, stock: Stock, order: str, *, ascending: bool) -> None:
        reply = stock.get("/calls", stock.owner, order=order, order_dir="asc" if ascending else None, per_page=200)
        assert ids(reply.json["calls"]) == expected(stock, stock.owner, [], order, ascending=ascending)

    @EXAMPLES
    @given(data=st.data())
    def test_cursors_bring_each_call_once(self, stock: Stock, data: st.DataObject) -> None:
        filters = data.draw(together(stock))
        reader = data.draw(st.sampled_from([stock.owner, stock.member]))
        if not may_read(reader, told_by(filters)):
            return
        ascending, per_page = data.draw(st.booleans()), data.draw(st.sampled_from([9, 30, 200]))
        found = stock.cursor_pages(
            "/calls", reader, **asked(filters), order_dir="asc" if ascending else None, per_page=per_page
        )
        assert [number for page in found for number in ids(page)] == expected(
            stock, reader, filters, ascending=ascending
        )


CALLER = "+17195550101"
LISTS: Mapping[str, Callable[[Call], bool]] = {
    "/calls": lambda _: True,
    f"/calls/{CALLER}/by_caller_number": lambda call: call.caller_number == CALLER,
    "/calls/live_calls": lambda call: is_live(call) and clock.now() - call.created_at < timedelta(days=1),
}
"""The lists of calls, each with what it has."""


class TestColumnsAndFormats:
    def listed(self, stock: Stock, path: str, reader: Reader) -> list[Call]:
        by_number = {call.number: call for call in stock.calls}
        return [by_number[each] for each in expected(stock, reader, [Filter({}, LISTS[path])])]

    @pytest.mark.parametrize("path", LISTS)
    def test_every_column_has_its_value(self, stock: Stock, path: str) -> None:
        every = [*COLUMNS, *sorted(NULL), SENT]
        for reader in (stock.owner, stock.member):
            rows = self.listed(stock, path, reader)
            assert rows
            reply = stock.get(path, reader, per_page=200).json
            assert reply["calls"] == [shown(stock, reader, call) for call in rows]
            cut = stock.get(path, reader, per_page=200, columns=",".join(every), root="false").json
            assert cut == [shown(stock, reader, call, every) for call in rows]

    @EXAMPLES
    @given(data=st.data())
    def test_some_columns_in_each_format(self, stock: Stock, data: st.DataObject) -> None:
        path, reader = data.draw(st.sampled_from([*LISTS])), data.draw(st.sampled_from([stock.owner, stock.member]))
        drawn = st.sampled_from(sorted({*OFFICIAL, *COLUMNS, "nothing"}))
        columns = data.draw(st.lists(drawn, min_size=1, max_size=8, unique=True))
        text = data.draw(st.sampled_from([",", ", ", " ,"])).join(columns)
        rows = [shown(stock, reader, call, columns) for call in self.listed(stock, path, reader)]
        for suffix, query in (("", {"root": "0"}), (".json", {"root": "false", "serializer": "call_grid"})):
            assert stock.get(path + suffix, reader, per_page=200, columns=text, **query).json == rows
        reply = stock.get(f"{path}.csv", reader, per_page=200, columns=text)
        assert reply.headers["content-type"] == "text/csv; charset=utf-8"
        header, *lines = csv.reader(io.StringIO(reply.body.decode()))
        assert header == [name for name in columns if name != "nothing" and may_be_shown(reader, name)]
        assert [dict(zip(header, line, strict=True)) for line in lines] == [
            {name: self.cell(row.get(name)) for name in header} for row in rows
        ]

    @pytest.mark.parametrize("path", LISTS)
    def test_a_file_has_what_the_rows_have(self, stock: Stock, path: str) -> None:
        for reader in (stock.owner, stock.member):
            rows = [shown(stock, reader, call) for call in self.listed(stock, path, reader)]
            header, *lines = csv.reader(io.StringIO(stock.get(f"{path}.csv", reader, per_page=200).body.decode()))
            assert header == [name for name in header if may_be_shown(reader, name)]
            assert {name for row in rows for name in row} <= {*header}
            assert lines == [[self.cell(row.get(name)) for name in header] for row in rows]

    @staticmethod
    def cell(value: object) -> str:
        if value is None:
            return ""
        return json.dumps(value, separators=(",", ":")) if isinstance(value, dict) else str(value)

    def test_one_call_has_the_same_columns(self, stock: Stock) -> None:
        every = [*COLUMNS, *sorted(NULL), SENT]
        for reader in (stock.owner, stock.member):
            call = self.listed(stock, "/calls", reader)[0]
            reply = stock.get(f"/calls/{call.uuid}", reader, columns=",".join(every), root="false")
            assert reply.json == shown(stock, reader, call, every)


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
