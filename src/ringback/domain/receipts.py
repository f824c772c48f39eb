"""A receipt: what arrived, what was understood of it, how it was decided, what changed.

Receipts keep codes and details, never prose, so that they can be read again in better words later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any, cast

from ringback.domain.access import AccessToken, PermissionDenied, Principal
from ringback.domain.attributes import BY_NAME, Kind
from ringback.domain.calls import Applied, Call, Change, Operation, Origin, Partner, Patch, Write
from ringback.domain.credentials import Credential
from ringback.domain.decisions import CallRef, Decision
from ringback.domain.errors import CODES, Refusal
from ringback.domain.money import format_amount
from ringback.domain.updates import Reading, Warned

BODY_KEPT = 64 * 1024
"""Bytes of a body that a receipt keeps."""

Json = Mapping[str, object]
"""What can be written as a JSON object."""


class Result(StrEnum):
    """What became of an update, as lists of receipts show it."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    DENIED = "denied"
    EARLY = "early"
    REFUSED = "refused"
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it came in, its secrets masked."""

    method: str = ""
    path: str = ""
    content_type: str = ""
    body: bytes = b""
    ip: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A user as sender where no credential is asked for: a waiting update applied late, or a person at the console.

    ``token_id`` names the access token that a waiting update came with. In a dry run a token may be ``supposed``, and
    is checked as if it had been sent.
    """

    account_id: int
    user_id: int
    token_id: str | None = None
    supposed: AccessToken | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """One inbound request to change a call, read but not yet decided.

    ``refusal`` is set where it couldn't be read; it is carried on, since a known sender is owed a receipt for it.
    ``sender`` is a refusal where the credential couldn't be read. ``account`` is a subdomain. ``overrides_later`` lets
    an update that is applied late overwrite what was changed since. A recording brings the call that it ``records`` if
    there is none yet, and the ``details`` of it that it names; ``names_call`` is false where it left the UUID to us.
    ``hops`` counts the postbacks in a row that led to it.
    """

    receipt_id: str
    received_at: datetime
    route: str
    account: str
    sender: Credential | Member | Refusal
    ref: CallRef
    reading: Reading = field(default_factory=Reading)
    arrived: Arrived = field(default_factory=Arrived)
    refusal: Refusal | None = None
    origin: Origin = Origin.UPDATE
    overrides_later: bool = False
    records: Call | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    names_call: bool = True
    hops: int = 0

    @property
    def waiting_key(self) -> str:
        """What makes repeats of a waiting update one: its key, else its content."""
        key = self.reading.key
        return fingerprint(self.reading.patch) if key is None else key.digest

    @property
    def content(self) -> str:
        """A digest of all that it asks for, how the call went included; of a recording only what it says of worth."""
        digest = fingerprint(self.reading.patch)
        if not self.details or self.records is not None:
            return digest
        return sha256(f"{digest}:{sorted(self.details.items())!r}".encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided and done about one update.

    ``principal`` is None while the sender isn't known; then there is no receipt. ``replay`` is the first answer to
    this key, which is given again. ``moved`` are the details of a call that were changed, from what to what.
    """

    update: Update
    principal: Principal | None
    decision: Decision
    applied: Applied | None = None
    call: Call | None = None
    warnings: tuple[Warned, ...] = ()
    waits_until: datetime | None = None
    replay: Json | None = None
    time_zone: str = "UTC"
    is_new: bool = False
    moved: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def refusal(self) -> Refusal | None:
        """Why nothing was done, if so."""
        return self.decision.refusal

    @property
    def code(self) -> str:
        """The stable code of the answer."""
        if self.refusal is not None:
            return self.refusal.code.name
        if self.replay is not None:
            return str(self.replay["code"])
        if self.is_new:
            return "recorded"
        return "applied" if self.moved or (self.applied is not None and self.applied.changes) else "unchanged"

    @property
    def code_status(self) -> int:
        """The HTTP status of that code."""
        return CODES[self.code].status

    @property
    def result(self) -> Result:
        """What became of it, in one word."""
        if self.replay is not None:
            return Result.REPLAYED
        if self.refusal is None:
            return Result.UNCHANGED if self.code == "unchanged" else Result.APPLIED
        if self.code_status == _FORBIDDEN:
            return Result.DENIED
        return Result.EARLY if self.waits_until is not None else Result.REFUSED

    @property
    def all_warnings(self) -> tuple[Warned, ...]:
        """Everything the sender should know of, from reading, deciding and doing."""
        noted = self.applied.warnings if self.applied is not None else ()
        return (
            *self.update.reading.warnings,
            *self.decision.warnings,
            *self.warnings,
            *(Warned(code, {}) for code in noted),
        )

    def refused(self, refusal: Refusal) -> Outcome:
        """The same, refused after all."""
        return replace(self, decision=replace(self.decision, refusal=refusal), applied=None)


_FORBIDDEN = 403


def patch_document(patch: Patch) -> list[list[object]]:
    """A patch as JSON: rows of attribute, operation and value."""
    return [[write.attribute, write.operation.value, _plain(write.value)] for write in patch]


def read_patch_document(rows: Sequence[Sequence[object]]) -> Patch:
    """The patch that :func:`patch_document` wrote down."""
    return tuple(_write(str(attribute), Operation(str(operation)), value) for attribute, operation, value in rows)


def fingerprint(patch: Patch) -> str:
    """A digest of what a patch asks for: equal for equal content, however it was spelt."""
    rows = [[a, o, sorted(v.items()) if isinstance(v, Mapping) else v] for a, o, v in patch_document(patch)]
    return sha256(repr(rows).encode(errors="surrogatepass")).hexdigest()


def understood_document(reading: Reading) -> Json:
    """What was understood of a request."""
    return {
        "patch": patch_document(reading.patch),
        "trail": [[step.name, step.source, step.rule] for step in reading.trail],
        "ignored": list(reading.ignored),
        "warnings": [[warned.code, dict(warned.details)] for warned in reading.warnings],
        "problems": [[problem.field, problem.code, dict(problem.details)] for problem in reading.problems],
        "key": reading.key and reading.key.name,
        "dry_run": reading.dry_run,
    }


def decided_document(outcome: Outcome) -> Json:
    """How it was decided."""
    decision, refusal = outcome.decision, outcome.refusal
    document: dict[str, object] = {
        "code": outcome.code,
        "step": decision.step.value,
        "verdicts": {name: verdict.value for name, verdict in decision.verdicts.items()},
    }
    if refusal is not None:
        document["details"] = dict(refusal.details)
    if isinstance(refusal, PermissionDenied):
        document["missing"] = [[right.attribute, right.team_id, right.team] for right in refusal.missing]
    later = outcome.all_warnings[len(outcome.update.reading.warnings) :]
    if later:
        document["warnings"] = [[warned.code, dict(warned.details)] for warned in later]
    return document


def moved_document(outcome: Outcome) -> list[list[object]]:
    """The details that changed beside what the call is worth, as rows like those of :func:`changed_document`."""
    origin = outcome.update.origin.value
    return [[name, _named(a), _named(b), origin] for name, (a, b) in outcome.moved.items()]


def _named(value: object) -> object:
    if isinstance(value, Partner):
        return value.name
    return value.isoformat() if isinstance(value, datetime) else value


def changed_document(changes: Sequence[Change]) -> list[list[object]]:
    """What changed: rows of name, before, after and origin."""
    return [[change.name, _plain(change.before), _plain(change.after), change.origin.value] for change in changes]


def _write(attribute: str, operation: Operation, value: object) -> Write:
    if isinstance(value, Mapping):
        return Write(attribute, operation, dict(value))
    if value is None or isinstance(value, bool) or BY_NAME[attribute].kind in (Kind.PARTNER, Kind.TEXT):
        return Write(attribute, operation, cast("bool | str | None", value))
    return Write(attribute, operation, Decimal(str(value)))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format_amount(value)
    return dict(value) if isinstance(value, Mapping) else value
