"""The pages of the reference documentation: complete, without scripts, under a strict policy."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from ringback.api import docs
from ringback.api.prose import breakable, highlighted, prose
from ringback.app import build
from ringback.domain.attributes import ATTRIBUTES
from ringback.domain.errors import CODES, ON_PAGES
from ringback.settings import read_settings
from tests.live import Live, running
from tests.world import build_world

PAGES = ("/api/docs", "/api/docs/errors", "/api/docs/attributes")
WITHOUT_END = {"meta", "link", "img", "wbr", "br"}


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend((name, value or "") for name, value in attrs)
        if tag not in WITHOUT_END:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, name: str) -> list[str]:
        """The values of an attribute, wherever it stands."""
        return [value for each, value in self.attributes if each == name]

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def page(stage: Live, path: str, account: str = "acme") -> Page:
    reply = stage.request("GET", path, account=account)
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    return Page(reply.body.decode())


@pytest.mark.parametrize("path", PAGES)
class TestEveryPage:
    def test_is_served_under_a_strict_policy(self, stage: Live, path: str) -> None:
        headers = stage.request("GET", path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in str(policy)
        assert "script-src" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"

    def test_has_no_script_and_no_style_of_its_own(self, stage: Live, path: str) -> None:
        found = page(stage, path)
        assert not {"script", "style", "iframe", "form"} & set(found.tags)
        assert not {name for name, _ in found.attributes if name == "style" or name.startswith("on")}

    def test_leads_nowhere_that_isn_t_there(self, stage: Live, path: str) -> None:
        found = page(stage, path)
        ids = {path: set(found.all("id"))}
        for link in {*found.all("href"), *found.all("src")}:
            assert link.startswith(("/", "#")), link
            target, _, anchor = link.partition("#")
            target = target or path
            if target not in ids:
                reply = stage.request("GET", target)
                assert reply.status == 200, link
                ids[target] = set(Page(reply.body.decode()).all("id")) if target in PAGES else set()
            assert not anchor or anchor in ids[target], link

    def test_names_each_place_once(self, stage: Live, path: str) -> None:
        found = page(stage, path)
        assert len(found.all("id")) == len(set(found.all("id")))
        assert found.tags.count("h1") == 1

    def test_is_the_same_under_the_path_of_an_account_and_without_one(self, stage: Live, path: str) -> None:
        ids = page(stage, path).all("id")
        assert page(stage, f"/a/acme{path}/", account="").all("id") == ids
        assert page(stage, path, account="nobody").all("id") == ids


class TestTheReference:
    def test_shows_every_operation(self, stage: Live) -> None:
        shown = page(stage, "/api/docs")
        paths = stage.request("GET", "/api/openapi.json").json["paths"]
        for path, item in paths.items():
            assert path in shown.text
            for operation in item.values():
                assert operation["summary"] in shown.text
        assert {"post_update_call", "update_call_by_query", "record_call", "read_me"} <= set(shown.all("id"))

    def test_shows_requests_as_the_reader_would_send_them(self, stage: Live) -> None:
        by_host = page(stage, "/api/docs").text
        assert f"curl -X POST 'http://acme.localhost:{stage.port}/api/v1/calls/update_call/<call_uuid>'" in by_host
        by_path = page(stage, "/a/zeta/api/docs", account="").text
        assert f"curl 'http://localhost:{stage.port}/a/zeta/api/v1/me'" in by_path

    def test_shows_a_place_for_the_account_where_none_is_named_and_the_public_scheme(self, sqlite_url: str) -> None:
        app = build(read_settings(database_url=sqlite_url, public_url="https://ringback.example"))
        with running(app, build_world(app.database)) as server:
            shown = page(server, "/api/docs", account="").text
        assert f"curl 'https://localhost:{server.port}/a/your-subdomain/api/v1/me'" in shown

    def test_a_host_that_is_none_is_not_repeated(self, stage: Live) -> None:
        reply = stage.request("GET", "/api/docs", headers={"Host": "localhost:\"'$(x)"})
        assert b"$(x)" not in reply.body
        assert reply.status == 421


class TestTheCodes:
    def test_every_code_has_its_place_its_status_and_what_to_do(self, stage: Live) -> None:
        shown = page(stage, "/api/docs/errors")
        for name, code in CODES.items():
            assert (name in shown.all("id")) is (name not in ON_PAGES)
            assert f"status-{code.status}" in shown.all("id")
        assert "The owner of the account grants Update on these attributes to the team" in shown.text

    def test_every_status_has_words(self) -> None:
        assert {code.status for code in CODES.values()} <= set(docs.STATUSES)

    def test_what_is_kept_says_how_long(self, stage: Live) -> None:
        text = page(stage, "/api/docs/errors").text
        assert "permission_denied kept 90 days" in text
        assert "call_not_found kept 3 days" in text
        assert "no_team kept 7 days" in text


class TestTheAttributes:
    def test_every_attribute_has_its_names_right_and_values(self, stage: Live) -> None:
        shown = page(stage, "/api/docs/attributes")
        for attribute in ATTRIBUTES:
            assert attribute.name in shown.all("id")
            for word in (attribute.label, *attribute.sets, *attribute.adds, *attribute.reads, *attribute.events):
                assert word in shown.text


class TestWhatPagesAreDrawnWith:
    def test_the_stylesheet_and_the_icon_are_our_own_files(self, stage: Live) -> None:
        style = stage.request("GET", "/api/static/docs.css")
        assert style.headers["content-type"].startswith("text/css")
        assert b"http" not in style.body
        assert b"@import" not in style.body
        assert stage.request("GET", "/api/static/icon.svg").headers["content-type"] == "image/svg+xml"

    @pytest.mark.parametrize("path", ["/api/static/", "/api/static/nothing", "/api/static/../docs.py"])
    def test_nothing_else_is_served(self, stage: Live, path: str) -> None:
        reply = stage.request("GET", path)
        assert (reply.status, reply.json["code"]) == (404, "not_found")


class TestProse:
    def test_text_is_escaped_and_code_is_marked(self) -> None:
        assert prose("a < `b<c`\n\nd") == "<p>a &lt; <code>b&lt;c</code></p><p>d</p>"

    def test_json_is_escaped_and_coloured(self) -> None:
        assert highlighted('{"a<b": [-1.5, true, "x: 1"]}') == (
            '{<span class="json-name">&#34;a&lt;b&#34;</span>: [<span class="json-number">-1.5</span>, '
            '<span class="json-word">true</span>, <span class="json-text">&#34;x: 1&#34;</span>]}'
        )

    def test_addresses_may_break_after_a_slash(self) -> None:
        assert breakable("a/<b>/c") == "a/<wbr>&lt;b&gt;/<wbr>c"
