"""Every page that there is, as people read it: with eyes of any kind, in light and dark, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ringback import clock
from ringback.app import build
from ringback.console.session import COOKIE
from ringback.services import people
from ringback.settings import read_settings
from ringback.store.people import LinkKind
from tests.browser import tour
from tests.browser.axe import grave_findings
from tests.browser.demo import Demo, demo_running
from tests.browser.windows import DESKTOP, PHONE, Windows, take_seat
from tests.console import routes
from tests.console.stock import stock
from tests.console.visitor import Visitor, visiting
from tests.live import Live, running

HANDED_OVER = re.compile(r"/(?:invitation|share)/\w+")
DOCS = ("/api/docs", "/api/docs/errors", "/api/docs/attributes")
Pages = Callable[[Demo, Windows], tuple[Page, list[str]]]

NO_PAGES = ("/calls.csv", "/news", "/postbacks/tokens")
"""How the paths end of what is no page: a file, a part of a page."""


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, for the tests of this file, which change nothing in it."""
    with demo_running(browser, tmp_path_factory.mktemp("demo")) as served:
        yield served


def look_at(page: Page, urls: Iterable[str]) -> None:
    """Look at pages; what is wrong with them is told line by line."""
    found = [fault for url in urls for fault in faults(page, url)]
    assert not found, "\n".join(found)


def faults(page: Page, url: str) -> list[str]:
    """What is wrong with a page: what axe finds, and what is wider than a phone."""
    page.goto(url)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    found = grave_findings(page)
    for width, height in (PHONE, DESKTOP):
        page.set_viewport_size({"width": width, "height": height})
        too_wide = page.evaluate("document.documentElement.scrollWidth") - width
        if too_wide > 0:
            found.append(f"{url}: {too_wide} pixels wider than {width}")
    return found


def owned(demo: Demo, windows: Windows) -> tuple[Page, list[str]]:
    page = windows.open(seat=demo.owner)
    starts = [f"{demo.url}{path}" for path in ("/a/acme/overview", *DOCS)]
    return page, [stop.url for stop in tour.walk(page, *starts, each=1)]


def seen_by_a_member(demo: Demo, windows: Windows) -> tuple[Page, list[str]]:
    page = windows.open(seat=demo.member)
    return page, [stop.url for stop in tour.walk(page, f"{demo.url}/a/acme/calls", each=1) if "/a/acme/" in stop.url]


@pytest.mark.parametrize("pages", [owned, seen_by_a_member])
def test_the_pages_that_links_lead_to(demo: Demo, windows: Windows, pages: Pages) -> None:
    look_at(*pages(demo, windows))


def test_every_page_of_an_account(stage: Live, windows: Windows) -> None:
    stocked = stock(stage)
    page = windows.open()
    take_seat(page, Visitor(stage, {COOKIE: "ada"}))
    every = [each for each in routes.pages("GET") if routes.is_of_account(each) and not each.path.endswith(NO_PAGES)]
    look_at(page, [f"http://localhost:{stage.port}{routes.fill(each, stocked)}" for each in every])


def handed_over(stage: Live, ada: Visitor) -> list[str]:
    """The links that are handed over: to log in, to choose a new password, to join the company, to read."""
    with stage.world.database.write() as tx:
        people.make_link(tx, LinkKind.LOG_IN, "letmein", now=clock.now(), user_id=stage.world.ada)
        people.make_link(tx, LinkKind.RESET, "forgotten", now=clock.now(), user_id=stage.world.ada)
    invited = ada.post("/a/acme/company/people", {"email": "new@acme.example", "role": "manager"})
    shared = ada.post(f"/a/acme/posting-instructions/{stage.world.bright}/share-links")
    return ["/log-in/letmein", "/reset/forgotten", *HANDED_OVER.findall(invited.html + shared.html)]


def test_the_pages_before_the_door(stage: Live, windows: Windows) -> None:
    page = windows.open()
    open_to_all = [each.path for each in routes.pages("GET") if not (routes.is_of_account(each) or "{" in each.path)]
    handing_over = {each.path.split("/")[1] for each in routes.pages("GET") if "{secret}" in each.path}
    links = handed_over(stage, visiting(stage, stage.world.ada))
    assert {link.split("/")[1] for link in links} | {"first-run"} == handing_over
    paths = [*open_to_all, *links, "/log-in/wrong", "/share/wrong", "/a/acme/calls"]
    look_at(page, [f"http://localhost:{stage.port}{path}" for path in paths])
    take_seat(page, visiting(stage, stage.world.charlie))
    look_at(page, [f"http://localhost:{stage.port}/a/acme/calls"])


def test_the_page_of_the_first_run(stage: Live, windows: Windows, tmp_path: Path) -> None:
    app = build(read_settings(database_url=f"sqlite:///{tmp_path / 'empty.db'}"))
    with app.database.write() as tx:
        people.make_link(tx, LinkKind.FIRST_RUN, "first", now=clock.now())
    with running(app, stage.world) as empty:
        look_at(windows.open(), [f"http://localhost:{empty.port}/first-run/first"])
