"""The list of updates while updates come in: nobody has to reload it, nobody loses his place in it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.windows import Windows, take_seat
from tests.console.posting import post
from tests.console.visitor import visiting
from tests.live import Live

POLLED = 6_000
"""After how many milliseconds the list has asked for news."""


@pytest.fixture
def page(stage: Live, windows: Windows) -> Page:
    """Ada's window with the list of updates, and a clock that the test turns."""
    come_in(stage, 20)
    page = windows.open()
    page.clock.install()
    take_seat(page, visiting(stage, stage.world.ada))
    page.goto(f"http://localhost:{stage.port}/a/acme/updates")
    return page


def come_in(stage: Live, count: int) -> None:
    for _ in range(count):
        post(stage, stage.world.call())


def line(page: Page, number: int) -> Locator:
    return page.locator("#lines tr").nth(number)


def top(place: Locator) -> float:
    box = place.bounding_box()
    assert box is not None
    return box["y"]


def test_what_comes_in_goes_on_top(stage: Live, page: Page) -> None:
    first = line(page, 0).get_attribute("id")
    page.evaluate("window.isTheSame = true")
    for _ in range(2):
        come_in(stage, 2)
        page.clock.fast_forward(POLLED)
        expect(page.get_by_role("status").get_by_text("2 new updates")).to_have_count(1)
        expect(line(page, 2)).to_have_attribute("id", first or "")
        first = line(page, 0).get_attribute("id")
    assert page.evaluate("window.isTheSame")
    ids = page.locator("#lines tr").evaluate_all("rows => rows.map((row) => row.id)")
    assert ids == sorted(set(ids), reverse=True)


def test_who_reads_further_down_keeps_his_place(stage: Live, page: Page) -> None:
    page.evaluate("scrollTo({ top: 700, behavior: 'instant' })")
    expect(line(page, 0)).not_to_be_in_viewport()
    read = page.locator(f"id={line(page, 10).get_attribute('id')}")
    before = top(read)
    come_in(stage, 3)
    page.clock.fast_forward(POLLED)
    expect(page.get_by_role("link", name="3 new updates: show")).to_be_in_viewport()
    assert top(read) == pytest.approx(before, abs=1)
    page.get_by_role("link", name="3 new updates: show").click()
    expect(line(page, 0)).to_be_in_viewport()


def test_the_line_that_has_the_focus_keeps_it(stage: Live, page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("j")
    opened = line(page, 1).get_attribute("id")
    come_in(stage, 1)
    page.clock.fast_forward(POLLED)
    expect(line(page, 2)).to_have_attribute("id", opened or "")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/updates/{opened}")


def test_nothing_moves_under_the_pointer(stage: Live, page: Page) -> None:
    first = line(page, 0).get_attribute("id")
    line(page, 0).hover()
    come_in(stage, 1)
    page.clock.fast_forward(POLLED)
    expect(page.get_by_role("link", name="1 new update: show")).to_be_visible()
    assert line(page, 0).get_attribute("id") == first
    page.mouse.move(0, 0)
    expect(line(page, 1)).to_have_attribute("id", first or "")


def test_a_flood_is_told_and_shown_on_demand(stage: Live, page: Page) -> None:
    last = line(page, 0).get_attribute("id")
    come_in(stage, 50)
    page.clock.fast_forward(POLLED)
    page.get_by_role("link", name="50 new updates: show").click()
    expect(page.locator(f"id={last}")).to_have_count(0)
    expect(page.locator("#lines tr")).to_have_count(50)
