"""What requests about a call were: those that came in, by their receipts, and those that were sent, by deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from ringback.store.schema import receipt_payloads
from ringback.store.sending_schema import attempts, deliveries, delivery_requests
from ringback.store.values import from_moment


@dataclass(frozen=True, slots=True)
class Came:
    """How a request came in; secrets are masked in its path."""

    method: str
    path: str
    ip: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What a delivery sends, without its credential."""

    method: str
    url: str


@dataclass(frozen=True, slots=True)
class Tried:
    """The last attempt of a delivery; no status if there was no answer."""

    started_at: datetime
    status: int | None


def list_came(connection: Connection, account_id: int, receipt_ids: Sequence[str]) -> dict[str, Came]:
    """How requests came in, by their receipts."""
    columns = receipt_payloads.c
    mine = (columns.account_id == account_id, columns.receipt_id.in_(receipt_ids))
    rows = connection.execute(select(columns.receipt_id, columns.method, columns.path, columns.ip).where(*mine))
    return {row.receipt_id: Came(row.method, row.path, row.ip) for row in rows}


def list_sent(connection: Connection, account_id: int, delivery_ids: Sequence[str]) -> dict[str, Sent]:
    """What deliveries send, those that could be made so far."""
    columns = delivery_requests.c
    mine = (columns.account_id == account_id, columns.delivery_id.in_(delivery_ids))
    rows = connection.execute(select(columns.delivery_id, columns.method, columns.url).where(*mine))
    return {row.delivery_id: Sent(row.method, row.url) for row in rows}


def count_sent(connection: Connection, account_id: int, call_uuids: Sequence[str]) -> dict[str, int]:
    """How many deliveries were made for each of some calls, tests apart; those of which there are none are left out."""
    columns = deliveries.c
    of_calls = (columns.account_id == account_id, columns.call_uuid.in_(call_uuids), columns.is_test.is_(False))
    rows = connection.execute(select(columns.call_uuid, func.count()).where(*of_calls).group_by(columns.call_uuid))
    return {str(uuid): count for uuid, count in rows}


def list_tried(connection: Connection, account_id: int, delivery_ids: Sequence[str]) -> dict[str, Tried]:
    """The last attempts of deliveries that were tried."""
    columns = attempts.c
    mine = (columns.account_id == account_id, columns.delivery_id.in_(delivery_ids))
    statement = select(columns.delivery_id, columns.started_at, columns.status).where(*mine).order_by(columns.number)
    rows = connection.execute(statement)
    return {row.delivery_id: Tried(from_moment(row.started_at), row.status) for row in rows}
