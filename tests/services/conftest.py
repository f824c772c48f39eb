"""What tests of services can ask for: five weeks of an account's life."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection

from ringback.cli import samples
from ringback.cli.samples import Samples
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from tests.cli.test_samples import NOW


@dataclass(frozen=True)
class Weeks:
    """A database with the samples of the demo in it."""

    database: Database
    samples: Samples


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def weeks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weeks]:
    """Five weeks on each kind of database in turn; whoever changes them undoes that again."""
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    file = tmp_path_factory.mktemp("weeks") / "ringback.sqlite"
    database = Database(server.create_database("weeks") if server else f"sqlite:///{file}")
    migrate(database)
    with database.write() as tx:
        filled = samples.fill(tx, NOW)
    yield Weeks(database, filled)
    database.close()
    if server:
        server.drop_database("weeks")


@pytest.fixture
def tx(weeks: Weeks) -> Iterator[Connection]:
    """A transaction on them that is undone at the end."""
    with weeks.database.write() as transaction:
        savepoint = transaction.begin_nested()
        yield transaction
        savepoint.rollback()
