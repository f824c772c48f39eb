"""``ringback team``: who may do what in an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringback.cli.invoking import line
from ringback.cli.options import AsJson, DatabaseUrl, InAccount
from ringback.cli.printing import show, show_json, show_table
from ringback.domain.access import Level
from ringback.domain.attributes import UPDATABLE

if TYPE_CHECKING:
    from ringback.services.teams import Grant, ShownTeam

app = typer.Typer(name="team", help="Teams: who may do what in an account.")

TeamName = Annotated[str, typer.Option("--team", metavar="NAME", help="Name of the team.")]
Updates = Annotated[
    list[str] | None, typer.Option("--update", metavar="ATTRIBUTE", help='As revenue, or "Buyer Revenue"; repeatable.')
]
Reads = Annotated[list[str] | None, typer.Option("--read", metavar="ATTRIBUTE", help="The same; repeatable.")]
Users = Annotated[list[str] | None, typer.Option("--user", metavar="EMAIL", help="A user; repeatable.")]
Buyers = Annotated[list[str] | None, typer.Option("--buyer", metavar="NAME", help="A buyer; repeatable.")]
Api = Annotated[bool, typer.Option("--developer-api", help="Developer API Access.")]


@app.command("list")
def list_teams(*, account: InAccount, database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the teams of an account."""
    from ringback.cli.databases import opened
    from ringback.services import accounts, teams

    with opened(database) as found, found.read() as tx:
        rows = teams.show(tx, accounts.find(tx, account).id)
    if as_json:
        show_json([_document(each) for each in rows])
        return
    table = [
        (
            each.row.name,
            ", ".join(each.users),
            "every one" if each.row.every_buyer else ", ".join(each.buyers),
            "on" if each.row.developer_api else "off",
            ", ".join(_labels(each, Level.UPDATE)),
            ", ".join(_labels(each, Level.READ)),
        )
        for each in rows
    ]
    show_table(("Team", "Users", "Buyers", "API access", "Update", "Read"), table, "There is no team yet.")


@app.command()
def grant(
    *,
    account: InAccount,
    team: TeamName,
    update: Updates = None,
    read: Reads = None,
    user: Users = None,
    buyer: Buyers = None,
    developer_api: Api = False,
    database: DatabaseUrl = None,
) -> None:
    """Give a team rights, users, buyers or API access, and say what waits for that."""
    from ringback.cli.databases import opened
    from ringback.services import accounts, receipts, teams

    given = _grant(update, read, user, buyer, developer_api=developer_api)
    with opened(database) as found, found.write() as tx:
        place = accounts.find(tx, account)
        told = teams.grant(tx, place.id, team, given)
        waiting = len(receipts.denied_for(tx, place, team))
    _tell(place.subdomain, team, told)
    if waiting:
        plural = "s wait" if waiting > 1 else " waits"
        show(f"{waiting} denied update{plural} for this team. To apply what it may do now:")
        then = ("updates", "apply", "--account", place.subdomain, "--all-denied-for", team)
        show(line(*then, database=database), "bold")


@app.command()
def revoke(
    *,
    account: InAccount,
    team: TeamName,
    update: Updates = None,
    read: Reads = None,
    user: Users = None,
    buyer: Buyers = None,
    developer_api: Api = False,
    database: DatabaseUrl = None,
) -> None:
    """Take rights, users, buyers or API access from a team."""
    from ringback.cli.databases import opened
    from ringback.services import accounts, teams

    taken = _grant(update, read, user, buyer, developer_api=developer_api)
    with opened(database) as found, found.write() as tx:
        place = accounts.find(tx, account)
        told = teams.revoke(tx, place.id, team, taken)
    _tell(place.subdomain, team, told)


def _grant(*lists: list[str] | None, developer_api: bool) -> Grant:
    from ringback.services.teams import Grant

    update, read, users, buyers = (each or () for each in lists)
    return Grant(update, read, users, buyers, developer_api)


def _tell(subdomain: str, team: str, told: Sequence[str]) -> None:
    for each in told:
        show(f"~ team {team} in {subdomain}: {each}", "yellow")
    if not told:
        show("It is so already; nothing changed.")


def _labels(team: ShownTeam, level: Level) -> list[str]:
    return [each.label for each in UPDATABLE if team.row.rights.get(each.name) is level]


def _document(team: ShownTeam) -> dict[str, Any]:
    return {
        "id": team.row.id,
        "name": team.row.name,
        "users": team.users,
        "buyers": None if team.row.every_buyer else team.buyers,
        "developer_api": team.row.developer_api,
        "record_calls": team.row.records_calls,
        "update": [name for name, level in team.row.rights.items() if level is Level.UPDATE],
        "read": [name for name, level in team.row.rights.items() if level is Level.READ],
    }
