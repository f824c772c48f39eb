"""``ringback backup`` and ``restore``: a SQLite database as one file. PostgreSQL has programs of its own for it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringback.cli.options import DatabaseUrl
from ringback.cli.printing import show
from ringback.domain.errors import Mistake

if TYPE_CHECKING:
    from ringback.settings import Settings

DUMP = 'pg_dump --format=custom --file={file} "$RINGBACK_DATABASE_URL"'
UNDUMP = 'pg_restore --exit-on-error --no-owner --dbname="$RINGBACK_DATABASE_URL" {file}'
"""What does it on PostgreSQL."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (backup, restore):
        app.command()(command)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes; there must be no such file.")],
    *,
    database: DatabaseUrl = None,
) -> None:
    """Copy the database into a new file, while it is served; what was answered before is in it.

    The secret key is not in it: keep that somewhere else.
    """
    from ringback.settings import read_settings, without_password

    settings = read_settings(database_url=database)
    source = _database_file(settings, DUMP, file)
    if not source.exists():
        raise Mistake(f"there is no database {without_password(settings.database)}")
    revision = _copy(source, file)
    show(f"{file} holds {source} as it is now: {file.stat().st_size:,} bytes, schema of revision {revision}.")
    if settings.secret_key or (settings.key_file and settings.key_file.exists()):
        key = "RINGBACK_SECRET_KEY" if settings.secret_key else settings.key_file
        show(f"The secret key is not in it. Keep {key} somewhere else: only that opens the credentials in the copy.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What ringback backup wrote.")],
    *,
    database: DatabaseUrl = None,
) -> None:
    """Put a backup where no database is; stop the server first, and move the database that is there away."""
    from ringback.settings import read_settings
    from ringback.store.backups import COMPANIONS, is_in_use

    settings = read_settings(database_url=database)
    target = _database_file(settings, UNDUMP, file)
    if not file.exists():
        raise Mistake(f"there is no file {file}")
    if target.exists() and is_in_use(target):
        raise Mistake(f"a server, or another program, has {target} open; stop it, then move that file away and restore")
    for there in (target, *(target.with_name(target.name + ending) for ending in COMPANIONS)):
        if there.exists():
            raise Mistake(
                f"{there} is there, and nothing is written over: stop the server, move away what begins with {target}, "
                "and keep it until the restored database works"
            )
    settings.make_data_dir()
    revision = _copy(file, target)
    show(f"{target} holds what was in {file}: schema of revision {revision}.")
    for line in _left_to_do(settings):
        show(line)


def _database_file(settings: Settings, otherwise: str, file: Path) -> Path:
    """The file of the database, if it is one."""
    if settings.database_file is None:
        line = otherwise.format(file=shlex.quote(str(file)))
        raise Mistake(f"this copies SQLite databases; PostgreSQL has a program of its own for it: {line}")
    return settings.database_file


def _copy(source: Path, target: Path) -> str:
    """Copy a database of Ringback into a new file; returns the revision of its schema."""
    from ringback.store.backups import copy, revision_of
    from ringback.store.failures import RejectedError
    from ringback.store.migrate import is_known

    with _new(target) as partial:
        try:
            copy(source, partial)
            revision = revision_of(partial)
        except RejectedError as error:
            raise Mistake(f"{source} can't be copied to {target}: {error}") from error
        if revision is None:
            raise Mistake(f"{source} is no database of Ringback")
        if not is_known(revision):
            raise Mistake(f"{source} is of a later version of Ringback (its schema is of revision {revision})")
    return revision


@contextmanager
def _new(file: Path) -> Iterator[Path]:
    """A file that only its owner reads, under another name until it is complete; else nothing is left of it."""
    partial = file.with_name(f"{file.name}.partial")
    try:
        _refuse_to_replace(file)
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise Mistake(
            f"{partial} is there: either it is being written now, or that was cut off; remove it then, and try again"
        ) from error
    except OSError as error:
        raise Mistake(f"{partial} can't be made: {error.strerror}") from error
    try:
        yield partial
        _refuse_to_replace(file)
        partial.rename(file)
        _sync(file.parent)
    finally:
        partial.unlink(missing_ok=True)


def _refuse_to_replace(file: Path) -> None:
    if file.exists():
        raise Mistake(f"{file} is there already, and is not written over; name a new file")


def _sync(folder: Path) -> None:
    """Have the names of files in a folder on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _left_to_do(settings: Settings) -> Iterator[str]:
    """What has to be done before a restored database is served as before."""
    from ringback.cli.databases import connect
    from ringback.services.secret_key import FINGERPRINT, find_key
    from ringback.store import installation
    from ringback.store.migrate import is_current

    with closing(connect(settings)) as database:
        if not is_current(database):
            yield "It is of an earlier version: ringback migrate brings it up to date, and so does ringback serve."
            return
        with database.write() as tx:
            if installation.find(tx, FINGERPRINT) is not None:
                try:
                    find_key(tx, settings.secret_key, settings.key_file)
                except Mistake as missing:
                    yield f"Before it is served: {missing}."
    yield "Was a person erased since the backup? Erase again: ringback erase-again sqlite:///THE-DATABASE-MOVED-AWAY"
