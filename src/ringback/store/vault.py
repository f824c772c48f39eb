"""The vault: sealed credentials of an account for the hosts that it sends to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from ringback.domain.names import name_key
from ringback.domain.vault import Kind
from ringback.store.accounts import next_number
from ringback.store.sending_schema import signing_secrets, vault
from ringback.store.values import from_moment, maybe_from_moment, maybe_moment, to_moment


@dataclass(frozen=True, slots=True)
class Sealed:
    """A credential as it is kept; what it is sealed about binds it to its account, number and host."""

    account_id: int
    id: int
    name: str
    kind: Kind
    host: str
    sealed: bytes
    key_id: str
    created_at: datetime
    updated_at: datetime

    @property
    def about(self) -> str:
        """What it is sealed about: none of these can be changed without the secret being given again."""
        return about(self.account_id, self.id, self.host)


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


def about(account_id: int, credential_id: int, host: str) -> str:
    """What the secret of a credential is sealed about."""
    return f"credential:{account_id}:{credential_id}:{host}"


def new_number(connection: Connection, account_id: int) -> int:
    """The number of the next credential."""
    return next_number(connection, account_id, vault)


def add(connection: Connection, made: Sealed) -> None:
    """Keep a credential."""
    connection.execute(
        insert(vault).values(
            account_id=made.account_id,
            id=made.id,
            name=made.name,
            name_key=name_key(made.name),
            kind=made.kind.value,
            host=made.host,
            sealed=made.sealed,
            key_id=made.key_id,
            created_at=to_moment(made.created_at),
            updated_at=to_moment(made.updated_at),
        )
    )


def change(connection: Connection, made: Sealed) -> None:
    """Change everything of a credential but its number."""
    connection.execute(
        update(vault)
        .where(vault.c.account_id == made.account_id, vault.c.id == made.id)
        .values(
            name=made.name,
            name_key=name_key(made.name),
            kind=made.kind.value,
            host=made.host,
            sealed=made.sealed,
            key_id=made.key_id,
            updated_at=to_moment(made.updated_at),
        )
    )


def remove(connection: Connection, account_id: int, credential_id: int) -> None:
    """Forget a credential."""
    connection.execute(delete(vault).where(vault.c.account_id == account_id, vault.c.id == credential_id))


def find(connection: Connection, account_id: int, credential_id: int) -> Sealed | None:
    """A credential of an account."""
    mine = (vault.c.account_id == account_id, vault.c.id == credential_id)
    row = connection.execute(select(vault).where(*mine)).mappings().one_or_none()
    return None if row is None else _sealed(row)


def find_by_name(connection: Connection, account_id: int, name: str) -> Sealed | None:
    """The credential of this name."""
    mine = (vault.c.account_id == account_id, vault.c.name_key == name_key(name))
    row = connection.execute(select(vault).where(*mine)).mappings().one_or_none()
    return None if row is None else _sealed(row)


def list_credentials(connection: Connection, account_ids: Iterable[int]) -> list[Sealed]:
    """The credentials of accounts, by name."""
    mine = vault.c.account_id.in_(list(account_ids))
    statement = select(vault).where(mine).order_by(vault.c.account_id, vault.c.name_key)
    return [_sealed(row) for row in connection.execute(statement).mappings()]


def list_page(connection: Connection, account_id: int, *, after: str, limit: int) -> list[Sealed]:
    """The credentials of an account by name, from the one after that key of a name on."""
    mine = (vault.c.account_id == account_id, vault.c.name_key > after)
    statement = select(vault).where(*mine).order_by(vault.c.name_key).limit(limit)
    return [_sealed(row) for row in connection.execute(statement).mappings()]


def add_signing(connection: Connection, made: SigningSecret) -> None:
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


def end_signing(connection: Connection, account_id: int, postback_id: int, at: datetime) -> None:
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


def list_signing(connection: Connection, account_ids: Iterable[int], now: datetime) -> list[SigningSecret]:
    """The signing secrets of accounts that hold now, newest first."""
    mine = signing_secrets.c.account_id.in_(list(account_ids))
    holds = signing_secrets.c.expires_at.is_(None) | (signing_secrets.c.expires_at > to_moment(now))
    statement = select(signing_secrets).where(mine, holds).order_by(signing_secrets.c.id.desc())
    return [_signing(row) for row in connection.execute(statement).mappings()]


def list_everything(connection: Connection) -> tuple[list[Sealed], list[SigningSecret]]:
    """All that is sealed in this install, for giving it another key."""
    credentials = [_sealed(row) for row in connection.execute(select(vault)).mappings()]
    return credentials, [_signing(row) for row in connection.execute(select(signing_secrets)).mappings()]


def reseal_signing(connection: Connection, made: SigningSecret) -> None:
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


def _sealed(row: RowMapping) -> Sealed:
    return Sealed(
        account_id=row["account_id"],
        id=row["id"],
        name=row["name"],
        kind=Kind(row["kind"]),
        host=row["host"],
        sealed=row["sealed"],
        key_id=row["key_id"],
        created_at=from_moment(row["created_at"]),
        updated_at=from_moment(row["updated_at"]),
    )


def _signing(row: RowMapping) -> SigningSecret:
    return SigningSecret(
        account_id=row["account_id"],
        postback_id=row["postback_id"],
        id=row["id"],
        sealed=row["sealed"],
        key_id=row["key_id"],
        created_at=from_moment(row["created_at"]),
        expires_at=maybe_from_moment(row["expires_at"]),
    )
