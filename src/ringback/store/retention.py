"""Removing what is old enough, so many rows at a time. Rows are found by their ids, which begin with their time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, delete, func, or_, select, update

from ringback.domain import deliveries as sending
from ringback.domain.retention import Kind
from ringback.domain.waiting import SUPPRESSED, State
from ringback.store.schema import (
    accounts,
    audit_log,
    credential_failures,
    receipt_payloads,
    waiting_runs,
    waiting_updates,
)
from ringback.store.sending_schema import attempts, deliveries, delivery_requests, former_requests
from ringback.store.values import lowest_id, to_document, to_moment

_EMPTY = {"path": "", "content_type": "", "ip": "", "body": b""}
"""What is left of what arrived with an update."""

DEALT_WITH = (sending.State.DELIVERED.value, sending.State.CANCELLED.value)
_SETTLED = tuple(state.value for state in State if state is not State.WAITING)


def count(connection: Connection, account_id: int, kind: Kind, end: datetime) -> int:
    """How many rows of a kind came before that time, and are there still."""
    due = _due(account_id, kind, end).subquery()
    return connection.execute(select(func.count()).select_from(due)).scalar_one()


def drop(connection: Connection, account_id: int, kind: Kind, end: datetime, *, limit: int) -> int:
    """Remove the oldest of what came before that time; returns how many rows that were."""
    due = _due(account_id, kind, end)
    ids = connection.execute(due.order_by(due.selected_columns[0]).limit(limit)).scalars().all()
    if not ids:
        return 0
    if kind is Kind.REQUESTS:
        _empty(connection, account_id, ids[0], ids[-1])
    elif kind is Kind.DELIVERIES:
        for table in (attempts, former_requests, delivery_requests):
            _delete(connection, table, "delivery_id", account_id, ids)
        # What the receiver said, and where it differs from what was sent, is of the answers that go.
        told = (deliveries.c.account_id == account_id, deliveries.c.id.in_(ids))
        connection.execute(update(deliveries).where(*told).values(details=to_document({})))
    else:
        _delete(connection, _TABLES[kind], "id", account_id, ids)
    if kind is Kind.WAITING:
        mine = (waiting_runs.c.account_id == account_id, waiting_runs.c.id < lowest_id(end))
        connection.execute(delete(waiting_runs).where(*mine, waiting_runs.c.ended_at.is_not(None)))
    return len(ids)


_TABLES = {Kind.TRACES: credential_failures, Kind.AUDIT: audit_log, Kind.WAITING: waiting_updates}


def _due(account_id: int, kind: Kind, end: datetime) -> Select[Any]:
    """The ids of what is to go."""
    before = lowest_id(end)
    if kind is Kind.REQUESTS:
        payload = receipt_payloads.c
        done = select(accounts.c.emptied_up_to).where(accounts.c.id == account_id).scalar_subquery()
        left = or_(done.is_(None), payload.receipt_id > done)
        return select(payload.receipt_id).where(payload.account_id == account_id, payload.receipt_id < before, left)
    if kind is Kind.DELIVERIES:
        return _ended_deliveries(account_id, before)
    table = _TABLES[kind]
    due = select(table.c.id).where(table.c.account_id == account_id, table.c.id < before)
    if kind is Kind.WAITING:
        settled = (table.c.state.in_(_SETTLED), table.c.received_at < to_moment(end))
        # What tells that an addition was made after all must stay, lest it be made again.
        due = due.where(*settled, table.c.waiting_key.not_like(f"{SUPPRESSED}%"))
    return due


def _ended_deliveries(account_id: int, before: str) -> Select[Any]:
    """What was delivered or given up; what failed is kept until somebody has dealt with it."""
    request = delivery_requests.c
    joined = delivery_requests.join(
        deliveries, and_(deliveries.c.account_id == request.account_id, deliveries.c.id == request.delivery_id)
    )
    return (
        select(request.delivery_id)
        .select_from(joined)
        .where(request.account_id == account_id, request.delivery_id < before, deliveries.c.state.in_(DEALT_WITH))
    )


def _empty(connection: Connection, account_id: int, first: str, last: str) -> None:
    """Empty what arrived with the updates from one receipt to another, and note how far that went."""
    payload = receipt_payloads.c
    span = (payload.account_id == account_id, payload.receipt_id >= first, payload.receipt_id <= last)
    connection.execute(update(receipt_payloads).where(*span).values(_EMPTY))
    connection.execute(update(accounts).where(accounts.c.id == account_id).values(emptied_up_to=last))


def _delete(connection: Connection, table: Table, key: str, account_id: int, ids: Any) -> None:  # noqa: ANN401
    connection.execute(delete(table).where(table.c.account_id == account_id, table.c[key].in_(ids)))
