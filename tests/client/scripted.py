"""A server that does what it is told, one thing a request, behind a real socket; it remembers what it was asked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CALL = {
    "id": 1042,
    "uuid": "3f2b8c1e-5d0a-4f6b-9c7d-2e1a0b3c4d5e",
    "created_at": "2026-05-01T08:30:00.000-04:00",
    "updated_at": "2026-05-01T08:34:00.000-04:00",
}
APPLIED = {"status": 200, "success": True, "code": "applied", "errors": {}, "call": CALL, "receipt_id": "r1"}
BUSY = {"status": 503, "success": False, "code": "busy", "errors": {}, "message": "Later.", "hint": "Again."}


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Scripted:
    """The server while it runs."""

    port: int
    seen: list[Seen] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def keys(self) -> list[str | None]:
        """The idempotency keys that came."""
        return [seen.headers.get("idempotency-key") for seen in self.seen]


class Asked(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    acts: Iterator[Act]
    seen: list[Seen]
    over: threading.Event

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen.append(Seen(self.command, self.path, headers, body))
        next(self.acts)(self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library names it
        """Say nothing."""


Act = Callable[[Asked], None]
"""What is done with a request."""


def answer(status: int, document: object, **headers: str) -> Act:
    """Answer with JSON, or with a text as it stands."""

    def act(asked: Asked) -> None:
        body = (document if isinstance(document, str) else json.dumps(document)).encode()
        asked.send_response(status)
        for name, value in {"content_length": str(len(body)), **headers}.items():
            asked.send_header(name.replace("_", "-"), value)
        asked.end_headers()
        asked.wfile.write(body)

    return act


def hang_up(asked: Asked) -> None:
    """Close the connection without an answer."""
    asked.close_connection = True
    asked.connection.shutdown(socket.SHUT_RDWR)


def stay_silent(asked: Asked) -> None:
    """Answer nothing until the test is over."""
    asked.close_connection = True
    asked.over.wait()


@contextmanager
def acting(*acts: Act) -> Iterator[Scripted]:
    """Serve on a free port until the end of the block, and do these things."""
    over = threading.Event()
    seen: list[Seen] = []
    handler = type("Handler", (Asked,), {"acts": iter(acts), "seen": seen, "over": over})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Scripted(server.server_address[1], seen)
        finally:
            over.set()
            server.shutdown()
            thread.join()
