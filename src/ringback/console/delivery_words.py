"""Deliveries in words: their states, their reasons and what to do, what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from ringback.domain.deliveries import MEANINGS, State, sentence
from ringback.store import delivery_search
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


def hint(code: str) -> str:
    """What to do about a code of a delivery."""
    return MEANINGS[code].hint if code in MEANINGS else ""


def tried(attempt: Attempt) -> Tried:
    """An attempt in words."""
    body, is_cut = shown(_laid_out(attempt.body))
    reason = sentence(attempt.code, attempt.details)
    return Tried(attempt, STATES[attempt.state], reason, hint(attempt.code), body, is_cut or attempt.truncated)


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
