"""What waits is kept whole, told to nobody who may not know, and overwrites nothing when it is applied late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import update

from ringback import clock, entropy
from ringback.domain.access import AccessType
from ringback.domain.attributes import UPDATABLE
from ringback.domain.calls import Call
from ringback.domain.receipts import Outcome
from ringback.domain.waiting import Kind, Waiting
from ringback.services import waiting
from ringback.store import calls, partners, teams
from ringback.store import waiting as store
from ringback.store.schema import access_tokens
from ringback.store.values import to_moment
from tests.api.calling import RECORDED, record
from tests.api.rows import ledger_sum
from tests.live import Live, Reply

ALL = [attribute.name for attribute in UPDATABLE]
DETAILS = {"status": "finished", "total_duration": 61, "ended_at": "2026-05-01T12:34:00Z", "hangup_cause": "16"}


def send(stage: Live, call: Call | str, body: Mapping[str, Any], *, auth: str = "", path: str = "") -> Reply:
    """Bob's platform posts, unless said otherwise."""
    uuid = call if isinstance(call, str) else call.uuid
    path = path or f"/api/v1/calls/update_call/{uuid}"
    return stage.request("POST", path, body=body, auth=auth or stage.world.bob_token.authorization)


def by_ada(stage: Live, call: Call | str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
    return send(stage, call, body, auth=stage.world.ada_token.authorization).json


def held(stage: Live, call: Call | str) -> list[Waiting]:
    uuid = call if isinstance(call, str) else call.uuid
    with stage.world.database.read() as tx:
        return store.list_waiting(tx, stage.world.acme, call_uuid=uuid)


def apply(stage: Live, call: Call | str, **more: Any) -> list[Outcome]:  # noqa: ANN401
    with stage.world.database.write() as tx:
        ids = [each.id for each in held(stage, call)]
        made = waiting.apply(tx, stage.world.acme, ids, now=clock.now(), new_id=entropy.new_id, **more)
    return [outcome for _, outcome in made]


def find(stage: Live, uuid: str) -> Call:
    with stage.world.database.read() as tx:
        found = calls.find_each(tx, stage.world.acme, [uuid])[uuid]
    assert ledger_sum(stage.world.database, found) == found.state
    return found


def make(stage: Live, noun: str = "buyer") -> int:
    """A further partner of Acme's; Bob's team sees buyers."""
    world = stage.world
    with world.database.write() as tx:
        made = partners.add(tx, world.acme, noun, f"{noun} {entropy.new_id()}", entropy.new_id(), clock.now())
        if noun == "buyer":
            teams.set_buyers(tx, world.acme, world.team, [world.bright, made])
    return made


class TestDetails:
    def test_of_an_early_update_are_applied_with_the_rest(self, recording: Live) -> None:
        uuid = entropy.new_call_uuid()
        assert "held_until" in send(recording, uuid, {**DETAILS, "revenue": "5"}).json
        shown = record(recording, {**RECORDED, "uuid": uuid, "buyer": "1"}).json["call"]
        assert (shown["revenue"], shown["status"], shown["total_duration"]) == ("5.00", "finished", 61)
        assert (shown["ended_at"], shown["hangup_cause"]) == ("2026-05-01T08:34:00.000-04:00", "16")

    def test_wait_also_alone(self, recording: Live) -> None:
        uuid = entropy.new_call_uuid()
        assert "held_until" in send(recording, uuid, {"status": "finished"}).json
        send(recording, uuid, {"status": "busy"})
        assert len(held(recording, uuid)) == 2
        assert record(recording, {**RECORDED, "uuid": uuid, "buyer": "1"}).json["call"]["status"] == "busy"

    def test_that_are_newer_are_kept(self, recording: Live) -> None:
        world, call = recording.world, recording.world.call()
        world.grant([])
        assert "held_until" in send(recording, call, {**DETAILS, "revenue": "5"}).json
        by_ada(recording, call, {"status": "busy"})
        world.grant(ALL)
        (outcome,) = apply(recording, call)
        assert [each.details["name"] for each in outcome.warnings] == ["status"]
        after = find(recording, call.uuid)
        assert (after.status, after.total_duration, after.state["revenue"]) == ("busy", 61, 5)

    def test_are_for_who_may_still_record(self, recording: Live) -> None:
        world, uuid = recording.world, entropy.new_call_uuid()
        send(recording, uuid, {"status": "finished", "revenue": "5"})
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, records_calls=False)
        shown = record(recording, {**RECORDED, "uuid": uuid, "buyer": "1"}).json["call"]
        assert (shown["revenue"], shown["status"]) == ("5.00", None)


class TestNewerValues:
    def test_of_buyer_source_and_disposition_are_kept(self, stage: Live) -> None:
        world, call, old, new = stage.world, stage.world.call(), make(stage), make(stage)
        source = make(stage, "traffic_source")
        world.grant([])
        asked = {
            "trackdrive_buyer_id": old,
            "trackdrive_traffic_source_id": source,
            "call_disposition_id": "OLD",
            "agent_call_disposition_notes": "old",
        }
        assert "held_until" in send(stage, call, asked).json
        by_ada(stage, call, {"trackdrive_buyer_id": new, "call_disposition_id": "NEW"})
        by_ada(stage, call, {"trackdrive_buyer_id": world.bright})
        world.grant(ALL)
        (outcome,) = apply(stage, call)
        assert {each.details["name"] for each in outcome.warnings} == {"buyer", "disposition"}
        after = find(stage, call.uuid)
        assert (after.buyer_id, after.disposition, after.disposition_notes) == (world.bright, "NEW", "old")
        assert after.traffic_source is not None
        assert after.traffic_source.id == source

    def test_are_overwritten_by_who_says_so(self, stage: Live) -> None:
        world, call, old = stage.world, stage.world.call(), make(stage)
        world.grant([])
        send(stage, call, {"trackdrive_buyer_id": old, "call_disposition_id": "OLD"})
        by_ada(stage, call, {"trackdrive_buyer_id": make(stage), "call_disposition_id": "NEW"})
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, every_buyer=True)
        world.grant(ALL)
        apply(stage, call, overrides_later=True)
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, every_buyer=False)
        after = find(stage, call.uuid)
        assert (after.buyer_id, after.disposition) == (old, "OLD")

    def test_stand_in_the_ledger_and_once_in_what_happened(self, stage: Live) -> None:
        world, call, buyer = stage.world, stage.world.call(), make(stage)
        told = by_ada(stage, call, {"trackdrive_buyer_id": buyer, "call_disposition_id": "SOLD", "revenue": "5"})
        with world.database.read() as tx:
            entries = calls.list_entries(tx, world.acme, call.uuid)
        assert {entry.change.name for entry in entries} == {"buyer", "disposition", "revenue"}
        (moved,) = [entry.change for entry in entries if entry.change.name == "buyer"]
        assert (getattr(moved.before, "id", None), getattr(moved.after, "id", None)) == (world.bright, buyer)
        assert find(stage, call.uuid).changes == 3
        for auth, names in ((world.ada_token, set(told["changed"])), (world.bob_token, {"disposition", "revenue"})):
            world.grant(ALL)
            events = stage.request("GET", f"/api/v1/calls/{call.uuid}/events", auth=auth.authorization).json
            (diff,) = [event["diff"] for event in events["events"] if event.get("diff")]
            assert set(diff) == names


class TestRetries:
    def test_leave_an_early_update_to_be_applied_by_itself(self, stage: Live) -> None:
        uuid = entropy.new_call_uuid()
        first = send(stage, uuid, {"revenue": "5"}).json["held_until"]
        record(stage, {**RECORDED, "uuid": uuid})
        again = send(stage, uuid, {"revenue": "5"}).json
        assert (again["code"], again["held_until"]) == ("buyer_not_shared", first)
        assert [(each.kind, each.tries) for each in held(stage, uuid)] == [(Kind.EARLY, 2)]
        assert by_ada(stage, uuid, {"trackdrive_buyer_id": stage.world.bright})["call"]["revenue"] == "5.00"

    def test_that_are_refused_for_more_leave_it_to_a_person(self, stage: Live) -> None:
        uuid = entropy.new_call_uuid()
        send(stage, uuid, {"revenue": "5"})
        stage.world.grant([])
        with stage.world.database.write() as tx:
            teams.set_buyers(tx, stage.world.acme, stage.world.team, [])
        record(stage, {**RECORDED, "uuid": uuid, "buyer": "1"})
        send(stage, uuid, {"revenue": "5"})
        assert [each.kind for each in held(stage, uuid)] == [Kind.DENIED]

    @pytest.mark.parametrize("refused", [False, True])
    def test_are_no_additions_that_unknown_names_tell_apart(self, stage: Live, *, refused: bool) -> None:
        world, call = stage.world, stage.world.call()
        if refused:
            world.grant([])
        for order in ("A1", "B2", "A1"):
            send(stage, call, {"add_revenue": "5", "order_id": order})
        if refused:
            world.grant(ALL)
            assert len(apply(stage, call)) == 2
            send(stage, call, {"add_revenue": "5", "order_id": "A1"})
        assert find(stage, call.uuid).state["revenue"] == 10

    def test_of_what_is_set_are_one_whatever_else_they_say(self, stage: Live) -> None:
        call = stage.world.call()
        stage.world.grant([])
        for moment in range(2):
            send(stage, call, {"revenue": "5", "sent_at": moment})
        assert [each.tries for each in held(stage, call)] == [2]


class TestAnAccessToken:
    @pytest.mark.parametrize("fault", ["revoked", "expired"])
    def test_that_is_good_no_longer_has_nothing_applied_by_itself(self, stage: Live, fault: str) -> None:
        world, uuid = stage.world, entropy.new_call_uuid()
        token = world.token(world.bob, world.acme)
        assert "held_until" in send(stage, uuid, {"revenue": "999"}, auth=token.authorization).json
        ended = {"revoked_at" if fault == "revoked" else "expires_at": to_moment(clock.now())}
        with world.database.write() as tx:
            tx.execute(update(access_tokens).where(access_tokens.c.id == token.id).values(ended))
        assert record(stage, {**RECORDED, "uuid": uuid, "buyer": "1"}).json["call"]["revenue"] is None
        assert [(each.kind, each.code) for each in held(stage, uuid)] == [(Kind.DENIED, fault)]
        assert [outcome.code for outcome in apply(stage, uuid)] == ["applied"]
        assert find(stage, uuid).state["revenue"] == 999


class TestByNumber:
    @pytest.mark.parametrize("obstacle", ["access_type", "api_access_off", "no_team"])
    def test_what_is_refused_waits_and_nobody_is_told(self, stage: Live, obstacle: str) -> None:
        world, call = stage.world, stage.world.call()
        kind = AccessType.CALLS_READ if obstacle == "access_type" else AccessType.CALLS
        token = world.charlie_token if obstacle == "no_team" else world.token(world.bob, world.acme, access_type=kind)
        world.grant(ALL, developer_api=obstacle != "api_access_off")
        told = [
            send(stage, "", {"revenue": "42"}, auth=token.authorization, path=f"/api/v1/calls/{number}").json
            for number in (call.number, call.number, 999_999_999)
        ]
        assert {each.pop("receipt_id") for each in told}
        assert told[0] == told[1] == told[2]
        assert told[0]["code"] == obstacle
        assert [(each.code, each.tries) for each in held(stage, call)] == [(obstacle, 2)]
        assert [each.kind for each in held(stage, call)] == [Kind.QUARANTINE if obstacle == "no_team" else Kind.DENIED]

    def test_what_no_team_of_his_sees_does_not(self, stage: Live) -> None:
        world, call = stage.world, stage.world.call(buyer=make(stage))
        with world.database.write() as tx:
            teams.set_buyers(tx, world.acme, world.team, [world.bright])
        token = world.token(world.bob, world.acme, access_type=AccessType.CALLS_READ).authorization
        for auth in (token, world.bob_token.authorization):
            send(stage, "", {"revenue": "42"}, auth=auth, path=f"/api/v1/calls/{call.number}")
        assert held(stage, call) == []
