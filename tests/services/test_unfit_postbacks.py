"""A postback that was fit when it was saved and isn't any more: what it would send is held, and no update suffers."""

from __future__ import annotations

from ringback.clock import now
from ringback.domain.deliveries import State, sentence
from ringback.domain.postbacks import Definition, Owner, Postback, Trigger
from ringback.store import delivery_search, postbacks
from ringback.store.delivery_search import Wanted
from tests.services.arriving import post
from tests.world import World


def keep(world: World, number: int, url: str) -> None:
    """Keep a postback as an earlier version of the rules let it be saved."""
    definition = Definition("GET", url, body_kind="none")
    made = Postback(
        account_id=world.acme,
        id=number,
        uuid=f"00000000-0000-4000-8000-{number:012}",
        name=f"Number {number}",
        owner=Owner.ACCOUNT,
        owner_id=None,
        trigger=Trigger.REVENUE_CHANGED,
        version=1,
        definition=definition,
        paused=None,
        created_at=now(),
        updated_at=now(),
    )
    with world.database.write() as tx:
        postbacks.add(tx, made, world.ada)


def test_its_deliveries_are_held_and_the_others_are_made(world: World) -> None:
    call = world.call()
    keep(world, 1, "https://hooks.example/#fragment")
    keep(world, 2, "https://hooks.example/[call_uuid]")
    for revenue in ("42", "43"):
        assert post(world, call.uuid, {"revenue": revenue}).code == "applied"
    with world.database.read() as tx:
        listed = delivery_search.list_page(tx, world.acme, Wanted(), limit=100).lines
    held = [each for each in listed if each.state is State.HELD]
    assert [each.code for each in held] == ["unfit_definition"]
    assert "see its url" in sentence("unfit_definition", {"name": "url"})
    assert len([each for each in listed if each.state is State.PENDING]) == 2
