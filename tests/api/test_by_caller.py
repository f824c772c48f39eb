"""Updates that name who called: the newest call of that caller, of the offer whose token is sent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ringback import clock, entropy
from ringback.domain.calls import Call, Partner
from ringback.store import partners, receipts, teams
from ringback.store.schema import calls
from ringback.store.values import to_moment
from tests.api.rows import ledger_sum, of_account, waiting_states
from tests.api.wire import check_envelope
from tests.live import Live, Reply
from tests.world import EVERY_RIGHT, World, record

PATH = "/api/v1/calls/update_by_caller_id"


@pytest.fixture
def caller(served: Live) -> str:
    """A number from which nobody has called yet."""
    known = of_account(served.world.database, served.world.acme)["calls"]
    return f"+1719555{1000 + len(known):04}"


def token_of(world: World, offer: int | None = None, account: int | None = None) -> str:
    with world.database.read() as tx:
        row = partners.find_row(tx, account or world.acme, "offer", offer or world.offer)
    assert row is not None
    return str(row["token"])


def update(stage: Live, caller: str, values: dict[str, Any], path: str = PATH, **more: Any) -> Reply:  # noqa: ANN401
    """Update by caller with Bob's token and the token of Acme's offer, unless said otherwise."""
    more.setdefault("auth", stage.world.bob_token.authorization)
    method = more.pop("method", "POST")
    return stage.request(method, f"{path}/{caller}", body={"offer_token": token_of(stage.world), **values}, **more)


def other_offer(world: World, account: int) -> int:
    with world.database.write() as tx:
        return partners.add(tx, account, "offer", entropy.new_id(), entropy.new_id(), clock.now())


class TestWhichCall:
    def test_is_the_newest(self, stage: Live, caller: str) -> None:
        world = stage.world
        older, newest, other = (world.call(caller_number=each) for each in (caller, caller, f"{caller[:-1]}x"))
        told = check_envelope(update(stage, caller, {"add_revenue": "5"}))
        assert told["call"]["uuid"] == newest.uuid
        assert [world.state(call)["revenue"] for call in (older, newest, other)] == [None, Decimal(5), None]
        assert ledger_sum(world.database, newest) == world.state(newest)

    @pytest.mark.parametrize(
        "spell",
        [
            "+1{area}{rest}",
            "1{area}{rest}",
            "{area}{rest}",
            "%2B1{area}{rest}",
            "%252B1{area}{rest}",
            "%201{area}{rest}",
            "1{area}{rest}.json",
            "({area})%20{rest}/",
        ],
    )
    def test_is_found_however_the_number_is_spelt(self, stage: Live, caller: str, spell: str) -> None:
        call = stage.world.call(caller_number=caller)
        spelt = spell.format(area=caller[2:5], rest=caller[5:])
        assert check_envelope(update(stage, spelt, {"revenue": "5"}))["call"]["uuid"] == call.uuid

    def test_is_of_the_offer_whose_token_was_sent(self, stage: Live, caller: str) -> None:
        world, now = stage.world, clock.now()
        mine = world.call(caller_number=caller)
        other = other_offer(world, world.acme)
        bright, offer = Partner(world.bright, "", ""), Partner(other, "", "")
        call = Call(world.acme, entropy.new_call_uuid(), 0, caller, mine.state, now, now, buyer=bright, offer=offer)
        with world.database.write() as tx:
            newer = record(tx, call)
        assert check_envelope(update(stage, caller, {"revenue": "1"}))["call"]["uuid"] == mine.uuid
        told = update(stage, caller, {"revenue": "1", "offer_token": token_of(world, other)}).json
        assert told["call"]["uuid"] == newer.uuid

    def test_is_not_older_than_the_minutes_that_are_named(self, stage: Live, caller: str) -> None:
        world = stage.world
        call = world.call(caller_number=caller)
        age(world, call, minutes=61)
        assert update(stage, caller, {"revenue": "1", "call_timeframe": "60"}).json["code"] == "call_not_found"
        assert update(stage, caller, {"revenue": "1", "call_timeframe": 62}).json["code"] == "applied"
        assert update(stage, caller, {"revenue": "2", "call_timeframe": ""}).json["code"] == "applied"

    def test_is_the_newest_that_the_sender_may_see(self, stage: Live, caller: str) -> None:
        world = stage.world
        his = world.call(caller_number=caller)
        with world.database.write() as tx:
            clear = partners.add(tx, world.acme, "buyer", entropy.new_id(), entropy.new_id(), clock.now())
        hidden = world.call(caller_number=caller, buyer=clear)
        told = check_envelope(update(stage, caller, {"revenue": "1"}))
        assert told["call"]["uuid"] == his.uuid
        told = check_envelope(update(stage, caller, {"revenue": "2"}, auth=world.ada_token.authorization))
        assert told["call"]["uuid"] == hidden.uuid
        with world.database.write() as tx:
            teams.set_buyers(tx, world.acme, world.team, [world.bright, clear])
        assert update(stage, caller, {"revenue": "3"}).json["call"]["uuid"] == hidden.uuid

    def test_of_those_made_at_one_moment_is_the_one_with_the_higher_number(self, stage: Live, caller: str) -> None:
        made = [stage.world.call(caller_number=caller) for _ in range(3)]
        for call in made:
            age(stage.world, call, minutes=5)
        assert update(stage, caller, {"revenue": "1"}).json["call"]["id"] == made[-1].number


class TestWays:
    @pytest.mark.parametrize("method", ["POST", "PUT"])
    def test_takes_json(self, stage: Live, caller: str, method: str) -> None:
        stage.world.call(caller_number=caller)
        told = check_envelope(update(stage, caller, {"revenue": "1", "post_call_tokens": {"a": "b"}}, method=method))
        assert told["changed"].keys() == {"revenue", "contact_fields.a"}
        assert told["ignored"] == []

    @pytest.mark.parametrize("place", ["query", "form"])
    def test_takes_a_query_and_a_form(self, stage: Live, caller: str, place: str) -> None:
        stage.world.call(caller_number=caller)
        names = f"offer_token={token_of(stage.world)}&add_revenue=5&call_timeframe=10"
        path, body = (f"{PATH}/{caller[1:]}?{names}", None) if place == "query" else (f"{PATH}/{caller[1:]}", names)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = stage.request("POST", path, body=body, auth=stage.world.bob_token.authorization, headers=form)
        assert (reply.json["code"], reply.json["call"]["revenue"]) == ("applied", "5.00")

    def test_is_found_under_the_path_of_the_account(self, stage: Live, caller: str) -> None:
        stage.world.call(caller_number=caller)
        assert update(stage, caller, {"revenue": "1"}, f"/a/acme{PATH}", account="").json["code"] == "applied"

    def test_can_be_rehearsed(self, stage: Live, caller: str) -> None:
        call = stage.world.call(caller_number=caller)
        told = check_envelope(update(stage, caller, {"revenue": "1", "dry_run": True}))
        assert (told["dry_run"], told["call"]["uuid"]) == (True, call.uuid)
        assert stage.world.state(call)["revenue"] is None
        told = update(stage, f"{caller[:-4]}9999", {"dry_run": True}).json
        assert told["code"] == "call_not_found"
        assert "caller_id" in told["hint"]
        assert "UUID" not in told["hint"]

    def test_its_receipt_says_which_call_and_by_what_rule(self, stage: Live, caller: str) -> None:
        call = stage.world.call(caller_number=caller)
        told = update(stage, caller, {"revenue": "1", "call_timeframe": "5"}).json
        with stage.world.database.read() as tx:
            found = receipts.find(tx, stage.world.acme, told["receipt_id"])
        assert found is not None
        assert (found[0].call_uuid, found[0].route) == (call.uuid, "by_caller_id")
        trail: Any = found[1].understood["trail"]
        assert [each for each in trail if each[0] != "revenue"] == [
            ["caller_id", "path", "newest_of_caller"],
            ["offer_token", "json", "names_offer"],
            ["call_timeframe", "json", "looks_back"],
        ]


class TestRefusals:
    @pytest.mark.parametrize(
        ("who", "values", "problems"),
        [
            ("anonymous", {}, {"caller_id": "invalid_value"}),
            ("call-me", {}, {"caller_id": "invalid_value"}),
            ("", {}, {"caller_id": "invalid_value"}),
            ("%5Bcaller_id%5D", {}, {"caller_id": "unreplaced_token"}),
            ("7195550123", {"offer_token": None}, {"offer_token": "missing_value"}),
            ("7195550123", {"offer_token": "[offer_token]"}, {"offer_token": "unreplaced_token"}),
            ("7195550123", {"offer_token": "a\0bcdefgh"}, {"offer_token": "invalid_value"}),
            ("7195550123", {"offer_token": ["x"]}, {"offer_token": "invalid_value"}),
            ("7195550123", {"call_timeframe": "an hour"}, {"call_timeframe": "invalid_value"}),
            ("7195550123", {"call_timeframe": "0"}, {"call_timeframe": "invalid_value"}),
            ("7195550123", {"call_timeframe": "99999999999"}, {"call_timeframe": "invalid_value"}),
        ],
    )
    def test_name_what_can_t_be_read(
        self, stage: Live, who: str, values: dict[str, Any], problems: dict[str, str]
    ) -> None:
        told = check_envelope(update(stage, who, {"revenue": "1", **values}))
        assert (told["status"], told["codes"]) == (422, problems)

    def test_are_the_same_for_a_hidden_call_another_token_and_no_call(self, stage: Live, caller: str) -> None:
        world = stage.world
        hidden = world.call(caller_number=caller, buyer=None)
        with world.database.write() as tx:
            teams.set_rights(tx, world.acme, world.team, EVERY_RIGHT)
        replies = [
            update(stage, caller, {"revenue": "1"}),
            update(stage, caller, {"revenue": "1", "offer_token": "0" * 32}),
            update(stage, caller, {"revenue": "1", "call_timeframe": "1"}),
        ]
        told = [check_envelope(reply) for reply in replies]
        assert {each["code"] for each in told} == {"call_not_found"}
        assert len({str({**each, "receipt_id": ""}) for each in told}) == 1
        assert waiting_states(world.database, hidden) == []

    def test_of_another_company_see_none_of_acmes_calls(self, stage: Live, caller: str) -> None:
        world = stage.world
        world.call(caller_number=caller)
        token = world.token(world.charlie, world.zeta).authorization
        assert update(stage, caller, {"revenue": "1"}, auth=token, account="zeta").json["code"] == "call_not_found"
        assert update(stage, caller, {"revenue": "1"}, auth=token).json["code"] == "no_team"

    def test_for_want_of_a_right_keep_the_update_for_the_call_of_then(self, stage: Live, caller: str) -> None:
        world = stage.world
        call = world.call(caller_number=caller)
        world.grant(["buyer_converted"])
        told = check_envelope(update(stage, caller, {"revenue": "1"}))
        assert told["code"] == "permission_denied"
        assert "held_until" in told
        assert waiting_states(world.database, call) == ["waiting"]

    def test_other_methods_are_not_understood(self, stage: Live, caller: str) -> None:
        for method in ("GET", "PATCH", "DELETE"):
            reply = stage.request(method, f"{PATH}/{caller}", auth=stage.world.bob_token.authorization)
            assert reply.status == 405
            assert "PUT" in reply.headers["allow"]


class TestRetries:
    def test_with_a_key_are_one_update_though_the_caller_called_again(self, stage: Live, caller: str) -> None:
        world, key = stage.world, {"Idempotency-Key": caller}
        first = world.call(caller_number=caller)
        before = update(stage, caller, {"add_revenue": "5"}, headers=key)
        second = world.call(caller_number=caller)
        again = update(stage, caller, {"add_revenue": "5"}, headers=key)
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json == before.json
        assert [world.state(call)["revenue"] for call in (first, second)] == [Decimal(5), None]

    def test_of_an_addition_without_a_key_are_noticed(self, stage: Live, caller: str) -> None:
        call = stage.world.call(caller_number=caller)
        _, again = (update(stage, caller, {"add_revenue": "5"}) for _ in range(2))
        assert [each["code"] for each in again.json["warnings"]] == ["duplicate_suppressed"]
        assert stage.world.state(call)["revenue"] == Decimal(5)


def age(world: World, call: Call, *, minutes: int) -> None:
    """Make a call as old as that."""
    made = to_moment(clock.now() - timedelta(minutes=minutes))
    with world.database.write() as tx:
        tx.execute(calls.update().where(calls.c.uuid == call.uuid).values(created_at=made))
