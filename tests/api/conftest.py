"""One server for all tests of a module: a table of a hundred requests needs no hundred databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringback.app import build
from ringback.settings import read_settings
from ringback.store import accounts, teams
from tests.api.listing import Stock, fill
from tests.live import Live, running
from tests.world import EVERY_RIGHT, build_world


@pytest.fixture(scope="module")
def served(shared_database_url: str) -> Iterator[Live]:
    """A server for all tests of a module. A bare host means Acme, and nobody is throttled."""
    settings = read_settings(
        database_url=shared_database_url, default_account="acme", wrong_credentials_per_minute=1_000_000
    )
    app = build(settings)
    with running(app, build_world(app.database)) as server:
        yield server


@pytest.fixture
def stage(served: Live) -> Live:
    """The server of the module, with Bob's team as it was at first, whatever the test before did to it."""
    world = served.world
    with world.database.write() as tx:
        accounts.change_account(tx, world.acme, reads_auth_token=True, keeps_unknown_fields=False)
        teams.set_users(tx, world.acme, world.team, [world.bob])
        teams.set_buyers(tx, world.acme, world.team, [world.bright])
        teams.set_rights(tx, world.acme, world.team, EVERY_RIGHT)
        teams.change(tx, world.acme, world.team, developer_api=True)
    return served


@pytest.fixture(scope="module")
def stock(served: Live) -> Stock:
    """Calls to be listed; tests that record further ones have a server of their own."""
    return fill(served)


@pytest.fixture
def recording(stage: Live) -> Iterator[Live]:
    """The stage, with Bob's team having the right to record calls."""
    world = stage.world
    with world.database.write() as tx:
        teams.change(tx, world.acme, world.team, records_calls=True)
    yield stage
    with world.database.write() as tx:
        teams.change(tx, world.acme, world.team, records_calls=False)
