"""What calls of spans of time came to, and what became of their updates: sums that the database makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, and_, case, func, select

from ringback.domain.money import from_micros
from ringback.domain.receipts import Result
from ringback.store.schema import calls, receipts
from ringback.store.sets import given, wanted
from ringback.store.values import lowest_id, to_moment

Span = tuple[datetime, datetime]
"""From when on, and before when."""

UNASKED = ("console", "record")
"""The routes of receipts that are no updates from a sender."""

LOOKED_AT = 20_000
"""Among how many receipts the first update of an account is looked for."""

_MILLION = 1_000_000
_SPAN: list[Column[Any]] = [Column("since", BigInteger), Column("until", BigInteger)]


@dataclass(frozen=True, slots=True)
class Figures:
    """How many calls, how many of them converted, and what they are worth."""

    calls: int = 0
    conversions: int = 0
    revenue: Decimal = Decimal(0)
    payout: Decimal = Decimal(0)

    @property
    def margin(self) -> Decimal:
        """What is left of the revenue."""
        return self.revenue - self.payout

    def __add__(self, other: Figures) -> Figures:
        """Both together."""
        return Figures(
            self.calls + other.calls,
            self.conversions + other.conversions,
            self.revenue + other.revenue,
            self.payout + other.payout,
        )


def sum_calls(connection: Connection, account_id: int, spans: Sequence[Span]) -> list[Figures]:
    """The figures of the calls that were recorded in each span."""
    asked = wanted(connection.dialect.name, "spans", _SPAN)
    recorded = and_(
        calls.c.account_id == account_id,
        calls.c.created_at >= asked.c.since,
        calls.c.created_at < asked.c.until,
    )
    statement = (
        select(
            asked.c.since,
            asked.c.until,
            func.count(),
            func.sum(case((calls.c.buyer_converted, 1), else_=0)),
            *_sums(calls.c.revenue),
            *_sums(calls.c.payout),
        )
        .select_from(asked.join(calls, recorded))
        .group_by(asked.c.since, asked.c.until)
    )
    moments = [(to_moment(since), to_moment(until)) for since, until in spans]
    found = {}
    for since, until, count, conversions, *parts in connection.execute(statement, {"spans": given(_SPAN, moments)}):
        revenue, revenue_rest, payout, payout_rest = (int(part or 0) for part in parts)
        found[since, until] = Figures(
            count,
            int(conversions),
            from_micros(revenue * _MILLION + revenue_rest),
            from_micros(payout * _MILLION + payout_rest),
        )
    return [found.get(moment, Figures()) for moment in moments]


def count_updates(connection: Connection, account_id: int, span: Span) -> dict[Result, int]:
    """What became of the updates of a span, but for dry runs and what was done by hand."""
    since, until = (lowest_id(moment) for moment in span)
    statement = (
        select(receipts.c.result, func.count())
        .where(
            receipts.c.account_id == account_id,
            receipts.c.id >= since,
            receipts.c.id < until,
            receipts.c.dry_run.is_(False),
            receipts.c.route.not_in(UNASKED),
        )
        .group_by(receipts.c.result)
    )
    return {Result(result): count for result, count in connection.execute(statement)}


def has_update(connection: Connection, account_id: int) -> bool:
    """Whether an update has come, dry runs apart, among the newest receipts."""
    newest = (
        select(receipts.c.route, receipts.c.dry_run)
        .where(receipts.c.account_id == account_id)
        .order_by(receipts.c.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    came = select(newest.c.route).where(newest.c.dry_run.is_(False), newest.c.route.not_in(UNASKED)).limit(1)
    return connection.execute(came).first() is not None


def _sums(column: Column[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The sum in two parts, whole dollars and the rest: together they never outgrow 64 bits."""
    return func.sum(column // _MILLION), func.sum(column % _MILLION)
