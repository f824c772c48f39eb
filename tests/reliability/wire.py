"""A wire between a server and PostgreSQL that can be cut, while PostgreSQL goes on as if nothing had happened."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.engine import make_url

_SOCKET = ".s.PGSQL.5432"


class Wire:
    """Passes on what comes in at a socket of its own to the socket of a PostgreSQL, and back.

    Args:
        url: the database at the far end.
    """

    def __init__(self, url: str) -> None:
        address = make_url(url)
        self._far = Path(str(address.query["host"])) / _SOCKET
        self._folder = tempfile.TemporaryDirectory(prefix="ringback-wire-")
        near = Path(self._folder.name)
        self.url = address.set(query={"host": str(near)}).render_as_string(hide_password=False)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(near / _SOCKET))
        self._listener.listen()
        self._near_ends: list[socket.socket] = []
        self._far_ends: list[socket.socket] = []
        self._is_up = True
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, *, stays_down: bool = False) -> None:
        """Cut every connection on the near side; new ones can be made, unless it stays down."""
        self._is_up = not stays_down
        for end in self._near_ends:
            _shut(end)

    def mend(self) -> None:
        """Let new connections be made again."""
        self._is_up = True

    def close(self) -> None:
        """Take the wire away."""
        for end in (self._listener, *self._near_ends, *self._far_ends):
            _shut(end)
            end.close()
        self._folder.cleanup()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if not self._is_up:
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(self._far))
                self._near_ends.append(near)
                self._far_ends.append(far)
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wired(url: str) -> Iterator[Wire]:
    """A wire to a database, for the length of a block."""
    wire = Wire(url)
    try:
        yield wire
    finally:
        wire.close()
