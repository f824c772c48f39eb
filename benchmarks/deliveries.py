"""Deliveries a second, every attempt recorded durably, against the bare loop of requests and against Procrastinate.

Each contender sends the same requests to the same receiver. Counted is from the first request that arrives to the last,
and only if afterwards all are recorded as delivered.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import func, select, text

from benchmarks.contest import Spread
from benchmarks.report import Claim, Section, spread, table
from benchmarks.stage import ROOT, postgres
from ringback import clock, entropy
from ringback.domain.access import Principal, Role
from ringback.domain.deliveries import State
from ringback.domain.postbacks import Definition, Trigger
from ringback.domain.presets import CONVERSION
from ringback.services import postbacks
from ringback.services.audit import Actor
from ringback.services.postbacks import PostbackForm
from ringback.store import deliveries
from ringback.store.deliveries import NewDelivery, Request
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from ringback.store.sending_schema import attempts
from ringback.store.sending_schema import deliveries as queue
from tests.postgres import PostgresServer
from tests.world import World, build_world

COUNT = 10_000
PATIENCE = 300.0
HOSTS = 20
TO_EACH = 50
BODY = b'{"buyer_converted": "true", "revenue": "25.20", "offer_converted": "true", "post_call_tokens": {}}'
SETTINGS = {"RINGBACK_DELIVERY_ALLOW": "*.localhost", "RINGBACK_SECRET_KEY": b64encode(bytes(32)).decode()}


@dataclass(frozen=True)
class Count:
    """What a receiver has counted."""

    requests: int
    first: float
    last: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / (self.last - self.first)


@contextmanager
def mailbox(delay: float = 0.0) -> Iterator[int]:
    """A receiver; gives its port."""
    command = [sys.executable, "-m", "benchmarks.mailbox", str(delay)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it was asked for
            yield int(process.stdout.readline())
        finally:
            process.kill()


def count(port: int) -> Count:
    """What a receiver has counted so far."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/count")
    return Count(*json.loads(connection.getresponse().read()))


def until(port: int, wanted: int) -> Count:
    """Wait until so many requests came."""
    end = time.monotonic() + PATIENCE
    while (found := count(port)).requests < wanted:
        if time.monotonic() > end:
            raise TimeoutError(f"{found.requests} of {wanted} came")
        time.sleep(0.05)
    return found


def enqueue(database: Database, ports: list[int]) -> int:
    """Put due deliveries into an empty database, spread over the receivers; returns how many."""
    migrate(database)
    world = build_world(database)
    urls = [f"http://{_host(place)}:{port}/" for place, port in enumerate(ports)]
    many = COUNT if len(urls) == 1 else TO_EACH * len(urls)
    with database.write() as tx:
        actor = Actor(Principal(world.acme, world.ada, "", Role.OWNER), clock.now(), entropy.new_id)
        form = PostbackForm("bench", Trigger.BUYER_CONVERTED.value, Definition("POST", urls[0], body=CONVERSION))
        postback = postbacks.create(tx, actor, form)
        deliveries.add(tx, [_delivery(world, postback.id, urls[number % len(urls)]) for number in range(many)])
        tx.execute(text("ANALYZE"))  # as the server does by itself within a minute
    return many


def _host(place: int) -> str:
    """A name of this machine; each is a host of its own to the worker."""
    return f"r{place}.localhost"


def _delivery(world: World, postback_id: int, url: str) -> NewDelivery:
    now = clock.now()
    headers = (("Content-Type", "application/json"), ("Authorization", "Basic cHVibGljOnByaXZhdGU="))
    return NewDelivery(
        account_id=world.acme,
        id=entropy.new_id(),
        postback_id=postback_id,
        version=1,
        trigger="buyer_converted",
        call_uuid=entropy.new_call_uuid(),
        seq=1,
        receipt_id=None,
        host=url.split("/")[2].partition(":")[0],
        hops=0,
        created_at=now,
        due_at=now,
        request=Request("POST", url, headers, BODY),
    )


@contextmanager
def working(url: str) -> Iterator[None]:
    """``ringback worker`` at work."""
    command = [sys.executable, "-m", "ringback", "worker", "--database", url]
    environment = {**os.environ, **SETTINGS, "RINGBACK_LOG_FORMAT": "json"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def ours(server: PostgresServer, name: str) -> float:
    """Ringback's worker."""
    url = server.create_database(name)
    database = Database(url)
    with mailbox() as port:
        enqueue(database, [port])
        with working(url):
            found = until(port, COUNT)
            _until_recorded(database, COUNT)
    database.close()
    server.drop_database(name)
    return found.rate


def _until_recorded(database: Database, wanted: int) -> None:
    end = time.monotonic() + PATIENCE
    delivered = select(func.count()).where(queue.c.state == State.DELIVERED.value)
    while True:
        with database.read() as tx:
            if tx.execute(delivered).scalar_one() >= wanted:
                return
        if time.monotonic() > end:
            raise TimeoutError("not all are recorded")
        time.sleep(0.05)


def bare(_server: PostgresServer, _name: str) -> float:
    """The bare loop."""
    with mailbox() as port:
        _run("benchmarks.deliveries_bare", f"http://127.0.0.1:{port}/", str(COUNT))
        return until(port, COUNT).rate


def procrastinate(server: PostgresServer, name: str) -> float:
    """Procrastinate's worker."""
    url = server.create_database(name)
    with mailbox() as port:
        for step in ("enqueue", "work"):
            _run("benchmarks.deliveries_procrastinate", step, url, f"http://127.0.0.1:{port}/", str(COUNT))
        found = until(port, COUNT)
    server.drop_database(name)
    return found.rate


def _run(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)


def crowd(server: PostgresServer, name: str, *, troubled: bool) -> float:
    """The median seconds to delivery at eighteen receivers; two others are well, or one is dead and one slow."""
    url = server.create_database(name)
    database = Database(url)
    with mailbox() as port, mailbox(2.0) as slow:
        dead = 9  # nobody listens there
        others = [dead, slow] if troubled else [port, port]
        enqueue(database, [port] * (HOSTS - 2) + others)
        well = [_host(place) for place in range(HOSTS - 2)]
        with working(url):
            until(port, TO_EACH * (HOSTS - 2))
            time.sleep(0.5)
        mine = queue.c.host.in_(well), queue.c.state == State.DELIVERED.value
        began = select(attempts.c.started_at).join(queue, queue.c.id == attempts.c.delivery_id).where(*mine)
        with database.read() as tx:
            starts = sorted(tx.execute(began).scalars())
    database.close()
    server.drop_database(name)
    first = starts[0]
    return float(statistics.median(start - first for start in starts)) / 1e6


def measure(*, rounds: int) -> Section:
    """Interleaved rounds of each."""
    contenders: dict[str, Callable[[PostgresServer, str], float]] = {
        "Ringback's worker": ours,
        "bare aiohttp loop": bare,
        "Procrastinate": procrastinate,
    }
    found: dict[str, list[float]] = {name: [] for name in contenders}
    medians: dict[bool, list[float]] = {False: [], True: []}
    with postgres() as server:
        for number in range(rounds):
            for name, contend in contenders.items():
                found[name].append(contend(server, f"deliveries_{number}"))
            for troubled, times in medians.items():
                times.append(crowd(server, f"crowd_{number}", troubled=troubled))
    mine = found["Ringback's worker"]

    def ratio(others: list[float]) -> Spread:
        return Spread.of([a / b for a, b in zip(mine, others, strict=True)])

    late = Spread.of([a / b for a, b in zip(medians[True], medians[False], strict=True)])
    claims = [
        Claim("deliveries/s, each attempt recorded", "the bare aiohttp loop", 0.7, ratio(found["bare aiohttp loop"])),
        Claim("the same", "Procrastinate", 5, ratio(found["Procrastinate"])),
        Claim("median time to 18 receivers, beside a dead and a slow one", "all are well", 1.5, late, lower=True),
    ]
    rows = [(name, spread(Spread.of(rates))) for name, rates in found.items()]
    return Section(
        "Deliveries",
        f"{COUNT:,} due deliveries to one local receiver, on PostgreSQL; both sides: `benchmarks/deliveries*.py`.\n\n"
        + table(["", "deliveries/s"], rows),
        claims,
    )
