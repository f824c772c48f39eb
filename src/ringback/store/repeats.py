"""Deliveries that a person sends again: which can be, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, FromClause, RowMapping, and_, select

from ringback.domain.deliveries import State
from ringback.store.deliveries import Request, put_requests, read_request, request_row
from ringback.store.sending_schema import deliveries, delivery_requests, former_requests, postbacks
from ringback.store.sets import put_rows, update_rows
from ringback.store.values import to_document, to_moment
from ringback.store.waking import announce

_KEPT = [delivery_requests.c[name] for name in ("method", "url", "headers", "body", "trace")]

AGAIN = (State.FAILED, State.HELD, State.CANCELLED, State.RETRYING)
"""The states from which a person can send a delivery again."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A delivery that is to be sent again; ``request`` is what it was to send, if it could be made."""

    id: str
    postback_id: int
    call_uuid: str
    trigger: str
    attempts: int
    request: Request | None


@dataclass(frozen=True, slots=True)
class Anew:
    """What a delivery sends from now on, made of a version of its postback and of a state of its call."""

    host: str
    version: int
    seq: int
    request: Request


@dataclass(frozen=True, slots=True)
class Unmade:
    """Why there is no request for a delivery."""

    version: int
    code: str
    name: str


def list_calls(connection: Connection, account_id: int, ids: Sequence[str]) -> list[str]:
    """The UUIDs of the calls that deliveries tell of."""
    columns = deliveries.c
    statement = select(columns.call_uuid).where(columns.account_id == account_id, columns.id.in_(ids)).distinct()
    return list(connection.execute(statement).scalars())


def lock(connection: Connection, account_id: int, ids: Sequence[str], *, keeps_order: bool = False) -> list[Repeat]:
    """Of these deliveries those that can be sent again, kept from workers until the transaction ends.

    To keep the order, those are left of which a later one of the same postback and call was delivered.
    """
    columns, later = deliveries.c, deliveries.alias("later")
    request = delivery_requests.c
    with_requests = deliveries.outerjoin(
        delivery_requests, and_(request.account_id == columns.account_id, request.delivery_id == columns.id)
    )
    statement = (
        select(columns.id, columns.postback_id, columns.call_uuid, columns.trigger, columns.attempts, *_KEPT)
        .select_from(with_requests)
        .where(
            columns.account_id == account_id,
            columns.id.in_(ids),
            columns.state.in_([state.value for state in AGAIN]),
            ~columns.is_test,
            _has(postbacks.c.account_id, postbacks.c.id == columns.postback_id),
        )
        .order_by(columns.id)
        .with_for_update(of=deliveries)
    )
    if keeps_order:
        statement = statement.where(~_has(later.c.account_id, _tells_better(later)))
    return [_repeat(row) for row in connection.execute(statement).mappings()]


def keep_former(connection: Connection, account_id: int, repeats: Iterable[Repeat]) -> None:
    """Keep on record what was sent up to now of deliveries that send something else from now on."""
    rows = [
        {"account_id": account_id, "delivery_id": each.id, "attempts": each.attempts, **request_row(each.request)}
        for each in repeats
        if each.request is not None and each.attempts
    ]
    put_rows(connection, former_requests, ["account_id", "delivery_id", "attempts"], rows)


def list_former(connection: Connection, account_id: int, delivery_id: str) -> dict[int, Request]:
    """What a delivery sent before it was made anew: by the number of the last attempt that did."""
    columns = former_requests.c
    mine = (columns.account_id == account_id, columns.delivery_id == delivery_id)
    rows = connection.execute(select(former_requests).where(*mine)).mappings()
    return {row["attempts"]: read_request(row) for row in rows}


def send(
    connection: Connection, account_id: int, repeats: Iterable[Repeat], anew: Mapping[str, Anew], now: datetime
) -> None:
    """Have deliveries tried again from the start, as they are made anew, else as they are."""
    begun = {
        "account_id": account_id,
        "state": State.PENDING.value,
        "code": "",
        "details": "{}",
        "due_at": to_moment(now),
        "holds": 0,
        "claim_id": None,
        "first_attempt_at": None,
        "ended_at": None,
    }
    rows = [{**begun, "id": each.id, "earlier_attempts": each.attempts} for each in repeats]
    update_rows(connection, deliveries, ["account_id", "id"], rows)
    made = [
        {"account_id": account_id, "id": each, "host": made.host, "version": made.version, "seq": made.seq}
        for each, made in anew.items()
    ]
    update_rows(connection, deliveries, ["account_id", "id"], made)
    put_requests(connection, {(account_id, each): made.request for each, made in anew.items()})
    if rows:
        announce(connection)


def hold(connection: Connection, account_id: int, unmade: Mapping[str, Unmade]) -> None:
    """Hold deliveries that can't be made."""
    held = {"state": State.HELD.value, "due_at": None, "ended_at": None, "claim_id": None}
    rows = [
        {
            "account_id": account_id,
            "id": each,
            "version": why.version,
            "code": why.code,
            "details": to_document({"name": why.name}),
            **held,
        }
        for each, why in unmade.items()
    ]
    update_rows(connection, deliveries, ["account_id", "id"], rows)


def has_later(connection: Connection, account_id: int, delivery_id: str) -> bool:
    """Whether a later delivery of the same postback and call was delivered."""
    columns, later = deliveries.c, deliveries.alias("later")
    mine = (columns.account_id == account_id, columns.id == delivery_id)
    found = select(columns.id).where(*mine, _has(later.c.account_id, _tells_better(later)))
    return connection.execute(found).first() is not None


def _has(account: Column[Any], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether there is a row of another table for a delivery."""
    return select(1).where(account == deliveries.c.account_id, condition).exists()


def _repeat(row: RowMapping) -> Repeat:
    request = None if row["method"] is None else read_request(row)
    return Repeat(row["id"], row["postback_id"], row["call_uuid"], row["trigger"], row["attempts"], request)


def _tells_better(later: FromClause) -> ColumnElement[bool]:
    columns = deliveries.c
    return and_(
        later.c.postback_id == columns.postback_id,
        later.c.call_uuid == columns.call_uuid,
        later.c.id > columns.id,
        later.c.state == State.DELIVERED.value,
        ~later.c.is_test,
    )
