from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from decimal import Decimal

import pytest

from ringback.domain.calls import Call
from tests.api.rows import ledger_sum
from tests.crash import deadly
from tests.crash.servers import Server
from tests.crash.siege import Field, field
from tests.crash.traffic import CutOffError, Line, Reply

COMMITTED = {"after_the_commit", "before_the_answer"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    url = f"sqlite:///{tmp_path_factory.mktemp('deadly') / 'ringback.sqlite'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").create_database("deadly")
    with field(url) as made:
        yield made


@pytest.fixture(scope="module")
def sound(place: Field) -> Iterator[Server]:
    """A server that lives on."""
    with Server(place.url) as server:
        yield server


def add_one(place: Field, server: Server, call: Call) -> Reply:
    async def post() -> Reply:
        line = Line(server.port, place.world.bob_token.authorization)
        try:
            return await line.post(call.uuid, {"add_revenue": "1.00"}, "the same key")
        finally:
            line.hang_up()

    return asyncio.run(post())


@pytest.mark.parametrize("point", deadly.POINTS)
def test_an_update_counts_once_wherever_its_server_dies(place: Field, sound: Server, point: str) -> None:
    call = place.world.call()
    with Server(place.url, factory=f"{deadly.__name__}:{point}") as server:
        with pytest.raises(CutOffError):
            add_one(place, server, call)
        assert server.wait() == -signal.SIGKILL
    assert place.world.state(call)["revenue"] == (Decimal(1) if point in COMMITTED else None)
    for _ in range(2):
        reply = add_one(place, sound, call)
        assert reply.status == 200
        assert reply.json["changed"] == {"revenue": {"from": None, "to": "1.00"}}
        assert place.world.state(call)["revenue"] == Decimal(1)
    assert reply.headers["idempotent-replayed"] == "true"
    assert ledger_sum(place.world.database, call)["revenue"] == Decimal(1)
