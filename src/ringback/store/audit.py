"""The audit log of an account: written line by line, read from the newest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, func, insert, select

from ringback.store.schema import audit_log, users
from ringback.store.values import from_document, from_moment, to_document, to_moment


@dataclass(frozen=True, slots=True)
class Deed:
    """One line: who did what to what. ``user_id`` is none where it was the operator."""

    id: str
    done_at: datetime
    user_id: int | None
    user: str
    action: str
    subject: str
    details: Mapping[str, Any]


def note_deed(
    connection: Connection,
    account_id: int,
    deed_id: str,
    *,
    user_id: int | None,
    action: str,
    subject: str,
    details: Mapping[str, object],
    now: datetime,
) -> None:
    """Write a line."""
    connection.execute(
        insert(audit_log).values(
            account_id=account_id,
            id=deed_id,
            done_at=to_moment(now),
            user_id=user_id,
            action=action,
            subject=subject,
            details=to_document(details),
        )
    )


def list_deeds(
    connection: Connection,
    account_id: int,
    *,
    user_id: int | None = None,
    action: str = "",
    before: str = "",
    limit: int = 50,
) -> list[Deed]:
    """What was done in an account, newest first: by one user, of one kind, or all; from before a line on."""
    statement = (
        select(audit_log, users.c.email)
        .outerjoin(users, users.c.id == audit_log.c.user_id)
        .where(audit_log.c.account_id == account_id)
        .order_by(audit_log.c.id.desc())
        .limit(limit)
    )
    if user_id is not None:
        statement = statement.where(audit_log.c.user_id == user_id)
    if action:
        statement = statement.where(audit_log.c.action == action)
    if before:
        statement = statement.where(audit_log.c.id < before)
    return [
        Deed(
            id=row["id"],
            done_at=from_moment(row["done_at"]),
            user_id=row["user_id"],
            user=row["email"] or "",
            action=row["action"],
            subject=row["subject"],
            details=from_document(row["details"]),
        )
        for row in connection.execute(statement).mappings()
    ]


def list_doers(connection: Connection, account_id: int) -> dict[int, str]:
    """Who stands in the log of an account: id and e-mail address, by address."""
    found = _distinct(connection, account_id, audit_log.c.user_id)
    statement = select(users.c.id, users.c.email).where(users.c.id.in_(found)).order_by(users.c.email_key)
    return dict(connection.execute(statement).all())


def list_actions(connection: Connection, account_id: int) -> list[str]:
    """What kinds of deeds stand in the log of an account."""
    return _distinct(connection, account_id, audit_log.c.action)


def _distinct(connection: Connection, account_id: int, asked: Column[Any]) -> list[Any]:
    """Each value of a column, taken one after another from its index: the log may have a million lines."""
    least = select(func.min(asked).label("value")).where(audit_log.c.account_id == account_id)
    values = least.cte("found", recursive=True)
    following = least.where(asked > values.c.value).correlate(values).scalar_subquery()
    values = values.union_all(select(following).where(values.c.value.is_not(None)))
    return list(connection.execute(select(values.c.value).where(values.c.value.is_not(None))).scalars())
