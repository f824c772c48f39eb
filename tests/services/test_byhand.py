from __future__ import annotations

from collections.abc import Mapping

import pytest

from ringback import clock, entropy
from ringback.domain.access import Role
from ringback.domain.errors import Mistake, Refusal
from ringback.services import byhand
from ringback.services.calls import Shown
from ringback.store import accounts
from tests.services.arriving import post
from tests.world import World


def record(world: World, values: Mapping[str, str], account: str = "acme") -> Shown:
    with world.database.write() as tx:
        return byhand.record(
            tx, account, values, now=clock.now(), new_uuid=entropy.new_call_uuid(), new_id=entropy.new_id
        )


def test_a_call_is_recorded_as_the_api_would(world: World) -> None:
    named = {
        "caller_number": "(719) 555-0123",
        "buyer": "bright roofing",
        "offer": "1",
        "first_name": "Jane",
        "revenue": "7",
    }
    document = record(world, named).document
    assert document["caller_number"] == "+17195550123"
    assert (document["buyer"], document["offer"], document["traffic_source"]) == ("Bright Roofing", "Roofing", None)
    assert (document["contact_fields"], document["revenue"]) == ({"first_name": "Jane"}, "7.00")


def test_the_same_uuid_again_updates_what_is_named(world: World) -> None:
    uuid = entropy.new_call_uuid()
    first = record(world, {"uuid": uuid, "caller_number": "+17195550123"}).document
    again = record(world, {"uuid": uuid, "status": "ended"}).document
    assert (again["id"], again["uuid"], again["status"]) == (first["id"], uuid, "ended")


def test_an_early_update_of_the_call_is_applied(world: World) -> None:
    uuid = entropy.new_call_uuid()
    post(world, uuid, {"revenue": "42.00"})
    document = record(world, {"uuid": uuid, "caller_number": "+17195550123", "buyer": "1"}).document
    assert document["revenue"] == "42.00"


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({}, ["missing_value"]),
        ({"caller_number": "12", "buyer": "Zeta"}, ["unknown_partner", "invalid_value"]),
        ({"caller_number": "+17195550123", "uuid": "7"}, ["invalid_value"]),
        ({"caller_number": "[caller]"}, ["unreplaced_token"]),
    ],
)
def test_what_cannot_be_recorded_is_refused(world: World, values: Mapping[str, str], codes: list[str]) -> None:
    with pytest.raises(Refusal) as caught:
        record(world, values)
    assert {problem.code for problem in caught.value.problems} == set(codes)


def test_somebody_must_run_the_account(world: World) -> None:
    with world.database.write() as tx:
        accounts.set_role(tx, world.acme, world.ada, Role.MEMBER)
    with pytest.raises(Mistake, match="ringback user role EMAIL --account acme --role owner"):
        record(world, {"caller_number": "+17195550123"})
    with pytest.raises(Mistake, match="there is no account nowhere"):
        record(world, {}, account="nowhere")
