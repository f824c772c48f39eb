"""A refusal loses nothing: what is refused waits once, is applied once, and overwrites nothing that came later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from ringback import clock, entropy
from ringback.domain.access import AccessType, Level
from ringback.domain.calls import Call, Origin
from ringback.domain.receipts import Outcome
from ringback.domain.waiting import QUARANTINE_ACCOUNT_LIMIT, QUARANTINE_USER_LIMIT, Kind, State, Waiting
from ringback.services import updates, waiting
from ringback.services.housekeeping import tidy
from ringback.services.tokens import NewToken
from ringback.store import accounts, calls, teams
from ringback.store import waiting as store
from tests.api.asked import ask
from tests.api.rows import ledger_sum, of_call, waiting_states
from tests.api.wire import check_envelope
from tests.live import Live, Reply
from tests.world import EVERY_RIGHT

SALE = {"buyer_converted": "true", "revenue": "42.50"}


def send(stage: Live, call: Call, body: Mapping[str, Any] = SALE, *, key: str = "", **more: Any) -> Reply:  # noqa: ANN401
    """Bob's platform posts, or posts again."""
    headers = {"Idempotency-Key": key} if key else None
    path = more.pop("path", f"/api/v1/calls/update_call/{call.uuid}")
    auth = more.pop("auth", stage.world.bob_token.authorization)
    return stage.request("POST", path, body=body, headers=headers, auth=auth, **more)


def list_waiting(stage: Live, call: Call) -> list[Waiting]:
    """What waits for a call."""
    with stage.world.database.read() as tx:
        return store.list_waiting(tx, call.account_id, call_uuid=call.uuid)


def apply(stage: Live, call: Call, **more: Any) -> list[tuple[Waiting, Outcome]]:  # noqa: ANN401
    """A person applies everything that waits for a call."""
    ids = [each.id for each in list_waiting(stage, call)]
    with stage.world.database.write() as tx:
        return waiting.apply(tx, call.account_id, ids, now=clock.now(), new_id=entropy.new_id, **more)


def denied(stage: Live, body: Mapping[str, Any] = SALE, *, key: str = "", **values: Any) -> Call:  # noqa: ANN401
    """A call and an update of it that waits because Bob's team has no right."""
    stage.world.grant([])
    call = stage.world.call(**values)
    assert send(stage, call, body, key=key).status == 403
    stage.world.grant(EVERY_RIGHT)
    return call


class TestWhatWaits:
    @pytest.mark.parametrize("key", ["", "sale-1"], ids=["by content", "by key"])
    def test_an_update_that_is_tried_five_times_waits_once(self, stage: Live, key: str) -> None:
        stage.world.grant([])
        call = stage.world.call()
        replies = [check_envelope(send(stage, call, key=key)) for _ in range(5)]
        assert {reply["code"] for reply in replies} == {"permission_denied"}
        assert len({reply["held_until"] for reply in replies}) >= 1
        (waits,) = list_waiting(stage, call)
        assert (waits.tries, waits.id, waits.kind) == (5, replies[0]["receipt_id"], Kind.DENIED)
        assert waits.expires_at - waits.received_at == timedelta(days=90)
        assert stage.world.state(call) == call.state

    def test_different_updates_wait_each_for_itself(self, stage: Live) -> None:
        stage.world.grant([])
        call = stage.world.call()
        for body, key in ((SALE, ""), ({"revenue": "7"}, ""), (SALE, "k1"), (SALE, "k2")):
            send(stage, call, body, key=key)
        assert len(list_waiting(stage, call)) == 4

    @pytest.mark.parametrize("obstacle", ["permission_denied", "buyer_not_shared", "api_access_off", "access_type"])
    def test_every_refusal_that_a_person_can_lift_makes_it_wait(self, stage: Live, obstacle: str) -> None:
        world, call = stage.world, stage.world.call()
        token = world.token(
            world.bob,
            world.acme,
            access_type=AccessType.CALLS_READ if obstacle == "access_type" else AccessType.CALLS,
        )
        with world.database.write() as tx:
            if obstacle == "buyer_not_shared":
                teams.set_buyers(tx, world.acme, world.team, [])
            elif obstacle == "api_access_off":
                teams.change(tx, world.acme, world.team, developer_api=False)
            elif obstacle == "permission_denied":
                teams.set_rights(tx, world.acme, world.team, {"revenue": Level.READ})
        told = check_envelope(send(stage, call, auth=token.authorization))
        assert told["code"] == obstacle
        assert told["held_until"]
        assert [(each.code, each.kind) for each in list_waiting(stage, call)] == [(obstacle, Kind.DENIED)]

    @pytest.mark.parametrize(
        ("body", "status"),
        [({"revenue": "1,25"}, 422), ({**SALE, "dry_run": 1}, 403), ({"post_call_tokens": {}}, 200)],
        ids=["bad values", "dry run", "nothing"],
    )
    def test_what_could_never_be_applied_does_not(self, stage: Live, body: Mapping[str, Any], status: int) -> None:
        stage.world.grant([])
        call = stage.world.call()
        reply = send(stage, call, body)
        assert (reply.status, "held_until" in reply.json) == (status, False)
        assert list_waiting(stage, call) == []

    def test_one_that_came_before_its_call_needs_nothing(self, stage: Live) -> None:
        early = stage.update(entropy.new_call_uuid(), SALE, auth=stage.world.bob_token.authorization).json
        until = early["held_until"]
        assert early["code"] == "call_not_found"
        assert early["hint"] == f"It waits for its call until {until}; nothing needs to be sent again."

    def test_it_is_given_up_when_its_time_is_over(self, stage: Live) -> None:
        call = denied(stage)
        with stage.world.database.write() as tx:
            tidy(tx, clock.now() + timedelta(days=89))
        assert len(list_waiting(stage, call)) == 1
        with stage.world.database.write() as tx:
            tidy(tx, clock.now() + timedelta(days=90, minutes=1))
        assert list_waiting(stage, call) == []
        assert apply(stage, call) == []


class TestApplied:
    @pytest.mark.parametrize("key", ["", "sale-1"], ids=["by content", "by key"])
    def test_after_the_grant_it_is_recorded_once(self, stage: Live, key: str) -> None:
        call = denied(stage, key=key)
        ((waits, outcome),) = apply(stage, call)
        assert (waits.tries, outcome.code) == (1, "applied")
        assert stage.world.state(call) == {**call.state, "buyer_converted": True, "revenue": Decimal("42.50")}
        assert ledger_sum(stage.world.database, call) == stage.world.state(call)
        before = of_call(stage.world.database, call)
        assert apply(stage, call) == []
        assert of_call(stage.world.database, call) == before

    def test_its_changes_tell_that_they_came_late_and_when_it_was_received(self, stage: Live) -> None:
        call = denied(stage)
        ((waits, outcome),) = apply(stage, call)
        with stage.world.database.read() as tx:
            entries = calls.list_entries(tx, call.account_id, call.uuid)
        assert {entry.change.origin for entry in entries} == {Origin.LATE}
        assert {entry.receipt_id for entry in entries} == {outcome.update.receipt_id} != {waits.id}
        assert all(entry.received_at == waits.received_at < entry.changed_at for entry in entries)

    def test_without_the_grant_it_goes_on_waiting(self, stage: Live) -> None:
        call = denied(stage)
        stage.world.grant(["revenue"])
        ((_, outcome),) = apply(stage, call)
        assert outcome.code == "permission_denied"
        assert len(list_waiting(stage, call)) == 1
        assert stage.world.state(call) == call.state

    def test_an_amount_that_was_set_since_is_kept_and_the_rest_applied(self, stage: Live) -> None:
        call = denied(stage, {**SALE, "post_call_tokens": {"city": "Ulm", "zip": "1"}})
        since = {"revenue": "99", "post_call_tokens": {"zip": "2"}}
        assert send(stage, call, since, auth=stage.world.ada_token.authorization).status == 200
        ((_, outcome),) = apply(stage, call)
        assert [warned.code for warned in outcome.warnings] == ["later_value_kept"] * 2
        assert {warned.details["name"] for warned in outcome.warnings} == {"revenue", "contact_fields.zip"}
        state = stage.world.state(call)
        assert (state["buyer_converted"], state["revenue"]) == (True, 99)
        assert state["contact_fields"] == {"city": "Ulm", "zip": "2"}

    def test_a_person_may_have_it_overwritten_all_the_same(self, stage: Live) -> None:
        call = denied(stage)
        send(stage, call, {"revenue": "99"}, auth=stage.world.ada_token.authorization)
        apply(stage, call, overrides_later=True)
        assert stage.world.state(call)["revenue"] == Decimal("42.50")

    def test_what_was_set_before_it_came_is_overwritten(self, stage: Live) -> None:
        call = stage.world.call()
        send(stage, call, {"revenue": "99"}, auth=stage.world.ada_token.authorization)
        stage.world.grant([])
        send(stage, call)
        stage.world.grant(EVERY_RIGHT)
        apply(stage, call)
        assert stage.world.state(call)["revenue"] == Decimal("42.50")

    def test_additions_are_added_to_what_came_since(self, stage: Live) -> None:
        call = denied(stage, {"add_revenue": "5"})
        send(stage, call, {"revenue": "10"}, auth=stage.world.ada_token.authorization)
        ((_, outcome),) = apply(stage, call)
        assert outcome.warnings == ()
        assert stage.world.state(call)["revenue"] == 15

    def test_several_are_applied_in_the_order_in_which_they_came(self, stage: Live) -> None:
        stage.world.grant([])
        call = stage.world.call()
        for amount in ("1", "2", "3"):
            send(stage, call, {"revenue": amount})
        stage.world.grant(EVERY_RIGHT)
        assert len(apply(stage, call)) == 3
        assert stage.world.state(call)["revenue"] == 3


class TestTheSendersRetries:
    @pytest.mark.parametrize("body", [SALE, {"add_revenue": "5"}], ids=["set", "add"])
    @pytest.mark.parametrize("key", ["", "sale-1"], ids=["by content", "by key"])
    @pytest.mark.parametrize("path", ["/api/v1/calls/update_call/{uuid}", "/api/v1/calls/{number}"])
    def test_after_it_was_applied_change_nothing_more(
        self, stage: Live, body: Mapping[str, Any], key: str, path: str
    ) -> None:
        stage.world.grant([])
        call = stage.world.call()
        path = path.format(uuid=call.uuid, number=call.number)
        assert send(stage, call, body, key=key, path=path).status == 403
        stage.world.grant(EVERY_RIGHT)
        apply(stage, call)
        worth = stage.world.state(call)
        assert worth != call.state
        for _ in range(3):
            assert send(stage, call, body, key=key, path=path).status == 200
        assert stage.world.state(call) == ledger_sum(stage.world.database, call) == worth

    @pytest.mark.parametrize("body", [SALE, {"add_revenue": "5"}], ids=["set", "add"])
    @pytest.mark.parametrize("key", ["", "sale-1"], ids=["by content", "by key"])
    def test_that_succeed_first_settle_what_waits(self, stage: Live, body: Mapping[str, Any], key: str) -> None:
        call = denied(stage, body, key=key)
        assert send(stage, call, body, key=key).status == 200
        worth = stage.world.state(call)
        assert list_waiting(stage, call) == []
        assert apply(stage, call) == []
        assert stage.world.state(call) == worth
        assert waiting_states(stage.world.database, call) == [State.SUPERSEDED]

    def test_under_another_key_settle_nothing(self, stage: Live) -> None:
        call = denied(stage, key="sale-1")
        assert send(stage, call, key="sale-2").status == 200
        assert len(list_waiting(stage, call)) == 1


class TestQuarantine:
    def test_a_strangers_update_waits_apart_for_a_week(self, stage: Live) -> None:
        call = stage.world.call()
        told = check_envelope(send(stage, call, auth=stage.world.charlie_token.authorization))
        assert told["code"] == "no_team"
        (waits,) = list_waiting(stage, call)
        assert (waits.kind, waits.expires_at - waits.received_at) == (Kind.QUARANTINE, timedelta(days=7))

    def test_a_user_has_room_for_a_hundred_and_an_account_for_a_thousand(self, stage: Live) -> None:
        world, call = stage.world, stage.world.call()
        send(stage, call, auth=world.charlie_token.authorization)
        (first,) = list_waiting(stage, call)
        self.fill(stage, first, QUARANTINE_USER_LIMIT - 1, user=world.charlie)
        reply = send(stage, call, {"revenue": "1"}, auth=world.charlie_token.authorization)
        assert (reply.json["code"], "held_until" in reply.json) == ("no_team", False)
        stranger = self.stranger(stage, "dan@elsewhere.example")
        assert "held_until" in send(stage, call, auth=stranger.authorization).json
        self.fill(stage, first, QUARANTINE_ACCOUNT_LIMIT - QUARANTINE_USER_LIMIT - 1, user=world.ada)
        other = self.stranger(stage, "eve@elsewhere.example")
        assert "held_until" not in send(stage, call, auth=other.authorization).json
        assert len(waiting_states(world.database, call)) == QUARANTINE_ACCOUNT_LIMIT

    def stranger(self, stage: Live, email: str) -> NewToken:
        with stage.world.database.write() as tx:
            user = accounts.add_user(tx, email, "", clock.now(), verified=True)
        return stage.world.token(user, stage.world.zeta)

    def fill(self, stage: Live, like: Waiting, count: int, *, user: int) -> None:
        with stage.world.database.write() as tx:
            for number in range(count):
                store.hold(tx, replace(like, id=entropy.new_id(), key=f"{number}", user_id=user))


class TestEarly:
    @pytest.fixture
    def uuid(self) -> str:
        return entropy.new_call_uuid()

    def record(self, stage: Live, uuid: str, **more: Any) -> Reply:  # noqa: ANN401
        body = {"uuid": uuid, "caller_number": "+17195550123", **more}
        auth = stage.world.ada_token.authorization
        return stage.request("POST", "/api/v1/calls", body=body, auth=auth)

    def test_an_update_before_its_call_is_held_and_applied_when_the_call_is_recorded(
        self, stage: Live, uuid: str
    ) -> None:
        told = check_envelope(stage.update(uuid, SALE, auth=stage.world.bob_token.authorization))
        assert told["code"] == "call_not_found"
        assert told["held_until"]
        reply = self.record(stage, uuid, buyer="Bright Roofing")
        assert (reply.status, reply.json["call"]["revenue"]) == (201, "42.50")

    def test_of_a_call_without_buyer_it_waits_for_the_buyer(self, stage: Live, uuid: str) -> None:
        stage.update(uuid, SALE, auth=stage.world.bob_token.authorization)
        assert self.record(stage, uuid).json["call"]["revenue"] is None
        assert self.record(stage, uuid, buyer="Bright Roofing").json["call"]["revenue"] == "42.50"

    def test_without_the_rights_it_waits_for_a_person(self, stage: Live, uuid: str) -> None:
        stage.update(uuid, SALE, auth=stage.world.bob_token.authorization)
        stage.world.grant([])
        call_told = self.record(stage, uuid, buyer="Bright Roofing").json["call"]
        assert call_told["revenue"] is None
        with stage.world.database.read() as tx:
            (waits,) = store.list_waiting(tx, stage.world.acme, call_uuid=uuid)
        assert waits.kind is Kind.DENIED

    def test_it_is_held_for_72_hours(self, stage: Live, uuid: str) -> None:
        stage.update(uuid, SALE, auth=stage.world.bob_token.authorization)
        with stage.world.database.write() as tx:
            tidy(tx, clock.now() + timedelta(hours=72, minutes=1))
        assert self.record(stage, uuid, buyer="Bright Roofing").json["call"]["revenue"] is None

    @pytest.mark.parametrize("ref", ["999999999", "not-a-uuid"])
    def test_what_names_no_uuid_is_not_held(self, stage: Live, ref: str) -> None:
        reply = stage.request("POST", f"/api/v1/calls/{ref}", body=SALE, auth=stage.world.bob_token.authorization)
        assert (reply.status, "held_until" in reply.json) == (404, False)


def test_in_one_batch_what_is_applied_settles_what_was_refused_before_it(stage: Live) -> None:
    """Two senders at once: the first with a token that may only read, the second with one that may update."""
    world, call = stage.world, stage.world.call()
    reader = world.token(world.bob, world.acme, access_type=AccessType.CALLS_READ)
    both = [ask(token.authorization, call.uuid, SALE) for token in (reader, world.bob_token)]
    with world.database.write() as tx:
        outcomes = updates.apply(tx, both, clock.now())
    assert [outcome.code for outcome in outcomes] == ["access_type", "applied"]
    assert list_waiting(stage, call) == []
