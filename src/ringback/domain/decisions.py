"""The decision about one update: a pure function from (principal, call, reading) to a verdict per attribute.

The steps are those of RECEIVING ("Deciding"), in their order; the first that fails answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from ringback.domain import access
from ringback.domain.access import PermissionDenied, Principal, Team
from ringback.domain.calls import Call
from ringback.domain.errors import Problem, Refusal
from ringback.domain.masking import mask_keys
from ringback.domain.unreplaced import find_unreplaced
from ringback.domain.updates import Reading, Warned


class Step(StrEnum):
    """What is looked at, in this order."""

    SIZE = "size"
    ACCOUNT = "account"
    BODY = "body"
    CREDENTIAL = "credential"
    TOKEN = "token"  # noqa: S105 - the name of a step
    TEAM = "team"
    VALUES = "values"
    CALL = "call"
    SHARED = "shared"
    RIGHTS = "rights"
    KEY = "key"
    EFFECT = "effect"


class Verdict(StrEnum):
    """What was decided about one attribute."""

    ALLOWED = "allowed"
    DENIED = "denied"


class RefKind(StrEnum):
    """How a request names its call."""

    UUID = "uuid"
    NUMBER = "number"
    CALLER = "caller"
    UNREADABLE = "unreadable"


class CallRef(Struct, frozen=True):
    """Which call a request means: by UUID (lower case, with dashes), by the account's own number, or unreadably.

    By caller it is the newest call of that number, of the offer that has the token; not older than ``since``, and of
    one of these ``buyers``, if that is said.
    """

    kind: RefKind
    value: str
    offer_token: str = ""
    since: datetime | None = None
    buyers: frozenset[int] | None = None

    @property
    def is_guessable(self) -> bool:
        """Whether somebody could find calls by trying; then a hidden call and none must look alike."""
        return self.kind in (RefKind.NUMBER, RefKind.CALLER)

    @property
    def told(self) -> str:
        """What stands after "no call" where there is none."""
        return f"of {self.value} with this offer_token" if self.kind is RefKind.CALLER else self.value

    @property
    def moves(self) -> str:
        """A digest of what is said of a call that may be another one the next time; empty if it is always the same."""
        if self.kind is not RefKind.CALLER:
            return ""
        return sha256(f"{self.value} {self.offer_token}".encode()).hexdigest()


_UUID = re.compile(r"\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?")
_NUMBER = re.compile(r"[0-9]{1,18}")


def read_uuid(text: str) -> str | None:
    """The UUID that a text spells, in lower case with dashes (RFC 9562); None if it spells none."""
    found = _UUID.fullmatch(text.strip().lower())
    return None if found is None else "-".join(found.groups())


def read_ref(text: str, *, numbers: bool) -> CallRef:
    """Which call a part of a path means; ``numbers`` says whether a number may stand there, too."""
    uuid = read_uuid(text)
    if uuid is not None:
        return CallRef(RefKind.UUID, uuid)
    if numbers and _NUMBER.fullmatch(text):
        return CallRef(RefKind.NUMBER, str(int(text)))
    return CallRef(RefKind.UNREADABLE, mask_keys(text.replace("\0", "\ufffd"))[:100])


def unreadable(text: str, ref: CallRef) -> tuple[Problem, ...]:
    """What is wrong with how a call is named, if more can be said than that there is none."""
    if ref.kind is RefKind.UNREADABLE and (token := find_unreplaced(text)):
        details = {"value": mask_keys(token.text), "platform": f"of {token.platform} "}
        return (Problem("uuid", "unreplaced_token", details),)
    return ()


class Decision(Struct, frozen=True):
    """How it was decided: at which step it ended, why, and what that means for each attribute."""

    step: Step
    refusal: Refusal | None = None
    verdicts: Mapping[str, Verdict] = {}
    readable: frozenset[str] = frozenset()
    warnings: tuple[Warned, ...] = ()


def decide(
    principal: Principal,
    reading: Reading,
    call: Call | None,
    ref: CallRef,
    *,
    now: datetime,
    ip: str,
    records: bool = False,
) -> Decision:
    """Decide whether this principal may do what was read to this call, None being a call that isn't there.

    A dry run for a UUID that no call has skips the steps that look at the call, and says so. Who ``records`` the call
    needs the right to; it covers the contact fields that come with it.
    """
    step = Step.TOKEN
    readable: frozenset[str] = frozenset()
    warnings: tuple[Warned, ...] = ()
    try:
        access.check_token(principal, now=now, ip=ip, writes=True)
        step = Step.TEAM
        access.check_membership(principal)
        if records:
            principal = access.as_recorder(principal)
        step = Step.VALUES
        _check_values(reading)
        step = Step.CALL
        _check_call(reading, call, ref)
        step = Step.SHARED
        warnings = () if call else (Warned("call_unknown", {}),)
        seeing = shared_with(principal, call, ref) if call else principal.api_teams
        readable = access.readable(principal, seeing)
        step = Step.RIGHTS
        access.check_rights(principal, seeing, (write.attribute for write in reading.patch))
    except Refusal as refusal:
        return Decision(step, refusal, _verdicts(reading, refusal), readable, warnings)
    return Decision(step, None, _verdicts(reading, None), readable, warnings)


def _check_values(reading: Reading) -> None:
    if reading.problems:
        raise Refusal(reading.problems[0].code, problems=reading.problems)


def _check_call(reading: Reading, call: Call | None, ref: CallRef) -> None:
    if call is None and not (reading.dry_run and ref.kind is RefKind.UUID):
        raise _not_found(ref)


def as_seen_by(ref: CallRef, principal: Principal) -> CallRef:
    """The same reference among the calls that the principal's teams see: whether others are newer is not told."""
    teams = principal.api_teams
    if ref.kind is not RefKind.CALLER or principal.runs_account or any(team.every_buyer for team in teams):
        return ref
    return replace(ref, buyers=frozenset[int]().union(*(team.buyers for team in teams)))


def shared_with(principal: Principal, call: Call, ref: CallRef) -> tuple[Team, ...]:
    """The teams through which the principal sees the call; none are needed by who runs the account.

    Raises:
        Refusal: as :func:`access.check_shared`; ``call_not_found`` instead where the call was named by a number, so
            that nobody can find calls that he may not see by trying.
    """
    try:
        return access.check_shared(principal, call.buyer_id)
    except Refusal as refusal:
        if ref.is_guessable:
            raise _not_found(ref) from refusal
        raise


def _not_found(ref: CallRef) -> Refusal:
    if ref.kind is RefKind.CALLER:
        return Refusal("call_not_found", call=ref.told, way="caller")
    return Refusal("call_not_found", call=ref.told)


def _verdicts(reading: Reading, refusal: Refusal | None) -> dict[str, Verdict]:
    if refusal is None:
        return dict.fromkeys((write.attribute for write in reading.patch), Verdict.ALLOWED)
    if isinstance(refusal, PermissionDenied):
        denied = {right.attribute for right in refusal.missing}
        return {
            write.attribute: Verdict.DENIED if write.attribute in denied else Verdict.ALLOWED for write in reading.patch
        }
    return {}
