"""What every page is made with: who visits, in which account, the templates, flash messages, redirects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ringback.console import shown
from ringback.console.guesses import Guesses
from ringback.domain.access import Principal
from ringback.domain.errors import Refusal
from ringback.services.audit import Actor
from ringback.store.access import Account
from ringback.store.accounts import User
from ringback.store.engine import Database

STATIC = Path(__file__).parent / "static"
FLASH_COOKIE = "ringback_flash"

_NUMBER = re.compile(r"[0-9]{1,18}")


class Need(IntEnum):
    """Who may see a page, from anybody to owners."""

    NOBODY = 0
    LOGIN = 1
    MEMBER = 2
    MANAGER = 3
    OWNER = 4


@dataclass(frozen=True, slots=True)
class Tools:
    """What pages need from outside, wired by ``app``."""

    database: Database
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    random: Callable[[], bytes]
    public_url: str
    version: str
    guesses: Guesses


@dataclass(slots=True)
class Visit:
    """One request for a page: who, where, and the transaction that it runs in."""

    request: Request
    tx: Connection
    tools: Tools
    form: Mapping[str, list[str]]
    secret: str
    csrf: str
    user: User | None = None
    account: Account | None = None
    principal: Principal | None = None
    accounts: tuple[Account, ...] = ()
    badges: Mapping[str, int] = field(default_factory=dict)
    need: Need = Need.NOBODY

    def text(self, name: str, default: str = "") -> str:
        """A field of the form, trimmed."""
        return _trimmed((self.form.get(name) or [default])[-1])

    def exactly(self, name: str) -> str:
        """A field of the form as it was typed: a password may begin with a space."""
        return (self.form.get(name) or [""])[-1]

    def texts(self, name: str) -> list[str]:
        """Every value of a field of the form."""
        return [value for value in map(_trimmed, self.form.get(name, [])) if value]

    def numbers(self, name: str) -> list[int]:
        """Every value of a field of the form that is a number of something."""
        return [int(value) for value in self.texts(name) if _NUMBER.fullmatch(value)]

    def query(self, name: str, default: str = "") -> str:
        """A value of the query string, trimmed."""
        return _trimmed(self.request.query_params.get(name, default))

    def url(self, path: str) -> str:
        """The address of a page of this account."""
        return f"/a/{self.account.subdomain}{path}" if self.account else path

    @property
    def who(self) -> User:
        """The user who is logged in; pages with a need of LOGIN or more always have one."""
        assert self.user is not None  # noqa: S101 - the need of the page was checked before it ran
        return self.user

    @property
    def here(self) -> Account:
        """The account of the page; pages with a need of MEMBER or more always have one."""
        assert self.account is not None  # noqa: S101
        return self.account

    @property
    def actor(self) -> Principal:
        """The user as he stands in the account."""
        assert self.principal is not None  # noqa: S101
        return self.principal

    @property
    def acting(self) -> Actor:
        """The user as the audit log names him."""
        return Actor(self.actor, self.tools.now(), self.tools.new_id)

    @property
    def number(self) -> int:
        """The number in the path."""
        text: str = self.request.path_params["number"]
        if not _NUMBER.fullmatch(text):
            raise Refusal("not_found", path=self.request.url.path)
        return int(text)

    def link(self, path: str) -> str:
        """The whole address of a page, to be handed to somebody."""
        own = f"{self.request.url.scheme}://{self.request.headers['host']}"
        return f"{self.tools.public_url or own}{path}"

    @property
    def is_member_only(self) -> bool:
        """Whether he neither owns nor manages the account."""
        return not self.actor.runs_account


@dataclass(frozen=True, slots=True)
class Page:
    """One route of the console: every one states who may use it, so that tests can try them all."""

    method: str
    path: str
    show: Callable[[Visit], Response]
    need: Need


_environment = Environment(
    loader=PackageLoader("ringback.console"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(shown.FILTERS)


def render(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401
    """A page from its template."""
    flash = visit.request.cookies.get(FLASH_COOKIE)
    html = _environment.get_template(template).render(
        visit=visit, flash=_read_flash(flash), path=visit.request.url.path, **values
    )
    response = HTMLResponse(html, status)
    if flash:
        response.delete_cookie(FLASH_COOKIE)
    return response


def go(path: str, message: str = "", kind: str = "success") -> Response:
    """On to another page, where a message says what was done."""
    response = RedirectResponse(path, 303)
    if message:
        note = quote(msgspec.json.encode([kind, message]).decode())
        response.set_cookie(FLASH_COOKIE, note, max_age=60, httponly=True, samesite="lax")
    return response


def field_errors(refusal: Refusal) -> dict[str, str]:
    """What is wrong with a form, by field; under ``form`` what is wrong with the whole."""
    return {problem.field: problem.message for problem in refusal.problems} or {"form": refusal.title}


def _trimmed(text: str) -> str:
    """The text without blanks around it, and without NUL, which no database takes."""
    return text.replace("\0", "").strip()


def _read_flash(cookie: str | None) -> tuple[str, str] | None:
    try:
        kind, message = msgspec.json.decode(unquote(cookie or ""), type=tuple[str, str])
    except msgspec.MsgspecError:
        return None
    return (kind if kind in {"success", "warning", "danger"} else "success", message)
