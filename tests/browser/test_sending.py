"""Postbacks, in a real browser: built, tried, sent, retried while the receiver is down, sent again when it is back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ringback.app import build
from ringback.settings import read_settings
from tests.browser import progress
from tests.browser.acting import ByKeyboard, ByPointer, Way
from tests.browser.axe import grave_findings
from tests.browser.journey import Journey, Lead, Partner
from tests.browser.person import Person
from tests.browser.windows import PHONE, SECONDS, Windows, take_seat
from tests.console.visitor import visiting
from tests.live import running
from tests.world import EVERY_RIGHT, build_world

MANY = 25


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[Partner]:
    """Acme's server."""
    made = Partner(f"sqlite:///{tmp_path / 'acme.sqlite'}")
    made.come_up()
    yield made
    made.go_down()


@contextmanager
def journey(url: str, partner: Partner, windows: Windows, way: Way, **window: Any) -> Iterator[Journey]:  # noqa: ANN401
    """Charlie at Zeta's console, logged in."""
    app = build(read_settings(database_url=url, delivery_allow="*.localhost"))
    with running(app, build_world(app.database)) as live:
        page = windows.open(**window)
        take_seat(page, visiting(live, live.world.charlie))
        page.goto(f"http://localhost:{live.port}/a/zeta/overview")
        yield Journey(live, partner, Person(page, way))


def arrive(partner: Partner, leads: list[Lead]) -> bool:
    """Wait until Acme has recorded all of these."""
    until = time.monotonic() + SECONDS
    while not all(partner.has_recorded(lead.there) for lead in leads):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize(
    ("database", "way", "window"),
    [
        pytest.param("sqlite", ByPointer, {}, id="mouse"),
        pytest.param("postgresql", ByPointer, {}, id="mouse, PostgreSQL"),
        pytest.param("sqlite", ByKeyboard, {}, id="keyboard alone"),
        pytest.param("sqlite", ByPointer, {"size": PHONE}, id="phone"),
    ],
)
def test_a_postback_from_its_preset_to_its_last_delivery(
    request: pytest.FixtureRequest,
    partner: Partner,
    windows: Windows,
    database: str,
    way: Callable[[], Way],
    window: Mapping[str, Any],
) -> None:
    with journey(request.getfixturevalue(f"{database}_url"), partner, windows, way(), **window) as steps:
        first, second, third = (steps.buy_a_call() for _ in range(3))
        steps.keep_the_credential()
        steps.build_the_postback(first)
        steps.fire_a_test(first)
        assert partner.has_recorded(first.there)
        partner.go_down()
        for lead in (second, third):
            steps.sell(lead)
        steps.watch_retries(2)
        partner.come_up()
        steps.send_all_again("Retrying", 2)
        steps.charlie.sees("2 sent again. Done.")
        steps.see_them_arrive(3)
        assert arrive(partner, [second, third])


def test_many_that_were_refused_are_sent_again_step_by_step(
    sqlite_url: str, partner: Partner, windows: Windows
) -> None:
    with journey(sqlite_url, partner, windows, ByPointer()) as steps:
        leads = [steps.buy_a_call() for _ in range(MANY)]
        steps.keep_the_credential()
        steps.build_the_postback(leads[0])
        partner.world.grant(["buyer_converted", "offer_converted"])
        for lead in leads:
            steps.sell(lead)
        steps.list_those("Held", MANY)
        steps.see_why_it_is_held("Buyer Revenue")
        partner.world.grant(EVERY_RIGHT)
        page = steps.charlie.page
        progress.watch(page)
        steps.send_all_again("Held", MANY)
        seen = progress.steps_until(page, f"{MANY} of {MANY} handled: {MANY} sent again. Done.")
        assert grave_findings(page) == []
        assert seen == sorted(seen)
        assert len(set(seen)) > 1
        steps.see_them_arrive(MANY)
        assert arrive(partner, leads)


def test_what_was_refused_is_sent_again_as_the_mended_postback_makes_it(
    sqlite_url: str, partner: Partner, windows: Windows
) -> None:
    with journey(sqlite_url, partner, windows, ByPointer()) as steps:
        lead = steps.buy_a_call()
        steps.keep_the_credential()
        steps.build_the_postback(lead)
        steps.write_the_body('{"buyer_converted": "true", "revenue": "dollars [payout]"}')
        steps.sell(lead)
        steps.list_those("Failed", 1)
        steps.write_the_body('{"buyer_converted": "true", "revenue": "[payout]"}')
        steps.charlie.sees("1 of its deliveries is held or failed")
        steps.send_again_as_it_is_now('"revenue": "dollars 25.00"', '"revenue": "25.00"')
        assert arrive(partner, [lead])
        assert grave_findings(steps.charlie.page) == []
