"""Calls as lists want them: filtered, newest first, paged by when they were recorded and their number.

The filters by partner and by caller have an index each that ends with that order; of several the narrowest leads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain.calls import Call
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.figures import Figures
from ringback.domain.money import from_micros
from ringback.store.calls import find_all
from ringback.store.schema import calls
from ringback.store.values import from_moment, to_moment
from ringback.store.walks import LOOKED_AT, Path, narrowest, walk

Place = tuple[datetime, int]
"""Where a call stands in the order: when it was recorded, and its number."""

MOST_APART = 50
"""For how many buyers a page is put together from the newest calls of each."""

_c = calls.c
_ORDER = (_c.created_at, _c.number)
_WORTH = (_c.buyer_converted, _c.revenue, _c.payout)
_PARTNERS = ("buyer_id", "traffic_source_id", "offer_id")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are wanted; None where it doesn't matter.

    ``until`` is not included. What is searched for is a ``uuid``, or ``number`` and ``caller_number``, of which a call
    has to have either. ``only_buyers`` are those whose calls may be seen.
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
    connection: Connection, account_id: int, wanted: Wanted, *, before: Place | None = None, limit: int
) -> Page:
    """The newest calls that are wanted, from before a place on."""
    place = None if before is None else (to_moment(before[0]), before[1])
    paths = _paths(connection, account_id, wanted)
    found = walk(connection, _ORDER, paths, before=place, limit=limit)
    asked = [(account_id, CallRef(RefKind.NUMBER, str(row.number))) for row in found.rows]
    there = find_all(connection, asked)
    looked_to = found.looked_to and (from_moment(found.looked_to[0]), found.looked_to[1])
    return Page([there[each] for each in asked], looked_to)


def sum_up(connection: Connection, account_id: int, wanted: Wanted) -> Figures | None:
    """What the calls that are wanted come to, added up one by one; None if that takes a look at too many."""
    paths = _paths(connection, account_id, wanted)
    found = walk(connection, _ORDER, paths, others=_WORTH, limit=LOOKED_AT)
    if found.looked_to is not None or len(found.rows) == LOOKED_AT:
        return None
    converted = [row for row in found.rows if row.buyer_converted]
    worth = (
        from_micros(sum(getattr(row, name) or 0 for row in rows))
        for rows in (found.rows, converted)
        for name in ("revenue", "payout")
    )
    return Figures(len(found.rows), len(converted), *worth)


def _paths(connection: Connection, account_id: int, wanted: Wanted) -> Sequence[Path]:
    """The ways to the calls that are wanted: by what was searched for, buyer by buyer, or by a partner."""
    within = [_c.account_id == account_id]
    if wanted.since is not None:
        within.append(_c.created_at >= to_moment(wanted.since))
    if wanted.until is not None:
        within.append(_c.created_at < to_moment(wanted.until))

    def way(**leads: object) -> Path:
        tests = _tests(wanted, leads)
        fits = (lambda row: all(getattr(row, name) in allowed for name, allowed in tests.items())) if tests else None
        return Path(
            (*within, *(_c[name] == value for name, value in leads.items())), fits, tuple(_c[each] for each in tests)
        )

    if wanted.is_sought:
        sought = {"uuid": wanted.uuid, "number": wanted.number, "caller_number": wanted.caller_number}
        return [way(**{name: value}) for name, value in sought.items() if value is not None]
    buyers = wanted.only_buyers
    if buyers is not None and wanted.buyer_id is not None and wanted.buyer_id not in buyers:
        return []
    if buyers is not None and wanted.buyer_id is None and len(buyers) <= MOST_APART:
        return [way(buyer_id=each) for each in sorted(buyers)]
    ways = [[way(**{name: number})] for name, number in wanted.partners.items()]
    return narrowest(connection, _c.number, ways or [[way()]])


def _tests(wanted: Wanted, leads: Mapping[str, object]) -> dict[str, frozenset[object]]:
    """What a call that is found by some columns must have in others."""
    tests: dict[str, frozenset[object]] = {name: frozenset({number}) for name, number in wanted.partners.items()}
    if wanted.only_buyers is not None:
        tests["buyer_id"] = frozenset(wanted.only_buyers & tests.get("buyer_id", wanted.only_buyers))
    if wanted.buyer_converted is not None:
        tests["buyer_converted"] = frozenset({wanted.buyer_converted})
    return {name: allowed for name, allowed in tests.items() if leads.get(name) not in allowed}
