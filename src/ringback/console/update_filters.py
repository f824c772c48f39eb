"""The filters of the list of updates, as they stand in its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from ringback.console.pages import Visit
from ringback.domain.access import Principal
from ringback.domain.decisions import read_uuid
from ringback.domain.errors import CODES
from ringback.domain.periods import day_start, read_day
from ringback.domain.receipts import Result
from ringback.services import seen
from ringback.store import accounts, partners
from ringback.store.accounts import TokenRow
from ringback.store.receipt_search import Wanted

NAMES = ("outcome", "reason", "buyer", "token", "call", "from", "to", "text")
"""The filters, in the order of the form; a reason is a code, and is only ever linked to."""

TEXT_DAYS = 7
TEXT_DAYS_MOST = 31
"""How many days a text is looked for in, where no dates are given, and at most."""

BUYERS_OFFERED = 500
TOKENS_OFFERED = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked for, as typed and as understood, and what can't be understood of it."""

    typed: Mapping[str, str]
    wanted: Wanted = field(default_factory=Wanted)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The text that is looked for."""
        return self.typed["text"]

    @property
    def is_any(self) -> bool:
        """Whether anything is filtered at all."""
        return any(self.typed.values())

    def query(self, **more: str) -> str:
        """The query string of these filters and of something more."""
        given = {name: value for name, value in {**self.typed, **more}.items() if value}
        return f"?{urlencode(given)}" if given else ""


def read(visit: Visit) -> Filters:
    """The filters of a request."""
    typed = {name: visit.query(name)[:200] for name in NAMES}
    errors: dict[str, str] = {}
    zone = ZoneInfo(visit.here.time_zone)
    first, last = (_day(typed[name], name, errors) for name in ("from", "to"))
    if typed["reason"] not in CODES:
        typed["reason"] = ""
    wanted = Wanted(
        result=Result(typed["outcome"]) if typed["outcome"] in set(Result) else None,
        code=typed["reason"] or None,
        buyer_id=_buyer(visit, typed["buyer"], errors),
        call_uuid=_call(visit, typed["call"], errors),
        since=None if first is None else day_start(first, zone),
        until=None if last is None else day_start(last + timedelta(days=1), zone),
    )
    wanted = _of_token(visit, wanted, typed["token"], errors)
    if typed["text"]:
        wanted = _bounded(wanted, visit.tools.now())
    return Filters(typed, wanted, errors)


def buyers(visit: Visit) -> list[str]:
    """The names of the buyers that can be filtered by."""
    rows = partners.list_partners(visit.tx, visit.here.id, "buyer")
    return [row["name"] for row in rows if seen.shows(visit.actor, row["id"])][:BUYERS_OFFERED]


def tokens(visit: Visit) -> list[tuple[str, str]]:
    """The access tokens that can be filtered by: one's own; who runs the account, those of its people."""
    if visit.is_member_only:
        rows = accounts.list_tokens(visit.tx, user_id=visit.who.id)
    else:
        rows = accounts.list_tokens(visit.tx, people_of=visit.here.id)
    newest = sorted(rows, key=lambda row: row.last_used_at or row.created_at, reverse=True)[:TOKENS_OFFERED]
    return [(row.id, token_label(visit.actor, row)) for row in newest]


def token_label(principal: Principal, row: TokenRow) -> str:
    """A token to its user by its description; to others by whose it is and its public part, if it has one."""
    ended = " (revoked)" if row.revoked_at is not None else ""
    if row.user_id == principal.user_id:
        return f"{row.description}{ended}"
    key = f"{row.handle[:10]}…" if row.kind == "basic" else "a token value"
    return f"{row.user}: {key}{ended}"


def _day(text: str, name: str, errors: dict[str, str]) -> date | None:
    day = read_day(text) if text else None
    if text and day is None:
        errors[name] = "A date is written as 2026-01-31."
    return day


def _buyer(visit: Visit, text: str, errors: dict[str, str]) -> int | None:
    if not text:
        return None
    found = partners.find(visit.tx, visit.here.id, "buyer", text)
    if found is None or not seen.shows(visit.actor, found.id):
        errors["buyer"] = f"There is no buyer {text} here."
        return NOBODY
    return found.id


def _call(visit: Visit, text: str, errors: dict[str, str]) -> str | None:
    if not text:
        return None
    uuid = seen.find_call(visit.tx, visit.actor, text)
    if uuid is None:
        errors["call"] = f"There is no call {text} here."
    return uuid or NO_CALL


def _of_token(visit: Visit, wanted: Wanted, text: str, errors: dict[str, str]) -> Wanted:
    """What is wanted, of a token; there is none whose user doesn't see it."""
    if not text:
        return wanted
    uuid = read_uuid(text)
    rows = accounts.list_tokens(visit.tx, token_id=uuid) if uuid else []
    if not rows or (visit.is_member_only and rows[0].user_id != visit.who.id):
        errors["token"] = f"There is no access token {text} here."
        return replace(wanted, user_id=NOBODY)
    return replace(wanted, token_id=rows[0].id)


def _bounded(wanted: Wanted, now: datetime) -> Wanted:
    """What is wanted, within the days that a text is looked for in."""
    until = wanted.until or now + timedelta(days=1)
    earliest = until - timedelta(days=TEXT_DAYS_MOST)
    since = until - timedelta(days=TEXT_DAYS) if wanted.since is None else max(wanted.since, earliest)
    return replace(wanted, since=since)


NOBODY = 0
NO_CALL = "00000000-0000-0000-0000-000000000000"
"""What no receipt has: filters that nothing can match."""
