"""Waiting updates: which refusals are kept, for how long, and what a later update has made obsolete."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ringback.domain.access import AccessType, Principal
from ringback.domain.attributes import blank_state
from ringback.domain.calls import Call, Change, Entry, Operation, Origin, Patch, Terms, Write, apply
from ringback.domain.decisions import CallRef, Decision, RefKind, Step, decide
from ringback.domain.errors import CODES, Refusal
from ringback.domain.jsontext import Value
from ringback.domain.receipts import Outcome, Update
from ringback.domain.waiting import LIFETIME, Kind, Waiting, kind_for, only, tells, without_later
from tests.domain.samples import (
    ACME,
    BY_NUMBER,
    BY_UUID,
    CREDENTIAL,
    NOW,
    UUID,
    make_call,
    make_principal,
    make_team,
    make_token,
    patches,
    understood,
)

MINUTE = timedelta(minutes=1)
BOB = make_principal(make_team())
DENIED = make_principal(make_team(rights={}))
NOT_SHARED = make_principal(make_team(buyers=frozenset()))
DEAF = make_principal(make_team(developer_api=False))
HALF_DEAF = make_principal(make_team(1, developer_api=False), make_team(2, buyers=frozenset()))
STRANGER = make_principal()
READER = make_principal(make_team(), token=make_token(access_type=AccessType.CALLS_READ))
SPENT = make_principal(make_team(), token=make_token(revoked_at=NOW))


def outcome_of(
    principal: Principal, call: Call | None, ref: CallRef = BY_UUID, values: Mapping[str, Value] | None = None
) -> Outcome:
    reading = understood({"revenue": "1"} if values is None else values)
    decision = decide(principal, reading, call, ref, now=NOW, ip="")
    return Outcome(Update("r1", NOW, "calls", "acme", CREDENTIAL, ref, reading), principal, decision, call=call)


class TestWhatIsKept:
    @pytest.mark.parametrize(
        ("principal", "code", "kind"),
        [
            (BOB, "unchanged", None),
            (DENIED, "permission_denied", Kind.DENIED),
            (NOT_SHARED, "buyer_not_shared", Kind.DENIED),
            (DEAF, "api_access_off", Kind.DENIED),
            (HALF_DEAF, "api_access_off", Kind.DENIED),
            (READER, "access_type", Kind.DENIED),
            (STRANGER, "no_team", Kind.QUARANTINE),
            (SPENT, "revoked", None),
        ],
    )
    def test_of_a_call_that_is_there(self, principal: Principal, code: str, kind: Kind | None) -> None:
        outcome = outcome_of(principal, make_call())
        assert (outcome.code, kind_for(outcome)) == (code, kind)

    @pytest.mark.parametrize(
        ("principal", "kind"), [(BOB, Kind.EARLY), (DENIED, Kind.EARLY), (STRANGER, None), (DEAF, None), (READER, None)]
    )
    def test_of_a_uuid_that_no_call_has_yet(self, principal: Principal, kind: Kind | None) -> None:
        assert kind_for(outcome_of(principal, None)) is kind

    @pytest.mark.parametrize("ref", [BY_NUMBER, CallRef(RefKind.UNREADABLE, "x")])
    def test_nothing_of_a_call_that_can_never_come(self, ref: CallRef) -> None:
        assert kind_for(outcome_of(BOB, None, ref)) is None

    @pytest.mark.parametrize(
        "values",
        [
            {"revenue": "1", "dry_run": "1"},
            {"revenue": "1", "payout": "1,25"},
            {},
            {"post_call_tokens": {}},
            {"extra": "1"},
        ],
    )
    def test_nothing_that_asks_for_nothing_or_can_not_be_done(self, values: dict[str, Value]) -> None:
        for principal in (DENIED, NOT_SHARED, DEAF, STRANGER, READER):
            assert kind_for(outcome_of(principal, make_call(), values=values)) is None
        assert kind_for(outcome_of(BOB, None, values=values)) is None

    @pytest.mark.parametrize(
        ("principal", "kind"),
        [
            (NOT_SHARED, None),
            (DEAF, Kind.DENIED),
            (HALF_DEAF, Kind.DENIED),
            (READER, Kind.DENIED),
            (STRANGER, Kind.QUARANTINE),
        ],
    )
    def test_by_number_it_does_not_tell_whether_there_is_a_call(self, principal: Principal, kind: Kind | None) -> None:
        there, nowhere = outcome_of(principal, make_call(), BY_NUMBER), outcome_of(principal, None, BY_NUMBER)
        assert (kind_for(there), kind_for(nowhere)) == (kind, None)
        assert there.code == nowhere.code
        assert not tells(there)

    def test_by_number_where_the_call_is_seen(self) -> None:
        denied = outcome_of(DENIED, make_call(), BY_NUMBER)
        assert kind_for(denied) is Kind.DENIED
        assert tells(denied)

    @pytest.mark.parametrize("code", sorted(CODES))
    def test_nothing_else(self, code: str) -> None:
        done = outcome_of(BOB, make_call())
        outcome = replace(done, decision=Decision(Step.CALL, Refusal(code)))
        kept = {"permission_denied", "buyer_not_shared", "api_access_off", "access_type", "no_team"}
        assert (kind_for(outcome) is not None) is (code in kept)


@pytest.mark.parametrize(
    ("kind", "lifetime"),
    [
        (Kind.DENIED, timedelta(days=90)),
        (Kind.EARLY, timedelta(hours=72)),
        (Kind.QUARANTINE, timedelta(days=7)),
    ],
)
def test_it_waits_as_long_as_its_kind(kind: Kind, lifetime: timedelta) -> None:
    waiting = Waiting(ACME, "w", 2, UUID, "k", None, None, kind, "no_team", (), "calls", NOW)
    assert waiting.expires_at == NOW + lifetime
    assert LIFETIME.keys() == set(Kind)


class TestWhatCameLater:
    @staticmethod
    def entry(name: str, minutes: int) -> Entry:
        attribute, _, field = name.partition(".")
        change = Change(attribute, None, "x", Origin.UPDATE, field or None)
        return Entry(1, change, "r", NOW + minutes * MINUTE, NOW + timedelta(days=1))

    PATCH: Patch = (
        Write("buyer_converted", Operation.SET, value=True),
        Write("revenue", Operation.ADD, Decimal(1)),
        Write("payout", Operation.SET, Decimal(2)),
        Write("contact_fields", Operation.MERGE, {"a": "1", "b": None}),
    )

    @pytest.mark.parametrize(
        ("changed", "left_out"),
        [
            ([], []),
            (["payout"], ["payout"]),
            (["revenue"], []),
            (["contact_fields.a"], ["contact_fields.a"]),
            (["contact_fields.z", "offer_converted"], []),
            (["contact_fields.a", "contact_fields.b"], ["contact_fields.a", "contact_fields.b"]),
            (
                ["buyer_converted", "revenue", "payout", "contact_fields.b"],
                ["buyer_converted", "payout", "contact_fields.b"],
            ),
        ],
    )
    def test_is_not_overwritten(self, changed: list[str], left_out: list[str]) -> None:
        kept, names = without_later(self.PATCH, [self.entry(name, 1) for name in changed], NOW)
        assert list(names) == left_out
        done = apply({**blank_state(), "contact_fields": {"b": "x"}}, kept, Terms())
        touched = {change.name for change in done.changes} | set(done.unchanged)
        wanted = {"buyer_converted", "revenue", "payout", "contact_fields.a", "contact_fields.b"}
        assert touched == wanted - set(left_out)

    def test_can_be_picked_by_name_where_a_person_wants_it_overwritten(self) -> None:
        picked = only(self.PATCH, ["payout", "revenue", "contact_fields.b", "contact_fields.z"])
        assert picked == (
            Write("payout", Operation.SET, Decimal(2)),
            Write("contact_fields", Operation.MERGE, {"b": None}),
        )
        assert only(self.PATCH, []) == ()

    @given(patches(), st.sets(st.sampled_from(["revenue", "payout", "buyer_converted", "contact_fields.a"])))
    def test_is_either_kept_or_picked(self, patch: Patch, changed: set[str]) -> None:
        kept, left_out = without_later(patch, [self.entry(name, 1) for name in sorted(changed)], NOW)
        picked = only(patch, left_out)
        assert without_later(picked, [self.entry(name, 1) for name in sorted(changed)], NOW)[0] == ()
        assert {write.attribute for write in (*kept, *picked)} == {
            write.attribute for write in patch if write.value != {}
        }

    @pytest.mark.parametrize("minutes", [-1, 0])
    def test_is_not_what_was_received_before_or_at_once(self, minutes: int) -> None:
        ledger = [self.entry("payout", minutes), self.entry("buyer_converted", minutes)]
        assert without_later(self.PATCH, ledger, NOW) == (self.PATCH, ())

    @given(patches(), st.sets(st.sampled_from(["revenue", "payout", "buyer_converted", "contact_fields.a"])))
    def test_is_never_touched_by_what_is_left(self, patch: Patch, changed: set[str]) -> None:
        kept, left_out = without_later(patch, [self.entry(name, 1) for name in sorted(changed)], NOW)
        for write in kept:
            names = (
                [f"contact_fields.{field}" for field in dict(write.value)]  # type: ignore[arg-type] # a mapping
                if write.operation is Operation.MERGE
                else [write.attribute]
            )
            assert write.operation is Operation.ADD or not changed & set(names)
        assert set(left_out) <= changed
        assert without_later(kept, [self.entry(name, 1) for name in sorted(changed)], NOW) == (kept, ())
