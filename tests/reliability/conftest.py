"""Servers on one kind of database, for what only that kind can do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringback.app import build
from ringback.settings import read_settings
from tests.live import Live, running
from tests.world import build_world


@pytest.fixture
def live_on_postgresql(postgresql_url: str) -> Iterator[Live]:
    """A running server on PostgreSQL."""
    app = build(read_settings(database_url=postgresql_url))
    with running(app, build_world(app.database)) as server:
        yield server


@pytest.fixture
def live_on_sqlite(sqlite_url: str) -> Iterator[Live]:
    """A running server on SQLite."""
    app = build(read_settings(database_url=sqlite_url))
    with running(app, build_world(app.database)) as server:
        yield server
