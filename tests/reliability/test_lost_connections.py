"""Connections to PostgreSQL that end at the worst moment: nothing is done twice, and nobody is told an untruth."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal

import pytest

from ringback.app import build
from ringback.domain.calls import Call
from ringback.settings import read_settings
from tests.api.rows import ledger_sum
from tests.live import Live, Reply, running
from tests.reliability.clients import wait_until
from tests.reliability.others import Other, another, hold_commits, hold_table, wait_for_waiting
from tests.reliability.wire import Wire, wired
from tests.world import build_world

Wired = tuple[Live, Wire]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.fixture
def on_a_wire(postgresql_url: str) -> Iterator[Wired]:
    """A server whose connections to PostgreSQL can be cut."""
    with wired(postgresql_url) as wire:
        app = build(read_settings(database_url=wire.url))
        with running(app, build_world(app.database)) as live:
            yield live, wire


def add_one(threads: ThreadPoolExecutor, live: Live, call: Call, key: str | None = None) -> Future[Reply]:
    headers = {} if key is None else {"Idempotency-Key": key}
    auth = live.world.bob_token.authorization
    return threads.submit(live.update, call.uuid, {"add_revenue": "1.00"}, auth=auth, headers=headers)


def check_added_once(live: Live, call: Call, reply: Reply) -> None:
    assert reply.status == 200
    assert reply.json["changed"] == {"revenue": {"from": None, "to": "1.00"}}
    assert reply.json["warnings"] == []
    assert live.world.state(call)["revenue"] == Decimal(1)
    assert ledger_sum(live.world.database, call)["revenue"] == Decimal(1)


def terminate(other: Other, pid: int) -> None:
    other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def test_in_the_middle_of_the_transaction(
    live_on_postgresql: Live, postgresql_url: str, threads: ThreadPoolExecutor
) -> None:
    live, call = live_on_postgresql, live_on_postgresql.world.call()
    with another(postgresql_url) as other:
        hold_table(other, "receipts")
        update = add_one(threads, live, call)
        terminate(other, wait_for_waiting(other, "WITH part_0 AS (UPDATE calls %"))
    check_added_once(live, call, update.result())


def test_during_the_commit_which_is_not_made(
    live_on_postgresql: Live, postgresql_url: str, threads: ThreadPoolExecutor
) -> None:
    live, call = live_on_postgresql, live_on_postgresql.world.call()
    with another(postgresql_url) as other:
        hold_commits(other)
        update = add_one(threads, live, call)
        first = wait_for_waiting(other, "COMMIT")
        terminate(other, first)
        wait_until(lambda: wait_for_waiting(other, "COMMIT") != first)
    check_added_once(live, call, update.result())


def test_during_the_commit_which_is_made_at_once(
    on_a_wire: Wired, postgresql_url: str, threads: ThreadPoolExecutor
) -> None:
    live, wire = on_a_wire
    call = live.world.call()
    with another(postgresql_url) as other:
        hold_commits(other)
        update = add_one(threads, live, call)
        wait_for_waiting(other, "COMMIT")
        wire.cut()
    check_added_once(live, call, update.result())


def test_during_the_commit_which_is_made_after_the_server_took_it_for_lost(
    on_a_wire: Wired, postgresql_url: str, threads: ThreadPoolExecutor
) -> None:
    live, wire = on_a_wire
    call = live.world.call()
    with another(postgresql_url) as other:
        hold_commits(other)
        update = add_one(threads, live, call)
        wait_for_waiting(other, "COMMIT")
        wire.cut()
        # What changes nothing passes the gate; it is answered when the first try is over.
        denied = live.update(call.uuid, {"add_revenue": "1.00"}, auth="Token wrong")
        assert denied.status == 401
        assert not update.done()
    check_added_once(live, call, update.result())


def test_during_the_commit_and_the_database_stays_away(
    on_a_wire: Wired, postgresql_url: str, threads: ThreadPoolExecutor
) -> None:
    live, wire = on_a_wire
    call = live.world.call()
    with another(postgresql_url) as other:
        hold_commits(other)
        update = add_one(threads, live, call, key="a key")
        wait_for_waiting(other, "COMMIT")
        wire.cut(stays_down=True)
        reply = update.result()
        assert (reply.status, reply.json["code"], reply.headers["retry-after"]) == (503, "unconfirmed", "1")
    wire.mend()
    again = add_one(threads, live, call, key="a key").result()
    assert again.headers["idempotent-replayed"] == "true"
    check_added_once(live, call, again)
