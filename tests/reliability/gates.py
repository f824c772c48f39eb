"""Gates: a database in which nothing can be written for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ringback.store.engine import Database
from tests.reliability.others import another, hold_table


@contextmanager
def shut(database: Database) -> Iterator[None]:
    """Let nobody write; who tries waits, for some seconds at least."""
    if database.is_sqlite:
        with database.write():
            yield
    else:
        with another(database.url.set(drivername="postgresql").render_as_string(hide_password=False)) as other:
            hold_table(other, "receipts")
            yield
