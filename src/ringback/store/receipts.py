"""Receipts, and the traces of requests whose sender is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, func, select

from ringback.domain.decisions import RefKind
from ringback.domain.receipts import (
    Json,
    Outcome,
    Result,
    changed_document,
    decided_document,
    moved_document,
    understood_document,
)
from ringback.store.schema import credential_failures, receipt_payloads, receipts, users
from ringback.store.sets import given, insert_rows, wanted
from ringback.store.values import from_document, from_moment, to_document, to_moment

FAILURES_KEPT = 1_000
"""Traces of wrong credentials that an account keeps."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as lists show it."""

    id: str
    account_id: int
    received_at: datetime
    decided_at: datetime
    call_uuid: str | None
    call_ref: str
    user_id: int
    user: str
    token_id: str | None
    route: str
    result: Result
    code: str
    dry_run: bool
    decided: Json
    changed: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Payload:
    """What a receipt keeps of the request itself."""

    method: str
    path: str
    content_type: str
    ip: str
    body: bytes
    understood: Json


def add(connection: Connection, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write the receipts of outcomes whose sender is known."""
    known = [(outcome, outcome.principal) for outcome in outcomes if outcome.principal is not None]
    decided_at = to_moment(now)
    rows, payloads = [], []
    for outcome, principal in known:
        update = outcome.update
        token = principal.token
        rows.append(
            {
                "account_id": principal.account_id,
                "id": update.receipt_id,
                "received_at": to_moment(update.received_at),
                "decided_at": decided_at,
                "call_uuid": _call_uuid(outcome),
                "call_ref": update.ref.value,
                "buyer_id": outcome.call and outcome.call.buyer_id,
                "user_id": principal.user_id,
                "token_id": token and token.id,
                "route": update.route,
                "result": outcome.result.value,
                "code": outcome.code,
                "dry_run": update.reading.dry_run,
            }
        )
        arrived = update.arrived
        payloads.append(
            {
                "account_id": principal.account_id,
                "receipt_id": update.receipt_id,
                "method": arrived.method,
                "path": arrived.path,
                "content_type": arrived.content_type,
                "ip": arrived.ip,
                "body": arrived.body,
                "understood": to_document(understood_document(update.reading)),
                "decided": to_document(decided_document(outcome)),
                "changed": to_document(
                    changed_document(outcome.applied.changes if outcome.applied else ()) + moved_document(outcome)
                ),
            }
        )
    insert_rows(connection, receipts, rows)
    insert_rows(connection, receipt_payloads, payloads)


def _call_uuid(outcome: Outcome) -> str | None:
    """The call that was meant, also while there is none of this UUID yet."""
    if outcome.call is not None:
        return outcome.call.uuid
    ref = outcome.update.ref
    return ref.value if ref.kind is RefKind.UUID else None


def find_existing(connection: Connection, ids: Iterable[tuple[int, str]]) -> set[str]:
    """Which of these receipts, each with its account, are there."""
    key = [receipts.c.account_id, receipts.c.id]
    asked = wanted(connection.dialect.name, "asked", key)
    matches = and_(asked.c.account_id == receipts.c.account_id, asked.c.id == receipts.c.id)
    rows = {"asked": given(key, [*ids])}
    return set(connection.execute(select(receipts.c.id).join(asked, matches), rows).scalars())


def list_receipts(
    connection: Connection,
    account_id: int,
    *,
    result: str | None = None,
    call_uuid: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[Receipt]:
    """Receipts of an account, newest first, from before the receipt named."""
    wanted = [receipts.c.account_id == account_id]
    if result is not None:
        wanted.append(receipts.c.result == result)
    if call_uuid is not None:
        wanted.append(receipts.c.call_uuid == call_uuid)
    if before is not None:
        wanted.append(receipts.c.id < before)
    statement = _SELECT.where(*wanted).order_by(receipts.c.id.desc()).limit(limit)
    return [_receipt(row) for row in connection.execute(statement).mappings()]


def find(connection: Connection, account_id: int, receipt_id: str) -> tuple[Receipt, Payload] | None:
    """One receipt with what it keeps of the request."""
    statement = _SELECT.where(receipts.c.account_id == account_id, receipts.c.id == receipt_id)
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        return None
    payload = Payload(
        row["method"],
        row["path"],
        row["content_type"],
        row["ip"],
        row["body"],
        from_document(row["understood"]),
    )
    return _receipt(row), payload


_SELECT = select(receipts, receipt_payloads, users.c.email.label("user")).select_from(
    receipts.join(
        receipt_payloads,
        and_(receipt_payloads.c.account_id == receipts.c.account_id, receipt_payloads.c.receipt_id == receipts.c.id),
    ).join(users, users.c.id == receipts.c.user_id)
)


def _receipt(row: RowMapping) -> Receipt:
    return Receipt(
        id=row["id"],
        account_id=row["account_id"],
        received_at=from_moment(row["received_at"]),
        decided_at=from_moment(row["decided_at"]),
        call_uuid=row["call_uuid"],
        call_ref=row["call_ref"],
        user_id=row["user_id"],
        user=row["user"],
        token_id=row["token_id"],
        route=row["route"],
        result=Result(row["result"]),
        code=row["code"],
        dry_run=row["dry_run"],
        decided=from_document(row["decided"]),
        changed=from_document(row["changed"]),
    )


def add_failures(connection: Connection, failures: Iterable[tuple[int, Outcome]], now: datetime) -> None:
    """Trace requests to an account whose credential was not accepted; the oldest beyond the cap go."""
    traced = list(failures)
    rows = [
        {
            "account_id": account_id,
            "id": outcome.update.receipt_id,
            "failed_at": to_moment(now),
            "code": outcome.code,
            "method": outcome.update.arrived.method,
            "path": outcome.update.arrived.path,
            "ip": outcome.update.arrived.ip,
        }
        for account_id, outcome in traced
    ]
    insert_rows(connection, credential_failures, rows)
    for account_id in sorted({account_id for account_id, _ in traced}):
        _cap(connection, account_id)


def _cap(connection: Connection, account_id: int) -> None:
    mine = credential_failures.c.account_id == account_id
    oldest_kept = (
        select(credential_failures.c.id).where(mine).order_by(credential_failures.c.id.desc()).offset(FAILURES_KEPT - 1)
    ).limit(1)
    connection.execute(
        delete(credential_failures).where(mine, credential_failures.c.id < oldest_kept.scalar_subquery())
    )


def count_failures(connection: Connection, account_id: int) -> int:
    """How many traces of wrong credentials an account has."""
    statement = select(func.count()).where(credential_failures.c.account_id == account_id)
    return connection.execute(statement).scalar_one()
