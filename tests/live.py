"""A server of one's own: the real program behind a real socket, in this process."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import uvicorn

from ringback.app import App
from ringback.cli.connection import Connection
from tests.world import World


@dataclass(frozen=True)
class Reply:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401
        """The body as JSON."""
        return msgspec.json.decode(self.body)


@dataclass
class Live:
    """A running server with the cast in its database; ``account`` of a request is put into its host name."""

    app: App
    port: int
    world: World

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | str | Mapping[str, Any] | None = None,
        auth: str | None = None,
        headers: Mapping[str, str] | None = None,
        account: str = "acme",
    ) -> Reply:
        """Send one request and read its answer; a mapping is sent as JSON."""
        sent = {"Host": f"{account}.localhost:{self.port}" if account else f"localhost:{self.port}", **(headers or {})}
        if auth is not None:
            sent["Authorization"] = auth
        if isinstance(body, Mapping):
            body = msgspec.json.encode(body)
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def update(self, uuid: str, body: bytes | str | Mapping[str, Any] | None = None, **more: Any) -> Reply:  # noqa: ANN401
        """Post an update of a call."""
        return self.request("POST", f"/api/v1/calls/update_call/{uuid}", body=body, **more)

    def raw(self, data: bytes) -> bytes:
        """Send bytes as they are, and read until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            chunks = []
            while chunk := connection.recv(65536):
                chunks.append(chunk)
        return b"".join(chunks)


@contextmanager
def running(app: App, world: World, *, port: int = 0, http: type[Connection] = Connection) -> Iterator[Live]:
    """Serve an application until the end of the block, on a free port unless one is given."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        app, http=http, access_log=False, log_config=None, server_header=False, proxy_headers=False, lifespan="on"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.005)
    try:
        yield Live(app, listener.getsockname()[1], world)
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listener.close()
