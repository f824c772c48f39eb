"""Whatever people and platforms write stays text: no page, file or answer that holds it has an element more for it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from sqlalchemy import select

from ringback import clock
from ringback.app import build
from ringback.services import people
from ringback.settings import read_settings
from ringback.store.people import LinkKind
from ringback.store.schema import receipts
from tests.console.routes import ROWS, fill, is_of_account, pages
from tests.console.stock import STRANGER, Stock, csrf, stock
from tests.live import Reply, running
from tests.world import build_world

MARK = "data-bites"
BITES = {
    "script": f"<script {MARK}>alert(1)</script>",
    "attribute": f'"><img src=x onerror=alert(1) {MARK}>',
    "single quotes": f"'><svg onload=alert(1) {MARK}>",
    "handler": f'" autofocus onfocus=alert(1) {MARK}="',
    "address": f"javascript:alert(1)//{MARK}",
    "end of text": f"</textarea></title></option></pre><b {MARK}>",
    "comment": f"--><b {MARK}><!-- {MARK}",
    "template": f"{{%print(7*7)%}}${{7*7}}&lt;b {MARK}&gt;",
    "formula": f"=cmd|'/C calc'!A0 {MARK}",
}
"""What may stand in a name or a field, by what it tries."""

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
FIELDS = (
    *("name", "email", "company", "subdomain", "time_zone", "description", "access_type", "networks", "lasts", "day"),
    *("agreed_revenue", "payout", "payout_rule", "revenue", "reason", "role", "user", "team", "buyer", "call", "as"),
    *("body", "ip", "type", "do", "remove", "overlap", "retry_seconds", "next", "old", "sees", "right-revenue"),
    *("url", "headers", "allowed_hosts", "credential", "success_path", "timeout", "field-0", "operator-0", "value-0"),
    *("hole-payout", "type-payout", "kind", "host", "header", "owner", "trigger", "method", "body_kind", "version"),
)
QUERIES = (
    *("q", "after", "before", "buyer", "offer", "traffic_source", "converted", "from", "to", "text", "call", "token"),
    *("outcome", "user", "action", "period", "as", "next", "began", "shown", "said"),
)


class Html(HTMLParser):
    """The elements of a page, and what a reader reads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Mapping[str, str]]] = []
        self.text = ""
        self.comments = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.text += " ".join(value or "" for name, value in attrs if name in {"value", "aria-label", "placeholder"})

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments += data


ADDRESSES = ("href", "src", "action", "formaction", "hx-get", "hx-post", "data")


def bites(html: Html) -> Iterator[str]:
    """What in a page would run, load or lead elsewhere, and so can't come from a template of ours."""
    if MARK in html.comments:
        yield "a comment"
    for tag, attributes in html.elements:
        if tag in {"iframe", "object", "embed", "base", "style", "applet"}:
            yield tag
        if tag == "script" and not attributes.get("src", "").startswith("/"):
            yield "a script of its own"
        for name, value in attributes.items():
            if name == MARK or name.startswith(("on", "hx-on")) or name in {"style", "srcdoc", "autofocus"}:
                yield f"{tag} {name}"
            if name in ADDRESSES and not _is_ours(value):
                yield f"{tag} {name}={value}"


def _is_ours(address: str) -> bool:
    """Whether an address stays on this server, or is one of the few that our own words name."""
    is_path = not address.startswith("//") and address.startswith(("/", "?", "#"))
    return not address or is_path or address.startswith(("https://www.rfc-editor.org/", "http://localhost:"))


def check(reply: Reply, where: object) -> Html:
    """The page, or file, or answer is inert, and says so to browsers."""
    assert reply.status < 500, where
    assert reply.headers.get("x-content-type-options") == "nosniff" or not reply.body, where
    if not reply.headers.get("content-type", "").startswith("text/html"):
        return Html("")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy, where
    assert "unsafe" not in policy, where
    html = Html(reply.body.decode())
    found = [bite for bite in bites(html) if bite != "input autofocus" or reply.status != 422]
    assert not found, (where, found)
    return html


@pytest.fixture(scope="module", params=BITES)
def bite(request: pytest.FixtureRequest) -> str:
    """One thing after another that people may write."""
    return BITES[request.param]


@pytest.fixture(scope="module")
def bitten(bite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    """A server where everything is called so; a page is the same on every kind of database."""
    url = f"sqlite:///{Path(tmp_path_factory.mktemp('bitten')) / 'ringback.sqlite'}"
    app = build(read_settings(database_url=url, wrong_credentials_per_minute=1_000_000))
    with running(app, build_world(app.database)) as live:
        stocked = stock(live, lambda name: f"{bite} {name}")
        send_updates(stocked, bite)
        with live.world.database.write() as tx:
            people.make_link(
                tx, LinkKind.INVITATION, "invited", now=clock.now(), account_id=1, user_id=stocked.people["mike"]
            )
        yield stocked


def send_updates(bitten: Stock, bite: str) -> None:
    """Updates that hold it wherever a request can hold something."""
    live, call, auth = bitten.live, bitten.things["call"], bitten.live.world.ada_token.authorization
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    fields = {"post_call_tokens": {bite: bite, "html": bite}, "revenue": bite, bite: bite}
    live.update(call, fields, auth=auth)
    live.update(call, {"post_call_tokens": {"html": bite, "note": bite}}, auth=auth)
    live.update(call, urlencode({"revenue": "1", "html": bite, bite: "x"}), auth=auth, headers=form)
    live.update(call, bite, auth=auth, headers={"Content-Type": bite, "Idempotency-Key": bite, "User-Agent": bite})
    live.update(call, {"revenue": "2", "event_id": bite}, auth=auth)
    live.request("POST", f"/api/v1/calls/update_call/{call}?x={quote(bite)}&revenue=9", auth=auth)
    live.request("POST", f"/api/v1/calls/{quote(bite, safe='')}", body={"revenue": "3"}, auth=auth)
    live.request("POST", "/api/v1/calls", body={"caller_number": bite, "buyer": bite, "status": bite}, auth=auth)


def open_as(bitten: Stock, who: str, path: str) -> tuple[Reply, Html]:
    reply = bitten.open("GET", path, who)
    return reply, check(reply, path)


class TestEveryPage:
    def test_holds_it_as_text(self, bitten: Stock, bite: str) -> None:
        holding = set()
        for who in ("ada", "mike"):
            for page in pages("GET"):
                _, html = open_as(bitten, who, fill(page, bitten))
                if bite in html.text:
                    holding.add(page.path.removeprefix("/a/{account}"))
        assert {
            *("/calls", "/calls/{uuid:uuid}", "/updates", "/updates/{id:uuid}", "/updates/waiting", "/profile"),
            *("/tokens", "/tokens/{token}", "/tokens/{token}/revoke", "/developer-tokens", "/check", "/company/people"),
            *("/buyers", "/buyers/{number}", "/traffic-sources/{number}", "/offers/{number}", "/company/teams"),
            *("/company/teams/{number}", "/updates/waiting/{cause}"),
        } <= holding

    def test_of_an_update_holds_it_as_text(self, bitten: Stock, bite: str) -> None:
        with bitten.live.world.database.read() as tx:
            ids = tx.execute(select(receipts.c.id)).scalars().all()
        told = [open_as(bitten, "ada", f"/a/acme/updates/{receipt}")[1].text for receipt in ids]
        assert sum(bite in text for text in told) >= 4

    def test_of_the_log_and_of_a_company_holds_it_as_text(self, bitten: Stock, bite: str) -> None:
        settings = {"csrf": csrf("ada"), "name": bite, "time_zone": "UTC", "retry_seconds": "60"}
        assert bitten.open("POST", "/a/acme/settings", "ada", urlencode(settings)).status == 303
        made = {
            "csrf": csrf("ada"),
            "name": f"{bite} made",
            "description": bite,
            "access_type": "calls",
            "lasts": "never",
        }
        for path in ("/buyers/new", "/company/teams/new", "/offers/new", "/tokens/new"):
            check(bitten.open("POST", f"/a/acme{path}", "ada", urlencode(made)), path)
        _, html = open_as(bitten, "ada", "/a/acme/audit")
        assert html.text.count(bite) > 5
        for path, who in (
            ("/invitation/invited", "mike"),
            ("/invitation/invited", STRANGER),
            ("/a/acme/overview", "ada"),
        ):
            assert bite in open_as(bitten, who, path)[1].text, path

    def test_says_again_what_was_typed_into_a_form_as_text(self, bitten: Stock, bite: str) -> None:
        again = 0
        for page in pages("POST"):
            for typed in (bite, f"{bite}@x.example", f"{bite} {'x' * 300}"):
                who = "ada" if is_of_account(page) else STRANGER
                form = urlencode({"csrf": csrf(who), **dict.fromkeys(FIELDS, typed)})
                again += bite in check(bitten.open("POST", fill(page, bitten), who, form), page.path).text
        assert again > 10

    def test_says_again_what_stands_in_its_address_as_text(self, bitten: Stock, bite: str) -> None:
        query = urlencode(dict.fromkeys(QUERIES, bite))
        texts = [open_as(bitten, "ada", f"{fill(page, bitten).partition('?')[0]}?{query}")[1] for page in pages("GET")]
        assert sum(bite in html.text for html in texts) >= 4
        for row in ROWS.values():
            if row.thing:
                for who in ("ada", STRANGER):
                    named = "/".join(quote(bite, safe="") if "{" in part else part for part in row.path.split("/"))
                    open_as(
                        bitten,
                        who,
                        named.replace(quote(bite, safe=""), "acme", 1) if "{account}" in row.path else named,
                    )


def test_a_message_that_somebody_else_put_into_a_cookie_is_text(bitten: Stock, bite: str) -> None:
    flash = quote(f'["{MARK}","{MARK} {bite}"]'.replace(bite, bite.replace('"', '\\"')))
    headers = {"Cookie": f"ringback_session=ada; ringback_flash={flash}"}
    reply = bitten.live.request("GET", "/a/acme/buyers", headers=headers, account="")
    assert bite in check(reply, "flash").text


def test_no_cell_of_a_file_is_a_formula(bitten: Stock) -> None:
    reply = bitten.open("GET", "/a/acme/calls.csv", "ada")
    check(reply, "csv")
    assert reply.headers["content-disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(reply.body.decode())))
    assert len(rows) > 1
    for cell in (cell for row in rows for cell in row if cell.startswith(FORMULAS)):
        assert cell.removeprefix("+").removeprefix("-").replace(".", "", 1).isdigit(), cell


def test_the_documentation_and_answers_of_the_api_hold_it_as_text(bitten: Stock, bite: str) -> None:
    live, auth = bitten.live, bitten.live.world.ada_token.authorization
    for path in ("/api/docs", "/api/docs/errors", "/api/docs/attributes", f"/api/docs/{quote(bite)}", "/api/v1/me"):
        for before in ("", "/a/acme", f"/a/{quote(bite, safe='')}"):
            for account in ("", "acme"):
                reply = live.request("GET", f"{before}{path}?x={quote(bite)}", auth=auth, account=account)
                check(reply, (before, path))
    for accept in ("text/html", "*/*", bite):
        headers = {"Accept": accept, "Origin": bite, "X-Request-Id": bite}
        reply = live.request("GET", f"/api/v1/calls/{quote(bite, safe='')}", auth=auth, headers=headers)
        check(reply, accept)
        assert "json" in reply.headers["content-type"]


def test_what_is_tried_would_be_found(bite: str) -> None:
    """The same words in a page that doesn't look after them."""
    careless = f"<p title='{bite}'><a href=\"{bite}\">{bite}</a><textarea>{bite}</textarea><!-- {bite} -->"
    assert list(bites(Html(careless)))
