"""Lines of deliveries: those of one postback and call, in the order of what happened.

A later one waits for the earlier ones. One that is held keeps nobody waiting: it is given up for a later one, which
tells more.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    and_,
    exists,
    false,
    func,
    select,
    true,
    tuple_,
    union_all,
)

from ringback.domain.deliveries import State
from ringback.store.deliveries import OPEN, give_up
from ringback.store.sending_schema import deliveries
from ringback.store.sets import given, update_rows, wanted
from ringback.store.values import to_moment

Line: TypeAlias = tuple[int, int, str]
"""Account, postback and call."""

BEHIND = "behind"
"""The code of a delivery that was due and is put off, since an earlier one is not sent yet."""

_TELLS = (*OPEN, State.HELD.value, State.DELIVERED.value)
"""The states in which a later delivery tells more than one that is held, or will."""

_LINE = (deliveries.c.account_id, deliveries.c.postback_id, deliveries.c.call_uuid)


def is_behind(due: FromClause) -> ColumnElement[bool]:
    """Whether an earlier one of its line is still to be sent."""
    earlier = deliveries.alias("earlier")
    return exists(select(1).where(_are_of_a_line(earlier, due), _is_before(earlier, due), earlier.c.state.in_(OPEN)))


def is_told_better(one: FromClause) -> ColumnElement[bool]:
    """Whether it is held, and a later one of its line was delivered or may be."""
    later = deliveries.alias("later")
    tells = exists(select(1).where(_are_of_a_line(later, one), _is_before(one, later), later.c.state.in_(_TELLS)))
    return and_(one.c.state == State.HELD.value, ~one.c.is_test, tells)


def let_next(connection: Connection, lines: Collection[Line], now: datetime) -> None:
    """After some of these lines ended or were held: the next of each is due, what is held and told better given up."""
    if not lines:
        return
    found = connection.execute(_left(connection.dialect.name), {"asked": given(_LINE, sorted(lines))})
    rows = sorted(found, key=lambda row: (row.account_id, row.id))
    give_up(connection, [(row.account_id, row.id, "superseded") for row in rows if row.is_told_better], now)
    due = [
        {"account_id": row.account_id, "id": row.id, "code": "", "due_at": to_moment(now)}
        for row in rows
        if not row.is_told_better
    ]
    update_rows(connection, deliveries, ["account_id", "id"], due)


@cache
def _left(dialect: str) -> CompoundSelect[Any]:
    """Of the lines asked for: the first that waits for others, and those that are told better."""
    asked = wanted(dialect, "asked", _LINE)
    joined = asked.join(deliveries, and_(*(column == asked.c[column.name] for column in _LINE)))
    columns = deliveries.c
    place = func.row_number().over(partition_by=_LINE, order_by=(columns.seq, columns.id))
    waiting = (
        select(columns.account_id, columns.id, place.label("place"))
        .select_from(joined)
        .where(columns.state.in_((State.PENDING.value, State.RETRYING.value)), columns.code == BEHIND)
        .subquery()
    )
    first = select(waiting.c.account_id, waiting.c.id, false().label("is_told_better")).where(waiting.c.place == 1)
    told = select(columns.account_id, columns.id, true()).select_from(joined).where(is_told_better(deliveries))
    return union_all(first, told)


def _are_of_a_line(other: FromClause, one: FromClause) -> ColumnElement[bool]:
    """Whether both are; a test is of none."""
    same = (other.c[name] == one.c[name] for name in ("account_id", "postback_id", "call_uuid"))
    return and_(*same, ~other.c.is_test)


def _is_before(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """By the ledger of the call; what changed nothing of it, by when it was received."""
    return tuple_(one.c.seq, one.c.id) < tuple_(other.c.seq, other.c.id)
