"""Money is never guessed: every spelling is either the amount that it is, or refused with a reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.api.rows import ledger_sum, of_call
from tests.api.wire import check_envelope
from tests.live import Live, Reply

READ = [
    ("42", "42.00"),
    ("42.50", "42.50"),
    ("42.", "42.00"),
    (".5", "0.50"),
    ("0", "0.00"),
    ("007", "7.00"),
    ("+5", "5.00"),
    (" 42.5\t", "42.50"),
    ("$1,250.50", "1250.50"),
    ("$ 1,250", "1250.00"),
    ("1,250", "1250.00"),
    ("42 USD", "42.00"),
    ("4.2e1", "42.00"),
    ("0.123456", "0.123456"),
    ("0.1234560", "0.123456"),
    ("999999.999999", "999999.999999"),
    ("-0", "0.00"),
]
"""What is read, and how it is written back."""

REFUSED = [
    "NaN",
    "Infinity",
    "-5",
    "-0.01",
    "$-3",
    "(5)",
    "1,00,0",
    "1,25",
    "1.250,50",
    "1 250,50",
    "12'500",
    "0.1234567",
    "1000000",
    "1" + "0" * 30,
    "1e30",
    "1e-9",
    "€42",
    "42 EUR",
    "٤٢",
    "forty-two",
    "0x2A",
    "1_000",
    "42.5.0",
    "--5",
    "true",
]
"""What can't be read, or not in one way only."""

UNREPLACED = [
    ("[Call:ConversionPayout]", "Ringba"),
    ("[tag:User:price]", "Ringba"),
    ("{{revenue}}", "Postman"),
    ("{{ $json.revenue }}", "n8n"),
    ('{{ $json["revenue"] }}', "n8n"),
    ("{{153443__revenue}}", "Zapier"),
    ("[payout]{0}", "TrackDrive"),
    ("{payout}", "Everflow"),
    ("#price#", "CAKE"),
    ("${revenue}", "JavaScript"),
    ("--A--revenue--B--", "ViciDial"),
    ("%5BCall%3AConversionPayout%5D", "Ringba"),
    ("%7B%7Brevenue%7D%7D", "Postman"),
    ("$[payout]", "TrackDrive"),
]

NAMES = ["revenue", "add_payout"]


def send(stage: Live, uuid: str, text: str) -> Reply:
    """Post a JSON text as it stands."""
    auth = stage.world.bob_token.authorization
    return stage.update(uuid, text, auth=auth, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("text", "amount"), READ)
def test_an_amount_is_stored_exactly_as_it_is_meant(stage: Live, text: str, amount: str, name: str) -> None:
    call = stage.world.call()
    attribute = name.removeprefix("add_")
    told = check_envelope(stage.update(call.uuid, {name: text}, auth=stage.world.bob_token.authorization))
    assert told["changed"] == {attribute: {"from": None, "to": amount}}
    assert stage.world.state(call)[attribute] == ledger_sum(stage.world.database, call)[attribute] == Decimal(amount)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_clear_amount_is_refused_with_its_reason(stage: Live, text: str, name: str) -> None:
    call = stage.world.call(revenue=Decimal(7), payout=Decimal(3))
    before = of_call(stage.world.database, call)
    told = check_envelope(
        stage.update(call.uuid, {"buyer_converted": 1, name: text}, auth=stage.world.bob_token.authorization)
    )
    assert (told["code"], told["codes"]) == ("invalid_value", {name: "invalid_value"})
    assert told["errors"][name]
    assert of_call(stage.world.database, call) == before


@pytest.mark.parametrize("name", ["revenue", "add_payout", "buyer_converted"])
@pytest.mark.parametrize(("text", "platform"), UNREPLACED)
def test_a_template_token_is_refused_and_named_with_its_platform(
    stage: Live, text: str, platform: str, name: str
) -> None:
    call = stage.world.call()
    before = of_call(stage.world.database, call)
    told = check_envelope(stage.update(call.uuid, {name: text}, auth=stage.world.bob_token.authorization))
    assert (told["code"], told["codes"]) == ("unreplaced_token", {name: "unreplaced_token"})
    assert platform in told["errors"][name]
    assert of_call(stage.world.database, call) == before


@pytest.mark.parametrize(("json", "amount"), [("42.10", "42.10"), ("0.1", "0.10"), ("999999.999999", "999999.999999")])
def test_a_json_number_is_kept_digit_for_digit(stage: Live, json: str, amount: str) -> None:
    call = stage.world.call()
    told = check_envelope(send(stage, call.uuid, f'{{"revenue": {json}}}'))
    assert told["call"]["revenue"] == amount
    assert stage.world.state(call)["revenue"] == Decimal(json)


@pytest.mark.parametrize(
    "json", ["NaN", "Infinity", "-Infinity", "-5", "1e30", "0.1234567", "true", "[]", "[42]", '{"amount": 42}']
)
def test_a_json_value_that_is_no_amount_is_refused(stage: Live, json: str) -> None:
    call = stage.world.call()
    told = check_envelope(send(stage, call.uuid, f'{{"revenue": {json}}}'))
    assert (told["status"], told["codes"]) == (422, {"revenue": "invalid_value"})
    assert stage.world.state(call)["revenue"] is None


@pytest.mark.parametrize("json", ["1,00,0", "042", "42.", "$42", "[Call:ConversionPayout]"])
def test_a_bare_amount_that_is_no_json_is_explained(stage: Live, json: str) -> None:
    call = stage.world.call()
    told = check_envelope(send(stage, call.uuid, f'{{"buyer_converted": true, "revenue": {json}}}'))
    assert told["code"] == "malformed_json"
    assert stage.world.state(call) == {**stage.world.state(call), "revenue": None, "buyer_converted": False}


@pytest.mark.parametrize("name", [*NAMES, "buyer_converted", "offer_converted"])
@pytest.mark.parametrize("blank", ["", "  ", None])
def test_what_is_blank_or_null_is_left_as_it_is_with_a_warning(stage: Live, blank: str | None, name: str) -> None:
    call = stage.world.call(revenue=Decimal(7), payout=Decimal(3), buyer_converted=True, offer_converted=True)
    before = of_call(stage.world.database, call)
    told = check_envelope(stage.update(call.uuid, {name: blank}, auth=stage.world.bob_token.authorization))
    assert told["code"] == "unchanged"
    assert [warning["code"] for warning in told["warnings"]] == ["blank_ignored"]
    assert of_call(stage.world.database, call) == before


class TestConversions:
    @pytest.mark.parametrize("value", [True, 1, "1", "true", "True", "TRUE", "yes", "on", " true "], ids=repr)
    def test_yes_however_it_is_spelt(self, stage: Live, value: object) -> None:
        call = stage.world.call(revenue=Decimal(1))
        stage.update(call.uuid, {"buyer_converted": value}, auth=stage.world.bob_token.authorization)
        assert stage.world.state(call)["buyer_converted"] is True

    @pytest.mark.parametrize("value", [False, 0, "0", "false", "False", "no", "off"], ids=repr)
    def test_no_however_it_is_spelt(self, stage: Live, value: object) -> None:
        call = stage.world.call(buyer_converted=True)
        stage.update(call.uuid, {"buyer_converted": value}, auth=stage.world.bob_token.authorization)
        assert stage.world.state(call)["buyer_converted"] is False

    @pytest.mark.parametrize("value", ["ture", "2", 2, 1.5, "Converted", [True], {"a": 1}, "-1", "null"], ids=repr)
    def test_anything_else_is_refused(self, stage: Live, value: Any) -> None:  # noqa: ANN401 - whatever JSON holds
        call = stage.world.call()
        told = check_envelope(
            stage.update(call.uuid, {"buyer_converted": value}, auth=stage.world.bob_token.authorization)
        )
        assert told["code"] == "invalid_value"
        assert stage.world.state(call)["buyer_converted"] is False


class TestAdditions:
    def test_they_are_added_to_what_is_there(self, stage: Live) -> None:
        call = stage.world.call(revenue=Decimal("10.50"))
        body = {"add_revenue": "2.5", "add_payout": "0.000001"}
        stage.update(call.uuid, body, auth=stage.world.bob_token.authorization)
        assert stage.world.state(call)["revenue"] == 13
        assert stage.world.state(call)["payout"] == Decimal("0.000001")

    @pytest.mark.parametrize("name", ["add_revenue", "add_payout"])
    def test_a_sum_beyond_the_largest_amount_is_refused(self, stage: Live, name: str) -> None:
        call = stage.world.call(revenue=Decimal("999999.99"), payout=Decimal("999999.99"))
        before = of_call(stage.world.database, call)
        body = {"buyer_converted": True, name: "0.02"}
        told = check_envelope(stage.update(call.uuid, body, auth=stage.world.bob_token.authorization))
        assert told["code"] == "amount_out_of_range"
        assert of_call(stage.world.database, call) == before

    @pytest.mark.parametrize("attribute", ["revenue", "payout"])
    def test_to_set_and_to_add_in_one_request_conflict(self, stage: Live, attribute: str) -> None:
        call = stage.world.call()
        body = {attribute: "5", f"add_{attribute}": "5"}
        told = check_envelope(stage.update(call.uuid, body, auth=stage.world.bob_token.authorization))
        assert told["code"] == "conflicting_values"
        assert stage.world.state(call)[attribute] is None


def test_every_field_with_a_bad_value_is_named(stage: Live) -> None:
    body = {
        "buyer_converted": "perhaps",
        "revenue": "[Call:ConversionPayout]",
        "payout": "1,25",
        "post_call_tokens": {"first_name": "{{first_name}}", "nested": {"a": 1}, "fine": "yes"},
    }
    told = check_envelope(stage.update(stage.world.call().uuid, body, auth=stage.world.bob_token.authorization))
    assert told["codes"] == {
        "buyer_converted": "invalid_value",
        "revenue": "unreplaced_token",
        "payout": "invalid_value",
        "post_call_tokens.first_name": "unreplaced_token",
        "post_call_tokens.nested": "invalid_value",
    }
    assert told["errors"].keys() == told["codes"].keys()
