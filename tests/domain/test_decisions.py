"""Deciding: the steps in their order, for every sender, and the same for a dry run as for the real thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.domain.access import EVERY_ATTRIBUTE, AccessType, Level, PermissionDenied, Principal, Role
from ringback.domain.attributes import ATTRIBUTES, Kind
from ringback.domain.calls import Call
from ringback.domain.decisions import CallRef, Decision, RefKind, Step, Verdict, decide, read_ref, read_uuid, unreadable
from ringback.domain.jsontext import Value
from tests.domain.samples import (
    BY_NUMBER,
    BY_UUID,
    EVERY_RIGHT,
    NOW,
    RIGHTS,
    UUID,
    make_call,
    make_principal,
    make_team,
    make_token,
    understood,
)

UNREADABLE = CallRef(RefKind.UNREADABLE, "x")


def decided(
    principal: Principal,
    values: Mapping[str, Value] | None = None,
    *,
    call: Call | None = None,
    ref: CallRef = BY_UUID,
    **more: Any,  # noqa: ANN401
) -> Decision:
    reading = understood({"revenue": "1"} if values is None else values)
    return decide(principal, reading, call, ref, now=NOW, ip="203.0.113.7", **more)


def told(decision: Decision) -> tuple[Step, str | None]:
    return decision.step, None if decision.refusal is None else decision.refusal.code.name


class TestTheOrder:
    def test_the_first_failure_answers(self) -> None:
        bad: dict[str, Value] = {"revenue": "1,25"}
        spent, fresh = make_token(revoked_at=NOW), make_token()
        deaf = make_team(developer_api=False, buyers=frozenset())
        unsharing, mute = make_team(buyers=frozenset()), make_team(rights={})
        assert told(decided(make_principal(token=spent), bad)) == (Step.TOKEN, "revoked")
        assert told(decided(make_principal(token=fresh), bad)) == (Step.TEAM, "no_team")
        assert told(decided(make_principal(deaf), bad)) == (Step.TEAM, "api_access_off")
        assert told(decided(make_principal(unsharing), bad)) == (Step.VALUES, "invalid_value")
        assert told(decided(make_principal(unsharing))) == (Step.CALL, "call_not_found")
        assert told(decided(make_principal(unsharing), call=make_call())) == (Step.SHARED, "buyer_not_shared")
        assert told(decided(make_principal(mute), call=make_call())) == (Step.RIGHTS, "permission_denied")
        assert told(decided(make_principal(make_team()), call=make_call())) == (Step.RIGHTS, None)

    def test_every_bad_value_is_told(self) -> None:
        decision = decided(make_principal(make_team()), {"revenue": "x", "payout": "[y]"}, call=make_call())
        assert decision.refusal is not None
        assert [(each.field, each.code) for each in decision.refusal.problems] == [
            ("revenue", "invalid_value"),
            ("payout", "unreplaced_token"),
        ]
        assert decision.verdicts == {}

    def test_a_call_that_is_not_there_is_named_as_it_was_asked_for(self) -> None:
        decision = decided(make_principal(make_team()), ref=UNREADABLE)
        assert str(decision.refusal) == "This account has no call x."


class TestRights:
    def test_are_the_union_over_the_teams_that_see_the_call_and_have_api_access(self) -> None:
        teams = (
            make_team(1, ["revenue"]),
            make_team(2, ["payout"]),
            make_team(3, ["buyer_converted"], developer_api=False),
            make_team(4, ["offer_converted"], buyers=frozenset()),
        )
        values: dict[str, Value] = {"revenue": "1", "payout": "1", "buyer_converted": "1", "offer_converted": "1"}
        decision = decided(make_principal(*teams), values, call=make_call())
        assert decision.verdicts == {
            "buyer_converted": Verdict.DENIED,
            "revenue": Verdict.ALLOWED,
            "offer_converted": Verdict.DENIED,
            "payout": Verdict.ALLOWED,
        }
        assert isinstance(decision.refusal, PermissionDenied)
        assert [right.attribute for right in decision.refusal.missing] == ["buyer_converted", "offer_converted"]
        assert decision.readable == {"revenue", "payout"}

    @pytest.mark.parametrize("name", EVERY_RIGHT)
    def test_of_each_attribute_are_asked(self, name: str) -> None:
        given: dict[Kind, Value] = {Kind.BOOLEAN: "0", Kind.MONEY: "1", Kind.FIELDS: {"a": "1"}}
        values = {(*each.sets, *each.adds)[-1]: given[each.kind] for each in ATTRIBUTES}
        with_all, without = make_team(), make_team(rights={**EVERY_RIGHT, name: Level.READ})
        assert decided(make_principal(with_all), values, call=make_call()).refusal is None
        decision = decided(make_principal(without), values, call=make_call())
        assert [each for each, verdict in decision.verdicts.items() if verdict is Verdict.DENIED] == [name]
        assert name in decision.readable

    @pytest.mark.parametrize("values", [{}, {"post_call_tokens": {}}, {"data": None}, {"revenue": ""}, {"x": "1"}])
    def test_are_not_needed_for_what_names_no_attribute(self, values: dict[str, Value]) -> None:
        decision = decided(make_principal(make_team(rights={})), values, call=make_call())
        assert (decision.refusal, decision.verdicts) == (None, {})

    @pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
    def test_are_all_held_by_who_runs_the_account(self, role: Role) -> None:
        decision = decided(make_principal(role=role), call=make_call(None))
        assert told(decision) == (Step.RIGHTS, None)
        assert decision.readable == EVERY_ATTRIBUTE

    def test_come_from_the_role_not_through_a_token_of_another_type(self) -> None:
        ada = make_principal(role=Role.OWNER, token=make_token(access_type=AccessType.CALLS_READ))
        assert told(decided(ada, call=make_call())) == (Step.TOKEN, "access_type")

    @given(RIGHTS, RIGHTS)
    def test_all_or_nothing(self, ones: dict[str, Level], others: dict[str, Level]) -> None:
        values: dict[str, Value] = {"revenue": "1", "payout": "1", "data": {"a": "1"}}
        principal = make_principal(make_team(1, ones), make_team(2, others))
        decision = decided(principal, values, call=make_call())
        denied = [name for name, verdict in decision.verdicts.items() if verdict is Verdict.DENIED]
        assert (decision.refusal is None) is (denied == [])
        updatable = {name for rights in (ones, others) for name, level in rights.items() if level is Level.UPDATE}
        assert {name for name in decision.verdicts if name not in denied} == updatable & decision.verdicts.keys()


class TestNoOracle:
    @pytest.mark.parametrize("team", [make_team(buyers=frozenset()), make_team(2, developer_api=False)])
    def test_by_number_a_hidden_call_looks_like_none(self, team: Any) -> None:  # noqa: ANN401
        principal = make_principal(make_team(9, buyers=frozenset()), team)
        hidden, none = decided(principal, call=make_call(), ref=BY_NUMBER), decided(principal, ref=BY_NUMBER)
        assert hidden.refusal is not None
        assert none.refusal is not None
        assert (hidden.refusal.code, hidden.refusal.details) == (none.refusal.code, none.refusal.details)
        assert hidden.readable == none.readable == frozenset()

    def test_by_uuid_it_is_told_that_it_is_not_shared(self) -> None:
        principal = make_principal(make_team(buyers=frozenset()))
        assert told(decided(principal, call=make_call())) == (Step.SHARED, "buyer_not_shared")

    def test_by_number_a_call_that_is_seen_tells_which_right_is_missing(self) -> None:
        decision = decided(make_principal(make_team(rights={})), call=make_call(), ref=BY_NUMBER)
        assert told(decision) == (Step.RIGHTS, "permission_denied")


class TestDryRun:
    def dry(self, principal: Principal, ref: CallRef, call: Call | None = None) -> Decision:
        return decided(principal, {"revenue": "1", "dry_run": "1"}, call=call, ref=ref)

    def test_of_an_unknown_uuid_skips_the_steps_that_look_at_the_call_and_says_so(self) -> None:
        decision = self.dry(make_principal(make_team()), BY_UUID)
        assert told(decision) == (Step.RIGHTS, None)
        assert [warned.code for warned in decision.warnings] == ["call_unknown"]
        assert decision.verdicts == {"revenue": Verdict.ALLOWED}

    def test_of_an_unknown_uuid_asks_for_the_rights_of_any_team_with_api_access(self) -> None:
        teams = make_team(1, [], buyers=frozenset()), make_team(2, ["revenue"], developer_api=False)
        decision = self.dry(make_principal(*teams), BY_UUID)
        assert told(decision) == (Step.RIGHTS, "permission_denied")
        assert [warned.code for warned in decision.warnings] == ["call_unknown"]

    @pytest.mark.parametrize("ref", [BY_NUMBER, UNREADABLE])
    def test_of_an_unknown_number_is_not_found(self, ref: CallRef) -> None:
        assert told(self.dry(make_principal(make_team()), ref)) == (Step.CALL, "call_not_found")

    @given(
        rights=RIGHTS,
        ref=st.sampled_from([BY_UUID, BY_NUMBER]),
        developer_api=st.booleans(),
        shared=st.booleans(),
    )
    def test_of_a_call_is_decided_like_the_real_thing(
        self, rights: dict[str, Level], ref: CallRef, *, developer_api: bool, shared: bool
    ) -> None:
        buyers = frozenset({1} if shared else ())
        principal = make_principal(make_team(1, rights, developer_api=developer_api, buyers=buyers))
        dry, live = self.dry(principal, ref, make_call()), decided(principal, call=make_call(), ref=ref)
        assert told(dry) == told(live)
        assert (dry.verdicts, dry.readable, dry.warnings) == (live.verdicts, live.readable, ())


class TestRecording:
    def test_takes_the_right_to_and_covers_contact_fields(self) -> None:
        recorder = make_principal(make_team(rights={}, records_calls=True))
        fields: dict[str, Value] = {"data": {"a": "1"}}
        assert told(decided(recorder, fields, call=make_call(), records=True)) == (Step.RIGHTS, None)
        assert told(decided(recorder, fields, call=make_call())) == (Step.RIGHTS, "permission_denied")
        assert told(decided(recorder, call=make_call(), records=True)) == (Step.RIGHTS, "permission_denied")

    def test_is_refused_before_the_values_are_looked_at(self) -> None:
        decision = decided(make_principal(make_team()), {"revenue": "x"}, call=make_call(), records=True)
        assert told(decision) == (Step.TEAM, "may_not_record")


@pytest.mark.parametrize(
    ("text", "uuid"),
    [
        (UUID, UUID),
        (UUID.upper(), UUID),
        (UUID.replace("-", ""), UUID),
        (f"{{{UUID}}}", UUID),
        (f" {UUID}\n", UUID),
        (UUID[:-1], None),
        (UUID + "0", None),
        (UUID.replace("3", "g"), None),
        (f"urn:uuid:{UUID}", None),
        ("", None),
        ("[Call:Uuid]", None),
    ],
)
def test_a_uuid_is_read_in_its_spellings(text: str, uuid: str | None) -> None:
    assert read_uuid(text) == uuid


@given(st.uuids())
def test_every_uuid_is_read(uuid: Any) -> None:  # noqa: ANN401
    assert read_uuid(str(uuid)) == read_uuid(uuid.hex.upper()) == str(uuid)


@pytest.mark.parametrize(
    ("text", "numbers", "ref"),
    [
        (UUID.upper(), True, BY_UUID),
        (UUID.upper(), False, BY_UUID),
        ("7", True, BY_NUMBER),
        ("007", True, BY_NUMBER),
        ("7", False, CallRef(RefKind.UNREADABLE, "7")),
        ("9" * 18, True, CallRef(RefKind.NUMBER, "9" * 18)),
        ("9" * 19, True, CallRef(RefKind.UNREADABLE, "9" * 19)),
        ("\u0667", True, CallRef(RefKind.UNREADABLE, "\u0667")),
        ("-7", True, CallRef(RefKind.UNREADABLE, "-7")),
        ("", True, CallRef(RefKind.UNREADABLE, "")),
        ("a\0b", True, CallRef(RefKind.UNREADABLE, "a\ufffdb")),
        ("rbprv_0123456789abcdef", True, CallRef(RefKind.UNREADABLE, "rbprv_0123[masked]")),
        ("x" * 101, True, CallRef(RefKind.UNREADABLE, "x" * 100)),
    ],
)
def test_a_path_means_a_call_by_uuid_or_number(text: str, ref: CallRef, *, numbers: bool) -> None:
    assert read_ref(text, numbers=numbers) == ref


def test_a_template_token_in_place_of_a_call_is_told_as_such() -> None:
    (problem,) = unreadable("[Call:Uuid]", read_ref("[Call:Uuid]", numbers=True))
    sentence = "[Call:Uuid] is a template token of Ringba that was sent before it was replaced by a value."
    assert (problem.field, problem.message) == ("uuid", sentence)
    (secret,) = unreadable("[rbprv_0123456789abcdef]", UNREADABLE)
    assert "cdef" not in secret.message
    for text, ref in (("x", UNREADABLE), (UUID, BY_UUID), ("[Call:Uuid]", BY_UUID)):
        assert unreadable(text, ref) == ()


def test_only_numbers_can_be_counted_through() -> None:
    assert [ref.is_guessable for ref in (BY_UUID, BY_NUMBER, UNREADABLE)] == [False, True, False]
