"""Requests byte for byte, as clients really send them, and answers read back from bytes."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPResponse
from io import BytesIO
from typing import Any

from ringback.domain.errors import CODES
from tests.live import Reply

CHALLENGE = 'Basic realm="Ringback", charset="UTF-8"'
"""What every 401 asks for."""

PATIENCE = 20.0
"""Seconds after which a server that doesn't answer hangs."""


def basic(public: str, private: str) -> str:
    """The header of a pair, as RFC 7617 has it."""
    return f"Basic {b64encode(f'{public}:{private}'.encode()).decode()}"


def compose(method: str, target: str | bytes, *lines: str | bytes, body: bytes = b"", sized: bool = True) -> bytes:
    """One request as bytes: the target and the header lines exactly as given; ``sized`` adds Content-Length."""
    head = [method.encode() + b" " + _bytes(target) + b" HTTP/1.1", *map(_bytes, lines), b"Connection: close"]
    if sized and body:
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*head, b"", body])


def exchange(port: int, data: bytes) -> Reply:
    """Send bytes, and read the one answer to them; the server closes after it."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(data)
        answered = read_all(connection)
    return read_reply(answered)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    chunks = []
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


class _Received:
    """What was received, in the place of the socket that it came from."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._data)


def read_reply(data: bytes) -> Reply:
    """The answer that bytes hold."""
    response = HTTPResponse(_Received(data))  # type: ignore[arg-type]  # it only ever reads from it
    response.begin()
    return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def check_envelope(reply: Reply) -> Mapping[str, Any]:
    """Check that an answer has the shape of RECEIVING ("Answering"), and return its document."""
    document: Mapping[str, Any] = reply.json
    assert document["status"] == reply.status
    assert document["success"] is (reply.status < 300)
    assert CODES[document["code"]].status == reply.status
    assert isinstance(document["errors"], dict)
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers.get("www-authenticate") == (CHALLENGE if reply.status == 401 else None)
    assert ("allow" in reply.headers) is (reply.status == 405)
    assert ("retry-after" in reply.headers) is (reply.status in {429, 503})
    if not document["success"]:
        assert document["errors"]
        assert document["message"]
        assert document["hint"]
    return document


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
