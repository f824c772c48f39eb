"""A real browser, the windows that people have open in it, and what must never happen in one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from ringback.app import build
from ringback.settings import read_settings
from tests.browser import chromium
from tests.browser.windows import SECONDS, Windows
from tests.live import Live, running
from tests.world import build_world

expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module; not for longer: no other event loop runs in this thread meanwhile."""
    try:
        path = chromium.find()
    except chromium.ChromiumMissingError as missing:
        pytest.fail(str(missing), pytrace=False)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        yield started
        started.close()


@pytest.fixture
def windows(browser: Browser) -> Iterator[Windows]:
    """Windows of that browser; when a test is over, nothing must have gone wrong in any."""
    opened = Windows(browser)
    yield opened
    opened.close()
    assert opened.wrong == []


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with the cast in its database, for the tests of a module, which don't get in each other's way."""
    url = f"sqlite:///{tmp_path_factory.mktemp('stage') / 'ringback.sqlite'}"
    app = build(read_settings(database_url=url))
    with running(app, build_world(app.database)) as live:
        yield live
