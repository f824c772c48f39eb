"""Intake: gathers concurrent updates into one transaction.

What is waiting goes to one thread as soon as the transaction before has committed. There is no timer: an idle server
adds no wait, a busy one writes many updates with one commit. The queue is bounded; a full one refuses at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from ringback.domain.errors import Refusal
from ringback.domain.receipts import Outcome, Update
from ringback.services.updates import apply
from ringback.store.engine import Database

LARGEST_BATCH = 256
"""Updates that are written in one transaction at most."""


class Intake:
    """The queue of updates of one process.

    Args:
        database: where they are recorded.
        now: tells the time.
        limit: how many may wait at once.
    """

    def __init__(self, database: Database, now: Callable[[], datetime], *, limit: int) -> None:
        self._database = database
        self._now = now
        self._limit = limit
        self._waiting: deque[tuple[Update, asyncio.Future[Outcome]]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._writing: asyncio.Task[None] | None = None
        self._closing = False

    async def submit(self, update: Update) -> Outcome:
        """Have an update decided and recorded; returns after the commit.

        Raises:
            Refusal: ``busy`` if too many wait already, or the server is stopping.
        """
        if self._closing or len(self._waiting) >= self._limit:
            raise Refusal("busy")
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((update, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await future

    async def close(self) -> None:
        """Take no more updates, and finish those that were taken."""
        self._closing = True
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_BATCH))]
            updates = [update for update, _ in batch]
            outcomes = await loop.run_in_executor(self._thread, self._apply, updates)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if not future.cancelled():
                    _settle(future, outcome)
        self._writing = None

    def _apply(self, updates: Sequence[Update]) -> list[Outcome | Exception]:
        """Apply a batch; one that fails on its data is halved, so that a bad update fails alone."""
        try:
            with self._database.write() as tx:
                return list(apply(tx, updates, self._now()))
        except Exception as error:  # noqa: BLE001 - whatever fails must answer its senders
            if len(updates) == 1:
                return [error]
            half = len(updates) // 2
            return self._apply(updates[:half]) + self._apply(updates[half:])


def _settle(future: asyncio.Future[Outcome], outcome: Outcome | Exception) -> None:
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
