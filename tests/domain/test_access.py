"""Who may do what: rights, teams and access tokens, rule by rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.access import (
    EVERY_ATTRIBUTE,
    MOST_NETWORKS,
    AccessType,
    Level,
    MissingRight,
    PermissionDenied,
    Principal,
    Role,
    Team,
    as_recorder,
    check_membership,
    check_rights,
    check_shared,
    check_token,
    granting,
    is_his,
    read_networks,
    readable,
    seeing,
)
from ringback.domain.attributes import BY_NAME
from ringback.domain.credentials import Credential
from ringback.domain.errors import Refusal
from ringback.domain.names import UnfitError
from tests.domain.samples import (
    ACME,
    BRIGHT,
    CREDENTIAL,
    EVERY_RIGHT,
    NOW,
    RIGHTS,
    SECRET,
    make_principal,
    make_team,
    make_token,
)

SECOND = timedelta(seconds=1)
OTHER_BUYER = 2
RUNNING = [Role.OWNER, Role.MANAGER]
NOT_RUNNING = [Role.MEMBER, None]


def refused(check: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check()
    return caught.value


def code_of(check: Callable[[], object]) -> str | None:
    try:
        check()
    except Refusal as refusal:
        return refusal.code.name
    return None


def test_update_includes_read() -> None:
    assert Level.NONE < Level.READ < Level.UPDATE


def test_every_access_type_has_the_words_of_its_form() -> None:
    labels = [access_type.label for access_type in AccessType]
    assert labels == ["Calls", "Calls, read only", "Everything"]


@pytest.mark.parametrize(
    ("settings", "buyer", "sees"),
    [
        ({}, BRIGHT.id, True),
        ({}, OTHER_BUYER, False),
        ({}, None, False),
        ({"every_buyer": True, "buyers": frozenset()}, OTHER_BUYER, True),
        ({"every_buyer": True, "buyers": frozenset()}, None, True),
        ({"buyers": frozenset()}, BRIGHT.id, False),
    ],
)
def test_a_team_sees_the_calls_of_its_buyers(settings: dict[str, Any], buyer: int | None, *, sees: bool) -> None:
    assert make_team(**settings).sees(buyer) is sees


class TestTheToken:
    @pytest.mark.parametrize(
        ("changes", "writes", "code"),
        [
            ({}, True, None),
            ({"expires_at": NOW + SECOND}, True, None),
            ({"expires_at": NOW}, True, "expired"),
            ({"expires_at": NOW - SECOND}, False, "expired"),
            ({"revoked_at": NOW + SECOND}, True, None),
            ({"revoked_at": NOW}, True, "revoked"),
            ({"revoked_at": NOW - SECOND}, False, "revoked"),
            ({"networks": ("203.0.113.7",)}, True, None),
            ({"networks": ("10.0.0.0/8", "203.0.113.9/24")}, True, None),
            ({"networks": ("10.0.0.0/8", "2001:db8::/32")}, True, "ip_not_allowed"),
            ({"access_type": AccessType.CALLS_READ}, False, None),
            ({"access_type": AccessType.CALLS_READ}, True, "access_type"),
            ({"access_type": AccessType.EVERYTHING}, True, None),
            ({"access_type": AccessType.EVERYTHING, "home_account_id": ACME + 1}, False, "access_type"),
            ({"access_type": AccessType.CALLS, "home_account_id": ACME + 1}, True, None),
            ({"accounts": frozenset({ACME, ACME + 1})}, True, None),
            ({"accounts": frozenset({ACME + 1})}, False, "account_not_allowed"),
        ],
    )
    def test_is_checked(self, changes: dict[str, Any], code: str | None, *, writes: bool) -> None:
        principal = make_principal(token=make_token(**changes))
        assert code_of(lambda: check_token(principal, now=NOW, ip="203.0.113.7", writes=writes)) == code

    def test_is_checked_in_the_order_of_the_contract(self) -> None:
        faults: dict[str, dict[str, Any]] = {
            "revoked": {"revoked_at": NOW},
            "expired": {"expires_at": NOW},
            "ip_not_allowed": {"networks": ("10.0.0.1",)},
            "access_type": {"access_type": AccessType.CALLS_READ},
            "account_not_allowed": {"accounts": frozenset({ACME + 1})},
        }
        told = []
        while faults:
            token = make_token(**{name: value for fault in faults.values() for name, value in fault.items()})
            refusal = refused(
                lambda token=token: check_token(make_principal(token=token), now=NOW, ip="", writes=True)  # type: ignore[misc]
            )
            told.append(refusal.code.name)
            del faults[refusal.code.name]
        assert told == ["revoked", "expired", "ip_not_allowed", "access_type", "account_not_allowed"]

    @pytest.mark.parametrize(
        ("ip", "network", "inside"),
        [
            ("203.0.113.7", "203.0.113.0/24", True),
            ("::ffff:203.0.113.7", "203.0.113.0/24", True),
            ("2001:db8::1", "2001:db8::/32", True),
            ("203.0.114.7", "203.0.113.0/24", False),
            ("::ffff:203.0.114.7", "203.0.113.0/24", False),
            ("2001:db8::1", "203.0.113.0/24", False),
            ("203.0.113.7", "::/0", False),
            ("", "0.0.0.0/0", False),
            ("unix:", "0.0.0.0/0", False),
        ],
    )
    def test_may_be_bound_to_addresses(self, ip: str, network: str, *, inside: bool) -> None:
        principal = make_principal(token=make_token(networks=(network,)))
        code = code_of(lambda: check_token(principal, now=NOW, ip=ip, writes=True))
        assert code == (None if inside else "ip_not_allowed")

    def test_is_not_asked_of_who_acts_without_one(self) -> None:
        without = Principal(ACME, 2, "bob@bright.example", Role.MEMBER)
        assert code_of(lambda: check_token(without, now=NOW, ip="", writes=True)) is None

    def test_says_when_it_expired_and_where_it_came_from(self) -> None:
        expired = make_principal(token=make_token(expires_at=NOW))
        bound = make_principal(token=make_token(networks=("10.0.0.1",)))
        assert str(refused(lambda: check_token(expired, now=NOW, ip="", writes=True))) == (
            "The access token expired on 2026-05-01 12:00 UTC."
        )
        assert str(refused(lambda: check_token(bound, now=NOW, ip="192.0.2.1", writes=True))) == (
            "This access token may not be used from 192.0.2.1."
        )

    @pytest.mark.parametrize(
        ("credential", "principal", "his"),
        [
            (CREDENTIAL, make_principal(), True),
            (Credential("basic", "rbpub_x", SECRET), make_principal(), True),
            (Credential("token", None, SECRET + "x"), make_principal(), False),
            (CREDENTIAL, Principal(ACME, 2, "bob@bright.example", Role.OWNER), False),
            (CREDENTIAL, None, False),
        ],
    )
    def test_is_proven_by_its_secret_alone(
        self, credential: Credential, principal: Principal | None, *, his: bool
    ) -> None:
        assert is_his(credential, principal) is his


class TestMembership:
    @pytest.mark.parametrize("role", RUNNING)
    def test_owners_and_managers_need_no_team(self, role: Role) -> None:
        principal = make_principal(role=role)
        assert principal.runs_account
        assert code_of(lambda: check_membership(principal)) is None
        assert check_shared(principal, BRIGHT.id) == check_shared(principal, None) == ()

    @pytest.mark.parametrize("role", NOT_RUNNING)
    @pytest.mark.parametrize(
        ("teams", "code"),
        [
            ([], "no_team"),
            ([make_team(developer_api=False)], "api_access_off"),
            ([make_team(developer_api=False), make_team(2)], None),
        ],
    )
    def test_others_need_one_with_api_access(self, role: Role | None, teams: list[Team], code: str | None) -> None:
        assert code_of(lambda: check_membership(make_principal(*teams, role=role))) == code

    @pytest.mark.parametrize(
        ("teams", "code", "through"),
        [
            ([make_team()], None, [1]),
            ([make_team(), make_team(2), make_team(3, buyers=frozenset())], None, [1, 2]),
            ([make_team(), make_team(2, developer_api=False)], None, [1]),
            ([make_team(buyers=frozenset({OTHER_BUYER}))], "buyer_not_shared", []),
            ([make_team(developer_api=False), make_team(2, buyers=frozenset())], "api_access_off", []),
        ],
    )
    def test_a_call_is_seen_through_teams_with_api_access(
        self, teams: list[Team], code: str | None, through: list[int]
    ) -> None:
        principal = make_principal(*teams)
        assert code_of(lambda: check_shared(principal, BRIGHT.id)) == code
        if code is None:
            assert [team.id for team in check_shared(principal, BRIGHT.id)] == through

    def test_at_the_console_a_call_is_seen_without_api_access_too(self) -> None:
        deaf, blind = make_team(1, developer_api=False), make_team(2, buyers=frozenset())
        assert seeing(make_principal(deaf, blind), BRIGHT.id) == (deaf,)


class TestRights:
    def test_are_the_union_over_the_teams_that_see_the_call(self) -> None:
        teams = (make_team(1, ["revenue"]), make_team(2, {"payout": Level.UPDATE, "revenue": Level.NONE}))
        check_rights(make_principal(*teams), teams, ["revenue", "payout"])
        assert readable(make_principal(*teams), teams) == {"revenue", "payout"}

    @pytest.mark.parametrize("level", [Level.NONE, Level.READ])
    @pytest.mark.parametrize("attribute", EVERY_RIGHT)
    def test_one_that_is_missing_is_named_with_a_team_of_the_user(self, attribute: str, level: Level) -> None:
        teams = (make_team(5, {**EVERY_RIGHT, attribute: level}),)
        refusal = refused(lambda: check_rights(make_principal(*teams), teams, EVERY_RIGHT))
        assert isinstance(refusal, PermissionDenied)
        assert refusal.missing == (MissingRight(attribute, 5, "Team 5"),)
        assert str(refusal) == f"The user of this token may not update: {BY_NAME[attribute].label}."

    def test_all_that_are_missing_are_named_in_the_order_asked(self) -> None:
        teams = (make_team(1, ["revenue"]), make_team(2, []))
        refusal = refused(lambda: check_rights(make_principal(*teams), teams, ["payout", "revenue", "contact_fields"]))
        assert refusal.title == "The user of this token may not update: TS Payout, Contact Fields."

    @pytest.mark.parametrize("role", RUNNING)
    def test_who_runs_the_account_has_all(self, role: Role) -> None:
        check_rights(make_principal(role=role), (), EVERY_RIGHT)
        assert readable(make_principal(role=role), ()) == EVERY_ATTRIBUTE

    @given(st.lists(RIGHTS, min_size=1, max_size=3))
    def test_nothing_may_be_updated_that_may_not_be_read(self, levels: list[dict[str, Level]]) -> None:
        teams = tuple(make_team(number, rights) for number, rights in enumerate(levels))
        principal = make_principal(*teams)
        for name in EVERY_RIGHT:
            best = max(rights.get(name, Level.NONE) for rights in levels)
            assert (code_of(lambda name=name: check_rights(principal, teams, [name])) is None) is (best >= Level.UPDATE)  # type: ignore[misc]
            assert (name in readable(principal, teams)) is (best >= Level.READ)

    @pytest.mark.parametrize(
        ("settings", "grants"),
        [
            ({}, True),
            ({"every_buyer": True, "buyers": frozenset()}, True),
            ({"buyers": frozenset()}, False),
            ({"developer_api": False}, False),
            ({"rights": {"revenue": Level.READ}}, False),
            ({"rights": {}}, False),
        ],
    )
    def test_a_team_grants_one_of_calls_that_it_sees(self, settings: dict[str, Any], *, grants: bool) -> None:
        team = make_team(**settings)
        assert granting(make_principal(team), "revenue") == ((team,) if grants else ())


class TestRecording:
    @pytest.mark.parametrize("role", RUNNING)
    @pytest.mark.parametrize(
        ("access_type", "may"),
        [(AccessType.EVERYTHING, True), (AccessType.CALLS, False), (AccessType.CALLS_READ, False)],
    )
    def test_takes_who_runs_the_account_with_everything(
        self, role: Role, access_type: AccessType, *, may: bool
    ) -> None:
        principal = make_principal(make_team(records_calls=True), role=role, token=make_token(access_type=access_type))
        assert code_of(lambda: as_recorder(principal)) == (None if may else "may_not_record")

    def test_or_who_runs_it_and_acts_without_a_token(self) -> None:
        ada = Principal(ACME, 1, "ada@acme.example", Role.OWNER)
        assert as_recorder(ada) is ada

    @pytest.mark.parametrize(
        ("settings", "may"),
        [
            ({"records_calls": True}, True),
            ({"records_calls": False}, False),
            ({"records_calls": True, "developer_api": False}, False),
        ],
    )
    def test_or_a_team_with_the_right_to(self, settings: dict[str, Any], *, may: bool) -> None:
        principal = make_principal(make_team(**settings))
        assert code_of(lambda: as_recorder(principal)) == (None if may else "may_not_record")

    def test_covers_the_contact_fields_but_nothing_else(self) -> None:
        teams = make_team(1, [], records_calls=True), make_team(2, [])
        recorder = as_recorder(make_principal(*teams))
        assert [dict(team.rights) for team in recorder.teams] == [{"contact_fields": Level.UPDATE}, {}]
        assert teams[0].rights == {}


class TestNetworks:
    def test_are_read_one_a_line_each_once(self) -> None:
        text = " 203.0.113.9/24 \r\n\n2001:db8::/32\n203.0.113.0/24\n198.51.100.7"
        assert read_networks(text) == ("203.0.113.0/24", "2001:db8::/32", "198.51.100.7/32")
        assert read_networks("") == ()

    @pytest.mark.parametrize("line", ["here", "203.0.113.0/33", "203.0.113.0/24, 198.51.100.7", "1.2.3", "\x1b[1m"])
    def test_that_are_none_are_told(self, line: str) -> None:
        with pytest.raises(UnfitError, match=r"this is no address and no CIDR, as 203\.0\.113\.0/24 is: ") as caught:
            read_networks(f"10.0.0.0/8\n{line}")
        assert caught.value.reason.isprintable()

    def test_are_not_too_many(self) -> None:
        lines = [f"10.0.{number}.0/24" for number in range(MOST_NETWORKS + 1)]
        assert len(read_networks("\n".join(lines[1:]))) == MOST_NETWORKS
        with pytest.raises(UnfitError, match="at most 100 lines"):
            read_networks("\n".join(lines))
