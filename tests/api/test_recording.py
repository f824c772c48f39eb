"""Recording calls, through a real socket, on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from ringback import clock, entropy
from ringback.domain.access import Level
from ringback.domain.bodies import Fields
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.receipts import Member, Update
from ringback.domain.recordings import read_recording
from ringback.services import calls
from ringback.store import partners, teams
from tests.api.calling import RECORDED, read, record
from tests.live import Live


@contextmanager
def recording_team(stage: Live, *, records_calls: bool = True) -> Iterator[None]:
    """Bob's team with the right to record calls."""
    world = stage.world
    with world.database.write() as tx:
        teams.change(tx, world.acme, world.team, records_calls=records_calls)
    yield
    with world.database.write() as tx:
        teams.change(tx, world.acme, world.team, records_calls=False)


class TestRecording:
    def test_an_owner_records_a_call_with_nothing_but_its_number(self, stage: Live) -> None:
        reply = record(stage)
        document = reply.json
        assert reply.status == 201
        assert reply.headers["cache-control"] == "no-store"
        assert {name: document[name] for name in ("status", "success", "code", "errors", "metadata")} == {
            "status": 201,
            "success": True,
            "code": "recorded",
            "errors": {},
            "metadata": {"root": "call"},
        }
        assert document["call"]["caller_number"] == "+17195550123"
        assert document["call"]["id"] > 0
        shown = read(stage, document["call"]["uuid"], auth=stage.world.ada_token.authorization).json["call"]
        assert shown == document["call"]

    def test_everything_that_can_be_named_is_kept(self, stage: Live) -> None:
        uuid = entropy.new_call_uuid()
        body = {
            "uuid": uuid.upper(),
            "caller_number": "(719) 555-0124",
            "buyer": "bright roofing",
            "offer_id": stage.world.offer,
            "status": "finished",
            "total_duration": 184,
            "answered_duration": "171",
            "ended_at": "2026-05-01T12:30:00Z",
            "first_name": "Jane",
            "zip": "80903",
        }
        call = record(stage, body).json["call"]
        expected = {
            "uuid": uuid,
            "caller_number": "+17195550124",
            "buyer": "Bright Roofing",
            "buyer_id": stage.world.bright,
            "offer": "Roofing",
            "status": "finished",
            "total_duration": 184,
            "answered_duration": 171,
            "ended_at": "2026-05-01T08:30:00.000-04:00",
            "contact_fields": {"first_name": "Jane", "zip": "80903"},
        }
        assert {name: call[name] for name in expected} == expected

    def test_the_same_uuid_again_updates_what_is_named(self, stage: Live) -> None:
        uuid = entropy.new_call_uuid()
        first = record(stage, {**RECORDED, "uuid": uuid, "status": "ringing", "revenue": "10"})
        again = record(stage, {"uuid": uuid, "status": "finished", "revenue": "12"})
        assert (first.status, again.status) == (201, 200)
        assert again.json["code"] == "applied"
        assert again.json["changed"] == {
            "status": {"from": "ringing", "to": "finished"},
            "revenue": {"from": "10.00", "to": "12.00", "origin": "recording"},
        }
        assert again.json["call"]["id"] == first.json["call"]["id"]
        assert again.json["call"]["status"] == "finished"
        assert again.json["call"]["caller_number"] == RECORDED["caller_number"]

    @pytest.mark.parametrize("path", ["/api/v1/calls", "/api/v1/calls.json", "/api/v1/calls/", "/a/acme/api/v1/calls"])
    def test_every_spelling_of_the_path_is_heard(self, stage: Live, path: str) -> None:
        assert record(stage, path=path, account="").status == 201

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            ("caller_number=%2B17195550123&first_name=Jane", "application/x-www-form-urlencoded"),
            ('{"caller_number": "+17195550123", "first_name": "Jane"}', "application/x-www-form-urlencoded"),
            ('{"caller_number": "+17195550123", "data": {"first_name": "Jane"}}', "text/plain"),
        ],
    )
    def test_a_body_is_read_as_leniently_as_that_of_an_update(self, stage: Live, body: str, content_type: str) -> None:
        reply = record(stage, body, headers={"Content-Type": content_type})
        assert reply.status == 201
        assert reply.json["call"]["contact_fields"] == {"first_name": "Jane"}

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("+17195550123", "+17195550123"),
            ("17195550123", "+17195550123"),
            ("7195550123", "+17195550123"),
            ("(719) 555-0123", "+17195550123"),
            ("+44 20 7946 0958", "+442079460958"),
            ("Anonymous", "anonymous"),
            ("RESTRICTED", "restricted"),
        ],
    )
    def test_a_caller_number_is_kept_in_one_form(self, stage: Live, given: str, kept: str) -> None:
        assert record(stage, {"caller_number": given}).json["call"]["caller_number"] == kept

    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({}, "caller_number", "missing_value"),
            ({"caller_number": ""}, "caller_number", "missing_value"),
            ({"caller_number": "who knows"}, "caller_number", "invalid_value"),
            ({"caller_number": "12"}, "caller_number", "invalid_value"),
            ({"caller_number": "[caller_id]"}, "caller_number", "unreplaced_token"),
            ({**RECORDED, "uuid": "1234"}, "uuid", "invalid_value"),
            ({**RECORDED, "buyer": "Nobody's"}, "buyer", "unknown_partner"),
            ({**RECORDED, "traffic_source_id": 99}, "traffic_source", "unknown_partner"),
            ({**RECORDED, "total_duration": "long"}, "total_duration", "invalid_value"),
            ({**RECORDED, "ended_at": "soon"}, "ended_at", "invalid_value"),
            ({**RECORDED, "revenue": "1,25"}, "revenue", "invalid_value"),
            ({**RECORDED, "revenue": "1", "add_revenue": "1"}, "add_revenue", "conflicting_values"),
        ],
    )
    def test_what_can_t_be_right_is_refused_by_field(
        self, stage: Live, body: Mapping[str, Any], field: str, code: str
    ) -> None:
        reply = record(stage, body)
        assert (reply.status, reply.json["code"]) == (422, code)
        assert reply.json["codes"] == {field: code}
        assert reply.json["errors"][field]
        assert reply.json["hint"]

    def test_a_body_that_can_t_be_read_is_refused_and_leaves_a_receipt(self, stage: Live) -> None:
        reply = record(stage, '{"caller_number": }')
        assert (reply.status, reply.json["code"]) == (400, "malformed_json")
        assert reply.json["receipt_id"]

    def test_a_dry_run_records_nothing(self, stage: Live) -> None:
        uuid = entropy.new_call_uuid()
        rehearsed = record(stage, {**RECORDED, "uuid": uuid}, headers={"Ringback-Dry-Run": "true"})
        assert rehearsed.json["dry_run"] is True
        assert read(stage, uuid, auth=stage.world.ada_token.authorization).status == 404

    def test_a_key_makes_a_retry_count_once(self, stage: Live) -> None:
        body = {**RECORDED, "uuid": entropy.new_call_uuid(), "add_revenue": "10"}
        key = {"Idempotency-Key": entropy.new_id()}
        first, again = record(stage, body, headers=key), record(stage, body, headers=key)
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json["call"] == first.json["call"]
        assert "idempotent-replayed" not in first.headers

    def test_a_key_makes_a_retry_count_once_also_where_ringback_made_the_uuid(self, stage: Live) -> None:
        key = {"Idempotency-Key": entropy.new_id()}
        first, again = record(stage, headers=key), record(stage, headers=key)
        assert first.json["call"] == again.json["call"]
        assert again.headers["idempotent-replayed"] == "true"
        assert record(stage).json["call"]["id"] == first.json["call"]["id"] + 1

    def test_two_at_once_with_one_key_are_one(self, stage: Live) -> None:
        key = {"Idempotency-Key": entropy.new_id()}
        with ThreadPoolExecutor(4) as threads:
            replies = list(threads.map(lambda _: record(stage, headers=key), range(4)))
        assert [reply.status for reply in replies] == [201] * 4
        assert len({reply.json["call"]["uuid"] for reply in replies}) == 1

    def test_what_was_agreed_takes_effect_on_a_call_that_is_recorded_converted(self, stage: Live) -> None:
        body = {**RECORDED, "buyer": "Bright Roofing", "offer": "Roofing", "buyer_converted": True}
        reply = record(stage, {**body, "offer_converted": True})
        assert reply.json["changed"]["revenue"] == {"from": None, "to": "42.00", "origin": "effect"}
        assert reply.json["call"]["payout"] == "25.20"

    def test_recording_again_says_what_it_changed_of_the_call_itself(self, stage: Live) -> None:
        auth = stage.world.ada_token.authorization
        first = stage.request(
            "POST", "/api/v1/calls", body={"caller_number": "+17195550177", "status": "ringing"}, auth=auth
        )
        again = {"uuid": first.json["call"]["uuid"], "status": "finished", "buyer": "Bright Roofing"}
        moved = stage.request("POST", "/api/v1/calls", body=again, auth=auth)
        assert (moved.status, moved.json["code"]) == (200, "applied")
        assert moved.json["changed"] == {
            "status": {"from": "ringing", "to": "finished"},
            "buyer": {"from": None, "to": "Bright Roofing"},
        }
        assert stage.request("POST", "/api/v1/calls", body=again, auth=auth).json["code"] == "unchanged"


class TestWhoMayRecord:
    def test_an_owner_s_token_for_calls_may_not_and_is_told_why(self, stage: Live) -> None:
        token = stage.world.token(stage.world.ada, stage.world.acme)
        reply = record(stage, auth=token.authorization)
        assert (reply.status, reply.json["code"]) == (403, "may_not_record")
        assert "Everything" in reply.json["hint"]
        assert "Record calls" in reply.json["hint"]

    def test_a_member_may_not_without_the_right_of_his_team(self, stage: Live) -> None:
        reply = record(stage, auth=stage.world.bob_token.authorization)
        assert (reply.status, reply.json["code"]) == (403, "may_not_record")

    def test_a_member_records_calls_of_his_team_s_buyers(self, stage: Live) -> None:
        with recording_team(stage):
            body = {**RECORDED, "buyer": stage.world.bright, "first_name": "Jane"}
            assert record(stage, body, auth=stage.world.bob_token.authorization).status == 201
            alone = record(stage, auth=stage.world.bob_token.authorization)
        assert (alone.status, alone.json["code"]) == (403, "buyer_not_shared")

    def test_recording_grants_no_right_but_that_on_the_fields_that_come_with_it(self, stage: Live) -> None:
        stage.world.grant({"revenue": Level.READ})
        with recording_team(stage):
            body = {**RECORDED, "buyer": stage.world.bright, "first_name": "Jane"}
            assert record(stage, body, auth=stage.world.bob_token.authorization).status == 201
            paid = record(stage, {**body, "revenue": "9"}, auth=stage.world.bob_token.authorization)
        assert (paid.status, paid.json["code"]) == (403, "permission_denied")
        assert [each["attribute"] for each in paid.json["missing_permissions"]] == ["Buyer Revenue"]

    def test_a_member_can_t_move_a_call_to_a_buyer_whom_his_team_doesn_t_see(self, stage: Live) -> None:
        world = stage.world
        with world.database.write() as tx:
            other = partners.add(tx, world.acme, "buyer", entropy.new_id(), entropy.new_id(), clock.now())
        call = world.call()
        with recording_team(stage):
            moved = record(stage, {"uuid": call.uuid, "buyer": other}, auth=world.bob_token.authorization)
            unknown = record(stage, {"uuid": call.uuid, "buyer": "Nobody's"}, auth=world.bob_token.authorization)
        assert (moved.status, moved.json["codes"]) == (422, {"buyer": "unknown_partner"})
        assert unknown.json["codes"] == moved.json["codes"]
        assert read(stage, call.uuid, auth=world.ada_token.authorization).json["call"]["buyer_id"] == world.bright

    def test_a_person_without_a_token_may_if_he_runs_the_account(self, stage: Live) -> None:
        world, now = stage.world, clock.now()
        reported = read_recording(Fields({**RECORDED, "buyer": "Bright Roofing"}, {}, ()), keys={}, dry_run=None)
        for user, recorded in ((world.ada, True), (world.bob, False)):
            update = Update(
                receipt_id=entropy.new_id(),
                received_at=now,
                route="record",
                account="",
                sender=Member(world.acme, user),
                ref=CallRef(RefKind.UUID, ""),
                reading=reported.reading,
            )
            with world.database.write() as tx:
                new_uuid = entropy.new_call_uuid()
                outcome = calls.record(tx, update, reported, now=now, new_uuid=new_uuid, new_id=entropy.new_id)
            assert (outcome.code == "recorded") is recorded

    def test_a_stranger_may_not(self, stage: Live) -> None:
        reply = record(stage, auth=stage.world.charlie_token.authorization)
        assert (reply.status, reply.json["code"]) == (403, "no_team")

    def test_who_is_unknown_may_not(self, stage: Live) -> None:
        reply = record(stage, auth=None)
        assert (reply.status, reply.json["code"]) == (401, "missing_credentials")
        assert reply.headers["www-authenticate"].startswith("Basic realm=")


class TestEarlyUpdates:
    def test_an_update_that_came_before_its_call_is_applied_when_the_call_is_recorded(self, stage: Live) -> None:
        uuid = entropy.new_call_uuid()
        early = stage.update(
            uuid,
            {"buyer_converted": "true", "revenue": "37.50", "post_call_tokens": {"first_name": "Jane"}},
            auth=stage.world.bob_token.authorization,
        )
        assert (early.status, early.json["code"]) == (404, "call_not_found")
        assert early.json["held_until"]
        recorded = record(stage, {**RECORDED, "uuid": uuid, "buyer": "Bright Roofing"})
        assert recorded.status == 201
        call = recorded.json["call"]
        assert (call["buyer_converted"], call["revenue"]) == ("Converted", "37.50")
        assert call["contact_fields"] == {"first_name": "Jane"}

    def test_it_stays_waiting_where_the_rights_don_t_allow_it(self, stage: Live) -> None:
        uuid = entropy.new_call_uuid()
        stage.world.grant(())
        assert "held_until" in stage.update(uuid, {"revenue": "5"}, auth=stage.world.bob_token.authorization).json
        recorded = record(stage, {**RECORDED, "uuid": uuid, "buyer": "Bright Roofing"})
        assert recorded.json["call"]["revenue"] is None
