"""Applying updates: the one way to change a call.

API, bulk, dry run, console, waiting updates and command line all come through :func:`apply`, always with a list, in
one transaction: the senders of the batch are read in one statement, its calls locked in another; then each update is
decided and applied in its order, seeing what those before it did; then what was done is written in sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from ringback.domain import calls as domain_calls
from ringback.domain.access import Principal, is_his, may_record
from ringback.domain.attributes import blank_state
from ringback.domain.calls import Applied, Call, Entry, Origin, Terms, moves
from ringback.domain.credentials import Credential
from ringback.domain.decisions import CallRef, Decision, RefKind, Step, as_seen_by, decide
from ringback.domain.details import NAMES as DETAIL_NAMES
from ringback.domain.details import located, take_details
from ringback.domain.errors import Refusal, RingbackError
from ringback.domain.postbacks import MOST_HOPS, happening
from ringback.domain.receipts import Json, Outcome, Update
from ringback.domain.updates import Reading, Warned, keep_unknown
from ringback.domain.waiting import Due, due, kind_for, tells
from ringback.services import assigning, deliveries, unread
from ringback.services.access import no_account
from ringback.services.holding import Inbox
from ringback.services.keys import Keys, scope_of
from ringback.services.refiring import find_refires, with_refires
from ringback.services.senders import find_senders
from ringback.store import access, calls, receipts, rollups
from ringback.store.access import Account, Known
from ringback.store.calls import Asked, LockedError
from ringback.store.sets import together

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
    changed: dict[tuple[int, str], Call] = field(default_factory=dict)
    entries: list[tuple[Call, Entry]] = field(default_factory=list)
    steps: list[rollups.Step] = field(default_factory=list)
    failures: list[tuple[int, Outcome]] = field(default_factory=list)
    accounts: dict[int, Account] = field(default_factory=dict)
    keys: Keys = field(init=False)
    inbox: Inbox = field(init=False)

    def __post_init__(self) -> None:
        self.keys, self.inbox = Keys(self.tx, self.now), Inbox(self.tx)

    def decide(self, updates: Sequence[Update]) -> list[Outcome]:
        """Decide each update and apply it to what the earlier ones left."""
        admitted = [self._admit(update, known) for update, known in find_senders(self.tx, updates)]
        ready = [each for each in admitted if isinstance(each, _Ready)]
        self._find_calls(ready)
        scopes = ((each.update, scope_of(each.update, each.principal, self.named.get(each.asked))) for each in ready)
        self.keys.find({update.receipt_id: scope for update, scope in scopes if scope is not None})
        decided = [self._decide(each) if isinstance(each, _Ready) else each for each in admitted]
        return unread.with_calls(self.tx, decided)

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Write what was decided and done, and the deliveries that are owed for it, set by set."""
        with together(self.tx):
            calls.save(self.tx, self.changed.values())
            calls.add_entries(self.tx, self.entries)
            receipts.add(self.tx, outcomes, self.now)
            rollups.note_calls(self.tx, self.steps)
            rollups.note_updates(self.tx, outcomes)
            self.keys.write()
            access.mark_used(self.tx, self._used(outcomes), self.now)
        receipts.add_failures(self.tx, self.failures, self.now)
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
        update = with_refires(_with_details(update, principal, account), principal)
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
                self.inbox.awaited.add((account_id, each.call.uuid))

    def _call(self, account_id: int, ref: CallRef) -> Call | None:
        uuid = self.named.get((account_id, ref))
        return None if uuid is None else self.calls[account_id, uuid]

    def _decide(self, ready: _Ready) -> Outcome:
        update, principal = ready.update, ready.principal
        call = self._call(principal.account_id, update.ref)
        is_new = call is None and update.records is not None
        call = call or update.records
        decision = decide(
            principal, update.reading, call, update.ref, now=self.now, ip=update.arrived.ip, records=update.is_recording
        )
        outcome = Outcome(update, principal, decision, call=call, time_zone=ready.account.time_zone, is_new=is_new)
        if decision.refusal is None:
            outcome = self._answered_before(ready, outcome) or self._apply(ready, outcome)
        kind = kind_for(outcome)
        if kind is None:
            return outcome
        if not self.keys.repeats(update):
            return self.inbox.hold(outcome, principal, kind)
        # It was applied before: kept waiting, it could be added a second time.
        warned = (Warned("applied_before", {}),) if tells(outcome) else ()
        return replace(outcome, warnings=(*outcome.warnings, *warned))

    def _answered_before(self, ready: _Ready, outcome: Outcome) -> Outcome | None:
        """The outcome of a retry: the first answer again, or a conflict; None if it is not one."""
        before = self.keys.before(ready.update)
        if before is None:
            return None
        reading = ready.update.reading
        key = reading.key
        if key is None:
            if ready.update.origin not in (Origin.UPDATE, Origin.RECORDING) or not ready.account.retry_seconds:
                return None
            nothing = Applied({}, (), tuple(write.attribute for write in reading.patch))
            return replace(outcome, applied=nothing, warnings=(Warned("duplicate_suppressed", {}),))
        if self.keys.repeats(ready.update):
            if not ready.update.names_call or ready.update.ref.moves:
                outcome = _of_first(outcome, before.answer)
            return replace(outcome, replay={**before.answer, "dry_run": True} if reading.dry_run else before.answer)
        if key.strict:
            return replace(outcome, decision=replace(outcome.decision, step=Step.KEY)).refused(
                Refusal("idempotency_conflict")
            )
        return None

    def _apply(self, ready: _Ready, outcome: Outcome) -> Outcome:
        update, reading, warnings = ready.update, ready.update.reading, list(outcome.warnings)
        if reading.key is not None and self.keys.before(update) is not None:
            warnings.append(Warned("correction", {"name": reading.key.name}))
        if update.hops >= MOST_HOPS:
            warnings.append(Warned("too_many_hops", {}))
        todo = self._due(update, outcome.call)
        warnings.extend(Warned("later_value_kept", {"name": name}) for name in todo.left_out)
        try:
            outcome = self._done(ready, outcome, todo)
        except Refusal as refusal:
            return replace(outcome, decision=replace(outcome.decision, step=Step.EFFECT)).refused(refusal)
        call, applied = outcome.call, outcome.applied
        if call is None or applied is None:  # a dry run for a call that isn't there
            return outcome
        if not reading.dry_run and (applied.changes or outcome.moved or outcome.is_new):
            call = self._change(call, applied, outcome)
        elif applied.changes:
            call = replace(call, state=applied.state)
        refires, told = find_refires(self.tx, call, update.refires)
        outcome = replace(outcome, call=call, warnings=(*warnings, *told), refires=refires)
        if not reading.dry_run:
            self.keys.remember(outcome, ready.account.retry_seconds)
            self.inbox.settle(outcome)
        return outcome

    def _due(self, update: Update, call: Call | None) -> Due:
        """What is still to be done; of an update that is applied late only what is not older than the call."""
        if call is None or update.origin is not Origin.LATE:
            return Due(update.reading.patch, update.details)
        ledger = [] if update.overrides_later else calls.list_entries(self.tx, call.account_id, call.uuid)
        return due(update.reading.patch, update.details, call, ledger, update.received_at)

    def _done(self, ready: _Ready, outcome: Outcome, todo: Due) -> Outcome:
        """The same outcome with what becomes of the call, of which nothing is kept yet.

        Raises:
            Refusal: ``unknown_partner``, ``amount_out_of_range``, ``too_many_fields``.
        """
        call, origin = outcome.call, ready.update.origin
        patch, given = assigning.split(todo.patch)
        details = assigning.find_details(self.tx, ready.principal, call, given, todo.details)
        if call is None:
            return replace(outcome, applied=domain_calls.apply(blank_state(), patch, Terms(), origin))
        after = replace(call, **details) if details else call
        applied = domain_calls.apply(call.state, patch, after.terms, origin)
        if outcome.is_new or not details:
            return replace(outcome, call=after, applied=applied)
        moved = assigning.moved(call, details)
        same = (name for name in details if name not in moved and name != "terms")
        applied = replace(applied, unchanged=(*applied.unchanged, *same))
        return replace(outcome, call=after, applied=applied, moved=moved)

    def _change(self, call: Call, applied: Applied, outcome: Outcome) -> Call:
        update = outcome.update
        changes = (*applied.changes, *moves(outcome.moved, update.origin))
        after = replace(call, state=applied.state, updated_at=self.now, changes=call.changes + len(changes))
        if outcome.is_new:
            after = calls.add(self.tx, after)
            self.named[call.account_id, update.ref] = call.uuid
        elif outcome.moved:
            calls.save_details(self.tx, after)
        self.entries.extend(
            (after, Entry(seq, change, update.receipt_id, update.received_at, self.now))
            for seq, change in enumerate(changes, call.changes + 1)
        )
        self.steps.append((update.receipt_id, self.calls.get((call.account_id, call.uuid)), after))
        self.calls[call.account_id, call.uuid] = self.changed[call.account_id, call.uuid] = after
        return after

    def _used(self, outcomes: Sequence[Outcome]) -> Mapping[str, str]:
        used = {}
        for outcome in outcomes:
            token = outcome.principal.token if outcome.principal else None
            if token is not None and (token.last_used_at is None or self.now - token.last_used_at >= MARK_USED_AFTER):
                used[token.id] = outcome.update.arrived.ip
        return used


class _Ready(Struct, frozen=True):
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
    if update.origin is Origin.LATE and update.details and not may_record(principal):
        return replace(update, details={}, reading=_warned(update.reading, update.details))
    named = [] if update.reading.unknown is None else [*(update.reading.unknown.values.keys() & DETAIL_NAMES)]
    if not named:
        return update
    if may_record(principal):
        reading, details = take_details(update.reading)
        return replace(
            update, reading=reading, details={**update.details, **located(details, ZoneInfo(account.time_zone))}
        )
    return replace(update, reading=_warned(update.reading, named))


def _warned(reading: Reading, names: Iterable[str]) -> Reading:
    warnings = (Warned("detail_ignored", {"name": name}) for name in sorted(names))
    return replace(reading, warnings=(*reading.warnings, *warnings))


def _of_first(outcome: Outcome, answered: Json) -> Outcome:
    """The outcome of a retry that named no UUID: it is about the call of then, not a new one."""
    first = cast("Json", answered["call"])
    update = replace(outcome.update, ref=CallRef(RefKind.UUID, str(first["uuid"])))
    return replace(outcome, update=update, call=None, is_new=False)
