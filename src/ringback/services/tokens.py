"""Access tokens: made, rotated, revoked. Their secrets are told once and kept as digests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection

from ringback.domain.access import AccessType
from ringback.domain.credentials import PRIVATE, PUBLIC, TOKEN, basic_value, make_key
from ringback.store import accounts
from ringback.store.accounts import TokenRow
from ringback.store.values import to_moment

BASIC = "basic"
DEVELOPER = "developer"
"""The kinds: a pair of keys from "API & Access Tokens", or one value from "Developer Access Tokens"."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as it is shown once: a pair with its ready Basic value, or one value."""

    id: str
    public_key: str | None = None
    private_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def basic(self) -> str | None:
        """The ready value for the header after ``Basic``."""
        if self.public_key is None or self.private_key is None:
            return None
        return basic_value(self.public_key, self.private_key)

    @property
    def authorization(self) -> str:
        """The ready value for the Authorization header."""
        return f"Token {self.token}" if self.basic is None else f"Basic {self.basic}"


@dataclass(frozen=True, slots=True)
class TokenForm:
    """What is asked when a token is made."""

    user_id: int
    account_id: int
    description: str
    kind: str = BASIC
    access_type: AccessType = AccessType.CALLS
    expires_at: datetime | None = None
    networks: Sequence[str] = ()
    accounts: Sequence[int] = ()


def create(tx: Connection, form: TokenForm, *, token_id: str, random: tuple[bytes, bytes], now: datetime) -> NewToken:
    """Make an access token.

    Args:
        tx: the transaction to do it in.
        form: what was asked for.
        token_id: the id that it gets.
        random: bytes for its keys; a developer access token uses the first.
        now: the time at which it is made.
    """
    if form.kind == DEVELOPER:
        made = NewToken(token_id, token=make_key(TOKEN, random[0]))
    else:
        made = NewToken(token_id, make_key(PUBLIC, random[0][:12]), make_key(PRIVATE, random[1]))
    secret = made.token or made.private_key or ""
    digest = sha256(secret.encode()).digest()
    accounts.add_token(
        tx,
        token_id,
        user_id=form.user_id,
        account_id=form.account_id,
        kind=form.kind,
        handle=made.public_key or digest.hex(),
        digest=digest,
        description=form.description,
        access_type=form.access_type,
        networks=form.networks,
        allowed_accounts=form.accounts,
        created_at=now,
        expires_at=form.expires_at,
    )
    return made


def rotate(
    tx: Connection, old: TokenRow, *, token_id: str, random: tuple[bytes, bytes], overlap: timedelta, now: datetime
) -> NewToken:
    """Make the successor of a token, with a life as long as that of the old one, which works on for the overlap."""
    expires_at = None if old.expires_at is None else now + (old.expires_at - old.created_at)
    return replace(tx, old, token_id=token_id, random=random, overlap=overlap, expires_at=expires_at, now=now)


def replace(
    tx: Connection,
    old: TokenRow,
    *,
    token_id: str,
    random: tuple[bytes, bytes],
    overlap: timedelta,
    expires_at: datetime | None,
    now: datetime,
) -> NewToken:
    """Make the successor of a token, which expires as given; the old one goes on working for the overlap."""
    ends = now + overlap
    if old.expires_at is None or old.expires_at > ends:
        accounts.change_token(tx, old.id, expires_at=to_moment(ends))
    form = TokenForm(
        user_id=old.user_id,
        account_id=old.account_id,
        description=old.description,
        kind=old.kind,
        access_type=old.access_type,
        expires_at=expires_at,
        networks=old.networks,
        accounts=old.accounts,
    )
    return create(tx, form, token_id=token_id, random=random, now=now)


def revoke(tx: Connection, token_id: str, now: datetime) -> None:
    """End a token at once."""
    accounts.change_token(tx, token_id, revoked_at=to_moment(now))
