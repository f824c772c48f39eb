"""The demo, as ``make demo`` serves it, and places at its console."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, StorageState

from tests.cli import shell

LINK = r"(http://\S+)(/log-in/\w+)$"


@dataclass(frozen=True)
class Demo:
    """A demo that runs, and the cookies of who is logged in there: Acme's owner, and the user of its buyer."""

    url: str
    owner: StorageState
    member: StorageState


@contextmanager
def demo_running(browser: Browser, folder: Path) -> Iterator[Demo]:
    """A demo, until the end of the block."""
    with shell.running("demo", "--port", "0", folder=folder) as server:
        links = [re.search(LINK, server.read_until(f"Console, as {who}")) for who in ("Acme's owner", "Bright's user")]
        owner, member = (link for link in links if link is not None)
        yield Demo(owner[1], _enter(browser, owner[0]), _enter(browser, member[0]))


def _enter(browser: Browser, link: str) -> StorageState:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(link)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/a/**")
        return context.storage_state()
