"""What happened to a call, as the API tells it."""

from __future__ import annotations

import pytest

from ringback import clock, entropy
from ringback.store import partners
from tests.live import Live
from tests.world import EVERY_RIGHT

NOUNS = ("buyer", "traffic_source")


class TestEvents:
    def test_updates_refused_ones_too(self, stage: Live) -> None:
        world = stage.world
        call, bob, ada = world.call(), world.bob_token.authorization, world.ada_token.authorization
        stage.update(call.uuid, {"revenue": "42"}, auth=bob)
        stage.update(call.uuid, {"revenue": "1,25"}, auth=bob)
        stage.update(call.uuid, {"payout": "7"}, auth=ada)
        reply = stage.request("GET", f"/api/v1/calls/{call.number}/events", auth=ada)
        assert (reply.json["id"], reply.json["uuid"]) == (call.number, call.uuid)
        assert [(each["email"], each["code"], each["diff"]) for each in reply.json["events"]] == [
            ("ada@acme.example", "applied", {"payout": [None, "7.00"]}),
            ("bob@bright.example", "invalid_value", {}),
            ("bob@bright.example", "applied", {"revenue": [None, "42.00"]}),
        ]
        assert reply.json["events"][0]["request_path"] == f"/api/v1/calls/update_call/{call.uuid}"
        bare = stage.request("GET", f"/api/v1/calls/{call.uuid}/events.json?root=false", auth=ada)
        assert bare.json == {name: reply.json[name] for name in ("id", "uuid", "created_at", "events")}

    def test_a_member_is_told_his_own_and_what_he_may_read_of_the_rest(self, stage: Live) -> None:
        world = stage.world
        world.grant([name for name in EVERY_RIGHT if name != "payout"])
        call, bob, ada = world.call(), world.bob_token.authorization, world.ada_token.authorization
        stage.update(call.uuid, {"revenue": "42"}, auth=bob)
        stage.update(call.uuid, {"revenue": "5", "payout": "3"}, auth=ada)
        reply = stage.request("GET", f"/api/v1/calls/{call.uuid}/events", auth=bob)
        told = [(each["type"], each.get("email"), each["diff"]) for each in reply.json["events"]]
        assert told == [
            ("CallChange", None, {"revenue": ["42.00", "5.00"]}),
            ("AuditLog", "bob@bright.example", {"revenue": [None, "42.00"]}),
        ]
        assert b"ada@" not in reply.body
        lines = stage.request("GET", f"/api/v1/call_logs?call_id={call.uuid}", auth=bob).json["call_logs"]
        assert [line["level"] for line in lines] == ["info", "success"]
        assert "3.00" not in str(lines)

    def test_whom_a_call_was_given_to(self, stage: Live) -> None:
        world = stage.world
        call, ada, now = world.call(), world.ada_token.authorization, clock.now()
        with world.database.write() as tx:
            others = {noun: partners.add(tx, world.acme, noun, f"New {noun}", entropy.new_id(), now) for noun in NOUNS}
        given = {f"trackdrive_{noun}_id": str(number) for noun, number in others.items()}
        assert stage.update(call.uuid, given, auth=ada).status == 200
        (event,) = stage.request("GET", f"/api/v1/calls/{call.uuid}/events", auth=ada).json["events"]
        assert event["diff"] == {
            "buyer": ["Bright Roofing", "New buyer"],
            "traffic_source": [None, "New traffic_source"],
        }
        (line,) = stage.request("GET", f"/api/v1/call_logs?call_id={call.uuid}", auth=ada).json["call_logs"]
        assert line["message"].endswith(
            "Buyer: Bright Roofing → New buyer; Traffic Source: nothing → New traffic_source"
        )

    def test_lines_can_be_shown_as_html(self, stage: Live) -> None:
        call, ada = stage.world.call(), stage.world.ada_token.authorization
        told = '<img src=x onerror="alert(1)"> & more'
        stage.update(call.uuid, {"post_call_tokens": {"note": told, "<b>": "x"}}, auth=ada)
        (line,) = stage.request("GET", f"/api/v1/call_logs?call_id={call.uuid}", auth=ada).json["call_logs"]
        assert not {"<", ">"} & {*line["message"]}
        assert '&lt;img src=x onerror="alert(1)"&gt; &amp; more' in line["message"]
        assert "&lt;b&gt;" in line["message"]
        events = stage.request("GET", f"/api/v1/calls/{call.uuid}/events", auth=ada).json["events"]
        assert told in str(events[0]["diff"])

    def test_secrets_are_masked(self, stage: Live) -> None:
        call, secret = stage.world.call(), stage.world.ada_token.authorization.split()[1]
        stage.request("POST", f"/api/v1/calls/update_call/{call.uuid}?auth_token={secret}&revenue=1")
        reply = stage.request("GET", f"/api/v1/calls/{call.uuid}/events", auth=stage.world.ada_token.authorization)
        assert secret.encode() not in reply.body

    @pytest.mark.parametrize("path", ["/calls/{}/events", "/call_logs?call_id={}"])
    def test_a_call_that_may_not_be_seen_is_refused_as_alone(self, stage: Live, path: str) -> None:
        call = stage.world.call(buyer=None)
        for ref in (call.uuid, call.number, 10**9, "[uuid]"):
            auth = stage.world.bob_token.authorization
            alone = stage.request("GET", f"/api/v1/calls/{ref}", auth=auth)
            reply = stage.request("GET", f"/api/v1{path.format(ref)}", auth=auth)
            assert (reply.status, reply.json["code"]) == (alone.status, alone.json["code"])

    def test_a_log_needs_its_call(self, stage: Live) -> None:
        reply = stage.request("GET", "/api/v1/call_logs", auth=stage.world.ada_token.authorization)
        assert (reply.status, reply.json["codes"]) == (422, {"call_id": "missing_value"})
