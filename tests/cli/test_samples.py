"""What the demo plays with: lively, complete, and made by the same code as everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, select

from ringback.api.operations import RECORD_CALL, UPDATE_BY_ID, UPDATE_BY_UUID
from ringback.cli import samples
from ringback.cli.samples.mishaps import ODD, RECORDINGS, REFUSED
from ringback.cli.samples.weeks import WITH_CONTACTS
from ringback.domain.attributes import blank_state
from ringback.domain.calls import replay
from ringback.domain.decisions import CallRef, RefKind
from ringback.domain.receipts import Result
from ringback.domain.updates import WARNINGS
from ringback.services import accounts, waiting
from ringback.store import calls, schema
from ringback.store.engine import Database
from ringback.store.migrate import migrate
from ringback.store.values import from_document, from_moment, time_of

NOW = datetime(2026, 5, 14, 15, 30, tzinfo=UTC)
LEAVE_NO_TRACE = frozenset(
    {
        *{
            "account_conflict",
            "account_not_found",
            "account_not_named",
            "host_not_served",
            "head_too_large",
            "doubled_path",
        },
        *{"rate_limited", "busy", "unconfirmed", "internal_error"},
    }
)
"""The refusals of requests that belong to no account, or can't be recorded."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with the samples in it."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('samples') / 'demo.db'}")
    migrate(database)
    with database.write() as tx:
        samples.fill(tx, NOW)
    yield database
    database.close()


def rows(database: Database, table: Table) -> list[dict[str, Any]]:
    with database.read() as tx:
        return [dict(row) for row in tx.execute(select(table)).mappings()]


def assert_ledger_adds_up(database: Database) -> None:
    with database.read() as tx:
        account = accounts.find(tx, "acme")
        for uuid in tx.execute(select(schema.calls.c.uuid)).scalars().all():
            call = calls.find(tx, account.id, CallRef(RefKind.UUID, uuid))
            assert call is not None
            entries = calls.list_entries(tx, account.id, uuid)
            assert replay((entry.change for entry in entries), blank_state()) == call.state
            assert call.changes == len(entries)


def test_every_refusal_that_leaves_a_trace_is_there(filled: Database) -> None:
    told = UPDATE_BY_UUID.refusals | UPDATE_BY_ID.refusals | RECORD_CALL.refusals
    codes = {row["code"] for table in (schema.receipts, schema.credential_failures) for row in rows(filled, table)}
    assert told - LEAVE_NO_TRACE - codes == set()
    assert (REFUSED.keys() | RECORDINGS.keys()) - codes == set()
    assert {row["result"] for row in rows(filled, schema.receipts)} == set(Result)


def test_every_warning_is_there(filled: Database) -> None:
    payloads = rows(filled, schema.receipt_payloads)
    documents = [from_document(row[part]) for row in payloads for part in ("understood", "decided")]
    warned = {code for document in documents for code, _ in document.get("warnings", ())}
    # Partners are made by another part of the API, and none of the demo's is paused.
    assert WARNINGS.keys() - warned == {"team_not_made", "partner_paused"}
    assert ODD.keys() <= warned


def test_calls_come_by_day_and_week_and_end_now(filled: Database) -> None:
    recorded = [from_moment(row["created_at"]) for row in rows(filled, schema.calls)]
    assert 500 < len(recorded) < 1_000
    assert NOW - timedelta(minutes=30) < max(recorded) < NOW
    by_week = Counter((NOW - moment).days // 7 for moment in recorded)
    assert by_week.keys() == set(range(5))
    assert all(count > 100 for count in by_week.values())
    by_weekday = Counter(moment.weekday() for moment in recorded)
    assert max(by_weekday[5], by_weekday[6]) < min(by_weekday[day] for day in range(5))
    at_noon = sum(14 <= moment.hour < 22 for moment in recorded)
    assert at_noon > len(recorded) / 2


def test_times_are_those_of_what_happened(filled: Database) -> None:
    for row in rows(filled, schema.receipts):
        made = time_of(row["id"])
        assert abs(made - from_moment(row["decided_at"])) < timedelta(seconds=1)
        assert from_moment(row["received_at"]) <= from_moment(row["decided_at"]) <= NOW
    changed = [from_moment(row["changed_at"]) for row in rows(filled, schema.call_changes)]
    assert max(changed) <= NOW
    assert min(changed) < NOW - timedelta(days=33)


def test_much_waits_for_one_cause(filled: Database) -> None:
    with filled.read() as tx:
        found = waiting.list_causes(tx, accounts.find(tx, "acme").id)
    most = found[0]
    assert (most.cause.code, most.count, most.can_apply) == ("permission_denied", WITH_CONTACTS, True)
    assert most.cause.grant is not None
    assert most.cause.grant.rights == ("contact_fields",)
    codes = {caused.cause.code for caused in found}
    assert codes == {
        "permission_denied",
        "buyer_not_shared",
        "api_access_off",
        "access_type",
        "no_team",
        "call_not_found",
    }
    assert {row["state"] for row in rows(filled, schema.waiting_updates)} == {"waiting", "applied", "expired"}


def test_people_did_something(filled: Database) -> None:
    done = Counter(row["action"] for row in rows(filled, schema.audit_log))
    assert done["call.adjusted"] >= 5
    assert {"updates.applied", "team.changed", "token.revoked", "token.rotated", "settings.changed"} <= done.keys()


def test_the_ledger_adds_up(filled: Database) -> None:
    assert_ledger_adds_up(filled)


def test_one_seed_makes_the_same_samples_on_either_database(filled: Database, postgres: Database) -> None:
    with postgres.write() as tx:
        samples.fill(tx, NOW)
    assert_ledger_adds_up(postgres)
    for table in (schema.calls, schema.receipts, schema.waiting_updates, schema.audit_log):
        key = [column.name for column in table.primary_key]

        def known(row: dict[str, Any], key: list[str] = key) -> tuple[Any, ...]:
            return tuple(row[name] for name in key)

        assert sorted(map(known, rows(filled, table))) == sorted(map(known, rows(postgres, table)))
