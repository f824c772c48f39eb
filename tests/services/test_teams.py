from __future__ import annotations

import pytest

from ringback.domain.access import Level
from ringback.domain.errors import Mistake
from ringback.domain.names import UnfitError
from ringback.services import teams as service
from ringback.services.teams import Grant
from ringback.store import teams
from tests.world import World

TEAM = "bright roofing"


def test_teams_are_shown_with_names(world: World) -> None:
    with world.database.read() as tx:
        shown = service.show(tx, world.acme)
    assert [(each.row.name, each.users, each.buyers) for each in shown] == [
        ("Bright Roofing", ["bob@bright.example"], ["Bright Roofing"])
    ]


def test_what_is_granted_is_told_and_done_once(world: World) -> None:
    world.grant(["revenue"], developer_api=False)
    given = Grant(["TS Payout"], ["contact_fields", "revenue"], ["charlie@zeta.example"], ["bright roofing"], True)  # noqa: FBT003
    with world.database.write() as tx:
        assert service.grant(tx, world.acme, TEAM, given) == [
            "user charlie@zeta.example added",
            "Enable Developer API Access turned on",
            "Update on TS Payout added",
            "Read on Contact Fields added",
        ]
        assert service.grant(tx, world.acme, TEAM, given) == []
        team = service.find(tx, world.acme, TEAM)
    assert team.rights == {"revenue": Level.UPDATE, "payout": Level.UPDATE, "contact_fields": Level.READ}
    assert team.users == {world.bob, world.charlie}


def test_what_is_revoked_is_told_and_done_once(world: World) -> None:
    taken = Grant(["TS Payout"], ["contact_fields"], ["bob@bright.example"], ["Bright Roofing"], True)  # noqa: FBT003
    with world.database.write() as tx:
        assert service.revoke(tx, world.acme, TEAM, taken) == [
            "user bob@bright.example removed",
            "buyer Bright Roofing removed",
            "Enable Developer API Access turned off",
            "Update on TS Payout, Contact Fields removed",
        ]
        assert service.revoke(tx, world.acme, TEAM, taken) == []
        team = service.find(tx, world.acme, TEAM)
    assert set(team.rights) == {"buyer_converted", "revenue", "offer_converted"}
    assert (team.users, team.buyers, team.developer_api) == (frozenset(), frozenset(), False)


@pytest.mark.parametrize(
    ("team", "given", "reason"),
    [
        ("Brigth Roofing", Grant(), r"there is no team Brigth Roofing; did you mean Bright Roofing\?"),
        (TEAM, Grant(update=["payouts"]), r"payouts is no attribute of a call; did you mean payout\?"),
        (TEAM, Grant(users=["bob@bright"]), r"there is no user bob@bright; did you mean"),
        (TEAM, Grant(buyers=["Zeta"]), r"there is no buyer Zeta"),
    ],
)
@pytest.mark.parametrize("act", [service.grant, service.revoke])
def test_what_there_is_not_cannot_be_given_or_taken(
    world: World, act: object, team: str, given: Grant, reason: str
) -> None:
    assert callable(act)
    with pytest.raises((Mistake, UnfitError), match=reason), world.database.write() as tx:
        act(tx, world.acme, team, given)
    with world.database.read() as tx:
        assert len(teams.list_teams(tx, world.acme)) == 1
