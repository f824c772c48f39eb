from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from ringback.app import build
from ringback.console import postback_forms
from ringback.domain.deliveries import State
from ringback.domain.postbacks import Postback
from ringback.services.postbacks import PostbackForm
from ringback.settings import read_settings
from ringback.store import postbacks
from tests.console.deeds import told
from tests.console.sending import (
    TAKEN,
    Partner,
    convert,
    eventually,
    make_postback,
    put,
    refusing,
    sent,
    settled,
)
from tests.console.visitor import Visitor
from tests.live import Live, running
from tests.world import build_world

LIST = "/a/acme/deliveries"


@pytest.fixture
def live(database_url: str) -> Iterator[Live]:
    """A server whose deliveries may go to this machine."""
    app = build(read_settings(database_url=database_url, delivery_allow="*.localhost"))
    with running(app, build_world(app.database)) as server:
        yield server


@pytest.fixture
def partner() -> Iterator[Partner]:
    with Partner().running() as platform:
        yield platform


def hidden(page_html: str) -> dict[str, str]:
    """What the form of a page carries along."""
    form = page_html.partition('<form method="post" action="/a/acme/deliveries/all')[2].partition("</form>")[0]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))


def mend(ada: Visitor, rule: Postback, **changes: str) -> None:
    """Correct a postback at its page."""
    fields = postback_forms.write(PostbackForm(rule.name, rule.trigger.value, rule.definition)) | changes
    ada.get(f"/a/acme/postbacks/{rule.id}")
    assert "Saved." in ada.post(f"/a/acme/postbacks/{rule.id}", fields)


def go_on(ada: Visitor) -> None:
    """Press the button of the page, as without JavaScript."""
    ada.post(f"{LIST}/all", {name: value for name, value in hidden(ada.shown.html).items() if name != "csrf"})


class TestOne:
    def test_is_followed_from_broken_to_delivered(self, live: Live, ada: Visitor, partner: Partner) -> None:
        partner.answer = refusing("503 Service Unavailable")
        make_postback(live, partner.url)
        call = live.world.call()
        convert(live, call)
        one = settled(live, State.RETRYING)
        page = ada.get(LIST)
        for words in (
            "Tell the platform",
            "retrying 1 attempt",
            f"No. {call.number}",
            "partner.localhost",
            "The receiver can't take it now.",
            "Tried next in",
        ):
            assert words in page, words
        page = ada.get(f"{LIST}/{one.id}")
        for words in (
            f"POST {partner.url}/calls/{call.uuid}?from=acme",
            f'{{"call": "{call.uuid}", "revenue": "42.00"}}',
            "Attempt 1",
            "HTTP 503",
            "If it stays so, ask the receiver.",
            "in all",
            "[revenue] 42.00",
        ):
            assert words in page, words
        assert f'href="/a/acme/updates/{one.receipt_id}"' in page.html
        assert f'href="/a/acme/calls/{call.uuid}"' in page.html
        assert 'hx-trigger="every' in page.html
        partner.answer = TAKEN
        assert "It is sent again." in ada.post(f"{LIST}/{one.id}", {"do": "again"})
        settled(live, State.DELIVERED)
        page = ada.get(f"{LIST}/{one.id}")
        assert "The receiver accepted it." in page
        assert "Attempt 2" in page
        assert "{\n  &#34;status&#34;: &#34;ok&#34;\n}" in page.html
        assert 'hx-trigger="every' not in page.html

    def test_tells_what_the_receiver_says_as_inert_text(self, live: Live, ada: Visitor, partner: Partner) -> None:
        body = '{"error": "<script>alert(1)</script> no such field"}'
        partner.answer = refusing("422 Unprocessable", body)
        make_postback(live, partner.url)
        convert(live, live.world.call())
        one = settled(live, State.FAILED)
        page = ada.get(f"{LIST}/{one.id}")
        assert "The receiver refuses the request." in page
        assert "The receiver says: <script>alert(1)</script> no such field" in page
        assert "<script>alert" not in page.html
        assert "Read its answer, correct the postback, then send it again." in page

    def test_that_was_recorded_otherwise_shows_both(self, live: Live, ada: Visitor, partner: Partner) -> None:
        partner.answer = refusing("200 OK", '{"call": {"revenue": "41.00"}}')
        make_postback(live, partner.url, body='{"revenue": "[revenue]"}')
        convert(live, live.world.call())
        one = settled(live, State.DELIVERED)
        page = ada.get(f"{LIST}/{one.id}")
        assert "Delivered, but differs" in page
        assert "Buyer Revenue 42.00 41.00" in page
        for query in ("?differs=1", "?state=delivered&differs=1"):
            assert "delivered but differs" in ada.get(f"{LIST}{query}")
        assert "Nothing fits" in ada.get(f"{LIST}?state=failed&differs=1")

    def test_without_a_value_says_which(self, live: Live, ada: Visitor, partner: Partner) -> None:
        make_postback(live, partner.url, body='{"payout": "[payout]"}')
        convert(live, live.world.call(offer_converted=False))
        one = settled(live, State.HELD)
        page = ada.get(f"{LIST}/{one.id}")
        assert "missing [payout]" in page
        assert "Nothing yet: the request can't be made" in page
        assert "makes the request anew, of the postback as it is now and of the call's present values" in page
        assert f'<a href="/a/acme/calls/{one.call_uuid}">adjust the call by hand</a>' in page.html
        assert "It can't be sent: missing [payout]" in ada.post(f"{LIST}/{one.id}", {"do": "again"})
        assert settled(live, State.HELD).id == one.id

    def test_is_sent_again_as_the_mended_postback_makes_it(self, live: Live, ada: Visitor, partner: Partner) -> None:
        partner.answer = refusing("422 Unprocessable")
        rule = make_postback(live, partner.url, body='{"worth": "[revenue]"}')
        convert(live, live.world.call())
        one = settled(live, State.FAILED)
        mend(ada, rule, body='{"revenue": "[revenue]"}')
        assert "1 of its deliveries is held or failed" in ada.shown
        assert "(version 2; this delivery was made of version 1)" in ada.get(f"{LIST}/{one.id}")
        partner.answer = TAKEN
        assert "It is sent again." in ada.post(f"{LIST}/{one.id}", {"do": "again"})
        assert settled(live, State.DELIVERED).id == one.id
        assert partner.receiver.requests[-1].endswith(b'{"revenue": "42.00"}')
        assert f"webhook-id: {one.id}".encode() in partner.receiver.requests[-1]
        page = ada.get(f"{LIST}/{one.id}")
        assert "What was sent until then POST http" in page
        assert '{"worth": "42.00"}' in page
        assert "Attempt 2" in page

    def test_that_was_never_made_is_sent_once_its_postback_is_mended(
        self, live: Live, ada: Visitor, partner: Partner
    ) -> None:
        rule = make_postback(live, partner.url, body='{"payout": "[payout]"}')
        convert(live, live.world.call(offer_converted=False))
        one = settled(live, State.HELD)
        mend(ada, rule, body='{"revenue": "[revenue]"}')
        ada.get(f"{LIST}/all?state=held&do=again")
        go_on(ada)
        assert "1 of 1 handled: 1 sent again. Done." in ada.shown
        assert settled(live, State.DELIVERED).id == one.id

    def test_that_only_tried_is_sent_once_only(self, live: Live, ada: Visitor, partner: Partner) -> None:
        partner.answer = refusing("403 Forbidden")
        rule = make_postback(live, partner.url)
        call = live.world.call(revenue=Decimal(42))
        ada.get(f"/a/acme/postbacks/{rule.id}")
        ada.post(f"/a/acme/postbacks/{rule.id}/test", {"call": call.uuid})
        one = settled(live, State.FAILED)
        page = ada.get(f"{LIST}/{one.id}")
        assert "Ask the receiver to grant what its answer names." in page
        assert "A test is sent once only." in page
        assert "tried again" not in page
        assert "Send again" not in page
        assert "Nothing was done" in ada.post(f"{LIST}/{one.id}", {"do": "again"})
        assert len(partner.receiver.requests) == 1

    def test_is_taken_back(self, live: Live, ada: Visitor, partner: Partner) -> None:
        (one,) = put(live, make_postback(live, partner.url), 1)
        assert 'title="1 waiting"' in ada.get(f"{LIST}/{one}").html
        assert "It is taken back" in ada.post(f"{LIST}/{one}", {"do": "back"})
        assert "cancelled" in ada.shown
        assert "A person took it back." in ada.shown
        assert 'title="1 waiting"' not in ada.shown.html
        assert told(live, "deliveries.taken_back") == [("1 delivery", {"ids": [one], "count": 1})]

    def test_pauses_its_postback(self, live: Live, ada: Visitor, partner: Partner) -> None:
        rule = make_postback(live, partner.url)
        (one,) = put(live, rule, 1)
        ada.get(f"{LIST}/{one}")
        assert "The postback is paused." in ada.post(f"{LIST}/{one}", {"do": "pause"})
        with live.world.database.read() as tx:
            found = postbacks.find(tx, rule.account_id, rule.id)
        assert found is not None
        assert found.paused is not None
        convert(live, live.world.call())
        assert "It waits: its postback is paused." in ada.get(LIST)

    def test_whose_postback_was_deleted_is_not_sent_again(self, live: Live, ada: Visitor, partner: Partner) -> None:
        rule = make_postback(live, partner.url)
        (one,) = put(live, rule, 1)
        with live.world.database.write() as tx:
            postbacks.remove(tx, rule.account_id, rule.id)
        page = ada.get(f"{LIST}/{one}")
        assert "deleted postback 1" in page
        assert "Send again" not in page
        assert "Nothing was done" in ada.post(f"{LIST}/{one}", {"do": "again"})
        assert sent(live)[0].state is State.FAILED

    def test_warns_where_a_later_one_was_delivered(self, live: Live, ada: Visitor, partner: Partner) -> None:
        rule, call = make_postback(live, partner.url), live.world.call()
        (older,) = put(live, rule, 1, call=call)
        put(live, rule, 1, call=call, state=State.DELIVERED, seq=9)
        assert "so the receiver has been told already" in ada.get(f"{LIST}/{older}")
        ada.get(f"{LIST}/all?state=failed&do=again")
        go_on(ada)
        assert "1 of 1 handled: 0 sent again, 1 not sent" in ada.shown


class TestAll:
    def test_are_sent_again_some_at_a_time(self, live: Live, ada: Visitor, partner: Partner) -> None:
        rule = make_postback(live, partner.url)
        for _ in range(23):
            put(live, rule, 10)
        put(live, rule, 2, is_test=True)
        assert "Failed 230" in ada.get(f"{LIST}?state=failed")
        assert "230 deliveries would be sent again" in ada.get(f"{LIST}/all?state=failed&do=again")
        assert {each.state for each in sent(live)} == {State.FAILED}
        for handled in (11, 211):
            go_on(ada)
            assert f"{handled} of 230 handled: {handled} sent again" in ada.shown
        go_on(ada)
        assert "230 of 230 handled: 230 sent again. Done." in ada.shown
        eventually(lambda: _counted(live) == {State.DELIVERED: 230, State.FAILED: 2})
        assert [count["count"] for _, count in told(live, "deliveries.sent_again")] == [11, 200, 19]

    def test_of_one_postback_only(self, live: Live, ada: Visitor, partner: Partner) -> None:
        one, other = (make_postback(live, partner.url, name=name) for name in ("One", "Other"))
        put(live, one, 3)
        put(live, other, 2)
        assert "of the postback Other" in ada.get(f"{LIST}/all?state=failed&do=back&postback={other.id}")
        go_on(ada)
        assert "2 of 2 handled: 2 taken back. Done." in ada.shown
        assert _counted(live) == {State.FAILED: 3, State.CANCELLED: 2}

    def test_what_fails_again_meanwhile_is_handled_once(self, live: Live, ada: Visitor, partner: Partner) -> None:
        partner.answer = refusing("422 Unprocessable")
        put(live, make_postback(live, partner.url), 1)
        ada.get(f"{LIST}/all?state=failed&do=again")
        go_on(ada)
        assert "1 of 1 handled: 1 sent again. Done." in ada.shown

    @pytest.mark.parametrize("query", ["", "?do=again", "?state=delivered&do=again", "?state=failed&do=burn"])
    def test_is_nothing_to_be_done_to_others(self, ada: Visitor, query: str) -> None:
        assert "Nothing was done: choose deliveries" in ada.get(f"{LIST}/all{query}")
        assert ada.shown.path.startswith(LIST)


def _counted(live: Live) -> dict[State, int]:
    found: dict[State, int] = {}
    for each in sent(live):
        found[each.state] = found.get(each.state, 0) + 1
    return found


class TestList:
    def test_without_any_it_says_what_would_be_here(self, ada: Visitor) -> None:
        assert "No deliveries yet" in ada.get(LIST)

    def test_is_filtered_and_paged(self, live: Live, ada: Visitor, partner: Partner) -> None:
        rule, call = make_postback(live, partner.url), live.world.call()
        put(live, rule, 52)
        put(live, rule, 1, call=call, state=State.HELD, host="other.localhost", code="not_permitted")
        put(live, rule, 1, state=State.DELIVERED, is_test=True)
        for query, count in (
            ("", 50),
            ("?state=failed", 50),
            ("?state=held", 1),
            ("?host=other.localhost", 1),
            ("?host=Other.LOCALHOST&state=held", 1),
            (f"?call={call.uuid}", 1),
            (f"?call={call.number}&postback={rule.id}", 1),
            ("?postback=99", 0),
            ("?tests=only", 1),
            ("?tests=none&state=delivered", 0),
            ("?state=nonsense", 50),
        ):
            assert ada.get(f"{LIST}{query}").html.count("data-row") == count, query
        assert "test" in ada.get(f"{LIST}?tests=only")
        ada.get(f"{LIST}?state=failed")
        older = re.search(r'href="([^"]+)" rel="next"', ada.shown.html)
        assert older is not None
        page = ada.get(older[1].replace("&amp;", "&"))
        assert page.html.count("data-row") == 2
        assert 'rel="next"' not in page.html
        assert "There is no call 7777 here." in ada.get(f"{LIST}?call=7777")

    def test_news_are_told_once(self, live: Live, ada: Visitor, partner: Partner) -> None:
        rule = make_postback(live, partner.url)
        (one,) = put(live, rule, 1)

        def news(html: str) -> str:
            found = re.search(r'hx-get="([^"]+)"', html)
            assert found is not None
            return found[1].replace("&amp;", "&")

        asked = news(ada.get(f"{LIST}?state=failed").html)
        assert ada.get(asked).status == 204
        (two,) = put(live, rule, 1)
        page = ada.get(asked)
        assert page.status == 200
        assert f'id="{one}"' in page.html
        assert f'id="{two}"' in page.html
        assert ada.get(news(page.html)).status == 204

    def test_the_badge_counts_what_is_held_and_failed(self, live: Live, ada: Visitor, partner: Partner) -> None:
        rule = make_postback(live, partner.url)
        put(live, rule, 2)
        put(live, rule, 1, state=State.HELD)
        put(live, rule, 1, state=State.DELIVERED)
        put(live, rule, 1, is_test=True)
        assert 'title="3 waiting"' in ada.get(LIST).html

    def test_only_who_runs_the_account_sees_them(
        self, live: Live, bob: Visitor, charlie: Visitor, meg: Visitor, partner: Partner
    ) -> None:
        (one,) = put(live, make_postback(live, partner.url), 1)
        for visitor in (bob, charlie):
            for path in (LIST, f"{LIST}/{one}", f"{LIST}/news", f"{LIST}/all?state=failed&do=again"):
                assert visitor.get(path).status == 404
            visitor.get("/login")
            assert visitor.post(f"{LIST}/{one}", {"do": "back"}).status == 404
        assert "Deliveries" not in bob.get("/a/acme/calls")
        assert sent(live)[0].state is State.FAILED
        assert meg.get(f"{LIST}/{one}").status == 200


class TestElsewhere:
    def test_a_call_tells_of_its_deliveries_and_of_its_tokens(
        self, live: Live, ada: Visitor, bob: Visitor, partner: Partner
    ) -> None:
        make_postback(live, partner.url)
        call = live.world.call(contact_fields={"first_name": "Jane", "shoe size": "44"})
        convert(live, call)
        one = settled(live, State.DELIVERED)
        page = ada.get(f"/a/acme/calls/{call.uuid}")
        assert "Delivery delivered Tell the platform, to partner.localhost" in page
        assert f'href="/a/acme/deliveries/{one.id}"' in page.html
        for words in (
            "[revenue] What the buyer pays us; the receiver should rarely know it 42.00",
            "[first_name] First name Jane",
            "[payout] What we pay the traffic source; it is the revenue of the receiver no value",
            "[ended_at] When the call ended, in UTC no value",
        ):
            assert words in page, words
        assert "[delivery_id]" not in page
        page = bob.get(f"/a/acme/calls/{call.uuid}")
        assert page.status == 200
        assert "Tell the platform" not in page
        assert "[revenue]" not in page

    def test_the_overview_counts_what_is_open(self, live: Live, ada: Visitor, partner: Partner) -> None:
        assert "None is due, held or failed." in ada.get("/a/acme/overview")
        rule = make_postback(live, partner.url)
        put(live, rule, 2)
        put(live, rule, 1, state=State.HELD)
        put(live, rule, 1, is_test=True)
        page = ada.get("/a/acme/overview")
        assert "1 held wait for a value" in page
        assert "2 failed not tried again" in page
        assert 'href="/a/acme/deliveries?state=failed&tests=none"' in page.html
        assert ada.get(f"{LIST}?state=failed&tests=none").html.count("data-row") == 2
