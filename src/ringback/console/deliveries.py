"""Deliveries: the list, live and filtered, and one delivery with all that was tried."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from starlette.responses import Response

from ringback.console import delivery_filters, delivery_words, told
from ringback.console.delivery_filters import Filters
from ringback.console.delivery_words import MOST_COUNTED, STATES
from ringback.console.pages import Need, Page, Visit, go, render
from ringback.console.previews import RULES
from ringback.domain.decisions import read_uuid
from ringback.domain.deliveries import State, sentence
from ringback.domain.errors import Refusal
from ringback.domain.postbacks import BY_HOST, TRIGGER_LABELS, Postback
from ringback.domain.templates import REASONS
from ringback.services import postbacks as services
from ringback.store import delivery_search, postbacks, repeats, vault
from ringback.store.delivery_search import ATTEMPTS_SHOWN, GIVEN_UP, Attempt, Listed
from ringback.store.repeats import AGAIN

PAGE_LENGTH = 50
UNDER_WAY = frozenset({State.PENDING, State.SENDING, State.RETRYING})

_NO_CONTENT = 204


def list_deliveries(visit: Visit) -> Response:
    """What was sent and is to be sent, newest first."""
    filters, before = delivery_filters.read(visit), read_uuid(visit.query("before"))
    found = _search(visit, filters, before)
    last = _last(found)
    is_live = not (before or filters.errors)
    return render(
        visit,
        "deliveries/list.html",
        filters=filters,
        found=found,
        lines=delivery_words.lines(found.lines),
        paused=_paused(visit),
        counts=delivery_search.count_by_state(visit.tx, visit.here.id, most=MOST_COUNTED),
        most=MOST_COUNTED,
        states=STATES,
        postbacks=delivery_filters.offered(visit, filters),
        hosts=delivery_search.list_hosts(visit.tx, visit.here.id),
        is_first=before is None,
        next_url=visit.url(f"/deliveries{filters.query(before=last)}") if last else "",
        news_url=_news_url(visit, filters, found.lines) if is_live else "",
        is_news=False,
    )


def show_news(visit: Visit) -> Response:
    """The first page of the list as it is now, if anything of it is not as it was shown."""
    filters = delivery_filters.read(visit)
    found = _search(visit, filters, None)
    if _mark(found.lines) == visit.query("mark"):
        return Response(status_code=_NO_CONTENT)
    return render(
        visit,
        "deliveries/news.html",
        filters=filters,
        lines=delivery_words.lines(found.lines),
        paused=_paused(visit),
        news_url=_news_url(visit, filters, found.lines),
        is_news=True,
        is_all=not _last(found),
    )


def show(visit: Visit) -> Response:
    """One delivery."""
    delivery = _find(visit)
    rule = postbacks.find(visit.tx, visit.here.id, delivery.postback_id)
    request = delivery_search.find_request(visit.tx, visit.here.id, delivery.id)
    tries = delivery_search.list_attempts(visit.tx, visit.here.id, delivery.id)
    former = repeats.list_former(visit.tx, visit.here.id, delivery.id)
    can_repeat = delivery.state in AGAIN and rule is not None and not delivery.is_test
    waits_for_value = delivery.state is State.HELD and delivery.code in REASONS
    return render(
        visit,
        "deliveries/show.html",
        delivery=delivery,
        chip=STATES[delivery.state],
        reason=sentence(delivery.code, delivery.details),
        hint=delivery_words.hint(delivery.code, is_test=delivery.is_test),
        rule=rule,
        trigger=TRIGGER_LABELS.get(delivery.trigger, ""),  # type: ignore[call-overload] # its text
        request=None if waits_for_value else request,
        rules=RULES,
        body=delivery_words.body_of(request),
        former={number: (each, delivery_words.body_of(each)) for number, each in former.items()},
        credential=_credential(visit, rule, tries),
        tries=[delivery_words.tried(each, is_test=delivery.is_test) for each in tries],
        most_tries=ATTEMPTS_SHOWN,
        differences=[(told.label(name), sent, there) for name, sent, there in delivery.details.get("differences", ())],
        is_under_way=delivery.state in UNDER_WAY,
        can_repeat=can_repeat,
        can_take_back=delivery.state in GIVEN_UP,
        has_later=can_repeat and repeats.has_later(visit.tx, visit.here.id, delivery.id),
    )


def act(visit: Visit) -> Response:
    """Send a delivery again, take it back, or pause its postback."""
    delivery, asked = _find(visit), visit.text("do")
    url, done = visit.url(f"/deliveries/{delivery.id}"), ""
    if asked == "again":
        made = services.send_again(visit.tx, visit.acting, visit.here, [delivery.id])
        if made.held:
            return go(url, f"It can't be sent: {made.held[delivery.id]}", "warning")
        done = "It is sent again." if made.sent else ""
    elif asked == "back" and services.take_back(visit.tx, visit.acting, [delivery.id]):
        done = "It is taken back, and not sent any more."
    elif asked == "pause":
        rule = postbacks.find(visit.tx, visit.here.id, delivery.postback_id)
        if rule is not None and services.pause(visit.tx, visit.acting, rule, pauses=True):
            done = "The postback is paused. Its deliveries wait until it goes on."
    if done:
        return go(url, done)
    return go(url, "Nothing was done: it is not as it was when the page was shown.", "warning")


def _search(visit: Visit, filters: Filters, before: str | None) -> delivery_search.Page:
    return delivery_search.list_page(visit.tx, visit.here.id, filters.wanted, before=before, limit=PAGE_LENGTH)


def _last(found: delivery_search.Page) -> str:
    """From where on the next page goes on; nothing if there is none."""
    return found.looked_to or (found.lines[-1].id if len(found.lines) == PAGE_LENGTH else "")


def _find(visit: Visit) -> Listed:
    found = delivery_search.find(visit.tx, visit.here.id, str(visit.request.path_params["id"]))
    if found is None:
        raise Refusal("not_found", path=visit.request.url.path)
    return found


def _paused(visit: Visit) -> set[int]:
    """The postbacks whose deliveries wait."""
    return {each.id for each in postbacks.list_postbacks(visit.tx, [visit.here.id]) if each.paused}


def _news_url(visit: Visit, filters: Filters, lines: Sequence[Listed]) -> str:
    return visit.url(f"/deliveries/news{filters.query(mark=_mark(lines))}")


def _mark(lines: Sequence[Listed]) -> str:
    """What tells whether a list is as it was shown."""
    stood = [(line.id, line.state, line.code, line.attempts, line.due_at, line.differs) for line in lines]
    return f"{zlib.crc32(repr(stood).encode()):08x}"


def _credential(visit: Visit, rule: Postback | None, tries: Sequence[Attempt]) -> str:
    """The credential that was sent along, by its name; before the first attempt, the one that will be."""
    if tries and tries[0].credential:
        return tries[0].credential
    wanted = rule.definition.credential if rule else ""
    if wanted == BY_HOST:
        return "the one of the vault that is bound to this host"
    kept = vault.find(visit.tx, visit.here.id, int(wanted)) if wanted else None
    return kept.name if kept else "none"


PAGES = (
    Page("GET", "/a/{account}/deliveries", list_deliveries, Need.MANAGER),
    Page("GET", "/a/{account}/deliveries/news", show_news, Need.MANAGER),
    Page("GET", "/a/{account}/deliveries/{id:uuid}", show, Need.MANAGER),
    Page("POST", "/a/{account}/deliveries/{id:uuid}", act, Need.MANAGER),
)
