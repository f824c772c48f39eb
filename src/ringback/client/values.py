"""What is sent: amounts exactly, times with their zone, names checked before anything leaves this program."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypedDict
from uuid import UUID

Money = Decimal | int | str
"""An amount of US dollars: ``Decimal("42.50")``, ``42`` or ``"42.50"``; never a float, which is not exact."""

Field = str | int | float | bool | None
"""The value of one contact field; None removes it."""

_Time = datetime | date | str | None
_Number = str | int | None
_Word = str | None
_Truth = bool | None


class Changes(TypedDict, total=False):
    """What an update can name. What is not named is left alone; a value of None is sent as null.

    Ringback leaves booleans and amounts alone that are null, and says so in the warnings of its answer; a disposition
    that is null is taken away. How a call went (``status`` and what follows it) may be said by those who record calls.
    """

    buyer_converted: bool | None
    revenue: Money | None
    add_revenue: Money | None
    offer_converted: bool | None
    payout: Money | None
    add_payout: Money | None
    post_call_tokens: Mapping[str, Field]
    trackdrive_buyer_id: str | int
    trackdrive_traffic_source_id: str | int
    call_disposition_id: str | int | None
    agent_call_disposition_notes: str | None
    status: str
    total_duration: int
    answered_duration: int
    ended_at: datetime
    hangup_cause: str


class BulkChanges(Changes, total=False):
    """One of many updates: the call, by ``uuid``, by ``id``, or as the newest of a caller, and what became of it.

    Without an ``idempotency_key`` of its own it gets one, as every update does.
    """

    uuid: str | UUID
    id: int
    caller_id: str
    offer_token: str
    call_timeframe: int
    idempotency_key: str


class Recording(Changes, total=False):
    """What a recorded call can name beside its caller's number; partners by id, UUID or name."""

    uuid: str | UUID
    buyer: str | int
    traffic_source: str | int
    offer: str | int


class CallFilters(TypedDict, total=False):
    """Which calls a list has, and in which direction: they come by the time when they were recorded.

    What is None is left out. Partners are named by number, UUID, the id that you gave them, or name.
    """

    created_at_from: _Time
    created_at_to: _Time
    created_at_label: _Word
    ended_at_from: _Time
    ended_at_to: _Time
    time_zone: _Word
    id: str | int | UUID | None
    buyer_id: _Number
    traffic_source_id: _Number
    offer_id: _Number
    no_buyer: _Truth
    buyer_converted: _Truth
    offer_converted: _Truth
    either_converted: _Truth
    in_progress: _Truth
    status: _Word
    fulltext: _Number
    token_key: _Word
    token_value: _Word
    order_dir: Literal["asc", "desc"] | None


class PartnerFilters(TypedDict, total=False):
    """Which buyers, traffic sources or offers a list has; they come by number. What is None is left out."""

    fulltext: _Word
    paused: _Truth
    archived: _Truth


class BuyerFilters(PartnerFilters, total=False):
    """The same of buyers."""

    user_buyer_id: _Number


class TrafficSourceFilters(PartnerFilters, total=False):
    """The same of traffic sources."""

    user_traffic_source_id: _Number


class OfferFilters(PartnerFilters, total=False):
    """The same of offers."""

    user_offer_id: _Number


_AMOUNTS = frozenset({"revenue", "add_revenue", "payout", "add_payout"})
_TRUTHS = frozenset({"buyer_converted", "offer_converted"})


def wire_changes(named: Mapping[str, object], known: type[Changes] = Changes) -> dict[str, object]:
    """The changes as JSON has them.

    Raises:
        TypeError: a name that is none, or a value that can't be one of it.
        ValueError: an amount that is no number.
    """
    unknown = sorted(named.keys() - known.__annotations__.keys())
    if unknown:
        raise TypeError(f"there is no {' or '.join(unknown)} to name; contact fields go into post_call_tokens")
    return {name: _wire_change(name, value) for name, value in named.items()}


def wire_filters(filters: Mapping[str, object]) -> dict[str, str]:
    """Filters as a query string has them; those that are None are left out.

    Raises:
        TypeError: a time without its zone, which could mean any.
    """
    return {name: _wire_filter(name, value) for name, value in filters.items() if value is not None}


def _wire_change(name: str, value: object) -> object:
    if name in _AMOUNTS:
        return _amount(name, value)
    if name in _TRUTHS:
        if value is not None and not isinstance(value, bool):
            raise TypeError(f"{name} must be True, False or None, not {value!r}")
        return value
    if isinstance(value, datetime):
        return _moment(name, value)
    return str(value) if isinstance(value, UUID) else value


def _amount(name: str, value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        why = ": a float is not exact" if isinstance(value, float) else ""
        raise TypeError(f"{name} must be a Decimal, an int or a str, such as Decimal('42.50'), not {value!r}{why}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{name} must be an amount, not {value}")
    return value if isinstance(value, str) else format(value, "f" if isinstance(value, Decimal) else "d")


def _wire_filter(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _moment(name, value) if isinstance(value, datetime) else str(value)


def _moment(name: str, value: datetime) -> str:
    if value.tzinfo is None:
        raise TypeError(f"{name} must say its time zone, as datetime(2026, 5, 1, tzinfo=UTC) does")
    return value.isoformat()
