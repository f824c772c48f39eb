"""Who is behind a credential: everything the decision needs, in one statement for a whole batch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ringback import clock
from ringback.domain.access import AccessToken, AccessType, Level, Principal, Role, Team
from ringback.domain.credentials import read_credential
from ringback.services.tokens import NewToken
from ringback.store import access, accounts, partners, teams
from ringback.store.access import Account, Known
from tests.statements import asked
from tests.world import EVERY_RIGHT, World


def handle(token: NewToken) -> str:
    return read_credential([token.authorization.encode()], []).handle


def find(world: World, *pairs: tuple[str, str]) -> list[Known]:
    with world.database.read() as tx:
        found = access.find_by_credential(tx, pairs)
    assert found.keys() == set(pairs)
    return [found[pair] for pair in pairs]


def principal(world: World, account: str, token: NewToken) -> Principal:
    (known,) = find(world, (account, handle(token)))
    assert known.principal is not None
    return known.principal


def token_of(world: World, **form: Any) -> AccessToken:  # noqa: ANN401
    token = principal(world, "acme", world.token(world.bob, world.acme, **form)).token
    assert token is not None
    return token


def test_a_credential_leads_to_account_user_role_teams_and_token(world: World) -> None:
    (known,) = find(world, ("acme", handle(world.bob_token)))
    assert known.account == Account(
        world.acme, "acme", "Acme Media", "America/New_York", reads_auth_token=True, keeps_unknown_fields=False
    )
    assert known.principal is not None
    assert (known.principal.account_id, known.principal.user_id) == (world.acme, world.bob)
    assert (known.principal.email, known.principal.role) == ("bob@bright.example", Role.MEMBER)
    assert known.principal.teams == (
        Team(
            world.team,
            "Bright Roofing",
            developer_api=True,
            every_buyer=False,
            records_calls=False,
            rights=EVERY_RIGHT,
            buyers=frozenset({world.bright}),
        ),
    )
    assert known.principal.token is not None
    assert known.principal.token.id == world.bob_token.id
    assert (known.principal.token.home_account_id, known.principal.token.access_type) == (world.acme, AccessType.CALLS)


def test_what_is_unknown_is_told_apart(world: World) -> None:
    bob = handle(world.bob_token)
    nobody, nowhere, neither, stranger = find(
        world, ("acme", "nobody's"), ("nowhere", bob), ("nowhere", "nobody's"), ("zeta", bob)
    )
    assert nobody.account is not None
    assert nobody.principal is None
    assert nowhere == neither == Known()
    assert stranger.principal is not None
    assert (stranger.principal.role, stranger.principal.teams) == (None, ())


def test_a_batch_takes_one_statement(world: World) -> None:
    tokens = [world.token(world.bob, world.acme) for _ in range(20)]
    pairs = [("acme", handle(token)) for token in tokens] + [("zeta", handle(world.ada_token)), ("nowhere", "x")]
    with asked(world.database) as statements:
        known = find(world, *pairs, *pairs)
    assert len(statements) == 1
    assert [each.principal is not None for each in known] == ([True] * 21 + [False]) * 2


def test_teams_come_in_their_order_with_their_buyers(world: World) -> None:
    now = clock.now()
    with world.database.write() as tx:
        others = [
            partners.add(tx, world.acme, "buyer", f"Buyer {n}", f"0000000{n}-0000-4000-8000-000000000000", now)
            for n in (1, 2)
        ]
        second = teams.add(tx, world.acme, "Another", now)
        teams.set_users(tx, world.acme, second, [world.bob, world.ada])
        teams.set_buyers(tx, world.acme, second, others)
        teams.set_rights(tx, world.acme, second, {"revenue": Level.READ, "payout": Level.NONE})
        teams.change(tx, world.acme, second, every_buyer=True, records_calls=True)
        empty = teams.add(tx, world.acme, "Without Bob", now)
        teams.set_users(tx, world.acme, empty, [world.ada])
    first, another = principal(world, "acme", world.bob_token).teams
    assert (first.id, another.id) == (world.team, second)
    assert another == Team(
        second,
        "Another",
        developer_api=False,
        every_buyer=True,
        records_calls=True,
        rights={"revenue": Level.READ},
        buyers=frozenset(others),
    )


def test_a_place_that_is_pending_counts_only_for_whose_address_is_proven(world: World) -> None:
    now = clock.now()
    with world.database.write() as tx:
        eve = accounts.add_user(tx, "eve@bright.example", "Eve", now, verified=False)
        accounts.set_role(tx, world.acme, eve, Role.MANAGER, pending=True)
    token = world.token(eve, world.acme)
    assert principal(world, "acme", token).role is None
    with world.database.write() as tx:
        accounts.change_user(tx, eve, verified=True)
    assert principal(world, "acme", token).role is Role.MANAGER


def test_a_user_with_a_role_and_no_team_is_known(world: World) -> None:
    ada = principal(world, "acme", world.ada_token)
    assert (ada.role, ada.teams) == (Role.OWNER, ())
    assert principal(world, "zeta", world.ada_token).role is None


@pytest.mark.parametrize(
    ("form", "attribute", "value"),
    [
        ({}, "expires_at", None),
        (
            {"expires_at": datetime(2026, 5, 1, 12, 0, 0, 123_456, UTC)},
            "expires_at",
            datetime(2026, 5, 1, 12, 0, 0, 123_456, UTC),
        ),
        ({"networks": ["10.0.0.0/8", "::1"]}, "networks", ("10.0.0.0/8", "::1")),
        ({"accounts": [1, 2]}, "accounts", frozenset({1, 2})),
        ({"access_type": AccessType.CALLS_READ}, "access_type", AccessType.CALLS_READ),
        ({}, "revoked_at", None),
        ({}, "last_used_at", None),
    ],
)
def test_a_token_keeps_what_its_form_says(world: World, form: dict[str, Any], attribute: str, value: object) -> None:
    assert getattr(token_of(world, **form), attribute) == value


def test_tokens_are_marked_used_all_at_once(world: World) -> None:
    now = clock.now() + timedelta(minutes=1)
    used = {world.bob_token.id: "203.0.113.7", world.ada_token.id: "::1"}
    with asked(world.database) as statements, world.database.write() as tx:
        access.mark_used(tx, used, now)
        access.mark_used(tx, {}, now)
    assert len(statements) == 1
    with world.database.read() as tx:
        rows = {row.id: row for row in accounts.list_tokens(tx)}
    assert {each: rows[each].last_used_ip for each in used} == used
    assert {rows[each].last_used_at for each in used} == {now}
    assert rows[world.charlie_token.id].last_used_at is None


class TestWithoutACredential:
    def test_a_member_is_found_with_his_teams(self, world: World) -> None:
        with world.database.read() as tx:
            known = access.find_member(tx, world.acme, world.bob)
        assert known.account is not None
        assert known.principal is not None
        assert [team.id for team in known.principal.teams] == [world.team]
        assert known.principal.token is None

    def test_a_stranger_stands_outside(self, world: World) -> None:
        with world.database.read() as tx:
            stranger = access.find_member(tx, world.acme, world.charlie).principal
            nobody = access.find_member(tx, world.acme, 999)
            nowhere = access.find_member(tx, 999, world.bob)
        assert stranger is not None
        assert (stranger.role, stranger.teams) == (None, ())
        assert nobody.principal is None
        assert nobody.account is not None
        assert nowhere == Known()

    def test_many_are_found_in_one_statement(self, world: World) -> None:
        with asked(world.database) as statements, world.database.read() as tx:
            found = access.find_members(tx, world.acme, [world.ada, world.bob, world.charlie, 999, world.bob])
        assert len(statements) == 1
        assert {user: (each.role, [team.id for team in each.teams]) for user, each in found.items()} == {
            world.ada: (Role.OWNER, []),
            world.bob: (Role.MEMBER, [world.team]),
            world.charlie: (None, []),
        }
