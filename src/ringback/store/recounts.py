"""Making the figures of an account anew from its calls and receipts, some days at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
)

from ringback.domain.figures import UNASKED
from ringback.domain.receipts import Result
from ringback.store.figure_schema import (
    DAY,
    QUARTER,
    WHOLE,
    call_figure_changes,
    call_figures,
    update_figure_changes,
    update_figures,
)
from ringback.store.rollups import PARTNERS, SPANS, floor, take_turn
from ringback.store.schema import Uuid, calls, receipts
from ringback.store.sets import given, wanted
from ringback.store.values import from_moment, lowest_id, time_of, to_moment

_c, _r = calls.c, receipts.c
_QUARTERS: list[Column[Any]] = [Column("since", BigInteger), Column("low", Uuid), Column("high", Uuid)]


def list_days(connection: Connection, account_id: int) -> Iterator[datetime]:
    """The days (UTC) from that of an account's first call or receipt to that of its last."""
    recorded = connection.execute(
        select(func.min(_c.created_at), func.max(_c.created_at)).where(_c.account_id == account_id)
    ).one()
    ids = select(_r.id).where(_r.account_id == account_id).limit(1)
    received = [connection.execute(ids.order_by(each)).scalar_one_or_none() for each in (_r.id, _r.id.desc())]
    moments = [each for each in recorded if each is not None] + [to_moment(time_of(each)) for each in received if each]
    if moments:
        for since in range(floor(min(moments), DAY), max(moments) + 1, DAY):
            yield from_moment(since)


def recount(connection: Connection, account_id: int, day: datetime) -> None:
    """Make the figures of a day anew; changes of calls wait until the transaction ends."""
    take_turn(connection, waits=True)
    if connection.dialect.name == "postgresql":
        # Nobody may commit a change between the removal of what was noted of it and the look at what it changed.
        connection.execute(text("LOCK TABLE call_figure_changes, update_figure_changes IN SHARE ROW EXCLUSIVE MODE"))
    since, until = to_moment(day), to_moment(day) + DAY
    for table in (call_figures, call_figure_changes, update_figures, update_figure_changes):
        mine = (table.c.account_id == account_id, table.c.since >= since, table.c.since < until)
        connection.execute(delete(table).where(*mine))
    recorded = (_c.account_id == account_id, _c.created_at >= since, _c.created_at < until)
    for span in SPANS:
        for noun in (WHOLE[0], *PARTNERS):
            _recount_calls(connection, noun, span, recorded)
        _recount_updates(connection, account_id, day, span)


def _recount_calls(connection: Connection, noun: str, span: int, these: tuple[ColumnElement[bool], ...]) -> None:
    partner = _c[f"{noun}_id"] if noun else literal(WHOLE[1], BigInteger)
    since = _floored(_c.created_at, span)
    named = (_c.account_id, literal(noun), partner, literal(span, BigInteger), since)
    groups = (_c.account_id, *((partner,) if noun else ()), since)
    converted = (case((_c.buyer_converted, amount), else_=0) for amount in (_c.revenue, _c.payout))
    sums = (case((_c.buyer_converted, 1), else_=0), _c.revenue, _c.payout, *converted)
    found = select(*named, func.count(), *(func.coalesce(func.sum(each), 0) for each in sums)).where(*these)
    if noun:
        found = found.where(partner.is_not(None))
    names = [column.name for column in call_figures.columns]
    connection.execute(insert(call_figures).from_select(names, found.group_by(*groups)))


def _recount_updates(connection: Connection, account_id: int, day: datetime, span: int) -> None:
    """Receipts are counted by the times in their ids, so that each quarter is a range of them."""
    asked = wanted(connection.dialect.name, "quarters", _QUARTERS)
    within = and_(_r.id >= asked.c.low, _r.id < asked.c.high)
    of_day = (_r.account_id == account_id, _r.id >= lowest_id(day), _r.id < lowest_id(day + timedelta(days=1)))
    came = and_(_c.account_id == _r.account_id, _c.uuid == _r.call_uuid, _r.result == Result.APPLIED.value)
    since = _floored(asked.c.since, span)
    waits = (_r.received_at - _c.created_at) // 1000
    waited = func.sum(case((waits > 0, waits), else_=0))
    found = (
        select(literal(account_id), literal(span, BigInteger), since, _r.result, _r.code, func.count(), waited)
        .select_from(asked.join(receipts, within).outerjoin(calls, came))
        .where(*of_day, _r.dry_run.is_(False), _r.route.not_in(sorted(UNASKED)))
        .group_by(since, _r.result, _r.code)
    )
    names = [column.name for column in update_figures.columns]
    starts = [day + timedelta(microseconds=QUARTER) * number for number in range(DAY // QUARTER)]
    rows = [
        (to_moment(start), lowest_id(start), lowest_id(start + timedelta(microseconds=QUARTER))) for start in starts
    ]
    connection.execute(insert(update_figures).from_select(names, found), {"quarters": given(_QUARTERS, rows)})


def _floored(moment: ColumnElement[int], span: int) -> ColumnElement[int]:
    """When the span began that a moment is in; the same text wherever it stands in a statement."""
    return moment - moment % literal_column(str(span))
