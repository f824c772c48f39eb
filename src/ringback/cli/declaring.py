"""``ringback apply``: companies and people from a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringback import clock, entropy
from ringback.cli.options import AsJson, DatabaseUrl
from ringback.cli.printing import show, show_json
from ringback.domain.declared_sending import DeclaredCredential
from ringback.domain.errors import Mistake

if TYPE_CHECKING:
    from ringback.store.engine import Database

STYLES = {"+": "green", "~": "yellow"}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(apply)


def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What is declared, as TOML; - reads standard input.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make companies, people, teams, buyers, offers and postbacks what a file declares; twice changes nothing more."""
    from ringback.domain.declarations import read_declarations
    from ringback.domain.tomltext import SpoiledError
    from ringback.services.secret_key import find_key
    from ringback.services.setup import apply as set_up
    from ringback.settings import read_settings

    text, settings = read_text(file), read_settings(database_url=database)
    try:
        declared = read_declarations(text)
        with _opened(database, dry_run=dry_run) as (found, key_file), found.write() as tx:
            told = set_up(
                tx,
                declared,
                now=clock.now(),
                new_id=entropy.new_id,
                dry_run=dry_run,
                find_seal=lambda: find_key(tx, settings.secret_key, key_file),
                find_secret=_find_secret,
            )
    except SpoiledError as error:
        raise Mistake(f"{file}:{error.line}: {error.reason}") from error
    if as_json:
        show_json({"dry_run": dry_run, "changes": told})
        return
    for line in told:
        show(line, STYLES[line[0]])
    if not told:
        show("Everything is so already; nothing changed.")
    elif dry_run:
        show("That was a dry run; nothing changed.", "bold")


@contextmanager
def _opened(url: str | None, *, dry_run: bool) -> Iterator[tuple[Database, Path | None]]:
    """The database, made if it isn't there, and where its secret key is; a dry run makes neither."""
    from ringback.cli.databases import opened, rehearsed
    from ringback.settings import read_settings

    if dry_run:
        with rehearsed(url) as found:
            yield found
        return
    with opened(url, founds=True) as database:
        yield database, read_settings(database_url=url).key_file


def _find_secret(wanted: DeclaredCredential) -> str:
    """The secret of a credential, from where the file says that it is."""
    from ringback.settings import from_environment

    if wanted.place == "file":
        return read_text(Path(wanted.where)).strip()
    value = from_environment(wanted.where)
    if not value:
        raise wanted.source.refuse(wanted.kind.value, f"the environment has no {wanted.where}")
    return value


def read_text(file: Path) -> str:
    """What a file holds, or standard input where it is called ``-``.

    Raises:
        Mistake: it can't be read.
    """
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Mistake(f"can't read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Mistake(f"can't read {file}: it is not UTF-8 text") from error
