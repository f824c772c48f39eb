"""Invitations: a link that one person hands to another, who opens it to join an account.

A link never sets the password of somebody who is there already: he logs in, and then opens it. Who has not proven his
address belongs to an account only once he opened that account's own link (ACCESS, "Team by e-mail"); one that came by
mail proves the address. A role waits for a link of an owner: else a manager could invite the owner-to-be to a team, and
open that link in his place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ringback.domain.access import Principal, Role
from ringback.domain.errors import Refusal
from ringback.domain.names import read_email, read_name
from ringback.services import audit, people
from ringback.services.audit import Actor, NewId
from ringback.services.fields import Fields, read_field
from ringback.services.passwords import Chosen
from ringback.store import access, accounts, memberships
from ringback.store import people as store
from ringback.store.access import Account
from ringback.store.accounts import User
from ringback.store.people import Link, LinkKind

_TO_ROLES, _TO_TEAMS = "roles", "teams"
"""What a link opens, by who made it; kept as its subject."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who was invited; ``pending`` says whether his place on a team waits until he opens the link."""

    user_id: int
    email: str
    pending: bool


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation: the link, the account it leads into, the user it is for, and what he is there so far."""

    link: Link
    account: Account
    user: User
    principal: Principal


def invite(tx: Connection, actor: Actor, email: str, secret: str) -> Guest:
    """Keep an invitation under the digest of its secret; the user of the address is made if there is none.

    Raises:
        Refusal: ``invalid_value`` for ``email``.
    """
    email = read_field("email", read_email, email)
    user = accounts.find_user(tx, email)
    user_id = user.id if user else accounts.add_user(tx, email, "", actor.now, verified=False)
    account_id = actor.account_id
    subject = _TO_ROLES if actor.principal.role is Role.OWNER else _TO_TEAMS
    people.make_link(
        tx, LinkKind.INVITATION, secret, now=actor.now, account_id=account_id, user_id=user_id, subject=subject
    )
    return Guest(user_id, email, pending=not memberships.has_joined(tx, account_id, user_id))


def find(tx: Connection, secret: str, now: datetime) -> Invitation:
    """An invitation that is still open: not spent, and not taken back.

    Raises:
        Refusal: ``link_spent``.
    """
    link = people.find_link(tx, LinkKind.INVITATION, secret, now)
    user = store.find_user(tx, link.user_id)
    known = access.find_member(tx, link.account_id or 0, link.user_id or 0)
    if user is None or known.account is None or known.principal is None:
        raise Refusal("link_spent")
    if not memberships.is_listed(tx, known.account.id, user.id):
        raise Refusal("link_spent")
    return Invitation(link, known.account, user, known.principal)


def accept(tx: Connection, invitation: Invitation, now: datetime, new_id: NewId) -> None:
    """Let the invited user, who is logged in or was just made, join the account.

    Raises:
        Refusal: ``link_spent`` if somebody was quicker.
    """
    if not store.spend_link(tx, invitation.link, now):
        raise Refusal("link_spent")
    people.prove_address(tx, invitation.link)
    with_role = invitation.link.subject == _TO_ROLES
    memberships.settle(tx, invitation.account.id, invitation.user.id, with_role=with_role)
    actor = Actor(invitation.principal, now, new_id)
    audit.note(tx, actor, "invitation.accepted", f"user {invitation.user.email}")


def register(tx: Connection, invitation: Invitation, name: str, password: Chosen, now: datetime, new_id: NewId) -> None:
    """Give a new user his name and password, and let him join.

    Raises:
        Refusal: ``invalid_value``; under ``form`` if the user is not new, whose password no link may set.
    """
    fields = Fields()
    read = fields.read("name", read_name, name)
    for problem in password.problems:
        fields.refuse("password", problem.details["reason"])
    fields.check()
    # Looked at last: whoever only tries must not learn from the answer whether the address is known here.
    if not _is_new(tx, invitation.user):
        fields.refuse("form", "This link can't choose a password for this address; log in first, then open it again")
        fields.check()
    accounts.change_user(tx, invitation.user.id, name=read)
    people.set_password(tx, invitation.user.id, password)
    accept(tx, invitation, now, new_id)


def _is_new(tx: Connection, user: User) -> bool:
    """Whether a user was made by an invitation and has never been here: nobody else can be him."""
    found = store.find_password(tx, user.email)
    has_password = found is not None and found[1] is not None
    return not (user.verified or has_password or memberships.has_joined_any(tx, user.id))
