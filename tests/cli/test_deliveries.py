"""``ringback deliveries``: what stands how, and sending it again as its postback is now."""

from __future__ import annotations

from ringback.domain.deliveries import State
from tests.cli.shell import Shell
from tests.services.arriving import post
from tests.services.test_repeats import attempt, keep, listed, mend, sends
from tests.world import World


def test_what_is_mended_is_sent_again_by_id_and_by_state(at_acme: Shell, world: World) -> None:
    rule = keep(world, body='{"worth": "[revenue]"}')
    for _ in range(2):
        post(world, world.call().uuid, {"revenue": "42"})
    attempt(world, State.FAILED, "request_refused")
    mend(world, rule, body='{"revenue": "[revenue]"}')
    one, other = (each.id for each in listed(world))
    assert at_acme.ok("deliveries", "send-again", one, "--account", "acme").out == "1 delivery is sent again.\n"
    assert at_acme.ok("deliveries", "send-again", "--state", "failed", "--account", "acme").out.startswith("1 delivery")
    for each in (one, other):
        made = sends(world, each)
        assert made is not None
        assert made.body == b'{"revenue": "42.00"}'
    assert "0 of 1 are sent again" in at_acme.fails("deliveries", "send-again", one, "--account", "acme")
    assert at_acme.ok("deliveries", "list", "--state", "pending", "--account", "acme", "--json").json[0]["id"] == one
    assert '{"revenue": "42.00"}' in at_acme.ok("deliveries", "show", one, "--account", "acme").out


def test_what_cannot_be_made_stays_held_and_says_why(at_acme: Shell, world: World) -> None:
    keep(world, body='{"payout": "[payout]"}')
    post(world, world.call(offer_converted=False).uuid, {"revenue": "42"})
    (one,) = listed(world)
    told = at_acme.ok("deliveries", "send-again", "--state", "held", "--account", "acme").lines
    assert told[0].startswith(f"{one.id} is held: missing [payout]")
    assert told[-1] == "0 deliveries are sent again."
    assert "give ids of deliveries" in at_acme.fails("deliveries", "send-again", "--account", "acme")
