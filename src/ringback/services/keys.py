"""What makes two updates one: a key that was answered before, or the same addition a moment ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection

from ringback.domain.access import Principal
from ringback.domain.answers import answer
from ringback.domain.receipts import Member, Outcome, Update
from ringback.store import idempotency
from ringback.store.idempotency import Answered, Scope

LIFETIME = timedelta(hours=24)
"""How long the answer to a key is given again."""


@dataclass(slots=True)
class Keys:
    """Where the keys of a batch count, what was answered to them, and what is to be remembered."""

    tx: Connection
    now: datetime
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    answered: dict[Scope, Answered] = field(default_factory=dict)
    remembered: list[Answered] = field(default_factory=list)

    def find(self, scopes: Mapping[str, Scope]) -> None:
        """Look what was answered before; ``scopes`` are by the id of the receipt."""
        self.scopes = scopes
        self.answered = idempotency.find(self.tx, scopes.values(), self.now)

    def before(self, update: Update) -> Answered | None:
        """What was answered to an update of this key."""
        scope = self.scopes.get(update.receipt_id)
        return None if scope is None else self.answered.get(scope)

    def repeats(self, update: Update) -> bool:
        """Whether an update repeats one that was answered."""
        before = self.before(update)
        return before is not None and before.fingerprint == update.content

    def remember(self, outcome: Outcome, retry_seconds: int) -> None:
        """Remember an answer, that of an addition without a key as long as the account takes it for a retry."""
        update = outcome.update
        scope = self.scopes.get(update.receipt_id)
        if scope is None:
            return
        has_key = update.reading.key is not None
        until = self.now + (LIFETIME if has_key else timedelta(seconds=retry_seconds))
        told = answer(outcome)[1] if has_key else {}
        made = Answered(scope, update.content, told, update.receipt_id, until)
        self.answered[scope] = made
        self.remembered.append(made)

    def write(self) -> None:
        """Write what is to be remembered."""
        idempotency.remember(self.tx, self.remembered)


def scope_of(update: Update, principal: Principal, named: str | None) -> Scope | None:
    """Where a key counts; an addition without one is guarded against retries by its content.

    A call that was found counts as itself, however it was named; but a retry by caller is one even if there is a newer
    call by then. Recorded without a UUID and a key, each call is one of its own.
    """
    key = update.reading.key
    if key is not None:
        digest = key.digest
    elif update.adds and update.names_call:
        sender, token = update.sender, principal.token
        token_id = sender.token_id if isinstance(sender, Member) else token and token.id
        digest = sha256(f"{token_id}:{update.waiting_key}".encode()).hexdigest()
    else:
        return None
    place = update.ref.moves or named or update.ref.value if update.names_call else ""
    return Scope(principal.account_id, principal.user_id, update.route, place, digest)
