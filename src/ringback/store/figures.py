"""What calls of spans of time came to, and what became of updates: sums over what was added up and what was not yet.

The figures of spans that begin and end at quarters of an hour are exact at any moment; whole days (UTC) within them are
read as one row each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, Integer, Table, func, select, union_all

from ringback.domain.figures import Figures, Updates
from ringback.domain.money import from_micros
from ringback.domain.receipts import Result
from ringback.store import figure_schema
from ringback.store.figure_schema import (
    AMOUNTS,
    COUNTS,
    DAY,
    QUARTER,
    call_figure_changes,
    call_figures,
    update_figure_changes,
    update_figures,
)
from ringback.store.rollups import floor
from ringback.store.sets import given, sum_for_each, wanted
from ringback.store.values import to_moment

Span = tuple[datetime, datetime]
"""From when on, and before when."""

WHOLE = (figure_schema.WHOLE[0], (figure_schema.WHOLE[1],))
"""The account as a whole."""

_MILLION = 1_000_000
_SPAN: list[Column[Any]] = [
    Column("place", Integer),
    Column("span", BigInteger),
    Column("since", BigInteger),
    Column("until", BigInteger),
]


def sum_calls(
    connection: Connection, account_id: int, spans: Sequence[Span], of: tuple[str, Sequence[int]] = WHOLE
) -> list[Figures]:
    """The figures of the calls that were recorded in each span: of the whole account, or of some of its partners."""
    noun, ids = of
    added, changes = call_figures.c, call_figure_changes
    kept = (added.account_id == account_id, added.noun == noun, added.partner_id.in_(ids))
    fresh = [changes.c.account_id == account_id]
    if noun:
        fresh.append(changes.c[f"{noun}_id"].in_(ids))
    found = [Figures()] * len(spans)
    for place, calls, conversions, *halves in _read(connection, spans, (call_figures, kept), (changes, fresh), _worth):
        pairs = zip(halves[::2], halves[1::2], strict=True)
        amounts = (from_micros(int(whole) * _MILLION + int(rest)) for whole, rest in pairs)
        found[place] += Figures(int(calls), int(conversions), *amounts)
    return found


def count_updates(connection: Connection, account_id: int, spans: Sequence[Span]) -> list[Updates]:
    """What became of the updates that came in each span, but for dry runs and what was done by hand."""
    added, changes = ((each, [each.c.account_id == account_id]) for each in (update_figures, update_figure_changes))
    found = [Updates()] * len(spans)
    for place, result, code, count, waited in _read(connection, spans, added, changes, _became):
        found[place] += Updates({(Result(result), code): int(count)}, timedelta(milliseconds=int(waited)))
    return found


def has_update(connection: Connection, account_id: int) -> bool:
    """Whether an update has ever come, dry runs apart."""
    tables = (update_figure_changes, update_figures)
    found = (select(each.c.updates).where(each.c.account_id == account_id).limit(1) for each in tables)
    return any(connection.execute(each).first() is not None for each in found)


Part = tuple[Table, Sequence[ColumnElement[bool]]]
"""A table, and which of its rows count."""


def _read(
    connection: Connection,
    spans: Sequence[Span],
    added: Part,
    changes: Part,
    told: Callable[[Table], Sequence[Sequence[ColumnElement[Any]]]],
) -> Sequence[Sequence[Any]]:
    """Sums of what was added up and what was not, by the place of their span; all of it as of one moment."""
    dialect = connection.dialect.name
    asked = wanted(dialect, "spans", _SPAN)
    parts = []
    for (table, mine), spanned in ((added, True), (changes, False)):
        conditions = [*mine, table.c.since >= asked.c.since, table.c.since < asked.c.until]
        if spanned:
            conditions.append(table.c.span == asked.c.span)
        groups, sums = told(table)
        parts.append(sum_for_each(dialect, asked, table, conditions, groups, sums))
    return connection.execute(union_all(*parts), {"spans": _given(spans)}).all()


def _worth(table: Table) -> Sequence[Sequence[ColumnElement[Any]]]:
    counts = (func.sum(table.c[name]) for name in COUNTS)
    return (), [*counts, *(half for name in AMOUNTS for half in _halves(table.c[name]))]


def _became(table: Table) -> Sequence[Sequence[ColumnElement[Any]]]:
    return (table.c.result, table.c.code), [func.sum(table.c.updates), func.sum(table.c.waited)]


def _halves(column: Column[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The sum in two parts, whole dollars and the rest: together they never outgrow 64 bits."""
    return func.sum(column // _MILLION), func.sum(column % _MILLION)


def _given(spans: Sequence[Span]) -> str:
    rows = [
        (place, *piece)
        for place, (since, until) in enumerate(spans)
        for piece in _pieces(to_moment(since), to_moment(until))
    ]
    return given(_SPAN, rows)


def _pieces(since: int, until: int) -> Iterator[tuple[int, int, int]]:
    """The quarters before the first whole day, the whole days, the quarters after the last."""
    first, last = -floor(-since, DAY), floor(until, DAY)
    if first >= last:
        yield QUARTER, since, until
        return
    yield DAY, first, last
    if since < first:
        yield QUARTER, since, first
    if last < until:
        yield QUARTER, last, until
