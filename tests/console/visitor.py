"""A person with a browser: keeps cookies, follows redirects, fills in the forms of pages."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from ringback.services import passwords
from ringback.store import accounts, people
from tests.live import Live

PASSWORD = "correct horse battery"
REDIRECTS = {302, 303, 307}

_TOKEN = re.compile(r'name="csrf" value="([^"]*)"')
_TAG = re.compile(r"<[^>]*>")

Form = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Shown:
    """A page as it came: its status, where it ended up, its HTML."""

    status: int
    path: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What a reader reads, on one line."""
        return " ".join(unescape(_TAG.sub(" ", self.html)).split())

    def __contains__(self, words: str) -> bool:
        return words in self.text


@dataclass
class Visitor:
    """One browser, and the page that it shows."""

    live: Live
    cookies: dict[str, str] = field(default_factory=dict)
    shown: Shown = field(default_factory=lambda: Shown(0, "/", ""))

    def get(self, path: str) -> Shown:
        """Open a page."""
        return self._follow("GET", path, "", {})

    def post(self, path: str, form: Form | None = None, *, site: str = "same-origin", csrf: str | None = None) -> Shown:
        """Send a form; its token is that of the page shown, unless another is given."""
        body = urlencode({"csrf": self._token() if csrf is None else csrf, **(form or {})}, doseq=True)
        headers = {"Sec-Fetch-Site": site, "Content-Type": "application/x-www-form-urlencoded"}
        return self._follow("POST", path, body, headers)

    def log_in(self, email: str, password: str = PASSWORD) -> Shown:
        """Log in with a password."""
        self.get("/login")
        return self.post("/login", {"email": email, "password": password})

    def log_out(self) -> Shown:
        """Log out."""
        return self.post("/logout")

    def _token(self) -> str:
        found = _TOKEN.search(self.shown.html) or _TOKEN.search(self.get("/login").html)
        assert found is not None
        return found[1]

    def _follow(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> Shown:
        self.shown = self._send(method, path, body, headers)
        while self.shown.status in REDIRECTS:
            self.shown = self._send("GET", self.shown.headers["location"], "", {})
        return self.shown

    def _send(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> Shown:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1", self.live.port, timeout=30)
        try:
            sent = {"Host": f"localhost:{self.live.port}", "Cookie": cookies, **headers}
            connection.request(method, path, body=body or None, headers=sent)
            answer = connection.getresponse()
            self._keep(answer.headers.get_all("set-cookie") or ())
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Shown(answer.status, path, answer.read().decode(), told)
        finally:
            connection.close()

    def _keep(self, set_cookies: Sequence[str]) -> None:
        for line in set_cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]


@cache
def _password_hash() -> str:
    return passwords.choose(PASSWORD).hash


def visiting(live: Live, user_id: int | None = None) -> Visitor:
    """A fresh browser; logged in, if a user is given."""
    browser = Visitor(live)
    if user_id is None:
        return browser
    with live.world.database.write() as tx:
        accounts.change_user(tx, user_id, password_hash=_password_hash())
        user = people.find_user(tx, user_id)
    assert user is not None
    browser.log_in(user.email)
    return browser
