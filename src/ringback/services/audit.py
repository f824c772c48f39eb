"""The audit log: every change of settings, rights and tokens leaves a line: who, what, and from what to what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain.access import Principal
from ringback.store import audit

NewId = Callable[[], str]
"""Makes the id of a row."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, as he stands in the account; when; and where the ids of new rows come from."""

    principal: Principal
    now: datetime
    new_id: NewId

    @property
    def account_id(self) -> int:
        """The account in which he acts."""
        return self.principal.account_id


def note(
    tx: Connection,
    actor: Actor,
    action: str,
    subject: str,
    details: Mapping[str, object] | None = None,
    *,
    account_id: int | None = None,
) -> None:
    """Write a line: ``action`` as ``team.changed``, ``subject`` as ``team Bright Roofing``.

    It goes into the log of the account in which the actor acts, unless another is given.
    """
    audit.note_deed(
        tx,
        account_id or actor.account_id,
        actor.new_id(),
        user_id=actor.principal.user_id,
        action=action,
        subject=subject,
        details=details or {},
        now=actor.now,
    )


def note_change(
    tx: Connection,
    actor: Actor,
    action: str,
    subject: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    *,
    account_id: int | None = None,
) -> bool:
    """Write a line with what is different before and after; none, and false, if nothing is."""
    names = [name for name in after if before.get(name) != after[name]]
    if names:
        told = {"before": {name: before.get(name) for name in names}, "after": {name: after[name] for name in names}}
        note(tx, actor, action, subject, told, account_id=account_id)
    return bool(names)
