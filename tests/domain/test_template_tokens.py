"""What names mean, and what the values of a call are."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from ringback.domain.attributes import ATTRIBUTES
from ringback.domain.calls import Partner
from ringback.domain.template_tokens import (
    BY_NAME,
    FIELD,
    PARTNER_FIELDS,
    TOKENS,
    Kind,
    Unknown,
    Values,
    call_values,
    key_of,
    resolve,
    sample_values,
    value_at,
)
from ringback.domain.templates import spelled
from tests.domain.samples import BRIGHT, NOW, UUID, make_call

EVERY_NAME = [(name, token.name) for token in TOKENS for name in (token.name, *token.aliases)]
DELIVERY = "0199f0c2-5f00-7000-8000-000000000001"


def values_of(**of_call: object) -> Values:
    """The values of a call of Acme."""
    return call_values(
        make_call(**of_call),  # type: ignore[arg-type]
        subdomain="acme",
        account="Acme Media",
        trigger="buyer_converted",
        postback="Tell them",
        delivery_id=DELIVERY,
    )


@pytest.mark.parametrize(("name", "key"), EVERY_NAME)
def test_every_name_and_alias_means_its_value_however_it_is_capitalised(name: str, key: str) -> None:
    for spelling in (name, name.upper(), name.lower(), f" {name} "):
        assert resolve(spelling) == key_of(spelling) == key


def test_no_two_tokens_share_a_name() -> None:
    lowered = [name.lower() for name, _ in EVERY_NAME]
    assert len(set(lowered)) == len(lowered)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Call:ConversionPayout", "payout"),
        ("Call:ConversionAmount", "revenue"),
        ("Call:InboundCallId", "call_uuid"),
        ("tag:InboundNumber:Number", "caller_number"),
        ("tag:InboundNumber:Number-NoPlus", "caller_id"),
        ("tag:Publisher:Name", "traffic_source"),
        ("tag:Target:Name", "buyer"),
    ],
)
def test_ringbas_names_mean_what_they_mean_there(name: str, key: str) -> None:
    assert resolve(name) == key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("trackdrive_subdomain", "field:trackdrive_subdomain"),
        ("Trackdrive_Call_UUID", "field:trackdrive_call_uuid"),
        ("first_name", "field:first_name"),
        ("field:anything at all", "field:anything at all"),
        ("tag:User:click_id", "field:click_id"),
        ("field:payout", "field:payout"),
        ("field: x", "field:x"),
    ],
)
def test_contact_fields_can_be_named(name: str, key: str) -> None:
    assert resolve(name) == key_of(name) == key


def test_a_contact_field_of_the_account_needs_no_prefix_and_never_hides_a_value_of_ours() -> None:
    assert resolve("Lead_Id", ["lead_id"]) == resolve("lead_id", ["LEAD_ID"]) == "field:lead_id"
    assert resolve("payout", ["payout"]) == "payout"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("Call:ConversonPayout", "Call:ConversionPayout"),
        ("call_uid", "call_uuid"),
        ("frist_name", "first_name"),
        ("leadid", "lead_id"),
        ("tag:Geo:Weather", None),
        ("field:", None),
        ("zzz", None),
        ("", None),
    ],
)
def test_an_unknown_name_comes_with_the_nearest_known_one(name: str, suggestion: str | None) -> None:
    assert resolve(name, ["lead_id"]) == Unknown(name, suggestion)


def test_a_call_has_a_value_for_every_token() -> None:
    values = values_of(
        revenue=Decimal(42),
        payout=Decimal("25.2"),
        buyer_converted=True,
        contact_fields={"First_Name": "Jane", "age": 7},
        traffic_source=Partner(2, UUID, "Search Co"),
        offer=Partner(3, UUID, "Roofing"),
        status="ended",
        total_duration=312,
        answered_duration=287,
        ended_at=NOW + timedelta(minutes=5),
    )
    assert BY_NAME.keys() <= values.keys()
    assert {key: spelled(value) for key, value in values.items()} == {
        "call_uuid": UUID,
        "call_id": "7",
        "subdomain": "acme",
        "account_name": "Acme Media",
        "caller_number": "+17195550100",
        "caller_id": "17195550100",
        "caller_id_short": "7195550100",
        "status": "ended",
        "total_duration": "312",
        "answered_duration": "287",
        "created_at": "2026-05-01T12:00:00Z",
        "ended_at": "2026-05-01T12:05:00Z",
        "buyer": BRIGHT.name,
        "buyer_id": "1",
        "traffic_source": "Search Co",
        "traffic_source_id": "2",
        "offer": "Roofing",
        "offer_id": "3",
        "buyer_converted": "true",
        "offer_converted": "false",
        "revenue": "42.00",
        "payout": "25.20",
        "trigger": "buyer_converted",
        "postback": "Tell them",
        "delivery_id": DELIVERY,
        "field:first_name": "Jane",
        "field:age": "7",
    }


def test_what_a_call_lacks_is_blank() -> None:
    values = values_of(buyer=None)
    for name in ("buyer", "buyer_id", "offer", "status", "ended_at", "revenue", "payout", "total_duration"):
        assert spelled(values[name]) == ""


@pytest.mark.parametrize(
    ("number", "digits", "short"),
    [("+13055550123", "13055550123", "3055550123"), ("+442071838750", "442071838750", "442071838750"), (None, "", "")],
)
def test_the_callers_number_in_three_forms(number: str | None, digits: str, short: str) -> None:
    values = call_values(
        replace(make_call(), caller_number=number),
        subdomain="acme", account="Acme", trigger="t", postback="p", delivery_id=DELIVERY,
    )  # fmt: skip
    assert (values["caller_number"], values["caller_id"], values["caller_id_short"]) == (number, digits, short)


def test_a_value_is_found_by_any_of_its_names() -> None:
    values = {"payout": Decimal(1), "field:lead_id": "7"}
    assert value_at(values, "Call:ConversionPayout") == Decimal(1)
    assert (
        value_at(values, "Lead_Id") == value_at(values, "field:lead_id") == value_at(values, "tag:User:lead_id") == "7"
    )
    assert value_at(values, "nothing") is None


def test_samples_are_there_for_everything_that_can_be_named() -> None:
    samples = sample_values(["Lead_Id"])
    keys = [*BY_NAME, FIELD + "lead_id", *(FIELD + name for name in PARTNER_FIELDS)]
    assert all(spelled(samples[key]) for key in keys)
    assert samples["field:trackdrive_subdomain"] == "acme"


def test_amounts_and_booleans_are_those_of_the_attributes() -> None:
    kinds = {attribute.name: attribute.kind.value for attribute in ATTRIBUTES}
    for name in ("revenue", "payout"):
        assert (BY_NAME[name].kind, kinds[name]) == (Kind.AMOUNT, "money")
    for name in ("buyer_converted", "offer_converted"):
        assert (BY_NAME[name].kind, kinds[name]) == (Kind.BOOLEAN, "boolean")
