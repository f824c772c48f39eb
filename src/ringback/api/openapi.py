"""The documented JSON API, as a FastAPI application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import NoReturn

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from ringback.api import docs
from ringback.api.access import AccessRoutes
from ringback.api.bulk import BulkRoute, Submit
from ringback.api.call_lists import CallListRoutes
from ringback.api.calls import CallRoutes
from ringback.api.desk import Desk
from ringback.api.document import Document, complete
from ringback.api.health import HealthRoutes
from ringback.api.outgoing_webhooks import WebhookRoutes
from ringback.api.partners import PartnerRoutes
from ringback.api.plain_paths import PlainPaths, as_asked
from ringback.api.requests import Disconnected
from ringback.api.updates import find_target
from ringback.domain.errors import Problem, Refusal
from ringback.domain.masking import mask_keys
from ringback.domain.throttle import WrongCredentials
from ringback.store.engine import Database
from ringback.store.partners import NOUNS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
"""The methods that a path of ours may understand."""

_NOT_FOUND, _METHOD_NOT_ALLOWED = 404, 405


def build(  # noqa: PLR0913 - the parts that the composition root wires
    database: Database,
    *,
    version: str,
    is_ready: Callable[[], bool],
    now: Callable[[], datetime],
    new_id: Callable[[], str],
    new_call_uuid: Callable[[], str],
    submit: Submit,
    wrong_credentials: WrongCredentials,
    public_url: str,
) -> FastAPI:
    """Build the application.

    Its refusals leave it as exceptions, which the composition root answers as it does for every other request.
    """
    web = FastAPI(title="Ringback", version=version, docs_url=None, redoc_url=None, openapi_url=None)
    web.router.redirect_slashes = False
    desk = Desk(database, wrong_credentials, now)
    web.router.routes.extend(BulkRoute(desk, submit, new_id).router.routes)
    web.router.routes.extend(CallListRoutes(desk).router.routes)
    web.router.routes.extend(CallRoutes(desk, new_id, new_call_uuid).router.routes)
    for noun in NOUNS:
        web.router.routes.extend(PartnerRoutes(desk, new_id, noun).router.routes)
    web.router.routes.extend(WebhookRoutes(desk).router.routes)
    web.router.routes.extend(AccessRoutes(desk).router.routes)
    web.router.routes.extend(HealthRoutes(version, is_ready).router.routes)
    generated = web.openapi

    @cache  # made when somebody asks for it
    def document() -> Document:
        return complete(generated())

    web.openapi = document  # type: ignore[method-assign]  # the framework's own way to say more than it knows
    web.router.routes.extend(docs.routes(document, public_url))
    refuse(web)
    web.add_middleware(PlainPaths)
    return web


def refuse(web: FastAPI) -> None:
    """Have the framework's own refusals said in our words, and everything else passed on."""

    async def unknown(request: Request, error: Exception) -> NoReturn:
        status = getattr(error, "status_code", 0)
        if status == _NOT_FOUND:
            raise Refusal("not_found", path=mask_keys(request.url.path)[:200]) from error
        if status == _METHOD_NOT_ALLOWED:
            allowed = ", ".join(allowed_methods(web.routes, request.scope))
            raise Refusal("method_not_allowed", method=request.method, allowed=allowed) from error
        raise error

    async def unreadable(_request: Request, error: Exception) -> NoReturn:
        raise Refusal("invalid_value", problems=_problems(error)) from error

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # nobody reads it

    async def pass_on(_request: Request, error: Exception) -> NoReturn:
        raise error

    web.add_exception_handler(HTTPException, unknown)
    web.add_exception_handler(RequestValidationError, unreadable)
    web.add_exception_handler(Disconnected, gone)
    web.add_exception_handler(Exception, pass_on)


def allowed_methods(routes: Sequence[BaseRoute], scope: Scope) -> list[str]:
    """The methods that a path understands, those of updates among them."""
    path = scope["path"]
    return [
        method
        for method in METHODS
        if find_target(method, path) is not None
        or any(route.matches({**scope, "method": as_asked(method, path)})[0] is Match.FULL for route in routes)
    ]


def _problems(error: Exception) -> list[Problem]:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    return [
        Problem(str(each["loc"][-1]), "invalid_value", {"reason": f"{each['loc'][-1]}: {each['msg']}"})
        for each in found
    ]
