"""Deliveries as they come about: enqueued with the change that they tell of, held, let go, given up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, exists, select, update

from ringback.domain.deliveries import State
from ringback.store.sending_schema import deliveries, delivery_requests
from ringback.store.sets import given, insert_rows, put_rows, update_rows, wanted
from ringback.store.values import from_document, from_moment, maybe_moment, to_document, to_moment
from ringback.store.waking import announce

Pair = tuple[str, str]
Over = tuple[int, str, str]
"""A delivery that is given up, by account and id, and the code that says why."""

OPEN = (State.PENDING.value, State.SENDING.value, State.RETRYING.value)
"""The states in which a delivery holds up later ones of the same postback and call."""

PAUSED = "paused"
"""The code of a delivery that waits for its postback to go on."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be sent, without its credential."""

    method: str
    url: str
    headers: tuple[Pair, ...] = ()
    body: bytes | None = None
    trace: Sequence[object] = ()


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to be enqueued; one that can't be rendered has no request, and says why.

    ``seq`` is the place of what happened in the ledger of its call.
    """

    account_id: int
    id: str
    postback_id: int
    version: int
    trigger: str
    call_uuid: str
    seq: int
    receipt_id: str | None
    host: str
    hops: int
    created_at: datetime
    due_at: datetime | None
    request: Request | None = None
    state: State = State.PENDING
    code: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery that is held, as far as a change of its call matters to it."""

    account_id: int
    id: str
    postback_id: int
    trigger: str
    call_uuid: str
    receipt_id: str | None
    hops: int
    code: str
    created_at: datetime
    is_rendered: bool


def add(connection: Connection, made: Sequence[NewDelivery]) -> None:
    """Enqueue deliveries."""
    rows = [
        {
            "account_id": each.account_id,
            "id": each.id,
            "postback_id": each.postback_id,
            "version": each.version,
            "trigger": each.trigger,
            "call_uuid": each.call_uuid,
            "seq": each.seq,
            "receipt_id": each.receipt_id,
            "host": each.host,
            "state": each.state.value,
            "code": each.code,
            "details": to_document(each.details),
            "hops": each.hops,
            "is_test": each.is_test,
            "created_at": to_moment(each.created_at),
            "due_at": maybe_moment(each.due_at),
        }
        for each in made
    ]
    insert_rows(connection, deliveries, rows)
    if any(row["due_at"] is not None for row in rows):
        announce(connection)
    put_requests(connection, {(each.account_id, each.id): each.request for each in made if each.request})


def put_requests(connection: Connection, requests: Mapping[tuple[int, str], Request]) -> None:
    """Keep what deliveries send, in place of what they were to send."""
    rows = [
        {"account_id": account_id, "delivery_id": delivery_id, **request_row(request)}
        for (account_id, delivery_id), request in requests.items()
    ]
    put_rows(connection, delivery_requests, ["account_id", "delivery_id"], rows)


def request_row(request: Request) -> dict[str, object]:
    """The columns in which a request is kept."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": to_document(request.headers),
        "body": request.body,
        "trace": to_document(request.trace),
    }


def read_request(row: RowMapping) -> Request:
    """The request in these columns."""
    headers = tuple((name, value) for name, value in from_document(row["headers"]))
    return Request(row["method"], row["url"], headers, row["body"], from_document(row["trace"]))


def list_told(connection: Connection, account_id: int, call_uuid: str) -> list[int]:
    """The numbers of the postbacks that were to be sent for a call before; tests don't count."""
    of_call = (deliveries.c.account_id == account_id, deliveries.c.call_uuid == call_uuid, ~deliveries.c.is_test)
    told = select(deliveries.c.postback_id).where(*of_call).distinct().order_by(deliveries.c.postback_id)
    return [*connection.execute(told).scalars()]


def list_held(connection: Connection, calls: Collection[tuple[int, str]]) -> list[Held]:
    """What is held of these calls, oldest first."""
    key = [deliveries.c.account_id, deliveries.c.call_uuid]
    asked = wanted(connection.dialect.name, "asked", key)
    joined = asked.join(deliveries, and_(*(column == asked.c[column.name] for column in key)))
    columns = deliveries.c
    statement = (
        select(
            columns.account_id,
            columns.id,
            columns.postback_id,
            columns.trigger,
            columns.call_uuid,
            columns.receipt_id,
            columns.hops,
            columns.code,
            columns.created_at,
            exists(
                select(1).where(
                    delivery_requests.c.account_id == columns.account_id, delivery_requests.c.delivery_id == columns.id
                )
            ).label("is_rendered"),
        )
        .select_from(joined)
        .where(columns.state == State.HELD.value, ~columns.is_test)
        .order_by(columns.id)
    )
    rows = connection.execute(statement, {"asked": given(key, [*calls])}).mappings()
    return [Held(**{**row, "created_at": from_moment(row["created_at"])}) for row in rows]


def give_up(connection: Connection, over: Iterable[Over], now: datetime) -> None:
    """Give up deliveries, each with its reason."""
    ended = {"state": State.CANCELLED.value, "due_at": None, "ended_at": to_moment(now)}
    rows = [
        {"account_id": account_id, "id": delivery_id, "code": code, **ended} for account_id, delivery_id, code in over
    ]
    update_rows(connection, deliveries, ["account_id", "id"], rows)


def let_go(connection: Connection, rendered: Mapping[tuple[int, str], tuple[str, Request]], now: datetime) -> None:
    """Enqueue what was held, now that it could be rendered: its host and its request, by account and id."""
    rows = [
        {
            "account_id": account_id,
            "id": delivery_id,
            "host": host,
            "state": State.PENDING.value,
            "code": "",
            "details": "{}",
            "due_at": to_moment(now),
        }
        for (account_id, delivery_id), (host, _) in rendered.items()
    ]
    update_rows(connection, deliveries, ["account_id", "id"], rows)
    put_requests(connection, {key: request for key, (_, request) in rendered.items()})
    if rows:
        announce(connection)


def resume(connection: Connection, account_id: int, postback_id: int, now: datetime) -> None:
    """Have what waited for a paused postback sent; what a worker has keeps its lease."""
    columns = deliveries.c
    connection.execute(
        update(deliveries)
        .where(columns.account_id == account_id, columns.postback_id == postback_id, columns.code == PAUSED)
        .where(columns.state.in_([State.PENDING.value, State.RETRYING.value, State.HELD.value]))
        .values(code="", due_at=to_moment(now))
    )
    announce(connection)


def cancel_open(connection: Connection, account_id: int, postback_id: int, now: datetime) -> int:
    """Give up what is still to be sent of a postback; what a worker has goes out. Returns how many."""
    columns = deliveries.c
    made = connection.execute(
        update(deliveries)
        .where(
            columns.account_id == account_id,
            columns.postback_id == postback_id,
            columns.state.in_([State.PENDING.value, State.RETRYING.value, State.HELD.value]),
        )
        .values(state=State.CANCELLED.value, code="postback_deleted", due_at=None, ended_at=to_moment(now))
    )
    return made.rowcount
