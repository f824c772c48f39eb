"""Addresses in posting instructions: built from where this server is reached, never from what a request says of it."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from ringback.app import build
from ringback.settings import read_settings
from tests.console.visitor import Visitor, visiting
from tests.live import Live, running
from tests.world import build_world

PAGE = "/a/acme/posting-instructions/1"
ENDPOINT = "/api/v1/calls/update_call/<trackdrive_call_uuid>"


def url(visitor: Visitor, query: str = "") -> str:
    found = re.search(r'id="url"[^>]*>([^<]*)<', visitor.get(f"{PAGE}{query}").html)
    assert found is not None
    return unescape(found[1]).removesuffix(ENDPOINT)


@pytest.mark.parametrize(
    ("public_url", "base_domain", "first", "other"),
    [
        ("https://rb.example", "rb.example", "https://acme.rb.example", "https://rb.example/a/acme"),
        ("https://rb.example/", "rb.example", "https://acme.rb.example", "https://rb.example/a/acme"),
        ("https://rb.example:8443", "RB.example", "https://acme.rb.example:8443", "https://rb.example:8443/a/acme"),
        ("http://localhost:8080", "localhost", "http://localhost:8080/a/acme", "http://acme.localhost:8080"),
        ("http://203.0.113.7:8080", "203.0.113.7", "http://203.0.113.7:8080/a/acme", ""),
        ("http://[2001:db8::7]:80", "2001:db8::7", "http://[2001:db8::7]:80/a/acme", ""),
    ],
)
def test_come_from_the_public_url_and_the_base_domain(
    tmp_path: Path, public_url: str, base_domain: str, first: str, other: str
) -> None:
    database = f"sqlite:///{tmp_path / 'ringback.sqlite'}"
    app = build(read_settings(database_url=database, public_url=public_url, base_domain=base_domain))
    with running(app, build_world(app.database)) as live:
        ada = visiting(live, live.world.ada)
        assert url(ada) == first
        ways = re.findall(r'href="\?address=(\w+)"', ada.shown.html)
        assert len(ways) == (2 if other else 0)
        if other:
            assert url(ada, f"?address={ways[1]}") == other


def test_a_name_of_the_server_that_a_request_makes_up_can_do_nothing(live: Live, ada: Visitor) -> None:
    ada.get(PAGE)
    headers = {"Cookie": f"ringback_session={ada.cookies['ringback_session']}", "Host": "localhost:'$(id)'\"<b>"}
    page = live.request("GET", PAGE, headers=headers, account="").body.decode()
    assert "$(id)" not in page
    assert "<b>" not in page
