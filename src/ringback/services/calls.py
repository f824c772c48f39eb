"""Recording calls and reading them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import phonenumbers
from msgspec.structs import replace
from sqlalchemy import Connection

from ringback.domain.access import Principal
from ringback.domain.answers import call_object
from ringback.domain.attributes import PARTNERS, blank_state
from ringback.domain.calls import Call, Entry, Operation, Origin, Partner, Write
from ringback.domain.columns import WEBHOOKS
from ringback.domain.decisions import CallRef, RefKind, read_uuid
from ringback.domain.details import located
from ringback.domain.errors import Problem, Refusal
from ringback.domain.masking import mask_keys
from ringback.domain.receipts import Json, Outcome, Update
from ringback.domain.recordings import Recording
from ringback.domain.updates import Warned
from ringback.services import updates, waiting
from ringback.services.access import Caller, check_reader, find_sender, see_call
from ringback.services.waiting import NewId
from ringback.store import call_logs, calls, idempotency, partners
from ringback.store.access import Known
from ringback.store.idempotency import Scope

DEFAULT_REGION = "US"
"""Where a number without country code is taken to be."""

WITHHELD = frozenset({"anonymous", "restricted", "unavailable", "blocked", "private", "unknown"})
"""What stands in place of a caller's number that was not shown."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A call as its reader may see it."""

    call: Call
    readable: frozenset[str]
    time_zone: str
    counted: Mapping[str, int] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, object]:
        """The call object, with what was counted of it."""
        return {**call_object(self.call, self.readable, self.time_zone), **self.counted}


def record(
    tx: Connection, update: Update, recording: Recording, *, now: datetime, new_uuid: str, new_id: NewId
) -> Outcome:
    """Record a call, or update what is named of one that is there.

    Early updates of a call that is new, or that gets its buyer, are applied.

    Args:
        tx: the transaction to do it in.
        update: the request, read; its reading is that of the recording.
        recording: what was reported.
        now: the time of recording.
        new_uuid: the UUID that the call gets if it was reported without one.
        new_id: makes ids of receipts.
    """
    known = find_sender(tx, update)
    zone = ZoneInfo(known.account.time_zone if known.account else "UTC")
    account_id = known.account.id if known.account else 0
    problems = list(update.reading.problems)
    found = {noun: _partner(tx, known, noun, name, problems) for noun, name in recording.partners.items()}
    caller = _caller_number(recording.caller_number, problems)
    uuid = recording.uuid or _uuid_of_key(tx, known, update, now) or new_uuid
    ref = CallRef(RefKind.UUID, uuid)
    there = calls.lock(tx, [(account_id, ref)]).get((account_id, ref))
    if there is None and known.principal is not None:
        # Lists go by time and number: who waited for his number must not come before calls that were listed meanwhile.
        now = max(now, calls.wait_turn(tx, account_id) or now)
    if there is None and caller is None and all(problem.field != "caller_number" for problem in problems):
        problems.append(Problem("caller_number", "missing_value", {"name": "caller_number"}))
    before = there.call if there else Call(account_id, uuid, 0, caller, blank_state(), created_at=now, updated_at=now)
    given = _reassigned(before, found)
    details: dict[str, Any] = {
        **located(recording.details, zone),
        **{noun: each for noun, each in found.items() if each is not None},
    }
    if caller is not None:
        details["caller_number"] = caller
    call = replace(before, **details)
    if there is None:
        call = replace(call, terms=partners.find_terms(tx, account_id, call.buyer, call.offer))
    update = replace(
        update,
        ref=ref,
        reading=replace(
            update.reading,
            patch=(*update.reading.patch, *given.values()),
            problems=tuple(problems),
            warnings=(*update.reading.warnings, *_paused(found)),
        ),
        origin=Origin.RECORDING,
        records=call,
        details=details,
        names_call=recording.uuid is not None,
    )
    outcome = updates.apply(tx, [update], now)[0]
    return waiting.with_early(tx, [outcome], now=now, new_id=new_id)[0]


def read(tx: Connection, caller: Caller, ref: CallRef, now: datetime, columns: Sequence[str] = ()) -> Shown:
    """One call, as the caller may see it; what has to be counted only where its column is asked for.

    Raises:
        Refusal: who is unknown or may not read here; ``call_not_found``, ``buyer_not_shared``.
    """
    account, principal = check_reader(tx, caller, now)
    call, readable = see_call(principal, calls.find(tx, account.id, ref), ref)
    counted = {}
    if WEBHOOKS in columns and principal.runs_account:
        counted[WEBHOOKS] = call_logs.count_sent(tx, account.id, [call.uuid]).get(call.uuid, 0)
    return Shown(call, readable, account.time_zone, counted)


def timeline(tx: Connection, account_id: int, uuid: str) -> tuple[Call, list[Entry]]:
    """A call and its ledger, for the operator.

    Raises:
        Refusal: ``call_not_found``.
    """
    call = calls.find(tx, account_id, CallRef(RefKind.UUID, uuid))
    if call is None:
        raise Refusal("call_not_found", call=uuid)
    return call, calls.list_entries(tx, account_id, uuid)


def _partner(tx: Connection, known: Known, noun: str, name: str, problems: list[Problem]) -> Partner | None:
    """The partner that is named; a buyer whom no team of the sender sees is as unknown to him as none."""
    partner = partners.find(tx, known.account.id if known.account else 0, noun, name)
    if partner is None or (noun == "buyer" and not _sees(known.principal, partner)):
        told = {"noun": noun.replace("_", " "), "value": mask_keys(name)[:80]}
        problems.append(Problem(noun, "unknown_partner", told))
        return None
    return partner


def _reassigned(call: Call, found: Mapping[str, Partner | None]) -> dict[str, Write]:
    """What gives a call to another one than it belongs to: that takes a right of its own, wherever it is asked."""
    there = {attribute.name: getattr(call, attribute.name) for attribute in PARTNERS}
    return {
        noun: Write(noun, Operation.SET, partner.uuid)
        for noun, partner in found.items()
        if partner is not None and there.get(noun) is not None and there[noun].id != partner.id
    }


def _paused(found: Mapping[str, Partner | None]) -> Iterator[Warned]:
    """That somebody is paused, for those who go on sending calls; the calls are recorded, since they took place."""
    for noun, partner in found.items():
        if partner is not None and partner.paused:
            yield Warned("partner_paused", {"noun": noun.replace("_", " "), "name": partner.name})


def _sees(principal: Principal | None, buyer: Partner) -> bool:
    if principal is None or principal.runs_account:  # who is unknown is refused for that, before anything else
        return True
    return any(team.sees(buyer.id) for team in principal.api_teams)


def _uuid_of_key(tx: Connection, known: Known, update: Update, now: datetime) -> str | None:
    """The call that was recorded under the same key, with no UUID to tell that it is the one that is meant."""
    key, principal = update.reading.key, known.principal
    if key is None or principal is None or (stand_in := read_uuid(key.digest[:32])) is None:
        return None
    calls.lock(tx, [(principal.account_id, CallRef(RefKind.UUID, stand_in))])  # so that they go one after the other
    scope = Scope(principal.account_id, principal.user_id, update.route, "", key.digest)
    before = idempotency.find(tx, [scope], now).get(scope)
    return None if before is None else str(cast("Json", before.answer["call"])["uuid"])


def read_sought(text: str) -> tuple[str | None, int | None, str | None]:
    """What is searched for: a call's UUID, or its number, or its caller's, or whichever of both it may be."""
    if not text:
        return None, None, None
    if uuid := read_uuid(text):
        return uuid, None, None
    digits = text.removeprefix("#")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER
    number = int(digits) if is_number else None
    caller_number = read_caller_number(text)
    if number is None and caller_number is None:
        number = _NO_CALL
    return None, number, caller_number


_LONGEST_NUMBER = 18
_NO_CALL = 0
"""A number that no call has."""


def read_caller_number(text: str) -> str | None:
    """The number in E.164 form, or the word that stands for a withheld one; None if it is neither."""
    if text.lower() in WITHHELD:
        return text.lower()
    try:
        number = phonenumbers.parse(text[:64], DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _caller_number(text: str | None, problems: list[Problem]) -> str | None:
    number = None if text is None else read_caller_number(text)
    if text is not None and number is None:
        reason = "caller_number must be a telephone number such as +17195550123"
        problems.append(Problem("caller_number", "invalid_value", {"reason": reason}))
    return number
