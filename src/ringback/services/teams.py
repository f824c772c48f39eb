"""Teams: who sits on them, which buyers they see, what they may do; every change is told in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ringback.domain.access import Level, Role
from ringback.domain.errors import Mistake
from ringback.domain.names import did_you_mean, name_key
from ringback.domain.rights import Rights, differences, raised, read_attribute, without
from ringback.services.accounts import find_user
from ringback.store import accounts, partners, teams
from ringback.store.teams import TeamRow

SWITCHES: Mapping[str, str] = {"developer_api": "Enable Developer API Access", "records_calls": "Record calls"}
"""What a team has on or off: column to the label on its page."""


@dataclass(frozen=True, slots=True)
class TeamForm:
    """What a team is to be; None leaves a thing as it is. ``every_buyer`` goes before ``buyers``."""

    users: frozenset[int] | None = None
    buyers: frozenset[int] | None = None
    every_buyer: bool | None = None
    developer_api: bool | None = None
    records_calls: bool | None = None
    rights: Rights | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What is given to a team, or taken from it, as people write it."""

    update: Sequence[str] = ()
    read: Sequence[str] = ()
    users: Sequence[str] = ()
    buyers: Sequence[str] = ()
    developer_api: bool = False


@dataclass(frozen=True, slots=True)
class ShownTeam:
    """A team with the names of its users and buyers."""

    row: TeamRow
    users: Sequence[str]
    buyers: Sequence[str]


def find(tx: Connection, account_id: int, name: str) -> TeamRow:
    """The team of a name.

    Raises:
        Mistake: there is none.
    """
    found = {name_key(team.name): team for team in teams.list_teams(tx, account_id)}
    team = found.get(name_key(name))
    if team is None:
        raise Mistake(f"there is no team {name}{did_you_mean(name, (each.name for each in found.values()))}")
    return team


def show(tx: Connection, account_id: int) -> list[ShownTeam]:
    """The teams of an account, by name."""
    rows = teams.list_teams(tx, account_id)
    people = accounts.find_emails(tx, (user for row in rows for user in row.users))
    buyers = _buyer_names(tx, account_id)
    return [
        ShownTeam(row, sorted(people[user] for user in row.users), sorted(buyers[buyer] for buyer in row.buyers))
        for row in rows
    ]


def grant(tx: Connection, account_id: int, name: str, given: Grant) -> list[str]:
    """Give something to a team; returns what changed, in words.

    Raises:
        UnfitError: an attribute that there isn't.
        Mistake: a team, user or buyer that there isn't.
    """
    team = find(tx, account_id, name)
    form = TeamForm(
        users=team.users | _user_ids(tx, given.users),
        buyers=team.buyers | _buyer_ids(tx, account_id, given.buyers),
        developer_api=given.developer_api or None,
        rights=raised(raised(team.rights, Level.READ, _names(given.read)), Level.UPDATE, _names(given.update)),
    )
    return change(tx, account_id, team, form)


def revoke(tx: Connection, account_id: int, name: str, taken: Grant) -> list[str]:
    """Take something from a team; returns what changed, in words.

    Raises:
        UnfitError: an attribute that there isn't.
        Mistake: a team, user or buyer that there isn't.
    """
    team = find(tx, account_id, name)
    form = TeamForm(
        users=team.users - _user_ids(tx, taken.users),
        buyers=team.buyers - _buyer_ids(tx, account_id, taken.buyers),
        developer_api=False if taken.developer_api else None,
        rights=without(team.rights, _names([*taken.update, *taken.read])),
    )
    return change(tx, account_id, team, form)


def change(tx: Connection, account_id: int, team: TeamRow, form: TeamForm) -> list[str]:
    """Make a team what the form says; returns what changed, in words."""
    told = _change_users(tx, account_id, team, form.users)
    told += _change_buyers(tx, account_id, team, form)
    switched = {column: wanted for column in SWITCHES if (wanted := getattr(form, column)) is not None}
    changed = {column: wanted for column, wanted in switched.items() if wanted != getattr(team, column)}
    _store(tx, account_id, team, changed)
    told += [f"{SWITCHES[column]} turned {'on' if wanted else 'off'}" for column, wanted in changed.items()]
    if form.rights is not None and (different := differences(team.rights, form.rights)):
        teams.set_rights(tx, account_id, team.id, form.rights)
        told += different
    return told


def _change_users(tx: Connection, account_id: int, team: TeamRow, wanted: frozenset[int] | None) -> list[str]:
    if wanted is None or wanted == team.users:
        return []
    teams.set_users(tx, account_id, team.id, wanted)
    for newcomer in sorted(wanted - team.users - accounts.list_roles(tx, account_id).keys()):
        accounts.set_role(tx, account_id, newcomer, Role.MEMBER)
    return _told("user", accounts.find_emails(tx, wanted | team.users), team.users, wanted)


def _change_buyers(tx: Connection, account_id: int, team: TeamRow, form: TeamForm) -> list[str]:
    every = team.every_buyer if form.every_buyer is None else form.every_buyer
    wanted = team.buyers if form.buyers is None else form.buyers
    told = []
    if every != team.every_buyer:
        _store(tx, account_id, team, {"every_buyer": every})
        told.append("every buyer shown" if every else "limited to its buyers")
    if wanted != team.buyers:
        teams.set_buyers(tx, account_id, team.id, wanted)
        told += _told("buyer", _buyer_names(tx, account_id), team.buyers, wanted)
    return told


def _store(tx: Connection, account_id: int, team: TeamRow, columns: Mapping[str, Any]) -> None:
    if columns:
        teams.change(tx, account_id, team.id, **columns)


def _told(noun: str, names: Mapping[int, str], before: frozenset[int], after: frozenset[int]) -> list[str]:
    added = [f"{noun} {names[each]} added" for each in sorted(after - before)]
    return added + [f"{noun} {names[each]} removed" for each in sorted(before - after)]


def _buyer_names(tx: Connection, account_id: int) -> dict[int, str]:
    return {row["id"]: row["name"] for row in partners.list_partners(tx, account_id, "buyer")}


def _user_ids(tx: Connection, emails: Sequence[str]) -> frozenset[int]:
    return frozenset(find_user(tx, email).id for email in emails)


def _buyer_ids(tx: Connection, account_id: int, names: Sequence[str]) -> frozenset[int]:
    known = {name_key(name): number for number, name in _buyer_names(tx, account_id).items()}
    for name in names:
        if name_key(name) not in known:
            raise Mistake(f"there is no buyer {name}{did_you_mean(name, _buyer_names(tx, account_id).values())}")
    return frozenset(known[name_key(name)] for name in names)


def _names(attributes: Sequence[str]) -> list[str]:
    return [read_attribute(text).name for text in attributes]
