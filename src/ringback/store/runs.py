"""Runs: many waiting updates applied one chunk after the other, and how far that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from ringback.domain.causes import BundleKey
from ringback.store.bundles import Place
from ringback.store.schema import users, waiting_runs
from ringback.store.values import from_document, from_moment, maybe_from_moment, maybe_moment, to_document, to_moment

START: Place = (from_moment(0), "00000000-0000-0000-0000-000000000000")
"""The place before everything."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run: which bundles it applies, how many updates those were, and what became of them so far.

    ``refused`` counts by code, ``left_out`` names the receipts of updates that were applied less a value that had
    changed since they were sent.
    """

    id: str
    user: str
    started_at: datetime
    cause: str
    bundles: tuple[BundleKey, ...]
    up_to: str
    total: int
    done: Place = START
    applied: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    ended_at: datetime | None = None

    @property
    def handled(self) -> int:
        """How many updates it came to."""
        return self.applied + sum(self.refused.values())


def add(connection: Connection, account_id: int, user_id: int, run: Run) -> None:
    """Begin a run in the name of a user."""
    connection.execute(
        insert(waiting_runs).values(
            account_id=account_id,
            id=run.id,
            user_id=user_id,
            started_at=to_moment(run.started_at),
            cause=run.cause,
            bundles=to_document(run.bundles),
            up_to=run.up_to,
            total=run.total,
            **_progress(run),
        )
    )


def find(connection: Connection, account_id: int, run_id: str, *, locks: bool = False) -> Run | None:
    """A run; kept from others until the transaction ends, if it ``locks``."""
    statement = (
        select(waiting_runs, users.c.email)
        .join(users, users.c.id == waiting_runs.c.user_id)
        .where(waiting_runs.c.account_id == account_id, waiting_runs.c.id == run_id)
    )
    if locks:
        statement = statement.with_for_update(of=waiting_runs)
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        return None
    return Run(
        id=row["id"],
        user=row["email"],
        started_at=from_moment(row["started_at"]),
        cause=row["cause"],
        bundles=tuple(tuple(key) for key in from_document(row["bundles"])),
        up_to=row["up_to"],
        total=row["total"],
        done=(from_moment(row["done_received_at"]), row["done_id"]),
        applied=row["applied"],
        refused=from_document(row["refused"]),
        left_out=tuple(from_document(row["left_out"])),
        ended_at=maybe_from_moment(row["ended_at"]),
    )


def advance(connection: Connection, account_id: int, run: Run) -> None:
    """Write how far a run is."""
    mine = (waiting_runs.c.account_id == account_id, waiting_runs.c.id == run.id)
    connection.execute(update(waiting_runs).where(*mine).values(_progress(run)))


def _progress(run: Run) -> dict[str, Any]:
    return {
        "done_received_at": to_moment(run.done[0]),
        "done_id": run.done[1],
        "applied": run.applied,
        "refused": to_document(run.refused),
        "left_out": to_document(run.left_out),
        "ended_at": maybe_moment(run.ended_at),
    }
