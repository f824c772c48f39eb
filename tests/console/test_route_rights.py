"""What belongs to others can't be seen or changed in the console: every route that the program has is tried."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from ringback.console import site
from ringback.console.pages import Need, Page
from ringback.store.schema import metadata
from tests.console.routes import MEMBER, ROWS, fill, is_of_account, named_thing, pages
from tests.console.stock import EMAILS, MARKS, STRANGER, SUMS, Stock, csrf
from tests.live import Reply

REACH = {"ada": Need.OWNER, "meg": Need.MANAGER, "bob": Need.MEMBER, "charlie": Need.LOGIN, "dora": Need.LOGIN}
"""How far everybody gets in Acme; the stranger doesn't even get in."""

OUTSIDERS = ("charlie", "dora", STRANGER)
OWN = frozenset({"access_tokens", "audit_log"})
"""Tables in which whoever acts may leave rows of his own, in whatever account he belongs to."""

FORGOTTEN = frozenset({"sessions", "numbers", *SUMS})


def form(acme: Stock, who: str) -> str:
    """What any form of the console may ask for, in one: things of Acme's, and all the power there is."""
    world, things = acme.live.world, acme.things
    typed = dict.fromkeys(("name", "description", "company", "reason"), "Changed")
    levels = {f"right-{name}": "update" for name in ("buyer_converted", "revenue", "contact_fields")}
    ticked = dict.fromkeys(("developer_api", "records_calls", "grants", "reads_auth_token"), "1")
    worth = {"revenue": "1.11", "payout": "1.11", "buyer_converted": "yes", "agreed_revenue": "1.11"}
    named = {"user": acme.people["mike"], "team": things["team"], "buyer": things["buyer"], "call": things["call"]}
    ids = {"account": world.acme, "account_id": world.acme, "user_id": world.ada, "as": world.ada_token.id}
    account = {"email": "charlie@zeta.example", "role": "owner", "old": "wrong", "password": "a new password"}
    settings = {"subdomain": "changed", "time_zone": "UTC", "retry_seconds": "99", "sees": "every", "do": "apply"}
    token = {"access_type": "everything", "lasts": "never", "overlap": "0", "type": "everything", "body": "{}"}
    every = {**typed, **levels, **ticked, **worth, **named, **ids, **account, **settings, **token}
    return urlencode({"csrf": csrf(who), **every})


def rows_of_others(acme: Stock, who: str) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is Acme's or nobody's, but for what a person may change of his own."""
    me, account = acme.people.get(who, 0), acme.live.world.acme
    found: dict[str, list[tuple[Any, ...]]] = {}
    with acme.live.world.database.read() as tx:
        for table in metadata.sorted_tables:
            rows = select(table)
            if "account_id" in table.c:
                rows = rows.where(table.c.account_id.is_not_distinct_from(account))
            if table.name in OWN:
                rows = rows.where(table.c.user_id.is_distinct_from(me))
            if table.name == "users":
                rows = rows.where(table.c.id != me)
            if table.name == "accounts":
                rows = rows.where(table.c.id == account)
            if table.name not in FORGOTTEN:
                found[table.name] = sorted(map(tuple, tx.execute(rows)), key=repr)
    return found


def assert_tells_nothing(reply: Reply, page: Page) -> None:
    """Nothing of what is Acme's own stands in an answer."""
    told = [mark for mark in (*MARKS, *EMAILS) if mark.encode() in reply.body]
    assert not told, (page.method, page.path, told)


def post_and_compare(acme: Stock, page: Page, path: str, who: str) -> Reply:
    """Post to a route with everything in the form; whatever it answers, nothing of others has changed."""
    before = rows_of_others(acme, who)
    reply = acme.open("POST", path, who, form(acme, who))
    after = rows_of_others(acme, who)
    changed = [name for name in after if after[name] != before[name]]
    assert not changed, (page.path, who, changed)
    assert_tells_nothing(reply, page)
    return reply


def is_refused(reply: Reply, who: str) -> bool:
    """Whether somebody was turned away: to the log-in, or as if there were no such page."""
    if who == STRANGER:
        return reply.status == 303 and reply.headers["location"].startswith("/login")
    return reply.status == 404


LATE = ("/remove", "/revoke", "/delete", "/invitations")
"""What ends a thing, or is about what others make."""


class TestTheTable:
    def test_names_every_route_there_is_and_who_may_use_it(self) -> None:
        said = {(method, path, need) for path, row in ROWS.items() for method, need in _needs(path)}
        assert {(page.method, page.path, page.need) for page in site.PAGES} == said

    def test_every_thing_in_a_path_is_stocked(self, acme: Stock) -> None:
        assert {row.thing for row in ROWS.values() if "{" in row.path.replace("{account}", "")} <= acme.things.keys()


def _needs(path: str) -> list[tuple[str, Need]]:
    row = ROWS[path]
    return [(method, need) for method, need in (("GET", row.get), ("POST", row.post)) if need is not None]


class TestNobodySees:
    @pytest.mark.parametrize("who", OUTSIDERS)
    def test_anything_who_is_not_of_the_account(self, acme: Stock, who: str) -> None:
        for page in pages("GET"):
            reply = acme.open("GET", fill(page, acme), who)
            assert_tells_nothing(reply, page)
            if is_of_account(page):
                assert is_refused(reply, who), page.path

    def test_more_than_his_own_who_is_on_a_team(self, acme: Stock) -> None:
        for page in filter(is_of_account, pages("GET")):
            reply = acme.open("GET", fill(page, acme), "bob")
            assert_tells_nothing(reply, page)
            if page.need > MEMBER or named_thing(page):
                assert reply.status == 404, page.path
            else:
                assert reply.status in {200, 204, 303}, page.path

    def test_what_only_owners_may_see(self, acme: Stock) -> None:
        for page in filter(is_of_account, pages("GET")):
            reply = acme.open("GET", fill(page, acme), "meg")
            assert (reply.status == 404) is (page.need is Need.OWNER or is_hers_alone(page)), page.path

    def test_things_of_another_company_under_his_own(self, acme: Stock) -> None:
        for page in filter(is_of_account, pages("GET")):
            reply = acme.open("GET", fill(page, acme, "zeta"), "charlie")
            assert_tells_nothing(reply, page)
            assert (reply.status == 404) is bool(named_thing(page)), page.path


def is_hers_alone(page: Page) -> bool:
    """Whether a route shows what is of one person alone, here Ada."""
    return named_thing(page) in {"basic", "developer"}


class TestNobodyChanges:
    @pytest.mark.parametrize("who", OUTSIDERS)
    def test_anything_who_is_not_of_the_account(self, acme: Stock, who: str) -> None:
        for page in pages("POST"):
            if page.path == "/logout":
                continue
            reply = post_and_compare(acme, page, fill(page, acme), who)
            if is_of_account(page):
                assert is_refused(reply, who), page.path
            else:
                assert reply.status in {401, 404, 429}, page.path

    def test_more_than_his_own_who_is_on_a_team(self, acme: Stock) -> None:
        for page in filter(is_of_account, pages("POST")):
            reply = post_and_compare(acme, page, fill(page, acme), "bob")
            if page.need > MEMBER or named_thing(page):
                assert reply.status == 404, page.path

    def test_what_only_owners_may_change(self, acme: Stock) -> None:
        for page in pages("POST"):
            if page.need is Need.OWNER:
                assert post_and_compare(acme, page, fill(page, acme), "meg").status == 404, page.path

    def test_things_of_another_company_under_his_own(self, acme: Stock) -> None:
        for page in filter(is_of_account, pages("POST")):
            reply = post_and_compare(acme, page, fill(page, acme, "zeta"), "charlie")
            if named_thing(page):
                assert reply.status == 404, page.path


def test_reading_changes_nothing(acme: Stock) -> None:
    before = rows_of_others(acme, STRANGER)
    for page in pages("GET"):
        for account in ("acme", "zeta"):
            acme.open("GET", fill(page, acme, account), "ada")
    assert rows_of_others(acme, STRANGER) == before


def test_the_same_requests_do_what_they_say_for_who_may(acme: Stock) -> None:
    """The tests above would be worth nothing if these addresses and forms were refused to everybody."""
    told = set()
    for page in pages("GET"):
        reply = acme.open("GET", fill(page, acme), "ada")
        told |= {mark for mark in (*MARKS, *EMAILS) if mark.encode() in reply.body}
        if is_of_account(page):
            assert reply.status in {200, 204, 303}, page.path
    assert told == {*MARKS, *EMAILS}
    for page in sorted(filter(is_of_account, pages("POST")), key=_how_final):
        reply = acme.open("POST", fill(page, acme), "ada", form(acme, "ada"))
        assert reply.status in {200, 303, 401, 409, 422}, (page.path, reply.status)


def _how_final(page: Page) -> int:
    """What waits comes first, since anything may let it through, and tokens of others, who may be made owners."""
    return -1 if "/updates/" in page.path or "/settings/tokens/" in page.path else int(page.path.endswith(LATE))
