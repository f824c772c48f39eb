"""Servers that kill themselves at one exact step of the way of an update, or of a delivery."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, select

from ringback import clock
from ringback.app import App, build
from ringback.domain.deliveries import State
from ringback.domain.receipts import Outcome, Update
from ringback.intake import Intake
from ringback.settings import read_settings
from ringback.store.engine import Database
from ringback.store.sending_schema import deliveries
from tests.crash.planted import planted

POINTS = ("before_the_transaction", "before_the_commit", "after_the_commit", "before_the_answer")
"""The steps of an update; each is the name of a factory below."""

POSTAL_POINTS = (
    "before_the_claim_is_committed",
    "after_the_claim_is_committed",
    "before_the_end_is_committed",
    "after_the_end_is_committed",
)
"""Those of a delivery."""


def before_the_transaction() -> App:
    """Dies with the update in its queue."""
    return _dying("before_the_transaction")


def before_the_commit() -> App:
    """Dies with everything written and nothing committed."""
    return _dying("before_the_commit")


def after_the_commit() -> App:
    """Dies in the thread that has committed, before the loop knows."""
    return _dying("after_the_commit")


def before_the_answer() -> App:
    """Dies when the answer would be written."""
    return _dying("before_the_answer")


def before_the_claim_is_committed() -> App:
    """Dies with a delivery claimed, and that not committed."""
    return _dying_worker("before_the_claim_is_committed")


def after_the_claim_is_committed() -> App:
    """Dies with a delivery claimed, and not sent."""
    return _dying_worker("after_the_claim_is_committed")


def before_the_end_is_committed() -> App:
    """Dies with a delivery sent and answered, and that not committed."""
    return _dying_worker("before_the_end_is_committed")


def after_the_end_is_committed() -> App:
    """Dies with everything done, before its worker knows."""
    return _dying_worker("after_the_end_is_committed")


def _dying_worker(point: str) -> App:
    app = build(read_settings())
    return replace(app, worker_tools=replace(app.worker_tools, database=_Queue(read_settings().database, point)))


def _dying(point: str) -> App:
    database = _Database(read_settings().database, point)
    return planted(database, _Intake(database, point))


def _reach(here: str, point: str) -> None:
    if here == point:
        os.kill(os.getpid(), signal.SIGKILL)


class _Database(Database):
    def __init__(self, url: str, point: str) -> None:
        super().__init__(url)
        self._point = point

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction with a death in it."""
        _reach("before_the_transaction", self._point)
        with super().write() as connection:
            yield connection
            _reach("before_the_commit", self._point)
        _reach("after_the_commit", self._point)


class _Queue(Database):
    def __init__(self, url: str, point: str) -> None:
        super().__init__(url)
        self._point = point

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A turn of the worker with a death in it."""
        with super().write() as connection:
            yield connection
            done = _done(connection)
            _reach(f"before_the_{done}_is_committed", self._point)
        _reach(f"after_the_{done}_is_committed", self._point)


def _done(connection: Connection) -> str:
    """What has become of the only delivery there is."""
    state = connection.execute(select(deliveries.c.state)).scalar()
    return {State.SENDING: "claim", State.DELIVERED: "end"}.get(State(state), "nothing") if state else "nothing"


class _Intake(Intake):
    def __init__(self, database: Database, point: str) -> None:
        super().__init__(database, clock.now, limit=10)
        self._point = point

    async def submit(self, update: Update) -> Outcome:
        """Have it recorded, and die."""
        outcome = await super().submit(update)
        _reach("before_the_answer", self._point)
        return outcome
