"""How figures are kept: every change of a call adds a row, and a job adds the rows up, outside the way of updates.

No update waits for another because both belong to one figure, and what a figure is at any moment is what was added up
already and what was not (``store.figures``; docs/decisions/0007-figures.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Connection, RowMapping, Table, delete, func, select, tuple_

from ringback.domain.attributes import BUYER_CONVERTED, PAYOUT, REVENUE
from ringback.domain.calls import Call
from ringback.domain.figures import is_asked, waited
from ringback.domain.money import to_micros
from ringback.domain.receipts import Outcome
from ringback.store.figure_schema import (
    DAY,
    QUARTER,
    WHOLE,
    WORTH,
    call_figure_changes,
    call_figures,
    update_figure_changes,
    update_figures,
)
from ringback.store.sets import add_rows, insert_rows
from ringback.store.values import time_of, to_moment

AT_ONCE = 1_000
"""How many rows of changes are added up in one transaction, which keeps SQLite's other writers waiting."""

SPANS = (QUARTER, DAY)

PARTNERS = ("buyer", "traffic_source", "offer")

Step = tuple[str, Call | None, Call]
"""A receipt by which a call changed, and the call before and after; none before it was recorded."""

Sums = dict[tuple[Any, ...], list[int]]
"""Rows of figures: their numbers by their keys."""

Rows = Sequence[RowMapping]

_LOCK = 7_261_947_004
"""The advisory lock on PostgreSQL under which one process adds up while others let it."""

_MILLISECOND = timedelta(milliseconds=1)


def note_calls(connection: Connection, steps: Iterable[Step]) -> None:
    """Write what changes of calls add to figures; those to the same figures together."""
    rows: dict[tuple[Any, ...], tuple[str, list[int]]] = {}
    for receipt_id, before, after in steps:
        for call, side, numbers in _sides(before, after):
            key = (call.account_id, floor(to_moment(call.created_at), QUARTER), side, *_partners(call))
            first, sums = rows.get(key, (receipt_id, _NOTHING))
            rows[key] = (first, [a + b for a, b in zip(sums, numbers, strict=True)])
    names = ("account_id", "since", "side", *(f"{noun}_id" for noun in PARTNERS), "id", *WORTH)
    told = ((*key, first, *sums) for key, (first, sums) in rows.items() if any(sums))
    insert_rows(connection, call_figure_changes, [dict(zip(names, row, strict=True)) for row in told])


def note_updates(connection: Connection, outcomes: Iterable[Outcome]) -> None:
    """Write what became of updates."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for outcome in filter(is_asked, outcomes):
        update, account_id = outcome.update, outcome.principal and outcome.principal.account_id
        since = floor(to_moment(time_of(update.receipt_id)), QUARTER)
        key = (account_id, since, outcome.result.value, outcome.code)
        named = dict(zip(("account_id", "since", "result", "code"), key, strict=True))
        row = rows.setdefault(key, {**named, "id": update.receipt_id, "updates": 0, "waited": 0})
        row["updates"] += 1
        row["waited"] += waited(outcome) // _MILLISECOND
    insert_rows(connection, update_figure_changes, list(rows.values()))


def _sides(before: Call | None, after: Call) -> Iterator[tuple[Call, int, Sequence[int]]]:
    """What a change adds to the figures of which call; a call that moves leaves the figures of its old partners."""
    if before is None:
        yield after, 1, _worth(after)
    elif _partners(before) != _partners(after):
        yield before, -1, [-number for number in _worth(before)]
        yield after, 1, _worth(after)
    elif any(before.state[name] != after.state[name] for name in _TOLD):
        yield after, 0, [b - a for a, b in zip(_worth(before), _worth(after), strict=True)]


def _worth(call: Call) -> Sequence[int]:
    """What one call adds, in the order of the columns."""
    has_converted = bool(call.state[BUYER_CONVERTED.name])
    worth = [cast("Decimal | None", call.state[each.name]) for each in (REVENUE, PAYOUT)]
    amounts = [0 if each is None else to_micros(each) for each in worth]
    return [1, int(has_converted), *amounts, *(amounts if has_converted else (0, 0))]


_NOTHING = [0] * len(WORTH)
_TOLD = (BUYER_CONVERTED.name, REVENUE.name, PAYOUT.name)
"""What of a call's state its figures tell."""


def _partners(call: Call) -> tuple[int | None, ...]:
    partners = (call.buyer, call.traffic_source, call.offer)
    return tuple([None if partner is None else partner.id for partner in partners])


def floor(moment: int, span: int) -> int:
    """When the span began that a moment is in."""
    return moment - moment % span


def add_up(connection: Connection, *, limit: int = AT_ONCE) -> bool:
    """Add so many changes to the figures; returns whether there may be more of them.

    A process that finds another one at it leaves it to that.
    """
    if not take_turn(connection, waits=False):
        return False
    done = [_take(connection, call_figure_changes, _add_calls, limit)]
    done.append(_take(connection, update_figure_changes, _add_updates, limit))
    return limit in done


def take_turn(connection: Connection, *, waits: bool) -> bool:
    """Keep others from adding up until the transaction ends; false if another is at it and ``waits`` is false."""
    if connection.dialect.name == "sqlite":
        return True  # it has one writer at a time anyway
    if waits:
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        return True
    return bool(connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one())


def _take(connection: Connection, changes: Table, add: Callable[[Connection, Rows], None], limit: int) -> int:
    """Move some changes to the figures; returns how many."""
    keys = list(changes.primary_key)
    some = select(*keys).order_by(*keys).limit(limit)
    told = [column for column in changes.columns if column.name != "id"]
    rows = connection.execute(delete(changes).where(tuple_(*keys).in_(some)).returning(*told)).mappings().all()
    add(connection, rows)
    return len(rows)


def _add_calls(connection: Connection, rows: Rows) -> None:
    sums: Sums = {}
    for row in rows:
        account_id, since, numbers = row["account_id"], row["since"], [row[name] for name in WORTH]
        named = [(noun, row[f"{noun}_id"]) for noun in PARTNERS]
        for noun, partner_id in (WHOLE, *(each for each in named if each[1] is not None)):
            for span in SPANS:
                _add(sums, (account_id, noun, partner_id, span, floor(since, span)), numbers)
    _write(connection, call_figures, sums)


def _add_updates(connection: Connection, rows: Rows) -> None:
    sums: Sums = {}
    for row in rows:
        for span in SPANS:
            key = (row["account_id"], span, floor(row["since"], span), row["result"], row["code"])
            _add(sums, key, [row["updates"], row["waited"]])
    _write(connection, update_figures, sums)


def _add(sums: Sums, key: tuple[Any, ...], numbers: Sequence[int]) -> None:
    before = sums.get(key)
    sums[key] = list(numbers) if before is None else [a + b for a, b in zip(before, numbers, strict=True)]


def _write(connection: Connection, table: Table, sums: Sums) -> None:
    names = [column.name for column in table.columns]
    rows = [dict(zip(names, (*key, *sums[key]), strict=True)) for key in sorted(sums)]
    add_rows(connection, table, [column.name for column in table.primary_key], rows)
