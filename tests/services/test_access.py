"""Who is asking: known by his credential, told what keeps him from what."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.domain.access import AccessType, Level
from ringback.domain.attributes import ATTRIBUTES
from ringback.domain.credentials import Credential
from ringback.domain.errors import Refusal
from ringback.domain.receipts import Member
from ringback.services import access
from ringback.services.access import Caller, Myself
from ringback.store import accounts, teams
from tests.services.requests import NOW, credential, request
from tests.world import EVERY_RIGHT, World


def caller(world: World, **changes: Any) -> Caller:  # noqa: ANN401
    return Caller(**{"account": "acme", "credential": credential(world.bob_token), "ip": "203.0.113.7", **changes})


def refused(world: World, **changes: Any) -> str | None:  # noqa: ANN401
    """Why a caller may not read, if so."""
    try:
        with world.database.read() as tx:
            access.check_reader(tx, caller(world, **changes), NOW)
    except Refusal as refusal:
        return refusal.code.name
    return None


def me(world: World, **changes: Any) -> Myself:  # noqa: ANN401
    with world.database.read() as tx:
        return access.who_am_i(tx, caller(world, **changes), NOW)


class TestReaders:
    def test_are_known_by_account_and_credential(self, world: World) -> None:
        with world.database.read() as tx:
            account, principal = access.check_reader(tx, caller(world), NOW)
        assert (account.id, principal.user_id, [team.id for team in principal.teams]) == (
            world.acme,
            world.bob,
            [world.team],
        )

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({}, None),
            ({"account": "nowhere", "credential": Refusal("missing_credentials")}, "account_not_found"),
            ({"credential": Refusal("basic_malformed")}, "basic_malformed"),
            ({"credential": Credential("token", None, "wrong")}, "unknown_credentials"),
            ({"account": "zeta"}, "no_team"),
        ],
    )
    def test_are_refused_step_by_step(self, world: World, changes: dict[str, Any], code: str | None) -> None:
        assert refused(world, **changes) == code

    def test_may_use_a_token_that_only_reads(self, world: World) -> None:
        token = world.token(world.bob, world.acme, access_type=AccessType.CALLS_READ)
        assert refused(world, credential=credential(token)) is None

    def test_may_not_use_everything_elsewhere(self, world: World) -> None:
        with world.database.write() as tx:
            team = teams.add(tx, world.zeta, "Guests", NOW)
            teams.set_users(tx, world.zeta, team, [world.ada])
            teams.change(tx, world.zeta, team, developer_api=True)
        assert refused(world, credential=credential(world.ada_token), account="zeta") == "access_type"

    def test_need_a_team_with_api_access(self, world: World) -> None:
        world.grant(EVERY_RIGHT, developer_api=False)
        assert refused(world) == "api_access_off"

    def test_are_not_known_by_half_a_pair(self, world: World) -> None:
        half = Credential("basic", credential(world.bob_token).public_key, "x")
        assert refused(world, credential=half) == "unknown_credentials"

    def test_may_send_auth_token_unless_the_account_says_no(self, world: World) -> None:
        legacy = Credential("auth_token", None, credential(world.bob_developer_token).secret)
        assert refused(world, credential=legacy) is None
        with world.database.write() as tx:
            accounts.change_account(tx, world.acme, reads_auth_token=False)
        assert refused(world, credential=legacy) == "auth_token_off"


class TestWhoAmI:
    def test_tells_what_each_attribute_may_be_done_to(self, world: World) -> None:
        world.grant({"revenue": Level.UPDATE, "payout": Level.READ})
        bob = me(world)
        assert [each.name for each in ATTRIBUTES if bob.may_update(each.name)] == ["revenue"]
        assert (bob.obstacle, bob.is_stranger, bob.may_record) == (None, False, False)

    def test_of_an_owner_is_everything(self, world: World) -> None:
        ada = me(world, credential=credential(world.ada_token))
        assert all(ada.may_update(each.name) for each in ATTRIBUTES)
        assert ada.may_record

    def test_of_a_team_that_records(self, world: World) -> None:
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, records_calls=True)
        assert me(world).may_record

    @pytest.mark.parametrize(
        ("developer_api", "access_type", "obstacle"),
        [
            (True, AccessType.CALLS_READ, "access_type"),
            (False, AccessType.CALLS, "api_access_off"),
            (False, AccessType.CALLS_READ, "access_type"),
        ],
    )
    def test_tells_what_is_in_the_way(
        self, world: World, access_type: AccessType, obstacle: str, *, developer_api: bool
    ) -> None:
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, developer_api=developer_api, records_calls=True)
        token = world.token(world.bob, world.acme, access_type=access_type)
        bob = me(world, credential=credential(token))
        assert bob.obstacle is not None
        assert bob.obstacle.code.name == obstacle
        assert not bob.may_update("revenue")
        assert not bob.may_record

    def test_of_a_stranger_is_told_rather_than_refused(self, world: World) -> None:
        stranger = me(world, credential=credential(world.charlie_token))
        assert stranger.is_stranger
        assert stranger.obstacle is not None
        assert stranger.obstacle.code.name == "no_team"

    def test_is_refused_where_one_may_not_even_read(self, world: World) -> None:
        with world.database.write() as tx:
            accounts.change_token(tx, world.bob_token.id, revoked_at=0)
        with pytest.raises(Refusal, match="revoked"):
            me(world)


class TestSenders:
    def test_are_found_as_they_say_they_are(self, world: World) -> None:
        said = request(world, "", {})
        late = request(world, "", {}, account="", sender=Member(world.acme, world.bob))
        wrong = request(world, "", {}, sender=Refusal("missing_credentials"))
        with world.database.read() as tx:
            found = [access.find_sender(tx, update) for update in (said, late, wrong)]
        assert [known.principal and known.principal.user_id for known in found] == [world.bob, world.bob, None]
        assert [known.account and known.account.id for known in found] == [world.acme] * 3
