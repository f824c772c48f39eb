"""The database that a command works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ringback.domain.errors import Mistake
from ringback.settings import Settings, read_settings, without_password
from ringback.store.engine import Database
from ringback.store.failures import StoreError
from ringback.store.migrate import is_current, migrate


@contextmanager
def opened(url: str | None, *, founds: bool = False) -> Iterator[Database]:
    """The database of this URL, else of the settings, with its schema up to date; closed at the end.

    Args:
        url: what stands after ``--database``.
        founds: the command may be the first of an installation: a database that isn't there is made, an old schema
            brought up to date, unless the settings leave that to ``ringback migrate``.

    Raises:
        Mistake: there is no such database, its schema is old, or it doesn't do what it is asked.
    """
    settings = read_settings(database_url=url)
    founds = founds and settings.auto_migrate
    shown = without_password(settings.database)
    if not founds and settings.database_file is not None and not settings.database_file.exists():
        raise Mistake(f"there is no database {shown}; make it: ringback migrate")
    with in_words(settings), closing(connect(settings)) as database:
        if founds:
            migrate(database)
        elif not is_current(database):
            raise Mistake(f"the schema of {shown} is not that of this version; bring it up to date: ringback migrate")
        yield database


@contextmanager
def rehearsed(url: str | None) -> Iterator[tuple[Database, Path | None]]:
    """The same for what changes nothing, and where its secret key is.

    In place of a SQLite file that isn't there yet, and would be made, stands an empty one that is gone at the end.
    """
    settings = read_settings(database_url=url)
    if settings.database_file is None or settings.database_file.exists() or not settings.auto_migrate:
        with opened(url) as database:
            yield database, settings.key_file
        return
    with TemporaryDirectory(prefix="ringback-") as folder:
        empty = f"sqlite:///{Path(folder) / 'empty.db'}"
        with opened(empty, founds=True) as database:
            yield database, Path(folder) / "secret.key"


def connect(settings: Settings) -> Database:
    """The database of these settings, whatever its schema."""
    settings.make_data_dir()
    return Database(settings.database)


@contextmanager
def in_words(settings: Settings) -> Iterator[None]:
    """Failures of the database, told with its name."""
    try:
        yield
    except StoreError as error:
        raise Mistake(f"{without_password(settings.database)}: {error}") from error
