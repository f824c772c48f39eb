"""The console as an application: every page with its need, checked in one place before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringback.console import (
    audit,
    calls,
    check,
    door,
    invitations,
    overview,
    partners,
    profile,
    session,
    settings,
    teams,
    tokens,
    updates,
    waiting,
)
from ringback.console import people as company_people
from ringback.console.pages import STATIC, Need, Page, Tools, Visit, render
from ringback.domain.access import Principal, Role
from ringback.domain.errors import Refusal
from ringback.store import access, accounts, bundles, people
from ringback.store.failures import StoreError

PAGES: Sequence[Page] = (
    *door.PAGES,
    *invitations.PAGES,
    *partners.PAGES,
    *teams.PAGES,
    *company_people.PAGES,
    *updates.PAGES,
    *waiting.PAGES,
    *check.PAGES,
    *calls.PAGES,
    *overview.PAGES,
    *tokens.PAGES,
    *profile.PAGES,
    *settings.PAGES,
    *audit.PAGES,
)
"""Every page of the console."""

FORM_BYTES = 1024 * 1024
SAFE = frozenset({"GET", "HEAD"})


def build(tools: Tools) -> Starlette:
    """Build the console."""
    routes = [Route(page.path, _Shown(page, tools), methods=[page.method]) for page in PAGES]
    static = Mount("/static", StaticFiles(directory=STATIC))
    return Starlette(routes=[static, *routes], middleware=[Middleware(_Headers)], exception_handlers={404: _not_found})


@dataclass(frozen=True, slots=True)
class _Shown:
    """One page, as an endpoint."""

    page: Page
    tools: Tools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        form = {} if request.method in SAFE else await _read_form(request)
        response = await run_in_threadpool(self._answer, request, form)
        await response(scope, receive, send)

    def _answer(self, request: Request, form: dict[str, list[str]]) -> Response:
        secret = session.read_cookie(request)
        fresh = "" if secret else self.tools.random().hex()
        try:
            transaction = self.tools.database.read if request.method in SAFE else self.tools.database.write
            with transaction() as tx:
                visit = Visit(
                    request=request,
                    tx=tx,
                    tools=self.tools,
                    form=form,
                    secret=secret or fresh,
                    csrf=session.form_token(secret or fresh),
                    need=self.page.need,
                )
                response = self._admit(visit)
        except Refused as refused:
            response = refused.response
        except StoreError:
            response = PlainTextResponse("The database is not there at the moment; try again.", 503)
        if fresh and not session.is_set_by(request, response):
            session.set_cookie(request, response, fresh)
        return response

    def _admit(self, visit: Visit) -> Response:
        request = visit.request
        if request.method not in SAFE and not session.is_from_here(request, visit.text("csrf"), visit.secret):
            return render(visit, "door/refused.html", status=403, title="That form was not sent from here")
        visit.user = people.find_session(visit.tx, session.digest(visit.secret), self.tools.now())
        if self.page.need >= Need.LOGIN and visit.user is None:
            back = request.url.path if request.method in SAFE else "/"
            return RedirectResponse(f"/login?next={back}", 303)
        if visit.user is not None:
            visit.accounts = tuple(people.list_accounts_of(visit.tx, visit.user.id))
        if self.page.need >= Need.MEMBER and not _enter(visit, self.page.need):
            return render(visit, "door/missing.html", status=404)
        try:
            response = self.page.show(visit)
        except Refusal as refusal:
            # What the page did so far must not stay: the transaction is left by an exception.
            page = "door/missing.html" if refusal.code.name == "not_found" else "door/refusal.html"
            raise Refused(render(visit, page, status=refusal.code.status, refusal=refusal)) from refusal
        if response.status_code >= 400:  # noqa: PLR2004 - the same for a form that is shown again
            raise Refused(response)
        return response


async def _read_form(request: Request) -> dict[str, list[str]]:
    """The fields of a form; one that is too large has none, and so is refused for its missing token."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            return {}
    return parse_qs(body.decode(errors="replace"), keep_blank_values=True)


class Refused(Exception):
    """A page that refused what was asked: its answer is shown, its transaction is undone."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def _enter(visit: Visit, need: Need) -> bool:
    """Put the account and the visitor's place in it into the visit; false if he may not see the page."""
    account = accounts.find_account(visit.tx, visit.request.path_params["account"])
    if account is None or visit.user is None:
        return False
    principal = access.find_member(visit.tx, account.id, visit.user.id).principal
    if principal is None or not (principal.role or principal.teams) or not _reaches(principal, need):
        return False
    visit.account, visit.principal = account, principal
    if principal.runs_account:
        visit.badges = {"updates": bundles.count_denied(visit.tx, account.id)}
    return True


def _reaches(principal: Principal, need: Need) -> bool:
    if need is Need.OWNER:
        return principal.role is Role.OWNER
    return need is not Need.MANAGER or principal.runs_account


async def _not_found(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("There is no such page.", 404)


class _Headers:
    """The headers that every page carries: a strict policy for scripts and styles, and nothing kept by others."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_static = scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *(_STATIC_HEADERS if is_static else _PAGE_HEADERS)]
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
