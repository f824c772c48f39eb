"""The queue of deliveries, as workers see it: what is due, taken under a claim, finished by whoever holds the claim.

A claim is a lease: ``due_at`` is when it lapses. Deliveries of one postback and call are sent in order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, cast

from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace
from sqlalchemy import Connection, Integer, Select, and_, bindparam, func, select

from ringback.domain.deliveries import State
from ringback.domain.exchanges import Exchange, bare
from ringback.domain.postbacks import Definition
from ringback.store.deliveries import PAUSED, Over, Pair, Request
from ringback.store.lines import BEHIND, Line, is_behind, is_told_better
from ringback.store.sending_schema import attempts, deliveries, delivery_requests, postbacks
from ringback.store.sets import given, put_rows, update_rows, wanted
from ringback.store.values import from_document, from_moment, maybe_from_moment, maybe_moment, to_document, to_moment

_WAITING = frozenset({BEHIND, PAUSED})
"""Codes that say what a delivery waits for, not what came of it."""


class Due(Struct, frozen=True):
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
    state: State
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

    @property
    def line(self) -> Line:
        """The line that it stands in."""
        return self.account_id, self.postback_id, self.call_uuid


class Look(Struct, frozen=True):
    """A look at what is due: what may be sent, what is to be given up, and how many rows both were."""

    due: list[Due]
    over: list[Over]

    @property
    def count(self) -> int:
        """How many were looked at."""
        return len(self.due) + len(self.over)


class Claimed(Struct, frozen=True):
    """A delivery that a worker has until the claim lapses; ``attempt`` counts from 1."""

    due: Due
    claim_id: str
    attempt: int
    first_attempt_at: datetime
    lapses_at: datetime

    def is_late(self, now: datetime) -> bool:
        """Whether an attempt that begins now could outlast the claim."""
        return now + timedelta(seconds=self.due.definition.timeout) > self.lapses_at


class Finished(Struct, frozen=True):
    """What became of an attempt: how the delivery stands, and the exchange."""

    claimed: Claimed
    state: State
    code: str
    due_at: datetime | None
    exchange: Exchange
    details: Mapping[str, object] = {}
    credential: str | None = None
    differs: bool = False
    pauses: bool = False

    @property
    def bare(self) -> Finished:
        """The same without what the receiver said, should that be what can't be kept."""
        return replace(self, exchange=bare(self.exchange, self.exchange.started_at), details={}, differs=False)


def look(connection: Connection, now: datetime, *, limit: int, without: Collection[str] = ()) -> Look:
    """What is due, soonest first, the hosts given left out; kept from other workers until the transaction ends."""
    found = Look([], [])
    asked = {"now": to_moment(now), "without": list(without), "limit": limit}
    for row in map(_Row._make, connection.execute(_LOOK, asked).all()):
        if code := _why_over(row):
            found.over.append((row.account_id, row.id, code))
        else:
            found.due.append(_due(row))
    return found


class _Row(NamedTuple):
    """What a look finds; a tuple of the database's own is slow to take by name."""

    account_id: int
    id: str
    postback_id: int
    call_uuid: str
    host: str
    hops: int
    state: str
    attempts: int
    earlier: int
    holds: int
    code: str
    first_attempt_at: int | None
    is_test: bool
    is_behind: bool
    is_told_better: bool
    is_paused: bool
    method: str | None
    url: str
    headers: str
    body: bytes | None
    definition: str | None


def _look() -> Select[Any]:
    # What is due is found and locked first, and the rest of it looked up afterwards, whatever a planner may think.
    found = (
        select(deliveries)
        .where(deliveries.c.due_at <= bindparam("now"), deliveries.c.host.not_in(bindparam("without", expanding=True)))
        .order_by(deliveries.c.due_at)
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    due, request = found.c, delivery_requests.c
    return (
        select(
            due.account_id,
            due.id,
            due.postback_id,
            due.call_uuid,
            due.host,
            due.hops,
            due.state,
            due.attempts,
            due.earlier_attempts,
            due.holds,
            due.code,
            due.first_attempt_at,
            due.is_test,
            is_behind(found).label("is_behind"),
            is_told_better(found).label("is_told_better"),
            postbacks.c.paused.is_not(None).label("is_paused"),
            request.method,
            request.url,
            request.headers,
            request.body,
            postbacks.c.definition,
        )
        .select_from(found)
        .outerjoin(delivery_requests, and_(request.account_id == due.account_id, request.delivery_id == due.id))
        .outerjoin(postbacks, and_(postbacks.c.account_id == due.account_id, postbacks.c.id == due.postback_id))
        .order_by(due.due_at)
    )


_LOOK = _look()
_read_headers = Decoder(tuple[Pair, ...]).decode


def _why_over(row: _Row) -> str:
    """Why a delivery that is due is given up; nothing if it isn't."""
    if row.definition is None:
        return "postback_deleted"
    if row.method is None:
        return "no_request"
    return "superseded" if row.is_told_better else ""


def _due(row: _Row) -> Due:
    method, definition = cast("str", row.method), cast("str", row.definition)  # else it is over
    return Due(
        account_id=row.account_id,
        id=row.id,
        postback_id=row.postback_id,
        call_uuid=row.call_uuid,
        host=row.host,
        hops=row.hops,
        state=State(row.state),
        attempts=row.attempts,
        earlier=row.earlier,
        holds=row.holds,
        code=row.code,
        first_attempt_at=maybe_from_moment(row.first_attempt_at),
        is_test=row.is_test,
        is_behind=bool(row.is_behind) and not row.is_test,
        is_paused=row.is_paused and not row.is_test,
        request=Request(method, row.url, _read_headers(row.headers), row.body),
        definition=_definition(definition),
    )


@lru_cache(maxsize=1024)
def _definition(document: str) -> Definition:
    return Definition.read(from_document(document))


def put_off(connection: Connection, due: Iterable[Due], code: str, until: datetime) -> None:
    """Have deliveries looked at again later, for a reason; what is held keeps its own."""
    rows = [
        {
            "account_id": each.account_id,
            "id": each.id,
            "code": each.code if each.state is State.HELD else code,
            "due_at": to_moment(until),
        }
        for each in due
    ]
    update_rows(connection, deliveries, ["account_id", "id"], rows)


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
            "code": "",
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
    claimed = list(claimed)
    gone = _gone(connection, [each.due for each in claimed])
    rows = [
        {
            "account_id": each.due.account_id,
            "id": each.due.id,
            "claim_id": each.claim_id,
            "state": (State.RETRYING if each.due.state is State.SENDING else each.due.state).value,
            "code": "" if each.due.code in _WAITING else each.due.code,
            "attempts": each.due.attempts,
            "first_attempt_at": maybe_moment(each.due.first_attempt_at),
            "due_at": to_moment(now),
            "ended_at": None,
            **(_deleted(now) if each.due.line[:2] in gone else {}),
        }
        for each in claimed
    ]
    update_rows(connection, deliveries, ["account_id", "id", "claim_id"], rows)


def finish(connection: Connection, finished: Sequence[Finished]) -> None:
    """Write what became of attempts. A worker whose claim lapsed leaves its attempt on record, and changes nothing."""
    put_rows(connection, attempts, ["account_id", "delivery_id", "number"], [_attempt(each) for each in finished])
    gone = _gone(connection, [each.claimed.due for each in finished if each.state in _GOES_ON])
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
            **(_deleted(each.exchange.started_at) if each.claimed.due.line[:2] in gone else {}),
        }
        for each in finished
    ]
    update_rows(connection, deliveries, ["account_id", "id", "claim_id"], rows)


_GOES_ON = frozenset({State.RETRYING, State.HELD})


def _gone(connection: Connection, left: Sequence[Due]) -> set[tuple[int, int]]:
    """Account and postback of those of deliveries that are deleted: what is left of these is not sent any more."""
    asked_for = {each.line[:2] for each in left}
    if not asked_for:
        return asked_for
    key = [postbacks.c.account_id, postbacks.c.id]
    asked = wanted(connection.dialect.name, "asked", key)
    there = select(*key).select_from(asked.join(postbacks, and_(*(each == asked.c[each.name] for each in key))))
    found = connection.execute(there, {"asked": given(key, sorted(asked_for))})
    return asked_for - {(account_id, postback_id) for account_id, postback_id in found}


def _deleted(now: datetime) -> dict[str, object]:
    """The columns of a delivery that is given up since its postback was deleted."""
    ended = {"due_at": None, "ended_at": to_moment(now)}
    return {"state": State.CANCELLED.value, "code": "postback_deleted", **ended}


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


def next_due(connection: Connection, *, after: datetime | None = None) -> datetime | None:
    """When the next delivery is due, after a time if one is given; None if none is to be tried."""
    due = deliveries.c.due_at
    soonest = select(func.min(due)).where(due.is_not(None) if after is None else due > to_moment(after))
    due_at = connection.execute(soonest).scalar_one()
    return None if due_at is None else from_moment(due_at)
