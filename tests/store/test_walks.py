"""However filters are put together, page after page brings all that fits, once and in order, and looks at little."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
from sqlalchemy import Connection, RowMapping, select

from ringback import clock, entropy
from ringback.domain.attributes import blank_state
from ringback.domain.calls import Call, Partner
from ringback.domain.figures import Figures
from ringback.domain.receipts import Result
from ringback.store import call_search, partners, receipt_search, walks
from ringback.store.call_search import Wanted
from ringback.store.schema import receipts
from tests.services.arriving import post
from tests.services.requests import apply, request
from tests.statements import asked
from tests.world import World, record

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
CALLERS = ("+17195550101", "+17195550102", "3")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Walks that give up soon."""
    monkeypatch.setattr(walks, "LOOKED_AT", 7)
    monkeypatch.setattr(call_search, "LOOKED_AT", 7)
    monkeypatch.setattr(walks, "_FIRST", 2)
    monkeypatch.setattr(walks, "_NEXT", 3)


def fill(world: World, chance: random.Random) -> list[Call]:
    """Calls of few partners and callers, several of them at the same time."""
    made = []
    with world.database.write() as tx:
        ids = {
            noun: [partners.add(tx, world.acme, noun, f"{noun} {n}", entropy.new_id(), BEGIN) for n in range(3)]
            for noun in ("buyer", "traffic_source", "offer")
        }
        for number in range(60):
            chosen = {noun: chance.choice([None, *each]) for noun, each in ids.items()}
            at = BEGIN + timedelta(hours=number // 3)
            state = {**blank_state(), "buyer_converted": chance.random() < 0.3, "revenue": Decimal(number)}
            call = Call(
                world.acme,
                entropy.new_call_uuid(),
                0,
                chance.choice(CALLERS),
                state,
                at,
                at,
                **{noun: Partner(each, "", "") if each else None for noun, each in chosen.items()},  # type: ignore[arg-type] # by noun
            )
            made.append(record(tx, call))
    return made


def fits(call: Call, wanted: Wanted) -> bool:
    """What is wanted, said once more."""
    of = {"buyer_id": call.buyer, "traffic_source_id": call.traffic_source, "offer_id": call.offer}
    numbers = {name: each.id if each else None for name, each in of.items()}
    sought = wanted.number is None and wanted.caller_number is None
    return (
        all(numbers[name] == number for name, number in wanted.partners.items())
        and wanted.buyer_converted in {None, call.state["buyer_converted"]}
        and wanted.uuid in {None, call.uuid}
        and (sought or call.number == wanted.number or call.caller_number == wanted.caller_number)
        and (wanted.since is None or call.created_at >= wanted.since)
        and (wanted.until is None or call.created_at < wanted.until)
        and (wanted.only_buyers is None or numbers["buyer_id"] in wanted.only_buyers)
    )


def some(chance: random.Random, calls: Sequence[Call]) -> Iterator[Wanted]:
    """Filters of all kinds, alone and together."""
    for _ in range(80):
        one = chance.choice(calls)
        named: dict[str, Any] = {
            "buyer_id": one.buyer and one.buyer.id,
            "traffic_source_id": one.traffic_source and one.traffic_source.id,
            "offer_id": one.offer and one.offer.id,
            "buyer_converted": chance.random() < 0.5,
            "number": 3,
            "caller_number": one.caller_number,
            "uuid": one.uuid,
            "since": BEGIN + timedelta(hours=chance.randrange(15)),
            "until": BEGIN + timedelta(hours=chance.randrange(5, 20)),
            "only_buyers": frozenset(chance.sample(range(1, 6), chance.randrange(4))),
        }
        given = {name: named[name] for name in chance.sample(sorted(named), chance.randrange(1, 4))}
        if "uuid" in given:  # then nothing else is searched for
            given = {name: value for name, value in given.items() if name not in {"number", "caller_number"}}
        yield Wanted(**given)


def test_pages_of_calls_bring_all_that_fits(world: World) -> None:
    chance = random.Random(1)  # noqa: S311 - data, not secrets
    calls = fill(world, chance)
    with world.database.read() as tx:
        for wanted in some(chance, calls):
            found: list[int] = []
            before: call_search.Place | None = None
            has_more = True
            while has_more:
                page = call_search.list_page(tx, world.acme, wanted, before=before, limit=4)
                found += [call.number for call in page.calls]
                last = (page.calls[-1].created_at, page.calls[-1].number) if len(page.calls) == 4 else page.looked_to
                has_more, before = last is not None, last
            assert found == [call.number for call in reversed(calls) if fits(call, wanted)], wanted


def test_sums_are_exact_or_not_given_at_all(world: World) -> None:
    chance = random.Random(2)  # noqa: S311
    calls = fill(world, chance)
    given = 0
    with world.database.read() as tx:
        for wanted in some(chance, calls):
            found = call_search.sum_up(tx, world.acme, wanted)
            if found is not None:
                given += 1
                those = [call for call in calls if fits(call, wanted)]
                revenue = sum((cast("Decimal", call.state["revenue"]) for call in those), Decimal(0))
                assert (found.calls, found.revenue) == (len(those), revenue)
                assert found.conversions == sum(bool(call.state["buyer_converted"]) for call in those)
    assert 20 < given < 80


def test_nothing_comes_to_nothing(world: World) -> None:
    with world.database.read() as tx:
        assert call_search.sum_up(tx, world.acme, Wanted(buyer_id=1, offer_id=1)) == Figures()
        assert call_search.list_page(tx, world.acme, Wanted(only_buyers=frozenset()), limit=5).calls == []


Kept = Sequence[RowMapping]


def kept(world: World) -> Kept:
    """Receipts of all outcomes, of two people with three tokens and two buyers, newest first."""
    with world.database.write() as tx:
        other = partners.add(tx, world.acme, "buyer", "Other", entropy.new_id(), clock.now())
    calls = [world.call(), world.call(buyer=other)]
    for number in range(30):
        token = (world.bob_token, world.ada_token, world.bob_developer_token)[number % 3]
        post(world, calls[number % 2].uuid, {"revenue": ("1", "2", "x", "3")[number % 4]}, token)
    post(world, entropy.new_call_uuid(), {"revenue": "1"})
    apply(world, request(world, calls[0], {"revenue": "5", "dry_run": "true"}))
    with world.database.read() as tx:
        return tx.execute(select(receipts).order_by(receipts.c.id.desc())).mappings().all()


def pages(tx: Connection, account_id: int, wanted: receipt_search.Wanted) -> list[str]:
    """The ids of all pages."""
    found: list[str] = []
    before: str | None = None
    has_more = True
    while has_more:
        page = receipt_search.list_ids(tx, account_id, wanted, before=before, limit=3)
        found += page.ids
        before = page.ids[-1] if len(page.ids) == 3 else page.looked_to
        has_more = before is not None
    return found


def test_pages_of_receipts_bring_all_that_fits(world: World) -> None:
    rows = kept(world)
    assert len(rows) == 32
    chance = random.Random(3)  # noqa: S311
    names = ("result", "code", "buyer_id", "user_id", "token_id", "call_uuid")
    with world.database.read() as tx:
        for _ in range(60):
            one, other = chance.choice(rows), chance.choice(rows)
            chosen = chance.sample(names, chance.randrange(1, 4))
            given = {name: (one, other)[chance.random() < 0.2][name] for name in chosen}
            given = {name: value for name, value in given.items() if value is not None}
            wanted = receipt_search.Wanted(
                **{**given, **({"result": Result(given["result"])} if "result" in given else {})}
            )
            those = [row["id"] for row in rows if all(row[name] == value for name, value in given.items())]
            assert pages(tx, world.acme, wanted) == those, wanted


def test_of_several_filters_the_narrowest_leads(world: World) -> None:
    calls = fill(world, random.Random(4))  # noqa: S311
    one = next(call for call in calls if call.offer and call.buyer)
    wanted = Wanted(buyer_id=one.buyer_id, offer_id=one.offer.id if one.offer else None)
    with asked(world.database) as statements, world.database.read() as tx:
        call_search.list_page(tx, world.acme, wanted, limit=2)
    assert sum("UNION ALL" in statement for statement in statements) == 1
