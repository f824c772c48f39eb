"""What calls come to, group by group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.domain.calls import Call
from ringback.services import call_stats
from ringback.store import call_search, call_sums, walks
from tests.api.filtering import MAKES, ZONES, asked, may_read, together
from tests.api.listing import Filter, Stock, expected
from tests.api.showing import GROUPS, STATS

MARCH = {"created_at_from": "2026-03-01", "created_at_to": "2026-03-31"}
PERIOD = {"created_at_from": "2026-03-06T22:00:00Z", "created_at_to": "2030-01-01T00:00:00Z"}


def is_within(call: Call) -> bool:
    return call.created_at >= datetime(2026, 3, 6, 22, tzinfo=UTC)


class TestStats:
    def test_nothing_is_left_out(self) -> None:
        assert (GROUPS.keys(), STATS.keys()) == (call_stats.GROUPS.keys(), call_stats.STATS.keys())

    @pytest.mark.parametrize("stat", STATS)
    @pytest.mark.parametrize("group_by", GROUPS)
    @settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_groups(self, stock: Stock, group_by: str, stat: str, data: st.DataObject) -> None:
        reader, zone = data.draw(st.sampled_from([stock.owner, stock.member])), data.draw(st.sampled_from([*ZONES]))
        filters = data.draw(together(stock, {*MAKES} - {"created_at_from", "created_at_to"}, ZONES[zone]))
        (group, grouped_by), (worth, added) = GROUPS[group_by], STATS[stat]
        told = frozenset().union(grouped_by, added, *(each.attributes for each in filters))
        query = {"group_by": group_by, "stat": stat, **PERIOD, **asked(filters)}
        if not may_read(reader, told):
            assert stock.get("/calls/stats", reader, **query).json["code"] == "may_not_read"
            return
        figures: dict[str | None, Decimal] = {}
        for number in expected(stock, reader, [*filters, Filter({}, is_within, told)]):
            call = next(call for call in stock.calls if call.number == number)
            key = group(call, ZONES[zone])
            figures[key] = figures.get(key, Decimal(0)) + worth(call)
        reply = stock.get("/calls/stats", reader, **query)
        assert reply.status == 200, reply.body
        rows = [(row[group_by], Decimal(row[stat])) for row in reply.json["stats"]]
        assert rows == sorted(figures.items(), key=lambda each: (each[0] is None, each[0] or ""))
        assert reply.json["metadata"] == {"root": "stats", "group_by": group_by, "stat": stat}

    def test_many_are_told_from_the_kept_figures(self, stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
        query = {"group_by": "created_at_day", "stat": "profit", **MARCH}
        exact = stock.get("/calls/stats", stock.owner, **query).json["stats"]
        for module in (walks, call_search):
            monkeypatch.setattr(module, "LOOKED_AT", 10)
        monkeypatch.setattr(call_sums, "MOST_ADDED", 20)
        assert stock.get("/calls/stats", stock.owner, **query).json["stats"] == exact
        for name in ("created_at_week", "created_at_month"):
            assert stock.get("/calls/stats", stock.owner, **{**query, "group_by": name}).status == 200
        reply = stock.get("/calls/stats", stock.owner, **{**query, "group_by": "status"})
        assert reply.json["code"] == "too_many_calls"
        assert "More than 20 calls" in reply.json["message"]

    @pytest.mark.parametrize("group_by", GROUPS)
    def test_as_many_as_a_busy_month_has_are_added_up(
        self, stock: Stock, monkeypatch: pytest.MonkeyPatch, group_by: str
    ) -> None:
        filters: Sequence[dict[str, str]] = ({}, {"status": "No Answer"}, {"either_converted": "1"}, {"no_buyer": "0"})
        asked = [{"group_by": group_by, "stat": "profit", **MARCH, **each} for each in filters]
        exact = [stock.get("/calls/stats", stock.owner, **each).json["stats"] for each in asked]
        monkeypatch.setattr(walks, "LOOKED_AT", 10)
        monkeypatch.setattr(call_search, "LOOKED_AT", 10)
        monkeypatch.setattr(call_sums, "LOOKED_AT", 10)
        assert [stock.get("/calls/stats", stock.owner, **each).json["stats"] for each in asked] == exact
        reply = stock.get("/calls/stats", stock.owner, **asked[0], token_key="zip")
        assert (reply.json["code"], "10 calls" in reply.json["message"]) == ("too_many_calls", True)

    def test_names_that_are_unknown_are_passed_over_and_told(self, stock: Stock) -> None:
        query = {"group_by": "status", "stat": "count", **MARCH, "sort_by": "x", "has_recording": "1"}
        assert stock.get("/calls/stats", stock.owner, **query).json["metadata"]["ignored"] == [
            "sort_by",
            "has_recording",
        ]

    def test_reports_are_asked_for_elsewhere(self, stock: Stock) -> None:
        for path in ("/calls/reports", "/calls/reports.csv"):
            reply = stock.get(path, stock.owner, category="buyer")
            assert (reply.status, reply.json["code"]) == (404, "no_reports")
            assert "/calls/stats" in reply.json["hint"]

    def test_only_what_may_be_read_is_added_up(self, stock: Stock) -> None:
        query = {"group_by": "status", **MARCH}
        counted = stock.get("/calls/stats", stock.member, stat="count", root="false", **query).json
        march = (call for call in stock.calls if (call.created_at.year, call.created_at.month) == (2026, 3))
        seen = [call for call in march if stock.member.readable(call) is not None]
        assert sum(row["count"] for row in counted) == len(seen)
        assert stock.get("/calls/stats", stock.member, stat="profit", **query).json["code"] == "may_not_read"
        query["group_by"] = "offer_converted"
        assert stock.get("/calls/stats", stock.member, stat="count", **query).json["code"] == "may_not_read"

    def test_what_is_required_is_said(self, stock: Stock) -> None:
        reply = stock.get("/calls/stats", stock.owner, stat="weight")
        assert reply.status == 422
        assert reply.json["codes"] == {
            "stat": "invalid_value",
            "group_by": "missing_value",
            "created_at_from": "missing_value",
            "created_at_to": "missing_value",
        }
