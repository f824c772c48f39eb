"""What calls and updates come to: figures that can be added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Self

from ringback.domain.receipts import Outcome, Result

UNASKED = frozenset({"console", "record"})
"""The routes of receipts that are no updates from a sender."""

ACCEPTED = (Result.APPLIED, Result.UNCHANGED, Result.REPLAYED)
"""What becomes of updates that are recorded."""

_NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Figures:
    """How many calls, how many of them converted, what all are worth, and what those that converted are worth."""

    calls: int = 0
    conversions: int = 0
    revenue: Decimal = _NONE
    payout: Decimal = _NONE
    converted_revenue: Decimal = _NONE
    converted_payout: Decimal = _NONE

    @property
    def margin(self) -> Decimal:
        """What is left of the revenue."""
        return self.revenue - self.payout

    def of_converted(self, *, converted: bool | None) -> Figures:
        """Of the calls that converted, or of those that didn't; of all of them for None."""
        if converted is None:
            return self
        worth = (self.converted_revenue, self.converted_payout)
        those = Figures(self.conversions, self.conversions, *worth, *worth)
        return those if converted else self - those

    def __add__(self, other: Figures) -> Figures:
        """Both together."""
        return Figures(
            self.calls + other.calls,
            self.conversions + other.conversions,
            self.revenue + other.revenue,
            self.payout + other.payout,
            self.converted_revenue + other.converted_revenue,
            self.converted_payout + other.converted_payout,
        )

    def __sub__(self, other: Figures) -> Figures:
        """What is left without the other."""
        return self + Figures(
            -other.calls,
            -other.conversions,
            -other.revenue,
            -other.payout,
            -other.converted_revenue,
            -other.converted_payout,
        )


@dataclass(frozen=True, slots=True)
class Updates:
    """What became of updates, by result and code, and how long after their calls those came that were applied."""

    counts: Mapping[tuple[Result, str], int] = field(default_factory=dict)
    waited: timedelta = timedelta()

    @property
    def received(self) -> int:
        """How many came."""
        return sum(self.counts.values())

    @property
    def accepted(self) -> int:
        """How many were recorded."""
        return sum(self.of(result) for result in ACCEPTED)

    @property
    def mean_wait(self) -> timedelta | None:
        """The mean time from a call to an update that changed it; None if none did."""
        applied = self.of(Result.APPLIED)
        return self.waited / applied if applied else None

    def of(self, result: Result) -> int:
        """How many had this result."""
        return sum(count for (each, _), count in self.counts.items() if each is result)

    def codes(self, result: Result) -> list[tuple[str, int]]:
        """The codes of a result, the most frequent first."""
        found = [(code, count) for (each, code), count in self.counts.items() if each is result]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))

    def __add__(self, other: Self) -> Updates:
        """Both together."""
        keys = {**self.counts, **other.counts}
        counts = {key: self.counts.get(key, 0) + other.counts.get(key, 0) for key in keys}
        return Updates(counts, self.waited + other.waited)


def is_asked(outcome: Outcome) -> bool:
    """Whether it is one of the updates that are counted: from a sender who is known, and meant."""
    update = outcome.update
    return outcome.principal is not None and not update.reading.dry_run and update.route not in UNASKED


def waited(outcome: Outcome) -> timedelta:
    """How long after its call an update came that changed it; nothing for others, and for those that came before."""
    if outcome.result is not Result.APPLIED or outcome.call is None:
        return timedelta()
    return max(timedelta(), outcome.update.received_at - outcome.call.created_at)
