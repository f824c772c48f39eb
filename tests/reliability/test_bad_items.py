"""A bad item in a batch never fails its neighbours."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import text

from ringback.domain.calls import Call
from ringback.domain.receipts import Outcome
from ringback.store.engine import Database
from ringback.store.failures import RejectedError
from tests.api.rows import ledger_sum
from tests.live import Live
from tests.reliability.desk import make_update, submit_together
from tests.world import World

AMOUNTS = range(1, 7)
SUMS = [Decimal(sum(AMOUNTS[:place])) for place in AMOUNTS]

_ON_SQLITE = """
    CREATE TRIGGER refuse BEFORE INSERT ON call_changes WHEN NEW.call_uuid = '{uuid}'
    BEGIN SELECT RAISE(ABORT, 'refused by a test'); END
"""
_ON_POSTGRESQL = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.call_uuid = '{uuid}' THEN RAISE EXCEPTION 'refused by a test' USING ERRCODE = '{code}'; END IF;
        RETURN NEW;
    END $$;
    CREATE {kind} TRIGGER refuse {when} INSERT ON call_changes {deferred} FOR EACH ROW EXECUTE FUNCTION refuse()
"""
_AT_ONCE = {"kind": "", "when": "BEFORE", "deferred": ""}
_AT_COMMIT = {"kind": "CONSTRAINT", "when": "AFTER", "deferred": "DEFERRABLE INITIALLY DEFERRED"}

REFUSALS = {
    "a check": {**_AT_ONCE, "code": "check_violation"},
    "a trigger": {**_AT_ONCE, "code": "raise_exception"},
    "a limit": {**_AT_ONCE, "code": "program_limit_exceeded"},
    "a check at the commit": {**_AT_COMMIT, "code": "check_violation"},
}
"""How PostgreSQL may refuse a row; SQLite has one way."""


def refuse(database: Database, call: Call, how: str) -> None:
    """Have the database refuse every change of a call."""
    template = _ON_SQLITE if database.is_sqlite else _ON_POSTGRESQL
    with database.write() as tx:
        tx.execute(text(template.format(uuid=call.uuid, **REFUSALS[how])))


@pytest.mark.parametrize("how", REFUSALS)
def test_the_neighbours_of_a_bad_item_are_recorded_in_their_order(world: World, how: str) -> None:
    calls = [world.call() for _ in range(5)]
    bad = calls[2]
    refuse(world.database, bad, how)
    batch = [make_update(world, call, {"add_revenue": str(amount)}) for amount in AMOUNTS for call in calls]
    results = submit_together(world, batch)
    for update, result in zip(batch, results, strict=True):
        expected = RejectedError if update.ref.value == bad.uuid else Outcome
        assert isinstance(result, expected), result
    told = list(zip(batch, results, strict=True))
    for call in calls:
        amounts = [
            one.call.state["revenue"]
            for update, one in told
            if isinstance(one, Outcome) and one.call and one.call.uuid == call.uuid
        ]
        assert amounts == ([] if call is bad else SUMS)
        assert world.state(call)["revenue"] == (None if call is bad else SUMS[-1])
        assert ledger_sum(world.database, call) == world.state(call)


def test_the_sender_of_a_bad_item_is_told_and_the_next_update_is_recorded(live: Live) -> None:
    bad, good = live.world.call(), live.world.call()
    refuse(live.world.database, bad, "a check")
    auth = live.world.bob_token.authorization
    assert live.update(bad.uuid, {"add_revenue": "1.00"}, auth=auth).status == 500
    assert live.update(good.uuid, {"add_revenue": "1.00"}, auth=auth).status == 200
    assert live.world.state(bad)["revenue"] is None
