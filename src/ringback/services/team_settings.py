"""A team as its page makes and changes it: named, shown before it is saved, and noted in the audit log."""

from __future__ import annotations

from sqlalchemy import Connection

from ringback.domain.access import Principal, Role
from ringback.domain.errors import Refusal
from ringback.domain.names import name_key, read_name
from ringback.services import audit
from ringback.services.audit import Actor
from ringback.services.fields import Fields
from ringback.services.teams import SWITCHES, TeamForm, change
from ringback.store import accounts, partners, teams
from ringback.store.teams import TeamRow


def may_grant(principal: Principal, team: TeamRow) -> bool:
    """Whether somebody may change the rights of a team: an owner, or a manager who doesn't sit on it."""
    return principal.role is Role.OWNER or principal.user_id not in team.users


def create(tx: Connection, actor: Actor, name: str) -> int:
    """Make a team without users, buyers or rights; returns its number.

    Raises:
        Refusal: ``invalid_value`` for ``name``.
    """
    accounts.lock_settings(tx, actor.account_id)
    name = _read_name(tx, actor.account_id, name)
    number = teams.add(tx, actor.account_id, name, actor.now)
    audit.note(tx, actor, "team.made", f"team {name}")
    return number


def save(tx: Connection, actor: Actor, team: TeamRow, name: str, form: TeamForm) -> list[str]:
    """Make a team what its page says; returns what changed, in words.

    Raises:
        Refusal: ``invalid_value`` for ``name``; ``own_team`` if a manager would change the rights of his own team.
    """
    accounts.lock_settings(tx, actor.account_id)
    told = _rename(tx, actor.account_id, team, name) + change(tx, actor.account_id, team, form)
    after = teams.find(tx, actor.account_id, team.id)
    assert after is not None  # noqa: S101 - it was changed, not removed
    is_granted = (after.rights, after.records_calls) != (team.rights, team.records_calls)
    if is_granted and not may_grant(actor.principal, team):
        raise Refusal("own_team")
    if told:
        before, now = (details(tx, actor.account_id, each) for each in (team, after))
        audit.note_change(tx, actor, "team.changed", f"team {team.name}", before, now)
    return told


def preview(tx: Connection, actor: Actor, team: TeamRow, name: str, form: TeamForm) -> list[str]:
    """What :func:`save` would change, in words; nothing is changed.

    Raises:
        Refusal: as :func:`save`.
    """
    savepoint = tx.begin_nested()
    try:
        return save(tx, actor, team, name, form)
    finally:
        savepoint.rollback()


def _rename(tx: Connection, account_id: int, team: TeamRow, text: str) -> list[str]:
    name = _read_name(tx, account_id, text, team)
    if name == team.name:
        return []
    teams.change(tx, account_id, team.id, name=name, name_key=name_key(name))
    return [f"renamed to {name}"]


def _read_name(tx: Connection, account_id: int, text: str, team: TeamRow | None = None) -> str:
    fields = Fields()
    name = fields.read("name", read_name, text) or ""
    is_its_own = team is not None and name_key(name) == name_key(team.name)
    if not is_its_own and teams.is_name_taken(tx, account_id, name):
        fields.refuse("name", "There is a team of this name already")
    fields.check()
    return name


def details(tx: Connection, account_id: int, team: TeamRow) -> dict[str, object]:
    """A team as the audit log has it."""
    return {
        "name": team.name,
        "every_buyer": team.every_buyer,
        "buyers": sorted(partners.names(tx, account_id, "buyer", team.buyers).values()),
        **{column: getattr(team, column) for column in SWITCHES},
        "rights": {name: level.name.lower() for name, level in sorted(team.rights.items())},
    }
