"""Company > Teams: who sits on a team, whose calls it sees, what it may update."""

from __future__ import annotations

from starlette.responses import Response

from ringback.console.pages import Need, Page, Visit, render
from ringback.store import teams


def list_teams(visit: Visit) -> Response:
    """Every team of the account."""
    return render(visit, "teams/list.html", teams=teams.list_teams(visit.tx, visit.here.id))


PAGES = (Page("GET", "/a/{account}/company/teams", list_teams, Need.MANAGER),)
