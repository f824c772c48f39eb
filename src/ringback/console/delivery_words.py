"""Deliveries in words: their states, their reasons and what to do, what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from ringback.domain.deliveries import MEANINGS, State, sentence
from ringback.store import delivery_search
from ringback.store.deliveries import Request
from ringback.store.delivery_search import Attempt, Listed

BODY_SHOWN = 8_000
"""How many characters of a body are shown; 64 KiB are kept."""

STATES: Mapping[State, tuple[str, str]] = {
    State.PENDING: ("pending", "blue"),
    State.SENDING: ("sending", "azure"),
    State.RETRYING: ("retrying", "yellow"),
    State.HELD: ("held", "orange"),
    State.FAILED: ("failed", "red"),
    State.DELIVERED: ("delivered", "green"),
    State.CANCELLED: ("cancelled", "secondary"),
}
"""The word and the colour of each state, in the order of a delivery's way."""


OPEN: Mapping[State, str] = {
    State.PENDING: "due, or about to be",
    State.RETRYING: "tried again by themselves",
    State.HELD: "wait for a value, a right or a credential",
    State.FAILED: "not tried again by themselves",
}
"""What it means for a delivery to stand so."""

MOST_COUNTED = 1_000
"""How many deliveries of a state are counted at most."""


@dataclass(frozen=True, slots=True)
class Open:
    """How many deliveries stand so, and what that means."""

    state: State
    chip: tuple[str, str]
    count: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt in words."""

    attempt: Attempt
    chip: tuple[str, str]
    reason: str
    hint: str
    body: str
    is_cut: bool


def lines(found: Iterable[Listed]) -> list[tuple[Listed, tuple[str, str], str]]:
    """Deliveries, each with its chip and its reason in a sentence."""
    return [(line, STATES[line.state], sentence(line.code, line.details)) for line in found]


def list_open(tx: Connection, account_id: int) -> list[Open]:
    """The deliveries that are not over, by state; tests are no duty."""
    found = delivery_search.count_by_state(tx, account_id, most=MOST_COUNTED)
    return [Open(state, STATES[state], count, OPEN[state]) for state, count in found.items() if count]


def hint(code: str, *, is_test: bool = False) -> str:
    """What to do about a code of a delivery; a test isn't tried again, nor sent again."""
    if is_test and code in _OF_TESTS:
        return _OF_TESTS[code]
    return MEANINGS[code].hint if code in MEANINGS else ""


_OF_TESTS: Mapping[str, str] = {
    "no_credential": "Add one for this host under Credentials, or choose another in the postback.",
    "credential_refused": "Check the credential of the postback.",
    "not_permitted": "Ask the receiver to grant what its answer names.",
    "not_there": "Check the URL and the call's UUID in it; the call may not be recorded there yet.",
    "try_again_later": "Usually this passes. If it stays so, ask the receiver.",
    "request_refused": "Read its answer, and correct the postback.",
}


def tried(attempt: Attempt, *, is_test: bool = False) -> Tried:
    """An attempt in words."""
    body, is_cut = shown(_laid_out(attempt.body))
    reason, advice = sentence(attempt.code, attempt.details), hint(attempt.code, is_test=is_test)
    return Tried(attempt, STATES[attempt.state], reason, advice, body, is_cut or attempt.truncated)


def body_of(request: Request | None) -> tuple[str, bool]:
    """The body of a request as text, and whether there is more of it."""
    return shown(request.body if request and request.body else b"")


def shown(body: bytes) -> tuple[str, bool]:
    """A body as text, and whether there is more of it."""
    text = body.decode(errors="replace")
    return text[:BODY_SHOWN], len(text) > BODY_SHOWN


def _laid_out(body: bytes) -> bytes:
    """A short body of JSON with its lines broken and indented; any other as it is."""
    if len(body) > BODY_SHOWN or not body.lstrip().startswith((b"{", b"[")):
        return body
    try:
        return msgspec.json.format(body, indent=2)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return body
