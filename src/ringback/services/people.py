"""People: the first run, logging in, passwords, and who is who in an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection

from ringback.domain.access import Role
from ringback.domain.errors import Problem, Refusal
from ringback.domain.names import read_email, read_name, read_subdomain, read_time_zone
from ringback.services.fields import Fields, read_field
from ringback.store import accounts, people
from ringback.store.accounts import User
from ringback.store.people import Link, LinkKind

SESSION_LIFETIME = timedelta(days=14)
LINK_LIFETIME = {
    LinkKind.FIRST_RUN: timedelta(minutes=60),
    LinkKind.LOG_IN: timedelta(days=1),
    LinkKind.INVITATION: timedelta(days=7),
    LinkKind.RESET: timedelta(hours=24),
}
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("no user has this password")


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What the person of the first run fills in."""

    name: str
    email: str
    password: str
    company: str
    subdomain: str
    time_zone: str = "UTC"


def digest(secret: str) -> bytes:
    """What is kept of a secret of high entropy."""
    return sha256(secret.encode()).digest()


def make_link(
    tx: Connection,
    kind: LinkKind,
    secret: str,
    *,
    now: datetime,
    account_id: int | None = None,
    user_id: int | None = None,
    subject: str = "",
) -> None:
    """Keep a one-time link under the digest of its secret."""
    people.add_link(
        tx,
        digest(secret),
        kind,
        now=now,
        expires_at=now + LINK_LIFETIME[kind],
        account_id=account_id,
        user_id=user_id,
        subject=subject,
    )


def find_link(tx: Connection, kind: LinkKind, secret: str, now: datetime) -> Link:
    """A link that may still be spent.

    Raises:
        Refusal: ``link_spent``.
    """
    link = people.find_link(tx, digest(secret), kind, now)
    if link is None:
        raise Refusal("link_spent")
    return link


def start(tx: Connection, secret: str, newcomer: Newcomer, now: datetime) -> tuple[User, str]:
    """The first run: make the first company and its owner; the link is consumed in the same transaction.

    Raises:
        Refusal: ``link_spent``; ``invalid_value`` with a problem for each field.
    """
    link = find_link(tx, LinkKind.FIRST_RUN, secret, now)
    if people.has_users(tx) or not people.spend_link(tx, link, now):
        raise Refusal("link_spent")
    fields = Fields()
    fields.read("name", read_name, newcomer.name)
    fields.read("email", read_email, newcomer.email)
    fields.read("company", read_name, newcomer.company)
    fields.read("subdomain", read_subdomain, newcomer.subdomain)
    fields.read("time_zone", read_time_zone, newcomer.time_zone)
    for problem in check_password(newcomer.password):
        fields.refuse(problem.field, problem.details["reason"])
    fields.check()
    account_id = accounts.add_account(tx, newcomer.subdomain, newcomer.company, newcomer.time_zone, now)
    user_id = accounts.add_user(tx, newcomer.email, newcomer.name, now, verified=True)
    accounts.change_user(tx, user_id, password_hash=_hasher.hash(newcomer.password))
    accounts.set_role(tx, account_id, user_id, Role.OWNER)
    return User(user_id, newcomer.email, newcomer.name, verified=True), newcomer.subdomain


def log_in(tx: Connection, email: str, password: str) -> User:
    """The user of an address and password; takes as long for an unknown address as for a wrong password.

    Raises:
        Refusal: ``wrong_password``.
    """
    found = people.find_password(tx, email)
    hashed = found[1] if found and found[1] else _NOBODY
    try:
        _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError) as error:
        raise Refusal("wrong_password") from error
    if found is None or found[1] is None:
        raise Refusal("wrong_password")
    if _hasher.check_needs_rehash(hashed):
        accounts.change_user(tx, found[0].id, password_hash=_hasher.hash(password))
    return found[0]


def open_session(tx: Connection, user: User, secret: str, *, now: datetime, ip: str, agent: str) -> None:
    """Log a user in under the digest of a fresh secret."""
    people.open_session(tx, digest(secret), user.id, now=now, expires_at=now + SESSION_LIFETIME, ip=ip, agent=agent)


def change_password(tx: Connection, user: User, old: str, new: str, *, keep: bytes) -> None:
    """Change a password; every other session of the user ends, and so do links that let in.

    Raises:
        Refusal: ``wrong_password``; ``invalid_value`` for the new one.
    """
    log_in(tx, user.email, old)
    set_password(tx, user.id, new)
    _end_other_access(tx, user.id, keep)


def reset_password(tx: Connection, secret: str, new: str, now: datetime) -> User:
    """Set a password by a reset link, which is spent; every session of its user ends.

    Raises:
        Refusal: ``link_spent``; ``invalid_value`` for the password.
    """
    link = find_link(tx, LinkKind.RESET, secret, now)
    user = people.find_user(tx, link.user_id)
    if user is None or not people.spend_link(tx, link, now):
        raise Refusal("link_spent")
    set_password(tx, user.id, new)
    _end_other_access(tx, user.id)
    return user


def rename(tx: Connection, user: User, name: str) -> None:
    """Give a user another name.

    Raises:
        Refusal: ``invalid_value``.
    """
    accounts.change_user(tx, user.id, name=read_field("name", read_name, name))


def check_new_password(password: str) -> None:
    """Look at a password before anything is done with it.

    Raises:
        Refusal: ``invalid_value``.
    """
    if problems := check_password(password):
        raise Refusal("invalid_value", problems=problems)


def set_password(tx: Connection, user_id: int, password: str) -> None:
    """Set a password.

    Raises:
        Refusal: ``invalid_value``.
    """
    check_new_password(password)
    accounts.change_user(tx, user_id, password_hash=_hasher.hash(password))


def _end_other_access(tx: Connection, user_id: int, keep: bytes = b"") -> None:
    """End what came before a new password: sessions but perhaps one, and links that let in without it."""
    people.close_sessions(tx, user_id, but=keep)
    for kind in (LinkKind.LOG_IN, LinkKind.RESET):
        people.drop_links(tx, user_id, kind)


def check_password(password: str) -> list[Problem]:
    """What is wrong with a password (NIST SP 800-63B: length counts, composition rules don't)."""
    if SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return []
    reason = f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
    return [Problem("password", "invalid_value", {"reason": reason})]
