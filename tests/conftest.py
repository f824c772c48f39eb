"""What every test can ask for: a fresh database of either kind, and Hypothesis tamed."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from hypothesis import HealthCheck, settings

from ringback.app import build
from ringback.services import passwords
from ringback.settings import read_settings
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from tests.live import Live, running
from tests.postgres import PostgresMissingError, PostgresServer
from tests.world import World, build_world

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.register_profile(
    "fuzz", deadline=None, max_examples=20_000, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# PostgreSQL wants one that is set; it is of no other use than these tests.
os.environ.setdefault("RINGBACK_SECRET_KEY", "cmluZ2JhY2stdGVzdHMtb25seS1zZWNyZXQta2V5ISE=")

# A password takes a sixth of a second on purpose; not in this process. How the program keeps them is what
# tests/services/test_passwords.py looks at.
passwords._hasher = PasswordHasher.from_parameters(CHEAPEST)  # noqa: SLF001

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL, one for each worker; made in under a second when a test first asks for it."""
    try:
        server = PostgresServer(durable=False)
    except PostgresMissingError as missing:
        pytest.fail(str(missing), pytrace=False)
    with server:
        yield server


@pytest.fixture
def postgresql_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty PostgreSQL database of one's own."""
    name = f"test_{next(_numbers)}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An empty SQLite database of one's own."""
    return f"sqlite:///{tmp_path / 'ringback.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of one's own, of each kind in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with nothing but the schema in it, to be copied: a tenth of the time that migrating takes."""
    file = tmp_path_factory.mktemp("migrated") / "ringback.sqlite"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_name(postgres_server: PostgresServer) -> str:
    """The same on PostgreSQL: the name of a database."""
    _migrate(postgres_server.create_database("migrated"))
    return "migrated"


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()


@pytest.fixture
def migrated_sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of one's own."""
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'migrated.sqlite')}"


@pytest.fixture
def migrated_postgresql_url(postgres_server: PostgresServer, migrated_name: str) -> Iterator[str]:
    """A migrated PostgreSQL database of one's own."""
    name = f"test_{next(_numbers)}"
    yield postgres_server.create_database(name, migrated_name)
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of one's own, of each kind in turn."""
    url: str = request.getfixturevalue(f"migrated_{request.param}_url")
    return url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty database for all tests of a module, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('shared') / 'ringback.sqlite'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database(f"shared_{next(_numbers)}")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of one's own, of each kind in turn."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def world(database: Database) -> World:
    """Acme and Zeta with their people, on each kind of database in turn."""
    return build_world(database)


@pytest.fixture
def postgres(migrated_postgresql_url: str) -> Iterator[Database]:
    """A migrated PostgreSQL database of one's own, for what only it can do: many writers at once."""
    opened = Database(migrated_postgresql_url)
    yield opened
    opened.close()


@pytest.fixture
def postgres_world(postgres: Database) -> World:
    """The cast on PostgreSQL."""
    return build_world(postgres)


@pytest.fixture
def live(database_url: str) -> Iterator[Live]:
    """A running server on each kind of database in turn."""
    app = build(read_settings(database_url=database_url))
    with running(app, build_world(app.database)) as server:
        yield server
