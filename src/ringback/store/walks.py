"""Walks along indexes that have the order of a list, from its newest row on, until a page is full.

What an index can't tell of a row is looked at row by row, in so many of them at most: a page then ends with the place
that was looked back to, and the next one goes on from there. No filter can make a page read a whole table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    String,
    Text,
    cast,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

LOOKED_AT = 10_000
"""Among how many rows a page is looked for."""

_FIRST = 200
_NEXT = 2_000

Place = tuple[Any, ...]
"""Where a row stands: its values of the columns of the order."""


Fits = Callable[[Row[Any]], bool]


@dataclass(frozen=True, slots=True)
class Path:
    """A stretch of an index: what its rows have in common; if not all are wanted, whether one is, and what that needs.

    No more is read of a row than that: most are read only to be left out.
    """

    conditions: tuple[ColumnElement[bool], ...]
    fits: Fits | None = None
    reads: tuple[Column[Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Walked:
    """A page of rows, the newest first; ``looked_to`` is where it was given up to find more of them, if it was."""

    rows: Sequence[Row[Any]]
    looked_to: Place | None = None


def walk(
    connection: Connection,
    order: Sequence[Column[Any]],
    paths: Sequence[Path],
    *,
    others: Sequence[Column[Any]] = (),
    before: Place | None = None,
    limit: int,
) -> Walked:
    """The newest rows of some paths, from before a place on: their columns of the order, and others."""
    columns = list(dict.fromkeys((*order, *others, *(column for path in paths for column in path.reads))))
    along = [_along(connection, columns, len(order), path, before, limit) for path in paths]
    rows: list[Row[Any]] = []
    last: Place | None = None
    for looked, (place, row, fits) in enumerate(merge(*along, key=lambda each: each[0], reverse=True), 1):
        if fits and place != last:  # a row may lie on two paths
            rows.append(row)
            last = place
        if len(rows) == limit:
            break
        if looked == LOOKED_AT:
            return Walked(rows, place)
    return Walked(rows)


def narrowest(connection: Connection, column: Column[Any], ways: Sequence[Sequence[Path]]) -> Sequence[Path]:
    """Of several ways to the same rows, each by its own paths, the one that passes the fewest others."""
    if len(ways) == 1:
        return ways[0]
    counts = [
        select(literal(number), func.count()).select_from(
            select(column).where(*path.conditions).limit(LOOKED_AT).subquery()
        )
        for number, paths in enumerate(ways)
        for path in paths
    ]
    found: Counter[int] = Counter()
    for number, count in connection.execute(union_all(*counts)):
        found[number] += count
    return min(enumerate(ways), key=lambda way: found[way[0]])[1]


def _along(
    connection: Connection, columns: Sequence[Column[Any]], length: int, path: Path, before: Place | None, limit: int
) -> Iterator[tuple[Place, Row[Any], bool]]:
    """The rows of one path, read some at a time."""
    order, fits = columns[:length], path.fits
    chosen = select(*map(_plain, columns)).where(*path.conditions).order_by(*(column.desc() for column in order))
    size = limit if fits is None else _FIRST
    while True:
        older = chosen if before is None else chosen.where(_precedes(order, before))
        rows = connection.execute(older.limit(size)).all()
        for row in rows:
            yield tuple(row[:length]), row, fits is None or fits(row)
        if len(rows) < size:
            return
        before, size = tuple(rows[-1][:length]), _NEXT


def _precedes(order: Sequence[Column[Any]], place: Place) -> ColumnElement[bool]:
    return order[0] < place[0] if len(order) == 1 else tuple_(*order) < place


def _plain(column: Column[Any]) -> ColumnElement[Any]:
    """A column as its database has it; PostgreSQL's driver would make an object of each UUID."""
    return cast(column, Text).label(column.name) if isinstance(column.type, String) else column
