"""What nobody needs any more: a team is deleted, a partner too while nothing refers to him, or else archived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ringback.domain.access import Role
from ringback.domain.errors import Refusal
from ringback.services import audit, partners, team_settings
from ringback.services.audit import Actor
from ringback.store import accounts, memberships, teams
from ringback.store import partners as store
from ringback.store.memberships import Person
from ringback.store.teams import TeamRow


@dataclass(frozen=True, slots=True)
class Loss:
    """What somebody loses with a team: his place on it, and the account itself if he was there by this team alone."""

    person: Person
    other_teams: Sequence[str]
    leaves: bool


def list_losses(tx: Connection, actor: Actor, team: TeamRow) -> list[Loss]:
    """What the users of a team lose with it."""
    found = []
    for seat in memberships.list_on_team(tx, actor.account_id, team.id):
        (person,) = memberships.list_people(tx, actor.account_id, user_id=seat.user_id, limit=1)
        others = [name for number, name in person.teams if number != team.id]
        found.append(Loss(person, others, leaves=not others and person.role in {None, Role.MEMBER}))
    return found


def delete_team(tx: Connection, actor: Actor, team: TeamRow) -> None:
    """Delete a team; what its users posted stays, and what of it waits goes on waiting.

    Raises:
        Refusal: ``own_team`` if a manager sits on it.
    """
    if not team_settings.may_grant(actor.principal, team):
        raise Refusal("own_team")
    accounts.lock_settings(tx, actor.account_id)
    people = memberships.list_on_team(tx, actor.account_id, team.id)
    for person in people:
        memberships.take_off_team(tx, actor.account_id, team.id, person.user_id)
    before = team_settings.details(tx, actor.account_id, team)
    teams.remove(tx, actor.account_id, team.id)
    told = {"before": {**before, "users": [person.email for person in people]}}
    audit.note(tx, actor, "team.deleted", f"team {team.name}", told)


def delete_partner(tx: Connection, actor: Actor, noun: str, row: Mapping[str, Any]) -> bool:
    """Delete a partner; false, and nothing is done, if something refers to him."""
    accounts.lock_settings(tx, actor.account_id)
    if store.list_uses(tx, actor.account_id, noun, row["id"]):
        return False
    store.remove(tx, actor.account_id, noun, row["id"])
    told = {"before": partners.written(noun, row)}
    audit.note(tx, actor, f"{noun}.deleted", f"{partners.spoken(noun)} {row['name']}", told)
    return True


def archive_partner(tx: Connection, actor: Actor, noun: str, row: Mapping[str, Any], *, archived: bool) -> None:
    """Take a partner out of sight, or bring him back; whatever refers to him stays as it is."""
    if row["archived"] != archived:
        store.change(tx, actor.account_id, noun, row["id"], archived=archived)
        done = "archived" if archived else "brought_back"
        audit.note(tx, actor, f"{noun}.{done}", f"{partners.spoken(noun)} {row['name']}")
