"""What an account's calls came to in a period, and what a new account still lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import Connection

from ringback.domain.access import Level
from ringback.domain.figures import Figures, Updates
from ringback.domain.periods import Part, Period
from ringback.store import accounts, figures, partners, teams

_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Overview:
    """What a period came to: all of it, each part of it, and what became of its updates."""

    total: Figures
    parts: Sequence[tuple[Part, Figures]]
    updates: Updates

    @property
    def acceptance(self) -> Decimal | None:
        """How many of a hundred updates were recorded; None if none came."""
        return percentage(self.updates.accepted, self.updates.received)

    @property
    def conversion(self) -> Decimal | None:
        """How many of a hundred calls converted; None if there were none."""
        return percentage(self.total.conversions, self.total.calls)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a new account needs until its first postback, and has."""

    buyer: bool
    token: bool
    rights: bool
    update: bool

    @property
    def is_over(self) -> bool:
        """Whether nothing is lacking any more."""
        return self.buyer and self.token and self.rights and self.update


def look(tx: Connection, account_id: int, periods: Sequence[Period]) -> list[Overview]:
    """What each of some periods came to, all as of one moment."""
    parts = [period.parts for period in periods]
    found = iter(figures.sum_calls(tx, account_id, [(part.since, part.until) for each in parts for part in each]))
    updates = figures.count_updates(tx, account_id, [(period.since, period.until) for period in periods])
    told = [[(part, next(found)) for part in each] for each in parts]
    return [
        Overview(sum((worth for _, worth in each), Figures()), each, became)
        for each, became in zip(told, updates, strict=True)
    ]


def look_at_beginning(tx: Connection, account_id: int, now: datetime) -> Beginning:
    """How far a new account is; once updates come, only that is asked."""
    if figures.has_update(tx, account_id):
        return Beginning(buyer=True, token=True, rights=True, update=True)
    tokens = accounts.list_tokens(tx, people_of=account_id)
    return Beginning(
        buyer=bool(partners.list_page(tx, account_id, "buyer", after="", search="", limit=1)),
        token=any(each.revoked_at is None and (each.expires_at is None or each.expires_at > now) for each in tokens),
        rights=any(
            team.developer_api and team.users and Level.UPDATE in team.rights.values()
            for team in teams.list_teams(tx, account_id)
        ),
        update=False,
    )


def percentage(part: int | Decimal, whole: int | Decimal) -> Decimal | None:
    """How many of a hundred, to the tenth; None of nothing."""
    return (Decimal(part) * 100 / whole).quantize(_TENTH, ROUND_HALF_UP) if whole else None
