"""Lists that are longer than a page: asked for one page after the other, by cursor, so that no row is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ringback.client.answers import Call, Document, Partner
from ringback.client.requests import Reply, Request
from ringback.client.values import (
    BuyerFilters,
    CallFilters,
    OfferFilters,
    PartnerFilters,
    TrafficSourceFilters,
    wire_filters,
)

Row = TypeVar("Row")

Place = Mapping[str, str]
"""Where a page begins, as the query string says it."""

PAGE_SIZE = 250
"""How many rows are fetched at once, if nobody says."""

FIRST: Place = {"cursor": "-1"}
_END = 0
_OURS = frozenset({"cursor", "page", "per_page", "columns", "root", "serializer"})
"""Names of the query string that this client sets itself, or that would change the form of the rows."""

_KNOWN: Mapping[str, type[CallFilters | PartnerFilters]] = {
    "calls": CallFilters,
    "buyers": BuyerFilters,
    "traffic_sources": TrafficSourceFilters,
    "offers": OfferFilters,
}
"""The filters of each list."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list, and where it goes on; None if nowhere."""

    rows: list[Row]
    following: Place | None


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """A list that is asked for: the name of its rows, how each is read, and which of them."""

    noun: str
    read: Callable[[Document], Row]
    query: Mapping[str, str]

    def page(self, place: Place) -> Request[Page[Row]]:
        """The request for the page that begins at a place."""
        return Request("GET", f"/api/v1/{self.noun}", self._read, query={**self.query, **place})

    def _read(self, reply: Reply) -> Page[Row]:
        metadata = reply.document["metadata"]
        if ignored := metadata.get("ignored"):
            raise _unknown(self.noun, ignored)
        following = metadata["next_cursor"]
        rows = [self.read(row) for row in reply.document[self.noun]]
        return Page(rows, None if following == _END else {"cursor": str(following)})


def calls(filters: Mapping[str, object], page_size: int) -> Listing[Call]:
    """The calls that pass the filters.

    Raises:
        TypeError: there is no such filter, or a value can't be one of it.
    """
    return Listing("calls", Call.of, _query("calls", filters, page_size))


def partners(noun: str, filters: Mapping[str, object], page_size: int) -> Listing[Partner]:
    """The ``buyers``, ``traffic_sources`` or ``offers`` that pass the filters; raises as :func:`calls`."""
    return Listing(noun, Partner.of, _query(noun, filters, page_size))


def _query(noun: str, filters: Mapping[str, object], page_size: int) -> dict[str, str]:
    if taken := sorted(_OURS & filters.keys()):
        raise TypeError(f"{', '.join(taken)} can't be chosen: every row comes, page by page, as it is")
    if unknown := sorted(filters.keys() - _KNOWN[noun].__annotations__.keys()):
        raise _unknown(noun, unknown)
    return {**wire_filters(filters), "per_page": str(page_size)}


def _unknown(noun: str, names: Iterable[str]) -> TypeError:
    return TypeError(f"{noun} can't be filtered by {', '.join(names)}")
