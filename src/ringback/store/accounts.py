"""Accounts, users, memberships and access tokens, as they are made and listed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, delete, insert, select, union, update
from sqlalchemy.dialects import postgresql, sqlite

from ringback.domain.access import AccessType, Role
from ringback.domain.names import name_key
from ringback.store.access import Account
from ringback.store.memberships import counts
from ringback.store.schema import access_tokens, accounts, memberships, numbers, team_users, users
from ringback.store.values import from_document, from_moment, maybe_from_moment, maybe_moment, to_document, to_moment


@dataclass(frozen=True, slots=True)
class User:
    """A person."""

    id: int
    email: str
    name: str
    verified: bool


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An access token as lists show it; its secret is not there any more."""

    id: str
    user_id: int
    user: str
    account_id: int
    account: str
    kind: str
    handle: str
    description: str
    access_type: AccessType
    networks: tuple[str, ...]
    accounts: tuple[int, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None


def find_account(connection: Connection, subdomain: str) -> Account | None:
    """The account of a subdomain."""
    row = connection.execute(select(accounts).where(accounts.c.subdomain == subdomain.lower())).mappings().one_or_none()
    if row is None:
        return None
    return Account(
        row["id"],
        row["subdomain"],
        row["name"],
        row["time_zone"],
        row["reads_auth_token"],
        row["keeps_unknown_fields"],
        row["retry_seconds"],
    )


def add_account(connection: Connection, subdomain: str, name: str, time_zone: str, now: datetime) -> int:
    """Make an account; returns its id."""
    values = {"subdomain": subdomain.lower(), "name": name, "time_zone": time_zone, "created_at": to_moment(now)}
    made: int = connection.execute(insert(accounts).values(values).returning(accounts.c.id)).scalar_one()
    return made


def change_account(connection: Connection, account_id: int, **values: Any) -> None:  # noqa: ANN401 - columns
    """Change columns of an account."""
    connection.execute(update(accounts).where(accounts.c.id == account_id).values(values))


def currency_of(connection: Connection, account_id: int) -> str:
    """The currency in which an account counts."""
    code: str = connection.execute(select(accounts.c.currency).where(accounts.c.id == account_id)).scalar_one()
    return code


def lock_settings(connection: Connection, account_id: int) -> None:
    """Let others wait who want to change the settings or people of an account, until the transaction ends."""
    statement = select(accounts.c.id).where(accounts.c.id == account_id)
    connection.execute(statement.with_for_update(key_share=True))


def list_accounts(connection: Connection) -> list[Account]:
    """Every account, by subdomain."""
    statement = select(accounts.c.subdomain).order_by(accounts.c.subdomain)
    found = (find_account(connection, subdomain) for subdomain in connection.execute(statement).scalars())
    return [account for account in found if account is not None]


def find_user(connection: Connection, email: str) -> User | None:
    """The user of an e-mail address."""
    row = connection.execute(select(users).where(users.c.email_key == name_key(email))).mappings().one_or_none()
    return None if row is None else User(row["id"], row["email"], row["name"], row["verified"])


def find_emails(connection: Connection, user_ids: Iterable[int]) -> dict[int, str]:
    """The e-mail addresses of users."""
    statement = select(users.c.id, users.c.email).where(users.c.id.in_(set(user_ids)))
    return dict(connection.execute(statement).all())


def add_user(connection: Connection, email: str, name: str, now: datetime, *, verified: bool) -> int:
    """Make a user; returns his id."""
    values = {
        "email": email.strip(),
        "email_key": name_key(email),
        "name": name,
        "verified": verified,
        "created_at": to_moment(now),
    }
    made: int = connection.execute(insert(users).values(values).returning(users.c.id)).scalar_one()
    return made


def change_user(connection: Connection, user_id: int, **values: Any) -> None:  # noqa: ANN401 - columns
    """Change columns of a user."""
    connection.execute(update(users).where(users.c.id == user_id).values(values))


def list_users(connection: Connection) -> list[User]:
    """Every user, by e-mail address."""
    rows = connection.execute(select(users).order_by(users.c.email_key)).mappings()
    return [User(row["id"], row["email"], row["name"], row["verified"]) for row in rows]


def set_role(connection: Connection, account_id: int, user_id: int, role: Role, *, pending: bool = False) -> None:
    """Make a user owner, manager or member of an account; at once, unless it waits for him to open its link."""
    row = {"account_id": account_id, "user_id": user_id}
    connection.execute(delete(memberships).where(*(memberships.c[name] == value for name, value in row.items())))
    connection.execute(insert(memberships).values(**row, role=role.value, pending=pending))


def list_roles(connection: Connection, account_id: int) -> dict[int, Role]:
    """The role of each user of an account; one that still waits for its link is none."""
    statement = (
        select(memberships.c.user_id, memberships.c.role)
        .join(users, users.c.id == memberships.c.user_id)
        .where(memberships.c.account_id == account_id, counts(memberships))
    )
    return {user_id: Role(role) for user_id, role in connection.execute(statement)}


def next_number(connection: Connection, account_id: int, noun: Table) -> int:
    """The next number of a noun in an account, counted from 1."""
    return _count_on(connection, account_id, noun, 1)


def hold_numbers(connection: Connection, account_id: int, noun: Table) -> int:
    """Let others wait who want the next number of a noun, until the transaction ends; returns the last one."""
    return _count_on(connection, account_id, noun, 0)


def _count_on(connection: Connection, account_id: int, noun: Table, step: int) -> int:
    insert_or_update = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    fresh = insert_or_update(numbers).values(account_id=account_id, noun=noun.name, last=step)
    statement = fresh.on_conflict_do_update(
        index_elements=["account_id", "noun"], set_={"last": numbers.c.last + step}
    ).returning(numbers.c.last)
    number: int = connection.execute(statement).scalar_one()
    return number


def add_token(  # noqa: PLR0913 - the columns of a token
    connection: Connection,
    token_id: str,
    *,
    user_id: int,
    account_id: int,
    kind: str,
    handle: str,
    digest: bytes,
    description: str,
    access_type: AccessType,
    networks: Sequence[str],
    allowed_accounts: Sequence[int],
    created_at: datetime,
    expires_at: datetime | None,
) -> None:
    """Keep a new access token; of its secret only the digest."""
    connection.execute(
        insert(access_tokens).values(
            id=token_id,
            user_id=user_id,
            account_id=account_id,
            kind=kind,
            handle=handle,
            digest=digest,
            description=description,
            access_type=access_type.value,
            networks=to_document(list(networks)),
            accounts=to_document(list(allowed_accounts)),
            created_at=to_moment(created_at),
            expires_at=maybe_moment(expires_at),
        )
    )


def change_token(connection: Connection, token_id: str, **values: Any) -> None:  # noqa: ANN401 - columns
    """Change columns of an access token."""
    connection.execute(update(access_tokens).where(access_tokens.c.id == token_id).values(values))


def list_tokens(
    connection: Connection, *, user_id: int | None = None, token_id: str | None = None, people_of: int | None = None
) -> list[TokenRow]:
    """Access tokens, oldest first: of one user, one by its id, of the people of an account, or all."""
    statement = _TOKENS.order_by(access_tokens.c.created_at, access_tokens.c.id)
    if user_id is not None:
        statement = statement.where(access_tokens.c.user_id == user_id)
    if token_id is not None:
        statement = statement.where(access_tokens.c.id == token_id)
    if people_of is not None:
        belonging = (select(held.c.user_id).where(held.c.account_id == people_of) for held in (memberships, team_users))
        statement = statement.where(access_tokens.c.user_id.in_(union(*belonging)))
    return [_token(row) for row in connection.execute(statement).mappings()]


def list_own_tokens(
    connection: Connection, user_id: int, kind: str, *, before: str = "", limit: int = 50
) -> list[TokenRow]:
    """The access tokens of a kind that a user has made, newest first, from before one on."""
    statement = _TOKENS.where(access_tokens.c.user_id == user_id, access_tokens.c.kind == kind)
    if before:
        statement = statement.where(access_tokens.c.id < before)
    rows = connection.execute(statement.order_by(access_tokens.c.id.desc()).limit(limit)).mappings()
    return [_token(row) for row in rows]


def lock_token(connection: Connection, token_id: str) -> None:
    """Let others wait who want to change an access token, until the transaction ends."""
    connection.execute(select(access_tokens.c.id).where(access_tokens.c.id == token_id).with_for_update())


_TOKENS = (
    select(access_tokens, users.c.email, accounts.c.subdomain)
    .join(users, users.c.id == access_tokens.c.user_id)
    .join(accounts, accounts.c.id == access_tokens.c.account_id)
)


def _token(row: RowMapping) -> TokenRow:
    return TokenRow(
        id=row["id"],
        user_id=row["user_id"],
        user=row["email"],
        account_id=row["account_id"],
        account=row["subdomain"],
        kind=row["kind"],
        handle=row["handle"],
        description=row["description"],
        access_type=AccessType(row["access_type"]),
        networks=tuple(from_document(row["networks"])),
        accounts=tuple(from_document(row["accounts"])),
        created_at=from_moment(row["created_at"]),
        expires_at=maybe_from_moment(row["expires_at"]),
        revoked_at=maybe_from_moment(row["revoked_at"]),
        last_used_at=maybe_from_moment(row["last_used_at"]),
        last_used_ip=row["last_used_ip"],
    )
