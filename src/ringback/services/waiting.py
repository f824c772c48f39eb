"""Applying what waits: refused updates after a person granted the right, early ones when their call is recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import Connection

from ringback.domain import calls as domain_calls
from ringback.domain.access import Level, Principal, may_record
from ringback.domain.attributes import BY_NAME
from ringback.domain.calls import Call, Change, Origin
from ringback.domain.causes import Caused, gather
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import Refusal
from ringback.domain.receipts import Member, Outcome, Update
from ringback.domain.updates import Key, Reading
from ringback.domain.waiting import SUPPRESSED, Kind, State, Waiting, due, lacks_buyer
from ringback.services import assigning, updates
from ringback.store import access, bundles, calls
from ringback.store import waiting as store

NewId = Callable[[], str]
"""Makes the id of a receipt."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What applying a waiting update would do today: its changes, what it would leave out, or why it can't be kept."""

    waiting: Waiting
    call: Call | None
    changes: tuple[Change, ...] = ()
    after: Call | None = None
    left_out: tuple[str, ...] = ()
    refusal: Refusal | None = None


def apply(
    tx: Connection, account_id: int, ids: Sequence[str], *, now: datetime, new_id: NewId, overrides_later: bool = False
) -> list[tuple[Waiting, Outcome]]:
    """Apply waiting updates in the order in which they were received; each is decided anew, with today's rights.

    Those that were applied wait no longer; those that are refused again go on waiting. What no longer waits is passed
    over. Calls are locked before what waits for them, as wherever updates are applied.
    """
    asked = store.list_by_id(tx, account_id, ids)
    calls.lock(tx, ((account_id, CallRef(RefKind.UUID, waiting.call_uuid)) for waiting in asked))
    locked = store.lock(tx, account_id, ids)
    return _apply(tx, account_id, locked, now=now, new_id=new_id, overrides_later=overrides_later)


def list_causes(tx: Connection, account_id: int) -> list[Caused]:
    """Why updates wait, by what their users may do today; a cause with all that waits for it."""
    waiting = bundles.list_bundles(tx, account_id)
    return gather(access.find_members(tx, account_id, {bundle.user_id for bundle in waiting}), waiting)


def find_cause_of(tx: Connection, waiting: Waiting) -> Caused | None:
    """The cause that a waiting update has in common with all that wait for it."""
    place = bundles.find_key(tx, waiting.account_id, waiting.id)
    return next((each for each in list_causes(tx, waiting.account_id) if place in each.keys), None)


def preview(tx: Connection, account_id: int, ids: Sequence[str]) -> list[Preview]:
    """What applying waiting updates one after the other would do today, were the rights there."""
    held = store.list_by_id(tx, account_id, ids)
    found = calls.find_each(tx, account_id, {waiting.call_uuid for waiting in held})
    people = access.find_members(tx, account_id, {waiting.user_id for waiting in held})
    shown = []
    for waiting in held:
        call = found.get(waiting.call_uuid)
        if call is None:
            shown.append(Preview(waiting, None))
            continue
        made = _preview(tx, waiting, call, _granted(people[waiting.user_id]))
        found[call.uuid] = made.after or call
        shown.append(made)
    return shown


def _preview(tx: Connection, waiting: Waiting, call: Call, principal: Principal) -> Preview:
    has_changed = call.updated_at > waiting.received_at
    ledger = calls.list_entries(tx, call.account_id, call.uuid) if has_changed else []
    details = waiting.details if may_record(principal) else {}
    todo = due(waiting.patch, details, call, ledger, waiting.received_at)
    patch, given = assigning.split(todo.patch)
    try:
        known = assigning.find_details(tx, principal, call, given, todo.details)
        after = replace(call, **known)
        applied = domain_calls.apply(call.state, patch, after.terms, Origin.LATE)
    except Refusal as refusal:
        return Preview(waiting, call, left_out=todo.left_out, refusal=refusal)
    changes = (*domain_calls.moves(assigning.moved(call, known), Origin.LATE), *applied.changes)
    return Preview(waiting, call, changes, replace(after, state=applied.state), todo.left_out)


def _granted(principal: Principal) -> Principal:
    """The same person, were the rights there."""
    every = dict.fromkeys(BY_NAME, Level.UPDATE)
    return replace(principal, teams=tuple(replace(team, developer_api=True, rights=every) for team in principal.teams))


def apply_early(tx: Connection, account_id: int, call_uuid: str, *, now: datetime, new_id: NewId) -> list[Outcome]:
    """Apply what came before its call was there; what is refused now waits for the call's buyer, else for a person.

    So does what came with an access token that is good no longer: whoever took it may have sent this, too.
    """
    early = store.list_waiting(tx, account_id, call_uuid=call_uuid, kind=Kind.EARLY)
    faulty = {each.id: fault for each in early if (fault := each.token_fault(now))}
    store.note_refusals(tx, account_id, faulty)
    store.turn_denied(tx, account_id, [*faulty])
    locked = store.lock(tx, account_id, [each.id for each in early if each.id not in faulty])
    made = _apply(tx, account_id, locked, now=now, new_id=new_id)
    refused = [waiting.id for waiting, outcome in made if outcome.refusal is not None and not lacks_buyer(outcome)]
    store.turn_denied(tx, account_id, refused)
    return [outcome for _, outcome in made]


def has_met(outcome: Outcome) -> bool:
    """Whether a call has come about by an update, or belongs to another buyer now."""
    is_done = outcome.refusal is None and outcome.replay is None and not outcome.update.reading.dry_run
    return is_done and (outcome.is_new or "buyer" in outcome.moved)


def with_early(tx: Connection, outcomes: Sequence[Outcome], *, now: datetime, new_id: NewId) -> list[Outcome]:
    """The same outcomes, after the early updates of calls that have their buyer now were applied."""
    return [_with_early(tx, outcome, now, new_id) if has_met(outcome) else outcome for outcome in outcomes]


def _with_early(tx: Connection, outcome: Outcome, now: datetime, new_id: NewId) -> Outcome:
    call = outcome.call
    if call is None or not apply_early(tx, call.account_id, call.uuid, now=now, new_id=new_id):
        return outcome
    return replace(outcome, call=calls.find(tx, call.account_id, CallRef(RefKind.UUID, call.uuid)))


def left_out(outcome: Outcome) -> tuple[str, ...]:
    """The names of values that were left as they are, since somebody changed them after the update was sent."""
    return tuple(warned.details["name"] for warned in outcome.warnings if warned.code == "later_value_kept")


def _apply(
    tx: Connection,
    account_id: int,
    locked: Sequence[Waiting],
    *,
    now: datetime,
    new_id: NewId,
    overrides_later: bool = False,
) -> list[tuple[Waiting, Outcome]]:
    due = [waiting for waiting in locked if waiting.state is State.WAITING]
    late = [_update(waiting, new_id(), overrides_later=overrides_later) for waiting in due]
    made = list(zip(due, updates.apply(tx, late, now), strict=True))
    applied = {waiting.id: outcome.update.receipt_id for waiting, outcome in made if outcome.refusal is None}
    store.finish(tx, account_id, applied)
    refused = {waiting.id: outcome.code for waiting, outcome in made if outcome.refusal is not None}
    store.note_refusals(tx, account_id, refused)
    return list(zip(due, with_early(tx, [outcome for _, outcome in made], now=now, new_id=new_id), strict=True))


def _update(waiting: Waiting, receipt_id: str, *, overrides_later: bool) -> Update:
    return Update(
        receipt_id=receipt_id,
        received_at=waiting.received_at,
        route=waiting.route,
        account="",
        sender=Member(waiting.account_id, waiting.user_id, waiting.token_id),
        ref=CallRef(RefKind.UUID, waiting.call_uuid),
        reading=Reading(waiting.patch, key=Key(waiting.key_name, waiting.key) if waiting.key_name else None),
        origin=Origin.LATE,
        overrides_later=overrides_later,
        details=waiting.details,
        hops=waiting.hops,
        repeats="" if waiting.key_name or waiting.key.startswith(SUPPRESSED) else waiting.key,
    )
