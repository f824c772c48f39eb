"""The door: logging in and out, first run, links."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from ringback import clock
from ringback.app import build
from ringback.console.guesses import MOST_FOR_A_USER
from ringback.services import people
from ringback.settings import read_settings
from ringback.store import accounts
from ringback.store.people import LinkKind
from tests.console.visitor import PASSWORD, Visitor, visiting
from tests.live import Live, running
from tests.world import World, build_world

NEW = "staple staple staple"
FIRST = {
    "name": "Ada",
    "email": "ada@first.example",
    "password": " spaces around ",
    "company": "First",
    "subdomain": "First",
    "time_zone": "Europe/Berlin",
}


def make_link(live: Live, kind: LinkKind, secret: str, user: int | None = None) -> None:
    with live.world.database.write() as tx:
        people.make_link(tx, kind, secret, now=clock.now(), user_id=user)


class TestLoggingIn:
    def test_leads_to_where_one_wanted_to_go(self, live: Live, bob: Visitor) -> None:
        assert bob.log_out().path == "/login"
        assert bob.get("/a/acme/tokens").path == "/login?next=/a/acme/tokens"
        page = bob.post("/login", {"email": "bob@bright.example", "password": PASSWORD, "next": "/a/acme/tokens"})
        assert (page.status, page.path) == (200, "/a/acme/tokens")
        assert live

    @pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/a/\\evil.example", "/logout"])
    def test_never_leads_to_another_site(self, bob: Visitor, path: str) -> None:
        bob.log_out()
        page = bob.post("/login", {"email": "bob@bright.example", "password": PASSWORD, "next": path})
        assert page.path.startswith("/a/acme/")

    def test_says_the_same_of_wrong_passwords_and_unknown_addresses(self, bob: Visitor) -> None:
        for email, password in (("bob@bright.example", "x"), ("nobody@x.example", PASSWORD), ("a\0b", "\0")):
            bob.log_out()
            page = bob.log_in(email, password)
            assert (page.status, "E-mail address or password is wrong." in page) == (401, True)

    def test_gets_a_fresh_session(self, live: Live, bob: Visitor) -> None:
        stale = dict(bob.cookies)
        bob.log_out()
        bob.log_in("bob@bright.example")
        assert bob.cookies["ringback_session"] != stale["ringback_session"]
        assert Visitor(live, stale).get("/a/acme/calls").path.startswith("/login")

    def test_is_slowed_after_too_many_wrong_passwords(self, live: Live, bob: Visitor) -> None:
        guesser = visiting(live)
        for _ in range(MOST_FOR_A_USER):
            assert guesser.log_in("bob@bright.example", "x").status == 401
        page = guesser.log_in("bob@bright.example")
        assert (page.status, "Too many wrong passwords. Wait 15 minutes, then try again." in page) == (429, True)
        assert bob.get("/a/acme/calls").status == 200

    def test_says_when_to_try_again(self, live: Live) -> None:
        visitor = visiting(live)
        visitor.get("/login")
        form = {"csrf": visitor.csrf, "email": "x@x.example", "password": "x"}
        headers = {
            "Cookie": f"ringback_session={visitor.cookies['ringback_session']}",
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        replies = [
            live.request("POST", "/login", body=urlencode(form), headers=headers, account="")
            for _ in range(MOST_FOR_A_USER + 1)
        ]
        assert [reply.status for reply in replies] == [401] * MOST_FOR_A_USER + [429]
        assert replies[-1].headers["retry-after"] == "900"


class TestTheFirstRun:
    @pytest.fixture
    def empty(self, database_url: str) -> Iterator[Live]:
        """A server on a database with nobody in it."""
        app = build(read_settings(database_url=database_url))
        nobody: World = build_world.__class__  # type: ignore[assignment] # there is no cast
        with running(app, nobody) as server:
            yield server
