"""The short siege; ``make crash`` is the long one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.crash.servers import Server
from tests.crash.siege import Field, besiege, field, killing, killing_backend, killing_postgres
from tests.postgres import PostgresServer

KILLS = 4


@pytest.fixture
def place(database_url: str) -> Iterator[Field]:
    with field(database_url) as made:
        yield made


def test_a_killed_server_loses_and_doubles_nothing(place: Field) -> None:
    with Server(place.url) as server:
        told = asyncio.run(besiege(place, [server], [killing(server)] * KILLS))
    assert not told.findings
    assert told.row["other answers"] == 0
    assert told.traffic.codes["cut off"] > 0
