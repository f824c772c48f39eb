"""What the audit log says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from ringback.store.schema import audit_log
from ringback.store.values import from_document
from tests.live import Live


def told(live: Live, action: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The lines with this action in Acme's audit log, oldest first: what it was done to, and the details."""
    statement = select(audit_log).where(audit_log.c.account_id == live.world.acme, audit_log.c.action == action)
    with live.world.database.read() as tx:
        rows = tx.execute(statement.order_by(audit_log.c.id)).mappings().all()
    return [(row["subject"], from_document(row["details"])) for row in rows]
