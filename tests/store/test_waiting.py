"""Waiting updates in their table: one row a key, limits, lifetimes, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace
from sqlalchemy import insert as inserting
from sqlalchemy import select, update

from ringback import clock, entropy
from ringback.domain.calls import Operation, Patch, Write
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.waiting import LIFETIME, Kind, State, Waiting
from ringback.store import calls, waiting
from ringback.store.schema import waiting_updates
from ringback.store.values import from_moment, to_moment
from tests.world import World

NOW = clock.now()
MINUTE = timedelta(minutes=1)
CALL = entropy.new_call_uuid()
PATCH: Patch = (
    Write("revenue", Operation.ADD, Decimal("42.5")),
    Write("contact_fields", Operation.MERGE, {"a": "1", "b": None, "c": True}),
)


def make(world: World, **changes: object) -> Waiting:
    held = Waiting(
        account_id=world.acme,
        id=entropy.new_id(),
        user_id=world.bob,
        call_uuid=CALL,
        key="k",
        key_name="event_id",
        token_id=world.bob_token.id,
        kind=Kind.DENIED,
        code="permission_denied",
        patch=PATCH,
        route="update_call",
        received_at=NOW,
        user="bob@bright.example",
    )
    return replace(held, **changes)


def hold(world: World, *held: Waiting) -> None:
    with world.database.write() as tx:
        for each in held:
            waiting.hold(tx, each)


def find(world: World, key: str = "k") -> Waiting:
    with world.database.read() as tx:
        found = waiting.find(tx, world.acme, CALL, world.bob, key)
    assert found is not None
    return found


def expiry(world: World, key: str = "k") -> datetime:
    with world.database.read() as tx:
        column = select(waiting_updates.c.expires_at).where(waiting_updates.c.waiting_key == key)
        return from_moment(tx.execute(column).scalar_one())


def set_state(world: World, state: State) -> None:
    with world.database.write() as tx:
        tx.execute(update(waiting_updates).values(state=state.value))


class TestHolding:
    def test_keeps_it_as_it_is(self, world: World) -> None:
        held = make(world)
        hold(world, held)
        assert find(world) == held

    def test_a_repeat_only_raises_its_tries(self, world: World) -> None:
        first = make(world)
        hold(world, first, make(world, received_at=NOW + MINUTE))
        hold(world, make(world, received_at=NOW + 2 * MINUTE))
        assert find(world) == replace(first, tries=3)
        assert expiry(world) == first.expires_at

    def test_a_repeat_with_other_content_corrects_it(self, world: World) -> None:
        later: Patch = (Write("buyer_converted", Operation.SET, value=True),)
        hold(world, make(world), make(world, patch=later, token_id=None, code="no_team"))
        found = find(world)
        assert (found.patch, found.token_id, found.code, found.tries) == (later, None, "no_team", 2)

    @pytest.mark.parametrize("kind", Kind)
    @pytest.mark.parametrize("before", Kind)
    def test_a_repeat_may_wait_longer_but_never_shorter(self, world: World, before: Kind, kind: Kind) -> None:
        hold(world, make(world, kind=before))
        with world.database.write() as tx:
            told = waiting.hold(tx, make(world, kind=kind, received_at=NOW + MINUTE))
        longer = max(before, kind, key=LIFETIME.__getitem__)
        assert (find(world).kind, find(world).received_at) == (longer, NOW)
        assert told == expiry(world) == make(world, kind=longer).expires_at

    @pytest.mark.parametrize("state", [State.EXPIRED, State.SUPERSEDED, State.APPLIED])
    def test_what_was_settled_waits_anew(self, world: World, state: State) -> None:
        hold(world, make(world), make(world))
        set_state(world, state)
        again = make(world, received_at=NOW + MINUTE, kind=Kind.EARLY)
        hold(world, again)
        found = find(world)
        assert (found.state, found.tries, found.received_at) == (State.WAITING, 1, NOW + MINUTE)
        assert expiry(world) == again.expires_at

    def test_another_key_call_user_or_account_is_another(self, world: World) -> None:
        hold(
            world,
            make(world),
            make(world, key="other"),
            make(world, call_uuid=entropy.new_call_uuid()),
            make(world, user_id=world.ada),
            make(world, account_id=world.zeta),
        )
        with world.database.read() as tx:
            assert len(waiting.list_waiting(tx, world.acme)) == 4
            assert len(waiting.list_waiting(tx, world.zeta)) == 1


class TestListing:
    def test_is_oldest_first_of_a_call_or_kind(self, world: World) -> None:
        late = make(world, key="late", received_at=NOW + MINUTE)
        early = make(world, key="early", kind=Kind.EARLY)
        elsewhere = make(world, key="elsewhere", call_uuid=entropy.new_call_uuid(), received_at=NOW - MINUTE)
        hold(world, late, early, elsewhere)
        with world.database.read() as tx:
            assert waiting.list_waiting(tx, world.acme) == [elsewhere, early, late]
            assert waiting.list_waiting(tx, world.acme, call_uuid=CALL) == [early, late]
            assert waiting.list_waiting(tx, world.acme, call_uuid=CALL, kind=Kind.EARLY) == [early]
            assert waiting.list_waiting(tx, world.zeta) == []

    def test_leaves_out_what_no_longer_waits(self, world: World) -> None:
        hold(world, make(world))
        set_state(world, State.APPLIED)
        with world.database.read() as tx:
            assert waiting.list_waiting(tx, world.acme) == []
            assert waiting.find(tx, world.acme, CALL, world.bob, "other") is None

    def test_by_id_takes_them_in_the_order_they_came(self, world: World) -> None:
        late, early = make(world, key="late", received_at=NOW + MINUTE), make(world)
        hold(world, late, early)
        with world.database.write() as tx:
            assert waiting.lock(tx, world.acme, [late.id, early.id, entropy.new_id()]) == [early, late]
            assert waiting.lock(tx, world.zeta, [late.id]) == []
            assert waiting.lock(tx, world.acme, []) == []


class TestSettling:
    def test_applied_says_by_which_receipt(self, world: World) -> None:
        one, other = make(world), make(world, key="other")
        hold(world, one, other)
        receipt = entropy.new_id()
        with world.database.write() as tx:
            waiting.finish(tx, world.acme, {one.id: receipt})
        assert (find(world).state, find(world).applied_receipt_id) == (State.APPLIED, receipt)
        assert find(world, "other").state is State.WAITING

    def test_applied_is_found_by_that_receipt(self, world: World) -> None:
        one, receipt = make(world), entropy.new_id()
        hold(world, one)
        with world.database.write() as tx:
            waiting.finish(tx, world.acme, {one.id: receipt})
            found = waiting.find_applied(tx, world.acme, CALL, receipt)
            assert found is not None
            assert found.id == one.id
            assert waiting.list_by_id(tx, world.acme, [one.id]) == [found]
            assert waiting.find_applied(tx, world.acme, entropy.new_call_uuid(), receipt) is None
            assert waiting.find_applied(tx, world.zeta, CALL, receipt) is None

    def test_refused_again_says_why_and_goes_on_waiting(self, world: World) -> None:
        held = make(world)
        hold(world, held)
        with world.database.write() as tx:
            waiting.note_refusals(tx, world.acme, {held.id: "buyer_not_shared"})
        assert find(world) == replace(held, code="buyer_not_shared")

    def test_superseded_is_only_what_waits_under_the_key(self, world: World) -> None:
        hold(world, make(world), make(world, key="other"), make(world, user_id=world.ada))
        with world.database.write() as tx:
            waiting.supersede(tx, world.acme, world.bob, CALL, "k")
            assert len(waiting.list_waiting(tx, world.acme)) == 2
        assert find(world).state is State.SUPERSEDED
        set_state(world, State.APPLIED)
        with world.database.write() as tx:
            waiting.supersede(tx, world.acme, world.bob, CALL, "k")
        assert find(world).state is State.APPLIED

    def test_turned_denied_it_waits_as_long_as_what_is_denied(self, world: World) -> None:
        held = make(world, kind=Kind.EARLY)
        hold(world, held)
        with world.database.write() as tx:
            waiting.turn_denied(tx, world.acme, [held.id])
        assert find(world).kind is Kind.DENIED
        assert expiry(world) == NOW + timedelta(days=90)

    def test_expired_is_what_waited_too_long(self, world: World) -> None:
        hold(world, make(world, kind=Kind.EARLY), make(world, key="denied"))
        for after, states in (
            (timedelta(hours=71), [State.WAITING, State.WAITING]),
            (timedelta(hours=72), [State.EXPIRED, State.WAITING]),
            (timedelta(days=90), [State.EXPIRED, State.EXPIRED]),
        ):
            with world.database.write() as tx:
                waiting.expire(tx, NOW + after)
            assert [find(world).state, find(world, "denied").state] == states


class TestRoom:
    def fill(
        self, world: World, kind: Kind, count: int, *, user: int | None = None, account: int | None = None
    ) -> None:
        held = (
            make(world, kind=kind, user_id=user or world.bob, account_id=account or world.acme) for _ in range(count)
        )
        rows = [self.row(each) for each in held]
        with world.database.write() as tx:
            tx.execute(inserting(waiting_updates), rows)

    @staticmethod
    def row(held: Waiting) -> dict[str, object]:
        kept = {name: getattr(held, name) for name in ("account_id", "id", "user_id", "call_uuid", "code", "route")}
        times = dict.fromkeys(["received_at", "last_received_at", "expires_at"], to_moment(NOW))
        return {
            **kept,
            **times,
            "waiting_key": held.id,
            "kind": held.kind,
            "state": "waiting",
            "patch": "[]",
            "tries": 1,
        }

    def rooms(self, world: World, kinds: Iterable[Kind] = Kind) -> list[int]:
        with world.database.read() as tx:
            return [waiting.room(tx, world.acme, world.bob, kind) for kind in kinds]

    def test_is_for_10000_an_account_or_100_a_user_in_quarantine(self, world: World) -> None:
        assert self.rooms(world) == [10_000, 10_000, 100]

    def test_is_shared_by_denied_and_early_ones_but_not_with_quarantine(self, world: World) -> None:
        self.fill(world, Kind.DENIED, 7, user=world.ada)
        self.fill(world, Kind.EARLY, 3)
        self.fill(world, Kind.QUARANTINE, 5)
        assert self.rooms(world) == [9_990, 9_990, 95]

    def test_in_quarantine_ends_at_1000_an_account(self, world: World) -> None:
        self.fill(world, Kind.QUARANTINE, 950, user=world.charlie)
        assert self.rooms(world, [Kind.QUARANTINE]) == [50]
        self.fill(world, Kind.QUARANTINE, 60)
        assert self.rooms(world, [Kind.QUARANTINE]) == [-10]

    def test_is_made_by_what_no_longer_waits_and_not_taken_by_other_accounts(self, world: World) -> None:
        self.fill(world, Kind.DENIED, 7)
        set_state(world, State.EXPIRED)
        self.fill(world, Kind.DENIED, 4, account=world.zeta)
        assert self.rooms(world, [Kind.DENIED]) == [10_000]


def test_a_call_tells_whether_updates_of_it_wait(world: World) -> None:
    call, ref = world.call(uuid=CALL), CallRef(RefKind.UUID, CALL)

    def waits() -> bool:
        with world.database.write() as tx:
            return calls.lock(tx, [(call.account_id, ref)])[call.account_id, ref].has_waiting

    assert not waits()
    hold(world, make(world, account_id=world.zeta))
    assert not waits()
    hold(world, make(world))
    assert waits()
    set_state(world, State.SUPERSEDED)
    assert not waits()
