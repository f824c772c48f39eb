from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from ringback import clock, entropy
from ringback.domain.access import Level
from ringback.domain.attributes import blank_state
from ringback.domain.calls import Call, Partner
from ringback.services import erasing
from ringback.store import calls, partners, teams
from tests.console.deeds import told
from tests.console.visitor import Visitor, visiting
from tests.live import Live
from tests.services.arriving import post
from tests.world import record

CALLS = "/a/acme/calls"
_ROW = re.compile(r'data-open class="fw-medium text-nowrap" href="[^"]*">No\. (\d+)<')
_NEXT = re.compile(r'href="([^"]*)" rel="next"')


def numbers(html: str) -> list[int]:
    """The numbers of the calls in a list."""
    return [int(number) for number in _ROW.findall(html)]


def partner(live: Live, noun: str, name: str) -> int:
    with live.world.database.write() as tx:
        return partners.add(tx, live.world.acme, noun, name, entropy.new_id(), clock.now())


def call_at(live: Live, moment: datetime, *, buyer: int | None = None, source: int | None = None) -> Call:
    call = Call(
        live.world.acme,
        entropy.new_call_uuid(),
        0,
        None,
        blank_state(),
        moment,
        moment,
        buyer=Partner(buyer or live.world.bright, "", ""),
        traffic_source=Partner(source, "", "") if source else None,
    )
    with live.world.database.write() as tx:
        return record(tx, call)


def file_of(visitor: Visitor, query: str = "") -> list[dict[str, str]]:
    """The calls of a downloaded file."""
    page = visitor.get(f"{CALLS}.csv{query}")
    assert page.status == 200
    return list(csv.DictReader(io.StringIO(page.html)))


def test_an_empty_list_teaches(ada: Visitor, bob: Visitor) -> None:
    assert '"caller_number": "+17195550123"' in ada.get(CALLS)
    assert "The calls of the buyers that your teams see" in bob.get(CALLS)


def test_the_list_shows_what_calls_are_worth(live: Live, ada: Visitor) -> None:
    live.world.call(buyer_converted=True, revenue=Decimal("1250.5"), payout=Decimal(9))
    page = ada.get(CALLS)
    assert "+17195550100 Bright Roofing - Roofing - ✓ yes 1,250.50 no 9.00" in page


def test_what_was_erased_is_called_erased(live: Live, bob: Visitor) -> None:
    call = live.world.call()
    post(live.world, call.uuid, {"post_call_tokens": {"first_name": "Jane"}}, live.world.ada_token)
    with live.world.database.write() as tx:
        erasing.erase(tx, "acme", call.uuid, clock.now(), entropy.new_id)
    assert "Contact field first_name … → erased" in bob.get(f"{CALLS}/{call.uuid}")


def test_the_list_is_paged_by_when_calls_were_recorded(live: Live, ada: Visitor) -> None:
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    for number in range(120):
        call_at(live, moment + timedelta(seconds=number // 3))
    seen: list[int] = []
    path: str | None = CALLS
    while path:
        page = ada.get(path)
        seen += numbers(page.html)
        found = _NEXT.search(page.html)
        path = found[1].replace("&amp;", "&") if found else None
    assert seen == list(range(120, 0, -1))


@pytest.mark.parametrize("place", ["x", "1", "1-", "-1-1", "1-x", "9" * 30 + "-1", "9" * 18 + "-1", "1-%C2%B2"])
def test_a_place_that_is_none_is_the_first_page(live: Live, ada: Visitor, place: str) -> None:
    live.world.call()
    page = ada.get(f"{CALLS}?before={place}")
    assert page.status == 200
    assert numbers(page.html) == [1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?buyer=bright+roofing", [2, 1]),
        ("?buyer=2", [3]),
        ("?traffic_source=Orbit", [3]),
        ("?offer=Roofing", [3, 2, 1]),
        ("?converted=yes", [2]),
        ("?converted=no&buyer=1", [1]),
        ("?converted=maybe", [3, 2, 1]),
        ("?q=2", [2]),
        ("?q=%232", [2]),
        ("?q=3f2b8c1e-0000-4000-8000-000000000001", [1]),
        ("?q=(719)+555-0102", [2]),
        ("?q=7195550102", [2]),
        ("?q=%2B17195550102", [2]),
        ("?q=0102", []),
        ("?q=jane", []),
        ("?buyer=Nobody", []),
        ("?traffic_source=Nobody", []),
    ],
)
def test_calls_are_filtered_and_searched(live: Live, ada: Visitor, query: str, found: list[int]) -> None:
    world, other, orbit = live.world, partner(live, "buyer", "Other"), partner(live, "traffic_source", "Orbit")
    world.call(uuid="3f2b8c1e-0000-4000-8000-000000000001", caller_number="+17195550101")
    world.call(caller_number="+17195550102", buyer_converted=True)
    third = world.call(buyer=other, caller_number="+17195550103")
    with world.database.write() as tx:
        calls.save_details(tx, replace(third, traffic_source=Partner(orbit, "", "")))
    page = ada.get(CALLS + query)
    assert page.status == 200
    assert numbers(page.html) == found
    assert sorted((int(row["number"]) for row in file_of(ada, query)), reverse=True) == found


def test_what_cannot_be_understood_of_a_filter_is_said(live: Live, ada: Visitor) -> None:
    live.world.call()
    page = ada.get(f"{CALLS}?buyer=Nobody&traffic_source=None&from=yesterday&to=2026-02-30")
    assert "There is no buyer Nobody here." in page
    assert "There is no traffic source None here." in page
    assert page.text.count("A date is written as 2026-01-31.") == 2


def test_days_are_those_of_the_accounts_zone(live: Live, ada: Visitor) -> None:
    for moment in ("2026-03-08T04:59:59", "2026-03-08T05:00:00", "2026-03-09T03:59:59", "2026-03-09T04:00:00"):
        call_at(live, datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert numbers(ada.get(f"{CALLS}?from=2026-03-08&to=2026-03-08").html) == [3, 2]
    assert numbers(ada.get(f"{CALLS}?from=2026-03-09").html) == [4]
    assert numbers(ada.get(f"{CALLS}?to=2026-03-07").html) == [1]


class TestAMember:
    def test_sees_only_calls_of_his_buyers(self, live: Live, bob: Visitor) -> None:
        own = live.world.call()
        other = live.world.call(buyer=partner(live, "buyer", "Other"))
        alone = live.world.call(buyer=None)
        assert numbers(bob.get(CALLS).html) == [own.number]
        for call in (other, alone):
            assert numbers(bob.get(f"{CALLS}?q={call.uuid}").html) == []
            assert bob.get(f"{CALLS}/{call.uuid}").status == 404
        page = bob.get(f"{CALLS}?buyer=Other")
        assert numbers(page.html) == []
        assert "There is no buyer Other here." in page
        assert [row["uuid"] for row in file_of(bob)] == [own.uuid]

    def test_of_several_buyers_sees_them_in_one_order(self, live: Live, bob: Visitor) -> None:
        others = [partner(live, "buyer", f"Buyer {number}") for number in range(60)]
        moment = datetime(2026, 5, 1, tzinfo=UTC)
        for number in range(6):
            call_at(live, moment + timedelta(minutes=number), buyer=others[number % 3])
        see_buyers(live, others[:2])
        assert numbers(bob.get(CALLS).html) == [5, 4, 2, 1]
        see_buyers(live, others[1:])
        assert numbers(bob.get(CALLS).html) == [6, 5, 3, 2]
        see_buyers(live, [])
        assert numbers(bob.get(CALLS).html) == []

    def test_does_not_learn_who_else_is_there(self, live: Live, bob: Visitor) -> None:
        partner(live, "traffic_source", "Orbit")
        live.world.call()
        page = bob.get(f"{CALLS}?traffic_source=Orbit")
        assert page.html == bob.get(f"{CALLS}?traffic_source=Orbit").html
        assert bob.get(f"{CALLS}?traffic_source=Nowhere").text == page.text
        assert "Orbit" not in bob.get(CALLS).html

    def test_sees_no_column_that_he_may_not_read(self, live: Live, bob: Visitor) -> None:
        call = live.world.call(revenue=Decimal("77.70"), payout=Decimal("8.80"), contact_fields={"name": "Jane"})
        live.world.grant({"revenue": Level.READ})
        for path in (CALLS, f"{CALLS}/{call.uuid}"):
            page = bob.get(path)
            assert "77.70" in page
            assert "8.80" not in page
            assert "TS Payout" not in page
            assert "Jane" not in page
        (row,) = file_of(bob)
        assert row["revenue"] == "77.70"
        assert not {"payout", "buyer_converted", "offer_converted"} & set(row)

    def test_may_not_filter_by_what_he_may_not_read(self, live: Live, bob: Visitor) -> None:
        live.world.call(buyer_converted=True)
        assert numbers(bob.get(f"{CALLS}?converted=yes").html) == [1]
        live.world.grant({"revenue": Level.READ})
        page = bob.get(f"{CALLS}?converted=yes")
        assert page.status == 403
        assert "Your teams may not read Buyer Converted?" in page
        assert bob.get(f"{CALLS}.csv?converted=yes").status == 403
        assert 'name="converted"' not in bob.get(CALLS).html

    def test_sees_what_others_changed_and_not_who_they_are(self, live: Live, bob: Visitor) -> None:
        call = live.world.call()
        live.update(call.uuid, {"revenue": "50", "payout": "5"}, auth=live.world.ada_token.authorization)
        live.update(call.uuid, {"revenue": "60"}, auth=live.world.bob_token.authorization)
        live.world.grant({"revenue": Level.UPDATE})
        page = bob.get(f"{CALLS}/{call.uuid}")
        assert "Buyer Revenue none → 50.00" in page
        assert "Buyer Revenue 50.00 → 60.00" in page
        assert "Payout" not in page
        assert "ada@" not in page
        assert page.html.count("/a/acme/updates/") == 1

    def test_adjusts_nothing(self, live: Live, bob: Visitor) -> None:
        call = live.world.call()
        assert "Adjust by hand" not in bob.get(f"{CALLS}/{call.uuid}")
        assert bob.post(f"{CALLS}/{call.uuid}", {"revenue": "1", "reason": "mine"}).status == 404
        assert live.world.state(call)["revenue"] is None


def see_buyers(live: Live, buyers: list[int]) -> None:
    with live.world.database.write() as tx:
        teams.set_buyers(tx, live.world.acme, live.world.team, buyers)


def test_another_company_sees_nothing(live: Live, charlie: Visitor) -> None:
    call = live.world.call()
    for path in (CALLS, f"{CALLS}.csv", f"{CALLS}/{call.uuid}", f"/a/zeta/calls/{call.uuid}"):
        assert charlie.get(path).status == 404
    assert charlie.post(f"{CALLS}/{call.uuid}", {"revenue": "1", "reason": "mine"}).status == 404
    assert numbers(charlie.get(f"/a/zeta/calls?q={call.uuid}").html) == []
    assert visiting(live).get(CALLS).path.startswith("/login")


def test_the_file_holds_no_formulas(live: Live, ada: Visitor) -> None:
    buyer = partner(live, "buyer", '=HYPERLINK("http://x","y")')
    live.world.call(buyer=buyer, revenue=Decimal("0.000001"), buyer_converted=True)
    (row,) = file_of(ada)
    assert row["buyer"] == '\'=HYPERLINK("http://x","y")'
    assert (row["caller_number"], row["revenue"], row["buyer_converted"]) == ("+17195550100", "0.000001", "yes")
    assert row["payout"] == ""


def test_a_long_file_is_whole(live: Live, ada: Visitor) -> None:
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    for _ in range(1001):
        call_at(live, moment)
    assert [int(row["number"]) for row in file_of(ada)] == list(range(1001, 0, -1))


class TestOneCall:
    def test_everything_about_it_is_there(self, live: Live, ada: Visitor) -> None:
        call = live.world.call(contact_fields={"<b>": "<script>", "agreed": True})
        body = {"buyer_converted": "true", "offer_converted": "true"}
        live.update(call.uuid, body, auth=live.world.bob_token.authorization)
        live.update(call.uuid, {"revenue": "x"}, auth=live.world.bob_token.authorization)
        page = ada.get(f"{CALLS}/{call.uuid}")
        assert "Buyer Converted? no → yes (named in the update)" in page
        assert "Buyer Revenue none → 42.00 (follows from the conversion)" in page
        assert "TS Payout none → 25.20 (follows from the conversion)" in page
        assert page.text.index("refused") < page.text.index("applied") < page.text.index("was recorded as number 1")
        assert "<b> <script>" in page
        assert "<script>" not in page.html.replace('<script src="', "")
        assert page.html.count("/a/acme/updates/") == 2

    def test_what_waits_is_told(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        live.world.grant({})
        live.update(call.uuid, {"revenue": "1"}, auth=live.world.bob_token.authorization)
        assert "1 update of this call waits: from bob@bright.example" in ada.get(f"{CALLS}/{call.uuid}")

    def test_a_long_timeline_is_cut(self, live: Live, ada: Visitor, bob: Visitor) -> None:
        call = live.world.call()
        for number in range(102):
            live.update(call.uuid, {"revenue": str(number)}, auth=live.world.ada_token.authorization)
        page = ada.get(f"{CALLS}/{call.uuid}")
        assert "Older updates are in the list of updates of this call" in page
        assert "2.00 → 3.00" not in bob.get("/login")
        assert page.text.count("→") == 100


class TestAdjusting:
    def test_it_goes_the_way_of_every_update(self, live: Live, meg: Visitor) -> None:
        call = live.world.call(revenue=Decimal(30))
        meg.get(f"{CALLS}/{call.uuid}")
        page = meg.post(
            f"{CALLS}/{call.uuid}", {"revenue": "$1,250.50", "offer_converted": "yes", "reason": "agreed by phone"}
        )
        assert page.path == f"{CALLS}/{call.uuid}"
        assert "Adjusted." in page
        assert "Buyer Revenue 30.00 → 1250.50 (changed by hand)" in page
        assert live.world.state(call)["revenue"] == Decimal("1250.50")
        assert live.world.state(call)["payout"] == Decimal("750.30")
        ((subject, details),) = told(live, "call.adjusted")
        assert (subject, details["reason"]) == ("call 1", "agreed by phone")
        assert details["changed"][0] == ["revenue", "30.00", "1250.50", "person"]
        receipt = meg.get(f"/a/acme/updates/{details['receipt']}")
        assert "at the console, in the name of meg@acme.example" in receipt
        assert "agreed by phone" in receipt

    def test_nothing_new_is_said(self, live: Live, ada: Visitor) -> None:
        call = live.world.call(revenue=Decimal(30))
        ada.get(f"{CALLS}/{call.uuid}")
        page = ada.post(f"{CALLS}/{call.uuid}", {"revenue": "30", "reason": "sure"})
        assert "The call had these values already" in page

    @pytest.mark.parametrize(
        ("form", "complaint"),
        [
            ({"reason": "why not"}, "Say what to change"),
            ({"revenue": "1"}, "Say why, in at most 500 characters."),
            ({"revenue": "1", "reason": "x" * 501}, "Say why, in at most 500 characters."),
            ({"revenue": "1,50", "reason": "x"}, "1,50 is ambiguous"),
            ({"payout": "-1", "reason": "x"}, "-1 is negative"),
            ({"buyer_converted": "maybe", "reason": "x"}, "Choose yes or no."),
        ],
    )
    def test_what_cannot_be_done_is_said(
        self, live: Live, ada: Visitor, form: Mapping[str, str], complaint: str
    ) -> None:
        call = live.world.call()
        ada.get(f"{CALLS}/{call.uuid}")
        page = ada.post(f"{CALLS}/{call.uuid}", form)
        assert page.status == 422
        assert complaint in page
        assert live.world.state(call) == blank_state()
        assert told(live, "call.adjusted") == []

    def test_contact_fields_are_not_adjusted(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        ada.get(f"{CALLS}/{call.uuid}")
        ada.post(f"{CALLS}/{call.uuid}", {"contact_fields": "x", "payout": "1", "reason": "x"})
        assert live.world.state(call)["contact_fields"] == {}

    def test_a_call_that_is_not_there(self, ada: Visitor) -> None:
        path = f"{CALLS}/{entropy.new_call_uuid()}"
        assert ada.get(path).status == 404
        assert ada.post(path, {"revenue": "1", "reason": "x"}).status == 404
