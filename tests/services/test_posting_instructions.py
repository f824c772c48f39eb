"""Who sees the posting instructions of which buyers, and what teams lack for what they ask."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ringback import clock, entropy
from ringback.domain.access import Level, Role
from ringback.domain.attributes import ATTRIBUTES
from ringback.domain.errors import Refusal
from ringback.services import posting_instructions
from ringback.services.posting_instructions import Standing
from ringback.store import accounts, partners, teams
from tests.services.acting import actor
from tests.world import EVERY_RIGHT, World

NAMES = [attribute.name for attribute in ATTRIBUTES]
LABELS = [attribute.label for attribute in ATTRIBUTES]


@pytest.fixture
def clear(world: World) -> int:
    """A buyer whose calls Bob's team doesn't see."""
    with world.database.write() as tx:
        return partners.add(tx, world.acme, "buyer", "Clear Windows", entropy.new_id(), clock.now())


def seen_by(world: World, user: int, *, after: str = "", search: str = "", limit: int = 50) -> list[str]:
    with world.database.read() as tx:
        principal = actor(tx, world.acme, user).principal
        found = posting_instructions.list_buyers(tx, principal, after=after, search=search, limit=limit)
    return [buyer["name"] for buyer in found]


def standings(world: World, user: int, buyer: int) -> list[Standing]:
    with world.database.read() as tx:
        return posting_instructions.standings(tx, actor(tx, world.acme, user).principal, [buyer])[buyer]


def finds(world: World, user: int, buyer: int) -> bool:
    with world.database.read() as tx:
        try:
            found = posting_instructions.find_buyer(tx, actor(tx, world.acme, user).principal, buyer)
        except Refusal as refusal:
            return refusal.code.name != "not_found"
    return bool(found["id"] == buyer)


def set_role(world: World, user: int, role: Role) -> None:
    with world.database.write() as tx:
        accounts.set_role(tx, world.acme, user, role)


class TestWhoSees:
    @pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
    def test_every_buyer_who_runs_the_account(self, world: World, clear: int, role: Role) -> None:
        set_role(world, world.charlie, role)
        assert seen_by(world, world.charlie) == ["Bright Roofing", "Clear Windows"]
        assert finds(world, world.charlie, clear)

    def test_his_own_who_is_on_a_team(self, world: World, clear: int) -> None:
        assert seen_by(world, world.bob) == ["Bright Roofing"]
        assert finds(world, world.bob, world.bright)
        assert not finds(world, world.bob, clear)

    def test_every_buyer_whose_team_sees_them_all(self, world: World, clear: int) -> None:
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, every_buyer=True)
        assert seen_by(world, world.bob) == ["Bright Roofing", "Clear Windows"]
        assert finds(world, world.bob, clear)

    def test_none_whose_teams_see_none(self, world: World) -> None:
        with world.database.write() as tx:
            teams.set_buyers(tx, world.acme, world.team, [])
        assert seen_by(world, world.bob) == []

    def test_by_name_page_by_page(self, world: World, clear: int) -> None:
        assert clear
        assert seen_by(world, world.ada, limit=1) == ["Bright Roofing"]
        assert seen_by(world, world.ada, after="bright roofing") == ["Clear Windows"]
        assert seen_by(world, world.ada, search="WINDOW") == ["Clear Windows"]
        assert seen_by(world, world.bob, search="window") == []

    def test_what_is_not_there_nobody_finds(self, world: World) -> None:
        assert not finds(world, world.ada, 99)


class TestStandings:
    @pytest.mark.parametrize(
        ("rights", "lacks", "is_ready"),
        [
            ([], LABELS, False),
            (NAMES[:1], LABELS[1:], False),
            (NAMES[:4], LABELS[4:], True),
            (NAMES, [], True),
        ],
    )
    def test_say_what_is_missing(
        self, world: World, rights: Iterable[str], lacks: list[str], *, is_ready: bool
    ) -> None:
        world.grant(rights)
        (standing,) = standings(world, world.ada, world.bright)
        assert [each.label for each in standing.lacks] == lacks
        assert [each.label for each in standing.may] == LABELS[: len(LABELS) - len(lacks)]
        assert standing.is_ready is is_ready

    def test_to_read_is_not_to_update(self, world: World) -> None:
        world.grant(dict.fromkeys(NAMES, Level.READ))
        (standing,) = standings(world, world.ada, world.bright)
        assert standing.may == []

    def test_without_api_access_no_right_helps(self, world: World) -> None:
        world.grant(EVERY_RIGHT, developer_api=False)
        (standing,) = standings(world, world.ada, world.bright)
        assert (standing.lacks, standing.developer_api, standing.is_ready) == ([], False, False)

    def test_nor_where_nobody_is_on_the_team(self, world: World) -> None:
        with world.database.write() as tx:
            teams.set_users(tx, world.acme, world.team, [])
        (standing,) = standings(world, world.ada, world.bright)
        assert (standing.users, standing.is_ready) == (0, False)

    def test_are_those_of_all_teams_for_who_runs_the_account_else_of_ones_own(self, world: World) -> None:
        with world.database.write() as tx:
            other = teams.add(tx, world.acme, "Everyone", clock.now())
            teams.change(tx, world.acme, other, every_buyer=True)
        assert [(each.name, each.users) for each in standings(world, world.ada, world.bright)] == [
            ("Bright Roofing", 1),
            ("Everyone", 0),
        ]
        assert [(each.name, each.users) for each in standings(world, world.bob, world.bright)] == [
            ("Bright Roofing", None)
        ]
        assert standings(world, world.bob, 99) == []
