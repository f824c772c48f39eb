"""What is sent: exact amounts, times with a zone, and nothing that was mistyped."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.api.call_queries import FILTERS
from ringback.api.lists import LISTING
from ringback.api.partner_operations import PARTNERS
from ringback.client import BuyerFilters, CallFilters, OfferFilters, Recording, TrafficSourceFilters
from ringback.client.values import wire_changes, wire_filters
from ringback.domain.attributes import BY_WIRE_NAME
from ringback.domain.money import MAXIMUM, format_amount, parse_amount
from ringback.domain.recordings import NAMES

MOMENT = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (Decimal("42.50"), "42.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-6"), "0.000001"),
        (42, "42"),
        ("$1,250.50", "$1,250.50"),
        (None, None),
    ],
)
@pytest.mark.parametrize("name", ["revenue", "add_revenue", "payout", "add_payout"])
def test_amounts_are_sent_exactly(name: str, value: object, sent: str | None) -> None:
    assert wire_changes({name: value}) == {name: sent}


@given(st.decimals(min_value=0, max_value=MAXIMUM, places=6))
def test_what_is_sent_of_an_amount_is_what_is_understood(amount: Decimal) -> None:
    sent = wire_changes({"revenue": amount})["revenue"]
    assert isinstance(sent, str)
    assert parse_amount(sent) == amount
    assert Decimal(format_amount(parse_amount(sent))) == amount


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"revenue": 42.5}, TypeError, r"revenue must be a Decimal.* not 42.5: a float is not exact"),
        ({"payout": True}, TypeError, "payout must be a Decimal"),
        ({"add_revenue": b"1"}, TypeError, "add_revenue must be a Decimal"),
        ({"revenue": Decimal("NaN")}, ValueError, "revenue must be an amount, not NaN"),
        ({"revenue": Decimal("Infinity")}, ValueError, "not Infinity"),
        ({"buyer_converted": "yes"}, TypeError, "buyer_converted must be True, False or None"),
        ({"offer_converted": 1}, TypeError, "offer_converted must be True, False or None"),
        ({"first_name": "Jane"}, TypeError, "no first_name to name; contact fields go into post_call_tokens"),
        ({"b": 1, "a": 1}, TypeError, "no a or b"),
        ({"uuid": "x"}, TypeError, "no uuid"),
    ],
)
def test_what_was_mistyped_is_not_sent(changes: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        wire_changes(changes)


def test_everything_that_ringback_reads_can_be_named() -> None:
    said_otherwise = {"data", "buyer_id", "traffic_source_id", "offer_id"}  # as post_call_tokens and buyer="7"
    reads = {*BY_WIRE_NAME, *NAMES} - said_otherwise
    assert {"caller_number", *Recording.__annotations__} == reads


def test_every_filter_has_its_type() -> None:
    assert set(CallFilters.__annotations__) == {*FILTERS, "order_dir"}
    kinds: dict[str, type] = {"buyer": BuyerFilters, "traffic_source": TrafficSourceFilters, "offer": OfferFilters}
    for noun, kind in kinds.items():
        named = {each.removeprefix("partner.") for each in PARTNERS[noun].list.parameters} - {*LISTING}
        assert set(kind.__annotations__) == named


def test_a_recording_is_sent_with_its_zone() -> None:
    uuid = UUID("3f2b8c1e-5d0a-4f6b-9c7d-2e1a0b3c4d5e")
    named = {"uuid": uuid, "ended_at": MOMENT, "total_duration": 7, "revenue": 1}
    sent = {"uuid": str(uuid), "ended_at": "2026-05-01T12:30:00+00:00", "total_duration": 7, "revenue": "1"}
    assert wire_changes(named, Recording) == sent
    with pytest.raises(TypeError, match="ended_at must say its time zone"):
        wire_changes({"ended_at": MOMENT.replace(tzinfo=None)}, Recording)


def test_filters_are_sent_as_a_query_has_them() -> None:
    filters = {"buyer_id": 3, "buyer_converted": True, "no_buyer": False, "status": None, "fulltext": "a&b"}
    assert wire_filters(filters) == {
        "buyer_id": "3",
        "buyer_converted": "true",
        "no_buyer": "false",
        "fulltext": "a&b",
    }
    times = {"created_at_from": MOMENT, "created_at_to": date(2026, 5, 2)}
    assert wire_filters(times) == {"created_at_from": "2026-05-01T12:30:00+00:00", "created_at_to": "2026-05-02"}
    with pytest.raises(TypeError, match="created_at_from must say its time zone"):
        wire_filters({"created_at_from": MOMENT.replace(tzinfo=None)})
