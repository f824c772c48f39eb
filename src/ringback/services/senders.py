"""Who the updates of a batch say they are from; whether that is proven is decided when they are."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import Connection

from ringback.domain.credentials import Credential
from ringback.domain.receipts import Member, Update
from ringback.store import access
from ringback.store.access import Known


def find_senders(tx: Connection, updates: Sequence[Update]) -> list[tuple[Update, Known]]:
    """Each update with its account and sender as far as they are known, read in one statement."""
    asked = {(update.account, _handle(update)) for update in updates if not isinstance(update.sender, Member)}
    found = access.find_by_credential(tx, asked) if asked else {}
    members: dict[Member, Known] = {}
    for update in updates:
        sender = update.sender
        if isinstance(sender, Member) and sender not in members:
            members[sender] = _supposing(sender, access.find_member(tx, sender.account_id, sender.user_id))
    return [
        (update, members[update.sender])
        if isinstance(update.sender, Member)
        else (update, found[update.account, _handle(update)])
        for update in updates
    ]


def _supposing(member: Member, known: Known) -> Known:
    """A member with the token that he is supposed to have come with."""
    if member.supposed is None or known.principal is None:
        return known
    return replace(known, principal=replace(known.principal, token=member.supposed))


def _handle(update: Update) -> str:
    return update.sender.handle if isinstance(update.sender, Credential) else ""
