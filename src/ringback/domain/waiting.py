"""Waiting updates: what was refused, or came before its call, and can still be applied (ACCESS, "Waiting updates")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from ringback.domain.attributes import CONTACT_FIELDS, PARTNERS, Scalar
from ringback.domain.calls import Call, Entry, Operation, Origin, Partner, Patch, Write
from ringback.domain.decisions import RefKind
from ringback.domain.receipts import RECORDING_ROUTE, Outcome

Details = Mapping[str, Any]
"""What is said of a call beside its worth: how it went, whom it belongs to, who called; by name."""


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


class Waiting(Struct, frozen=True):
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
    details: Details = {}
    hops: int = 0
    revoked_at: datetime | None = None
    token_expires_at: datetime | None = None
    is_blocked: bool = False

    @property
    def expires_at(self) -> datetime:
        """When it is given up."""
        return self.received_at + LIFETIME[self.kind]

    @property
    def attributes(self) -> tuple[str, ...]:
        """What its user needs rights to; contact fields that come with a recording need none."""
        named = (write.attribute for write in self.patch)
        return tuple(each for each in named if not (self.route == RECORDING_ROUTE and each == CONTACT_FIELDS.name))

    def token_fault(self, now: datetime) -> str | None:
        """Why its access token would be refused by now; None if it would not be, or if it has none."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        if self.is_blocked:
            return "token_blocked"
        return "expired" if self.token_expires_at is not None and self.token_expires_at <= now else None


def kind_for(outcome: Outcome) -> Kind | None:
    """Why this outcome makes its update wait; None if it doesn't.

    Of a call that could be found by trying and that none of his teams sees, nothing of a member's is kept.
    """
    update, refusal = outcome.update, outcome.refusal
    reading, ref = update.reading, update.ref
    if refusal is None or reading.dry_run or reading.problems or not (reading.patch or update.details):
        return None
    if update.origin is not Origin.UPDATE and (update.origin is not Origin.RECORDING or outcome.is_new):
        return None
    kind = HELD.get(refusal.code.name)
    if outcome.call is None:
        return kind if kind is Kind.EARLY and ref.kind is RefKind.UUID else None
    if ref.is_guessable and kind is not Kind.QUARANTINE:
        return Kind.DENIED if kind is not None and _is_seen(outcome) else None
    return None if kind is Kind.EARLY else kind


def tells(outcome: Outcome) -> bool:
    """Whether its sender may be told that it waits: what could be found by trying must look like nothing."""
    return not outcome.update.ref.is_guessable or outcome.code == "permission_denied"


def lacks_buyer(outcome: Outcome) -> bool:
    """Whether nothing but a buyer of the call is missing, who may still come."""
    return outcome.code == "buyer_not_shared" and outcome.call is not None and outcome.call.buyer is None


def _is_seen(outcome: Outcome) -> bool:
    principal, call = outcome.principal, outcome.call
    if principal is None or call is None:
        return False
    return principal.runs_account or any(team.sees(call.buyer_id) for team in principal.teams)


class Due(Struct, frozen=True):
    """What of an update is still to be done when it is applied late, and the names of what is left as it is."""

    patch: Patch
    details: Details
    left_out: tuple[str, ...] = ()


def due(patch: Patch, details: Details, call: Call, ledger: Iterable[Entry], received_at: datetime) -> Due:
    """What an update may still do to a call: it overwrites nothing that is newer.

    Nor does a recording take the call from somebody to whom it was given since: that is up to a right of its own.
    """
    patch, left_out = without_later(patch, entries := [*ledger], received_at)
    later = {entry.change.name for entry in entries if entry.received_at > received_at}
    named = {write.attribute for write in patch}
    later |= {each.name for each in PARTNERS if getattr(call, each.name) is not None and each.name not in named}
    kept = {name: value for name, value in details.items() if name not in later or getattr(call, name) == value}
    return Due(patch, kept, tuple(dict.fromkeys((*left_out, *(name for name in details if name not in kept)))))


def details_document(details: Details) -> dict[str, object]:
    """Details as JSON."""
    return {name: _plain(value) for name, value in details.items()}


def read_details_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """The details that :func:`details_document` wrote down."""
    return {name: _detail(name, value) for name, value in document.items()}


def _plain(value: object) -> object:
    if isinstance(value, Partner):
        return {"id": value.id, "uuid": value.uuid, "name": value.name}
    return value.isoformat() if isinstance(value, datetime) else value


def _detail(name: str, value: Any) -> object:  # noqa: ANN401 - as wide as JSON
    if isinstance(value, Mapping):
        return Partner(**value)
    return datetime.fromisoformat(value) if name == "ended_at" else value


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
