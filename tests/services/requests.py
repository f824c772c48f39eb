"""Requests as the services get them: read, but not yet decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ringback import clock, entropy
from ringback.domain.calls import Call
from ringback.domain.credentials import Credential, read_credential
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.jsontext import Value
from ringback.domain.receipts import Arrived, Outcome, Update
from ringback.services import updates
from ringback.services.tokens import NewToken
from tests.api.rows import ledger_sum
from tests.domain.samples import understood
from tests.world import World

NOW = clock.now()


def credential(token: NewToken) -> Credential:
    """What is read of the header that a token's owner sends."""
    return read_credential([token.authorization.encode()], [])


def by_number(call: Call) -> CallRef:
    """A call by its number."""
    return CallRef(RefKind.NUMBER, str(call.number))


def request(
    world: World,
    call: Call | str | CallRef,
    values: Mapping[str, Value],
    *,
    keys: Mapping[str, str] | None = None,
    **changes: Any,  # noqa: ANN401
) -> Update:
    """Bob's update of a call of Acme's, unless said otherwise."""
    ref = call if isinstance(call, CallRef) else CallRef(RefKind.UUID, call if isinstance(call, str) else call.uuid)
    told: dict[str, Any] = {
        "receipt_id": entropy.new_id(),
        "received_at": NOW,
        "route": "update_call",
        "account": "acme",
        "sender": credential(world.bob_token),
        "ref": ref,
        "reading": understood(values, keys),
        "arrived": Arrived("POST", "/", "", b"", "203.0.113.7"),
    }
    return Update(**{**told, **changes})


def apply(world: World, *asked: Update, now: datetime = NOW) -> list[Outcome]:
    """Apply updates in one transaction."""
    with world.database.write() as tx:
        return updates.apply(tx, asked, now)


def codes(outcomes: list[Outcome]) -> list[str]:
    """What became of each."""
    return [outcome.code for outcome in outcomes]


def warned(outcome: Outcome) -> list[str]:
    """What its sender is warned of."""
    return [each.code for each in outcome.all_warnings]


def worth(world: World, call: Call, name: str = "revenue") -> Any:  # noqa: ANN401
    """One value of a call, after a look at whether its ledger adds up to its state."""
    state = world.state(call)
    assert ledger_sum(world.database, call) == state
    return state[name]
