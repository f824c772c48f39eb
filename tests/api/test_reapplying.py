"""``reapply_conversions``: what a call's conversions entail, worked out anew from what the call has now."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from ringback import clock, entropy
from ringback.domain.money import format_amount
from ringback.services.waiting import apply
from tests.api.rows import waiting_states
from tests.api.wire import check_envelope
from tests.live import Live

CONVERTED = {"buyer_converted": True, "offer_converted": True}
RIGHTS = ["buyer_converted", "revenue", "offer_converted", "payout"]


def reapply(stage: Live, uuid: str, **values: Any) -> Mapping[str, Any]:  # noqa: ANN401
    told = {"reapply_conversions": "true", **values}
    return check_envelope(stage.update(uuid, told, auth=stage.world.bob_token.authorization))


@pytest.mark.parametrize(
    ("before", "asked", "changed"),
    [
        ({"revenue": Decimal(50), "payout": Decimal("25.20")}, {}, {"payout": ("25.20", "30.00", "effect")}),
        ({"revenue": Decimal(50)}, {}, {"payout": (None, "30.00", "effect")}),
        ({}, {}, {"revenue": (None, "42.00", "effect"), "payout": (None, "25.20", "effect")}),
        (
            {"revenue": Decimal(50), "payout": Decimal(30)},
            {"revenue": "10"},
            {"revenue": ("50.00", "10.00", None), "payout": ("30.00", "6.00", "effect")},
        ),
        ({"revenue": Decimal(50), "payout": Decimal(30)}, {"payout": "1"}, {"payout": ("30.00", "1.00", None)}),
        ({"revenue": Decimal(50), "payout": Decimal(30)}, {}, {}),
        ({"revenue": Decimal(50), "buyer_converted": False, "offer_converted": False}, {}, {}),
    ],
    ids=["payout anew", "payout first", "both", "from a new revenue", "named payout stays", "as it is", "unconverted"],
)
def test_amounts_follow_from_the_rules_and_what_is_named(
    stage: Live, before: dict[str, Any], asked: dict[str, str], changed: dict[str, tuple[str | None, str, str | None]]
) -> None:
    world = stage.world
    world.grant(RIGHTS)
    call = world.call(**{**CONVERTED, **before})
    dry = reapply(stage, call.uuid, **asked, dry_run=True)
    told = reapply(stage, call.uuid, **asked)
    found = {name: (each["from"], each["to"], each.get("origin")) for name, each in told["changed"].items()}
    assert found == changed
    assert (told["code"], told["ignored"]) == ("applied" if changed else "unchanged", [])
    assert (dry["code"], dry["changed"]) == (told["code"], told["changed"])
    after = {name: to for name, (_, to, _) in changed.items()}
    assert {name: told["call"][name] for name in changed} == after
    assert {name: format_amount(world.state(call)[name]) for name in changed} == after


@pytest.mark.parametrize(
    ("rights", "missing"),
    [(["revenue"], ["TS Payout"]), (["payout"], ["Buyer Revenue"]), ([], ["Buyer Revenue", "TS Payout"])],
)
def test_it_needs_the_right_to_both_amounts_and_waits_without(
    stage: Live, rights: list[str], missing: list[str]
) -> None:
    world = stage.world
    world.grant(rights)
    call = world.call(**CONVERTED, revenue=Decimal(50))
    told = reapply(stage, call.uuid)
    assert (told["status"], told["code"]) == (403, "permission_denied")
    assert [each["attribute"] for each in told["missing_permissions"]] == missing
    assert waiting_states(world.database, call) == ["waiting"]
    world.grant(RIGHTS)
    with world.database.write() as tx:
        apply(tx, world.acme, [told["receipt_id"]], now=clock.now(), new_id=entropy.new_id)
    assert world.state(call)["payout"] == Decimal(30)


@pytest.mark.parametrize("value", ["false", False, "0", "", None])
def test_to_say_no_asks_for_nothing(stage: Live, value: object) -> None:
    world = stage.world
    world.grant([])
    told = reapply(stage, world.call(**CONVERTED).uuid, reapply_conversions=value)
    assert (told["code"], told["unchanged"], told["ignored"]) == ("unchanged", [], [])


def test_a_perhaps_is_refused(stage: Live) -> None:
    stage.world.grant(RIGHTS)
    told = reapply(stage, stage.world.call().uuid, reapply_conversions="perhaps")
    assert (told["status"], told["codes"]) == (422, {"reapply_conversions": "invalid_value"})
