"""Servers as processes of their own: started, killed at once, asked to stop, started again on the same port."""

from __future__ import annotations

import errno
import http.client
import multiprocessing
import os
import random
import signal
import socket
import tempfile
import time
from base64 import b64encode
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Self

from tests.crash import serve

PATIENCE = 30.0
"""Seconds after which a server that doesn't start, or doesn't stop, hangs."""

KEY = b64encode(bytes(32)).decode()
"""The key of every server here."""

_PORTS = range(20_000, 32_000)
"""Below those that the system gives to outgoing connections, so that a port stays free while its server is down."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["pytest", "uvicorn", "ringback.app", "tests.crash.serve"])
"""Processes begin with the program imported."""


class ServerFailedError(Exception):
    """A server did not start; the message ends with the last lines of its log."""


class Server:
    """One server process on a port of its own.

    Args:
        database_url: where it records.
        factory: what makes another application than ours, one with a fault planted in it.
        settings: further settings, by their names in the environment.
        log: the file that it writes its log to; a file of its own if none is given.
    """

    def __init__(
        self,
        database_url: str,
        *,
        factory: str = serve.OURS,
        settings: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        self.port = _free_port()
        self._factory = factory
        self._settings = {"RINGBACK_DATABASE_URL": database_url, "RINGBACK_SECRET_KEY": KEY, **(settings or {})}
        self._folder = tempfile.TemporaryDirectory(prefix="ringback-server-")
        self._log = log or Path(self._folder.name) / "log"
        self._process: ForkServerProcess | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        assert self._process.pid is not None, "the server is not running"
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has said so far, over all its lives."""
        return self._log.read_text(errors="replace") if self._log.is_file() else ""

    def start(self) -> None:
        """Start it, or start it again; returns when it answers."""
        given = (self._factory, self.port, self._settings, self._log)
        self._process = _processes.Process(target=serve.main, args=given, daemon=True)
        self._process.start()
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if time.monotonic() > deadline or not self._process.is_alive():
                raise ServerFailedError("\n".join(self.log.splitlines()[-20:]))
            time.sleep(0.02)

    def answers(self) -> bool:
        """Whether it answers at all."""
        try:
            return self.get("/healthz") == http.client.OK
        except OSError:
            return False

    def get(self, path: str) -> int:
        """The status of a GET.

        Raises:
            OSError: nobody answers.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Wait until it has ended, and return how."""
        assert self._process is not None, "the server is not running"
        self._process.join(PATIENCE)
        status = self._process.exitcode
        if status is None:
            raise TimeoutError(f"the server does not stop:\n{self.log}")
        self._process.close()
        self._process = None
        return status

    def kill9(self) -> None:
        """Kill it at once, as the kernel does when memory runs out."""
        self.signal(signal.SIGKILL)
        self.wait()

    def terminate(self) -> int:
        """Ask it to stop, as a deployment does, and return how it ended."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def peak_memory(self) -> int:
        """The most memory that the process has had, in bytes."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def close(self) -> None:
        """Leave nothing behind."""
        if self._process is not None:
            self.kill9()
        self._folder.cleanup()


def _free_port() -> int:
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
    raise ServerFailedError("no port is free")
