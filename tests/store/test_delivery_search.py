"""Deliveries as lists find them, by every mix of filters, and as many are sent again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, event

from ringback import clock, entropy
from ringback.domain.deliveries import State
from ringback.domain.postbacks import Definition, Trigger
from ringback.services import postbacks
from ringback.services.postbacks import PostbackForm
from ringback.store import deliveries as queue
from ringback.store import delivery_search, repeats
from ringback.store.deliveries import NewDelivery, Request
from ringback.store.delivery_search import Listed, Wanted
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from ringback.store.sending_schema import deliveries
from tests.services.acting import actor
from tests.world import World, build_world

HOSTS = ("a.example", "b.example")
STATES = (State.FAILED, State.HELD, State.DELIVERED)


@pytest.fixture
def stocked(world: World) -> list[Listed]:
    """A delivery of every kind there is, and one of another account; the newest first."""
    return _stock(world)


@pytest.fixture
def world_on_sqlite(sqlite_url: str) -> Iterator[World]:
    """SQLite says how it carries a statement out, however small its tables are."""
    database = Database(sqlite_url)
    migrate(database)
    yield build_world(database)
    database.close()


def _stock(world: World) -> list[Listed]:
    calls = [world.call() for _ in range(2)]
    with world.database.write() as tx:
        definition = Definition("POST", "https://a.example", body_kind="none")
        ada = actor(tx, world.acme, world.ada)
        forms = [PostbackForm(name, Trigger.CALL_ENDED, definition) for name in ("One", "Two")]
        numbers = [postbacks.create(tx, ada, form).id for form in forms]
        for state, rule, host, call, is_test in product(STATES, numbers, HOSTS, calls, (False, True)):
            add(tx, world.acme, rule, call.uuid, state, host=host, is_test=is_test)
        add(tx, world.zeta, 1, calls[0].uuid, State.FAILED)
        tx.execute(deliveries.update().where(deliveries.c.state == "delivered").values(differs=True))
    return _list(world, Wanted())


def add(tx: Connection, account: int, rule: int, call: str, state: State, **values: Any) -> str:  # noqa: ANN401
    made = NewDelivery(
        **{
            "account_id": account,
            "id": entropy.new_id(),
            "postback_id": rule,
            "version": 1,
            "trigger": "call_ended",
            "call_uuid": call,
            "seq": 1,
            "receipt_id": None,
            "host": "a.example",
            "hops": 0,
            "created_at": clock.now(),
            "due_at": None,
            "request": Request("POST", "https://a.example"),
            "state": state,
            **values,
        }
    )
    queue.add(tx, [made])
    return made.id


def _list(world: World, wanted: Wanted, before: str | None = None, limit: int = 1_000) -> list[Listed]:
    with world.database.read() as tx:
        return list(delivery_search.list_page(tx, world.acme, wanted, before=before, limit=limit).lines)


def every_mix(stocked: list[Listed]) -> Iterator[Wanted]:
    calls = sorted({each.call_uuid for each in stocked})
    kinds = ((None, State.FAILED), (None, 1), (None, "a.example"), (None, calls[0]), (False, True), (None, False, True))
    for mix in product(*kinds):
        yield Wanted(*mix)


def is_wanted(each: Listed, wanted: Wanted) -> bool:
    return (
        wanted.state in {None, each.state}
        and wanted.postback_id in {None, each.postback_id}
        and wanted.host in {None, each.host}
        and wanted.call_uuid in {None, each.call_uuid}
        and (each.differs or not wanted.differs)
        and wanted.is_test in {None, each.is_test}
    )


def test_every_mix_of_filters_finds_what_it_names_page_by_page(world: World, stocked: list[Listed]) -> None:
    assert len(stocked) == 48
    for wanted in every_mix(stocked):
        expected = [each.id for each in stocked if is_wanted(each, wanted)]
        found: list[str] = []
        while page := _list(world, wanted, found[-1] if found else None, limit=10):
            found += [each.id for each in page]
        assert found == expected, wanted
        with world.database.read() as tx:
            assert delivery_search.count(tx, world.acme, wanted, most=10) == min(len(expected), 10)


def test_no_list_reads_a_whole_table_or_sorts_it(world_on_sqlite: World) -> None:
    world = world_on_sqlite
    stocked = _stock(world)
    asked: set[tuple[str, Any]] = set()

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:  # noqa: ANN401
        asked.add((statement, parameters))

    newest, oldest = stocked[0].id, stocked[-1].id
    with world.database.read() as tx:
        event.listen(world.database.engine, "before_cursor_execute", note)
        for wanted in every_mix(stocked):
            delivery_search.list_page(tx, world.acme, wanted, before=newest, limit=2)
            if wanted.state is not None:
                delivery_search.list_again(tx, world.acme, wanted, after=oldest, up_to=newest, limit=2)
        delivery_search.count_by_state(tx, world.acme)
        repeats.has_later(tx, world.acme, oldest)
        event.remove(world.database.engine, "before_cursor_execute", note)
        # What names its rows by their ids is put in order afterwards: a page of them.
        lines = {
            line
            for statement, given in asked
            if "IN (" not in statement
            for *_, line in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        }
    assert any("ix_deliveries_differs" in line for line in lines)
    assert [line for line in lines if "SCAN deliveries" in line or "TEMP B-TREE" in line] == []


class TestAgain:
    def test_what_is_found_is_found_once_oldest_first(self, world: World, stocked: list[Listed]) -> None:
        wanted = Wanted(state=State.FAILED, host="b.example", is_test=False)
        expected = [each.id for each in stocked[::-1] if is_wanted(each, wanted)]
        found: list[str] = []
        after, up_to = None, entropy.new_id()
        with world.database.write() as tx:
            add(tx, world.acme, 1, stocked[0].call_uuid, State.FAILED, host="b.example")
            while True:
                chunk = delivery_search.list_again(tx, world.acme, wanted, after=after, up_to=up_to, limit=3)
                found += chunk.ids
                if chunk.after is None:
                    break
                after = chunk.after
        assert found == expected
