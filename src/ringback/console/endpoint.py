"""One page as an endpoint: who may use it is checked in one place, then it runs in one transaction."""

from __future__ import annotations

import re
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from urllib.parse import parse_qs, quote

import structlog
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from ringback.console import letters, session
from ringback.console.pages import Need, Onward, Page, Tools, Visit, render
from ringback.domain.access import Principal, Role
from ringback.domain.deliveries import State
from ringback.domain.errors import Refusal
from ringback.services import people as services
from ringback.store import access, accounts, bundles, delivery_search, people
from ringback.store.failures import ContendedError, RejectedError, StoreError, UnconfirmedError

FORM_BYTES = 1024 * 1024
PATIENCE_SECONDS = 10.0
"""How long a page that meets others in its way is tried again."""

_SAFE = frozenset({"GET", "HEAD"})
_MAKING = re.compile(r"/(new|rotate|team-access|secret)$")
"""What follows a list, or a thing, in the path of a form that makes something there."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One page, as an endpoint."""

    page: Page
    tools: Tools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        form = {} if _is_safe(request) else await _read_form(request)
        response = await run_in_threadpool(self.answer, request, form)
        await response(scope, receive, send)

    def answer(self, request: Request, form: dict[str, list[str]]) -> Response:
        """The answer to a request with this form."""
        cookie = session.read_cookie(request)
        secret = cookie or self.tools.random().hex()
        visit = Visit(
            request=request,
            tools=self.tools,
            form=form,
            secret=secret,
            csrf=session.form_token(secret),
            page=self.page.path,
            need=self.page.need,
        )
        if _is_safe(request) or session.is_from_here(request, visit.text("csrf"), cookie):
            response = self._respond(visit)
        else:
            log.warning("post from elsewhere refused", page=visit.page, ip=request.state.ip)
            response = render(visit, "door/refused.html", status=403, title="That form was not sent from here")
        if isinstance(response, Onward) and response.flash:
            session.set_flash(request, response, response.flash)
        if not cookie and not session.is_set_by(request, response):
            session.set_cookie(request, response, secret)
        return response

    def _respond(self, visit: Visit) -> Response:
        """The answer of the page; what it has mailed is sent when its transaction is committed."""
        try:
            self._prepare(visit)
            response = self._run(visit)
            return letters.send(visit) or response
        except Refused as refused:
            return refused.response
        except Exception as error:
            if isinstance(error, StoreError) and not isinstance(error, RejectedError):
                return _busy(visit, error)
            request_id = self.tools.new_id()
            log.exception("page failed", request_id=request_id, page=visit.page)
            return render(visit, "door/failed.html", status=500, request_id=request_id)

    def _run(self, visit: Visit) -> Response:
        """Run the page; where others stand in its way, it is tried again, and where it broke, once more."""
        patient_until, broke = time.monotonic() + PATIENCE_SECONDS, False
        while True:
            visit.sending = None
            try:
                with self._transaction(visit) as visit.tx:
                    return self._admit(visit)
            except ContendedError:
                if time.monotonic() >= patient_until:
                    raise
            except RejectedError:
                # What it looked at may have been changed meanwhile; if not, it is a mistake of ours.
                if broke:
                    raise
                broke = True

    def _prepare(self, visit: Visit) -> None:
        if self.page.ahead is not None:
            try:
                visit.ahead = self.page.ahead(visit)
            except Refusal as refusal:
                visit.ahead = refusal

    def _transaction(self, visit: Visit) -> AbstractContextManager[Connection]:
        reads = self.page.reads or _is_safe(visit.request)
        return self.tools.database.read() if reads else self.tools.database.write()

    def _admit(self, visit: Visit) -> Response:
        visit.user = people.find_session(visit.tx, session.digest(visit.secret), self.tools.now())
        if self.page.need >= Need.LOGIN and visit.user is None:
            return RedirectResponse(f"/login?next={_way_back(visit.request)}", 303)
        if visit.user is not None:
            visit.accounts = tuple(people.list_accounts_of(visit.tx, visit.user.id))
        if self.page.need >= Need.MEMBER and not _enter(visit, self.page.need):
            log.warning("page refused", page=visit.page, user_id=visit.user.id if visit.user else None)
            return render(visit, "door/missing.html", status=404)
        if not self._is_first(visit):
            return render(visit, "door/sent.html", status=409, back=_MAKING.sub("", visit.request.url.path))
        try:
            response = self.page.show(visit)
        except Refusal as refusal:
            # What the page did so far must not stay: the transaction is left by an exception.
            page = "door/missing.html" if refusal.code.name == "not_found" else "door/refusal.html"
            raise Refused(render(visit, page, status=refusal.code.status, refusal=refusal)) from refusal
        if response.status_code >= 400:  # noqa: PLR2004 - the same for a form that is shown again
            raise Refused(response)
        return response

    def _is_first(self, visit: Visit) -> bool:
        """Whether a form was not sent before, if it counts only once; what is refused may be sent again."""
        once = visit.text("once")
        key = session.digest(f"{visit.secret}:{once}")
        return not once or self.page.reads or services.spend_form(visit.tx, key, self.tools.now())


def _busy(visit: Visit, error: StoreError) -> Response:
    why = "others kept what it needs" if isinstance(error, ContendedError) else "the database is not there"
    log.warning("page not shown", why=why, reason=str(error))
    response = render(visit, "door/busy.html", status=503, is_known=not isinstance(error, UnconfirmedError))
    response.headers["Retry-After"] = "5"
    return response


class Refused(Exception):
    """A page that refused what was asked: its answer is shown, its transaction is undone."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def _is_safe(request: Request) -> bool:
    return request.method in _SAFE


def _way_back(request: Request) -> str:
    """Where to go on after the log-in, as a part of an address: to the page that was asked for, filters included."""
    if not _is_safe(request):
        return "/"
    return quote(f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path)


async def _read_form(request: Request) -> dict[str, list[str]]:
    """The fields of a form; one that is too large has none, and so is refused for its missing token."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            return {}
    return parse_qs(body.decode(errors="replace"), keep_blank_values=True)


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
        look_after = delivery_search.count_by_state(visit.tx, account.id, states=(State.HELD, State.FAILED))
        visit.badges = {
            "updates": bundles.count_denied(visit.tx, account.id),
            "deliveries": sum(look_after.values()),
        }
    return True


def _reaches(principal: Principal, need: Need) -> bool:
    if need is Need.OWNER:
        return principal.role is Role.OWNER
    return need is not Need.MANAGER or principal.runs_account
