"""Passwords, sessions and one-time links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ringback.domain.names import name_key
from ringback.store import memberships
from ringback.store.access import Account
from ringback.store.accounts import User
from ringback.store.schema import accounts, links, sessions, users
from ringback.store.values import from_moment, to_moment


class LinkKind(StrEnum):
    """What a one-time link is for; a form that counts only once is kept like one that was spent."""

    FIRST_RUN = "first_run"
    LOG_IN = "log_in"
    INVITATION = "invitation"
    RESET = "reset"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which a user is logged in."""

    digest: bytes
    created_at: datetime
    ip: str
    agent: str


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link that may still be spent."""

    digest: bytes
    kind: LinkKind
    account_id: int | None
    user_id: int | None
    subject: str
    mailed: bool = False


def find_password(connection: Connection, email: str) -> tuple[User, str | None] | None:
    """A user and the hash of his password, if he has one."""
    row = connection.execute(select(users).where(users.c.email_key == name_key(email))).mappings().one_or_none()
    if row is None:
        return None
    return User(row["id"], row["email"], row["name"], row["verified"]), row["password_hash"]


def find_user(connection: Connection, user_id: int | None) -> User | None:
    """A user by his id."""
    statement = select(users.c.id, users.c.email, users.c.name, users.c.verified).where(users.c.id == user_id)
    row = connection.execute(statement).one_or_none()
    return None if row is None else User(*row)


def has_users(connection: Connection) -> bool:
    """Whether there is any user at all."""
    return connection.execute(select(users.c.id).limit(1)).first() is not None


def open_session(
    connection: Connection, digest: bytes, user_id: int, *, now: datetime, expires_at: datetime, ip: str, agent: str
) -> None:
    """Remember that a user is logged in."""
    connection.execute(
        insert(sessions).values(
            digest=digest,
            user_id=user_id,
            created_at=to_moment(now),
            expires_at=to_moment(expires_at),
            ip=ip,
            user_agent=agent[:200],
        )
    )


def find_session(connection: Connection, digest: bytes, now: datetime) -> User | None:
    """The user of a session that has not ended."""
    statement = (
        select(users.c.id, users.c.email, users.c.name, users.c.verified)
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(sessions.c.digest == digest, sessions.c.expires_at > to_moment(now))
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else User(*row)


def list_sessions(connection: Connection, user_id: int, now: datetime, *, limit: int = 50) -> list[Session]:
    """Where a user is logged in, the latest first."""
    statement = (
        select(sessions.c.digest, sessions.c.created_at, sessions.c.ip, sessions.c.user_agent)
        .where(sessions.c.user_id == user_id, sessions.c.expires_at > to_moment(now))
        .order_by(sessions.c.created_at.desc())
        .limit(limit)
    )
    return [
        Session(digest, from_moment(created_at), ip, agent)
        for digest, created_at, ip, agent in connection.execute(statement)
    ]


def close_session(connection: Connection, digest: bytes) -> None:
    """End one session."""
    connection.execute(delete(sessions).where(sessions.c.digest == digest))


def close_sessions(connection: Connection, user_id: int, *, but: bytes = b"") -> None:
    """End every session of a user, but perhaps one."""
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id, sessions.c.digest != but))


def forget(connection: Connection, now: datetime) -> int:
    """Forget sessions and links whose time is over; returns how many those were."""
    over = (delete(table).where(table.c.expires_at <= to_moment(now)) for table in (sessions, links))
    return sum(connection.execute(statement).rowcount for statement in over)


def add_link(
    connection: Connection,
    digest: bytes,
    kind: LinkKind,
    *,
    now: datetime,
    expires_at: datetime,
    account_id: int | None = None,
    user_id: int | None = None,
    subject: str = "",
) -> None:
    """Make a one-time link; of a user, kind and account only the newest counts, of the first run only one."""
    same = (
        links.c.kind == kind.value,
        links.c.user_id.is_not_distinct_from(user_id),
        links.c.account_id.is_not_distinct_from(account_id),
        links.c.subject == subject,
    )
    connection.execute(delete(links).where(*same))
    connection.execute(
        insert(links).values(
            digest=digest,
            kind=kind.value,
            account_id=account_id,
            user_id=user_id,
            subject=subject,
            created_at=to_moment(now),
            expires_at=to_moment(expires_at),
        )
    )


def find_link(connection: Connection, digest: bytes, kind: LinkKind, now: datetime) -> Link | None:
    """A link that may still be spent."""
    statement = select(links).where(
        links.c.digest == digest,
        links.c.kind == kind.value,
        links.c.used_at.is_(None),
        links.c.expires_at > to_moment(now),
    )
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        return None
    return Link(row["digest"], LinkKind(row["kind"]), row["account_id"], row["user_id"], row["subject"], row["mailed"])


def mark_mailed(connection: Connection, digest: bytes, *, mailed: bool) -> None:
    """Note whether nobody but the mailbox of its user has a link: whoever opens it then has proven the address."""
    connection.execute(update(links).where(links.c.digest == digest).values(mailed=mailed))


def has_link_since(connection: Connection, kind: LinkKind, user_id: int, subject: str, since: datetime) -> bool:
    """Whether a link was made for a user lately."""
    same = (links.c.kind == kind.value, links.c.user_id == user_id, links.c.subject == subject)
    made = select(links.c.digest).where(*same, links.c.created_at > to_moment(since)).limit(1)
    return connection.execute(made).first() is not None


def spend_link(connection: Connection, link: Link, now: datetime) -> bool:
    """Spend a link; false if somebody was quicker."""
    statement = update(links).where(links.c.digest == link.digest, links.c.used_at.is_(None))
    return connection.execute(statement.values(used_at=to_moment(now))).rowcount == 1


def note_once(connection: Connection, digest: bytes, kind: LinkKind, *, now: datetime, expires_at: datetime) -> bool:
    """Note what may come only once as spent; false if it was noted before."""
    insert_new = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    at = to_moment(now)
    row = {"digest": digest, "kind": kind.value, "created_at": at, "expires_at": to_moment(expires_at), "used_at": at}
    noted = insert_new(links).values(row).on_conflict_do_nothing().returning(links.c.digest)
    return connection.execute(noted).first() is not None


def drop_links(connection: Connection, user_id: int, kind: LinkKind) -> None:
    """Take back what links of a kind a user has."""
    connection.execute(delete(links).where(links.c.user_id == user_id, links.c.kind == kind.value))


def list_accounts_of(connection: Connection, user_id: int) -> list[Account]:
    """The accounts in which a user has a role or sits on a team, by name."""
    by_role, by_team = (
        select(held.c.account_id)
        .join(users, users.c.id == held.c.user_id)
        .where(held.c.user_id == user_id, memberships.counts(held))
        for held in memberships.HELD
    )
    statement = select(accounts).where(accounts.c.id.in_(by_role.union(by_team))).order_by(func.lower(accounts.c.name))
    return [
        Account(
            row["id"],
            row["subdomain"],
            row["name"],
            row["time_zone"],
            row["reads_auth_token"],
            row["keeps_unknown_fields"],
            row["retry_seconds"],
        )
        for row in connection.execute(statement).mappings()
    ]
