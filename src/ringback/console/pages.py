"""What every page is made with: who visits, in which account, the templates, flash messages, redirects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, unquote

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ringback.console import session, shown
from ringback.console.guesses import Guesses
from ringback.domain.access import Principal
from ringback.domain.errors import Refusal
from ringback.domain.mailing import Letter
from ringback.domain.retention import Retention
from ringback.sealing import Seal
from ringback.services.audit import Actor
from ringback.store import accounts
from ringback.store.access import Account
from ringback.store.accounts import User
from ringback.store.engine import Database

STATIC = Path(__file__).parent / "static"

Done = TypeVar("Done")

_NUMBER = re.compile(r"[0-9]{1,18}")


class Mailer(Protocol):
    """What sends mails."""

    def send(self, letter: Letter) -> None:
        """Send a mail.

        Raises:
            MailError: it was not taken.
        """

    def later(self, job: Callable[[], None]) -> None:
        """Do something soon that may end in sending a mail."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A mail that goes out once the transaction of its page is committed, and the secret of the link in it."""

    letter: Letter
    secret: str


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
    base_domain: str
    version: str
    guesses: Guesses
    find_seal: Callable[[], Seal]
    retention: Retention
    mailer: Mailer | None = None


@dataclass(slots=True)
class Visit:
    """One request for a page: who, where, the transaction that it runs in, and what was done ahead of it."""

    request: Request
    tools: Tools
    form: Mapping[str, list[str]]
    secret: str
    csrf: str
    page: str
    tx: Connection = field(init=False)
    ahead: object = None
    user: User | None = None
    account: Account | None = None
    principal: Principal | None = None
    accounts: tuple[Account, ...] = ()
    badges: Mapping[str, int] = field(default_factory=dict)
    need: Need = Need.NOBODY
    sending: Sending | None = None
    undelivered: str = ""
    again: Callable[[], Response] | None = None

    def done_ahead(self, kind: type[Done]) -> Done:
        """What the page did ahead of its transaction.

        Raises:
            Refusal: why it could not be done.
        """
        if isinstance(self.ahead, Refusal):
            raise self.ahead
        assert isinstance(self.ahead, kind)  # noqa: S101 - the page itself did it
        return self.ahead

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

    def fresh_once(self) -> str:
        """The mark of a form that counts only once."""
        return self.tools.random().hex()

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

    def hold_settings(self) -> None:
        """Let others wait who want to change the settings too, if this is a change: what is looked at now stays so."""
        if self.request.method == "POST":
            accounts.lock_settings(self.tx, self.here.id)

    @property
    def is_member_only(self) -> bool:
        """Whether he neither owns nor manages the account."""
        return not self.actor.runs_account


@dataclass(frozen=True, slots=True)
class Page:
    """One route of the console: every one states who may use it, so that tests can try them all.

    ``ahead`` does what takes long, before the transaction: looking at a password must not keep others from writing.
    ``reads`` says that it only looks, though it is posted: what it looks at is too much for an address.
    """

    method: str
    path: str
    show: Callable[[Visit], Response]
    need: Need
    ahead: Callable[[Visit], object] | None = None
    reads: bool = False


_environment = Environment(
    loader=PackageLoader("ringback.console"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(shown.FILTERS)


def render(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401
    """A page from its template; it can be made again from the same values, after a mail could not be sent."""
    visit.again = partial(render, visit, template, status=status, **values)
    flash = session.read_flash(visit.request)
    html = _environment.get_template(template).render(
        visit=visit, flash=_read_flash(flash), path=visit.request.url.path, **values
    )
    response = HTMLResponse(html, status)
    if flash:
        session.set_flash(visit.request, response, "")
    return response


class Onward(RedirectResponse):
    """On to another page, with a message to be shown there."""

    def __init__(self, path: str, flash: str) -> None:
        super().__init__(path, 303)
        self.flash = flash


def go(path: str, message: str = "", kind: str = "success") -> Response:
    """On to another page, where a message says what was done."""
    return Onward(path, quote(msgspec.json.encode([kind, message]).decode()) if message else "")


def field_errors(refusal: Refusal) -> dict[str, str]:
    """What is wrong with a form, by field; under ``form`` what is wrong with the whole."""
    return {problem.field: problem.message for problem in refusal.problems} or {"form": refusal.title}


def _trimmed(text: str) -> str:
    """The text without blanks around it, and without NUL, which no database takes."""
    return text.replace("\0", "").strip()


def _read_flash(cookie: str) -> tuple[str, str] | None:
    try:
        kind, message = msgspec.json.decode(unquote(cookie), type=tuple[str, str])
    except msgspec.MsgspecError:
        return None
    return (kind if kind in {"success", "warning", "danger"} else "success", message)
