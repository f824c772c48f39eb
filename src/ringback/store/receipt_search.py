"""Receipts as lists want them: filtered, newest first, paged by their ids, which begin with the time they were made.

Every filter is served by an index that ends with the id, so that a page reads about as many rows as it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, or_, select

from ringback.domain.receipts import Json, Result
from ringback.store.schema import buyers, calls, receipt_payloads, receipts, users
from ringback.store.values import from_document, from_moment, lowest_id


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which receipts are wanted; None where it doesn't matter.

    ``since`` and ``until`` are about when they were made, ``until`` not included. ``hides_guesses`` leaves out what
    named a call by a number that its sender was told there is none of.
    """

    result: Result | None = None
    buyer_id: int | None = None
    user_id: int | None = None
    token_id: str | None = None
    call_uuid: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    hides_guesses: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A receipt as a line of a list, with its call as it is today; no number where no call has the UUID (yet)."""

    id: str
    received_at: datetime
    decided_at: datetime
    call_uuid: str | None
    call_ref: str
    call_number: int | None
    call_buyer_id: int | None
    buyer: str | None
    user_id: int
    user: str
    result: Result
    code: str
    dry_run: bool
    is_late: bool
    decided: Json
    changed: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a text is looked for in: the path, with its query string, and the body of a request."""

    id: str
    path: str
    body: bytes


def list_page(
    connection: Connection, account_id: int, wanted: Wanted, *, before: str | None = None, limit: int
) -> list[Listed]:
    """The newest receipts that are wanted, from before the one named."""
    chosen = select(receipts).where(*_conditions(account_id, wanted))
    if before is not None:
        chosen = chosen.where(receipts.c.id < before)
    return _listed(connection, chosen.order_by(receipts.c.id.desc()).limit(limit))


def list_by_id(connection: Connection, account_id: int, ids: Iterable[str]) -> list[Listed]:
    """Receipts by id, newest first."""
    mine = (receipts.c.account_id == account_id, receipts.c.id.in_(list(ids)))
    return _listed(connection, select(receipts).where(*mine))


def list_requests(
    connection: Connection, account_id: int, wanted: Wanted, *, before: str | None, limit: int
) -> list[Request]:
    """The requests of the newest receipts that are wanted, from before the one named."""
    chosen = select(receipts.c.account_id, receipts.c.id).where(*_conditions(account_id, wanted))
    if before is not None:
        chosen = chosen.where(receipts.c.id < before)
    page = chosen.order_by(receipts.c.id.desc()).limit(limit).subquery()
    payload = receipt_payloads.c
    joined = page.join(receipt_payloads, and_(payload.account_id == page.c.account_id, payload.receipt_id == page.c.id))
    statement = select(page.c.id, payload.path, payload.body).select_from(joined).order_by(page.c.id.desc())
    return [Request(*row) for row in connection.execute(statement)]


def count_since(connection: Connection, account_id: int, wanted: Wanted, after: str, *, most: int) -> int:
    """How many receipts that are wanted were made after the one named; no more than the most are counted."""
    newer = select(receipts.c.id).where(*_conditions(account_id, wanted), receipts.c.id > after).limit(most)
    return connection.execute(select(func.count()).select_from(newer.subquery())).scalar_one()


def _conditions(account_id: int, wanted: Wanted) -> list[ColumnElement[bool]]:
    columns = receipts.c
    conditions = [columns.account_id == account_id]
    named = {
        columns.result: wanted.result and wanted.result.value,
        columns.buyer_id: wanted.buyer_id,
        columns.user_id: wanted.user_id,
        columns.token_id: wanted.token_id,
        columns.call_uuid: wanted.call_uuid,
    }
    conditions += [column == value for column, value in named.items() if value is not None]
    if wanted.since is not None:
        conditions.append(columns.id >= lowest_id(wanted.since))
    if wanted.until is not None:
        conditions.append(columns.id < lowest_id(wanted.until))
    if wanted.hides_guesses:
        conditions.append(or_(columns.code != "call_not_found", columns.call_ref == wanted.call_uuid))
    return conditions


def _listed(connection: Connection, chosen: Select[Any]) -> list[Listed]:
    page, payload = chosen.subquery("page"), receipt_payloads.c
    joined = (
        page.join(receipt_payloads, and_(payload.account_id == page.c.account_id, payload.receipt_id == page.c.id))
        .join(users, users.c.id == page.c.user_id)
        .outerjoin(calls, and_(calls.c.account_id == page.c.account_id, calls.c.uuid == page.c.call_uuid))
        .outerjoin(buyers, and_(buyers.c.account_id == page.c.account_id, buyers.c.id == calls.c.buyer_id))
    )
    statement = (
        select(
            *page.c,
            payload.method,
            payload.decided,
            payload.changed,
            users.c.email,
            calls.c.number,
            calls.c.buyer_id.label("call_buyer_id"),
            buyers.c.name.label("buyer"),
        )
        .select_from(joined)
        .order_by(page.c.id.desc())
    )
    return [_line(row) for row in connection.execute(statement).mappings()]


def _line(row: RowMapping) -> Listed:
    return Listed(
        id=row["id"],
        received_at=from_moment(row["received_at"]),
        decided_at=from_moment(row["decided_at"]),
        call_uuid=row["call_uuid"],
        call_ref=row["call_ref"],
        call_number=row["number"],
        call_buyer_id=row["call_buyer_id"],
        buyer=row["buyer"],
        user_id=row["user_id"],
        user=row["email"],
        result=Result(row["result"]),
        code=row["code"],
        dry_run=row["dry_run"],
        is_late=not row["method"] and row["received_at"] < row["decided_at"],
        decided=from_document(row["decided"]),
        changed=from_document(row["changed"]),
    )
