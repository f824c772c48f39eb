"""Calls that were recorded at the same time are listed in the order in which they were there."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import text

from ringback import entropy
from ringback.app import build
from ringback.domain.decisions import CallRef, RefKind
from ringback.settings import read_settings
from ringback.store import calls
from ringback.store.engine import Database
from tests.api.calling import record
from tests.api.listing import alone, ids
from tests.live import Live, running
from tests.world import build_world


@pytest.fixture
def served(migrated_postgresql_url: str) -> Iterator[Live]:
    app = build(read_settings(database_url=migrated_postgresql_url))
    with running(app, build_world(app.database)) as live:
        yield live


def until_somebody_waits(database: Database) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    until = monotonic() + 30
    while True:
        with database.read() as tx:
            if tx.execute(waiting).scalar_one():
                return
        assert monotonic() < until, "nobody waits"
        sleep(0.01)


def test_a_recording_that_waited_comes_after_what_was_recorded_meanwhile(served: Live) -> None:
    world, stock, uuid = served.world, alone(served), entropy.new_call_uuid()
    record(served)

    def page(cursor: int) -> Any:  # noqa: ANN401 - a document
        return stock.get("/calls", stock.owner, cursor=cursor, order_dir="asc", per_page=2).json

    with ThreadPoolExecutor() as pool:
        with world.database.write() as tx:
            calls.lock(tx, [(world.acme, CallRef(RefKind.UUID, uuid))])
            waiting = pool.submit(record, served, {"caller_number": "+17195550123", "uuid": uuid})
            until_somebody_waits(world.database)
            record(served)
            record(served)
            listed = page(-1)
        late = waiting.result().json["call"]
    record(served)
    seen = ids(listed["calls"])
    while cursor := listed["metadata"]["next_cursor"]:
        listed = page(cursor)
        seen += ids(listed["calls"])
    assert seen == [1, 2, 3, late["id"], 5]
    assert late["updated_at"] >= late["created_at"]
