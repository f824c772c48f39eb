"""The token of an offer: on its page, renewed there, declared in the apply file."""

from __future__ import annotations

import pytest

from ringback import clock, entropy
from ringback.domain.declarations import read_declarations
from ringback.domain.tomltext import SpoiledError
from ringback.services import setup
from ringback.store import partners
from tests.console.deeds import told
from tests.console.visitor import Visitor
from tests.live import Live
from tests.world import World


def token_of(world: World, name: str = "Roofing") -> str:
    with world.database.read() as tx:
        rows = partners.list_partners(tx, world.acme, "offer")
    return str(next(row["token"] for row in rows if row["name"] == name))


def declare(world: World, *offers: tuple[str, str]) -> list[str]:
    declared = "".join(f'[[accounts.offers]]\nname = "{name}"\ntoken = "{token}"\n' for name, token in offers)
    with world.database.write() as tx:
        text = read_declarations(f'[[accounts]]\nsubdomain = "acme"\n{declared}')
        return setup.apply(tx, text, now=clock.now(), new_id=entropy.new_id)


def test_it_stands_on_the_page_and_is_renewed_there(live: Live, ada: Visitor) -> None:
    world = live.world
    page, before = f"/a/acme/offers/{world.offer}", token_of(world)
    shown = ada.get(page)
    assert before in shown
    assert "/a/acme/api/v1/calls/update_by_caller_id/<number>" in shown
    shown = ada.post(f"{page}/token")
    after = token_of(world)
    assert after != before
    assert after in shown
    assert told(live, "offer.token_renewed") == [("offer Roofing", {})]
    call, auth = world.call(caller_number="+17195550123"), world.bob_token.authorization
    path = "/api/v1/calls/update_by_caller_id/7195550123"
    refused = live.request("POST", path, body={"offer_token": before, "revenue": "1"}, auth=auth)
    assert refused.json["code"] == "call_not_found"
    done = live.request("POST", path, body={"offer_token": after, "revenue": "1"}, auth=auth)
    assert done.json["call"]["uuid"] == call.uuid


def test_each_offer_has_one_from_the_beginning(live: Live, ada: Visitor) -> None:
    ada.post("/a/acme/offers/new", {"name": "Windows", "payout_rule": "none", "payout": ""})
    assert len({token_of(live.world, name) for name in ("Roofing", "Windows")} - {"None"}) == 2


def test_it_is_declared(world: World) -> None:
    mine = "0123456789abcdef0123456789abcdef"
    assert declare(world, ("Roofing", mine), ("Windows", "windows-token")) == [
        f"~ offer Roofing in acme: token {mine}",
        "+ offer Windows in acme: token windows-token",
    ]
    assert token_of(world) == mine
    assert declare(world, ("Roofing", mine)) == []


@pytest.mark.parametrize(
    ("offers", "reason"),
    [
        ([("Roofing", "short")], "the token of an offer has 8 to 64 letters"),
        ([("Roofing", "one-and-the-same"), ("Windows", "one-and-the-same")], "another offer of acme has this token"),
        ([("Windows", "{roofing}")], "another offer of acme has this token"),
    ],
)
def test_what_can_t_be_one_is_refused(world: World, offers: list[tuple[str, str]], reason: str) -> None:
    filled = [(name, token.format(roofing=token_of(world))) for name, token in offers]
    with pytest.raises(SpoiledError, match=reason):
        declare(world, *filled)
