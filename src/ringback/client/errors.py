"""What can go wrong, as one tree. The message of each says what happened and what to do.

::

RingbackError
 ├─ NotConfigured          address or credential is missing or can't be one
 ├─ SignatureMismatch      a webhook was not signed by who it should be, or not just now
 ├─ ConnectionFailed       no answer came
 │   └─ TimedOut           not in time; whether it was recorded is not known
 ├─ UnexpectedAnswer       an answer came that is not Ringback's
 └─ Refused                Ringback's answer is no
     ├─ BadRequest         400
     ├─ Unauthorized       401
     ├─ PermissionDenied   403
     ├─ NotFound           404
     ├─ Conflict           409
     ├─ TooLarge           413
     ├─ InvalidValue       422
     ├─ RateLimited        429
     └─ ServerError        5xx
         └─ Busy           503
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class RingbackError(Exception):
    """Any error of this client.

    Attributes:
        idempotency_key: of the update that failed; sending it again with the same key can't count twice.
    """

    idempotency_key: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers of task queues send errors from process to process, whatever these were made of.
        return _blank, (type(self), self.args), self.__dict__


def _blank(kind: type[RingbackError], args: tuple[Any, ...]) -> RingbackError:
    return kind.__new__(kind, *args)


class NotConfigured(RingbackError):
    """Address or credential is missing, doubled, or none at all."""


class SignatureMismatch(RingbackError):
    """A webhook that was not signed with one of these secrets, or not just now."""


class ConnectionFailed(RingbackError):
    """No answer came.

    Attributes:
        was_sent: whether the request may have arrived all the same.
    """

    def __init__(self, message: str, *, was_sent: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class TimedOut(ConnectionFailed):
    """No answer came in time."""


class UnexpectedAnswer(RingbackError):
    """An answer came that no Ringback gives, as from a proxy or another program.

    Attributes:
        status: its HTTP status.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class MissingPermission:
    """A right that a team lacks; ``grant_at`` is the page of the console that grants it."""

    attribute: str
    right: str
    team: str
    grant_at: str


class Refused(RingbackError):
    """Ringback's answer is no.

    Attributes:
        status: the HTTP status.
        code: the stable name of the answer, such as ``permission_denied``.
        title: what happened, as a sentence.
        hint: what to do about it.
        errors: what is wrong, by field.
        codes: the same as codes.
        missing_permissions: the rights that are lacking.
        held_until: until when the update waits to be applied; None if it does not wait.
        receipt_id: of what Ringback keeps of the update, for whoever looks into it.
        retry_after: seconds to wait, where the answer says so.
        document: the answer as it came.
    """

    def __init__(self, status: int, document: Mapping[str, Any], *, retry_after: float | None = None) -> None:
        self.status = status
        self.code = str(document.get("code") or "")
        self.title = str(document.get("message") or f"Ringback answered {status}.")
        self.hint = str(document.get("hint") or "")
        self.errors: Mapping[str, str] = document.get("errors") or {}
        self.codes: Mapping[str, str] = document.get("codes") or {}
        self.missing_permissions = tuple(
            MissingPermission(*(str(each.get(name, "")) for name in MissingPermission.__slots__))
            for each in document.get("missing_permissions") or ()
        )
        held = document.get("held_until")
        self.held_until = datetime.fromisoformat(held) if held else None
        self.receipt_id: str | None = document.get("receipt_id")
        self.retry_after = retry_after
        self.document = document
        super().__init__(" ".join(self._sentences()))

    def _sentences(self) -> list[str]:
        problems = [text for field, text in self.errors.items() if field != "base" and text != self.title]
        rights = [
            f"{each.attribute}: grant {each.right} to the team {each.team} at {each.grant_at}."
            for each in self.missing_permissions
        ]
        said = [self.title, *(rights or problems), self.hint]
        if self.held_until:
            said.append(f"The update waits until {self.held_until:%Y-%m-%d %H:%M %Z} and can still be applied.")
        about = ", ".join(filter(None, (str(self.status), self.code, self.receipt_id and f"receipt {self.receipt_id}")))
        return [*filter(None, said), f"({about})"]


class BadRequest(Refused):
    """400: it can't be read."""


class Unauthorized(Refused):
    """401: no credential, or not one that is known or valid here."""


class PermissionDenied(Refused):
    """403: known, but may not; ``missing_permissions`` says which rights would do."""


class NotFound(Refused):
    """404: no such account or call here; an early update may wait for its call (``held_until``)."""


class Conflict(Refused):
    """409: the idempotency key was used for another update of this call."""


class TooLarge(Refused):
    """413: more than is read at once."""


class InvalidValue(Refused):
    """422: a value that can't be taken; ``errors`` says which and why."""


class RateLimited(Refused):
    """429: too many wrong credentials from this address."""


class ServerError(Refused):
    """5xx: something in Ringback failed."""


class Busy(ServerError):
    """503: Ringback can't take it now."""


_BY_STATUS: Mapping[int, type[Refused]] = {
    400: BadRequest,
    401: Unauthorized,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: InvalidValue,
    429: RateLimited,
    503: Busy,
}


def refused(status: int, document: Mapping[str, Any], *, retry_after: float | None = None) -> Refused:
    """The error that an answer is."""
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else Refused)  # noqa: PLR2004 - servers' own errors
    return kind(status, document, retry_after=retry_after)
