"""``make screenshots``: every page of the demo as a picture, on a desk and on a phone, in light and in dark.

Arguments are parts of names: ``make screenshots ARGS="overview teams"`` makes those pictures alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from tests.browser import chromium, tour
from tests.browser.demo import Demo, demo_running
from tests.browser.windows import DESKTOP, PHONE, Scheme, Windows
from tests.house.source import ROOT

FOLDER = ROOT / "build" / "screenshots"
SIZES = {"desk": DESKTOP, "phone": PHONE}
HIGHEST = 4_000
"""How much of a long page is shown."""


def main(wanted: list[str]) -> None:
    """Make the pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        flags = list(chromium.FLAGS)
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=flags)
        with demo_running(browser, Path(folder)) as demo:
            for who, seat, start in _people(demo):
                _picture(browser, who, seat, start, wanted)
        browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")  # noqa: T201 - what it did


def _people(demo: Demo) -> Iterator[tuple[str, StorageState | None, str]]:
    """Who looks, and where the tour begins."""
    yield "owner", demo.owner, f"{demo.url}/a/acme/overview"
    yield "member", demo.member, f"{demo.url}/a/acme/calls"
    yield "anybody", None, f"{demo.url}/login"
    yield "anybody", None, f"{demo.url}/api/docs"


def _picture(browser: Browser, who: str, seat: StorageState | None, start: str, wanted: list[str]) -> None:
    windows, place = Windows(browser), "/a/acme/" if seat else "/"
    stops = {_name(stop): stop.url for stop in tour.walk(windows.open(seat=seat), start, each=2) if place in stop.url}
    chosen = {name: url for name, url in stops.items() if not wanted or any(part in name for part in wanted)}
    for size, scheme in ((size, scheme) for size in SIZES for scheme in get_args(Scheme)):
        page = windows.open(SIZES[size], scheme, seat=seat)
        for name, url in chosen.items():
            _shoot(page, url, FOLDER / f"{who}-{name}-{size}-{scheme}.png", SIZES[size])
    windows.close()


def _shoot(page: Page, url: str, file: Path, size: tuple[int, int]) -> None:
    """A picture of a whole page, in a window that is as high as it: what sticks to the edge of a window stays there."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(url)
    height = min(page.evaluate("document.documentElement.scrollHeight"), HIGHEST)
    page.set_viewport_size({"width": size[0], "height": height})
    page.screenshot(path=file, animations="disabled")


def _name(stop: tour.Stop) -> str:
    """A file's name for a page: its route without what differs from page to page."""
    address = urlsplit(stop.url)
    path = re.sub(r"\{account\}|\{(\w+)[^}]*\}", r"\1", stop.kind)
    asked = "-asked" if address.query else ""
    return (re.sub(r"\W+", "-", path.removeprefix("/a/")).strip("-") or "home") + asked


if __name__ == "__main__":
    main(sys.argv[1:])
