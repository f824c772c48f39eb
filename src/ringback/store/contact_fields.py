"""The contact fields that calls of an account have."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ringback.store.schema import calls
from ringback.store.values import from_document

LOOKED_AT = 300
"""The newest calls are looked at: what none of so many has is not in use."""


def list_names(connection: Connection, account_id: int) -> list[str]:
    """The names of contact fields that the newest calls have, in order of the alphabet."""
    newest = (
        select(calls.c.contact_fields)
        .where(calls.c.account_id == account_id)
        .order_by(calls.c.created_at.desc(), calls.c.number.desc())
        .limit(LOOKED_AT)
    )
    return sorted({name for text in connection.execute(newest).scalars() for name in from_document(text)})
