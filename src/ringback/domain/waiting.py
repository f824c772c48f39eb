"""Waiting updates: what was refused, or came before its call, and can still be applied (ACCESS, "Waiting updates")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast

from ringback.domain.attributes import Scalar
from ringback.domain.calls import Entry, Operation, Patch, Write
from ringback.domain.decisions import RefKind
from ringback.domain.receipts import Outcome


class Kind(StrEnum):
    """Why an update waits, and with that how long and how many."""

    DENIED = "denied"
    EARLY = "early"
    QUARANTINE = "quarantine"


class State(StrEnum):
    """What became of a waiting update."""

    WAITING = "waiting"
    APPLIED = "applied"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


LIFETIME: Mapping[Kind, timedelta] = {
    Kind.DENIED: timedelta(days=90),
    Kind.EARLY: timedelta(hours=72),
    Kind.QUARANTINE: timedelta(days=7),
}
"""How long an update waits."""

ACCOUNT_LIMIT = 10_000
QUARANTINE_ACCOUNT_LIMIT = 1_000
QUARANTINE_USER_LIMIT = 100

SUPPRESSED = "suppressed:"
"""What the key begins with of an addition that was taken for a retry, and that a person made after all."""

HELD: Mapping[str, Kind] = {
    "call_not_found": Kind.EARLY,
    "no_team": Kind.QUARANTINE,
    "permission_denied": Kind.DENIED,
    "buyer_not_shared": Kind.DENIED,
    "api_access_off": Kind.DENIED,
    "access_type": Kind.DENIED,
}
"""The refusals that make an update wait, by code."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One waiting update; its id is that of its first receipt. ``key`` makes repeats of it one."""

    account_id: int
    id: str
    user_id: int
    call_uuid: str
    key: str
    key_name: str | None
    token_id: str | None
    kind: Kind
    code: str
    patch: Patch
    route: str
    received_at: datetime
    tries: int = 1
    state: State = State.WAITING
    user: str = ""
    applied_receipt_id: str | None = None

    @property
    def expires_at(self) -> datetime:
        """When it is given up."""
        return self.received_at + LIFETIME[self.kind]


def kind_for(outcome: Outcome) -> Kind | None:
    """Why this outcome makes its update wait; None if it doesn't.

    A call that was named by number and may not be seen must look like none, so nothing is kept for it.
    """
    reading, refusal = outcome.update.reading, outcome.refusal
    if refusal is None or reading.dry_run or reading.problems or not reading.patch:
        return None
    code, ref = refusal.code.name, outcome.update.ref
    kind = HELD.get(code)
    if outcome.call is None:
        return kind if kind is Kind.EARLY and ref.kind is RefKind.UUID else None
    if kind is Kind.EARLY or (ref.is_guessable and code != "permission_denied"):
        return None
    return kind


def without_later(patch: Patch, ledger: Iterable[Entry], received_at: datetime) -> tuple[Patch, tuple[str, ...]]:
    """A patch less what a later update has changed since, and the names of what was left out.

    Additions are never left out: they don't overwrite anything.
    """
    later = {entry.change.name for entry in ledger if entry.received_at > received_at}
    kept: list[Write] = []
    left_out: list[str] = []
    for write in patch:
        rest = _without(write, later)
        if rest is not None:
            kept.append(rest)
        left_out.extend(name for name in _names(write) if name in later and write.operation is not Operation.ADD)
    return tuple(kept), tuple(left_out)


def only(patch: Patch, names: Iterable[str]) -> Patch:
    """Of a patch what sets these names, as :func:`without_later` tells them."""
    wanted = set(names)
    kept = (_without(write, set(_names(write)) - wanted) for write in patch if write.operation is not Operation.ADD)
    return tuple(write for write in kept if write is not None)


def _without(write: Write, later: set[str]) -> Write | None:
    if write.operation is Operation.ADD:
        return write
    if write.operation is not Operation.MERGE:
        return None if write.attribute in later else write
    wanted = cast("Mapping[str, Scalar | None]", write.value)
    rest = {field: value for field, value in wanted.items() if f"{write.attribute}.{field}" not in later}
    return replace(write, value=rest) if rest else None


def _names(write: Write) -> list[str]:
    if write.operation is Operation.MERGE:
        return [f"{write.attribute}.{field}" for field in cast("Mapping[str, Scalar | None]", write.value)]
    return [write.attribute]
