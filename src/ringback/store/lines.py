"""Lines of deliveries: those of one postback and call, in the order of what happened.

A later one waits for the earlier ones. One that is held keeps nobody waiting: it is given up for a later one, which
tells more.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, exists, select, tuple_

from ringback.domain.deliveries import State
from ringback.store.deliveries import OPEN, give_up
from ringback.store.sending_schema import deliveries
from ringback.store.sets import given, update_rows, wanted
from ringback.store.values import to_moment

Line: TypeAlias = tuple[int, int, str]
"""Account, postback and call."""

BEHIND = "behind"
"""The code of a delivery that was due and is put off, since an earlier one is not sent yet."""

_LEFT = (*OPEN, State.HELD.value)
_TELLS = (*_LEFT, State.DELIVERED.value)
"""The states in which a later delivery tells more than one that is held, or will."""

_CALL = (deliveries.c.account_id, deliveries.c.call_uuid)


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
    calls = given(_CALL, sorted({(line[0], line[2]) for line in lines}))
    rows = connection.execute(_left(connection.dialect.name), {"asked": calls}).all()
    mine = [row for row in rows if (row.account_id, row.postback_id, row.call_uuid) in lines]
    give_up(connection, [(row.account_id, row.id, "superseded") for row in mine if row.is_told_better], now)
    waits = (State.PENDING.value, State.RETRYING.value)
    first = {
        (row.account_id, row.postback_id, row.call_uuid): row.id
        for row in mine
        if row.code == BEHIND and row.state in waits
    }
    due = [
        {"account_id": line[0], "id": delivery_id, "code": "", "due_at": to_moment(now)}
        for line, delivery_id in sorted(first.items())
    ]
    update_rows(connection, deliveries, ["account_id", "id"], due)


@cache
def _left(dialect: str) -> Select[Any]:
    """What is left to be sent of the calls asked for, the last first."""
    asked = wanted(dialect, "asked", _CALL)
    columns = deliveries.c
    return (
        select(
            columns.account_id,
            columns.postback_id,
            columns.call_uuid,
            columns.id,
            columns.code,
            columns.state,
            is_told_better(deliveries).label("is_told_better"),
        )
        .select_from(asked.join(deliveries, and_(*(column == asked.c[column.name] for column in _CALL))))
        .where(columns.state.in_(_LEFT))
        .order_by(columns.seq.desc(), columns.id.desc())
    )


def _are_of_a_line(other: FromClause, one: FromClause) -> ColumnElement[bool]:
    """Whether both are; a test is of none."""
    same = (other.c[name] == one.c[name] for name in ("account_id", "postback_id", "call_uuid"))
    return and_(*same, ~other.c.is_test)


def _is_before(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """By the ledger of the call; what changed nothing of it, by when it was received."""
    return tuple_(one.c.seq, one.c.id) < tuple_(other.c.seq, other.c.id)
