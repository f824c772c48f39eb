"""A server as its own process, the cast in its database, and clients at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import copy

import pytest

from ringback.store.engine import Database
from tests.blackbox.clients import Client, Running
from tests.blackbox.stage import Stage
from tests.crash.servers import Server
from tests.world import build_world


@pytest.fixture(scope="session")
def stage(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server for all tests of a run."""
    url = f"sqlite:///{copy(migrated_file, tmp_path_factory.mktemp('blackbox') / 'ringback.sqlite')}"
    database = Database(url)
    world = build_world(database)
    with Server(url, settings={"RINGBACK_WRONG_CREDENTIALS_PER_MINUTE": "1000000"}) as server:
        yield Stage(server.port, world)
    database.close()


@pytest.fixture(scope="session")
def running() -> Iterator[Callable[[Client], Running]]:
    """Clients at work; each is started when it is first asked for."""
    started: dict[str, Running] = {}
    with ExitStack() as clients:

        def run(client: Client) -> Running:
            if client.name not in started:
                started[client.name] = clients.enter_context(Running(client))
            return started[client.name]

        yield run
