"""A database as it is after a year of work: calls, three receipts for each, the ledger, what waits, the audit log.

``python -m benchmarks.seed URL --calls 200000`` fills an empty database; ``--calls 1000000`` takes some minutes.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import accumulate, islice
from typing import Any

from sqlalchemy import Table, text

from benchmarks.samples import Sample, take
from ringback import clock, entropy
from ringback.domain.access import Role
from ringback.services import housekeeping
from ringback.store import accounts, partners, recounts, teams
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from ringback.store.schema import (
    audit_log,
    call_changes,
    calls,
    numbers,
    receipt_payloads,
    receipts,
    waiting_updates,
)
from ringback.store.values import to_moment
from tests.world import EVERY_RIGHT, World, build_world, make_token

DAYS = 365
BUYERS, SOURCES, OFFERS = 40, 25, 12
AUDITED = 20_000
WAIT_DAYS = 15
"""What was denied since then still waits."""

FIRST = 2
"""The number of the first call; the samples have one before it."""

CONVERTED = 0.2
"""Of the calls whose first update is applied, so many convert."""

AT_ONCE = 20_000
"""Rows that are written together."""

_DAY = 86_400_000_000
_MORNING, _OPEN = 6 * 3_600_000_000, 16 * 3_600_000_000
"""When the day's calls begin, and for how long they come."""

RESULTS = (
    {"applied": 70, "denied": 12, "refused": 12, "early": 6},
    {"unchanged": 50, "applied": 30, "refused": 20},
    {"replayed": 40, "unchanged": 40, "applied": 20},
)
"""What becomes of the first update of a call, of the second, of the third."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who posts back for a buyer."""

    user_id: int
    token_id: str


@dataclass(frozen=True, slots=True)
class Called:
    """What receipts have of their call."""

    uuid: str
    number: int
    buyer_id: int
    created_at: int
    seq: list[int] = field(default_factory=lambda: [0])


class Rows:
    """Rows on their way into the database, many at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[Table, list[tuple[Any, ...]]] = {}
        self._names: dict[Table, tuple[str, ...]] = {}

    def add(self, table: Table, row: Mapping[str, Any]) -> None:
        """Write a row, some time."""
        self._names.setdefault(table, tuple(row))
        rows = self._waiting.setdefault(table, [])
        rows.append(tuple(row.values()))
        if len(rows) == AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self._database.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None  # noqa: S101
            for table, rows in self._waiting.items():
                names = ", ".join(self._names[table])
                if self._database.is_sqlite:
                    driver.execute("PRAGMA synchronous=OFF")
                    driver.execute("BEGIN IMMEDIATE")
                    marks = ", ".join("?" * len(self._names[table]))
                    driver.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608
                    driver.execute("COMMIT")
                    driver.execute("PRAGMA synchronous=FULL")
                else:
                    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                        for row in rows:
                            copy.write_row(row)
                    driver.commit()
        self._waiting.clear()


@dataclass
class Year:
    """A year of Acme's calls, the last of them now."""

    world: World
    chance: random.Random
    rows: Rows
    samples: Mapping[str, Sample]
    now: int
    senders: Mapping[int, Sender]
    sources: Sequence[int]
    offers: Sequence[int]
    due: list[tuple[int, int, str, Called]] = field(default_factory=list)

    def play(self, count: int) -> None:
        """Let so many calls happen, and what comes back for each."""
        buyers, weights = list(self.senders), _weights(len(self.senders))
        for number, moment in enumerate(_moments(self.now, count, self.chance), FIRST):
            self._post_due(moment)
            (buyer_id,) = self.chance.choices(buyers, cum_weights=weights)
            self._record(number, moment, buyer_id)
        self._post_due(self.now)
        self.rows.flush()

    def _record(self, number: int, moment: int, buyer_id: int) -> None:
        call = Called(self._uuid4(), number, buyer_id, moment)
        results = [self.chance.choices(list(each), list(each.values()))[0] for each in RESULTS]
        converted = results[0] == "applied" and self.chance.random() < CONVERTED
        revenue = self.chance.randrange(2_000, 9_000) * 10_000 if converted else None
        self.rows.add(
            calls,
            {
                "account_id": self.world.acme,
                "uuid": call.uuid,
                "number": number,
                "caller_number": f"+1719{self.chance.randrange(2_000_000, 10_000_000)}",
                "buyer_id": buyer_id,
                "traffic_source_id": self.chance.choice(self.sources),
                "offer_id": self.chance.choice(self.offers),
                "status": "finished",
                "total_duration": self.chance.randrange(5, 1_500),
                "answered_duration": self.chance.randrange(5, 1_200),
                "changes": 2 * results.count("applied"),
                "created_at": moment,
                "updated_at": moment,
                "ended_at": moment + 300_000_000,
                "buyer_converted": converted,
                "revenue": revenue,
                "offer_converted": converted,
                "payout": revenue and revenue * 6 // 10,
                "contact_fields": '{"first_name":"Ada","last_name":"Lovelace","zip":"80920"}',
            },
        )
        for order, result in enumerate(results):
            delay = int(self.chance.expovariate(1 / (3 * 3_600_000_000 * (1 + 20 * order))))
            heappush(self.due, (min(moment + delay, self.now - order), number, result, call))

    def _post_due(self, moment: int) -> None:
        while self.due and self.due[0][0] <= moment:
            came, _, result, call = heappop(self.due)
            self._post(came, result, call)

    def _post(self, moment: int, result: str, call: Called) -> None:
        sample, sender = self.samples[result], self.senders[call.buyer_id]
        receipt_id = self._uuid7(moment)
        mine = {"account_id": self.world.acme}
        of_call = {
            "call_uuid": call.uuid,
            "call_ref": call.uuid,
            "buyer_id": None if result == "early" else call.buyer_id,
        }
        whose = {"user_id": sender.user_id, "token_id": sender.token_id}
        when = {"received_at": moment, "decided_at": moment + 2_000}
        self.rows.add(receipts, {**sample.receipt, **mine, "id": receipt_id, **of_call, **whose, **when})
        path = f"/api/v1/calls/update_call/{call.uuid}"
        self.rows.add(receipt_payloads, {**sample.payload, **mine, "receipt_id": receipt_id, "path": path})
        for change in sample.changes if result == "applied" else ():
            call.seq[0] += 1
            place = {"call_uuid": call.uuid, "seq": call.seq[0], "receipt_id": receipt_id}
            self.rows.add(
                call_changes, {**change, **mine, **place, "received_at": moment, "changed_at": moment + 2_000}
            )
        if result == "denied" and self.now - moment < WAIT_DAYS * _DAY:
            self._hold(moment, receipt_id, call, whose)

    def _hold(self, moment: int, receipt_id: str, call: Called, whose: Mapping[str, Any]) -> None:
        named = {"id": receipt_id, "call_uuid": call.uuid, "waiting_key": receipt_id, **whose}
        when = {"received_at": moment, "last_received_at": moment, "expires_at": self.now + 60 * _DAY}
        self.rows.add(waiting_updates, {**self.samples["denied"].waiting, **named, **when})

    def _uuid4(self) -> str:
        digits = f"{self.chance.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"

    def _uuid7(self, moment: int) -> str:
        digits = f"{moment // 1000:012x}{self.chance.getrandbits(80):020x}"
        return f"{digits[:8]}-{digits[8:12]}-7{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def fill(database: Database, count: int, *, seed: int = 1) -> World:
    """Fill a migrated, empty database, but for the figures; of one seed with the same, times and some ids apart."""
    world = build_world(database)
    chance = random.Random(seed)  # noqa: S311 - data, not secrets
    now = to_moment(clock.now())
    rows = Rows(database)
    names = _cast(world)
    Year(world, chance, rows, take(world), now, *names).play(count)
    _keep_audit_log(world, rows, now)
    with database.write() as tx:
        counted = {"a": world.acme, "n": FIRST + count}
        tx.execute(text(f"UPDATE {numbers.name} SET last = :n WHERE account_id = :a AND noun = 'calls'"), counted)  # noqa: S608
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return world


def _cast(world: World) -> tuple[Mapping[int, Sender], Sequence[int], Sequence[int]]:
    """Buyers, each with somebody who posts back for him, traffic sources and offers."""
    now = clock.now()
    with world.database.write() as tx:
        senders = {}
        for number in range(BUYERS):
            buyer = partners.add(tx, world.acme, "buyer", f"Buyer {number:02}", entropy.new_id(), now)
            user = accounts.add_user(tx, f"post{number}@buyer.example", f"Poster {number}", now, verified=True)
            accounts.set_role(tx, world.acme, user, Role.MEMBER)
            team = teams.add(tx, world.acme, f"Team {number:02}", now)
            teams.set_users(tx, world.acme, team, [user])
            teams.set_buyers(tx, world.acme, team, [buyer])
            teams.set_rights(tx, world.acme, team, EVERY_RIGHT)
            teams.change(tx, world.acme, team, developer_api=True)
            senders[buyer] = Sender(user, make_token(tx, user, world.acme).id)
        sources, offers = (
            [partners.add(tx, world.acme, noun, f"{name} {n:02}", entropy.new_id(), now) for n in range(size)]
            for noun, name, size in (("traffic_source", "Source", SOURCES), ("offer", "Offer", OFFERS))
        )
    return senders, sources, offers


def _keep_audit_log(world: World, rows: Rows, now: int) -> None:
    for number in range(AUDITED):
        done_at = now - (AUDITED - number) * (DAYS * _DAY // AUDITED)
        rows.add(
            audit_log,
            {
                "account_id": world.acme,
                "id": f"{done_at // 1000:012x}"[:8] + "-" + f"{done_at // 1000:012x}"[8:] + f"-7000-8000-{number:012x}",
                "done_at": done_at,
                "user_id": world.ada,
                "action": ("team.rights", "buyer.changed", "token.made", "call.adjusted")[number % 4],
                "subject": f"team {number % BUYERS}",
                "details": "{}",
            },
        )
    rows.flush()


def add_up(world: World) -> None:
    """Make the figures of all that is there."""
    with world.database.read() as tx:
        days = list(recounts.list_days(tx, world.acme))
    for day in days:
        with world.database.write() as tx:
            housekeeping.recount(tx, world.acme, day)


def _moments(now: int, count: int, chance: random.Random) -> Iterator[int]:
    """When calls happen, in their order: every day of the year as many, by day more than by night."""
    first = now - DAYS * _DAY
    a_day = -(-count // DAYS)
    moments = (
        first + day * _DAY + each
        for day in range(DAYS)
        for each in sorted(_MORNING + int(chance.random() * _OPEN) for _ in range(a_day))
    )
    return islice((each for each in moments if each < now), count)


def _weights(count: int) -> list[float]:
    """A few have most of the calls."""
    return list(accumulate(1 / (number + 1) for number in range(count)))


def main() -> None:
    """Fill the database named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seed", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--calls", type=int, default=200_000)
    given = parser.parse_args()
    database = Database(given.url)
    migrate(database)
    began = datetime.now(UTC)
    add_up(fill(database, given.calls))
    print(f"filled in {(datetime.now(UTC) - began) / timedelta(seconds=1):.0f} s")
    database.close()


if __name__ == "__main__":
    main()
