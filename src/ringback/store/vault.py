"""The vault: sealed credentials of an account for the hosts that it sends to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from ringback.domain.names import name_key
from ringback.domain.vault import Kind
from ringback.store.accounts import next_number
from ringback.store.sending_schema import vault
from ringback.store.values import from_moment, to_moment


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


def list_everything(connection: Connection) -> list[Sealed]:
    """All credentials of this install, for giving them another key."""
    return [_sealed(row) for row in connection.execute(select(vault)).mappings()]
