"""``ringback token``: access tokens. Their secrets are shown once."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringback import clock, entropy
from ringback.cli.options import AsJson, DatabaseUrl, InAccount
from ringback.cli.printing import show, show_json, show_table
from ringback.domain.access import AccessType
from ringback.domain.errors import Mistake

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from ringback.services.tokens import NewToken
    from ringback.store.accounts import TokenRow

app = typer.Typer(name="token", help="Access tokens. Their secrets are shown once.")


class Kind(StrEnum):
    """A pair of keys from "API & Access Tokens", or one value from "Developer Access Tokens"."""

    BASIC = "basic"
    DEVELOPER = "developer"


TokenId = Annotated[str, typer.Argument(metavar="ID", help="Id of the token; ringback token list shows it.")]


@app.command()
def create(  # noqa: PLR0913 - the options of a token
    *,
    email: Annotated[str, typer.Option(metavar="EMAIL", help="Whose token it is.")],
    account: InAccount,
    description: Annotated[str, typer.Option(help="What it is for.")],
    kind: Annotated[Kind, typer.Option(help="A pair for Basic, or one value for Token.")] = Kind.BASIC,
    access_type: Annotated[AccessType, typer.Option(help="What it may be used for.")] = AccessType.CALLS,
    expires_in: Annotated[int | None, typer.Option(min=1, metavar="DAYS", help="Default: never.")] = None,
    allow_ip: Annotated[list[str] | None, typer.Option(metavar="CIDR", help="From where; repeatable.")] = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make an access token."""
    from ringback.cli.databases import opened
    from ringback.services import accounts, tokens
    from ringback.services.tokens import TokenForm

    now = clock.now()
    with opened(database) as found, found.write() as tx:
        form = TokenForm(
            user_id=accounts.find_user(tx, email).id,
            account_id=accounts.find(tx, account).id,
            description=description,
            kind=kind.value,
            access_type=access_type,
            expires_at=None if expires_in is None else now + timedelta(days=expires_in),
            networks=[_network(each) for each in allow_ip or ()],
        )
        made = tokens.create(tx, form, token_id=entropy.new_id(), random=_random(), now=now)
    _show_new(made, as_json=as_json)


@app.command("list")
def list_tokens(
    *,
    email: Annotated[str | None, typer.Option(metavar="EMAIL", help="Only this user's.")] = None,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List access tokens, without their secrets."""
    from ringback.cli.databases import opened
    from ringback.services import accounts
    from ringback.store.accounts import list_tokens as every

    with opened(database) as found, found.read() as tx:
        rows = every(tx, user_id=accounts.find_user(tx, email).id if email else None)
    if as_json:
        show_json([_document(row) for row in rows])
        return
    now = clock.now()
    table = [
        (row.id, row.user, row.account, row.kind, row.access_type.label, row.description, _state(row, now))
        for row in rows
    ]
    columns = ("Id", "User", "Made in", "Kind", "Access type", "Description", "State")
    show_table(columns, table, "There is no access token.")


@app.command()
def rotate(
    token_id: TokenId,
    *,
    overlap: Annotated[int, typer.Option(min=0, metavar="HOURS", help="How long the old one goes on working.")] = 24,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make the successor of an access token."""
    from ringback.cli.databases import opened
    from ringback.services import tokens

    with opened(database) as found, found.write() as tx:
        old = _find(tx, token_id)
        if old.revoked_at is not None:
            raise Mistake(f"the access token {token_id} was revoked; make a new one: ringback token create")
        made = tokens.rotate(
            tx, old, token_id=entropy.new_id(), random=_random(), overlap=timedelta(hours=overlap), now=clock.now()
        )
        until = _find(tx, token_id).expires_at
    _show_new(made, as_json=as_json)
    if not as_json and until is not None:
        show(f"The old one works until {_utc(until)}." if until > clock.now() else "The old one works no longer.")


@app.command()
def revoke(token_id: TokenId, *, database: DatabaseUrl = None) -> None:
    """End an access token at once."""
    from ringback.cli.databases import opened
    from ringback.services import tokens

    with opened(database) as found, found.write() as tx:
        token = _find(tx, token_id)
        if token.revoked_at is None:
            tokens.revoke(tx, token.id, clock.now())
    show(f"The access token {token.description} of {token.user} is revoked.")


def _find(tx: Connection, token_id: str) -> TokenRow:
    from ringback.domain.decisions import read_uuid
    from ringback.store.accounts import list_tokens as matching

    uuid = read_uuid(token_id)
    found = matching(tx, token_id=uuid) if uuid else []
    if not found:
        raise Mistake(f"there is no access token {token_id}")
    return found[0]


def _random() -> tuple[bytes, bytes]:
    return entropy.secret_bytes(), entropy.secret_bytes()


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError as error:
        raise Mistake(f"--allow-ip: {error}") from error


def _show_new(made: NewToken, *, as_json: bool) -> None:
    names = ("public_key", "private_key", "basic") if made.token is None else ("token",)
    if as_json:
        show_json({"id": made.id, **{name: getattr(made, name) for name in names}})
        return
    show(f"id           {made.id}")
    for name in names:
        show(f"{name.replace('_', ' '):12} {getattr(made, name)}", "bold")
    show(f"\nSend it as   Authorization: {made.authorization}")
    show("Keep it now: it is not shown again.", "yellow")


def _document(row: TokenRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "user": row.user,
        "account": row.account,
        "kind": row.kind,
        "public_key": row.handle if row.kind == Kind.BASIC else None,
        "description": row.description,
        "access_type": row.access_type,
        "allow_ip": list(row.networks),
        **{name: _iso(getattr(row, name)) for name in ("created_at", "expires_at", "revoked_at", "last_used_at")},
        "last_used_ip": row.last_used_ip,
    }


def _state(row: TokenRow, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    used = f"used {_utc(row.last_used_at)}" if row.last_used_at else "never used"
    return f"{used}, until {_utc(row.expires_at)}" if row.expires_at else used


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
