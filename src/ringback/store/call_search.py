"""Calls as lists want them: filtered, newest first, paged by when they were recorded and their number.

The filters by partner and by caller have an index each that ends with that order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, or_, select, tuple_, union_all

from ringback.domain.calls import Call
from ringback.store.calls import find_each
from ringback.store.schema import calls
from ringback.store.values import to_moment

Place = tuple[datetime, int]
"""Where a call stands in the order: when it was recorded, and its number."""

MOST_APART = 50
"""For how many buyers a page is put together from the newest calls of each."""

_c = calls.c
_ORDER = (_c.created_at.desc(), _c.number.desc())


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are wanted; None where it doesn't matter.

    ``until`` is not included. A call fits ``number`` and ``caller_number`` if it has either. ``only_buyers`` are those
    whose calls may be seen.
    """

    buyer_id: int | None = None
    traffic_source_id: int | None = None
    offer_id: int | None = None
    buyer_converted: bool | None = None
    uuid: str | None = None
    number: int | None = None
    caller_number: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    only_buyers: frozenset[int] | None = None


def list_page(
    connection: Connection, account_id: int, wanted: Wanted, *, before: Place | None = None, limit: int
) -> list[Call]:
    """The newest calls that are wanted, from before a place on."""
    places = [_places(account_id, each, before, limit) for each in _apart(wanted)]
    if not places:
        return []
    page = places[0] if len(places) == 1 else union_all(*(select(each.subquery()) for each in places))
    uuids = connection.execute(page).scalars().all()
    found = find_each(connection, account_id, uuids)
    return sorted(found.values(), key=lambda call: (call.created_at, call.number), reverse=True)[:limit]


def _apart(wanted: Wanted) -> Iterator[Wanted]:
    """The same, buyer by buyer where only some may be seen: each buyer's calls have an order of their own."""
    buyers = wanted.only_buyers
    if buyers is None:
        yield wanted
    elif wanted.buyer_id is not None:
        if wanted.buyer_id in buyers:
            yield wanted
    elif len(buyers) > MOST_APART:
        yield wanted
    else:
        for buyer_id in sorted(buyers):
            yield replace(wanted, buyer_id=buyer_id)


def _places(account_id: int, wanted: Wanted, before: Place | None, limit: int) -> Select[tuple[str]]:
    statement = select(_c.uuid).where(_c.account_id == account_id, *_conditions(wanted))
    if before is not None:
        statement = statement.where(tuple_(_c.created_at, _c.number) < (to_moment(before[0]), before[1]))
    return statement.order_by(*_ORDER).limit(limit)


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    named = {
        _c.buyer_id: wanted.buyer_id,
        _c.traffic_source_id: wanted.traffic_source_id,
        _c.offer_id: wanted.offer_id,
        _c.buyer_converted: wanted.buyer_converted,
        _c.uuid: wanted.uuid,
    }
    yield from (column == value for column, value in named.items() if value is not None)
    called = [
        column == value
        for column, value in ((_c.number, wanted.number), (_c.caller_number, wanted.caller_number))
        if value is not None
    ]
    if called:
        yield or_(*called)
    if wanted.since is not None:
        yield _c.created_at >= to_moment(wanted.since)
    if wanted.until is not None:
        yield _c.created_at < to_moment(wanted.until)
    if wanted.only_buyers is not None and wanted.buyer_id is None:
        yield _c.buyer_id.in_(sorted(wanted.only_buyers))
