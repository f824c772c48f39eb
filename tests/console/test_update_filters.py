from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from ringback.services import seen
from ringback.store.values import time_of
from tests.console.posting import LIST, another_buyer, post, rows
from tests.console.visitor import Visitor
from tests.live import Live

NEWS = re.compile(r'hx-get="([^"]+)"')


class TestFilters:
    @pytest.fixture
    def made(self, live: Live) -> dict[str, str]:
        world = live.world
        first, second = world.call(), world.call(buyer=another_buyer(live))
        ids = {"first": post(live, first)["receipt_id"]}
        ids["ada"] = post(live, second, {"revenue": "7"}, auth=world.ada_token.authorization)["receipt_id"]
        ids["denied"] = post(live, second)["receipt_id"]
        return {**ids, "call": first.uuid, "number": str(second.number)}

    def shown(self, visitor: Visitor, query: str) -> list[str]:
        return re.findall(rf'data-open class="fw-medium" href="{LIST}/([^"]+)"', visitor.get(f"{LIST}?{query}").html)

    def test_each_finds_its_own(self, live: Live, ada: Visitor, made: dict[str, str]) -> None:
        assert self.shown(ada, "outcome=denied") == [made["denied"]]
        assert self.shown(ada, "buyer=Cool+Air+%26+Sons") == [made["denied"], made["ada"]]
        assert self.shown(ada, "buyer=1") == [made["first"]]
        assert self.shown(ada, f"token={live.world.bob_token.id}") == [made["denied"], made["first"]]
        assert self.shown(ada, f"call={made['call']}") == [made["first"]]
        assert self.shown(ada, f"call={made['number']}&outcome=applied") == [made["ada"]]
        assert self.shown(ada, "from=2099-01-01") == []
        assert self.shown(ada, "from=2020-01-01&to=2099-01-01") == [made["denied"], made["ada"], made["first"]]
        assert self.shown(ada, "to=2020-01-01") == []
        assert self.shown(ada, "text=%22REVENUE%22%3A%2242") == [made["denied"], made["first"]]
        assert self.shown(ada, "text=nowhere") == []

    def test_what_is_not_there_is_told_and_finds_nothing(self, ada: Visitor, made: dict[str, str]) -> None:
        assert made
        for query, complaint in {
            "buyer=Nobody": "There is no buyer Nobody here.",
            "call=999": "There is no call 999 here.",
            "call=what": "There is no call what here.",
            "token=what": "There is no access token what here.",
        }.items():
            assert complaint in ada.get(f"{LIST}?{query}")
            assert self.shown(ada, query) == []

    def test_what_can_t_be_read_is_told(self, ada: Visitor) -> None:
        page = ada.get(f"{LIST}?from=2026-13-45&outcome=what")
        assert "A date is written as 2026-01-31." in page

    def test_a_day_is_one_of_the_account_s_time_zone(self, live: Live, ada: Visitor) -> None:
        made = post(live, live.world.call())["receipt_id"]
        day = time_of(made).astimezone(ZoneInfo("America/New_York")).date()
        assert self.shown(ada, f"from={day}&to={day}") == [made]
        assert self.shown(ada, f"from={day + timedelta(days=1)}") == []
        assert self.shown(ada, f"to={day - timedelta(days=1)}") == []

    def test_a_text_is_found_however_it_was_escaped(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        made = post(live, call, "post_call_tokens[last_name]=O%27Neil+%C3%84rger", headers=form)["receipt_id"]
        by_query = post(live, call, b"", method="GET", path=f"/api/v1/calls/update_call/{call.uuid}?revenue=9.75")
        assert self.shown(ada, "text=o%27neil+%C3%A4rger") == [made]
        assert self.shown(ada, "text=revenue%3D9.75") == [by_query["receipt_id"]]

    def test_a_text_is_looked_for_in_so_many_requests_a_page(
        self, live: Live, ada: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(seen, "TEXTS_READ", 2)
        monkeypatch.setattr(seen, "_CHUNK", 1)
        made = [post(live, live.world.call(), {"revenue": str(number)})["receipt_id"] for number in range(4)]
        page = ada.get(f"{LIST}?text=revenue%22%3A%220")
        assert "Not found so far" in page
        older = re.search(r'href="([^"]+)" rel="next"', page.html)
        assert older is not None
        assert self.shown(ada, older[1].replace("&amp;", "&").partition("?")[2]) == [made[0]]

    def test_a_text_is_looked_for_within_the_last_days_alone(self, live: Live, ada: Visitor) -> None:
        made = post(live, live.world.call())["receipt_id"]
        old = str(made).replace(made[:13], "018a0000-0000")
        with live.world.database.write() as tx:
            for table, column in (("receipts", "id"), ("receipt_payloads", "receipt_id")):
                tx.execute(text(f"UPDATE {table} SET {column} = :old WHERE {column} = :id"), {"old": old, "id": made})  # noqa: S608
        assert self.shown(ada, "text=revenue") == []
        day = time_of(old).date()
        assert self.shown(ada, f"text=revenue&from={day - timedelta(days=1)}&to={day}") == [old]
        assert self.shown(ada, f"text=revenue&from={day}&to={day + timedelta(days=40)}") == []


class TestNews:
    def test_what_came_since_is_told_once(self, live: Live, ada: Visitor) -> None:
        post(live, live.world.call())
        page = ada.get(LIST)
        asked = NEWS.search(page.html)
        assert asked is not None
        url = asked[1].replace("&amp;", "&")
        assert ada.get(url).status == 204
        post(live, live.world.call())
        post(live, live.world.call())
        news = ada.get(url)
        assert "2 new updates: show" in news
        assert [row.count("applied") for row in rows(news)] == [1, 1, 1]
        again = NEWS.search(news.html)
        assert again is not None
        assert ada.get(again[1].replace("&amp;", "&")).status == 204

    def test_of_too_many_only_their_number_is_told(
        self, live: Live, ada: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ringback.console.updates.PAGE_LENGTH", 2)
        asked = NEWS.search(ada.get(LIST).html)
        assert asked is not None
        for _ in range(2):
            post(live, live.world.call())
        news = ada.get(asked[1].replace("&amp;", "&"))
        assert "2 new updates: show" in news
        assert (rows(news), NEWS.search(news.html)) == ([], None)

    def test_only_what_the_filters_want_is_news(self, live: Live, ada: Visitor) -> None:
        asked = NEWS.search(ada.get(f"{LIST}?outcome=denied").html)
        assert asked is not None
        post(live, live.world.call())
        assert ada.get(asked[1].replace("&amp;", "&")).status == 204

    def test_older_pages_and_searches_are_not_live(self, live: Live, ada: Visitor) -> None:
        made = post(live, live.world.call())["receipt_id"]
        for query in (f"before={made}", "text=x", "to=2099-01-01", "call=what"):
            assert NEWS.search(ada.get(f"{LIST}?{query}").html) is None

    def test_without_a_place_there_is_no_news(self, ada: Visitor) -> None:
        assert ada.get(f"{LIST}/news?after=what").status == 404
