"""Lists of buyers, offers and traffic sources by the API, compared with the plainest way to make them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from ringback import clock, entropy
from ringback.domain.access import AccessType
from ringback.services.partner_access import PLURALS
from ringback.store import partners
from tests.api.partnering import NOUNS, Asking
from tests.live import Live


@pytest.fixture
def offers(stage: Live) -> Asking:
    """Ada, asking for offers."""
    return Asking(stage, "offer", stage.world.ada_token.authorization)


FILTERS: list[dict[str, str]] = [
    {},
    {"paused": "true"},
    {"paused": "0"},
    {"archived": "yes"},
    {"archived": "no"},
    {"fulltext": "  ALPHA "},
    {"fulltext": "%"},
    {"fulltext": "alpha", "paused": "1", "nonsense": "x"},
    {"own": "own-4"},
    {"own": "own-9"},
]


@pytest.fixture(params=NOUNS)
def stocked(request: pytest.FixtureRequest, live: Live) -> Asking:
    """Charlie, whose company has thirty partners of each kind in turn, and nobody else's."""
    noun, world, now = request.param, live.world, clock.now()
    with world.database.write() as tx:
        for number in range(1, 31):
            name = f"{('Alpha', 'Beta', '100% Gamma')[number % 3]} {number}"
            made = partners.add(tx, world.zeta, noun, name, entropy.new_id(), now, external_id=f"own-{number}")
            partners.change(tx, world.zeta, noun, made, paused=number % 4 == 0, archived=number % 5 == 0)
    token = world.token(world.charlie, world.zeta, access_type=AccessType.EVERYTHING)
    return Asking(live, noun, token.authorization, "zeta")


def reference(rows: list[dict[str, Any]], noun: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a list must have, by the plainest way there is."""
    truth = {"true": True, "yes": True, "1": True, "no": False, "0": False}
    return [
        row
        for row in sorted(rows, key=lambda row: int(row["id"]))
        if row["archived"] is truth[asked.get("archived", "no")]
        and ("paused" not in asked or row["paused"] is truth[asked["paused"]])
        and asked.get("fulltext", "").strip().lower() in row["name"].lower()
        and asked.get("own", row[f"user_{noun}_id"]) == row[f"user_{noun}_id"]
    ]


class TestLists:
    def ask(self, asking: Asking, **query: object) -> dict[str, Any]:
        own = {f"user_{asking.noun}_id": query.pop("own")} if "own" in query else {}
        reply = asking("GET", f".json?{urlencode({**query, **own})}")
        assert reply.status == 200, reply.body
        answer: dict[str, Any] = reply.json
        return answer

    def test_have_what_is_asked_for_on_every_page_by_page_and_by_cursor(self, stocked: Asking) -> None:
        several = PLURALS[stocked.noun]
        rows = [stocked.read(number) for number in range(1, 31)]
        for asked in FILTERS:
            expected = reference(rows, stocked.noun, asked)
            for length in (1, 7, 100) if not asked else (7,):
                by_page, by_cursor, cursor = list[Any](), list[Any](), -1
                for page in range(1, len(expected) // length + 2):
                    answer = self.ask(stocked, **asked, page=page, per_page=length)
                    assert answer["metadata"]["total_count"] == len(expected)
                    by_page += answer[several]
                while cursor != 0:
                    answer = self.ask(stocked, **asked, cursor=cursor, per_page=length)
                    assert len(answer[several]) <= length
                    by_cursor += answer[several]
                    cursor = answer["metadata"]["next_cursor"]
                assert by_page == by_cursor == expected, asked
            assert self.ask(stocked, **asked, cursor=0)[several] == []

    def test_miss_nothing_and_repeat_nothing_while_some_are_made(self, stocked: Asking) -> None:
        several, found, cursor = PLURALS[stocked.noun], list[int](), -1
        there = {row["id"] for row in self.ask(stocked, per_page=100)[several]}
        while cursor != 0:
            answer = self.ask(stocked, cursor=cursor, per_page=5)
            found += [row["id"] for row in answer[several]]
            cursor = answer["metadata"]["next_cursor"]
            if len(found) < 20:
                stocked.make()
        assert len(found) == len(set(found))
        assert there <= set(found)

    def test_are_cut_to_columns_and_come_bare_and_as_files(self, stocked: Asking) -> None:
        several, own = PLURALS[stocked.noun], f"user_{stocked.noun}_id"
        query = f"?columns=name,%20{own},nothing,id&per_page=2"
        rows = self.ask(stocked, per_page=2)[several]
        cut = [{name: row[name] for name in ("name", own, "id")} for row in rows]
        assert stocked("GET", f"{query}").json[several] == cut
        assert stocked("GET", f"{query}&root=false").json == cut
        reply = stocked("GET", f".csv{query}")
        assert reply.headers["content-type"].startswith("text/csv")
        lines = list(csv.reader(io.StringIO(reply.body.decode(), newline="")))
        assert lines == [["name", own, "id"], *([row["name"], row[own], str(row["id"])] for row in rows)]
        (head, *_) = csv.reader(io.StringIO(stocked("GET", ".csv").body.decode()))
        assert head == list(rows[0])

    def test_pass_over_what_they_don_t_know_and_refuse_what_they_can_t_read(self, stocked: Asking) -> None:
        assert self.ask(stocked, sort_by="name", x="1")["metadata"]["ignored"] == ["sort_by", "x"]
        reply = stocked("GET", "?paused=perhaps&per_page=0&cursor=-2&archived=%5Bx%5D")
        assert reply.status == 422
        assert set(reply.json["codes"]) == {"paused", "per_page", "cursor", "archived"}

    def test_show_one_bare_too(self, stocked: Asking) -> None:
        assert stocked("GET", "/1?root=false").json == stocked.read(1)


class TestOffers:
    def test_tell_the_token_that_names_them(self, offers: Asking) -> None:
        made = offers.make()
        assert made["offer_token"]
        assert "offer_token" in offers("GET").json["offers"][0]
