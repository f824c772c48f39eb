"""Postbacks that would tell a receiver twice."""

from __future__ import annotations

import pytest

from ringback import entropy
from ringback.domain.postbacks import Definition, Owner, Trigger
from ringback.services import postbacks
from ringback.services.postbacks import PostbackForm
from ringback.store import partners
from tests.services.acting import actor
from tests.services.requests import NOW
from tests.world import World

DEFINITION = Definition("POST", "https://there.example/x", body="{}")


def form(owner: Owner, number: int | None, name: str = "One") -> PostbackForm:
    return PostbackForm(name, Trigger.CALL_CHANGED.value, DEFINITION, owner.value, number)


@pytest.mark.parametrize("kept", [Owner.ACCOUNT, Owner.BUYER, Owner.TRAFFIC_SOURCE])
def test_all_overlap_but_those_of_two_buyers_or_of_two_sources(world: World, kept: Owner) -> None:
    with world.database.write() as tx:
        first, second = (
            partners.add(tx, world.acme, "traffic_source", name, entropy.new_id(), NOW) for name in ("Search", "Social")
        )
        other = partners.add(tx, world.acme, "buyer", "Other", entropy.new_id(), NOW)
        numbers = {Owner.ACCOUNT: None, Owner.BUYER: world.bright, Owner.TRAFFIC_SOURCE: first}
        rule = postbacks.create(tx, actor(tx, world.acme, world.ada), form(kept, numbers[kept]))
        asked = [
            (Owner.ACCOUNT, None),
            *((Owner.BUYER, number) for number in (world.bright, other)),
            *((Owner.TRAFFIC_SOURCE, number) for number in (first, second)),
        ]
        found = {each: postbacks.overlapping(tx, world.acme, form(*each, "Two"), None) for each in asked}
    apart = {(owner, number) for owner, number in asked if owner is kept and number != numbers[kept]}
    assert {each for each, others in found.items() if not others} == apart
    assert all([each.id for each in others] in ([], [rule.id]) for others in found.values())
