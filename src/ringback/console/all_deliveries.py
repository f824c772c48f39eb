"""Sending all deliveries of a filter again, or taking them back: some at a time, with how far it is in the address.

Nothing is kept of it: a page that nobody goes on with has done what it has done, and the list shows what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.responses import Response

from ringback.console import delivery_filters
from ringback.console.delivery_filters import Filters
from ringback.console.delivery_words import STATES
from ringback.console.pages import Need, Page, Visit, go, render
from ringback.domain.decisions import read_uuid
from ringback.domain.deliveries import State
from ringback.services import postbacks as services
from ringback.store import delivery_search, postbacks

AT_ONCE = 200
FEW = 10
STEPS = 20
"""In about how many steps it is done where the page goes on by itself; a step has a few at least."""

MOST_COUNTED = 10_000

DEEDS: Mapping[str, frozenset[State]] = {
    "again": frozenset({State.RETRYING, State.HELD, State.FAILED}),
    "back": frozenset({State.PENDING, State.RETRYING, State.HELD, State.FAILED}),
}
"""What can be done to all deliveries in a state, and in which."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: up to which delivery and after which it goes on, how many there were, came up, and were done."""

    up_to: str = ""
    after: str = ""
    total: int = 0
    seen: int = 0
    made: int = 0
    is_over: bool = False

    @property
    def query(self) -> dict[str, str]:
        """As it stands in the address, and in the form that goes on."""
        numbers = {"total": self.total, "seen": self.seen, "made": self.made, "over": int(self.is_over)}
        return {"up_to": self.up_to, "after": self.after, **{name: str(value) for name, value in numbers.items()}}


def show(visit: Visit) -> Response:
    """What would be done, or how far it is."""
    filters, deed = _read(visit)
    if not deed:
        return _back(visit, filters)
    progress = _progress(visit)
    rule = filters.wanted.postback_id
    return render(
        visit,
        "deliveries/all.html",
        filters=filters,
        deed=deed,
        state=STATES[filters.wanted.state][0],  # type: ignore[index] # there is one where something can be done
        postback=postbacks.find(visit.tx, visit.here.id, rule) if rule else None,
        progress=progress,
        count=0 if progress.up_to else _count(visit, filters),
        most=MOST_COUNTED,
    )


def go_on(visit: Visit) -> Response:
    """Do the next ones; fewer at first, and where the page goes on by itself and shows how far it is."""
    filters, deed = _read(visit)
    if not deed:
        return _back(visit, filters)
    progress = _progress(visit)
    few = "hx-request" in visit.request.headers or not progress.up_to
    if not progress.up_to:
        progress = Progress(up_to=visit.tools.new_id(), total=_count(visit, filters))
    chunk = delivery_search.list_again(
        visit.tx,
        visit.here.id,
        filters.wanted,
        after=progress.after or None,
        up_to=progress.up_to,
        limit=min(max(FEW, progress.total // STEPS), AT_ONCE) if few else AT_ONCE,
    )
    made = _do(visit, deed, list(chunk.ids))
    progress = replace(
        progress,
        after=chunk.after or progress.after,
        seen=progress.seen + len(chunk.ids),
        made=progress.made + made,
        is_over=chunk.after is None,
    )
    return go(visit.url(f"/deliveries/all?{urlencode({**_given(filters), 'do': deed, **progress.query})}"))


def _do(visit: Visit, deed: str, ids: list[str]) -> int:
    """Do it to some; returns to how many it could be done."""
    if deed == "again":
        return len(services.send_again(visit.tx, visit.acting, visit.here, ids, keeps_order=True).sent)
    return services.take_back(visit.tx, visit.acting, ids)


def _read(visit: Visit) -> tuple[Filters, str]:
    """The filter and what is to be done to it, if that can be; tests are sent once only."""
    filters, deed = delivery_filters.read(visit), visit.text("do") or visit.query("do")
    if filters.wanted.state not in DEEDS.get(deed, ()) or filters.errors:
        return filters, ""
    return (replace(filters, wanted=replace(filters.wanted, is_test=False)) if deed == "again" else filters), deed


def _back(visit: Visit, filters: Filters) -> Response:
    words = "Nothing was done: choose deliveries that failed, are held or are tried again."
    return go(visit.url(f"/deliveries{filters.query()}"), words, "warning")


def _count(visit: Visit, filters: Filters) -> int:
    return delivery_search.count(visit.tx, visit.here.id, filters.wanted, most=MOST_COUNTED)


def _given(filters: Filters) -> dict[str, str]:
    return {name: value for name, value in filters.typed.items() if value}


def _progress(visit: Visit) -> Progress:
    def given(name: str) -> str:
        return visit.text(name) or visit.query(name)

    def number(name: str) -> int:
        text = given(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - enough

    up_to, after = (read_uuid(given(name)) or "" for name in ("up_to", "after"))
    return Progress(up_to, after, number("total"), number("seen"), number("made"), bool(number("over")))


PAGES = (
    Page("GET", "/a/{account}/deliveries/all", show, Need.MANAGER),
    Page("POST", "/a/{account}/deliveries/all", go_on, Need.MANAGER),
)
