"""Contests: contenders take turns in interleaved rounds, and what counts is the ratio within a round.

Absolute figures hang on the machine and on whoever else is using it; two turns a few seconds apart have that in common.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Protocol

from sqlalchemy import text

from benchmarks import load
from benchmarks.stage import CHANGES_AN_UPDATE, Recorded, Served, Stage, cpu_seconds


class UnverifiedError(Exception):
    """What was answered is not what is recorded: then there is nothing to compare."""


@dataclass(frozen=True)
class Turn:
    """One turn of a contender: its updates a second, and further figures by name."""

    per_second: float
    figures: Mapping[str, float] = field(default_factory=dict)


class Contender(Protocol):
    """Whoever takes part."""

    name: str

    def turn(self, seconds: float) -> Turn:
        """Work for about so long, and tell what was done."""


Results = Mapping[str, Sequence[Turn]]
"""The turns of each contender, by name; the n-th turns of all were one round."""


def compete(contenders: Sequence[Contender], *, rounds: int, seconds: float) -> Results:
    """Let the contenders take turns, every other round in the opposite order."""
    results: dict[str, list[Turn]] = {each.name: [] for each in contenders}
    for number in range(rounds):
        for each in contenders if number % 2 == 0 else reversed(contenders):
            os.sync()  # so that nobody waits for what the one before has left to be written
            results[each.name].append(each.turn(seconds))
    return results


@dataclass(frozen=True)
class Spread:
    """The middle of some numbers, and how far they lie apart."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        """The spread of numbers."""
        return cls(median(numbers), min(numbers), max(numbers))


def rates(turns: Sequence[Turn]) -> Spread:
    """Updates a second of the rounds."""
    return Spread.of([turn.per_second for turn in turns])


def ratios(ours: Sequence[Turn], theirs: Sequence[Turn]) -> Spread:
    """How many times as many updates a second, round by round."""
    return Spread.of([our.per_second / their.per_second for our, their in zip(ours, theirs, strict=True)])


def figure(turns: Sequence[Turn], name: str) -> float | None:
    """The middle of one of the further figures, if it was taken."""
    numbers = [turn.figures[name] for turn in turns if name in turn.figures]
    return median(numbers) if numbers else None


# --- what it costs ---------------------------------------------------------------------------------------------------


class Meter:
    """What a stretch of work costs: core time of the database and of the server, bytes of the write-ahead log."""

    def __init__(self, stage: Stage, served: Sequence[Served] = ()) -> None:
        self._stage = stage
        self._served = served
        self._recorded = stage.recorded()
        self._wal = self._wal_position()
        self._database = self._database_cpu()
        self._server = self._server_cpu()

    def figures(self, answered: int) -> dict[str, float]:
        """What it has cost an update since the meter was made; checked first that every answered one is recorded."""
        costs = {
            "server µs": 1e6 * (self._server_cpu() - self._server),
            "database µs": 1e6 * (self._database_cpu() - self._database),
            "log bytes": self._wal_position() - self._wal,
        }
        verify(self._stage.recorded() - self._recorded, answered)
        return {name: cost / answered for name, cost in costs.items() if cost}

    def _server_cpu(self) -> float:
        return sum(each.cpu_seconds() for each in self._served)

    def _wal_position(self) -> float:
        if self._stage.database.is_sqlite:
            return 0.0
        with self._stage.database.read() as tx:
            return float(tx.scalar(text("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")) or 0)

    def _database_cpu(self) -> float:
        if self._stage.database.is_sqlite:
            return 0.0
        with self._stage.database.read() as tx:
            backend = tx.scalar(text("SELECT pg_backend_pid()"))
        try:
            postmaster = int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
            children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        except OSError:
            return 0.0
        return cpu_seconds([postmaster, *map(int, children)])


def verify(recorded: Recorded, answered: int) -> None:
    """Check that each answered update left its rows.

    Raises:
        UnverifiedError: some are missing, or there are too many.
    """
    owed = Recorded(answered, answered, CHANGES_AN_UPDATE * answered)
    if recorded != owed:
        raise UnverifiedError(f"answered: {owed}, recorded: {recorded}")


@dataclass
class HttpContender:
    """Whoever answers updates over HTTP."""

    name: str
    stage: Stage
    served: Sequence[Served]
    connections: int = 64

    def turn(self, seconds: float) -> Turn:
        """A closed loop: as many updates as can be answered."""
        told, figures = self.run(seconds=seconds, warmup=min(1.0, seconds / 4), connections=self.connections)
        return Turn(told.per_second, {"p50 ms": told.p50, "p99 ms": told.p99, **figures})

    def at_rate(self, rate: float, seconds: float) -> load.Told:
        """Updates that fall due at a rate."""
        return self.run(seconds=seconds, warmup=min(1.0, seconds / 4), rate=rate)[0]

    def run(self, **how: float | None) -> tuple[load.Told, dict[str, float]]:
        """Carry out a plan, and check that what was answered is recorded and nothing else was answered."""
        meter = Meter(self.stage, self.served)
        told = load.run(self.stage.plan([each.port for each in self.served], **how))
        self.stage.sent += told.sent
        if told.others:
            words = self.served[0].last_words()
            raise UnverifiedError(f"{self.name} answered {told.others}; the end of its log: {words}")
        figures = meter.figures(told.answered)
        figures["client µs"] = 1e6 * told.cpu_seconds / told.answered
        return told, figures
