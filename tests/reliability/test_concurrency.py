from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest
from sqlalchemy import select

from ringback.domain.calls import Call
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from ringback.store.schema import receipts
from tests.api.rows import ledger_sum
from tests.crash.servers import Server
from tests.live import Live
from tests.reliability.clients import Post, post_together
from tests.world import World, build_world


@dataclass(frozen=True)
class Served:
    """One database with one or several servers on it."""

    world: World
    ports: Sequence[int]

    def results(self, call: Call) -> Counter[str]:
        """How many receipts of a call there are of each kind."""
        statement = select(receipts.c.result).where(receipts.c.call_uuid == call.uuid)
        with self.world.database.read() as tx:
            return Counter(tx.execute(statement).scalars())


@pytest.fixture(params=["sqlite", "postgresql", "sqlite by two servers", "postgresql by two servers"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    kind, *by_two = request.param.split(maxsplit=1)
    if by_two:
        url = request.getfixturevalue(f"{kind}_url")
        database = Database(url)
        migrate(database)
        world = build_world(database)
        with Server(url) as first, Server(url) as second:
            yield Served(world, [first.port, second.port])
        database.close()
    else:
        live: Live = request.getfixturevalue(f"live_on_{kind}")
        yield Served(live.world, [live.port])


def test_a_thousand_additions_at_once_add_up(served: Served) -> None:
    call = served.world.call()
    posts = [Post(call.uuid, {"add_revenue": "1.00"}, f"key {number}") for number in range(1000)]
    replies = post_together(served.ports, served.world.bob_token.authorization, posts)
    assert Counter(reply.status for reply in replies) == {200: 1000}
    assert sorted(Decimal(reply.json["changed"]["revenue"]["to"]) for reply in replies) == list(range(1, 1001))
    assert served.world.state(call)["revenue"] == Decimal("1000.00")
    assert ledger_sum(served.world.database, call)["revenue"] == Decimal("1000.00")
    assert len({reply.json["receipt_id"] for reply in replies}) == 1000
    assert served.results(call) == {"applied": 1000}


def test_fifty_copies_of_one_request_are_one_change_and_one_answer(served: Served) -> None:
    call = served.world.call()
    posts = [Post(call.uuid, {"add_revenue": "1.00"}, "one key")] * 50
    replies = post_together(served.ports, served.world.bob_token.authorization, posts)
    assert [reply.status for reply in replies] == [200] * 50
    assert len({reply.body for reply in replies}) == 1
    assert Counter(reply.headers.get("idempotent-replayed") for reply in replies) == {"true": 49, None: 1}
    assert served.world.state(call)["revenue"] == Decimal("1.00")
    assert ledger_sum(served.world.database, call)["revenue"] == Decimal("1.00")
    assert served.results(call) == {"applied": 1, "replayed": 49}
