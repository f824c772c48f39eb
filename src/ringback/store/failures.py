"""What can go wrong with the database, in four words that the floors above can act on."""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from ringback.domain.errors import RingbackError

_DEADLOCK, _SERIALIZATION, _LOCK_TIMEOUT = "40P01", "40001", "55P03"
_REFUSING = {"22", "23", "42", "44", "54", "P0"}
"""Classes of PostgreSQL's codes: data, constraint, statement, view, limit, and what a trigger raises."""


class StoreError(RingbackError):
    """The database did not do what it was asked; the transaction is undone."""


class UnavailableError(StoreError):
    """The database can't be reached, or can't write now; the same may succeed later."""


class UnconfirmedError(UnavailableError):
    """The database went away during a commit: whether it was made is not known."""


class ContendedError(StoreError):
    """Another transaction stood in the way; the same may be tried again at once."""


class RejectedError(StoreError):
    """The database refused the data or the statement; the same will fail again."""


def translated(error: SQLAlchemyError) -> StoreError:
    """The same failure in our words."""
    reason = str(getattr(error, "orig", None) or error).splitlines()[0]
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state in (_DEADLOCK, _SERIALIZATION, _LOCK_TIMEOUT) or "database is locked" in reason:
        return ContendedError(reason)
    if isinstance(error, (DataError, IntegrityError)):
        return RejectedError(reason)
    if isinstance(error, DBAPIError) and state is not None and state[:2] in _REFUSING:
        return RejectedError(reason)
    return UnavailableError(reason)
