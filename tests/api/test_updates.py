from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from ringback.app import build
from ringback.domain.attributes import BY_NAME
from ringback.domain.calls import Origin
from ringback.settings import read_settings
from ringback.store import calls, receipts
from tests.api.rows import ledger_sum, of_call
from tests.api.wire import check_envelope
from tests.live import Live, running
from tests.world import build_world

GUIDE = {"buyer_converted": "true", "revenue": "42.50", "offer_converted": "true", "post_call_tokens": {}}
"""The guide's smallest body, with an amount in place of the template token."""

WORTH = {
    "buyer_converted": True,
    "revenue": Decimal("42.50"),
    "offer_converted": True,
    "payout": Decimal("25.50"),
    "contact_fields": {},
}
"""What a call is worth after it: the offer pays 60 % of the revenue."""

PATHS = [
    *product(["POST", "PUT", "PATCH", "GET"], ["/api/v1/calls/update_call/{uuid}"]),
    *product(["POST", "PUT", "PATCH"], ["/api/v1/calls/{uuid}", "/api/v1/calls/{number}"]),
]
PLACES = {"host": ("acme", ""), "path": ("", "/a/acme"), "both": ("acme", "/a/acme"), "default": ("", "")}
"""How a request says which account it is for: the account in its host, and what its path begins with."""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("suffix", ["", ".json"])
@pytest.mark.parametrize(("method", "path"), PATHS)
def test_the_guides_body_is_recorded_by_every_verb_and_way(
    stage: Live, method: str, path: str, suffix: str, place: str
) -> None:
    call = stage.world.call()
    account, before = PLACES[place]
    target = before + path.format(uuid=call.uuid, number=call.number) + suffix
    body: dict[str, Any] | None = GUIDE
    if method == "GET":
        target, body = f"{target}?buyer_converted=true&revenue=42.50&offer_converted=true", None
    reply = stage.request(method, target, body=body, auth=stage.world.bob_token.authorization, account=account)
    told = check_envelope(reply)
    assert told["code"] == "applied"
    assert stage.world.state(call) == WORTH
    assert ledger_sum(stage.world.database, call) == WORTH


class TestTheGuide:
    @pytest.mark.parametrize("kind", ["bob_token", "bob_developer_token"])
    def test_conversion_revenue_ts_conversion_and_the_rules_payout_are_recorded_and_told(
        self, stage: Live, kind: str
    ) -> None:
        call = stage.world.call()
        reply = stage.update(call.uuid, GUIDE, auth=getattr(stage.world, kind).authorization)
        told = check_envelope(reply)
        assert stage.world.state(call) == WORTH
        assert told["changed"] == {
            "buyer_converted": {"from": False, "to": True},
            "revenue": {"from": None, "to": "42.50"},
            "offer_converted": {"from": False, "to": True},
            "payout": {"from": None, "to": "25.50", "origin": "effect"},
        }
        assert (told["unchanged"], told["ignored"], told["warnings"], told["errors"]) == ([], [], [], {})
        assert told["metadata"] == {"root": "call"}

    def test_the_call_is_told_under_the_names_it_is_read_and_written_by(self, stage: Live) -> None:
        call = stage.world.call()
        told = stage.update(call.uuid, GUIDE, auth=stage.world.bob_token.authorization).json["call"]
        assert (told["uuid"], told["id"], told["buyer"]) == (call.uuid, call.number, "Bright Roofing")
        assert told["buyer_converted"] == told["offer_converted"] == told["traffic_source_converted"] == "Converted"
        assert told["revenue"] == told["buyer_revenue"] == "42.50"
        assert told["payout"] == told["traffic_source_payout"] == "25.50"

    def test_a_call_that_is_not_converted_reads_null(self, stage: Live) -> None:
        told = stage.update(stage.world.call().uuid, {}, auth=stage.world.bob_token.authorization).json["call"]
        assert [told[name] for name in ("buyer_converted", "traffic_source_converted", "revenue", "payout")] == [
            None
        ] * 4

    def test_a_receipt_tells_what_arrived_was_understood_decided_and_changed(self, stage: Live) -> None:
        call = stage.world.call()
        told = stage.update(call.uuid, GUIDE, auth=stage.world.bob_token.authorization).json
        with stage.world.database.read() as tx:
            found = receipts.find(tx, stage.world.acme, told["receipt_id"])
        assert found is not None
        receipt, payload = found
        assert (receipt.code, receipt.user, receipt.call_uuid) == ("applied", "bob@bright.example", call.uuid)
        assert (payload.method, payload.path) == ("POST", f"/api/v1/calls/update_call/{call.uuid}")
        assert b'"revenue":"42.50"' in payload.body
        assert ["revenue", "json", "amount"] in payload.understood["trail"]  # type: ignore[operator] # JSON
        assert ["payout", None, "25.50", "effect"] in receipt.changed

    def test_the_second_time_nothing_has_to_change(self, stage: Live) -> None:
        call = stage.world.call()
        stage.update(call.uuid, GUIDE, auth=stage.world.bob_token.authorization)
        before = of_call(stage.world.database, call)
        told = check_envelope(stage.update(call.uuid, GUIDE, auth=stage.world.bob_token.authorization))
        assert (told["code"], told["changed"]) == ("unchanged", {})
        assert told["unchanged"] == ["buyer_converted", "revenue", "offer_converted"]
        assert of_call(stage.world.database, call) == before


class TestContactFields:
    def test_in_post_call_tokens_they_are_kept(self, stage: Live) -> None:
        call = stage.world.call()
        body = {**GUIDE, "post_call_tokens": {"first_name": "Jane", "last_name": "Roe", "age": 41, "owner": True}}
        told = stage.update(call.uuid, body, auth=stage.world.bob_token.authorization).json
        kept = {"first_name": "Jane", "last_name": "Roe", "age": 41, "owner": True}
        assert stage.world.state(call) == {**WORTH, "contact_fields": kept}
        assert told["call"]["post_call_tokens"] == told["call"]["token_values"] == kept
        assert told["changed"]["contact_fields.first_name"] == {"from": None, "to": "Jane"}

    def test_at_the_top_level_they_are_reported_as_ignored(self, stage: Live) -> None:
        call = stage.world.call()
        told = stage.update(call.uuid, {**GUIDE, "first_name": "Jane"}, auth=stage.world.bob_token.authorization).json
        assert told["ignored"] == ["first_name"]
        assert stage.world.state(call) == WORTH

    def test_names_that_steer_the_request_are_not(self, stage: Live) -> None:
        body = {**GUIDE, "event_id": "e1", "serializer": "call", "auth_token": stage.world.bob_developer_token.token}
        assert stage.update(stage.world.call().uuid, body).json["ignored"] == []

    def test_further_ones_are_merged_and_null_removes_one(self, stage: Live) -> None:
        call = stage.world.call()
        for sent in ({"a": "1", "b": "2"}, {"b": "3"}, {"a": None, "c": "4"}):
            stage.update(call.uuid, {"data": sent}, auth=stage.world.bob_token.authorization)
        assert stage.world.state(call)["contact_fields"] == {"b": "3", "c": "4"}
        assert ledger_sum(stage.world.database, call)["contact_fields"] == {"b": "3", "c": "4"}

    @pytest.mark.parametrize("nothing", [{}, [], None, "", "{}", " [ ]", "null"])
    def test_none_of_them_needs_no_right(self, stage: Live, nothing: object) -> None:
        stage.world.grant([])
        told = check_envelope(
            stage.update(
                stage.world.call().uuid, {"post_call_tokens": nothing}, auth=stage.world.bob_token.authorization
            )
        )
        assert told["code"] == "unchanged"

    @pytest.mark.parametrize("name", ["post_call_tokens", "data"])
    @pytest.mark.parametrize("nothing", ["={}", "=[]", "=[%20]", "=null", "=", "[]=", "%5B%5D="])
    @pytest.mark.parametrize("place", ["form", "query"])
    def test_nor_do_they_keep_a_conversion_out_where_a_form_says_so(
        self, stage: Live, name: str, nothing: str, place: str
    ) -> None:
        stage.world.grant(["buyer_converted"])
        told, path = f"buyer_converted=true&{name}{nothing}", stage.world.call().uuid
        path, body = (f"{path}?{told}", "") if place == "query" else (path, told)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answered = stage.update(path, body, auth=stage.world.bob_token.authorization, headers=headers)
        assert check_envelope(answered)["code"] == "applied"


class TestEffects:
    def test_a_conversion_takes_the_agreed_revenue_where_none_is_named(self, stage: Live) -> None:
        call = stage.world.call()
        body = {"buyer_converted": "true", "offer_converted": "true"}
        told = stage.update(call.uuid, body, auth=stage.world.bob_token.authorization).json
        assert stage.world.state(call) == {**WORTH, "revenue": Decimal("42.00"), "payout": Decimal("25.20")}
        assert told["changed"]["revenue"] == {"from": None, "to": "42.00", "origin": "effect"}

    def test_it_keeps_a_revenue_that_is_there(self, stage: Live) -> None:
        call = stage.world.call(revenue=Decimal(7))
        stage.update(call.uuid, {"buyer_converted": "true"}, auth=stage.world.bob_token.authorization)
        assert stage.world.state(call)["revenue"] == 7

    def test_a_percentage_of_no_revenue_is_warned_of_and_pays_nothing(self, stage: Live) -> None:
        call = stage.world.call()
        told = stage.update(call.uuid, {"offer_converted": "1"}, auth=stage.world.bob_token.authorization).json
        assert [warning["code"] for warning in told["warnings"]] == ["payout_needs_revenue"]
        assert stage.world.state(call)["payout"] is None

    def test_a_payout_that_is_named_goes_before_the_rule(self, stage: Live) -> None:
        call = stage.world.call()
        stage.update(call.uuid, {**GUIDE, "payout": "9.99"}, auth=stage.world.bob_token.authorization)
        assert stage.world.state(call)["payout"] == Decimal("9.99")

    def test_taking_a_conversion_back_keeps_the_amounts(self, stage: Live) -> None:
        call = stage.world.call()
        stage.update(call.uuid, GUIDE, auth=stage.world.bob_token.authorization)
        back = {"buyer_converted": "false", "offer_converted": "no"}
        told = stage.update(call.uuid, back, auth=stage.world.bob_token.authorization).json
        assert stage.world.state(call) == {**WORTH, "buyer_converted": False, "offer_converted": False}
        assert told["call"]["buyer_converted"] is None

    def test_a_later_revenue_does_not_change_a_payout_that_was_paid(self, stage: Live) -> None:
        call = stage.world.call()
        stage.update(call.uuid, GUIDE, auth=stage.world.bob_token.authorization)
        stage.update(call.uuid, {"revenue": "100"}, auth=stage.world.bob_token.authorization)
        assert stage.world.state(call)["payout"] == Decimal("25.50")

    def test_they_stand_in_the_ledger_as_what_they_are(self, stage: Live) -> None:
        call = stage.world.call()
        stage.update(call.uuid, GUIDE, auth=stage.world.bob_token.authorization)
        with stage.world.database.read() as tx:
            entries = calls.list_entries(tx, call.account_id, call.uuid)
        assert {entry.change.attribute: entry.change.origin for entry in entries} == {
            "buyer_converted": Origin.UPDATE,
            "revenue": Origin.UPDATE,
            "offer_converted": Origin.UPDATE,
            "payout": Origin.EFFECT,
        }


class TestWhatChangesNothing:
    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "DELETE", "TRACE"])
    def test_other_verbs(self, stage: Live, method: str) -> None:
        call = stage.world.call()
        path = f"/api/v1/calls/update_call/{call.uuid}?revenue=1"
        assert stage.request(method, path, auth=stage.world.bob_token.authorization).status == 405
        assert stage.world.state(call)["revenue"] is None

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_reading_a_call_with_a_query(self, stage: Live, method: str) -> None:
        call = stage.world.call()
        stage.request(method, f"/api/v1/calls/{call.uuid}?revenue=1", auth=stage.world.bob_token.authorization)
        assert stage.world.state(call)["revenue"] is None

    def test_a_get_that_names_nothing(self, stage: Live) -> None:
        call = stage.world.call()
        reply = stage.request("GET", f"/api/v1/calls/update_call/{call.uuid}", auth=stage.world.bob_token.authorization)
        assert check_envelope(reply)["code"] == "unchanged"

    @pytest.mark.parametrize("asked", ["header", "query", "body"])
    @pytest.mark.parametrize("word", ["true", "1", "yes", "maybe"])
    def test_a_dry_run_however_it_is_asked_for(self, stage: Live, asked: str, word: str) -> None:
        call = stage.world.call()
        before = of_call(stage.world.database, call)
        told = check_envelope(
            stage.request(
                "POST",
                f"/api/v1/calls/update_call/{call.uuid}" + (f"?dry_run={word}" if asked == "query" else ""),
                body={**GUIDE, "dry_run": word} if asked == "body" else GUIDE,
                headers={"Ringback-Dry-Run": word} if asked == "header" else None,
                auth=stage.world.bob_token.authorization,
            )
        )
        assert (told["code"], told["dry_run"]) == ("applied", True)
        assert told["changed"]["payout"] == {"from": None, "to": "25.50", "origin": "effect"}
        assert told["verdicts"] == dict.fromkeys(["buyer_converted", "revenue", "offer_converted"], "allowed")
        assert of_call(stage.world.database, call) == before

    def test_a_dry_run_before_there_is_a_call_says_so(self, stage: Live) -> None:
        uuid = "3f2b8c1e-0000-4000-8000-000000000000"
        told = check_envelope(stage.update(uuid, {**GUIDE, "dry_run": True}, auth=stage.world.bob_token.authorization))
        assert (told["code"], told["call"]) == ("applied", None)
        assert [warning["code"] for warning in told["warnings"]] == ["call_unknown"]


class TestNamingTheCall:
    @pytest.mark.parametrize(
        "spelt", ["{u}", "{U}", "{n}", "%7B{u}%7D", "{u}/", "{u}%20", "{u}%0A", "%22{u}%22", "{u}.json/"]
    )
    def test_a_uuid_is_read_however_it_is_spelt(self, stage: Live, spelt: str) -> None:
        call = stage.world.call()
        uuid = (
            spelt.replace("{u}", call.uuid).replace("{U}", call.uuid.upper()).replace("{n}", call.uuid.replace("-", ""))
        )
        check_envelope(stage.update(uuid, {"revenue": "1"}, auth=stage.world.bob_token.authorization))
        assert stage.world.state(call)["revenue"] == 1

    def test_the_subdomain_is_read_in_any_case(self, stage: Live) -> None:
        call = stage.world.call()
        for account, before in (("ACME", ""), ("", "/a/Acme")):
            path = f"{before}/api/v1/calls/update_call/{call.uuid}"
            reply = stage.request("POST", path, body={}, auth=stage.world.bob_token.authorization, account=account)
            assert reply.status == 200

    def test_without_default_account_a_bare_host_names_none(self, sqlite_url: str) -> None:
        app = build(read_settings(database_url=sqlite_url))
        with running(app, build_world(app.database)) as server:
            reply = server.update("x", {}, auth=server.world.bob_token.authorization, account="")
        assert check_envelope(reply)["code"] == "account_not_named"


def test_every_attribute_reads_back_under_every_name_it_has(stage: Live) -> None:
    call = stage.world.call()
    told = stage.update(call.uuid, {}, auth=stage.world.ada_token.authorization).json["call"]
    assert {name for attribute in BY_NAME.values() for name in attribute.reads} <= told.keys()
