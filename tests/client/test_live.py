"""Both clients against the real server on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ringback.client import (
    AsyncClient,
    Change,
    Client,
    Conflict,
    InvalidValue,
    MissingPermission,
    NotFound,
    PermissionDenied,
    Refused,
    Unauthorized,
)
from tests.client.conftest import Make
from tests.live import Live

UNKNOWN = "11111111-2222-4333-8444-555555555555"


def test_a_sale_is_posted_back(live: Live, bob: Any) -> None:  # noqa: ANN401
    call = live.world.call()
    update = bob.update_call(
        call.uuid,
        buyer_converted=True,
        revenue=Decimal("42.50"),
        offer_converted=True,
        post_call_tokens={"first_name": "Jane", "zip": 80903},
    )
    assert update.code == "applied"
    assert update.changed["revenue"] == Change(None, Decimal("42.50"))
    assert update.changed["payout"] == Change(None, Decimal("25.50"), "effect")
    assert update.changed["buyer_converted"] == Change(before=False, after=True)
    assert (update.call.revenue, update.call.buyer_converted) == (Decimal("42.50"), True)
    assert update.call.contact_fields == {"first_name": "Jane", "zip": 80903}
    assert (update.is_replay, update.dry_run, update.warnings) == (False, False, ())
    assert update.receipt_id
    assert live.world.state(call)["revenue"] == Decimal("42.50")

    read = bob.call(call.uuid)
    assert (read.uuid, read.payout, read.offer_converted) == (call.uuid, Decimal("25.50"), True)
    assert read == bob.call(read.id)
    assert datetime.now(UTC) - read.updated_at < timedelta(minutes=5)


def test_what_is_not_named_is_left_alone_and_null_is_sent_as_null(live: Live, bob: Any) -> None:  # noqa: ANN401
    call = live.world.call(revenue=Decimal(5), contact_fields={"city": "Denver", "zip": "80903"})
    assert bob.update_call(call.uuid, add_revenue="2.5").changed == {"revenue": Change(Decimal(5), Decimal("7.50"))}
    blank = bob.update_call(call.uuid, revenue=None)
    assert (blank.code, [warned.code for warned in blank.warnings]) == ("unchanged", ["blank_ignored"])
    bob.update_call(call.uuid, post_call_tokens={"zip": None})
    assert live.world.state(call)["contact_fields"] == {"city": "Denver"}


def test_a_dry_run_changes_nothing(live: Live, bob: Any) -> None:  # noqa: ANN401
    call = live.world.call()
    update = bob.update_call(call.uuid, revenue=7, dry_run=True)
    assert (update.code, update.dry_run, update.verdicts) == ("applied", True, {"revenue": "allowed"})
    assert update.changed["revenue"].after == 7
    assert live.world.state(call)["revenue"] is None
    assert bob.update_call(UNKNOWN, revenue=7, dry_run=True).call is None


def test_a_missing_right_is_named_and_the_update_waits(live: Live, bob: Any) -> None:  # noqa: ANN401
    call = live.world.call()
    live.world.grant(["revenue"])
    with pytest.raises(PermissionDenied) as denied:
        bob.update_call(call.uuid, revenue=7, payout="3.00")
    error = denied.value
    assert (error.status, error.code) == (403, "permission_denied")
    page = f"/company/teams/{live.world.team}"
    assert error.missing_permissions == (MissingPermission("TS Payout", "update", "Bright Roofing", page),)
    assert error.errors.keys() == {"payout"}
    assert error.held_until is not None
    assert error.held_until > datetime.now(UTC)
    assert error.receipt_id
    assert error.receipt_id in str(error)
    assert f"TS Payout: grant update to the team Bright Roofing at {page}." in str(error)
    assert "The update waits until " in str(error)
    assert live.world.state(call)["revenue"] is None


@pytest.mark.parametrize(
    ("kind", "changes", "code", "said"),
    [
        (InvalidValue, {"revenue": "1,25"}, "invalid_value", "ambiguous"),
        (InvalidValue, {"revenue": "[Call:ConversionPayout]"}, "unreplaced_token", "template token"),
        (InvalidValue, {"revenue": 1, "add_revenue": 2}, "conflicting_values", "revenue and add_revenue"),
    ],
)
def test_a_bad_value_is_told_by_field(
    live: Live,
    bob: Any,  # noqa: ANN401
    kind: type[Refused],
    changes: dict[str, Any],
    code: str,
    said: str,
) -> None:
    with pytest.raises(kind, match=said) as refused:
        bob.update_call(live.world.call().uuid, **changes)
    assert refused.value.code == code
    assert set(refused.value.errors) <= set(changes)


def test_an_early_update_waits_for_its_call(ada: Any, bob: Any) -> None:  # noqa: ANN401
    with pytest.raises(NotFound) as early:
        bob.update_call(UNKNOWN, revenue=7)
    assert early.value.code == "call_not_found"
    assert early.value.held_until is not None
    recorded = ada.record_call("+17195550123", uuid=UNKNOWN, buyer="Bright Roofing", total_duration=90)
    assert (recorded.code, recorded.call.revenue, recorded.call.buyer) == ("recorded", Decimal(7), "Bright Roofing")


def test_a_call_is_recorded_once_for_one_key(ada: Any) -> None:  # noqa: ANN401
    ended = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    told: dict[str, Any] = {"offer": "Roofing", "status": "finished", "ended_at": ended, "idempotency_key": "call 7"}
    first, again = (ada.record_call("(719) 555-0123", **told) for _ in range(2))
    assert (first.code, first.call.caller_number, first.call.ended_at) == ("recorded", "+17195550123", ended)
    assert again.call.uuid == first.call.uuid


def test_how_a_call_went_and_what_an_agent_said_of_it(ada: Any) -> None:  # noqa: ANN401
    ended = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    said: dict[str, Any] = {"call_disposition_id": 7, "agent_call_disposition_notes": "will call back"}
    went: dict[str, Any] = {"status": "finished", "total_duration": 90, "ended_at": ended, "hangup_cause": "hung up"}
    call = ada.record_call("+17195550123", **said).call
    assert (call.disposition, call.disposition_notes, call.hangup_cause) == ("7", "will call back", None)
    updated = ada.update_call(call.uuid, **went, answered_duration=60, call_disposition_id=None).call
    assert (updated.disposition, updated.disposition_notes, updated.hangup_cause) == (None, "will call back", "hung up")
    assert (updated.status, updated.total_duration, updated.answered_duration) == ("finished", 90, 60)
    assert updated.ended_at == ended


def test_one_key_counts_once(live: Live, bob: Any) -> None:  # noqa: ANN401
    call = live.world.call()
    first, again = (bob.update_call(call.uuid, add_revenue=5, idempotency_key="sale-123") for _ in range(2))
    assert (first.is_replay, again.is_replay, again.receipt_id) == (False, True, first.receipt_id)
    with pytest.raises(Conflict) as other:
        bob.update_call(call.uuid, add_revenue=6, idempotency_key="sale-123")
    assert other.value.idempotency_key == "sale-123"
    bob.update_call(call.uuid, add_revenue=5)
    bob.update_call(call.uuid, add_revenue=5)  # each call of the method is an update of its own
    assert live.world.state(call)["revenue"] == 15


def test_who_am_i(live: Live, make: Make, bob: Any) -> None:  # noqa: ANN401
    live.world.grant(["revenue", "payout"])
    me = bob.me()
    assert (me.email, me.account, me.role) == ("bob@bright.example", "acme", "member")
    assert (me.may_update, me.may_record_calls, me.obstacle) == ({"revenue", "payout"}, False, None)
    live.world.grant([], developer_api=False)
    assert "Enable Developer API Access" in bob.me().obstacle
    token = make(f"http://127.0.0.1:{live.port}/", account="ACME", token=live.world.bob_developer_token.token)
    assert token.me().email == "bob@bright.example"


def test_a_wrong_credential_is_told_without_it(live: Live, make: Make) -> None:
    wrong = make(f"http://127.0.0.1:{live.port}/a/acme", basic=("rbpub_nobody", "rbprv_hidden"))
    with pytest.raises(Unauthorized) as refused:
        wrong.me()
    assert refused.value.status == 401
    for shown in (str(refused.value), repr(refused.value), repr(wrong), repr(vars(refused.value))):
        assert "hidden" not in shown
        assert "cmJwdWJfbm9ib2R5" not in shown  # as base64


def test_both_close_at_the_end_of_their_block(live: Live) -> None:
    url, basic = f"http://127.0.0.1:{live.port}/a/acme", live.world.bob_token.basic
    with Client(url, basic=basic) as client:
        assert client.me().account == "acme"
    with pytest.raises(RuntimeError, match="closed"):
        client.me()

    async def asked() -> str:
        async with AsyncClient(url, basic=basic) as client:
            return (await client.me()).account

    assert asyncio.run(asked()) == "acme"
