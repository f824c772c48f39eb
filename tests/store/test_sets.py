"""Rows travel in sets: whatever the values are, they arrive as they were, in one statement."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as generated
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from ringback import entropy
from ringback.store.engine import Database
from ringback.store.failures import RejectedError
from ringback.store.figure_schema import update_figure_changes
from ringback.store.schema import calls, idempotency_keys, receipt_payloads, receipts
from ringback.store.sets import Row, add_rows, by_keys, given, insert_rows, together, update_rows, wanted
from tests.statements import asked

TEXTS = [
    "",
    " ",
    "Zoë",
    "\U0001f600",
    "'; DROP TABLE calls; --",
    '"quoted"',
    "back\\slash",
    "{}",
    "null",
    "%s %(x)s ?",
    "a\r\nb\t",
]
BODIES = [b"", b"\0", bytes(range(256)), b"'\"\\", "Zoë".encode()]
PAYLOAD = dict.fromkeys(["method", "path", "content_type", "ip", "understood", "decided", "changed"], "")


def payload(**values: Any) -> Row:  # noqa: ANN401
    return {"account_id": 1, "receipt_id": entropy.new_id(), "body": b"", **PAYLOAD, **values}


def receipt(**values: Any) -> Row:  # noqa: ANN401
    nothing: dict[str, Any] = {"call_uuid": None, "token_id": None, "dry_run": False, "call_ref": ""}
    times = dict.fromkeys(["received_at", "decided_at", "user_id"], 1)
    words = dict.fromkeys(["route", "result", "code"], "x")
    return {"account_id": 1, "id": entropy.new_id(), **nothing, **times, **words, **values}


def stored(tx: Connection, table: Any, row: Row, key: str) -> dict[str, Any]:  # noqa: ANN401
    found = tx.execute(select(table).where(table.c[key] == row[key])).mappings().one()
    return {name: found[name] for name in row}


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_every_text_arrives_as_it_was(database: Database, text: str) -> None:
    with database.write() as tx:
        row = payload(path=text, understood=text)
        insert_rows(tx, receipt_payloads, [row])
        assert stored(tx, receipt_payloads, row, "receipt_id") == row
        later = {**row, "path": text + "x"}
        update_rows(tx, receipt_payloads, ("account_id", "receipt_id"), [later])
        assert stored(tx, receipt_payloads, row, "receipt_id") == later


@pytest.mark.parametrize("body", BODIES, ids=ascii)
def test_every_byte_arrives_as_it_was(database: Database, body: bytes) -> None:
    with database.write() as tx:
        row = payload(body=body)
        insert_rows(tx, receipt_payloads, [row])
        assert stored(tx, receipt_payloads, row, "receipt_id") == row
        later = {**row, "body": body + b"\xff"}
        update_rows(tx, receipt_payloads, ("receipt_id",), [later])
        assert stored(tx, receipt_payloads, row, "receipt_id") == later


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)])
@pytest.mark.parametrize("flag", [True, False])
def test_numbers_booleans_and_nothing_arrive_as_they_were(database: Database, number: int, *, flag: bool) -> None:
    with database.write() as tx:
        for uuid in (None, entropy.new_id()):
            row = receipt(received_at=number, dry_run=flag, call_uuid=uuid)
            insert_rows(tx, receipts, [row])
            assert stored(tx, receipts, row, "id") == row
            later = {**row, "decided_at": number, "call_uuid": None, "dry_run": not flag}
            update_rows(tx, receipts, ("account_id", "id"), [later])
            assert stored(tx, receipts, row, "id") == later


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@generated(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.binary())))
def test_any_rows_arrive_in_one_statement(database: Database, values: list[tuple[str, bytes]]) -> None:
    rows = [payload(path=text, body=body) for text, body in values]
    with asked(database) as statements, database.write() as tx:
        insert_rows(tx, receipt_payloads, rows)
        update_rows(tx, receipt_payloads, ("account_id", "receipt_id"), rows)
    assert len(statements) == (2 if rows else 0)
    with database.read() as tx:
        assert all(stored(tx, receipt_payloads, row, "receipt_id") == row for row in rows)


def test_only_the_rows_that_are_named_are_updated(database: Database) -> None:
    one, other = payload(path="one"), payload(path="other")
    elsewhere = {**one, "account_id": 2, "path": "elsewhere"}
    with database.write() as tx:
        insert_rows(tx, receipt_payloads, [one, other, elsewhere])
        changed, missing = {**one, "path": "changed"}, payload(path="missing")
        update_rows(tx, receipt_payloads, ("account_id", "receipt_id"), [changed, missing])
        paths = tx.execute(select(receipt_payloads.c.path).order_by(receipt_payloads.c.path)).scalars().all()
    assert paths == ["changed", "elsewhere", "other"]


def test_rows_are_taken_all_together_or_not_at_all(database: Database) -> None:
    with pytest.raises(RejectedError), database.write() as tx:
        insert_rows(tx, receipt_payloads, [payload(), payload(path=None)])
    with database.read() as tx:
        assert tx.execute(select(func.count()).select_from(receipt_payloads)).scalar_one() == 0


def test_a_row_twice_is_rejected(database: Database) -> None:
    row = payload()
    with pytest.raises(RejectedError), database.write() as tx:
        insert_rows(tx, receipt_payloads, [row, row])


def test_on_postgresql_a_nul_is_rejected(postgres: Database) -> None:
    with pytest.raises(RejectedError), postgres.write() as tx:
        insert_rows(tx, receipt_payloads, [payload(path="a\0b")])


class TestWanted:
    KEY = (idempotency_keys.c.account_id, idempotency_keys.c.call_ref)

    def join(self, database: Database, *rows: tuple[Any, Any]) -> list[tuple[Any, Any]]:
        """The rows as the database sees them."""
        source = wanted(database.engine.dialect.name, "asked", self.KEY)
        with database.read() as tx:
            found = tx.execute(select(source.c.account_id, source.c.call_ref), {"asked": given(self.KEY, rows)})
            return [tuple(row) for row in found]

    @pytest.mark.parametrize("text", TEXTS, ids=ascii)
    def test_every_text_is_asked_for_as_it_is(self, database: Database, text: str) -> None:
        assert self.join(database, (1, text)) == [(1, text)]

    @pytest.mark.parametrize("number", [0, 2**53 + 1, 2**63 - 1, -(2**63)])
    def test_every_number_is(self, database: Database, number: int) -> None:
        assert self.join(database, (number, "")) == [(number, "")]

    def test_no_rows_are_none_and_a_row_twice_is_two(self, database: Database) -> None:
        assert self.join(database) == []
        assert self.join(database, (1, "a"), (1, "a")) == [(1, "a")] * 2

    def test_nothing_finds_nothing(self, database: Database) -> None:
        with database.write() as tx:
            insert_rows(tx, receipts, [receipt(call_uuid=None), receipt(call_uuid=entropy.new_id())])
        source = wanted(database.engine.dialect.name, "asked", [receipts.c.call_uuid])
        statement = select(receipts.c.id).join(source, source.c.call_uuid == receipts.c.call_uuid)
        with database.read() as tx:
            assert tx.execute(statement, {"asked": given([receipts.c.call_uuid], [(None,)])}).all() == []

    def test_a_row_of_another_length_is_a_mistake(self, database: Database) -> None:
        with pytest.raises(ValueError, match="zip"):
            self.join(database, (1,))  # type: ignore[arg-type] # that is the mistake

    @pytest.mark.parametrize("columns", [calls.c.uuid, calls.c.number], ids=["uuid", "number"])
    def test_uses_the_index_of_what_it_joins_to(self, database: Database, columns: Any) -> None:  # noqa: ANN401
        source = wanted(database.engine.dialect.name, "asked", [calls.c.account_id, columns])
        joined = source.join(calls, (calls.c.account_id == source.c.account_id) & (columns == source.c[columns.name]))
        statement = select(calls.c.changes).select_from(joined)
        rows = given([calls.c.account_id, columns], [(1, entropy.new_id() if columns.name == "uuid" else 1)])
        compiled = str(statement.compile(database.engine, compile_kwargs={"render_postcompile": True}))
        with database.read() as tx:
            explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
            if not database.is_sqlite:
                tx.exec_driver_sql("SET LOCAL enable_seqscan = off")
            parameters: Any = (rows,) * compiled.count("?") if database.is_sqlite else {"asked": rows}
            plan = " ".join(str(row) for row in tx.exec_driver_sql(f"{explain} {compiled}", parameters))
        assert ("SEARCH calls USING" if database.is_sqlite else "Index") in plan


def test_rows_are_looked_up_by_their_keys_in_a_table_of_middling_size(database: Database) -> None:
    bodies = [payload(path=str(number)) for number in range(5_000)]
    keys = ("account_id", "receipt_id")
    with database.write() as tx:
        insert_rows(tx, receipt_payloads, bodies)
        tx.exec_driver_sql("ANALYZE")
        by_keys(tx)
        with asked(database) as statements:
            update_rows(tx, receipt_payloads, keys, bodies[:100])
        assert tx.execute(select(func.count()).select_from(receipt_payloads)).scalar_one() == len(bodies)
        if not database.is_sqlite:
            rows: Any = {"rows": json.dumps([{**each, "body": ""} for each in bodies[:100]])}
            plan = str(tx.exec_driver_sql(f"EXPLAIN {statements[0]}", rows).all())
            assert "Index Scan using pk_receipt_payloads" in plan


class TestTogether:
    """Several sets in one round trip."""

    def test_each_set_arrives_as_alone(self, database: Database) -> None:
        body, before, after = payload(path="%(rows)s"), receipt(), receipt()
        with database.write() as tx:
            insert_rows(tx, receipts, [before])
        with database.write() as tx, asked(database) as statements, together(tx):
            update_rows(tx, receipts, ("account_id", "id"), [{"account_id": 1, "id": before["id"], "code": "y"}])
            insert_rows(tx, receipts, [after])
            insert_rows(tx, receipt_payloads, [body])
            add_rows(tx, update_figure_changes, (), [])
        assert len(statements) == (3 if database.is_sqlite else 1)
        with database.read() as tx:
            assert stored(tx, receipts, {**before, "code": "y"}, "id")["code"] == "y"
            assert stored(tx, receipts, after, "id") == after
            assert stored(tx, receipt_payloads, body, "receipt_id") == body

    def test_nothing_is_no_statement(self, database: Database) -> None:
        with database.write() as tx, asked(database) as statements, together(tx):
            insert_rows(tx, receipts, [])
        assert statements == []

    def test_if_one_is_refused_none_is_there(self, database: Database) -> None:
        def write(body: Row) -> None:
            with database.write() as tx, together(tx):
                insert_rows(tx, receipts, [receipt()])
                insert_rows(tx, receipt_payloads, [body, body])

        with pytest.raises(RejectedError):
            write(payload())
        with database.read() as tx:
            assert tx.execute(select(func.count()).select_from(receipts)).scalar_one() == 0

    def test_of_a_block_that_fails_nothing_is_written(self, database: Database) -> None:
        with pytest.raises(KeyError), database.write() as tx, asked(database) as statements, together(tx):
            raise KeyError
        assert statements == []
        with database.write() as tx:
            insert_rows(tx, receipts, [receipt()])
            assert tx.execute(select(func.count()).select_from(receipts)).scalar_one() == 1
