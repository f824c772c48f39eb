"""Walks along indexes that have the order of a list, from its newest row on or its oldest, until a page is full.

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
    oldest_first: bool = False,
) -> Walked:
    """The newest rows of some paths, from before a place on: their columns of the order, and others.

    The other way round it is the oldest rows, from after the place on.
    """
    columns = list(dict.fromkeys((*order, *others, *(column for path in paths for column in path.reads))))
    way = _Way(columns, len(order), oldest_first)
    along = [_along(connection, way, path, before, limit) for path in paths]
    rows: list[Row[Any]] = []
    last: Place | None = None
    met = merge(*along, key=lambda each: each[0], reverse=not oldest_first)
    for looked, (place, row, fits) in enumerate(met, 1):
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


@dataclass(frozen=True, slots=True)
class _Way:
    """How rows are read: their columns, of which the first so many are the order, and its direction."""

    columns: Sequence[Column[Any]]
    length: int
    oldest_first: bool

    @property
    def order(self) -> Sequence[Column[Any]]:
        return self.columns[: self.length]

    @property
    def sorting(self) -> Iterator[ColumnElement[Any]]:
        return (column.asc() if self.oldest_first else column.desc() for column in self.order)

    def beyond(self, place: Place) -> ColumnElement[bool]:
        """What is true of rows that come after a place."""
        here: ColumnElement[Any] = self.order[0] if self.length == 1 else tuple_(*self.order)
        there = place[0] if self.length == 1 else place
        return here > there if self.oldest_first else here < there


def _along(
    connection: Connection, way: _Way, path: Path, before: Place | None, limit: int
) -> Iterator[tuple[Place, Row[Any], bool]]:
    """The rows of one path, read some at a time."""
    fits, length = path.fits, way.length
    chosen = select(*map(plain, way.columns)).where(*path.conditions).order_by(*way.sorting)
    size = limit if fits is None else _FIRST
    while True:
        further = chosen if before is None else chosen.where(way.beyond(before))
        rows = connection.execute(further.limit(size)).all()
        for row in rows:
            yield tuple(row[:length]), row, fits is None or fits(row)
        if len(rows) < size:
            return
        before, size = tuple(rows[-1][:length]), _NEXT


def plain(column: Column[Any]) -> ColumnElement[Any]:
    """A column as its database has it; PostgreSQL's driver would make an object of each UUID."""
    return cast(column, Text).label(column.name) if isinstance(column.type, String) else column
