"""What an account's calls came to in a period, and what a new account still lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import Connection

from ringback.domain.access import Level
from ringback.domain.causes import Caused
from ringback.domain.periods import Part, Period
from ringback.domain.receipts import Result
from ringback.services import waiting
from ringback.store import accounts, figures, partners, teams
from ringback.store.figures import Figures

_TENTH = Decimal("0.1")
_ACCEPTED = (Result.APPLIED, Result.UNCHANGED, Result.REPLAYED)


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of a period, of each part of it, and what became of its updates."""

    total: Figures
    parts: Sequence[tuple[Part, Figures]]
    updates: Mapping[Result, int]
    causes: Sequence[Caused]

    @property
    def received(self) -> int:
        """How many updates came."""
        return sum(self.updates.values())

    @property
    def acceptance(self) -> Decimal | None:
        """How many of a hundred updates were recorded; None if none came."""
        return percentage(sum(self.updates.get(result, 0) for result in _ACCEPTED), self.received)

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


def look(tx: Connection, account_id: int, period: Period) -> Overview:
    """The overview of a period."""
    parts = period.parts
    found = figures.sum_calls(tx, account_id, [(part.since, part.until) for part in parts])
    return Overview(
        total=sum(found, Figures()),
        parts=list(zip(parts, found, strict=True)),
        updates=figures.count_updates(tx, account_id, (period.since, period.until)),
        causes=waiting.list_causes(tx, account_id),
    )


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


def percentage(part: int, whole: int) -> Decimal | None:
    """How many of a hundred, to the tenth; None of nothing."""
    return (Decimal(part) * 100 / whole).quantize(_TENTH, ROUND_HALF_UP) if whole else None
