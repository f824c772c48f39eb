"""Alive, ready, which version: for monitors, without account or credential."""

from __future__ import annotations

from typing import cast

import pytest

from ringback import __version__
from ringback.app import build
from ringback.settings import read_settings
from tests.live import Live, running
from tests.world import World

PATHS = ("/healthz", "/readyz", "/version")


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/healthz", {"status": "alive"}),
        ("/readyz", {"status": "ready"}),
        ("/version", {"name": "ringback", "version": __version__}),
    ],
)
def test_a_server_that_is_well_says_so(stage: Live, path: str, document: dict[str, str]) -> None:
    for account in ("", "acme", "nobody"):
        reply = stage.request("GET", path, account=account)
        assert (reply.status, reply.json) == (200, document)
        assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", PATHS)
def test_head_is_as_good_as_get(stage: Live, path: str) -> None:
    reply = stage.request("HEAD", path)
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize("path", PATHS)
def test_other_methods_are_not_understood(stage: Live, path: str) -> None:
    reply = stage.request("POST", path)
    assert (reply.status, reply.json["code"]) == (405, "method_not_allowed")
    assert reply.headers["allow"] == "GET, HEAD"


def test_a_server_without_its_schema_is_alive_but_not_ready(empty_database_url: str) -> None:
    app = build(read_settings(database_url=empty_database_url, auto_migrate=False))
    with running(app, cast("World", None)) as server:
        assert server.request("GET", "/healthz").status == 200
        reply = server.request("GET", "/readyz")
    assert (reply.status, reply.json) == (503, {"status": "not ready"})
    assert reply.headers["retry-after"] == "1"
