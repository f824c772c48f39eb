"""Calls as the reading API lists them: filtered, in an order, a page at a time, counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from msgspec.structs import replace
from sqlalchemy import Connection

from ringback.domain import access as rules
from ringback.domain.access import Principal
from ringback.domain.attributes import BUYER_CONVERTED, BY_NAME, OFFER_CONVERTED, PAYOUT, REVENUE
from ringback.domain.calls import Call
from ringback.domain.errors import Problem, Refusal
from ringback.domain.queries import BEGINNING, END, Paging
from ringback.services import seen, seen_calls
from ringback.services.access import Caller, check_reader
from ringback.services.seen_calls import Line
from ringback.store import call_conditions, call_logs, call_search
from ringback.store.access import Account
from ringback.store.call_search import CallRow, Place, Wanted
from ringback.store.walks import LOOKED_AT

BY_TIME = "created_at"
"""The order that has an index, and with it cursors."""

ORDERS: Mapping[str, str] = MappingProxyType(
    {
        **{
            name: name
            for name in (
                BY_TIME,
                "updated_at",
                "caller_number",
                "status",
                "total_duration",
                "answered_duration",
                "buyer_id",
                "traffic_source_id",
                "offer_id",
                *(each.name for each in (BUYER_CONVERTED, REVENUE, OFFER_CONVERTED, PAYOUT)),
            )
        },
        "end_time": "ended_at",
    }
)
"""The orders that there are, and the column of each."""

NOT_KEPT = frozenset(
    {
        "direction",
        "start_app_duration",
        "number_id",
        "sub_id",
        "hold_duration",
        "ivr_duration",
        "agent_duration",
        "third_party_cost",
        "charge_total",
        "outgoing_webhooks_count",
        "lead_id",
    }
)
"""The orders by what is never kept: calls are all alike in it, so that they come by when they were recorded."""

LONGEST_CALL = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Order:
    """In which order calls come; of those that are alike the newest first, or the oldest."""

    column: str = BY_TIME
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of calls; ``total`` is None where counting them takes too long, ``next_cursor`` where there is none."""

    lines: Sequence[Line]
    total: int | None
    next_cursor: int | None = END


def check_lister(tx: Connection, caller: Caller, now: datetime) -> tuple[Account, Principal]:
    """The account and the principal of a caller, with only those of his teams that count for an access token.

    Raises:
        Refusal: as :func:`check_reader`.
    """
    account, principal = check_reader(tx, caller, now)
    return account, replace(principal, teams=principal.api_teams)


def readable(principal: Principal) -> frozenset[str]:
    """The attributes that somebody may read of some call."""
    return rules.readable(principal, principal.teams)


def narrowed_to_live(wanted: Wanted, now: datetime) -> Wanted:
    """Those of the wanted calls that are not over; none takes longer than a day."""
    since = max(wanted.since or now - LONGEST_CALL, now - LONGEST_CALL)
    return replace(wanted, since=since, conditions=(*wanted.conditions, call_conditions.in_progress(wanted=True)))


def list_calls(
    tx: Connection, principal: Principal, wanted: Wanted, order: Order, paging: Paging, *, in_full: bool = True
) -> Page:
    """A page of the calls that are wanted and may be seen.

    A page by its number that can't be filled for want of looking further is refused, unless it needn't be ``in_full``.

    Raises:
        Refusal: ``may_not_read``: he may read of no call what it is filtered or ordered by; ``too_many_calls``:
            too many would have to be looked through; ``invalid_value``: the order has no cursors.
    """
    asked = _List(tx, principal, seen_calls.narrowed(principal, wanted), order, paging)
    if order.column != BY_TIME:
        return asked.sorted()
    total = seen_calls.count(tx, principal, asked.narrow)
    if paging.is_over:
        return Page([], total)
    return asked.numbered(total, in_full=in_full) if paging.cursor is None else asked.after_cursor(total, paging.cursor)


def count_webhooks(tx: Connection, principal: Principal, found: Sequence[Call]) -> dict[str, int]:
    """How many deliveries were made for each call, by its UUID; nothing for those who aren't told of deliveries."""
    if not found or not principal.runs_account:
        return {}
    uuids = [call.uuid for call in found]
    return dict.fromkeys(uuids, 0) | call_logs.count_sent(tx, principal.account_id, uuids)


@dataclass(frozen=True, slots=True)
class _List:
    """A list that somebody asks for, of what he may see of it."""

    tx: Connection
    principal: Principal
    narrow: Wanted
    order: Order
    paging: Paging

    def after_cursor(self, total: int | None, cursor: int) -> Page:
        """The page after a cursor; where it was given up to fill it, the next one goes on from there."""
        before = None if cursor == BEGINNING else call_search.find_place(self.tx, self.principal.account_id, cursor)
        found = self._page(self.paging.per_page + 1, before=before)
        shown = found.calls[: self.paging.per_page]
        next_cursor = END if found.looked_to is None else found.looked_to[1]
        if len(found.calls) > len(shown):
            next_cursor = shown[-1].number
        return Page(_lines(self.principal, shown), total, next_cursor)

    def numbered(self, total: int | None, *, in_full: bool) -> Page:
        """A page by its number: those before it are passed by."""
        limit = self.paging.skipped + self.paging.per_page
        if limit > LOOKED_AT:
            if total is not None and self.paging.skipped >= total:
                return Page([], total)
            raise _too_many()
        found = self._page(limit + 1, skipped=self.paging.skipped)
        shown = found.calls[: self.paging.per_page]
        is_cut = found.looked_to is not None and len(shown) < self.paging.per_page
        if is_cut and in_full:
            raise _too_many()
        has_more = not is_cut and (len(found.calls) > len(shown) or found.looked_to is not None)
        return Page(_lines(self.principal, shown), total, shown[-1].number if has_more else END)

    def sorted(self) -> Page:
        """A page in an order that has no index: all calls are looked at, so they must be few enough."""
        column, skipped = self.order.column, self.paging.skipped
        if column in BY_NAME and column not in readable(self.principal):
            raise Refusal("may_not_read", attribute=BY_NAME[column].label)
        if self.paging.cursor is not None:
            reason = f"order must be {BY_TIME} where a cursor is used; other orders have pages"
            raise Refusal("invalid_value", problems=[Problem("order", "invalid_value", {"reason": reason})])
        rows = call_search.list_rows(self.tx, self.principal.account_id, self.narrow, ("buyer_id", column))
        if rows is None:
            raise _too_many()
        numbers = [row.number for row in self._in_order(rows)[skipped : skipped + self.paging.per_page]]
        found = call_search.list_numbered(self.tx, self.principal.account_id, numbers)
        return Page(_lines(self.principal, found), len(rows), None)

    def _page(self, limit: int, *, before: Place | None = None, skipped: int = 0) -> call_search.Page:
        return call_search.list_page(
            self.tx,
            self.principal.account_id,
            self.narrow,
            before=before,
            limit=limit,
            skipped=skipped,
            oldest_first=self.order.oldest_first,
        )

    def _in_order(self, rows: Sequence[CallRow]) -> list[CallRow]:
        """Rows by a column; those without a value, or whose value he may not read, come last."""
        column = self.order.column
        known: list[CallRow] = []
        unknown: list[CallRow] = []
        hidden = self._hidden({row.buyer_id for row in rows})
        for row in reversed(rows) if self.order.oldest_first else rows:
            (unknown if row.buyer_id in hidden or getattr(row, column) is None else known).append(row)
        known.sort(key=lambda row: getattr(row, column), reverse=not self.order.oldest_first)
        return [*known, *unknown]

    def _hidden(self, buyers: Iterable[int | None]) -> set[int | None]:
        """The buyers of whose calls he may not read what calls are ordered by."""
        column = self.order.column
        return {each for each in buyers if column in BY_NAME and column not in seen.readable(self.principal, each)}


def _lines(principal: Principal, found: Sequence[Call]) -> list[Line]:
    return [Line(call, seen.readable(principal, call.buyer_id)) for call in found]


def _too_many() -> Refusal:
    return Refusal("too_many_calls", limit=f"{LOOKED_AT:,}")
