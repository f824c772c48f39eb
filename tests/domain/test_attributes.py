"""THE table: what can be updated, under which names."""

from __future__ import annotations

from ringback.domain.attributes import ATTRIBUTES, BY_NAME, BY_WIRE_NAME, CONTACT_FIELDS, UPDATABLE, blank_state
from ringback.domain.recordings import NAMES
from ringback.domain.updates import CONTROL

WRITTEN = {
    "buyer_converted": "Buyer Converted?",
    "revenue": "Buyer Revenue",
    "add_revenue": "Buyer Revenue",
    "offer_converted": "TS Converted",
    "payout": "TS Payout",
    "add_payout": "TS Payout",
    "post_call_tokens": "Contact Fields",
    "data": "Contact Fields",
    "trackdrive_buyer_id": "Buyer",
    "trackdrive_traffic_source_id": "Traffic Source",
    "call_disposition_id": "Disposition",
    "agent_call_disposition_notes": "Disposition Notes",
}
"""RECEIVING, "The body": wire name and the right that it needs."""


def test_every_name_of_the_contract_writes_the_attribute_that_the_guide_grants() -> None:
    assert {wire: attribute.label for wire, attribute in BY_WIRE_NAME.items()} == WRITTEN


def test_the_order_is_that_of_the_team_page() -> None:
    labels = ["Buyer Converted?", "Buyer Revenue", "TS Converted", "TS Payout", "Contact Fields"]
    said = ["Disposition", "Disposition Notes"]
    assert [attribute.label for attribute in ATTRIBUTES] == labels
    assert [attribute.label for attribute in UPDATABLE] == [*labels, "Buyer", "Traffic Source", *said]
    assert list(BY_NAME) == [attribute.name for attribute in UPDATABLE]


def test_no_name_means_two_things() -> None:
    wires = [wire for attribute in ATTRIBUTES for wire in (*attribute.sets, *attribute.adds)]
    reads = [name for attribute in ATTRIBUTES for name in attribute.reads]
    for names in (wires, reads, [each.name for each in ATTRIBUTES], [each.label for each in ATTRIBUTES]):
        assert len(names) == len(set(names))
    assert not set(wires) & (CONTROL | NAMES)


def test_a_call_reads_back_what_was_written_under_a_name_that_clients_read() -> None:
    assert {attribute.reads for attribute in ATTRIBUTES} == {
        ("buyer_converted",),
        ("revenue", "buyer_revenue"),
        ("offer_converted", "traffic_source_converted"),
        ("payout", "traffic_source_payout"),
        ("contact_fields", "post_call_tokens", "token_values"),
    }


def test_every_attribute_has_a_word_for_its_change() -> None:
    assert all(attribute.events for attribute in ATTRIBUTES)


def test_a_call_begins_with_nothing() -> None:
    assert blank_state() == {
        "buyer_converted": False,
        "revenue": None,
        "offer_converted": False,
        "payout": None,
        "contact_fields": {},
    }


def test_two_calls_never_share_their_first_contact_fields() -> None:
    assert blank_state()["contact_fields"] is not blank_state()["contact_fields"]
    assert CONTACT_FIELDS.blank is not CONTACT_FIELDS.blank
