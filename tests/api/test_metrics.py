"""What Prometheus reads: counts of updates and deliveries, for who brings the token, or for this machine alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringback.app import build
from ringback.settings import read_settings
from tests.live import Live, Reply, running
from tests.world import build_world

TOKEN = "only-prometheus-knows"


@pytest.fixture
def guarded(migrated_sqlite_url: str) -> Iterator[Live]:
    """A server whose metrics want a token."""
    app = build(read_settings(database_url=migrated_sqlite_url, metrics_token=TOKEN))
    with running(app, build_world(app.database)) as server:
        yield server


def ask(live: Live, auth: str | None = None, **headers: str) -> Reply:
    sent = {"Host": "192.0.2.1:8080", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return live.request("GET", "/metrics", auth=auth, headers=sent)


def counts(live: Live) -> dict[str, float]:
    """The value of each line."""
    reply = ask(live)
    assert (reply.status, reply.headers["cache-control"]) == (200, "no-store")
    assert reply.headers["content-type"].startswith("text/plain")
    lines = [line for line in reply.body.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_updates_are_counted_by_code_with_their_seconds_and_batches(live: Live) -> None:
    call, auth = live.world.call(), live.world.bob_token.authorization
    for revenue in ("1", "1", "1,25"):
        live.update(call.uuid, {"revenue": revenue}, auth=auth)
    live.update(call.uuid, {"revenue": "1"}, auth="Token nobody-knows-this-one")
    found = counts(live)
    codes = ("applied", "unchanged", "invalid_value", "unknown_credentials")
    assert [found[f'ringback_updates_total{{code="{code}"}}'] for code in codes] == [1, 1, 1, 1]
    assert found["ringback_update_seconds_count"] == 4
    assert found["ringback_batch_updates_sum"] == 4
    assert found["ringback_queue_updates"] == 0


def test_a_token_that_is_set_is_wanted_from_everybody(guarded: Live) -> None:
    assert ask(guarded, f"Bearer {TOKEN}").status == 200
    assert ask(guarded, f"Bearer {TOKEN}", X_Forwarded_For="203.0.113.9").status == 200
    for auth in (None, "Bearer wrong", f"Token {TOKEN}", guarded.world.ada_token.authorization):
        assert ask(guarded, auth).status == 404


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "X_Real_IP"])
def test_without_one_a_proxy_on_this_machine_passes_nobody_on(live: Live, header: str) -> None:
    assert ask(live).status == 200
    assert ask(live, **{header: "203.0.113.9"}).status == 404


def test_nothing_of_an_account_is_told(live: Live) -> None:
    live.update(live.world.call().uuid, {"revenue": "1"}, auth=live.world.bob_token.authorization)
    assert b"acme" not in ask(live).body
