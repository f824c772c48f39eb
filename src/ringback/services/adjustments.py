"""Changing what a call is worth by hand: a person says what and why, and it goes the way of every update."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sqlalchemy import Connection

from ringback.domain.attributes import ATTRIBUTES, Attribute, Kind
from ringback.domain.calls import Call, Operation, Origin, Write
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.money import parse_amount
from ringback.domain.names import UnfitError
from ringback.domain.receipts import Arrived, Member, Outcome, Update, changed_document
from ringback.domain.updates import Reading, Understood
from ringback.services import audit, updates
from ringback.services.audit import Actor
from ringback.services.fields import Fields

ROUTE = "console"
"""The route of receipts of what was done by hand."""

ADJUSTABLE = tuple(each for each in ATTRIBUTES if each.kind is not Kind.FIELDS)
"""What can be adjusted: conversions and amounts."""

REASON_LENGTH = 500
_BOOLEANS = {"yes": True, "no": False}


def adjust(tx: Connection, actor: Actor, call: Call, typed: Mapping[str, str], reason: str) -> Outcome:
    """Set what was typed, and leave alone what was left blank.

    Args:
        tx: the transaction to do it in.
        actor: who does it.
        call: the call that is meant.
        typed: by the attribute's name: ``yes`` or ``no``, or an amount.
        reason: why, as it will stand on the receipt and in the audit log.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field; why it can't be done.
    """
    update = _read(actor, call, typed, reason)
    (outcome,) = updates.apply(tx, [update], actor.now)
    if outcome.refusal is not None:
        raise outcome.refusal
    changes = outcome.applied.changes if outcome.applied else ()
    details = {"reason": reason, "receipt": update.receipt_id, "changed": changed_document(changes)}
    audit.note(tx, actor, "call.adjusted", f"call {call.number}", details)
    return outcome


def _read(actor: Actor, call: Call, typed: Mapping[str, str], reason: str) -> Update:
    fields = Fields()
    writes: list[Write] = []
    for attribute in ADJUSTABLE:
        text = typed.get(attribute.name, "")
        if text and (write := fields.read(attribute.name, partial(_write, attribute), text)):
            writes.append(write)
    if not any(typed.values()):
        fields.refuse("form", "say what to change; what is left blank stays as it is")
    if not 0 < len(reason) <= REASON_LENGTH:
        fields.refuse("reason", f"say why, in at most {REASON_LENGTH} characters")
    fields.check()
    trail = tuple(Understood(each.attribute, ROUTE, _rule(each)) for each in writes)
    return Update(
        receipt_id=actor.new_id(),
        received_at=actor.now,
        route=ROUTE,
        account="",
        sender=Member(actor.account_id, actor.principal.user_id),
        ref=CallRef(RefKind.UUID, call.uuid),
        reading=Reading(tuple(writes), trail),
        arrived=Arrived(body=reason.encode(errors="replace")),
        origin=Origin.PERSON,
    )


def _write(attribute: Attribute, text: str) -> Write:
    if attribute.kind is Kind.MONEY:
        return Write(attribute.name, Operation.SET, parse_amount(text))
    if text not in _BOOLEANS:
        raise UnfitError("choose yes or no")
    return Write(attribute.name, Operation.SET, _BOOLEANS[text])


def _rule(write: Write) -> str:
    return "boolean" if isinstance(write.value, bool) else "amount"
