"""The worker: claims deliveries that are due, sends them, and keeps what came of them.

Claiming and keeping share one transaction, a turn. While a turn is written, requests that end meanwhile gather for the
next one, so that there is less than one statement to a delivery under load, and no wait when there is none.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from ringback.delivery.hosts import Hosts, Sign, read_sign
from ringback.delivery.sender import Sender
from ringback.delivery.turns import AWAY_SECONDS, Turn, Turns
from ringback.domain.addresses import Allowed
from ringback.domain.deliveries import State, judge
from ringback.domain.exchanges import Exchange, bare, retry_after
from ringback.domain.replies import differences, explanation
from ringback.domain.vault import hide
from ringback.metrics import Metrics
from ringback.sealing import Seal
from ringback.services import dispatch
from ringback.services.dispatch import Job
from ringback.store.claims import Claimed, Finished
from ringback.store.engine import Database
from ringback.store.failures import StoreError
from ringback.store.waking import listening

AT_ONCE = 1024
"""Deliveries under way, or taken and about to be, at a time."""

GRACE_SECONDS = 10.0
"""How long requests under way may take when it is told to stop; what takes longer is sent again later."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker gets from outside: the database, the key of the vault, time, ids, chance, and where it counts."""

    database: Database
    find_seal: Callable[[], Seal]
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    fraction: Callable[[], float]
    metrics: Metrics = field(default_factory=Metrics)


class Worker:
    """Sends what is due until it is told to stop; any number may work on one database.

    Args:
        tools: what it works with.
        sender: sends a request.
        hosts: what each host may be sent at once.
        at_once: deliveries that it has at a time.
    """

    def __init__(self, tools: Tools, sender: Sender, hosts: Hosts | None = None, *, at_once: int = AT_ONCE) -> None:
        self._tools = tools
        self._sender = sender
        self._hosts = hosts or Hosts(time.monotonic)
        self._turns = Turns(tools.database, tools.find_seal, tools.now, tools.new_id, self._hosts)
        self._at_once = at_once
        self._under_way: set[asyncio.Task[None]] = set()
        self._waiting: dict[str, deque[Job]] = defaultdict(deque)
        self._finished: list[Finished] = []
        self._given_back: list[Claimed] = []
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
        """Keep what is finished, take what there is room for, and begin it; returns how long to rest, in seconds."""
        finished, self._finished = self._finished, []
        given_back, self._given_back = self._given_back, []
        room = 0 if self._stopping else self._at_once - len(self._under_way) - sum(map(len, self._waiting.values()))
        write = asyncio.get_running_loop().run_in_executor
        try:
            turn: Turn = await write(self._thread, self._turns.write, finished, given_back, room)
        except Exception as error:  # whatever it is, what was done is kept until it can be written
            self._finished = finished + self._finished
            self._given_back = given_back + self._given_back
            is_known = isinstance(error, StoreError)
            log.warning("deliveries wait for the database", reason=str(error), exc_info=not is_known)
            return AWAY_SECONDS
        for job in turn.jobs:
            self._hosts.take(job.host)
            self._waiting[job.host].append(job)
        for host in {job.host for job in turn.jobs}:
            self._begin(host)
        return turn.rest

    def _begin(self, host: str) -> None:
        """Begin what waits for a host, as far as it may be sent; what waits in vain is given back."""
        waiting = self._waiting[host]
        while waiting and not self._stopping and self._hosts.may_begin(host):
            job = waiting.popleft()
            if job.claimed.is_late(self._tools.now()):
                self._give_back(job)
                continue
            self._hosts.begin(host)
            task = asyncio.create_task(self._deliver(job))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        while waiting and (self._stopping or self._hosts.is_closed(host)):
            self._give_back(waiting.popleft())
        if not waiting:
            del self._waiting[host]

    def _give_back(self, job: Job) -> None:
        self._hosts.give_back(job.host)
        self._given_back.append(job.claimed)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._awake.wait(), seconds)
        except TimeoutError:
            return

    async def _deliver(self, job: Job) -> None:
        exchange = None
        try:
            try:
                exchange = await self._send(job)
                finished = self._judged(job, exchange)
            except Exception:
                # Whatever goes wrong here must be on record and end: else the claim lapses and it is sent for ever.
                log.exception("a delivery went wrong", delivery=job.claimed.due.id)
                exchange = bare(exchange, self._tools.now())
                finished = self._judged(job, exchange)
            self._finished.append(finished)
            self._tools.metrics.note_delivery(finished.state.value, finished.code)
        finally:
            self._end_at(job.host, exchange)
            self._begin(job.host)
            self._awake.set()

    def _end_at(self, host: str, exchange: Exchange | None) -> None:
        """Let the host know what the attempt says of it; nothing if it was broken off here."""
        sign, wish = Sign.NOTHING if exchange is None else read_sign(exchange), 0.0
        if exchange is not None and sign is Sign.BUSY:
            wish = retry_after(exchange.header("retry-after"), self._tools.now()).total_seconds()
        self._hosts.end(host, sign, wish)

    async def _send(self, job: Job) -> Exchange:
        if job.outgoing is None:
            return dispatch.obstructed(job, self._tools.now())
        return await self._sender.send(job.outgoing)

    def _judged(self, job: Job, exchange: Exchange) -> Finished:
        claimed, due = job.claimed, job.claimed.due
        verdict = judge(
            exchange,
            attempt=claimed.attempt - due.earlier,
            first_attempt_at=claimed.first_attempt_at,
            now=self._tools.now(),
            jitter=self._tools.fraction(),
            success=due.definition.success,
            holds=due.holds,
        )
        if due.is_test and verdict.due_at is not None:  # a test is never retried
            verdict = replace(verdict, state=State.FAILED, due_at=None)
        found = differences(job.outgoing, exchange) if job.outgoing and verdict.code == "delivered" else ()
        details: dict[str, object] = {}
        if found:
            details["differences"] = [
                [each.name, *(text and hide(text, job.secrets) for text in (each.sent, each.answered))]
                for each in found
            ]
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
        for host in list(self._waiting):
            self._begin(host)
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
        worker, loop = Worker(tools, sender), asyncio.get_running_loop()
        task = asyncio.create_task(worker.run())

        def wake() -> None:
            loop.call_soon_threadsafe(worker.wake)

        with listening(tools.database, wake):
            try:
                yield worker
            finally:
                worker.stop()
                await task


def _masked(exchange: Exchange, job: Job) -> Exchange:
    """The exchange with no secret of ours in it, should the receiver have sent one back."""
    if not job.secrets:
        return exchange
    body = hide(exchange.body.decode("latin-1"), job.secrets).encode("latin-1")
    headers = tuple((name, hide(value, job.secrets)) for name, value in exchange.headers)
    return replace(exchange, body=body, headers=headers, detail=hide(exchange.detail, job.secrets))
