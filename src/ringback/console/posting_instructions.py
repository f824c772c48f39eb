"""Posting instructions: for each buyer what to send, where, and what the answers mean, ready to be copied."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from ringback.console.addresses import addresses
from ringback.console.pages import Need, Page, Visit, render
from ringback.console.platforms import platforms
from ringback.console.snippets import BODY, CALL, CREDENTIAL, SNIPPETS
from ringback.services import posting_instructions as service
from ringback.services.share_links import LIFETIME
from ringback.store import share_links

PATH = "/posting-instructions"
PAGE_LENGTH = 50
NO_CALL = "00000000-0000-0000-0000-000000000000"
"""The UUID of no call: a dry run with it looks at everything but the call."""


def list_page(visit: Visit) -> Response:
    """The buyers, by name, with what their teams may do so far."""
    search, after = visit.query("q"), visit.query("after")
    found = service.list_buyers(visit.tx, visit.actor, after=after, search=search, limit=PAGE_LENGTH + 1)
    shown = found[:PAGE_LENGTH]
    more = {"q": search, "after": shown[-1]["name_key"]} if len(found) > PAGE_LENGTH else {}
    standings = service.standings(visit.tx, visit.actor, [buyer["id"] for buyer in shown])
    return render(
        visit,
        "posting_instructions/list.html",
        rows=[(buyer, standings[buyer["id"]]) for buyer in shown],
        search=search,
        first_url=visit.url(PATH) if after else "",
        next_url=f"{visit.url(PATH)}?{urlencode(more)}" if more else "",
    )


def show(visit: Visit) -> Response:
    """The instructions for one buyer; for who runs the account also what is missing, and the links to share them."""
    buyer = service.find_buyer(visit.tx, visit.actor, visit.number)
    runs_account = visit.actor.runs_account
    return render(
        visit,
        "posting_instructions/show.html",
        row=buyer,
        standings=service.standings(visit.tx, visit.actor, [buyer["id"]])[buyer["id"]],
        links=share_links.list_of_buyer(visit.tx, visit.here.id, buyer["id"], visit.tools.now())
        if runs_account
        else [],
        days=LIFETIME.days,
        **instructions(visit, visit.here.subdomain, visit.here.name, buyer["name"]),
    )


def instructions(visit: Visit, subdomain: str, account: str, buyer: str) -> dict[str, Any]:
    """What the instructions say, wherever they are shown: of the account and the buyer no more than their names."""
    ways = addresses(visit, subdomain)
    address = next((way for way in ways if way.name == visit.query("address")), ways[0])
    url = address.endpoint(CALL)
    return {
        "account": account,
        "buyer": buyer,
        "home": f"/a/{subdomain}",
        "ways": ways,
        "address": address,
        "url": url,
        "trial_url": f"{address.endpoint(NO_CALL)}?dry_run=true",
        "credential": CREDENTIAL,
        "body": BODY,
        "snippets": [(each, each.text(url)) for each in SNIPPETS],
        "platforms": platforms(address, account),
    }


PAGES = (
    Page("GET", f"/a/{{account}}{PATH}", list_page, Need.MEMBER),
    Page("GET", f"/a/{{account}}{PATH}/{{number}}", show, Need.MEMBER),
)
