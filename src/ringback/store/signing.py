"""The sealed secrets that sign the deliveries of postbacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select, update

from ringback.store.sending_schema import signing_secrets
from ringback.store.values import from_moment, maybe_from_moment, maybe_moment, to_moment


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A sealed secret that signs the deliveries of a postback, until it expires."""

    account_id: int
    postback_id: int
    id: str
    sealed: bytes
    key_id: str
    created_at: datetime
    expires_at: datetime | None

    @property
    def about(self) -> str:
        """What it is sealed about."""
        return f"signing:{self.account_id}:{self.postback_id}:{self.id}"


def add(connection: Connection, made: SigningSecret) -> None:
    """Keep a signing secret."""
    connection.execute(
        insert(signing_secrets).values(
            account_id=made.account_id,
            postback_id=made.postback_id,
            id=made.id,
            sealed=made.sealed,
            key_id=made.key_id,
            created_at=to_moment(made.created_at),
            expires_at=maybe_moment(made.expires_at),
        )
    )


def end(connection: Connection, account_id: int, postback_id: int, at: datetime) -> None:
    """Let the signing secrets of a postback expire, those that don't already."""
    connection.execute(
        update(signing_secrets)
        .where(
            signing_secrets.c.account_id == account_id,
            signing_secrets.c.postback_id == postback_id,
            signing_secrets.c.expires_at.is_(None),
        )
        .values(expires_at=to_moment(at))
    )


def list_valid(connection: Connection, account_ids: Iterable[int], now: datetime) -> list[SigningSecret]:
    """The signing secrets of accounts that hold now, newest first."""
    mine = signing_secrets.c.account_id.in_(list(account_ids))
    holds = signing_secrets.c.expires_at.is_(None) | (signing_secrets.c.expires_at > to_moment(now))
    statement = select(signing_secrets).where(mine, holds).order_by(signing_secrets.c.id.desc())
    return [_secret(row) for row in connection.execute(statement).mappings()]


def reseal(connection: Connection, made: SigningSecret) -> None:
    """Keep the same signing secret under another key."""
    connection.execute(
        update(signing_secrets)
        .where(
            signing_secrets.c.account_id == made.account_id,
            signing_secrets.c.postback_id == made.postback_id,
            signing_secrets.c.id == made.id,
        )
        .values(sealed=made.sealed, key_id=made.key_id)
    )


def _secret(row: RowMapping) -> SigningSecret:
    return SigningSecret(
        account_id=row["account_id"],
        postback_id=row["postback_id"],
        id=row["id"],
        sealed=row["sealed"],
        key_id=row["key_id"],
        created_at=from_moment(row["created_at"]),
        expires_at=maybe_from_moment(row["expires_at"]),
    )


def list_everything(connection: Connection) -> list[SigningSecret]:
    """All signing secrets of this install, for giving them another key."""
    return [_secret(row) for row in connection.execute(select(signing_secrets)).mappings()]
