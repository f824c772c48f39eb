"""What calls come to, added up by the database for each value that they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from ringback.domain.figures import Figures
from ringback.domain.money import from_micros
from ringback.store.call_search import WORTH, CallRow, Wanted, list_rows, paths_to, worth_of
from ringback.store.schema import calls
from ringback.store.walks import LOOKED_AT, Path, plain

MOST_ADDED = 2_000_000
"""How many calls are added up at most."""

_SHARED = frozenset({"status", "buyer_converted", "offer_converted", "buyer_id", "traffic_source_id", "offer_id"})
"""The columns of which many calls have the same value."""

_NEWEST_FIRST = (calls.c.created_at.desc(), calls.c.number.desc())
_MILLION = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Sum:
    """What calls come to that have the values of a row in common."""

    row: CallRow
    figures: Figures


def most(wanted: Wanted) -> int:
    """How many calls are looked through at most to add up those that are wanted."""
    return MOST_ADDED if _is_shared(wanted) else LOOKED_AT


def sum_apart(
    connection: Connection, account_id: int, wanted: Wanted, columns: Sequence[str], *, unit: timedelta
) -> list[Sum] | None:
    """What the calls that are wanted come to, told apart by these columns; None if there are too many.

    Times are told apart by the unit, counted from the epoch, in which they lie. Conditions are looked at for each sum
    where they are about what many calls share, else call by call.
    """
    if not _is_shared(wanted):
        rows = list_rows(connection, account_id, wanted, tuple(dict.fromkeys((*columns, *WORTH))))
        return None if rows is None else [Sum(row, worth_of([row])) for row in rows]
    found: list[Sum] = []
    added = 0
    for path in paths_to(connection, account_id, wanted):
        names = dict.fromkeys((*columns, "buyer_converted", *(column.name for column in path.reads)))
        for row in connection.execute(_summing(path, list(names), unit // _MICROSECOND)):
            added += row.calls
            if path.fits is None or path.fits(row):
                found.append(Sum(row, _figures(row)))
        if added > MOST_ADDED:
            return None
    return found


def _is_shared(wanted: Wanted) -> bool:
    return not wanted.is_sought and all(name in _SHARED for each in wanted.conditions for name in each.columns)


def _summing(path: Path, names: Sequence[str], micros: int) -> Select[Any]:
    told = [_told_apart(name, micros) for name in names]
    newest = select(*told, calls.c.revenue, calls.c.payout).where(*path.conditions).order_by(*_NEWEST_FIRST)
    some = newest.limit(MOST_ADDED + 1).subquery()
    sums = [half for name in ("revenue", "payout") for half in _halves(name, some.c[name])]
    apart = [some.c[name] for name in names]
    return select(*apart, func.count().label("calls"), *sums).group_by(*apart)


def _told_apart(name: str, micros: int) -> ColumnElement[Any]:
    column = calls.c[name]
    return (column // micros * micros).label(name) if name == "created_at" else plain(column).label(name)


def _halves(name: str, column: ColumnElement[Any]) -> Sequence[ColumnElement[Any]]:
    """The sum in two parts, whole dollars and the rest: together they never outgrow 64 bits."""
    whole, rest = func.sum(column // _MILLION), func.sum(column % _MILLION)
    return whole.label(f"{name}_whole"), rest.label(f"{name}_rest")


def _figures(row: CallRow) -> Figures:
    revenue, payout = (
        from_micros(int(getattr(row, f"{name}_whole") or 0) * _MILLION + int(getattr(row, f"{name}_rest") or 0))
        for name in ("revenue", "payout")
    )
    if row.buyer_converted:
        return Figures(row.calls, row.calls, revenue, payout, revenue, payout)
    return Figures(row.calls, 0, revenue, payout)
