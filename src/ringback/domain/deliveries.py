"""What becomes of a delivery after an attempt (SENDING, "Delivery")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType

from ringback.domain.exchanges import PROBLEMS, Exchange, Meaning, retry_after
from ringback.domain.replies import at_path, read_reply
from ringback.domain.templates import REASONS

SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
"""The waits between attempts, the first of which is made at once."""

HOLDS = tuple(timedelta(hours=hours) for hours in (1, 6, 24))
"""The waits before a held delivery is tried again by itself; afterwards it waits for a person."""

MISSING_FOR = timedelta(hours=1)
"""How long after the first attempt a 404 may mean that the call is not recorded there yet."""

AT_LEAST = timedelta(seconds=60)
"""The wait after a 429 or a timeout, however early the schedule is."""

JITTER = 0.1
"""How much later than asked an attempt may be made, lest all come at once."""


class State(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    RETRYING = "retrying"
    HELD = "held"
    FAILED = "failed"
    CANCELLED = "cancelled"


MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        **PROBLEMS,
        "no_credential": Meaning(
            "No credential of the vault is bound to this host, so nothing was sent.",
            "Add one for this host under Credentials, or choose another in the postback, then send it again.",
        ),
        "credential_unopened": Meaning(
            "The credential can't be opened, so nothing was sent: it was sealed with another key, or spoiled.",
            "Restart this server if the key was rotated; else give its secret again under Credentials. "
            "Then send this again.",
        ),
        "no_signing_secret": Meaning(
            "The postback is to sign what it sends and has no signing secret, so nothing was sent.",
            "Make one on the page of the postback and give it to the receiver, then send this again.",
        ),
        "signing_secret_unopened": Meaning(
            "The signing secret can't be opened, so nothing was sent: it was sealed with another key, or spoiled.",
            "Restart this server if the key was rotated; else make a new one on the page of the postback and give it "
            "to the receiver. Then send this again.",
        ),
        "behind": Meaning(
            "It waits for an earlier delivery of the same postback and call.",
            "It follows by itself when the earlier one is delivered, held or given up: look at that one.",
        ),
        "paused": Meaning("It waits, since its postback is paused.", "Let the postback go on: then it is sent."),
        "no_longer_so": Meaning(
            "What it was to tell is no longer so: it was taken back before this was sent, "
            "or the postback isn't about the call any more.",
            "",
        ),
        "no_request": Meaning("What it was to send is not kept any more.", ""),
        "superseded": Meaning("A later delivery of the same postback and call tells more than this one.", ""),
        "postback_deleted": Meaning("Its postback was deleted before it was sent.", ""),
        "cancelled": Meaning("A person took it back.", ""),
        "delivered": Meaning("The receiver accepted it.", ""),
        "answer_not_as_expected": Meaning(
            "The receiver answered, but not with the value that means success.",
            "Read its answer. If it is a success all the same, correct the success rule of the postback.",
        ),
        "redirected": Meaning(
            "The receiver answered with a redirect, and redirects are never followed.",
            "Put the address that it names (the header Location) into the postback, if you trust it.",
        ),
        "credential_refused": Meaning(
            "The receiver doesn't know the credential, or none was sent.",
            "Check the credential of the postback, then send it again.",
        ),
        "not_permitted": Meaning(
            "The receiver knows the credential, but doesn't permit this.",
            "Ask the receiver to grant what its answer names. It is tried again after 1, 6 and 24 hours, "
            "and whenever you send it again.",
        ),
        "not_there": Meaning(
            "The receiver doesn't know the call, or nothing is at this URL.",
            "Check the URL and the call's UUID in it. The call may not be recorded there yet, so it is tried again "
            "for an hour.",
        ),
        "gone": Meaning(
            "The receiver says that nothing is at this URL any more, for good.",
            "The postback is paused. Correct its URL and switch it on again.",
        ),
        "try_again_later": Meaning(
            "The receiver can't take it now.",
            "It is tried again. If it stays so, ask the receiver.",
        ),
        "request_refused": Meaning(
            "The receiver refuses the request.",
            "Read its answer, correct the postback, then send it again.",
        ),
    }
)
"""Why an attempt ended as it did, or there was none: code to sentences."""


def sentence(code: str, details: Mapping[str, object]) -> str:
    """Why a delivery stands as it does, for a reader; nothing while it is only due."""
    if code in REASONS:
        return REASONS[code].format(name=details.get("name", ""))
    return MEANINGS[code].title if code in MEANINGS else code


@dataclass(frozen=True, slots=True)
class SuccessRule:
    """A place in the JSON of an answer, such as ``result.status``, and the value there that means success."""

    path: str
    value: str

    def is_met(self, exchange: Exchange) -> bool:
        """Whether the answer says success."""
        return at_path(read_reply(exchange), self.path) == self.value


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery.

    Attributes:
        state: ``delivered``, ``retrying``, ``held`` or ``failed``.
        due_at: when it is tried next; None if that is up to a person, or over.
        code: why, from ``MEANINGS``.
        pauses: whether its postback is paused.
    """

    state: State
    due_at: datetime | None
    code: str
    pauses: bool = False


def judge(
    exchange: Exchange,
    *,
    attempt: int,
    first_attempt_at: datetime,
    now: datetime,
    jitter: float,
    success: SuccessRule | None = None,
    holds: int = 0,
) -> Verdict:
    """Decide what becomes of a delivery after an attempt.

    Args:
        exchange: what came of the attempt.
        attempt: its number, from 1.
        first_attempt_at: when the first one was made.
        now: the present.
        jitter: a random number from 0 to 1.
        success: what else than a status 2xx is wanted.
        holds: how many attempts before this one ended as held.
    """
    code = _code(exchange, success)
    state = _STATES.get(code, State.RETRYING)
    if state in {State.DELIVERED, State.FAILED}:
        return Verdict(state, None, code, pauses=code == "gone")
    wait = _wait(HOLDS, holds) if state is State.HELD else _wait(SCHEDULE, attempt - 1)
    if code == "not_there":
        left = first_attempt_at + MISSING_FOR - now
        wait = min(wait, left) if wait and left > timedelta(0) else None
    if wait is None:
        return Verdict(State.HELD if state is State.HELD else State.FAILED, None, code)
    wait = max(wait, retry_after(exchange.header("retry-after"), now))
    if exchange.status == HTTPStatus.TOO_MANY_REQUESTS or exchange.problem == "timeout":
        wait = max(wait, AT_LEAST)
    return Verdict(state, now + wait * (1 + JITTER * jitter), code)


_STATES: Mapping[str, State] = {
    "delivered": State.DELIVERED,
    "redirected": State.FAILED,
    "gone": State.FAILED,
    "request_refused": State.FAILED,
    "bad_url": State.FAILED,
    "bad_header": State.FAILED,
    "credential_refused": State.HELD,
    "not_permitted": State.HELD,
    # A person can cure these, or a name server that was wrong for a while; sending at once again can't.
    "address_refused": State.HELD,
    "no_credential": State.HELD,
    "credential_unopened": State.HELD,
    "no_signing_secret": State.HELD,
    "signing_secret_unopened": State.HELD,
    "scheme_refused": State.HELD,
}
"""By code; everything else is tried again."""

_CODES: Mapping[int, str] = {
    401: "credential_refused",
    403: "not_permitted",
    404: "not_there",
    408: "try_again_later",
    409: "try_again_later",
    410: "gone",
    425: "try_again_later",
    429: "try_again_later",
}
_CLASSES: Mapping[int, str] = {2: "delivered", 3: "redirected", 4: "request_refused", 5: "try_again_later"}


def _code(exchange: Exchange, success: SuccessRule | None) -> str:
    if exchange.status is None:
        return exchange.problem or "no_answer"
    code = _CODES.get(exchange.status) or _CLASSES.get(exchange.status // 100, "bad_answer")
    if code == "delivered" and success is not None and not success.is_met(exchange):
        return "answer_not_as_expected"
    return code


def _wait(waits: tuple[timedelta, ...], number: int) -> timedelta | None:
    return waits[number] if number < len(waits) else None
