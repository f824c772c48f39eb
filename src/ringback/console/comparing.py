"""The large numbers of the overview as they are shown: each with what it was before, and the difference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from ringback.console.shown import amount, duration
from ringback.services.overview import Overview, percentage

Number = int | Decimal | timedelta | None
Kind = Literal["count", "amount", "percentage", "duration"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: in words, which list it leads to and by which filter, and of the period before the same."""

    label: str
    value: str
    page: Literal["calls", "updates"]
    filters: str = ""
    note: str = ""
    before: str | None = None
    difference: str = ""


def compare(found: Overview, before: Overview | None) -> list[Figure]:
    """The numbers of a period, beside those of the one before if that is asked for."""
    rows = zip(_numbers(found), _numbers(before) if before else [None] * len(_NAMES), _notes(found), strict=True)
    return [
        Figure(
            label,
            told(number, kind),
            page,  # type: ignore[arg-type] # one of both
            filters,
            note,
            None if before is None else told(other, kind),
            _difference(number, other, kind),
        )
        for (label, kind, page, filters), (number, other, note) in zip(_NAMES, rows, strict=True)
    ]


_NAMES: tuple[tuple[str, Kind, str, str], ...] = (
    ("Calls", "count", "calls", ""),
    ("Conversions", "count", "calls", "&converted=yes"),
    ("Revenue", "amount", "calls", ""),
    ("Payout", "amount", "calls", ""),
    ("Margin", "amount", "calls", ""),
    ("Updates recorded", "percentage", "updates", ""),
    ("From call to postback", "duration", "updates", "&outcome=applied"),
)


def _numbers(found: Overview) -> list[Number]:
    total = found.total
    worth = (total.calls, total.conversions, total.revenue, total.payout, total.margin)
    return [*worth, found.acceptance, found.updates.mean_wait]


def _notes(found: Overview) -> list[str]:
    return [
        "",
        "" if found.conversion is None else f"{found.conversion} % of the calls",
        "",
        "",
        "revenue less payout",
        f"of {found.updates.received:,} received",
        "the mean of the updates that were applied",
    ]


def told(number: Number, kind: Kind) -> str:
    """A number in words, a dash for none."""
    if isinstance(number, timedelta):
        return duration(number)
    if number is None:
        return "-"
    if kind == "amount":
        return amount(number)
    return f"{number} %" if kind == "percentage" else f"{number:,}"


def _difference(number: Number, before: Number, kind: Kind) -> str:
    """How much more or less it is, and how much that is of a hundred of what it was."""
    if isinstance(number, timedelta) and isinstance(before, timedelta):
        return f"{_sign(number >= before)}{duration(abs(number - before))}"
    if not isinstance(number, int | Decimal) or not isinstance(before, int | Decimal):
        return ""
    less = abs(Decimal(number) - Decimal(before))
    size = f"{less} points" if kind == "percentage" else told(less, kind)
    share = None if kind == "percentage" else percentage(less, abs(Decimal(before)))
    return f"{_sign(number >= before)}{size}{'' if share is None else f' ({_sign(number >= before)}{share} %)'}"


def _sign(is_more: bool) -> str:  # noqa: FBT001
    return "+" if is_more else "\u2212"
