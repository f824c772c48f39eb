"""Sent again, a delivery is made anew: of the postback and of the call as they are now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ringback import clock, entropy
from ringback.domain.access import AccessType
from ringback.domain.deliveries import State
from ringback.domain.exchanges import Exchange, Milliseconds
from ringback.domain.postbacks import Definition, Postback, Trigger
from ringback.sealing import Seal
from ringback.services import accounts, dispatch, postbacks, repeats
from ringback.services.postbacks import PostbackForm
from ringback.services.repeats import Repeated
from ringback.store import deliveries as queue
from ringback.store import delivery_search
from ringback.store import postbacks as store
from ringback.store import repeats as repeats_store
from ringback.store.claims import Finished
from ringback.store.deliveries import NewDelivery, Request
from ringback.store.delivery_search import Listed, Wanted
from tests.services.acting import actor
from tests.services.arriving import post
from tests.world import World


class Everywhere:
    """Hosts that may be sent anything."""

    def room(self, _host: str) -> int:
        return 100

    def without_room(self) -> list[str]:
        return []


def keep(world: World, trigger: Trigger = Trigger.REVENUE_CHANGED, **changes: Any) -> Postback:  # noqa: ANN401
    definition = Definition("POST", **{"url": "https://there.example/", "body": '{"revenue": "[revenue]"}', **changes})
    with world.database.write() as tx:
        form = PostbackForm("Tell", trigger.value, definition)
        return postbacks.create(tx, actor(tx, world.acme, world.ada), form)


def mend(world: World, rule: Postback, **changes: Any) -> None:  # noqa: ANN401
    with world.database.write() as tx:
        before = store.find(tx, world.acme, rule.id)
        assert before is not None
        form = PostbackForm(before.name, before.trigger.value, replace(before.definition, **changes))
        assert postbacks.change(tx, actor(tx, world.acme, world.ada), before, form)


def again(world: World, *ids: str, keeps_order: bool = False) -> Repeated:
    with world.database.write() as tx:
        return repeats.send_again(tx, accounts.find(tx, "acme"), ids, clock.now(), keeps_order=keeps_order)


def listed(world: World) -> list[Listed]:
    with world.database.read() as tx:
        return list(delivery_search.list_page(tx, world.acme, Wanted(), limit=10).lines)


def sends(world: World, delivery_id: str) -> Request | None:
    with world.database.read() as tx:
        return delivery_search.find_request(tx, world.acme, delivery_id)


def attempt(world: World, state: State, code: str) -> None:
    """Try everything that is due, which comes to nothing."""
    now = clock.now() + timedelta(seconds=1)
    with world.database.write() as tx:
        jobs = dispatch.take(tx, Seal.make(), entropy.new_id(), now=now, limit=10, hosts=Everywhere()).jobs
        assert jobs
        exchange = Exchange(now, Milliseconds(1), status=422)
        dispatch.finish(tx, [Finished(job.claimed, state, code, None, exchange) for job in jobs], now)


def test_what_was_refused_is_sent_as_the_mended_postback_makes_it_and_what_was_sent_is_kept(world: World) -> None:
    rule, call = keep(world, body='{"worth": "[revenue]"}'), world.call()
    post(world, call.uuid, {"revenue": "42"})
    attempt(world, State.FAILED, "request_refused")
    (one,) = listed(world)
    mend(world, rule, url="https://new.example/[call_uuid]", body='{"revenue": "[revenue]"}')
    assert again(world, one.id) == Repeated([one.id], {})
    (after,) = listed(world)
    assert (after.id, after.state, after.host, after.version) == (one.id, State.PENDING, "new.example", 2)
    made = sends(world, one.id)
    assert made is not None
    assert (made.url, made.body) == (f"https://new.example/{call.uuid}", b'{"revenue": "42.00"}')
    with world.database.read() as tx:
        former = repeats_store.list_former(tx, world.acme, one.id)
    assert {number: each.body for number, each in former.items()} == {1: b'{"worth": "42.00"}'}


def test_where_nothing_changed_the_same_goes_out_and_nothing_else_is_kept(world: World) -> None:
    keep(world)
    post(world, world.call().uuid, {"revenue": "42"})
    attempt(world, State.FAILED, "request_refused")
    (one,) = listed(world)
    before = sends(world, one.id)
    assert again(world, one.id).sent == [one.id]
    assert sends(world, one.id) == before
    with world.database.read() as tx:
        assert repeats_store.list_former(tx, world.acme, one.id) == {}


@pytest.mark.parametrize(
    ("unfit", "mended", "code"),
    [
        ({"body": '{"payout": "[payout]"}'}, {"body": "{}"}, "hole"),
        (
            {"url": "https://[state].there.example/", "allowed_hosts": ("no.there.example",)},
            {"allowed_hosts": ("*.there.example",)},
            "host_not_allowed",
        ),
        ({"url": "https://[first_name].there.example/", "allowed_hosts": ("*.there.example",)},
         {"url": "https://there.example/", "allowed_hosts": ()}, "unfit_host"),
    ],
)  # fmt: skip
def test_what_was_never_made_is_sent_once_the_postback_is_mended(
    world: World, unfit: dict[str, Any], mended: dict[str, Any], code: str
) -> None:
    call = world.call(contact_fields={"state": "tx", "first_name": "Not a label"})
    rule = keep(world, **unfit)
    post(world, call.uuid, {"revenue": "42"})
    (one,) = listed(world)
    assert (one.state, one.code) == (State.HELD, code)
    assert again(world, one.id).sent == []
    mend(world, rule, **mended)
    assert again(world, one.id).sent == [one.id]
    assert listed(world)[0].state is State.PENDING


def test_what_can_no_longer_be_made_is_held_and_says_why(world: World) -> None:
    rule, call = keep(world), world.call(contact_fields={})
    post(world, call.uuid, {"revenue": "42"})
    attempt(world, State.FAILED, "request_refused")
    mend(world, rule, body='{"for": "[first_name]"}')
    (one,) = listed(world)
    done = again(world, one.id)
    assert done.sent == []
    assert "missing [first_name]" in done.held[one.id]
    (after,) = listed(world)
    assert (after.state, after.code, after.details, after.due_at) == (State.HELD, "hole", {"name": "first_name"}, None)
    everything = world.token(world.ada, world.acme, access_type=AccessType.EVERYTHING)
    assert post(world, call.uuid, {"post_call_tokens": {"first_name": "Jane"}}, everything).code == "applied"
    made = sends(world, one.id)
    assert made is not None
    assert made.body == b'{"for": "Jane"}'
    with world.database.read() as tx:
        assert list(repeats_store.list_former(tx, world.acme, one.id)) == [1]


def test_it_tells_the_present_after_what_tells_the_past(world: World) -> None:
    keep(world)
    call = world.call()
    post(world, call.uuid, {"revenue": "42"})
    attempt(world, State.FAILED, "request_refused")
    (one,) = listed(world)
    post(world, call.uuid, {"revenue": "43"})
    post(world, call.uuid, {"revenue": "44"})
    assert again(world, one.id).sent == [one.id]
    now = clock.now() + timedelta(seconds=1)
    with world.database.write() as tx:
        jobs = dispatch.take(tx, Seal.make(), entropy.new_id(), now=now, limit=10, hosts=Everywhere()).jobs
    first = [job.outgoing.body for job in jobs if job.outgoing]
    assert first == [b'{"revenue": "43.00"}']


def test_a_delivery_whose_call_is_gone_sends_what_it_was_to_send(world: World) -> None:
    rule = keep(world)
    made = [_delivery(world, rule, request) for request in (Request("POST", "https://there.example/"), None)]
    with world.database.write() as tx:
        queue.add(tx, made)
    assert again(world, *(each.id for each in made)) == Repeated([made[0].id], {})
    assert {each.id: each.state for each in listed(world)} == {
        made[0].id: State.PENDING,
        made[1].id: State.HELD,
    }


def test_among_many_what_was_undone_since_stays(world: World) -> None:
    keep(world, trigger=Trigger.BUYER_CONVERTED, body="{}")
    call = world.call()
    everything = world.token(world.ada, world.acme, access_type=AccessType.EVERYTHING)
    assert post(world, call.uuid, {"buyer_converted": "true"}, everything).code == "applied"
    attempt(world, State.FAILED, "request_refused")
    assert post(world, call.uuid, {"buyer_converted": "false"}, everything).code == "applied"
    (one,) = listed(world)
    assert again(world, one.id, keeps_order=True) == Repeated([], {})
    assert listed(world)[0].state is State.FAILED
    assert again(world, one.id).sent == [one.id]


def _delivery(world: World, rule: Postback, request: Request | None) -> NewDelivery:
    return NewDelivery(
        account_id=world.acme,
        id=entropy.new_id(),
        postback_id=rule.id,
        version=1,
        trigger=rule.trigger.value,
        call_uuid=entropy.new_call_uuid(),
        seq=1,
        receipt_id=None,
        host="there.example",
        hops=0,
        created_at=clock.now(),
        due_at=None,
        request=request,
        state=State.FAILED if request else State.HELD,
        code="request_refused" if request else "hole",
    )
