"""``ringback user``: people, known by their e-mail addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringback import clock, entropy
from ringback.cli.options import AsJson, DatabaseUrl, InAccount
from ringback.cli.printing import show, show_json, show_table
from ringback.cli.serving import PORT
from ringback.domain.access import Role

if TYPE_CHECKING:
    from ringback.domain.access import Principal
    from ringback.store.accounts import TokenRow, User

app = typer.Typer(name="user", help="People, known by their e-mail addresses.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the user.")]


@app.command()
def create(
    email: Email,
    *,
    name: Annotated[str, typer.Option(help="Name of the person.")] = "",
    verified: Annotated[
        bool, typer.Option("--verified/--unverified", help="Whether the address is known to be that person's.")
    ] = True,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a user."""
    from ringback.cli.databases import opened
    from ringback.services import accounts

    with opened(database, founds=True) as found, found.write() as tx:
        made = accounts.create_user(tx, email, name, clock.now(), verified=verified)
    if as_json:
        show_json(_document(made))
    else:
        show(f"+ user {made.email}{'' if made.verified else ' (not verified)'}", "green")


@app.command("list")
def list_users(*, database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List every user."""
    from ringback.cli.databases import opened
    from ringback.store.accounts import list_users as every

    with opened(database) as found, found.read() as tx:
        users = every(tx)
    if as_json:
        show_json([_document(user) for user in users])
        return
    rows = [(user.email, user.name, "yes" if user.verified else "no") for user in users]
    show_table(("E-mail", "Name", "Verified"), rows, "There is no user yet.")


@app.command("show")
def show_user(email: Email, *, database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show a user, his roles and teams, and his access tokens."""
    from ringback.cli.databases import opened
    from ringback.services import accounts
    from ringback.store.accounts import list_tokens

    with opened(database) as found, found.read() as tx:
        user = accounts.find_user(tx, email)
        places = accounts.places_of(tx, user)
        tokens = list_tokens(tx, user_id=user.id)
    if as_json:
        about = {subdomain: _place(principal) for subdomain, principal in places.items()}
        shown = [{"id": token.id, "description": token.description, "account": token.account} for token in tokens]
        show_json({**_document(user), "accounts": about, "tokens": shown})
        return
    show(f"{user.email}  {user.name}".rstrip(), "bold")
    show("verified" if user.verified else "not verified")
    rows = [(place, each.role, ", ".join(team.name for team in each.teams)) for place, each in places.items()]
    show()
    show_table(("Account", "Role", "Teams"), rows, "In no account.")
    show()
    show_table(("Access token", "Made in", "Description"), _tokens(tokens), "No access token.")


@app.command("reset-link")
def reset_link(email: Email, *, database: DatabaseUrl = None) -> None:
    """Make a link by which a user chooses a new password: once, within 24 hours."""
    from ringback.cli.databases import opened
    from ringback.services import accounts, people
    from ringback.settings import read_settings
    from ringback.store.people import LinkKind

    secret = entropy.secret_bytes().hex()
    with opened(database) as found, found.write() as tx:
        user = accounts.find_user(tx, email)
        people.make_link(tx, LinkKind.RESET, secret, now=clock.now(), user_id=user.id)
    settings = read_settings(database_url=database)
    url = settings.public_url.rstrip("/") or f"http://{settings.base_domain}:{PORT}"
    show(f"{url}/reset/{secret}", "bold")
    show(f"Give it to {user.email} only: within 24 hours it sets a new password, once, and logs out every browser.")
    if not settings.public_url:
        show("If this server is somewhere else, put its address before /reset; RINGBACK_PUBLIC_URL does it for you.")


@app.command()
def role(
    email: Email,
    *,
    account: InAccount,
    role: Annotated[Role, typer.Option(help="What he is to be there.")],
    database: DatabaseUrl = None,
) -> None:
    """Make a user owner, manager or member of an account."""
    from ringback.cli.databases import opened
    from ringback.services import accounts

    with opened(database) as found, found.write() as tx:
        place, user = accounts.find(tx, account), accounts.find_user(tx, email)
        accounts.set_role(tx, place, user, role)
    show(f"~ account {place.subdomain}: {user.email} is {role.value}", "yellow")


def _document(user: User) -> dict[str, Any]:
    return {"id": user.id, "email": user.email, "name": user.name, "verified": user.verified}


def _place(principal: Principal) -> dict[str, Any]:
    return {"role": principal.role, "teams": [team.name for team in principal.teams]}


def _tokens(tokens: list[TokenRow]) -> list[tuple[str, str, str]]:
    return [(token.id, token.account, token.description) for token in tokens]
