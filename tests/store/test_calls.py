"""Calls and their ledger: found, locked, saved, and read back as they were written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from ringback import clock, entropy
from ringback.domain.attributes import Value, blank_state
from ringback.domain.calls import Call, Change, Entry, Origin, Partner, Terms, apply, replay
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.errors import RingbackError
from ringback.domain.money import MAXIMUM, Payout
from ringback.store import calls
from ringback.store.calls import Asked
from tests.domain.samples import STATES, patches
from tests.statements import asked
from tests.world import World

FULL: Mapping[str, Any] = {
    **blank_state(),
    "buyer_converted": True,
    "revenue": MAXIMUM,
    "offer_converted": True,
    "payout": Decimal("0.000001"),
    "contact_fields": {"first name": "Zoë \U0001f600 \"quoted\" 'too' \\", "n": -7, "yes": True, "no": False, "": ""},
}


def by_uuid(call: Call) -> Asked:
    return call.account_id, CallRef(RefKind.UUID, call.uuid)


def by_number(call: Call) -> Asked:
    return call.account_id, CallRef(RefKind.NUMBER, str(call.number))


def find(world: World, call: Call) -> Call:
    with world.database.read() as tx:
        found = calls.find(tx, *by_uuid(call))
    assert found is not None
    return found


class TestFinding:
    def test_a_call_comes_with_partners_and_terms(self, world: World) -> None:
        made = world.call(**FULL)
        found = find(world, made)
        assert (found.number, found.caller_number, found.state, found.changes) == (1, "+17195550100", FULL, 0)
        assert found.buyer is not None
        assert found.offer is not None
        assert (found.buyer.id, found.buyer.name) == (world.bright, "Bright Roofing")
        assert (found.offer.name, found.traffic_source) == ("Roofing", None)
        assert found.terms == Terms(Decimal(42), Payout(percent=Decimal(60)))
        assert found.created_at == made.created_at

    def test_a_call_without_partners_has_no_terms(self, world: World) -> None:
        found = find(world, world.call(buyer=None))
        assert (found.buyer, found.offer, found.terms, found.state) == (None, None, Terms(), blank_state())

    def test_is_by_uuid_or_number_within_the_account(self, world: World) -> None:
        acmes, zetas = world.call(), world.call(account=world.zeta, buyer=None)
        assert acmes.number == zetas.number == 1
        with world.database.read() as tx:
            for ask, account, uuid in (
                (by_uuid(acmes), world.acme, acmes.uuid),
                (by_number(acmes), world.acme, acmes.uuid),
                (by_number(zetas), world.zeta, zetas.uuid),
                ((world.zeta, by_uuid(acmes)[1]), None, None),
                ((world.acme, CallRef(RefKind.NUMBER, "9" * 18)), None, None),
                ((world.acme, CallRef(RefKind.UNREADABLE, acmes.uuid)), None, None),
            ):
                found = calls.find(tx, *ask)
                assert (found and found.account_id, found and found.uuid) == (account, uuid)

    def test_a_batch_takes_as_many_statements_as_one(self, world: World) -> None:
        made = [world.call() for _ in range(20)]
        missing = [(world.acme, CallRef(RefKind.UUID, entropy.new_call_uuid())) for _ in range(20)]
        counts = []
        for batch in (made[:1], made):
            wanted = [*map(by_uuid, batch), *map(by_number, batch)]
            with asked(world.database) as statements, world.database.write() as tx:
                found = calls.lock(tx, wanted)
                calls.lock(tx, missing)
            assert {each: found[each].call.uuid for each in wanted} == {
                **{by_uuid(call): call.uuid for call in batch},
                **{by_number(call): call.uuid for call in batch},
            }
            counts.append(len(statements))
        assert counts[0] == counts[1] <= 5

    def test_nothing_takes_no_statement(self, world: World) -> None:
        with asked(world.database) as statements, world.database.write() as tx:
            assert calls.lock(tx, []) == {}
            calls.save(tx, [])
            calls.add_entries(tx, [])
        assert statements == []


class TestSaving:
    @pytest.mark.parametrize(
        "state", [FULL, blank_state(), {**blank_state(), "revenue": Decimal(0)}], ids=["full", "blank", "0"]
    )
    def test_every_value_comes_back_as_it_was(self, world: World, state: Mapping[str, Value]) -> None:
        one, other = world.call(), world.call()
        later = one.updated_at + timedelta(seconds=1)
        with asked(world.database) as statements, world.database.write() as tx:
            calls.save(tx, [replace(one, state=state, changes=3, updated_at=later), replace(other, changes=1)])
        assert len(statements) == 1
        found = find(world, one)
        assert (found.state, found.changes, found.updated_at) == (state, 3, later)
        assert found.state["revenue"] is None or isinstance(found.state["revenue"], Decimal)
        assert (find(world, other).state, find(world, other).changes) == (blank_state(), 1)

    def test_calls_of_other_accounts_stay_as_they_are(self, world: World) -> None:
        uuid = entropy.new_call_uuid()
        acmes, zetas = world.call(uuid=uuid), world.call(uuid=uuid, account=world.zeta, buyer=None)
        with world.database.write() as tx:
            calls.save(tx, [replace(acmes, changes=9)])
        assert (find(world, acmes).changes, find(world, zetas).changes) == (9, 0)

    def test_details_are_written_beside_the_worth(self, world: World) -> None:
        made = world.call(buyer=None, revenue=Decimal(5))
        ended = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
        with world.database.write() as tx:
            told = replace(
                made,
                buyer=Partner(world.bright, "", ""),
                offer=Partner(world.offer, "", ""),
                status="finished",
                total_duration=61,
                answered_duration=2**31 - 1,
                ended_at=ended,
                caller_number="+17195550999",
                state=blank_state(),
            )
            calls.save_details(tx, told)
        found = find(world, made)
        assert (found.status, found.total_duration, found.answered_duration) == ("finished", 61, 2**31 - 1)
        assert (found.ended_at, found.buyer_id, found.terms.agreed_revenue) == (ended, world.bright, Decimal(42))
        assert (found.state["revenue"], found.caller_number) == (5, "+17195550999")

    def test_numbers_count_up_within_the_account(self, world: World) -> None:
        assert [world.call().number, world.call(account=world.zeta, buyer=None).number, world.call().number] == [
            1,
            1,
            2,
        ]


def entries_of(world: World, call: Call) -> list[Entry]:
    with world.database.read() as tx:
        return calls.list_entries(tx, call.account_id, call.uuid)


class TestTheLedger:
    def test_comes_back_in_its_order_whatever_it_was_written_in(self, world: World) -> None:
        one, other = world.call(), world.call()
        now = clock.now()
        entries = [
            Entry(
                seq,
                Change("revenue", None if seq == 1 else Decimal(seq - 1), Decimal(seq), Origin.UPDATE),
                entropy.new_id(),
                now - timedelta(minutes=seq),
                now,
            )
            for seq in range(1, 12)
        ]
        with asked(world.database) as statements, world.database.write() as tx:
            calls.add_entries(tx, [(other, entries[0]), *((one, entry) for entry in reversed(entries))])
        assert len(statements) == 1
        assert entries_of(world, one) == entries
        assert entries_of(world, other) == entries[:1]

    @pytest.mark.parametrize(
        "change",
        [
            Change("buyer_converted", before=False, after=True, origin=Origin.RECORDING),
            Change("payout", None, Decimal("0.000001"), Origin.EFFECT),
            Change("payout", MAXIMUM, Decimal(0), Origin.LATE),
            Change("contact_fields", None, 'Zoë \U0001f600 "x"', Origin.UPDATE, "a.b"),
            Change("contact_fields", "1", None, Origin.PERSON, ""),
            Change("contact_fields", before=1, after=True, origin=Origin.UPDATE, field="n"),
            Change("contact_fields", before=False, after=10**15 - 1, origin=Origin.UPDATE, field="n"),
        ],
    )
    def test_keeps_every_value_and_its_kind(self, world: World, change: Change) -> None:
        call, now = world.call(), clock.now()
        with world.database.write() as tx:
            calls.add_entries(tx, [(call, Entry(1, change, entropy.new_id(), now, now))])
        (entry,) = entries_of(world, call)
        assert entry.change == change
        assert [type(entry.change.before), type(entry.change.after)] == [type(change.before), type(change.after)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(state=STATES, patch=patches())
def test_what_is_saved_is_what_the_ledger_adds_up_to(world: World, state: dict[str, Any], patch: Any) -> None:  # noqa: ANN401
    call = world.call(**state)
    try:
        applied = apply(find(world, call).state, patch, call.terms)
    except RingbackError:
        return
    now = clock.now()
    with world.database.write() as tx:
        calls.save(tx, [replace(call, state=applied.state, changes=len(applied.changes))])
        entries = [Entry(seq, change, entropy.new_id(), now, now) for seq, change in enumerate(applied.changes, 1)]
        calls.add_entries(tx, [(call, entry) for entry in entries])
    assert find(world, call).state == applied.state == replay((e.change for e in entries_of(world, call)), state)
