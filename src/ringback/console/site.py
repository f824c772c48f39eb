"""The console as an application: every page, and the headers that they carry."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringback.console import (
    all_deliveries,
    audit,
    blocking,
    calls,
    check,
    credentials,
    deliveries,
    door,
    forgotten,
    invitations,
    offer_tokens,
    overview,
    partners,
    postbacks,
    posting_instructions,
    profile,
    removals,
    settings,
    share_links,
    teams,
    tokens,
    updates,
    waiting,
)
from ringback.console import people as company_people
from ringback.console.endpoint import Endpoint
from ringback.console.pages import STATIC, Need, Page, Tools, Visit, render

PAGES: Sequence[Page] = (
    *door.PAGES,
    *forgotten.PAGES,
    *invitations.PAGES,
    *partners.PAGES,
    *offer_tokens.PAGES,
    *teams.PAGES,
    *removals.PAGES,
    *company_people.PAGES,
    *updates.PAGES,
    *waiting.PAGES,
    *check.PAGES,
    *calls.PAGES,
    *overview.PAGES,
    *deliveries.PAGES,
    *all_deliveries.PAGES,
    *tokens.PAGES,
    *profile.PAGES,
    *postbacks.PAGES,
    *credentials.PAGES,
    *posting_instructions.PAGES,
    *share_links.PAGES,
    *settings.PAGES,
    *blocking.PAGES,
    *audit.PAGES,
)
"""Every page of the console."""


def build(tools: Tools) -> Starlette:
    """Build the console."""
    routes = [Route(page.path, Endpoint(page, tools), methods=[page.method]) for page in PAGES]
    static = Mount("/static", StaticFiles(directory=STATIC))
    missing = Endpoint(Page("GET", "", _missing, Need.NOBODY), tools)

    async def not_found(request: Request, _error: Exception) -> Response:
        return await run_in_threadpool(missing.answer, request, {})

    return Starlette(routes=[static, *routes], middleware=[Middleware(_Headers)], exception_handlers={404: not_found})


def _missing(visit: Visit) -> Response:
    return render(visit, "door/missing.html", status=404)


class _Headers:
    """The headers of every page that has none of its own: strict for scripts and styles, and nothing kept by others."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _STATIC_HEADERS if scope["path"].startswith("/static/") else _PAGE_HEADERS
        if scope["scheme"] == "https":
            headers = [*headers, _HTTPS_ONLY]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in headers if each[0] not in own)]
            await send(message)

        await self.app(scope, receive, with_headers)


_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_COMMON = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_PAGE_HEADERS = [*_COMMON, (b"cache-control", b"no-store")]
_STATIC_HEADERS = [*_COMMON, (b"cache-control", b"public, max-age=3600")]
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
