"""A light HTTP/1.1 client for load, in a process of its own: a plan comes in as JSON, what came of it goes out.

Each connection is kept alive and has one request in flight. Of an answer only the status and the length are read. In a
closed loop each connection sends its next request as soon as it is answered. At a given rate the requests fall due by
the clock, and latency counts from then, also while all connections are busy, so that a slow server can't hide.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from array import array
from collections import Counter, deque
from typing import cast

import msgspec
import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"
_TICK = 0.001
_PATIENCE = 30.0
_OK = 200


class Plan(msgspec.Struct, frozen=True):
    """What to send, and how.

    Attributes:
        ports: of servers on this machine; connections are spread over them.
        paths: the i-th request is for the i-th path, in a circle.
        headers: of every request; the length of the body is added.
        bodies: in a circle as well.
        start: the number of the first request.
        seconds: how long is measured.
        warmup: how long before that is not.
        rate: requests a second that fall due; none for a closed loop.
    """

    ports: list[int]
    paths: list[str]
    headers: dict[str, str]
    bodies: list[str]
    start: int = 0
    connections: int = 64
    seconds: float = 3.0
    warmup: float = 0.5
    rate: float | None = None


class Told(msgspec.Struct, frozen=True):
    """What came of it; ``answered`` and ``others`` count the warm-up too, the rest does not."""

    answered: int
    others: dict[int, int]
    sent: int
    per_second: float
    p50: float
    p99: float
    longest: float
    behind: int
    cpu_seconds: float


def run(plan: Plan) -> Told:
    """Carry out a plan in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, input=msgspec.json.encode(plan), stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=Told)


class _Connection(asyncio.Protocol):
    """One connection to a server; tells the load when it is answered."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._unread = b""
        self._transport: asyncio.WriteTransport
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._load.idle.append(self)

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due then."""
        self.due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self._unread + data if self._unread else data
        end = data.find(_END)
        length = _LENGTH.search(data, 0, end) if end > 0 else None
        if length is None or len(data) < end + len(_END) + int(length[1]):
            self._unread = data
            return
        self._unread = b""
        self._load.answer(self, int(data[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self._load.lose(self)


class _Load:
    """The connections and what they were answered."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        headers = "".join(f"{name}: {value}\r\n" for name, value in plan.headers.items())
        self._heads = [f"POST {path} HTTP/1.1\r\n{headers}".encode() for path in plan.paths]
        self._bodies = [f"Content-Length: {len(body)}\r\n\r\n{body}".encode() for body in plan.bodies]
        self.idle: deque[_Connection] = deque()
        self._due: deque[float] = deque()
        self._next = plan.start
        self._in_flight = 0
        self._statuses: Counter[int] = Counter()
        self._latencies = array("d")
        self._measures_from = self._ends = 0.0

    async def run(self) -> Told:
        loop = asyncio.get_running_loop()
        for number in range(self._plan.connections):
            port = self._plan.ports[number % len(self._plan.ports)]
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port)
        began = time.perf_counter()
        self._measures_from = began + self._plan.warmup
        self._ends = self._measures_from + self._plan.seconds
        if self._plan.rate is None:
            while self.idle:
                self._send(self.idle.popleft(), began)
            await asyncio.sleep(self._ends - began)
        else:
            await self._send_by_the_clock(began, self._plan.rate)
        behind = len(self._due)
        self._due.clear()
        deadline = time.perf_counter() + _PATIENCE
        while self._in_flight and time.perf_counter() < deadline:  # noqa: ASYNC110 - every answer would set the event
            await asyncio.sleep(_TICK)
        return self._told(behind)

    async def _send_by_the_clock(self, began: float, rate: float) -> None:
        fallen_due = 0
        while (now := time.perf_counter()) < self._ends:
            while began + fallen_due / rate <= now:
                self._due.append(began + fallen_due / rate)
                fallen_due += 1
            while self._due and self.idle:
                self._send(self.idle.popleft(), self._due.popleft())
            await asyncio.sleep(_TICK)

    def _send(self, connection: _Connection, due: float) -> None:
        number = self._next
        self._next = number + 1
        self._in_flight += 1
        connection.send(self._heads[number % len(self._heads)] + self._bodies[number % len(self._bodies)], due)

    def answer(self, connection: _Connection, status: int) -> None:
        """Count an answer, and go on."""
        now = time.perf_counter()
        self._in_flight -= 1
        self._statuses[status] += 1
        if self._measures_from <= now < self._ends and status == _OK:
            self._latencies.append(now - connection.due)
        if now >= self._ends:
            return
        if self._due:
            self._send(connection, self._due.popleft())
        elif self._plan.rate is None:
            self._send(connection, now)
        else:
            self.idle.append(connection)

    def lose(self, connection: _Connection) -> None:
        """Note that a connection has ended; one that ends unanswered counts as status 0."""
        if connection in self.idle:
            self.idle.remove(connection)
        elif self._in_flight:
            self._in_flight -= 1
            self._statuses[0] += 1

    def _told(self, behind: int) -> Told:
        milliseconds = sorted(1000 * latency for latency in self._latencies) or [0.0]
        return Told(
            answered=self._statuses.pop(_OK, 0),
            others=dict(self._statuses),
            sent=self._next - self._plan.start,
            per_second=len(self._latencies) / self._plan.seconds,
            p50=milliseconds[len(milliseconds) // 2],
            p99=milliseconds[len(milliseconds) * 99 // 100],
            longest=milliseconds[-1],
            behind=behind,
            cpu_seconds=time.process_time(),
        )


if __name__ == "__main__":
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_Load(wanted).run())))
