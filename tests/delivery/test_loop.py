"""The loop through real HTTP: a buyer's platform converts its call, and that is posted back to where it came from.

Zeta buys calls of three traffic sources, each an account of its own with a secret of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from ringback import clock, entropy
from ringback.app import build
from ringback.domain.access import AccessType, Principal, Role
from ringback.domain.calls import Call
from ringback.domain.deliveries import State
from ringback.domain.postbacks import Trigger
from ringback.domain.presets import PRESETS
from ringback.services import postbacks, vault
from ringback.services.audit import Actor
from ringback.services.postbacks import PostbackForm
from ringback.services.vault import CredentialForm
from ringback.settings import read_settings
from ringback.store import accounts, delivery_search, teams
from ringback.store.delivery_search import Listed, Wanted
from tests.live import Live, Reply, running
from tests.world import EVERY_RIGHT, build_world

PATIENCE_SECONDS = 20


@pytest.fixture
def loop(database_url: str) -> Iterator[Live]:
    """A server whose deliveries may go to its own accounts."""
    app = build(read_settings(database_url=database_url, delivery_allow="*.localhost"))
    with running(app, build_world(app.database)) as server:
        yield server


@dataclass
class Source:
    """A traffic source: its subdomain, a call of its, Zeta's Basic value there, and Zeta's own call."""

    subdomain: str
    call: Call
    basic: str
    bought: Call


def charlie(loop: Live) -> Actor:
    """Zeta's owner, as he acts there."""
    principal = Principal(loop.world.zeta, loop.world.charlie, "charlie@zeta.example", Role.OWNER)
    return Actor(principal, clock.now(), entropy.new_id)


def make_source(loop: Live, subdomain: str) -> Source:
    world, now = loop.world, clock.now()
    with world.database.write() as tx:
        account = accounts.add_account(tx, subdomain, subdomain.title(), "UTC", now)
        team = teams.add(tx, account, "Zeta", now)
        accounts.set_role(tx, account, world.charlie, Role.MEMBER)
        teams.set_users(tx, account, team, [world.charlie])
        teams.change(tx, account, team, developer_api=True, every_buyer=True)
        teams.set_rights(tx, account, team, EVERY_RIGHT)
    basic = world.token(world.charlie, world.zeta).basic
    assert basic is not None
    call = world.call(account=account, buyer=None)
    came_with = {"trackdrive_subdomain": subdomain, "trackdrive_call_uuid": call.uuid}
    return Source(subdomain, call, basic, world.call(account=world.zeta, buyer=None, contact_fields=came_with))


@pytest.fixture
def three(loop: Live) -> list[Source]:
    return [make_source(loop, name) for name in ("north", "east", "west")]


def keep_secret(loop: Live, source: Source, **form: str) -> None:
    wanted = {"name": source.subdomain, "kind": "basic", "host": f"{source.subdomain}.localhost", **form}
    with loop.world.database.write() as tx:
        seal = loop.app.worker_tools.find_seal()
        vault.create(tx, charlie(loop), seal, CredentialForm(value=source.basic, **wanted))


def make_postback(loop: Live, **changes: Any) -> int:  # noqa: ANN401
    """The seed's postback, to this server instead of TrackDrive."""
    preset = PRESETS[0].definition
    url = preset.url.replace("https://", "http://").replace("trackdrive.com", f"localhost:{loop.port}")
    name = changes.pop("name", "Tell the traffic source")
    definition = replace(preset, **{"url": url, "allowed_hosts": ("*.localhost",), **changes})
    with loop.world.database.write() as tx:
        form = PostbackForm(name, Trigger.BUYER_CONVERTED.value, definition)
        return postbacks.create(tx, charlie(loop), form).id


def convert(loop: Live, source: Source, payout: str | None) -> Reply:
    """Zeta's buyer pays for the call; Zeta passes a part of it on."""
    token = loop.world.token(loop.world.charlie, loop.world.zeta, access_type=AccessType.EVERYTHING)
    body = {"buyer_converted": "true", "revenue": "99"} | ({} if payout is None else {"payout": payout})
    return loop.update(source.bought.uuid, body, auth=token.authorization, account="zeta")


def eventually(found: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def sent(loop: Live) -> Sequence[Listed]:
    """What Zeta has sent or will, oldest first."""
    with loop.world.database.read() as tx:
        return delivery_search.list_page(tx, loop.world.zeta, Wanted(), limit=100).lines[::-1]


def settled(loop: Live, count: int) -> Sequence[Listed]:
    """The same, as soon as so many are not under way any more."""
    over = {State.DELIVERED, State.HELD, State.FAILED, State.CANCELLED}
    eventually(lambda: sum(each.state in over for each in sent(loop)) == count)
    return sent(loop)


def test_one_postback_tells_three_sources_each_with_its_own_secret(loop: Live, three: list[Source]) -> None:
    make_postback(loop)
    for source in three:
        keep_secret(loop, source)
    for number, source in enumerate(three, 1):
        assert convert(loop, source, f"{number}.5").status == 200
    for each, source in zip(settled(loop, 3), three, strict=True):
        assert (each.state, each.code, each.host) == (State.DELIVERED, "delivered", f"{source.subdomain}.localhost")
        assert not each.differs
    for number, source in enumerate(three, 1):
        state = loop.world.state(source.call)
        assert (state["buyer_converted"], state["offer_converted"]) == (True, True)
        assert state["revenue"] == Decimal(f"{number}.5")


def test_so_does_one_postback_a_subdomain(loop: Live, three: list[Source]) -> None:
    for number, source in enumerate(three, 1):
        keep_secret(loop, source)
        url = f"http://{source.subdomain}.localhost:{loop.port}/api/v1/calls/update_call/[trackdrive_call_uuid]"
        mine = (("trackdrive_subdomain", "=", source.subdomain),)
        make_postback(loop, name=source.subdomain, url=url, credential=str(number), conditions=mine, allowed_hosts=())
    for source in three:
        convert(loop, source, "7")
    assert {each.state for each in settled(loop, 3)} == {State.DELIVERED}
    assert {loop.world.state(source.call)["revenue"] for source in three} == {Decimal(7)}


def test_a_blank_value_is_held_and_goes_out_when_it_comes(loop: Live, three: list[Source]) -> None:
    source = three[0]
    keep_secret(loop, source)
    make_postback(loop)
    convert(loop, source, None)
    (held,) = settled(loop, 1)
    assert (held.state, held.code, held.details) == (State.HELD, "hole", {"name": "Call:ConversionPayout"})
    assert loop.world.state(source.call)["revenue"] is None
    convert(loop, source, "12")
    eventually(lambda: sent(loop)[0].state is State.DELIVERED)
    assert len(sent(loop)) == 1
    assert loop.world.state(source.call)["revenue"] == Decimal(12)


def test_a_secret_goes_nowhere_but_to_its_host(loop: Live, three: list[Source]) -> None:
    first, second, _ = three
    keep_secret(loop, first)
    make_postback(loop)
    convert(loop, second, "5")
    (held,) = settled(loop, 1)
    assert (held.state, held.code, held.host) == (State.HELD, "no_credential", "east.localhost")


def test_a_missing_right_is_held_with_what_the_receiver_says(loop: Live, three: list[Source]) -> None:
    source = three[0]
    keep_secret(loop, source)
    make_postback(loop)
    with loop.world.database.write() as tx:
        teams.set_rights(tx, source.call.account_id, 1, {})
    convert(loop, source, "5")
    (held,) = settled(loop, 1)
    assert (held.state, held.code) == (State.HELD, "not_permitted")
    assert held.due_at is not None
    assert any("Buyer Revenue" in line for line in held.details["told"])


def test_no_loop_turns_for_ever(loop: Live, three: list[Source]) -> None:
    source = three[0]
    keep_secret(loop, source)
    make_postback(loop)
    auth = loop.world.token(loop.world.charlie, loop.world.zeta, access_type=AccessType.EVERYTHING).authorization
    body = {"buyer_converted": "true", "payout": "5"}
    answer = loop.update(source.bought.uuid, body, auth=auth, account="zeta", headers={"Ringback-Hops": "5"})
    assert [each["code"] for each in answer.json["warnings"]] == ["too_many_hops"]
    assert sent(loop) == []
    recorded = {"caller_number": "+17195550123", "buyer_converted": "true", "payout": "5"}
    sent_on: dict[str, Any] = {"auth": auth, "account": "zeta", "headers": {"Ringback-Hops": "5"}}
    answer = loop.request("POST", "/api/v1/calls", body=recorded, **sent_on)
    assert (answer.status, [each["code"] for each in answer.json["warnings"]]) == (201, ["too_many_hops"])
    assert sent(loop) == []
