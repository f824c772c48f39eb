"""Granting what lets waiting updates through: exactly what was shown, to one team, noted in the audit log."""

from __future__ import annotations

from sqlalchemy import Connection

from ringback.domain.access import Level
from ringback.domain.causes import Grant
from ringback.domain.rights import raised
from ringback.services import team_settings
from ringback.services.audit import Actor
from ringback.services.teams import TeamForm
from ringback.store import accounts, teams


def give(tx: Connection, actor: Actor, grant: Grant) -> list[str]:
    """Give a team what it lacks; returns what changed, in words.

    Raises:
        Refusal: ``own_team`` if a manager would grant rights to a team that he sits on.
    """
    accounts.lock_settings(tx, actor.account_id)
    team = teams.find(tx, actor.account_id, grant.team_id)
    assert team is not None  # noqa: S101 - its rights were looked at in this transaction
    form = TeamForm(
        buyers=None if grant.buyer_id is None else team.buyers | {grant.buyer_id},
        developer_api=True if grant.developer_api else None,
        rights=raised(team.rights, Level.UPDATE, grant.rights) if grant.rights else None,
    )
    return team_settings.save(tx, actor, team, team.name, form)
