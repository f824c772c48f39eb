"""What the overview adds up is what is in the database, to the cent, at any time and for every period and zone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from ringback import entropy
from ringback.domain.attributes import blank_state
from ringback.domain.calls import Call, Origin, Partner
from ringback.domain.figures import Figures
from ringback.domain.money import MAXIMUM
from ringback.domain.periods import Period
from ringback.domain.receipts import Member
from ringback.services import overview
from ringback.store import figures, partners, recounts, rollups
from ringback.store.values import lowest_id
from tests.reckoning import Reckoning
from tests.services.requests import apply, request
from tests.statements import asked
from tests.world import World, record

# Days on which clocks change, and an ordinary one.
DAYS = {
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "Africa/Cairo": (date(2026, 4, 24), date(2026, 10, 30)),
    "America/Havana": (date(2026, 3, 8), date(2026, 11, 1)),
    "Pacific/Chatham": (date(2026, 4, 5), date(2026, 9, 27)),
    "Asia/Kathmandu": (date(2026, 3, 1),),
    "UTC": (date(2026, 5, 1), date(2026, 12, 31)),
}
AROUND = sorted({day for days in DAYS.values() for day in days})


def periods(zone: str) -> list[Period]:
    """Those that the page offers, and the longest, around each of the days of a zone."""
    lengths = (1, 7, 30, 93, 366)
    return [
        Period(last - timedelta(days=length - 1), last, ZoneInfo(zone))
        for day in DAYS[zone]
        for length in lengths
        for last in (day, day + timedelta(days=length // 2))
    ]


@dataclass
class History:
    """Things that happen to calls of Acme's, at random."""

    world: World
    chance: random.Random
    calls: list[Call] = field(default_factory=list)
    buyers: list[Partner | None] = field(default_factory=lambda: [None])

    def __post_init__(self) -> None:
        with self.world.database.write() as tx:
            other = partners.add(tx, self.world.acme, "buyer", "Other", entropy.new_id(), datetime.now(UTC))
        self.buyers += [Partner(number, "", "") for number in (self.world.bright, other)]

    def happen(self, times: int) -> None:
        """Let things happen."""
        deeds = (self.record, self.update, self.update, self.update_many, self.move, self.adjust, self.add_up)
        for _ in range(times):
            self.chance.choice(deeds)()

    def record(self) -> None:
        """A call of any day around those of interest, often at the turn of an hour."""
        amounts = (None, Decimal(0), MAXIMUM, Decimal(self.chance.randrange(10**9)).scaleb(-6))
        state = {
            **blank_state(),
            "buyer_converted": self.chance.random() < 0.3,
            "revenue": self.chance.choice(amounts),
            "payout": self.chance.choice(amounts),
        }
        at, buyer = self.moment(), self.chance.choice(self.buyers)
        call = Call(self.world.acme, entropy.new_call_uuid(), 0, None, state, at, at, buyer=buyer)
        call = replace(call, offer=Partner(self.world.offer, "", ""))
        with self.world.database.write() as tx:
            self.calls.append(record(tx, call))

    def update(self) -> None:
        """An update, of whatever outcome."""
        self.post(1)

    def update_many(self) -> None:
        """Updates in one batch, some of one call."""
        self.post(self.chance.randrange(2, 6))

    def move(self) -> None:
        """A recording gives a call to another buyer and may change what it is worth."""
        if not self.calls:
            return
        call = self.chance.choice(self.calls)
        details: dict[str, Any] = {"buyer": self.chance.choice(self.buyers[1:])}
        moved: dict[str, Any] = {
            "records": replace(call, **details),
            "details": details,
            "origin": Origin.RECORDING,
            "route": "record",
        }
        body = self.chance.choice(({}, {"revenue": "7.77"}, {"buyer_converted": "false"}))
        apply(self.world, request(self.world, call, body, **self.arrival(call), **moved, sender=self.ada))

    def adjust(self) -> None:
        """A person changes a call by hand."""
        if self.calls:
            call, body = self.chance.choice(self.calls), {"buyer_converted": "false", "payout": "0.01"}
            how: dict[str, Any] = {"origin": Origin.PERSON, "route": "console", "sender": self.ada}
            apply(self.world, request(self.world, call, body, **self.arrival(call), **how))

    def add_up(self) -> None:
        """The job runs, and may be kept from finishing."""
        with self.world.database.write() as tx:
            rollups.add_up(tx, limit=self.chance.choice((1, 3, 1000)))

    def post(self, count: int) -> None:
        some = self.chance.choices(self.calls, k=2) if self.calls else []
        asked = []
        for _ in range(count):
            call = self.chance.choice(some) if some and self.chance.random() < 0.9 else entropy.new_call_uuid()
            bodies = [{"buyer_converted": "true"}, {"revenue": "x"}, {"add_revenue": "1.5"}, {"payout": "2"}]
            bodies += [{"revenue": "3.000001", "buyer_converted": "true", "dry_run": "true"}, {"buyer_converted": "0"}]
            asked.append(request(self.world, call, self.chance.choice(bodies), **self.arrival(call)))
        apply(self.world, *asked)

    def arrival(self, call: Call | str) -> dict[str, Any]:
        """An id and a time of arrival, mostly after that of the call."""
        base = self.moment() if isinstance(call, str) else call.created_at
        moment = base + timedelta(seconds=self.chance.choice((-5, 1, 3600, 40 * 86_400)) * self.chance.random())
        tail = entropy.new_id()[14:]
        return {"receipt_id": f"{lowest_id(moment)[:14]}{tail}", "received_at": moment}

    def moment(self) -> datetime:
        day = self.chance.choice(AROUND)
        hours = self.chance.randrange(-40, 80)
        exactly = timedelta() if self.chance.random() < 0.5 else timedelta(seconds=self.chance.random() * 3600)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours) + exactly

    @property
    def ada(self) -> Member:
        return Member(self.world.acme, self.world.ada)


def check(world: World, asked: Sequence[Period]) -> None:
    """Whether the overview of each period is what the rows come to."""
    truth = Reckoning(world.database, world.acme)
    with world.database.read() as tx:
        for period in asked:
            found, before = overview.look(tx, world.acme, [period, period.before])
            assert [worth for _, worth in found.parts] == [
                truth.figures((part.since, part.until)) for part in period.parts
            ]
            assert found.total == truth.figures((period.since, period.until))
            assert found.updates == truth.updates((period.since, period.until))
            assert before.total == truth.figures((period.before.since, period.before.until))
            assert before.updates == truth.updates((period.before.since, period.before.until))


def add_up(world: World, limit: int) -> bool:
    with world.database.write() as tx:
        return rollups.add_up(tx, limit=limit)


@pytest.mark.parametrize("zone", sorted(DAYS))
def test_the_overview_agrees_with_the_database_at_any_time(world: World, zone: str) -> None:
    history = History(world, random.Random(zone))  # noqa: S311 - data, not secrets
    history.happen(60)
    check(world, periods(zone))
    history.happen(40)
    check(world, periods(zone)[::3])
    while add_up(world, limit=20):
        pass
    check(world, periods(zone))


def test_so_do_the_figures_of_partners_and_those_made_anew(world: World) -> None:
    history = History(world, random.Random(7))  # noqa: S311
    history.happen(120)
    spans = [(period.since, period.until) for period in periods("America/New_York")]
    for is_anew in (False, True):
        truth = Reckoning(world.database, world.acme)
        with world.database.write() as tx:
            for day in list(recounts.list_days(tx, world.acme)) if is_anew else ():
                recounts.recount(tx, world.acme, day)
            for number in (partner.id for partner in history.buyers if partner):
                found = figures.sum_calls(tx, world.acme, spans, ("buyer", [number]))
                assert found == [truth.figures(span, buyer=number) for span in spans]
            assert figures.sum_calls(tx, world.acme, spans, ("offer", [world.offer]))[-1].calls > 5
        check(world, periods("America/New_York"))
    assert not add_up(world, limit=1)


def test_what_another_company_does_is_not_counted(world: World) -> None:
    world.call(account=world.zeta, buyer=None)
    period = Period(date.today(), date.today(), ZoneInfo("UTC"))  # noqa: DTZ011
    with world.database.read() as tx:
        assert overview.look(tx, world.acme, [period])[0].total == Figures()
        assert list(recounts.list_days(tx, world.acme)) == []


def test_a_batch_notes_all_that_it_changed_at_once(world: World) -> None:
    calls = [world.call() for _ in range(5)]
    with asked(world.database) as statements:
        apply(world, *(request(world, call, {"revenue": "1"}) for call in calls))
    noted = [statement for statement in statements if "_figure" in statement]
    assert len(noted) == (2 if world.database.is_sqlite else 1)
    assert "".join(noted).count("INSERT INTO call_figure") == "".join(noted).count("INSERT INTO update_figure") == 1
    with asked(world.database) as statements:
        apply(world, *(request(world, call, {"post_call_tokens": {"a": "b"}}) for call in calls))
    assert sum("call_figure" in statement for statement in statements) == 0
