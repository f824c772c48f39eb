"""Erasing a person: who called, and what was told of him, goes; conversions and money stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain.decisions import CallRef, RefKind, read_uuid
from ringback.domain.errors import Mistake
from ringback.services.audit import NewId
from ringback.services.calls import read_caller_number
from ringback.store import accounts as store
from ringback.store import audit, calls, erasures
from ringback.store.access import Account


@dataclass(frozen=True, slots=True)
class Erased:
    """A call whose person was erased, and how many deliveries about it, not delivered yet, were left as they are."""

    account: str
    call: str
    open_deliveries: int


def find_calls(tx: Connection, account: Account, *, caller_number: str | None, uuid: str | None) -> list[str]:
    """The calls of a caller, or the one of a UUID.

    Raises:
        Mistake: what was named is no telephone number, or no call.
    """
    if caller_number is not None:
        number = read_caller_number(caller_number)
        if number is None:
            raise Mistake(f"{caller_number} is not a telephone number")
        return erasures.list_calls_of(tx, account.id, number)
    read = read_uuid(uuid or "")
    if read is None or calls.find(tx, account.id, CallRef(RefKind.UUID, read)) is None:
        raise Mistake(f"{account.subdomain} has no call {uuid}")
    return [read]


def erase(tx: Connection, subdomain: str, uuid: str, now: datetime, new_id: NewId) -> Erased | None:
    """Erase the person of a call; None if there is no such account or call."""
    account = store.find_account(tx, subdomain)
    ref = CallRef(RefKind.UUID, uuid)
    there = calls.lock(tx, [(account.id, ref)]).get((account.id, ref)) if account else None
    if account is None or there is None:
        return None
    still_open = erasures.erase(tx, account.id, uuid, now)
    subject = f"call {there.call.number}"
    audit.note_deed(tx, account.id, new_id(), user_id=None, action="call.erased", subject=subject, details={}, now=now)
    return Erased(account.subdomain, uuid, still_open)


def list_erased(tx: Connection) -> list[tuple[str, str]]:
    """Every call whose person was erased: subdomain and UUID."""
    return erasures.list_erased(tx)
