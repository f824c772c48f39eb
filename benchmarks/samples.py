"""One update of each outcome as Ringback wrote it down, to be copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, select

from ringback import entropy
from ringback.store.schema import call_changes, receipt_payloads, receipts, waiting_updates
from tests.services.arriving import post
from tests.world import EVERY_RIGHT, World

BODY = {
    "buyer_converted": "true",
    "revenue": "42.00",
    "offer_converted": "true",
    "post_call_tokens": {"first_name": "Ada", "last_name": "Lovelace", "zip": "80920", "email": "ada@example.com"},
}


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows of one update."""

    receipt: Mapping[str, Any]
    payload: Mapping[str, Any]
    changes: Sequence[Mapping[str, Any]]
    waiting: Mapping[str, Any]


def take(world: World) -> dict[str, Sample]:
    """Post an update of each outcome, and copy what was written, by outcome."""
    call = world.call()
    made = {"applied": post(world, call.uuid, BODY, key="k")}
    made["replayed"] = post(world, call.uuid, BODY, key="k")
    made["unchanged"] = post(world, call.uuid, BODY)
    made["refused"] = post(world, call.uuid, {**BODY, "revenue": "1,25"})
    made["early"] = post(world, entropy.new_call_uuid(), BODY)
    world.grant([])
    made["denied"] = post(world, call.uuid, BODY)
    world.grant(EVERY_RIGHT)
    with world.database.read() as tx:
        return {result: _sample(tx, outcome.update.receipt_id) for result, outcome in made.items()}


def _sample(tx: Connection, receipt_id: str) -> Sample:
    (receipt,) = _rows(tx, receipts, "id", receipt_id)
    (payload,) = _rows(tx, receipt_payloads, "receipt_id", receipt_id)
    held = _rows(tx, waiting_updates, "id", receipt_id)
    changes = _rows(tx, call_changes, "receipt_id", receipt_id)
    return Sample(dict(receipt), dict(payload), [dict(each) for each in changes[:2]], dict(held[0]) if held else {})


def _rows(tx: Connection, table: Table, column: str, value: str) -> Sequence[RowMapping]:
    return tx.execute(select(table).where(table.c[column] == value)).mappings().all()
