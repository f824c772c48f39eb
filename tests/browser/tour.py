"""A tour of the console: every page that somebody comes to by following links."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Page
from starlette.routing import compile_path

from ringback.console.site import PAGES

LINK = re.compile(r'<a\b(?![^>]*\bdownload\b)[^>]*\bhref="([^"#]+)')

KINDS = {page.path: compile_path(page.path)[0] for page in PAGES if page.method == "GET"}
"""Every page of the console, by its route."""


@dataclass(frozen=True)
class Stop:
    """A page of the tour: its address, its kind, its HTML."""

    url: str
    kind: str
    html: str


def walk(page: Page, *starts: str, each: int = 1_000_000) -> Iterator[Stop]:
    """Follow every link of this site from these addresses on, as who is logged in in this window.

    Args:
        page: the window.
        starts: where to begin.
        each: how many pages of one kind are enough, where the second call looks like the first.
    """
    waiting, known, count = list(starts), set(starts), Counter[str]()
    while waiting:
        url = waiting.pop(0)
        kind = kind_of(url)
        if count[kind] == each:
            continue
        count[kind] += 1
        answer = page.request.get(url)
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        html = answer.text()
        yield Stop(url, kind, html)
        for link in LINK.findall(html):
            target = urljoin(url, unescape(link))
            if urlsplit(target).netloc == urlsplit(url).netloc and target not in known:
                known.add(target)
                waiting.append(target)


def kind_of(url: str) -> str:
    """The route of a page; of one that is not of the console, its path."""
    path = urlsplit(url).path
    return next((kind for kind, pattern in KINDS.items() if pattern.match(path)), path)
