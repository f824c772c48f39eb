from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from decimal import Decimal

import pytest

from ringback.domain.calls import Call
from tests.api.rows import ledger_sum
from tests.crash import deadly
from tests.crash.arena import Arena, arena
from tests.crash.servers import Server
from tests.crash.traffic import CutOffError, Line, Reply

COMMITTED = {"after_the_commit", "before_the_answer"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    url = f"sqlite:///{tmp_path_factory.mktemp('deadly') / 'ringback.sqlite'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create_database("deadly")
    with arena(url) as made:
        yield made


@pytest.fixture(scope="module")
def sound(place: Arena) -> Iterator[Server]:
    """A server that lives on."""
    with Server(place.url) as server:
        yield server


def add_one(place: Arena, server: Server, call: Call) -> Reply:
    async def post() -> Reply:
        line = Line(server.port, place.world.bob_token.authorization)
        try:
            return await line.post(call.uuid, {"add_revenue": "1.00"}, "the same key")
        finally:
            line.hang_up()

    return asyncio.run(post())


@pytest.mark.parametrize("point", deadly.POINTS)
def test_an_update_counts_once_wherever_its_server_dies(place: Arena, sound: Server, point: str) -> None:
    call = place.world.call()
    with Server(place.url, factory=f"{deadly.__name__}:{point}") as server:
        with pytest.raises(CutOffError):
            add_one(place, server, call)
        assert server.wait() == -signal.SIGKILL
    assert place.world.state(call)["revenue"] == (Decimal(1) if point in COMMITTED else None)
    replies = [add_one(place, sound, call) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 200]
    assert replies[0].body == replies[1].body
    assert replies[0].json["changed"] == {"revenue": {"from": None, "to": "1.00"}}
    assert ["idempotent-replayed" in reply.headers for reply in replies] == [point in COMMITTED, True]
    assert place.world.state(call)["revenue"] == Decimal(1)
    assert ledger_sum(place.world.database, call)["revenue"] == Decimal(1)
