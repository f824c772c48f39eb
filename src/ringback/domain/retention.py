"""How long things are kept. Calls, what they are worth, and the ledger of it are no such things: they stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

FOR_EVER = 0
"""The number of days of what is never removed."""


class Kind(StrEnum):
    """What is removed when it is old enough."""

    REQUESTS = "requests"
    DELIVERIES = "deliveries"
    TRACES = "traces"
    WAITING = "waiting"
    AUDIT = "audit"


WORDS: Mapping[Kind, str] = {
    Kind.REQUESTS: "What arrived with updates: sender's address, path and body",
    Kind.DELIVERIES: "What was sent and answered, once it was delivered or given up",
    Kind.TRACES: "Traces of wrong credentials, the newest 1,000 of an account at most",
    Kind.WAITING: "Updates that had to wait, once they were applied or given up",
    Kind.AUDIT: "The audit log",
}
"""What each kind is, for people."""

ENDED: Mapping[str, str] = {
    "sessions": "Log-ins and one-time links",
    "keys": "Answers to idempotency keys",
}
"""What is removed as soon as its own time is over, and needs no setting."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days each kind is kept, 0 for ever; counted from when it came."""

    requests: int = FOR_EVER
    deliveries: int = FOR_EVER
    traces: int = FOR_EVER
    waiting: int = FOR_EVER
    audit: int = FOR_EVER

    @property
    def days(self) -> Mapping[Kind, int]:
        """The days of each kind."""
        return {Kind(each.name): getattr(self, each.name) for each in fields(self)}

    def ends(self, now: datetime) -> dict[Kind, datetime]:
        """Of each kind that isn't kept for ever: what came before this time is to go."""
        return {kind: now - timedelta(days=days) for kind, days in self.days.items() if days != FOR_EVER}


def spoken(days: int) -> str:
    """A number of days as people say it."""
    if days == FOR_EVER:
        return "for ever"
    return "1 day" if days == 1 else f"{days:,} days"
