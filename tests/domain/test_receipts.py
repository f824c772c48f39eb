"""Receipts: what they keep, that patches come back as they were, and what makes two of them the same."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ringback.domain.access import MissingRight, PermissionDenied
from ringback.domain.calls import Applied, Change, Operation, Origin, Patch, Write, apply
from ringback.domain.decisions import Decision, Step, Verdict
from ringback.domain.errors import Refusal
from ringback.domain.jsontext import Number, Value
from ringback.domain.receipts import (
    Outcome,
    Result,
    Update,
    changed_document,
    decided_document,
    fingerprint,
    patch_document,
    read_patch_document,
    understood_document,
)
from ringback.domain.updates import Key, Reading, Warned
from tests.domain.samples import BY_UUID, CREDENTIAL, NOW, make_call, make_principal, patches, understood

CHANGED = Applied({}, (Change("revenue", None, Decimal(1), Origin.UPDATE),), ())
FORBIDDEN = Refusal("no_team")
MISSING = Refusal("call_not_found", call="7")


def outcome_of(
    reading: Reading | None = None,
    refusal: Refusal | None = None,
    **changes: Any,  # noqa: ANN401
) -> Outcome:
    update = Update("r1", NOW, "calls", "acme", CREDENTIAL, BY_UUID, reading or Reading())
    return Outcome(update, make_principal(), Decision(Step.RIGHTS, refusal), **changes)


def patch_of(**values: Value) -> Patch:
    return understood(values).patch


class TestPatches:
    @given(patches())
    def test_come_back_from_json_as_they_were(self, patch: Patch) -> None:
        back = read_patch_document(json.loads(json.dumps(patch_document(patch))))
        assert back == patch
        assert fingerprint(back) == fingerprint(patch)

    def test_are_written_in_rows(self) -> None:
        assert patch_document(
            patch_of(buyer_converted="yes", add_revenue="1.5", data={"a": Number("1"), "b": None})
        ) == [
            ["buyer_converted", "set", True],
            ["revenue", "add", "1.50"],
            ["contact_fields", "merge", {"a": 1, "b": None}],
        ]

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"revenue": "42"}, {"revenue": "$42.00"}),
            ({"buyer_converted": "1"}, {"buyer_converted": True}),
            ({"data": {"a": "1", "b": "2"}}, {"post_call_tokens": {"b": "2", "a": "1"}}),
            ({"revenue": "1", "payout": "2"}, {"payout": "2", "revenue": "1", "extra": "x"}),
        ],
    )
    def test_that_ask_the_same_have_one_fingerprint(self, one: dict[str, Value], other: dict[str, Value]) -> None:
        assert fingerprint(patch_of(**one)) == fingerprint(patch_of(**other))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"revenue": "42"}, {"revenue": "42.000001"}),
            ({"revenue": "42"}, {"add_revenue": "42"}),
            ({"revenue": "42"}, {"payout": "42"}),
            ({"data": {"a": "1"}}, {"data": {"a": None}}),
            ({"data": {"a": "None"}}, {"data": {"a": None}}),
            ({"data": {"a": True}}, {"data": {"a": "True"}}),
            ({"revenue": "1"}, {"revenue": "1", "payout": "1"}),
            ({}, {"revenue": "0"}),
        ],
    )
    def test_that_ask_something_else_have_another(self, one: dict[str, Value], other: dict[str, Value]) -> None:
        assert fingerprint(patch_of(**one)) != fingerprint(patch_of(**other))

    @given(patches(), patches())
    def test_have_one_fingerprint_only_if_they_are_equal(self, one: Patch, other: Patch) -> None:
        assert (fingerprint(one) == fingerprint(other)) is (patch_document(one) == patch_document(other))

    def test_of_any_text_have_a_fingerprint(self) -> None:
        assert fingerprint((Write("contact_fields", Operation.MERGE, {"\ud800": "\0"}),))


class TestResults:
    @pytest.mark.parametrize(
        ("changes", "code", "status", "result"),
        [
            ({"applied": CHANGED}, "applied", 200, Result.APPLIED),
            ({"applied": Applied({}, (), ("revenue",))}, "unchanged", 200, Result.UNCHANGED),
            ({}, "unchanged", 200, Result.UNCHANGED),
            ({"applied": CHANGED, "is_new": True}, "recorded", 201, Result.APPLIED),
            ({"replay": {"code": "recorded"}}, "recorded", 201, Result.REPLAYED),
            ({"refusal": FORBIDDEN, "waits_until": NOW}, "no_team", 403, Result.DENIED),
            ({"refusal": FORBIDDEN}, "no_team", 403, Result.DENIED),
            ({"refusal": MISSING, "waits_until": NOW}, "call_not_found", 404, Result.EARLY),
            ({"refusal": MISSING}, "call_not_found", 404, Result.REFUSED),
            ({"refusal": Refusal("invalid_value")}, "invalid_value", 422, Result.REFUSED),
        ],
    )
    def test_are_told_in_one_word(self, changes: dict[str, Any], code: str, status: int, result: Result) -> None:
        outcome = outcome_of(**changes)
        assert (outcome.code, outcome.code_status, outcome.result) == (code, status, result)

    def test_of_what_was_refused_after_all_have_no_changes(self) -> None:
        outcome = outcome_of(applied=CHANGED).refused(Refusal("busy"))
        assert (outcome.code, outcome.applied) == ("busy", None)


class TestWhatWasUnderstood:
    def test_is_kept_as_codes(self) -> None:
        reading = understood(
            {"revenue": "1", "payout": "x", "offer_converted": "", "extra": "y"}, {"webhook-id": "w"}, dry_run="1"
        )
        assert understood_document(reading) == {
            "patch": [["revenue", "set", "1.00"]],
            "trail": [["revenue", "json", "amount"], ["offer_converted", "json", "blank"]],
            "ignored": ["extra"],
            "warnings": [["blank_ignored", {"name": "offer_converted"}]],
            "problems": [["payout", "invalid_value", {"reason": "payout: x is not an amount"}]],
            "key": "webhook-id",
            "dry_run": True,
        }

    def test_of_nothing_is_nothing(self) -> None:
        document = understood_document(Reading())
        assert [value for value in document.values() if value] == []


class TestHowItWasDecided:
    def test_is_kept_step_by_step(self) -> None:
        refusal = PermissionDenied((MissingRight("payout", 5, "Bright"),))
        verdicts = {"revenue": Verdict.ALLOWED, "payout": Verdict.DENIED}
        outcome = replace(outcome_of(), decision=Decision(Step.RIGHTS, refusal, verdicts))
        assert decided_document(outcome) == {
            "code": "permission_denied",
            "step": "rights",
            "verdicts": {"revenue": "allowed", "payout": "denied"},
            "details": {"attributes": "TS Payout"},
            "missing": [["payout", 5, "Bright"]],
        }

    def test_keeps_the_warnings_that_came_after_reading(self) -> None:
        outcome = outcome_of(
            understood({"revenue": ""}),
            applied=Applied({}, (), (), ("payout_needs_revenue",)),
            warnings=(Warned("correction", {"name": "event_id"}),),
        )
        assert decided_document(outcome) == {
            "code": "unchanged",
            "step": "rights",
            "verdicts": {},
            "warnings": [["correction", {"name": "event_id"}], ["payout_needs_revenue", {}]],
        }


def test_what_changed_is_kept_in_rows() -> None:
    patch = patch_of(buyer_converted="1", revenue="1.5", data={"a": "x", "b": None})
    state = {**make_call(contact_fields={"b": 1}).state}
    assert changed_document(apply(state, patch, make_call().terms).changes) == [
        ["buyer_converted", False, True, "update"],
        ["revenue", None, "1.50", "update"],
        ["contact_fields.a", None, "x", "update"],
        ["contact_fields.b", 1, None, "update"],
    ]


def test_whole_contact_fields_are_kept_too() -> None:
    change = Change("contact_fields", {}, {"a": 1}, Origin.PERSON)
    assert changed_document([change]) == [["contact_fields", {}, {"a": 1}, "person"]]


@given(st.text(min_size=1))
def test_repeats_are_known_by_their_key_else_by_their_content(value: str) -> None:
    keyed = replace(outcome_of().update, reading=Reading(patch_of(revenue="1"), key=Key.of("event_id", value)))
    bare = replace(keyed, reading=Reading(patch_of(revenue="1")))
    assert keyed.waiting_key == Key.of("event_id", value).digest
    assert bare.waiting_key == fingerprint(patch_of(revenue="$1.00"))
