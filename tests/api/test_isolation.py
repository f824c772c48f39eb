"""What belongs to others can't be seen or changed, by any route there is: the routes are taken from the application."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from ringback import clock, entropy
from ringback.domain.access import AccessType
from ringback.domain.calls import Call
from ringback.services.tokens import NewToken
from ringback.store import accounts, partners, teams
from tests.api.rows import of_account
from tests.live import Live, Reply
from tests.world import EVERY_RIGHT, World

ANSWERING = frozenset(
    {"receipts", "receipt_payloads", "waiting_updates", "credential_failures", "access_tokens"}
    | {"update_figures", "update_figure_changes", "call_figures", "call_figure_changes"}
)
"""Tables in which every request may leave its traces; they hold nothing of what a call is worth."""

SECRET: dict[str, Any] = {
    "caller_number": "+17195550187",
    "revenue": Decimal("4321.09"),
    "payout": Decimal("2592.65"),
    "buyer_converted": True,
    "contact_fields": {"first_name": "Jane-of-Acme"},
}
MARKS = ("4321.09", "2592.65", "Jane-of-Acme", "Bright Roofing", "ada@acme", "bob@bright")
"""What of Acme's nobody else may be told."""

UPDATE = {"buyer_converted": "0", "revenue": "1.11", "post_call_tokens": {"first_name": "Changed"}}


@dataclass(frozen=True)
class Route:
    """A method and a path, filled in."""

    method: str
    path: str


def routes(stage: Live, call: Call) -> Iterator[Route]:
    """Every route of the API, with what names a call filled in by UUID and by number."""
    for template, operations in stage.app.web.openapi()["paths"].items():
        for method in operations:
            for named in {call.uuid, str(call.number)} if "{" in template else {""}:
                path = re.sub(r"\{caller\w*\}", str(call.caller_number), template)
                yield Route(method.upper(), re.sub(r"\{\w+\}", named, path))


def ask(stage: Live, route: Route, call: Call, auth: str, account: str, before: str) -> Reply:
    """Use a route with everything in it that names the call and changes it."""
    body: dict[str, Any] | None = None
    if route.method != "GET":
        body = {**UPDATE, "uuid": call.uuid, "caller_number": call.caller_number}
        body["updates"] = [{**UPDATE, "uuid": call.uuid}, {**UPDATE, "id": call.number}]
    query = "?revenue=1.11" if "update_call" in route.path else "?per_page=100"
    return stage.request(route.method, f"{before}{route.path}{query}", body=body, auth=auth, account=account)


WAYS = [("acme", ""), ("", "/a/acme"), ("", ""), ("zeta", ""), ("", "/a/zeta")]
"""Hosts and paths: into Acme and, with Acme's UUIDs, into his own company."""


def tokens_of(world: World, user: int) -> list[NewToken]:
    """A token of each type made where he belongs, and one that claims to be made at Acme."""
    types = [AccessType.CALLS, AccessType.EVERYTHING]
    return [world.token(user, home, access_type=each) for home in (world.zeta, world.acme) for each in types]


@pytest.fixture(scope="module")
def dora(served: Live) -> int:
    """Somebody of another buyer of Acme's, with every right on that buyer's calls."""
    world, now = served.world, clock.now()
    with world.database.write() as tx:
        dora = accounts.add_user(tx, "dora@clear.example", "Dora", now, verified=True)
        clear = partners.add(tx, world.acme, "buyer", "Clear Windows", entropy.new_id(), now)
        team = teams.add(tx, world.acme, "Clear Windows", now)
        teams.set_users(tx, world.acme, team, [dora])
        teams.set_buyers(tx, world.acme, team, [clear])
        teams.set_rights(tx, world.acme, team, EVERY_RIGHT)
        teams.change(tx, world.acme, team, developer_api=True)
    return dora


class TestEveryRoute:
    def test_the_ways_of_an_update_and_of_reading_are_among_them(self, stage: Live) -> None:
        call = stage.world.call()
        found = {(route.method, route.path) for route in routes(stage, call)}
        assert {
            ("POST", f"/api/v1/calls/update_call/{call.uuid}"),
            ("GET", f"/api/v1/calls/update_call/{call.uuid}"),
            ("PUT", f"/api/v1/calls/{call.uuid}"),
            ("GET", f"/api/v1/calls/{call.number}"),
            ("POST", "/api/v1/calls"),
            ("GET", "/api/v1/me"),
        } <= found

    def test_to_the_owner_of_another_company_shows_and_changes_nothing_of_acme(self, stage: Live) -> None:
        world, call = stage.world, stage.world.call(**SECRET)
        self.check(stage, call, world.charlie)

    def test_to_another_buyer_of_acme_shows_and_changes_nothing_of_brights(self, stage: Live, dora: int) -> None:
        self.check(stage, stage.world.call(**SECRET), dora)

    def test_to_brights_own_user_shows_what_the_others_are_not_told(self, stage: Live) -> None:
        call = stage.world.call(**SECRET)
        reply = ask(stage, Route("GET", f"/api/v1/calls/{call.uuid}"), call, *self.bob(stage))
        assert {"4321.09", "2592.65", "Jane-of-Acme", "Bright Roofing"} <= set(
            re.findall(r"[\w. -]+", reply.body.decode())
        )

    def bob(self, stage: Live) -> tuple[str, str, str]:
        return stage.world.bob_token.authorization, "acme", ""

    def check(self, stage: Live, call: Call, user: int) -> None:
        world = stage.world
        before = of_account(world.database, world.acme, but=ANSWERING)
        told, broken = [], []
        for token in tokens_of(world, user):
            for route in routes(stage, call):
                for account, start in WAYS:
                    reply = ask(stage, route, call, token.authorization, account, start)
                    text = reply.body.decode()
                    told += [(route, account, start, mark) for mark in MARKS if mark in text]
                    broken += [(route, account, start, text)] if reply.status >= 500 else []
        assert told == []
        assert broken == []
        assert of_account(world.database, world.acme, but=ANSWERING) == before


OBSTACLES = ["not shared", "no team", "no API access", "read-only token", "Everything abroad", "another company"]


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_a_number_that_is_hidden_and_one_that_is_not_there_get_the_same_answer(
    stage: Live, obstacle: str, method: str
) -> None:
    world = stage.world
    token = world.token(world.bob, world.acme)
    with world.database.write() as tx:
        if obstacle == "not shared":
            teams.set_buyers(tx, world.acme, world.team, [])
        elif obstacle == "no team":
            teams.set_users(tx, world.acme, world.team, [])
        elif obstacle == "no API access":
            teams.change(tx, world.acme, world.team, developer_api=False)
    if obstacle == "read-only token":
        token = world.token(world.bob, world.acme, access_type=AccessType.CALLS_READ)
        with world.database.write() as tx:
            teams.set_buyers(tx, world.acme, world.team, [])
    elif obstacle == "Everything abroad":
        token = world.token(world.bob, world.zeta, access_type=AccessType.EVERYTHING)
    elif obstacle == "another company":
        token = world.charlie_token

    def answer(number: int) -> tuple[int, dict[str, str], bytes]:
        body = None if method == "GET" else {"revenue": "1"}
        reply = stage.request(method, f"/api/v1/calls/{number}", body=body, auth=token.authorization)
        headers = {name: value for name, value in reply.headers.items() if name != "date"}
        return reply.status, headers, re.sub(rb'"receipt_id":"[^"]+"', b"", reply.body)

    number = world.call(**SECRET).number + 1
    absent = answer(number)
    hidden = world.call(**SECRET)
    assert hidden.number == number
    assert answer(number) == absent


def test_by_uuid_a_hidden_call_is_told_to_be_somebody_elses_and_no_team_is_named(stage: Live, dora: int) -> None:
    call = stage.world.call(**SECRET)
    reply = stage.update(call.uuid, UPDATE, auth=stage.world.token(dora, stage.world.acme).authorization)
    assert reply.json["code"] == "buyer_not_shared"
    assert "missing_permissions" not in reply.json


def test_a_number_of_one_company_means_nothing_in_another(stage: Live) -> None:
    ours, theirs = stage.world.call(), stage.world.call(account=stage.world.zeta, buyer=None)
    reply = stage.request(
        "POST",
        f"/api/v1/calls/{theirs.number}",
        body={"revenue": "5"},
        auth=stage.world.charlie_token.authorization,
        account="zeta",
    )
    assert (reply.status, reply.json["call"]["uuid"]) == (200, theirs.uuid)
    assert stage.world.state(ours)["revenue"] is None


def test_one_uuid_in_two_companies_is_two_calls(stage: Live) -> None:
    ours = stage.world.call()
    theirs = stage.world.call(account=stage.world.zeta, buyer=None, uuid=ours.uuid)
    auth = stage.world.charlie_token.authorization
    assert stage.update(ours.uuid, {"revenue": "5"}, auth=auth, account="zeta").status == 200
    assert stage.world.state(theirs)["revenue"] == 5
    assert stage.world.state(ours)["revenue"] is None
