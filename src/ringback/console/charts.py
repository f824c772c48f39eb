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
class Told:
    """What one bar tells: how much, how much of it is its inner part, and how much it was before, if that is known."""

    title: str
    whole: int | Decimal
    part: int | Decimal
    before: int | Decimal | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a period: a bar, within it what is told of it, and a line where it stood before."""

    x: int
    whole: int
    part: int
    before: int | None
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


def draw(rows: Iterable[Told]) -> Chart:
    """A chart of what is told."""
    told = list(rows)
    top = round_top(max((max(each.whole, each.part, each.before or 0) for each in told), default=0))

    def height(number: int | Decimal) -> int:
        return int(number * HEIGHT // top)

    return Chart(
        [
            Bar(
                place * WIDTH,
                height(each.whole),
                height(each.part),
                None if each.before is None else height(each.before),
                each.title,
            )
            for place, each in enumerate(told)
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
