"""How calls went: said by who may record them, left alone where anybody else says it."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.domain.access import AccessType
from ringback.domain.calls import Call
from ringback.store import accounts, receipts
from tests.api.calling import record
from tests.api.wire import check_envelope
from tests.live import Live, Reply

SAID = {
    "status": "finished",
    "total_duration": 184,
    "answered_duration": "171",
    "ended_at": "2026-05-01T12:34:00Z",
    "hangup_cause": "NORMAL_CLEARING",
}


def send(stage: Live, path: str, values: dict[str, Any], method: str = "POST", **more: Any) -> Reply:  # noqa: ANN401
    more.setdefault("auth", stage.world.bob_token.authorization)
    return stage.request(method, f"/api/v1/calls/{path}", body=values, **more)


class TestWhoMayRecord:
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    @pytest.mark.parametrize("way", ["update_call/{uuid}", "{uuid}", "{number}"])
    def test_says_how_a_call_went(self, recording: Live, method: str, way: str) -> None:
        call = recording.world.call()
        path = way.format(uuid=call.uuid, number=call.number)
        told = check_envelope(send(recording, path, {**SAID, "revenue": "5"}, method))
        assert (told["code"], told["ignored"], told["warnings"]) == ("applied", [], [])
        assert set(told["changed"]) == {*SAID, "revenue"}
        assert told["call"]["ended_at"] == "2026-05-01T08:34:00.000-04:00"
        assert (told["call"]["status"], told["call"]["total_duration"]) == ("finished", 184)
        assert told["call"]["hangup_cause"] == "NORMAL_CLEARING"
        again = send(recording, path, SAID, method).json
        assert (again["code"], again["changed"]) == ("unchanged", {})

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ("2026-05-01T12:34:00", "2026-05-01T12:34:00.000-04:00"),
            ("2026-11-3", "2026-11-03T00:00:00.000-05:00"),
            ("2026-05-01 12:34:00 -0700", "2026-05-01T15:34:00.000-04:00"),
            ("2026-05-01 12:34:00 UTC", "2026-05-01T08:34:00.000-04:00"),
        ],
    )
    def test_means_the_account_s_time_unless_it_is_said_otherwise(self, stage: Live, sent: str, kept: str) -> None:
        ada = stage.world.ada_token.authorization
        updated = send(stage, stage.world.call().uuid, {"ended_at": sent}, auth=ada).json["call"]
        recorded = record(stage, {"caller_number": "+17195550123", "ended_at": sent}).json["call"]
        assert (updated["ended_at"], recorded["ended_at"]) == (kept, kept)

    def test_may_be_an_owner_with_a_token_for_everything(self, stage: Live) -> None:
        told = send(stage, stage.world.call().uuid, SAID, auth=stage.world.ada_token.authorization).json
        assert told["call"]["total_duration"] == 184

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ("Caller Hung Up", "caller-hung-up"),
            ("NO_ANSWER", "no-answer"),
            ("  Finished ", "finished"),
            ("Our own Word", "Our own Word"),
        ],
    )
    def test_may_use_any_word_for_the_status(self, recording: Live, sent: str, kept: str) -> None:
        assert send(recording, recording.world.call().uuid, {"status": sent}).json["call"]["status"] == kept

    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            ("total_duration", "three minutes", "invalid_value"),
            ("total_duration", -1, "invalid_value"),
            ("ended_at", "yesterday", "invalid_value"),
            ("status", ["x"], "invalid_value"),
            ("status", "[call_status]", "unreplaced_token"),
        ],
    )
    def test_is_told_what_can_t_be_read(self, recording: Live, name: str, value: object, code: str) -> None:
        call = recording.world.call()
        told = check_envelope(send(recording, call.uuid, {name: value, "revenue": "5"}))
        assert told["codes"] == {name: code}
        assert recording.world.state(call)["revenue"] is None

    def test_leaves_alone_what_is_blank_and_what_is_rehearsed(self, recording: Live) -> None:
        call = recording.world.call()
        send(recording, call.uuid, SAID)
        assert send(recording, call.uuid, {"status": "", "ended_at": None}).json["code"] == "unchanged"
        told = send(recording, call.uuid, {"status": "busy", "dry_run": True}).json
        assert (told["code"], told["call"]["status"]) == ("applied", "busy")
        assert send(recording, call.uuid, {}).json["call"]["status"] == "finished"

    def test_has_it_on_the_receipt(self, recording: Live) -> None:
        told = send(recording, recording.world.call().uuid, {"status": "busy"}).json
        with recording.world.database.read() as tx:
            found = receipts.find(tx, recording.world.acme, told["receipt_id"])
        assert found is not None
        assert found[0].changed == [["status", None, "busy", "update"]]
        assert found[1].understood["trail"] == [["status", "json", "detail"]]

    def test_gets_a_conflict_for_another_status_under_one_key(self, recording: Live) -> None:
        call, key = recording.world.call(), {"Idempotency-Key": "k"}
        assert send(recording, call.uuid, {"status": "busy"}, headers=key).json["code"] == "applied"
        assert send(recording, call.uuid, {"status": "busy"}, headers=key).headers["idempotent-replayed"] == "true"
        assert send(recording, call.uuid, {"status": "failed"}, headers=key).json["code"] == "idempotency_conflict"


class TestAnybodyElse:
    def test_is_told_that_it_was_left_alone(self, stage: Live) -> None:
        call = stage.world.call()
        told = check_envelope(send(stage, call.uuid, {**SAID, "total_duration": "x", "revenue": "5"}))
        assert told["code"] == "applied"
        assert set(told["ignored"]) == set(SAID)
        assert {each["code"] for each in told["warnings"]} == {"detail_ignored"}
        assert set(told["changed"]) == {"revenue"}
        assert told["call"]["status"] is None

    def test_an_owner_s_token_for_calls_is_somebody_else(self, stage: Live) -> None:
        world = stage.world
        token = world.token(world.ada, world.acme, access_type=AccessType.CALLS)
        told = send(stage, world.call().uuid, SAID, auth=token.authorization).json
        assert set(told["ignored"]) == set(SAID)

    def test_has_them_kept_as_contact_fields_where_the_account_says_so(self, stage: Live) -> None:
        world = stage.world
        with world.database.write() as tx:
            accounts.change_account(tx, world.acme, keeps_unknown_fields=True)
        told = send(stage, world.call().uuid, {"status": "sold"}).json
        assert told["call"]["contact_fields"] == {"status": "sold"}
        assert told["call"]["status"] is None


def test_a_recorder_sees_no_more_calls_than_his_team(recording: Live) -> None:
    hidden: Call = recording.world.call(buyer=None)
    assert send(recording, hidden.uuid, SAID).json["code"] == "buyer_not_shared"
    assert send(recording, str(hidden.number), SAID).json["code"] == "call_not_found"
