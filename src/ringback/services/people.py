"""People: the first run, logging in, new passwords, and the links and sessions that end with the old one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection

from ringback.domain.access import Role
from ringback.domain.errors import Refusal
from ringback.domain.names import read_email, read_name, read_subdomain, read_time_zone
from ringback.services.fields import Fields, read_field
from ringback.services.passwords import Chosen, Proof
from ringback.store import accounts, people
from ringback.store.accounts import User
from ringback.store.people import Link, LinkKind

SESSION_LIFETIME = timedelta(days=14)
LINK_LIFETIME = {
    LinkKind.FIRST_RUN: timedelta(minutes=60),
    LinkKind.LOG_IN: timedelta(days=1),
    LinkKind.INVITATION: timedelta(days=7),
    LinkKind.RESET: timedelta(hours=24),
    LinkKind.FORM: timedelta(days=1),
}

BETWEEN_RESETS = timedelta(minutes=5)
"""How long nobody gets a second mail about a new password, however often it is asked for."""

_ASKED_FOR = "mail"
"""The subject of reset links that were asked for at the door; those of the operator have none."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What the person of the first run fills in."""

    name: str
    email: str
    password: Chosen
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


def spend_form(tx: Connection, key: bytes, now: datetime) -> bool:
    """Note that a form which counts only once was sent; false if it was before."""
    return people.note_once(tx, key, LinkKind.FORM, now=now, expires_at=now + LINK_LIFETIME[LinkKind.FORM])


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
    for problem in newcomer.password.problems:
        fields.refuse(problem.field, problem.details["reason"])
    fields.check()
    account_id = accounts.add_account(tx, newcomer.subdomain, newcomer.company, newcomer.time_zone, now)
    user_id = accounts.add_user(tx, newcomer.email, newcomer.name, now, verified=True)
    set_password(tx, user_id, newcomer.password)
    accounts.set_role(tx, account_id, user_id, Role.OWNER)
    return User(user_id, newcomer.email, newcomer.name, verified=True), newcomer.subdomain


def log_in(tx: Connection, proof: Proof) -> User:
    """The user who has proven that he knows his password.

    Raises:
        Refusal: ``wrong_password`` if it was changed since it was looked at.
    """
    found = people.find_password(tx, proof.user.email)
    if found is None or found[1] != proof.hash:
        raise Refusal("wrong_password")
    if proof.renewed is not None:
        accounts.change_user(tx, found[0].id, password_hash=proof.renewed)
    return found[0]


def open_session(tx: Connection, user: User, secret: str, *, now: datetime, ip: str, agent: str) -> None:
    """Log a user in under the digest of a fresh secret."""
    people.open_session(tx, digest(secret), user.id, now=now, expires_at=now + SESSION_LIFETIME, ip=ip, agent=agent)


def change_password(tx: Connection, proof: Proof, new: Chosen) -> None:
    """Change a password; every session of the user ends, and so do links that let in.

    Raises:
        Refusal: ``wrong_password``; ``invalid_value`` for the new one.
    """
    user = log_in(tx, proof)
    set_password(tx, user.id, new)
    _end_access(tx, user.id)


def ask_reset(tx: Connection, email: str, secret: str, now: datetime) -> User | None:
    """Keep a link for a new password that is about to be mailed; None if there is no such user, or one was just sent.

    It stands beside a link that the operator made, so that nobody can take that back by asking for another.
    """
    user = accounts.find_user(tx, email)
    since = now - BETWEEN_RESETS
    if user is None or people.has_link_since(tx, LinkKind.RESET, user.id, _ASKED_FOR, since):
        return None
    make_link(tx, LinkKind.RESET, secret, now=now, user_id=user.id, subject=_ASKED_FOR)
    mark_mailed(tx, secret, mailed=True)
    return user


def mark_mailed(tx: Connection, secret: str, *, mailed: bool) -> None:
    """Note whether a link goes to its user's mailbox and to nobody else."""
    people.mark_mailed(tx, digest(secret), mailed=mailed)


def prove_address(tx: Connection, link: Link) -> None:
    """Take the address of a user for proven if the link that he opened came by mail."""
    if link.mailed and link.user_id is not None:
        accounts.change_user(tx, link.user_id, verified=True)


def reset_password(tx: Connection, secret: str, new: Chosen, now: datetime) -> User:
    """Set a password by a reset link, which is spent; every session of its user ends.

    Raises:
        Refusal: ``link_spent``; ``invalid_value`` for the password.
    """
    link = find_link(tx, LinkKind.RESET, secret, now)
    user = people.find_user(tx, link.user_id)
    if user is None or not people.spend_link(tx, link, now):
        raise Refusal("link_spent")
    set_password(tx, user.id, new)
    if not accounts.list_tokens(tx, user_id=user.id):
        # Tokens may have been made by whoever used the address before; they must not gain by its being proven.
        prove_address(tx, link)
    _end_access(tx, user.id)
    return user


def rename(tx: Connection, user: User, name: str) -> None:
    """Give a user another name.

    Raises:
        Refusal: ``invalid_value``.
    """
    accounts.change_user(tx, user.id, name=read_field("name", read_name, name))


def set_password(tx: Connection, user_id: int, new: Chosen) -> None:
    """Set a password.

    Raises:
        Refusal: ``invalid_value``.
    """
    new.check()
    accounts.change_user(tx, user_id, password_hash=new.hash)


def _end_access(tx: Connection, user_id: int) -> None:
    """End what came before a new password: sessions, and links that let in without it."""
    people.close_sessions(tx, user_id)
    for kind in (LinkKind.LOG_IN, LinkKind.RESET):
        people.drop_links(tx, user_id, kind)
