"""Retention: what is old enough goes, a batch at a time; what calls are worth never does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, select

from ringback.domain.attributes import CONTACT_FIELDS, blank_state
from ringback.domain.calls import replay
from ringback.domain.retention import Kind, Retention
from ringback.services import housekeeping, retention
from ringback.store import calls, schema, sending_schema
from ringback.store.accounts import list_accounts
from ringback.store.values import from_moment, time_of
from tests.cli.test_samples import NOW

DAYS = 10


def prune(tx: Connection, now: datetime = NOW, **days: int) -> dict[Kind, int]:
    """Remove all that is due; returns how many rows of each kind that were."""
    removed = dict.fromkeys(Kind, 0)
    for due in retention.list_due(tx, Retention(**days), now):
        expected, gone = retention.count(tx, due), 0
        while batch := retention.drop(tx, due):
            assert batch <= retention.AT_ONCE
            gone += batch
        assert gone == expected
        removed[due.kind] += gone
    return removed


def rows(tx: Connection, table: Table) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.execute(select(table)).mappings()]


def money(tx: Connection) -> list[Any]:
    """Everything that must stay: calls with their worth, the ledger, the rows of receipts."""
    return [sorted(map(repr, rows(tx, table))) for table in (schema.calls, schema.call_changes, schema.receipts)]


def test_what_arrived_goes_and_how_it_was_decided_stays(tx: Connection) -> None:
    before = {row["receipt_id"]: row for row in rows(tx, schema.receipt_payloads)}
    kept = money(tx)
    end = NOW - timedelta(days=DAYS)
    old = {receipt for receipt in before if time_of(receipt) < end}
    assert prune(tx, requests=DAYS)[Kind.REQUESTS] == len(old) > retention.AT_ONCE
    for row in rows(tx, schema.receipt_payloads):
        was = before[row["receipt_id"]]
        if row["receipt_id"] in old:
            assert (row["path"], row["content_type"], row["ip"], row["body"]) == ("", "", "", b"")
            assert {**was, "path": "", "content_type": "", "ip": "", "body": b""} == row
        else:
            assert row == was
    assert money(tx) == kept


def test_it_goes_on_where_it_ended(tx: Connection) -> None:
    first = prune(tx, requests=DAYS)[Kind.REQUESTS]
    assert prune(tx, requests=DAYS)[Kind.REQUESTS] == 0
    rest = prune(tx, NOW + timedelta(days=DAYS), requests=DAYS)[Kind.REQUESTS]
    assert first + rest == len(rows(tx, schema.receipt_payloads))


def test_traces_audit_and_what_waits_no_longer_go(tx: Connection) -> None:
    kept, end = money(tx), NOW - timedelta(days=DAYS)
    tables = {
        Kind.TRACES: schema.credential_failures,
        Kind.AUDIT: schema.audit_log,
        Kind.WAITING: schema.waiting_updates,
    }
    before = {kind: rows(tx, table) for kind, table in tables.items()}
    removed = prune(tx, traces=DAYS, audit=DAYS, waiting=DAYS)
    for kind, table in tables.items():
        left = rows(tx, table)
        assert removed[kind] == len(before[kind]) - len(left) > 0
        gone = [row for row in before[kind] if row not in left]
        assert all(time_of(row["id"]) < end and row.get("state") != "waiting" for row in gone)
        assert all(time_of(row["id"]) >= end or row.get("state") == "waiting" for row in left)
    assert rows(tx, schema.waiting_runs) == []
    assert money(tx) == kept


def test_an_addition_that_was_made_after_all_is_remembered(tx: Connection) -> None:
    table = schema.waiting_updates
    applied = tx.execute(select(table.c.id).where(table.c.state == "applied").limit(1)).scalar_one()
    tx.execute(table.update().where(table.c.id == applied).values(waiting_key=f"suppressed:{applied}"))
    prune(tx, waiting=1)
    assert [row["id"] for row in rows(tx, table) if row["state"] != "waiting"] == [applied]


def test_what_was_sent_goes_once_it_was_delivered_or_given_up(tx: Connection) -> None:
    account = list_accounts(tx)[0].id
    states = ("delivered", "cancelled", "held", "failed", "delivered")
    starts = ("019a0000-0000", "019a0000-0001", "019a0000-0002", "019a0000-0003", "01a60000-0000")
    ids = [f"{start}-7000-8000-000000000000" for start in starts]
    for number, (delivery, state) in enumerate(zip(ids, states, strict=True)):
        tx.execute(sending_schema.deliveries.insert().values(_delivery(account, delivery, number, state)))
        about = {"account_id": account, "delivery_id": delivery}
        request = {"method": "POST", "url": "https://a.example", "headers": "[]", "body": b"{}", "trace": "{}"}
        tx.execute(sending_schema.delivery_requests.insert().values({**about, **request}))
    assert prune(tx, deliveries=DAYS)[Kind.DELIVERIES] == 2
    assert {row["delivery_id"] for row in rows(tx, sending_schema.delivery_requests)} == set(ids[2:])
    told = {row["id"]: row["details"] for row in rows(tx, sending_schema.deliveries)}
    assert told == {each: "{}" if each in ids[:2] else TOLD for each in ids}


TOLD = '{"told": ["No such field: Jane"]}'


def _delivery(account: int, delivery: str, number: int, state: str) -> Mapping[str, object]:
    return {
        "account_id": account,
        "id": delivery,
        "postback_id": 1,
        "version": 1,
        "trigger": "x",
        "seq": number,
        "call_uuid": delivery,
        "host": "a.example",
        "state": state,
        "details": TOLD,
        "created_at": 1,
        "ended_at": None if state == "held" else 1,
    }


def test_for_ever_is_for_ever(tx: Connection) -> None:
    assert retention.list_due(tx, Retention(), NOW + timedelta(days=50_000)) == []


def test_what_is_over_is_counted_and_forgotten(tx: Connection) -> None:
    later = NOW + timedelta(days=40)
    expected = housekeeping.try_tidy(tx, later)
    assert housekeeping.try_tidy(tx, later) == expected
    assert housekeeping.tidy(tx, later) == expected
    assert set(housekeeping.tidy(tx, later).values()) == {0}
    assert expected["keys"] > 0
    assert expected["sessions"] > 0


def test_the_ledger_adds_up_after_everything_was_pruned(tx: Connection) -> None:
    kept = money(tx)
    prune(tx, NOW + timedelta(days=1000), requests=1, deliveries=1, traces=1, waiting=1, audit=1)
    assert money(tx) == kept
    for row in tx.execute(select(schema.calls)).mappings().all():
        entries = calls.list_entries(tx, row["account_id"], row["uuid"])
        state = replay((entry.change for entry in entries), blank_state())
        assert bool(row["buyer_converted"]) is state["buyer_converted"]
        assert len(state[CONTACT_FIELDS.name]) > 0 or row["contact_fields"] == "{}"  # type: ignore[arg-type]
        assert from_moment(row["created_at"]) < NOW
