"""A call, and what an update makes of it.

:func:`apply` is the only way a call's worth changes. Each change is returned, effects included, so that the state of
a call is always the sum of its changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

from msgspec import Struct

from ringback.domain.attributes import (
    BUYER_CONVERTED,
    BY_NAME,
    OFFER_CONVERTED,
    PAYOUT,
    REVENUE,
    Attribute,
    Kind,
    Scalar,
    State,
    Value,
)
from ringback.domain.errors import Problem, Refusal
from ringback.domain.money import MAXIMUM, Payout, format_amount

FIELDS_LIMIT = 200
"""Contact fields that a call may have."""

FIELDS_BYTES = 64 * 1024
"""Bytes of names and values that the contact fields of a call may have together."""


class Operation(StrEnum):
    """How a write meets the value that is there; to reapply is to have the rules of conversions say it anew."""

    SET = "set"
    ADD = "add"
    MERGE = "merge"
    REAPPLY = "reapply"


class Write(Struct, frozen=True):
    """What an update asks of one attribute. In a merge, None removes a contact field; a partner is named by a text.

    None takes a text away.
    """

    attribute: str
    operation: Operation
    value: bool | Decimal | str | Mapping[str, Scalar | None] | None


Patch = tuple[Write, ...]
"""Everything that an update asks of a call; at most one write an attribute."""


class Origin(StrEnum):
    """Where a change came from."""

    UPDATE = "update"
    EFFECT = "effect"
    RECORDING = "recording"
    LATE = "late"
    PERSON = "person"


class Change(Struct, frozen=True):
    """One line of the ledger: an attribute (of contact fields: one field), from what to what, and why.

    What is known of a call beside its worth has lines there, too: whom it belongs to, how it went, what is said of it.
    """

    attribute: str
    before: Value | Scalar | Detail
    after: Value | Scalar | Detail
    origin: Origin
    field: str | None = None

    @property
    def name(self) -> str:
        """The name under ``changed``: ``revenue``, ``contact_fields.first_name``."""
        return self.attribute if self.field is None else f"{self.attribute}.{self.field}"


class Entry(Struct, frozen=True):
    """One row of the ledger with its place and times: when the update was received, and when it was applied."""

    seq: int
    change: Change
    receipt_id: str
    received_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Partner:
    """A buyer, traffic source or offer, as a call refers to it; ``paused`` is known where it was looked up.

    ``external_id`` is what the account's own systems know it by.
    """

    id: int
    uuid: str
    name: str
    paused: bool = field(default=False, compare=False)
    external_id: str | None = field(default=None, compare=False)


Detail = Partner | datetime
"""What may be known of a call beside its worth that is no plain value."""


class Terms(Struct, frozen=True):
    """What was agreed for a call: the buyer's revenue and the offer's payout rule, where there are such."""

    agreed_revenue: Decimal | None = None
    payout: Payout | None = None


class Call(Struct, frozen=True):
    """One phone call of an account: what is known of it, and its state."""

    account_id: int
    uuid: str
    number: int
    caller_number: str | None
    state: State
    created_at: datetime
    updated_at: datetime
    changes: int = 0
    buyer: Partner | None = None
    traffic_source: Partner | None = None
    offer: Partner | None = None
    terms: Terms = Terms()
    status: str | None = None
    total_duration: int | None = None
    answered_duration: int | None = None
    ended_at: datetime | None = None
    hangup_cause: str | None = None
    disposition: str | None = None
    disposition_notes: str | None = None

    @property
    def buyer_id(self) -> int | None:
        """The number of the buyer, if one is assigned."""
        return None if self.buyer is None else self.buyer.id


class Applied(Struct, frozen=True):
    """What a patch made of a state."""

    state: State
    changes: tuple[Change, ...]
    unchanged: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def events(self) -> tuple[str, ...]:
        """What happened, in the words that a postback can be triggered by."""
        happened = [_event(change) for change in self.changes]
        return tuple(dict.fromkeys([*happened, "call_changed"] if happened else happened))


def apply(state: State, patch: Patch, terms: Terms, origin: Origin = Origin.UPDATE) -> Applied:
    """Apply a patch with its effects; the state that was given stays as it was.

    Effects (RECEIVING, "Effects"): a buyer conversion from false to true takes the agreed revenue, an offer conversion
    the payout of the offer's rule, each only where that amount is null and not in the patch. Reapplied, they count for
    conversions that were there before, too, and the payout is worked out anew from the revenue there is now; a revenue
    that somebody named is never replaced by the agreed one.

    Raises:
        Refusal: ``amount_out_of_range``, ``too_many_fields``.
    """
    after: dict[str, Value] = dict(state)
    changes: list[Change] = []
    unchanged: list[str] = []
    again = {write.attribute for write in patch if write.operation is Operation.REAPPLY}
    named = {write.attribute for write in patch} - again
    for write in patch:
        if write.attribute in again:
            continue
        made = _write(after, write, origin)
        if made:
            changes.extend(made)
        else:
            unchanged.append(write.attribute)
    warnings = _effects(after, changes, terms, named=named, again=again)
    unchanged.extend(sorted(again - {change.attribute for change in changes}))
    return Applied(after, tuple(changes), tuple(unchanged), warnings)


def moves(moved: Mapping[str, tuple[Any, Any]], origin: Origin) -> tuple[Change, ...]:
    """What changed of a call beside its worth, as lines of the ledger."""
    return tuple(Change(name, before, after, origin) for name, (before, after) in moved.items())


def replay(changes: Iterable[Change], state: State) -> dict[str, Value]:
    """The state that a row of changes makes of an earlier one: the ledger, added up; other lines are no part of it."""
    after: dict[str, Value] = dict(state)
    for change in changes:
        if change.attribute not in after:
            continue
        if change.field is None:
            after[change.attribute] = cast("Value", change.after)
        else:
            fields = dict(cast("Mapping[str, Scalar]", after[change.attribute]))
            _put(fields, change.field, cast("Scalar | None", change.after))
            after[change.attribute] = fields
    return after


def _write(after: dict[str, Value], write: Write, origin: Origin) -> list[Change]:
    attribute = BY_NAME[write.attribute]
    if attribute.kind is Kind.FIELDS:
        return _merge(after, attribute, cast("Mapping[str, Scalar | None]", write.value), origin)
    before = after[attribute.name]
    value = cast("bool | Decimal", write.value)
    if attribute.kind is Kind.MONEY:
        value = _amount(attribute, cast("Decimal | None", before), write)
    if before == value and before is not None:
        return []
    after[attribute.name] = value
    return [Change(attribute.name, before, value, origin)]


def _amount(attribute: Attribute, before: Decimal | None, write: Write) -> Decimal:
    amount = cast("Decimal", write.value)
    if write.operation is Operation.ADD:
        amount += before or Decimal(0)
    if not 0 <= amount <= MAXIMUM:
        details = {"result": format_amount(amount)}
        problem = Problem(attribute.name, "amount_out_of_range", details)
        raise Refusal("amount_out_of_range", problems=[problem], **details)
    return amount


def _merge(
    after: dict[str, Value], attribute: Attribute, wanted: Mapping[str, Scalar | None], origin: Origin
) -> list[Change]:
    fields = dict(cast("Mapping[str, Scalar]", after[attribute.name]))
    changes = []
    for name, value in wanted.items():
        before = fields.get(name)
        if before == value and type(before) is type(value):
            continue
        _put(fields, name, value)
        changes.append(Change(attribute.name, before, value, origin, field=name))
    if changes:
        _check_size(attribute, fields)
        after[attribute.name] = fields
    return changes


def _put(fields: dict[str, Scalar], name: str, value: Scalar | None) -> None:
    if value is None:
        fields.pop(name, None)
    else:
        fields[name] = value


def _check_size(attribute: Attribute, fields: Mapping[str, Scalar]) -> None:
    size = sum(len(name.encode()) + len(str(value).encode()) for name, value in fields.items())
    if len(fields) > FIELDS_LIMIT or size > FIELDS_BYTES:
        details = {"limit": str(FIELDS_LIMIT), "kib": str(FIELDS_BYTES // 1024)}
        raise Refusal("too_many_fields", problems=[Problem(attribute.name, "too_many_fields", details)], **details)


def _effects(
    after: dict[str, Value], changes: list[Change], terms: Terms, *, named: set[str], again: set[str]
) -> tuple[str, ...]:
    """Add what conversions entail to ``after`` and ``changes``; returns warnings."""
    converted = {change.attribute for change in changes if change.after is True}
    if again:
        converted |= {each.name for each in (BUYER_CONVERTED, OFFER_CONVERTED) if after[each.name] is True}
    if BUYER_CONVERTED.name in converted and _is_open(after, named, REVENUE):
        _take(after, changes, REVENUE, terms.agreed_revenue)
    is_due = PAYOUT.name in again or _is_open(after, named, PAYOUT)
    if OFFER_CONVERTED.name in converted and is_due and terms.payout is not None:
        amount = terms.payout.amount(cast("Decimal | None", after[REVENUE.name]))
        if amount is None:
            return ("payout_needs_revenue",)
        _take(after, changes, PAYOUT, amount)
    return ()


def _is_open(after: State, named: set[str], attribute: Attribute) -> bool:
    return attribute.name not in named and after[attribute.name] is None


def _take(after: dict[str, Value], changes: list[Change], attribute: Attribute, amount: Decimal | None) -> None:
    before = after[attribute.name]
    if amount is not None and amount != before:
        after[attribute.name] = amount
        changes.append(Change(attribute.name, before, amount, Origin.EFFECT))


def _event(change: Change) -> str:
    events = BY_NAME[change.attribute].events
    return events[-1] if change.after is False else events[0]
