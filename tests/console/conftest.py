"""The visitors of the console."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringback import clock
from ringback.app import build
from ringback.domain.access import Role
from ringback.settings import read_settings
from ringback.store import accounts
from tests.console.stock import Stock, stock
from tests.console.visitor import Visitor, visiting
from tests.live import Live, running
from tests.world import build_world


@pytest.fixture
def ada(live: Live) -> Visitor:
    """Ada, who owns Acme."""
    return visiting(live, live.world.ada)


@pytest.fixture
def bob(live: Live) -> Visitor:
    """Bob, on a team of Acme's that sees Bright's calls."""
    return visiting(live, live.world.bob)


@pytest.fixture
def charlie(live: Live) -> Visitor:
    """Charlie, who owns another company."""
    return visiting(live, live.world.charlie)


@pytest.fixture
def meg(live: Live) -> Visitor:
    """Meg, who manages Acme."""
    with live.world.database.write() as tx:
        user = accounts.add_user(tx, "meg@acme.example", "Meg", clock.now(), verified=True)
        accounts.set_role(tx, live.world.acme, user, Role.MANAGER)
    return visiting(live, user)


@pytest.fixture(scope="module")
def acme(shared_database_url: str) -> Iterator[Stock]:
    """A server with one of everything, for all tests of the module."""
    app = build(read_settings(database_url=shared_database_url, wrong_credentials_per_minute=1_000_000))
    with running(app, build_world(app.database)) as live:
        yield stock(live)
