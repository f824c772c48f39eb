"""Updates: the list of receipts, live and filtered, and one receipt in its four blocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from starlette.responses import Response

from ringback.console import told, update_filters
from ringback.console.pages import Need, Page, Visit, go, render
from ringback.console.update_filters import Filters
from ringback.domain.decisions import read_uuid
from ringback.domain.errors import Refusal
from ringback.domain.receipts import BODY_KEPT, Outcome
from ringback.domain.waiting import State
from ringback.services import overrides, seen, waiting
from ringback.services.seen import Line, Seen
from ringback.store import accounts, blocked_tokens, bundles
from ringback.store.values import lowest_id

PAGE_LENGTH = 50
STRAGGLERS = timedelta(seconds=10)
"""How much later than its id says a receipt may come to be seen: requests wait for their transaction."""

_NO_CONTENT = 204


def list_updates(visit: Visit) -> Response:
    """The updates that were received, newest first."""
    filters, before = update_filters.read(visit), read_uuid(visit.query("before"))
    found = seen.search(visit.tx, visit.actor, filters.wanted, text=filters.text, before=before, limit=PAGE_LENGTH)
    is_live = not (before or filters.text or filters.wanted.until or filters.errors)
    return render(
        visit,
        "updates/list.html",
        filters=filters,
        found=found,
        lines=[(line, *_told(line)) for line in found.lines],
        results=told.RESULTS,
        buyers=update_filters.buyers(visit),
        tokens=update_filters.tokens(visit),
        days=(update_filters.TEXT_DAYS, update_filters.TEXT_DAYS_MOST),
        is_first=before is None,
        next_url=visit.url(f"/updates{filters.query(before=found.older)}") if found.older else "",
        news_url=_news_url(visit, filters, found.lines) if is_live else "",
        count=0,
        waits=0 if visit.is_member_only else bundles.count_denied(visit.tx, visit.here.id),
    )


def show_news(visit: Visit) -> Response:
    """The updates that came since the list was shown; where they would fill it anew, only that there are many."""
    filters, after = update_filters.read(visit), read_uuid(visit.query("after")) or ""
    if not after:
        raise Refusal("not_found", path=visit.request.url.path)
    count = seen.count_news(visit.tx, visit.actor, filters.wanted, after, shown=_number(visit.query("shown")))
    if not count:
        return Response(status_code=_NO_CONTENT)
    found = seen.search(visit.tx, visit.actor, filters.wanted, limit=PAGE_LENGTH)
    are_many = count >= PAGE_LENGTH
    return render(
        visit,
        "updates/news.html",
        filters=filters,
        count=count,
        lines=[] if are_many else [(line, *_told(line)) for line in found.lines],
        news_url="" if are_many else _news_url(visit, filters, found.lines),
    )


def show(visit: Visit) -> Response:
    """One update."""
    found = _find(visit)
    receipt, payload = found.receipt, found.payload
    token = accounts.list_tokens(visit.tx, token_id=receipt.token_id) if receipt.token_id else []
    waits = found.waiting is not None and found.waiting.state is State.WAITING and not visit.is_member_only
    noted = (*payload.understood["warnings"], *receipt.decided.get("warnings", ()))  # type: ignore[misc] # rows
    return render(
        visit,
        "updates/show.html",
        found=found,
        receipt=receipt,
        payload=payload,
        result=told.RESULTS[receipt.result],
        body=payload.body.decode(errors="replace"),
        is_cut=len(payload.body) >= BODY_KEPT,
        token=update_filters.token_label(visit.actor, token[0]) if token else "",
        foreign=blocked_tokens.find(visit.tx, visit.here.id, receipt.token_id) if receipt.token_id else None,
        is_revoked=bool(token) and token[0].revoked_at is not None,
        curl=_curl(visit, found),
        understood=told.understood(payload.understood),
        asked=told.asked(payload.understood["patch"]),  # type: ignore[arg-type] # rows
        noted=told.warnings(noted, found.readable),
        decided=told.decided(
            receipt.code,
            receipt.decided,
            payload.understood,
            found.readable,
            runs_account=visit.actor.runs_account,
        ),
        changes=told.changes(receipt.changed, found.readable),
        cause=waiting.find_cause_of(visit.tx, found.waiting) if waits and found.waiting else None,
        preview=_preview(visit, found) if waits else None,
        left_out=[] if visit.is_member_only else [told.label(name) for name in overrides.names_left_out(receipt)],
        may_add=not visit.is_member_only and found.waiting is None and overrides.was_suppressed(receipt),
    )


def act(visit: Visit) -> Response:
    """Do what an update was kept from doing."""
    found, asked = _find(visit), visit.text("do")
    if asked in {"apply", "apply_over"} and found.waiting is not None:
        outcome = overrides.apply_waiting(
            visit.tx, visit.acting, found.waiting.id, overrides_later=asked == "apply_over"
        )
    elif asked == "overwrite":
        outcome = overrides.overwrite(visit.tx, visit.acting, found.receipt, found.payload)
    elif asked == "add":
        outcome = overrides.add_after_all(visit.tx, visit.acting, found.receipt, found.payload)
    else:
        raise Refusal("nothing_waits")
    return go(visit.url(f"/updates/{outcome.update.receipt_id}"), *_done(outcome))


def _done(outcome: Outcome) -> tuple[str, str]:
    if outcome.refusal is not None:
        return f"It was refused again, and goes on waiting: {outcome.refusal.title}", "danger"
    if waiting.left_out(outcome):
        return "It was applied, but newer values were kept; see below.", "warning"
    return "It was applied.", "success"


def _find(visit: Visit) -> Seen:
    receipt_id = str(visit.request.path_params["id"])
    return seen.see(visit.tx, visit.actor, visit.here, receipt_id)


def _told(line: Line) -> tuple[tuple[str, str], list[told.Changed], str]:
    listed = line.listed
    made = told.changes(listed.changed, line.readable)
    return told.RESULTS[listed.result], made, told.glance(listed.result, listed.code, listed.decided, made)


def _preview(visit: Visit, found: Seen) -> tuple[list[told.Changed], list[str], str] | None:
    """What applying it now would change, what it would leave as it is, and why it can't be kept."""
    if found.waiting is None or found.call is None:
        return None
    (made,) = waiting.preview(visit.tx, visit.here.id, [found.waiting.id])
    left_out = [told.label(name) for name in made.left_out]
    return told.would_change(made.changes), left_out, made.refusal.title if made.refusal else ""


def _news_url(visit: Visit, filters: Filters, lines: Sequence[Line]) -> str:
    """Where to ask for what is newer than the list. What was shown is counted, since others may still come between."""
    recent = lowest_id(visit.tools.now() - STRAGGLERS)
    after = max(recent, lines[-1].listed.id) if len(lines) == PAGE_LENGTH else recent
    shown = sum(line.listed.id > after for line in lines)
    return visit.url(f"/updates/news{filters.query(after=after, shown=str(shown))}")


def _curl(visit: Visit, found: Seen) -> str:
    payload, subdomain = found.payload, visit.here.subdomain
    if not payload.method:
        return ""
    prefix = "" if payload.path.startswith("/a/") else f"/a/{subdomain}"
    return told.curl(payload.method, visit.link(f"{prefix}{payload.path}"), payload.content_type, payload.body)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 5 else 0  # noqa: PLR2004 - far more than are counted


PAGES = (
    Page("GET", "/a/{account}/updates", list_updates, Need.MEMBER),
    Page("GET", "/a/{account}/updates/news", show_news, Need.MEMBER),
    Page("GET", "/a/{account}/updates/{id:uuid}", show, Need.MEMBER),
    Page("POST", "/a/{account}/updates/{id:uuid}", act, Need.MANAGER),
)
