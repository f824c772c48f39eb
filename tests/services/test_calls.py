"""Recording calls as they are reported, and reading them as far as one may."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from ringback import clock, entropy
from ringback.domain.access import AccessType, Level
from ringback.domain.answers import answer
from ringback.domain.calls import Call, Origin
from ringback.domain.decisions import CallRef, RefKind, Step
from ringback.domain.errors import Refusal
from ringback.domain.jsontext import Value
from ringback.domain.receipts import Outcome, Result
from ringback.domain.recordings import read_recording
from ringback.domain.waiting import Kind
from ringback.services import calls
from ringback.services.access import Caller
from ringback.store import calls as store
from ringback.store import partners, teams
from ringback.store import waiting as held
from tests.domain.samples import named
from tests.services.requests import NOW, apply, by_number, credential, request, worth
from tests.world import World

CALLER = "+17195550123"
MINIMUM: Mapping[str, Value] = {"caller_number": CALLER}


def record(
    world: World,
    values: Mapping[str, Value],
    keys: Mapping[str, str] | None = None,
    /,
    **changes: Any,  # noqa: ANN401
) -> Outcome:
    """Ada reports a call, unless said otherwise."""
    recording = read_recording(named(values), keys=keys or {}, dry_run=None)
    update = request(world, recording.uuid or "", {}, route="record", reading=recording.reading)
    update = replace(update, **{"sender": credential(world.ada_token), **changes})
    with world.database.write() as tx:
        return calls.record(tx, update, recording, now=NOW, new_uuid=entropy.new_call_uuid(), new_id=entropy.new_id)


def find(world: World, uuid: str) -> Call | None:
    with world.database.read() as tx:
        return store.find(tx, world.acme, CallRef(RefKind.UUID, uuid))


def recorded(world: World, values: Mapping[str, Value], **more: Any) -> Call:  # noqa: ANN401
    outcome = record(world, values, **more)
    assert outcome.refusal is None
    assert outcome.call is not None
    found = find(world, outcome.call.uuid)
    assert found == outcome.call
    return found


def problems(outcome: Outcome) -> dict[str, str]:
    assert outcome.refusal is not None
    assert outcome.decision.step is Step.VALUES
    return {problem.field: problem.message for problem in outcome.refusal.problems}


class TestANewCall:
    def test_needs_a_caller_number_and_nothing_else(self, world: World) -> None:
        outcome = record(world, MINIMUM)
        assert (outcome.code, outcome.is_new, outcome.result) == ("recorded", True, Result.APPLIED)
        assert outcome.call is not None
        found = find(world, outcome.call.uuid)
        assert found is not None
        assert (found.number, found.caller_number, found.created_at) == (1, CALLER, NOW)

    def test_keeps_everything_that_is_reported(self, world: World) -> None:
        uuid, ended = entropy.new_call_uuid(), datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
        with world.database.write() as tx:
            partners.add(tx, world.acme, "traffic_source", "Summit", entropy.new_id(), clock.now())
        call = recorded(
            world,
            {
                **MINIMUM,
                "uuid": uuid.upper(),
                "buyer": "bright roofing",
                "traffic_source": "1",
                "offer": "Roofing",
                "status": "finished",
                "total_duration": "61",
                "answered_duration": "42",
                "ended_at": "2026-05-01T12:30:00Z",
                "zip": "02134",
                "data": {"first_name": "Jane"},
                "revenue": "5",
            },
        )
        assert (call.uuid, call.buyer_id, call.status) == (uuid, world.bright, "finished")
        assert call.traffic_source is not None
        assert call.offer is not None
        assert (call.traffic_source.name, call.offer.name) == ("Summit", "Roofing")
        assert (call.total_duration, call.answered_duration, call.ended_at) == (61, 42, ended)
        assert worth(world, call) == 5
        assert call.state["contact_fields"] == {"first_name": "Jane", "zip": "02134"}
        with world.database.read() as tx:
            origins = {entry.change.origin for entry in store.list_entries(tx, world.acme, uuid)}
        assert origins == {Origin.RECORDING}

    def test_that_is_converted_takes_what_was_agreed(self, world: World) -> None:
        told: dict[str, Value] = {**MINIMUM, "buyer": "1", "offer": "1", "buyer_converted": "1", "offer_converted": "1"}
        call = recorded(world, told)
        assert (worth(world, call), call.state["payout"]) == (42, Decimal("25.20"))

    def test_is_answered_under_its_key_again(self, world: World) -> None:
        key = {"Idempotency-Key": "k"}
        first, again = record(world, MINIMUM, key), record(world, MINIMUM, key)
        assert again.result is Result.REPLAYED
        assert answer(again) == answer(first)
        assert record(world, {**MINIMUM, "zip": "1"}, key).code == "idempotency_conflict"

    def test_in_a_dry_run_is_not_kept(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        outcome = record(world, {**MINIMUM, "uuid": uuid, "dry_run": "1", "revenue": "5"})
        assert (outcome.code, answer(outcome)[1]["dry_run"]) == ("recorded", True)
        assert find(world, uuid) is None
        assert recorded(world, MINIMUM).number == 1


class TestTheCallerNumber:
    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("+17195550123", "+17195550123"),
            ("7195550123", "+17195550123"),
            ("(719) 555-0123", "+17195550123"),
            ("1.719.555.0123", "+17195550123"),
            ("tel:+1-719-555-0123", "+17195550123"),
            ("+49 30 901820", "+4930901820"),
            ("Anonymous", "anonymous"),
            ("RESTRICTED", "restricted"),
        ],
    )
    def test_is_kept_in_one_form(self, world: World, text: str, kept: str) -> None:
        assert recorded(world, {"caller_number": text}).caller_number == kept

    @pytest.mark.parametrize("text", ["jane", "12", "+999", "0" * 100, "+1719555012345678901"])
    def test_that_is_none_is_refused(self, world: World, text: str) -> None:
        told = "caller_number must be a telephone number such as +17195550123."
        assert problems(record(world, {"caller_number": text})) == {"caller_number": told}

    def test_that_was_not_filled_in_is_told_as_such(self, world: World) -> None:
        told = problems(record(world, {"caller_number": "[caller_number]"}))
        assert told["caller_number"].startswith("[caller_number] is a template token of TrackDrive")

    @pytest.mark.parametrize("nothing", [{}, {"caller_number": ""}, {"caller_number": None}])
    def test_is_required(self, world: World, nothing: dict[str, Value]) -> None:
        assert problems(record(world, nothing)) == {"caller_number": "caller_number is required."}


class TestPartners:
    @pytest.mark.parametrize("noun", ["buyer", "traffic_source", "offer"])
    def test_that_are_unknown_are_named(self, world: World, noun: str) -> None:
        told = {noun: f"The account has no {noun.replace('_', ' ')} Nobody."}
        assert problems(record(world, {**MINIMUM, noun: "Nobody"})) == told

    def test_of_other_accounts_are_unknown(self, world: World) -> None:
        with world.database.write() as tx:
            partners.add(tx, world.zeta, "buyer", "Zeta's", entropy.new_id(), clock.now())
        assert list(problems(record(world, {**MINIMUM, "buyer": "Zeta's"}))) == ["buyer"]

    def test_that_no_team_of_the_sender_sees_are_unknown(self, world: World) -> None:
        with world.database.write() as tx:
            partners.add(tx, world.acme, "buyer", "Other", entropy.new_id(), clock.now())
            teams.change(tx, world.acme, world.team, records_calls=True)
        bob = {"sender": credential(world.bob_token)}
        assert list(problems(record(world, {**MINIMUM, "buyer": "Other"}, **bob))) == ["buyer"]
        assert recorded(world, {**MINIMUM, "buyer": "Bright Roofing"}, **bob).buyer_id == world.bright
        assert recorded(world, {**MINIMUM, "buyer": "Other"}).buyer_id == world.bright + 1


class TestAKnownCall:
    def test_is_updated_with_what_is_named(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        recorded(world, {**MINIMUM, "uuid": uuid, "status": "established", "zip": "1"})
        outcome = record(world, {"uuid": uuid, "status": "finished", "total_duration": "61", "data": {"b": "2"}})
        assert (outcome.code, outcome.code_status, outcome.is_new) == ("applied", 200, False)
        call = find(world, uuid)
        assert call is not None
        assert (call.number, call.caller_number, call.status, call.total_duration) == (1, CALLER, "finished", 61)
        assert worth(world, call, "contact_fields") == {"zip": "1", "b": "2"}

    def test_takes_the_terms_of_a_buyer_it_gets(self, world: World) -> None:
        call = world.call(buyer=None)
        record(world, {"uuid": call.uuid, "buyer": "Bright Roofing", "buyer_converted": "1"})
        assert worth(world, call) == 42

    def test_in_a_dry_run_stays_as_it_is(self, world: World) -> None:
        call = world.call(buyer=None)
        before = find(world, call.uuid)
        record(world, {"uuid": call.uuid, "buyer": "1", "status": "x", "revenue": "1", "dry_run": "1"})
        assert find(world, call.uuid) == before

    def test_of_another_buyer_is_not_shared(self, world: World) -> None:
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, records_calls=True)
        call = world.call(buyer=None)
        outcome = record(world, {"uuid": call.uuid, "buyer": "1"}, sender=credential(world.bob_token))
        assert outcome.code == "buyer_not_shared"
        found = find(world, call.uuid)
        assert found is not None
        assert found.buyer is None


class TestWhoMayRecord:
    @pytest.mark.parametrize("access_type", [AccessType.CALLS, AccessType.CALLS_READ])
    def test_is_not_an_owner_with_a_token_for_less(self, world: World, access_type: AccessType) -> None:
        token = credential(world.token(world.ada, world.acme, access_type=access_type))
        code = "may_not_record" if access_type is AccessType.CALLS else "access_type"
        assert record(world, MINIMUM, sender=token).code == code

    def test_is_a_team_with_the_right_which_covers_contact_fields_alone(self, world: World) -> None:
        bob = {"sender": credential(world.bob_token)}
        assert record(world, {**MINIMUM, "buyer": "1"}, **bob).code == "may_not_record"
        world.grant({"payout": Level.READ})
        with world.database.write() as tx:
            teams.change(tx, world.acme, world.team, records_calls=True)
        assert record(world, {**MINIMUM, "buyer": "1", "zip": "1"}, **bob).code == "recorded"
        assert record(world, {**MINIMUM, "buyer": "1", "revenue": "1"}, **bob).code == "permission_denied"
        assert record(world, MINIMUM, **bob).code == "buyer_not_shared"

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"account": "nowhere"}, "account_not_found"),
            ({"sender": Refusal("missing_credentials")}, "missing_credentials"),
            ({"refusal": Refusal("malformed_json", reason="…")}, "malformed_json"),
        ],
    )
    def test_is_nobody_unknown(self, world: World, changes: dict[str, Any], code: str) -> None:
        assert record(world, {**MINIMUM, "buyer": "Nobody"}, **changes).code == code


class TestEarlyUpdates:
    def test_are_applied_when_the_call_is_recorded(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        apply(world, request(world, uuid, {"revenue": "5", "buyer_converted": "1"}))
        call = recorded(world, {**MINIMUM, "uuid": uuid, "buyer": "1", "revenue": "1"})
        assert worth(world, call) == 5

    def test_or_when_it_gets_its_buyer(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        apply(world, request(world, uuid, {"revenue": "5"}))
        call = recorded(world, {**MINIMUM, "uuid": uuid})
        assert worth(world, call) is None
        record(world, {"uuid": uuid, "status": "finished"})
        record(world, {"uuid": uuid, "buyer": "Bright Roofing", "dry_run": "1"})
        assert worth(world, call) is None
        outcome = record(world, {"uuid": uuid, "buyer": "Bright Roofing"})
        assert worth(world, call) == 5
        assert outcome.call is not None
        assert outcome.call.state["revenue"] == 5

    def test_are_not_lost_by_a_recording_that_is_refused(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        apply(world, request(world, uuid, {"revenue": "5"}))
        record(world, {**MINIMUM, "uuid": uuid, "buyer": "Nobody"})
        record(world, {**MINIMUM, "uuid": uuid, "dry_run": "1"})
        with world.database.read() as tx:
            (one,) = held.list_waiting(tx, world.acme)
        assert one.kind is Kind.EARLY


class TestReading:
    def read(self, world: World, ref: CallRef, **changes: Any) -> calls.Shown:  # noqa: ANN401
        caller = Caller(**{"account": "acme", "credential": credential(world.bob_token), "ip": "", **changes})
        with world.database.read() as tx:
            return calls.read(tx, caller, ref, NOW)

    def test_shows_what_the_caller_may_see(self, world: World) -> None:
        call = world.call(revenue=Decimal(5), payout=Decimal(3))
        world.grant({"revenue": Level.READ})
        for ref in (CallRef(RefKind.UUID, call.uuid), by_number(call)):
            shown = self.read(world, ref)
            assert (set(shown.readable), shown.time_zone) == ({"revenue"}, "America/New_York")
            assert shown.document["revenue"] == "5.00"
            assert "payout" not in shown.document
        whole = self.read(world, by_number(call), credential=credential(world.ada_token))
        assert whole.document["payout"] == "3.00"

    @pytest.mark.parametrize(("by", "code"), [("uuid", "buyer_not_shared"), ("number", "call_not_found")])
    def test_tells_nothing_of_a_hidden_call_that_could_be_counted(self, world: World, by: str, code: str) -> None:
        call = world.call(buyer=None)
        ref = by_number(call) if by == "number" else CallRef(RefKind.UUID, call.uuid)
        with pytest.raises(Refusal) as caught:
            self.read(world, ref)
        assert caught.value.code.name == code

    def test_of_a_call_that_is_not_there_says_so(self, world: World) -> None:
        with pytest.raises(Refusal, match="This account has no call 7"):
            self.read(world, CallRef(RefKind.NUMBER, "7"))

    def test_is_for_who_may_read(self, world: World) -> None:
        with pytest.raises(Refusal, match="no account nowhere"):
            self.read(world, CallRef(RefKind.NUMBER, "7"), account="nowhere")


def test_the_operator_sees_a_call_with_its_ledger(world: World) -> None:
    call = world.call()
    apply(world, request(world, call, {"revenue": "1"}), request(world, call, {"revenue": "2"}))
    with world.database.read() as tx:
        found, entries = calls.timeline(tx, world.acme, call.uuid)
        with pytest.raises(Refusal):
            calls.timeline(tx, world.zeta, call.uuid)
    assert found.state["revenue"] == 2
    assert [(entry.seq, entry.change.after) for entry in entries] == [(1, 1), (2, 2)]
    assert found.updated_at - NOW < timedelta(seconds=1)
