"""Who am I, and what may I update? Through a real socket, on each kind of database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from ringback import clock
from ringback.app import build
from ringback.domain.access import AccessType, Level, Role
from ringback.domain.attributes import UPDATABLE
from ringback.services import tokens
from ringback.settings import read_settings
from ringback.store import accounts, teams
from tests.live import Live, Reply, running
from tests.world import EVERY_RIGHT, build_world

EVERY_NAME = {attribute.name for attribute in UPDATABLE}


def ask(stage: Live, **more: Any) -> Reply:  # noqa: ANN401
    more.setdefault("auth", stage.world.bob_token.authorization)
    return stage.request("GET", more.pop("path", "/api/v1/me"), **more)


def me(stage: Live, **more: Any) -> Mapping[str, Any]:  # noqa: ANN401
    reply = ask(stage, **more)
    assert reply.status == 200, reply.body
    found: Mapping[str, Any] = reply.json["me"]
    return found


def updatable(told: Mapping[str, Any]) -> set[str]:
    return {each["attribute"] for each in told["attributes"] if each["may_update"]}


class TestAMember:
    def test_is_told_who_he_is_and_what_he_may(self, stage: Live) -> None:
        world = stage.world
        reply = ask(stage)
        assert reply.headers["cache-control"] == "no-store"
        assert reply.json["metadata"] == {"root": "me"}
        told = reply.json["me"]
        assert told["user"] == {"id": world.bob, "email": "bob@bright.example"}
        assert told["account"] == {"subdomain": "acme", "name": "Acme Media", "time_zone": "America/New_York"}
        assert told["role"] == "member"
        assert told["token"] == {"id": world.bob_token.id, "access_type": "calls", "expires_at": None}
        assert told["teams"] == [
            {
                "id": world.team,
                "name": "Bright Roofing",
                "developer_api": True,
                "every_buyer": False,
                "buyer_ids": [world.bright],
                "records_calls": False,
            }
        ]
        assert updatable(told) == set(EVERY_RIGHT)
        assert told["may_record_calls"] is False
        assert told["obstacle"] is None

    def test_is_told_team_by_team_what_each_right_is(self, stage: Live) -> None:
        stage.world.grant({"revenue": Level.UPDATE, "payout": Level.READ})
        told = me(stage)
        assert updatable(told) == {"revenue"}
        rights = {each["attribute"]: each["teams"] for each in told["attributes"]}
        assert rights["revenue"] == [{"id": stage.world.team, "right": "update"}]
        assert rights["payout"] == [{"id": stage.world.team, "right": "read"}]
        assert rights["buyer_converted"] == [{"id": stage.world.team, "right": "none"}]

    def test_sees_the_names_that_write_an_attribute(self, stage: Live) -> None:
        names = {each["attribute"]: (each["label"], each["wire_names"]) for each in me(stage)["attributes"]}
        assert names["revenue"] == ("Buyer Revenue", ["revenue", "add_revenue"])

    def test_is_told_only_of_his_own_teams(self, stage: Live) -> None:
        world = stage.world
        with world.database.write() as tx:
            others = teams.add(tx, world.acme, "Somebody else's", clock.now())
            teams.set_rights(tx, world.acme, others, EVERY_RIGHT)
        reply = ask(stage)
        assert b"Somebody else" not in reply.body
        assert [team["id"] for team in reply.json["me"]["teams"]] == [world.team]

    def test_learns_that_api_access_is_off(self, stage: Live) -> None:
        stage.world.grant(EVERY_RIGHT, developer_api=False)
        told = me(stage)
        assert told["obstacle"]["code"] == "api_access_off"
        assert "Enable Developer API Access" in told["obstacle"]["hint"]
        assert updatable(told) == set()
        assert told["teams"][0]["developer_api"] is False

    def test_may_update_nothing_through_a_team_without_buyers(self, stage: Live) -> None:
        world = stage.world
        with world.database.write() as tx:
            teams.set_buyers(tx, world.acme, world.team, [])
        told = me(stage)
        with world.database.write() as tx:
            teams.set_buyers(tx, world.acme, world.team, [world.bright])
        assert updatable(told) == set()

    def test_learns_that_his_token_only_reads(self, stage: Live) -> None:
        token = stage.world.token(stage.world.bob, stage.world.acme, access_type=AccessType.CALLS_READ)
        told = me(stage, auth=token.authorization)
        assert told["obstacle"]["code"] == "access_type"
        assert updatable(told) == set()

    def test_learns_when_his_token_expires_in_the_time_of_the_account(self, stage: Live) -> None:
        ends = clock.now() + timedelta(days=3)
        token = stage.world.token(stage.world.bob, stage.world.acme, expires_at=ends)
        assert me(stage, auth=token.authorization)["token"]["expires_at"].endswith(("-05:00", "-04:00"))

    def test_with_the_right_to_record_is_told_so(self, stage: Live) -> None:
        world = stage.world
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, records_calls=True)
        told = me(stage)
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, records_calls=False)
        assert told["may_record_calls"] is True
        assert told["teams"][0]["records_calls"] is True


class TestWhoRunsTheAccount:
    def test_an_owner_may_update_everything_without_a_team(self, stage: Live) -> None:
        told = me(stage, auth=stage.world.ada_token.authorization)
        assert (told["role"], told["teams"], told["obstacle"]) == ("owner", [], None)
        assert updatable(told) == EVERY_NAME
        assert told["may_record_calls"] is True

    def test_a_manager_s_token_for_calls_may_update_but_not_record(self, stage: Live) -> None:
        world = stage.world
        with world.database.write() as tx:
            mia = accounts.add_user(tx, "mia@acme.example", "Mia", clock.now(), verified=True)
            accounts.set_role(tx, world.acme, mia, Role.MANAGER)
        told = me(stage, auth=world.token(mia, world.acme).authorization)
        assert (told["role"], told["may_record_calls"]) == ("manager", False)
        assert updatable(told) == EVERY_NAME


class TestAStranger:
    def test_learns_what_to_do_and_nothing_of_the_account(self, stage: Live) -> None:
        reply = ask(stage, auth=stage.world.charlie_token.authorization)
        told = reply.json["me"]
        assert told["obstacle"]["code"] == "no_team"
        assert "Team Access" in told["obstacle"]["hint"]
        assert told["account"] == {"subdomain": "acme"}
        assert (told["role"], told["teams"]) == (None, [])
        assert updatable(told) == set()
        assert b"Acme Media" not in reply.body

    def test_a_token_for_everything_is_none_elsewhere(self, stage: Live) -> None:
        world = stage.world
        token = world.token(world.charlie, world.zeta, access_type=AccessType.EVERYTHING)
        reply = ask(stage, auth=token.authorization)
        assert (reply.status, reply.json["code"]) == (403, "access_type")

    def test_a_token_of_other_accounts_is_refused(self, stage: Live) -> None:
        token = stage.world.token(stage.world.bob, stage.world.acme, accounts=[stage.world.zeta])
        reply = ask(stage, auth=token.authorization)
        assert (reply.status, reply.json["code"]) == (403, "account_not_allowed")

    def test_a_token_from_another_address_is_refused(self, stage: Live) -> None:
        token = stage.world.token(stage.world.bob, stage.world.acme, networks=["192.0.2.0/24"])
        reply = ask(stage, auth=token.authorization)
        assert (reply.status, reply.json["code"]) == (403, "ip_not_allowed")


class TestTheCredential:
    @pytest.mark.parametrize("scheme", ["Token {}", "Bearer {}", 'Token token="{}"'])
    def test_every_form_is_read(self, stage: Live, scheme: str) -> None:
        token = stage.world.bob_developer_token.token
        assert me(stage, auth=scheme.format(token))["user"]["id"] == stage.world.bob

    def test_auth_token_is_read_unless_the_account_switched_it_off(self, stage: Live) -> None:
        world = stage.world
        path = f"/api/v1/me.json?root=false&auth_token={world.bob_developer_token.token}"
        assert ask(stage, auth=None, path=path).json["user"]["id"] == world.bob
        with world.database.write() as tx:
            accounts.change_account(tx, world.acme, reads_auth_token=False)
        refused = ask(stage, auth=None, path=path)
        with world.database.write() as tx:
            accounts.change_account(tx, world.acme, reads_auth_token=True)
        assert (refused.status, refused.json["code"]) == (401, "auth_token_off")

    @pytest.mark.parametrize(
        ("auth", "status", "code"),
        [
            (None, 401, "missing_credentials"),
            ("Basic !", 401, "basic_malformed"),
            ("Token nobodys-token-at-all", 401, "unknown_credentials"),
            ("Digest x", 401, "unsupported_scheme"),
            ("Token one-token-of-two, Token two-token-of-two", 400, "ambiguous_credentials"),
        ],
    )
    def test_what_is_wrong_with_it_is_told(self, stage: Live, auth: str | None, status: int, code: str) -> None:
        reply = ask(stage, auth=auth)
        assert (reply.status, reply.json["code"]) == (status, code)
        assert ("www-authenticate" in reply.headers) is (status == 401)

    def test_the_right_public_key_with_a_wrong_private_one_is_unknown(self, stage: Live) -> None:
        theirs = tokens.NewToken("", stage.world.bob_token.public_key, stage.world.ada_token.private_key)
        assert ask(stage, auth=theirs.authorization).json["code"] == "unknown_credentials"

    def test_revoked_and_expired_are_told(self, stage: Live) -> None:
        world = stage.world
        expired = world.token(world.bob, world.acme, expires_at=clock.now() - timedelta(seconds=1))
        assert ask(stage, auth=expired.authorization).json["code"] == "expired"
        revoked = world.token(world.bob, world.acme)
        with world.database.write() as tx:
            tokens.revoke(tx, revoked.id, clock.now())
        assert ask(stage, auth=revoked.authorization).json["code"] == "revoked"

    def test_a_body_that_can_t_be_read_is_refused(self, stage: Live) -> None:
        assert ask(stage, body="{").json["code"] == "malformed_json"


def test_wrong_credentials_are_throttled_together_whatever_they_were_for(sqlite_url: str) -> None:
    app = build(read_settings(database_url=sqlite_url, wrong_credentials_per_minute=6))
    with running(app, build_world(app.database)) as server:
        token = server.world.token(server.world.bob, server.world.acme, expires_at=clock.now())
        wrong = "Token nobodys-token-at-all"
        for _ in range(2):
            assert server.request("GET", "/api/v1/me", auth=wrong).status == 401
            assert server.request("POST", "/api/v1/calls", body={"caller_number": "1"}, auth=wrong).status == 401
            assert server.update("nothing", {}, auth=wrong).status == 401
        for method, path in (("GET", "/api/v1/me"), ("GET", "/api/v1/calls/1"), ("POST", "/api/v1/calls")):
            reply = server.request(method, path, auth=wrong)
            assert (reply.status, reply.json["code"]) == (429, "rate_limited")
            assert reply.headers["retry-after"] == "60"
        assert ask(server).status == 200
        assert ask(server, auth=token.authorization).json["code"] == "expired"
