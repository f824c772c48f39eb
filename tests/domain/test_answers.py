"""Answers: the shape of both kinds, the call under its columns, and that nothing unreadable is ever told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ringback.domain.access import EVERY_ATTRIBUTE, Level, Principal, Team
from ringback.domain.answers import answer, call_object, iso, refusal_document
from ringback.domain.attributes import ATTRIBUTES, BY_WIRE_NAME
from ringback.domain.calls import Call, Partner, Terms, apply
from ringback.domain.decisions import CallRef, Decision, Step, decide
from ringback.domain.errors import Problem, Refusal
from ringback.domain.jsontext import Value
from ringback.domain.money import Payout
from ringback.domain.receipts import Outcome, Update
from ringback.domain.updates import Reading, Warned
from tests.domain.samples import (
    BY_NUMBER,
    BY_UUID,
    CREDENTIAL,
    NOW,
    make_call,
    make_principal,
    make_team,
    understood,
)

TERMS = Terms(Decimal("42.00"), Payout(percent=Decimal(60)))


def update_of(reading: Reading, ref: CallRef = BY_UUID) -> Update:
    return Update("r1", NOW, "update_call", "acme", CREDENTIAL, ref, reading)


def outcome_of(
    values: Mapping[str, Value], principal: Principal | None = None, call: Call | None = None, ref: CallRef = BY_UUID
) -> Outcome:
    """An update decided and applied as the service does it."""
    principal, call = principal or make_principal(make_team()), call or make_call(terms=TERMS)
    reading = understood(values)
    decision = decide(principal, reading, call, ref, now=NOW, ip="")
    outcome = Outcome(update_of(reading, ref), principal, decision, call=call)
    if decision.refusal is not None:
        return outcome
    applied = apply(call.state, reading.patch, call.terms)
    return replace(outcome, applied=applied, call=replace(call, state=applied.state))


class TestSuccess:
    def test_has_the_shape_of_the_contract(self) -> None:
        status, document = answer(outcome_of({"revenue": "42", "payout": None, "extra": "x"}))
        assert status == 200
        assert list(document) == [
            *("status", "success", "code", "errors", "call", "changed", "unchanged"),
            *("ignored", "warnings", "receipt_id", "metadata"),
        ]
        assert {name: document[name] for name in document if name != "call"} == {
            "status": 200,
            "success": True,
            "code": "applied",
            "errors": {},
            "changed": {"revenue": {"from": None, "to": "42.00"}},
            "unchanged": [],
            "ignored": ["extra"],
            "warnings": [{"code": "blank_ignored", "message": "payout was blank, so it was left as it is."}],
            "receipt_id": "r1",
            "metadata": {"root": "call"},
        }

    def test_tells_effects_as_such(self) -> None:
        _, document = answer(outcome_of({"buyer_converted": "1", "offer_converted": "1", "data": {"a": True}}))
        assert document["changed"] == {
            "buyer_converted": {"from": False, "to": True},
            "offer_converted": {"from": False, "to": True},
            "contact_fields.a": {"from": None, "to": True},
            "revenue": {"from": None, "to": "42.00", "origin": "effect"},
            "payout": {"from": None, "to": "25.20", "origin": "effect"},
        }

    def test_of_what_was_so_already_is_called_unchanged(self) -> None:
        _, document = answer(outcome_of({"buyer_converted": "0", "revenue": "1"}, call=make_call(revenue=Decimal(1))))
        assert (document["code"], document["changed"]) == ("unchanged", {})
        assert document["unchanged"] == ["buyer_converted", "revenue"]

    def test_of_a_dry_run_says_so_with_the_verdicts(self) -> None:
        _, document = answer(outcome_of({"revenue": "1", "dry_run": "1"}))
        assert (document["code"], document["dry_run"], document["verdicts"]) == (
            "applied",
            True,
            {"revenue": "allowed"},
        )

    def test_of_a_dry_run_without_a_call_shows_none(self) -> None:
        reading = understood({"revenue": "1", "dry_run": "1"})
        decision = decide(make_principal(make_team()), reading, None, BY_UUID, now=NOW, ip="")
        _, document = answer(Outcome(update_of(reading), make_principal(), decision))
        assert document["call"] is None
        assert (document["changed"], document["unchanged"]) == ({}, [])

    def test_of_a_key_used_again_is_the_first_one(self) -> None:
        first = {"status": 201, "code": "recorded", "success": True}
        outcome = replace(outcome_of({"revenue": "1"}), replay=first)
        assert answer(outcome) == (201, first)

    def test_of_a_recording_is_201(self) -> None:
        status, document = answer(replace(outcome_of({"revenue": "1"}), is_new=True))
        assert (status, document["status"], document["code"]) == (201, 201, "recorded")


class TestFailure:
    def test_has_the_same_shape(self) -> None:
        status, document = answer(outcome_of({"revenue": "1,25", "payout": "[payout]", "x": "y"}))
        assert status == document["status"] == 422
        assert document == {
            "status": 422,
            "success": False,
            "code": "invalid_value",
            "errors": {
                "revenue": "1,25 is ambiguous: write 1.25 or 125.",
                "payout": "[payout] is a template token of TrackDrive that was sent before it was replaced by a value.",
            },
            "message": "revenue: 1,25 is ambiguous: write 1.25 or 125.",
            "hint": "Correct the value of each field listed under errors.",
            "codes": {"revenue": "invalid_value", "payout": "unreplaced_token"},
            "changed": {},
            "unchanged": [],
            "ignored": ["x"],
            "warnings": [],
            "receipt_id": "r1",
            "metadata": {"root": "call"},
        }

    def test_of_a_missing_right_names_it_and_where_it_is_granted(self) -> None:
        team = make_team(5, ["revenue"])
        _, document = answer(outcome_of({"revenue": "1", "add_payout": "1", "data": {"a": "1"}}, make_principal(team)))
        assert document["errors"] == {
            "payout": "TS Payout: the team Team 5 lacks the right Update.",
            "post_call_tokens": "Contact Fields: the team Team 5 lacks the right Update.",
        }
        assert document["missing_permissions"] == [
            {"attribute": "TS Payout", "right": "update", "team": "Team 5", "grant_at": "/company/teams/5"},
            {"attribute": "Contact Fields", "right": "update", "team": "Team 5", "grant_at": "/company/teams/5"},
        ]
        assert "call" not in document

    def test_tells_until_when_it_is_held_in_the_accounts_time(self) -> None:
        denied = outcome_of({"revenue": "1"}, make_principal(make_team(rights={})))
        held = replace(denied, waits_until=datetime(2026, 7, 30, 12, tzinfo=UTC), time_zone="America/New_York")
        assert answer(held)[1]["held_until"] == "2026-07-30T08:00:00.000-04:00"
        assert "held_until" not in answer(denied)[1]

    def test_to_an_unknown_sender_tells_nothing_of_the_request(self) -> None:
        refusal = Refusal("unknown_credentials")
        outcome = Outcome(update_of(understood({"x": "1"})), None, Decision(Step.CREDENTIAL, refusal))
        _, document = answer(outcome)
        assert document.keys() == {*refusal_document(refusal), "changed", "unchanged", "metadata"}
        assert "receipt_id" not in document

    def test_without_fields_stands_under_base(self) -> None:
        document = refusal_document(Refusal("call_not_found", call="7"))
        assert document["errors"] == {"base": "This account has no call 7."}
        assert "codes" not in document

    def test_with_fields_and_details_tells_both(self) -> None:
        problem = Problem("revenue", "amount_out_of_range", {"result": "-1.00"})
        document = refusal_document(Refusal("amount_out_of_range", problems=[problem], result="-1.00"))
        assert document["message"] == "The result would be -1.00; an amount lies between 0 and 999,999.999999."
        assert document["errors"] == {"revenue": document["message"]}


class TestTheCallObject:
    def test_has_the_columns_that_clients_read(self) -> None:
        partner = Partner(3, "", "Summit Media")
        call = make_call(
            traffic_source=partner,
            buyer_converted=True,
            revenue=Decimal("42.5"),
            contact_fields={"a": 1},
            status="finished",
            total_duration=61,
            ended_at=NOW,
        )
        columns = {
            "id": 7,
            "uuid": call.uuid,
            "created_at": "2026-05-01T08:00:00.000-04:00",
            "updated_at": "2026-05-01T08:00:00.000-04:00",
            "ended_at": "2026-05-01T08:00:00.000-04:00",
            "caller_number": "+17195550100",
            "status": "finished",
            "total_duration": 61,
            "answered_duration": None,
            "buyer": "Bright Roofing",
            "buyer_id": 1,
            "traffic_source": "Summit Media",
            "traffic_source_id": 3,
            "offer": None,
            "offer_id": None,
            "buyer_converted": "Converted",
            "revenue": "42.50",
            "buyer_revenue": "42.50",
            "offer_converted": None,
            "traffic_source_converted": None,
            "payout": None,
            "traffic_source_payout": None,
            "contact_fields": {"a": 1},
            "post_call_tokens": {"a": 1},
            "token_values": {"a": 1},
        }
        document = call_object(call, EVERY_ATTRIBUTE, "America/New_York")
        assert {name: document[name] for name in columns} == columns

    @pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.name)
    def test_lacks_every_name_of_what_may_not_be_read(self, attribute: Any) -> None:  # noqa: ANN401
        whole, cut = (
            call_object(make_call(), names, "UTC") for names in (EVERY_ATTRIBUTE, EVERY_ATTRIBUTE - {attribute.name})
        )
        assert whole.keys() - cut.keys() == set(attribute.reads)

    def test_writes_times_with_milliseconds_and_the_offset_of_their_day(self) -> None:
        winter, summer = datetime(2026, 1, 1, 12, 0, 0, 123_999, UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)
        assert iso(winter, "America/New_York") == "2026-01-01T07:00:00.123-05:00"
        assert iso(summer, "America/New_York") == "2026-07-01T08:00:00.000-04:00"
        assert iso(winter, "UTC") == "2026-01-01T12:00:00.123+00:00"


SECRET_STATE: dict[str, Any] = {
    "revenue": Decimal("1111.11"),
    "payout": Decimal("2222.22"),
    "contact_fields": {"name-kept": "text-kept", "name-gone": "text-gone"},
}
SENT: dict[str, Value] = {
    "buyer_converted": "1",
    "revenue": "3333.33",
    "add_revenue": "4444.44",
    "offer_converted": "1",
    "add_payout": "5000.05",
    "data": {"name-gone": None, "name-new": "text-new"},
    "dry_run": "1",
    "unknown": "x",
}
SIGNS: Mapping[str, tuple[str, ...]] = {
    "buyer_converted": (),
    "revenue": ("1111.11", "3333.33", "4444.44", "5555.55", "6666.66", "no revenue"),
    "offer_converted": (),
    "payout": ("2222.22", "5000.05", "7222.27", "1033.33", "1377.78", "344.44", "1722.22", "2066.66"),
    "contact_fields": ("text-", "name-"),
}
"""What an answer would say of each attribute's value, before or after."""
LEVELS = st.fixed_dictionaries({attribute.name: st.sampled_from(Level) for attribute in ATTRIBUTES})


@st.composite
def hidings(draw: st.DrawFn) -> tuple[list[dict[str, Level]], dict[str, Value]]:
    """The rights of one or two teams, and what is sent; often only what may be, so that it is applied."""
    rights = draw(st.lists(LEVELS, min_size=1, max_size=2))
    sent = draw(st.lists(st.sampled_from(list(SENT)), unique=True))
    if draw(st.booleans()):
        may = {name for each in rights for name, level in each.items() if level is Level.UPDATE}
        sent = [name for name in sent if name not in BY_WIRE_NAME or BY_WIRE_NAME[name].name in may]
    return rights, {name: SENT[name] for name in sent}


@settings(max_examples=max(200, settings().max_examples))
@given(
    hidings(),
    st.sets(st.sampled_from(list(SECRET_STATE))),
    st.sampled_from([BY_UUID, BY_NUMBER]),
    st.sampled_from([Terms(), Terms(Decimal("6666.66"), Payout(percent=Decimal(31)))]),
)
def test_nothing_unreadable_is_ever_told(
    hiding: tuple[list[dict[str, Level]], dict[str, Value]], kept: set[str], ref: CallRef, terms: Terms
) -> None:
    rights, sent = hiding
    teams: list[Team] = [make_team(number, each) for number, each in enumerate(rights)]
    call = make_call(terms=terms, **{name: SECRET_STATE[name] for name in kept})
    _, document = answer(outcome_of(sent, make_principal(*teams), call, ref))
    readable = {name for each in rights for name, level in each.items() if level >= Level.READ}
    text = json.dumps(document)
    for attribute in ATTRIBUTES:
        if attribute.name not in readable:
            assert not set(attribute.reads) & (document.get("call") or {}).keys()  # type: ignore[attr-defined] # JSON
            assert not [name for name in document["changed"] if name.startswith(attribute.name)]  # type: ignore[attr-defined] # JSON
            assert attribute.name not in document["unchanged"]  # type: ignore[operator] # JSON
            assert not [sign for sign in SIGNS.get(attribute.name, ()) if sign in text]


def test_an_effect_is_told_only_to_who_may_read_what_it_set() -> None:
    blind = make_principal(make_team(rights=["buyer_converted"]))
    _, document = answer(outcome_of({"buyer_converted": "1"}, blind))
    assert document["changed"] == {"buyer_converted": {"from": False, "to": True}}


def test_a_warning_that_tells_of_a_value_is_for_who_may_read_it() -> None:
    terms = Terms(payout=Payout(percent=Decimal(60)))
    blind, seeing = make_team(rights=["offer_converted"]), make_team(rights=["offer_converted", "revenue"])
    for team, told in ((blind, []), (seeing, ["payout_needs_revenue"])):
        outcome = outcome_of({"offer_converted": "1"}, make_principal(team), make_call(terms=terms))
        _, document = answer(replace(outcome, warnings=()))
        assert [warned["code"] for warned in document["warnings"]] == told  # type: ignore[attr-defined] # JSON


def test_warnings_of_reading_deciding_and_doing_are_told_in_this_order() -> None:
    outcome = outcome_of({"revenue": "", "offer_converted": "1"}, call=make_call(terms=Terms(payout=TERMS.payout)))
    outcome = replace(outcome, warnings=(Warned("duplicate_suppressed", {}),))
    outcome = replace(outcome, decision=replace(outcome.decision, warnings=(Warned("call_unknown", {}),)))
    codes = [warned["code"] for warned in answer(outcome)[1]["warnings"]]  # type: ignore[attr-defined] # JSON
    assert codes == ["blank_ignored", "call_unknown", "duplicate_suppressed", "payout_needs_revenue"]
