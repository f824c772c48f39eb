"""Deliveries as people look for them, and as they are sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, select, update

from ringback.domain.deliveries import State
from ringback.store.deliveries import Request
from ringback.store.schema import calls
from ringback.store.sending_schema import attempts, deliveries, delivery_requests, postbacks
from ringback.store.values import from_document, from_moment, lowest_id, maybe_from_moment, to_moment

AGAIN = (State.FAILED, State.HELD, State.CANCELLED, State.RETRYING)
"""The states from which a person can send a delivery again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries are looked for; None for any."""

    state: State | None = None
    postback_id: int | None = None
    host: str | None = None
    call_uuid: str | None = None
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A delivery as lists show it."""

    id: str
    postback_id: int
    postback: str
    version: int
    trigger: str
    call_uuid: str
    call_number: int | None
    receipt_id: str | None
    host: str
    state: State
    code: str
    details: Mapping[str, Any]
    attempts: int
    differs: bool
    is_test: bool
    created_at: datetime
    ended_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send a delivery, and what came of it."""

    number: int
    started_at: datetime
    state: State
    code: str
    details: Mapping[str, Any]
    credential: str | None
    address: str | None
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool
    problem: str
    milliseconds: Mapping[str, int | None]


def list_page(
    connection: Connection, account_id: int, wanted: Wanted, *, before: str | None = None, limit: int
) -> list[Listed]:
    """The newest deliveries that are wanted, from before the one named."""
    chosen = select(deliveries).where(*_conditions(account_id, wanted))
    if before is not None:
        chosen = chosen.where(deliveries.c.id < before)
    return _listed(connection, chosen.order_by(deliveries.c.id.desc()).limit(limit))


def find(connection: Connection, account_id: int, delivery_id: str) -> Listed | None:
    """One delivery of an account."""
    mine = (deliveries.c.account_id == account_id, deliveries.c.id == delivery_id)
    found = _listed(connection, select(deliveries).where(*mine))
    return found[0] if found else None


def find_request(connection: Connection, account_id: int, delivery_id: str) -> Request | None:
    """What a delivery sends, without its credential; None while it is held for a value."""
    columns = delivery_requests.c
    mine = (columns.account_id == account_id, columns.delivery_id == delivery_id)
    row = connection.execute(select(delivery_requests).where(*mine)).mappings().one_or_none()
    if row is None:
        return None
    headers = tuple((name, value) for name, value in from_document(row["headers"]))
    return Request(row["method"], row["url"], headers, row["body"], from_document(row["trace"]))


def list_attempts(connection: Connection, account_id: int, delivery_id: str) -> list[Attempt]:
    """The attempts of a delivery, newest first."""
    columns = attempts.c
    mine = (columns.account_id == account_id, columns.delivery_id == delivery_id)
    statement = select(attempts).where(*mine).order_by(columns.number.desc())
    return [_attempt(row) for row in connection.execute(statement).mappings()]


def count_by_state(connection: Connection, account_id: int, *, most: int = 1_000) -> dict[State, int]:
    """How many deliveries are in each state that a person may have to look after; no more than the most are counted."""
    looked_after = (State.PENDING, State.RETRYING, State.HELD, State.FAILED)
    return {state: count(connection, account_id, Wanted(state=state), most=most) for state in looked_after}


def count(connection: Connection, account_id: int, wanted: Wanted, *, most: int) -> int:
    """How many deliveries are wanted; no more than the most are counted."""
    found = select(deliveries.c.id).where(*_conditions(account_id, wanted)).limit(most)
    return connection.execute(select(func.count()).select_from(found.subquery())).scalar_one()


def count_tests(connection: Connection, account_id: int, *, since: datetime) -> int:
    """How many tests were sent since a time."""
    columns = deliveries.c
    mine = (columns.account_id == account_id, columns.id >= lowest_id(since), columns.is_test)
    return connection.execute(select(func.count()).where(*mine)).scalar_one()


def list_hosts(connection: Connection, account_id: int, *, most: int = 200) -> list[str]:
    """The hosts that were sent to lately."""
    newest = (
        select(deliveries.c.host)
        .where(deliveries.c.account_id == account_id)
        .order_by(deliveries.c.id.desc())
        .limit(most)
        .subquery()
    )
    return sorted(host for host in connection.execute(select(newest.c.host).distinct()).scalars() if host)


def list_again(connection: Connection, account_id: int, wanted: Wanted, *, up_to: str, limit: int) -> list[str]:
    """The oldest deliveries that are wanted and can be sent again, up to the one named."""
    columns = deliveries.c
    statement = (
        select(columns.id)
        .where(
            *_conditions(account_id, wanted),
            columns.id <= up_to,
            columns.state.in_([state.value for state in AGAIN]),
            _is_rendered(),
        )
        .order_by(columns.id)
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())


def send_again(connection: Connection, account_id: int, ids: Sequence[str], now: datetime) -> int:
    """Have deliveries tried again from the start, those that can be; returns how many."""
    columns = deliveries.c
    made = connection.execute(
        update(deliveries)
        .where(
            columns.account_id == account_id,
            columns.id.in_(list(ids)),
            columns.state.in_([state.value for state in AGAIN]),
            _is_rendered(),
        )
        .values(
            state=State.PENDING.value,
            code="",
            details="{}",
            due_at=to_moment(now),
            ended_at=None,
            first_attempt_at=None,
            earlier_attempts=columns.attempts,
            holds=0,
        )
    )
    return made.rowcount


def _is_rendered() -> ColumnElement[bool]:
    columns = deliveries.c
    return (
        select(1)
        .where(
            delivery_requests.c.account_id == columns.account_id,
            delivery_requests.c.delivery_id == columns.id,
        )
        .exists()
    )


def _conditions(account_id: int, wanted: Wanted) -> list[ColumnElement[bool]]:
    columns = deliveries.c
    conditions = [columns.account_id == account_id]
    named = {
        columns.state: wanted.state and wanted.state.value,
        columns.postback_id: wanted.postback_id,
        columns.host: wanted.host,
        columns.call_uuid: wanted.call_uuid,
    }
    conditions += [column == value for column, value in named.items() if value is not None]
    if wanted.differs:
        conditions.append(columns.differs)
    return conditions


def _listed(connection: Connection, chosen: Select[Any]) -> list[Listed]:
    page = chosen.subquery("page")
    joined = page.outerjoin(
        postbacks, and_(postbacks.c.account_id == page.c.account_id, postbacks.c.id == page.c.postback_id)
    ).outerjoin(calls, and_(calls.c.account_id == page.c.account_id, calls.c.uuid == page.c.call_uuid))
    statement = (
        select(*page.c, postbacks.c.name.label("postback"), calls.c.number)
        .select_from(joined)
        .order_by(page.c.id.desc())
    )
    return [_line(row) for row in connection.execute(statement).mappings()]


def _line(row: RowMapping) -> Listed:
    return Listed(
        id=row["id"],
        postback_id=row["postback_id"],
        postback=row["postback"] or f"deleted postback {row['postback_id']}",
        version=row["version"],
        trigger=row["trigger"],
        call_uuid=row["call_uuid"],
        call_number=row["number"],
        receipt_id=row["receipt_id"],
        host=row["host"],
        state=State(row["state"]),
        code=row["code"],
        details=from_document(row["details"]),
        attempts=row["attempts"],
        differs=row["differs"],
        is_test=row["is_test"],
        created_at=from_moment(row["created_at"]),
        ended_at=maybe_from_moment(row["ended_at"]),
        due_at=maybe_from_moment(row["due_at"]),
    )


def _attempt(row: RowMapping) -> Attempt:
    return Attempt(
        number=row["number"],
        started_at=from_moment(row["started_at"]),
        state=State(row["state"]),
        code=row["code"],
        details=from_document(row["details"]),
        credential=row["credential"],
        address=row["address"],
        status=row["status"],
        headers=tuple((name, value) for name, value in from_document(row["headers"])),
        body=row["body"],
        truncated=row["truncated"],
        problem=row["problem"],
        milliseconds=from_document(row["milliseconds"]),
    )
