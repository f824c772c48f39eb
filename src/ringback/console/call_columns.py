"""The columns of the list of calls, of which a person chooses; the choice stands in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ringback.console.pages import Visit
from ringback.domain.attributes import BUYER_CONVERTED, OFFER_CONVERTED, PAYOUT, REVENUE, Kind
from ringback.services import seen_calls

WORTH = (BUYER_CONVERTED, REVENUE, OFFER_CONVERTED, PAYOUT)
"""The attributes that have a column, in the order of the list."""

_ABOUT = {
    "caller": "Caller",
    "buyer": "Buyer",
    "traffic_source": "Traffic source",
    "offer": "Offer",
    "status": "Status",
    "total_duration": "Total duration",
    "answered_duration": "Answered duration",
}
_REST = {"updated": "Last changed", "uuid": "UUID"}
_NUMBERS = frozenset({"total_duration", "answered_duration"})
_USUAL = frozenset({"caller", "buyer", "traffic_source", "offer", "status", *(each.name for each in WORTH)})


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in the address, what stands above it, and whether numbers stand in it."""

    name: str
    label: str
    is_number: bool = False
    is_worth: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that there are, and those that were chosen."""

    offered: Sequence[Column]
    chosen: Sequence[Column]
    given: Mapping[str, Sequence[str]]

    @property
    def names(self) -> frozenset[str]:
        """The names of those that were chosen."""
        return frozenset(column.name for column in self.chosen)


def read(visit: Visit) -> Columns:
    """The columns of a request; the usual ones if it names none."""
    readable = seen_calls.readable(visit.actor)
    worth = [
        Column(each.name, each.label, is_number=each.kind is Kind.MONEY, is_worth=True)
        for each in WORTH
        if each.name in readable
    ]
    about, rest = (
        [Column(name, label, is_number=name in _NUMBERS) for name, label in each.items()] for each in (_ABOUT, _REST)
    )
    offered = [*about, *worth, *rest]
    asked = visit.request.query_params.getlist("columns")
    chosen = [column for column in offered if column.name in asked]
    usual = [column for column in offered if column.name in _USUAL]
    given = {"columns": [column.name for column in chosen]} if chosen and chosen != usual else {}
    return Columns(offered, chosen or usual, given)
