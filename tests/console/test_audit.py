"""Audit log: who did what to what, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import pytest

from ringback import entropy
from ringback.console import audit as page_of
from ringback.services import audit as service
from ringback.store.audit import Deed
from tests.console.visitor import Visitor
from tests.live import Live
from tests.services.acting import actor
from tests.services.requests import NOW

AUDIT = "/a/acme/audit"


def note(live: Live, count: int) -> None:
    with live.world.database.write() as tx:
        for number in range(count):
            service.note(tx, actor(tx, live.world.acme, live.world.ada), "team.made", f"team {number}!")


def test_it_teaches_while_it_is_empty(ada: Visitor) -> None:
    assert "Every change of settings, rights, teams and access tokens leaves a line here" in ada.get(AUDIT)


def test_it_tells_who_did_what_from_what_to_what(ada: Visitor, bob: Visitor) -> None:
    for visitor in (bob, ada):
        visitor.post("/a/acme/tokens/new", {"description": "<b>Zapier</b>", "access_type": "calls", "lasts": "never"})
    ada.post("/a/acme/settings", {"name": "Acme Group", "time_zone": "UTC", "retry_seconds": "60"})
    page = ada.get(AUDIT)
    assert "ada@acme.example Changed settings of Acme Media Name: Acme Media → Acme Group" in page
    assert "Time zone: America/New_York → UTC" in page
    assert "Reads auth token: yes → no" in page
    assert "bob@bright.example Made an access token of his own Access type: Calls Expires: never" in page
    assert "ada@acme.example Made access token <b>Zapier</b> Description: <b>Zapier</b> Access type: Calls" in page.text
    assert "<b>Zapier" not in page.html


def test_it_is_looked_through_by_who_and_what(live: Live, ada: Visitor, bob: Visitor) -> None:
    bob.post("/a/acme/tokens/new", {"description": "Zapier", "access_type": "calls", "lasts": "never"})
    note(live, 1)
    page = ada.get(AUDIT)
    for label in ("ada@acme.example", "bob@bright.example", "Token: made", "Team: made"):
        assert f">{label}</option>" in page.html
    page = ada.get(f"{AUDIT}?user={live.world.bob}")
    assert "an access token of his own" in page
    assert "team 0!" not in page
    assert f'value="{live.world.bob}" selected' in page.html
    page = ada.get(f"{AUDIT}?user=&action=team.made")
    assert "team 0!" in page
    assert "of his own" not in page
    assert "Nothing fits" in ada.get(f"{AUDIT}?user={live.world.bob}&action=team.made")


def test_it_goes_on_page_by_page_within_what_is_looked_for(live: Live, ada: Visitor) -> None:
    note(live, 60)
    page = ada.get(f"{AUDIT}?action=team.made")
    assert "team 59!" in page
    assert "team 9!" not in page
    older = re.search(r'href="([^"]*)" rel="next"', page.html)
    assert older is not None
    page = ada.get(unescape(older[1]))
    assert "team 9!" in page
    assert "team 59!" not in page
    assert f'href="{AUDIT}?action=team.made"' in page.html


@pytest.mark.parametrize("query", ["user=x", "user=-1", f"user={'9' * 30}", "before=x", "action=%00", "before=%27--"])
def test_nonsense_in_the_address_does_no_harm(ada: Visitor, query: str) -> None:
    assert ada.get(f"{AUDIT}?{query}").status == 200


def test_only_who_runs_the_account_sees_it(live: Live, meg: Visitor, bob: Visitor, charlie: Visitor) -> None:
    note(live, 1)
    assert "team 0!" in meg.get(AUDIT)
    for visitor in (bob, charlie):
        assert visitor.get(AUDIT).status == 404
    assert "team 0!" not in charlie.get("/a/zeta/audit")


@pytest.mark.parametrize(
    ("details", "lines"),
    [
        ({}, []),
        ({"user": "bob@bright.example"}, ["User: bob@bright.example"]),
        ({"before": {"name": None}, "after": {"name": "Bright"}}, ["Name: Bright"]),
        ({"before": {"name": "Bright", "size": 1}, "after": {"name": "Bright", "size": 2}}, ["Size: 1 → 2"]),
        ({"before": {"name": "Bright"}, "after": {"name": None}}, ["Name: Bright → none"]),
        ({"before": {"role": "owner", "teams": ["a", "b"]}}, ["Role: owner → none", "Teams: a, b → none"]),
        (
            {"before": {"rights": {"revenue": "read", "payout": "update"}}, "after": {"rights": {"revenue": "update"}}},
            ["Buyer Revenue: read → update", "TS Payout: update → none"],
        ),
        (
            {"before": {"developer_api": True}, "after": {"developer_api": False}},
            ["Enable Developer API Access: yes → no"],
        ),
        ({"rights": {"revenue": "update"}, "buyers": []}, ["Rights: Buyer Revenue update", "Buyers: none"]),
        ({"buyers": [str(number) for number in range(14)]}, ["Buyers: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2 more"]),
    ],
)
def test_details_are_told_in_words(details: Mapping[str, Any], lines: list[str]) -> None:
    deed = Deed(entropy.new_id(), NOW, 1, "ada@acme.example", "team.changed", "team Bright", details)
    assert page_of.lines(deed) == lines


def test_many_details_are_folded(live: Live, ada: Visitor) -> None:
    with live.world.database.write() as tx:
        told = {f"detail_{number}": "x" for number in range(12)}
        service.note(tx, actor(tx, live.world.acme, live.world.ada), "team.user_added", "team Bright", told)
    page = ada.get(AUDIT)
    assert "<summary>2 more</summary>" in page.html
    assert "User added team Bright" in page
