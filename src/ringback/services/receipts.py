"""Receipts and waiting updates, as the operator lists, opens and applies them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ringback.domain.attributes import BY_NAME
from ringback.domain.decisions import read_uuid
from ringback.domain.errors import Mistake
from ringback.domain.receipts import Result, fingerprint, read_patch_document
from ringback.domain.waiting import Kind, State, Waiting
from ringback.services import accounts as account_service
from ringback.services import teams
from ringback.store import accounts, receipts, waiting
from ringback.store.access import Account
from ringback.store.receipts import Payload, Receipt

WAITING: dict[str, tuple[Kind, ...]] = {
    Result.DENIED: (Kind.DENIED, Kind.QUARANTINE),
    Result.EARLY: (Kind.EARLY,),
}
"""The results whose updates wait, and as what."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a list: a receipt, or an update that waits; ``became`` says what became of one that had to wait."""

    id: str
    call_uuid: str | None
    outcome: str
    code: str
    received_at: datetime
    user: str
    changed: Sequence[Sequence[Any]] = ()
    missing: Sequence[Sequence[Any]] = ()
    dry_run: bool = False
    waiting: Waiting | None = None
    became: State | None = None

    @property
    def missing_permissions(self) -> list[dict[str, str]]:
        """The rights that were missing, as answers name them."""
        return [
            {"attribute": BY_NAME[name].label, "right": "update", "team": team, "grant_at": f"/company/teams/{team_id}"}
            for name, team_id, team in self.missing
        ]


@dataclass(frozen=True, slots=True)
class Opened:
    """A receipt with all that is kept of it, and the update that waits because of it."""

    account: Account
    receipt: Receipt
    payload: Payload = field(repr=False)
    token: str | None
    waiting: Waiting | None


def list_updates(
    tx: Connection, account: Account, *, outcome: str | None, call_uuid: str | None, limit: int
) -> list[Listed]:
    """Receipts, newest first; of denied and early updates those that wait, oldest first."""
    if outcome in WAITING:
        held = waiting.list_waiting(tx, account.id, call_uuid=call_uuid)
        due = [each for each in held if each.kind in WAITING[Result(outcome)]]
        return [_waiting(tx, outcome, each) for each in due[:limit]]
    found = receipts.list_receipts(tx, account.id, result=outcome, call_uuid=call_uuid, limit=limit)
    keys = {
        each.id: (each.user_id, each.call_uuid, str(each.decided["waits"]))
        for each in found
        if each.call_uuid and "waits" in each.decided
    }
    states = waiting.list_states(tx, account.id, set(keys.values())) if keys else {}
    return [replace(listed(each), became=states.get(keys[each.id]) if each.id in keys else None) for each in found]


def find(tx: Connection, receipt_id: str, subdomain: str | None = None) -> Opened:
    """A receipt by its id, in whatever account it is.

    Raises:
        Mistake: there is none.
    """
    places = [account_service.find(tx, subdomain)] if subdomain else accounts.list_accounts(tx)
    uuid = read_uuid(receipt_id)
    for account in places if uuid else ():
        found = receipts.find(tx, account.id, uuid or "")
        if found is not None:
            receipt, payload = found
            return Opened(account, receipt, payload, _token(tx, receipt), _waits(tx, receipt, payload))
    raise Mistake(f"there is no update {receipt_id}{f' in {subdomain}' if subdomain else ''}")


def denied_for(tx: Connection, account: Account, team_name: str) -> list[Waiting]:
    """What waits because it was denied to people who sit on a team now, oldest first."""
    people = teams.find(tx, account.id, team_name).users
    held = waiting.list_waiting(tx, account.id)
    return [each for each in held if each.user_id in people and each.kind in WAITING[Result.DENIED]]


def in_order(held: Iterable[Waiting]) -> list[Waiting]:
    """Each once, in the order in which they were received."""
    return sorted({each.id: each for each in held}.values(), key=lambda each: (each.received_at, each.id))


def listed(receipt: Receipt) -> Listed:
    """The line of a receipt."""
    return Listed(
        receipt.id,
        receipt.call_uuid or receipt.call_ref,
        receipt.result.value,
        receipt.code,
        receipt.received_at,
        receipt.user,
        changed=receipt.changed,
        missing=receipt.decided.get("missing", ()),  # type: ignore[arg-type] # rows, as they were written
        dry_run=receipt.dry_run,
    )


def _waiting(tx: Connection, outcome: str, held: Waiting) -> Listed:
    found = receipts.find(tx, held.account_id, held.id)
    first = listed(found[0]) if found else None
    return Listed(
        held.id,
        held.call_uuid,
        outcome,
        held.code,
        held.received_at,
        held.user,
        missing=first.missing if first else (),
        waiting=held,
        became=held.state,
    )


def _token(tx: Connection, receipt: Receipt) -> str | None:
    found = accounts.list_tokens(tx, token_id=receipt.token_id) if receipt.token_id else []
    return found[0].description if found else None


def _waits(tx: Connection, receipt: Receipt, payload: Payload) -> Waiting | None:
    """What waits, or waited, because of a receipt: under its id, or that of an earlier one with the same content."""
    held = waiting.list_by_id(tx, receipt.account_id, [receipt.id])
    if held or payload.understood["key"]:
        return held[0] if held else None
    patch = read_patch_document(payload.understood["patch"])  # type: ignore[arg-type] # as it was written
    uuid, key = receipt.call_uuid or read_uuid(receipt.call_ref), receipt.decided.get("waits", fingerprint(patch))
    return waiting.find(tx, receipt.account_id, uuid, receipt.user_id, str(key)) if uuid else None
