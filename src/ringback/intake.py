"""Intake: gathers concurrent updates into one transaction.

What is waiting goes to one thread as soon as the transaction before has ended. There is no timer: an idle server adds
no wait, a busy one writes many updates with one commit. The queue is bounded; a full one refuses at once.

Nobody waits for another's trouble: an update that the database refuses is found by halving the batch and fails alone;
updates of a call that another transaction holds go back to the head of the queue while the others proceed.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import structlog

from ringback.domain.errors import Refusal
from ringback.domain.receipts import Outcome, Update
from ringback.services.updates import LockedUpdatesError, apply
from ringback.store import receipts
from ringback.store.engine import Database
from ringback.store.failures import ContendedError, RejectedError, StoreError, UnavailableError, UnconfirmedError

LARGEST_BATCH = 256
"""Updates that are written in one transaction at most."""

DEADLOCK_TRIES = 5
"""How often a batch that met a deadlock is tried."""

CONFIRM_SECONDS = (0.1, 0.4, 1.5)
"""Waits before each try to find out whether a commit was made that the connection did not survive."""

LOCKED_PAUSE_SECONDS = 0.005
"""How long the intake rests when every update that it has is for a call that others hold."""

LOCKED_PATIENCE_SECONDS = 10.0
"""How long an update waits for its call before its sender is told to come again."""

log = structlog.get_logger()


class Ticket:
    """One update in the queue, and who waits for its outcome."""

    __slots__ = ("future", "since", "update")

    def __init__(self, update: Update, future: asyncio.Future[Outcome]) -> None:
        self.update = update
        self.future = future
        self.since = time.monotonic()

    def settle(self, result: Outcome | Exception) -> None:
        """Tell the sender, if he still waits."""
        if self.future.done():
            return
        if isinstance(result, Exception):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class Intake:
    """The queue of updates of one process.

    Args:
        database: where they are recorded.
        now: tells the time.
        limit: how many may wait at once.
    """

    def __init__(self, database: Database, now: Callable[[], datetime], *, limit: int) -> None:
        self._writer = _Writer(database, now)
        self._limit = limit
        self._waiting: deque[Ticket] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._writing: asyncio.Task[None] | None = None
        self._closing = False

    async def submit(self, update: Update) -> Outcome:
        """Have an update decided and recorded; returns after the commit.

        Raises:
            Refusal: ``busy`` if too many wait already, the database can't be written, or the server is stopping;
                ``unconfirmed`` if the database went away during the commit.
        """
        if self._closing or len(self._waiting) >= self._limit:
            raise Refusal("busy")
        ticket = Ticket(update, asyncio.get_running_loop().create_future())
        self._waiting.append(ticket)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await ticket.future

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
            results = await loop.run_in_executor(self._thread, self._writer.write, [each.update for each in batch])
            locked = [each for each in batch if each.update.receipt_id not in results]
            for ticket in batch:
                if ticket.update.receipt_id in results:
                    ticket.settle(results[ticket.update.receipt_id])
            self._requeue(locked)
            if len(locked) == len(batch):
                await asyncio.sleep(LOCKED_PAUSE_SECONDS)
        self._writing = None

    def _requeue(self, locked: Sequence[Ticket]) -> None:
        """Put updates back to the head of the queue, before later ones of the same call."""
        patient_since = time.monotonic() - LOCKED_PATIENCE_SECONDS
        for ticket in reversed(locked):
            if ticket.since < patient_since:
                ticket.settle(Refusal("busy"))
            else:
                self._waiting.appendleft(ticket)


Results = dict[str, Outcome | Exception]
"""What became of updates, by the id of their receipts."""


class _Writer:
    """Writes batches, in the thread of the intake."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def write(self, updates: Sequence[Update]) -> Results:
        """What became of each update; those of calls that another transaction holds are left out."""
        try:
            return self._try(updates)
        except LockedUpdatesError as error:
            free = [update for update in updates if update.receipt_id not in error.receipt_ids]
            return self.write(free) if free else {}
        except UnavailableError as error:
            log.warning("database can't be written", reason=str(error))
            return _all(updates, Refusal("unconfirmed" if isinstance(error, UnconfirmedError) else "busy"))
        except Exception as error:
            if len(updates) > 1:
                half = len(updates) // 2
                return self.write(updates[:half]) | self.write(updates[half:])
            if not isinstance(error, RejectedError):
                log.exception("update failed", receipt_id=updates[0].receipt_id)
            return _all(updates, error)

    def _try(self, updates: Sequence[Update]) -> Results:
        for _ in range(DEADLOCK_TRIES):
            try:
                return self._commit(updates)
            except ContendedError as error:
                log.info("batch is tried again", reason=str(error))
        raise UnavailableError("too much contention")

    def _commit(self, updates: Sequence[Update]) -> Results:
        outcomes: list[Outcome] = []
        try:
            with self._database.write() as tx:
                outcomes = apply(tx, updates, self._now(), waits=False)
        except UnconfirmedError:
            if not self._is_recorded(outcomes):
                return self._commit_again(updates, outcomes)
        except UnavailableError:
            return self._commit_again(updates, outcomes)
        return {outcome.update.receipt_id: outcome for outcome in outcomes}

    def _commit_again(self, updates: Sequence[Update], before: Sequence[Outcome]) -> Results:
        """Once more on a new connection; the old one may have died long ago without anybody noticing.

        Should the first commit still come through, then the ids of the receipts collide, and it counts.
        """
        outcomes = before
        try:
            with self._database.write() as tx:
                outcomes = apply(tx, updates, self._now(), waits=False)
        except RejectedError:
            if not self._is_recorded(before):
                raise
        return {outcome.update.receipt_id: outcome for outcome in outcomes}

    def _is_recorded(self, outcomes: Sequence[Outcome]) -> bool:
        """Whether a commit was made that the connection did not survive: then its receipts are there.

        Raises:
            UnconfirmedError: it can't be found out now.
        """
        ids = [outcome.update.receipt_id for outcome in outcomes if outcome.principal is not None]
        for seconds in CONFIRM_SECONDS:
            time.sleep(seconds)
            try:
                with self._database.read() as tx:
                    return bool(ids) and bool(receipts.find_existing(tx, ids))
            except StoreError as error:
                log.warning("commit is not confirmed yet", reason=str(error))
        raise UnconfirmedError("the database did not come back")


def _all(updates: Sequence[Update], result: Exception) -> Results:
    return {update.receipt_id: result for update in updates}
