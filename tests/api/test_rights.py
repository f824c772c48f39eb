"""Rights are the owner's word: what they grant is done, what they don't is refused whole, and told exactly."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import chain, combinations
from typing import Any

import pytest

from ringback import clock, entropy
from ringback.domain.access import Level
from ringback.domain.attributes import ATTRIBUTES, BY_NAME
from ringback.services import tokens
from ringback.store import partners, teams
from tests.api.rows import of_call, waiting_states
from tests.api.wire import check_envelope
from tests.live import Live, Reply
from tests.world import EVERY_RIGHT

BODIES: Mapping[str, Mapping[str, Any]] = {
    "buyer_converted": {"buyer_converted": "true"},
    "revenue": {"revenue": "42.50"},
    "offer_converted": {"offer_converted": "true"},
    "payout": {"payout": "9.00"},
    "contact_fields": {"post_call_tokens": {"first_name": "Jane"}},
}
"""What names each attribute, and it alone."""

EVERYTHING = {name: value for body in BODIES.values() for name, value in body.items()}
POWER_SET = list(chain.from_iterable(combinations(BODIES, size) for size in range(len(BODIES) + 1)))
CREDENTIALS = ["bob_token", "bob_developer_token"]


def named(attributes: tuple[str, ...]) -> str:
    """A set of attributes as the id of a test."""
    return "+".join(attributes) or "none"


def missing(stage: Live, *attributes: str) -> list[dict[str, str]]:
    """What an answer says of these attributes of Bob's team."""
    page = f"/company/teams/{stage.world.team}"
    return [
        {"attribute": BY_NAME[name].label, "right": "update", "team": "Bright Roofing", "grant_at": page}
        for name in attributes
    ]


def test_the_bodies_name_every_attribute() -> None:
    assert list(BODIES) == [attribute.name for attribute in ATTRIBUTES]
    assert len(POWER_SET) == 32


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("attribute", BODIES)
class TestOneAttribute:
    def test_with_its_right_alone_it_is_changed(self, stage: Live, attribute: str, credential: str) -> None:
        stage.world.grant([attribute])
        call = stage.world.call(revenue=Decimal(1))
        reply = stage.update(call.uuid, BODIES[attribute], auth=getattr(stage.world, credential).authorization)
        assert check_envelope(reply)["code"] == "applied"
        assert stage.world.state(call)[attribute] != call.state[attribute]

    @pytest.mark.parametrize("level", [Level.NONE, Level.READ], ids=["none", "read"])
    def test_without_it_the_answer_names_attribute_team_and_page_and_nothing_changes(
        self, stage: Live, attribute: str, credential: str, level: Level
    ) -> None:
        stage.world.grant({**EVERY_RIGHT, attribute: level})
        call = stage.world.call(revenue=Decimal(1))
        before = of_call(stage.world.database, call)
        told = check_envelope(
            stage.update(
                call.uuid,
                BODIES[attribute],
                auth=getattr(stage.world, credential).authorization,
                headers={"Idempotency-Key": "k1"},
            )
        )
        assert (told["status"], told["code"]) == (403, "permission_denied")
        assert told["missing_permissions"] == missing(stage, attribute)
        assert list(told["errors"]) == [BY_NAME[attribute].sets[0]]
        assert "Bright Roofing" in told["errors"][BY_NAME[attribute].sets[0]]
        assert told["changed"] == {}
        assert of_call(stage.world.database, call) == before
        assert waiting_states(stage.world.database, call) == ["waiting"]


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("granted", POWER_SET, ids=named)
def test_of_all_attributes_in_one_body_exactly_those_not_granted_are_named(
    stage: Live, granted: tuple[str, ...], credential: str
) -> None:
    stage.world.grant(granted)
    call = stage.world.call()
    before = of_call(stage.world.database, call)
    reply = stage.update(call.uuid, EVERYTHING, auth=getattr(stage.world, credential).authorization)
    told = check_envelope(reply)
    lacking = [name for name in BODIES if name not in granted]
    assert reply.status == (403 if lacking else 200)
    assert told.get("missing_permissions", []) == missing(stage, *lacking)
    assert (of_call(stage.world.database, call) == before) is bool(lacking)


@pytest.mark.parametrize("granted", POWER_SET, ids=named)
def test_a_dry_run_tells_allowed_and_denied_for_each_attribute_named(stage: Live, granted: tuple[str, ...]) -> None:
    stage.world.grant(granted)
    call = stage.world.call()
    for asked in POWER_SET:
        body = {name: value for attribute in asked for name, value in BODIES[attribute].items()}
        reply = stage.update(call.uuid, {**body, "dry_run": True}, auth=stage.world.bob_token.authorization)
        assert reply.status == (200 if set(asked) <= set(granted) else 403)
        assert reply.json["verdicts"] == {name: "allowed" if name in granted else "denied" for name in asked}


class TestWhatIsTold:
    def test_values_that_may_not_be_read_are_left_out_everywhere(self, stage: Live) -> None:
        stage.world.grant(["buyer_converted", "offer_converted"])
        call = stage.world.call(contact_fields={"first_name": "Jane"})
        body = {"buyer_converted": 1, "offer_converted": 1}
        reply = stage.update(call.uuid, body, auth=stage.world.bob_token.authorization)
        assert stage.world.state(call)["payout"] == Decimal("25.20")
        assert reply.json["changed"].keys() == {"buyer_converted", "offer_converted"}
        for hidden in (b"42.00", b"25.20", b"Jane", b"payout", b"revenue", b"post_call_tokens"):
            assert hidden not in reply.body

    def test_a_right_to_read_is_enough_to_be_told(self, stage: Live) -> None:
        stage.world.grant({"buyer_converted": Level.UPDATE, "revenue": Level.READ})
        told = stage.update(stage.world.call().uuid, {"buyer_converted": 1}, auth=stage.world.bob_token.authorization)
        assert told.json["changed"]["revenue"]["to"] == told.json["call"]["revenue"] == "42.00"

    def test_the_owner_needs_no_team(self, stage: Live) -> None:
        call = stage.world.call(buyer=None)
        reply = stage.update(call.uuid, EVERYTHING, auth=stage.world.ada_token.authorization)
        assert check_envelope(reply)["code"] == "applied"


class TestSeveralTeams:
    def test_rights_add_up_over_the_teams_that_see_the_call(self, stage: Live) -> None:
        second, _ = self.second_team(stage, ["payout"], developer_api=True, sees=stage.world.bright)
        stage.world.grant(["revenue"])
        call = stage.world.call()
        body = {"revenue": "1", "payout": "1"}
        assert stage.update(call.uuid, body, auth=stage.world.bob_token.authorization).status == 200
        self.dissolve(stage, second)
        assert stage.update(call.uuid, body, auth=stage.world.bob_token.authorization).status == 403

    @pytest.mark.parametrize("flaw", ["no API access", "other buyer"])
    def test_a_team_without_api_access_or_of_another_buyer_adds_nothing(self, stage: Live, flaw: str) -> None:
        second, other = self.second_team(stage, ["payout"], developer_api=flaw != "no API access", sees=None)
        with stage.world.database.write() as tx:
            seen = [other] if flaw == "other buyer" else [stage.world.bright]
            teams.set_buyers(tx, stage.world.acme, second, seen)
        stage.world.grant(["revenue"])
        told = stage.update(stage.world.call().uuid, {"payout": "1"}, auth=stage.world.bob_token.authorization).json
        assert told["missing_permissions"] == missing(stage, "payout")
        self.dissolve(stage, second)

    def second_team(self, stage: Live, rights: list[str], *, developer_api: bool, sees: int | None) -> tuple[int, int]:
        world, name = stage.world, f"Second {clock.now()}"
        with world.database.write() as tx:
            buyer = partners.add(tx, world.acme, "buyer", name, entropy.new_id(), clock.now())
            team = teams.add(tx, world.acme, name, clock.now())
            teams.set_users(tx, world.acme, team, [world.bob])
            teams.set_buyers(tx, world.acme, team, [sees] if sees else [])
            teams.set_rights(tx, world.acme, team, dict.fromkeys(rights, Level.UPDATE))
            teams.change(tx, world.acme, team, developer_api=developer_api)
        return team, buyer

    def dissolve(self, stage: Live, team: int) -> None:
        with stage.world.database.write() as tx:
            teams.set_users(tx, stage.world.acme, team, [])


class TestTakenAway:
    """The next request is refused, also while others are under way."""

    def test_a_right(self, stage: Live) -> None:
        call = stage.world.call()
        assert self.post(stage, call.uuid, 1).status == 200
        stage.world.grant(["payout"])
        assert self.post(stage, call.uuid, 2).json["code"] == "permission_denied"
        assert stage.world.state(call)["revenue"] == 1

    def test_developer_api_access(self, stage: Live) -> None:
        call = stage.world.call()
        stage.world.grant(EVERY_RIGHT, developer_api=False)
        assert self.post(stage, call.uuid, 2).json["code"] == "api_access_off"

    @pytest.mark.parametrize("what", ["token", "right", "API access", "team", "buyer"])
    def test_no_request_sent_after_the_commit_succeeds_whatever_is_under_way(self, stage: Live, what: str) -> None:
        call, token = stage.world.call(), stage.world.token(stage.world.bob, stage.world.acme)
        gone, enough = threading.Event(), threading.Event()

        def hammer(worker: int) -> list[tuple[bool, Reply]]:
            sent = []
            for turn in range(200):
                was_gone = gone.is_set()
                sent.append((was_gone, self.post(stage, call.uuid, worker * 1000 + turn, token.authorization)))
                if len(sent) == 3:
                    enough.set()
                if sum(late for late, _ in sent) == 3:
                    break
            return sent

        with ThreadPoolExecutor(6) as pool:
            workers = [pool.submit(hammer, worker) for worker in range(6)]
            enough.wait(20)
            self.take_away(stage, what, token)
            gone.set()
            sent = [each for worker in workers for each in worker.result()]
        assert {reply.status for was_gone, reply in sent if was_gone} == {401 if what == "token" else 403}
        assert 200 in {reply.status for was_gone, reply in sent if not was_gone}
        with stage.world.database.write() as tx:
            teams.set_users(tx, stage.world.acme, stage.world.team, [stage.world.bob])
            teams.set_buyers(tx, stage.world.acme, stage.world.team, [stage.world.bright])

    def take_away(self, stage: Live, what: str, token: tokens.NewToken) -> None:
        world = stage.world
        with world.database.write() as tx:
            if what == "token":
                tokens.revoke(tx, token.id, clock.now())
            elif what == "right":
                teams.set_rights(tx, world.acme, world.team, {"payout": Level.UPDATE})
            elif what == "API access":
                teams.change(tx, world.acme, world.team, developer_api=False)
            elif what == "team":
                teams.set_users(tx, world.acme, world.team, [])
            else:
                teams.set_buyers(tx, world.acme, world.team, [])

    def post(self, stage: Live, uuid: str, revenue: int, auth: str | None = None) -> Reply:
        return stage.update(uuid, {"revenue": str(revenue)}, auth=auth or stage.world.bob_token.authorization)
