"""Workers killed under load: every delivery owed arrives, and none twice but what was under way at a kill."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.crash.arena import Arena, arena
from tests.crash.post import ALLOWED, Findings, Mailbox, besiege_post, subscribe
from tests.crash.servers import Server
from tests.crash.siege import killing

KILLS = 3


@pytest.fixture
def place(database_url: str) -> Iterator[Arena]:
    with arena(database_url) as made:
        yield made


def siege(place: Arena, servers: int) -> Findings:
    async def run() -> Findings:
        async with Mailbox().open() as mailbox:
            number = subscribe(place, mailbox)
            with ExitStack() as stack:
                made = [stack.enter_context(Server(place.url, settings=ALLOWED)) for _ in range(servers)]
                return await besiege_post(place, mailbox, number, made, [killing(each) for each in made * KILLS])

    return asyncio.run(run())


def test_a_killed_worker_loses_nothing_that_is_owed(place: Arena) -> None:
    found = siege(place, 1)
    assert found.owed > 0
    assert not found, found


def test_neither_do_two_that_share_the_work(place: Arena) -> None:
    found = siege(place, 2)
    assert found.owed > 0
    assert not found, found
