"""Keys and what was answered to them: found in one statement, replaced, forgotten in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from ringback import clock, entropy
from ringback.domain.receipts import Json
from ringback.store import idempotency
from ringback.store.engine import Database
from ringback.store.idempotency import Answered, Scope
from tests.statements import asked

NOW = clock.now()
DAY = timedelta(hours=24)
SCOPE = Scope(1, 2, "update_call", "3f2b8c1e-0000-4000-8000-000000000000", "d" * 64)
ANSWER: Json = {"status": 200, "code": "applied", "call": {"name": 'Zoë "\U0001f600"'}, "changed": {}, "ignored": []}


def answered(scope: Scope = SCOPE, *, fingerprint: str = "f", lifetime: timedelta = DAY) -> Answered:
    return Answered(scope, fingerprint, ANSWER, entropy.new_id(), NOW + lifetime)


def remember(database: Database, *answers: Answered) -> None:
    with database.write() as tx:
        idempotency.remember(tx, answers)


def find(database: Database, *scopes: Scope, after: timedelta = timedelta()) -> dict[Scope, Answered]:
    with database.read() as tx:
        return idempotency.find(tx, scopes, NOW + after)


def test_an_answer_comes_back_as_it_was(database: Database) -> None:
    first = answered()
    remember(database, first)
    assert find(database, SCOPE) == {SCOPE: first}


@pytest.mark.parametrize(
    "other",
    [
        replace(SCOPE, account_id=9),
        replace(SCOPE, user_id=9),
        replace(SCOPE, route="calls"),
        replace(SCOPE, call_ref="7"),
        replace(SCOPE, digest="e" * 64),
    ],
)
def test_a_key_counts_within_its_scope_alone(database: Database, other: Scope) -> None:
    mine, others = answered(), answered(other, fingerprint="g")
    remember(database, mine, others)
    assert find(database, SCOPE, other) == {SCOPE: mine, other: others}
    assert find(database, other) == {other: others}


def test_a_later_answer_takes_the_place_of_the_first(database: Database) -> None:
    first, second, third = answered(), answered(fingerprint="g"), answered(fingerprint="h")
    remember(database, first)
    remember(database, second, third)
    assert find(database, SCOPE) == {SCOPE: third}


def test_an_answer_is_forgotten_in_time(database: Database) -> None:
    brief, long = answered(lifetime=timedelta(seconds=60)), answered(replace(SCOPE, route="calls"))
    remember(database, brief, long)
    assert find(database, brief.scope, long.scope, after=timedelta(seconds=59)).keys() == {brief.scope, long.scope}
    assert find(database, brief.scope, long.scope, after=timedelta(seconds=60)).keys() == {long.scope}
    with database.write() as tx:
        idempotency.forget(tx, NOW + timedelta(seconds=60))
    assert find(database, brief.scope, long.scope).keys() == {long.scope}


def test_many_take_as_many_statements_as_one_and_none_takes_none(database: Database) -> None:
    for count, statements_needed in ((0, 0), (1, 2), (64, 2)):
        scopes = [replace(SCOPE, digest=f"{number:064}") for number in range(count)]
        with asked(database) as statements, database.write() as tx:
            assert idempotency.find(tx, scopes, NOW) == {}
            idempotency.remember(tx, [answered(scope) for scope in scopes])
        assert len(statements) == statements_needed
        assert find(database, *scopes, *scopes).keys() == set(scopes)
        with database.write() as tx:
            idempotency.forget(tx, NOW + DAY)
