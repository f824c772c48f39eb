from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ringback import clock, entropy
from ringback.domain.attributes import blank_state
from ringback.domain.calls import Call, Partner
from tests.console.visitor import Visitor, visiting
from tests.live import Live
from tests.world import record

OVERVIEW = "/a/acme/overview"
NEW_YORK = ZoneInfo("America/New_York")
_FIGURE = re.compile(r'<dt>([^<]*)</dt><dd><a class="figure-value" href="([^"]*)">([^<]*)</a>')


def figures(html: str) -> dict[str, str]:
    """The big numbers."""
    return {label: value for label, _, value in _FIGURE.findall(html)}


def links(html: str) -> dict[str, str]:
    """Where they lead."""
    return {label: href.replace("&amp;", "&") for label, href, _ in _FIGURE.findall(html)}


def earlier(live: Live, moment: datetime, **values: object) -> str:
    """Record a call then; its UUID."""
    state = {**blank_state(), **values}
    partner = Partner(live.world.bright, "", "")
    call = Call(live.world.acme, entropy.new_call_uuid(), 0, None, state, moment, moment, buyer=partner)  # type: ignore[arg-type]
    with live.world.database.write() as tx:
        return record(tx, call).uuid


def test_the_figures_are_those_of_the_period(live: Live, ada: Visitor) -> None:
    now = clock.now()
    live.world.call(buyer_converted=True, revenue=Decimal("100.10"), payout=Decimal("60.05"))
    earlier(live, now - timedelta(days=5), revenue=Decimal("0.01"))
    earlier(live, now - timedelta(days=20), revenue=Decimal(1000), buyer_converted=True)
    assert figures(ada.get(f"{OVERVIEW}?period=today").html)["Revenue"] == "100.10"
    assert figures(ada.get(OVERVIEW).html) == {
        "Calls": "2",
        "Conversions": "1",
        "Revenue": "100.11",
        "Payout": "60.05",
        "Margin": "40.06",
        "Updates recorded": "-",
        "From call to postback": "-",
    }
    assert figures(ada.get(f"{OVERVIEW}?period=30").html)["Revenue"] == "1,100.11"
    assert "50.0 % of the calls" in ada.get(OVERVIEW)


_NUMBER = re.compile(r'<a[^>]* href="(/a/acme/(calls|updates)\?[^"]*)"[^>]*>([\d,]+)</a>')


@pytest.mark.parametrize("period", ["30", "today", "custom&from=2026-01-01&to=2026-12-31"])
def test_every_number_leads_to_its_list(live: Live, ada: Visitor, period: str) -> None:
    auth = live.world.bob_token.authorization
    for number in range(3):
        call = live.world.call(buyer_converted=number == 0)
        live.update(call.uuid, {"revenue": str(number)}, auth=auth)
        live.update(call.uuid, {"revenue": "x"}, auth=auth)
        earlier(live, clock.now() - timedelta(days=number))
        earlier(live, clock.now() - timedelta(days=35))
    page = ada.get(f"{OVERVIEW}?period={period}&compare=before")
    found = {(href.replace("&amp;", "&"), number) for href, _, number in _NUMBER.findall(page.html)}
    assert len(found) > 4
    for href, number in found:
        assert ada.get(href).html.count("data-row") == int(number), href
    for href in links(page.html).values():
        assert ada.get(href).status == 200


def test_a_period_is_compared_with_the_one_before(live: Live, ada: Visitor) -> None:
    now = clock.now()
    live.world.call(buyer_converted=True, revenue=Decimal("30.00"), payout=Decimal(10))
    live.world.call()
    for days in (1, 8):
        earlier(live, now - timedelta(days=days), revenue=Decimal(20), payout=Decimal(25))
    page = ada.get(f"{OVERVIEW}?period=7&compare=before")
    assert "Calls 3 +2 (+200.0 %) before: 1" in page
    assert "Conversions 1 +1 before: 0 33.3 % of the calls" in page
    assert "Revenue 50.00 +30.00 (+150.0 %) before: 20.00" in page
    assert "Margin 15.00 +20.00 (+400.0 %) before: -5.00" in page
    assert "Updates recorded - before: -" in page
    assert "This period is not over yet." in page
    assert page.html.count('class="bar-before"') == 14
    assert "?period=7" in re.findall(r'href="([^"]*)">Stop comparing', page.html)[0]
    assert "before:" not in ada.get(OVERVIEW)
    over = ada.get(f"{OVERVIEW}?period=custom&from=2026-05-01&to=2026-05-02&compare=before")
    assert "Compared with 2026-04-29 to 2026-04-30." in over
    assert "not over yet" not in over


def test_a_day_of_23_hours_is_compared_with_one_of_24(live: Live, ada: Visitor) -> None:
    earlier(live, datetime(2026, 3, 7, 23, 30, tzinfo=NEW_YORK), revenue=Decimal("3.5"))
    page = ada.get(f"{OVERVIEW}?period=custom&from=2026-03-08&to=2026-03-08&compare=before")
    assert figures(page.html)["Calls"] == "0"
    assert page.html.count('<tr><th scope="row"') == 24
    assert "Calls 0 \u22121 (\u2212100.0 %) before: 1" in page


def test_an_hour_that_the_clock_shows_twice_has_a_list_each_time(live: Live, ada: Visitor) -> None:
    for fold in (0, 1, 1):
        earlier(live, datetime(2026, 11, 1, 1, 30, fold=fold, tzinfo=NEW_YORK))
    page = ada.get(f"{OVERVIEW}?period=custom&from=2026-11-01&to=2026-11-01")
    found = {label: href.replace("&amp;", "&") for href, label in _HOUR.findall(page.html)}
    summer, winter = ada.get(found["01:00 EDT"]), ada.get(found["01:00 EST"])
    assert (summer.html.count("data-row"), winter.html.count("data-row")) == (1, 2)
    assert "01:00 EDT to 01:00 EST the whole day" in summer
    assert ada.get("/a/acme/calls?from=2026-11-01&to=2026-11-02&hour=2026-11-01T05:00Z").html.count("data-row") == 3


_HOUR = re.compile(r'<a href="([^"]*)">(\d\d:\d\d E.T)</a>')


def test_the_time_from_call_to_postback_is_that_of_updates_that_were_applied(live: Live, ada: Visitor) -> None:
    auth = live.world.bob_token.authorization
    for hours in (1, 3):
        uuid = earlier(live, clock.now() - timedelta(hours=hours))
        live.update(uuid, {"revenue": "1"}, auth=auth)
        live.update(uuid, {"revenue": "1"}, auth=auth)
    page = ada.get(OVERVIEW)
    assert figures(page.html)["From call to postback"] == "2 h 0 min"
    assert ada.get(links(page.html)["From call to postback"]).html.count("data-row") == 2


def test_reasons_of_refusals_lead_to_their_updates(live: Live, ada: Visitor) -> None:
    call, auth = live.world.call(), live.world.bob_token.authorization
    for body in ({"revenue": "x"}, {"revenue": "y"}, {"revenue": "1,25"}):
        live.update(call.uuid, body, auth=auth)
    live.update(call.uuid, b"{", auth=auth, headers={"Content-Type": "application/json"})
    page = ada.get(OVERVIEW)
    found = re.search(r'href="([^"]*reason=malformed_json)">1</a> Malformed json', page.html)
    assert found is not None
    listed = ada.get(found[1].replace("&amp;", "&"))
    assert listed.html.count("data-row") == 1
    assert "Reason Malformed json any reason" in listed


@pytest.mark.parametrize(
    ("day", "hours", "calls"),
    [("2026-03-08", 23, 1), ("2026-11-01", 25, 2), ("2026-05-01", 24, 0)],
)
def test_a_day_on_which_clocks_change_is_whole(live: Live, ada: Visitor, day: str, hours: int, calls: int) -> None:
    earlier(live, datetime(2026, 3, 8, 23, 59, tzinfo=NEW_YORK))
    earlier(live, datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK))
    earlier(live, datetime(2026, 11, 1, 1, 30, fold=1, tzinfo=NEW_YORK))
    page = ada.get(f"{OVERVIEW}?period=custom&from={day}&to={day}")
    assert figures(page.html)["Calls"] == str(calls)
    assert page.html.count('<tr><th scope="row"') == hours
    assert page.html.count("bar-whole") == 2 * hours


def test_the_table_says_what_the_chart_shows(live: Live, ada: Visitor) -> None:
    earlier(live, datetime(2026, 3, 8, 12, tzinfo=NEW_YORK), buyer_converted=True, revenue=Decimal("7.5"))
    page = ada.get(f"{OVERVIEW}?period=custom&from=2026-03-07&to=2026-03-09")
    assert "2026-03-08 1 1 7.50 0.00 7.50" in page
    assert "<title>2026-03-08: revenue 7.50, payout 0.00</title>" in page.html
    assert 'href="/a/acme/calls?from=2026-03-08&amp;to=2026-03-08"' in page.html
    assert "style=" not in page.html


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("period=custom&from=2026-05-02&to=2026-05-01", "from 2026-05-01 to 2026-05-02"),
        ("period=custom&from=2026-05-02", "on 2026-05-02"),
        ("period=custom&to=2026-05-02&from=x", "A date is written as 2026-01-31."),
        ("period=custom&from=2020-01-01&to=2026-05-01", "from 2025-05-01 to 2026-05-01"),
        ("period=custom&from=2020-01-01&to=2026-05-01", "At most 366 days are shown at once"),
        ("period=custom&from=2026-01-01&to=2026-12-31", "2026-12-31 to 2026-12-31"),
        ("period=custom", "Of the calls that were recorded, and the updates that came, on"),
        ("period=nonsense", "7 days"),
    ],
)
def test_any_period_can_be_asked_for(ada: Visitor, query: str, told: str) -> None:
    page = ada.get(f"{OVERVIEW}?{query}")
    assert page.status == 200
    assert told in page


def test_updates_are_counted_by_what_became_of_them(live: Live, ada: Visitor) -> None:
    call, auth = live.world.call(), live.world.bob_token.authorization
    live.update(call.uuid, {"revenue": "1"}, auth=auth)
    live.update(call.uuid, {"revenue": "1"}, auth=auth)
    live.update(call.uuid, {"revenue": "2", "dry_run": "true"}, auth=auth)
    live.world.grant({})
    live.update(call.uuid, {"revenue": "3"}, auth=auth)
    ada.get(f"/a/acme/calls/{call.uuid}")
    ada.post(f"/a/acme/calls/{call.uuid}", {"revenue": "9", "reason": "by hand"})
    page = ada.get(OVERVIEW)
    assert figures(page.html)["Updates recorded"] == "66.7 %"
    assert "of 3 received" in page
    assert "1 update Permission denied team Bright Roofing" in page
    waiting = re.search(r'href="(/a/acme/updates/waiting/[^"]*)"', page.html)
    assert waiting is not None
    assert ada.get(waiting[1]).status == 200


def test_the_checklist_ticks_itself(live: Live, ada: Visitor, charlie: Visitor) -> None:
    page = charlie.get("/a/zeta/overview")
    assert "A buyer who pays for calls" in page
    assert "An access token done" in page
    assert "Rights of a team that this person is on" in page
    assert 'hx-get="/a/zeta/overview?began=1"' in page.html
    page = ada.get(OVERVIEW)
    assert "A buyer done ✓ An access token done ✓ Rights of a team done ○ The first postback waiting…" in page
    live.update(live.world.call().uuid, {"revenue": "1"}, auth=live.world.bob_token.authorization)
    page = ada.get(f"{OVERVIEW}?began=1")
    assert "Your first postback came" in page
    assert "hx-get" not in page.html
    assert 'id="beginning"' not in ada.get(OVERVIEW).html


def test_it_is_for_who_runs_the_account(live: Live, meg: Visitor, bob: Visitor, charlie: Visitor) -> None:
    assert meg.get(OVERVIEW).status == 200
    assert bob.get(OVERVIEW).path == "/a/acme/calls"
    assert charlie.get(OVERVIEW).status == 404
    assert visiting(live).get(OVERVIEW).path.startswith("/login")


def test_figures_of_another_company_are_not_counted(live: Live, charlie: Visitor) -> None:
    live.world.call(revenue=Decimal(5))
    assert figures(charlie.get("/a/zeta/overview").html)["Calls"] == "0"
