"""Connections whose requests never begin, or never get beyond their heads."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from ringback.app import build
from ringback.cli.connection import HEAD_BYTES, Connection
from ringback.settings import read_settings
from tests.api.wire import PATIENCE, compose, read_all, read_reply
from tests.live import Live, running
from tests.world import build_world

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


class Hasty(Connection):
    """A connection that waits for nobody."""

    head_seconds = 0.2


@pytest.fixture
def hasty(migrated_sqlite_url: str) -> Iterator[Live]:
    """A server that waits for nobody."""
    app = build(read_settings(database_url=migrated_sqlite_url))
    with running(app, build_world(app.database), http=Hasty) as server:
        yield server


def connect(server: Live, data: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    connection.sendall(data)
    return connection


@pytest.mark.parametrize(
    "data", [b"", b"GE", HEAD, HEAD + b"X-Slow: ", b"\r\n"], ids=["silent", "method", "header", "value", "blank"]
)
def test_a_head_that_does_not_arrive_is_not_waited_for(hasty: Live, data: bytes) -> None:
    with connect(hasty, data) as connection:
        assert read_all(connection) == b""


@pytest.mark.parametrize("data", [b"\r\n", HEAD], ids=["blank", "header"])
def test_nor_is_that_of_a_later_request(hasty: Live, data: bytes) -> None:
    with connect(hasty, HEAD + b"\r\n" + data) as connection:
        assert read_reply(read_all(connection)).status == 200


def test_a_head_without_end_is_not_taken_in(live: Live) -> None:
    with connect(live, HEAD) as connection, pytest.raises(ConnectionError):
        connection.sendall(b"X-More: much\r\n" * (64 * HEAD_BYTES // 14))


def test_a_body_has_its_own_time(hasty: Live) -> None:
    world = hasty.world
    lines = ("Host: acme.localhost", f"Authorization: {world.bob_token.authorization}", "Content-Length: 13")
    path = f"/api/v1/calls/{world.call().uuid}"
    with connect(hasty, compose("POST", path, *lines, sized=False)) as slow:
        for _ in range(3):  # as long as three others are waited for in vain
            with connect(hasty, HEAD) as connection:
                assert read_all(connection) == b""
        slow.sendall(b'{"revenue":1}')
        assert read_reply(read_all(slow)).status == 200


@pytest.mark.parametrize(("method", "end"), [("GET", b"}\n"), ("HEAD", b"\r\n\r\n")])
def test_an_answer_goes_out_in_one_piece(live: Live, method: str, end: bytes) -> None:
    with connect(live, f"{method} /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()) as connection:
        told = connection.recv(65_536)
    assert told.startswith(b"HTTP/1.1 200 OK\r\n")
    assert told.endswith(end)


def test_answers_to_requests_in_a_row_come_in_their_order(live: Live) -> None:
    asked = [b"GET /healthz", b"HEAD /version", b"GET /version", b"GET /nothing"]
    heads = b"".join(each + b" HTTP/1.1\r\nHost: localhost\r\n\r\n" for each in asked)
    with connect(live, heads[:-2] + b"Connection: close\r\n\r\n") as connection:
        told = read_all(connection)
    assert re.findall(rb"HTTP/1.1 ([0-9]+)", told) == [b"200", b"200", b"200", b"404"]
