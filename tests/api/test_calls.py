"""Reading calls, and answers while the database is in trouble, through a real socket, on each kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from ringback import entropy
from ringback.domain.access import AccessType, Level
from ringback.domain.attributes import ATTRIBUTES
from ringback.store.failures import ContendedError, UnavailableError, UnconfirmedError
from tests.api.calling import read, record
from tests.live import Live
from tests.world import EVERY_RIGHT


class TestReading:
    def test_a_call_is_shown_in_its_envelope(self, stage: Live) -> None:
        call = stage.world.call()
        reply = read(stage, call.uuid)
        assert reply.status == 200
        assert reply.headers["cache-control"] == "no-store"
        document = reply.json
        assert document["call"].pop("uuid") == call.uuid
        assert {name: document[name] for name in ("status", "success", "errors", "metadata")} == {
            "status": 200,
            "success": True,
            "errors": {},
            "metadata": {"root": "call"},
        }
        assert {name for each in ATTRIBUTES for name in each.reads} <= set(document["call"])

    def test_by_number_with_a_suffix_by_path_it_is_the_same(self, stage: Live) -> None:
        call = stage.world.call()
        shown = read(stage, call.uuid).json
        assert read(stage, call.number).json == shown
        assert read(stage, f"{call.uuid}.json").json == shown
        assert read(stage, call.uuid.upper().replace("-", "")).json == shown
        path = f"/a/acme/api/v1/calls/{call.uuid}/"
        assert stage.request("GET", path, auth=stage.world.bob_token.authorization, account="").json == shown

    @pytest.mark.parametrize("root", ["false", "0", "no", "False"])
    def test_root_false_leaves_the_envelope_off(self, stage: Live, root: str) -> None:
        call = stage.world.call()
        assert read(stage, call.uuid, f"?root={root}").json["uuid"] == call.uuid

    def test_columns_are_trimmed_and_picked_in_their_order(self, stage: Live) -> None:
        call = stage.world.call()
        picked = read(stage, call.uuid, "?root=false&columns=revenue,%20uuid,nothing,").json
        assert list(picked.items()) == [("revenue", None), ("uuid", call.uuid)]
        assert read(stage, call.uuid, "?columns=%20,").json == read(stage, call.uuid).json

    def test_what_may_not_be_read_is_left_out(self, stage: Live) -> None:
        stage.world.grant({"revenue": Level.READ})
        shown = read(stage, stage.world.call().uuid, "?columns=revenue,buyer_revenue,payout,contact_fields").json
        assert set(shown["call"]) == {"revenue", "buyer_revenue"}

    def test_a_token_that_only_reads_may(self, stage: Live) -> None:
        token = stage.world.token(stage.world.bob, stage.world.acme, access_type=AccessType.CALLS_READ)
        assert read(stage, stage.world.call().uuid, auth=token.authorization).status == 200

    @pytest.mark.parametrize("query", ["?auth_token={token}", "?root=&auth_token={token}"])
    def test_a_credential_may_stand_in_the_query(self, stage: Live, query: str) -> None:
        query = query.format(token=stage.world.bob_developer_token.token)
        assert read(stage, stage.world.call().uuid, query, auth=None).status == 200


class TestWhoMayRead:
    def test_an_unknown_call_is_not_found(self, stage: Live) -> None:
        for unknown in (entropy.new_call_uuid(), 999_999_999, "10" * 9, "what"):
            reply = read(stage, unknown)
            assert (reply.status, reply.json["code"]) == (404, "call_not_found")

    def test_a_template_token_in_the_path_is_named(self, stage: Live) -> None:
        reply = read(stage, "%5Bcall_uuid%5D")
        assert (reply.status, reply.json["code"]) == (422, "unreplaced_token")
        assert "[call_uuid]" in reply.json["errors"]["uuid"]

    def test_a_call_of_another_buyer_is_refused_by_uuid_and_unknown_by_number(self, stage: Live) -> None:
        hidden = stage.world.call(buyer=None)
        by_uuid = read(stage, hidden.uuid)
        assert (by_uuid.status, by_uuid.json["code"]) == (403, "buyer_not_shared")
        by_number, absent = read(stage, hidden.number), read(stage, 999_999_999)
        assert by_number.status == 404
        assert by_number.body.replace(b"call %d." % hidden.number, b"call 999999999.") == absent.body
        assert {k: v for k, v in by_number.headers.items() if k not in {"date", "content-length"}} == {
            k: v for k, v in absent.headers.items() if k not in {"date", "content-length"}
        }

    def test_the_owner_of_another_company_sees_nothing(self, stage: Live) -> None:
        charlie, call = stage.world.charlie_token.authorization, stage.world.call()
        there = read(stage, call.uuid, auth=charlie)
        assert (there.status, there.json["code"]) == (403, "no_team")
        at_home = read(stage, call.uuid, auth=charlie, account="zeta")
        assert (at_home.status, at_home.json["code"]) == (404, "call_not_found")
        assert call.uuid in at_home.json["message"]

    def test_a_team_without_api_access_sees_nothing(self, stage: Live) -> None:
        stage.world.grant(EVERY_RIGHT, developer_api=False)
        assert read(stage, stage.world.call().uuid).json["code"] == "api_access_off"

    def test_an_unknown_account_is_told_before_anything_of_the_request(self, stage: Live) -> None:
        reply = stage.request("GET", "/a/nobody/api/v1/calls/1", body="{", auth="Basic !", account="")
        assert (reply.status, reply.json["code"]) == (404, "account_not_found")

    def test_a_refusal_is_told_as_problem_details_to_who_asks_for_them(self, stage: Live) -> None:
        reply = read(stage, entropy.new_call_uuid(), headers={"Accept": "application/problem+json"})
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json["type"] == "/api/docs/errors#call_not_found"
        assert reply.json["status"] == 404


class TestTroubleWithTheDatabase:
    @pytest.mark.parametrize(
        ("error", "code"), [(UnavailableError, "busy"), (UnconfirmedError, "unconfirmed"), (ContendedError, "busy")]
    )
    def test_a_recording_is_answered_503(
        self, stage: Live, monkeypatch: pytest.MonkeyPatch, error: type[Exception], code: str
    ) -> None:
        monkeypatch.setattr("ringback.api.desk.PATIENCE_SECONDS", 0.0)
        monkeypatch.setattr(stage.app.database, "write", _failing(error))
        reply = record(stage)
        assert (reply.status, reply.json["code"]) == (503, code)
        assert reply.headers["retry-after"] == "1"

    def test_who_stood_in_the_way_only_once_delays_nothing(self, stage: Live, monkeypatch: pytest.MonkeyPatch) -> None:
        tries: Iterator[Callable[[], Any]] = iter([_failing(ContendedError), stage.app.database.write])

        def write() -> Any:  # noqa: ANN401 - it stands in for a method
            return next(tries)()

        monkeypatch.setattr(stage.app.database, "write", write)
        assert record(stage).status == 201

    def test_reading_is_answered_503(self, stage: Live, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stage.app.database, "read", _failing(UnavailableError))
        reply = read(stage, entropy.new_call_uuid())
        assert (reply.status, reply.json["code"]) == (503, "busy")

    def test_what_nobody_foresaw_is_answered_500_with_an_id_and_no_traceback(
        self, stage: Live, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stage.app.database, "read", _failing(ZeroDivisionError))
        reply = read(stage, entropy.new_call_uuid())
        assert (reply.status, reply.json["code"]) == (500, "internal_error")
        assert b"Traceback" not in reply.body
        assert reply.headers["content-type"] == "application/json"


def _failing(error: type[Exception]) -> Callable[[], NoReturn]:
    """What stands in for a way to begin a transaction."""

    def fail() -> NoReturn:
        raise error("made up")

    return fail
