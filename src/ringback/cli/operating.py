"""What an operator runs now and then: migrate, config, doctor, recount, healthcheck."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from ringback.cli.options import AsJson, DatabaseUrl, PerhapsInAccount
from ringback.cli.printing import show, show_json, show_table
from ringback.domain.errors import Mistake

HEALTH_URL = "http://127.0.0.1:8080"
READY = 200


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (migrate, config, doctor, recount, healthcheck):
        app.command()(command)


def migrate(database: DatabaseUrl = None) -> None:
    """Bring the schema up to date."""
    from ringback.cli.databases import connect, in_words
    from ringback.settings import read_settings
    from ringback.store.migrate import migrate as bring_up_to_date

    settings = read_settings(database_url=database)
    with in_words(settings), closing(connect(settings)) as found:
        before, after = bring_up_to_date(found)
    show(f"The schema is at revision {after}" + (", as it was." if before == after else "."))


def config(*, database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show every setting, its value and where it comes from."""
    from ringback.settings import Settings, origins, read_settings, without_password

    settings = read_settings(database_url=database)
    places = {**origins(), **({"database_url": "command line"} if database else {})}
    rows = []
    for field, about in Settings.model_fields.items():
        value = str(getattr(settings, field))
        shown = without_password(settings.database) if field == "database_url" else value
        if not about.repr and value:
            shown = "(set)"
        rows.append({"name": f"RINGBACK_{field.upper()}", "value": shown, "from": places[field]})
        rows[-1]["about"] = about.description or ""
    if as_json:
        show_json(rows)
    else:
        show_table(
            ("Setting", "Value", "From", "About"), [list(row.values()) for row in rows], "There are no settings."
        )


def doctor(*, database: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Look whether the database answers, its schema is current, the secret key opens its secrets, and what is in it.

    Exit code 1 if not.
    """
    from ringback.cli.databases import opened
    from ringback.services.secret_key import check_key
    from ringback.settings import read_settings, without_password
    from ringback.store.counts import count_rows

    settings, fault, secrets = read_settings(database_url=database), "", 0
    with opened(database) as found, found.read() as tx:
        counts = count_rows(tx)
        try:
            secrets = check_key(tx, settings.secret_key, settings.key_file)
        except Mistake as mistake:
            fault = str(mistake)
    url = without_password(settings.database)
    if as_json:
        show_json({"database": url, "schema": "current", "secret_key": fault or "right", "counts": counts})
    else:
        show(f"The database {url} answers, and its schema is current.")
        if not fault:
            show(f"The secret key is right: it opens all that is sealed ({secrets}).")
        show_table(("What", "How many"), [(name.replace("_", " "), count) for name, count in counts.items()], "")
    if fault:
        raise Mistake(fault)


def recount(*, account: PerhapsInAccount = None, database: DatabaseUrl = None) -> None:
    """Make the figures that the Overview adds up anew from the calls and receipts, and say which days were wrong.

    They are kept up to date by themselves; this is for when they are doubted. Updates wait while a day is recounted.
    """
    from ringback.cli.databases import opened
    from ringback.services import accounts
    from ringback.services.housekeeping import recount as make_anew
    from ringback.store.accounts import list_accounts
    from ringback.store.recounts import list_days

    with opened(database) as found:
        with found.read() as tx:
            named = [accounts.find(tx, account)] if account else list_accounts(tx)
            days = [(each, day) for each in named for day in list_days(tx, each.id)]
        wrong = 0
        for each, day in days:
            with found.write() as tx:
                if make_anew(tx, each.id, day):
                    wrong += 1
                    show(f"{each.subdomain}: {day:%Y-%m-%d} (UTC) was wrong, and is right now.")
    counted = "1 day was" if len(days) == 1 else f"{len(days)} days were"
    show(f"{counted} recounted; {wrong or 'none'} had been wrong.")


def healthcheck(
    url: Annotated[str, typer.Argument(help="Where the server is.")] = HEALTH_URL,
) -> None:
    """Ask a running server whether it is ready; exit code 1 if not."""
    from ringback.cli.http import HttpError, get

    answer = get(f"{url.rstrip('/')}/readyz")
    if answer.status != READY:
        raise HttpError(f"{url} is not ready: it answers {answer.status}")
    show("ready")
