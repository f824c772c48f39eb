"""Sums that the database makes agree with a reference in Python, to the last micro-unit, on every kind of day."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from ringback import entropy
from ringback.domain.attributes import blank_state
from ringback.domain.calls import Call
from ringback.domain.figures import Figures
from ringback.domain.money import MAXIMUM, from_micros
from ringback.domain.periods import Period
from ringback.store import figures
from tests.world import World, record

WHENS = {
    "America/New_York": date(2026, 3, 8),
    "Australia/Lord_Howe": date(2026, 10, 4),
    "Africa/Cairo": date(2026, 4, 24),
    "America/Havana": date(2026, 11, 1),
    "UTC": date(2026, 5, 1),
}


def fill(world: World, around: date, seed: int) -> list[Call]:
    """Calls at random moments of ten days, half of them on the hour, and one of another account among them."""
    chance = random.Random(seed)  # noqa: S311 - data, not secrets
    begin = datetime(around.year, around.month, around.day, tzinfo=UTC) - timedelta(days=5)
    made = []
    with world.database.write() as tx:
        for number in range(200):
            seconds = chance.randrange(10 * 24) * 3600 if number % 2 else chance.randrange(10 * 86_400)
            worth = [chance.choice([None, MAXIMUM, from_micros(chance.randrange(10**9))]) for _ in range(2)]
            state = {
                **blank_state(),
                "buyer_converted": chance.random() < 0.5,
                "revenue": worth[0],
                "payout": worth[1],
            }
            at = begin + timedelta(seconds=seconds)
            account = world.zeta if number % 10 == 0 else world.acme
            call = Call(account, entropy.new_call_uuid(), 0, None, state, created_at=at, updated_at=at)
            made.append(record(tx, call))
    return [call for call in made if call.account_id == world.acme]


def reckoned(found: list[Call]) -> Figures:
    """What calls come to, added up in Python."""
    converted = [call for call in found if call.state["buyer_converted"]]
    worth = (
        sum((cast("Decimal | None", call.state[name]) or Decimal(0) for call in calls), Decimal(0))
        for calls in (found, converted)
        for name in ("revenue", "payout")
    )
    return Figures(len(found), len(converted), *worth)


@pytest.mark.parametrize("zone", sorted(WHENS))
def test_figures_agree_with_the_calls(world: World, zone: str) -> None:
    there, clock = fill(world, WHENS[zone], seed=len(zone)), ZoneInfo(zone)
    period = Period(WHENS[zone] - timedelta(days=3), WHENS[zone] + timedelta(days=3), clock)
    with world.database.read() as tx:
        found = figures.sum_calls(tx, world.acme, [(part.since, part.until) for part in period.parts])
        hours = Period(WHENS[zone], WHENS[zone], clock).parts
        of_day = figures.sum_calls(tx, world.acme, [(part.since, part.until) for part in hours])
    shown = {call.uuid: call.created_at.astimezone(clock).date() for call in there}
    assert found == [reckoned([call for call in there if shown[call.uuid] == part.first]) for part in period.parts]
    assert sum(of_day, Figures()) == found[3]
    assert sum(found, Figures()).calls > 50


def test_nothing_comes_to_nothing(world: World) -> None:
    period = Period(date(2026, 5, 1), date(2026, 5, 2), ZoneInfo("UTC"))
    with world.database.read() as tx:
        assert figures.sum_calls(tx, world.acme, [(part.since, part.until) for part in period.parts]) == [Figures()] * 2
        assert not figures.has_update(tx, world.acme)
