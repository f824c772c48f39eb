"""Posting instructions: of which buyers somebody sees them, and which team may do what they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ringback.domain import access
from ringback.domain.access import Level, Principal, Team
from ringback.domain.attributes import ATTRIBUTES, CONTACT_FIELDS, Attribute
from ringback.domain.errors import Refusal
from ringback.services import seen
from ringback.store import partners, teams
from ringback.store.teams import TeamRow


@dataclass(frozen=True, slots=True)
class Standing:
    """What a team may do with the calls of a buyer that it sees, beside what the guide asks for.

    ``users`` is how many people are on it; none of the visitor's business where he doesn't run the account.
    """

    id: int
    name: str
    developer_api: bool
    users: int | None
    rights: Mapping[str, Level]

    @property
    def may(self) -> list[Attribute]:
        """What it may update."""
        return [each for each in ATTRIBUTES if self.rights.get(each.name, Level.NONE) >= Level.UPDATE]

    @property
    def lacks(self) -> list[Attribute]:
        """What it may not update, and the guide's postback does."""
        return [each for each in ATTRIBUTES if each not in self.may]

    @property
    def is_ready(self) -> bool:
        """Whether a postback counts that carries no contact fields, which are the guide's only optional ones."""
        return self.developer_api and self.users != 0 and set(self.lacks) <= {CONTACT_FIELDS}


def list_buyers(tx: Connection, principal: Principal, *, after: str, search: str, limit: int) -> list[dict[str, Any]]:
    """The buyers whose instructions somebody sees, by name, from the one after that key of a name on."""
    among = None
    if not principal.runs_account and not any(team.every_buyer for team in principal.teams):
        among = {buyer_id for team in principal.teams for buyer_id in team.buyers}
    return partners.list_page(tx, principal.account_id, "buyer", after=after, search=search, limit=limit, among=among)


def find_buyer(tx: Connection, principal: Principal, number: int) -> dict[str, Any]:
    """A buyer whose instructions somebody sees.

    Raises:
        Refusal: ``not_found``: there is none, or his calls are not shown to him.
    """
    buyer = partners.find_row(tx, principal.account_id, "buyer", number)
    if buyer is None or not seen.shows(principal, number):
        raise Refusal("not_found", path=f"/posting-instructions/{number}")
    return buyer


def standings(tx: Connection, principal: Principal, buyer_ids: Iterable[int]) -> dict[int, list[Standing]]:
    """The teams that see the calls of each buyer: all of them for who runs the account, else those he is on."""
    if principal.runs_account:
        found = teams.list_seeing(tx, principal.account_id, buyer_ids)
        return {buyer_id: [_standing(team, len(team.users)) for team in seeing] for buyer_id, seeing in found.items()}
    return {buyer_id: [_standing(team, None) for team in access.seeing(principal, buyer_id)] for buyer_id in buyer_ids}


def _standing(team: Team | TeamRow, users: int | None) -> Standing:
    return Standing(team.id, team.name, team.developer_api, users, team.rights)
