"""The list of calls: what all calls of a filter come to, and the columns that a person chooses."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from ringback import clock
from ringback.console import calls as call_pages
from ringback.domain.access import Level
from ringback.store import call_search, teams, walks
from tests.console.test_calls import CALLS, numbers, partner
from tests.console.visitor import Visitor
from tests.live import Live

_NEXT = re.compile(r'href="([^"]*)" rel="next"')


def totals(html: str) -> dict[str, str]:
    """What all calls of the filter come to."""
    (told,) = re.findall(r'<dl class="facts totals"[^>]*>(.*?)</dl>', html, re.DOTALL)
    return dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", told))


class TestTotals:
    def test_they_are_of_the_whole_filter(self, live: Live, ada: Visitor) -> None:
        other = partner(live, "buyer", "Other")
        for number in range(60):
            live.world.call(revenue=Decimal("1.01"), payout=Decimal("0.5"), buyer_converted=number % 3 == 0)
        live.world.call(buyer=other, revenue=Decimal("0.001"))
        assert totals(ada.get(CALLS).html) == {
            "Calls": "61",
            "Buyer Converted": "20",
            "Revenue": "60.601",
            "Payout": "30.00",
            "Margin": "30.601",
        }
        assert totals(ada.get(f"{CALLS}?buyer=Other").html)["Revenue"] == "0.001"
        assert totals(ada.get(f"{CALLS}?converted=yes").html)["Revenue"] == "20.20"
        assert totals(ada.get(f"{CALLS}?converted=no&buyer=Bright+Roofing").html)["Calls"] == "40"
        assert totals(ada.get(f"{CALLS}?q=61").html)["Calls"] == "1"
        assert totals(ada.get(f"{CALLS}?offer=Roofing&buyer=Other").html) == totals(ada.get(f"{CALLS}?q=61").html)

    def test_they_stand_on_every_page(self, live: Live, ada: Visitor) -> None:
        for _ in range(60):
            live.world.call()
        found = _NEXT.search(ada.get(CALLS).html)
        assert found is not None
        assert totals(ada.get(found[1].replace("&amp;", "&")).html)["Calls"] == "60"

    def test_too_many_to_add_up_are_said_to_be_so(
        self, live: Live, ada: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (walks, call_search, call_pages):
            monkeypatch.setattr(module, "LOOKED_AT", 3)
        for _ in range(4):
            live.world.call(caller_number="+17195550199")
        for query in ("?q=%2B17195550199", "?offer=Roofing&buyer=Bright+Roofing"):
            page = ada.get(CALLS + query)
            assert "No totals: there are more than 3 calls to look through for these filters." in page
            assert numbers(page.html) == [4, 3, 2]

    def test_what_is_looked_through_in_vain_is_said(
        self, live: Live, ada: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walks, "LOOKED_AT", 3)
        calls = [live.world.call(buyer_converted=number == 0) for number in range(5)]
        page = ada.get(f"{CALLS}?converted=yes")
        assert "None of these calls fits." in page
        assert "so far; “Older” looks on." in page
        found = _NEXT.search(page.html)
        assert found is not None
        assert numbers(ada.get(found[1].replace("&amp;", "&")).html) == [calls[0].number]
        assert totals(page.html)["Calls"] == "1"

    def test_a_member_gets_those_of_what_he_may_read(self, live: Live, ada: Visitor, bob: Visitor) -> None:
        live.world.call(revenue=Decimal(5), buyer_converted=True)
        live.world.call(buyer=partner(live, "buyer", "Other"), revenue=Decimal(70))
        live.world.call(buyer=None, revenue=Decimal(900))
        assert totals(ada.get(CALLS).html)["Revenue"] == "975.00"
        assert totals(bob.get(CALLS).html)["Revenue"] == "5.00"
        live.world.grant({"revenue": Level.READ})
        assert totals(bob.get(CALLS).html) == {"Calls": "1", "Revenue": "5.00"}

    def test_a_sum_over_some_calls_only_is_none(self, live: Live, bob: Visitor) -> None:
        other = partner(live, "buyer", "Other")
        live.world.call(revenue=Decimal(5))
        live.world.call(buyer=other, revenue=Decimal(70))
        with live.world.database.write() as tx:
            team = teams.add(tx, live.world.acme, "Others", clock.now())
            teams.set_users(tx, live.world.acme, team, [live.world.bob])
            teams.set_buyers(tx, live.world.acme, team, [other])
        assert totals(bob.get(CALLS).html) == {"Calls": "2"}
        assert totals(bob.get(f"{CALLS}?buyer=Bright+Roofing").html)["Revenue"] == "5.00"
        assert totals(bob.get(f"{CALLS}?buyer=Other").html) == {"Calls": "1"}
        with live.world.database.write() as tx:
            teams.change(tx, live.world.acme, team, every_buyer=True)
            teams.set_rights(tx, live.world.acme, team, {"payout": Level.READ})
        live.world.call(buyer=None, payout=Decimal(1))
        assert totals(bob.get(CALLS).html) == {"Calls": "3", "Payout": "1.00"}


class TestColumns:
    def test_they_are_chosen_in_the_address_and_kept_on_the_way(self, live: Live, ada: Visitor) -> None:
        for _ in range(51):
            live.world.call(revenue=Decimal(7))
        query = "?columns=uuid&columns=updated&columns=revenue&columns=nonsense"
        page = ada.get(CALLS + query)
        heads = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', page.html)
        assert heads == ["Recorded", "Buyer Revenue", "Last changed", "UUID"]
        assert "Columns: 3 chosen" in page
        found = _NEXT.search(page.html)
        assert found is not None
        assert "columns=revenue&amp;columns=updated&amp;columns=uuid" in found[1]
        assert page.html.count('<input type="hidden" name="columns"') == 3
        assert 'href="/a/acme/calls"' in page.html

    def test_the_usual_ones_need_no_address(self, live: Live, ada: Visitor) -> None:
        live.world.call()
        page = ada.get(f"{CALLS}?buyer=Bright+Roofing")
        usual = re.findall(r'name="columns" value="([^"]*)" checked', page.html)
        assert len(usual) == 9
        again = ada.get(f"{CALLS}?{'&'.join(f'columns={name}' for name in usual)}")
        assert "chosen" not in again
        assert '<input type="hidden" name="buyer" value="Bright Roofing">' in page.html

    def test_what_may_not_be_read_is_not_offered(self, live: Live, bob: Visitor) -> None:
        live.world.call(revenue=Decimal(7))
        live.world.grant({"payout": Level.READ})
        page = bob.get(f"{CALLS}?columns=revenue&columns=payout")
        assert "Buyer Revenue" not in page
        assert "TS Payout" in page
