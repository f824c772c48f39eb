"""Windows of a browser, each a person's own, watched for what must not happen in any of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, StorageState

from tests.console.visitor import Visitor

Scheme = Literal["light", "dark"]

DESKTOP, PHONE = (1280, 800), (360, 740)
"""Sizes of windows."""

OWN_HOSTS = re.compile(r"(?:[a-z0-9-]+\.)?localhost")
SECONDS = 20
"""How long a condition is waited for; a machine may be busy."""


@dataclass
class Windows:
    """Opens windows, and notes what went wrong in them: requests to others, errors of scripts, a lax policy."""

    browser: Browser
    wrong: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)
    _documents: set[str] = field(default_factory=set)

    def open(
        self,
        size: tuple[int, int] = DESKTOP,
        scheme: Scheme = "light",
        *,
        seat: StorageState | None = None,
        base_url: str | None = None,
        scripts: bool = True,
    ) -> Page:
        """A window with cookies of its own, or with those of a seat that somebody has taken elsewhere."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            reduced_motion="reduce",
            has_touch=size == PHONE,
            storage_state=seat,
            base_url=base_url,
            java_script_enabled=scripts,
        )
        context.set_default_timeout(SECONDS * 1000)
        context.on("request", self._look_at_request)
        context.on("response", self._look_at_response)
        context.on("console", self._look_at_console)
        context.on("weberror", lambda error: self.wrong.append(f"error of a script: {error.error}"))
        self._contexts.append(context)
        return context.new_page()

    def close(self) -> None:
        """Close all of them."""
        for context in self._contexts:
            context.close()

    def _look_at_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and not OWN_HOSTS.fullmatch(address.hostname or ""):
            self.wrong.append(f"request to another host: {request.url}")

    def _look_at_response(self, response: Response) -> None:
        if response.request.resource_type != "document":
            return
        self._documents.add(response.url)
        policy = response.headers.get("content-security-policy", "")
        if "default-src 'none'" not in policy or "unsafe" in policy:
            self.wrong.append(f"lax policy {policy!r}: {response.url}")

    def _look_at_console(self, message: ConsoleMessage) -> None:
        # A page with a status of 400 or more is noted as a failure to load; that is no error of the page.
        is_refusal = message.text.startswith("Failed to load resource") and message.location["url"] in self._documents
        if message.type in {"error", "warning"} and not is_refusal:
            self.wrong.append(f"{message.type} on the console: {message.text} at {message.location['url']}")


def take_seat(page: Page, visitor: Visitor) -> None:
    """Go on in a window where a visitor is already logged in."""
    url = f"http://localhost:{visitor.live.port}"
    page.context.add_cookies([{"name": name, "value": value, "url": url} for name, value in visitor.cookies.items()])
