"""The turns of a worker: each one transaction that keeps what is finished and takes what is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from ringback.delivery.hosts import Hosts
from ringback.sealing import Seal
from ringback.services import dispatch
from ringback.services.dispatch import Job
from ringback.store import claims
from ringback.store.claims import Claimed, Finished
from ringback.store.engine import Database
from ringback.store.failures import ContendedError, UnavailableError
from ringback.store.sets import by_keys

LOOK_SECONDS = 1.0
"""How often a worker looks for deliveries that nobody woke it for."""

AWAY_SECONDS = 1.0
"""How long it rests when the database is away, or a turn failed."""

SHORTEST_REST = 0.05
"""How long it rests at least where a host may soon be sent to again."""

_PASSING = (UnavailableError, ContendedError)
"""What has to do with nothing that is written."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a turn: what is to be sent, and for how many seconds the worker may rest."""

    jobs: list[Job] = field(default_factory=list)
    rest: float = AWAY_SECONDS


@dataclass(frozen=True, slots=True)
class Turns:
    """Writes turns, with the tools of the worker."""

    database: Database
    find_seal: Callable[[], Seal]
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    hosts: Hosts

    def write(self, finished: Sequence[Finished], given_back: Sequence[Claimed], room: int) -> Turn:
        """Keep what is finished and given back, and take as many as there is room for.

        Raises:
            StoreError: the database is away or somebody in the way; all of it is to be written again.
        """
        try:
            return self._write(finished, given_back, room)
        except _PASSING:
            raise
        except Exception:
            # One row that can't be read or written must neither end all sending nor lose what was done.
            log.exception("a turn of the worker failed")
        if finished:
            self._keep(finished)
        self._give_back(given_back)
        return Turn()

    def _write(self, finished: Sequence[Finished], given_back: Sequence[Claimed], room: int) -> Turn:
        now, seal = self.now(), self.find_seal()
        with self.database.write() as tx:
            by_keys(tx)
            dispatch.finish(tx, finished, now)
            claims.give_back(tx, given_back, now)
            if room <= 0:
                return Turn(rest=LOOK_SECONDS)
            taken = dispatch.take(tx, seal, self.new_id(), now=now, limit=room, hosts=self.hosts)
            due_at = None if taken.jobs else claims.next_due(tx, after=now)
        if taken.has_more:
            return Turn(taken.jobs, 0)
        rest = LOOK_SECONDS if due_at is None else min(LOOK_SECONDS, (due_at - now) / timedelta(seconds=1))
        return Turn(taken.jobs, min(rest, max(SHORTEST_REST, self.hosts.opens_in())))

    def _keep(self, finished: Sequence[Finished]) -> None:
        """Keep what is finished apart from all else, in halves around what the database refuses."""
        try:
            with self.database.write() as tx:
                dispatch.finish(tx, finished, self.now())
        except _PASSING:
            raise
        except Exception:
            if len(finished) > 1:
                middle = len(finished) // 2
                self._keep(finished[:middle])
                self._keep(finished[middle:])
            elif finished[0].bare != finished[0]:
                self._keep([finished[0].bare])
            else:
                log.exception("what came of a delivery can't be kept", delivery=finished[0].claimed.due.id)

    def _give_back(self, given_back: Sequence[Claimed]) -> None:
        try:
            with self.database.write() as tx:
                claims.give_back(tx, given_back, self.now())
        except _PASSING:
            raise
        except Exception:
            log.exception("claims can't be given back, and will lapse")
