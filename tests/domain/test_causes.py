from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ringback.domain.access import Level, Principal, Role
from ringback.domain.causes import READY, Bundle, Cause, Grant, find_cause, gather
from ringback.domain.waiting import Kind
from tests.domain.samples import BOB, BRIGHT, NOW, make_principal, make_team

REVENUE = ("buyer_converted", "revenue")
OTHER_BUYER = 2


def make_bundle(**changes: Any) -> Bundle:  # noqa: ANN401
    values: dict[str, Any] = {
        "kind": Kind.DENIED,
        "code": "permission_denied",
        "user_id": BOB,
        "buyer_id": BRIGHT.id,
        "attributes": REVENUE,
        "user": "bob@bright.example",
        "buyer": BRIGHT.name,
        "count": 1,
        "first": NOW,
        "last": NOW,
        "expires": NOW + timedelta(days=90),
    }
    return Bundle(**{**values, **changes})


def cause(principal: Principal, **changes: Any) -> Cause:  # noqa: ANN401
    return find_cause(principal, make_bundle(**changes))


class TestWhy:
    def test_a_right_is_missing_and_exactly_that_would_be_granted(self) -> None:
        found = cause(make_principal(make_team(3, ["buyer_converted"])))
        assert found == Cause("permission_denied", Grant(3, "Team 3", None, developer_api=False, rights=("revenue",)))
        assert found.name == "permission_denied-team-3-revenue"

    def test_read_is_not_enough(self) -> None:
        found = cause(make_principal(make_team(1, {"buyer_converted": Level.UPDATE, "revenue": Level.READ})))
        assert found.grant is not None
        assert found.grant.rights == ("revenue",)

    def test_rights_of_several_teams_add_up(self) -> None:
        found = cause(make_principal(make_team(1, ["buyer_converted"]), make_team(2, ["revenue"])))
        assert found == Cause(READY)

    def test_of_several_teams_the_one_that_lacks_least_is_granted(self) -> None:
        found = cause(make_principal(make_team(1, []), make_team(2, ["revenue"], developer_api=False)))
        assert found.code == "permission_denied"
        assert found.grant == Grant(1, "Team 1", None, developer_api=False, rights=REVENUE)

    def test_the_buyer_is_not_shared_and_a_right_is_missing_too(self) -> None:
        found = cause(make_principal(make_team(1, ["revenue"])), buyer_id=OTHER_BUYER)
        assert found.grant == Grant(1, "Team 1", OTHER_BUYER, developer_api=False, rights=("buyer_converted",))
        assert found.name == "buyer_not_shared-team-1-buyer_converted-buyer-2"

    def test_api_access_is_off(self) -> None:
        found = cause(make_principal(make_team(1, developer_api=False)))
        assert found == Cause("api_access_off", Grant(1, "Team 1", None, developer_api=True, rights=()))
        assert found.name == "api_access_off-team-1-api"

    def test_the_team_that_sees_the_call_is_switched_on_rather_than_another_shown_the_buyer(self) -> None:
        other = make_team(1, buyers=frozenset({OTHER_BUYER}))
        found = cause(make_principal(other, make_team(2, developer_api=False)))
        assert found == Cause("api_access_off", Grant(2, "Team 2", None, developer_api=True, rights=()))

    def test_a_call_without_buyer_can_be_shared_with_no_team(self) -> None:
        assert cause(make_principal(make_team()), buyer_id=None) == Cause("buyer_not_shared")
        assert cause(make_principal(make_team(every_buyer=True)), buyer_id=None) == Cause(READY)

    def test_who_is_on_no_team_is_named(self) -> None:
        found = cause(make_principal(role=None), kind=Kind.QUARANTINE, code="no_team")
        assert found == Cause("no_team", user_id=BOB, buyer_id=BRIGHT.id)
        assert found.name == f"no_team-user-{BOB}-of-{BRIGHT.id}"

    def test_who_runs_the_account_lacks_nothing(self) -> None:
        assert cause(make_principal(role=Role.MANAGER), code="no_team") == Cause(READY)

    @pytest.mark.parametrize("code", ["access_type", "amount_out_of_range"])
    def test_what_rights_don_t_cure_is_not_called_ready(self, code: str) -> None:
        assert cause(make_principal(make_team()), code=code) == Cause(code)

    def test_what_came_before_its_call_waits_for_that(self) -> None:
        assert cause(make_principal(make_team()), kind=Kind.EARLY, code="call_not_found") == Cause("call_not_found")


class TestTogether:
    def test_bundles_of_one_cause_are_gathered_those_first_that_can_be_cured_here(self) -> None:
        principals = {1: make_principal(make_team(1, [])), 2: make_principal(role=None), 3: make_principal(make_team())}
        bundles = [
            make_bundle(user_id=2, code="no_team", count=9),
            make_bundle(user_id=1, attributes=("revenue",), count=2, revoked=1),
            make_bundle(user_id=1, attributes=("revenue",), code="buyer_not_shared", count=3, revoked=1),
            make_bundle(user_id=3, count=4),
        ]
        found = gather(principals, bundles)
        assert [(each.cause.code, each.count, each.revoked, each.can_apply) for each in found] == [
            ("permission_denied", 5, 2, True),
            (READY, 4, 0, True),
            ("no_team", 9, 0, False),
        ]
        assert found[0].keys == (bundles[1].key, bundles[2].key)

    def test_a_bundle_without_buyer_is_found_by_none(self) -> None:
        assert make_bundle(buyer_id=None).key == ("denied", "permission_denied", BOB, 0, "buyer_converted,revenue")
