"""The reference documentation as pages: made of the OpenAPI document and the tables of codes and attributes.

They need no JavaScript, and load nothing from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from ringback.api.answers import NEWLINE, encode
from ringback.api.examples import sample
from ringback.api.prose import breakable, highlighted, prose
from ringback.api.reference import first_steps, sections
from ringback.api.schemas import values_of
from ringback.domain.attributes import UPDATABLE
from ringback.domain.errors import CODES, ON_PAGES
from ringback.domain.waiting import HELD, LIFETIME

STATUSES: Mapping[int, str] = {
    200: "Done",
    201: "Made",
    400: "Can't be read",
    401: "Who are you?",
    403: "Known, but may not",
    404: "No such thing here",
    405: "Not understood here",
    408: "Too slow",
    409: "Already used",
    413: "Too large",
    421: "Not served here",
    422: "Read, but not right",
    429: "Too often",
    431: "Too long",
    500: "Our fault",
    503: "Not now",
}
"""What each status means, in a few words."""

PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""The headers of every page."""

_FILE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_HERE = Path(__file__).parent
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")


def routes(document: Callable[[], Mapping[str, Any]], public_url: str) -> list[BaseRoute]:
    """The pages, what they are drawn with, and the document itself.

    Args:
        document: makes the OpenAPI document, once.
        public_url: where people reach this server, if that is set; its scheme is that of addresses in examples.
    """
    pages = _environment()

    def page(name: str, **values: Any) -> Response:  # noqa: ANN401 - what the page shows
        html = pages.get_template(f"docs/{name}.html").render(
            page=name, version=document()["info"]["version"], **values
        )
        return HTMLResponse(html, headers=PAGE_HEADERS)

    def reference(request: Request) -> Response:
        base = base_url(request, urlsplit(public_url).scheme)
        return page("reference", steps=first_steps(base), sections=sections(document(), base))

    def errors(_request: Request) -> Response:
        return page("errors", groups=_codes())

    def attributes(_request: Request) -> Response:
        rows = [(attribute, values_of(attribute)) for attribute in UPDATABLE]
        return page("attributes", rows=rows)

    def openapi(_request: Request) -> Response:
        return Response(encode(document()) + NEWLINE, media_type="application/json", headers=_FILE_HEADERS)

    return [
        Route("/api/docs", reference),
        Route("/api/docs/errors", errors),
        Route("/api/docs/attributes", attributes),
        Route("/api/openapi.json", openapi),
        Mount("/api/static", StaticFiles(directory=_HERE / "static")),
    ]


def base_url(request: Request, scheme: str = "") -> str:
    """What the addresses on a page begin with: the reader's own way to the account, if it names one."""
    host = request.headers.get("host", "")
    origin = f"{scheme or request.url.scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"
    account: str = request.state.account
    by_path = request.scope.get("raw_path", b"").startswith(b"/a/")
    return f"{origin}/a/{account or 'your-subdomain'}" if by_path or not account else origin


def _environment() -> Environment:
    loader = FileSystemLoader(_HERE / "templates")
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    style = sha256((_HERE / "static" / "docs.css").read_bytes()).hexdigest()[:12]
    pages.globals["style"] = f"/api/static/docs.css?{style}"
    pages.filters |= {"prose": prose, "highlighted": highlighted, "breakable": breakable}
    return pages


def _codes() -> list[tuple[int, str, list[dict[str, object]]]]:
    """Every code under its status, with what it says and how long such an update is kept."""
    groups: dict[int, list[dict[str, object]]] = {}
    for name, code in CODES.items():
        if name in ON_PAGES:
            continue
        refusal = sample(name)
        kept = LIFETIME[HELD[name]] if name in HELD else None
        told: dict[str, object] = {"name": name, "title": refusal.title, "hint": refusal.hint, "kept": kept}
        groups.setdefault(code.status, []).append(told)
    return [(status, STATUSES[status], groups[status]) for status in sorted(groups)]
