"""How figures are kept: every change of a call adds a row, and a job adds the rows up, outside the way of updates.

No update waits for another because both belong to one figure, and what a figure is at any moment is what was added up
already and what was not (``store.figures``; docs/decisions/0005-figures.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from ringback.store.sets import add_rows, given, insert_rows, wanted
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
    """Write what changes of calls add to figures."""
    rows = [row for step in steps for row in _rows(*step)]
    insert_rows(connection, call_figure_changes, rows)


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


def _rows(receipt_id: str, before: Call | None, after: Call) -> Iterator[dict[str, Any]]:
    old, new = _worth(before), _worth(after)
    if before is None or _partners(before) != _partners(after):
        sides = [(before, -1, [-number for number in old]), (after, 1, new)]
    else:
        sides = [(after, 0, [b - a for a, b in zip(old, new, strict=True)])]
    for call, side, numbers in sides:
        if call is not None and any(numbers):
            yield {
                "account_id": call.account_id,
                "since": floor(to_moment(call.created_at), QUARTER),
                "id": receipt_id,
                "side": side,
                **_partners(call),
                **dict(zip(WORTH, numbers, strict=True)),
            }


def _worth(call: Call | None) -> Sequence[int]:
    """What one call adds, in the order of the columns."""
    if call is None:
        return [0] * len(WORTH)
    has_converted = bool(call.state[BUYER_CONVERTED.name])
    worth = [cast("Decimal | None", call.state[each.name]) for each in (REVENUE, PAYOUT)]
    amounts = [0 if each is None else to_micros(each) for each in worth]
    return [1, int(has_converted), *amounts, *(amounts if has_converted else (0, 0))]


def _partners(call: Call) -> Mapping[str, int | None]:
    found = zip(PARTNERS, (call.buyer, call.traffic_source, call.offer), strict=True)
    return {f"{noun}_id": None if partner is None else partner.id for noun, partner in found}


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


def _take(
    connection: Connection, changes: Table, add: Callable[[Connection, Sequence[RowMapping]], None], limit: int
) -> int:
    """Add some changes to the figures and remove them; returns how many."""
    keys = list(changes.primary_key)
    rows = connection.execute(select(changes).order_by(*keys).limit(limit)).mappings().all()
    if rows:
        add(connection, rows)
        asked = wanted(connection.dialect.name, "asked", keys)
        added = tuple_(*keys).in_(select(*(asked.c[key.name] for key in keys)))
        these = given(keys, [[row[key.name] for key in keys] for row in rows])
        connection.execute(delete(changes).where(added), {"asked": these})
    return len(rows)


def _add_calls(connection: Connection, rows: Rows) -> None:
    sums: Sums = {}
    for row in rows:
        numbers = [row[name] for name in WORTH]
        named = ((noun, row[f"{noun}_id"]) for noun in PARTNERS)
        for noun, partner_id in (WHOLE, *((noun, each) for noun, each in named if each is not None)):
            for span in SPANS:
                _add(sums, (row["account_id"], noun, partner_id, span, floor(row["since"], span)), numbers)
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
