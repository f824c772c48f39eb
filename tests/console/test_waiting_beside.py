"""What waits and says more of a call than what it is worth: whom it belongs to, what an agent says, how it went."""

from __future__ import annotations

import re

import pytest

from ringback import clock, entropy
from ringback.domain.attributes import UPDATABLE
from ringback.domain.calls import Call
from ringback.services import tokens
from ringback.store import calls, partners, teams
from tests.console.posting import another_buyer, post, rows
from tests.console.visitor import Visitor
from tests.live import Live

WAITING = "/a/acme/updates/waiting"
ALL = [attribute.name for attribute in UPDATABLE]
COOL, SUMMIT = "Cool Air & Sons", "Summit Media"


@pytest.fixture
def asked(live: Live) -> dict[str, object]:
    """An update that gives a call to others whom Bob's team sees, and says something of it."""
    world, cool = live.world, another_buyer(live)
    with world.database.write() as tx:
        source = partners.add(tx, world.acme, "traffic_source", SUMMIT, entropy.new_id(), clock.now())
        teams.set_buyers(tx, world.acme, world.team, [world.bright, cool])
    return {"trackdrive_buyer_id": cool, "trackdrive_traffic_source_id": source, "call_disposition_id": "SOLD"}


def find(live: Live, call: Call) -> Call:
    with live.world.database.read() as tx:
        return calls.find_each(tx, live.world.acme, [call.uuid])[call.uuid]


def opened(visitor: Visitor, call: Call) -> str:
    page = visitor.get(f"/a/acme/updates?call={call.uuid}&outcome=denied")
    found = re.search(r'data-open class="fw-medium" href="([^"]+)"', page.html)
    assert found is not None
    return found[1]


def test_it_is_shown_and_applied_with_the_grant(live: Live, ada: Visitor, asked: dict[str, object]) -> None:
    world, call = live.world, live.world.call()
    world.grant(["revenue"])
    assert post(live, call, {**asked, "revenue": "5"})["code"] == "permission_denied"
    cause = f"{WAITING}/permission_denied-team-1-buyer-traffic_source-disposition"
    page = ada.get(cause)
    (row,) = rows(page)
    for words in (
        "Buyer Bright Roofing → Cool Air &amp; Sons",
        "Traffic Source none → Summit Media",
        "Disposition none → SOLD",
        "Buyer Revenue none → 5.00",
    ):
        assert words in row
    assert "Disposition none SOLD" in ada.get(opened(ada, call))
    ada.get(cause)
    ada.post(cause)
    after = find(live, call)
    assert after.buyer is not None
    assert after.traffic_source is not None
    assert (after.buyer.name, after.traffic_source.name, after.disposition) == (COOL, SUMMIT, "SOLD")


def test_it_is_applied_alone(live: Live, ada: Visitor, asked: dict[str, object]) -> None:
    world, call = live.world, live.world.call()
    world.grant([])
    post(live, call, asked)
    post(live, call, {"call_disposition_id": "NEW"}, auth=world.ada_token.authorization)
    world.grant(ALL)
    one = opened(ada, call)
    page = ada.get(one)
    assert "Buyer Bright Roofing Cool Air & Sons" in page
    assert "Disposition: changed since it was sent, so the newer value is kept" in page
    page = ada.post(one, {"do": "apply"})
    assert "It was applied, but newer values were kept" in page
    assert (find(live, call).buyer_id, find(live, call).disposition) == (asked["trackdrive_buyer_id"], "NEW")
    ada.post(page.path, {"do": "overwrite"})
    assert find(live, call).disposition == "SOLD"


def test_a_buyer_who_is_gone_is_told(live: Live, ada: Visitor, asked: dict[str, object]) -> None:
    world, call = live.world, live.world.call()
    world.grant([])
    post(live, call, asked)
    world.grant(ALL)
    with world.database.write() as tx:
        teams.set_buyers(tx, world.acme, world.team, [world.bright])
    assert "It can't be applied as it is: " in ada.get(opened(ada, call))
    assert "Can't be kept: " in ada.get(f"{WAITING}/ready")


def test_how_a_call_went_is_shown_and_overwritten_by_who_says_so(live: Live, ada: Visitor) -> None:
    world, call = live.world, live.world.call()
    world.grant([])
    with world.database.write() as tx:
        teams.change(tx, world.acme, world.team, records_calls=True)
    post(live, call, {"revenue": "5", "status": "finished", "total_duration": 61})
    page = ada.get(opened(ada, call))
    assert "Status none finished" in page
    assert "Total duration none 61" in page
    post(live, call, {"status": "busy"}, auth=world.ada_token.authorization)
    world.grant(ALL)
    one = opened(ada, call)
    assert "Status: changed since it was sent" in ada.get(one)
    page = ada.post(one, {"do": "apply"})
    assert (find(live, call).status, find(live, call).total_duration) == ("busy", 61)
    ada.post(page.path, {"do": "overwrite"})
    assert find(live, call).status == "finished"


def test_early_ones_of_a_token_that_was_revoked_wait_for_somebody_who_trusts_them(live: Live, ada: Visitor) -> None:
    world, uuid = live.world, entropy.new_call_uuid()
    post(live, uuid, {"revenue": "999"})
    with world.database.write() as tx:
        tokens.revoke(tx, world.bob_token.id, clock.now())
    call = world.call(uuid=uuid, buyer=None)
    post(live, call, {"trackdrive_buyer_id": world.bright}, auth=world.ada_token.authorization)
    assert world.state(call)["revenue"] is None
    page = ada.get(f"{WAITING}/revoked")
    for words in (
        "The access token was revoked before the call came",
        "1 came with an access token that was revoked since",
        "They can be applied here if you trust what came.",
    ):
        assert words in page
    ada.post(f"{WAITING}/revoked")
    assert world.state(call)["revenue"] == 999
