"""Who belongs to an account: people put on teams and taken off, owners and managers made and unmade."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from ringback.domain.access import Role
from ringback.domain.errors import Problem, Refusal
from ringback.services import audit, invitations
from ringback.services.audit import Actor
from ringback.services.invitations import Guest
from ringback.store import accounts, memberships, teams
from ringback.store.memberships import Person
from ringback.store.teams import TeamRow


@dataclass(frozen=True, slots=True)
class Given:
    """A team through which somebody sees a buyer now, and whether it was made for that."""

    team: TeamRow
    guest: Guest
    is_new: bool


def share_buyer(tx: Connection, actor: Actor, buyer_id: int, name: str, *, email: str, secret: str) -> Given:
    """Let the user of an address see a buyer's calls, through a team that sees nothing else and may do nothing yet.

    If he is on such a team already, that is it; a team that is there is never narrowed.

    Args:
        tx: the transaction to do it in.
        actor: who does it.
        buyer_id: the number of the buyer.
        name: the name of the buyer, and so of the team.
        email: the address of the user, who is made if there is none.
        secret: the secret of the link that invites him.

    Raises:
        Refusal: ``invalid_value`` for ``email``.
    """
    accounts.lock_settings(tx, actor.account_id)
    guest = invitations.invite(tx, actor, email, secret)
    seeing = teams.list_seeing(tx, actor.account_id, [buyer_id])[buyer_id]
    for team in seeing:
        if not team.every_buyer and team.buyers == {buyer_id} and guest.user_id in team.users:
            return Given(team, guest, is_new=False)
    number = teams.add(tx, actor.account_id, _free_name(tx, actor.account_id, name), actor.now)
    teams.set_buyers(tx, actor.account_id, number, [buyer_id])
    memberships.put_on_team(tx, actor.account_id, number, guest.user_id, pending=guest.pending)
    made = teams.find(tx, actor.account_id, number)
    assert made is not None  # noqa: S101 - it was just made
    audit.note(tx, actor, "team.made", f"team {made.name}", {"buyers": [name], "users": [guest.email]})
    return Given(made, guest, is_new=True)


def show_buyer(tx: Connection, actor: Actor, buyer_id: int, name: str, team: TeamRow) -> None:
    """Let a team that is there see a buyer's calls too."""
    accounts.lock_settings(tx, actor.account_id)
    if team.every_buyer or buyer_id in team.buyers:
        return
    teams.set_buyers(tx, actor.account_id, team.id, {*team.buyers, buyer_id})
    audit.note(tx, actor, "team.buyer_added", f"team {team.name}", {"buyer": name})


def add_to_team(tx: Connection, actor: Actor, team: TeamRow, email: str, secret: str) -> Guest:
    """Put the user of an address on a team, and invite him.

    Raises:
        Refusal: ``invalid_value`` for ``email``.
    """
    accounts.lock_settings(tx, actor.account_id)
    guest = invitations.invite(tx, actor, email, secret)
    if guest.user_id not in team.users:
        memberships.put_on_team(tx, actor.account_id, team.id, guest.user_id, pending=guest.pending)
        audit.note(tx, actor, "team.user_added", f"team {team.name}", {"user": guest.email})
    return guest


def take_off_team(tx: Connection, actor: Actor, team: TeamRow, person: Person) -> None:
    """Take a user off a team."""
    accounts.lock_settings(tx, actor.account_id)
    memberships.take_off_team(tx, actor.account_id, team.id, person.user_id)
    audit.note(tx, actor, "team.user_removed", f"team {team.name}", {"user": person.email})


def appoint(tx: Connection, actor: Actor, email: str, role: Role, secret: str) -> Guest:
    """Give the user of an address a role, and invite him.

    Raises:
        Refusal: ``invalid_value`` for ``email``, or for ``role`` if the account would be left without an owner.
    """
    accounts.lock_settings(tx, actor.account_id)
    guest = invitations.invite(tx, actor, email, secret)
    _set_role(tx, actor, guest.user_id, guest.email, role)
    return guest


def change_role(tx: Connection, actor: Actor, person: Person, role: Role) -> None:
    """Make somebody who has a role already owner, manager or member.

    Raises:
        Refusal: ``invalid_value`` for ``role`` if the account would be left without an owner.
    """
    accounts.lock_settings(tx, actor.account_id)
    _set_role(tx, actor, person.user_id, person.email, role)


def dismiss(tx: Connection, actor: Actor, person: Person) -> None:
    """Take somebody out of the account: his role and his places on teams.

    Raises:
        Refusal: ``invalid_value`` for ``role`` if the account would be left without an owner.
    """
    accounts.lock_settings(tx, actor.account_id)
    memberships.remove(tx, actor.account_id, person.user_id)
    _check_owner(tx, actor.account_id)
    before = {"role": person.role, "teams": [name for _, name in person.teams]}
    audit.note(tx, actor, "person.removed", f"user {person.email}", {"before": before})


def _set_role(tx: Connection, actor: Actor, user_id: int, email: str, role: Role) -> None:
    before = accounts.list_roles(tx, actor.account_id).get(user_id)
    pending = not memberships.has_role(tx, actor.account_id, user_id)
    accounts.set_role(tx, actor.account_id, user_id, role, pending=pending)
    _check_owner(tx, actor.account_id)
    audit.note_change(tx, actor, "person.role", f"user {email}", {"role": before}, {"role": role})


def _check_owner(tx: Connection, account_id: int) -> None:
    if memberships.count_owners(tx, account_id) == 0:
        reason = "The account would be left without an owner; make somebody else an owner first"
        raise Refusal("invalid_value", problems=[Problem("role", "invalid_value", {"reason": reason})])


def _free_name(tx: Connection, account_id: int, name: str) -> str:
    """The name, or the first of it with a number behind it that no team has."""
    free, number = name, 1
    while teams.is_name_taken(tx, account_id, free):
        number += 1
        free = f"{name} {number}"
    return free
