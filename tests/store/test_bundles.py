"""Waiting updates by what decides them, and the migration that made them so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from msgspec.structs import replace
from sqlalchemy import text

from ringback import clock, entropy, store
from ringback.domain.calls import Operation, Patch, Write
from ringback.domain.waiting import Kind, Waiting
from ringback.store import bundles, waiting
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from ringback.store.values import to_moment
from tests.world import World

NOW = clock.now()
SALE: Patch = (
    Write("buyer_converted", Operation.SET, value=True),
    Write("revenue", Operation.SET, Decimal(42)),
)


def hold(world: World, uuid: str, *, patch: Patch = SALE, minutes: int = 0, **changes: object) -> str:
    """Let an update of Bob's wait; returns its id."""
    held = Waiting(
        account_id=world.acme,
        id=entropy.new_id(),
        user_id=world.bob,
        call_uuid=uuid,
        key=entropy.new_id(),
        key_name=None,
        token_id=world.bob_token.id,
        kind=Kind.DENIED,
        code="permission_denied",
        patch=patch,
        route="update_call",
        received_at=NOW + timedelta(minutes=minutes),
    )
    made = replace(held, **changes)
    with world.database.write() as tx:
        waiting.hold(tx, made)
    return made.id


def test_what_is_decided_alike_is_one_bundle(world: World) -> None:
    call, other = world.call(), world.call(buyer=None)
    hold(world, call.uuid)
    hold(world, world.call().uuid, minutes=5)
    hold(world, call.uuid, patch=SALE[:1])
    hold(world, other.uuid)
    hold(world, call.uuid, user_id=world.charlie, kind=Kind.QUARANTINE, code="no_team", token_id=None)
    with world.database.read() as tx:
        found = {bundle.key: bundle for bundle in bundles.list_bundles(tx, world.acme)}
        assert bundles.list_bundles(tx, world.zeta) == []
        assert bundles.count_denied(tx, world.acme) == 4
    assert {key: bundle.count for key, bundle in found.items()} == {
        ("denied", "permission_denied", world.bob, world.bright, "buyer_converted,revenue"): 2,
        ("denied", "permission_denied", world.bob, world.bright, "buyer_converted"): 1,
        ("denied", "permission_denied", world.bob, 0, "buyer_converted,revenue"): 1,
        ("quarantine", "no_team", world.charlie, world.bright, "buyer_converted,revenue"): 1,
    }
    both = found["denied", "permission_denied", world.bob, world.bright, "buyer_converted,revenue"]
    assert (both.user, both.buyer) == ("bob@bright.example", "Bright Roofing")
    assert both.attributes == ("buyer_converted", "revenue")
    assert (both.last - both.first, both.expires) == (timedelta(minutes=5), both.first + timedelta(days=90))


def test_they_come_in_the_order_of_receiving_from_behind_a_place_on(world: World) -> None:
    late, early, middle = (hold(world, world.call().uuid, minutes=minutes) for minutes in (9, 1, 5))
    with world.database.read() as tx:
        (bundle,) = bundles.list_bundles(tx, world.acme)
        places = bundles.list_places(tx, world.acme, [bundle.key], limit=9)
        assert [waiting_id for _, waiting_id in places] == [early, middle, late]
        assert bundles.list_places(tx, world.acme, [bundle.key], after=places[0], limit=1) == places[1:2]
        assert bundles.list_places(tx, world.acme, [bundle.key], up_to=late, limit=9) == [places[2]]
        assert bundles.list_places(tx, world.acme, [], limit=9) == []
        assert bundles.newest(tx, world.acme) == middle
        assert bundles.newest(tx, world.zeta) is None
        assert bundles.find_key(tx, world.acme, late) == bundle.key
        assert bundles.find_key(tx, world.zeta, late) is None


@pytest.fixture
def older(empty_database_url: str) -> Iterator[Database]:
    """A database of before there were bundles."""
    opened = Database(empty_database_url)
    config = Config()
    config.set_main_option("script_location", str(Path(store.__file__).parent / "migrations"))
    with opened.write() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0003")
    yield opened
    opened.close()


def test_what_waited_before_there_were_bundles_is_in_one(older: Database) -> None:
    uuid, patch = entropy.new_call_uuid(), '[["revenue","set","42.00"],["payout","add","1"]]'
    with older.write() as tx:
        tx.execute(text("INSERT INTO accounts (subdomain, name, created_at) VALUES ('acme', 'Acme', 0)"))
        tx.execute(text("INSERT INTO users (email, email_key, created_at) VALUES ('b@x.example', 'b@x.example', 0)"))
        tx.execute(
            text(
                "INSERT INTO waiting_updates (account_id, id, user_id, call_uuid, waiting_key, kind, code, state,"
                " patch, route, tries, received_at, last_received_at, expires_at)"
                " VALUES (1, :id, 1, :uuid, 'k', 'denied',"
                " 'permission_denied', 'waiting', :patch, 'update_call', 1, :now, :now, :now)"
            ),
            {"id": uuid, "uuid": uuid, "patch": patch, "now": to_moment(NOW)},
        )
    migrate(older)
    with older.read() as tx:
        (bundle,) = bundles.list_bundles(tx, 1)
    assert (bundle.attributes, bundle.buyer, bundle.buyer_id) == (("revenue", "payout"), "", None)
