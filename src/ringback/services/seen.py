"""Receipts as a person at the console may see them.

Who runs the account sees them all; a member his own, and of these what his teams may read today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import unquote_plus

from sqlalchemy import Connection

from ringback.domain import access
from ringback.domain.access import Principal
from ringback.domain.calls import Call
from ringback.domain.decisions import CallRef, RefKind, read_uuid
from ringback.domain.errors import Mistake, Refusal
from ringback.domain.waiting import Waiting
from ringback.services import receipts as receipt_service
from ringback.store import calls, receipt_search, waiting
from ringback.store.access import Account
from ringback.store.receipt_search import Listed, Request, Wanted
from ringback.store.receipts import Payload, Receipt
from ringback.store.values import time_of

TEXTS_READ = 2_000
"""In how many requests a page looks for a text."""

BYTES_READ = 16 * 1024 * 1024
"""In how many bytes of them."""

_CHUNK = 200
_NEWS_MOST = 99


@dataclass(frozen=True, slots=True)
class Line:
    """A receipt in a list, and what the visitor may know of its call."""

    listed: Listed
    readable: frozenset[str]
    shows_call: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a list; ``older`` is what the next page comes before. A text was looked for back to ``looked_to``."""

    lines: Sequence[Line]
    older: str | None
    looked_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A receipt with everything that its page shows; ``first`` is the waiting update that it applied, if it did."""

    receipt: Receipt
    payload: Payload = field(repr=False)
    call: Call | None
    readable: frozenset[str]
    waiting: Waiting | None
    first: Waiting | None


def readable(principal: Principal, buyer_id: int | None) -> frozenset[str]:
    """The attributes of a call that a person may read at the console, by the call's buyer."""
    return access.readable(principal, access.seeing(principal, buyer_id))


def shows(principal: Principal, buyer_id: int | None) -> bool:
    """Whether a person sees the calls of a buyer at the console."""
    return principal.runs_account or bool(access.seeing(principal, buyer_id))


def narrowed(principal: Principal, wanted: Wanted) -> Wanted:
    """What is wanted, less what the person may not see."""
    if principal.runs_account:
        return wanted
    is_about_calls = wanted.call_uuid is not None or wanted.buyer_id is not None
    return replace(wanted, user_id=principal.user_id, hides_guesses=is_about_calls)


def search(
    tx: Connection, principal: Principal, wanted: Wanted, *, text: str = "", before: str | None = None, limit: int
) -> Found:
    """A page of receipts, newest first.

    A text is looked for in at most so many requests; then the page ends, and the next one goes on from there.
    """
    account_id, wanted = principal.account_id, narrowed(principal, wanted)
    if text:
        return _search_text(tx, principal, wanted, text, before, limit)
    page = receipt_search.list_ids(tx, account_id, wanted, before=before, limit=limit + 1)
    found = receipt_search.list_by_id(tx, account_id, page.ids[:limit])
    older, looked_to = (found[-1].id, None) if len(page.ids) > limit else (page.looked_to, page.looked_to)
    return Found(_lines(principal, found), older, time_of(looked_to) if looked_to else None)


def count_news(tx: Connection, principal: Principal, wanted: Wanted, after: str, *, shown: int) -> int:
    """How many receipts came after the one named, but for those that were shown already."""
    most = shown + _NEWS_MOST
    page = receipt_search.list_ids(tx, principal.account_id, narrowed(principal, wanted), after=after, limit=most)
    return max(0, len(page.ids) - shown)


def see(tx: Connection, principal: Principal, account: Account, receipt_id: str) -> Seen:
    """One receipt.

    Raises:
        Refusal: ``not_found``: there is none, or it is none of his.
    """
    missing = Refusal("not_found", path=f"/updates/{receipt_id}")
    try:
        opened = receipt_service.find(tx, receipt_id, account.subdomain)
    except Mistake as mistake:
        raise missing from mistake
    receipt = opened.receipt
    if not principal.runs_account and receipt.user_id != principal.user_id:
        raise missing
    uuid = receipt.call_uuid
    call = calls.find(tx, account.id, CallRef(RefKind.UUID, uuid)) if uuid else None
    is_shown = call is not None and shows(principal, call.buyer_id)
    return Seen(
        receipt,
        opened.payload,
        call if is_shown else None,
        readable(principal, call.buyer_id) if call is not None else access.readable(principal, ()),
        opened.waiting,
        waiting.find_applied(tx, account.id, uuid, receipt.id) if uuid and not opened.payload.method else None,
    )


def find_call(tx: Connection, principal: Principal, text: str) -> str | None:
    """The UUID of a call by UUID or number; a number only of a call that the person sees."""
    uuid = read_uuid(text)
    if uuid is not None or not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        return uuid
    call = calls.find(tx, principal.account_id, CallRef(RefKind.NUMBER, text))
    return call.uuid if call is not None and shows(principal, call.buyer_id) else None


_LONGEST_NUMBER = 18


def _search_text(
    tx: Connection, principal: Principal, wanted: Wanted, text: str, before: str | None, limit: int
) -> Found:
    account_id, ids = principal.account_id, list[str]()
    place, size, looked, has_more = before, 0, 0, True
    while has_more and len(ids) < limit and looked < TEXTS_READ and size < BYTES_READ:
        page = receipt_search.list_ids(tx, account_id, wanted, before=place, limit=_CHUNK)
        for request in receipt_search.list_requests(tx, account_id, page.ids):
            place, looked, size = request.id, looked + 1, size + len(request.body)
            if _has(request, text.casefold()):
                ids.append(request.id)
            if len(ids) == limit or size >= BYTES_READ:
                break
        else:
            has_more = len(page.ids) == _CHUNK
            place = place if has_more else page.looked_to
    found = receipt_search.list_by_id(tx, account_id, ids)
    return Found(_lines(principal, found), place, time_of(place) if place else None)


def _has(request: Request, text: str) -> bool:
    said = f"{request.path}\n{request.body.decode(errors='replace')}"
    return text in said.casefold() or (("%" in said or "+" in said) and text in unquote_plus(said).casefold())


def _lines(principal: Principal, found: Sequence[Listed]) -> list[Line]:
    return [
        Line(
            listed,
            readable(principal, listed.call_buyer_id) if listed.call_number else access.readable(principal, ()),
            bool(listed.call_number) and shows(principal, listed.call_buyer_id),
        )
        for listed in found
    ]
