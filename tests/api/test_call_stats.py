"""What calls come to, group by group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ringback.services.call_stats import GROUPS
from ringback.store import call_search, call_sums, walks
from tests.api.listing import Stock

MARCH = {"created_at_from": "2026-03-01", "created_at_to": "2026-03-31"}


class TestStats:
    @pytest.mark.parametrize(
        ("group_by", "group"),
        [
            ("buyer_converted", lambda call: "Converted" if call.state["buyer_converted"] else None),
            ("offer_converted", lambda call: "Converted" if call.state["offer_converted"] else None),
            ("status", lambda call: call.status),
            ("created_at_day", lambda call: (call.created_at - timedelta(hours=5)).date().isoformat()),
            ("created_at_month", lambda _: "2026-03-01"),
        ],
    )
    @pytest.mark.parametrize("stat", ["count", "revenue", "cost", "profit"])
    def test_groups(self, stock: Stock, group_by: str, group: Any, stat: str) -> None:  # noqa: ANN401
        figures: dict[str | None, Any] = {}
        for call in stock.calls:
            if call.created_at < datetime(2026, 4, 1, tzinfo=UTC):
                revenue, payout = ((call.state[name] or 0) for name in ("revenue", "payout"))
                add = {"count": 1, "revenue": revenue, "cost": payout, "profit": revenue - payout}[stat]  # type: ignore[operator] # amounts
                figures[group(call)] = figures.get(group(call), 0) + add
        reply = stock.get("/calls/stats", stock.owner, group_by=group_by, stat=stat, time_zone="Etc/GMT+5", **MARCH)
        rows = reply.json["stats"]
        assert {row[group_by]: float(row[stat]) for row in rows} == {key: float(sum_) for key, sum_ in figures.items()}
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
        seen = [call for call in stock.calls if stock.member.readable(call) is not None]
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
