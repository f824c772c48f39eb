"""Charts as bars: how high each is, in thousandths of the highest. All arithmetic is exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

HEIGHT = 1000
WIDTH = 10
"""The units that one bar takes in height and in width."""

_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a period: a bar, and within it what is told of it."""

    x: int
    whole: int
    part: int
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars beside each other under a round number."""

    bars: Sequence[Bar]
    top: int

    @property
    def width(self) -> int:
        """The units that all bars take."""
        return len(self.bars) * WIDTH


def draw(rows: Iterable[tuple[str, int | Decimal, int | Decimal]]) -> Chart:
    """A chart of rows of title, whole and part."""
    told = list(rows)
    top = round_top(max((max(whole, part) for _, whole, part in told), default=0))
    return Chart(
        [
            Bar(place * WIDTH, int(whole * HEIGHT // top), int(part * HEIGHT // top), title)
            for place, (title, whole, part) in enumerate(told)
        ],
        top,
    )


def round_top(highest: int | Decimal) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, … that is not lower."""
    size = 1
    while True:
        for step in _STEPS:
            if step * size >= highest:
                return step * size
        size *= 10
