"""Erasing the person of a call: who called and what was told of him goes, what the call is worth stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ringback.domain import erasing
from ringback.domain.attributes import CONTACT_FIELDS, DISPOSITION_NOTES
from ringback.domain.receipts import patch_document, read_patch_document
from ringback.domain.waiting import State
from ringback.store.retention import DEALT_WITH
from ringback.store.schema import (
    accounts,
    call_changes,
    calls,
    credential_failures,
    erasures,
    idempotency_keys,
    receipt_payloads,
    receipts,
    waiting_updates,
)
from ringback.store.sending_schema import attempts, deliveries, delivery_requests, former_requests
from ringback.store.sets import update_rows
from ringback.store.values import from_document, to_document, to_moment

_NULL = to_document(None)


def list_calls_of(connection: Connection, account_id: int, caller_number: str) -> list[str]:
    """The calls of a caller, oldest first."""
    mine = (calls.c.account_id == account_id, calls.c.caller_number == caller_number)
    return list(connection.execute(select(calls.c.uuid).where(*mine).order_by(calls.c.created_at)).scalars())


def list_erased(connection: Connection) -> list[tuple[str, str]]:
    """Each call whose person was erased: subdomain of its account, and UUID."""
    joined = erasures.join(accounts, accounts.c.id == erasures.c.account_id)
    statement = select(accounts.c.subdomain, erasures.c.call_uuid).select_from(joined)
    return [(subdomain, uuid) for subdomain, uuid in connection.execute(statement.order_by(erasures.c.erased_at))]


def erase(connection: Connection, account_id: int, uuid: str, now: datetime) -> int:
    """Erase the person of a call that is locked.

    Returns:
        How many deliveries are still to be sent, or failed and may be sent again; they are left as they are.
    """
    of_call = (calls.c.account_id == account_id, calls.c.uuid == uuid)
    blank = {"caller_number": None, CONTACT_FIELDS.name: to_document({}), DISPOSITION_NOTES.name: None}
    connection.execute(update(calls).where(*of_call).values(blank))
    of_ledger = (call_changes.c.account_id == account_id, call_changes.c.call_uuid == uuid)
    personal = call_changes.c.attribute.in_(sorted(erasing.LEDGER_NAMES))
    connection.execute(update(call_changes).where(*of_ledger, personal).values(before=_NULL, after=_NULL))
    _erase_receipts(connection, account_id, uuid)
    _erase_waiting(connection, account_id, uuid)
    named = credential_failures.c.path.contains(uuid, autoescape=True)
    connection.execute(delete(credential_failures).where(credential_failures.c.account_id == account_id, named))
    _note(connection, account_id, uuid, now)
    return _erase_deliveries(connection, account_id, uuid)


def _erase_receipts(connection: Connection, account_id: int, uuid: str) -> None:
    """Empty what arrived, and take the person out of what was understood, changed and answered."""
    of_call = (receipts.c.account_id == account_id, receipts.c.call_uuid == uuid)
    ids = select(receipts.c.id).where(*of_call)
    payload, key = receipt_payloads.c, idempotency_keys.c
    rows = connection.execute(
        select(payload.receipt_id, payload.understood, payload.changed).where(
            payload.account_id == account_id, payload.receipt_id.in_(ids)
        )
    )
    emptied = [
        {
            "account_id": account_id,
            "receipt_id": receipt_id,
            "path": "",
            "content_type": "",
            "ip": "",
            "body": b"",
            "understood": _rewritten(understood, erasing.understood),
            "changed": _rewritten(changed, erasing.changed),
        }
        for receipt_id, understood, changed in rows
    ]
    update_rows(connection, receipt_payloads, ("account_id", "receipt_id"), emptied)
    connection.execute(update(receipts).where(*of_call).values(call_ref=uuid))
    answered = (key.account_id == account_id, or_(key.call_ref == uuid, key.receipt_id.in_(ids)))
    for row in connection.execute(select(idempotency_keys).where(*answered)).mappings().all():
        mine = (column == row[column.name] for column in idempotency_keys.primary_key)
        answer = _rewritten(row["answer"], erasing.answer)
        connection.execute(update(idempotency_keys).where(*mine).values(answer=answer))


def _rewritten(document: str, write: Callable[[Any], object]) -> str:
    return to_document(write(from_document(document)))


def _erase_waiting(connection: Connection, account_id: int, uuid: str) -> None:
    """Take contact fields out of what waits; what asked for nothing else waits no longer."""
    columns = waiting_updates.c
    of_call = (columns.account_id == account_id, columns.call_uuid == uuid)
    for row in connection.execute(
        select(columns.id, columns.patch, columns.details, columns.state).where(*of_call)
    ).all():
        left = erasing.patch(read_patch_document(from_document(row.patch)))
        said = erasing.details(from_document(row.details))
        gives_up = row.state == State.WAITING.value and not (left or said)
        connection.execute(
            update(waiting_updates)
            .where(*of_call, columns.id == row.id)
            .values(
                patch=to_document(patch_document(left)),
                details=to_document(said),
                attributes=",".join(write.attribute for write in left),
                state=State.EXPIRED.value if gives_up else row.state,
            )
        )


def _erase_deliveries(connection: Connection, account_id: int, uuid: str) -> int:
    of_call = (deliveries.c.account_id == account_id, deliveries.c.call_uuid == uuid)
    over = deliveries.c.state.in_(DEALT_WITH)
    for table in (attempts, former_requests, delivery_requests):
        ended = select(deliveries.c.id).where(*of_call, over)
        connection.execute(delete(table).where(table.c.account_id == account_id, table.c.delivery_id.in_(ended)))
    connection.execute(update(deliveries).where(*of_call, over).values(details=to_document({})))
    statement = select(func.count()).select_from(deliveries).where(*of_call, ~over)
    return connection.execute(statement).scalar_one()


def _note(connection: Connection, account_id: int, uuid: str, now: datetime) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    noted = insert(erasures).values(account_id=account_id, call_uuid=uuid, erased_at=to_moment(now))
    connection.execute(noted.on_conflict_do_nothing())
