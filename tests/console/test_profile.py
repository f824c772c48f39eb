"""Profile: name, password, and where one is logged in."""

from __future__ import annotations

import pytest

from ringback.console.guesses import MOST_FOR_A_USER
from ringback.console.shown import browser
from ringback.services import people
from ringback.store import accounts
from ringback.store import people as store
from ringback.store.people import LinkKind
from tests.console.visitor import PASSWORD, Visitor, visiting
from tests.live import Live
from tests.services.requests import NOW

PROFILE = "/a/acme/profile"
NEW = "staple staple staple"


def test_a_name_is_changed(live: Live, bob: Visitor) -> None:
    page = bob.post(PROFILE, {"name": " Robert  Bright "})
    assert "Your name is saved." in page
    assert 'value="Robert Bright"' in page.html
    page = bob.post(PROFILE, {"name": " "})
    assert (page.status, "A name is empty." in page) == (422, True)
    with live.world.database.read() as tx:
        assert [user.name for user in accounts.list_users(tx)] == ["Ada", "Robert Bright", "Charlie"]


def test_a_password_is_changed_and_other_browsers_are_logged_out(live: Live, bob: Visitor) -> None:
    other = visiting(live)
    other.log_in("bob@bright.example")
    before = dict(bob.cookies)
    page = bob.post(f"{PROFILE}/password", {"old": PASSWORD, "password": NEW})
    assert "every other browser is logged out" in page
    assert Visitor(live, before).get(PROFILE).path.startswith("/login"), "not even under the secret from before"
    assert bob.get(PROFILE).status == 200
    assert other.get(PROFILE).path.startswith("/login")
    assert other.log_in("bob@bright.example").status == 401
    assert other.log_in("bob@bright.example", NEW).status == 200


@pytest.mark.parametrize(
    ("old", "new", "status", "words"),
    [
        ("wrong", NEW, 401, "This is not your password."),
        (PASSWORD, "short", 422, "A password has 10 to 200 characters."),
        ("wrong", "short", 422, "A password has 10 to 200 characters."),
    ],
)
def test_a_password_that_cannot_be_changed_stays(live: Live, old: str, new: str, status: int, words: str) -> None:
    bob = visiting(live, live.world.bob)
    page = bob.post(f"{PROFILE}/password", {"old": old, "password": new})
    assert (page.status, words in page) == (status, True)
    assert bob.log_in("bob@bright.example").status == 200


def test_guessing_the_old_password_is_slowed(bob: Visitor) -> None:
    guess = {"old": "wrong", "password": NEW}
    bob.get(PROFILE)
    codes = [bob.post(f"{PROFILE}/password", guess).status for _ in range(MOST_FOR_A_USER + 1)]
    assert codes == [401] * MOST_FOR_A_USER + [429]
    assert bob.shown.headers["retry-after"] == "900"
    assert bob.post(f"{PROFILE}/password", {"old": PASSWORD, "password": NEW}).status == 429


def test_sessions_are_listed_and_the_others_ended(live: Live, bob: Visitor) -> None:
    assert "Nowhere else." in bob.get(PROFILE)
    other = visiting(live)
    other.log_in("bob@bright.example")
    page = bob.get(PROFILE)
    assert page.text.count("127.0.0.1") == 2
    assert page.text.count("this one") == 1
    assert "You are logged out everywhere else." in bob.post(f"{PROFILE}/log-out-elsewhere")
    assert other.get(PROFILE).path.startswith("/login")
    assert bob.get(PROFILE).status == 200


def test_who_has_no_password_is_told_how_to_get_one(live: Live) -> None:
    with live.world.database.write() as tx:
        people.make_link(tx, LinkKind.LOG_IN, "in", now=NOW, user_id=live.world.bob)
        assert store.find_password(tx, "bob@bright.example") is not None
    bob = visiting(live)
    bob.get("/log-in/in")
    bob.post("/log-in/in")
    page = bob.get(PROFILE)
    assert "You have no password yet" in page
    assert "Password now" not in page
    assert bob.post(f"{PROFILE}/password", {"old": "", "password": NEW}).status == 401


def test_nobody_sees_it_who_is_not_of_the_account(live: Live, charlie: Visitor) -> None:
    assert charlie.get(PROFILE).status == 404
    for path in ("", "/password", "/log-out-elsewhere"):
        assert charlie.post(f"{PROFILE}{path}", {"name": "x", "old": PASSWORD, "password": NEW}).status == 404
    assert visiting(live).get(PROFILE).path.startswith("/login")


WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "named"),
    [
        (f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"{WINDOWS} Chrome/120.0.0.0 Safari/537.36 Edg/120.0", "Edge on Windows"),
        (f"{IPHONE} Version/17.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "Firefox on Linux"),
        ("curl/8.5.0", "curl"),
        ("<script>" * 20, "<script><script><script><script><script><script><script><scr"),
        ("", "unknown"),
    ],
)
def test_browsers_are_named_as_people_know_them(agent: str, named: str) -> None:
    assert browser(agent) == named
