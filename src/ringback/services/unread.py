"""Requests that couldn't be read, and were never decided: which calls they were about."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import Connection

from ringback.domain.calls import Call
from ringback.domain.decisions import RefKind, Step
from ringback.domain.receipts import Outcome
from ringback.store import calls


def with_calls(tx: Connection, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The same outcomes, those that couldn't be read with their calls, so that their receipts are found by them."""
    asked = {
        outcome.update.receipt_id: (outcome.principal.account_id, outcome.update.ref)
        for outcome in outcomes
        if outcome.principal is not None and outcome.decision.step in {Step.SIZE, Step.BODY}
    }
    found = calls.find_all(tx, set(asked.values())) if asked else {}
    if not found:
        return list(outcomes)
    meant = {receipt_id: found.get(each) for receipt_id, each in asked.items()}
    return [_about(outcome, meant.get(outcome.update.receipt_id)) for outcome in outcomes]


def _about(outcome: Outcome, call: Call | None) -> Outcome:
    """An outcome with its call; a call that was named by its number only if the sender sees it."""
    principal = outcome.principal
    if call is None or principal is None:
        return outcome
    sees = principal.runs_account or any(team.sees(call.buyer_id) for team in principal.teams)
    return replace(outcome, call=call) if sees or outcome.update.ref.kind is RefKind.UUID else outcome
