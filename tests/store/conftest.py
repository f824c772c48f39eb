"""PostgreSQL alone, for what only it can do: many writers at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringback.store.engine import Database
from ringback.store.migrate import migrate
from tests.world import World, build_world


@pytest.fixture
def postgres(postgresql_url: str) -> Iterator[Database]:
    """A migrated PostgreSQL database of one's own."""
    opened = Database(postgresql_url)
    migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def postgres_world(postgres: Database) -> World:
    """The cast on PostgreSQL."""
    return build_world(postgres)
