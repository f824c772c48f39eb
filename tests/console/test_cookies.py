"""Cookies under TLS: the browser itself keeps them from other hosts and from plain http; the log says who came in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest

from ringback.app import build
from ringback.console.session import form_token
from ringback.services import passwords, people
from ringback.settings import read_settings
from tests.console.visitor import PASSWORD
from tests.live import Live, running
from tests.world import build_world

HSTS = "strict-transport-security"
PROXIED = {"X-Forwarded-Proto": "https"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://localhost:{port}"}


@pytest.fixture(scope="module", params=["", "https://calls.example.com"])
def public_url(request: pytest.FixtureRequest) -> str:
    """Where people reach the server, if that is set."""
    return str(request.param)


@pytest.fixture(scope="module")
def proxied(public_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server behind a proxy on the same machine that speaks TLS."""
    url = f"sqlite:///{Path(tmp_path_factory.mktemp('proxied')) / 'ringback.sqlite'}"
    app = build(read_settings(database_url=url, public_url=public_url, trusted_proxies="127.0.0.1"))
    world = build_world(app.database)
    with world.database.write() as tx:
        people.set_password(tx, world.bob, passwords.choose(PASSWORD))
    with running(app, world) as live:
        yield live


def send(
    live: Live, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
) -> tuple[dict[str, Morsel[str]], dict[str, str]]:
    """The cookies that an answer sets, and its headers."""
    connection = HTTPConnection("127.0.0.1", live.port, timeout=30)
    sent = {"Host": f"localhost:{live.port}", **(PROXIED if headers is None else headers)}
    connection.request(method, path, body or None, {name: value.format(port=live.port) for name, value in sent.items()})
    answer = connection.getresponse()
    answer.read()
    lines = answer.headers.get_all("set-cookie") or []
    connection.close()
    cookies = {name: morsel for line in lines for name, morsel in SimpleCookie(line).items()}
    return cookies, {name.lower(): value for name, value in answer.headers.items()}


def log_in(live: Live, password: str = PASSWORD) -> tuple[dict[str, Morsel[str]], dict[str, str]]:
    form = {
        "csrf": form_token("before"),
        "email": "bob@bright.example",
        "password": password,
        "next": "/a/acme/profile",
    }
    cookie = {"Cookie": "__Host-ringback_session=before"}
    return send(live, "POST", "/login", urlencode(form), {**PROXIED, **FORM, **cookie})


def check_cookie(morsel: Morsel[str]) -> None:
    """A cookie that is kept from scripts, other sites, other hosts and plain http."""
    assert morsel.key.startswith("__Host-")
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"]) == (True, True, "lax")
    assert (morsel["path"], morsel["domain"]) == ("/", "")


def test_every_cookie_is_for_this_host_and_tls_alone(proxied: Live) -> None:
    seen = set()
    cookies, headers = log_in(proxied)
    assert headers["location"] == "/a/acme/profile"
    secret = cookies["__Host-ringback_session"].value
    form = urlencode({"csrf": form_token(secret), "name": "Robert"})
    cookie = {"Cookie": f"__Host-ringback_session={secret}; __Host-ringback_flash=x"}
    for answered in (
        cookies,
        send(proxied, "GET", "/login")[0],
        send(proxied, "POST", "/a/acme/profile", form, {**PROXIED, **FORM, **cookie})[0],
        send(proxied, "GET", "/a/acme/profile", "", {**PROXIED, **cookie})[0],
        send(proxied, "POST", "/logout", form, {**PROXIED, **FORM, **cookie})[0],
    ):
        for morsel in answered.values():
            check_cookie(morsel)
            seen.add((morsel.key, morsel["max-age"]))
    day = 86_400
    assert {("__Host-ringback_session", str(14 * day)), ("__Host-ringback_session", "0")} <= seen
    assert {("__Host-ringback_flash", "60"), ("__Host-ringback_flash", "0")} <= seen


def test_browsers_are_told_to_come_by_tls_only(proxied: Live) -> None:
    for path in ("/login", "/a/acme/calls", "/static/ringback.css"):
        assert send(proxied, "GET", path)[1][HSTS] == "max-age=31536000; includeSubDomains"


def test_a_proxy_that_is_not_trusted_says_nothing(live: Live) -> None:
    cookies, headers = send(live, "GET", "/login")
    assert set(cookies) == {"ringback_session"}
    assert HSTS not in headers


@pytest.mark.parametrize("told", [{}, {"X-Forwarded-Proto": "http"}, {"X-Forwarded-Proto": "https, http"}])
def test_plain_http_is_told_as_such_unless_the_address_of_all_is_under_tls(
    proxied: Live, public_url: str, told: Mapping[str, str]
) -> None:
    assert (HSTS in send(proxied, "GET", "/login", "", told)[1]) is bool(public_url)


def test_the_log_says_who_came_in_and_who_was_refused(proxied: Live, capfd: pytest.CaptureFixture[str]) -> None:
    log_in(proxied)
    log_in(proxied, "a wrong password")
    send(proxied, "POST", "/login", "", {**PROXIED, "Origin": "https://evil.example", "Cookie": "x=1"})
    lines = [msgspec.json.decode(line) for line in capfd.readouterr().err.splitlines()]
    told = [(line["event"], line.get("user_id"), line.get("ip"), line.get("code")) for line in lines]
    assert told == [
        ("logged in", proxied.world.bob, "127.0.0.1", None),
        ("log-in refused", None, "127.0.0.1", "wrong_password"),
        ("post from elsewhere refused", None, "127.0.0.1", None),
    ]
    for secret in ("a wrong password", PASSWORD, "bob@bright.example"):
        assert secret not in str(lines)
