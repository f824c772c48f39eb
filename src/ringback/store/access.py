"""Who is behind a credential: users, memberships, teams and access tokens as the decision needs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    FromClause,
    RowMapping,
    Select,
    Table,
    and_,
    cast,
    func,
    select,
)
from sqlalchemy.types import Text

from ringback.domain.access import AccessToken, AccessType, Level, Principal, Role, Team
from ringback.store.blocking_schema import blocked_tokens
from ringback.store.memberships import counts
from ringback.store.schema import access_tokens, accounts, memberships, team_buyers, team_users, teams, users
from ringback.store.sets import given, update_rows, wanted
from ringback.store.values import from_document, maybe_from_moment, to_moment


class Account(Struct, frozen=True):
    """What the receiving side needs of an account.

    ``retry_seconds`` is how long an identical addition without a key is taken for a retry.
    """

    id: int
    subdomain: str
    name: str
    time_zone: str
    reads_auth_token: bool
    keeps_unknown_fields: bool
    retry_seconds: int = 60


class Known(Struct, frozen=True):
    """What is known of a subdomain and a credential: the account if it exists, the principal if he does."""

    account: Account | None = None
    principal: Principal | None = None


def find_by_credential(connection: Connection, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
    """Who stands behind each (subdomain, handle of a credential), in one statement for all of them."""
    rows = {"asked": given(_ASKED, sorted(set(asked)))}
    return _gather(
        connection.execute(_by_credential(connection.dialect.name), rows), ("asked_subdomain", "asked_handle")
    )


_ASKED = [accounts.c.subdomain, access_tokens.c.handle]


@lru_cache
def _by_credential(dialect: str) -> Select[Any]:
    asked = wanted(dialect, "asked", _ASKED)
    source = asked.outerjoin(accounts, accounts.c.subdomain == asked.c.subdomain).outerjoin(
        access_tokens, access_tokens.c.handle == asked.c.handle
    )
    source = source.outerjoin(
        blocked_tokens,
        and_(blocked_tokens.c.account_id == accounts.c.id, blocked_tokens.c.token_id == access_tokens.c.id),
    )
    return _with_teams(source, access_tokens.c.user_id).add_columns(
        asked.c.subdomain.label("asked_subdomain"), asked.c.handle.label("asked_handle"), *_TOKEN_COLUMNS
    )


def find_member(connection: Connection, account_id: int, user_id: int) -> Known:
    """A user in an account, without a credential."""
    source = accounts.outerjoin(users_here := users.alias("users_here"), users_here.c.id == user_id)
    statement = (
        _with_teams(source, users_here.c.id)
        .where(accounts.c.id == account_id)
        .add_columns(accounts.c.id.label("asked_account"))
    )
    return _gather(connection.execute(statement), ("asked_account",)).get((account_id,), Known())


def find_members(connection: Connection, account_id: int, user_ids: Iterable[int]) -> dict[int, Principal]:
    """Users as they stand in an account, without credentials, in one statement for all of them."""
    asked = wanted(connection.dialect.name, "asked", [users.c.id]).alias("asked_users")
    source = accounts.join(asked, accounts.c.id == account_id)
    statement = _with_teams(source, asked.c.id).add_columns(asked.c.id.label("asked_user"))
    rows = {"asked": given([users.c.id], [(user_id,) for user_id in sorted(set(user_ids))])}
    found = _gather(connection.execute(statement, rows), ("asked_user",))
    return {user_id: known.principal for (user_id,), known in found.items() if known.principal is not None}


def _with_teams(source: FromClause, user_id: ColumnElement[int]) -> Select[Any]:
    """The account, the user, his role and one row for each team of his in the account."""
    buyer_ids = (
        select(func.aggregate_strings(cast(team_buyers.c.buyer_id, Text), ","))
        .where(team_buyers.c.account_id == teams.c.account_id, team_buyers.c.team_id == teams.c.id)
        .correlate(teams)
        .scalar_subquery()
    )
    joined = (
        source.outerjoin(users, users.c.id == user_id)
        .outerjoin(memberships, _of_user_in_account(memberships))
        .outerjoin(team_users, _of_user_in_account(team_users))
        .outerjoin(teams, and_(teams.c.account_id == accounts.c.id, teams.c.id == team_users.c.team_id))
    )
    return select(
        accounts.c.id.label("account_id"),
        accounts.c.subdomain,
        accounts.c.name.label("account_name"),
        accounts.c.time_zone,
        accounts.c.reads_auth_token,
        accounts.c.keeps_unknown_fields,
        accounts.c.retry_seconds,
        users.c.id.label("user_id"),
        users.c.email,
        memberships.c.role,
        teams.c.id.label("team_id"),
        teams.c.name.label("team_name"),
        teams.c.developer_api,
        teams.c.every_buyer,
        teams.c.records_calls,
        teams.c.rights,
        buyer_ids.label("buyer_ids"),
    ).select_from(joined)


def _of_user_in_account(held: Table) -> ColumnElement[bool]:
    return and_(held.c.account_id == accounts.c.id, held.c.user_id == users.c.id, counts(held))


_TOKEN_COLUMNS = (
    access_tokens.c.id.label("token_id"),
    access_tokens.c.account_id.label("home_account_id"),
    access_tokens.c.access_type,
    access_tokens.c.digest,
    access_tokens.c.expires_at,
    access_tokens.c.revoked_at,
    access_tokens.c.networks,
    access_tokens.c.accounts.label("token_accounts"),
    access_tokens.c.last_used_at,
    blocked_tokens.c.blocked_at,
)


def _gather(found: CursorResult[Any], key: Sequence[str]) -> dict[Any, Known]:
    rows: dict[Any, list[RowMapping]] = {}
    for row in found.mappings():
        rows.setdefault(tuple(row[name] for name in key), []).append(row)
    return {asked: _known(each) for asked, each in rows.items()}


def _known(rows: Sequence[RowMapping]) -> Known:
    first = rows[0]
    if first["account_id"] is None:
        return Known()
    account = Account(
        first["account_id"],
        first["subdomain"],
        first["account_name"],
        first["time_zone"],
        first["reads_auth_token"],
        first["keeps_unknown_fields"],
        first["retry_seconds"],
    )
    if first["user_id"] is None:
        return Known(account)
    principal = Principal(
        account_id=account.id,
        user_id=first["user_id"],
        email=first["email"],
        role=Role(first["role"]) if first["role"] else None,
        teams=tuple(sorted((_team(row) for row in rows if row["team_id"] is not None), key=lambda team: team.id)),
        token=_token(first) if "token_id" in first else None,
    )
    return Known(account, principal)


def _team(row: RowMapping) -> Team:
    return Team(
        id=row["team_id"],
        name=row["team_name"],
        developer_api=row["developer_api"],
        every_buyer=row["every_buyer"],
        records_calls=row["records_calls"],
        rights={name: Level(level) for name, level in from_document(row["rights"]).items()},
        buyers=frozenset(int(buyer) for buyer in (row["buyer_ids"] or "").split(",") if buyer),
    )


def _token(row: RowMapping) -> AccessToken:
    return AccessToken(
        id=row["token_id"],
        home_account_id=row["home_account_id"],
        access_type=AccessType(row["access_type"]),
        digest=row["digest"],
        expires_at=maybe_from_moment(row["expires_at"]),
        revoked_at=maybe_from_moment(row["revoked_at"]),
        networks=tuple(from_document(row["networks"])),
        accounts=frozenset(from_document(row["token_accounts"])),
        last_used_at=maybe_from_moment(row["last_used_at"]),
        is_blocked=row["blocked_at"] is not None,
    )


def mark_used(connection: Connection, used: Mapping[str, str], now: datetime) -> None:
    """Note that these tokens were used now, each from its address."""
    moment = to_moment(now)
    rows = [{"id": token, "last_used_at": moment, "last_used_ip": ip} for token, ip in sorted(used.items())]
    update_rows(connection, access_tokens, ("id",), rows)
