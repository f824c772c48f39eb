"""A form that makes something makes it once, however often it is sent."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from ringback import clock
from ringback.services import people
from ringback.services.housekeeping import tidy
from ringback.store.schema import metadata
from tests.console.stock import FORM
from tests.console.visitor import Visitor
from tests.live import Live

ONCE = re.compile(r'name="once" value="([0-9a-f]{48})"')
NEW = {"name": "Quality", "description": "Zapier", "access_type": "calls", "lasts": "never", "overlap": "24"}
ADDED = {"email": "dora@bright.example", "role": "manager"}


def rotating(live: Live) -> str:
    return f"/a/acme/tokens/{live.world.ada_token.id}/rotate"


MAKING = {
    "/a/acme/tokens/new": "access_tokens",
    "/a/acme/developer-tokens/new": "access_tokens",
    "/a/acme/buyers/new": "buyers",
    "/a/acme/traffic-sources/new": "traffic_sources",
    "/a/acme/offers/new": "offers",
    "/a/acme/company/teams/new": "teams",
    "/a/acme/company/people": "memberships",
    "/a/acme/buyers/1": "teams",
    "rotate": "access_tokens",
}
"""Pages with a form that makes something, and the table that it is made in."""

POSTED = {"/a/acme/buyers/1": "/a/acme/buyers/1/team-access"}


def count(live: Live, table: str) -> int:
    with live.world.database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(metadata.tables[table])).scalar_one())


def once_of(visitor: Visitor, path: str) -> str:
    found = ONCE.search(visitor.get(path).html)
    assert found is not None, path
    return found[1]


@pytest.mark.parametrize("path", MAKING)
def test_a_form_sent_twice_makes_one(live: Live, ada: Visitor, path: str) -> None:
    table, page = MAKING[path], rotating(live) if path == "rotate" else path
    before = count(live, table)
    form = {**NEW, **ADDED, "once": once_of(ada, page)}
    posted = POSTED.get(page, page)
    assert ada.post(posted, form).status == 200
    assert count(live, table) == before + 1
    ada.get(page)
    again = ada.post(posted, {**form, "name": "Another", "email": "eve@bright.example"})
    assert (again.status, "This form was sent before" in again) == (409, True)
    assert ada.get(re.findall(r'class="btn" href="([^"]*)"', again.html)[0]).status == 200
    assert count(live, table) == before + 1
    fresh = {**form, "once": once_of(ada, page), "name": "Another", "email": "eve@bright.example"}
    assert ada.post(posted, fresh).status == 200
    assert count(live, table) == before + 2


def test_what_was_refused_may_be_sent_again(ada: Visitor) -> None:
    once = once_of(ada, "/a/acme/tokens/new")
    assert ada.post("/a/acme/tokens/new", {**NEW, "description": "", "once": once}).status == 422
    assert ada.post("/a/acme/tokens/new", {**NEW, "once": once}).status == 200


def test_two_clicks_at_once_make_one(live: Live, ada: Visitor) -> None:
    before, once = count(live, "access_tokens"), once_of(ada, "/a/acme/tokens/new")
    token = re.search(r'name="csrf" value="([^"]*)"', ada.shown.html)
    assert token is not None
    headers = {**FORM, "Cookie": f"ringback_session={ada.cookies['ringback_session']}"}
    body = urlencode({**NEW, "csrf": token[1], "once": once})
    with ThreadPoolExecutor(4) as pool:
        sent = [
            pool.submit(live.request, "POST", "/a/acme/tokens/new", body=body, headers=headers, account="")
            for _ in range(4)
        ]
        assert sorted(each.result().status for each in sent) == [200, 409, 409, 409]
    assert count(live, "access_tokens") == before + 1


def test_the_mark_of_one_visitor_says_nothing_of_another_s(ada: Visitor, bob: Visitor) -> None:
    once = once_of(ada, "/a/acme/tokens/new")
    bob.get("/a/acme/tokens/new")
    for visitor in (bob, ada):
        assert visitor.post("/a/acme/tokens/new", {**NEW, "once": once}).status == 200


def test_a_mark_is_forgotten_after_a_day(live: Live) -> None:
    now = clock.now()
    with live.world.database.write() as tx:
        assert people.spend_form(tx, b"key", now)
        assert not people.spend_form(tx, b"key", now)
        tidy(tx, now + timedelta(days=1))
        assert people.spend_form(tx, b"key", now)
