"""What lists show of a call in each column, said in plain Python, and what their figures tell apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ringback.domain.calls import Call
from tests.api.filtering import ACCOUNT_ZONE
from tests.api.listing import Reader, Stock


def moment(at: datetime | None) -> str | None:
    """A time as lists write it: milliseconds, and the offset of the account's zone."""
    if at is None:
        return None
    here = at.astimezone(ZoneInfo(ACCOUNT_ZONE))
    offset = f"{here:%z}"
    return f"{here:%Y-%m-%dT%H:%M:%S}.{here.microsecond // 1000:03}{offset[:3]}:{offset[3:]}"


def amount(value: Any) -> str | None:  # noqa: ANN401 - an amount or none
    """An amount as lists write it: two decimals, or as many as it has."""
    if value is None:
        return None
    whole, _, cents = f"{value:.6f}".partition(".")
    return f"{whole}.{cents.rstrip('0').ljust(2, '0')}"


def converted(name: str) -> Callable[[Call], str | None]:
    return lambda call: "Converted" if call.state[name] else None


def of_partner(noun: str, part: str) -> Callable[[Call], object]:
    return lambda call: getattr(getattr(call, noun), part, None)


def kept(name: str) -> Callable[[Call], object]:
    return lambda call: getattr(call, name)


COLUMNS: Mapping[str, tuple[Callable[[Call], object], str | None]] = {
    "id": (kept("number"), None),
    **{name: (kept(name), None) for name in ("uuid", "caller_number", "status", "total_duration", "answered_duration")},
    "created_at": (lambda call: moment(call.created_at), None),
    "updated_at": (lambda call: moment(call.updated_at), None),
    "ended_at": (lambda call: moment(call.ended_at), None),
    "hangup_cause": (kept("hangup_cause"), None),
    "hangup_reason": (kept("hangup_cause"), None),
    "buyer": (of_partner("buyer", "name"), None),
    "buyer_id": (of_partner("buyer", "id"), None),
    "user_buyer_id": (of_partner("buyer", "external_id"), None),
    "traffic_source": (of_partner("traffic_source", "name"), None),
    "traffic_source_id": (of_partner("traffic_source", "id"), None),
    "user_traffic_source_id": (of_partner("traffic_source", "external_id"), None),
    "offer": (of_partner("offer", "name"), None),
    "offer_id": (of_partner("offer", "id"), None),
    "user_offer_id": (of_partner("offer", "external_id"), None),
    "buyer_converted": (converted("buyer_converted"), "buyer_converted"),
    "offer_converted": (converted("offer_converted"), "offer_converted"),
    "traffic_source_converted": (converted("offer_converted"), "offer_converted"),
    "revenue": (lambda call: amount(call.state["revenue"]), "revenue"),
    "buyer_revenue": (lambda call: amount(call.state["revenue"]), "revenue"),
    "payout": (lambda call: amount(call.state["payout"]), "payout"),
    "traffic_source_payout": (lambda call: amount(call.state["payout"]), "payout"),
    "contact_fields": (lambda call: call.state["contact_fields"], "contact_fields"),
    "post_call_tokens": (lambda call: call.state["contact_fields"], "contact_fields"),
    "token_values": (lambda call: call.state["contact_fields"], "contact_fields"),
    **dict.fromkeys(
        ("disposition_id", "disposition_key", "disposition_name", "call_disposition_id"),
        (kept("disposition"), "disposition"),
    ),
    "disposition_notes": (kept("disposition_notes"), "disposition_notes"),
    "agent_call_disposition_notes": (kept("disposition_notes"), "disposition_notes"),
}
"""The columns that there are, each with its value and the attribute that has to be read for it."""

NULL = frozenset(
    """
    legacy_id type deleted_at user_updated_at routes_show_path routes_edit_path external_record_id name recording_url
    category number_called number_id connected_to quality_assurance_user_id quality_assurance_name quality_assurance_id
    agent_id obfuscated_caller_number caller_city caller_country hold_duration ivr_duration attempted_duration
    agent_duration sub_id schedule_id schedule_name ring_pool_id buyer_repeat_caller traffic_source_repeat_caller
    trackdrive_cost provider_cost call_sid provider contact_field_type
    """.split()  # noqa: SIM905 - they read better as words
)
"""The columns that are always null, and there only where they are asked for."""

SENT = "outgoing_webhooks_count"


def shown(stock: Stock, reader: Reader, call: Call, columns: list[str] | None = None) -> dict[str, object]:
    """What a reader is shown of a call: of all columns, or of those that are asked for."""
    readable = reader.readable(call) or frozenset()
    values = {name: value(call) for name, (value, needed) in COLUMNS.items() if needed is None or needed in readable}
    if columns is None:
        return values
    if reader.reads is None:
        values[SENT] = stock.sent[call.uuid]
    return {name: values.get(name) for name in columns if name in values or name in NULL}


def may_be_shown(reader: Reader, column: str) -> bool:
    """Whether a file has this column for a reader."""
    if column in NULL:
        return True
    if column == SENT:
        return reader.reads is None
    needed = COLUMNS[column][1] if column in COLUMNS else ""
    return needed is None or reader.reads is None or any(needed in reads for reads in reader.reads.values())


Group = Callable[[Call, ZoneInfo], str | None]


def _day(call: Call, zone: ZoneInfo) -> datetime:
    return call.created_at.astimezone(zone)


def _five_minutes(call: Call, zone: ZoneInfo) -> str:
    here = _day(call, zone)
    offset = f"{here:%z}"
    return f"{here:%Y-%m-%dT%H}:{here.minute // 5 * 5:02}:00.000{offset[:3]}:{offset[3:]}"


GROUPS: Mapping[str, tuple[Group, frozenset[str]]] = {
    "buyer_converted": (lambda call, _: converted("buyer_converted")(call), frozenset({"buyer_converted"})),
    "offer_converted": (lambda call, _: converted("offer_converted")(call), frozenset({"offer_converted"})),
    "status": (lambda call, _: call.status, frozenset()),
    "created_at_five_minutes": (_five_minutes, frozenset()),
    "created_at_day": (lambda call, zone: f"{_day(call, zone):%Y-%m-%d}", frozenset()),
    "created_at_week": (
        lambda call, zone: f"{_day(call, zone) - timedelta(days=_day(call, zone).weekday()):%Y-%m-%d}",
        frozenset(),
    ),
    "created_at_month": (lambda call, zone: f"{_day(call, zone):%Y-%m}-01", frozenset()),
}
"""By what calls are put together, and what tells something of them."""


def _worth(call: Call, name: str) -> Decimal:
    value = call.state[name]
    return value if isinstance(value, Decimal) else Decimal(0)


STATS: Mapping[str, tuple[Callable[[Call], Decimal], frozenset[str]]] = {
    "count": (lambda _: Decimal(1), frozenset()),
    "revenue": (lambda call: _worth(call, "revenue"), frozenset({"revenue"})),
    "cost": (lambda call: _worth(call, "payout"), frozenset({"payout"})),
    "profit": (lambda call: _worth(call, "revenue") - _worth(call, "payout"), frozenset({"revenue", "payout"})),
}
"""What is added up of each call, and what has to be read for it."""
