"""Share links: kept as digests, for 30 days, revocable, noted in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select

from ringback import entropy
from ringback.domain.errors import Refusal
from ringback.services import share_links
from ringback.services.housekeeping import tidy
from ringback.store import partners
from ringback.store import share_links as store
from ringback.store.schema import audit_log, metadata
from ringback.store.schema import share_links as table
from ringback.store.share_links import Shared, ShareLink
from ringback.store.values import from_document
from tests.services.acting import actor
from tests.services.requests import NOW
from tests.world import World

SECOND = timedelta(seconds=1)
END = NOW + timedelta(days=30)


def buyer(world: World, number: int | None = None) -> Mapping[str, Any]:
    with world.database.read() as tx:
        found = partners.find_row(tx, world.acme, "buyer", number or world.bright)
    assert found is not None
    return found


def another_buyer(world: World) -> Mapping[str, Any]:
    with world.database.write() as tx:
        number = partners.add(tx, world.acme, "buyer", "Clear Windows", entropy.new_id(), NOW)
    return buyer(world, number)


def make(world: World, of: Mapping[str, Any] | None = None) -> str:
    with world.database.write() as tx:
        return share_links.make(tx, actor(tx, world.acme, world.ada), of or buyer(world), entropy.secret_bytes())


def opened(world: World, secret: str, at: timedelta = SECOND) -> Shared | None:
    with world.database.read() as tx:
        return share_links.find(tx, secret, NOW + at)


def listed(world: World, of: Mapping[str, Any] | None = None, at: timedelta = SECOND) -> list[ShareLink]:
    with world.database.read() as tx:
        return store.list_of_buyer(tx, world.acme, (of or buyer(world))["id"], NOW + at)


def revoke(world: World, link_id: str, of: Mapping[str, Any] | None = None) -> bool:
    with world.database.write() as tx:
        return share_links.revoke(tx, actor(tx, world.acme, world.ada), of or buyer(world), link_id)


def deeds(world: World) -> list[tuple[str, str, object]]:
    statement = select(audit_log).where(audit_log.c.account_id == world.acme).order_by(audit_log.c.id)
    with world.database.read() as tx:
        rows = tx.execute(statement).mappings().all()
    return [(row["action"], row["subject"], from_document(row["details"])) for row in rows]


def test_a_link_opens_the_names_of_account_and_buyer_and_no_more(world: World) -> None:
    assert opened(world, make(world)) == Shared("acme", "Acme Media", "Bright Roofing", END)


def test_a_secret_has_128_bits_and_only_its_digest_is_kept(world: World) -> None:
    secret = make(world)
    assert len(bytes.fromhex(secret)) == 16
    with world.database.read() as tx:
        assert tx.execute(select(table.c.digest)).scalar_one() == sha256(secret.encode()).digest()
        rows = [repr(row) for each in metadata.sorted_tables for row in tx.execute(select(each))]
    assert not [row for row in rows if secret in row]


def test_no_two_are_the_same(world: World) -> None:
    assert len({make(world) for _ in range(5)}) == 5


def test_nothing_else_opens_anything(world: World) -> None:
    secret = make(world)
    for guess in ("", "x", secret[:-1], secret.upper() + " ", f"{secret}0", "0" * 32):
        assert opened(world, guess) is None


def test_a_link_works_for_30_days(world: World) -> None:
    secret = make(world)
    assert opened(world, secret, timedelta(days=30) - SECOND) is not None
    assert opened(world, secret, timedelta(days=30)) is None
    assert listed(world, at=timedelta(days=30)) == []


def test_links_that_are_over_are_forgotten(world: World) -> None:
    make(world)
    for at, left in ((END - SECOND, 1), (END, 0)):
        with world.database.write() as tx:
            tidy(tx, at)
            assert len(tx.execute(select(table.c.id)).all()) == left


def test_a_revoked_link_opens_nothing_and_the_others_go_on(world: World) -> None:
    first, second = make(world), make(world)
    newest, oldest = listed(world)
    assert (newest.user, newest.created_at, newest.expires_at) == ("ada@acme.example", NOW, END)
    assert revoke(world, oldest.id)
    assert opened(world, first) is None
    assert opened(world, second) is not None
    assert listed(world) == [newest]


def test_to_revoke_what_is_gone_does_nothing(world: World) -> None:
    make(world)
    (link,) = listed(world)
    assert not revoke(world, link.id, another_buyer(world))
    assert not revoke(world, entropy.new_id())
    assert not revoke(world, "no id")
    assert listed(world) == [link]
    assert revoke(world, link.id)
    assert not revoke(world, link.id)
    assert [action for action, _, _ in deeds(world)] == ["share_link.made", "share_link.revoked"]


def test_making_and_revoking_is_noted_without_the_secret(world: World) -> None:
    make(world)
    revoke(world, listed(world)[0].id)
    assert deeds(world) == [
        ("share_link.made", "buyer Bright Roofing", {"works_until": f"{END:%Y-%m-%d %H:%M} UTC"}),
        ("share_link.revoked", "buyer Bright Roofing", {}),
    ]


def test_a_buyer_has_a_limited_number_of_them(world: World) -> None:
    for _ in range(share_links.MOST_LINKS):
        make(world)
    with pytest.raises(Refusal) as refused:
        make(world)
    assert refused.value.problems[0].message == "A buyer has at most 20 links; revoke one first."
    assert make(world, another_buyer(world))
    assert revoke(world, listed(world)[0].id)
    assert make(world)


def test_a_link_goes_with_its_buyer(world: World) -> None:
    other = another_buyer(world)
    secret = make(world, other)
    with world.database.write() as tx:
        partners.remove(tx, world.acme, "buyer", other["id"])
    assert opened(world, secret) is None
