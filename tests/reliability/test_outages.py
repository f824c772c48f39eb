"""What a server needs is taken away under load, and given back: it says so, recovers by itself, and loses nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.crash.arena import arena
from tests.crash.disks import Disk, RationedDisk, kinds
from tests.crash.servers import Server
from tests.crash.weather import outage
from tests.postgres import PostgresServer


def test_postgresql_is_stopped_and_started_again() -> None:
    with (
        PostgresServer() as postgres,
        arena(postgres.create_database("stopped")) as place,
        Server(place.url) as server,
    ):
        told = asyncio.run(outage(place, server, postgres.stop, postgres.start))
    assert not told.findings
    assert told.unexpected == 0
    assert told.ready == (200, 503, 200)


@pytest.mark.parametrize("kind", kinds())
def test_the_disk_of_sqlite_is_full_and_has_room_again(kind: type[Disk]) -> None:
    with kind() as disk:
        file = disk.folder / "ringback.sqlite"
        with arena(f"sqlite:///{file}") as place, Server(place.url) as server:
            told = asyncio.run(outage(place, server, lambda: disk.fill(server), lambda: disk.free(server)))
        assert integrity(file) == ["ok"]
    assert not told.findings
    assert told.unexpected == 0


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    with (
        RationedDisk() as disk,
        arena(f"sqlite:///{disk.folder / 'ringback.sqlite'}") as place,
        Server(place.url, log=Path("/dev/full")) as server,
    ):
        told = asyncio.run(outage(place, server, lambda: disk.fill(server), lambda: disk.free(server)))
    assert not told.findings
    assert told.unexpected == 0


def integrity(file: Path) -> list[str]:
    """What SQLite finds wrong with a file."""
    connection = sqlite3.connect(file)
    try:
        return [text for (text,) in connection.execute("PRAGMA integrity_check")]
    finally:
        connection.close()
