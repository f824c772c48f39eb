"""What an update changes of a call beside its worth: whom it belongs to, and what an agent says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from ringback.domain.access import Level, Principal
from ringback.domain.attributes import BUYER, BY_NAME, Kind
from ringback.domain.calls import Call, Partner, Patch, Write
from ringback.domain.errors import Problem, Refusal
from ringback.store import partners

OFFER = "offer"
_WITH_TERMS = (BUYER.name, OFFER)


def split(patch: Patch) -> tuple[Patch, Patch]:
    """A patch in two: what it says of the call's worth, and what it says of it beside that."""
    given = tuple(write for write in patch if BY_NAME[write.attribute].kind in (Kind.PARTNER, Kind.TEXT))
    return (tuple(write for write in patch if write not in given), given) if given else (patch, ())


def find_details(
    tx: Connection, principal: Principal, call: Call | None, given: Sequence[Write], said: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The details of a call that an update says or gives; where the buyer or offer is another one, what is agreed then.

    Raises:
        Refusal: ``unknown_partner``; a buyer is as unknown to a team that doesn't see him as one that isn't there.
    """
    if not given and not said:
        return {}
    details = dict(said)
    problems: list[Problem] = []
    for write in given:
        if BY_NAME[write.attribute].kind is Kind.TEXT:
            details[write.attribute] = write.value
            continue
        partner = _find(tx, principal, call, write)
        if partner is None:
            attribute = BY_NAME[write.attribute]
            told = {"noun": attribute.label.lower(), "value": str(write.value)[:80]}
            problems.append(Problem(attribute.sets[0], "unknown_partner", told))
        details[write.attribute] = partner
    if problems:
        raise Refusal("unknown_partner", problems=problems)
    buyer, offer = (getattr(call, noun, None) for noun in _WITH_TERMS)
    agreeing = details.get(BUYER.name, buyer), details.get(OFFER, offer)
    if agreeing != (buyer, offer):
        details["terms"] = partners.find_terms(tx, principal.account_id, *agreeing)
    return details


def moved(call: Call, details: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The details of a call that change, each from what to what."""
    before = {name: getattr(call, name) for name in details if name != "terms"}
    return {name: (value, details[name]) for name, value in before.items() if value != details[name]}


def _find(tx: Connection, principal: Principal, call: Call | None, write: Write) -> Partner | None:
    found = partners.find(tx, principal.account_id, write.attribute, str(write.value))
    if found is None or (write.attribute == BUYER.name and not _shows(principal, call, found.id)):
        return None
    return found


def _shows(principal: Principal, call: Call | None, buyer_id: int) -> bool:
    """Whether one team of theirs may give the call to this buyer: it sees him, the call, and has the right."""
    return principal.runs_account or any(
        team.sees(buyer_id) and (call is None or team.sees(call.buyer_id))
        for team in principal.api_teams
        if team.rights.get(BUYER.name, Level.NONE) >= Level.UPDATE
    )
