"""Access tokens as their user makes, changes, rotates and ends them: read from forms, noted in the audit log.

A token belongs to its user, who reaches it from every account of his; its lines stand in the log of the account where
it was made. To an account that he doesn't run he is a guest: its log says that he made a token and of what type, not
what he calls it or from where he sends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ringback.domain.access import AccessType, Principal, granting, read_networks
from ringback.domain.attributes import UPDATABLE, Attribute
from ringback.domain.decisions import read_uuid
from ringback.domain.errors import Refusal
from ringback.domain.names import UnfitError, read_name
from ringback.services import audit, tokens
from ringback.services.audit import Actor
from ringback.services.fields import Fields
from ringback.services.tokens import NewToken, TokenForm
from ringback.store import access, accounts, people
from ringback.store.accounts import TokenRow
from ringback.store.values import to_document

SOON = timedelta(days=14)
LATEST_DAYS = 3660
NEVER, ON_A_DAY = "never", "day"
LASTING: Mapping[str, str] = {
    NEVER: "Never",
    "30": "After 30 days",
    "90": "After 90 days",
    "365": "After 365 days",
    ON_A_DAY: "After a day that you choose",
}
"""When a token may expire: the value on the form, and its words."""

OVERLAPS: Mapping[str, str] = {
    "0": "Not at all, it ends now",
    "1": "For 1 hour",
    "24": "For 24 hours",
    "168": "For 7 days",
}
"""How long a token may go on working beside its successor: hours, and the words."""


class State(StrEnum):
    """Whether a token works."""

    ACTIVE = "active"
    EXPIRES_SOON = "expires soon"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a token is to expire, as typed: one of ``LASTING``, and the last day; days are those of a time zone."""

    lasts: str
    day: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a token is to be, as typed; ``accounts`` are the ids of those that it is restricted to."""

    description: str
    access_type: str
    networks: str
    accounts: Sequence[str] = ()


Random = tuple[bytes, bytes]
"""Random bytes for the keys of a token."""


def state(token: TokenRow, now: datetime) -> State:
    """Whether a token works."""
    if token.revoked_at is not None:
        return State.REVOKED
    if token.expires_at is None or token.expires_at > now + SOON:
        return State.ACTIVE
    return State.EXPIRES_SOON if token.expires_at > now else State.EXPIRED


def usual(token: TokenRow) -> str:
    """The choice of ``LASTING`` that comes nearest to the life of a token."""
    if token.expires_at is None:
        return NEVER
    days = (token.expires_at - token.created_at).days
    return min((text for text in LASTING if text.isdecimal()), key=lambda text: abs(int(text) - days))


def may_update(principal: Principal, token: TokenRow) -> tuple[Attribute, ...]:
    """What a token of his may update in the account where a user stands so, while it works."""
    if token.access_type is AccessType.CALLS_READ:
        return ()
    if token.access_type is AccessType.EVERYTHING and token.account_id != principal.account_id:
        return ()
    if token.accounts and principal.account_id not in token.accounts:
        return ()
    if principal.runs_account:
        return UPDATABLE
    return tuple(attribute for attribute in UPDATABLE if granting(principal, attribute.name))


def find(tx: Connection, user_id: int, kind: str, text: str) -> TokenRow:
    """The token of a user by its id.

    Raises:
        Refusal: ``not_found``, also where it is somebody else's.
    """
    token_id = read_uuid(text)
    for token in accounts.list_tokens(tx, token_id=token_id) if token_id else ():
        if (token.user_id, token.kind) == (user_id, kind):
            return token
    raise Refusal("not_found", path=text)


def create(tx: Connection, actor: Actor, kind: str, wish: Wish, lifetime: Lifetime, random: Random) -> NewToken:
    """Make a token in the account in which the user acts.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field.
    """
    fields = Fields()
    read = _read(fields, tx, actor, wish)
    expires_at = _read_lifetime(fields, lifetime, actor.now)
    fields.check()
    form = TokenForm(actor.principal.user_id, actor.account_id, kind=kind, expires_at=expires_at, **read)
    made = tokens.create(tx, form, token_id=actor.new_id(), random=random, now=actor.now)
    _note(tx, actor, "token.made", find(tx, form.user_id, kind, made.id))
    return made


def change(tx: Connection, actor: Actor, token: TokenRow, wish: Wish) -> bool:
    """Make a token what its page says; whether anything was different.

    Raises:
        Refusal: ``invalid_value`` with a problem for each field; ``not_found`` if it has ended.
    """
    token = _lock(tx, actor, token)
    fields = Fields()
    read = _read(fields, tx, actor, wish)
    fields.check()
    gone = set(token.accounts) - _own_accounts(tx, actor)
    after = replace(token, **{**read, "accounts": tuple(sorted({*read["accounts"], *gone}))})
    accounts.change_token(
        tx,
        token.id,
        description=after.description,
        access_type=after.access_type.value,
        networks=to_document(list(after.networks)),
        accounts=to_document(list(after.accounts)),
    )
    return _note(tx, actor, "token.changed", after, token)


def rotate(
    tx: Connection, actor: Actor, token: TokenRow, *, overlap: str, lifetime: Lifetime, random: Random
) -> NewToken:
    """Make the successor of a token, which goes on working for some hours.

    Raises:
        Refusal: ``invalid_value`` for what was chosen; ``not_found`` if the token was revoked.
    """
    token = _lock(tx, actor, token)
    fields = Fields()
    if overlap not in OVERLAPS:
        fields.refuse("overlap", "Choose how long the old one goes on working")
    expires_at = _read_lifetime(fields, lifetime, actor.now)
    fields.check()
    hours = timedelta(hours=int(overlap))
    made = tokens.replace(
        tx, token, token_id=actor.new_id(), random=random, overlap=hours, expires_at=expires_at, now=actor.now
    )
    told = {"old_one_works_on": OVERLAPS[overlap].lower(), "new_one_expires": _spoken(expires_at)}
    audit.note(tx, actor, "token.rotated", _subject(tx, token), told, account_id=token.account_id)
    return made


def revoke(tx: Connection, actor: Actor, token: TokenRow) -> None:
    """End a token at once.

    Raises:
        Refusal: ``not_found`` if it was revoked before.
    """
    token = _lock(tx, actor, token)
    tokens.revoke(tx, token.id, actor.now)
    audit.note(tx, actor, "token.revoked", _subject(tx, token), account_id=token.account_id)


def _lock(tx: Connection, actor: Actor, token: TokenRow) -> TokenRow:
    """The token as it is now, and stays until the transaction ends."""
    accounts.lock_token(tx, token.id)
    token = find(tx, actor.principal.user_id, token.kind, token.id)
    if token.revoked_at is not None:
        raise Refusal("not_found", path=token.id)
    return token


def _read(fields: Fields, tx: Connection, actor: Actor, wish: Wish) -> dict[str, Any]:
    """The columns of a token that its form may change."""
    if wish.access_type not in set(AccessType):
        fields.refuse("access_type", "Choose an access type")
    return {
        "description": fields.read("description", read_name, wish.description),
        "access_type": AccessType(wish.access_type) if wish.access_type in set(AccessType) else None,
        "networks": fields.read("networks", read_networks, wish.networks),
        "accounts": tuple(number for number in sorted(_own_accounts(tx, actor)) if str(number) in wish.accounts),
    }


def _read_lifetime(fields: Fields, lifetime: Lifetime, now: datetime) -> datetime | None:
    """When the token expires: so many days from now, or at the end of a day."""
    if lifetime.lasts == NEVER:
        return None
    if lifetime.lasts != ON_A_DAY:
        if lifetime.lasts not in LASTING:
            fields.refuse("lasts", "Choose when the token expires")
            return None
        return now + timedelta(days=int(lifetime.lasts))
    try:
        return _end_of(date.fromisoformat(lifetime.day), lifetime.time_zone, now)
    except (ValueError, UnfitError):
        fields.refuse("day", "Choose a day from today on, at most ten years ahead")
        return None


def _end_of(day: date, time_zone: str, now: datetime) -> datetime:
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    if not today <= day <= today + timedelta(days=LATEST_DAYS):
        raise UnfitError("that day is too early or too late")
    return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)


def _own_accounts(tx: Connection, actor: Actor) -> set[int]:
    return {account.id for account in people.list_accounts_of(tx, actor.principal.user_id)}


def _note(tx: Connection, actor: Actor, action: str, token: TokenRow, before: TokenRow | None = None) -> bool:
    """Note a token as it is now, if anything is different; in what other accounts it counts is told to none."""
    was, now = ({} if each is None else _details(each) for each in (before, token))
    different = [name for name in now if was.get(name) != now[name]]
    told = different if _is_told(tx, token) else [name for name in different if name not in _PRIVATE]
    details: dict[str, object] = {
        "before": {name: was.get(name) for name in told},
        "after": {name: now[name] for name in told},
    }
    if before is not None and len(told) < len(different):
        details["also_changed"] = [_PRIVATE[name] for name in different if name not in told]
    if different:
        subject = _subject(tx, before or token)
        audit.note(tx, actor, action, subject, details, account_id=token.account_id)
    return bool(different)


_PRIVATE: Mapping[str, str] = {
    "description": "description",
    "allowed_from": "IP allow-list",
    "restricted_to_accounts": "accounts",
}
"""What a guest's account isn't told, and the words for it."""


def _is_told(tx: Connection, token: TokenRow) -> bool:
    """Whether the log of the account where a token was made may say all of it: if its user runs that account."""
    principal = access.find_member(tx, token.account_id, token.user_id).principal
    return principal is not None and principal.runs_account


def _details(token: TokenRow) -> dict[str, object]:
    return {
        "description": token.description,
        "access_type": token.access_type.label,
        "allowed_from": list(token.networks) or None,
        "restricted_to_accounts": len(token.accounts) or None,
        "expires": _spoken(token.expires_at),
    }


def _subject(tx: Connection, token: TokenRow) -> str:
    return f"access token {token.description}" if _is_told(tx, token) else "an access token of his own"


def _spoken(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"
