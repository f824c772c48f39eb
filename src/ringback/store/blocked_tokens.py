"""Access tokens of others as an account sees them: used there, or blocked there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, insert, or_, select

from ringback.domain.access import Role
from ringback.domain.receipts import Result
from ringback.store.blocking_schema import blocked_tokens
from ringback.store.schema import access_tokens, memberships, receipts, team_users, users
from ringback.store.values import maybe_from_moment, time_of, to_moment

_RUN = (Role.OWNER.value, Role.MANAGER.value)


@dataclass(frozen=True, slots=True)
class SeenToken:
    """An access token of somebody who doesn't run the account; what he calls it is nobody else's business."""

    id: str
    user: str
    key: str
    revoked_at: datetime | None
    blocked_at: datetime | None
    last_used_at: datetime | None = None


def find(connection: Connection, account_id: int, token_id: str) -> SeenToken | None:
    """One token, if it was used in the account, or is blocked there."""
    found = _select(connection, account_id, access_tokens.c.id == token_id)
    return found[0] if found else None


def list_seen(connection: Connection, account_id: int, *, before: str = "", limit: int) -> list[SeenToken]:
    """Tokens that were used in an account by those who sit on its teams, and all that are blocked; the newest first."""
    sits = or_(
        *(
            access_tokens.c.user_id.in_(select(held.c.user_id).where(held.c.account_id == account_id))
            for held in (memberships, team_users)
        )
    )
    wanted = or_(blocked_tokens.c.token_id.is_not(None), sits)
    return _select(connection, account_id, wanted, *([access_tokens.c.id < before] if before else []), limit=limit)


def _select(
    connection: Connection, account_id: int, *conditions: ColumnElement[bool], limit: int = 1
) -> list[SeenToken]:
    runs = exists().where(
        memberships.c.account_id == account_id,
        memberships.c.user_id == access_tokens.c.user_id,
        memberships.c.role.in_(_RUN),
    )
    used = exists().where(receipts.c.account_id == account_id, receipts.c.token_id == access_tokens.c.id)
    is_here = and_(blocked_tokens.c.account_id == account_id, blocked_tokens.c.token_id == access_tokens.c.id)
    # By outcome, since the index of receipts by token is; so each is one look into it.
    newest = [
        select(receipts.c.id)
        .where(
            receipts.c.account_id == account_id,
            receipts.c.token_id == access_tokens.c.id,
            receipts.c.result == result.value,
        )
        .order_by(receipts.c.id.desc())
        .limit(1)
        .correlate(access_tokens)
        .scalar_subquery()
        for result in Result
    ]
    rows = connection.execute(
        select(
            access_tokens.c.id,
            users.c.email,
            access_tokens.c.kind,
            access_tokens.c.handle,
            access_tokens.c.revoked_at,
            blocked_tokens.c.blocked_at,
            *newest,
        )
        .join(users, users.c.id == access_tokens.c.user_id)
        .outerjoin(blocked_tokens, is_here)
        .where(~runs, or_(blocked_tokens.c.token_id.is_not(None), used), *conditions)
        .order_by(access_tokens.c.id.desc())
        .limit(limit)
    )
    return [
        SeenToken(
            token_id,
            email,
            f"{handle[:10]}…" if kind == "basic" else "a token value",
            maybe_from_moment(revoked_at),
            maybe_from_moment(blocked_at),
            max((time_of(str(each)) for each in used if each is not None), default=None),
        )
        for token_id, email, kind, handle, revoked_at, blocked_at, *used in rows
    ]


def block(connection: Connection, account_id: int, token_id: str, user_id: int, now: datetime) -> None:
    """Keep a token that is not blocked from being used in an account."""
    values = {"account_id": account_id, "token_id": token_id, "user_id": user_id, "blocked_at": to_moment(now)}
    connection.execute(insert(blocked_tokens).values(values))


def unblock(connection: Connection, account_id: int, token_id: str) -> None:
    """Let a token be used again."""
    here = (blocked_tokens.c.account_id == account_id, blocked_tokens.c.token_id == token_id)
    connection.execute(delete(blocked_tokens).where(*here))
