"""Figures that are added up beforehand, and indexes by which two filters of updates find their rows.

What is there already is noted as changes; the server adds them up when it runs.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UUID = sa.String(36).with_variant(sa.UUID(as_uuid=False), "postgresql")
QUARTER = 15 * 60 * 1_000_000
AT_ONCE = 10_000

_calls = sa.table(
    "calls",
    *(sa.column(name) for name in ("account_id", "uuid", "buyer_id", "traffic_source_id", "offer_id", "created_at")),
    *(sa.column(name) for name in ("buyer_converted", "revenue", "payout")),
)
_receipts = sa.table(
    "receipts",
    sa.column("id", UUID),
    sa.column("call_uuid", UUID),
    *(sa.column(name) for name in ("account_id", "received_at", "route", "result", "code", "dry_run")),
)


def upgrade() -> None:
    """Bring the schema to this revision."""
    _make_tables()
    for column in ("user_id", "buyer_id"):
        op.drop_index(f"ix_receipts_account_id_{column}_id", "receipts")
    for column in ("user_id", "buyer_id", "token_id"):
        columns = ["account_id", column, "result", "id"]
        op.create_index(f"ix_receipts_account_id_{column}_result_id", "receipts", columns)
    _note_calls(op.get_bind())
    _note_updates(op.get_bind())


def _make_tables() -> None:
    op.create_table(
        "call_figures",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("noun", sa.String(16), nullable=False),
        *_numbers("partner_id", "span", "since"),
        *_worth(),
        sa.PrimaryKeyConstraint("account_id", "noun", "partner_id", "span", "since", name="pk_call_figures"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "call_figure_changes",
        sa.Column("account_id", ID, nullable=False),
        *_numbers("since"),
        sa.Column("id", UUID, nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger()) for name in ("buyer_id", "traffic_source_id", "offer_id")),
        *_worth(),
        sa.PrimaryKeyConstraint("account_id", "since", "id", "side", name="pk_call_figure_changes"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "update_figures",
        sa.Column("account_id", ID, nullable=False),
        *_numbers("span", "since"),
        *_became(),
        sa.PrimaryKeyConstraint("account_id", "span", "since", "result", "code", name="pk_update_figures"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "update_figure_changes",
        sa.Column("account_id", ID, nullable=False),
        *_numbers("since"),
        sa.Column("id", UUID, nullable=False),
        *_became(),
        sa.PrimaryKeyConstraint("account_id", "since", "id", name="pk_update_figure_changes"),
        sqlite_with_rowid=False,
    )


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False, autoincrement=False) for name in names]


def _worth() -> list[sa.Column[int]]:
    amounts = ("revenue", "payout", "converted_revenue", "converted_payout")
    return _numbers("calls", "conversions", *amounts)


def _became() -> list[sa.Column[Any]]:
    words: list[sa.Column[Any]] = [
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
    ]
    return [*words, *_numbers("updates", "waited")]


def _note_calls(connection: sa.Connection) -> None:
    c = _calls.c
    revenue, payout = (sa.func.coalesce(each, 0) for each in (c.revenue, c.payout))
    values = {
        "account_id": c.account_id,
        "since": c.created_at - c.created_at % QUARTER,
        "id": c.uuid,
        "side": sa.literal(1),
        "buyer_id": c.buyer_id,
        "traffic_source_id": c.traffic_source_id,
        "offer_id": c.offer_id,
        "calls": sa.literal(1),
        "conversions": sa.case((c.buyer_converted, 1), else_=0),
        "revenue": revenue,
        "payout": payout,
        "converted_revenue": sa.case((c.buyer_converted, revenue), else_=0),
        "converted_payout": sa.case((c.buyer_converted, payout), else_=0),
    }
    changes = sa.table("call_figure_changes", *(sa.column(name) for name in values))
    connection.execute(changes.insert().from_select(list(values), sa.select(*values.values())))


def _note_updates(connection: sa.Connection) -> None:
    """Write what became of the updates of each quarter of an hour, by the time in their ids."""
    r, c = _receipts.c, _calls.c
    joined = _receipts.outerjoin(_calls, sa.and_(c.account_id == r.account_id, c.uuid == r.call_uuid))
    asked = (r.dry_run == sa.false(), r.route.not_in(("console", "record")))
    statement = sa.select(r.account_id, r.id, r.result, r.code, r.received_at, c.created_at).select_from(joined)
    sums: dict[tuple[object, ...], dict[str, object]] = {}
    rows = connection.execute(statement.where(*asked), execution_options={"yield_per": AT_ONCE})
    for account_id, receipt_id, result, code, received_at, created_at in rows:
        moment = int(receipt_id[:8] + receipt_id[9:13], 16) * 1000
        key = (account_id, moment - moment % QUARTER, result, code)
        row = sums.setdefault(key, {"id": receipt_id, "updates": 0, "waited": 0})
        waits = result == "applied" and created_at is not None
        row["updates"] += 1  # type: ignore[operator] # a number
        row["waited"] += max(0, received_at - created_at) // 1000 if waits else 0  # type: ignore[operator]
    names = ("account_id", "since", "result", "code")
    noted = [{**dict(zip(names, key, strict=True)), **row} for key, row in sums.items()]
    plain: list[Any] = [sa.column(name) for name in (*names, "updates", "waited")]
    changes = sa.table("update_figure_changes", sa.column("id", UUID), *plain)
    for first in range(0, len(noted), AT_ONCE):
        connection.execute(changes.insert(), noted[first : first + AT_ONCE])
