"""Which hosts are served, and whose word counts for where a request comes from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringback.app import build
from ringback.settings import read_settings
from tests.api.wire import check_envelope, compose, exchange
from tests.live import Live, running
from tests.world import build_world

OFFICE = "203.0.113.7"
"""The one address that the token may be used from."""


@pytest.fixture
def proxied(migrated_sqlite_url: str) -> Iterator[Live]:
    """A server behind two proxies: one on this machine, one in its network."""
    app = build(read_settings(database_url=migrated_sqlite_url, trusted_proxies="127.0.0.1,10.0.0.0/8"))
    with running(app, build_world(app.database)) as server:
        yield server


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([OFFICE], 200),
        ([f"198.51.100.1, {OFFICE}"], 200),
        (["198.51.100.1", OFFICE], 200),
        ([f"{OFFICE}, 10.1.2.3"], 200),
        ([OFFICE, "10.1.2.3"], 200),
        ([OFFICE, "198.51.100.1"], 403),
        ([f"{OFFICE}, 198.51.100.1"], 403),
        ([OFFICE, "198.51.100.1", "10.1.2.3"], 403),
        ([OFFICE, "198.51.100.1, 10.1.2.3", ""], 403),
        ([], 403),
    ],
)
def test_an_address_that_the_sender_makes_up_counts_for_nothing_on_whichever_line(
    proxied: Live, lines: list[str], status: int
) -> None:
    world = proxied.world
    token = world.token(world.bob, world.acme, networks=[OFFICE])
    head = ["Host: acme.localhost", f"Authorization: {token.authorization}"]
    head += [f"X-Forwarded-For: {line}" for line in lines]
    path = f"/api/v1/calls/{world.call().uuid}"
    assert exchange(proxied.port, compose("POST", path, *head, body=b'{"revenue": 1}')).status == status


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "localhost.", "localhost.:8080", "127.0.0.1:8080", "127.1.2.3", "[::1]:80"]
)
def test_a_bare_host_is_this_machine_by_any_of_its_names(live: Live, host: str) -> None:
    assert live.request("GET", "/a/acme/api/v1/me", headers={"Host": host}).json["code"] == "missing_credentials"


@pytest.mark.parametrize(
    "host",
    [
        *("127.evil.example", "127.0.0.1.evil.example", "127.0.0.256", "[::1].evil.example", "[::1", "[::2]", "::1"),
        *(
            "localhost:80@evil.example",
            "localhost:80:80",
            "localhost:x",
            "localhost/x",
            ".localhost",
            "rbtok_000000000",
        ),
    ],
)
def test_no_other_host_is_served_however_much_it_looks_like_one_of_ours(live: Live, host: str) -> None:
    auth = live.world.bob_token.authorization
    reply = live.request("GET", "/a/acme/api/v1/me", auth=auth, headers={"Host": host})
    assert check_envelope(reply)["code"] == "host_not_served"


@pytest.mark.parametrize(("method", "where"), [("POST", "calls/x"), ("POST", "calls"), ("GET", "me")])
def test_who_names_no_account_is_told_where_it_stands(live: Live, method: str, where: str) -> None:
    reply = live.request(method, f"/api/v1/{where}", body=b"{}", auth=live.world.bob_token.authorization, account="")
    assert check_envelope(reply)["code"] == "account_not_named"


@pytest.mark.parametrize("host", ["acme.localhost", "Acme.LocalHost.", "acme.localhost.:8080", "acme.localhost:"])
def test_an_account_is_at_its_subdomain_however_that_is_written(live: Live, host: str) -> None:
    auth = live.world.bob_token.authorization
    assert live.request("GET", "/api/v1/me", auth=auth, headers={"Host": host}).status == 200
