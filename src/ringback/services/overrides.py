"""What a person does all the same: overwrite newer values, add what was taken for a retry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from sqlalchemy import Connection

from ringback.domain.calls import Origin, Patch
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import Refusal
from ringback.domain.receipts import Member, Outcome, Update, read_patch_document
from ringback.domain.updates import Reading
from ringback.domain.waiting import SUPPRESSED, Kind, Waiting, only
from ringback.services import audit, updates, waiting
from ringback.services.audit import Actor
from ringback.store import calls
from ringback.store import waiting as store
from ringback.store.receipts import Payload, Receipt


def names_left_out(receipt: Receipt) -> tuple[str, ...]:
    """What an update that was applied late left as it was, since it had been changed meanwhile."""
    return tuple(details["name"] for code, details in _warnings(receipt) if code == "later_value_kept")


def was_suppressed(receipt: Receipt) -> bool:
    """Whether an update was taken for a retry, and so not added."""
    return any(code == "duplicate_suppressed" for code, _ in _warnings(receipt))


def overwrite(tx: Connection, actor: Actor, receipt: Receipt, payload: Payload) -> Outcome:
    """Apply what was left out of an update, over the newer values.

    Raises:
        Refusal: ``nothing_waits``: nothing was left out; why the update is refused.
    """
    names = names_left_out(receipt)
    if not names or receipt.call_uuid is None:
        raise Refusal("nothing_waits")
    held = store.find_applied(tx, receipt.account_id, receipt.call_uuid, receipt.id)
    details = held.details if held is not None else {}
    update = Update(
        receipt_id=actor.new_id(),
        received_at=receipt.received_at,
        route=receipt.route,
        account="",
        sender=Member(receipt.account_id, receipt.user_id, receipt.token_id),
        ref=CallRef(RefKind.UUID, receipt.call_uuid),
        reading=Reading(only(_patch(payload), names)),
        details={name: value for name, value in details.items() if name in names},
        origin=Origin.LATE,
        overrides_later=True,
        hops=_hops(receipt),
    )
    (outcome,) = updates.apply(tx, [update], actor.now)
    return _noted(tx, actor, receipt, outcome)


def add_after_all(tx: Connection, actor: Actor, receipt: Receipt, payload: Payload) -> Outcome:
    """Apply an addition that was taken for a retry; once.

    Raises:
        Refusal: ``nothing_waits``: it was no such addition, or was added already; why the update is refused.
    """
    if receipt.call_uuid is None or not was_suppressed(receipt):
        raise Refusal("nothing_waits")
    calls.lock(tx, [(receipt.account_id, CallRef(RefKind.UUID, receipt.call_uuid))])
    if store.list_by_id(tx, receipt.account_id, [receipt.id]):
        raise Refusal("nothing_waits")
    held = Waiting(
        account_id=receipt.account_id,
        id=receipt.id,
        user_id=receipt.user_id,
        call_uuid=receipt.call_uuid,
        key=f"{SUPPRESSED}{receipt.id}",
        key_name=None,
        token_id=receipt.token_id,
        kind=Kind.DENIED,
        code=receipt.code,
        patch=_patch(payload),
        route=receipt.route,
        received_at=receipt.received_at,
        hops=_hops(receipt),
    )
    store.hold(tx, held)
    ((_, outcome),) = waiting.apply(tx, receipt.account_id, [receipt.id], now=actor.now, new_id=actor.new_id)
    return _noted(tx, actor, receipt, outcome)


def apply_waiting(tx: Connection, actor: Actor, waiting_id: str, *, overrides_later: bool) -> Outcome:
    """Apply one waiting update; refused again, it goes on waiting.

    Raises:
        Refusal: ``nothing_waits``.
    """
    made = waiting.apply(
        tx,
        actor.account_id,
        [waiting_id],
        now=actor.now,
        new_id=actor.new_id,
        overrides_later=overrides_later,
    )
    if not made:
        raise Refusal("nothing_waits")
    ((held, outcome),) = made
    audit.note(tx, actor, "update.applied", f"update {held.id}", {"code": outcome.code})
    return outcome


def _warnings(receipt: Receipt) -> Sequence[tuple[str, Mapping[str, str]]]:
    return cast("Sequence[tuple[str, Mapping[str, str]]]", receipt.decided.get("warnings", ()))


def _hops(receipt: Receipt) -> int:
    """How many postbacks in a row led to an update."""
    return cast("int", receipt.decided.get("hops", 0))


def _patch(payload: Payload) -> Patch:
    return read_patch_document(cast("Sequence[Sequence[object]]", payload.understood["patch"]))


def _noted(tx: Connection, actor: Actor, receipt: Receipt, outcome: Outcome) -> Outcome:
    if outcome.refusal is not None:
        raise outcome.refusal
    audit.note(tx, actor, "update.overridden", f"update {receipt.id}", {"receipt": outcome.update.receipt_id})
    return outcome
