"""Retries: the same key once and answered again, a correction told, an addition not added twice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback import entropy
from ringback.domain.answers import answer
from ringback.domain.calls import Call
from ringback.domain.decisions import Step
from ringback.domain.receipts import Outcome, Result
from ringback.store import accounts, receipts
from tests.services.requests import NOW, apply, by_number, codes, credential, request, warned, worth
from tests.world import World

HEADER = {"Idempotency-Key": "k"}
HOOK = {"webhook-id": "k"}
DAY, SECOND = timedelta(hours=24), timedelta(seconds=1)
KEYS: list[tuple[dict[str, str], dict[str, str]]] = [
    (HEADER, {}),
    (HOOK, {}),
    ({}, {"event_id": "k"}),
    ({}, {"transaction_id": "k"}),
]


def send(world: World, call: Call, values: dict[str, Any], *, now: Any = NOW, **more: Any) -> Outcome:  # noqa: ANN401
    return apply(world, request(world, call, values, **more), now=now)[0]


class TestTheSameKey:
    @pytest.mark.parametrize(("headers", "ids"), KEYS)
    @pytest.mark.parametrize("at_once", [True, False])
    def test_is_answered_once_more_and_changes_once(
        self, world: World, headers: dict[str, str], ids: dict[str, str], *, at_once: bool
    ) -> None:
        call = world.call()
        lot = [request(world, call, {"add_revenue": "5", **ids}, keys=headers) for _ in range(3)]
        first, *again = apply(world, *lot) if at_once else [apply(world, each)[0] for each in lot]
        assert [outcome.result for outcome in (first, *again)] == [Result.APPLIED, Result.REPLAYED, Result.REPLAYED]
        assert [answer(outcome) for outcome in again] == [answer(first)] * 2
        assert worth(world, call) == 5

    def test_spelt_in_another_way_is_the_same(self, world: World) -> None:
        call = world.call()
        send(world, call, {"revenue": "42"}, keys=HEADER)
        assert send(world, call, {"revenue": "$42.00", "unknown": "x"}, keys=HEADER).result is Result.REPLAYED

    def test_named_by_number_and_uuid_is_the_same_call(self, world: World) -> None:
        call = world.call()
        lot = [request(world, ref, {"add_revenue": "5"}, keys=HEADER) for ref in (call.uuid, by_number(call))]
        assert [outcome.result for outcome in apply(world, *lot)] == [Result.APPLIED, Result.REPLAYED]

    def test_counts_for_another_call_user_or_route_anew(self, world: World) -> None:
        call, other = world.call(), world.call()
        outcomes = apply(
            world,
            request(world, call, {"add_revenue": "1"}, keys=HEADER),
            request(world, other, {"add_revenue": "1"}, keys=HEADER),
            request(world, call, {"add_revenue": "1"}, keys=HEADER, route="calls"),
            request(world, call, {"add_revenue": "1"}, keys=HEADER, sender=credential(world.ada_token)),
        )
        assert codes(outcomes) == ["applied"] * 4
        assert (worth(world, call), worth(world, other)) == (3, 1)

    def test_is_the_same_by_another_token_of_the_user(self, world: World) -> None:
        call = world.call()
        send(world, call, {"add_revenue": "1"}, keys=HEADER)
        again = send(world, call, {"add_revenue": "1"}, keys=HEADER, sender=credential(world.bob_developer_token))
        assert again.result is Result.REPLAYED

    def test_is_forgotten_after_a_day(self, world: World) -> None:
        call = world.call()
        for now, result in ((NOW, Result.APPLIED), (NOW + DAY - SECOND, Result.REPLAYED), (NOW + DAY, Result.APPLIED)):
            assert send(world, call, {"add_revenue": "1"}, keys=HEADER, now=now).result is result

    def test_is_tried_again_after_a_failure(self, world: World) -> None:
        call = world.call()
        world.grant([])
        assert send(world, call, {"revenue": "1"}, keys=HEADER).code == "permission_denied"
        world.grant(["revenue"])
        assert send(world, call, {"revenue": "1"}, keys=HEADER).result is Result.APPLIED

    def test_needs_the_right_each_time(self, world: World) -> None:
        call = world.call()
        send(world, call, {"revenue": "1"}, keys=HEADER)
        world.grant([])
        assert send(world, call, {"revenue": "1"}, keys=HEADER).code == "permission_denied"

    def test_remembers_that_nothing_had_to_change(self, world: World) -> None:
        call = world.call()
        first = send(world, call, {"buyer_converted": "0"}, keys=HEADER)
        send(world, call, {"buyer_converted": "1"})
        again = send(world, call, {"buyer_converted": "0"}, keys=HEADER)
        assert (first.code, again.code, again.result) == ("unchanged", "unchanged", Result.REPLAYED)
        assert worth(world, call, "buyer_converted") is True

    def test_in_a_dry_run_says_so(self, world: World) -> None:
        call = world.call()
        send(world, call, {"revenue": "1"}, keys=HEADER)
        dry = send(world, call, {"revenue": "1", "dry_run": "1"}, keys=HEADER)
        assert answer(dry)[1]["dry_run"] is True

    def test_leaves_a_receipt_of_each_try(self, world: World) -> None:
        call = world.call()
        for _ in range(2):
            send(world, call, {"revenue": "1"}, keys=HEADER)
        with world.database.read() as tx:
            results = [receipt.result for receipt in receipts.list_receipts(tx, world.acme)]
        assert results == [Result.REPLAYED, Result.APPLIED]


class TestOtherContent:
    def test_under_the_header_is_a_conflict(self, world: World) -> None:
        call = world.call()
        send(world, call, {"revenue": "1"}, keys=HEADER)
        conflict = send(world, call, {"revenue": "2"}, keys=HEADER)
        assert (conflict.code, conflict.decision.step) == ("idempotency_conflict", Step.KEY)
        assert worth(world, call) == 1
        assert send(world, call, {"revenue": "1"}, keys=HEADER).result is Result.REPLAYED

    @pytest.mark.parametrize(("headers", "ids"), KEYS[1:])
    def test_under_an_id_is_a_correction(self, world: World, headers: dict[str, str], ids: dict[str, str]) -> None:
        call = world.call()
        send(world, call, {"revenue": "1", **ids}, keys=headers)
        corrected = send(world, call, {"revenue": "2", **ids}, keys=headers)
        assert (corrected.code, warned(corrected)) == ("applied", ["correction"])
        assert worth(world, call) == 2
        assert send(world, call, {"revenue": "2", **ids}, keys=headers).result is Result.REPLAYED


class TestAdditionsWithoutAKey:
    def test_that_come_again_within_a_minute_are_taken_for_retries(self, world: World) -> None:
        call = world.call()
        told = []
        for seconds in (0, 1, 59, 60, 61):
            outcome = send(world, call, {"add_revenue": "5", "add_payout": "1"}, now=NOW + seconds * SECOND)
            told.append((outcome.code, warned(outcome)))
        retry = ("unchanged", ["duplicate_suppressed"])
        assert told == [("applied", []), retry, retry, ("applied", []), retry]
        assert (worth(world, call), worth(world, call, "payout")) == (10, 2)

    def test_are_answered_with_what_they_left_unchanged(self, world: World) -> None:
        call = world.call()
        first, again = apply(world, *(request(world, call, {"add_revenue": "5"}) for _ in range(2)))
        assert answer(first)[1]["changed"] == {"revenue": {"from": None, "to": "5.00"}}
        assert (answer(again)[1]["changed"], answer(again)[1]["unchanged"]) == ({}, ["revenue"])

    def test_are_added_if_anything_about_them_differs(self, world: World) -> None:
        call, other = world.call(), world.call()
        outcomes = apply(
            world,
            request(world, call, {"add_revenue": "1"}),
            request(world, call, {"add_revenue": "1.01"}),
            request(world, call, {"add_revenue": "1", "buyer_converted": "1"}),
            request(world, call, {"add_revenue": "1", "event_id": "e"}),
            request(world, call, {"add_revenue": "1"}, sender=credential(world.bob_developer_token)),
            request(world, other, {"add_revenue": "1"}),
        )
        assert codes(outcomes) == ["applied"] * 6
        assert worth(world, call) == Decimal("5.01")

    def test_are_guarded_as_long_as_the_account_says(self, world: World) -> None:
        call = world.call()
        with world.database.write() as tx:
            accounts.change_account(tx, world.acme, retry_seconds=5)
        for seconds in (0, 4, 5):
            send(world, call, {"add_revenue": "1"}, now=NOW + seconds * SECOND)
        assert worth(world, call) == 2

    def test_are_not_guarded_where_the_account_says_so(self, world: World) -> None:
        call = world.call()
        with world.database.write() as tx:
            accounts.change_account(tx, world.acme, retry_seconds=0)
        assert codes(apply(world, *(request(world, call, {"add_revenue": "1"}) for _ in range(3)))) == ["applied"] * 3
        assert worth(world, call) == 3

    def test_are_guarded_in_a_dry_run_too(self, world: World) -> None:
        call = world.call()
        send(world, call, {"add_revenue": "1"})
        assert warned(send(world, call, {"add_revenue": "1", "dry_run": "1"})) == ["duplicate_suppressed"]

    def test_that_were_applied_do_not_wait_when_a_retry_is_refused(self, world: World) -> None:
        call = world.call()
        send(world, call, {"add_revenue": "1"})
        world.grant([])
        refused = send(world, call, {"add_revenue": "1"})
        assert (refused.code, refused.waits_until, warned(refused)) == ("permission_denied", None, ["applied_before"])
        another = send(world, call, {"add_revenue": "2"})
        assert another.waits_until is not None

    def test_are_not_what_is_set(self, world: World) -> None:
        call = world.call()
        outcomes = apply(world, *(request(world, call, {"revenue": value}) for value in ("1", "2", "1")))
        assert codes(outcomes) == ["applied"] * 3


@pytest.mark.parametrize(("headers", "ids"), KEYS)
def test_a_key_that_was_answered_does_not_wait_when_its_right_is_gone(
    world: World, headers: dict[str, str], ids: dict[str, str]
) -> None:
    call = world.call()
    send(world, call, {"add_revenue": "1", **ids}, keys=headers)
    world.grant([])
    refused = send(world, call, {"add_revenue": "1", **ids}, keys=headers)
    assert (refused.code, refused.waits_until, warned(refused)) == ("permission_denied", None, ["applied_before"])
    if ids:
        assert send(world, call, {"add_revenue": "2", **ids}).waits_until is not None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), max_size=8), st.integers(1, 4))
def test_however_often_and_in_whatever_lots_a_key_comes_it_counts_once(
    world: World, sent: list[tuple[str, int]], size: int
) -> None:
    call = world.call()
    keys = dict(reversed(sent))
    lot = [request(world, call, {"add_revenue": str(keys[key]), "event_id": key + call.uuid}) for key, _ in sent]
    for start in range(0, len(lot), size):
        apply(world, *lot[start : start + size])
    assert worth(world, call) == (sum(keys.values()) or None)


def test_a_key_of_a_call_that_is_not_there_is_not_used_up(world: World) -> None:
    uuid = entropy.new_call_uuid()
    assert codes(apply(world, request(world, uuid, {"revenue": "1"}, keys=HEADER))) == ["call_not_found"]
    call = world.call(uuid=uuid)
    assert codes(apply(world, request(world, uuid, {"revenue": "1"}, keys=HEADER))) == ["applied"]
    assert worth(world, call) == 1
