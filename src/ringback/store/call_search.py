"""Calls as lists want them: filtered, newest first, paged by when they were recorded and their number.

The filters by partner and by caller have an index each that ends with that order; of several the narrowest leads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, select

from ringback.domain.calls import Call
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.figures import Figures
from ringback.domain.money import from_micros
from ringback.store.calls import find_all
from ringback.store.schema import calls
from ringback.store.values import from_moment, to_moment
from ringback.store.walks import LOOKED_AT, Fits, Path, narrowest, walk

Place = tuple[datetime, int]
"""Where a call stands in the order: when it was recorded, and its number."""

WORTH = ("buyer_converted", "revenue", "payout")
"""The columns that figures are made of."""

MOST_APART = 50
"""For how many buyers a page is put together from the newest calls of each."""

_c = calls.c
_ORDER = (_c.created_at, _c.number)
_PARTNERS = ("buyer_id", "traffic_source_id", "offer_id")


CallRow = Row[Any]
"""Some columns of a call, as the database has them."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a call has to be that no index tells.

    Attributes:
        columns: what it is about.
        holds: whether the values of these columns, as the database has them, are right.
        attributes: those that the condition tells something of.
    """

    columns: tuple[str, ...]
    holds: Callable[..., bool]
    attributes: tuple[str, ...] = ()


class Wanted(Struct, frozen=True):
    """Which calls are wanted; None where it doesn't matter.

    ``until`` is not included. What is searched for is a ``uuid``, or ``number`` and ``caller_number``, of which a call
    has to have either. ``only_buyers`` are those whose calls may be seen; calls that ``lack_buyer`` have none. All
    ``conditions`` have to hold.
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
    lack_buyer: bool = False
    conditions: tuple[Condition, ...] = ()

    @property
    def partners(self) -> Mapping[str, int]:
        """The partners that are asked for, by column."""
        named = {column: getattr(self, column) for column in _PARTNERS}
        return {column: number for column, number in named.items() if number is not None}

    @property
    def is_sought(self) -> bool:
        """Whether particular calls are searched for."""
        return not (self.uuid is None and self.number is None and self.caller_number is None)


@dataclass(frozen=True, slots=True)
class Page:
    """Calls, newest first; ``looked_to`` is where it was given up to find more of them, if it was."""

    calls: Sequence[Call]
    looked_to: Place | None = None


def list_page(
    connection: Connection,
    account_id: int,
    wanted: Wanted,
    *,
    before: Place | None = None,
    limit: int,
    skipped: int = 0,
    oldest_first: bool = False,
) -> Page:
    """The newest calls that are wanted, from before a place on; the other way round the oldest, from after it on.

    Of so many, ``limit``, the first can be skipped.
    """
    place = None if before is None else (to_moment(before[0]), before[1])
    paths = paths_to(connection, account_id, wanted)
    found = walk(connection, _ORDER, paths, before=place, limit=limit, oldest_first=oldest_first)
    looked_to = found.looked_to and (from_moment(found.looked_to[0]), found.looked_to[1])
    return Page(list_numbered(connection, account_id, [row.number for row in found.rows[skipped:]]), looked_to)


def list_numbered(connection: Connection, account_id: int, numbers: Sequence[int]) -> list[Call]:
    """Calls by their numbers, in that order."""
    asked = [(account_id, CallRef(RefKind.NUMBER, str(number))) for number in numbers]
    there = find_all(connection, asked)
    return [there[each] for each in asked]


def list_rows(
    connection: Connection, account_id: int, wanted: Wanted, columns: Sequence[str]
) -> Sequence[CallRow] | None:
    """Columns of all calls that are wanted, newest first; None if that takes a look at too many."""
    paths = paths_to(connection, account_id, wanted)
    found = walk(connection, _ORDER, paths, others=[_c[name] for name in columns], limit=LOOKED_AT)
    return None if found.looked_to is not None or len(found.rows) == LOOKED_AT else found.rows


def find_place(connection: Connection, account_id: int, number: int) -> Place:
    """Where a call of this number stands in the order, or would stand."""
    statement = (
        select(_c.created_at)
        .where(_c.account_id == account_id, _c.number <= number)
        .order_by(_c.number.desc())
        .limit(1)
    )
    return from_moment(connection.execute(statement).scalar_one_or_none() or 0), number


def sum_up(connection: Connection, account_id: int, wanted: Wanted) -> Figures | None:
    """What the calls that are wanted come to, added up one by one; None if that takes a look at too many."""
    found = list_rows(connection, account_id, wanted, WORTH)
    return None if found is None else worth_of(found)


def worth_of(found: Sequence[CallRow]) -> Figures:
    """What calls come to, of which the columns of :data:`WORTH` were read."""
    converted = [row for row in found if row.buyer_converted]
    worth = (
        from_micros(sum(getattr(row, name) or 0 for row in rows))
        for rows in (found, converted)
        for name in ("revenue", "payout")
    )
    return Figures(len(found), len(converted), *worth)


def paths_to(connection: Connection, account_id: int, wanted: Wanted) -> Sequence[Path]:
    """The ways to the calls that are wanted: by what was searched for, buyer by buyer, or by a partner."""
    within = [_c.account_id == account_id]
    if wanted.since is not None:
        within.append(_c.created_at >= to_moment(wanted.since))
    if wanted.until is not None:
        within.append(_c.created_at < to_moment(wanted.until))

    def way(**leads: object) -> Path:
        open_ones = [each for each in _conditions(wanted) if not _is_told(each, leads)]
        columns = tuple(dict.fromkeys(_c[name] for each in open_ones for name in each.columns))
        return Path((*within, *(_c[name] == value for name, value in leads.items())), _fits(open_ones), columns)

    if wanted.is_sought:
        sought = {"uuid": wanted.uuid, "number": wanted.number, "caller_number": wanted.caller_number}
        return [way(**{name: value}) for name, value in sought.items() if value is not None]
    buyers = wanted.only_buyers
    if buyers is not None and (wanted.lack_buyer or wanted.buyer_id not in {None, *buyers}):
        return []
    if buyers is not None and wanted.buyer_id is None and len(buyers) <= MOST_APART:
        return [way(buyer_id=each) for each in sorted(buyers)]
    ways = [[way(**{name: number})] for name, number in wanted.partners.items()]
    if wanted.lack_buyer:
        ways.append([way(buyer_id=None)])
    return narrowest(connection, _c.number, ways or [[way()]])


def _conditions(wanted: Wanted) -> list[Condition]:
    """What must be true of a call, whether an index leads to it or not."""
    allowed: list[tuple[str, frozenset[object]]] = [
        (name, frozenset({number})) for name, number in wanted.partners.items()
    ]
    if wanted.only_buyers is not None:
        allowed.append(("buyer_id", wanted.only_buyers))
    if wanted.lack_buyer:
        allowed.append(("buyer_id", frozenset({None})))
    if wanted.buyer_converted is not None:
        allowed.append(("buyer_converted", frozenset({wanted.buyer_converted})))
    return [*(Condition((name,), values.__contains__) for name, values in allowed), *wanted.conditions]


def _is_told(condition: Condition, leads: Mapping[str, object]) -> bool:
    """Whether what leads to calls tells already that a condition holds."""
    named = [leads[name] for name in condition.columns if name in leads]
    return len(named) == len(condition.columns) and condition.holds(*named)


def _fits(conditions: Sequence[Condition]) -> Fits | None:
    if not conditions:
        return None
    return lambda row: all(each.holds(*(getattr(row, name) for name in each.columns)) for each in conditions)
