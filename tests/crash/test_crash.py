"""The short siege, and the proof that it would find what it looks for; ``make crash`` is the long one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.crash import planted
from tests.crash.arena import Arena, arena
from tests.crash.servers import Server
from tests.crash.siege import besiege, killing, killing_backend, killing_postgres
from tests.postgres import PostgresServer

KILLS = 4


@pytest.fixture
def place(database_url: str) -> Iterator[Arena]:
    with arena(database_url) as made:
        yield made


@pytest.fixture(scope="module")
def mortal_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL to be killed, which nobody else uses, and which writes a commit to the disk before it says so."""
    with PostgresServer() as server:
        yield server


def test_a_killed_server_loses_and_doubles_nothing(place: Arena) -> None:
    with Server(place.url) as server:
        told = asyncio.run(besiege(place, [server], [killing(server)] * KILLS))
    assert not told.findings
    assert told.unexpected == 0
    assert told.traffic.codes["cut off"] > 0


def test_of_two_servers_a_killed_one_neither_loses_anything_nor_holds_up_the_other(place: Arena) -> None:
    with Server(place.url) as first, Server(place.url) as second:
        told = asyncio.run(besiege(place, [first, second], [killing(first), killing(second)] * (KILLS // 2)))
    assert not told.findings
    assert told.unexpected == 0
    assert not told.traffic.codes["busy"]


def test_a_killed_postgresql_loses_and_doubles_nothing(mortal_postgres: PostgresServer) -> None:
    with (
        arena(mortal_postgres.create_database("besieged")) as place,
        Server(place.url) as first,
        Server(place.url) as second,
    ):
        strikes = [killing_postgres(mortal_postgres), killing_backend(place.url), killing(second)]
        told = asyncio.run(besiege(place, [first, second], strikes))
    assert not told.findings
    assert told.unexpected == 0
    assert told.traffic.codes["busy"] > 0


def test_an_answer_before_the_commit_is_found(place: Arena) -> None:
    with Server(place.url, factory=f"{planted.__name__}:answers_too_early") as server:
        told = asyncio.run(besiege(place, [server], [killing(server)] * KILLS))
    assert told.findings.lost
    assert told.findings.unreceipted
    assert not told.findings.doubled


def test_an_update_done_twice_is_found(place: Arena) -> None:
    with Server(place.url, factory=f"{planted.__name__}:does_twice") as server:
        told = asyncio.run(besiege(place, [server], [killing(server)]))
    assert told.findings.doubled
    assert not told.findings.lost
