"""To whom a call belongs: its buyer and traffic source, given by who has the right, to whom his team sees."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ringback import clock, entropy
from ringback.domain.access import Level
from ringback.domain.attributes import ATTRIBUTES, BUYER, TRAFFIC_SOURCE
from ringback.domain.calls import Call
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.money import to_micros
from ringback.domain.waiting import Kind
from ringback.services.waiting import apply
from ringback.store import calls, partners, receipts, teams, waiting
from tests.api.calling import record
from tests.api.rows import ledger_sum, waiting_states
from tests.api.wire import check_envelope
from tests.live import Live, Reply
from tests.world import World

WORTH = [attribute.name for attribute in ATTRIBUTES]
ALL = [*WORTH, BUYER.name, TRAFFIC_SOURCE.name]


def make(world: World, noun: str, account: int | None = None, **terms: Any) -> int:  # noqa: ANN401
    with world.database.write() as tx:
        return partners.add(tx, account or world.acme, noun, entropy.new_id(), entropy.new_id(), clock.now(), **terms)


def row(world: World, noun: str, number: int) -> dict[str, Any]:
    with world.database.read() as tx:
        found = partners.find_row(tx, world.acme, noun, number)
    assert found is not None
    return found


def share(world: World, *buyers: int) -> None:
    with world.database.write() as tx:
        teams.set_buyers(tx, world.acme, world.team, buyers)


def now(world: World, call: Call) -> Call:
    with world.database.read() as tx:
        found = calls.find(tx, world.acme, CallRef(RefKind.UUID, call.uuid))
    assert found is not None
    assert ledger_sum(world.database, found) == found.state
    return found


def update(stage: Live, call: Call, values: dict[str, Any], **more: Any) -> Reply:  # noqa: ANN401
    more.setdefault("auth", stage.world.bob_token.authorization)
    return stage.update(call.uuid, values, **more)


class TestTheRight:
    @pytest.mark.parametrize(
        ("name", "label"), [("trackdrive_buyer_id", "Buyer"), ("trackdrive_traffic_source_id", "Traffic Source")]
    )
    def test_is_one_of_its_own(self, stage: Live, name: str, label: str) -> None:
        world = stage.world
        world.grant(WORTH)
        call = world.call()
        told = check_envelope(update(stage, call, {name: "1", "revenue": "5"}))
        assert told["code"] == "permission_denied"
        assert [missing["attribute"] for missing in told["missing_permissions"]] == [label]
        assert list(told["errors"]) == [name]
        assert waiting_states(world.database, call) == ["waiting"]
        assert now(world, call).state["revenue"] is None

    def test_to_read_does_not_suffice(self, stage: Live) -> None:
        world = stage.world
        world.grant({**dict.fromkeys(WORTH, Level.UPDATE), BUYER.name: Level.READ})
        assert update(stage, world.call(), {"trackdrive_buyer_id": world.bright}).json["code"] == "permission_denied"

    def test_is_told_by_me(self, stage: Live) -> None:
        world = stage.world
        world.grant([BUYER.name])
        told = stage.request("GET", "/api/v1/me", auth=world.bob_token.authorization).json["me"]["attributes"]
        assert {each["attribute"]: each["may_update"] for each in told if each["may_update"]} == {"buyer": True}
        assert [each["wire_names"] for each in told if each["attribute"] in {"buyer", "traffic_source"}] == [
            ["trackdrive_buyer_id"],
            ["trackdrive_traffic_source_id"],
        ]


class TestBuyers:
    @pytest.mark.parametrize("way", ["number", "text", "uuid", "own", "name"])
    def test_are_named_by_any_id(self, stage: Live, way: str) -> None:
        world = stage.world
        world.grant(ALL)
        own = entropy.new_id()[:13]
        buyer = make(world, "buyer", external_id=own)
        share(world, world.bright, buyer)
        call = world.call()
        kept = row(world, "buyer", buyer)
        ways = {"number": buyer, "text": f" {buyer} ", "uuid": kept["uuid"], "own": own, "name": kept["name"].upper()}
        named = ways[way]
        told = check_envelope(update(stage, call, {"trackdrive_buyer_id": named}))
        assert told["code"] == "applied"
        assert told["call"]["buyer_id"] == buyer
        assert told["changed"]["buyer"]["to"] == row(world, "buyer", buyer)["name"]
        assert now(world, call).buyer_id == buyer
        again = update(stage, call, {"trackdrive_buyer_id": named}).json
        assert (again["code"], again["changed"]) == ("unchanged", {})

    def test_that_the_team_does_not_see_are_unknown(self, stage: Live) -> None:
        world = stage.world
        world.grant(ALL)
        hidden, foreign, call = make(world, "buyer"), make(world, "buyer", world.zeta), world.call()
        told = [
            check_envelope(update(stage, call, {"trackdrive_buyer_id": named, "revenue": "1"}))
            for kept in (row(world, "buyer", hidden),)
            for named in (hidden, kept["uuid"], kept["name"], 987654, f"{foreign + 1000}", "Nobody's Roofing")
        ]
        assert {(each["status"], each["codes"]["trackdrive_buyer_id"]) for each in told} == {(422, "unknown_partner")}
        assert now(world, call).buyer_id == world.bright
        assert now(world, call).state["revenue"] is None
        assert update(stage, call, {"trackdrive_buyer_id": hidden}, auth=world.ada_token.authorization).status == 200

    def test_that_another_team_sees_do_not_count(self, stage: Live) -> None:
        world = stage.world
        world.grant(ALL)
        other = make(world, "buyer")
        with world.database.write() as tx:
            second = teams.add(tx, world.acme, entropy.new_id(), clock.now())
            teams.set_users(tx, world.acme, second, [world.bob])
            teams.set_buyers(tx, world.acme, second, [other])
            teams.change(tx, world.acme, second, developer_api=True)
        assert update(stage, world.call(), {"trackdrive_buyer_id": other}).json["code"] == "unknown_partner"

    def test_bring_what_is_agreed_with_them(self, stage: Live) -> None:
        world = stage.world
        world.grant(ALL)
        buyer = make(world, "buyer", agreed_revenue=to_micros(Decimal("77.00")))
        share(world, world.bright, buyer)
        call = world.call()
        told = update(stage, call, {"trackdrive_buyer_id": buyer, "buyer_converted": "1"}).json
        assert told["changed"]["revenue"] == {"from": None, "to": "77.00", "origin": "effect"}
        assert now(world, call).state["revenue"] == Decimal(77)

    def test_are_rehearsed(self, stage: Live) -> None:
        world = stage.world
        world.grant(ALL)
        buyer = make(world, "buyer")
        share(world, world.bright, buyer)
        call = world.call()
        told = check_envelope(update(stage, call, {"trackdrive_buyer_id": buyer, "dry_run": True}))
        assert told["call"]["buyer_id"] == buyer
        assert now(world, call).buyer_id == world.bright

    @pytest.mark.parametrize(
        ("value", "code"),
        [("", "unchanged"), (None, "unchanged"), ("[buyer_id]", "unreplaced_token"), (["x"], "invalid_value")],
    )
    def test_that_can_t_be_read_change_nothing(self, stage: Live, value: object, code: str) -> None:
        world = stage.world
        world.grant(ALL)
        call = world.call()
        assert update(stage, call, {"trackdrive_buyer_id": value}).json["code"] == code
        assert now(world, call).buyer_id == world.bright


class TestTrafficSources:
    def test_are_given(self, stage: Live) -> None:
        world = stage.world
        world.grant(ALL)
        source, call = make(world, "traffic_source"), world.call()
        told = check_envelope(update(stage, call, {"trackdrive_traffic_source_id": source, "add_revenue": "3"}))
        assert told["changed"].keys() == {"traffic_source", "revenue"}
        assert told["call"]["traffic_source_id"] == source
        with world.database.read() as tx:
            found = receipts.find(tx, world.acme, told["receipt_id"])
        assert found is not None
        assert [["traffic_source", None, told["call"]["traffic_source"], "update"]] == [
            each for each in found[0].changed if each[0] == "traffic_source"
        ]


class TestWhatWaits:
    def test_for_its_call_is_applied_when_the_buyer_comes(self, stage: Live) -> None:
        world, uuid = stage.world, entropy.new_call_uuid()
        world.grant(ALL)
        early = stage.update(uuid, {"revenue": "42.00"}, auth=world.bob_token.authorization)
        assert "held_until" in early.json
        record(stage, {"uuid": uuid, "caller_number": "+17195550123"})
        call = now_by(world, uuid)
        assert waiting_states(world.database, call) == ["waiting"]
        told = update(stage, call, {"trackdrive_buyer_id": world.bright}, auth=world.ada_token.authorization).json
        assert told["call"]["revenue"] == "42.00"
        assert now(world, call).state["revenue"] == Decimal(42)
        assert waiting_states(world.database, call) == ["applied"]

    def test_for_the_right_is_applied_with_the_grant(self, stage: Live) -> None:
        world, uuid = stage.world, entropy.new_call_uuid()
        world.grant(WORTH)
        buyer = make(world, "buyer")
        share(world, world.bright, buyer)
        call = world.call(uuid=uuid)
        assert "held_until" in update(stage, call, {"trackdrive_buyer_id": buyer}).json
        world.grant(ALL)
        apply_all(world, call)
        assert now(world, call).buyer_id == buyer


class TestRecordingAgain:
    def test_gives_a_call_to_another_buyer_only_with_the_right(self, stage: Live) -> None:
        world = stage.world
        world.grant(WORTH)
        other = make(world, "buyer")
        share(world, world.bright, other)
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, records_calls=True)
        try:
            call = world.call()
            body, bob = {"uuid": call.uuid, "buyer": str(other)}, world.bob_token.authorization
            denied = record(stage, body, auth=bob).json
            assert denied["missing_permissions"][0]["attribute"] == "Buyer"
            assert now(world, call).buyer_id == world.bright
            assert record(stage, {**body, "buyer": str(world.bright)}, auth=bob).json["code"] == "unchanged"
            world.grant(ALL)
            assert record(stage, body, auth=bob).json["changed"]["buyer"]["from"] == "Bright Roofing"
            assert now(world, call).buyer_id == other
        finally:
            with world.database.write() as tx:
                teams.change(tx, world.acme, world.team, records_calls=False)

    def test_takes_the_names_of_updates(self, stage: Live) -> None:
        world = stage.world
        reply = record(stage, {"caller_number": "+17195550123", "trackdrive_buyer_id": world.bright})
        assert (reply.status, reply.json["call"]["buyer_id"]) == (201, world.bright)


def now_by(world: World, uuid: str) -> Call:
    with world.database.read() as tx:
        found = calls.find(tx, world.acme, CallRef(RefKind.UUID, uuid))
    assert found is not None
    return found


def apply_all(world: World, call: Call) -> None:
    """Apply what waits for a call, as a person does after granting the right."""
    with world.database.write() as tx:
        held = waiting.list_waiting(tx, world.acme, call_uuid=call.uuid, kind=Kind.DENIED)
        apply(tx, world.acme, [each.id for each in held], now=clock.now(), new_id=entropy.new_id)
