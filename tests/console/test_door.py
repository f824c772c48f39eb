"""The door: logging in and out, first run, links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from ringback import clock
from ringback.app import build
from ringback.console.guesses import MOST_FOR_A_USER
from ringback.console.session import COOKIE, form_token
from ringback.services import people
from ringback.settings import read_settings
from ringback.store import accounts
from ringback.store.people import LinkKind
from tests.console.stock import FORM
from tests.console.visitor import PASSWORD, Visitor, visiting
from tests.live import Live, running
from tests.world import World

NEW = "staple staple staple"
FIRST = {
    "name": "Ada",
    "email": "ada@first.example",
    "password": " spaces around ",
    "company": "First",
    "subdomain": "First",
    "time_zone": "Europe/Berlin",
}

ELSEWHERE = [
    *("https://evil.example/", "//evil.example", "///evil.example", "/a/\\evil.example", "/\\evil.example"),
    *("\t//evil.example", "javascript:alert(1)", "http:/a/", "evil.example/a/", "/logout", "a/acme", ""),
]


def make_link(live: Live, kind: LinkKind, secret: str, user: int | None = None) -> None:
    with live.world.database.write() as tx:
        people.make_link(tx, kind, secret, now=clock.now(), user_id=user)


class TestLoggingIn:
    def test_leads_to_where_one_wanted_to_go(self, bob: Visitor) -> None:
        assert bob.log_out().path == "/login"
        assert bob.get("/a/acme/tokens").path == "/login?next=/a/acme/tokens"
        page = bob.post("/login", {"email": "bob@bright.example", "password": PASSWORD, "next": "/a/acme/tokens"})
        assert (page.status, page.path) == (200, "/a/acme/tokens")

    def test_leads_back_with_what_was_looked_for(self, bob: Visitor) -> None:
        bob.log_out()
        page = bob.get("/a/acme/calls?from=2026-01-01&q=a%26next=x")
        assert '<input type="hidden" name="next" value="/a/acme/calls?from=2026-01-01&amp;q=a%26next=x">' in page.html

    @pytest.mark.parametrize("path", ELSEWHERE)
    def test_never_leads_to_another_site(self, bob: Visitor, path: str) -> None:
        bob.log_out()
        page = bob.post("/login", {"email": "bob@bright.example", "password": PASSWORD, "next": path})
        assert page.path.startswith("/a/acme/")

    @pytest.mark.parametrize(
        "path", ["/a/..//evil.example", "/a/%2f/evil.example", "/a/x\r\nSet-Cookie: a=b", "/a/@evil"]
    )
    def test_what_looks_like_another_site_is_a_page_here(self, live: Live, bob: Visitor, path: str) -> None:
        visitor = visiting(live)
        visitor.get("/login")
        form = {"csrf": form_token(visitor.cookies[COOKIE]), "email": "bob@bright.example", "password": PASSWORD}
        cookie = {"Cookie": f"{COOKIE}={visitor.cookies[COOKIE]}"}
        body = urlencode({**form, "next": path})
        reply = live.request("POST", "/login", body=body, headers={**FORM, **cookie}, account="")
        assert (reply.status, "a=b" in reply.headers["set-cookie"]) == (303, False)
        assert urlsplit(urljoin("http://here.example/login", reply.headers["location"])).netloc == "here.example"
        assert bob.get("/a/acme/calls").status == 200

    def test_makes_nothing_of_a_secret_that_was_planted(self, live: Live, bob: Visitor) -> None:
        planted = {COOKIE: "known to Mallory"}
        victim = Visitor(live, dict(planted))
        victim.log_in("bob@bright.example")
        assert victim.get("/a/acme/calls").status == 200
        assert victim.cookies[COOKIE] not in {planted[COOKIE], bob.cookies[COOKIE]}
        assert Visitor(live, dict(planted)).get("/a/acme/calls").path.startswith("/login")

    def test_as_somebody_else_ends_the_session_from_before(self, live: Live, bob: Visitor, ada: Visitor) -> None:
        before = dict(bob.cookies)
        bob.log_in("ada@acme.example")
        assert bob.get("/a/acme/settings").status == 200
        assert Visitor(live, before).get("/a/acme/calls").path.startswith("/login")
        assert ada.get("/a/acme/settings").status == 200

    def test_out_ends_the_session_for_whoever_copied_it(self, live: Live, bob: Visitor) -> None:
        copied = dict(bob.cookies)
        bob.log_out()
        assert Visitor(live, copied).get("/a/acme/calls").path.startswith("/login")

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
        assert page.headers["retry-after"] == "900"
        assert bob.get("/a/acme/calls").status == 200


class TestHome:
    def test_is_the_log_in_or_the_first_account(self, live: Live, bob: Visitor) -> None:
        assert visiting(live).get("/").path == "/login"
        assert bob.get("/").path.startswith("/a/acme/")

    def test_says_what_to_do_without_an_account(self, live: Live) -> None:
        with live.world.database.write() as tx:
            dora = accounts.add_user(tx, "dora@x.example", "Dora", clock.now(), verified=True)
        assert "No company yet" in visiting(live, dora).get("/")


class TestTheFirstRun:
    @pytest.fixture
    def empty(self, database_url: str) -> Iterator[Live]:
        """A server on a database with nobody in it."""
        app = build(read_settings(database_url=database_url))
        with running(app, cast("World", None)) as server:
            yield server

    def open(self, empty: Live) -> Visitor:
        """A browser, and a link that was printed when the server started."""
        with empty.app.database.write() as tx:
            people.make_link(tx, LinkKind.FIRST_RUN, "first", now=clock.now())
        return visiting(empty)

    def test_makes_a_company_and_its_owner_once(self, empty: Live) -> None:
        visitor = self.open(empty)
        assert "You are the first one here." in visitor.get("/first-run/first")
        page = visitor.post("/first-run/first", FIRST)
        assert page.path == "/a/first/overview"
        for path in ("/a/first/settings", "/a/first/tokens", "/a/first/audit", "/a/first/profile"):
            assert visitor.get(path).status == 200
        visitor.log_out()
        assert visitor.log_in("ada@first.example", " spaces around ").path == "/a/first/overview"
        for attempt in (visitor.get("/first-run/first"), visitor.post("/first-run/first", FIRST)):
            assert (attempt.status, "This link was used or has expired." in attempt) == (404, True)

    def test_tells_what_is_wrong_and_leaves_the_link(self, empty: Live) -> None:
        visitor = self.open(empty)
        visitor.get("/first-run/first")
        page = visitor.post("/first-run/first", {**FIRST, "email": "ada", "password": "short", "subdomain": "a.b"})
        assert page.status == 422
        for words in ("is not an e-mail address", "10 to 200 characters", "letters a to z, digits"):
            assert words in page
        assert visitor.post("/first-run/first", FIRST).path == "/a/first/overview"

    def test_is_over_once_there_is_somebody(self, live: Live) -> None:
        make_link(live, LinkKind.FIRST_RUN, "first")
        visitor = visiting(live)
        visitor.get("/login")
        assert visitor.post("/first-run/first", FIRST).status == 404
        with live.world.database.read() as tx:
            assert accounts.find_account(tx, "first") is None


class TestALogInLink:
    def test_lets_in_once_by_a_click(self, live: Live) -> None:
        make_link(live, LinkKind.LOG_IN, "in", live.world.bob)
        visitor = visiting(live)
        for _ in range(2):
            assert "One click, and you are in." in visitor.get("/log-in/in")
        assert visitor.post("/log-in/in").path.startswith("/a/acme/")
        assert visitor.get("/log-in/in").status == 404
        assert visitor.post("/log-in/in").status == 404

    def test_of_nobody_does_not(self, live: Live) -> None:
        make_link(live, LinkKind.LOG_IN, "in")
        visitor = visiting(live)
        visitor.get("/log-in/in")
        assert visitor.post("/log-in/in").status == 404

    def test_of_another_kind_does_not(self, live: Live) -> None:
        make_link(live, LinkKind.RESET, "in", live.world.bob)
        assert visiting(live).get("/log-in/in").status == 404


class TestAResetLink:
    def test_sets_a_password_and_logs_out_every_browser(self, live: Live, bob: Visitor) -> None:
        make_link(live, LinkKind.RESET, "reset", live.world.bob)
        other = visiting(live)
        for _ in range(2):
            assert "For bob@bright.example." in other.get("/reset/reset")
        page = other.post("/reset/reset", {"password": NEW})
        assert (page.path, "Your new password is set. Log in with it." in page) == ("/login", True)
        assert bob.get("/a/acme/calls").path.startswith("/login")
        assert other.log_in("bob@bright.example", PASSWORD).status == 401
        assert other.log_in("bob@bright.example", NEW).path.startswith("/a/acme/")
        assert other.get("/reset/reset").status == 404
        assert other.post("/reset/reset", {"password": NEW}).status == 404

    def test_is_not_spent_by_a_password_that_is_too_short(self, live: Live) -> None:
        make_link(live, LinkKind.RESET, "reset", live.world.bob)
        visitor = visiting(live)
        visitor.get("/reset/reset")
        page = visitor.post("/reset/reset", {"password": "short"})
        assert (page.status, "A password has 10 to 200 characters." in page) == (422, True)
        assert visitor.post("/reset/reset", {"password": NEW}).path == "/login"

    def test_unknown_ones_are_told_nothing(self, live: Live) -> None:
        visitor = visiting(live)
        assert "This link was used or has expired." in visitor.get("/reset/guess")
        visitor.get("/login")
        assert visitor.post("/reset/guess", {"password": NEW}).status == 404
