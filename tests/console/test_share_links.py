"""Share links in the console: shown once, opened without a log-in, revoked; only instructions behind them."""

from __future__ import annotations

import re
from datetime import timedelta
from http.client import HTTPConnection

import pytest
from sqlalchemy import update

from ringback import clock
from ringback.store.schema import share_links
from ringback.store.values import to_moment
from tests.console.deeds import told
from tests.console.posting import another_buyer
from tests.console.visitor import Shown, Visitor, visiting
from tests.live import Live

PAGE = "/a/acme/posting-instructions/1"
MAKE, REVOKE = f"{PAGE}/share-links", f"{PAGE}/revoke"
LINK = re.compile(r"http://localhost:\d+(/share/[0-9a-f]{32})\b")
ROW = re.compile(r'name="link" value="([^"]*)"')
ONCE = re.compile(r'name="once" value="([^"]*)"')
KEPT_OUT = {"cache-control": "no-store", "x-robots-tag": "noindex", "referrer-policy": "no-referrer"}


def make(visitor: Visitor) -> str:
    """Make a link by the form of the page; returns its path."""
    once = ONCE.search(visitor.get(PAGE).html)
    assert once is not None
    page = visitor.post(MAKE, {"once": once[1]})
    assert page.status == 200
    found = LINK.search(page.html)
    assert found is not None
    return found[1]


def ids(visitor: Visitor) -> list[str]:
    """The links that the page lists."""
    return ROW.findall(visitor.get(PAGE).html)


def anybody(live: Live, path: str) -> Shown:
    """What somebody sees who is not logged in."""
    return visiting(live).get(path)


def assert_opens_nothing(live: Live, path: str) -> None:
    page = anybody(live, path)
    assert page.status == 404
    assert "This link opens nothing." in page
    assert KEPT_OUT.items() <= page.headers.items()
    assert page.html == anybody(live, "/share/" + "0" * 32).html


def test_a_link_shows_the_instructions_without_a_log_in(live: Live, ada: Visitor) -> None:
    page = anybody(live, make(ada))
    assert page.status == 200
    assert "Posting instructions for Bright Roofing" in page
    assert "How to post conversions of calls back to Acme Media" in page
    assert f"http://localhost:{live.port}/a/acme/api/v1/calls/update_call/<trackdrive_call_uuid>" in page
    for told_there in ("curl", "Python", "PHP", "JavaScript", "Ringba", "Retreaver", "Zapier", "n8n"):
        assert f"<summary>{told_there}</summary>" in page.html


def test_it_says_the_same_as_the_page_in_the_account(live: Live, ada: Visitor) -> None:
    shared, own = anybody(live, make(ada)).html, ada.get(PAGE).html
    blocks = re.compile(r'<(?:pre|code)[^>]* id="([^"]*)"[^>]*>([^<]*)<')
    assert blocks.findall(shared) == blocks.findall(own)
    assert len(blocks.findall(shared)) > 20


def test_the_address_can_be_chosen_there_too(live: Live, ada: Visitor) -> None:
    page = anybody(live, f"{make(ada)}?address=host")
    assert f"http://acme.localhost:{live.port}/api/v1/calls/update_call/<trackdrive_call_uuid>" in page


@pytest.mark.parametrize("who", ["nobody", "ada", "charlie"])
def test_nothing_of_the_account_stands_there_whoever_reads_it(
    live: Live, ada: Visitor, charlie: Visitor, who: str
) -> None:
    path = make(ada)
    page = {"nobody": visiting(live), "ada": ada, "charlie": charlie}[who].get(path)
    world = live.world
    secrets = (world.ada_token, world.bob_token, world.bob_developer_token)
    kept = [each for token in secrets for each in (token.public_key, token.private_key, token.token, token.basic)]
    people = ("Ada", "ada@acme.example", "Bob", "bob@bright.example", "Charlie", "charlie@zeta.example")
    for secret in (*filter(None, kept), *people, "Zeta", "company/teams", "Revoke", "csrf", "may update now"):
        assert secret not in page.html


def test_its_page_is_kept_out_of_caches_search_engines_and_other_sites(live: Live, ada: Visitor) -> None:
    headers = anybody(live, make(ada)).headers
    assert KEPT_OUT.items() <= headers.items()
    assert "default-src 'none'" in headers["content-security-policy"]
    assert ada.get(PAGE).headers["referrer-policy"] == "same-origin"


def test_each_header_comes_once(live: Live, ada: Visitor) -> None:
    path = make(ada)
    connection = HTTPConnection("127.0.0.1", live.port, timeout=30)
    connection.request("GET", path, headers={"Host": f"localhost:{live.port}"})
    headers = connection.getresponse().headers
    connection.close()
    for name, value in KEPT_OUT.items():
        assert headers.get_all(name) == [value]


def test_it_is_shown_once_and_listed_without_its_secret(ada: Visitor) -> None:
    path = make(ada)
    page = ada.get(PAGE)
    assert path.removeprefix("/share/") not in page.html
    assert len(ids(ada)) == 1
    assert "just now ada@acme.example in 30 d" in page


def test_a_form_sent_twice_makes_one(ada: Visitor) -> None:
    once = ONCE.search(ada.get(PAGE).html)
    assert once is not None
    assert ada.post(MAKE, {"once": once[1]}).status == 200
    assert ada.post(MAKE, {"once": once[1]}).status == 409
    assert len(ids(ada)) == 1


def test_a_revoked_link_opens_the_same_page_as_one_that_never_was(live: Live, ada: Visitor) -> None:
    first, second = make(ada), make(ada)
    newest, oldest = ids(ada)
    assert "The link is revoked: nobody can open it any more." in ada.post(REVOKE, {"link": oldest})
    assert ids(ada) == [newest]
    assert_opens_nothing(live, first)
    assert anybody(live, second).status == 200
    assert "That link worked no more." in ada.post(REVOKE, {"link": oldest})


def test_so_does_one_that_has_expired(live: Live, ada: Visitor) -> None:
    path = make(ada)
    with live.world.database.write() as tx:
        tx.execute(update(share_links).values(expires_at=to_moment(clock.now() - timedelta(seconds=1))))
    assert_opens_nothing(live, path)
    assert ids(ada) == []


@pytest.mark.parametrize("secret", ["", "x", "%00", "%ff", "../login", "a" * 5000])
def test_what_is_no_link_opens_nothing(live: Live, secret: str) -> None:
    assert anybody(live, f"/share/{secret}").status == 404


def test_making_and_revoking_is_on_the_audit_log(live: Live, ada: Visitor) -> None:
    path = make(ada)
    ada.post(REVOKE, {"link": ids(ada)[0]})
    ((subject, details),) = told(live, "share_link.made")
    assert subject == "buyer Bright Roofing"
    assert str(details["works_until"]).endswith(" UTC")
    assert told(live, "share_link.revoked") == [("buyer Bright Roofing", {})]
    page = ada.get("/a/acme/audit")
    assert "Share link: made" in page
    assert path.removeprefix("/share/") not in page.html


def test_a_manager_may_make_and_revoke_them(meg: Visitor) -> None:
    make(meg)
    assert "The link is revoked" in meg.post(REVOKE, {"link": ids(meg)[0]})


def test_nobody_else_may(live: Live, ada: Visitor, bob: Visitor, charlie: Visitor) -> None:
    path = make(ada)
    (link,) = ids(ada)
    for visitor in (bob, charlie):
        assert visitor.post(MAKE, csrf=None).status == 404
        assert visitor.post(REVOKE, {"link": link}).status == 404
    assert charlie.post("/a/zeta/posting-instructions/1/revoke", {"link": link}).status == 404
    assert ids(ada) == [link]
    assert anybody(live, path).status == 200


def test_a_link_is_revoked_only_by_its_own_buyer_s_page(live: Live, ada: Visitor) -> None:
    other = another_buyer(live)
    path = make(ada)
    ada.post(f"/a/acme/posting-instructions/{other}/revoke", {"link": ids(ada)[0]})
    assert anybody(live, path).status == 200


def test_too_many_links_are_refused_with_a_reason(ada: Visitor) -> None:
    for _ in range(20):
        make(ada)
    assert "A buyer has at most 20 links; revoke one first." in ada.post(MAKE)
    assert len(ids(ada)) == 20
