"""Which deliveries can be sent again, and which a later one has told better."""

from __future__ import annotations

from ringback.domain.deliveries import State
from ringback.domain.postbacks import Definition, Trigger
from ringback.services import postbacks
from ringback.services.postbacks import PostbackForm
from ringback.store import delivery_search, repeats
from tests.services.acting import actor
from tests.services.requests import NOW
from tests.store.test_delivery_search import add
from tests.world import World


def test_what_a_later_one_tells_better_stays_where_the_order_is_kept(world: World) -> None:
    call = world.call()
    with world.database.write() as tx:
        form = PostbackForm("One", Trigger.CALL_ENDED, Definition("POST", "https://a.example", body_kind="none"))
        rule = postbacks.create(tx, actor(tx, world.acme, world.ada), form).id

        def found(account: int, *, keeps_order: bool) -> list[str]:
            return [each.id for each in repeats.lock(tx, account, [old], keeps_order=keeps_order)]

        old = add(tx, world.acme, rule, call.uuid, State.FAILED)
        add(tx, world.acme, rule, call.uuid, State.DELIVERED, is_test=True)
        assert not repeats.has_later(tx, world.acme, old)
        assert found(world.acme, keeps_order=True) == [old]
        add(tx, world.acme, rule, call.uuid, State.DELIVERED)
        assert repeats.has_later(tx, world.acme, old)
        assert found(world.acme, keeps_order=True) == []
        assert found(world.zeta, keeps_order=False) == []
        assert found(world.acme, keeps_order=False) == [old]
        assert delivery_search.take_back(tx, world.zeta, [old], NOW) == 0
        assert delivery_search.take_back(tx, world.acme, [old], NOW) == 1


def test_without_a_postback_nothing_is_sent_again_nor_a_test(world: World) -> None:
    call = world.call()
    with world.database.write() as tx:
        form = PostbackForm("One", Trigger.CALL_ENDED, Definition("POST", "https://a.example", body_kind="none"))
        rule = postbacks.create(tx, actor(tx, world.acme, world.ada), form).id
        orphan = add(tx, world.acme, 7, call.uuid, State.CANCELLED)
        test = add(tx, world.acme, rule, call.uuid, State.FAILED, is_test=True)
        blank = add(tx, world.acme, rule, call.uuid, State.HELD, request=None)
        (found,) = repeats.lock(tx, world.acme, [orphan, test, blank])
        assert (found.id, found.request) == (blank, None)
