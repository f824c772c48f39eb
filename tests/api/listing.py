"""Calls to be listed, people who see some of them, and what lists of them must hold, said in plain Python."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from msgspec.structs import replace
from sqlalchemy import Connection, insert

from ringback import clock, entropy
from ringback.domain.access import Level, Role
from ringback.domain.attributes import blank_state
from ringback.domain.calls import Call, Partner
from ringback.store import accounts, partners, teams
from ringback.store.sending_schema import deliveries
from tests.live import Live, Reply
from tests.world import EVERY_RIGHT, make_token, record

BEGIN = datetime(2026, 3, 6, 22, tzinfo=UTC)
STATUSES = ("finished", "no-answer", "forwarded", "initiated", "Sold Out", None)
CALLERS = ("+17195550101", "+17195550102", "anonymous", None)
COUNT = 80
AGES = (-30, 6, 16, 31, 61, 241, 361, 721, 1500, 2900, 9000, 30_000, 90_000, 220_000, 430_000, 720_000)
"""How many minutes ago the newest calls were: some within each span that a label names, none about to leave it."""


@dataclass(frozen=True)
class Reader:
    """Somebody who reads lists: his credential, and what he may read of the calls of a buyer, by the buyer's name."""

    auth: str
    reads: Mapping[str | None, frozenset[str]] | None = None

    def readable(self, call: Call) -> frozenset[str] | None:
        """What he may read of a call; None if he doesn't see it."""
        if self.reads is None:
            return frozenset({*EVERY_RIGHT, "disposition", "disposition_notes"})
        return self.reads.get(call.buyer.name if call.buyer else None)


@dataclass(frozen=True)
class Stock:
    """A server with calls: those of Acme in the order of their numbers, and two who read them."""

    live: Live = field(repr=False)
    calls: Sequence[Call] = field(repr=False)
    partners: Mapping[str, Sequence[Partner]]
    owner: Reader
    member: Reader
    sent: Mapping[str, int] = field(default_factory=dict, repr=False)

    def get(self, path: str, reader: Reader, **query: object) -> Reply:
        """Ask for a list."""
        text = urlencode({name: value for name, value in query.items() if value is not None})
        return self.live.request("GET", f"/api/v1{path}{'?' if text else ''}{text}", auth=reader.auth)

    def cursor_pages(self, path: str, reader: Reader, **query: object) -> Iterator[list[Any]]:
        """The rows of all pages, from cursor to cursor."""
        cursor: object = -1
        while cursor != 0:
            reply = self.get(path, reader, **query, cursor=cursor)
            assert reply.status == 200, reply.body
            yield reply.json["calls"]
            cursor = reply.json["metadata"]["next_cursor"]
            assert isinstance(cursor, int)


def fill(live: Live) -> Stock:
    """Some calls in Acme, several at a time, and one in Zeta."""
    world, chance, now = live.world, random.Random(5), clock.now()  # noqa: S311 - data, not secrets
    made: list[Call] = []
    with world.database.write() as tx:
        there: dict[str, list[Partner]] = {}
        for noun in ("buyer", "traffic_source", "offer"):
            for place in range(4):
                name, uuid = f"{noun} & {place}", entropy.new_id()
                number = partners.add(tx, world.acme, noun, name, uuid, now)
                external_id = f"{noun[0].upper()}-{place}"
                partners.change(tx, world.acme, noun, number, external_id=external_id)
                there.setdefault(noun, []).append(Partner(number, uuid, name, external_id=external_id))
        times = [BEGIN + timedelta(minutes=37 * (number // 3)) for number in range(COUNT)]
        times += [now - timedelta(minutes=age) for age in reversed(AGES)]
        made += [record(tx, _call(world.acme, at, there, chance)) for at in times]
        under_way: dict[str, Any] = {"status": "forwarded", "total_duration": None, "ended_at": None}
        newest = (
            replace(_call(world.acme, times[-1] + timedelta(seconds=place), there, chance), buyer=buyer, **under_way)
            for place, buyer in enumerate(there["buyer"], 1)
        )
        made += [record(tx, call) for call in newest]
        sent = {call.uuid: chance.choice([0, 0, 1, 3]) for call in made}
        _deliver(tx, made, sent)
        partners.change(tx, world.acme, "buyer", there["buyer"][1].id, archived=True)
        record(tx, _call(world.zeta, BEGIN, {}, chance))
        eve = accounts.add_user(tx, "eve@buyers.example", "Eve", now, verified=True)
        accounts.set_role(tx, world.acme, eve, Role.MEMBER)
        for place, (rights, has_api) in enumerate(_TEAMS):
            team = teams.add(tx, world.acme, f"team {place}", now)
            teams.set_users(tx, world.acme, team, [eve])
            teams.set_buyers(tx, world.acme, team, [there["buyer"][place].id])
            teams.set_rights(tx, world.acme, team, dict.fromkeys(rights, Level.READ))
            teams.change(tx, world.acme, team, developer_api=has_api)
        token = make_token(tx, eve, world.acme)
    seen: dict[str | None, frozenset[str]] = {
        there["buyer"][place].name: frozenset(rights) for place, (rights, has_api) in enumerate(_TEAMS) if has_api
    }
    return Stock(live, made, there, Reader(world.ada_token.authorization), Reader(token.authorization, seen), sent)


_TEAMS: Sequence[tuple[Sequence[str], bool]] = (
    (("revenue", "contact_fields", "disposition"), True),
    (("buyer_converted", "revenue"), True),
    (("payout", "buyer_converted"), False),
)


def _deliver(tx: Connection, made: Sequence[Call], sent: Mapping[str, int]) -> None:
    """Deliveries of calls, so many of each, and a test of every other one."""
    row = {"postback_id": 1, "version": 1, "trigger": "every_call", "seq": 0, "host": "x.example", "state": "delivered"}
    rows = [
        {**row, "account_id": call.account_id, "id": entropy.new_id(), "call_uuid": call.uuid, "is_test": is_test}
        for place, call in enumerate(made)
        for is_test in (*[False] * sent[call.uuid], *[True] * (place % 2))
    ]
    tx.execute(insert(deliveries).values(created_at=0), rows)


def _call(account_id: int, at: datetime, there: Mapping[str, Sequence[Partner]], chance: random.Random) -> Call:
    at += timedelta(microseconds=chance.choice([0, 0, 250_000]))
    ended = chance.choice([None, at + timedelta(seconds=chance.randrange(90))])
    fields: dict[str, str | int | bool] = {}
    if chance.random() < 0.6:
        fields = {"zip": chance.choice(["80903", "10001"]), "age": chance.randrange(20, 60)}
    state = {
        **blank_state(),
        "buyer_converted": chance.random() < 0.4,
        "offer_converted": chance.random() < 0.3,
        "revenue": chance.choice([None, Decimal(chance.randrange(5)), Decimal("42.5"), Decimal("0.123456")]),
        "payout": chance.choice([None, Decimal(chance.randrange(3))]),
        "contact_fields": fields,
    }
    chosen: dict[str, Any] = {noun: chance.choice([None, *those]) for noun, those in there.items()}
    return Call(
        account_id,
        entropy.new_call_uuid(),
        0,
        chance.choice(CALLERS),
        state,
        at,
        at + timedelta(seconds=chance.randrange(1000)),
        status=chance.choice(STATUSES),
        hangup_cause=chance.choice([None, "NORMAL_CLEARING"]),
        disposition=chance.choice([None, "7", "sold"]),
        disposition_notes=chance.choice([None, 'will, "perhaps"']),
        total_duration=chance.choice([None, None, chance.randrange(9)]),
        answered_duration=chance.choice([None, chance.randrange(9)]),
        ended_at=ended,
        **chosen,
    )


@dataclass(frozen=True)
class Filter:
    """A filter of a query: its names and values, which calls it lets through, and what it tells something of."""

    query: Mapping[str, object]
    holds: Callable[[Call], bool] = field(repr=False)
    attributes: frozenset[str] = frozenset()


def expected(
    stock: Stock, reader: Reader, filters: Sequence[Filter], order: str = "created_at", *, ascending: bool = False
) -> list[int]:
    """The numbers of the calls of a list, in its order."""
    told = frozenset().union(*(each.attributes for each in filters))
    found = []
    for call in stock.calls:
        readable = reader.readable(call)
        if readable is not None and told <= readable and all(each.holds(call) for each in filters):
            found.append(call)
    found.sort(key=lambda call: (call.created_at, call.number), reverse=not ascending)
    valued = [(value, call) for call in found if (value := ordered_by(call, order, reader)) is not None]
    valued.sort(key=lambda each: each[0], reverse=not ascending)
    first = [call for _, call in valued]
    return [call.number for call in (*first, *(call for call in found if call not in first))]


def ordered_by(call: Call, order: str, reader: Reader) -> Any:  # noqa: ANN401 - of whatever can be compared
    """The value of a call that it is ordered by; None if it has none, or none that the reader may know."""
    if order in call.state:
        return call.state[order] if order in (reader.readable(call) or ()) else None
    if order.removesuffix("_id") in {"buyer", "traffic_source", "offer"}:
        partner = getattr(call, order.removesuffix("_id"))
        return partner and partner.id
    return None if order in UNORDERED else getattr(call, {"end_time": "ended_at"}.get(order, order))


UNORDERED = frozenset(
    """
    direction start_app_duration number_id sub_id hold_duration ivr_duration agent_duration third_party_cost
    charge_total outgoing_webhooks_count lead_id
    """.split()  # noqa: SIM905 - they read better as words
)
"""The orders in which all calls are alike."""


def alone(live: Live) -> Stock:
    """A server whose calls are yet to be recorded, with Ada and Bob as readers."""
    world = live.world
    return Stock(live, [], {}, Reader(world.ada_token.authorization), Reader(world.bob_token.authorization))


def ids(rows: Sequence[Any]) -> list[int]:
    """The numbers of the calls on a page."""
    return [row["id"] for row in rows]
