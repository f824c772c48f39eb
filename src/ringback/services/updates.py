"""Applying updates: the one way to change a call.

API, bulk, dry run, console, waiting updates and command line all come through :func:`apply`, always with a list, in
one transaction: the senders of the batch are read in one statement, its calls locked in another; then each update is
decided and applied in its order, seeing what those before it did; then what was done is written in sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ringback.domain import calls as domain_calls
from ringback.domain.access import Principal, is_his, may_record
from ringback.domain.answers import answer
from ringback.domain.attributes import blank_state
from ringback.domain.calls import Applied, Call, Entry, Operation, Origin, Terms
from ringback.domain.credentials import Credential
from ringback.domain.decisions import CallRef, Decision, RefKind, Step, as_seen_by, decide
from ringback.domain.details import NAMES as DETAIL_NAMES
from ringback.domain.details import located, take_details
from ringback.domain.errors import Refusal, RingbackError
from ringback.domain.postbacks import MOST_HOPS, happening
from ringback.domain.receipts import Json, Member, Outcome, Update
from ringback.domain.updates import Warned, keep_unknown
from ringback.domain.waiting import Kind, Waiting, kind_for, without_later
from ringback.services import assigning, deliveries, unread
from ringback.services.access import no_account
from ringback.services.senders import find_senders
from ringback.store import access, calls, idempotency, receipts, rollups, waiting
from ringback.store.access import Account, Known
from ringback.store.calls import Asked, LockedError
from ringback.store.idempotency import Answered, Scope

KEY_LIFETIME = timedelta(hours=24)
"""How long the answer to a key is given again."""

MARK_USED_AFTER = timedelta(minutes=1)
"""How old the last-used mark of a token gets before it is written again."""


class LockedUpdatesError(RingbackError):
    """Updates of calls that another transaction holds; nothing of the whole list was done."""

    def __init__(self, updates: Iterable[Update]) -> None:
        super().__init__("calls are locked by another transaction")
        self.receipt_ids = frozenset(update.receipt_id for update in updates)


def apply(tx: Connection, updates: Sequence[Update], now: datetime, *, waits: bool = True) -> list[Outcome]:
    """Decide and apply updates in their order; what can't be done is refused with its reason, never raised.

    Args:
        tx: the transaction to do it in; nothing is done until it is committed.
        updates: in the order in which they were received.
        now: the time at which they are decided.
        waits: whether to wait for calls that another transaction holds.

    Returns:
        One outcome for each update, in the same order.

    Raises:
        LockedUpdatesError: some of the calls are held by another transaction, and ``waits`` is false.
    """
    batch = _Batch(tx, now, waits)
    outcomes = batch.decide(updates)
    batch.write(outcomes)
    return outcomes


def try_out(tx: Connection, update: Update, now: datetime) -> Outcome:
    """Decide an update as :func:`apply` decides a dry run, and leave nothing of it, not even a receipt."""
    asked = replace(update, reading=replace(update.reading, dry_run=True))
    return _Batch(tx, now, waits=True).decide([asked])[0]


@dataclass(slots=True)
class _Batch:
    """The updates of one transaction: what was read for them, and what they have done so far."""

    tx: Connection
    now: datetime
    waits: bool
    calls: dict[tuple[int, str], Call] = field(default_factory=dict)
    named: dict[Asked, str] = field(default_factory=dict)
    awaited: set[tuple[int, str]] = field(default_factory=set)
    answered: dict[Scope, Answered] = field(default_factory=dict)
    remembered: list[Answered] = field(default_factory=list)
    changed: dict[tuple[int, str], Call] = field(default_factory=dict)
    entries: list[tuple[Call, Entry]] = field(default_factory=list)
    steps: list[rollups.Step] = field(default_factory=list)
    scopes: dict[str, Scope] = field(default_factory=dict)
    room: dict[tuple[int, int, Kind], int] = field(default_factory=dict)
    failures: list[tuple[int, Outcome]] = field(default_factory=list)
    accounts: dict[int, Account] = field(default_factory=dict)

    def decide(self, updates: Sequence[Update]) -> list[Outcome]:
        """Decide each update and apply it to what the earlier ones left."""
        admitted = [self._admit(update, known) for update, known in find_senders(self.tx, updates)]
        ready = [each for each in admitted if isinstance(each, _Ready)]
        self._find_calls(ready)
        self.scopes = {each.update.receipt_id: scope for each in ready if (scope := self._scope(each))}
        self.answered = idempotency.find(self.tx, self.scopes.values(), self.now)
        decided = [self._decide(each) if isinstance(each, _Ready) else each for each in admitted]
        return unread.with_calls(self.tx, decided)

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Write what was decided and done, and the deliveries that are owed for it, set by set."""
        calls.save(self.tx, self.changed.values())
        calls.add_entries(self.tx, self.entries)
        receipts.add(self.tx, outcomes, self.now)
        rollups.note_calls(self.tx, self.steps)
        rollups.note_updates(self.tx, outcomes)
        idempotency.remember(self.tx, self.remembered)
        receipts.add_failures(self.tx, self.failures, self.now)
        access.mark_used(self.tx, self._used(outcomes), self.now)
        happened = [each for outcome in outcomes if (each := happening(outcome)) is not None]
        if happened:
            deliveries.enqueue(self.tx, happened, self.accounts, self.now)

    def _admit(self, update: Update, known: Known) -> _Ready | Outcome:  # noqa: PLR0911 - one for each step
        """Check size, account, body and credential; what fails here never looks at a call."""
        account, principal = known.account, known.principal
        sender = update.sender
        if isinstance(sender, Credential) and not is_his(sender, principal):
            principal = None
        if update.refusal is not None and update.refusal.code.name == "too_large":
            return Outcome(update, principal, Decision(Step.SIZE, update.refusal))
        if account is None:
            return Outcome(update, None, Decision(Step.ACCOUNT, no_account(update.account)))
        if update.refusal is not None:
            return Outcome(update, principal, Decision(Step.BODY, update.refusal), time_zone=account.time_zone)
        if isinstance(sender, Refusal):
            return self._unknown(update, account.id, sender)
        if isinstance(sender, Credential) and sender.scheme == "auth_token" and not account.reads_auth_token:
            return self._unknown(update, account.id, Refusal("auth_token_off"))
        if principal is None:
            return self._unknown(update, account.id, Refusal("unknown_credentials"))
        update = _with_details(update, principal, account)
        if account.keeps_unknown_fields:
            update = replace(update, reading=keep_unknown(update.reading))
        update = replace(update, ref=as_seen_by(update.ref, principal))
        self.accounts[account.id] = account
        return _Ready(update, principal, account)

    def _unknown(self, update: Update, account_id: int, refusal: Refusal) -> Outcome:
        outcome = Outcome(update, None, Decision(Step.CREDENTIAL, refusal))
        self.failures.append((account_id, outcome))
        return outcome

    def _find_calls(self, ready: Sequence[_Ready]) -> None:
        asked = {each.asked for each in ready}
        try:
            found = calls.lock(self.tx, asked, waits=self.waits)
        except LockedError as error:
            raise LockedUpdatesError(each.update for each in ready if each.asked in error.asked) from error
        for (account_id, ref), each in found.items():
            self.named[account_id, ref] = each.call.uuid
            self.calls[account_id, each.call.uuid] = each.call
            if each.has_waiting:
                self.awaited.add((account_id, each.call.uuid))

    def _scope(self, ready: _Ready) -> Scope | None:
        """Where a key counts; an addition without one is guarded against retries by its content.

        A call that was found counts as itself, however it was named; but a retry by caller is one even if there is a
        newer call by then.
        """
        update, principal = ready.update, ready.principal
        key = update.reading.key
        if key is not None:
            digest = key.digest
        elif any(write.operation is Operation.ADD for write in update.reading.patch):
            sender, token = update.sender, principal.token
            token_id = sender.token_id if isinstance(sender, Member) else token and token.id
            digest = sha256(f"{token_id}:{update.content}".encode()).hexdigest()
        else:
            return None
        named = update.ref.moves or self.named.get(ready.asked, update.ref.value) if update.names_call else ""
        return Scope(principal.account_id, principal.user_id, update.route, named, digest)

    def _call(self, account_id: int, ref: CallRef) -> Call | None:
        uuid = self.named.get((account_id, ref))
        return None if uuid is None else self.calls[account_id, uuid]

    def _decide(self, ready: _Ready) -> Outcome:
        update, principal = ready.update, ready.principal
        call = self._call(principal.account_id, update.ref)
        is_new, records = call is None, update.records is not None
        call = call or update.records
        decision = decide(
            principal, update.reading, call, update.ref, now=self.now, ip=update.arrived.ip, records=records
        )
        outcome = Outcome(
            update, principal, decision, call=call, time_zone=ready.account.time_zone, is_new=is_new and records
        )
        if decision.refusal is None:
            outcome = self._answered_before(ready, outcome) or self._apply(ready, outcome)
        kind = kind_for(outcome) if update.origin is Origin.UPDATE else None
        if kind is None:
            return outcome
        if self._was_applied(ready):
            return replace(outcome, warnings=(*outcome.warnings, Warned("applied_before", {})))
        return self._hold(outcome, principal, kind)

    def _was_applied(self, ready: _Ready) -> bool:
        """Whether a refused update repeats one that was applied: kept waiting, it could be added a second time."""
        scope = self.scopes.get(ready.update.receipt_id)
        before = None if scope is None else self.answered.get(scope)
        return before is not None and before.fingerprint == ready.update.content

    def _answered_before(self, ready: _Ready, outcome: Outcome) -> Outcome | None:
        """The outcome of a retry: the first answer again, or a conflict; None if it is not one."""
        scope = self.scopes.get(ready.update.receipt_id)
        before = None if scope is None else self.answered.get(scope)
        if before is None:
            return None
        reading = ready.update.reading
        key = reading.key
        if key is None:
            if ready.update.origin is not Origin.UPDATE or not ready.account.retry_seconds:
                return None
            nothing = Applied({}, (), tuple(write.attribute for write in reading.patch))
            return replace(outcome, applied=nothing, warnings=(Warned("duplicate_suppressed", {}),))
        if before.fingerprint == ready.update.content:
            if not ready.update.names_call or ready.update.ref.moves:
                outcome = _of_first(outcome, before.answer)
            return replace(outcome, replay={**before.answer, "dry_run": True} if reading.dry_run else before.answer)
        if key.strict:
            return replace(outcome, decision=replace(outcome.decision, step=Step.KEY)).refused(
                Refusal("idempotency_conflict")
            )
        return None

    def _apply(self, ready: _Ready, outcome: Outcome) -> Outcome:
        update, call = ready.update, outcome.call
        reading, warnings = update.reading, list(outcome.warnings)
        if reading.key is not None and self.scopes[update.receipt_id] in self.answered:
            warnings.append(Warned("correction", {"name": reading.key.name}))
        patch, given = assigning.split(reading.patch)
        if update.hops >= MOST_HOPS:
            warnings.append(Warned("too_many_hops", {}))
        if call is not None and update.origin is Origin.LATE and not update.overrides_later:
            ledger = calls.list_entries(self.tx, call.account_id, call.uuid)
            patch, left_out = without_later(patch, ledger, update.received_at)
            warnings.extend(Warned("later_value_kept", {"name": name}) for name in left_out)
        moved = {}
        try:
            details = {**update.details, **assigning.find_details(self.tx, ready.principal, call, given)}
            if call is not None and details:
                moved = {} if outcome.is_new else assigning.moved(call, details)
                call = replace(call, **details)
            state, terms = (call.state, call.terms) if call else (blank_state(), Terms())
            applied = domain_calls.apply(state, patch, terms, update.origin)
        except Refusal as refusal:
            return replace(outcome, decision=replace(outcome.decision, step=Step.EFFECT)).refused(refusal)
        if call is None:  # a dry run for a call that isn't there
            return replace(outcome, applied=applied)
        outcome = replace(outcome, moved=moved)
        if not reading.dry_run and (applied.changes or moved or update.records):
            call = self._change(call, applied, outcome)
        elif applied.changes:
            call = replace(call, state=applied.state)
        outcome = replace(outcome, applied=applied, call=call, warnings=tuple(warnings))
        if not reading.dry_run:
            self._remember(ready, outcome)
            self._settle(outcome)
        return outcome

    def _change(self, call: Call, applied: Applied, outcome: Outcome) -> Call:
        update = outcome.update
        after = replace(call, state=applied.state, updated_at=self.now, changes=call.changes + len(applied.changes))
        if outcome.is_new:
            after = calls.add(self.tx, after)
            self.named[call.account_id, update.ref] = call.uuid
        elif outcome.moved:
            calls.save_details(self.tx, after)
        self.entries.extend(
            (after, Entry(seq, change, update.receipt_id, update.received_at, self.now))
            for seq, change in enumerate(applied.changes, call.changes + 1)
        )
        self.steps.append((update.receipt_id, self.calls.get((call.account_id, call.uuid)), after))
        self.calls[call.account_id, call.uuid] = self.changed[call.account_id, call.uuid] = after
        return after

    def _remember(self, ready: _Ready, outcome: Outcome) -> None:
        update = ready.update
        scope = self.scopes.get(update.receipt_id)
        if scope is None:
            return
        is_retry_guard = update.reading.key is None and update.origin is Origin.UPDATE
        lifetime = timedelta(seconds=ready.account.retry_seconds) if is_retry_guard else KEY_LIFETIME
        told = answer(outcome)[1] if update.reading.key is not None else {}
        made = Answered(scope, update.content, told, update.receipt_id, self.now + lifetime)
        self.answered[scope] = made
        self.remembered.append(made)

    def _settle(self, outcome: Outcome) -> None:
        call, principal = outcome.call, outcome.principal
        if call is None or principal is None or outcome.update.origin is not Origin.UPDATE:
            return
        if (call.account_id, call.uuid) in self.awaited:
            waiting.supersede(self.tx, call.account_id, principal.user_id, call.uuid, outcome.update.waiting_key)

    def _hold(self, outcome: Outcome, principal: Principal, kind: Kind) -> Outcome:
        update = outcome.update
        key = update.reading.key
        place = (principal.account_id, principal.user_id, kind)
        if place not in self.room:
            self.room[place] = waiting.room(self.tx, *place)
        if self.room[place] <= 0:
            return outcome
        self.room[place] -= 1
        held = Waiting(
            account_id=principal.account_id,
            id=update.receipt_id,
            user_id=principal.user_id,
            call_uuid=outcome.call.uuid if outcome.call else update.ref.value,
            key=update.waiting_key,
            key_name=None if key is None else key.name,
            token_id=None if principal.token is None else principal.token.id,
            kind=kind,
            code=outcome.code,
            patch=update.reading.patch,
            route=update.route,
            received_at=update.received_at,
        )
        until = waiting.hold(self.tx, held)
        self.awaited.add((held.account_id, held.call_uuid))
        return replace(outcome, waits_until=until)

    def _used(self, outcomes: Sequence[Outcome]) -> Mapping[str, str]:
        used = {}
        for outcome in outcomes:
            token = outcome.principal.token if outcome.principal else None
            if token is not None and (token.last_used_at is None or self.now - token.last_used_at >= MARK_USED_AFTER):
                used[token.id] = outcome.update.arrived.ip
        return used


@dataclass(frozen=True, slots=True)
class _Ready:
    """An update whose sender is known."""

    update: Update
    principal: Principal
    account: Account

    @property
    def asked(self) -> Asked:
        """The call that is meant."""
        return self.principal.account_id, self.update.ref


def _with_details(update: Update, principal: Principal, account: Account) -> Update:
    """An update with what it says of how its call went, from somebody who may; of others it is unknown names."""
    named = [] if update.reading.unknown is None else [*(update.reading.unknown.values.keys() & DETAIL_NAMES)]
    if not named:
        return update
    if may_record(principal):
        reading, details = take_details(update.reading)
        details = located(details, ZoneInfo(account.time_zone))
        return replace(update, reading=reading, details={**update.details, **details})
    warnings = (Warned("detail_ignored", {"name": name}) for name in sorted(named))
    return replace(update, reading=replace(update.reading, warnings=(*update.reading.warnings, *warnings)))


def _of_first(outcome: Outcome, answered: Json) -> Outcome:
    """The outcome of a retry that named no UUID: it is about the call of then, not a new one."""
    first = cast("Json", answered["call"])
    update = replace(outcome.update, ref=CallRef(RefKind.UUID, str(first["uuid"])))
    return replace(outcome, update=update, call=None, is_new=False)
