"""Senders retry: the same update counts once, and its sender gets the first answer again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from ringback import clock
from ringback.domain.calls import Call
from ringback.services import updates
from ringback.services.housekeeping import tidy
from tests.api.asked import ask
from tests.api.rows import of_call
from tests.api.wire import check_envelope
from tests.live import Live, Reply
from tests.world import EVERY_RIGHT

ADDS = {"add_revenue": "5", "buyer_converted": "true"}
HEADERS = ["Idempotency-Key", "webhook-id"]
IDS = ["event_id", "transaction_id"]


def post(stage: Live, call: Call, body: Mapping[str, Any], **more: Any) -> Reply:  # noqa: ANN401
    """Bob's platform posts."""
    return stage.update(call.uuid, body, auth=more.pop("auth", stage.world.bob_token.authorization), **more)


def keyed(name: str, value: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body, and headers, that carry a key."""
    if name in IDS:
        return {"body": {**body, name: value}}
    return {"body": body, "headers": {name: value}}


@pytest.mark.parametrize("name", [*HEADERS, *IDS])
def test_with_a_key_the_second_gets_the_first_answer_again(stage: Live, name: str) -> None:
    call = stage.world.call()
    first, second = (post(stage, call, **keyed(name, "sale-1", ADDS)) for _ in range(2))
    assert check_envelope(first)["code"] == "applied"
    assert second.json == first.json
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert stage.world.state(call)["revenue"] == 5


@pytest.mark.parametrize("name", [*HEADERS, *IDS])
def test_another_key_is_another_update(stage: Live, name: str) -> None:
    call = stage.world.call()
    for value in ("sale-1", "sale-2"):
        assert post(stage, call, **keyed(name, value, ADDS)).json["code"] == "applied"
    assert stage.world.state(call)["revenue"] == 10


def test_a_key_in_the_header_with_other_content_is_a_conflict(stage: Live) -> None:
    call = stage.world.call()
    assert post(stage, call, **keyed("Idempotency-Key", "sale-1", {"revenue": "1"})).status == 200
    before = of_call(stage.world.database, call)
    told = check_envelope(post(stage, call, **keyed("Idempotency-Key", "sale-1", {"revenue": "2"})))
    assert (told["status"], told["code"]) == (409, "idempotency_conflict")
    assert of_call(stage.world.database, call) == before


@pytest.mark.parametrize("name", ["webhook-id", *IDS])
def test_any_other_id_with_other_content_is_a_correction(stage: Live, name: str) -> None:
    call = stage.world.call()
    post(stage, call, **keyed(name, "sale-1", {"revenue": "1"}))
    told = check_envelope(post(stage, call, **keyed(name, "sale-1", {"revenue": "2"})))
    assert (told["code"], [warning["code"] for warning in told["warnings"]]) == ("applied", ["correction"])
    assert stage.world.state(call)["revenue"] == 2


def test_spelt_otherwise_the_content_is_the_same(stage: Live) -> None:
    call = stage.world.call()
    post(stage, call, **keyed("Idempotency-Key", "k", {"revenue": "1250.50", "buyer_converted": True}))
    again = post(stage, call, **keyed("Idempotency-Key", "k", {"buyer_converted": "yes", "revenue": "$1,250.50"}))
    assert again.headers["idempotent-replayed"] == "true"


def test_after_a_refusal_the_same_key_is_tried_again(stage: Live) -> None:
    call = stage.world.call()
    stage.world.grant([])
    assert post(stage, call, **keyed("Idempotency-Key", "k", ADDS)).status == 403
    stage.world.grant(EVERY_RIGHT)
    assert post(stage, call, **keyed("Idempotency-Key", "k", ADDS)).json["code"] == "applied"


def test_a_right_that_was_taken_away_is_asked_for_before_an_answer_is_given_again(stage: Live) -> None:
    call = stage.world.call()
    post(stage, call, **keyed("Idempotency-Key", "k", ADDS))
    stage.world.grant([])
    assert post(stage, call, **keyed("Idempotency-Key", "k", ADDS)).status == 403


def test_the_keys_of_calls_and_of_users_are_their_own(stage: Live) -> None:
    one, two = stage.world.call(), stage.world.call()
    for call, auth in ((one, stage.world.bob_token), (two, stage.world.bob_token), (one, stage.world.ada_token)):
        reply = post(stage, call, **keyed("Idempotency-Key", "k", {"add_revenue": "5"}), auth=auth.authorization)
        assert reply.json["code"] == "applied"
    assert (stage.world.state(one)["revenue"], stage.world.state(two)["revenue"]) == (10, 5)


def test_a_key_is_remembered_for_a_day(stage: Live) -> None:
    call = stage.world.call()
    post(stage, call, **keyed("Idempotency-Key", "k", {"add_revenue": "5"}))
    with stage.world.database.write() as tx:
        tidy(tx, clock.now() + timedelta(hours=23, minutes=59))
    assert "idempotent-replayed" in post(stage, call, **keyed("Idempotency-Key", "k", {"add_revenue": "5"})).headers
    with stage.world.database.write() as tx:
        tidy(tx, clock.now() + timedelta(hours=24, minutes=1))
    assert "idempotent-replayed" not in post(stage, call, **keyed("Idempotency-Key", "k", {"add_revenue": "5"})).headers


class TestAdditionsWithoutAKey:
    def test_the_same_a_moment_later_is_taken_for_a_retry_and_said_so(self, stage: Live) -> None:
        call = stage.world.call()
        post(stage, call, ADDS)
        told = check_envelope(post(stage, call, ADDS))
        assert (told["code"], told["changed"]) == ("unchanged", {})
        assert [warning["code"] for warning in told["warnings"]] == ["duplicate_suppressed"]
        assert stage.world.state(call)["revenue"] == 5

    def test_after_a_minute_it_counts(self, stage: Live) -> None:
        call = stage.world.call()
        for seconds, revenue in ((0, 5), (59, 5), (61, 10)):
            with stage.world.database.write() as tx:
                asked = ask(stage.world.bob_token.authorization, call.uuid, ADDS)
                updates.apply(tx, [asked], clock.now() + timedelta(seconds=seconds))
            assert stage.world.state(call)["revenue"] == revenue

    def test_another_amount_or_another_token_counts_at_once(self, stage: Live) -> None:
        call = stage.world.call()
        post(stage, call, {"add_revenue": "5"})
        post(stage, call, {"add_revenue": "6"})
        post(stage, call, {"add_revenue": "5"}, auth=stage.world.bob_developer_token.authorization)
        assert stage.world.state(call)["revenue"] == 16
