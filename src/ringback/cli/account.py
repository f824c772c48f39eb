"""``ringback account``: companies on their subdomains."""

from __future__ import annotations

from typing import Annotated

import typer

from ringback import clock
from ringback.cli.options import AsJson, DatabaseUrl
from ringback.cli.printing import show, show_json, show_table

app = typer.Typer(name="account", help="Companies on their subdomains.")


@app.command()
def create(
    subdomain: Annotated[str, typer.Argument(metavar="SUB", help="Its subdomain.")],
    *,
    owner: Annotated[str, typer.Option(metavar="EMAIL", help="Who owns it; made if he isn't there.")],
    name: Annotated[str | None, typer.Option(help="Its name; default: the subdomain.")] = None,
    time_zone: Annotated[str, typer.Option(metavar="ZONE", help="As America/New_York.")] = "UTC",
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make an account."""
    from ringback.cli.databases import opened
    from ringback.services import accounts

    with opened(database, founds=True) as found, found.write() as tx:
        made = accounts.create(tx, subdomain, name or subdomain, time_zone, owner, clock.now())
    if as_json:
        about = {"id": made.id, "subdomain": made.subdomain, "name": made.name, "time_zone": made.time_zone}
        show_json({**about, "owner": owner})
        return
    show(f"+ account {made.subdomain} ({made.name}), owned by {owner}", "green")


@app.command("list")
def list_accounts(*, database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List every account."""
    from ringback.cli.databases import opened
    from ringback.store.accounts import list_accounts as every

    with opened(database) as found, found.read() as tx:
        accounts = every(tx)
    if as_json:
        names = ("id", "subdomain", "name", "time_zone")
        show_json([{name: getattr(account, name) for name in names} for account in accounts])
        return
    rows = [(account.subdomain, account.name, account.time_zone) for account in accounts]
    show_table(("Subdomain", "Name", "Time zone"), rows, "There is no account yet.")
