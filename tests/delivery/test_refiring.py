"""``rerun_webhooks`` and ``fire_outgoing_webhook_ids``: postbacks of a call are sent anew, with its present values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ringback import clock, entropy
from ringback.app import build
from ringback.domain.access import Principal, Role
from ringback.domain.calls import Call
from ringback.domain.postbacks import Definition, Trigger
from ringback.services import postbacks
from ringback.services.audit import Actor
from ringback.services.postbacks import PostbackForm
from ringback.settings import read_settings
from ringback.store import delivery_search
from ringback.store.delivery_search import Listed, Wanted
from tests.api.wire import check_envelope
from tests.console.visitor import visiting
from tests.live import Live, running
from tests.world import EVERY_RIGHT, build_world


@pytest.fixture
def stage(database_url: str) -> Iterator[Live]:
    """A server that owes deliveries, and has nobody to send them."""
    app = build(read_settings(database_url=database_url), delivers=False)
    with running(app, build_world(app.database)) as server:
        server.world.grant(EVERY_RIGHT)
        yield server


def make(stage: Live, name: str, trigger: Trigger, **more: Any) -> int:  # noqa: ANN401
    world = stage.world
    actor = Actor(Principal(world.acme, world.ada, "ada@acme.example", Role.OWNER), clock.now(), entropy.new_id)
    definition = Definition("GET", f"https://{name}.example/?payout=[payout]", body_kind="none", **more)
    with world.database.write() as tx:
        return postbacks.create(tx, actor, PostbackForm(name, trigger.value, definition)).id


def owed(stage: Live) -> list[Listed]:
    """Every delivery, oldest first."""
    with stage.world.database.read() as tx:
        return [*delivery_search.list_page(tx, stage.world.acme, Wanted(), limit=100).lines[::-1]]


def update(stage: Live, call: Call, **values: Any) -> Mapping[str, Any]:  # noqa: ANN401
    auth = stage.world.ada_token.authorization
    return check_envelope(stage.update(call.uuid, values, auth=auth))


def told(reply: Mapping[str, Any]) -> list[str]:
    return [each["message"] for each in reply["warnings"]]


def test_all_that_the_call_was_told_of_are_sent_anew(stage: Live) -> None:
    make(stage, "sold", Trigger.BUYER_CONVERTED)
    make(stage, "other", Trigger.BUYER_UNCONVERTED)
    call = stage.world.call()
    update(stage, call, buyer_converted=True, payout="5")
    reply = update(stage, call, rerun_webhooks="true")
    assert (reply["code"], reply["ignored"]) == ("unchanged", [])
    assert told(reply) == ["Postbacks sent anew for this call, where their conditions hold: 1."]
    first, second = owed(stage)
    assert (first.host, second.host) == ("sold.example", "sold.example")
    assert first.id != second.id


def test_the_log_of_the_call_says_that_they_were_sent_anew(stage: Live) -> None:
    make(stage, "sold", Trigger.BUYER_CONVERTED)
    call = stage.world.call()
    update(stage, call, buyer_converted=True)
    update(stage, call, rerun_webhooks="true")
    log = stage.request("GET", f"/api/v1/call_logs?call_id={call.uuid}", auth=stage.world.ada_token.authorization)
    said = [each["message"] for each in log.json["call_logs"] if each["message"].startswith("ada@")]
    assert said[0] == "ada@acme.example: Postbacks sent anew for this call, where their conditions hold: 1."


def test_at_the_console_too(stage: Live) -> None:
    number = make(stage, "named", Trigger.CALL_ENDED)
    call = stage.world.call()
    update(stage, call, fire_outgoing_webhook_ids=number)
    page = visiting(stage, stage.world.ada).get("/a/acme/updates")
    assert "Postbacks sent anew for this call, where their conditions hold: 1." in page
    assert "Nothing had to change" not in page


def test_values_are_those_of_now_and_one_update_sends_each_once(stage: Live) -> None:
    number = make(stage, "sold", Trigger.BUYER_CONVERTED)
    call = stage.world.call()
    reply = update(stage, call, buyer_converted=True, payout="7", fire_outgoing_webhook_ids=[number])
    assert reply["code"] == "applied"
    assert len(owed(stage)) == 1
    update(stage, call, payout="9", rerun_webhooks=1)
    assert [each.trigger for each in owed(stage)] == ["buyer_converted"] * 2


@pytest.mark.parametrize(
    "form", [lambda n: [n, str(n)], str, lambda n: f"{n}, 999", int], ids=["list", "text", "two", "1"]
)
def test_some_are_named_by_number_whatever_happened(stage: Live, form: Any) -> None:  # noqa: ANN401
    number = make(stage, "named", Trigger.CALL_ENDED)
    reply = update(stage, stage.world.call(payout=None), payout="3", fire_outgoing_webhook_ids=form(number))
    assert [each.host for each in owed(stage)] == ["named.example"]
    assert [each for each in told(reply) if "999" in each] == (
        ["The account has no postback 999 that is for this call."] if "999" in str(form(number)) else []
    )


def test_conditions_still_have_to_hold(stage: Live) -> None:
    number = make(stage, "sold", Trigger.BUYER_CONVERTED, conditions=(("payout", ">", "10"),))
    update(stage, stage.world.call(), payout="5", fire_outgoing_webhook_ids=number)
    assert owed(stage) == []


def test_a_dry_run_says_so_and_sends_nothing(stage: Live) -> None:
    number = make(stage, "sold", Trigger.BUYER_CONVERTED)
    reply = update(stage, stage.world.call(), fire_outgoing_webhook_ids=number, dry_run=True)
    assert told(reply) == ["Postbacks sent anew for this call, where their conditions hold: 1."]
    assert owed(stage) == []


def test_the_same_key_sends_them_once(stage: Live) -> None:
    number = make(stage, "sold", Trigger.BUYER_CONVERTED)
    call = stage.world.call(payout=1)
    replies = [update(stage, call, fire_outgoing_webhook_ids=number, event_id="e1") for _ in range(2)]
    assert replies[0] == replies[1]
    assert len(owed(stage)) == 1


def test_it_is_not_for_partners_whose_update_is_done_all_the_same(stage: Live) -> None:
    number = make(stage, "other", Trigger.BUYER_UNCONVERTED)
    world = stage.world
    values = {"payout": "5", "rerun_webhooks": True, "fire_outgoing_webhook_ids": [number]}
    reply = check_envelope(stage.update(world.call().uuid, values, auth=world.bob_token.authorization))
    assert (reply["code"], reply["ignored"]) == ("applied", ["rerun_webhooks", "fire_outgoing_webhook_ids"])
    assert {each["code"] for each in reply["warnings"]} == {"refire_ignored"}
    assert owed(stage) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rerun_webhooks", "perhaps"),
        ("fire_outgoing_webhook_ids", "one"),
        ("fire_outgoing_webhook_ids", [[1]]),
        ("fire_outgoing_webhook_ids", "9" * 40),
        ("fire_outgoing_webhook_ids", [*range(101)]),
        ("fire_outgoing_webhook_ids", "-1"),
    ],
)
def test_what_can_not_be_read_is_refused_with_all_that_came_with_it(stage: Live, name: str, value: object) -> None:
    call = stage.world.call()
    reply = update(stage, call, payout="5", **{name: value})
    assert (reply["status"], reply["codes"]) == (422, {name: "invalid_value"})
    assert stage.world.state(call)["payout"] is None


@pytest.mark.parametrize("value", ["", None, [], False, "0"])
def test_nothing_is_asked_for_nothing(stage: Live, value: object) -> None:
    name = "rerun_webhooks" if value in (False, "0") else "fire_outgoing_webhook_ids"
    assert told(update(stage, stage.world.call(), **{name: value})) == []
