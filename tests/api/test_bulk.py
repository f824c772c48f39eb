"""Many updates in one request: each is decided, kept and answered as if it had come alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback import clock, entropy
from ringback.domain.access import AccessType
from ringback.domain.bodies import BODY_LIMIT
from ringback.domain.bulks import BULK_LIMIT, MOST_UPDATES
from ringback.domain.calls import Call
from ringback.domain.errors import Refusal
from ringback.domain.receipts import Outcome
from ringback.intake import Intake
from ringback.store import partners, receipts
from tests.api.rows import ledger_sum, of_call
from tests.api.wire import check_envelope
from tests.live import Live, Reply
from tests.services.requests import request
from tests.world import World

PATH = "/api/v1/calls/bulk_update"


def bulk(stage: Live, updates: object, path: str = PATH, **more: Any) -> Reply:  # noqa: ANN401
    """Send many updates with Bob's token, if no other is named."""
    more.setdefault("auth", stage.world.bob_token.authorization)
    body = more.pop("body", None) or {"updates": updates, **more.pop("beside", {})}
    return stage.request("POST", path, body=body, **more)


def codes(reply: Reply) -> list[str]:
    """What became of each."""
    told = check_bulk(reply)
    return [result["code"] for result in told["results"]]


def check_bulk(reply: Reply) -> Mapping[str, Any]:
    """Check that an answer counts its results right, and return its document."""
    told: Mapping[str, Any] = reply.json
    assert (reply.status, told["status"], told["success"], told["code"]) == (200, 200, True, "processed")
    succeeded = sum(result["success"] for result in told["results"])
    failed = len(told["results"]) - succeeded
    assert told["counts"] == {"updates": len(told["results"]), "succeeded": succeeded, "failed": failed}
    return told


class TestEachForItself:
    def test_has_its_own_answer_in_order_and_none_keeps_another(self, stage: Live) -> None:
        world = stage.world
        calls = [world.call() for _ in range(3)]
        updates: list[Any] = [
            {"uuid": calls[0].uuid, "buyer_converted": "true", "revenue": "42.00"},
            {"uuid": calls[1].uuid, "revenue": "1,25"},
            {"uuid": entropy.new_call_uuid(), "revenue": "1"},
            {"id": calls[2].number, "revenue": 5},
            {"id": calls[2].uuid, "revenue": "5"},
            {"revenue": "5"},
            "revenue",
            {"uuid": ["x"], "revenue": "5"},
            {"id": 987654321, "revenue": "5"},
            {"uuid": "[trackdrive_call_uuid]", "revenue": "5"},
        ]
        reply = bulk(stage, updates)
        assert codes(reply) == [
            *("applied", "invalid_value", "call_not_found", "applied", "unchanged"),
            *("missing_value", "invalid_value", "invalid_value", "call_not_found", "unreplaced_token"),
        ]
        results = reply.json["results"]
        assert results[0]["changed"]["revenue"] == {"from": None, "to": "42.00"}
        assert "held_until" in results[2]
        assert "held_until" not in results[8]
        assert len({result["receipt_id"] for result in results}) == len(updates)
        assert world.state(calls[1])["revenue"] is None

    def test_leaves_a_receipt_of_its_own_part_of_the_body(self, stage: Live) -> None:
        world, call = stage.world, stage.world.call()
        secret = world.bob_developer_token.authorization.split()[-1]
        part = {"uuid": call.uuid, "revenue": "7", "auth_token": secret}
        reply = bulk(stage, [part, {"uuid": call.uuid, "revenue": "8"}], auth=world.bob_developer_token.authorization)
        assert codes(reply) == ["applied", "applied"]
        with world.database.read() as tx:
            found = receipts.find(tx, world.acme, reply.json["results"][0]["receipt_id"])
        assert found is not None
        receipt, kept = found
        assert (receipt.call_uuid, receipt.route) == (call.uuid, "update_call")
        assert (kept.method, kept.path) == ("POST", PATH)
        assert json.loads(kept.body) == {**part, "auth_token": "[masked]"}

    def test_needs_its_own_rights(self, stage: Live) -> None:
        world = stage.world
        hers, his = world.call(buyer=None), world.call()
        world.grant(["revenue"])
        reply = bulk(
            stage,
            [
                {"uuid": his.uuid, "revenue": "1"},
                {"uuid": his.uuid, "revenue": "2", "payout": "1"},
                {"uuid": hers.uuid, "revenue": "3"},
                {"id": hers.number, "revenue": "3"},
            ],
        )
        assert codes(reply) == ["applied", "permission_denied", "buyer_not_shared", "call_not_found"]
        assert world.state(his)["revenue"] == Decimal(1)

    def test_sees_what_those_before_it_did(self, stage: Live) -> None:
        call = stage.world.call()
        same = {"uuid": call.uuid, "add_revenue": "1.50"}
        reply = bulk(stage, [{**same, "event_id": str(place)} for place in range(5)])
        assert [result["call"]["revenue"] for result in reply.json["results"]] == [
            *("1.50", "3.00", "4.50", "6.00", "7.50")
        ]
        assert ledger_sum(stage.world.database, call) == stage.world.state(call)

    def test_may_name_its_call_by_caller(self, stage: Live) -> None:
        world = stage.world
        world.call(caller_number="+17195550161")
        newest = world.call(caller_number="+17195550161")
        with world.database.read() as tx:
            offer = partners.find_row(tx, world.acme, "offer", world.offer)
        assert offer is not None
        named = {"caller_id": "7195550161", "offer_token": offer["token"]}
        reply = bulk(stage, [{**named, "revenue": "3"}, {"caller_id": "7195550161", "revenue": "3"}])
        assert codes(reply) == ["applied", "missing_value"]
        assert reply.json["results"][0]["call"]["id"] == newest.number
        assert reply.json["results"][0]["ignored"] == []

    def test_takes_contact_fields_that_are_the_text_of_an_object(self, stage: Live) -> None:
        call = stage.world.call()
        reply = bulk(stage, [{"uuid": call.uuid, "post_call_tokens": '{"zip": "80903"}'}])
        result = check_bulk(reply)["results"][0]
        assert result["call"]["contact_fields"] == {"zip": "80903"}
        assert [warning["code"] for warning in result["warnings"]] == ["json_in_field"]

    def test_says_what_it_did_not_look_at(self, stage: Live) -> None:
        call = stage.world.call()
        reply = bulk(stage, [{"uuid": call.uuid, "id": "9", "revenu": "1"}], beside={"updated_by": "me"})
        assert reply.json["ignored"] == ["updated_by"]
        assert reply.json["results"][0]["ignored"] == ["id", "revenu"]


class TestKeys:
    def test_of_the_updates_themselves_are_theirs(self, stage: Live) -> None:
        call = stage.world.call()
        first = {"uuid": call.uuid, "add_revenue": "1", "idempotency_key": "a"}
        reply = bulk(stage, [first, first, {**first, "add_revenue": "2"}, {**first, "idempotency_key": "b"}])
        assert codes(reply) == ["applied", "applied", "idempotency_conflict", "applied"]
        assert [result.get("replayed") for result in reply.json["results"]] == [None, True, None, None]
        alone = stage.update(
            call.uuid,
            {"add_revenue": "1"},
            auth=stage.world.bob_token.authorization,
            headers={"Idempotency-Key": "a"},
        )
        assert alone.headers["idempotent-replayed"] == "true"
        assert stage.world.state(call)["revenue"] == Decimal(2)

    def test_in_a_header_count_once_for_each_place(self, stage: Live) -> None:
        call = stage.world.call()
        updates = [{"uuid": call.uuid, "add_revenue": "1"}, {"uuid": call.uuid, "add_revenue": "2"}]
        replies = [bulk(stage, updates, headers={"Idempotency-Key": "whole"}) for _ in range(2)]
        assert codes(replies[0]) == codes(replies[1]) == ["applied", "applied"]
        assert all(result["replayed"] for result in replies[1].json["results"])
        assert stage.world.state(call)["revenue"] == Decimal(3)


class TestTheWhole:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ("{", 400, "malformed_json"),
            ('{"updates": [], "updates": [1]}', 400, "duplicate_key"),
            ("{}", 422, "missing_value"),
            ('{"updates": null}', 422, "missing_value"),
            ('{"updates": {"uuid": "x"}}', 422, "invalid_value"),
            ("updates=1", 422, "invalid_value"),
            (json.dumps({"updates": [{}] * (MOST_UPDATES + 1)}), 422, "invalid_value"),
            (json.dumps({"updates": ["x" * BULK_LIMIT]}), 413, "too_large"),
        ],
    )
    def test_that_can_t_be_read_is_answered_as_a_whole_and_has_a_receipt(
        self, stage: Live, body: str, status: int, code: str
    ) -> None:
        told = check_envelope(bulk(stage, None, body=body))
        assert (told["status"], told["code"]) == (status, code)
        with stage.world.database.read() as tx:
            assert receipts.find(tx, stage.world.acme, told["receipt_id"]) is not None

    @pytest.mark.parametrize("auth", [None, "Basic !", "Bearer nobody-knows-this-one"])
    def test_without_a_good_credential_is_401(self, stage: Live, auth: str | None) -> None:
        call = stage.world.call()
        before = of_call(stage.world.database, call)
        told = check_envelope(bulk(stage, [{"uuid": call.uuid, "revenue": "1"}] * 3, auth=auth))
        assert told["status"] == 401
        assert of_call(stage.world.database, call) == before

    @pytest.mark.parametrize("body", ["{" * (BODY_LIMIT + 1), json.dumps({"updates": ["x" * BULK_LIMIT]})])
    @pytest.mark.parametrize(
        ("auth", "code"), [(None, "missing_credentials"), ("Bearer nobody-knows-this-one", "unknown_credentials")]
    )
    def test_of_nobody_known_is_not_even_read_where_it_is_large(
        self, stage: Live, auth: str | None, code: str, body: str
    ) -> None:
        assert check_envelope(bulk(stage, None, body=body, auth=auth))["code"] == code

    def test_may_name_its_credential_in_a_small_body(self, stage: Live) -> None:
        call = stage.world.call()
        told = {"updates": [{"uuid": call.uuid, "revenue": "1"}], "auth_token": stage.world.bob_developer_token.token}
        assert codes(bulk(stage, None, body=told, auth=None)) == ["applied"]
        two = bulk(stage, None, body=told)
        assert check_envelope(two)["code"] == "ambiguous_credentials"

    def test_with_an_expired_token_is_401(self, stage: Live) -> None:
        world = stage.world
        token = world.token(world.bob, world.acme, expires_at=clock.now() - timedelta(hours=1))
        told = check_envelope(bulk(stage, [{"uuid": world.call().uuid, "revenue": "1"}], auth=token.authorization))
        assert told["code"] == "expired"

    def test_with_a_token_that_only_reads_answers_each(self, stage: Live) -> None:
        world = stage.world
        token = world.token(world.bob, world.acme, access_type=AccessType.CALLS_READ)
        reply = bulk(stage, [{"uuid": world.call().uuid, "revenue": "1"}], auth=token.authorization)
        assert codes(reply) == ["access_type"]
        assert "held_until" in reply.json["results"][0]

    def test_without_updates_does_nothing(self, stage: Live) -> None:
        assert codes(bulk(stage, [])) == []

    def test_is_found_with_suffix_and_under_the_path_of_the_account(self, stage: Live) -> None:
        call = stage.world.call()
        updates = [{"uuid": call.uuid, "revenue": "1"}]
        assert codes(bulk(stage, updates, f"{PATH}.json")) == ["applied"]
        assert codes(bulk(stage, updates, f"/a/acme{PATH}/", account="")) == ["unchanged"]
        assert stage.request("PUT", PATH).headers["allow"] == "POST"

    @pytest.mark.parametrize("way", ["body", "query", "header", "each"])
    def test_as_a_dry_run_changes_nothing(self, stage: Live, way: str) -> None:
        call = stage.world.call()
        before = of_call(stage.world.database, call)
        update = {"uuid": call.uuid, "revenue": "9", **({"dry_run": True} if way == "each" else {})}
        reply = bulk(
            stage,
            [update, update],
            f"{PATH}?dry_run=1" if way == "query" else PATH,
            beside={"dry_run": True} if way == "body" else {},
            headers={"Ringback-Dry-Run": "1"} if way == "header" else {},
        )
        assert [result["dry_run"] for result in reply.json["results"]] == [True, True]
        assert of_call(stage.world.database, call) == before


class TestManyAtOnce:
    def test_a_thousand_are_done(self, stage: Live) -> None:
        calls = [stage.world.call() for _ in range(10)]
        updates = [
            {"uuid": calls[place % 10].uuid, "add_revenue": "0.01", "event_id": f"e{place}"}
            for place in range(MOST_UPDATES)
        ]
        assert codes(bulk(stage, updates)) == ["applied"] * MOST_UPDATES
        for call in calls:
            assert stage.world.state(call)["revenue"] == Decimal(1)
            assert ledger_sum(stage.world.database, call) == stage.world.state(call)

    def test_two_bulks_at_once_lose_nothing(self, stage: Live) -> None:
        call = stage.world.call()

        def send(sender: int) -> Reply:
            names = [{"uuid": call.uuid}, {"id": str(call.number)}]
            updates = [{**names[n % 2], "add_revenue": "1", "event_id": f"{sender}-{n}"} for n in range(100)]
            return bulk(stage, updates)

        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(send, range(4)))
        assert [codes(reply) for reply in replies] == [["applied"] * 100] * 4
        assert stage.world.state(call)["revenue"] == Decimal(400)
        assert ledger_sum(stage.world.database, call) == stage.world.state(call)

    def test_what_there_is_no_room_for_is_refused_from_there_on(self, world: World) -> None:
        calls = [world.call() for _ in range(5)]
        updates = [request(world, call, {"revenue": "1"}) for call in calls]

        async def submit() -> list[Outcome | Exception]:
            intake = Intake(world.database, clock.now, limit=3)
            try:
                return await intake.submit_all(updates)
            finally:
                await intake.close()

        done = asyncio.run(submit())
        assert [each.code if isinstance(each, Outcome) else str(each) for each in done[:3]] == ["applied"] * 3
        assert [isinstance(each, Refusal) and each.code.name for each in done[3:]] == ["busy", "busy"]
        assert [world.state(call)["revenue"] for call in calls] == [Decimal(1)] * 3 + [None] * 2


values = st.sampled_from(["true", "0", "1,25", "[x]", "3", "2.50", "999999", None, {}, {"a": "b"}, {"a": None}])
names = st.sampled_from(
    ["buyer_converted", "revenue", "add_revenue", "offer_converted", "payout", "post_call_tokens", "data", "event_id"]
)
parts = st.tuples(st.integers(0, 2), st.dictionaries(names, values, max_size=3))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(asked=st.lists(parts, max_size=8))
def test_a_bulk_is_what_its_updates_are_alone(stage: Live, asked: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    world = stage.world
    world.grant(["buyer_converted", "revenue", "contact_fields"])
    together, alone = ([world.call(), world.call(), world.call(buyer=None)] for _ in range(2))
    reply = bulk(stage, [{"uuid": together[which].uuid, **part} for which, part in asked])
    singly = [stage.update(alone[which].uuid, part, auth=world.bob_token.authorization) for which, part in asked]
    assert codes(reply) == [each.json["code"] for each in singly]
    assert [result["status"] for result in reply.json["results"]] == [each.status for each in singly]
    assert [worth(world, call) for call in together] == [worth(world, call) for call in alone]


def worth(world: World, call: Call) -> Mapping[str, Any]:
    """The state of a call, after a look at whether its ledger adds up to it."""
    state = world.state(call)
    assert ledger_sum(world.database, call) == state
    return state
