"""How much there is of everything, for the operator."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from ringback.store.schema import access_tokens, accounts, buyers, calls, receipts, teams, users, waiting_updates

_COUNTED = (accounts, users, teams, buyers, access_tokens, calls, receipts)


def count_rows(connection: Connection) -> dict[str, int]:
    """How many rows there are, by table; of waiting updates those that still wait."""
    counts = {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in _COUNTED
    }
    still = select(func.count()).select_from(waiting_updates).where(waiting_updates.c.state == "waiting")
    return {**counts, waiting_updates.name: connection.execute(still).scalar_one()}
