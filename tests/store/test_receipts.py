"""Receipts: kept with what arrived, listed by key, and the capped traces of wrong credentials."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from ringback import clock, entropy
from ringback.domain.answers import answer
from ringback.domain.calls import Call, apply
from ringback.domain.credentials import Credential
from ringback.domain.decisions import CallRef, Decision, RefKind, Step, decide
from ringback.domain.errors import Refusal
from ringback.domain.receipts import Arrived, Outcome, Result, Update
from ringback.store import access, receipts
from ringback.store.receipts import FAILURES_KEPT
from tests.domain.samples import understood
from tests.statements import asked
from tests.world import World

NOW = clock.now()
SENDER = Credential("token", None, "x")
ARRIVED = Arrived("POST", "/api/v1/calls/x?a=Zoë", "application/json", b'{"revenue": "42", \xff\0}', "2001:db8::1")


def outcome_of(world: World, call: Call | None, values: dict[str, str], ref: CallRef | None = None) -> Outcome:
    """Bob's update, decided and applied, but not written anywhere."""
    with world.database.read() as tx:
        principal = access.find_member(tx, world.acme, world.bob).principal
    assert principal is not None
    ref = ref or CallRef(RefKind.UUID, call.uuid if call else entropy.new_call_uuid())
    reading = understood(dict(values))
    update = Update(entropy.new_id(), NOW - timedelta(seconds=1), "update_call", "acme", SENDER, ref, reading, ARRIVED)
    outcome = Outcome(update, principal, decide(principal, reading, call, ref, now=NOW, ip=""), call=call)
    if call is None or outcome.refusal is not None:
        return outcome
    return replace(outcome, applied=apply(call.state, reading.patch, call.terms))


def add(world: World, *outcomes: Outcome) -> None:
    with world.database.write() as tx:
        receipts.add(tx, outcomes, NOW)


class TestKeeping:
    def test_what_arrived_was_understood_decided_and_changed(self, world: World) -> None:
        call = world.call()
        outcome = outcome_of(world, call, {"revenue": "42", "x": "y"})
        add(world, outcome)
        with world.database.read() as tx:
            found = receipts.find(tx, world.acme, outcome.update.receipt_id)
            assert receipts.find(tx, world.zeta, outcome.update.receipt_id) is None
        assert found is not None
        receipt, payload = found
        assert (receipt.account_id, receipt.user_id, receipt.user) == (world.acme, world.bob, "bob@bright.example")
        assert (receipt.call_uuid, receipt.call_ref, receipt.token_id) == (call.uuid, call.uuid, None)
        assert (receipt.received_at, receipt.decided_at) == (NOW - timedelta(seconds=1), NOW)
        assert (receipt.result, receipt.code, receipt.dry_run) == (Result.APPLIED, "applied", False)
        assert receipt.decided == {"code": "applied", "step": "rights", "verdicts": {"revenue": "allowed"}}
        assert receipt.changed == [["revenue", None, "42.00", "update"]]
        kept = (payload.method, payload.path, payload.content_type, payload.body, payload.ip)
        assert kept == (ARRIVED.method, ARRIVED.path, ARRIVED.content_type, ARRIVED.body, ARRIVED.ip)
        assert payload.understood["patch"] == [["revenue", "set", "42.00"]]

    def test_refusals_are_kept_too_with_the_call_that_was_meant(self, world: World) -> None:
        by_uuid = outcome_of(world, None, {"revenue": "42"})
        by_number = outcome_of(world, None, {"revenue": "42"}, CallRef(RefKind.NUMBER, "7"))
        add(world, by_uuid, by_number)
        with world.database.read() as tx:
            second, first = receipts.list_receipts(tx, world.acme)
        assert (first.result, first.code, first.call_uuid) == (Result.REFUSED, "call_not_found", first.call_ref)
        assert (second.call_ref, second.call_uuid) == ("7", None)
        assert second.decided["details"] == {"call": "7"}

    def test_who_is_unknown_leaves_none(self, world: World) -> None:
        outcome = replace(outcome_of(world, None, {}), principal=None)
        add(world, outcome)
        with world.database.read() as tx:
            assert receipts.list_receipts(tx, world.acme) == []
            assert receipts.find_existing(tx, [(world.acme, outcome.update.receipt_id)]) == set()

    def test_many_take_as_many_statements_as_one(self, world: World) -> None:
        call = world.call()
        made = [outcome_of(world, call, {"revenue": str(number)}) for number in range(20)]
        for batch, needed in (([], 0), (made[:1], 2), (made[1:], 2)):
            with asked(world.database) as statements, world.database.write() as tx:
                receipts.add(tx, batch, NOW)
            assert len(statements) == needed
        ids = [outcome.update.receipt_id for outcome in made]
        there = [(world.acme, each) for each in ids]
        elsewhere = [(world.zeta, ids[0]), (world.acme, entropy.new_id())]
        with world.database.read() as tx:
            assert receipts.find_existing(tx, [*there, *elsewhere]) == set(ids)
            assert receipts.find_existing(tx, elsewhere) == set()

    def test_what_half_a_character_is_in_is_kept_with_a_whole_one(self, world: World) -> None:
        outcome = outcome_of(world, None, {"x\ud800": "y", "nul\0": ""})
        refusal = Refusal("unknown_partner", noun="buyer", value="\udfff")
        add(world, replace(outcome, decision=Decision(Step.CALL, refusal)))
        with world.database.read() as tx:
            found = receipts.find(tx, world.acme, outcome.update.receipt_id)
        assert found is not None
        assert found[1].understood["ignored"] == ["x\ufffd", "nul\ufffd"]
        assert found[0].decided["details"] == {"noun": "buyer", "value": "?"}
        assert answer(outcome)[0] == 404


class TestListing:
    @pytest.fixture
    def made(self, world: World) -> list[Outcome]:
        """Seven receipts of two calls, oldest first: every third refused."""
        one, other = world.call(), world.call()
        outcomes = [
            outcome_of(world, other if number % 2 else one, {"revenue": "x" if number % 3 == 2 else str(number)})
            for number in range(7)
        ]
        add(world, *outcomes)
        return outcomes

    def test_is_newest_first_and_pages_by_key(self, world: World, made: list[Outcome]) -> None:
        ids = [outcome.update.receipt_id for outcome in reversed(made)]
        with world.database.read() as tx:
            pages: list[list[str]] = []
            before: str | None = None
            while page := [each.id for each in receipts.list_receipts(tx, world.acme, before=before, limit=3)]:
                pages.append(page)
                before = page[-1]
        assert pages == [ids[:3], ids[3:6], ids[6:]]

    def test_is_cut_to_a_result_and_a_call(self, world: World, made: list[Outcome]) -> None:
        refused = [made[5], made[2]]
        with world.database.read() as tx:
            found = receipts.list_receipts(tx, world.acme, result="refused")
            of_one = receipts.list_receipts(tx, world.acme, result="refused", call_uuid=made[0].update.ref.value)
            assert receipts.list_receipts(tx, world.zeta) == []
        assert [each.id for each in found] == [outcome.update.receipt_id for outcome in refused]
        assert [each.id for each in of_one] == [made[2].update.receipt_id]


class TestWrongCredentials:
    def failures(self, count: int) -> list[Outcome]:
        refusal = Refusal("unknown_credentials")
        return [
            Outcome(
                Update(
                    entropy.new_id(), NOW, "calls", "acme", SENDER, CallRef(RefKind.UNREADABLE, ""), arrived=ARRIVED
                ),
                None,
                Decision(Step.CREDENTIAL, refusal),
            )
            for _ in range(count)
        ]

    def trace(self, world: World, account: int, outcomes: list[Outcome]) -> None:
        with world.database.write() as tx:
            receipts.add_failures(tx, [(account, outcome) for outcome in outcomes], NOW)

    def test_the_last_1000_of_an_account_are_traced(self, world: World) -> None:
        self.trace(world, world.zeta, self.failures(3))
        self.trace(world, world.acme, self.failures(FAILURES_KEPT - 1))
        with world.database.read() as tx:
            assert receipts.count_failures(tx, world.acme) == FAILURES_KEPT - 1
        self.trace(world, world.acme, self.failures(5))
        with world.database.read() as tx:
            assert receipts.count_failures(tx, world.acme) == FAILURES_KEPT == 1_000
            assert receipts.count_failures(tx, world.zeta) == 3

    def test_none_takes_no_statement(self, world: World) -> None:
        with asked(world.database) as statements, world.database.write() as tx:
            receipts.add_failures(tx, [], NOW)
        assert statements == []
