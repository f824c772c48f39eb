"""Posts that a page of somebody else's sends in a visitor's name are refused, on every route there is."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from ringback.store.schema import metadata
from tests.console.routes import fill, is_of_account, pages
from tests.console.stock import FORM, STRANGER, SUMS, Stock, csrf

SITE = "Sec-Fetch-Site"
FIELDS = {"name": "Forged", "email": "mallory@evil.example", "role": "owner", "description": "Forged", "do": "apply"}

ORIGINS: list[Mapping[str, str]] = [
    {},
    {SITE: "cross-site"},
    {SITE: "same-site"},
    {SITE: "none"},
    {SITE: ""},
    {SITE: "cross-site", "Origin": "http://localhost:{port}"},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "https://localhost:{port}"},
    {"Origin": "http://localhost"},
    {"Origin": "http://acme.localhost:{port}"},
    {"Origin": "http://localhost:{port}.evil.example"},
    {"Referer": "http://localhost:{port}/a/acme/settings"},
]
"""Where a post can come from, but from a page of ours; what a browser says of itself counts, and no Referer."""

TOKENS = ["", "x", "0" * 64, csrf("bob"), csrf(""), csrf("ada").upper(), csrf("ada")[:-1], "é"]
"""Tokens that are none of hers."""


def rows(acme: Stock) -> dict[str, list[tuple[Any, ...]]]:
    """Everything there is."""
    tables = [table for table in metadata.sorted_tables if table.name not in SUMS]
    with acme.live.world.database.read() as tx:
        return {table.name: sorted(map(tuple, tx.execute(select(table))), key=repr) for table in tables}


def visitor(path: str) -> str:
    """Who is meant: Ada, or at the door somebody who is not logged in yet."""
    return "ada" if path.startswith("/a/") or path == "/logout" else STRANGER


def test_no_post_counts_that_comes_from_elsewhere(acme: Stock) -> None:
    before = rows(acme)
    for page in pages("POST"):
        path = fill(page, acme)
        who = visitor(path)
        body = urlencode({**FIELDS, "csrf": csrf(who)})
        for origin in ORIGINS:
            headers = {name: value.format(port=acme.live.port) for name, value in origin.items()}
            reply = acme.open("POST", path, who, body, {"Content-Type": FORM["Content-Type"], **headers})
            assert (reply.status, b"Not sent from here" in reply.body) == (403, True), (path, origin)
    assert rows(acme) == before


def test_no_post_counts_without_the_token_of_its_visitor(acme: Stock) -> None:
    before = rows(acme)
    for page in pages("POST"):
        path = fill(page, acme)
        for token in TOKENS:
            reply = acme.open("POST", path, visitor(path), urlencode({**FIELDS, "csrf": token}), FORM)
            assert reply.status == 403, (path, token)
        assert acme.open("POST", path, visitor(path), urlencode(FIELDS), FORM).status == 403
        assert acme.open("POST", path, "", urlencode({**FIELDS, "csrf": csrf("")}), FORM).status == 403
    assert rows(acme) == before


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "multipart/form-data; boundary=x"])
def test_no_post_counts_whose_body_is_no_form(acme: Stock, content_type: str) -> None:
    body = '--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n' + csrf("ada") + "\r\n--x--\r\n"
    for page in filter(is_of_account, pages("POST")):
        sent = {"Content-Type": content_type, SITE: "same-origin"}
        assert acme.open("POST", fill(page, acme), "ada", body, sent).status == 403, page.path


def test_every_other_way_to_change_something_is_closed(acme: Stock) -> None:
    for path in {page.path: fill(page, acme) for page in (*pages("GET"), *pages("POST"))}.values():
        for method in ("PUT", "PATCH", "DELETE"):
            assert acme.open(method, path, "ada", urlencode({"csrf": csrf("ada")})).status == 405, (method, path)


def test_a_post_of_its_own_counts_be_it_told_by_the_site_or_by_the_origin(acme: Stock) -> None:
    for own in ({SITE: "same-origin"}, {"Origin": f"http://localhost:{acme.live.port}"}):
        body = urlencode({"csrf": csrf("bob"), "name": f"Bob {len(own)}"})
        headers = {"Content-Type": FORM["Content-Type"], **own}
        assert acme.open("POST", "/a/acme/profile", "bob", body, headers).status == 303


def test_a_visitor_without_a_cookie_gets_one_that_scripts_and_other_sites_don_t_get(acme: Stock) -> None:
    connection = HTTPConnection("127.0.0.1", acme.live.port, timeout=30)
    connection.request("GET", "/login", headers={"Host": f"localhost:{acme.live.port}"})
    cookie = connection.getresponse().getheader("set-cookie") or ""
    connection.close()
    assert cookie.startswith("ringback_session=")
    assert {"httponly", "path=/", "samesite=lax"} <= set(cookie.lower().split("; "))
    assert "domain" not in cookie.lower()
