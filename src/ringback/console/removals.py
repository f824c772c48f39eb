"""Deleting teams, and deleting or archiving buyers, traffic sources and offers: the question first, then the deed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.responses import Response

from ringback.console import partners, teams
from ringback.console.pages import Need, Page, Visit, go, render
from ringback.console.partners import BUYERS, SECTIONS, Section
from ringback.domain.rights import differences
from ringback.services import removals, team_settings
from ringback.store import partners as store
from ringback.store.teams import list_seeing


def ask_about_team(visit: Visit) -> Response:
    """The question whether a team is to be deleted, and who loses what."""
    team = teams.find(visit)
    return render(
        visit,
        "teams/delete.html",
        team=team,
        rights=[words.removesuffix(" added") for words in differences({}, team.rights)],
        losses=removals.list_losses(visit.tx, visit.acting, team),
        may_grant=team_settings.may_grant(visit.actor, team),
    )


def delete_team(visit: Visit) -> Response:
    """Delete a team."""
    team = teams.find(visit)
    removals.delete_team(visit.tx, visit.acting, team)
    return go(visit.url(teams.PATH), f"Team {team.name} is deleted.")


def ask_about_partner(section: Section, visit: Visit) -> Response:
    """The question whether a partner is to be deleted, or why he can't be."""
    return _ask(section, visit, partners.find(section, visit))


def delete_partner(section: Section, visit: Visit) -> Response:
    """Delete a partner."""
    row = partners.find(section, visit)
    if not removals.delete_partner(visit.tx, visit.acting, section.noun, row):
        return _ask(section, visit, row, status=409)
    return go(visit.url(section.path), f"{section.one.capitalize()} {row['name']} is deleted.")


def archive_partner(section: Section, visit: Visit) -> Response:
    """Take a partner out of sight, or bring him back."""
    row, archived = partners.find(section, visit), bool(visit.text("archived"))
    removals.archive_partner(visit.tx, visit.acting, section.noun, row, archived=archived)
    done = "is archived" if archived else "is back"
    return go(visit.url(f"{section.path}/{row['id']}"), f"{section.one.capitalize()} {row['name']} {done}.")


def _ask(section: Section, visit: Visit, row: Mapping[str, Any], status: int = 200) -> Response:
    seeing = list_seeing(visit.tx, visit.here.id, [row["id"]])[row["id"]] if section is BUYERS else []
    return render(
        visit,
        "partners/delete.html",
        status=status,
        section=section,
        row=row,
        uses=store.list_uses(visit.tx, visit.here.id, section.noun, row["id"]),
        seeing=[team for team in seeing if not team.every_buyer],
    )


def _pages(section: Section) -> tuple[Page, ...]:
    path = f"/a/{{account}}{section.path}/{{number}}"
    return (
        Page("GET", f"{path}/delete", partial(ask_about_partner, section), Need.MANAGER),
        Page("POST", f"{path}/delete", partial(delete_partner, section), Need.MANAGER),
        Page("POST", f"{path}/archive", partial(archive_partner, section), Need.MANAGER),
    )


PAGES = (
    *(page for section in SECTIONS for page in _pages(section)),
    Page("GET", f"/a/{{account}}{teams.PATH}/{{number}}/delete", ask_about_team, Need.MANAGER),
    Page("POST", f"/a/{{account}}{teams.PATH}/{{number}}/delete", delete_team, Need.MANAGER),
)
