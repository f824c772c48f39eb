"""A call that is reported once more: what is a retry, what a correction, and what it changes."""

from __future__ import annotations

from typing import Any

import pytest

from ringback import clock, entropy
from ringback.domain.attributes import BUYER, UPDATABLE
from ringback.domain.calls import Call
from ringback.services import waiting
from ringback.store import calls, erasures, partners, teams
from ringback.store import waiting as store
from tests.api.calling import RECORDED, record
from tests.api.rows import ledger_sum, texts
from tests.api.wire import check_envelope
from tests.live import Live, Reply
from tests.world import EVERY_RIGHT

ALL = [attribute.name for attribute in UPDATABLE]


@pytest.fixture
def cool(stage: Live) -> str:
    """A second buyer of Acme's, by name."""
    name = f"Cool {entropy.new_id()}"
    with stage.world.database.write() as tx:
        partners.add(tx, stage.world.acme, "buyer", name, entropy.new_id(), clock.now())
    return name


def key() -> dict[str, str]:
    return {"Idempotency-Key": entropy.new_id()}


def by_bob(stage: Live, body: dict[str, Any], **more: Any) -> Reply:  # noqa: ANN401
    return record(stage, body, auth=stage.world.bob_token.authorization, **more)


class TestUnderAKey:
    @pytest.mark.parametrize(
        "other",
        [
            {"caller_number": "+17195550002"},
            {"buyer": "1"},
            {"status": "finished"},
            {"total_duration": 61},
            {"revenue": "5"},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_of_the_header_other_content_is_a_conflict(self, stage: Live, other: dict[str, object]) -> None:
        headers = key()
        first = record(stage, RECORDED, headers=headers).json["call"]
        assert record(stage, RECORDED, headers=headers).json["call"]["uuid"] == first["uuid"]
        assert check_envelope(record(stage, RECORDED | other, headers=headers))["code"] == "idempotency_conflict"

    def test_the_same_is_a_retry_whoever_has_the_call_by_then(self, stage: Live, cool: str) -> None:
        body, headers = {**RECORDED, "uuid": entropy.new_call_uuid(), "buyer": "Bright Roofing"}, key()
        first = record(stage, body, headers=headers)
        stage.update(body["uuid"], {"trackdrive_buyer_id": cool}, auth=stage.world.ada_token.authorization)
        again = record(stage, body, headers=headers)
        assert (again.headers.get("idempotent-replayed"), again.json) == ("true", first.json)

    @pytest.mark.parametrize("name", ["event_id", "transaction_id"])
    def test_of_the_body_other_content_corrects_the_call_that_was_recorded(self, stage: Live, name: str) -> None:
        body = {**RECORDED, name: entropy.new_id()}
        first = record(stage, {**body, "revenue": "1"}).json
        for revenue in ("2", "3"):
            told = record(stage, {**body, "revenue": revenue})
            assert (told.status, told.json["code"]) == (200, "applied")
            assert told.json["call"]["id"] == first["call"]["id"]
            assert told.json["call"]["revenue"] == f"{revenue}.00"
            assert [warned["code"] for warned in told.json["warnings"]] == ["correction"]
        corrected = record(stage, {**body, "caller_number": "+17195550002"}).json
        assert corrected["changed"]["caller_number"] == {"from": "+17195550123", "to": "+17195550002"}
        assert corrected["call"]["id"] == first["call"]["id"]


class TestAdditions:
    def test_that_come_again_are_taken_for_a_retry(self, stage: Live) -> None:
        body = {**RECORDED, "uuid": entropy.new_call_uuid(), "add_revenue": "5"}
        assert record(stage, body).json["call"]["revenue"] == "5.00"
        again = record(stage, body).json
        assert (again["call"]["revenue"], again["code"]) == ("5.00", "unchanged")
        assert [warned["code"] for warned in again["warnings"]] == ["duplicate_suppressed"]
        assert record(stage, {**body, "status": "finished"}).json["call"]["revenue"] == "10.00"

    def test_without_a_uuid_are_calls_of_their_own(self, stage: Live) -> None:
        first, second = (record(stage, {**RECORDED, "add_revenue": "5"}) for _ in range(2))
        assert (first.status, second.status) == (201, 201)
        assert first.json["call"]["id"] != second.json["call"]["id"]


class TestWhatIsNamed:
    def test_may_be_another_caller(self, stage: Live) -> None:
        call = stage.world.call()
        told = record(stage, {"uuid": call.uuid, "caller_number": "719 555 0999"}).json
        assert told["changed"]["caller_number"] == {"from": "+17195550100", "to": "+17195550999"}
        shown = stage.request("GET", f"/api/v1/calls/{call.uuid}", auth=stage.world.ada_token.authorization).json
        assert shown["call"]["caller_number"] == "+17195550999"

    def test_and_is_there_already_is_told(self, stage: Live) -> None:
        world, call = stage.world, stage.world.call()
        body = {"uuid": call.uuid, "caller_number": "+17195550100", "buyer": "Bright Roofing", "status": "finished"}
        record(stage, body)
        again = check_envelope(record(stage, body))
        assert (again["code"], again["changed"]) == ("unchanged", {})
        assert set(again["unchanged"]) == {"caller_number", "buyer", "status"}
        said = {"trackdrive_buyer_id": world.bright, "call_disposition_id": "sold"}
        stage.update(call.uuid, said, auth=world.ada_token.authorization)
        told = stage.update(call.uuid, said, auth=world.ada_token.authorization).json
        assert set(told["unchanged"]) == {"buyer", "disposition"}


class TestDenied:
    @staticmethod
    def apply(stage: Live, uuid: str) -> list[str]:
        world = stage.world
        with world.database.write() as tx:
            ids = [each.id for each in store.list_waiting(tx, world.acme, call_uuid=uuid)]
            made = waiting.apply(tx, world.acme, ids, now=clock.now(), new_id=entropy.new_id)
        return [outcome.code for _, outcome in made]

    def test_of_a_call_that_is_there_waits_and_is_applied_as_it_was_sent(self, recording: Live) -> None:
        world, call = recording.world, recording.world.call()
        world.grant([])
        body = {"uuid": call.uuid, "revenue": "5", "status": "finished", "ended_at": "2026-05-01T12:34:00Z", "zip": "1"}
        told = check_envelope(by_bob(recording, body))
        assert (told["code"], "held_until" in told) == ("permission_denied", True)
        assert "held_until" in by_bob(recording, body).json
        with world.database.read() as tx:
            (waits,) = store.list_waiting(tx, world.acme, call_uuid=call.uuid)
        assert (waits.tries, waits.attributes) == (2, ("revenue",))
        world.grant(["revenue"])
        assert self.apply(recording, call.uuid) == ["applied"]
        after = self.find(recording, call)
        assert (after.status, after.ended_at is not None) == ("finished", True)
        assert (after.state["revenue"], after.state["contact_fields"]) == (5, {"zip": "1"})

    def test_that_succeeds_later_settles_it(self, recording: Live) -> None:
        world, call = recording.world, recording.world.call()
        world.grant([])
        body = {"uuid": call.uuid, "add_revenue": "5", "status": "finished"}
        by_bob(recording, body)
        world.grant(EVERY_RIGHT)
        assert by_bob(recording, body).status == 200
        assert self.apply(recording, call.uuid) == []
        assert self.find(recording, call).state["revenue"] == 5

    def test_takes_no_call_from_whom_it_was_given_to_since(self, recording: Live, cool: str) -> None:
        world, uuid = recording.world, entropy.new_call_uuid()
        record(recording, {**RECORDED, "uuid": uuid})
        assert by_bob(recording, {"uuid": uuid, "buyer": "Bright Roofing"}).json["code"] == "buyer_not_shared"
        record(recording, {"uuid": uuid, "buyer": cool})
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, every_buyer=True)
        try:
            assert self.apply(recording, uuid) == ["unchanged"]
        finally:
            with world.database.write() as tx:
                teams.change(tx, world.acme, world.team, every_buyer=False)
        shown = recording.request("GET", f"/api/v1/calls/{uuid}", auth=world.ada_token.authorization).json["call"]
        assert shown["buyer"] == cool

    def test_keeps_nothing_of_a_person_who_is_erased(self, recording: Live) -> None:
        world, call = recording.world, recording.world.call(caller_number="+17195550666")
        record(recording, {"uuid": call.uuid, "caller_number": "+17195550777"}, headers=key())
        world.grant([])
        body = {"uuid": call.uuid, "caller_number": "+17195550888", "revenue": "5", "status": "finished"}
        assert "held_until" in by_bob(recording, body).json
        with world.database.write() as tx:
            erasures.erase(tx, world.acme, call.uuid, clock.now())
            (waits,) = store.list_waiting(tx, world.acme, call_uuid=call.uuid)
        assert waits.details == {"status": "finished"}
        numbers = (b"7195550666", b"7195550777", b"7195550888")
        assert [place for place, text in texts(world.database) if any(number in text for number in numbers)] == []

    def test_of_a_new_call_does_not(self, recording: Live) -> None:
        recording.world.grant([])
        told = by_bob(recording, {**RECORDED, "uuid": entropy.new_call_uuid(), "buyer": "1", "revenue": "5"}).json
        assert (told["code"], "held_until" in told) == ("permission_denied", False)

    def test_to_another_buyer_waits_for_the_right(self, recording: Live, cool: str) -> None:
        world, call = recording.world, recording.world.call()
        with world.database.write() as tx:
            teams.set_buyers(tx, world.acme, world.team, [world.bright, self.number(recording, cool)])
        world.grant([each for each in ALL if each != BUYER.name])
        told = by_bob(recording, {"uuid": call.uuid, "buyer": cool}).json
        assert (told["code"], "held_until" in told) == ("permission_denied", True)
        world.grant(ALL)
        assert self.apply(recording, call.uuid) == ["applied"]
        assert self.find(recording, call).buyer_id == self.number(recording, cool)

    @staticmethod
    def number(stage: Live, name: str) -> int:
        with stage.world.database.read() as tx:
            found = partners.find(tx, stage.world.acme, "buyer", name)
        assert found is not None
        return found.id

    @staticmethod
    def find(stage: Live, call: Call) -> Call:
        with stage.world.database.read() as tx:
            found = calls.find_each(tx, stage.world.acme, [call.uuid])[call.uuid]
        assert ledger_sum(stage.world.database, call) == found.state
        return found
