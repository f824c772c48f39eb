"""Which calls a query string asks for, and in which order: TrackDrive's names, as far as Ringback keeps such data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ringback.domain.decisions import RefKind, read_ref
from ringback.domain.moments import LABELS, Span, read_label, read_span, read_zone
from ringback.domain.queries import Query
from ringback.services.calls import read_caller_number, read_sought
from ringback.services.listed_calls import BY_TIME, NOT_KEPT, ORDERS, Order
from ringback.store import call_conditions, partners
from ringback.store.access import Account
from ringback.store.call_search import Condition, Wanted

_NONE = 0
"""The number of no call and no partner."""

_NUMBER_OR_UUID = "Its number, its UUID, the id that you gave it, or its name."
_TIME = "`2026-05-01 12:30:00 -0500`, ISO 8601, or a day, in the `time_zone` where it names no offset."
_TRUTH: dict[str, Any] = {"type": "boolean"}
_TEXT: dict[str, Any] = {"type": "string"}

FILTERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "created_at_from": (f"Recorded then or later: {_TIME}", _TEXT),
    "created_at_to": ("Recorded then or before; all of the second, minute or day that it names counts.", _TEXT),
    "created_at_label": ("A span of time by its name. `Custom Range` leaves it to the two above.", {"enum": [*LABELS]}),
    "ended_at_from": ("Ended then or later.", _TEXT),
    "ended_at_to": ("Ended then or before.", _TEXT),
    "time_zone": ("The time zone of times without an offset; the account's if there is none.", _TEXT),
    "id": ("A call's number or UUID.", _TEXT),
    "buyer_id": (f"The buyer. {_NUMBER_OR_UUID}", _TEXT),
    "traffic_source_id": (f"The traffic source. {_NUMBER_OR_UUID}", _TEXT),
    "offer_id": (f"The offer. {_NUMBER_OR_UUID}", _TEXT),
    "no_buyer": ("Whether no buyer is assigned.", _TRUTH),
    "buyer_converted": ("Whether the buyer converted.", _TRUTH),
    "offer_converted": ("Whether the traffic source converted.", _TRUTH),
    "either_converted": ("Whether one of both did.", _TRUTH),
    "in_progress": ("Whether the call is not over, by its status.", _TRUTH),
    "status": ("Its status; `No Answer` and `no_answer` are `no-answer`.", _TEXT),
    "fulltext": ("A call's UUID or number, or its caller's.", _TEXT),
    "token_key": ("The name of a contact field that it has.", _TEXT),
    "token_value": ("A contact field with its value: `interest:auto`, `amount:>=10000`, `geo:!=800`.", _TEXT),
}
"""The filters that there are, each with its description and schema."""

ORDERING: Mapping[str, tuple[str, dict[str, Any]]] = {
    "order": (
        (
            "What calls are ordered by. Other than by `created_at` at most 10,000 calls are ordered, and there are "
            "pages, but no cursors. What Ringback doesn't keep is alike in all calls."
        ),
        {"enum": sorted({*ORDERS, *NOT_KEPT})},
    ),
    "order_dir": ("`desc`, the newest or greatest first, or `asc`.", {"enum": ["desc", "asc"]}),
}
"""The parameters of the order."""


def read_order(query: Query) -> Order:
    """The order that is asked for: the newest calls first, if nothing is said."""
    name = query.choice("order", sorted({*ORDERS, *NOT_KEPT}))
    oldest_first = query.choice("order_dir", ("desc", "asc")) == "asc"
    return Order(ORDERS.get(name, BY_TIME), oldest_first)


def read_wanted(query: Query, tx: Connection, account: Account, now: datetime, *, caller: str | None = None) -> Wanted:
    """The calls that are asked for; ``caller`` is the number of the caller that the path names, if it names one."""
    zone = read_time_zone(query, account)
    created = _created(query, now, zone)
    sought, conditions = _sought(query, caller)
    buyer_id, traffic_source_id, offer_id = (
        _partner(query, tx, account, noun) for noun in ("buyer", "traffic_source", "offer")
    )
    return Wanted(
        buyer_id=buyer_id,
        traffic_source_id=traffic_source_id,
        offer_id=offer_id,
        buyer_converted=query.truth("buyer_converted"),
        since=created.since,
        until=created.until,
        lack_buyer=query.truth("no_buyer") is True,
        conditions=(*conditions, *_conditions(query, zone)),
        **sought,
    )


def read_time_zone(query: Query, account: Account) -> ZoneInfo:
    """The time zone that times without an offset are in."""
    text = query.text("time_zone")
    zone = read_zone(text or account.time_zone)
    if zone is None:
        query.refuse("time_zone", "the name of a time zone, as America/New_York is")
    return zone or ZoneInfo("UTC")


def _created(query: Query, now: datetime, zone: ZoneInfo) -> Span:
    """When calls were recorded: within what the label means, and between the two times."""
    label, span = query.text("created_at_label"), Span()
    if label:
        found = read_label(label, now, zone)
        if found is None:
            query.refuse("created_at_label", f"one of {', '.join(LABELS)}")
        span = found or span
    return span.within(_between(query, "created_at", zone))


def _between(query: Query, name: str, zone: ZoneInfo) -> Span:
    ends = []
    for end in (f"{name}_from", f"{name}_to"):
        text = query.text(end)
        found = read_span(text, zone) if text else Span()
        if found is None:
            query.refuse(end, "a time such as 2026-05-01 12:30:00 -0500, or a day")
        ends.append(found or Span())
    return Span(ends[0].since, ends[1].until)


def _sought(query: Query, caller: str | None) -> tuple[dict[str, Any], list[Condition]]:
    """What leads to particular calls, and what is then a further condition of them."""
    leads: list[dict[str, Any]] = []
    if caller is not None:
        number = read_caller_number(caller)
        if number is None:
            query.refuse("caller_number", "a telephone number such as +17195550123")
        leads.append({"caller_number": number})
    if text := query.text("fulltext"):
        leads.append(dict(zip(("uuid", "number", "caller_number"), read_sought(text), strict=True)))
    if text := query.text("id"):
        ref = read_ref(text, numbers=True)
        if ref.kind is RefKind.UNREADABLE:
            query.refuse("id", "the number or the UUID of a call")
        leads.append({"uuid": ref.value} if ref.kind is RefKind.UUID else {"number": _whole(ref.value)})
    return (leads[0] if leads else {}), [call_conditions.is_one_of(**each) for each in leads[1:]]


def _conditions(query: Query, zone: ZoneInfo) -> Sequence[Condition]:
    """The conditions that no index tells."""
    found: list[Condition] = []
    for name, make in _TRUTHS.items():
        wanted = query.truth(name)
        if wanted is not None:
            found.append(make(wanted=wanted))
    if query.truth("no_buyer") is False:
        found.append(call_conditions.has_buyer())
    if status := query.text("status"):
        found.append(call_conditions.has_status(status))
    ended = _between(query, "ended_at", zone)
    if ended != Span():
        found.append(call_conditions.ended(ended.since, ended.until))
    if name := query.text("token_key"):
        found.append(call_conditions.has_field(name))
    if text := query.text("token_value"):
        condition = call_conditions.field_fits(text)
        if condition is None:
            query.refuse("token_value", "a name and a value, as interest:auto, amount:>=10000 or geo:!=800")
        else:
            found.append(condition)
    return found


_TRUTHS = {
    "offer_converted": call_conditions.offer_converted,
    "either_converted": call_conditions.either_converted,
    "in_progress": call_conditions.in_progress,
}


def _partner(query: Query, tx: Connection, account: Account, noun: str) -> int | None:
    """The partner that is named; one that isn't there has no calls."""
    text = query.text(f"{noun}_id")
    if not text:
        return None
    found = partners.find(tx, account.id, noun, text)
    return _NONE if found is None else found.id


def _whole(text: str) -> int:
    return int(text) if text.isdigit() else _NONE
