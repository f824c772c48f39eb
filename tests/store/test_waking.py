"""Whoever waits for what is due hears of it with the commit, not before, and not of what was rolled back."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import text

from ringback.store import waking
from ringback.store.engine import Database

PATIENCE_SECONDS = 20

Heard = queue.Queue[str]


@pytest.fixture
def heard(database: Database) -> Iterator[Heard]:
    """What a listener hears; it has begun."""
    found: Heard = queue.Queue()
    other = database if database.is_sqlite else Database(database.url.render_as_string(hide_password=False))
    with waking.listening(other, lambda: found.put("heard")):
        if not database.is_sqlite:
            found.get(timeout=PATIENCE_SECONDS)  # that it begins
        yield found
    other.close()


def test_a_commit_is_heard(database: Database, heard: Heard) -> None:
    with database.write() as tx:
        waking.announce(tx)
        assert heard.empty()
    assert heard.get(timeout=PATIENCE_SECONDS) == "heard"


def test_what_is_rolled_back_or_says_nothing_is_not_heard(database: Database, heard: Heard) -> None:
    with suppress(ZeroDivisionError), database.write() as tx:
        waking.announce(tx)
        raise ZeroDivisionError
    with database.write() as tx:
        tx.execute(text("SELECT 1"))
    with database.write() as tx:
        waking.announce(tx)
    assert heard.get(timeout=PATIENCE_SECONDS) == "heard"
    assert heard.empty()


def test_a_listener_whose_connection_is_lost_listens_again(postgres: Database) -> None:
    found: Heard = queue.Queue()
    with waking.listening(postgres, lambda: found.put("heard")):
        found.get(timeout=PATIENCE_SECONDS)
        with postgres.write() as tx:
            assert tx.execute(_CUT_OFF).scalars().all() == [True]
        found.get(timeout=PATIENCE_SECONDS)  # that it begins again
        with postgres.write() as tx:
            waking.announce(tx)
        assert found.get(timeout=PATIENCE_SECONDS) == "heard"


_CUT_OFF = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
)
