"""The worker: claims deliveries that are due, sends them, and keeps what came of them.

Claiming and keeping share one transaction, a turn. While a turn is written, requests that end meanwhile gather for the
next one, so that there is less than one statement to a delivery under load, and no wait when there is none.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from ringback.delivery.hosts import Hosts
from ringback.delivery.sender import Sender
from ringback.domain.addresses import Allowed
from ringback.domain.deliveries import State, judge
from ringback.domain.exchanges import Exchange
from ringback.domain.replies import differences, explanation
from ringback.domain.vault import hide
from ringback.sealing import Seal
from ringback.services import dispatch
from ringback.services.dispatch import Job
from ringback.store import claims
from ringback.store.claims import Finished
from ringback.store.engine import Database
from ringback.store.failures import StoreError

AT_ONCE = 256
"""Requests under way at a time."""

LOOK_SECONDS = 1.0
"""How often a worker looks for deliveries that nobody woke it for."""

AWAY_SECONDS = 1.0
"""How long it rests when the database is away."""

GRACE_SECONDS = 10.0
"""How long requests under way may take when it is told to stop; what takes longer is sent again later."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker gets from outside: the database, the key of the vault, time, ids and chance."""

    database: Database
    find_seal: Callable[[], Seal]
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    fraction: Callable[[], float]


class Worker:
    """Sends what is due until it is told to stop; any number may work on one database.

    Args:
        tools: what it works with.
        sender: sends a request.
        hosts: what each host may be sent at once.
        at_once: requests under way at a time.
    """

    def __init__(self, tools: Tools, sender: Sender, hosts: Hosts | None = None, *, at_once: int = AT_ONCE) -> None:
        self._tools = tools
        self._sender = sender
        self._hosts = hosts or Hosts(time.monotonic)
        self._at_once = at_once
        self._under_way: set[asyncio.Task[None]] = set()
        self._finished: list[Finished] = []
        self._awake = asyncio.Event()
        self._stopping = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="worker")

    def wake(self) -> None:
        """Say that there may be something to send."""
        self._awake.set()

    def stop(self) -> None:
        """Have it claim nothing more, and end when what is under way is done."""
        self._stopping = True
        self._awake.set()

    async def run(self) -> None:
        """Work until stopped. A database that is away is waited for; what was done meanwhile is kept afterwards."""
        try:
            while not self._stopping:
                self._awake.clear()
                rest = await self._turn()
                if rest > 0:
                    await self._rest(rest)
            await self._end()
        finally:
            self._thread.shutdown(wait=False)

    async def _turn(self) -> float:
        """Keep what is finished, claim what there is room for, and begin it; returns how long to rest, in seconds."""
        finished, self._finished = self._finished, []
        room = 0 if self._stopping else self._at_once - len(self._under_way)
        try:
            jobs, due_in = await asyncio.get_running_loop().run_in_executor(self._thread, self._write, finished, room)
        except StoreError as error:
            self._finished = finished + self._finished
            log.warning("deliveries wait for the database", reason=str(error))
            return AWAY_SECONDS
        for job in jobs:
            self._hosts.begin(job.claimed.host)
            task = asyncio.create_task(self._deliver(job))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return 0.0 if jobs and len(self._under_way) < self._at_once else due_in

    def _write(self, finished: list[Finished], room: int) -> tuple[list[Job], float]:
        now = self._tools.now()
        seal = self._tools.find_seal()
        jobs: list[Job] = []
        with self._tools.database.write() as tx:
            dispatch.finish(tx, finished, now)
            if room > 0:
                jobs = dispatch.take(
                    tx,
                    seal,
                    self._tools.new_id(),
                    now=now,
                    limit=room,
                    room=self._hosts.room,
                    without=self._hosts.without_room(),
                )
            due_at = None if jobs else claims.next_due(tx)
        due_in = LOOK_SECONDS if due_at is None else (due_at - now) / timedelta(seconds=1)
        return jobs, min(max(due_in, 0.05), LOOK_SECONDS)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._awake.wait(), seconds)
        except TimeoutError:
            return

    async def _deliver(self, job: Job) -> None:
        host, exchange = job.claimed.host, None
        try:
            if job.outgoing is None:
                exchange = dispatch.obstructed(job, self._tools.now())
            else:
                exchange = await self._sender.send(job.outgoing)
            self._finished.append(self._judged(job, exchange))
        finally:
            self._hosts.end(host, answered=exchange is not None and _is_up(exchange))
            self._awake.set()

    def _judged(self, job: Job, exchange: Exchange) -> Finished:
        claimed, now = job.claimed, self._tools.now()
        verdict = judge(
            exchange,
            attempt=claimed.attempt - claimed.earlier,
            first_attempt_at=claimed.first_attempt_at or now,
            now=now,
            jitter=self._tools.fraction(),
            success=job.definition.success,
            holds=claimed.holds,
        )
        if claimed.is_test and verdict.due_at is not None:  # a test is never retried
            verdict = replace(verdict, state=State.FAILED, due_at=None)
        found = differences(job.outgoing, exchange) if job.outgoing and verdict.code == "delivered" else ()
        details: dict[str, object] = {}
        if found:
            details["differences"] = [[each.name, each.sent, each.answered] for each in found]
        elif told := explanation(exchange):
            details["told"] = [hide(line, job.secrets) for line in told]
        return Finished(
            claimed,
            verdict.state,
            verdict.code,
            verdict.due_at,
            _masked(exchange, job),
            details,
            credential=job.credential,
            differs=bool(found),
            pauses=verdict.pauses,
        )

    async def _end(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=GRACE_SECONDS)
        for task in self._under_way:
            task.cancel()
        await self._turn()


@asynccontextmanager
async def working(tools: Tools, allowed: Allowed, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Worker]:
    """A worker at work, until the context is left.

    Args:
        tools: what it works with.
        allowed: what the operator allows beyond ordinary addresses and https.
        tls: whose certificates are believed; the system's authorities by default.
    """
    async with Sender.open(allowed, tls=tls) as sender:
        worker = Worker(tools, sender)
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await task


def _is_up(exchange: Exchange) -> bool:
    """Whether the host answered as a server that works; an obstacle of ours says nothing against it."""
    if exchange.status is not None:
        return exchange.status < 500  # noqa: PLR2004 - a server's own failures
    return exchange.problem not in {"timeout", "connect_failed", "reset", "no_answer", "tls_failed", "dns_failed"}


def _masked(exchange: Exchange, job: Job) -> Exchange:
    """The exchange with no secret of ours in it, should the receiver have sent one back."""
    if not job.secrets:
        return exchange
    body = hide(exchange.body.decode("latin-1"), job.secrets).encode("latin-1")
    headers = tuple((name, hide(value, job.secrets)) for name, value in exchange.headers)
    return replace(exchange, body=body, headers=headers, detail=hide(exchange.detail, job.secrets))
