"""The order of deciding: of two things that are wrong, the earlier one answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from ringback import clock
from ringback.domain.access import AccessType
from ringback.domain.calls import Call
from ringback.domain.decisions import Step
from ringback.store import receipts, teams
from tests.api.rows import of_call
from tests.api.wire import basic, check_envelope
from tests.live import Live, Reply

UNKNOWN = "3f2b8c1e-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Spoilt:
    """A request, and how the stage is set for it; in the beginning nothing is wrong with either."""

    uuid: str
    account: str = "acme"
    body: str = '{"revenue": "1", "add_payout": "1"}'
    padding: int = 0
    cut_off: bool = False
    wrong_secret: bool = False
    token: Mapping[str, Any] = field(default_factory=dict)
    on_team: bool = True
    shared: bool = True
    granted: bool = True
    key_used: bool = False
    owner: str = "bob"

    def post(self, stage: Live, uuid: str | None = None, body: str | None = None) -> Reply:
        """Send it as it is."""
        world = stage.world
        made = world.token(getattr(world, self.owner), world.acme, **self.token)
        auth = made.authorization
        if self.wrong_secret:
            auth = basic(str(made.public_key), str(world.ada_token.private_key))
        text = (body or self.body) + " " * self.padding
        text = text.replace("}", "") if self.cut_off else text
        headers = {"Content-Type": "application/json", "Idempotency-Key": "the key"}
        return stage.update(uuid or self.uuid, text, auth=auth, headers=headers, account=self.account)

    def play(self, stage: Live) -> Reply:
        """Set the stage and send it."""
        world = stage.world
        if self.key_used:
            first = replace(Spoilt(self.uuid), owner=self.owner).post(stage, body='{"buyer_converted": "0"}')
            assert first.status == 200
        with world.database.write() as tx:
            if not self.on_team:
                teams.set_users(tx, world.acme, world.team, [])
            if not self.shared:
                teams.set_buyers(tx, world.acme, world.team, [])
            if not self.granted:
                teams.set_rights(tx, world.acme, world.team, {})
        return self.post(stage)


def wrong(body: str) -> str:
    """The same body, with an amount that can't be read beside what else may be wrong with it."""
    return body.replace('"revenue": "1"', '"revenue": "1,25"')


FLAWS: Mapping[Step, tuple[str, Callable[[Spoilt], Spoilt]]] = {
    Step.SIZE: ("too_large", lambda request: replace(request, padding=300_000)),
    Step.ACCOUNT: ("account_not_found", lambda request: replace(request, account="nobody")),
    Step.BODY: ("malformed_json", lambda request: replace(request, cut_off=True)),
    Step.CREDENTIAL: ("unknown_credentials", lambda request: replace(request, wrong_secret=True)),
    Step.TOKEN: ("expired", lambda request: replace(request, token={"expires_at": clock.now() - timedelta(hours=1)})),
    Step.TEAM: ("no_team", lambda request: replace(request, on_team=False)),
    Step.VALUES: ("invalid_value", lambda request: replace(request, body=wrong(request.body))),
    Step.CALL: ("call_not_found", lambda request: replace(request, uuid=UNKNOWN)),
    Step.SHARED: ("buyer_not_shared", lambda request: replace(request, shared=False)),
    Step.RIGHTS: ("permission_denied", lambda request: replace(request, granted=False)),
    Step.KEY: ("idempotency_conflict", lambda request: replace(request, key_used=True)),
    Step.EFFECT: ("amount_out_of_range", lambda request: replace(request, body=overflowing(request.body))),
}
"""Each step: the code of its refusal, and what makes it refuse."""

IMPOSSIBLE = {
    (Step.CALL, Step.SHARED): "a call that isn't there has no buyer",
    (Step.CALL, Step.KEY): "no key was ever used for it",
    (Step.CALL, Step.EFFECT): "there is nothing to add to",
}
PAIRS = [pair for pair in combinations(FLAWS, 2) if pair not in IMPOSSIBLE]


def overflowing(body: str) -> str:
    """The same body with an addition that takes the payout past the largest amount."""
    return body.replace('"add_payout": "1"', '"add_payout": "999999.999999"')


def call_with_payout(stage: Live) -> Call:
    """A call to which a small addition can be made, but no large one."""
    call = stage.world.call()
    stage.update(call.uuid, {"payout": "1"}, auth=stage.world.ada_token.authorization)
    return call


def test_the_steps_are_all_there_in_their_order() -> None:
    assert list(FLAWS) == list(Step)


def test_with_nothing_wrong_the_request_is_done(stage: Live) -> None:
    assert Spoilt(call_with_payout(stage).uuid).play(stage).status == 200


@pytest.mark.parametrize("step", FLAWS)
def test_each_step_alone_refuses(stage: Live, step: Step) -> None:
    code, spoil = FLAWS[step]
    told = check_envelope(spoil(Spoilt(call_with_payout(stage).uuid)).play(stage))
    assert told["code"] == code


@pytest.mark.parametrize(("earlier", "later"), PAIRS)
def test_of_two_failures_the_earlier_step_answers(stage: Live, earlier: Step, later: Step) -> None:
    call = call_with_payout(stage)
    code, spoil = FLAWS[earlier]
    request = spoil(FLAWS[later][1](Spoilt(call.uuid)))
    told = check_envelope(request.play(stage))
    assert told["code"] == code
    if "receipt_id" in told:
        with stage.world.database.read() as tx:
            found = receipts.find(tx, stage.world.acme, told["receipt_id"])
        assert found is not None
        assert found[0].decided["step"] == earlier.value


TOKEN_FLAWS: Mapping[str, Mapping[str, Any]] = {
    "expired": {"expires_at": clock.now() - timedelta(hours=1)},
    "ip_not_allowed": {"networks": ["10.0.0.0/8"]},
    "access_type": {"access_type": AccessType.CALLS_READ},
    "account_not_allowed": {"accounts": [2]},
}
"""What can be wrong with a token, in its order."""


@pytest.mark.parametrize(("earlier", "later"), list(combinations(TOKEN_FLAWS, 2)))
def test_of_two_things_wrong_with_a_token_the_earlier_answers(stage: Live, earlier: str, later: str) -> None:
    call = stage.world.call()
    before = of_call(stage.world.database, call)
    told = replace(Spoilt(call.uuid), token={**TOKEN_FLAWS[later], **TOKEN_FLAWS[earlier]}).play(stage).json
    assert told["code"] == earlier
    assert of_call(stage.world.database, call) == before
