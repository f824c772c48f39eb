"""Servers with a fault planted in them, to show that the harness finds it. Nothing of this is in the program."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace as rewired

from msgspec.structs import replace
from sqlalchemy import Connection

from ringback import clock, entropy
from ringback.app import App, build
from ringback.domain.receipts import Outcome, Update
from ringback.domain.updates import Key
from ringback.intake import Intake
from ringback.settings import read_settings
from ringback.store.engine import Database

BATCHES = 50
"""So many batches are answered before the server that answers too early commits them."""

EVERY = 20
"""Every so manieth update is done again by the server that does them twice."""


def answers_too_early() -> App:
    """A server that answers before the commit: a loss, if it is killed in between."""
    database = _CommitsLater(read_settings().database)
    return planted(database, Intake(database, clock.now, limit=read_settings().queue_limit))


def does_twice() -> App:
    """A server that now and then takes an update for a failed one, and does it again under another receipt and key."""
    database = Database(read_settings().database)
    return planted(database, _Doubles(database, clock.now, limit=read_settings().queue_limit))


def planted(database: Database, intake: Intake) -> App:
    """The application with another database and intake than it would build."""
    app = build(read_settings())
    app.database.close()
    return rewired(app, database=database, intake=intake, updates=rewired(app.updates, submit=intake.submit))


class _CommitsLater(Database):
    """Writes many batches into one transaction."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._open = ExitStack()
        self._connection: Connection | None = None
        self._batches = itertools.count(1)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The transaction of the last batches; committed now and then."""
        self._connection = self._connection or self._open.enter_context(super().write())
        yield self._connection
        if next(self._batches) % BATCHES == 0:
            self._open.close()
            self._connection = None

    def close(self) -> None:
        """Commit what is left."""
        self._open.close()
        super().close()


class _Doubles(Intake):
    """Does some updates twice."""

    _count = itertools.count(1)

    async def submit(self, update: Update) -> Outcome:
        """Have it recorded, and now and then recorded again."""
        outcome = await super().submit(update)
        if next(self._count) % EVERY == 0:
            receipt_id = entropy.new_id()
            reading = replace(update.reading, key=Key.of("Idempotency-Key", receipt_id))
            await super().submit(replace(update, receipt_id=receipt_id, reading=reading))
        return outcome
