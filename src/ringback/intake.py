"""Intake: gathers concurrent updates into one transaction.

What is waiting goes to one thread as soon as the transaction before has ended and what lies in the sockets is read.
There is no timer: an idle server adds no wait, a busy one writes many updates with one commit. The queue is bounded; a
full one refuses at once.

Nobody waits for another's trouble: an update that the database refuses is found by halving the batch and fails alone;
updates of a call that another transaction holds are held back while the others proceed.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import structlog

from ringback import entropy
from ringback.domain.errors import Refusal
from ringback.domain.receipts import Outcome, Update
from ringback.metrics import Metrics
from ringback.services.updates import LockedUpdatesError, apply
from ringback.services.waiting import with_early
from ringback.store import receipts
from ringback.store.engine import Database
from ringback.store.failures import ContendedError, RejectedError, StoreError, UnavailableError, UnconfirmedError

LARGEST_BATCH = 256
"""Updates that are written in one transaction at most."""

GATHERING_PASSES = 3
"""Passes of the event loop that bring an update: one sends the answers before, one reads sockets, one understands."""

HELD_SHARE = LARGEST_BATCH // 2
"""How many of them may be for calls that others held when it was last looked."""

CONTENDED_TRIES = 5
"""How often a batch is tried that met others in its way: each may wait for seconds, so patience ends it too."""

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

    @property
    def call(self) -> tuple[str, str]:
        """The call that is meant, as its sender says it."""
        return self.update.account, self.update.ref.value

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
        metrics: where it is counted.
        new_id: makes the ids of receipts that no request came for.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        *,
        limit: int,
        metrics: Metrics | None = None,
        new_id: Callable[[], str] = entropy.new_id,
    ) -> None:
        self._writer = _Writer(database, now, new_id)
        self._limit = limit
        self._waiting: deque[Ticket] = deque()
        self._held: dict[tuple[str, str], deque[Ticket]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._writing: asyncio.Task[None] | None = None
        self._closing = False
        self._metrics = metrics or Metrics()
        self._metrics.queue.set_function(lambda: self._length)

    async def submit(self, update: Update) -> Outcome:
        """Have an update decided and recorded; returns after the commit.

        Raises:
            Refusal: ``busy`` if too many wait already, the database can't be written, or the server is stopping;
                ``unconfirmed`` if the database went away during the commit.
        """
        return await self._take_in([update])[0]

    async def submit_all(self, updates: Sequence[Update]) -> list[Outcome | Exception]:
        """Have updates decided and recorded, one after another; what :meth:`submit` would raise stands in its place.

        Where there is no room for all of them, it is the last ones that are refused.
        """
        room = 0 if self._closing else max(0, self._limit - self._length)
        taken = self._take_in(updates[:room]) if room else []
        done = await asyncio.gather(*taken, return_exceptions=True)
        return [*(_settled(each) for each in done), *(Refusal("busy") for _ in updates[room:])]

    def _take_in(self, updates: Sequence[Update]) -> list[asyncio.Future[Outcome]]:
        if self._closing or self._length >= self._limit:
            raise Refusal("busy")
        loop = asyncio.get_running_loop()
        tickets = [Ticket(update, loop.create_future()) for update in updates]
        self._waiting.extend(tickets)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return [ticket.future for ticket in tickets]

    async def close(self) -> None:
        """Take no more updates, and finish those that were taken."""
        self._closing = True
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()

    @property
    def _length(self) -> int:
        return len(self._waiting) + (sum(map(len, self._held.values())) if self._held else 0)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting or self._held:
            await self._gather()
            batch = self._take()
            updates = [each.update for each in batch]
            try:
                results = await loop.run_in_executor(self._thread, self._writer.write, updates)
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody may wait for ever
                results = dict.fromkeys((update.receipt_id for update in updates), error)
            done = [ticket for ticket in batch if ticket.update.receipt_id in results]
            for ticket in done:
                ticket.settle(results[ticket.update.receipt_id])
            ended = time.monotonic()
            answered = [(_code(results[ticket.update.receipt_id]), ended - ticket.since) for ticket in done]
            self._metrics.note_batch(len(done), answered)
            self._hold([each for each in batch if each.update.receipt_id not in results])
            if not results:
                await asyncio.sleep(LOCKED_PAUSE_SECONDS)
        self._writing = None

    async def _gather(self) -> None:
        """Let what lies in the sockets come into the queue, until nothing more does or a batch is full."""
        before = -1
        while before < len(self._waiting) < LARGEST_BATCH:
            before = len(self._waiting)
            for _ in range(GATHERING_PASSES):
                await asyncio.sleep(0)

    def _take(self) -> list[Ticket]:
        """The next batch: some of those held back, call by call in their order, then those that wait."""
        batch: list[Ticket] = []
        share = max(1, HELD_SHARE // max(1, len(self._held)))
        for call in list(self._held)[:HELD_SHARE]:
            tickets = self._held.pop(call)
            batch += [tickets.popleft() for _ in range(min(share, len(tickets)))]
            if tickets:
                self._held[call] = tickets
        while self._waiting and len(batch) < LARGEST_BATCH:
            ticket = self._waiting.popleft()
            self._held.get(ticket.call, batch).append(ticket)
        return batch

    def _hold(self, locked: Sequence[Ticket]) -> None:
        """Hold updates back, before later ones of the same call."""
        patient_since = time.monotonic() - LOCKED_PATIENCE_SECONDS
        for ticket in reversed(locked):
            if ticket.since < patient_since:
                ticket.settle(self._writer.give_up(ticket.update))
            else:
                self._held.setdefault(ticket.call, deque()).appendleft(ticket)


def _code(result: Outcome | Exception) -> str:
    if isinstance(result, Outcome):
        return result.code
    return result.code.name if isinstance(result, Refusal) else "internal_error"


def _settled(result: Outcome | BaseException) -> Outcome | Exception:
    if isinstance(result, (Outcome, Exception)):
        return result
    raise result  # we are being cancelled


Results = dict[str, Outcome | Exception]
"""What became of updates, by the id of their receipts."""


class _Writer:
    """Writes batches, in the thread of the intake."""

    def __init__(self, database: Database, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._database = database
        self._now = now
        self._new_id = new_id
        self._unconfirmed: dict[str, Outcome] = {}
        """Outcomes whose commit was not confirmed, and may still come through."""

    def write(self, updates: Sequence[Update]) -> Results:
        """What became of each update; those of calls that another transaction holds are left out."""
        results: Results = {}
        try:
            return self._try(updates)
        except LockedUpdatesError as error:
            parts = [_without(updates, error.receipt_ids)]
        except UnavailableError as error:
            log.warning("database can't be written", reason=str(error))
            return {update.receipt_id: self.give_up(update) for update in updates}
        except Exception as error:  # noqa: BLE001 - whatever it is, only its own update fails
            results = self._come_through(updates)
            if len(updates) == 1 and not results:
                return {updates[0].receipt_id: self._failed(updates[0], error)}
            half = len(updates) // 2
            parts = [_without(updates, results)] if results else [updates[:half], updates[half:]]
        for part in filter(None, parts):
            results |= self.write(part)
        return results

    def give_up(self, update: Update) -> Refusal:
        """What the sender of an update is told that can't be recorded now."""
        before = self._unconfirmed.pop(update.receipt_id, None)
        return Refusal("busy" if before is None else "unconfirmed")

    def _failed(self, update: Update, error: Exception) -> Exception:
        if update.receipt_id in self._unconfirmed:
            return self.give_up(update)
        if not isinstance(error, RejectedError):
            log.error("update failed", receipt_id=update.receipt_id, exc_info=error)
        return error

    def _try(self, updates: Sequence[Update]) -> Results:
        patient_until = time.monotonic() + LOCKED_PATIENCE_SECONDS
        for _ in range(CONTENDED_TRIES):
            try:
                return self._commit(updates)
            except ContendedError as error:
                log.info("batch is tried again", reason=str(error))
            if time.monotonic() > patient_until:
                break
        raise UnavailableError("too much contention")

    def _commit(self, updates: Sequence[Update]) -> Results:
        """Record updates; once more on a new connection if the old one is lost, maybe long ago without notice.

        Should an unconfirmed commit come through after it was taken for lost, then the ids of the receipts collide, and
        it counts (:meth:`_come_through`).
        """
        try:
            return self._record(updates)
        except UnconfirmedError:
            if self._is_recorded(updates):
                return {update.receipt_id: self._unconfirmed.pop(update.receipt_id) for update in updates}
        except UnavailableError as error:
            log.info("batch is tried on a new connection", reason=str(error))
        return self._record(updates)

    def _record(self, updates: Sequence[Update]) -> Results:
        outcomes: dict[str, Outcome] = {}
        try:
            with self._database.write() as tx:
                now = self._now()
                made = with_early(tx, apply(tx, updates, now, waits=False), now=now, new_id=self._new_id)
                outcomes = {outcome.update.receipt_id: outcome for outcome in made}
        except UnconfirmedError:
            self._unconfirmed |= outcomes
            raise
        for receipt_id in outcomes:
            self._unconfirmed.pop(receipt_id, None)
        return {**outcomes}

    def _is_recorded(self, updates: Sequence[Update]) -> bool:
        """Whether a commit was made that the connection did not survive: then its receipts are there.

        Raises:
            UnconfirmedError: it can't be found out now.
        """
        for seconds in CONFIRM_SECONDS:
            time.sleep(seconds)
            try:
                return bool(self._find_receipts(updates))
            except StoreError as error:
                log.warning("commit is not confirmed yet", reason=str(error))
        raise UnconfirmedError("the database did not come back")

    def _come_through(self, updates: Sequence[Update]) -> Results:
        """The outcomes of those whose unconfirmed commit came through after all."""
        try:
            there = self._find_receipts(updates)
        except StoreError as error:
            log.warning("commit is not confirmed yet", reason=str(error))
            return {}
        return {receipt_id: self._unconfirmed.pop(receipt_id) for receipt_id in there}

    def _find_receipts(self, updates: Sequence[Update]) -> set[str]:
        """Which of these receipts are recorded, of those whose commit was not confirmed."""
        unconfirmed = [self._unconfirmed.get(update.receipt_id) for update in updates]
        ids = [
            (outcome.principal.account_id, outcome.update.receipt_id)
            for outcome in unconfirmed
            if outcome is not None and outcome.principal is not None
        ]
        if not ids:
            return set()
        with self._database.read() as tx:
            return receipts.find_existing(tx, ids)


def _without(updates: Sequence[Update], receipt_ids: Collection[str]) -> Sequence[Update]:
    return [update for update in updates if update.receipt_id not in receipt_ids]
