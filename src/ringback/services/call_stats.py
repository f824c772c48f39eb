"""What calls come to, group by group, for the reading API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ringback.domain.access import Principal
from ringback.domain.answers import iso
from ringback.domain.attributes import BUYER_CONVERTED, OFFER_CONVERTED, PAYOUT, REVENUE, Attribute
from ringback.domain.errors import Refusal
from ringback.domain.figures import Figures
from ringback.domain.moments import week_start
from ringback.domain.periods import day_start
from ringback.services import seen_calls
from ringback.store import call_sums
from ringback.store.call_search import CallRow, Wanted
from ringback.store.figures import Span
from ringback.store.values import from_moment

STATS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "count": (),
        "revenue": (REVENUE.name,),
        "profit": (REVENUE.name, PAYOUT.name),
        "cost": (PAYOUT.name,),
    }
)
"""What can be added up, and what has to be read for it."""

MOST_PARTS = 400
"""How many days, weeks or months are told at most where there are too many calls to look at each."""

_FIVE_MINUTES, _QUARTER = timedelta(minutes=5), timedelta(minutes=15)
_DAY = timedelta(days=1)
_EPOCH = from_moment(0)


@dataclass(frozen=True, slots=True)
class Group:
    """A value that calls have in common; None for those that have none."""

    value: str | None
    figures: Figures


def group_calls(
    tx: Connection, principal: Principal, wanted: Wanted, *, group_by: str, stat: str, zone: ZoneInfo
) -> list[Group]:
    """What the calls that are wanted and may be seen come to, group by group, in the order of the groups.

    Raises:
        Refusal: ``may_not_read``: he may read of no call what is asked for; ``too_many_calls``.
    """
    grouping = GROUPS[group_by]
    narrow = seen_calls.narrowed(principal, wanted, {*STATS[stat], *grouping.attributes})
    sums = call_sums.sum_apart(tx, principal.account_id, narrow, [grouping.column], unit=grouping.unit)
    if sums is None:
        return _of_kept(tx, principal, narrow, grouping, zone)
    groups: dict[str | None, Figures] = {}
    for each in sums:
        value = grouping.value(each.row, zone)
        groups[value] = groups.get(value, Figures()) + each.figures
    found = [Group(value, figures) for value, figures in groups.items()]
    return sorted(found, key=lambda group: (group.value is None, group.value or ""))


def figure(figures: Figures, stat: str) -> int | Decimal:
    """One of the figures."""
    amounts = {"revenue": figures.revenue, "cost": figures.payout, "profit": figures.margin}
    return figures.calls if stat == "count" else amounts[stat]


@dataclass(frozen=True, slots=True)
class _Grouping:
    """How calls are put together: by a value of a column of theirs, of a time as well by the parts of a period.

    Days begin at quarters of an hour, in whatever zone.
    """

    column: str
    value: Callable[[CallRow, ZoneInfo], str | None]
    attributes: tuple[str, ...] = ()
    start: Callable[[date], date] | None = None
    unit: timedelta = _QUARTER


def _of_kept(tx: Connection, principal: Principal, narrow: Wanted, grouping: _Grouping, zone: ZoneInfo) -> list[Group]:
    """The same of more calls than can be looked at one by one, from the kept figures, where they tell it."""
    if grouping.start is None or narrow.since is None or narrow.until is None:
        raise _too_many(narrow)
    parts = list(islice(_parts(narrow.since, narrow.until, grouping.start, zone), MOST_PARTS + 1))
    if len(parts) > MOST_PARTS:
        raise _too_many(narrow)
    found = seen_calls.sum_spans(tx, principal, narrow, [span for _, span in parts])
    if found is None:
        raise _too_many(narrow)
    told = zip(parts, found, strict=True)
    return [Group(day.isoformat(), figures) for (day, _), figures in told if figures.calls]


def _parts(
    since: datetime, until: datetime, start: Callable[[date], date], zone: ZoneInfo
) -> Iterator[tuple[date, Span]]:
    """The days, weeks or months of a time, the first and the last of them cut to it."""
    first = start(since.astimezone(zone).date())
    while (begin := day_start(first, zone)) < until:
        following = _next(first, start)
        yield first, (max(begin, since), min(day_start(following, zone), until))
        first = following


def _next(first: date, start: Callable[[date], date]) -> date:
    """The first day of the part after one."""
    day = first + _DAY
    while start(day) == first:
        day += _DAY
    return day


def _day_of(row: CallRow, zone: ZoneInfo) -> date:
    return from_moment(row.created_at).astimezone(zone).date()


def _by(start: Callable[[date], date]) -> _Grouping:
    return _Grouping("created_at", lambda row, zone: start(_day_of(row, zone)).isoformat(), start=start)


def _converted(attribute: Attribute) -> _Grouping:
    name = attribute.name
    return _Grouping(name, lambda row, _: "Converted" if getattr(row, name) else None, (name,))


def _five_minutes(row: CallRow, zone: ZoneInfo) -> str:
    moment = from_moment(row.created_at)
    return iso(moment - (moment - _EPOCH) % _FIVE_MINUTES, zone.key)


GROUPS: Mapping[str, _Grouping] = MappingProxyType(
    {
        "buyer_converted": _converted(BUYER_CONVERTED),
        "offer_converted": _converted(OFFER_CONVERTED),
        "status": _Grouping("status", lambda row, _: row.status),
        "created_at_five_minutes": _Grouping("created_at", _five_minutes, unit=_FIVE_MINUTES),
        "created_at_day": _by(lambda day: day),
        "created_at_week": _by(week_start),
        "created_at_month": _by(lambda day: day.replace(day=1)),
    }
)
"""What calls can be grouped by."""


def _too_many(narrow: Wanted) -> Refusal:
    return Refusal("too_many_calls", limit=f"{call_sums.most(narrow):,}")
