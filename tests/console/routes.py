"""Who may use each route of the console, said once more: what the program says of itself is compared with this."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ringback.console import site
from ringback.console.pages import Need, Page
from tests.console.stock import Stock

NOBODY, LOGIN, MEMBER, MANAGER, OWNER = Need

_PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass(frozen=True)
class Row:
    """Who may get a path and who may post to it, if there is such a route; ``thing`` is what stands in it."""

    path: str
    get: Need | None = None
    post: Need | None = None
    thing: str = ""
    query: str = ""


def _of_partners(path: str, thing: str) -> Iterator[Row]:
    yield Row(path, MANAGER)
    yield Row(f"{path}/new", MANAGER, MANAGER)
    yield Row(f"{path}/{{number}}", MANAGER, MANAGER, thing)
    yield Row(f"{path}/{{number}}/delete", MANAGER, MANAGER, thing)
    yield Row(f"{path}/{{number}}/archive", None, MANAGER, thing)
    yield Row(f"{path}/{{number}}/pause", None, MANAGER, thing)


def _of_tokens(path: str, thing: str) -> Iterator[Row]:
    yield Row(path, MEMBER)
    yield Row(f"{path}/new", MEMBER, MEMBER)
    yield Row(f"{path}/{{token}}", MEMBER, MEMBER, thing)
    yield Row(f"{path}/{{token}}/rotate", MEMBER, MEMBER, thing)
    yield Row(f"{path}/{{token}}/revoke", MEMBER, MEMBER, thing)


ANYWHERE = (
    Row("/", NOBODY),
    Row("/login", NOBODY, NOBODY),
    Row("/logout", None, LOGIN),
    Row("/forgotten", NOBODY, NOBODY),
    Row("/first-run/{secret}", NOBODY, NOBODY, "secret"),
    Row("/log-in/{secret}", NOBODY, NOBODY, "secret"),
    Row("/reset/{secret}", NOBODY, NOBODY, "secret"),
    Row("/invitation/{secret}", NOBODY, NOBODY, "secret"),
    Row("/share/{secret}", NOBODY, None, "secret"),
)
"""Routes outside of any account."""

OF_AN_ACCOUNT = (
    Row("/overview", MEMBER),
    Row("/calls", MEMBER),
    Row("/calls.csv", MEMBER),
    Row("/calls/{uuid:uuid}", MEMBER, MANAGER, "call"),
    Row("/updates", MEMBER),
    Row("/updates/news", MEMBER, query="?after=00000000-0000-7000-8000-000000000000"),
    Row("/updates/waiting", MANAGER),
    Row("/updates/waiting/{cause}", MANAGER, MANAGER, "cause"),
    Row("/updates/runs/{id:uuid}", MANAGER, MANAGER, "run"),
    Row("/updates/{id:uuid}", MEMBER, MANAGER, "update"),
    Row("/deliveries", MANAGER),
    Row("/deliveries/news", MANAGER),
    Row("/deliveries/all", MANAGER, MANAGER, query="?state=failed&do=again"),
    Row("/deliveries/{id:uuid}", MANAGER, MANAGER, "delivery"),
    Row("/posting-instructions", MEMBER),
    Row("/posting-instructions/{number}", MEMBER, None, "buyer"),
    Row("/posting-instructions/{number}/share-links", None, MANAGER, "buyer"),
    Row("/posting-instructions/{number}/revoke", None, MANAGER, "buyer"),
    Row("/check", MEMBER, MEMBER),
    Row("/postbacks", MANAGER),
    Row("/postbacks/new", MANAGER, MANAGER),
    Row("/postbacks/preview", None, MANAGER),
    Row("/postbacks/tokens", MANAGER),
    Row("/postbacks/{number}", MANAGER, MANAGER, "postback"),
    Row("/postbacks/{number}/pause", None, MANAGER, "postback"),
    Row("/postbacks/{number}/back", None, MANAGER, "postback"),
    Row("/postbacks/{number}/test", None, MANAGER, "postback"),
    Row("/postbacks/{number}/secret", None, MANAGER, "postback"),
    Row("/postbacks/{number}/delete", MANAGER, MANAGER, "postback"),
    Row("/credentials", OWNER),
    Row("/credentials/new", OWNER, OWNER),
    Row("/credentials/{number}", OWNER, OWNER, "credential"),
    Row("/credentials/{number}/delete", OWNER, OWNER, "credential"),
    *_of_tokens("/tokens", "basic"),
    *_of_tokens("/developer-tokens", "developer"),
    *_of_partners("/buyers", "buyer"),
    Row("/buyers/{number}/team-access", None, MANAGER, "buyer"),
    Row("/buyers/{number}/teams", None, MANAGER, "buyer"),
    *_of_partners("/traffic-sources", "traffic_source"),
    *_of_partners("/offers", "offer"),
    Row("/offers/{number}/token", None, MANAGER, "offer"),
    Row("/company/invitations", None, MANAGER),
    Row("/company/people", MANAGER, OWNER),
    Row("/company/people/{number}", None, OWNER, "person"),
    Row("/company/people/{number}/remove", None, OWNER, "person"),
    Row("/company/teams", MANAGER),
    Row("/company/teams/new", MANAGER, MANAGER),
    Row("/company/teams/{number}", MANAGER, MANAGER, "team"),
    Row("/company/teams/{number}/delete", MANAGER, MANAGER, "team"),
    Row("/settings", OWNER, OWNER),
    Row("/settings/tokens", OWNER),
    Row("/settings/tokens/{token:uuid}", None, OWNER, "foreign"),
    Row("/audit", MANAGER),
    Row("/profile", MEMBER, MEMBER),
    Row("/profile/password", None, MEMBER),
    Row("/profile/log-out-elsewhere", None, MEMBER),
)
"""Routes of an account, by what follows its name."""

ROWS = {row.path: row for row in ANYWHERE} | {f"/a/{{account}}{row.path}": row for row in OF_AN_ACCOUNT}


def pages(method: str) -> list[Page]:
    """The routes of the program with a method; that each of them has its row is a test of its own."""
    return [page for page in site.PAGES if page.method == method and page.path in ROWS]


def named_thing(page: Page) -> str:
    """What kind of thing the path of a route names, if any."""
    return ROWS[page.path].thing


def is_of_account(page: Page) -> bool:
    """Whether a route belongs to an account."""
    return "{account}" in page.path


def fill(page: Page, stock: Stock, account: str = "acme") -> str:
    """The path of a route with what is stocked in Acme, in this account."""
    row = ROWS[page.path]
    path = _PLACE.sub(lambda found: account if found[1] == "account" else stock.things[row.thing], page.path)
    return f"{path}{row.query}"
