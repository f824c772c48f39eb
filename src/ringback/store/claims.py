"""The queue of deliveries, as workers see it: what is due, taken under a claim, finished by whoever holds the claim.

A claim is a lease: ``due_at`` is when it lapses. Deliveries of one postback and call are sent in order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Integer, RowMapping, Select, and_, bindparam, exists, func, select

from ringback.domain.deliveries import State
from ringback.domain.exchanges import Exchange
from ringback.domain.postbacks import Definition
from ringback.store.deliveries import OPEN, Request
from ringback.store.sending_schema import attempts, deliveries, delivery_requests, postbacks
from ringback.store.sets import given, put_rows, update_rows, wanted
from ringback.store.values import from_document, from_moment, maybe_from_moment, maybe_moment, to_document, to_moment

BEHIND = "behind"
"""The code of a delivery that was due and is put off, since an earlier one is not sent yet."""


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is due, with its request and what its postback says of sending it.

    ``attempts`` are all that were made, ``earlier`` those before a person sent it again, ``holds`` those since then
    that ended as held. ``is_behind`` if an earlier one of the same postback and call is still to be sent.
    """

    account_id: int
    id: str
    postback_id: int
    call_uuid: str
    host: str
    hops: int
    attempts: int
    earlier: int
    holds: int
    code: str
    first_attempt_at: datetime | None
    is_test: bool
    is_behind: bool
    is_paused: bool
    request: Request
    definition: Definition


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that a worker has until the claim lapses; ``attempt`` counts from 1."""

    due: Due
    claim_id: str
    attempt: int
    first_attempt_at: datetime
    lapses_at: datetime

    def is_late(self, now: datetime) -> bool:
        """Whether an attempt that begins now could outlast the claim."""
        return now + timedelta(seconds=self.due.definition.timeout) > self.lapses_at


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of an attempt: how the delivery stands, and the exchange."""

    claimed: Claimed
    state: State
    code: str
    due_at: datetime | None
    exchange: Exchange
    details: Mapping[str, object] = field(default_factory=dict)
    credential: str | None = None
    differs: bool = False
    pauses: bool = False


def list_due(connection: Connection, now: datetime, *, limit: int, without: Collection[str] = ()) -> list[Due]:
    """What is due, soonest first, the hosts given left out; kept from other workers until the transaction ends."""
    rows = connection.execute(_LIST_DUE, {"now": to_moment(now), "without": list(without), "limit": limit}).mappings()
    return [_due(row) for row in rows]


def _list_due() -> Select[Any]:
    # What is due is found and locked first, and the rest of it looked up afterwards, whatever a planner may think.
    found = (
        select(deliveries)
        .where(deliveries.c.due_at <= bindparam("now"), deliveries.c.host.not_in(bindparam("without", expanding=True)))
        .order_by(deliveries.c.due_at)
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    due, request, earlier = found.c, delivery_requests.c, deliveries.alias("earlier")
    is_behind = exists(
        select(1).where(
            earlier.c.account_id == due.account_id,
            earlier.c.postback_id == due.postback_id,
            earlier.c.call_uuid == due.call_uuid,
            earlier.c.seq < due.seq,
            earlier.c.state.in_(OPEN),
            ~earlier.c.is_test,
        )
    )
    return (
        select(
            due.account_id,
            due.id,
            due.postback_id,
            due.call_uuid,
            due.host,
            due.hops,
            due.attempts,
            due.earlier_attempts,
            due.holds,
            due.code,
            due.first_attempt_at,
            due.is_test,
            is_behind.label("is_behind"),
            postbacks.c.paused.is_not(None).label("is_paused"),
            request.method,
            request.url,
            request.headers,
            request.body,
            postbacks.c.definition,
        )
        .select_from(found)
        .join(delivery_requests, and_(request.account_id == due.account_id, request.delivery_id == due.id))
        .join(postbacks, and_(postbacks.c.account_id == due.account_id, postbacks.c.id == due.postback_id))
        .order_by(due.due_at)
    )


_LIST_DUE = _list_due()


def _due(row: RowMapping) -> Due:
    headers = tuple((name, value) for name, value in from_document(row["headers"]))
    return Due(
        account_id=row["account_id"],
        id=row["id"],
        postback_id=row["postback_id"],
        call_uuid=row["call_uuid"],
        host=row["host"],
        hops=row["hops"],
        attempts=row["attempts"],
        earlier=row["earlier_attempts"],
        holds=row["holds"],
        code=row["code"],
        first_attempt_at=maybe_from_moment(row["first_attempt_at"]),
        is_test=row["is_test"],
        is_behind=bool(row["is_behind"]) and not row["is_test"],
        is_paused=row["is_paused"] and not row["is_test"],
        request=Request(row["method"], row["url"], headers, row["body"]),
        definition=_definition(row["definition"]),
    )


@lru_cache(maxsize=1024)
def _definition(document: str) -> Definition:
    return Definition.read(from_document(document))


def put_off(connection: Connection, due: Iterable[Due], code: str | None, until: datetime) -> None:
    """Have deliveries looked at again later, for a reason; without one they keep that of their last attempt."""
    rows = [
        {
            "account_id": each.account_id,
            "id": each.id,
            "code": each.code if code is None else code,
            "due_at": to_moment(until),
        }
        for each in due
    ]
    update_rows(connection, deliveries, ["account_id", "id"], rows)


def let_next(connection: Connection, finished: Iterable[Due], now: datetime) -> None:
    """After what was finished, the next of the same postback and call is due."""
    lines = {(each.account_id, each.postback_id, each.call_uuid) for each in finished}
    key = [deliveries.c.account_id, deliveries.c.call_uuid]
    asked = wanted(connection.dialect.name, "asked", key)
    columns = deliveries.c
    statement = (
        select(columns.account_id, columns.postback_id, columns.call_uuid, columns.seq, columns.id)
        .select_from(asked.join(deliveries, and_(*(column == asked.c[column.name] for column in key))))
        .where(columns.state.in_(OPEN), columns.code == BEHIND)
        .order_by(columns.seq.desc())
    )
    rows = {"asked": given(key, sorted({(account_id, call) for account_id, _, call in lines}))}
    first = {
        (account_id, rule, call): delivery_id
        for account_id, rule, call, _, delivery_id in connection.execute(statement, rows)
    }
    due = [
        {"account_id": line[0], "id": delivery_id, "code": "", "due_at": to_moment(now)}
        for line, delivery_id in sorted(first.items())
        if line in lines
    ]
    update_rows(connection, deliveries, ["account_id", "id"], due)


def claim(
    connection: Connection, claim_id: str, due: Sequence[Due], *, now: datetime, margin: timedelta
) -> list[Claimed]:
    """Take deliveries that :func:`list_due` found in this transaction; a lapsed claim is taken over.

    A claim lapses after the timeout of the postback and a margin.
    """
    claimed = [
        Claimed(
            each,
            claim_id,
            each.attempts + 1,
            each.first_attempt_at or now,
            now + timedelta(seconds=each.definition.timeout) + margin,
        )
        for each in due
    ]
    rows = [
        {
            "account_id": each.due.account_id,
            "id": each.due.id,
            "state": State.SENDING.value,
            "attempts": each.attempt,
            "first_attempt_at": to_moment(each.first_attempt_at),
            "due_at": to_moment(each.lapses_at),
            "claim_id": claim_id,
        }
        for each in claimed
    ]
    update_rows(connection, deliveries, ["account_id", "id"], rows)
    return claimed


def give_back(connection: Connection, claimed: Iterable[Claimed], now: datetime) -> None:
    """Undo claims on what was not tried after all; another worker may have it at once."""
    rows = [
        {
            "account_id": each.due.account_id,
            "id": each.due.id,
            "claim_id": each.claim_id,
            "state": State.RETRYING.value if each.due.attempts else State.PENDING.value,
            "attempts": each.due.attempts,
            "first_attempt_at": maybe_moment(each.due.first_attempt_at),
            "due_at": to_moment(now),
        }
        for each in claimed
    ]
    update_rows(connection, deliveries, ["account_id", "id", "claim_id"], rows)


def finish(connection: Connection, finished: Sequence[Finished]) -> None:
    """Write what became of attempts. A worker whose claim lapsed leaves its attempt on record, and changes nothing."""
    put_rows(connection, attempts, ["account_id", "delivery_id", "number"], [_attempt(each) for each in finished])
    rows = [
        {
            "account_id": each.claimed.due.account_id,
            "id": each.claimed.due.id,
            "claim_id": each.claimed.claim_id,
            "state": each.state.value,
            "code": each.code,
            "details": to_document(each.details),
            "due_at": maybe_moment(each.due_at),
            "ended_at": None if each.due_at or each.state is State.HELD else to_moment(each.exchange.started_at),
            "differs": each.differs,
            "holds": each.claimed.due.holds + (each.state is State.HELD),
        }
        for each in finished
    ]
    update_rows(connection, deliveries, ["account_id", "id", "claim_id"], rows)


def _attempt(finished: Finished) -> dict[str, object]:
    exchange, claimed = finished.exchange, finished.claimed
    return {
        "account_id": claimed.due.account_id,
        "delivery_id": claimed.due.id,
        "number": claimed.attempt,
        "started_at": to_moment(exchange.started_at),
        "state": finished.state.value,
        "code": finished.code,
        "details": to_document(finished.details),
        "credential": finished.credential,
        "address": exchange.address,
        "status": exchange.status,
        "headers": to_document(exchange.headers),
        "body": exchange.body,
        "truncated": exchange.truncated,
        "problem": exchange.detail,
        "milliseconds": to_document(exchange.took),
    }


def next_due(connection: Connection) -> datetime | None:
    """When the next delivery is due; None if nothing is to be tried."""
    soonest = select(func.min(deliveries.c.due_at)).where(deliveries.c.due_at.is_not(None))
    due_at = connection.execute(soonest).scalar_one()
    return None if due_at is None else from_moment(due_at)
