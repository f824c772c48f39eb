"""Making and changing buyers, offers and traffic sources by the API, in every way of asking."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from ringback import entropy
from tests.api.partnering import NOUNS, Asking, fresh, told
from tests.live import Live

NOBODYS_UUID = "01932f6a-7c40-7d11-8e52-6b0f4a9c1d27"


@pytest.fixture(params=NOUNS)
def ada(request: pytest.FixtureRequest, stage: Live) -> Asking:
    """Ada, who owns Acme, asking for each kind of partner in turn."""
    return Asking(stage, request.param, stage.world.ada_token.authorization)


@pytest.fixture
def buyers(stage: Live) -> Asking:
    """Ada, asking for buyers."""
    return Asking(stage, "buyer", stage.world.ada_token.authorization)


class TestMaking:
    def test_is_answered_with_what_was_made_and_it_can_be_read_by_every_id(self, ada: Asking) -> None:
        name, own = fresh(), entropy.new_id()[:13]
        reply = ada("POST", "", {"name": f"  {name} ", f"user_{ada.noun}_id": own, "colour": "red"})
        assert (reply.status, reply.json["code"], reply.json["ignored"]) == (201, "made", ["colour"])
        made = reply.json[ada.noun]
        assert (made["name"], made[f"user_{ada.noun}_id"], made["paused"]) == (name, own, False)
        assert ada.read(made["id"]) == ada.read(made["uuid"]) == ada.read(own) == made
        assert ada.read(f"{made['id']}.json") == made

    def test_leaves_a_line_in_the_audit_log(self, ada: Asking) -> None:
        name = ada.make(**{f"user_{ada.noun}_id": entropy.new_id()})["name"]
        (line,) = told(ada.stage, f"{ada.noun.replace('_', ' ')} {name}")
        assert line[0] == f"{ada.noun}.made"

    @pytest.mark.parametrize(
        ("noun", "body", "shown"),
        [
            ("buyer", {"agreed_revenue": "$1,250.5"}, {"agreed_revenue": "1250.50"}),
            ("buyer", {"agreed_revenue": 42}, {"agreed_revenue": "42.00"}),
            ("buyer", {"email": " ops@clear.example"}, {"email": "ops@clear.example"}),
            ("offer", {"payout": "60 %"}, {"payout": "60%"}),
            ("offer", {"payout": 9}, {"payout": "9.00"}),
            ("traffic_source", {"paused": "on"}, {"paused": True}),
            ("buyer", {"paused": True, "agreed_revenue": None}, {"paused": True, "agreed_revenue": None}),
        ],
    )
    def test_takes_the_terms_of_its_kind(
        self, stage: Live, noun: str, body: dict[str, object], shown: dict[str, object]
    ) -> None:
        made = Asking(stage, noun, stage.world.ada_token.authorization).make(**body)
        assert {name: made[name] for name in shown} == shown

    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({}, "name", "missing_value"),
            ({"name": " "}, "name", "invalid_value"),
            ({"name": "x" * 201}, "name", "invalid_value"),
            ({"name": "BRIGHT  roofing"}, "name", "invalid_value"),
            ({"name": "[buyer_name]"}, "name", "unreplaced_token"),
            ({"name": {"first": "x"}}, "name", "invalid_value"),
            ({"name": "a\0b"}, "name", "invalid_value"),
            ({"name": "Fine", "buyer": {"name": "Finer"}}, "name", "conflicting_values"),
            ({"name": "Fine", "agreed_revenue": "1.250,00"}, "agreed_revenue", "invalid_value"),
            ({"name": "Fine", "agreed_revenue": True}, "agreed_revenue", "invalid_value"),
            ({"name": "Fine", "email": "nobody"}, "email", "invalid_value"),
            ({"name": "Fine", "paused": "perhaps"}, "paused", "invalid_value"),
            ({"name": "Fine", "user_buyer_id": "a\nb"}, "user_buyer_id", "invalid_value"),
        ],
    )
    def test_says_what_is_wrong_with_a_field(
        self, buyers: Asking, body: dict[str, object], field: str, code: str
    ) -> None:
        reply = buyers("POST", "", body)
        assert (reply.status, reply.json["codes"]) == (422, {field: code})
        assert set(reply.json["errors"]) == {field}

    def test_says_it_of_every_field_at_once(self, buyers: Asking) -> None:
        reply = buyers("POST", "", {"paused": "x", "agreed_revenue": "-1", "email": "[email]"})
        assert reply.json["codes"] == {
            "paused": "invalid_value",
            "agreed_revenue": "invalid_value",
            "email": "unreplaced_token",
            "name": "missing_value",
        }

    def test_takes_an_own_id_once(self, ada: Asking) -> None:
        own = entropy.new_id()
        ada.make(**{f"user_{ada.noun}_id": own})
        reply = ada("POST", "", {"name": fresh(), f"user_{ada.noun}_id": own})
        assert (reply.status, set(reply.json["errors"])) == (422, {f"user_{ada.noun}_id"})

    def test_of_one_name_by_many_at_once_succeeds_once(self, ada: Asking) -> None:
        name, statuses = fresh(), list[int]()
        threads = [
            Thread(target=lambda: statuses.append(ada("POST", "", {"name": name}).status), daemon=True)
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [201, 422, 422, 422, 422, 422]

    def test_says_that_it_makes_no_team(self, buyers: Asking) -> None:
        reply = buyers(
            "POST", "", {"name": fresh(), "generate_team": True, "team_users_emails": ["bob@bright.example"]}
        )
        assert reply.json["ignored"] == ["generate_team", "team_users_emails"]
        assert [warned["code"] for warned in reply.json["warnings"]] == ["team_not_made"]


def written(style: str, noun: str, values: Mapping[str, str]) -> dict[str, Any]:
    """A request that says these values, flat or nested, as JSON, a form, multipart, or in the query string."""
    form, _, nesting = style.partition(" ")
    named = {f"{noun}[{name}]" if nesting else name: value for name, value in values.items()}
    if form == "json":
        return {"body": {noun: values} if nesting else values}
    if form == "mislabelled":
        body = msgspec.json.encode({noun: values} if nesting else values)
        return {"body": body, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    if form == "form":
        return {"body": urlencode(named), "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    if form == "query":
        return {"where": f"?{urlencode(named)}"}
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in named.items()
    ]
    return {"body": f"{''.join(parts)}--x--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


STYLES = [
    f"{form}{nesting}" for form in ("json", "mislabelled", "form", "multipart", "query") for nesting in ("", " n")
]


class TestChanging:
    @pytest.mark.parametrize("style", STYLES)
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    def test_is_done_by_every_verb_and_in_every_form(self, ada: Asking, method: str, style: str) -> None:
        made, name = ada.make(), fresh()
        sent = written(style, ada.noun, {"name": name, "paused": "yes", "tier": "3"})
        reply = ada(method, f"/{made['id']}{sent.pop('where', '')}", **sent)
        assert (reply.status, reply.json["code"]) == (200, "applied"), reply.body
        assert reply.json[ada.noun] == {**made, "name": name, "paused": True} == ada.read(made["uuid"])
        assert reply.json["changed"] == {
            "name": {"from": made["name"], "to": name},
            "paused": {"from": False, "to": True},
        }
        assert reply.json["ignored"] == ["tier"]

    def test_the_same_twice_changes_nothing_and_leaves_no_line(self, ada: Asking) -> None:
        made = ada.make()
        again = ada("PUT", f"/{made['id']}", {"name": made["name"], "paused": False})
        assert (again.json["code"], again.json["changed"]) == ("unchanged", {})
        assert len(told(ada.stage, f"{ada.noun.replace('_', ' ')} {made['name']}")) == 1

    def test_what_is_not_named_stays_and_what_is_blank_is_taken_away(self, buyers: Asking) -> None:
        made = buyers.make(agreed_revenue="42", email="ops@clear.example", user_buyer_id=entropy.new_id())
        reply = buyers("PATCH", f"/{made['id']}", {"agreed_revenue": ""})
        assert reply.json["buyer"] == {**made, "agreed_revenue": None}
        reply = buyers("PATCH", f"/{made['id']}", {"email": None, "paused": ""})
        assert reply.json["buyer"] == {**made, "agreed_revenue": None, "email": None}
        assert [warned["code"] for warned in reply.json["warnings"]] == ["blank_ignored"]

    def test_pausing_and_resuming_are_lines_of_their_own(self, ada: Asking) -> None:
        made = ada.make()
        for paused in (True, True, False):
            assert ada("PUT", f"/{made['id']}", {"paused": paused}).json[ada.noun]["paused"] is paused
        lines = told(ada.stage, f"{ada.noun.replace('_', ' ')} {made['name']}")
        assert [action for action, _ in lines] == [f"{ada.noun}.{done}" for done in ("made", "paused", "resumed")]

    def test_a_dry_run_says_it_and_does_nothing(self, ada: Asking) -> None:
        made, name = ada.make(), fresh()
        subject = f"{ada.noun.replace('_', ' ')} {made['name']}"
        before = told(ada.stage, subject)
        reply = ada("PUT", f"/{made['id']}?dry_run=1", {"name": name, "paused": True})
        assert (reply.json["dry_run"], reply.json[ada.noun]["name"]) == (True, name)
        assert ada("POST", "", {"name": name}, headers={"Ringback-Dry-Run": "true"}).status == 201
        assert ada.read(made["id"]) == made
        assert told(ada.stage, subject) == before
        assert ada.make(name=name)["id"] == made["id"] + 1

    def test_a_taken_name_is_refused_and_nothing_of_it_is_done(self, ada: Asking) -> None:
        there, made = ada.make(), ada.make()
        reply = ada("PUT", f"/{made['id']}", {"name": there["name"].upper(), "paused": True})
        assert (reply.status, reply.json["codes"]) == (422, {"name": "invalid_value"})
        assert ada.read(made["id"]) == made

    @pytest.mark.parametrize("where", ["999999", NOBODYS_UUID, "nothing", "%00", "a%0Ab", "9" * 40, "[buyer_id]"])
    @pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
    def test_nothing_there_is_404(self, ada: Asking, method: str, where: str) -> None:
        reply = ada(method, f"/{where}", None if method == "GET" else {"paused": "1"})
        assert (reply.status, reply.json["code"]) == (404, "not_there")

    def test_a_number_goes_before_an_own_id(self, ada: Asking) -> None:
        first = ada.make()
        second = ada.make(**{f"user_{ada.noun}_id": str(first["id"])})
        assert ada.read(first["id"])["id"] == first["id"]
        assert ada.read(second["id"])["id"] == second["id"]

    def test_calls_find_their_partner_by_the_own_id_and_are_recorded_though_he_is_paused(self, ada: Asking) -> None:
        made = ada.make(**{f"user_{ada.noun}_id": entropy.new_id(), "paused": True})
        body = {"caller_number": "+17195550123", ada.noun: made[f"user_{ada.noun}_id"]}
        reply = ada.stage.request("POST", "/api/v1/calls", body=body, auth=ada.auth)
        assert (reply.status, reply.json["call"][f"{ada.noun}_id"]) == (201, made["id"])
        (warned,) = reply.json["warnings"]
        assert (warned["code"], made["name"] in warned["message"]) == ("partner_paused", True)
