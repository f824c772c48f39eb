"""Integrations > Postbacks: written from a preset, looked at with real calls, tried, changed, taken back, deleted."""

from __future__ import annotations

import re
from base64 import b64decode
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from ringback.domain.postbacks import Postback
from ringback.domain.presets import PRESETS
from ringback.store import postbacks
from ringback.store.sending_schema import deliveries
from tests.console.deeds import told
from tests.console.visitor import Shown, Visitor
from tests.live import Live

PATH = "/a/acme/postbacks"
CAME_WITH = {"trackdrive_subdomain": "north", "trackdrive_call_uuid": "11111111-2222-4333-8444-555555555555"}
FORM = {
    "name": "Tell the source",
    "owner": "account",
    "trigger": "buyer_converted",
    "method": "POST",
    "url": "https://hooks.example/calls/[call_uuid]?paid=[payout]",
    "headers": "X-Source: [account_name]\n\nX-Kind: conversion",
    "body_kind": "json",
    "body": '{"number": "[caller_number]", "payout": "[payout]"}',
    "allowed_hosts": "hooks.example\n*.other.example",
    "credential": "",
    "timeout": "12",
    "delay": "5",
}


def make(visitor: Visitor, **changes: str) -> Shown:
    """Fill in the form of a new postback."""
    visitor.get(f"{PATH}/new?preset=json")
    return visitor.post(f"{PATH}/new", {**FORM, **changes})


def kept(live: Live, number: int = 1) -> Postback:
    with live.world.database.read() as tx:
        found = postbacks.find(tx, live.world.acme, number)
    assert found is not None
    return found


def count(live: Live) -> int:
    with live.world.database.read() as tx:
        return len(postbacks.list_postbacks(tx, [live.world.acme]))


def fields_of(page: Shown) -> dict[str, str]:
    """A part of what the form of a page says: its texts, and what is chosen."""
    found = dict(re.findall(r'<textarea[^>]* name="([\w-]+)"[^>]*>([^<]*)</textarea>', page.html))
    for name, options in re.findall(r'<select[^>]* name="([\w-]+)"[^>]*>(.*?)</select>', page.html, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(
            r'<option value="([^"]*)"', options
        )
        found[name] = chosen[1] if chosen else ""
    inputs = re.findall(r'<input[^>]* name="([\w-]+)"[^>]* value="([^"]*)"([^>]*)', page.html)
    found |= {name: text for name, text, rest in inputs if name != "csrf" and (name != "signed" or "checked" in rest)}
    return {name: unescape(text) for name, text in found.items()}


class TestTheList:
    def test_teaches_while_it_is_empty(self, ada: Visitor) -> None:
        page = ada.get(PATH)
        assert "No postbacks yet" in page
        assert f'href="{PATH}/new"' in page.html

    def test_says_when_whose_and_where_to(self, ada: Visitor) -> None:
        make(ada, owner="buyer-1")
        page = ada.get(PATH)
        for words in ("Tell the source", "Buyer converted", "Bright Roofing (buyer)", "hooks.example", "on"):
            assert words in page, words
        assert 'href="/a/acme/deliveries?postback=1"' in page.html

    def test_is_searched_and_paged(self, ada: Visitor) -> None:
        for number in range(51):
            make(ada, name=f"Rule {number:02}", url=f"https://hooks.example/{number}")
        assert "Rule 50" not in ada.get(PATH)
        assert "Rule 50" in ada.get(f"{PATH}?after=rule+49")
        assert "Rule 07" not in ada.get(f"{PATH}?q=50")
        assert "Nothing found" in ada.get(f"{PATH}?q=nonsense")


class TestANewOne:
    def test_begins_with_a_preset(self, ada: Visitor) -> None:
        page = ada.get(f"{PATH}/new")
        for preset in PRESETS:
            assert preset.label in page
            assert f"preset={preset.key}&" in page.html.replace("&amp;", "&")

    @pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
    def test_of_each_preset_is_saved_as_it_is_offered(self, live: Live, ada: Visitor, preset: Any) -> None:  # noqa: ANN401
        page = ada.get(f"{PATH}/new?preset={preset.key}")
        assert "With sample values:" in page
        page = ada.post(f"{PATH}/new", {**fields_of(page), "name": "Mine"})
        assert "Postback Mine was made." in page, page.text
        assert (kept(live).definition, kept(live).trigger) == (preset.definition, preset.trigger)

    def test_is_made_as_it_was_typed(self, live: Live, ada: Visitor) -> None:
        rows = {"field-0": "payout", "operator-0": ">", "value-0": "5", "field-3": "email", "operator-3": "exists"}
        rest = {"success_path": "result.status", "success_value": "ok", "signed": "1", "owner": "offer-1"}
        settings = {"hole-payout": "omit", "type-payout": "number", "hole-never_named": "blank"}
        page = make(ada, **rows, **rest, **settings)
        assert page.path == f"{PATH}/1"
        made = kept(live)
        definition = made.definition
        assert (made.owner, made.owner_id, made.version) == ("offer", 1, 1)
        assert definition.headers == (("X-Source", "[account_name]"), ("X-Kind", "conversion"))
        assert definition.conditions == (("payout", ">", "5"), ("email", "exists", ""))
        assert (definition.holes, definition.types) == ({"payout": "omit"}, {"payout": "number"})
        assert definition.allowed_hosts == ("hooks.example", "*.other.example")
        assert (definition.timeout, definition.delay, definition.signed) == (12, 5, True)
        assert definition.success is not None
        assert (definition.success.path, definition.success.value) == ("result.status", "ok")
        assert told(live, "postback.made")[0][0] == "postback Tell the source"
        assert fields_of(page)["field-1"] == "email"
        assert "Nothing was different." in ada.post(f"{PATH}/1", fields_of(page) | {"signed": "1"})

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"name": ""}, "name"),
            ({"owner": "buyer-99"}, "Choose a buyer of this account"),
            ({"owner": "everybody"}, "Choose whose calls it is for"),
            ({"trigger": "full_moon"}, "Choose what has to happen"),
            ({"url": "hooks.example"}, "https://"),
            ({"url": "https://hooks.example/[payot]"}, "Did you mean [payout]?"),
            ({"url": "https://[trackdrive_subdomain].x.example/", "allowed_hosts": ""}, "which hosts may be sent to"),
            ({"body": "{"}, "not JSON"),
            ({"headers": "Authorization: Basic x"}, "credential of the vault"),
            ({"headers": "X-Kind: sale\nX-Source"}, "'X-Source' is no header: write its name, a colon and its value"),
            ({"headers": ": sale"}, "'sale' is no header"),
            ({"timeout": "soon"}, "A timeout is 1 to 30 seconds"),
            ({"delay": "301"}, "A delay is 0 to 300 seconds"),
            ({"credential": "7"}, "There is no such credential"),
            ({"success_value": "ok"}, "Say where in the answer"),
            ({"field-0": "", "value-0": "5", "operator-0": "="}, "Condition 1"),
            ({"field-0": "payout", "operator-0": "~", "value-0": "5"}, "is not one of"),
        ],
    )
    def test_that_can_not_be_is_shown_again_with_what_is_wrong(
        self, live: Live, ada: Visitor, changes: dict[str, str], words: str
    ) -> None:
        page = make(ada, **changes)
        assert page.status == 422
        assert words.lower() in page.text.lower()
        assert count(live) == 0
        assert fields_of(page)["body"]

    def test_that_tells_a_receiver_twice_wants_a_second_yes(self, live: Live, ada: Visitor) -> None:
        make(ada)
        page = make(ada, name="Again")
        assert page.status == 409
        for words in ("Tell the source", "sends to the same address for the same event", "told twice"):
            assert words in page
        assert count(live) == 1
        assert "was made" in ada.post(f"{PATH}/new", {**FORM, "name": "Again", "do": "twice"})
        assert count(live) == 2

    def test_is_made_once_however_often_it_is_sent(self, live: Live, ada: Visitor) -> None:
        once = fields_of(ada.get(f"{PATH}/new?preset=json"))["once"]
        ada.post(f"{PATH}/preview", {**FORM, "once": once})
        ada.get(f"{PATH}/new?preset=json")
        assert "was made" in ada.post(f"{PATH}/new", {**FORM, "once": once})
        ada.get(f"{PATH}/new?preset=json")
        assert ada.post(f"{PATH}/new", {**FORM, "name": "Other", "do": "twice", "once": once}).status == 409
        assert count(live) == 1


class TestThePreview:
    def look(self, visitor: Visitor, **changes: str) -> Shown:
        visitor.get(f"{PATH}/new?preset=json")
        return visitor.post(f"{PATH}/preview", {**FORM, **changes})

    def test_shows_the_request_for_a_call(self, live: Live, ada: Visitor) -> None:
        call = live.world.call(payout=None)
        page = self.look(ada, call=call.uuid, **{"hole-payout": "omit"})
        for words in (f"With the values of call {call.number}:", f"hooks.example/calls/{call.uuid}", "+17195550100"):
            assert words in page, words
        assert "X-Source: Acme Media" in page
        assert "no value: left out" in page
        assert "<html" not in page.html

    def test_says_why_it_would_be_held(self, live: Live, ada: Visitor) -> None:
        call = live.world.call()
        page = self.look(ada, call=str(call.number))
        assert "Would be held: missing [payout]" in page

    def test_says_that_the_conditions_keep_it_from_being_sent(self, live: Live, ada: Visitor) -> None:
        call = live.world.call(buyer=None)
        rows = {"field-0": "status", "operator-0": "=", "value-0": "busy"}
        page = self.look(ada, call=call.uuid, owner="buyer-1", url="https://hooks.example/", body="{}", **rows)
        assert "Would not be sent for this call" in page
        assert "that status is busy; that the buyer is the one chosen above" in page

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"url": "https://hooks.example/[payot]"}, "URL : [payot] is not known. Did you mean [payout]?"),
            ({"call": "no call"}, "There is no such call"),
            ({"call": "00000000-0000-4000-8000-000000000000"}, "There is no such call"),
            ({"url": "http://hooks.example/"}, "http:// sends without encryption"),
            ({"body": "", "body_kind": "text"}, "POST without a body"),
            ({"credential": "by host"}, "No credential of the vault is bound to hooks.example"),
            ({"body": '{"paid": "{payout}"}'}, "looks like a token of Everflow or TUNE"),
        ],
    )
    def test_says_what_to_think_about(self, ada: Visitor, changes: dict[str, str], words: str) -> None:
        page = self.look(ada, **changes)
        assert page.status == 200
        assert words in page, page.text

    def test_names_the_credential_that_goes_with_it(self, ada: Visitor) -> None:
        ada.get("/a/acme/credentials/new")
        ada.post(
            "/a/acme/credentials/new", {"name": "Hooked", "kind": "token", "host": "hooks.example", "value": "abcdef"}
        )
        page = self.look(ada, credential="by host")
        assert "(credential Hooked)" in page
        assert "abcdef" not in page.html

    def test_comes_by_a_button_too_and_saves_nothing(self, live: Live, ada: Visitor) -> None:
        page = make(ada, do="preview", body='{"x": "[caller_id]"}')
        assert (page.status, "13055550123" in page, count(live)) == (200, True, 0)
        assert fields_of(page)["url"] == FORM["url"]
        make(ada)
        page = ada.post(f"{PATH}/1", {**FORM, "do": "preview", "body": '{"x": "[caller_id]"}'})
        assert ("13055550123" in page, kept(live).version) == (True, 1)

    def test_keeps_the_rules_of_a_token_while_it_is_written_anew(self, ada: Visitor) -> None:
        page = self.look(ada, url="https://hooks.example/", body='{"p": "[payou"}', **{"hole-payout": "omit"})
        assert 'name="hole-payout" value="omit"' in page.html

    def test_is_for_those_who_run_the_account(self, bob: Visitor) -> None:
        bob.get("/login")
        assert bob.post(f"{PATH}/preview", FORM).status == 404


def test_template_tokens_are_listed_with_the_values_of_a_call(live: Live, ada: Visitor) -> None:
    call = live.world.call(contact_fields={**CAME_WITH, "shoe_size": "44", "buyer": "in a field"})
    page = ada.get(f"{PATH}/tokens?call={call.number}")
    for words in (
        "[shoe_size] Contact field shoe_size 44",
        "[field:buyer]",
        "[buyer] Name of the buyer Bright Roofing",
    ):
        assert words in page, words
    assert "Sample" in ada.get(f"{PATH}/tokens?call=nonsense")


def test_templates_of_another_platform_are_written_as_ours_when_asked_to(live: Live, ada: Visitor) -> None:
    typed = {"url": "https://hooks.example/?p={payout}", "body": '{"p": "{{call.payout}}", "n": "#caller_number#"}'}
    page = make(ada, **typed, headers="X-P: --A--payout--B--", do="convert")
    fields = fields_of(page)
    assert fields["url"] == "https://hooks.example/?p=[payout]"
    assert fields["headers"] == "X-P: [payout]"
    assert fields["body"] == '{"p": "[payout]", "n": "[caller_number]"}'
    assert count(live) == 0


class TestVersions:
    def test_are_kept_looked_at_and_gone_back_to(self, live: Live, ada: Visitor) -> None:
        make(ada)
        ada.post(f"{PATH}/1", {**FORM, "body": '{"second": "[payout]"}'})
        page = ada.get(f"{PATH}/1")
        assert "Version 2 , which sends" in page
        page = ada.get(f"{PATH}/1?version=1")
        assert "This is version 1; version 2 is the one that sends." in page
        assert "caller_number" in fields_of(page)["body"]
        assert kept(live).version == 2
        assert "Saved." in ada.post(f"{PATH}/1/back", {"version": "1"})
        assert (kept(live).version, kept(live).definition.body) == (3, FORM["body"])
        assert len(told(live, "postback.changed")) == 2
        assert ada.get(f"{PATH}/1?version=9").status == ada.post(f"{PATH}/1/back", {"version": "x"}).status == 404

    def test_are_not_made_by_a_new_name(self, live: Live, ada: Visitor) -> None:
        make(ada)
        assert "Saved." in ada.post(f"{PATH}/1", {**FORM, "name": "Renamed"})
        assert (kept(live).name, kept(live).version) == ("Renamed", 1)


def test_a_postback_is_paused_and_goes_on(live: Live, ada: Visitor) -> None:
    make(ada)
    page = ada.post(f"{PATH}/1/pause", {"pauses": "1"})
    assert "is paused: its deliveries wait." in page
    assert kept(live).paused == "person"
    assert "paused" in ada.get(PATH)
    assert "goes on" in ada.post(f"{PATH}/1/pause", {"pauses": ""})
    assert kept(live).paused is None
    assert len(told(live, "postback.paused")) == len(told(live, "postback.resumed")) == 1


def test_a_postback_is_deleted_after_saying_what_is_given_up(live: Live, ada: Visitor) -> None:
    make(ada)
    call = live.world.call()
    body = {"buyer_converted": "true"}
    assert live.update(call.uuid, body, auth=live.world.ada_token.authorization).status == 200
    page = ada.get(f"{PATH}/1/delete")
    assert "1 held" in page
    page = ada.post(f"{PATH}/1/delete")
    assert "Postback Tell the source is deleted. 1 of its deliveries were given up." in page
    assert (count(live), ada.get(f"{PATH}/1").status) == (0, 404)


class TestTheSecretThatSigns:
    def test_is_shown_once_and_changed_with_an_overlap(self, live: Live, ada: Visitor) -> None:
        page = make(ada, signed="1")
        assert "There is no secret yet" in page
        page = ada.post(f"{PATH}/1/secret")
        found = re.search(r"whsec_([\w+/=]+)", page.text)
        assert found is not None
        assert 24 <= len(b64decode(found[1])) <= 64
        page = ada.get(f"{PATH}/1")
        assert ("whsec_" in page.html, "A new secret is shown once" in page) == (False, True)
        page = ada.post(f"{PATH}/1/secret")
        assert "The one before signs along for 24 hours." in page
        assert found[0] not in page.html
        assert len(told(live, "postback.signing_secret_made")) == 2

    def test_of_one_that_does_not_sign_says_so(self, ada: Visitor) -> None:
        make(ada)
        assert "Turn on “Signed”" in ada.post(f"{PATH}/1/secret")


class TestTestFire:
    def test_sends_what_is_saved_for_a_call(self, live: Live, ada: Visitor) -> None:
        make(ada, body="{}", url="https://hooks.example/[call_id]")
        call = live.world.call()
        page = ada.post(f"{PATH}/1/test", {"call": str(call.number)})
        with live.world.database.read() as tx:
            row = tx.execute(select(deliveries)).mappings().one()
        assert page.path == f"/a/acme/deliveries/{row['id']}"
        assert (row["is_test"], row["call_uuid"], row["host"]) == (True, call.uuid, "hooks.example")
        assert told(live, "postback.tested")[0][1]["host"] == "hooks.example"

    @pytest.mark.parametrize(
        ("call", "words"), [("", "Choose a call"), ("99", "There is no such call"), ("1", "missing [payout]")]
    )
    def test_says_why_nothing_was_sent(self, live: Live, ada: Visitor, call: str, words: str) -> None:
        make(ada)
        live.world.call()
        page = ada.post(f"{PATH}/1/test", {"call": call})
        assert (page.status, words in page) == (422, True)

    def test_is_for_ten_a_minute(self, live: Live, ada: Visitor) -> None:
        make(ada, body="{}", url="https://hooks.example/")
        call = live.world.call()
        for _ in range(10):
            ada.get(f"{PATH}/1")
            ada.post(f"{PATH}/1/test", {"call": call.uuid})
        ada.get(f"{PATH}/1")
        assert ada.post(f"{PATH}/1/test", {"call": call.uuid}).status == 429


def test_a_buyers_page_lists_his_forward_posts(live: Live, ada: Visitor) -> None:
    page = ada.get("/a/acme/buyers/1")
    assert "No forward post yet" in page
    way = f"{PATH}/new?preset=forward&owner=buyer-1"
    assert way in page.html.replace("&amp;", "&")
    page = ada.get(way)
    assert fields_of(page)["owner"] == "buyer-1"
    ada.post(f"{PATH}/new", {**fields_of(page), "name": "To Bright"})
    make(ada, name="Of another kind", owner="buyer-1")
    make(ada, name="Of all", trigger="call_forwarded")
    page = ada.get("/a/acme/buyers/1")
    assert "To Bright" in page
    assert f'href="{PATH}/1"' in page.html
    assert "Of another kind" not in page
    assert "Of all" not in page
    assert kept(live).owner == "buyer"


def test_managers_see_them_and_members_do_not(live: Live, ada: Visitor, meg: Visitor, bob: Visitor) -> None:
    make(ada)
    assert f'href="{PATH}"' in meg.get(PATH).html
    assert "Saved." in meg.post(f"{PATH}/1", {**FORM, "name": "Meg's"})
    assert PATH not in bob.get("/a/acme/calls").html
    assert bob.get(PATH).status == bob.get(f"{PATH}/1").status == 404
    assert count(live) == 1
