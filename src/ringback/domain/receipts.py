"""A receipt: what arrived, what was understood of it, how it was decided, what changed.

Receipts keep codes and details, never prose, so that they can be read again in better words later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from ringback.domain.access import AccessToken, PermissionDenied, Principal
from ringback.domain.attributes import BY_NAME, Kind
from ringback.domain.calls import Applied, Call, Change, Operation, Origin, Partner, Patch, Write, moves
from ringback.domain.credentials import Credential
from ringback.domain.decisions import CallRef, Decision
from ringback.domain.errors import CODES, Refusal
from ringback.domain.money import format_amount
from ringback.domain.updates import Reading, Warned

RECORDING_ROUTE = "record"
"""The route of updates that report a call."""

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


class Arrived(Struct, frozen=True):
    """A request as it came in, its secrets masked."""

    method: str = ""
    path: str = ""
    content_type: str = ""
    body: bytes = b""
    ip: str = ""


class Member(Struct, frozen=True):
    """A user as sender where no credential is asked for: a waiting update applied late, or a person at the console.

    ``token_id`` names the access token that a waiting update came with. In a dry run a token may be ``supposed``, and
    is checked as if it had been sent.
    """

    account_id: int
    user_id: int
    token_id: str | None = None
    supposed: AccessToken | None = None


class Refires(Struct, frozen=True):
    """The postbacks that are to be sent anew: ``every`` one that was sent for the call before, and those of ``ids``."""

    every: bool = False
    ids: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return self.every or bool(self.ids)


NO_REFIRES = Refires()


class Update(Struct, frozen=True):
    """One inbound request to change a call, read but not yet decided.

    ``refusal`` is set where it couldn't be read; it is carried on, since a known sender is owed a receipt for it.
    ``sender`` is a refusal where the credential couldn't be read. ``account`` is a subdomain. ``overrides_later`` lets
    an update that is applied late overwrite what was changed since. A recording brings the call that it ``records`` if
    there is none yet, and the ``details`` of it that it names; ``names_call`` is false where it left the UUID to us.
    ``hops`` counts the postbacks in a row that led to it. ``repeats`` is what one without a key was kept waiting under.
    """

    receipt_id: str
    received_at: datetime
    route: str
    account: str
    sender: Credential | Member | Refusal
    ref: CallRef
    reading: Reading = Reading()
    arrived: Arrived = Arrived()
    refusal: Refusal | None = None
    origin: Origin = Origin.UPDATE
    overrides_later: bool = False
    records: Call | None = None
    details: Mapping[str, Any] = {}
    names_call: bool = True
    hops: int = 0
    refires: Refires = NO_REFIRES
    repeats: str = ""

    @property
    def is_recording(self) -> bool:
        """Whether it reports a call, be it one that is there already."""
        return self.route == RECORDING_ROUTE

    @property
    def adds(self) -> bool:
        """Whether done twice it would count twice."""
        return any(write.operation is Operation.ADD for write in self.reading.patch)

    @property
    def waiting_key(self) -> str:
        """What makes repeats of it one: its key, else its content.

        Names that nobody knows may tell two additions apart, such as the number of an order.
        """
        if self.reading.key is not None:
            return self.reading.key.digest
        unknown = self.reading.unknown
        if self.repeats or unknown is None or not self.adds:
            return self.repeats or self.content
        return _digest(f"{self.content}:{sorted(unknown.values.items())!r}")

    @property
    def content(self) -> str:
        """A digest of all that it asks for, beside what the call is worth, too.

        Whether a recording gives its call to somebody else is up to the call; whom it names is among the details.
        """
        patch = self.reading.patch
        if self.is_recording:
            patch = tuple(write for write in patch if BY_NAME[write.attribute].kind is not Kind.PARTNER)
        digest = fingerprint(patch)
        said = [(name, each.uuid if isinstance(each, Partner) else each) for name, each in sorted(self.details.items())]
        said += [("refires", self.refires)] if self.refires else []
        return _digest(f"{digest}:{said!r}") if said else digest


class Outcome(Struct, frozen=True, dict=True):
    """What was decided and done about one update.

    ``principal`` is None while the sender isn't known; then there is no receipt. ``replay`` is the first answer to
    this key, which is given again. ``moved`` are the details of a call that were changed, from what to what,
    ``refires`` the numbers of the postbacks that are sent anew.
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
    moved: Mapping[str, tuple[Any, Any]] = {}
    refires: tuple[int, ...] = ()

    @property
    def refusal(self) -> Refusal | None:
        """Why nothing was done, if so."""
        return self.decision.refusal

    @cached_property
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

    @cached_property
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
    return _digest(repr(rows))


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


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
    if outcome.update.hops:
        document["hops"] = outcome.update.hops
    later = outcome.all_warnings[len(outcome.update.reading.warnings) :]
    if later:
        document["warnings"] = [[warned.code, dict(warned.details)] for warned in later]
    if outcome.waits_until is not None:
        document["waits"] = outcome.update.waiting_key
    return document


def moved_document(outcome: Outcome) -> list[list[object]]:
    """The details that changed beside what the call is worth, as rows like those of :func:`changed_document`."""
    return changed_document(moves(outcome.moved, outcome.update.origin)) if outcome.moved else []


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
    if isinstance(value, Partner):
        return value.name
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else value
