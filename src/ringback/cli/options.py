"""The options that commands share."""

from __future__ import annotations

from typing import Annotated

import typer

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database", metavar="URL", help="sqlite:///file or postgresql://…; default: the setting RINGBACK_DATABASE_URL"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
InAccount = Annotated[str, typer.Option("--account", metavar="SUB", help="Subdomain of the account.")]
PerhapsInAccount = Annotated[
    str | None, typer.Option("--account", metavar="SUB", help="Subdomain of the account; default: whichever has it.")
]
