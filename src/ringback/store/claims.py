"""The queue of deliveries, as workers see it: what is due, taken under a claim, finished by whoever holds the claim.

A claim is a lease: ``due_at`` is when it lapses. Deliveries of one postback and call are sent in order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, select

from ringback.domain.deliveries import State
from ringback.domain.exchanges import Exchange
from ringback.store.deliveries import OPEN, Request
from ringback.store.schema import accounts
from ringback.store.sending_schema import attempts, deliveries, delivery_requests, postbacks
from ringback.store.sets import given, put_rows, update_rows, wanted
from ringback.store.values import from_document, from_moment, maybe_from_moment, maybe_moment, to_document, to_moment

BEHIND = "behind"
"""The code of a delivery that was due and is put off, since an earlier one is not sent yet."""

Line = tuple[int, int, str]
"""Deliveries that are sent in order: account, postback and call."""


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is due, as far as a worker has to know to choose."""

    account_id: int
    id: str
    host: str
    postback_id: int
    call_uuid: str
    seq: int
    is_test: bool

    @property
    def line(self) -> Line:
        """What it is sent in order with."""
        return self.account_id, self.postback_id, self.call_uuid


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that a worker has under a claim, with its request and what its postback says of sending it.

    ``attempt`` counts from 1 over all, ``earlier`` are those before a person sent it again, ``holds`` are those
    since then that ended as held. ``state`` is that before the claim.
    """

    account_id: int
    subdomain: str
    id: str
    claim_id: str
    postback_id: int
    trigger: str
    call_uuid: str
    host: str
    hops: int
    attempt: int
    earlier: int
    holds: int
    state: State
    code: str
    created_at: datetime
    first_attempt_at: datetime | None
    request: Request
    definition: Mapping[str, Any]
    is_test: bool

    @property
    def key(self) -> tuple[int, str]:
        """Its account and id."""
        return self.account_id, self.id


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
    columns = deliveries.c
    statement = (
        select(
            columns.account_id,
            columns.id,
            columns.host,
            columns.postback_id,
            columns.call_uuid,
            columns.seq,
            columns.is_test,
        )
        .where(columns.due_at <= to_moment(now), columns.host.not_in(list(without)))
        .order_by(columns.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Due(*row) for row in connection.execute(statement)]


def list_first(connection: Connection, due: Iterable[Due]) -> dict[Line, int]:
    """For each postback and call of these, the place of the first delivery that is still to be sent."""
    key = [deliveries.c.account_id, deliveries.c.call_uuid]
    asked = wanted(connection.dialect.name, "asked", key)
    columns = deliveries.c
    statement = (
        select(columns.account_id, columns.postback_id, columns.call_uuid, func.min(columns.seq))
        .select_from(asked.join(deliveries, and_(*(column == asked.c[column.name] for column in key))))
        .where(columns.state.in_(OPEN), ~columns.is_test)
        .group_by(columns.account_id, columns.postback_id, columns.call_uuid)
    )
    rows = {"asked": given(key, sorted({(each.account_id, each.call_uuid) for each in due}))}
    return {(account_id, rule, call): seq for account_id, rule, call, seq in connection.execute(statement, rows)}


def put_off(connection: Connection, due: Iterable[Due], code: str, until: datetime) -> None:
    """Have deliveries looked at again later: those behind an earlier one, and those of a paused postback."""
    rows = [{"account_id": each.account_id, "id": each.id, "code": code, "due_at": to_moment(until)} for each in due]
    update_rows(connection, deliveries, ["account_id", "id"], rows)


def let_next(connection: Connection, finished: Iterable[Claimed], now: datetime) -> None:
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
    connection: Connection, claim_id: str, keys: Sequence[tuple[int, str]], *, now: datetime, margin: timedelta
) -> list[Claimed]:
    """Take deliveries that :func:`list_due` found in this transaction; a lapsed claim is taken over.

    A claim lapses after the timeout of the postback and a margin.
    """
    if not keys:
        return []
    found = [
        replace(each, attempt=each.attempt + 1, first_attempt_at=each.first_attempt_at or now)
        for each in _list_claimed(connection, claim_id, keys)
    ]
    rows = [
        {
            "account_id": each.account_id,
            "id": each.id,
            "state": State.SENDING.value,
            "attempts": each.attempt,
            "first_attempt_at": maybe_moment(each.first_attempt_at),
            "due_at": to_moment(now + timedelta(seconds=each.definition["timeout"]) + margin),
            "claim_id": claim_id,
        }
        for each in found
    ]
    update_rows(connection, deliveries, ["account_id", "id"], rows)
    return found


def _list_claimed(connection: Connection, claim_id: str, keys: Sequence[tuple[int, str]]) -> list[Claimed]:
    key = [deliveries.c.account_id, deliveries.c.id]
    asked = wanted(connection.dialect.name, "asked", key)
    columns, request = deliveries.c, delivery_requests.c
    joined = (
        asked.join(deliveries, and_(columns.account_id == asked.c.account_id, columns.id == asked.c.id))
        .join(delivery_requests, and_(request.account_id == columns.account_id, request.delivery_id == columns.id))
        .join(postbacks, and_(postbacks.c.account_id == columns.account_id, postbacks.c.id == columns.postback_id))
        .join(accounts, accounts.c.id == columns.account_id)
    )
    statement = (
        select(
            *columns,
            request.method,
            request.url,
            request.headers,
            request.body,
            postbacks.c.definition,
            accounts.c.subdomain,
        )
        .select_from(joined)
        .order_by(columns.id)
    )
    rows = connection.execute(statement, {"asked": given(key, keys)}).mappings()
    return [_claim(row, claim_id) for row in rows]


def _claim(row: RowMapping, claim_id: str) -> Claimed:
    headers = tuple((name, value) for name, value in from_document(row["headers"]))
    return Claimed(
        account_id=row["account_id"],
        subdomain=row["subdomain"],
        id=row["id"],
        claim_id=claim_id,
        postback_id=row["postback_id"],
        trigger=row["trigger"],
        call_uuid=row["call_uuid"],
        host=row["host"],
        hops=row["hops"],
        attempt=row["attempts"],
        earlier=row["earlier_attempts"],
        holds=row["holds"],
        state=State(row["state"]),
        code=row["code"],
        created_at=from_moment(row["created_at"]),
        first_attempt_at=maybe_from_moment(row["first_attempt_at"]),
        request=Request(row["method"], row["url"], headers, row["body"]),
        definition=from_document(row["definition"]),
        is_test=row["is_test"],
    )


def finish(connection: Connection, finished: Sequence[Finished]) -> None:
    """Write what became of attempts. A worker whose claim lapsed leaves its attempt on record, and changes nothing."""
    put_rows(connection, attempts, ["account_id", "delivery_id", "number"], [_attempt(each) for each in finished])
    rows = [
        {
            "account_id": each.claimed.account_id,
            "id": each.claimed.id,
            "claim_id": each.claimed.claim_id,
            "state": each.state.value,
            "code": each.code,
            "details": to_document(each.details),
            "due_at": maybe_moment(each.due_at),
            "ended_at": None if each.due_at or each.state is State.HELD else to_moment(each.exchange.started_at),
            "differs": each.differs,
            "holds": each.claimed.holds + (each.state is State.HELD),
        }
        for each in finished
    ]
    update_rows(connection, deliveries, ["account_id", "id", "claim_id"], rows)


def _attempt(finished: Finished) -> dict[str, object]:
    exchange, claimed = finished.exchange, finished.claimed
    return {
        "account_id": claimed.account_id,
        "delivery_id": claimed.id,
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
        "milliseconds": to_document(asdict(exchange.took)),
    }


def next_due(connection: Connection) -> datetime | None:
    """When the next delivery is due; None if nothing is to be tried."""
    soonest = select(func.min(deliveries.c.due_at)).where(deliveries.c.due_at.is_not(None))
    due_at = connection.execute(soonest).scalar_one()
    return None if due_at is None else from_moment(due_at)
