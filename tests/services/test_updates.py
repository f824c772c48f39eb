"""Applying updates: in their order, all in a few statements, each leaving what it owes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ringback import entropy
from ringback.domain.access import AccessType
from ringback.domain.answers import answer
from ringback.domain.credentials import Credential
from ringback.domain.decisions import CallRef, RefKind, Step
from ringback.domain.errors import Refusal
from ringback.domain.jsontext import Value
from ringback.domain.receipts import Member
from ringback.services import updates
from ringback.services.updates import LockedUpdatesError, try_out
from ringback.store import accounts, calls, receipts
from tests.api.rows import of_account, of_call
from tests.domain.samples import make_token
from tests.services.requests import NOW, apply, by_number, codes, credential, request, worth
from tests.statements import asked
from tests.world import World

MINUTE = timedelta(minutes=1)


def receipt_codes(world: World) -> list[str]:
    """The codes of Acme's receipts, oldest first."""
    with world.database.read() as tx:
        return [receipt.code for receipt in reversed(receipts.list_receipts(tx, world.acme))]


def failures(world: World) -> int:
    with world.database.read() as tx:
        return receipts.count_failures(tx, world.acme)


class TestALot:
    def test_is_applied_in_its_order_each_seeing_what_those_before_did(self, world: World) -> None:
        call, other = world.call(), world.call()
        outcomes = apply(
            world,
            request(world, call, {"add_revenue": "1", "event_id": "1"}),
            request(world, other, {"revenue": "100"}),
            request(world, by_number(call), {"add_revenue": "2", "event_id": "2"}),
            request(world, call, {"revenue": "x"}),
            request(world, call, {"revenue": "3", "buyer_converted": "1"}),
            request(world, by_number(call), {"revenue": "3"}),
        )
        assert codes(outcomes) == ["applied", "applied", "applied", "invalid_value", "applied", "unchanged"]
        told = [answer(outcome)[1]["call"]["revenue"] for outcome in outcomes if outcome.call and not outcome.refusal]  # type: ignore[index] # JSON
        assert told == ["1.00", "100.00", "3.00", "3.00", "3.00"]
        assert (worth(world, call), worth(world, other)) == (3, 100)

    def test_is_answered_in_its_order(self, world: World) -> None:
        call = world.call()
        lot = [
            request(world, entropy.new_call_uuid(), {"revenue": "1"}),
            request(world, call, {"revenue": "1"}, account="nowhere"),
            request(world, call, {"revenue": "1"}),
            request(world, call, {"revenue": "1"}, sender=Credential("token", None, "wrong")),
        ]
        outcomes = apply(world, *lot)
        assert [outcome.update.receipt_id for outcome in outcomes] == [update.receipt_id for update in lot]
        assert codes(outcomes) == ["call_not_found", "account_not_found", "applied", "unknown_credentials"]

    def test_of_none_is_none(self, world: World) -> None:
        assert apply(world) == []

    def test_leaves_a_receipt_for_each_whose_sender_is_known(self, world: World) -> None:
        call = world.call()
        apply(world, request(world, call, {"revenue": "1"}), request(world, call, {"revenue": "x"}))
        apply(world, request(world, call, {"revenue": "1"}, sender=Refusal("missing_credentials")))
        assert receipt_codes(world) == ["applied", "invalid_value"]

    @pytest.mark.parametrize(
        "values",
        [{"revenue": "{}", "data": {"a": "b"}}, {"add_revenue": "1", "event_id": "{}"}, {"revenue": "x{}"}, {}],
        ids=["set", "keyed", "refused", "empty"],
    )
    @pytest.mark.parametrize("same_call", [True, False], ids=["one call", "many calls"])
    def test_takes_as_many_statements_as_one(self, world: World, values: dict[str, Any], *, same_call: bool) -> None:
        counts = []
        for size in (1, 16, 64):
            called = [world.call()] * size if same_call else [world.call() for _ in range(size)]
            lot = [request(world, call, spelt(values, f"{size}{n}")) for n, call in enumerate(called)]
            with asked(world.database) as statements:
                outcomes = apply(world, *lot, now=NOW + size * MINUTE)
            assert len(set(codes(outcomes))) == 1
            counts.append(len(statements))
        assert counts[0] == counts[1] == counts[2]
        assert counts[0] <= 12

    def test_of_unknown_senders_takes_as_many_statements_as_one(self, world: World) -> None:
        counts = []
        for size in (1, 64):
            wrong = [Credential("token", None, f"wrong {number}") for number in range(size)]
            with asked(world.database) as statements:
                apply(world, *(request(world, entropy.new_call_uuid(), {}, sender=each) for each in wrong))
            counts.append(len(statements))
        assert counts[0] == counts[1] <= 4


def spelt(values: Mapping[str, Any], number: str) -> dict[str, Any]:
    """The values with a number in their gaps."""
    return {name: value.replace("{}", number) if isinstance(value, str) else value for name, value in values.items()}


class TestAdmission:
    """Size, account, body and credential, in this order; what fails here never looks at a call."""

    TOO_LARGE, UNREADABLE = Refusal("too_large", limit="256"), Refusal("malformed_json", reason="…")
    NOBODY = Refusal("missing_credentials")

    @pytest.mark.parametrize(
        ("changes", "step", "code"),
        [
            ({"refusal": TOO_LARGE, "account": "nowhere", "sender": NOBODY}, Step.SIZE, "too_large"),
            ({"refusal": UNREADABLE, "account": "nowhere", "sender": NOBODY}, Step.ACCOUNT, "account_not_found"),
            ({"refusal": UNREADABLE, "sender": NOBODY}, Step.BODY, "malformed_json"),
            ({"sender": NOBODY}, Step.CREDENTIAL, "missing_credentials"),
            ({"sender": Credential("basic", "rbpub_x", "x")}, Step.CREDENTIAL, "unknown_credentials"),
            ({"ref": CallRef(RefKind.UNREADABLE, "x")}, Step.CALL, "call_not_found"),
        ],
    )
    def test_goes_step_by_step(self, world: World, changes: dict[str, Any], step: Step, code: str) -> None:
        (outcome,) = apply(world, request(world, entropy.new_call_uuid(), {"revenue": "1"}, **changes))
        assert (outcome.decision.step, outcome.code) == (step, code)
        assert (outcome.principal is None) is (step is not Step.CALL)

    @pytest.mark.parametrize(("refusal", "step"), [(TOO_LARGE, Step.SIZE), (UNREADABLE, Step.BODY)])
    def test_leaves_a_known_sender_a_receipt_of_what_could_not_be_read(
        self, world: World, refusal: Refusal, step: Step
    ) -> None:
        (outcome,) = apply(world, request(world, world.call(), {}, refusal=refusal))
        assert outcome.decision.step is step
        assert receipt_codes(world) == [refusal.code.name]

    @pytest.mark.parametrize(
        "sender", [Refusal("missing_credentials"), Refusal("basic_malformed"), Credential("token", None, "wrong")]
    )
    def test_traces_credentials_that_are_not_accepted(self, world: World, sender: Credential | Refusal) -> None:
        before = of_account(world.database, world.acme, but=frozenset({"credential_failures"}))
        apply(world, request(world, entropy.new_call_uuid(), {}, sender=sender))
        assert failures(world) == 1
        assert of_account(world.database, world.acme, but=frozenset({"credential_failures"})) == before

    def test_knows_a_pair_by_both_of_its_halves(self, world: World) -> None:
        right = credential(world.bob_token)
        wrong = Credential("basic", right.public_key, "rbprv_x")
        outcomes = apply(
            world,
            *(request(world, world.call(), {"revenue": "1"}, sender=sender) for sender in (wrong, right, wrong)),
        )
        assert codes(outcomes) == ["unknown_credentials", "applied", "unknown_credentials"]

    def test_reads_auth_token_unless_the_account_does_not(self, world: World) -> None:
        token = credential(world.bob_developer_token)
        legacy = Credential("auth_token", None, token.secret)
        call = world.call()
        assert codes(apply(world, request(world, call, {"revenue": "1"}, sender=legacy))) == ["applied"]
        with world.database.write() as tx:
            accounts.change_account(tx, world.acme, reads_auth_token=False)
        outcomes = apply(world, *(request(world, call, {"revenue": "2"}, sender=each) for each in (legacy, token)))
        assert codes(outcomes) == ["auth_token_off", "applied"]
        assert failures(world) == 1

    def test_keeps_unknown_names_if_the_account_wants_them(self, world: World) -> None:
        call = world.call()
        assert apply(world, request(world, call, {"zip": "1"}))[0].update.reading.ignored == ("zip",)
        with world.database.write() as tx:
            accounts.change_account(tx, world.acme, keeps_unknown_fields=True)
        (outcome,) = apply(world, request(world, call, {"zip": "1"}))
        assert outcome.update.reading.ignored == ()
        assert worth(world, call, "contact_fields") == {"zip": "1"}

    def test_takes_a_token_where_its_user_is_on_a_team_and_nowhere_else(self, world: World) -> None:
        call, zetas = world.call(), world.call(account=world.zeta, buyer=None)
        outcomes = apply(
            world,
            request(world, call, {"revenue": "1"}, sender=credential(world.charlie_token)),
            request(world, zetas, {"revenue": "1"}, account="zeta"),
            request(world, call, {"revenue": "1"}, account="zeta"),
        )
        assert codes(outcomes) == ["no_team", "no_team", "no_team"]
        assert world.state(call)["revenue"] is world.state(zetas)["revenue"] is None

    def test_takes_back_at_once_what_was_granted(self, world: World) -> None:
        call = world.call()
        assert codes(apply(world, request(world, call, {"revenue": "1"}))) == ["applied"]
        world.grant(["payout"])
        assert codes(apply(world, request(world, call, {"revenue": "2"}))) == ["permission_denied"]
        with world.database.write() as tx:
            accounts.change_token(tx, world.bob_token.id, revoked_at=0)
        assert codes(apply(world, request(world, call, {"payout": "2"}))) == ["revoked"]
        assert worth(world, call) == 1


class TestDryRun:
    @pytest.mark.parametrize(
        "values",
        [
            {"buyer_converted": "1", "offer_converted": "1", "data": {"a": "b"}},
            {"add_revenue": "1"},
            {"revenue": "1", "event_id": "e"},
            {"revenue": "x"},
            {},
        ],
    )
    def test_answers_like_the_real_thing_and_changes_nothing(self, world: World, values: dict[str, Any]) -> None:
        call = world.call()
        before = of_call(world.database, call)
        (dry,) = apply(world, request(world, call, {**values, "dry_run": "1"}))
        assert of_call(world.database, call) == before
        (live,) = apply(world, request(world, call, values))
        documents: list[dict[str, Any]] = [dict(answer(outcome)[1]) for outcome in (dry, live)]
        told, done = documents
        assert told.pop("dry_run")
        del told["verdicts"]
        for document in documents:
            del document["receipt_id"]
            (document.get("call") or {}).pop("updated_at", None)
        assert told == done

    def test_twice_is_no_retry(self, world: World) -> None:
        call = world.call()
        dry = {"add_revenue": "1", "event_id": "e", "dry_run": "1"}
        assert codes(apply(world, request(world, call, dry), request(world, call, dry))) == ["applied", "applied"]
        assert codes(apply(world, request(world, call, {"add_revenue": "1", "event_id": "e"}))) == ["applied"]
        assert worth(world, call) == 1

    def test_of_a_denied_update_is_not_held(self, world: World) -> None:
        world.grant([])
        (outcome,) = apply(world, request(world, world.call(), {"revenue": "1", "dry_run": "1"}))
        assert (outcome.code, outcome.waits_until) == ("permission_denied", None)

    def test_of_a_call_that_is_not_there_tells_what_would_come(self, world: World) -> None:
        unknown = entropy.new_call_uuid()
        full: dict[str, Value] = {f"f{n}": "x" * 4096 for n in range(17)}
        outcomes = apply(
            world,
            request(world, unknown, {"add_revenue": "1", "dry_run": "1"}),
            request(world, unknown, {"data": full, "dry_run": "1"}),
        )
        assert codes(outcomes) == ["applied", "too_many_fields"]
        assert [outcome.decision.step for outcome in outcomes] == [Step.RIGHTS, Step.EFFECT]
        assert answer(outcomes[0])[1]["changed"] == {"revenue": {"from": None, "to": "1.00"}}
        assert receipt_codes(world) == ["applied", "too_many_fields"]


class TestTryingOut:
    def test_decides_like_a_dry_run_and_leaves_no_trace_at_all(self, world: World) -> None:
        call = world.call()
        before = of_account(world.database, world.acme)
        with world.database.write() as tx:
            outcome = try_out(tx, request(world, call, {"buyer_converted": "1"}), NOW)
        assert (outcome.code, outcome.update.reading.dry_run) == ("applied", True)
        assert of_account(world.database, world.acme) == before

    def test_can_suppose_another_token(self, world: World) -> None:
        call, reader = world.call(), make_token(access_type=AccessType.CALLS_READ, home_account_id=world.acme)
        told = []
        for supposed in (None, reader):
            sender = Member(world.acme, world.bob, supposed=supposed)
            with world.database.read() as tx:
                told.append(try_out(tx, request(world, call, {"revenue": "1"}, sender=sender), NOW).code)
        assert told == ["applied", "access_type"]


class TestCallsThatOthersHold:
    def test_are_told_and_nothing_is_done(self, postgres_world: World) -> None:
        free, taken = postgres_world.call(), postgres_world.call()
        lot = [
            request(postgres_world, free, {"revenue": "1"}),
            request(postgres_world, taken, {"revenue": "1"}),
            request(postgres_world, by_number(taken), {"payout": "1"}),
        ]
        before = of_account(postgres_world.database, postgres_world.acme)
        with postgres_world.database.write() as holder:
            calls.lock(holder, [(postgres_world.acme, CallRef(RefKind.UUID, taken.uuid))])
            with pytest.raises(LockedUpdatesError) as caught, postgres_world.database.write() as tx:
                updates.apply(tx, lot, NOW, waits=False)
        assert caught.value.receipt_ids == {update.receipt_id for update in lot[1:]}
        assert of_account(postgres_world.database, postgres_world.acme) == before
        assert codes(apply(postgres_world, *lot)) == ["applied"] * 3


class TestEffects:
    def test_that_can_not_be_refuse_everything(self, world: World) -> None:
        call = world.call(revenue=Decimal(999_999))
        (outcome,) = apply(world, request(world, call, {"buyer_converted": "1", "add_revenue": "1"}))
        assert (outcome.decision.step, outcome.code) == (Step.EFFECT, "amount_out_of_range")
        assert world.state(call)["buyer_converted"] is False

    def test_need_no_right_of_their_own_and_are_told_only_to_who_may_read(self, world: World) -> None:
        world.grant(["buyer_converted"])
        call = world.call()
        (outcome,) = apply(world, request(world, call, {"buyer_converted": "1"}))
        assert answer(outcome)[1]["changed"] == {"buyer_converted": {"from": False, "to": True}}
        assert worth(world, call) == 42


class TestLastUse:
    def last_used(self, world: World) -> tuple[Any, Any]:
        with world.database.read() as tx:
            (row,) = accounts.list_tokens(tx, token_id=world.bob_token.id)
        return row.last_used_at, row.last_used_ip

    def test_of_a_token_is_written_at_most_once_a_minute(self, world: World) -> None:
        call = world.call()
        for now, written in (
            (NOW, NOW),
            (NOW + MINUTE - timedelta(microseconds=1), NOW),
            (NOW + MINUTE, NOW + MINUTE),
        ):
            apply(world, request(world, call, {}), request(world, call, {}), now=now)
            assert self.last_used(world) == (written, "203.0.113.7")

    def test_is_no_use_by_a_wrong_secret(self, world: World) -> None:
        wrong = Credential("basic", credential(world.bob_token).public_key, "x")
        apply(world, request(world, world.call(), {}, sender=wrong))
        assert self.last_used(world) == (None, None)
